"""How near a network comes to what a core can do: a roofline, layer by layer.

A layer cannot end before its multiply-adds are done at the core's best rate, nor before its bytes are read
and written at the best rate for so many. The later of the two is its roof. (S. Williams, A. Waterman,
D. Patterson: *Roofline*, Communications of the ACM 52 (4), 2009.) A layer is what ONNX Runtime executes after
its graph optimisations: a convolution and the activation behind it are one.
"""

import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from statistics import median

import numpy as np

SIZES = tuple(2**power for power in range(14, 28))  # bytes: within the first cache, and beyond most last ones
CALLS = 20
KINDS = ("convolution", "depthwise", "product", "other")
CONVOLUTIONS, PRODUCTS = ("Conv", "FusedConv"), ("MatMul", "FusedMatMul", "Gemm", "FusedGemm")


@dataclass(frozen=True)
class Core:
    """What one core does at best.

    ``peak``: multiply-adds a second, float32. ``bandwidth``: bytes a second, read or written, where so many
    as in SIZES are in use: little stays in a cache, much comes from memory.
    """

    peak: float
    bandwidth: tuple[float, ...]

    def least(self, multiply_adds: float, moved: float) -> float:
        """The seconds that so many multiply-adds, and so many bytes read or written, take at least."""
        rate = np.interp(np.log2(max(moved, 1)), np.log2(SIZES), self.bandwidth)
        return max(multiply_adds / self.peak, moved / float(rate))


@dataclass(frozen=True)
class Layer:
    """``kind``: one of KINDS; a product is one of matrices, and "other" has no multiply-adds.

    ``moved``: bytes of its inputs, weights and outputs. ``seconds``: the median of its calls.
    """

    name: str
    kind: str
    multiply_adds: int
    moved: int
    seconds: float


def _session(graph: bytes, profile: Path | None = None):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    if profile:
        options.enable_profiling, options.profile_file_prefix = True, str(profile)
        options.optimized_model_filepath = str(profile.with_name("optimized.onnx"))
        options.log_severity_level = 3  # else it says that this file is for processors like this one only
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def profile(graph: bytes, feeds: Mapping[str, np.ndarray], calls: int = CALLS) -> tuple[list[Layer], float]:
    """Every layer that ONNX Runtime executes for ``feeds`` on one core; the seconds of a call, their median.

    Taking down a layer's time costs a microsecond or two. So the call is timed without that, and takes less
    than the sum of its layers, the more so the smaller they are.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain, profiled = _session(graph), _session(graph, Path(folder) / "profile")
        inputs, took = {given.name: feeds[given.name] for given in plain.get_inputs()}, []
        for _ in range(calls + 1):
            start = time.perf_counter()
            plain.run(None, inputs)
            took.append(time.perf_counter() - start)
            profiled.run(None, inputs)
        events = json.loads(Path(profiled.end_profiling()).read_text(encoding="utf-8"))
        attributes = _attributes(Path(folder) / "optimized.onnx")
    called: dict[str, list[dict]] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            called.setdefault(event["name"].removesuffix("_kernel_time"), []).append(event)
    # The first call sets memory aside: it does not count.
    layers = [
        _layer(name, runs[0]["args"], attributes.get(name, {}), [run["dur"] for run in runs[1:]])
        for name, runs in called.items()
    ]
    return layers, median(took[1:])


def _attributes(graph: Path) -> dict[str, dict]:
    """What the convolutions of a graph are set to, by the names of their nodes."""
    import onnx

    return {
        node.name: {setting.name: onnx.helper.get_attribute_value(setting) for setting in node.attribute}
        for node in onnx.load(graph).graph.node
        if node.op_type in CONVOLUTIONS
    }


def _layer(name: str, profiled: dict, attributes: Mapping, microseconds: Sequence[float]) -> Layer:
    kind, (given, *weights), outputs = (
        "other",
        _shapes(profiled["input_type_shape"]),
        _shapes(profiled["output_type_shape"]),
    )
    adds = 0
    if profiled["op_name"] in CONVOLUTIONS:
        kind = "depthwise" if attributes.get("group", 1) > 1 else "convolution"
        axes = len(given) - 2
        steps, padding = attributes.get("strides", [1] * axes), attributes.get("pads", [0] * axes)[:axes]
        along = zip(given[2:], outputs[0][2:], weights[0][2:], steps, padding, strict=True)
        adds = prod(outputs[0][:2]) * weights[0][1] * prod(taps(*axis) for axis in along)
    elif profiled["op_name"] in PRODUCTS:
        kind, adds = "product", prod(outputs[0]) * given[-1]
    moved = sum(int(profiled[f"{part}_size"]) for part in ("activation", "parameter", "output"))
    return Layer(name, kind, adds, moved, median(microseconds) / 1e6)


def taps(given: int, outputs: int, width: int, step: int, before: int) -> int:
    """How often a filter of ``width`` meets one of ``given`` numbers where it makes ``outputs`` of them.

    Along one axis, from ``before`` numbers of padding on. Where the filter meets padding there is nothing to
    multiply: in a picture 8 high that is a twelfth of a filter of 3.
    """
    starts = range(-before, outputs * step - before, step)
    return sum(max(0, min(start + width, given) - max(start, 0)) for start in starts)


def _shapes(tensors: Sequence[Mapping[str, list[int]]]) -> list[list[int]]:
    """[{"float": [1, 16, 8, 80]}, …] as a profile has them -> the shapes alone."""
    return [shape for tensor in tensors for shape in tensor.values()] or [[]]


def measure() -> Core:
    """What one core does at best: in large products, and in copies of every size."""
    products = [_product(kind, *shapes) for kind, *shapes in _CASES]
    return Core(
        max(_best(run, adds, 3 * CALLS) for run, adds in products), tuple(_copied(size) for size in SIZES)
    )


_CASES = (  # the operator, the shape of its input, of its weights, its multiply-adds
    ("MatMul", [512, 512], [512, 512], 512**3),
    ("Conv", [1, 64, 32, 32], [64, 64, 3, 3], 30 * 30 * 64 * 64 * 9),
)


def _product(kind: str, data: list[int], weight: list[int], adds: int) -> tuple[Callable[[], object], int]:
    """A call of one large matrix product or convolution, and its multiply-adds."""
    import onnx
    from onnx import TensorProto, helper

    fixed = np.random.default_rng(0).random(weight, np.float32)
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", "w"], ["y"])], kind,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, data)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(fixed, "w")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    session, x = _session(model.SerializeToString()), np.random.default_rng(1).random(data, np.float32)
    return lambda: session.run(None, {"x": x}), adds


def _copied(size: int) -> float:
    """Bytes a second, read or written, of a copy that has ``size`` bytes in use."""
    source, target = np.ones(size // 2, np.uint8), np.zeros(size // 2, np.uint8)
    times = max(1, 2**20 // size)  # so that a measurement is long enough for the clock

    def copy() -> None:
        for _ in range(times):
            np.copyto(target, source)

    return _best(copy, times * size)


def _best(run: Callable[[], object], work: float, calls: int = CALLS) -> float:
    """``work`` a second in the fastest of so many calls."""
    took = []
    for _ in range(calls):
        start = time.perf_counter()
        run()
        took.append(time.perf_counter() - start)
    return work / min(took)
