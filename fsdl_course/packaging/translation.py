"""Bugs in the translation: modules written down by torch's older exporter, and asked more than its example.

The parity test itself is ``fsdl_deploy.packaging.parity``; here are its subjects, questions and table.
"""

import io
import re
import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.packaging.parity import Difference

Question = tuple[np.ndarray, ...]
"""The inputs of one call."""


def export_older(
    module, example: Question, inputs: Sequence[str], outputs: Sequence[str] = ()
) -> tuple[bytes, int]:
    """The file that torch's older exporter writes of a module, checked by ONNX, and how often it warned.

    ``example``: what the module is called with while the exporter writes. All sizes of ``inputs`` are
    declared free, and the first one of ``outputs``. Raises what torch raises for a module that it cannot
    trace, or ``onnx.checker.ValidationError`` for a file that is not valid.
    """
    import onnx
    import torch

    file, free = io.BytesIO(), {name: {0: "n"} for name in outputs}
    for name, array in zip(inputs, example, strict=True):
        free[name] = {axis: f"{name}_{axis}" if axis else "n" for axis in range(array.ndim)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.onnx.export(
            module.eval(), tuple(map(torch.from_numpy, example)), file, dynamo=False, opset_version=17,
            input_names=list(inputs), output_names=list(outputs) or None, dynamic_axes=free,
        )  # fmt: skip
    onnx.checker.check_model(onnx.load_from_string(file.getvalue()))
    return file.getvalue(), sum(issubclass(warning.category, torch.jit.TracerWarning) for warning in caught)


def questions() -> list[list[Question]]:
    """Calls of each of the lesson's four modules, in their order; the first of each is the export's example.

    The modules: an upright picture, a transformer, the network of v2, the whole reader. The other calls have
    other numbers of pictures and other lengths, the first module's another content. Always the same arrays.
    """
    rng = np.random.default_rng(0)

    def full(count: int, width: int) -> np.ndarray:
        return np.full(count, width, np.int64)

    shapes = [(2, 50, 171), (1, 64, 80), (3, 32, 200)]
    inks = [(2, 128), (1, 80), (3, 200)]
    return [
        [(np.full(shapes[0], 200, np.float32),), (np.full(shapes[1], 30, np.float32),)],
        [(rng.standard_normal((n, t, 64), np.float32),) for n, t in ((2, 40), (1, 40), (3, 24))],
        [(rng.standard_normal((n, 1, 32, w), np.float32), full(n, w)) for n, w in inks],
        [(rng.integers(0, 256, shape, np.uint8), full(shape[0], shape[2])) for shape in shapes],
    ]


def apart(differences: Sequence[Difference]) -> str:
    """The largest difference that could be computed, and how many calls had no answer; empty for no call."""
    finite = [case.largest for case in differences if np.isfinite(case.largest)]
    worst = f"{max(finite):.1g}" if finite else ""
    refused = len(differences) - len(finite)
    return " and ".join(filter(None, [worst, f"no answer to {refused}" if refused else ""]))


def table(differences_of: Mapping[str, Sequence[Difference]], warned: Mapping[str, int]) -> Table:
    """A row for each module: the exporter's warnings, how far apart on the example and on other inputs.

    Below it stands the first problem of each module that has one.
    """
    rows = [
        [name, warned.get(name, 0), apart(cases[:1]), apart(cases[1:])]
        for name, cases in differences_of.items()
    ]
    problems = {
        name: next((case.problem for case in cases if case.problem), "")
        for name, cases in differences_of.items()
    }
    notes = [f"{name}: {_short(problem)}" for name, problem in problems.items() if problem]
    return Table(["module", "warnings", "apart on the example", "apart on other inputs"], *rows, notes=notes)


def _short(problem: str) -> str:
    return re.search(r"(The input tensor|Shape mismatch).*?}.*?}|$", problem)[0] or problem


def image_decoder():
    """An ONNX model of one operator, ImageDecoder: uint8 ``[bytes]`` of a file to a picture ``[h, w, 1]``."""
    import onnx

    helper, uint8 = onnx.helper, onnx.TensorProto.UINT8
    file_bytes = helper.make_tensor_value_info("file", uint8, ["bytes"])
    picture = helper.make_tensor_value_info("picture", uint8, ["h", "w", 1])
    node = helper.make_node("ImageDecoder", ["file"], ["picture"], pixel_format="Grayscale")
    graph = helper.make_graph([node], "decoder", [file_bytes], [picture])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
