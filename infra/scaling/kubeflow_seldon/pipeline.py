"""A pipeline for Kubeflow: draw cards, read them, say how many are right. ``pipeline.py compile|run FILE``.

``compile`` writes what a cluster would get; ``run`` runs each step here, in a process of its own, and says what came
out. Each step is a function that imports what it needs: in a cluster it would be alone in a container.
"""

import json
import sys
import tempfile

from kfp import compiler, dsl, local
from kfp.dsl import Dataset, Input, Output

IMAGE = "registry.example/utility/meter-reader:v2"
step = dsl.component(base_image=IMAGE, install_kfp_package=False)


@step
def draw(count: int, cards: Output[Dataset]):
    import json

    from fsdl_deploy.cards import cards as drawn

    rows = [{"truth": card.truth, "pixels": card.image.tolist()} for card in drawn(count, "typical", seed=11)]
    with open(cards.path, "w") as file:
        json.dump(rows, file)


@step
def read(cards: Input[Dataset], version: str) -> int:
    import json

    import numpy as np

    from fsdl_deploy.reader import OnnxReader

    with open(cards.path) as file:
        rows = json.load(file)
    readings = OnnxReader(version).read([np.array(row["pixels"], np.uint8) for row in rows])
    return sum(reading.digits == row["truth"] for reading, row in zip(readings, rows))


@step
def decide(right: int, count: int, least: float) -> str:
    return f"{right} of {count} right: " + ("release" if right >= least * count else "hold back")


@dsl.pipeline(name="meter-reader", description="Is this version good enough to be released?")
def good_enough(count: int = 40, version: str = "v2", least: float = 0.9) -> str:
    drawn = draw(count=count)
    reading = read(cards=drawn.outputs["cards"], version=version)
    reading.set_cpu_limit("1").set_memory_limit("512Mi")
    return decide(right=reading.output, count=count, least=least).output


if __name__ == "__main__":
    action, where = sys.argv[1:]
    if action == "compile":
        compiler.Compiler().compile(good_enough, where)
    else:
        with tempfile.TemporaryDirectory() as root:
            local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=root)
            outputs = {version: good_enough(version=version).output for version in ("v2", "v1")}
        with open(where, "w", encoding="utf-8") as file:
            json.dump(outputs, file)
