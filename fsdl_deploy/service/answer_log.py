"""What was read, for whoever compares versions: a line of JSON for each request for a reading, by its id

ASGI middleware around the service's routes. Knows the service's own answers (``/read``, ``/predict``);
of other formats it notes the status only. The pictures are not kept.
"""

import json
import time
from typing import TextIO

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class AnswerLog:
    """ASGI middleware: write id, status, seconds, digits and confidence of each POST to ``log``.

    The id is the request's ``X-Request-Id``, which a proxy gives to each copy of a request: whoever joins the
    logs of two versions by it sees what both have read. A request without one is not noted.
    """

    def __init__(self, app: ASGIApp, log: TextIO):
        self.app, self.log = app, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = Headers(scope=scope).get("x-request-id") if scope["type"] == "http" else None
        if not request_id or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        begin, status, body = time.perf_counter(), 500, bytearray()

        async def watching_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, watching_send)
        finally:
            line = {"id": request_id, "status": status, "seconds": round(time.perf_counter() - begin, 4)}
            self.log.write(json.dumps(line | _readings(status, bytes(body))) + "\n")
            self.log.flush()


def _readings(status: int, body: bytes) -> dict:
    """The digits and confidences of an answer, {} for one of another form."""
    try:
        answer = json.loads(body) if status == 200 else {}
        readings = answer["readings"]
        return {
            "version": answer["model_version"],
            "digits": [reading["digits"] for reading in readings],
            "confidence": [round(reading["confidence"], 4) for reading in readings],
        }
    except (ValueError, KeyError, TypeError):
        return {}
