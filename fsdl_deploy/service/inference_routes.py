"""The routes of the Open Inference Protocol (V2), for the one reader: health, metadata and inference.

Knows paths and statuses; what a request and an answer hold is in ``open_inference``.

Source: Open Inference Protocol, REST, https://github.com/kserve/open-inference-protocol
"""

from fastapi import FastAPI, Request, Response

from fsdl_deploy.picture import Image
from fsdl_deploy.service.errors import TensorError, documented
from fsdl_deploy.service.model import Model
from fsdl_deploy.service.open_inference import LENGTH, parse, write
from fsdl_deploy.service.refusal import Refusal
from fsdl_deploy.service.tensors import INPUTS, OUTPUTS

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
_REQUEST = {
    "type": "object",
    "required": ["inputs"],
    "properties": {"id": {"type": "string"}, "inputs": {"type": "array", "items": _TENSOR}},
}
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _REQUEST}}}}


def add_routes(app: FastAPI, model: Model, max_pictures: int) -> None:
    """Add the protocol's routes to the service.

    Its document knows 200 and 400 for an inference, so all that is wrong with one is a 400, an unknown model
    too. For a GET of what is not there it knows no status: that is a 404, as other servers answer.
    """
    protocol = Protocol(model, max_pictures)
    unready = documented(503, form=TensorError)
    app.get("/v2/health/live", response_class=Response)(protocol.live)
    app.get("/v2/health/ready", response_class=Response, responses=unready)(protocol.ready)
    app.get("/v2")(protocol.server)
    app.get("/v2/", include_in_schema=False)(protocol.server)
    about = {"responses": documented(404, 503, form=TensorError), "openapi_extra": MODEL}
    refused = {
        "responses": documented(400, 401, 408, 413, 415, 429, 500, 503, form=TensorError),
        "openapi_extra": MODEL | BODY,
    }
    for path, listed in (("/v2/models/{name}", True), ("/v2/models/{name}/versions/{version}", False)):
        app.get(path, include_in_schema=listed, **about)(protocol.metadata)
        app.get(path + "/ready", response_class=Response, include_in_schema=listed, **about)(
            protocol.model_ready
        )
        app.post(path + "/infer", include_in_schema=listed, **refused)(protocol.infer)


class Protocol:
    """What the service answers on each of the protocol's routes. The docstrings stand in its contract."""

    def __init__(self, model: Model, max_pictures: int):
        self._model, self._max_pictures = model, max_pictures

    async def live(self) -> Response:
        """Open Inference Protocol: the process lives."""
        return Response()

    async def ready(self) -> Response:
        """Open Inference Protocol: the model is loaded."""
        self._model.ready()
        return Response()

    async def server(self) -> dict:
        """Open Inference Protocol: what this server is."""
        return {"name": "fsdl_deploy", "version": "1", "extensions": ["binary_tensor_data"]}

    async def metadata(self, request: Request) -> dict:
        """Open Inference Protocol: the tensors of a model."""
        name, version = known(self._model, request)
        tensors = {"inputs": _described(INPUTS[name]), "outputs": _described(OUTPUTS)}
        return {"name": name, "versions": [version], "platform": "onnxruntime_onnx", **tensors}

    async def model_ready(self, request: Request) -> Response:
        """Open Inference Protocol: the model is ready."""
        known(self._model, request)
        self._model.ready()
        return Response()

    async def infer(self, request: Request) -> Response:
        """Open Inference Protocol: read pictures."""
        body, announced = await request.body(), request.headers.get(LENGTH)
        document: dict = {}

        def images() -> list[Image]:
            nonlocal document
            document, pictures = parse(name, body, announced, self._max_pictures)
            return pictures

        try:
            name, _ = known(self._model, request)
            return write(await self._model.read(images, request.receive), name, document)
        except Refusal as refusal:
            if refusal.status not in (404, 413, 422):
                raise
            raise Refusal(400, refusal.field, refusal.problem) from None


def known(model: Model, request: Request) -> tuple[str, str]:
    """The model in the path and its version; Refusal 404 for a model or version that is not here."""
    name, version = request.path_params["name"], request.path_params.get("version")
    here = model.loaded().model_version
    if name not in INPUTS:
        raise Refusal(404, "model", f"there are {', '.join(INPUTS)}")
    if version not in (None, here):
        raise Refusal(404, "version", f"{name} has version {here}")
    return name, here


def _described(tensors: dict) -> list[dict]:
    return [{"name": name, "datatype": kind, "shape": shape} for name, (kind, shape) in tensors.items()]
