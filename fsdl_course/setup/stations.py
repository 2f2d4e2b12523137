"""Builds stations: ``ensure("streamlit")`` returns the interpreter of a station that is built from then on.

Which stations there are, and where, is known to ``fsdl_deploy.running.stations``.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from fsdl_course.setup.environment import Environment, core
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running.stations import Station, station


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
        root=station.root,
        say=say,
    )


def ensure(
    name: str, root: Path = ROOT, builder: Path | None = None, say: Callable[[str], None] = print
) -> Path:
    """Build the station if it is not built; return its interpreter.

    Raises StationError for a station that does not exist, SetupError where it cannot be built; both say what
    to do.
    """
    needed = environment(station(name, root), builder, say)
    if not needed.ready():
        say(f"Building the station {name} (once) …")
    return needed.ensure()
