"""Read cards with a program of ExecuTorch, on one thread

The whole reader takes pictures whose columns are a multiple of 8, the network alone ink in steps of 4:
``reading_program`` fills up.
"""

from pathlib import Path

import torch
from executorch.runtime import Runtime

from fsdl_deploy.preprocess import STEP
from fsdl_deploy.targets import reading_program

WIDTHS = range(16, 1025, 8)


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    torch.set_num_threads(1)
    method = Runtime.get().load_program(artifact).load_method("forward")

    def run(*inputs):
        return [output.numpy() for output in method.execute([torch.from_numpy(array) for array in inputs])]

    if "int8" in artifact.stem:
        return reading_program.bare(lambda ink: run(ink)[0], multiple=STEP)
    return reading_program.whole(run, WIDTHS)


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact, ("executorch",))
