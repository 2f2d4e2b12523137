"""What the machine has: cores, memory, disk, a GPU, and ports on loopback."""

import platform
import shutil
import socket
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

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
    root: Path = ROOT, usage: Callable = shutil.disk_usage, to_build: int | None = None
) -> Iterator[Finding]:
    """Room on the disk that holds the course: for what set-up has still to build, and for the lessons."""
    free = usage(root).free
    to_build = disk_to_build(root) if to_build is None else to_build
    room = f"{free / GB:.1f} GB free"
    if free >= to_build + GB:
        yield Finding("ok", "disk", room)
    elif to_build:
        advice = f"what is not set up yet takes about {to_build / GB:.0f} GB: free some before `make lab`"
        yield Finding("problem" if free < to_build else "note", "disk", room, advice)
    else:
        advice = "all is set up; free a GB for what lessons and tests write"
        yield Finding("note" if free >= GB // 2 else "problem", "disk", room, advice)


def disk_to_build(root: Path = ROOT) -> int:
    """Bytes that the environments take which no set-up has finished; an estimate from their mean size."""
    from fsdl_course.setup import environment
    from fsdl_deploy.running import stations

    try:
        known = [station for station in stations.stations(root).values()]
    except (stations.StationError, OSError):  # look_at_stations says it
        known = []
    missing = sum(not station.built for station in known)
    core = 0 if environment.core(root).stamp() else CORE_DISK
    return core + missing * STATION_DISK


def look_at_ports(bypass: Callable = urllib.request.proxy_bypass) -> Iterator[Finding]:
    """A server on loopback can be reached, and no proxy stands between."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(2)
            with socket.create_connection(server.getsockname(), timeout=2):
                server.accept()[0].close()
    except OSError as error:
        advice = "allow programs to listen on 127.0.0.1 (firewall or sandbox settings)"
        yield Finding("problem", "ports", f"no server on 127.0.0.1 can be reached: {error}", advice)
        return
    if urllib.request.getproxies().keys() & {"http", "all"} and not bypass("127.0.0.1"):
        advice = "set NO_PROXY=127.0.0.1,localhost before starting JupyterLab"
        yield Finding("problem", "ports", "a proxy is set for 127.0.0.1 too", advice)
    else:
        yield Finding("ok", "ports", "servers on 127.0.0.1 can be reached")


def look_at_gpu(which: Callable = shutil.which) -> Iterator[Finding]:
    """A GPU is good to know of; the course does not use one."""
    name = which("nvidia-smi") and printed(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"])
    if not name and sys.platform == "darwin" and platform.machine() == "arm64":
        name = "Apple GPU"
    yield Finding("ok", "gpu", name or "none, and none is needed")
