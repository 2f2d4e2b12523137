"""Operations one by one through ONNX Runtime's web form: a Node.js for each"""

import json
import subprocess
from pathlib import Path

import numpy as np

from fsdl_deploy.browser.signing import node
from fsdl_deploy.running.stations import station
from fsdl_deploy.targets import probing_program

PROGRAM = Path(__file__).with_name("try_onnx.mjs")


def ask(graph: Path, inputs=()) -> str:
    """What the program says of a graph; without inputs it only opens it."""
    given = [{"type": str(part.dtype), "dims": part.shape, "data": part.ravel().tolist()} for part in inputs]
    command = [node(), PROGRAM, station("node").node_modules / "read.js", graph]
    process = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=120)
    if process.returncode:
        raise RuntimeError((process.stderr.strip().splitlines() or ["?"])[-1])
    return process.stdout


def convert(graph: Path) -> Path:
    ask(graph)
    return graph


def run(graph: Path, inputs):
    parts = json.loads(ask(graph, inputs))
    return [np.array(part["data"], part["type"]).reshape(part["dims"]) for part in parts]


if __name__ == "__main__":
    probing_program.main_onnx(convert, run)
