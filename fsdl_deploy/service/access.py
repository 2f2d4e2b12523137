"""Who may ask, and what was answered: an API key, a request id, and one line of log a request.

ASGI middleware around the service's routes. Knows HTTP headers; knows nothing about pictures or models.
Accounts, TLS and quotas belong to the proxy in front.
"""

import json
import logging
import random
import re
import time
from datetime import UTC, datetime
from typing import TextIO

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fsdl_deploy.api_key import allows, checked
from fsdl_deploy.service.refusal import Refusal, error_body

fault = logging.getLogger(__name__)
REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)  # what may go into a log and a header as it came


class Access:
    """Asks for ``api_key`` where the model runs (POST), and writes JSON lines to ``log``.

    Health, metrics and the contract stay open. A client's ``X-Request-Id`` is kept, else one is made; it
    stands in the answer and in the log, so that one request can be followed through many services. What
    nobody foresaw becomes a 500 with that id. Raises ValueError for a key that can never match.
    """

    def __init__(self, app: ASGIApp, api_key: str | None = None, log: TextIO | None = None):
        self.app, self.api_key, self.log = app, checked(api_key, "api_key"), log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers, started = Headers(scope=scope), time.perf_counter()
        status, began = 500, False
        given = headers.get("x-request-id", "")
        # Not uuid4: it asks the system, which lets go of Python's lock and under load waits to get it back.
        request_id = given if REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"

        async def watching_send(message: Message) -> None:
            nonlocal status, began
            if message["type"] == "http.response.start":
                status, began = message["status"], True
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        app = self.app
        sent = headers.get("authorization", "")
        if self.api_key and scope["method"] == "POST" and not allows(self.api_key, sent):
            refusal = Refusal(401, "Authorization", "send the service's key as Authorization: Bearer KEY")
            body = error_body(scope["path"], refusal)
            app = JSONResponse(body, refusal.status, {"WWW-Authenticate": "Bearer"})
        try:
            await app(scope, receive, watching_send)
        except Exception:
            if began:  # half an answer can only be broken off
                raise
            # Here, inside the other middleware, and not raised further: uvicorn would close the connection
            # under the client's next request, and nobody could find the traceback by the id.
            fault.exception("request %s failed", request_id)
            refusal = Refusal(500, "service", f"the service failed; its log says why at {request_id}")
            await JSONResponse(error_body(scope["path"], refusal), 500)(scope, receive, watching_send)
        finally:
            if self.log:
                line = {
                    "time": datetime.now(UTC).isoformat(timespec="milliseconds"), "request_id": request_id,
                    "method": scope["method"], "path": scope["path"], "status": status,
                    "ms": round(1000 * (time.perf_counter() - started), 1),
                    "client": (scope.get("client") or ["?"])[0],
                }  # fmt: skip
                self.log.write(json.dumps(line) + "\n")
                self.log.flush()
