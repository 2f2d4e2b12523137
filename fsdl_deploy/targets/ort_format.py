"""ONNX Runtime's own format: an .onnx graph with its optimisations done, for a runtime without a parser

The converter is ONNX Runtime's. It also writes which operators a graph needs, and which types of each: what
a build of the runtime is told to keep. Knows nothing of targets.
"""

import contextlib
import io
import logging
import re
import tempfile
from pathlib import Path


def convert(graph: Path, into: Path, processor: str = "") -> None:
    """Write ``NAME.ort`` of ``NAME.onnx`` into the folder ``into``, and beside it ``NAME.config``.

    ``processor``: "amd64" or "arm" where the file is for one kind only, with operators that others lack.
    """
    import onnxruntime
    from onnxruntime.tools import convert_onnx_models_to_ort as converter

    onnxruntime.set_default_logger_severity(3)  # it warns that a file for one processor is for one processor
    logging.getLogger("ort_format_model.utils").setLevel(logging.WARNING)  # it reports where it wrote
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / graph.name
        copy.write_bytes(graph.read_bytes())
        with contextlib.redirect_stdout(io.StringIO()):
            converter.convert_onnx_models_to_ort(
                copy,
                optimization_styles=[converter.OptimizationStyle.Fixed],
                enable_type_reduction=True,
                target_platform=processor or None,
            )
        (config,) = Path(temporary).glob("*.config")
        lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = (line for line in lines if not line.startswith("#"))  # comments name the folder
        (into / f"{graph.stem}.config").write_text("".join(kept), encoding="utf-8")
        copy.with_suffix(".ort").replace(into / f"{graph.stem}.ort")


def operators(config: Path) -> dict[str, list[str]]:
    """What a configuration lists: each domain of operators, with the names of those that are needed."""
    needed: dict[str, list[str]] = {}
    for line in config.read_text(encoding="utf-8").splitlines():
        domain, separator, rest = line.partition(";")
        if separator and not line.startswith("#"):
            names = re.sub(r"\{.*?\}\}", "", rest.partition(";")[2]).split(",")
            needed[domain] = sorted({*needed.get(domain, []), *filter(None, names)})
    return needed
