"""Azure's function app on this machine: what its host would find in it, requests to it, broken copies of it

Microsoft's host is not here: ``infra/scaling/azure_functions/host.py`` stands in for it, with Microsoft's own
package. The app is in the same folder.
"""

import json
import shutil
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server

STATION = "azure_functions"
FILES = ("function_app.py", "host.json")
HEADER = "x-functions-key"


class RefusedApp(RuntimeError):
    """The host does not take the app; the message is what it says."""


@dataclass(frozen=True)
class BrokenApp:
    """A broken copy: in ``file`` stands ``after`` in place of ``before``."""

    slip: str
    file: str
    before: str
    after: str

    def write(self, to: Path) -> Path:
        """Write the app with this slip. Raises ValueError where ``before`` does not stand there once."""
        copy(to)
        text = (to / self.file).read_text(encoding="utf-8")
        text = files.replaced_once(text, self.before, self.after, self.file)
        (to / self.file).write_text(text, encoding="utf-8")
        return to


def folder() -> Path:
    """Where the course's function app is."""
    return stations.station(STATION).folder


def copy(to: Path) -> Path:
    """Copy the app's own files."""
    to.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(folder() / name, to / name)
    return to


def index(app: Path | None = None) -> dict[str, dict]:
    """The functions that the host would find: name to what once was its ``function.json``.

    Raises RefusedApp if the app is not whole.
    """
    return json.loads(_host("index", app))


def deliver(path: str, data: bytes, app: Path | None = None) -> dict[str, str]:
    """What is in storage after ``data`` has arrived there as ``path``: path to text, without the object."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "object")
        file.write_bytes(data)
        return json.loads(_host("deliver", app, path, file))


def serve(key: str, app: Path | None = None) -> Server:
    """The small host around the app, a Server that is not started yet. ``key``: what callers send."""
    words = [stations.python(STATION), folder() / "host.py", "serve", app or folder(), "{port}"]
    return Server(words, None, name="function app", env={"FUNCTIONS_KEY": key}, timeout=120)


def mutants() -> list[BrokenApp]:
    """The broken copies of ``mutants.toml``."""
    document = tomllib.loads((folder() / "mutants.toml").read_text(encoding="utf-8"))
    return [BrokenApp(**entry) for entry in document["mutant"]]


def refusal(mutant: BrokenApp) -> str | None:
    """What the host says of a broken copy; None if it takes it."""
    with tempfile.TemporaryDirectory() as place:
        try:
            index(mutant.write(Path(place, "app")))
        except RefusedApp as error:
            return str(error)
    return None


def _host(command: str, app: Path | None, *more: object) -> str:
    words = [stations.python(STATION), folder() / "host.py", command, app or folder(), *more]
    process = subprocess.run(words, capture_output=True, text=True, timeout=120)
    if process.returncode:
        raise RefusedApp(process.stderr.strip().splitlines()[-1] if process.stderr.strip() else "no reason")
    return process.stdout.splitlines()[-1]
