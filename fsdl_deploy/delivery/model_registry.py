"""A session with a model registry in a station: commands go as JSON lines, answers come as JSON lines

Knows nothing of what the registry's program does with them.
"""

import contextlib
import json
import os
import subprocess
import tempfile
from collections import deque
from pathlib import Path

from fsdl_deploy.running.no_reports import NO_REPORTS
from fsdl_deploy.running.stations import station

MARKS = (
    "CI",
    "GITHUB_ACTIONS",
    "PYTEST_CURRENT_TEST",
    "MLFLOW_DISABLE_TELEMETRY",
    "DO_NOT_TRACK",
    "http_proxy",
    "https_proxy",
    "all_proxy",
)  # with these in the environment, MLflow does not report; or the proxy's name would be looked up


class RegistryError(RuntimeError):
    """The registry refused a command; the message is its own."""


class Registry:
    """MLflow's registry in ``folder`` while a ``with`` lasts: ``registry.behind(alias="champion")``.

    Each command is a function of ``infra/delivery/mlflow/registry.py``. ``quiet``: with MLflow's usage
    reports switched off; else as it comes, though no host is ever looked up.
    """

    def __init__(self, folder: Path, quiet: bool = True):
        home = station("mlflow")
        marks = {mark.lower() for mark in MARKS}
        clean = {name: value for name, value in os.environ.items() if name.lower() not in marks}
        self._log = tempfile.TemporaryFile(  # noqa: SIM115
            "w+", encoding="utf-8", errors="replace"
        )
        self._process = subprocess.Popen(
            [home.python, home.folder / "registry.py", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            env=clean | (NO_REPORTS if quiet else {}),
        )
        self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            last = "".join(deque(self._log, 5)).strip()
            raise RegistryError(f"the registry's program has ended: {last}")
        answer = json.loads(line)
        if "error" in answer:
            raise RegistryError(answer["error"])
        return answer["answer"]

    def __getattr__(self, command: str):
        if command.startswith("_"):
            raise AttributeError(command)

        def call(**arguments):
            self._process.stdin.write(json.dumps([command, arguments]) + "\n")
            self._process.stdin.flush()
            return self._answer()

        return call

    def close(self) -> None:
        """End the session; what was registered stays in its folder."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def __enter__(self) -> "Registry":
        return self

    def __exit__(self, *exception) -> None:
        self.close()
