"""Every answer is counted and signed: by route and status, with the model's version.

ASGI middleware around the service's routes. Knows HTTP and the metrics; knows nothing about pictures.
"""

import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fsdl_deploy.service.model import Model
from fsdl_deploy.service.repository_routes import INDEX

UNROUTED = "other"  # the path, to the metrics, of what was refused before its route was known


class Counting:
    """ASGI middleware: count every answer by route and status; time and sign those of the model.

    ``X-Model-Version`` says who read, also where a cloud's format has no field for it.
    """

    def __init__(self, app: ASGIApp, model: Model):
        self.app, self.model = app, model

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start, status = time.perf_counter(), 500
        asks = scope["method"] == "POST" and scope["path"] != INDEX  # any other route that takes one reads

        async def watching_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self.model.stopping:
                    MutableHeaders(scope=message)["connection"] = "close"  # the next request goes elsewhere
                if asks and status == 200 and self.model.reader is not None:  # a route may answer without it
                    MutableHeaders(scope=message)["x-model-version"] = self.model.reader.model_version
            await send(message)

        try:
            await self.app(scope, receive, watching_send)
        finally:
            # The route, not the path: a stranger must not be able to add labels without end.
            path = getattr(scope.get("route"), "path", UNROUTED)
            metrics = self.model.metrics
            metrics.requests.labels(path, status).inc()
            # A refusal takes no time: counted too, it would make a service look quick that sends all away.
            if asks and status == 200:
                metrics.seconds.observe(time.perf_counter() - start)
