"""Triton's Python backend makes one TritonPythonModel for each instance, and hands it whole batches.

Each version of a model has a folder in the repository; ours all hold this file and differ in the weights.
"""

import numpy as np
import triton_python_backend_utils as triton

from fsdl_deploy.picture import PictureError, decode
from fsdl_deploy.reader import OnnxReader


class TritonPythonModel:
    def initialize(self, args: dict) -> None:
        self.reader = OnnxReader(f"v{args['model_version']}")

    def execute(self, requests: list) -> list:
        """One response each, in order: the pictures of all requests are read in one call."""
        batch = [decoded(request) for request in requests]
        good = [image for images in batch if isinstance(images, list) for image in images]
        readings = iter(self.reader.read(good))
        return [answer(images, readings) for images in batch]


def decoded(request):
    """Its pictures uint8 ``[H, W]``, or the error to answer with."""
    pictures = triton.get_input_tensor_by_name(request, "pictures").as_numpy()
    try:
        return [decode(picture) for picture in pictures.ravel()]
    except PictureError as error:
        return triton.TritonError(f"pictures: {error}", triton.TritonError.INVALID_ARG)


def answer(images, readings):
    """Its part of the readings, shaped ``[pictures, 1]``, or its error."""
    if not isinstance(images, list):
        return triton.InferenceResponse([], images)
    mine = [next(readings) for _ in images]
    digits = np.array([[reading.digits] for reading in mine], object)
    confidence = np.array([[reading.confidence] for reading in mine], np.float32)
    tensors = {"digits": digits, "confidence": confidence}
    return triton.InferenceResponse([triton.Tensor(name, value) for name, value in tensors.items()])
