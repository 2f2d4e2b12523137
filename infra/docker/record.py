"""Write ``recorded.json``: what the Docker notebook shows where no engine answers, and its virtual machine.

python infra/docker/record.py        (an engine; for the virtual machine also root on Debian, see vm.sh)
"""

import datetime
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from fsdl_deploy.measuring.machine import usable_cores, usable_memory
from fsdl_deploy.packaging import containers

FILE = containers.FOLDER / "recorded.json"
TAG = "meter-reader:after-requirements"


def builds(engine) -> dict[str, list]:
    """The builds of the notebook: steps as (instruction, seconds, cached)."""
    with tempfile.TemporaryDirectory() as folder:
        found = containers.rebuilds(engine, containers.copy_context(Path(folder) / "context"))
    return {
        name: [(step.instruction[:200], round(step.seconds, 2), step.cached) for step in steps]
        for name, steps in found.items()
    }


def container(engine) -> dict:
    """Seconds to the first answer, MiB in use then, MB on disk."""
    with containers.Container(engine, TAG) as one:
        used = one.container.stats(stream=False)["memory_stats"]["usage"] / 2**20
        size = engine.images.get(TAG).attrs["Size"] / 1e6
        return {"seconds": round(one.start_seconds, 1), "MiB": round(used, 1), "disk MB": round(size, 1)}


def main() -> int:
    engine = containers.engine()
    if engine is None:
        return 1
    machine = f"{usable_cores():.0f} cores, {usable_memory() / 2**30:.0f} GiB, {platform.system()}"
    about = {"date": datetime.date.today().isoformat(), "machine": machine}
    found = {**about, "builds": builds(engine)}
    found["layers"] = [
        (round(one["Size"] / 1e6, 1), one["CreatedBy"][:200]) for one in engine.images.get(TAG).history()
    ]
    compared = {"container": container(engine)}
    said = subprocess.check_output(["bash", containers.FOLDER / "vm.sh", TAG], text=True)
    machine = json.loads(said)
    machine |= {name: round(machine[name], 1) for name in ("seconds", "MiB", "disk MB")}
    found["vm"] = (
        about | {"accelerator": machine.pop("accelerator")} | compared | {"virtual machine": machine}
    )
    FILE.write_text(json.dumps(found, indent=1) + "\n")
    for change in containers.CHANGES:
        engine.images.remove(f"meter-reader:after-{change}", force=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
