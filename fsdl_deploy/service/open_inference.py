"""The Open Inference Protocol (V2) over REST: the standard that came after the lecture, for the one reader.

Health, metadata and inference as KServe, Triton, MLServer and others speak it, with tensors as JSON or,
after the JSON, as bytes (the *binary tensor data* extension). What the tensors mean is in ``tensors``.

Source: Open Inference Protocol, REST, https://github.com/kserve/open-inference-protocol
"""

import base64
import json
import re
from collections.abc import Sequence

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from fsdl_deploy.picture import Image, encode
from fsdl_deploy.reader import pad
from fsdl_deploy.service.model import Answer, Model
from fsdl_deploy.service.parsing import can_come_back, json_object
from fsdl_deploy.service.refusal import Refusal
from fsdl_deploy.service.tensors import (
    DTYPES,
    ENCODED,
    INPUTS,
    OUTPUTS,
    PIXELS,
    as_object,
    images_of,
    joined,
    tensor,
    tensors_of,
)

LENGTH = "Inference-Header-Content-Length"  # bytes of JSON, before the bytes of the tensors
MOST_LISTS = 100_000  # in one JSON body: empty lists are the dearest way to fill a memory


class TensorError(BaseModel):
    error: str


def _tensors(about: dict) -> list[dict]:
    return [{"name": name, "datatype": kind, "shape": shape} for name, (kind, shape) in about.items()]


def _split(body: bytes, announced: str | None) -> tuple[bytes, bytes]:
    """The JSON, and the bytes of the tensors behind it."""
    if announced is None:
        return body, b""
    # Twenty digits are enough for any length; Python refuses to read thousands of them.
    if not re.fullmatch("[0-9]{1,20}", announced) or (length := int(announced)) > len(body):
        raise Refusal(400, LENGTH, f"must be a number of bytes up to {len(body)}, the length of the body")
    return body[:length], body[length:]


def _objects(value: object, field: str) -> list[dict]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Refusal(400, field, "must be a list of objects")
    return value


def parse(model: str, body: bytes, announced: str | None, max_pictures: int) -> tuple[dict, list[Image]]:
    """What is asked: the JSON, and the pictures that its tensors hold. Raises Refusal."""
    text, binary = _split(body, announced)
    if text.count(b"[") + text.count(b"{") > MOST_LISTS:
        raise Refusal(400, "inputs", "too many lists: send the data flat, or as binary data")
    # A picture is one value; pixels are one value each, and the limit of the body is theirs.
    values = 1000 + 8 * max_pictures if model == ENCODED else len(text)
    document = json_object(text, values, '{"inputs": […]}', max_pictures, "inputs")
    if not isinstance(told := document.get("id", ""), str) or not can_come_back(told):
        raise Refusal(400, "id", "must be a string of whole characters")
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


def asked(document: dict) -> dict[str, bool]:
    """The outputs that are wanted, and whether each as bytes. Raises Refusal."""
    every = as_object(document.get("parameters", {}), "parameters").get("binary_data_output") is True
    wanted = {}
    for told in _objects(document.get("outputs", []), "outputs"):
        name = told.get("name")
        if not isinstance(name, str) or name not in OUTPUTS:
            raise Refusal(400, "outputs", f"there are {', '.join(OUTPUTS)}")
        said = as_object(told.get("parameters", {}), f"{name}.parameters").get("binary_data", every)
        wanted[name] = said is True
    return wanted or dict.fromkeys(OUTPUTS, every)


def write(answer: Answer, model: str, document: dict) -> Response:
    """The answer to ``document``: JSON, and behind it the tensors that are wanted as bytes."""
    values, outputs, behind, wanted = tensors_of(answer), [], b"", asked(document)
    for name, binary in wanted.items():
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
    if not any(wanted.values()):
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


def add_routes(app: FastAPI, model: Model, max_pictures: int) -> None:
    """Add the protocol's routes to the service.

    Its document knows 200 and 400 for an inference, so all that is wrong with one is a 400, an unknown model
    too. For a GET of what is not there it knows no status: that is a 404, as other servers answer.
    """

    def errors(*statuses: int) -> dict:
        return {status: {"model": TensorError} for status in statuses}

    def known(request: Request) -> tuple[str, str]:
        """The model in the path and its version; Refusal 404 for a model or version that is not here."""
        name, version = request.path_params["name"], request.path_params.get("version")
        here = model.loaded().model_version
        if name not in INPUTS:
            raise Refusal(404, "model", f"there are {', '.join(INPUTS)}")
        if version not in (None, here):
            raise Refusal(404, "version", f"{name} has version {here}")
        return name, here

    @app.get("/v2/health/live", response_class=Response)
    async def live() -> Response:
        """Open Inference Protocol: the process lives."""
        return Response()

    @app.get("/v2/health/ready", response_class=Response, responses=errors(503))
    async def ready() -> Response:
        """Open Inference Protocol: the model is loaded."""
        model.ready()
        return Response()

    @app.get("/v2/", include_in_schema=False)
    @app.get("/v2")
    async def server() -> dict:
        """Open Inference Protocol: what this server is."""
        return {"name": "fsdl_deploy", "version": "1", "extensions": ["binary_tensor_data"]}

    async def metadata(request: Request) -> dict:
        """Open Inference Protocol: the tensors of a model."""
        name, version = known(request)
        tensors = {"inputs": _tensors(INPUTS[name]), "outputs": _tensors(OUTPUTS)}
        return {"name": name, "versions": [version], "platform": "onnxruntime_onnx", **tensors}

    async def model_ready(request: Request) -> Response:
        """Open Inference Protocol: the model is ready."""
        known(request)
        model.ready()
        return Response()

    async def infer(request: Request) -> Response:
        """Open Inference Protocol: read pictures."""
        body, announced = await request.body(), request.headers.get(LENGTH)
        document: dict = {}

        def images() -> list[Image]:
            nonlocal document
            document, found = parse(name, body, announced, max_pictures)
            return found

        try:
            name, _ = known(request)
            return write(await model.read(images, request.receive), name, document)
        except Refusal as refusal:
            if refusal.status not in (404, 413, 422):
                raise
            raise Refusal(400, refusal.field, refusal.problem) from None

    about = {"responses": errors(404, 503), "openapi_extra": MODEL}
    for path, shown in (("/v2/models/{name}", True), ("/v2/models/{name}/versions/{version}", False)):
        app.get(path, include_in_schema=shown, **about)(metadata)
        app.get(path + "/ready", response_class=Response, include_in_schema=shown, **about)(model_ready)
        app.post(
            path + "/infer",
            responses=errors(400, 401, 408, 413, 415, 429, 500, 503),
            include_in_schema=shown,
            openapi_extra=MODEL | BODY,
        )(infer)


MODEL = {
    "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"enum": [*INPUTS]}}],
}
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
