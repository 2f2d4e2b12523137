"""The model's own routes on the shortest way: in front of FastAPI, which describes them and serves the rest

FastAPI finds a route, looks at what its function wants and checks what it gives. A reading needs
none of that: its body is parsed by ``parsing``, and its answer is known to be right. So a POST to one of
these routes calls the very function that stands in FastAPI's document. Knows routes and answers; knows
nothing about pictures.
"""

import inspect
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fsdl_deploy.service import errors
from fsdl_deploy.service.refusal import Refusal


class _Way(NamedTuple):
    route: Route
    asked: tuple[str, ...]  # what the function wants of the path, beside the request


class Direct:
    """ASGI middleware: call the function of a POST route of ``routes`` itself; pass on anything else.

    The function takes the ``request``, and parts of the path by their names; it gives a Response or a model
    of pydantic. Its Refusal, and a client that left, become the answers that ``errors`` makes of them.
    ``routes`` is looked at when the first request comes.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[Route]):
        self.app = app
        self._whole: dict[str, _Way] = {}
        self._patterns: list[tuple[re.Pattern, _Way]] = []
        for route in routes:
            way = _Way(route, tuple(set(inspect.signature(route.endpoint).parameters) - {"request"}))
            if "{" in route.path:
                self._patterns.append((route.path_regex, way))
            else:
                self._whole[route.path] = way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self._find(scope) if scope["type"] == "http" and scope["method"] == "POST" else None
        if way is None:
            return await self.app(scope, receive, send)
        scope["route"] = way.route
        response = await _answer(way, Request(scope, receive, send))
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> _Way | None:
        if scope.get("root_path"):  # a prefix of the path: FastAPI knows what to do with it
            return None
        path = scope["path"]
        if way := self._whole.get(path):
            scope["path_params"] = {}
            return way
        for pattern, way in self._patterns:
            if match := pattern.match(path):
                scope["path_params"] = match.groupdict()
                return way
        return None


async def _answer(way: _Way, request: Request) -> Response:
    function: Callable = way.route.endpoint
    parts = request.path_params
    try:
        result = await function(request, **{name: parts[name] for name in way.asked})
    except (ClientDisconnect, Refusal) as error:
        return errors.answer(request, error)
    if isinstance(result, BaseModel):
        return Response(result.__pydantic_serializer__.to_json(result), media_type="application/json")
    return result
