"""How much of the bodies the service takes in: bytes of one, bytes of all together, and seconds.

ASGI middleware around the service's routes. Knows HTTP bodies as bytes; knows nothing about what is in them.
"""

import asyncio
import contextlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fsdl_deploy.service.parsing import MAX_BODY
from fsdl_deploy.service.refusal import AGAIN, Refusal

MAX_HELD = 16 * MAX_BODY
"""Bytes of all bodies that are in memory at the same time, those of requests that wait too."""
SMALL = 2**16
"""Bytes of a body that uvicorn takes in before the service is asked: refusing these would save nothing."""
LINGER = 5.0
"""Seconds for which an unread body is thrown away after the answer, see BodyLimit."""


class BodyLimit:
    """ASGI middleware: a body of at most ``max_bytes`` that arrives within ``seconds``, not compressed.

    All bodies together have at most ``max_held`` bytes: above, a body that is not SMALL gets a 429 before
    more of it is in memory, so a crowd of large requests shuts out no single card. A refusal is raised
    where the application reads the body, so a body that nobody reads is never kept. After an early answer
    the rest of the body is read and thrown away for LINGER seconds: closing at once would reset the
    connection, and the client would lose the answer that explains.
    """

    def __init__(
        self, app: ASGIApp, max_bytes: int = MAX_BODY, seconds: float = 30.0, max_held: int = MAX_HELD
    ):
        self.app, self.max_bytes, self.seconds = app, max_bytes, seconds
        self.max_held, self._held = max(max_held, max_bytes), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "0")
        announced = int(announced[:20]) if announced.isascii() and announced.isdigit() else 0
        compressed = headers.get("content-encoding", "identity").lower() != "identity"
        arrived = not announced and "transfer-encoding" not in headers
        count, held, linger = 0, 0, LINGER
        deadline = asyncio.get_running_loop().time() + self.seconds

        async def limited_receive() -> Message:
            nonlocal arrived, count, held, linger
            if compressed and not arrived:
                raise Refusal(415, "Content-Encoding", "the body must not be compressed: send it as it is")
            if max(announced, count) > self.max_bytes:
                raise self._too_large()
            try:
                async with asyncio.timeout_at(None if arrived else deadline):
                    message = await receive()
            except TimeoutError:
                linger = 0  # it had its time
                raise Refusal(408, "body", f"the body did not arrive within {self.seconds:g} s") from None
            size = len(message.get("body", b""))
            count += size
            arrived = not message.get("more_body", False)
            if count > self.max_bytes:
                raise self._too_large()
            if count > SMALL and self._held + size > self.max_held:
                busy = f"busy: holds {self._held:,} bytes of requests, try again"
                raise Refusal(429, "service", busy, AGAIN)
            self._held += size
            held += size
            return message

        async def lingering_send(message: Message) -> None:
            if not arrived and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["connection"] = "close"
            elif not arrived and not message.get("more_body"):
                await send({**message, "more_body": True})
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(linger):
                        while (await receive()).get("more_body", False):
                            pass
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        try:
            await self.app(scope, limited_receive, lingering_send)
        finally:  # only now: what waits or runs keeps its body, and so does the trace of a refusal
            self._held -= held

    def _too_large(self) -> Refusal:
        return Refusal(413, "body", f"the body has more than {self.max_bytes:,} bytes: send fewer pictures")
