"""Operations one by one through ONNX Runtime's own format, as on a phone"""

import tempfile
from pathlib import Path

import onnxruntime

from fsdl_deploy.targets import ort_format, probing_program


def convert(graph: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        ort_format.convert(graph, Path(folder))
        return (Path(folder) / graph.with_suffix(".ort").name).read_bytes()


def run(model: bytes, inputs):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))


if __name__ == "__main__":
    probing_program.main_onnx(convert, run)
