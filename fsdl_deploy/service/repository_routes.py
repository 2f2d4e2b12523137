"""What clients of Triton ask beside the Open Inference Protocol: which models are there, and their counts

Knows paths; the numbers are those of ``metrics``. Both models are the one reader, so its counts are theirs.
Does not load or unload: a model changes with the process.

Source: Triton's model repository, configuration and statistics extensions,
https://github.com/triton-inference-server/server/tree/main/docs/protocol
"""

from fastapi import FastAPI, Request

from fsdl_deploy.service.errors import TensorError, documented
from fsdl_deploy.service.inference_routes import known
from fsdl_deploy.service.model import Model
from fsdl_deploy.service.parsing import json_object
from fsdl_deploy.service.refusal import Refusal
from fsdl_deploy.service.tensors import INPUTS, OUTPUTS

INDEX = "/v2/repository/index"
TYPES = {"BYTES": "TYPE_STRING"}  # the others are TYPE_ and the protocol's own name


def add_routes(app: FastAPI, model: Model) -> None:
    """Add the routes to the service, before those of the protocol: ``stats`` is no model's name."""
    repository = Repository(model)
    about = {"include_in_schema": False, "responses": documented(404, 503, form=TensorError)}
    app.post(INDEX, **about)(repository.index)
    app.get("/v2/models/stats", **about)(repository.every)
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        app.get(path + "/config", **about)(repository.config)
        app.get(path + "/stats", **about)(repository.stats)


class Repository:
    """What the service answers on each of these routes."""

    def __init__(self, model: Model):
        self._model = model

    async def index(self, request: Request) -> list[dict]:
        """The models, each with its state; with ``{"ready": true}`` only those that may be asked."""
        body = await request.body()
        only_ready = json_object(body, 100, '{"ready": true}', 100).get("ready") if body.strip() else False
        try:
            state = {"version": self._model.ready().model_version, "state": "READY", "reason": ""}
        except Refusal as refusal:
            if only_ready:
                return []
            state = {"state": "UNAVAILABLE", "reason": refusal.problem}
        return [{"name": name, **state} for name in INPUTS]

    async def config(self, request: Request) -> dict:
        """The form of a model's tensors, as Triton's configuration writes it."""
        name, version = known(self._model, request)
        return {
            "name": name,
            "platform": "onnxruntime_onnx",
            "backend": "onnxruntime",
            "max_batch_size": 0,  # the first dimension stands in the shapes
            "input": _typed(INPUTS[name]),
            "output": _typed(OUTPUTS),
            "parameters": {"model_version": {"string_value": version}},
        }

    async def stats(self, request: Request) -> dict:
        """How much the reader has done."""
        return {"model_stats": [self._counts(*known(self._model, request))]}

    async def every(self) -> dict:
        """The same for both models."""
        version = self._model.loaded().model_version
        return {"model_stats": [self._counts(name, version) for name in INPUTS]}

    def _counts(self, name: str, version: str) -> dict:
        """``inference_count`` in pictures, ``execution_count`` in calls of the model, ``ns`` nanoseconds."""
        value = self._model.metrics.value
        success = {
            "count": int(value("reader_request_seconds_count")),
            "ns": round(1e9 * value("reader_request_seconds_sum")),
        }
        return {
            "name": name,
            "version": version,
            "inference_count": int(value("reader_pictures_total")),
            "execution_count": int(value("reader_batch_size_count")),
            "inference_stats": {"success": success},
            "batch_stats": [],
        }


def _typed(tensors: dict) -> list[dict]:
    return [
        {"name": name, "data_type": TYPES.get(kind, f"TYPE_{kind}"), "dims": shape}
        for name, (kind, shape) in tensors.items()
    ]
