"""Retrain the network in TensorFlow.js for inverted cards

``retrain.py WEIGHTS.json CARDS.npz OUT.json EPOCHS``. Each card is sent twice, as it is and inverted. Prints
the loss as it falls, a line for every 20 steps.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
from read import HERE, node

from fsdl_deploy.targets import card_files, plain


def frame(image: np.ndarray) -> bytes:
    """A picture's ink as ``read.js`` takes it."""
    ink = plain.ink(image)[0]
    return np.array(ink.shape[3:], "<i4").tobytes() + np.ascontiguousarray(ink, "<f4").tobytes()


def main(weights: str, cards: str, out: str, epochs: str) -> int:
    process = node(HERE / "retrain.js", weights, out, epochs)
    pairs = b"".join(frame(image) + frame(255 - image) for image in card_files.read_cards(Path(cards)))
    try:
        process.communicate(pairs, timeout=600)
    except subprocess.TimeoutExpired:
        process.kill()
        print("Node.js took longer than 600 s: give it fewer cards or epochs", file=sys.stderr)
        return 1
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
