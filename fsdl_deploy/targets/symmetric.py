"""int8 as NVIDIA's runtimes want it: zero stands for zero in activations too, and sums stay float32

ONNX Runtime's quantizer writes both ways. ``optimization.quantization`` has the usual one, which TensorRT
refuses. Knows nothing of TensorRT.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fsdl_deploy import weights
from fsdl_deploy.optimization.quantization import network_nodes
from fsdl_deploy.reader import pad


def quantize(images: Sequence[np.ndarray]) -> bytes:
    """``v2``'s graph as ONNX in symmetric int8, its ranges from pictures uint8 ``[H, W]``."""
    from onnxruntime import quantization as ort

    class Pictures(ort.CalibrationDataReader):
        def __init__(self):
            self.left = iter(images)

        def get_next(self):
            image = next(self.left, None)
            return None if image is None else dict(zip(("pictures", "widths"), pad([image]), strict=True))

    with tempfile.TemporaryDirectory() as temporary:
        source, prepared, target = (
            Path(temporary) / f"{name}.onnx" for name in ("source", "prepared", "int8")
        )
        source.write_bytes(weights.verified("v2.onnx"))
        ort.quant_pre_process(source, prepared, skip_symbolic_shape=True)
        ort.quantize_static(
            prepared, target, Pictures(), per_channel=True, nodes_to_quantize=network_nodes(prepared),
            activation_type=ort.QuantType.QInt8, weight_type=ort.QuantType.QInt8,
            extra_options={"ActivationSymmetric": True, "WeightSymmetric": True, "QuantizeBias": False},
        )  # fmt: skip
        return target.read_bytes()
