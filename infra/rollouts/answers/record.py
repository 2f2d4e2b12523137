"""Write ``recorded.json``: what v2, two candidates that are as good, and v3-bad read on the same cards.

python infra/rollouts/answers/record.py

As good: v2 in int8, and the teacher. It takes minutes; run it on a machine that has nothing else to do.
"""

import sys
import tempfile
from pathlib import Path

from fsdl_deploy.optimization.quantization import quantized
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.rollouts.answers import CUSTOMERS, RECORD, SEED, read_all
from fsdl_deploy.rollouts.utility import CAMERAS


def int8() -> OnnxReader:
    """v2, rounded to int8 after its training."""
    import onnxruntime

    reader = OnnxReader("v2")
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        graph = quantized("v2", "static", Path(folder)).read_bytes()
        reader.session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    reader.model_version = "v2-int8"
    return reader


def main() -> int:
    readers = {
        "v2": OnnxReader("v2"),
        "v2-int8": int8(),
        "teacher": OnnxReader("teacher"),
        "v3-bad": OnnxReader("v3-bad"),
    }
    cameras = {name: {"level": level, "share": share} for name, (level, share) in CAMERAS.items()}
    read_all(readers, CUSTOMERS, SEED).save(RECORD, customers=CUSTOMERS, seed=SEED, mix=cameras)
    return 0


if __name__ == "__main__":
    sys.exit(main())
