"""Stations: tools whose dependencies would disturb the core, each in a virtual environment of its own.

A station is a folder NAME somewhere in ``infra`` with ``station.toml`` (what it is for) and
``requirements.lock``. Its interpreter can import ``fsdl_deploy`` too, and with ``torch = true`` the torch of
the core. ``java = true``: the tool needs Java. ``platforms`` and ``requires-python`` (``">=3.11,<3.13"``)
say where it runs, if not everywhere. A ``package-lock.json`` says what npm adds, for a station whose lock has
Node.js; ``debian = ["NAME"]`` which of Debian's packages are unpacked into it; ``source = ["NAME"]`` which
have no wheel anywhere and are built where they are installed. Finds what is declared and what is built, and
builds nothing: that is the set-up's work. Knows nothing of what a tool does.
"""

import os
import re
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.measuring import machine
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import fitting

NO_JAVA = "No Java runs on this machine: what needs it is skipped."
STAMP = "fsdl-deploy.json"  # written last into an environment: without it the environment is not finished
_SWITCHES = {"torch": False, "java": False}  # with what holds where nothing is said
_ALLOWED = {
    "name",
    "purpose",
    "lock",
    "serve",
    "platforms",
    "requires-python",
    "debian",
    "source",
    *_SWITCHES,
}
_PACKAGE = re.compile("[a-z0-9][a-z0-9.+-]+")  # how Debian's are named
_SERVE = {"title", "ready", "path", "format"}


class StationError(RuntimeError):
    """A station that is not there, not built, or wrongly declared; the message says what to do."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the sentence."""
        return [str(self)]


class NotBuilt(StationError):
    """The station is not built: what needs it is left out."""


def python_in(folder: Path) -> Path:
    """Where a virtual environment has its interpreter."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@dataclass(frozen=True)
class Station:
    """What ``station.toml`` says."""

    name: str
    purpose: str
    folder: Path
    lock: Path
    root: Path
    torch: bool = False
    java: bool = False
    serve: dict[str, str] | None = None  # a serving library: its title, and how it is asked
    platforms: tuple[str, ...] = tuple(fitting.SYSTEMS)
    requires_python: str = ""
    debian: tuple[str, ...] = ()  # Debian's packages whose programs it has
    source: tuple[str, ...] = ()  # packages of Python that no index has as a wheel, whatever the system

    @property
    def environment(self) -> Path:
        """The folder of its virtual environment, built or not."""
        return self.root / ".venv" / "stations" / self.name

    @property
    def built(self) -> bool:
        """Whether a set-up has finished it."""
        return (self.environment / STAMP).is_file()

    @property
    def python(self) -> Path:
        """Its interpreter; StationError says how to build a station that is not built."""
        if not self.built:
            raise NotBuilt(self.not_built())
        return python_in(self.environment)

    @property
    def bytecode(self) -> dict[str, str]:
        """Variables by which programs of a built station keep what Python has compiled, in its environment.

        Also where the environment of this process forbids it: a tool that starts many processes would
        compile all of its packages in each of them.
        """
        kept = os.environ.get("PYTHONPYCACHEPREFIX") or str(self.environment / "bytecode")
        return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": kept}

    @property
    def node_modules(self) -> Path:
        """Where the packages from npm are; StationError says how to build a station that is not built."""
        if not self.built:
            raise NotBuilt(self.not_built())
        return self.environment / "node_modules"

    @property
    def programs(self) -> Path:
        """Where the programs of Debian's packages are."""
        return self.environment / "debian" / "usr" / "bin"

    @property
    def site(self) -> Path:
        """Where the packages of a built station are."""
        where = "Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"
        return next(self.environment.glob(where))

    def mebibytes(self) -> float:
        """What its environment takes on disk, in MiB."""
        return files.mebibytes(self.environment)

    def not_built(self) -> str:
        """The sentence that says so, and what to do."""
        sentence = f"The station {self.name} is not built: run `make station NAME={self.name}`"
        return self.misfit() or sentence

    def lacks(self) -> str | None:
        """A sentence about what of this machine's its tool cannot run without; None where all is there."""
        if sentence := self.misfit():
            return sentence
        return NO_JAVA if self.java and machine.java() is None else None

    def misfit(self, python: tuple[int, int] | None = None) -> str | None:
        """A sentence where the station cannot be built: another system, another Python; None where it can."""
        if self.built:  # with a Python that fitted
            return self.misplaced()
        asked = (self.requires_python, self.name, self.torch, python or sys.version_info[:2])
        return self.misplaced() or fitting.wrong_python(f"The station {self.name}", *asked)

    def misplaced(self) -> str | None:
        """A sentence where the station's tool does not run on this system; None where it does."""
        if self.debian and sys.platform == "linux" and not shutil.which("apt-get"):
            return f"The station {self.name} has programs of Debian's archive: it needs Debian or Ubuntu"
        if len(self.platforms) == len(fitting.SYSTEMS):  # it asks for nothing: elsewhere it may run too
            return None
        return fitting.misplaced(f"The station {self.name}", self.platforms)

    def runs_only_on(self) -> str:
        """Where the station runs, in parentheses; "" where that is everywhere."""
        names = [fitting.SYSTEMS[name] for name in self.platforms]
        systems = "" if len(names) == len(fitting.SYSTEMS) else fitting.listed(names)
        python = f"Python {fitting.pythons(self.requires_python)}" if self.requires_python else ""
        words = "; ".join(filter(None, (systems, python)))
        return f" (only {words})" if words else ""


def settings(file: Path) -> dict[str, str]:
    """The variables of a ``local.env``: lines ``NAME=value``, and comments."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def stations(root: Path = ROOT) -> dict[str, Station]:
    """Every station by its name; StationError names the file that is wrong."""
    known: dict[str, Station] = {}
    for path in sorted((root / "infra").rglob("station.toml")):
        new = _read(path, root)
        if new.name in known:
            raise StationError(
                f"{new.folder} and {known[new.name].folder} are both stations called {new.name}"
            )
        known[new.name] = new
    return known


def _read(path: Path, root: Path) -> Station:
    where = path.relative_to(root).as_posix()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise StationError(f"{where} is not TOML: {error}") from None
    if unknown := sorted(set(document) - _ALLOWED):
        raise StationError(
            f"{where}: unknown {', '.join(unknown)}; a station has {', '.join(sorted(_ALLOWED))}"
        )
    if document.get("name") != path.parent.name:
        raise StationError(f"{where}: name must be {path.parent.name!r}, as its folder is called")
    if not isinstance(document.get("purpose"), str) or not document["purpose"].strip():
        raise StationError(f"{where}: say in `purpose` what the station is for")
    switches = _SWITCHES | {name: document[name] for name in _SWITCHES if name in document}
    if wrong := [name for name, value in switches.items() if not isinstance(value, bool)]:
        raise StationError(f"{where}: {wrong[0]} must be true or false")
    serve = document.get("serve")
    if serve is not None and not (isinstance(serve, dict) and serve.keys() == _SERVE):
        raise StationError(f"{where}: the table serve has {', '.join(sorted(_SERVE))}")
    places = document.get("platforms", list(fitting.SYSTEMS))
    if not isinstance(places, list) or not places or not all(name in [*fitting.SYSTEMS] for name in places):
        raise StationError(f"{where}: platforms is a list of some of {', '.join(fitting.SYSTEMS)}")
    python = document.get("requires-python", "")
    try:
        fitting.allows(python)
    except (AttributeError, ValueError):
        raise StationError(f"{where}: requires-python is a text such as '>=3.11,<3.13'") from None
    lock = path.parent / str(document.get("lock", "requirements.lock"))
    if not lock.is_file():
        raise StationError(f"{where}: {lock.name} is missing; make it with `make lock`")
    debian = document.get("debian", [])
    if not isinstance(debian, list) or not all(isinstance(n, str) and _PACKAGE.fullmatch(n) for n in debian):
        raise StationError(f"{where}: debian is a list of names of Debian's packages")
    source = document.get("source", [])
    if not isinstance(source, list) or not all(isinstance(n, str) and _PACKAGE.fullmatch(n) for n in source):
        raise StationError(f"{where}: source is a list of names of packages that have no wheel")
    asked = {
        "debian": tuple(debian),
        "source": tuple(source),
        "serve": serve,
        "platforms": tuple(places),
        "requires_python": python,
    }
    return Station(document["name"], document["purpose"], path.parent, lock, root, **asked, **switches)


def station(name: str, root: Path = ROOT) -> Station:
    """One station, whatever is wrong with others; StationError lists the names there are."""
    places = [path for path in (root / "infra").rglob("station.toml") if path.parent.name == name]
    if len(places) == 1:
        return _read(places[0], root)
    raise StationError(f"No station {name!r}; there are: {', '.join(stations(root)) or 'none'}")


def python(name: str, root: Path = ROOT) -> Path:
    """The interpreter of a station that is built; StationError says how to build one that is not."""
    return station(name, root).python
