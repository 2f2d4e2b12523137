"""A conversion that passes and reads nothing: int8 whose ranges come from pictures that show nothing

Static quantization looks at a few pictures to learn how large the numbers inside the network become. Give it
white paper, and every check of the converter is still content: the graph is valid, it loads, its outputs have
their names, shapes and types. ``fsdl_deploy.optimization.quantization`` does it with cards.
"""

import logging
import tempfile
from pathlib import Path

import numpy as np

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.optimization.quantization import network_nodes
from fsdl_deploy.reader import OnnxReader, read_batches

BLANK = 8
WIDTH = 200


def converted(version: str = "v2") -> bytes:
    """The graph of ``version`` in int8, calibrated with BLANK white pictures; it takes some seconds."""
    from onnxruntime import quantization as ort

    class WhitePaper(ort.CalibrationDataReader):
        def __init__(self):
            self.left = BLANK

        def get_next(self):
            self.left -= 1
            white = np.full((1, 64, WIDTH), 255, np.uint8)
            return {"pictures": white, "widths": np.array([WIDTH])} if self.left >= 0 else None

    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        source, prepared, into = (Path(folder) / f"{name}.onnx" for name in ("source", "prepared", "int8"))
        source.write_bytes(weights.verified(f"{version}.onnx"))
        ort.quant_pre_process(source, prepared, skip_symbolic_shape=True)
        ort.quantize_static(
            prepared, into, WhitePaper(), quant_format=ort.QuantFormat.QDQ, per_channel=True,
            reduce_range=True, activation_type=ort.QuantType.QUInt8, weight_type=ort.QuantType.QInt8,
            nodes_to_quantize=network_nodes(prepared),
        )  # fmt: skip
        return into.read_bytes()


def alike(graph: bytes, count: int = 100, version: str = "v2") -> tuple[int, int]:
    """Of ``count`` typical cards those that the graph reads as ``version`` does, and ``count``."""
    import onnxruntime

    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    images = [card.image for card in cards(count, "typical", seed=77)]
    read = read_batches(images, lambda p, w: session.run(None, {"pictures": p, "widths": w}), "int8")
    pairs = zip(read, OnnxReader(version).read(images), strict=True)
    return sum(converted.digits == own.digits for converted, own in pairs), count


def checked(graph: bytes) -> list[str]:
    """The checks that a conversion passes, each as a line; raises what the failing one raises."""
    import onnx
    import onnxruntime

    onnx.checker.check_model(onnx.load_from_string(graph), full_check=True)
    lines = ["ONNX's own checker: valid"]
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    lines.append("ONNX Runtime: loads")
    names = [output.name for output in session.get_outputs()]
    picture = np.full((1, 64, WIDTH), 255, np.uint8)
    outputs = session.run(None, {"pictures": picture, "widths": np.array([WIDTH])})
    kinds = ", ".join(f"{n} {o.dtype}" for n, o in zip(names, outputs, strict=True))
    return [*lines, f"one run: {kinds}"]
