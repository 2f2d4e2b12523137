"""Make OpenVINO's files: ``build.py OUT_DIR`` writes the intermediate representation of v2

``v2.xml`` and ``v2.bin`` have float32 weights, ``v2-float16`` has them halved, NNCF makes ``v2-int8``.
"""

import os
import sys
from pathlib import Path

os.environ["OPENVINO_TELEMETRY_DISABLE"] = "1"

import nncf
import numpy as np
import openvino

from fsdl_deploy import weights
from fsdl_deploy.targets import card_files

NO_OPERATIONS = ("Constant", "Parameter", "Result")


def main() -> None:
    out = Path(sys.argv[1])
    source = out / "source.onnx"
    source.write_bytes(weights.verified("v2.onnx"))
    model = openvino.convert_model(source)
    openvino.save_model(model, out / "v2.xml", compress_to_fp16=False)
    openvino.save_model(model, out / "v2-float16.xml", compress_to_fp16=True)
    openvino.save_model(quantized(model), out / "v2-int8.xml", compress_to_fp16=False)


def quantized(model: openvino.Model) -> openvino.Model:
    """The model in int8, its ranges from the calibration cards.

    Only the network: left to itself, NNCF also rounds what resizes the picture and decodes the reading.
    """
    deck = card_files.calibration()
    inputs = nncf.Dataset(
        deck, lambda image: {"pictures": image[None], "widths": np.array([image.shape[1]], np.int64)}
    )
    scope = nncf.IgnoredScope(names=around_the_network(model), validate=False)
    return nncf.quantize(model, inputs, subset_size=len(deck), ignored_scope=scope)


def around_the_network(model: openvino.Model) -> list[str]:
    """Names of the operations before the first and after the last convolution or product with weights."""
    order = [node for node in model.get_ordered_ops() if node.get_type_name() not in NO_OPERATIONS]
    kinds = ("Convolution", "GroupConvolution", "MatMul")
    trained = [
        place
        for place, node in enumerate(order)
        if node.get_type_name() in kinds and node.input_value(1).get_node().get_type_name() == "Constant"
    ]
    around = order[: trained[0]] + order[trained[-1] + 1 :]
    return [node.get_friendly_name() for node in around]


if __name__ == "__main__":
    main()
