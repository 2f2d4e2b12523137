"""Read cards with a network that IREE compiled, on one thread"""

from pathlib import Path

import iree.runtime
import numpy as np

from fsdl_deploy.targets import reading_program


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    config = iree.runtime.Config("local-sync")
    context = iree.runtime.SystemContext(config=config)
    context.add_vm_module(iree.runtime.VmModule.mmap(context.instance, str(artifact)))
    network = context.modules.module["main"]

    def run(ink: np.ndarray) -> np.ndarray:
        # A copy: the array that IREE gives is a view of memory that its next call writes to.
        return np.array(network(np.ascontiguousarray(ink)).to_host(), copy=True)

    return reading_program.bare(run, multiple=4)


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact, ("iree-base-runtime",))
