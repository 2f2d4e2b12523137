"""What the service says about itself: it lives, it is ready, how much it has done.

``/healthz`` says that the process lives, ``/readyz`` that the model is loaded and has read a test picture,
``/metrics`` counts for Prometheus.
"""

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from fsdl_deploy.service.errors import documented
from fsdl_deploy.service.metrics import CONTENT_TYPE
from fsdl_deploy.service.model import Model


class Ready(BaseModel):
    """The model has read its test picture; the limits are those of one request."""

    model_version: str
    max_pictures: int
    max_bytes: int


def add_routes(app: FastAPI, model: Model, max_pictures: int, max_bytes: int) -> None:
    """Add them to the service; ``/readyz`` also says what one request may bring."""

    @app.head("/healthz", include_in_schema=False)
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process lives."""
        return {"status": "alive"}

    @app.head("/readyz", include_in_schema=False)
    @app.get("/readyz", responses=documented(503))
    async def readyz() -> Ready:
        """The model is loaded and has read a test picture: requests may come."""
        version = model.ready().model_version
        return Ready(model_version=version, max_pictures=max_pictures, max_bytes=max_bytes)

    @app.head("/metrics", include_in_schema=False)
    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Counts and times for Prometheus."""
        return Response(await model.metrics.of_service(), media_type=CONTENT_TYPE)
