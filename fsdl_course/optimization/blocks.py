"""Blocks of convolutions against each other: their multiply-adds, and their time on one thread

A block is a list of torch's layers that keep the height and the width of what they get, such as a plain
convolution, or a depthwise one and a pointwise one in its place.
"""

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.measuring.turns import in_turns
from fsdl_deploy.optimization import roofline

HEIGHT, WIDTH = 8, 80  # as many positions as one card has
TIMES = 4  # blocks in a row


@dataclass(frozen=True)
class BlockTime:
    """TIMES blocks in a row: their multiply-adds, and the seconds of the quickest of their calls."""

    multiply_adds: int
    seconds: float


def multiply_adds(block: Sequence) -> int:
    """Of the convolutions of a block, for one input; where a filter meets padding there is nothing to do."""
    convolutions = [layer for layer in block if hasattr(layer, "kernel_size")]
    return sum(map(_of_a_convolution, convolutions))


def graph(block: Sequence, times: int = TIMES) -> bytes:
    """``times`` of the block in a row as an ONNX file, from float32 ``[1, channels, HEIGHT, WIDTH]``, "x"."""
    import torch

    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*legacy TorchScript-based")  # the quick one of the two exporters
        model = torch.nn.Sequential(*[*block] * times).eval()
        torch.onnx.export(model, (torch.zeros(_shape(block)),), file, dynamo=False, input_names=["x"])
    return file.getvalue()


def compare(blocks: Mapping[str, Sequence], calls: int) -> dict[str, BlockTime]:
    """TIMES of each block in ONNX Runtime, by the block's name, in turns; so many calls of each."""
    runs = {name: _run(block) for name, block in blocks.items()}
    took = in_turns(runs, calls)
    return {
        name: BlockTime(TIMES * multiply_adds(block), took[name].min() / 1000)
        for name, block in blocks.items()
    }


def table(timed: Mapping[str, BlockTime], core: roofline.Core) -> Table:
    """The blocks with their multiply-adds, and the share of the core's best rate that they reach."""
    rows = [
        [name, block.multiply_adds / 1e6, block.multiply_adds / block.seconds / core.peak]
        for name, block in timed.items()
    ]
    return Table(["block", "million multiply-adds", "of the core's best"], *rows, formats=["", ".1f", ".0%"])


def _shape(block: Sequence) -> tuple[int, int, int, int]:
    return 1, block[0].in_channels, HEIGHT, WIDTH


def _of_a_convolution(layer) -> int:
    sides = zip((HEIGHT, WIDTH), layer.kernel_size, layer.padding, strict=True)
    high, wide = (roofline.taps(side, side, width, 1, before) for side, width, before in sides)
    return layer.out_channels * (layer.in_channels // layer.groups) * high * wide


def _run(block: Sequence):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph(block), options, providers=["CPUExecutionProvider"])
    return partial(session.run, None, {"x": np.zeros(_shape(block), np.float32)})
