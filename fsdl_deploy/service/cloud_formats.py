"""The clouds' formats: the same pictures as Google, Azure and SageMaker want them, for the one reader.

The lecture (3.1): "sadly, no standard yet". A format says where in a JSON body the pictures are and what
an answer looks like; everything else is the service's, and what an error looks like is in
``refusal``. The standard that came since is in ``open_inference``.

Sources: Vertex AI's ``projects.locations.endpoints.predict``; Azure ML's online endpoints and MLflow's
``input_data``; SageMaker's "Use your own inference code" (``/ping``, ``/invocations``).
"""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from fsdl_deploy.service import parsing
from fsdl_deploy.service.answer import Answer
from fsdl_deploy.service.errors import documented
from fsdl_deploy.service.model import Model
from fsdl_deploy.service.refusal import Refusal

GOOGLE = "/v1/projects/{project}/locations/{location}/endpoints/{endpoint}:predict"
AZURE = "/score"
SAGEMAKER = "/invocations"
SAGEMAKER_CLIENT = "/endpoints/{endpoint}/invocations"  # what boto3 asks, and the cloud turns into SAGEMAKER
BYTES = ("application/x-image", "application/octet-stream", "binary/octet-stream")  # of SageMaker, of S3
PICTURE = {"type": "string", "format": "base64-picture", "contentEncoding": "base64"}


@dataclass(frozen=True)
class Format:
    """How one cloud writes it: ``field`` holds the pictures, ``item`` is the schema of one of them."""

    field: str
    item: dict
    pictures: Callable[[dict], list[str]]
    answer: Callable[[Answer, dict], dict]

    def body(self, max_pictures: int) -> dict:
        """The body as the OpenAPI document says it."""
        pictures = {"type": "array", "minItems": 1, "maxItems": max_pictures, "items": self.item}
        schema = {"type": "object", "required": [self.field], "properties": {self.field: pictures}}
        return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _listed(document: dict, field: str) -> list:
    if field not in document:
        raise Refusal(422, field, "the field is missing: a list with one item a picture")
    if not isinstance(document[field], list):
        raise Refusal(422, field, "must be a list, also for one picture")
    return document[field]


def _texts(items: list, field: str, of: Callable[[object], object]) -> list[str]:
    texts = [of(item) for item in items]
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise Refusal(
                422, f"{field}[{place}]", "holds no picture in base64, the page /docs shows an example"
            )
    return texts


def _google_item(item: object) -> object:
    """``"<base64>"``, ``{"b64": …}`` or ``{"image": {"b64": …}, "key": …}``: Google's ways with bytes."""
    if isinstance(item, dict) and not isinstance(item.get("b64"), str):
        item = item.get("image")
    return item.get("b64") if isinstance(item, dict) else item


def _google_pictures(document: dict) -> list[str]:
    items = _listed(document, "instances")
    for place, item in enumerate(items):
        if isinstance(item, dict) and not parsing.can_come_back(item.get("key")):
            problem = "must be a string or a number, which comes back with the prediction"
            raise Refusal(422, f"instances[{place}].key", problem)
    return _texts(items, "instances", _google_item)


def _google_answer(answer: Answer, document: dict) -> dict:
    """One prediction an instance, in order; a ``key`` comes back with its prediction."""
    keys = [
        {"key": item["key"]} if isinstance(item, dict) and "key" in item else {}
        for item in document["instances"]
    ]
    predictions = [
        {**reading.model_dump(), **key} for reading, key in zip(answer.readings, keys, strict=True)
    ]
    return {"predictions": predictions, "modelVersionId": answer.model_version}


def _azure_pictures(document: dict) -> list[str]:
    """``data`` or ``input_data``; a table (MLflow's ``columns``, ``index``, ``data``) has one column."""
    field = "input_data" if "input_data" in document else "data"
    if isinstance(document.get(field), dict):
        rows = _listed(document[field], "data")
        return _texts(rows, "data", lambda row: row[0] if isinstance(row, list) and len(row) == 1 else None)
    return _texts(_listed(document, field), field, lambda item: item)


def _sagemaker_pictures(document: dict) -> list[str]:
    """As on the slide: ``{"instances": [{"in0": …}, …]}``."""
    items = _listed(document, "instances")
    return _texts(items, "instances", lambda item: item.get("in0") if isinstance(item, dict) else None)


def _sagemaker_answer(answer: Answer, _: dict) -> dict:
    document = answer.model_dump()
    return {"predictions": document["readings"], "model_version": document["model_version"]}


FORMATS = {
    "google": Format(
        "instances",
        {"type": "object", "properties": {"b64": PICTURE}, "required": ["b64"]},
        _google_pictures,
        _google_answer,
    ),
    "azure": Format("data", PICTURE, _azure_pictures, lambda answer, _: answer.model_dump()),
    "sagemaker": Format(
        "instances",
        {"type": "object", "properties": {"in0": PICTURE}, "required": ["in0"]},
        _sagemaker_pictures,
        _sagemaker_answer,
    ),
}


def add_routes(app: FastAPI, model: Model, max_pictures: int) -> None:
    """Add the clouds' routes to the service."""
    errors = documented(400, 401, 408, 413, 415, 422, 429, 500, 503)

    async def answer(request: Request, cloud: Format, raw: bool = False) -> Response:
        """``raw``: the body may also be the bytes of one picture."""
        document: dict = {}

        def parse():
            nonlocal document
            if picture:
                return parsing.decode_pictures([body], max_pictures, "body")
            most, example = 1000 + 8 * max_pictures, f'{{"{cloud.field}": […]}}'
            document = parsing.json_object(body, most, example, max_pictures, cloud.field)
            return parsing.decode_pictures(cloud.pictures(document), max_pictures, cloud.field)

        kind = parsing.content_type(request)
        picture = raw and (kind.startswith("image/") or kind in BYTES)
        body = await (request.body() if picture else parsing.json_body(request))
        if body is None:
            also = " or the bytes of one picture as image/png" if raw else ""
            raise Refusal(415, "Content-Type", f"send application/json{also}")
        return JSONResponse(cloud.answer(await model.read(parse, request.receive), document))

    described = {name: {"openapi_extra": cloud.body(max_pictures)} for name, cloud in FORMATS.items()}

    @app.post(GOOGLE, responses=errors, **described["google"])
    async def google(request: Request, project: str, location: str, endpoint: str) -> Response:
        """Read pictures, in Google's format (Vertex AI)."""
        return await answer(request, FORMATS["google"])

    @app.post(AZURE, responses=errors, **described["azure"])
    async def azure(request: Request) -> Response:
        """Read pictures, in Azure's format (Azure Machine Learning)."""
        return await answer(request, FORMATS["azure"])

    @app.get("/ping", response_class=Response, responses={503: errors[503]})
    async def ping() -> Response:
        """SageMaker's question whether requests may come."""
        model.ready()
        return Response()

    @app.post(SAGEMAKER, responses=errors, **described["sagemaker"])
    async def sagemaker(request: Request) -> Response:
        """Read pictures, in SageMaker's format, or one picture sent as it is."""
        return await answer(request, FORMATS["sagemaker"], raw=True)

    @app.post(SAGEMAKER_CLIENT, include_in_schema=False)
    async def sagemaker_client(request: Request, endpoint: str) -> Response:
        response = await answer(request, FORMATS["sagemaker"], raw=True)
        response.headers["x-amzn-invoked-production-variant"] = "AllTraffic"
        return response
