"""Model-as-service: the reader on its own web server.

``POST /read`` reads pictures (``/predict`` on the lecture's slide), ``/docs`` shows the OpenAPI page without
any network. The model runs in worker threads, so the event loop always answers.

Puts the parts together, and knows HTTP. Who may ask is in ``access``, from which page in ``cross_origin``,
how much a body may have in ``body_limit``, what it may hold in ``parsing``, how the model runs in ``model``,
what the service says of itself in ``health``; the clouds' formats are in ``cloud_formats``, the standard's in
``inference_routes``, Triton's in ``repository_routes``, TensorFlow Serving's in ``tensorflow_serving``; a
reading takes the short way of ``direct``. How
the process listens and ends is in ``process``, a connection in ``connection``, the command line in
``command``. Does not know TLS or accounts: those belong to the proxy in front of it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TextIO

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from fastapi_offline import FastAPIOffline
from starlette.routing import Route

from fsdl_deploy.reading import Reader
from fsdl_deploy.service import (
    cloud_formats,
    cross_origin,
    errors,
    health,
    inference_routes,
    parsing,
    repository_routes,
    tensorflow_serving,
)
from fsdl_deploy.service.access import Access
from fsdl_deploy.service.answer import Answer
from fsdl_deploy.service.answer_log import AnswerLog
from fsdl_deploy.service.body_limit import MAX_HELD, BodyLimit
from fsdl_deploy.service.counting import UNROUTED, Counting
from fsdl_deploy.service.direct import Direct
from fsdl_deploy.service.model import PATIENCE, Model


def create_app(
    reader: Reader | Callable[[], Reader],
    *,
    max_pictures: int = 64,
    max_bytes: int = parsing.MAX_BODY,
    threads: int | None = None,
    cores: int | None = None,
    max_waiting: int = 64,
    max_batch: int = 1,
    delay: float = 0.0,
    patience: float = PATIENCE,
    body_seconds: float = 30.0,
    max_held: int = MAX_HELD,
    api_key: str | None = None,
    access_log: TextIO | None = None,
    answer_log: TextIO | None = None,
    allow_origins: Sequence[str] = (),
    on_failure: Callable[[], None] = lambda: None,
) -> FastAPI:
    """The model service for a reader, or for a function that loads one after the service has started.

    ``threads``: readings at the same time, by default one for each of ``cores``, which are by default all;
    each of up to ``max_batch`` requests, for which the first waits up to ``delay`` seconds. ``max_waiting``
    requests may wait, each for ``patience`` seconds. ``max_bytes``, ``body_seconds``: the most that a body
    may have and take; ``max_held``: the bytes of all bodies at a time. ``api_key``: whoever wants a reading
    must send it. The logs get a line of JSON a request, ``answer_log`` with what was read. Pages of
    ``allow_origins`` may ask from a browser. ``on_failure`` is called when the model does not load.
    """
    model = Model(reader, threads, max_waiting, max_batch, delay, patience, cores)
    app = FastAPIOffline(
        title="Meter reader",
        version="1",
        description="Reads the handwritten digits on pictures of meter cards.",
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None, "tryItOutEnabled": True},
        lifespan=partial(_model_loaded, model=model, on_failure=on_failure),
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.model = model
    # A request meets the last one first.
    direct: list[Route] = []  # those of the model, once they are there; what others add is FastAPI's
    app.add_middleware(Direct, routes=direct)
    if answer_log is not None:
        app.add_middleware(AnswerLog, log=answer_log)
    app.add_middleware(Access, api_key=api_key, log=access_log)
    app.add_middleware(BodyLimit, max_bytes=max_bytes, seconds=body_seconds, max_held=max_held)
    app.add_middleware(Counting, model=model)
    cross_origin.allow(app, allow_origins)
    add_routes(app, model, max_pictures)
    cloud_formats.add_routes(app, model, max_pictures)
    repository_routes.add_routes(app, model)
    inference_routes.add_routes(app, model, max_pictures)
    tensorflow_serving.add_routes(app, model, max_pictures)
    health.add_routes(app, model, max_pictures, max_bytes)
    errors.add_handlers(app)
    posts = [route for route in app.routes if "POST" in (getattr(route, "methods", None) or ())]
    direct.extend(route for route in posts if route.path != repository_routes.INDEX)
    model.metrics.expect([*(route.path for route in posts), UNROUTED])
    return app


@asynccontextmanager
async def _model_loaded(app: FastAPI, model: Model, on_failure: Callable[[], None]) -> AsyncIterator[None]:
    """While the service runs: the model loads beside the first requests, and is closed at the end."""

    async def load() -> None:
        await model.load()
        if model.failure:
            on_failure()

    loading = asyncio.create_task(load())
    yield
    loading.cancel()
    model.close()


def add_routes(app: FastAPI, model: Model, max_pictures: int) -> None:
    """Add the service's own routes: ``/read``, the same as ``/predict``, and from ``/`` on to the page."""
    described = {
        "openapi_extra": parsing.describe(max_pictures),
        "responses": errors.documented(400, 401, 408, 413, 415, 422, 429, 500, 503),
    }

    @app.post("/read", **described)
    async def read(request: Request) -> Answer:
        """Read one or many pictures (PNG, JPEG, WebP, BMP or GIF)."""
        body = await parsing.encoded_pictures(request, max_pictures)
        return await model.read(partial(parsing.parse_pictures, body, max_pictures), request.receive)

    @app.post("/predict", **described)
    async def lecture(request: Request) -> Answer:
        """Read pictures, by the name of the lecture's slide: `curl -X POST --url …/predict -d '{…}'`."""
        return await read(request)

    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse("docs")
