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


def operators(graph: bytes) -> Counter[str]:
    """How often each operator stands in a graph: what a runtime must have to take it."""
    import onnx

    return Counter(node.op_type for node in onnx.load_from_string(graph).graph.node)
