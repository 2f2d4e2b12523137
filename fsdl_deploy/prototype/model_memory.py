"""Memory that models add to a process: a small process loads one after the other and says what it takes"""

import subprocess
import sys
from itertools import pairwise

from fsdl_deploy.paths import ROOT

STEPS = ("student", "teacher", "100 M weights")
LOADING = """
import psutil, numpy
from fsdl_deploy import OnnxReader, TorchReader
from fsdl_deploy.cards import cards
image = next(iter(cards(1))).image
def memory(): print(psutil.Process().memory_info().rss / 2**20)
memory()
student = OnnxReader("v2"); student.read([image]); memory()
teacher = TorchReader("teacher"); teacher.read([image]); memory()
weights = numpy.ones(100_000_000, "float32"); memory()
"""


def added_by_models() -> dict[str, float]:
    """MiB that each of STEPS adds to a process: ``v2`` in ONNX Runtime, teacher in torch, weights.

    Raises RuntimeError with the last line of the process if it fails.
    """
    process = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, cwd=ROOT)
    if process.returncode:
        raise RuntimeError(f"the models could not be loaded: {process.stderr.strip().splitlines()[-1]}")
    taken = [float(line) for line in process.stdout.split()]
    return {name: after - before for name, (before, after) in zip(STEPS, pairwise(taken), strict=True)}
