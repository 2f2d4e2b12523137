"""The reader as a KServe model: one method, whichever of the two protocols the request came in."""

import base64
import uuid

from kserve import InferInput, InferOutput, InferRequest, InferResponse, Model
from kserve.errors import InvalidInput

from fsdl_deploy.picture import PictureError, decode
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.reading import Reading


class MeterReader(Model):
    def load(self) -> bool:
        """Called by ``serve.py`` before the server starts."""
        self.reader = OnnxReader()
        self.ready = True
        return True

    def get_input_types(self) -> list[dict]:
        return [{"name": "pictures", "datatype": "BYTES", "shape": [-1]}]

    def get_output_types(self) -> list[dict]:
        return [
            {"name": "digits", "datatype": "BYTES", "shape": [-1]},
            {"name": "confidence", "datatype": "FP32", "shape": [-1]},
        ]

    def predict(self, payload: dict | InferRequest, headers: dict | None = None) -> dict | InferResponse:
        """V1: ``{"instances": [{"b64": …}]}`` to ``{"predictions": […]}``; V2: tensor to tensors."""
        if isinstance(payload, InferRequest):
            return self.answer(payload, self.read(of_tensor(payload.inputs)))
        readings = self.read(of_instances(payload))
        return {
            "predictions": [
                {"digits": reading.digits, "confidence": reading.confidence} for reading in readings
            ]
        }

    def read(self, pictures: list[bytes]) -> list[Reading]:
        """All pictures of the request in one call. A bad one is the caller's fault: 400."""
        images = []
        for place, picture in enumerate(pictures):
            try:
                images.append(decode(picture))
            except PictureError as error:
                raise InvalidInput(f"pictures[{place}]: {error}") from None
        return self.reader.read(images)

    def answer(self, request: InferRequest, readings: list[Reading]) -> InferResponse:
        digits = InferOutput("digits", [len(readings)], "BYTES", [reading.digits for reading in readings])
        sure = InferOutput(
            "confidence", [len(readings)], "FP32", [reading.confidence for reading in readings]
        )
        return InferResponse(request.id or str(uuid.uuid4()), self.name, [digits, sure])


def of_tensor(inputs: list[InferInput]) -> list[bytes]:
    """The pictures of the one tensor; in JSON, which has no bytes, they are base64."""
    if [tensor.name for tensor in inputs] != ["pictures"] or inputs[0].datatype != "BYTES":
        raise InvalidInput("inputs: there is one, pictures, with the datatype BYTES")
    try:
        pictures = inputs[0].as_numpy().ravel()
    except ValueError as error:
        raise InvalidInput(f"pictures: {error}") from None
    return [picture if isinstance(picture, bytes) else of_text(picture) for picture in pictures]


def of_instances(payload: dict) -> list[bytes]:
    """The pictures of TensorFlow Serving's row format: ``{"b64": …}`` each."""
    instances = payload.get("instances") if isinstance(payload, dict) else None
    if not isinstance(instances, list):
        raise InvalidInput("instances: must be a list")
    return [of_text(instance.get("b64") if isinstance(instance, dict) else None) for instance in instances]


def of_text(text: object) -> bytes:
    if not isinstance(text, str):
        raise InvalidInput('each picture is base64 text, in V1 under "b64"')
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InvalidInput(f"not base64: {error}") from None
