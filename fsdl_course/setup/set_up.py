"""The whole set-up: the core environment, the stations that lessons need, what images are built from."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

from fsdl_course.setup import environment
from fsdl_course.setup.installer import SetupError
from fsdl_course.setup.stations import ensure
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations


def set_up(strict: bool = False) -> environment.Environment:
    """Build what is missing; return the core environment.

    A station that cannot be built here stops only its own notebooks, unless ``strict``: then SetupError.
    """
    core = environment.core()
    if not core.ready():
        print(f"Setting up the course in {core.folder} (log: {core.log}) …")
    python = core.ensure()

    def build(name: str) -> SetupError | None:
        def say(line: str) -> None:  # the lines of two alternate: an indented one says whose it is
            print(f"  {name}: {line.strip()}" if line.startswith(" ") else line)

        try:
            ensure(name, builder=python, say=say)
        except SetupError as error:
            return error
        return None

    wanted = [station.name for station in stations.stations().values() if station.setup]
    with ThreadPoolExecutor(2) as pool:  # one downloads or waits for the disk while the other computes
        errors = dict(zip(wanted, pool.map(build, wanted), strict=True))
    for name, error in errors.items():
        if error is None:
            continue
        if strict:
            raise error
        print(f"The station {name} is not built; its notebook will try again. {error}")
    subprocess.call([str(python), "-m", "fsdl_course.setup.images"], cwd=ROOT)
    return core
