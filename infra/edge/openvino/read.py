"""Read cards with OpenVINO on the processor, on one thread"""

import os
from pathlib import Path

os.environ["OPENVINO_TELEMETRY_DISABLE"] = "1"

import openvino

from fsdl_deploy.targets import reading_program


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    # Without the hint a processor with bfloat16 would compute in it.
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(artifact, "CPU", settings).create_infer_request()

    def run(pictures, widths):
        answer = request.infer({"pictures": pictures, "widths": widths})
        return [answer[name] for name in ("digits", "digit_confidence", "confidence")]

    return reading_program.whole(run)


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact, ("openvino",))
