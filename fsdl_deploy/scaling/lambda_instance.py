"""An instance of a function: AWS's own Runtime Interface Emulator, with the function in a process of its own

The emulator is what answers for Lambda inside an instance: it starts Python on the first call, hands it one
event at a time and ends it when its time is over. In that process runs AWS's own client, ``awslambdaric``,
which imports the handler. Nothing of this machine's environment reaches the function: neither its packages
nor its variables. The emulator is a program for Linux; elsewhere the station's sentence says so.
"""

import http.client
import json
import platform
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from fsdl_deploy.managed.costs import prices
from fsdl_deploy.running import stations
from fsdl_deploy.running.ports import HOST, free_port
from fsdl_deploy.running.servers import Server
from fsdl_deploy.scaling.shares import Share

STATION = "aws_lambda"
PATH = "/2015-03-31/functions/function/invocations"
INIT = 60  # seconds that a start may take beside the time of the call itself
_PROGRAMS = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64"}
# What Lambda has in an instance beside the function: AWS's client and what that imports.
_CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py.py", "runtime_client.*")


@dataclass(frozen=True)
class Settings:
    """What a function is configured with. ``memory``: MB, and in proportion to it the share of a core.

    ``timeout``: whole seconds of one call. ``variables``: all of its environment that is not Lambda's own.
    Raises ValueError for what Lambda would refuse.
    """

    package: Path
    handler: str
    memory: int = 1769
    timeout: int = 30
    variables: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        most = int(prices()["function_most_seconds"].value)
        if not isinstance(self.timeout, int) or not 1 <= self.timeout <= most:
            raise ValueError(f"timeout is a whole number of seconds from 1 to {most}, not {self.timeout!r}")
        largest = int(prices()["function_most_memory"].value)
        if not isinstance(self.memory, int) or not 128 <= self.memory <= largest:
            raise ValueError(f"memory is a whole number of MB from 128 to {largest}, not {self.memory!r}")

    @property
    def share(self) -> float | None:
        """The share of a core that comes with the memory; None: a whole one, or more."""
        share = self.memory / prices()["function_memory_of_a_core"].value
        return share if share < 1 else None


def emulator() -> Path:
    """The emulator of the station. Raises StationError with a sentence where it is not, or cannot be."""
    return _site() / "samcli" / "local" / "rapid" / _PROGRAMS[platform.machine()]


def _site() -> Path:
    station = stations.station(STATION)
    station.python  # noqa: B018 - raises where it is not built
    return station.site


def link_client(to: Path) -> Path:
    """Link AWS's client into the folder ``to``, with nothing else of the station."""
    for pattern in _CLIENT:
        for path in _site().glob(pattern):
            (to / path.name).symlink_to(path)
    return to


class Instance:
    """``Instance(settings, client).start()``: no Python yet; the first ``call`` starts it, a cold start.

    The share of a core holds from the second call on: a start would take minutes at the least memory, and
    Lambda does not hold it to its share either, as measurements of others say (its documentation does not).
    """

    def __init__(self, settings: Settings, client: Path):
        self.settings, self.calls, self.peak, self.problem = settings, 0, 0, ""
        package = str(settings.package)
        variables = {
            "PATH": "/usr/bin:/bin",
            "LAMBDA_TASK_ROOT": package,
            "PYTHONPATH": f"{package}:{client}",
            "PYTHONDONTWRITEBYTECODE": "1",  # as where the package is read-only
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(settings.timeout),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory),
            **settings.variables,
        }
        addresses = ["--runtime-interface-emulator-address", f"{HOST}:{{port}}"]
        addresses += ["--runtime-api-address", f"{HOST}:{free_port()}"]
        command = ["env", "-i", *(f"{name}={value}" for name, value in variables.items()), emulator()]
        command += [*addresses, "--log-level", "error"]
        command += [sys.executable, "-S", "-m", "awslambdaric", settings.handler]
        self.server = Server(command, None, name="an instance", cwd=package, grace=1)
        self._share: Share | None = None

    def start(self) -> "Instance":
        """Start the emulator. Raises ServerError if it cannot."""
        self.server.start()
        return self

    def call(self, event: object) -> tuple[object, str]:
        """The function's answer to an event and "", or None and what went wrong."""
        self.calls += 1
        connection = http.client.HTTPConnection(HOST, self.server.port, timeout=self.settings.timeout + INIT)
        try:
            connection.request("POST", PATH, json.dumps(event))
            text = connection.getresponse().read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return None, self.problem or f"the instance ended: {type(error).__name__}"
        finally:
            connection.close()
        if self.calls == 1:
            self._hold()
        try:
            answer = json.loads(text)
        except ValueError:
            return None, self.problem or text.strip() or "the function ended without an answer"
        if isinstance(answer, dict) and "errorType" in answer:
            return None, self.problem or f"{answer['errorType']}: {answer.get('errorMessage', '')}"
        return answer, ""

    def look(self) -> None:
        """Note how much memory the function has, and kill it where that is more than it may have."""
        for process in self._functions():
            with suppress(psutil.Error):
                self.peak = max(self.peak, process.memory_info().rss)
                if self.peak > self.settings.memory * 2**20 and not self.problem:
                    self.problem = f"killed: it used more memory than its {self.settings.memory} MB"
                    process.kill()

    @property
    def running(self) -> bool:
        """Whether it can be called (again)."""
        return self.server.running and not self.problem

    def log(self) -> str:
        """What it has written: the function's own lines among those of the emulator."""
        return self.server.log()

    def stop(self) -> None:
        """End it, and the function in it."""
        if self._share is not None:
            self._share.close()
        self.server.stop()

    def _hold(self) -> None:
        functions = self._functions()
        if self.settings.share is not None and functions:
            self._share = Share(functions[0].pid, self.settings.share)

    def _functions(self) -> list[psutil.Process]:
        """The function's process, where it has been started."""
        if not self.server.running:
            return []
        with suppress(psutil.Error):
            return psutil.Process(self.server.pid).children()
        return []
