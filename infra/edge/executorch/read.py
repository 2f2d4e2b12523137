"""Read cards with a program of ExecuTorch, on one thread

The program takes pictures whose columns are a multiple of 8, and so does ``reading_program``, which fills up.
"""

from pathlib import Path

import torch
from executorch.runtime import Runtime

from fsdl_deploy.targets import reading_program

WIDTHS = range(16, 1025, 8)


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    torch.set_num_threads(1)
    method = Runtime.get().load_program(artifact).load_method("forward")

    def run(pictures, widths):
        return [
            array.numpy() for array in method.execute([torch.from_numpy(pictures), torch.from_numpy(widths)])
        ]

    return reading_program.whole(run, WIDTHS)


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact, ("executorch",))
