"""Wrong files under a model's name: what plain ONNX Runtime does with each, and what our loader says.

The loader compares a file with its sum in ``SHA256SUMS``; plain ONNX Runtime has nothing to compare with.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from fsdl_course.packaging.runs import as_run, moved
from fsdl_deploy import weights
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.picture import Image
from fsdl_deploy.reader import LATEST, OnnxReader

FILE = f"{LATEST}.onnx"


def flipped(content: bytes, place: int, bit: int = 64) -> bytes:
    """The same bytes, in one of which one bit is another; ``bit``: its value, a power of two."""
    changed = bytearray(content)
    changed[place] ^= bit
    return bytes(changed)


def by_plain_onnxruntime(content: bytes, images: Sequence[Image], right: Sequence[str]) -> str:
    """Whether ONNX Runtime loads the file, and then how many readings differ from ``right``, our model's."""
    import onnxruntime

    reader = OnnxReader()
    try:
        reader.session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has many types for a file that it cannot take
        return f"refuses: {type(error).__name__}"
    count = moved(right, as_run(reader.read(images))["digits"])
    return f"loads; {count} of {len(images)} readings change"


def by_the_loader(content: bytes, folder: Path) -> str:
    """What ``weights.verified`` says of the file, laid into ``folder`` beside the sums of our models."""
    (folder / weights.SUMS).write_bytes((weights.folder() / weights.SUMS).read_bytes())
    (folder / FILE).write_bytes(content)
    try:
        weights.verified(FILE, folder)
    except weights.WeightsError as error:
        return str(error).replace(f"{folder}{os.sep}", "").partition(", so")[0]
    return "loads"


def table(files: Mapping[str, bytes], images: Sequence[Image], folder: Path) -> Table:
    """Each file, by what is wrong with it, in both; ``images`` uint8 ``[H, W]``, ``folder`` to write to."""
    right = as_run(OnnxReader().read(images))["digits"]
    rows = [
        [name, by_plain_onnxruntime(content, images, right), by_the_loader(content, folder)]
        for name, content in files.items()
    ]
    return Table(["the file", "plain ONNX Runtime", "the course's loader: WeightsError"], *rows)
