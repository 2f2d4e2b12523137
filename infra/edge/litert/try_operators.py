"""Operations one by one through LiteRT: converted by litert-torch, run in its interpreter"""

import tempfile
from pathlib import Path

import litert_torch
from ai_edge_litert.interpreter import Interpreter

from fsdl_deploy.targets import probing_program


def convert(probe) -> bytes:
    model = litert_torch.convert(probe.module.eval(), probe.inputs, dynamic_shapes=probe.open_sizes())
    with tempfile.TemporaryDirectory() as folder:
        model.export(str(Path(folder) / "probe.tflite"))
        return (Path(folder) / "probe.tflite").read_bytes()


def run(file: bytes, inputs):
    runner = Interpreter(model_content=file, num_threads=1).get_signature_runner()
    expected = runner.get_input_details()
    given = {
        f"args_{place}": part.astype(expected[f"args_{place}"]["dtype"]) for place, part in enumerate(inputs)
    }
    answer = runner(**given)
    return [answer[f"output_{place}"] for place in range(len(answer))]


if __name__ == "__main__":
    probing_program.main(convert, run)
