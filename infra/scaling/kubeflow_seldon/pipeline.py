"""A pipeline for Kubeflow: unpack, read, decide. ``pipeline.py compile FILE`` or ``run CARDS FILE``.

``compile`` writes what a cluster would get. ``run`` runs each step here, in a process of its own, on the
cards in a file (JSON: ``truth``, ``picture`` in base64, and ``digits``, the numbers of the handwritten
examples on the card) and writes what came out for two versions.
Each step is a function that imports what it needs: in a cluster it would be alone in a container.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from unittest import mock

# The client of a Kubeflow server: it has no wheel, and there is no server. kfp only wants to import it.
sys.modules.setdefault("kfp_server_api", mock.MagicMock())

from kfp import compiler, dsl, local  # noqa: E402
from kfp.dsl import Dataset, Input, Output  # noqa: E402

IMAGE = "registry.example/utility/meter-reader:v2"
step = dsl.component(base_image=IMAGE, install_kfp_package=False)


@step
def unpack(cards: str, pixels: Output[Dataset], truth: Output[Dataset]):
    import base64
    import json

    import numpy as np

    from fsdl_deploy.picture import decode

    with open(cards) as file:
        rows = json.load(file)
    with open(pixels.path, "wb") as file:
        np.savez(file, *(decode(base64.b64decode(row["picture"])) for row in rows))
    with open(truth.path, "w") as file:
        json.dump([[row["truth"], row["digits"]] for row in rows], file)


@step
def read(pixels: Input[Dataset], truth: Input[Dataset], version: str) -> NamedTuple(
    "Counts", [("right", int), ("cards", int), ("low", float), ("high", float)]
):
    import json

    import numpy as np

    from fsdl_deploy.measuring.accuracy import clustered
    from fsdl_deploy.reader import OnnxReader

    with np.load(pixels.path) as images:
        readings = OnnxReader(version).read([images[name] for name in images.files])
    with open(truth.path) as file:
        truths, written = zip(*json.load(file), strict=True)
    right = [reading.digits == digits for reading, digits in zip(readings, truths, strict=True)]
    return (
        sum(right),
        len(right),
        *clustered(right, written),
    )  # cards share digits: the 95 % interval knows it


@step
def decide(right: int, cards: int, low: float, high: float, least: float) -> str:
    counted = f"{right} of {cards} right, so {low:.0%} to {high:.0%} of all: "
    return counted + ("release" if low >= least else "hold back")


@dsl.pipeline(name="meter-reader", description="Is this version good enough to be released?")
def good_enough(cards: str, version: str = "v2", least: float = 0.85) -> str:
    unpacking = unpack(cards=cards)
    datasets = {name: unpacking.outputs[name] for name in ("pixels", "truth")}
    reading = read(version=version, **datasets)
    reading.set_cpu_limit("1").set_memory_limit("512Mi")
    counts = {name: reading.outputs[name] for name in ("right", "cards", "low", "high")}
    return decide(least=least, **counts).output


def run(cards: Path) -> dict[str, str]:
    """What the pipeline says of each version, its steps run on this machine."""
    with tempfile.TemporaryDirectory() as root:
        local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=root)
        return {version: good_enough(cards=str(cards), version=version).output for version in ("v2", "v1")}


if __name__ == "__main__":
    action, *files = sys.argv[1:]
    if action == "compile":
        compiler.Compiler().compile(good_enough, *files)
    else:
        Path(files[1]).write_text(json.dumps(run(Path(files[0]).resolve())), encoding="utf-8")
