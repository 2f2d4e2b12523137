"""Write ``recorded.json``: what the Docker notebook shows where no engine answers, and its virtual machine.

python infra/docker/record.py        (an engine; for the virtual machine also root on Debian, see vm.sh)
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from fsdl_deploy.measuring import records
from fsdl_deploy.packaging import remote_host, slide_image
from fsdl_deploy.packaging.build_context import DOCKER, docker_context
from fsdl_deploy.packaging.containers import Container
from fsdl_deploy.packaging.engine import find_engine
from fsdl_deploy.packaging.layers import CHANGES, layer_sizes, rebuilds

FILE = DOCKER / "recorded.json"
TAG = "meter-reader:after-requirements"


def recorded_builds(engine) -> dict[str, list]:
    """The builds of the notebook: steps as (instruction, seconds, cached)."""
    with tempfile.TemporaryDirectory() as folder:
        builds = rebuilds(engine, docker_context(Path(folder) / "context"))
    return {
        name: [(step.instruction[:200], round(step.seconds, 2), step.cached) for step in steps]
        for name, steps in builds.items()
    }


def container(engine) -> dict:
    """Seconds to the first answer, MiB in use then, MB on disk."""
    with Container(engine, TAG) as service:
        used = service.container.stats(stream=False)["memory_stats"]["usage"] / 2**20
        size = engine.images.get(TAG).attrs["Size"] / 1e6
        return {"seconds": round(service.start_seconds, 1), "MiB": round(used, 1), "disk MB": round(size, 1)}


def main() -> int:
    engine = find_engine()
    if engine is None:
        return 1
    content = {"builds": recorded_builds(engine)}
    content["layers"] = [(round(size, 1), made_by[:200]) for size, made_by in layer_sizes(engine, TAG)]
    with tempfile.TemporaryDirectory() as folder:
        content["slide"] = records.stamp() | slide_image.tried(engine, Path(folder))
        afar = remote_host.built_from_afar(docker_context(Path(folder) / "context"))
    content["remote"] = records.stamp() | {where: round(size, 3) for where, size in afar.items()}
    compared = {"container": container(engine)}
    machine = json.loads(subprocess.check_output(["bash", DOCKER / "vm.sh", TAG], text=True))
    machine |= {name: round(machine[name], 1) for name in ("seconds", "MiB", "disk MB")}
    accelerator = {"accelerator": machine.pop("accelerator")}
    content["vm"] = records.stamp() | accelerator | compared | {"virtual machine": machine}
    records.write(FILE, **content)
    for change in CHANGES:
        engine.images.remove(f"meter-reader:after-{change}", force=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
