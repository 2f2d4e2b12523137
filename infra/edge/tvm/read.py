"""Read cards with a network that TVM compiled for one width"""

from pathlib import Path

import numpy as np
import tvm
from tvm import relax

from fsdl_deploy.targets import reading_program

BUCKETS = (276,)


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    machine = relax.VirtualMachine(tvm.runtime.load_module(str(artifact)), tvm.cpu())

    def run(ink: np.ndarray) -> np.ndarray:
        (answer,) = machine["main"](tvm.runtime.tensor(ink))
        return answer.numpy()

    return reading_program.bare(run, BUCKETS)


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact, ("apache-tvm",))
