"""Read cards with LiteRT on the processor, on one thread: no torch, no TensorFlow"""

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from fsdl_deploy.targets import reading_program


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    interpreter = Interpreter(str(artifact), num_threads=1)
    if "whole" in artifact.stem:
        return whole(interpreter.get_signature_runner())
    runners = {
        int(name.removeprefix("columns")): interpreter.get_signature_runner(name)
        for name in interpreter.get_signature_list()
    }
    return reading_program.bare(lambda ink: log_probabilities(runners[ink.shape[3]], ink), sorted(runners))


def whole(runner) -> reading_program.ReadCard:
    """The whole reader: its file takes pictures of one width, and the card's own width in 32 bits."""
    details = runner.get_input_details()
    width, integer = int(details["args_0"]["shape"][2]), details["args_1"]["dtype"]

    def run(pictures, widths):
        answer = runner(args_0=pictures, args_1=widths.astype(integer))
        return [answer[f"output_{place}"] for place in range(3)]

    return reading_program.whole(run, [width])


def log_probabilities(runner, ink: np.ndarray) -> np.ndarray:
    """What the network says of ink float32 ``[1, 1, 32, C]``; a static int8 file takes and gives integers."""
    (into,), (out,) = runner.get_input_details().values(), runner.get_output_details().values()
    if into["dtype"] == np.int8:
        scale, zero = into["quantization"]
        ink = (np.round(ink / scale) + zero).clip(-128, 127).astype(np.int8)
    (answer,) = runner(args_0=ink).values()
    if out["dtype"] == np.int8:
        scale, zero = out["quantization"]
        answer = (answer.astype(np.float32) - zero) * scale
    return answer


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact, ("ai-edge-litert",))
