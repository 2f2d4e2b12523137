"""Builds stations: ``ensure("streamlit")`` returns the interpreter of a station that is built from then on.

Which stations there are, and where, is known to ``fsdl_deploy.running.stations``.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from fsdl_course.setup import disk, pythons
from fsdl_course.setup.environment import Environment, core
from fsdl_course.setup.installer import version_of
from fsdl_course.setup.turns import remove_environment
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import fitting
from fsdl_deploy.running.stations import NotBuilt, Station, station, stations

VARIABLE = "FSDL_STATIONS"  # "built": only what is built is used, as while the tests run
SETTING_UP = "Building the station"  # begins a line that a notebook prints on one machine, not on the next


def environment(
    station: Station, builder: Path | None = None, say: Callable[[str], None] = print
) -> Environment:
    """The station's environment, built or not; ``builder`` is an interpreter that has uv (this one)."""
    return Environment(
        station.name,
        station.environment,
        station.lock,
        builder=builder or Path(sys.executable),
        beside=core(station.root) if station.torch else None,
        debian=station.debian,
        root=station.root,
        say=say,
    )


def ensure(
    name: str, root: Path = ROOT, builder: Path | None = None, say: Callable[[str], None] = print
) -> Path:
    """Build the station if it is not built, which needs the network once; return its interpreter.

    Raises StationError for a station that does not exist, NotBuilt where it does not fit this machine or
    FSDL_STATIONS=built forbids the building, SetupError where it fails; each says what to do.
    """
    known = station(name, root)
    needed = environment(known, builder, say)
    if not needed.ready():
        if os.environ.get(VARIABLE) == "built":
            raise NotBuilt(known.not_built())
        needed.base = fitting_base(known, needed.builder)
        size = disk.sizes(root).get(name)
        say(f"{SETTING_UP} {name}, once, from the network" + (f": {size.sentence()}" if size else ""))
    return needed.ensure()


def fitting_base(known: Station, builder: Path) -> Path | None:
    """The Python that a station is made with where the builder's does not fit; None where that does.

    NotBuilt where the station does not run on this machine, or no such Python is here. One on PATH is taken,
    and uv fetches one only if it was asked to.
    """
    sentence = known.misfit(version_of(builder))
    if sentence is None:
        return None
    fits = [version for version in pythons.SUPPORTED if fitting.allows(known.requires_python, version)]
    if known.misplaced() or known.torch or not fits:
        raise NotBuilt(sentence)
    uv = [str(builder), "-m", "uv"]
    interpreter = pythons.fitting_python(fits) or pythons.of_uv(max(fits), pythons.wants_fetching(), uv)
    if interpreter is None:
        raise NotBuilt(sentence)
    return Path(interpreter)


def remove(name: str, root: Path = ROOT) -> bool:
    """Take the station's environment away; False where there was none. What the store has of it stays."""
    folder = station(name, root).environment
    if not os.path.lexists(folder):
        return False
    remove_environment(folder)
    return True


def listing(root: Path = ROOT) -> list[str]:
    """A line for each station: whether it is built, what it takes on the disk, what it is for, and where."""
    sizes = disk.sizes(root)
    lines = []
    for name, known in stations(root).items():
        state = "built" if environment(known).ready() else "not here" if known.misfit() else "not built"
        size = disk.readable(sizes[name].added) if name in sizes else ""
        lines.append(f"{name:16}{state:11}{size:>7}  {known.purpose}{known.runs_only_on()}")
    return lines
