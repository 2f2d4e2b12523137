"""Make the files of ONNX Runtime on a phone: ``build.py OUT_DIR`` writes .ort files and their operators

``v2.ort`` (float32), ``v2-int8.ort`` and ``v2-int8-dynamic.ort``, and beside each the configuration that a
reduced build of the runtime is given: which operators the file needs, and which types of each.
"""

import contextlib
import io
import sys
import tempfile
from pathlib import Path

from onnxruntime.tools import convert_onnx_models_to_ort as converter

from fsdl_deploy import weights
from fsdl_deploy.optimization.quantization import quantize

FORMS = {"v2": "", "v2-int8": "static", "v2-int8-dynamic": "dynamic"}


def main() -> None:
    out = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = folder / "source.onnx"
        source.write_bytes(weights.verified("v2.onnx"))
        for name, how in FORMS.items():
            graph = folder / name / f"{name}.onnx"
            graph.parent.mkdir()
            if how:
                quantize(source, graph, how)
            else:
                graph.write_bytes(source.read_bytes())
            convert(graph, out)


def convert(graph: Path, out: Path) -> None:
    """Write ``NAME.ort``, its operators fused for the machine that will run it, and ``NAME.config``."""
    with contextlib.redirect_stdout(io.StringIO()):
        converter.convert_onnx_models_to_ort(
            graph,
            optimization_styles=[converter.OptimizationStyle.Fixed],
            enable_type_reduction=True,
        )
    graph.with_suffix(".ort").rename(out / f"{graph.stem}.ort")
    (config,) = graph.parent.glob("*.config")
    config.rename(out / f"{graph.stem}.config")


if __name__ == "__main__":
    main()
