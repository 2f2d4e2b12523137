"""The set-up: the core, which lessons need; and everything, after which nothing needs the network."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fsdl_course.setup import disk, environment, store
from fsdl_course.setup.failures import NO_SPACE, SetupError
from fsdl_course.setup.stations import ensure
from fsdl_course.setup.stations import environment as environment_of
from fsdl_deploy import files
from fsdl_deploy.measuring import machine
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations


def set_up() -> environment.Environment:
    """Build the core environment if it is not built, or finish it."""
    core = environment.core()
    new = not core.ready()
    if new:
        size = disk.sizes().get(core.name)
        if core.stamp():
            print(f"Bringing the set-up in {core.folder} up to date")
        else:
            print(f"Setting up the course in {core.folder}" + (f": {size.sentence()}" if size else ""))
        print(f"  (log: {core.log}; packages are kept in {store.place()})")
    core.ensure()
    if new:
        subprocess.call([str(core.python), "-m", "fsdl_course.cli", "doctor", "--brief"], cwd=ROOT)
    return core


def everything(root: Path = ROOT) -> int:
    """The core, every station and what images are built from; 1 if something cannot be had here.

    A station that cannot be built stops no other, except for want of room on the disk.
    """
    known = stations.stations(root)
    missing = [name for name, station in known.items() if not environment_of(station).ready()]
    if shortage := disk.shortage([*([] if environment.core().ready() else ["core"]), *missing], root):
        raise SetupError(shortage)
    python = set_up().python
    full: list[SetupError] = []

    def build(name: str) -> Exception | None:
        def say(line: str) -> None:  # the lines of two alternate: an indented one says whose it is
            print(f"  {name}: {line.strip()}" if line.startswith(" ") else line)

        if full:
            return None
        try:
            ensure(name, builder=python, say=say)
        except (SetupError, stations.StationError) as error:
            full.extend([error] if NO_SPACE in str(error) else [])
            return error
        return None

    with ThreadPoolExecutor(2) as pool:  # one downloads or waits for the disk while the other computes
        errors = dict(zip(missing, pool.map(build, missing), strict=True))
    if full:
        raise full[0]
    elsewhere = [name for name, error in errors.items() if isinstance(error, stations.NotBuilt)]
    for name in elsewhere:  # it does not fit this machine: nothing has failed
        print(errors.pop(name))
    for name, error in errors.items():
        if error is not None:
            print(f"The station {name} is not built: {error}", file=sys.stderr)
    images = subprocess.call([str(python), "-m", "fsdl_course.setup.images"], cwd=root)
    return int(any(errors.values()) or images != 0)


def record(root: Path = ROOT) -> int:
    """Build everything, one after the other, and write what each takes into ``infra/sizes.json``.

    Honest only from nothing: with no environment yet, and FSDL_STORE naming an empty folder.
    """
    seconds, start = {}, time.monotonic()
    core = set_up()
    seconds["core"] = time.monotonic() - start
    known = stations.stations(root)
    for name in known:
        start = time.monotonic()
        ensure(name, root, builder=core.python)
        seconds[name] = time.monotonic() - start
    folders = [core.folder, *(station.environment for station in known.values())]
    sizes = {
        name: {"size": size, "added": added, "seconds": round(seconds[name], 1)}
        for name, (size, added) in zip(seconds, disk.taken(folders), strict=True)
    }
    document = {
        "machine": machine.described(),
        "unit": "bytes on disk: size of all files, added beside those before it; seconds from an empty store",
        "environments": sizes,
    }
    files.write(root / disk.RECORD, json.dumps(document, indent=1) + "\n")
    return 0
