"""Operations one by one through OpenVINO, from the ONNX files that the core exports"""

import os
from pathlib import Path

os.environ["OPENVINO_TELEMETRY_DISABLE"] = "1"

import openvino

from fsdl_deploy.targets import probing_program


def convert(graph: Path) -> openvino.CompiledModel:
    model = openvino.Core().read_model(graph)
    return openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def run(model: openvino.CompiledModel, inputs):
    return [part.copy() for part in model(list(inputs)).values()]


if __name__ == "__main__":
    probing_program.main_onnx(convert, run)
