"""Stations: tools whose dependencies would disturb the core, each in a virtual environment of its own.

A station is a folder NAME somewhere in ``infra`` with ``station.toml`` (what it is for) and
``requirements.lock``. Set-up builds the stations, so that no network is needed later, except those that
say ``setup = false``: they are built on demand. ``stations.ensure("streamlit")`` returns the interpreter,
which can import ``fsdl_deploy`` too, and with ``torch = true`` the torch of the core. ``java = true``: the
tool needs Java. A ``package-lock.json`` says what npm adds, for a station whose lock has Node.js. Knows
nothing of what a tool does.
"""

import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy import machine
from fsdl_deploy.environment import ROOT, Environment, SetupError, core

NO_JAVA = "No Java runs on this machine: what needs it is skipped."
_SWITCHES = {"setup": True, "torch": False, "java": False}  # with what holds where nothing is said
_ALLOWED = {"name", "purpose", "lock", "serve", *_SWITCHES}
_SERVE = {"title", "ready", "path", "format"}


@dataclass(frozen=True)
class Station:
    """What ``station.toml`` says."""

    name: str
    purpose: str
    folder: Path
    lock: Path
    root: Path
    setup: bool = True  # whether the set-up of the course builds it
    torch: bool = False
    java: bool = False
    serve: dict[str, str] | None = None  # a serving library: see ``libraries``

    def environment(self, builder: Path | None = None, say: Callable[[str], None] = print) -> Environment:
        """Its virtual environment, built or not; ``builder`` is an interpreter that has uv (this one)."""
        folder = self.root / ".venv" / "stations" / self.name
        builder = builder or Path(sys.executable)
        beside = core(self.root) if self.torch else None
        return Environment(
            self.name, folder, self.lock, builder=builder, beside=beside, root=self.root, say=say
        )

    def lacks(self) -> str | None:
        """A sentence about what of this machine's its tool cannot run without; None where all is there."""
        return NO_JAVA if self.java and machine.java() is None else None

    def mebibytes(self) -> float:
        """What its environment takes on disk, in MiB."""
        folder = self.environment().folder
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20


def settings(file: Path) -> dict[str, str]:
    """The variables of a ``local.env``: lines ``NAME=value``, and comments."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def stations(root: Path = ROOT) -> dict[str, Station]:
    """Every station by its name; SetupError names the file that is wrong."""
    found: dict[str, Station] = {}
    for path in sorted((root / "infra").rglob("station.toml")):
        one = _read(path, root)
        if one.name in found:
            raise SetupError(f"{one.folder} and {found[one.name].folder} are both stations called {one.name}")
        found[one.name] = one
    return found


def _read(path: Path, root: Path) -> Station:
    where = path.relative_to(root).as_posix()
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SetupError(f"{where} is not TOML: {error}") from None
    if unknown := sorted(set(told) - _ALLOWED):
        raise SetupError(
            f"{where}: unknown {', '.join(unknown)}; a station has {', '.join(sorted(_ALLOWED))}"
        )
    if told.get("name") != path.parent.name:
        raise SetupError(f"{where}: name must be {path.parent.name!r}, as its folder is called")
    if not isinstance(told.get("purpose"), str) or not told["purpose"].strip():
        raise SetupError(f"{where}: say in `purpose` what the station is for")
    switches = _SWITCHES | {name: told[name] for name in _SWITCHES if name in told}
    if wrong := [name for name, value in switches.items() if not isinstance(value, bool)]:
        raise SetupError(f"{where}: {wrong[0]} must be true or false")
    serve = told.get("serve")
    if serve is not None and not (isinstance(serve, dict) and serve.keys() == _SERVE):
        raise SetupError(f"{where}: the table serve has {', '.join(sorted(_SERVE))}")
    lock = path.parent / told.get("lock", "requirements.lock")
    if not lock.is_file():
        raise SetupError(f"{where}: {lock.name} is missing; make it with `make lock`")
    return Station(told["name"], told["purpose"], path.parent, lock, root, serve=serve, **switches)


def station(name: str, root: Path = ROOT) -> Station:
    """One station, whatever is wrong with others; SetupError lists the names there are."""
    places = [path for path in (root / "infra").rglob("station.toml") if path.parent.name == name]
    if len(places) == 1:
        return _read(places[0], root)
    raise SetupError(f"No station {name!r}; there are: {', '.join(stations(root)) or 'none'}")


def ensure(
    name: str, root: Path = ROOT, builder: Path | None = None, say: Callable[[str], None] = print
) -> Path:
    """Build the station if it is not built; return its interpreter. SetupError says what to do."""
    environment = station(name, root).environment(builder, say)
    if not environment.ready():
        say(f"Building the station {name} (once) …")
    return environment.ensure()


def python(name: str, root: Path = ROOT) -> Path:
    """The interpreter of a station that is built; SetupError says how to build one that is not."""
    environment = station(name, root).environment()
    if not environment.ready():
        raise SetupError(f"The station {name} is not built: run `make station NAME={name}`")
    return environment.python
