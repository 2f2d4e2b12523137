"""Make the files of ONNX Runtime on a phone: ``build.py OUT_DIR`` writes them in its own format

``v2.ort`` is in float32, ``v2-int8.ort`` and ``v2-int8-dynamic.ort`` are quantized before the conversion.
"""

import sys
import tempfile
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.optimization.quantization import quantize
from fsdl_deploy.targets import ort_format

INT8 = {"v2-int8": "static", "v2-int8-dynamic": "dynamic"}


def main() -> None:
    out = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "v2.onnx"
        source.write_bytes(weights.verified(source.name))
        ort_format.convert(source, out)
        for name, how in INT8.items():
            graph = source.with_stem(name)
            quantize(source, graph, how)
            ort_format.convert(graph, out)


if __name__ == "__main__":
    main()
