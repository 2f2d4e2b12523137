"""TensorFlow Serving's REST API, for the one reader: what its clients ask is answered without TensorFlow.

Status, metadata and predict, with pictures by row (``instances``) or by column (``inputs``). Bytes travel as
``{"b64": …}``. A version is a whole number there: that of v2 is 2. What the tensors mean is in ``tensors``;
``:classify``, ``:regress`` and gRPC are not spoken.

Source: TensorFlow Serving, RESTful API, https://www.tensorflow.org/tfx/serving/api_rest
"""

import re

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from fsdl_deploy.picture import Image
from fsdl_deploy.service import parsing
from fsdl_deploy.service.answer import Answer
from fsdl_deploy.service.errors import TensorError, documented
from fsdl_deploy.service.model import Model
from fsdl_deploy.service.refusal import Refusal
from fsdl_deploy.service.tensors import ENCODED, INPUTS, OUTPUTS, tensors_of

SIGNATURE = "serving_default"
DTYPES = {"BYTES": "DT_STRING", "FP32": "DT_FLOAT"}
EXAMPLE = '{"instances": [{"b64": "…"}]}'


def number(model_version: str) -> str:
    """The version as TensorFlow Serving writes it: the number in ours, or 1."""
    digits = re.search(r"\d+", model_version)
    return digits[0] if digits else "1"


def pictures(document: dict) -> list[str]:
    """The pictures in base64 that a predict request holds. Raises Refusal."""
    if document.get("signature_name", SIGNATURE) not in (SIGNATURE, ""):
        raise Refusal(400, "signature_name", f"the only signature is {SIGNATURE}")
    given = [field for field in ("instances", "inputs") if field in document]
    if len(given) != 1:
        raise Refusal(400, "instances", f"send instances or inputs, one of them: {EXAMPLE}")
    field = given[0]
    items = document[field]
    if field == "inputs" and isinstance(items, dict) and "b64" not in items:  # the input by its name
        items = _named(items, field)
    if not isinstance(items, list):
        raise Refusal(400, field, "must be a list, also for one picture")
    return [_text(item, field, place) for place, item in enumerate(items)]


def _named(item: dict, field: str) -> object:
    (name,) = INPUTS[ENCODED]
    if set(item) != {name}:
        raise Refusal(400, field, f"the only input is {name}")
    return item[name]


def _text(item: object, field: str, place: int) -> str:
    where = f"{field}[{place}]"
    if field == "instances" and isinstance(item, dict) and "b64" not in item:
        item = _named(item, where)
    if not isinstance(item, dict) or set(item) != {"b64"} or not isinstance(item["b64"], str):
        raise Refusal(400, where, 'a picture is bytes: send {"b64": "…"}')
    return item["b64"]


def written(answer: Answer, document: dict) -> dict:
    """The answer by row or by column, as ``document`` asked."""
    values = tensors_of(answer)
    columns = {
        name: [element.decode() for element in value] if OUTPUTS[name][0] == "BYTES" else value.tolist()
        for name, value in values.items()
    }
    if "inputs" in document:
        return {"outputs": columns}
    rows = zip(*columns.values(), strict=True)
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in rows]}


def _described(tensors: dict) -> dict:
    return {
        name: {
            "dtype": DTYPES[kind],
            "tensor_shape": {
                "dim": [{"size": str(side), "name": ""} for side in shape],
                "unknown_rank": False,
            },
            "name": f"{name}:0",
        }
        for name, (kind, shape) in tensors.items()
    }


def add_routes(app: FastAPI, model: Model, max_pictures: int) -> None:
    """Add TensorFlow Serving's routes to the service."""
    errors = documented(400, 401, 404, 408, 413, 415, 429, 500, 503, form=TensorError)

    def known(request: Request) -> str:
        """The version's number; Refusal 404 for a version that is not here."""
        here = number(model.loaded().model_version)
        if request.path_params.get("version", here) != here:
            raise Refusal(404, "version", f"{ENCODED} has version {here}")
        return here

    async def model_status(request: Request) -> dict:
        """TensorFlow Serving: which versions of the model are there."""
        state = "UNLOADING" if model.stopping else "AVAILABLE"
        about = {"version": known(request), "state": state}
        return {"model_version_status": [about | {"status": {"error_code": "OK", "error_message": ""}}]}

    async def model_metadata(request: Request) -> dict:
        """TensorFlow Serving: the tensors of the model."""
        spec = {"name": ENCODED, "signature_name": "", "version": known(request)}
        signature = {
            "inputs": _described(INPUTS[ENCODED]),
            "outputs": _described(OUTPUTS),
            "method_name": "tensorflow/serving/predict",
        }
        signatures = {
            "@type": "type.googleapis.com/tensorflow.serving.SignatureDefMap",
            "signature_def": {SIGNATURE: signature},
        }
        return {"model_spec": spec, "metadata": {"signature_def": signatures}}

    async def predict(request: Request) -> JSONResponse:
        """TensorFlow Serving: read pictures."""
        document: dict = {}
        known(request)
        body = await request.body()  # of any type: curl -d, as in the documentation, says it is a form

        def images() -> list[Image]:
            nonlocal document
            most = 1000 + 8 * max_pictures
            document = parsing.json_object(body, most, EXAMPLE, max_pictures, "instances")
            field = "inputs" if "inputs" in document else "instances"
            return parsing.decode_pictures(pictures(document), max_pictures, field)

        try:
            return JSONResponse(written(await model.read(images, request.receive), document))
        except Refusal as refusal:  # TensorFlow Serving calls every bad argument a 400
            if refusal.status != 422:
                raise
            raise Refusal(400, refusal.field, refusal.problem) from None

    schema = {"application/json": {"schema": _schema(max_pictures)}}
    body = {"requestBody": {"required": True, "content": schema}}
    for path, listed in (
        (f"/v1/models/{ENCODED}", True),
        (f"/v1/models/{ENCODED}/versions/{{version}}", False),
    ):
        app.post(path + ":predict", responses=errors, include_in_schema=listed, openapi_extra=body)(predict)
        app.get(path + "/metadata", responses=errors, include_in_schema=listed)(model_metadata)
        app.get(path, responses=errors, include_in_schema=listed)(model_status)


def _schema(max_pictures: int) -> dict:
    """What a predict request holds, as the OpenAPI document says it."""
    picture = {"type": "string", "format": "base64-picture", "contentEncoding": "base64"}
    item = {"type": "object", "required": ["b64"], "properties": {"b64": picture}}
    item["additionalProperties"] = False
    listed = {"type": "array", "minItems": 1, "maxItems": max_pictures, "items": item}
    name = {"signature_name": {"type": "string", "enum": [SIGNATURE]}}
    one_of = [
        {"type": "object", "required": [field], "properties": {field: listed, other: False, **name}}
        for field, other in (("instances", "inputs"), ("inputs", "instances"))
    ]
    return {"oneOf": one_of}
