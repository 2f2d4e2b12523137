"""What a model asks of a device, counted and not timed: the same on every machine, and on a busy one

Multiply-adds and bytes moved are ONNX Runtime's own account of one card (``optimization.roofline``). They say
nothing of how well a device does the work, so they replace no measurement on it. But they do not waver: a
gate can refuse a commit by them on any machine.
"""

import gzip
from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np

from fsdl_deploy.cards import cards
from fsdl_deploy.optimization import roofline
from fsdl_deploy.reader import pad


class WorkError(ValueError):
    """The file is no reader; the message says what it lacks."""


@dataclass(frozen=True)
class CountedWork:
    """``size`` and ``compressed``: bytes of the file, and of it as gzip sends it. ``multiply_adds`` and
    ``moved`` (bytes read and written by all layers) of one card; ``layers`` that ONNX Runtime executes."""

    size: int
    compressed: int
    multiply_adds: int
    moved: int
    layers: int


@cache
def _card() -> tuple[np.ndarray, np.ndarray]:
    """One card of the usual width, as the graph takes it."""
    return pad([next(cards(1, "typical", seed=7)).image])


def of(graph: bytes) -> CountedWork:
    """The work of a whole reader in ONNX. Raises WorkError for a file that is none."""
    try:
        layers, _ = roofline.profile(graph, dict(zip(("pictures", "widths"), _card(), strict=True)), calls=1)
    except Exception as error:
        raise WorkError(f"this is no reader in ONNX: {str(error).splitlines()[0]}") from None
    return CountedWork(
        len(graph),
        len(gzip.compress(graph, mtime=0)),
        sum(layer.multiply_adds for layer in layers),
        sum(layer.moved for layer in layers),
        len(layers),
    )


@dataclass(frozen=True)
class Compressed:
    """Bytes of numbers, and of what gzip makes of them; ``saved`` is the share that it takes away."""

    size: int
    compressed: int

    @property
    def saved(self) -> float:
        return 1 - self.compressed / self.size


def compressible(graph: bytes) -> dict[str, Compressed]:
    """What gzip does to a graph's float32 weights, to as many random ones, and to the weights as float16."""
    weights = _weights(graph)
    noise = np.random.default_rng(0).normal(0, weights.std(), len(weights)).astype(np.float32)
    kinds = {
        "the weights": weights,
        "random float32": noise,
        "the weights as float16": weights.astype(np.float16),
    }
    return {
        kind: Compressed(numbers.nbytes, len(gzip.compress(numbers.tobytes(), mtime=0)))
        for kind, numbers in kinds.items()
    }


def halves(graph: bytes) -> float:
    """The share of a graph's float32 weights that float16 can hold without rounding."""
    weights = _weights(graph)
    return float(np.mean(weights == weights.astype(np.float16)))


def _weights(graph: bytes) -> np.ndarray:
    """All float32 initializers of a graph, float32 ``[count]``. Raises WorkError where there are none."""
    import onnx

    parts = [
        onnx.numpy_helper.to_array(part).ravel()
        for part in onnx.load_from_string(graph).graph.initializer
        if part.data_type == onnx.TensorProto.FLOAT
    ]
    if not parts:
        raise WorkError("the graph has no float32 weights")
    return np.concatenate(parts)


def operators(graph: bytes) -> Counter[str]:
    """How often each operator stands in a graph: what a runtime must have to take it."""
    import onnx

    return Counter(node.op_type for node in onnx.load_from_string(graph).graph.node)
