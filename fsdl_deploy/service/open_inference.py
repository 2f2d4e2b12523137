"""The Open Inference Protocol (V2) over REST: the standard that came after the lecture, for the one reader.

A request for inference and its answer as KServe, Triton, MLServer and others write them, with tensors as JSON
or, after the JSON, as bytes (the *binary tensor data* extension). What the tensors mean is in ``tensors``;
where the service takes them is in ``inference_routes``.

Source: Open Inference Protocol, REST, https://github.com/kserve/open-inference-protocol
"""

import base64
import json
import re
from collections.abc import Sequence

from starlette.responses import JSONResponse, Response

from fsdl_deploy.picture import Image, encode
from fsdl_deploy.reader import pad
from fsdl_deploy.service.answer import Answer
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


def _split(body: bytes, announced: str | None) -> tuple[bytes, bytes]:
    """The JSON, and the bytes of the tensors behind it."""
    if announced is None:
        return body, b""
    # Twenty digits are enough for any length; Python refuses to read thousands of them.
    if not re.fullmatch("[0-9]{1,20}", announced) or (length := int(announced)) > len(body):
        raise Refusal(400, LENGTH, f"must be a number of bytes up to {len(body)}, the length of the body")
    return body[:length], body[length:]


def _objects(value: object, field: str) -> list[dict]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
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
    if not isinstance(request_id := document.get("id", ""), str) or not can_come_back(request_id):
        raise Refusal(400, "id", "must be a string of whole characters")
    inputs, tensors, rest = INPUTS[model], {}, memoryview(binary)
    for request_input in _objects(document.get("inputs"), "inputs"):
        name = request_input.get("name")
        if not isinstance(name, str) or name not in inputs or name in tensors:
            raise Refusal(400, "inputs", f"the inputs of {model} are {', '.join(inputs)}, each once")
        kind, shape = inputs[name]
        tensors[name], taken = tensor(request_input, name, kind, len(shape), rest)
        rest = rest[taken:]
    if len(rest):
        raise Refusal(400, "inputs", f"{len(rest)} bytes belong to no input: set binary_data_size")
    wanted_outputs(document)
    return document, images_of(model, tensors, max_pictures)


def wanted_outputs(document: dict) -> dict[str, bool]:
    """The outputs that are wanted, and whether each as bytes. Raises Refusal."""
    every = as_object(document.get("parameters", {}), "parameters").get("binary_data_output") is True
    outputs = {}
    for output in _objects(document.get("outputs", []), "outputs"):
        name = output.get("name")
        if not isinstance(name, str) or name not in OUTPUTS:
            raise Refusal(400, "outputs", f"there are {', '.join(OUTPUTS)}")
        parameters = as_object(output.get("parameters", {}), f"{name}.parameters")
        outputs[name] = parameters.get("binary_data", every) is True
    return outputs or dict.fromkeys(OUTPUTS, every)


def write(answer: Answer, model: str, document: dict) -> Response:
    """The answer to ``document``: JSON, and behind it the tensors that are wanted as bytes."""
    values, outputs, behind, requested = tensors_of(answer), [], b"", wanted_outputs(document)
    for name, binary in requested.items():
        value, kind = values[name], OUTPUTS[name][0]
        shape = [len(value)] if kind == "BYTES" else list(value.shape)
        output = {"name": name, "datatype": kind, "shape": shape}
        if not binary:
            plain = [element.decode() for element in value] if kind == "BYTES" else value.ravel().tolist()
            output["data"] = plain
        else:
            data = joined(value) if kind == "BYTES" else value.astype(DTYPES[kind]).tobytes()
            output["parameters"] = {"binary_data_size": len(data)}
            behind += data
        outputs.append(output)
    response = {"model_name": model, "model_version": answer.model_version, "outputs": outputs}
    if "id" in document:
        response["id"] = document["id"]
    if not any(requested.values()):
        return JSONResponse(response)
    text = json.dumps(response).encode()
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
