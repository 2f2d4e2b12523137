"""MLflow's servers in a station: one that keeps runs and models, one that answers with a model

``Tracking`` is the first while a ``with`` lasts, and starts the second. Aliases are moved over its REST API,
as any program may. Nothing leaves this machine, and no use is reported.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import httpx2

from fsdl_deploy.running.no_reports import NO_REPORTS
from fsdl_deploy.running.servers import Server
from fsdl_deploy.running.stations import Station, station

NAME = "meter-reader"
SETTINGS = NO_REPORTS | {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # its workers take a gigabyte, and nothing here needs them
}
API = "/api/2.0/mlflow"


class TrackingError(RuntimeError):
    """The tracking server or a program that asked it refused; the message is its own."""


class Tracking:
    """MLflow's tracking server, with its registry in ``folder``: ``with Tracking(folder) as tracking: …``."""

    def __init__(self, folder: Path, timeout: float = 240):
        self.home: Station = station("mlflow")
        self.folder, self.timeout = Path(folder), timeout
        python = self.home.python
        programs = {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
        self.environment = SETTINGS | self.home.bytecode | programs
        store = f"sqlite:///{quote((self.folder / 'mlflow.db').as_posix())}"  # a path may hold % or ?
        words = ["server", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1"]
        words += ["--backend-store-uri", store, "--artifacts-destination", self.folder / "artifacts"]
        self.server = Server(
            [python, "-m", "mlflow", *words],
            "/health",
            name="MLflow's tracking server",
            env=self.environment,
            cwd=self.folder,
            timeout=timeout,
        )

    def start(self) -> "Tracking":
        """Start the server; nothing where it runs."""
        self.server.start()
        return self

    def stop(self) -> None:
        """End the server; what it keeps stays in the folder."""
        self.server.stop()

    def __enter__(self) -> "Tracking":
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()

    def log(self, example: Path, undescribed: Sequence[str] = (), **aliases: str) -> dict[str, int]:
        """Log and register readers, ``champion="v2"``; the registered versions by alias.

        ``undescribed``: the aliases whose models get no signature and no example.
        """
        if unknown := sorted({*undescribed} - aliases.keys()):
            raise TrackingError(f'no model is logged as {unknown[0]!r}: name its version, {unknown[0]}="v2"')
        words = [f"{version}={alias}{'!' * (alias in undescribed)}" for alias, version in aliases.items()]
        result = subprocess.run(
            [self.home.python, self.home.folder / "log_reader.py", self.server.url, example, *words],
            env=os.environ | self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=self.timeout,
        )
        if result.returncode:
            raise TrackingError(f"log_reader.py failed: {result.stderr.strip().splitlines()[-1]}")
        return {alias: int(number) for alias, number in json.loads(result.stdout.splitlines()[-1]).items()}

    def serve(self, alias: str) -> Server:
        """``mlflow models serve`` for what an alias means now, not yet started."""
        words = ["models", "serve", "--model-uri", f"models:/{NAME}@{alias}", "--env-manager", "local"]
        words += ["--host", "127.0.0.1", "--port", "{port}"]
        return Server(
            [self.home.python, "-m", "mlflow", *words],
            "/ping",
            name=alias,
            env=self.environment | {"MLFLOW_TRACKING_URI": self.server.url},
            cwd=self.folder,
            timeout=self.timeout,
        )

    def point(self, alias: str, version: int) -> None:
        """Let an alias mean this version."""
        body = {"name": NAME, "alias": alias, "version": str(version)}
        self._asked("POST", "/registered-models/alias", json=body)

    def behind(self, alias: str) -> int:
        """The version that an alias means now."""
        query = {"name": NAME, "alias": alias}
        answer = self._asked("GET", "/registered-models/alias", params=query)
        return int(answer["model_version"]["version"])

    def _asked(self, method: str, path: str, **settings) -> dict:
        url = f"{self.server.url}{API}{path}"
        try:
            response = httpx2.request(method, url, timeout=60, trust_env=False, **settings)
        except httpx2.TransportError as error:
            raise TrackingError(f"the tracking server does not answer: {error}") from None
        if response.status_code >= 400:
            raise TrackingError(response.json().get("message", response.text))
        return response.json()
