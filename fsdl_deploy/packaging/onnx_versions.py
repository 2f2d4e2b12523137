"""The two versions that an ONNX file states: of the format (IR), and of the set of operators (opset).

A runtime refuses a file in which either is newer than itself, so a file for older runtimes states the lowest
that will do. Source: https://onnx.ai/onnx/repo-docs/Versioning.html
"""

import re
from collections.abc import Iterable
from pathlib import Path

from fsdl_deploy import weights


class OnnxVersionError(ValueError):
    """The converter knows no way to an opset; the message is its reason."""


def lowest_ir(content: bytes) -> bytes:
    """The same graph in the lowest version of the format that holds its operators, and still valid.

    Raises ``onnx.checker.ValidationError`` for a file that is not.
    """
    import onnx

    graph = onnx.load_from_string(content)
    graph.ir_version = onnx.helper.find_min_ir_version_for(graph.opset_import)
    onnx.checker.check_model(graph, full_check=True)
    return graph.SerializeToString(deterministic=True)


def write_lowest_ir(versions: Iterable[str], into: Path) -> Path:
    """Write the course's models ``versions`` so to the folder ``into``, made here, with their checksums.

    Returns the folder, for FSDL_MODELS. Raises WeightsError for a model that is not there.
    """
    into.mkdir(parents=True, exist_ok=True)
    for version in versions:
        name = f"{version}.onnx"
        (into / name).write_bytes(lowest_ir(weights.verified(name)))
    weights.write_sums(into)
    return into


def converted(content: bytes, opset: int, ir_version: int) -> bytes:
    """The same graph in another opset, by ONNX's converter, and stating ``ir_version``.

    Raises OnnxVersionError where an operator has no way there.
    """
    import onnx.version_converter

    try:
        graph = onnx.version_converter.convert_version(onnx.load_from_string(content), opset)
    except RuntimeError as error:
        reason = re.search("No Adapter.*", str(error))
        raise OnnxVersionError(reason[0] if reason else str(error)) from None
    graph.ir_version = ir_version
    return graph.SerializeToString(deterministic=True)
