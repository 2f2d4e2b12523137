"""Errors over HTTP: their form in the OpenAPI document, and what turns each into an answer.

Knows FastAPI and what a refusal says in each format; knows nothing about why one is raised.
"""

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from fsdl_deploy.service.refusal import Refusal, error_body


class Problem(BaseModel):
    """Which field of the request is at fault, and what is wrong with it."""

    field: str
    problem: str


class Error(BaseModel):
    error: Problem


class TensorError(BaseModel):  # as the Open Inference Protocol and TensorFlow Serving write it
    error: str


def documented(*statuses: int, form: type[BaseModel] = Error) -> dict:
    """The ``responses`` of a route that may answer with these statuses, each in ``form``."""
    return {status: {"model": form} for status in statuses}


def add_handlers(app: FastAPI) -> None:
    """Answer every refusal, client that left and unknown route in the format that its path speaks."""
    app.exception_handler(Refusal)(_refuse)
    app.exception_handler(ClientDisconnect)(_refuse)
    app.exception_handler(HTTPException)(_no_route)


def answer(request: Request, error: Refusal | ClientDisconnect) -> JSONResponse:
    """What a refusal becomes in the format of the request's path, and so does a client that left."""
    if isinstance(error, ClientDisconnect):
        error = Refusal(400, "body", "the client left before the answer")
    return JSONResponse(error_body(request.scope["path"], error), error.status, error.headers)


async def _refuse(request: Request, error: Refusal | ClientDisconnect) -> JSONResponse:
    return answer(request, error)


async def _no_route(request: Request, error: HTTPException) -> Response:
    path = ascii(request.url.path[:80])
    if error.status_code != 405:
        return await _refuse(request, Refusal(error.status_code, "path", f"nothing at {path}, see /docs"))
    allowed = {"Allow": ", ".join(_methods(request))}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=allowed)
    return await _refuse(request, Refusal(405, "method", f"{path} takes {allowed['Allow']} only", allowed))


def _methods(request: Request) -> list[str]:
    """The methods that the routes of this path take."""
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in routes for method in getattr(route, "methods", {"GET", "HEAD"})})
