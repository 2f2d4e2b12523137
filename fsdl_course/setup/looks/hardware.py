"""What the machine has: cores, memory, disk, a GPU."""

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from fsdl_course.setup import store
from fsdl_course.setup.looks.finding import GB, GIB, Finding
from fsdl_deploy.measuring.machine import printed, usable_cores, usable_memory
from fsdl_deploy.paths import ROOT

CORE_DISK, STATION_DISK = 2 * GB, GB // 3  # what `du` says of .venv without its stations, and of a mean one


def look_at_cores(cores: float | None = None) -> Iterator[Finding]:
    """At least two cores, for a server beside the notebook that calls it."""
    cores = usable_cores() if cores is None else cores
    if cores >= 2:
        yield Finding("ok", "cores", f"{cores:g}")
    else:
        advice = "lessons run, more slowly; load tests show the machine rather than the server"
        yield Finding("note", "cores", f"{cores:g}", advice)


def look_at_memory(memory: int | None = None) -> Iterator[Finding]:
    """Enough memory for a notebook and a server with a model each."""
    memory = usable_memory() if memory is None else memory
    size = f"{memory / GIB:.1f} GiB"
    if memory >= 3.5 * GIB:
        yield Finding("ok", "memory", size)
    elif memory >= 1.5 * GIB:
        yield Finding("note", "memory", size, "close other programs; run one notebook at a time")
    else:
        yield Finding("problem", "memory", size, "use a machine, or a container limit, of 2 GiB or more")


def look_at_disk(
    root: Path = ROOT, usage: Callable = shutil.disk_usage, to_build: tuple[int, int] | None = None
) -> Iterator[Finding]:
    """Room on the disk that holds the course: for the core if it has still to be built, and for the lessons.

    ``to_build``: bytes that the core takes, and those of all stations; 0 for what is built.
    """
    free = usage(root).free
    core, stations = disk_to_build(root) if to_build is None else to_build
    room = f"{free / GB:.1f} GB free; packages are kept in {store.place(root)}"
    if free < core + GB and core:
        advice = f"the set-up takes about {core / GB:.0f} GB: free some before `make lab`"
        yield Finding("problem" if free < core else "note", "disk", room, advice)
    elif free < GB:
        advice = "the core is set up; free a GB for what lessons and tests write"
        yield Finding("note" if free >= GB // 2 else "problem", "disk", room, advice)
    elif free < core + stations + GB:
        yield Finding("ok", "disk", f"{room}; all stations together would take about {stations / GB:.0f} GB")
    else:
        yield Finding("ok", "disk", room)


def disk_to_build(root: Path = ROOT) -> tuple[int, int]:
    """Bytes of what is not built, as recorded, else estimated: of the core, and of the stations."""
    from fsdl_course.setup import disk, environment
    from fsdl_deploy.running import stations

    try:
        missing = [name for name, station in stations.stations(root).items() if not station.built]
    except (stations.StationError, OSError):  # look_at_stations says it
        missing = []
    known = {name: size.added for name, size in disk.sizes(root).items()}
    core = 0 if environment.core(root).stamp() else known.get("core", CORE_DISK)
    return core, sum(known.get(name, STATION_DISK) for name in missing)


def look_at_gpu(which: Callable = shutil.which) -> Iterator[Finding]:
    """A GPU is good to know of; the course does not use one."""
    name = which("nvidia-smi") and printed(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"])
    if not name and sys.platform == "darwin" and platform.machine() == "arm64":
        name = "Apple GPU"
    yield Finding("ok", "gpu", name or "none, and none is needed")
