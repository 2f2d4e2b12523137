"""Model-as-service: the reader on its own web server, and the command that starts it.

``POST /read`` reads pictures (``/predict`` on the lecture's slide), ``/healthz`` says that the process lives,
``/readyz`` that the model is loaded and has read a test picture, ``/metrics`` counts for Prometheus,
``/docs`` shows the OpenAPI page without any network. The model runs in worker threads, so the event loop
always answers.

Knows HTTP. Who may ask is in ``access``, what a body may hold in ``parsing``, how the model
runs in ``model``, how the process listens and ends in ``process``; the clouds' formats are in
``clouds``, the standard's in ``open_inference``, TensorFlow Serving's in ``tensorflow_serving``.
Does not know TLS, accounts or slow request headers: those belong to the proxy in front of it.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TextIO

import prometheus_client as prometheus
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from fsdl_deploy.api_key import checked
from fsdl_deploy.devices import DEVICES
from fsdl_deploy.reading import Reader
from fsdl_deploy.service import access, clouds, open_inference, parsing, tensorflow_serving
from fsdl_deploy.service.limit import MAX_HELD, BodyLimit
from fsdl_deploy.service.model import PATIENCE, Answer, Measured, Model
from fsdl_deploy.service.process import GRACE, Draining, listen, protocol
from fsdl_deploy.service.refusal import Refusal, error_body


class Problem(BaseModel):
    """Which field of the request is at fault, and what is wrong with it."""

    field: str
    problem: str


class Error(BaseModel):
    error: Problem


class Ready(BaseModel):
    """The model has read its test picture; the limits are those of one request."""

    model_version: str
    max_pictures: int
    max_bytes: int


def create_app(
    reader: Reader | Callable[[], Reader],
    *,
    max_pictures: int = 64,
    max_bytes: int = parsing.MAX_BODY,
    threads: int | None = None,
    max_waiting: int = 64,
    max_batch: int = 1,
    delay: float = 0.0,
    patience: float = PATIENCE,
    body_seconds: float = 30.0,
    max_held: int = MAX_HELD,
    api_key: str | None = None,
    access_log: TextIO | None = None,
    on_failure: Callable[[], None] = lambda: None,
) -> FastAPI:
    """The model service for a reader, or for a function that loads one after the service has started.

    ``threads``: readings at the same time, by default one a core; each of up to ``max_batch`` requests, for
    which the first waits up to ``delay`` seconds. ``max_waiting`` requests may wait, each for ``patience``
    seconds. ``max_bytes``, ``body_seconds``: the most that a body may have and take; ``max_held``: the bytes
    of all bodies at a time. ``api_key``: whoever wants a reading must send it. ``access_log`` gets one line
    of JSON a request. ``on_failure`` is called when the model does not load; ``app.state.model.failure``
    then says why.
    """
    model = Model(reader, threads or os.cpu_count() or 1, max_waiting, max_batch, delay, patience)

    @asynccontextmanager
    async def lifespan(app: FastAPI):
        async def load():
            await model.load()
            if model.failure:
                on_failure()

        loading = asyncio.create_task(load())
        yield
        loading.cancel()
        model.close()

    app = FastAPIOffline(
        title="Meter reader",
        version="1",
        description="Reads the handwritten digits on pictures of meter cards.",
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None, "tryItOutEnabled": True},
        lifespan=lifespan,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.model = model
    app.add_middleware(access.Access, api_key=api_key, log=access_log)
    app.add_middleware(BodyLimit, max_bytes=max_bytes, seconds=body_seconds, max_held=max_held)
    app.add_middleware(Measured, model=model)

    errors = _errors(400, 401, 408, 413, 415, 422, 429, 500, 503)
    described = {"openapi_extra": parsing.describe(max_pictures), "responses": errors}

    @app.post("/read", **described)
    async def read(request: Request) -> Answer:
        """Read one or many pictures (PNG, JPEG, WebP, BMP or GIF)."""
        body = await parsing.encoded_pictures(request, max_pictures)
        return await model.read(partial(parsing.parse_pictures, body, max_pictures), request.receive)

    @app.post("/predict", **described)
    async def lecture(request: Request) -> Answer:
        """Read pictures, by the name of the lecture's slide: `curl -X POST --url …/predict -d '{…}'`."""
        return await read(request)

    clouds.add_routes(app, model, max_pictures, errors)
    open_inference.add_routes(app, model, max_pictures)
    tensorflow_serving.add_routes(app, model, max_pictures)

    @app.head("/healthz", include_in_schema=False)
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process lives."""
        return {"status": "alive"}

    @app.head("/readyz", include_in_schema=False)
    @app.get("/readyz", responses=_errors(503))
    async def readyz() -> Ready:
        """The model is loaded and has read a test picture: requests may come."""
        version = model.ready().model_version
        return Ready(model_version=version, max_pictures=max_pictures, max_bytes=max_bytes)

    @app.head("/metrics", include_in_schema=False)
    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Counts and times for Prometheus."""
        return Response(prometheus.generate_latest(model.registry), media_type=prometheus.CONTENT_TYPE_LATEST)

    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse("docs")

    @app.exception_handler(Refusal)
    async def refuse(request: Request, error: Refusal) -> JSONResponse:
        return JSONResponse(error_body(request.url.path, error), error.status, error.headers)

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> JSONResponse:
        return await refuse(request, Refusal(400, "body", "the client left before the answer"))

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> Response:
        path = ascii(request.url.path[:80])
        if error.status_code != 405:
            return await refuse(request, Refusal(error.status_code, "path", f"nothing at {path}, see /docs"))
        matching = [route for route in app.routes if route.matches(request.scope)[0] is not Match.NONE]
        allow = {
            "Allow": ", ".join(sorted({m for r in matching for m in getattr(r, "methods", {"GET", "HEAD"})}))
        }
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=allow)
        return await refuse(request, Refusal(405, "method", f"{path} takes {allow['Allow']} only", allow))

    return app


def _errors(*statuses: int) -> dict:
    return {status: {"model": Error} for status in statuses}


def add_arguments(parser) -> None:
    parser.add_argument("--version", default="v2", help="model version (default: %(default)s)")
    parser.add_argument(
        "--device", choices=DEVICES, default="cpu", help="where the model computes (default: %(default)s)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="0 picks a free one (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="readings at the same time (default: one a core)")
    parser.add_argument(
        "--max-waiting", type=int, default=64, help="requests that may wait; more get a 429 (default: 64)"
    )
    parser.add_argument(
        "--max-batch", type=int, default=1, help="requests that are read together (default: %(default)s)"
    )
    parser.add_argument(
        "--patience", type=float, default=PATIENCE, help="longest wait in seconds; then a 503 (default: 20)"
    )
    parser.add_argument(
        "--delay-ms", type=float, default=0.0, help="longest wait for a batch to fill (default: %(default)s)"
    )
    parser.add_argument("--access-log", action="store_true", help="write a line of JSON for each request")
    parser.add_argument(
        "--drain", type=float, default=0.0, help="go on for so many seconds after SIGTERM (default: 0)"
    )
    parser.add_argument(
        "--grace", type=float, default=GRACE, help="then finish what waits for so many seconds (default: 30)"
    )
    parser.add_argument("--max-pictures", type=int, default=64, help="in one request (default: %(default)s)")


def main(args) -> int:
    if args.max_waiting < 0:
        raise ValueError("--max-waiting must be at least 0")
    if not 0 <= args.delay_ms <= 10_000:
        raise ValueError("--delay-ms must be 0 to 10000 milliseconds")
    for name in ("threads", "max_pictures", "max_batch"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be at least 1")
    if not 0 < args.patience <= 3600:
        raise ValueError("--patience must be above 0, up to 3600 seconds")
    for name in ("drain", "grace"):
        if not 0 <= getattr(args, name) <= 3600:
            raise ValueError(f"--{name} must be 0 to 3600 seconds")

    def load() -> Reader:
        from fsdl_deploy.reader import OnnxReader

        return OnnxReader(args.version, device=args.device)

    names = ("threads", "max_pictures", "max_waiting", "max_batch", "drain", "grace", "patience")
    settings = {name: getattr(args, name) for name in names}
    settings |= {"delay": args.delay_ms / 1000}
    settings |= {"api_key": checked(os.environ.get("FSDL_API_KEY"), "FSDL_API_KEY")}
    settings |= {"access_log": sys.stdout if args.access_log else None}
    return serve(load, args.host, args.port, **settings)


def serve(
    reader: Reader | Callable[[], Reader],
    host: str,
    port: int,
    drain: float = 0.0,
    grace: float = GRACE,
    **settings,
) -> int:
    """Serve until SIGTERM or Ctrl-C; print the URL when the port is open. ``settings`` are create_app's.

    ``drain``: seconds from the signal to the end of new requests, see Draining. ``grace``: seconds from then
    on for those that were taken, run or wait; what is not answered by then is broken off.
    Raises ValueError or OSError for a bad or taken address, RuntimeError when the model does not load.
    """
    app = create_app(reader, on_failure=lambda: setattr(server, "should_exit", True), **settings)
    config = uvicorn.Config(
        app, http=protocol(), log_level="warning", timeout_keep_alive=30, timeout_graceful_shutdown=grace
    )
    server = Draining(config, app.state.model, drain)
    listener = listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    print(f"serving at http://{shown}:{listener.getsockname()[1]}", flush=True)
    server.run(sockets=[listener])
    if app.state.model.failure:
        raise RuntimeError(f"the model did not load: {app.state.model.failure}")
    return 0
