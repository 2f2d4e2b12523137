"""Make LiteRT's files with litert-torch: ``build.py OUT_DIR`` writes the network, and the whole reader

``v2.tflite`` is the network with a signature for each bucket of columns; ``v2-int8`` and
``v2-int8-dynamic`` are made of it. ``v2-whole.tflite`` takes pictures of one size and gives digits.
"""

import sys
from pathlib import Path

import litert_torch
import numpy as np
import torch
from litert_quantizer import Quantizer, recipe

from fsdl_deploy.targets import card_files, catalogue, modules, plain

WIDTH, HEIGHT = 552, 64  # pixels of the whole reader's picture: room for typical cards, whose ink has 312


def main() -> None:
    out = Path(sys.argv[1])
    buckets = catalogue.target(Path(__file__).parent.name).buckets
    network(buckets).export(str(out / "v2.tflite"))
    whole_reader().export(str(out / "v2-whole.tflite"))
    static = Quantizer(str(out / "v2.tflite"), recipe.static_wi8_ai8())
    ranges = static.calibrate(calibration(buckets))
    static.quantize(ranges).export_model(str(out / "v2-int8.tflite"))
    dynamic = Quantizer(str(out / "v2.tflite"), recipe.dynamic_wi8_afp32())
    dynamic.quantize().export_model(str(out / "v2-int8-dynamic.tflite"))


def network(buckets: tuple[int, ...]):
    """The network alone, once for each width of ink; all of them share the weights."""
    module, converter = modules.bare(), litert_torch
    for columns in buckets:
        converter = converter.signature(f"columns{columns}", module, (modules.example(columns),))
    return converter.convert()


def whole_reader():
    """From the picture to the digits; its size is fixed, and so are the tables that resize it."""
    pictures = torch.randint(0, 256, (1, HEIGHT, WIDTH), dtype=torch.uint8)
    return litert_torch.convert(modules.whole(), (pictures, torch.tensor([WIDTH])))


def calibration(buckets: tuple[int, ...]) -> dict[str, list[dict[str, np.ndarray]]]:
    """Ink of the calibration cards for each signature: all that have room in it."""
    deck = [plain.ink(image)[0] for image in card_files.calibration()]
    return {
        f"columns{columns}": [
            {"args_0": np.pad(ink, ((0, 0), (0, 0), (0, 0), (0, columns - ink.shape[3])))}
            for ink in deck
            if ink.shape[3] <= columns
        ]
        for columns in buckets
    }


if __name__ == "__main__":
    main()
