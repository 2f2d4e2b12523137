"""Read cards with TensorFlow Lite for Microcontrollers, on this machine: the same C++ as on the device."""

from pathlib import Path

import numpy as np
from tflite_micro import runtime

from fsdl_deploy.targets import integers, reading_program

ARENA = 1 << 20  # bytes, more than it needs: `arena.py` finds out how many


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    interpreter = runtime.Interpreter.from_bytes(artifact.read_bytes(), arena_size=ARENA)
    ink, logits = (
        integers.Encoding.of(details)
        for details in (interpreter.get_input_details(0), interpreter.get_output_details(0))
    )

    def run(values: np.ndarray) -> np.ndarray:
        interpreter.set_input(ink.encoded(values), 0)
        interpreter.invoke()
        return integers.log_softmax(logits.decoded(interpreter.get_output(0)))

    return reading_program.bare(run, [ink.shape[3]])


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact, ("tflite-micro",))
