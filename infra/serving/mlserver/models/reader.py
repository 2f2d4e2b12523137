"""The reader as an MLServer model: pictures are decoded one request at a time, and read in batches."""

import base64
from functools import partial

from mlserver import MLModel
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse, Parameters, RequestInput, ResponseOutput

from fsdl_deploy.picture import Image, PictureError, decode
from fsdl_deploy.reader import OnnxReader


class MeterReader(MLModel):
    async def load(self) -> bool:
        """MLServer has put its batching around ``predict`` by now: decoding goes before that.

        For an error in a batch is the answer to everyone in it.
        """
        self.reader = OnnxReader(self.settings.parameters.version)
        self.predict = partial(decoded_first, self.predict)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Read the pictures of all requests in the batch in one call."""
        readings = self.reader.read(payload.inputs[0].data.root)
        columns = {
            "digits": ("BYTES", [reading.digits for reading in readings]),
            "confidence": ("FP32", [reading.confidence for reading in readings]),
        }
        outputs = [
            ResponseOutput(name=name, datatype=datatype, shape=[len(readings)], data=data)
            for name, (datatype, data) in columns.items()
        ]
        together = Parameters(read_together=len(readings))  # each caller is told
        return InferenceResponse(model_name=self.name, outputs=outputs, parameters=together)


async def decoded_first(predict, payload: InferenceRequest) -> InferenceResponse:
    """Put pictures uint8 ``[H, W]`` in the place of bytes, then go on. A bad one is a 400 to its caller."""
    if [tensor.name for tensor in payload.inputs] != ["pictures"] or payload.inputs[0].datatype != "BYTES":
        raise InferenceError("inputs: there is one, pictures, with the datatype BYTES")
    payload.inputs[0] = RequestInput(
        name="pictures", datatype="BYTES", shape=payload.inputs[0].shape, data=images_of(payload.inputs[0])
    )
    return await predict(payload)


def images_of(tensor: RequestInput) -> list[Image]:
    data = tensor.data.root
    if not isinstance(data, list) or tensor.shape != [len(data)]:
        raise InferenceError("pictures: data must be a flat list, and shape its length")
    images = []
    for place, picture in enumerate(data):
        try:  # over gRPC come bytes, in JSON base64
            if not isinstance(picture, bytes):
                picture = base64.b64decode(picture, validate=True)
            images.append(decode(picture))
        except (PictureError, ValueError, TypeError) as error:
            raise InferenceError(f"pictures[{place}]: {error}") from None
    return images
