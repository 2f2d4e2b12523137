"""Reads cards with ONNX Runtime, the reference: the ``read.py`` to which those of the targets are compared"""

from pathlib import Path

from fsdl_deploy.targets import reading_program


def open_artifact(artifact: Path) -> reading_program.ReadCard:
    """``OnnxReader`` of the model that ``artifact`` is named after, on one thread."""
    from fsdl_deploy.reader import OnnxReader

    return reading_program.whole(OnnxReader(artifact.stem).run)


if __name__ == "__main__":
    reading_program.main(__doc__, open_artifact, ("onnxruntime",))
