"""The reader of a release: its seal is checked, and the bytes that were checked are the bytes that run"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fsdl_deploy import devices
from fsdl_deploy.delivery import releases
from fsdl_deploy.picture import Image
from fsdl_deploy.reader import read_batches
from fsdl_deploy.reading import Reading

FILE = "reader.onnx"


class ReleasedReader:
    """A Reader in ONNX Runtime out of a release folder. Raises ReleaseError where its seal is not right."""

    def __init__(self, folder: Path, key: bytes, file: str = FILE):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        graph = releases.content(folder, file, releases.checked(folder, key))
        self.session, _ = devices.onnx_session(graph, options)
        self.model_version = folder.name

    def run(self, pictures: np.ndarray, widths: np.ndarray) -> Sequence[np.ndarray]:
        """The graph alone: pictures uint8 ``[N, H, W]`` and widths int64 ``[N]`` to its three outputs."""
        return self.session.run(None, {"pictures": pictures, "widths": widths})

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Read pictures uint8 ``[H, W]`` of any sizes; one Reading each, in order."""
        return read_batches(images, self.run, self.model_version)
