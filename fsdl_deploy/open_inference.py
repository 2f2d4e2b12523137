"""The Open Inference Protocol (V2) over REST: the standard that came after the lecture, for the one reader.

Health, metadata and inference as KServe, Triton, MLServer and others speak it, with tensors as JSON or,
after the JSON, as bytes (the *binary tensor data* extension). The reader is there as two models that
differ in their input: ``meter-reader`` takes encoded pictures, ``meter-reader-pixels`` takes pixels.

Source: Open Inference Protocol, REST, https://github.com/kserve/open-inference-protocol
"""

import base64
import json
import math
from collections.abc import Iterable, Sequence

import numpy as np
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from fsdl_deploy import service_body
from fsdl_deploy.picture import Image, PictureError, check, encode
from fsdl_deploy.service_body import Refusal, json_object
from fsdl_deploy.service_model import Answer, Model

LENGTH = "Inference-Header-Content-Length"  # bytes of JSON, before the bytes of the tensors
ENCODED, PIXELS = "meter-reader", "meter-reader-pixels"
INPUTS = {
    ENCODED: {"pictures": ("BYTES", [-1])},
    PIXELS: {"pixels": ("UINT8", [-1, -1, -1]), "widths": ("INT64", [-1])},
}
OUTPUTS = {"digits": ("BYTES", [-1]), "confidence": ("FP32", [-1]), "digit_confidence": ("FP32", [-1, -1])}
DTYPES = {"UINT8": "u1", "INT64": "<i8", "FP32": "<f4"}
MOST_LISTS = 100_000  # in one JSON body: empty lists are the dearest way to fill a memory


class TensorError(BaseModel):
    error: str


def _tensors(about: dict) -> list[dict]:
    return [{"name": name, "datatype": kind, "shape": shape} for name, (kind, shape) in about.items()]


def images_of(model: str, found: dict, max_pictures: int) -> list[Image]:
    """The pictures that the input tensors of ``model`` hold. Raises Refusal."""
    if missing := [name for name in INPUTS[model] if name not in found]:
        raise Refusal(400, "inputs", f"{', '.join(missing)} is missing")
    if model == PIXELS:
        return _cut(found["pixels"], found["widths"], max_pictures)
    for place, one in enumerate(found["pictures"]):
        if not isinstance(one, str | bytes):
            raise Refusal(400, f"pictures[{place}]", "must be a string: the picture in base64")
    return service_body.decode_pictures(found["pictures"], max_pictures)


def tensors_of(answer: Answer) -> dict[str, list[bytes] | np.ndarray]:
    """The outputs: ``digits`` and ``confidence`` ``[N]``, ``digit_confidence`` ``[N, T]`` padded with 0."""
    return {
        "digits": [reading.digits.encode() for reading in answer.readings],
        "confidence": np.array([reading.confidence for reading in answer.readings], np.float32),
        "digit_confidence": _padded([reading.digit_confidence for reading in answer.readings]),
    }


def _split(body: bytes, announced: str | None) -> tuple[bytes, bytes]:
    """The JSON, and the bytes of the tensors behind it."""
    if announced is None:
        return body, b""
    if not (announced.isascii() and announced.isdigit() and int(announced) <= len(body)):
        raise Refusal(400, LENGTH, f"must be a number of bytes up to {len(body)}, the length of the body")
    return body[: int(announced)], body[int(announced) :]


def _object(value: object, field: str) -> dict:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal(400, field, "must be an object")
    return value


def _objects(value: object, field: str) -> list[dict]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Refusal(400, field, "must be a list of objects")
    return value


def elements(data: bytes, field: str) -> list[bytes]:
    """The elements of a BYTES tensor: before each its length in four bytes, the lowest first."""
    found, place = [], 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "little")
        if place + 4 + size > len(data):
            raise Refusal(400, field, "an element is longer than its tensor")
        found.append(data[place + 4 : place + 4 + size])
        place += 4 + size
    return found


def joined(elements: Iterable[bytes]) -> bytes:
    """A BYTES tensor of these elements."""
    return b"".join(len(one).to_bytes(4, "little") + one for one in elements)


def tensor(told: dict, name: str, kind: str, dimensions: int, binary: memoryview) -> tuple[object, int]:
    """One input: an array, or for BYTES a list of str (JSON) or bytes; and how many bytes it took."""
    if told.get("datatype") != kind:
        raise Refusal(400, name, f"the datatype is {kind}")
    shape = told.get("shape")
    if not isinstance(shape, list) or not all(type(side) is int and side >= 0 for side in shape):
        raise Refusal(400, name, "the shape is a list of whole numbers")
    if len(shape) != dimensions:
        raise Refusal(400, name, f"the shape has {dimensions} dimensions, not {len(shape)}")
    count, taken = math.prod(shape), 0
    size = _object(told.get("parameters"), f"{name}.parameters").get("binary_data_size")
    if size is not None:
        if type(size) is not int or not 0 <= size <= len(binary):
            raise Refusal(400, name, f"binary_data_size must be 0 to {len(binary)}: so many bytes are left")
        data, taken = bytes(binary[:size]), size
        if kind == "BYTES":
            data = elements(data, name)
        elif len(data) != count * np.dtype(DTYPES[kind]).itemsize:
            raise Refusal(400, name, f"{len(data)} bytes do not fill the shape {shape}")
        else:
            return _shaped(np.frombuffer(data, DTYPES[kind]), shape, name), taken
    else:
        data = told.get("data")
        if not isinstance(data, list):
            raise Refusal(400, name, "data is missing: a list of the tensor's elements")
        if kind != "BYTES":
            return _numbers(data, name, kind, shape), taken
    if len(data) != count:
        raise Refusal(400, name, f"{len(data)} elements do not fill the shape {shape}")
    return data, taken


def _numbers(data: list, name: str, kind: str, shape: list[int]) -> np.ndarray:
    """Numbers from JSON, nested or flat."""
    try:
        found = np.array(data)
    except ValueError:
        raise Refusal(400, name, "the lists in data have different lengths") from None
    limits = np.iinfo(DTYPES[kind])
    if found.size and (found.dtype.kind not in "iu" or found.min() < limits.min or found.max() > limits.max):
        raise Refusal(400, name, f"data holds whole numbers from {limits.min} to {limits.max}")
    if found.size != math.prod(shape):
        raise Refusal(400, name, f"{found.size} elements do not fill the shape {shape}")
    return _shaped(found.astype(DTYPES[kind]), shape, name)


def _shaped(values: np.ndarray, shape: list[int], name: str) -> np.ndarray:
    try:
        return values.reshape(shape)
    except ValueError:  # no elements, and sides that numpy cannot count
        raise Refusal(400, name, f"the shape {shape} is too big") from None


def parse(model: str, body: bytes, announced: str | None, max_pictures: int) -> tuple[dict, list[Image]]:
    """What is asked: the JSON, and the pictures that its tensors hold. Raises Refusal."""
    text, binary = _split(body, announced)
    if text.count(b"[") + text.count(b"{") > MOST_LISTS:
        raise Refusal(400, "inputs", "too many lists: send the data flat, or as binary data")
    # A picture is one value; pixels are one value each, and the limit of the body is theirs.
    values = 1000 + 8 * max_pictures if model == ENCODED else len(text)
    document = json_object(text, values, '{"inputs": […]}', max_pictures, "inputs")
    if not isinstance(document.get("id", ""), str):
        raise Refusal(400, "id", "must be a string")
    wanted, found, rest = INPUTS[model], {}, memoryview(binary)
    for told in _objects(document.get("inputs"), "inputs"):
        name = told.get("name")
        if not isinstance(name, str) or name not in wanted or name in found:
            raise Refusal(400, "inputs", f"the inputs of {model} are {', '.join(wanted)}, each once")
        kind, shape = wanted[name]
        found[name], taken = tensor(told, name, kind, len(shape), rest)
        rest = rest[taken:]
    if len(rest):
        raise Refusal(400, "inputs", f"{len(rest)} bytes belong to no input: set binary_data_size")
    asked(document)
    return document, images_of(model, found, max_pictures)


def _cut(pixels: np.ndarray, widths: np.ndarray, max_pictures: int) -> list[Image]:
    """Pixels uint8 ``[N, H, W]``, padded on the right, and the width of each picture."""
    if not 1 <= len(pixels) <= max_pictures:
        raise Refusal(400, "pixels", f"{len(pixels)} pictures: send 1 to {max_pictures} in one request")
    if len(widths) != len(pixels):
        raise Refusal(400, "widths", f"{len(widths)} widths for {len(pixels)} pictures")
    if pixels.size > service_body.MAX_PIXELS:
        raise Refusal(400, "pixels", f"more than {service_body.MAX_PIXELS:,} pixels in all: send fewer")
    if widths.min() < 1 or widths.max() > pixels.shape[2]:
        raise Refusal(400, "widths", f"a width is 1 to {pixels.shape[2]}, the width of the tensor")
    images = [picture[:, :width] for picture, width in zip(pixels, widths.tolist(), strict=True)]
    for place, image in enumerate(images):
        try:
            check(image)
        except PictureError as error:
            raise Refusal(400, f"pixels[{place}]", str(error)) from None
    return images


def asked(document: dict) -> dict[str, bool]:
    """The outputs that are wanted, and whether each as bytes. Raises Refusal."""
    every = _object(document.get("parameters"), "parameters").get("binary_data_output") is True
    if document.get("outputs") is None or document["outputs"] == []:
        return dict.fromkeys(OUTPUTS, every)
    wanted = {}
    for told in _objects(document["outputs"], "outputs"):
        name = told.get("name")
        if not isinstance(name, str) or name not in OUTPUTS:
            raise Refusal(400, "outputs", f"there are {', '.join(OUTPUTS)}")
        said = _object(told.get("parameters"), f"{name}.parameters").get("binary_data", every)
        wanted[name] = said is True
    return wanted


def _padded(rows: Sequence[Sequence[float]]) -> np.ndarray:
    found = np.zeros((len(rows), max(map(len, rows), default=0)), np.float32)
    for row, values in zip(found, rows, strict=True):
        row[: len(values)] = values
    return found


def write(answer: Answer, model: str, document: dict) -> Response:
    """The answer to ``document``: JSON, and behind it the tensors that are wanted as bytes."""
    values, outputs, behind = tensors_of(answer), [], b""
    for name, binary in asked(document).items():
        value, kind = values[name], OUTPUTS[name][0]
        shape = [len(value)] if kind == "BYTES" else list(value.shape)
        output = {"name": name, "datatype": kind, "shape": shape}
        if not binary:
            plain = [one.decode() for one in value] if kind == "BYTES" else value.ravel().tolist()
            output["data"] = plain
        else:
            data = joined(value) if kind == "BYTES" else value.astype(DTYPES[kind]).tobytes()
            output["parameters"] = {"binary_data_size": len(data)}
            behind += data
        outputs.append(output)
    said = {"model_name": model, "model_version": answer.model_version, "outputs": outputs}
    if "id" in document:
        said["id"] = document["id"]
    if not behind:
        return JSONResponse(said)
    text = json.dumps(said).encode()
    headers = {LENGTH: str(len(text))}
    return Response(text + behind, headers=headers, media_type="application/octet-stream")


def json_request(images: Sequence[Image], pixels: bool = False) -> dict:
    """The body for pictures uint8 ``[H, W]``, as JSON: encoded in base64, or ``pixels`` as numbers."""
    if not pixels:
        data = [base64.b64encode(encode(image)).decode() for image in images]
        return {"inputs": [{"name": "pictures", "datatype": "BYTES", "shape": [len(data)], "data": data}]}
    values = dict(zip(INPUTS[PIXELS], pad(images), strict=True))
    return {
        "inputs": [
            {
                "name": name,
                "datatype": INPUTS[PIXELS][name][0],
                "shape": [*value.shape],
                "data": value.ravel().tolist(),
            }
            for name, value in values.items()
        ]
    }


def binary_request(images: Sequence[Image], pixels: bool = False) -> tuple[bytes, dict[str, str]]:
    """The body for pictures uint8 ``[H, W]`` with its tensors behind the JSON, and its headers."""
    if pixels:
        values = dict(zip(INPUTS[PIXELS], pad(images), strict=True))
        tensors = [
            (name, [*value.shape], value.astype(DTYPES[INPUTS[PIXELS][name][0]]).tobytes())
            for name, value in values.items()
        ]
    else:
        tensors = [("pictures", [len(images)], joined(map(encode, images)))]
    kinds = INPUTS[PIXELS if pixels else ENCODED]
    inputs = [
        {
            "name": name,
            "datatype": kinds[name][0],
            "shape": shape,
            "parameters": {"binary_data_size": len(data)},
        }
        for name, shape, data in tensors
    ]
    text = json.dumps({"inputs": inputs}).encode()
    return text + b"".join(data for *_, data in tensors), {LENGTH: str(len(text))}


def pad(images: Sequence[Image]) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of one height as pixels uint8 ``[N, H, W]``, white on the right, and widths int64 ``[N]``."""
    widths = np.array([image.shape[1] for image in images], np.int64)
    pixels = np.full((len(images), images[0].shape[0], widths.max()), 255, np.uint8)
    for row, image in zip(pixels, images, strict=True):
        row[:, : image.shape[1]] = image
    return pixels, widths


def add_routes(app: FastAPI, model: Model, max_pictures: int) -> None:
    """Add the protocol's routes to the service."""
    errors = {status: {"model": TensorError} for status in (400, 401, 404, 408, 413, 415, 429, 500, 503)}

    def known(name: str, version: str | None) -> str:
        """The model's version; Refusal 404 for a model or version that is not here."""
        here = model.loaded().model_version
        if name not in INPUTS:
            raise Refusal(404, "model", f"there are {', '.join(INPUTS)}")
        if version not in (None, here):
            raise Refusal(404, "version", f"{name} has version {here}")
        return here

    @app.get("/v2/health/live", response_class=Response, responses=errors)
    async def live() -> Response:
        """Open Inference Protocol: the process lives."""
        return Response()

    @app.get("/v2/health/ready", response_class=Response, responses=errors)
    async def ready() -> Response:
        """Open Inference Protocol: the model is loaded."""
        model.loaded()
        return Response()

    @app.get("/v2/", include_in_schema=False)
    @app.get("/v2", responses=errors)
    async def server() -> dict:
        """Open Inference Protocol: what this server is."""
        return {"name": "fsdl_deploy", "version": "1", "extensions": ["binary_tensor_data"]}

    async def metadata(name: str, version: str | None = None) -> dict:
        """Open Inference Protocol: the tensors of a model."""
        versions = [known(name, version)]
        tensors = {"inputs": _tensors(INPUTS[name]), "outputs": _tensors(OUTPUTS)}
        return {"name": name, "versions": versions, "platform": "onnxruntime_onnx", **tensors}

    async def model_ready(name: str, version: str | None = None) -> Response:
        """Open Inference Protocol: the model is ready."""
        known(name, version)
        return Response()

    async def infer(request: Request, name: str, version: str | None = None) -> Response:
        """Open Inference Protocol: read pictures."""
        document: dict = {}
        known(name, version)
        body, announced = await request.body(), request.headers.get(LENGTH)

        def images() -> list[Image]:
            nonlocal document
            document, found = parse(name, body, announced, max_pictures)
            return found

        try:
            return write(await model.read(images), name, document)
        except Refusal as refusal:  # the protocol knows one status for everything wrong with a request
            if refusal.status != 422:
                raise
            raise Refusal(400, refusal.field, refusal.problem) from None

    for path, shown in (("/v2/models/{name}", True), ("/v2/models/{name}/versions/{version}", False)):
        app.get(path, responses=errors, include_in_schema=shown)(metadata)
        app.get(path + "/ready", response_class=Response, responses=errors, include_in_schema=shown)(
            model_ready
        )
        app.post(path + "/infer", responses=errors, include_in_schema=shown, openapi_extra=BODY)(infer)


_TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype"],
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer"}},
        "datatype": {"type": "string"},
        "data": {"type": "array"},
        "parameters": {"type": "object"},
    },
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["inputs"],
                    "properties": {"id": {"type": "string"}, "inputs": {"type": "array", "items": _TENSOR}},
                }
            }
        },
    }
}
