"""The network as LiteRT files for microcontrollers: ``build.py OUT_DIR``, by litert_torch's Python.

A microcontroller has no memory to spare and no floats to waste. So the file has one width, the weights and
all that flows between the layers are int8, and it ends with the logits: the digits are where they are
largest, and a logarithm in int8 would only blur them. The float32 file shows what the rounding changes.
"""

import sys
from pathlib import Path

import numpy as np

from fsdl_deploy.targets import card_files, modules, plain

COLUMNS = 292  # of ink, its margin of 36 among them: the widest of 1,000 typical cards has 238 without


def logits(columns: int):
    """``modules.bare`` for so many columns, without its last operator, the logarithm of a softmax."""
    import torch

    program = torch.export.export(modules.bare(), (modules.example(columns),))
    nodes = list(program.graph.nodes)
    softmax = next(node for node in reversed(nodes) if "log_softmax" in str(node.target))
    kept = softmax.args[0]
    softmax.replace_all_uses_with(kept)
    program.graph_signature.replace_all_uses(softmax.name, kept.name)
    program.graph.erase_node(softmax)
    return program.module()


def calibration(columns: int) -> list[np.ndarray]:
    """Ink float32 ``[1, 1, 32, columns]`` of the calibration cards that are narrow enough."""
    inks = [plain.ink(image)[0] for image in card_files.calibration()]
    room = [np.pad(ink, ((0, 0),) * 3 + ((0, max(0, columns - ink.shape[3])),)) for ink in inks]
    return [ink for ink in room if ink.shape[3] == columns]


def quantized(file: Path) -> bytearray:
    """The float file in int8: weights by channel, activations by tensor."""
    from ai_edge_litert.interpreter import Interpreter
    from litert_quantizer import quantizer, recipe

    ((name, signature),) = Interpreter(str(file)).get_signature_list().items()
    tool = quantizer.Quantizer(str(file), recipe.static_wi8_ai8())
    deck = [{signature["inputs"][0]: ink} for ink in calibration(COLUMNS)]
    return tool.quantize(tool.calibrate({name: deck})).quantized_model


def main(out: Path) -> None:
    import litert_torch

    file = out / "v2_float32.tflite"
    litert_torch.convert(logits(COLUMNS), (modules.example(COLUMNS),)).export(str(file))
    (out / "v2_int8.tflite").write_bytes(bytes(quantized(file)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
