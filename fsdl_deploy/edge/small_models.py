"""Networks that were made small: MobileNet beside plain convolutions, BERT beside DistilBERT

Random weights: parameters, bytes and time do not depend on them. ``mobilenet`` is the network of table 1 of
A. Howard et al. 2017, whose table 4 is this comparison (there also with accuracies on ImageNet: 71.7 % plain,
70.6 % separable). Both are exported to ONNX and timed in turns on one thread.
"""

import io
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fsdl_deploy.measuring.table import Table

# Channels and stride of each block behind the first convolution.
BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1),
)  # fmt: skip
CLASSES = 1000


@dataclass(frozen=True)
class SmallModel:
    """Parameters; bytes of the file with float32 weights; ms of one picture or message, None if not timed."""

    name: str
    parameters: int
    size: int
    ms: float | None = None


def mobilenet(separable: bool = True, width: float = 1.0):
    """Pictures float32 ``[N, 3, S, S]`` -> 1,000 numbers. ``width``: the paper's multiplier of all
    channels.
    """
    from torch import nn

    def conv(i: int, o: int, kernel: int, stride: int, groups: int = 1) -> nn.Sequential:
        plain = nn.Conv2d(i, o, kernel, stride, kernel // 2, groups=groups, bias=False)
        return nn.Sequential(plain, nn.BatchNorm2d(o), nn.ReLU())

    channels = [round(width * c) for c in (32, *(c for c, _ in BLOCKS))]
    layers = [conv(3, channels[0], 3, 2)]
    for i, o, (_, stride) in zip(channels, channels[1:], BLOCKS, strict=False):
        if separable:
            layers += [conv(i, i, 3, stride, groups=i), conv(i, o, 1, 1)]
        else:
            layers.append(conv(i, o, 3, stride))
    head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels[-1], CLASSES)
    return nn.Sequential(*layers, *head).eval()


def parameters(module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def mobilenets(side: int = 96, rounds: int = 5) -> list[SmallModel]:
    """Plain and separable, and a separable one of half the width, on pictures of ``side`` pixels, in
    turns.
    """
    import torch

    networks = {
        "plain convolutions": mobilenet(False),
        "MobileNet": mobilenet(),
        "MobileNet, half as wide": mobilenet(width=0.5),
    }
    x = torch.zeros(1, 3, side, side)
    sizes, runs = {}, {}
    for name, network in networks.items():
        graph = _exported(network, x)
        sizes[name], runs[name] = len(graph), _runs(graph, x.numpy())
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            least[name] = min(least[name], 1000 * (time.perf_counter() - begin))
    return [SmallModel(name, parameters(net), sizes[name], least[name]) for name, net in networks.items()]


def _exported(network, x) -> bytes:
    import torch

    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is the quick one of the two exporters
        torch.onnx.export(network, (x,), file, dynamo=False, input_names=["x"])
    return file.getvalue()


def _runs(graph: bytes, x: np.ndarray) -> Callable[[], object]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    session.run(None, {"x": x})
    return lambda: session.run(None, {"x": x})


def berts() -> list[SmallModel]:
    """BERT-base and DistilBERT; their bytes are four a parameter. Lesson 05 times them."""
    import torch

    from fsdl_deploy.optimization.bert import Bert

    with torch.device("meta"):  # shapes without numbers: nothing here is computed
        counts = {name: parameters(Bert(layers)) for name, layers in (("BERT-base", 12), ("DistilBERT", 6))}
    return [SmallModel(name, count, 4 * count) for name, count in counts.items()]


def table(models: list[SmallModel]) -> Table:
    """The models beside the first of them."""
    first = models[0]
    rows = [
        [m.name, m.parameters / 1e6, m.size / 1e6, first.parameters / m.parameters, m.ms,
         first.ms / m.ms if m.ms else None]
        for m in models
    ]  # fmt: skip
    header = ["", "million parameters", "MB", "× fewer", "ms", "× as fast"]
    return Table(header, *rows, formats=["", ".1f", ".1f", ".1f", ".1f", ".1f"])
