"""A model in several versions of ONNX, and which of them the runtimes of several environments read.

What is written, and what a runtime answers; why is in ``onnx_versions``.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from fsdl_course.packaging.environments import Environments
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.packaging.onnx_versions import OnnxVersionError, converted

READS = "reads"
TRY_ALL = f"""
import json, sys
import numpy, onnxruntime

card = {{"pictures": numpy.full((1, 64, 160), 255, numpy.uint8), "widths": numpy.array([160], numpy.int64)}}
answers = {{}}
for file in sys.argv[1:]:
    try:
        onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, card)
        answers[file] = {READS!r}
    except Exception as error:
        answers[file] = str(error)
print(json.dumps(answers))
"""
"""A program for the Python of any environment with ONNX Runtime: each file is loaded, and reads a picture."""


def write(content: bytes, pairs: Iterable[tuple[int, int]], folder: Path) -> dict[str, Path | str]:
    """The model in each pair of opset and IR, as a file in ``folder``, or the converter's reason why not."""
    files: dict[str, Path | str] = {}
    for opset, ir_version in pairs:
        name = f"opset {opset}, IR {ir_version}"
        try:
            graph = converted(content, opset, ir_version)
        except OnnxVersionError as error:
            files[name] = str(error)
        else:
            files[name] = folder / f"{opset}-{ir_version}.onnx"
            files[name].write_bytes(graph)
    return files


def tried(environments: Environments, files: Mapping[str, Path | str]) -> dict[str, dict[str, str]]:
    """In each environment: the name of each version -> that its runtime reads it, or why it does not."""
    paths = {name: str(file) for name, file in files.items() if isinstance(file, Path)}
    answers: dict[str, dict[str, str]] = {}
    for where in environments.pythons:
        process = environments.call(where, "-c", TRY_ALL, *paths.values())
        process.check_returncode()
        by_path = json.loads(process.stdout)
        answers[where] = {name: _short(by_path[path]) for name, path in paths.items()}
    return answers


def table(content: bytes, files: Mapping[str, Path | str], answers: Mapping[str, Mapping[str, str]]) -> Table:
    """A row for each version, a column for each environment; the version of ``content`` itself is marked."""
    import onnx

    graph = onnx.load_from_string(content)
    exported = f"opset {graph.opset_import[0].version}, IR {graph.ir_version}"
    rows = [
        [f"{name} (as exported)" if name == exported else name]
        + [by_name.get(name, file) for by_name in answers.values()]
        for name, file in files.items()
    ]
    return Table(["v2 as", *answers], *rows)


def _short(answer: str) -> str:
    return re.search(rf"^{READS}$|Unsupported.*|Current official.*|$", answer)[0] or answer
