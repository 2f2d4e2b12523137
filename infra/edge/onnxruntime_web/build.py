"""Files for ONNX Runtime in a browser: ``build.py OUT_DIR`` writes the ONNX file as it is, and quantized"""

import sys
import tempfile
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.optimization.quantization import quantize

INT8 = {"v2-int8": "static", "v2-int8-dynamic": "dynamic"}


def main() -> None:
    out = Path(sys.argv[1])
    source = out / "v2.onnx"
    source.write_bytes(weights.verified(source.name))
    with tempfile.TemporaryDirectory() as temporary:
        for name, how in INT8.items():
            graph = Path(temporary) / f"{name}.onnx"
            quantize(source, graph, how)
            (out / graph.name).write_bytes(graph.read_bytes())


if __name__ == "__main__":
    main()
