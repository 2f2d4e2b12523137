"""Read cards with an .ort file in ONNX Runtime, on one thread"""

from pathlib import Path

import onnxruntime

from fsdl_deploy.targets import reading_program


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(artifact, options, providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_inputs()]
    return reading_program.whole(
        lambda pictures, widths: session.run(None, dict(zip(names, (pictures, widths), strict=True)))
    )


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact, ("onnxruntime",))
