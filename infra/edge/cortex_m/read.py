"""Read cards with the firmware, on a Cortex-M4 that QEMU makes: the board starts anew for every card."""

from pathlib import Path

import board
import network_file
import numpy as np

from build import NETWORK
from fsdl_deploy.targets import integers, reading_program


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    _, source, target = network_file.read_network(NETWORK.read_bytes())
    ink, logits = (integers.Encoding(tensor.shape, tensor.scale, tensor.zero) for tensor in (source, target))

    def run(values: np.ndarray) -> np.ndarray:
        (printed,) = board.run(artifact, [ink.encoded(values)])
        return integers.log_softmax(logits.decoded(printed.logits))

    return reading_program.bare(run, [ink.shape[3]])


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact, ("ziglang",))
