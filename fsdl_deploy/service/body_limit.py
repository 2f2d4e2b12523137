"""How much of the bodies the service takes in: bytes of one, bytes of all together, and seconds.

ASGI middleware around the service's routes. Knows HTTP bodies as bytes, and has them unpacked by
``compressed``; knows nothing about what is in them.
"""

import asyncio
import contextlib
from collections.abc import Iterator

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fsdl_deploy.service import compressed
from fsdl_deploy.service.parsing import MAX_BODY
from fsdl_deploy.service.refusal import AGAIN, Refusal

MAX_HELD = 16 * MAX_BODY
"""Bytes of all bodies that are in memory at the same time, those of requests that wait too."""
SMALL = 2**16
"""Bytes of a body that uvicorn takes in before the service is asked: refusing these would save nothing."""
LINGER = 5.0
"""Seconds for which an unread body is thrown away after the answer, see BodyLimit."""


class BodyLimit:
    """ASGI middleware: a body of at most ``max_bytes`` that arrives within ``seconds``, and is then unpacked.

    ``max_bytes`` is the limit of what arrives and of what it unpacks to.
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
        self.max_held, self.held = max(max_held, max_bytes), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        body = _Body(self, Headers(scope=scope), receive, send)
        try:
            await self.app(scope, body.receive, body.send)
        finally:  # only now: what waits or runs keeps its body, and so does the trace of a refusal
            self.held -= body.held


class _Body:
    """The body of one request, as it arrives."""

    def __init__(self, limit: BodyLimit, headers: Headers, receive: Receive, send: Send):
        self._limit, self._headers, self._receive, self._send = limit, headers, receive, send
        announced = headers.get("content-length", "0")
        self._announced = int(announced[:20]) if announced.isascii() and announced.isdigit() else 0
        self._arrived = not self._announced and "transfer-encoding" not in headers
        self._count, self._unpacked, self.held, self._linger = 0, 0, 0, LINGER
        self._deadline = asyncio.get_running_loop().time() + limit.seconds
        self._unpacking: compressed.Unpacking | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._begun = self._whole = False

    async def receive(self) -> Message:
        """The next message of the request, unpacked. Raises Refusal."""
        if not self._begun:
            self._begun = True
            coding = compressed.coding(self._headers.getlist("content-encoding"))
            self._unpacking = compressed.Unpacking(coding) if coding else None
        if self._unpacking is not None:
            return await self._next_unpacked(self._unpacking)
        message = await self._arriving()
        self._hold(len(message.get("body", b"")))
        return message

    async def _next_unpacked(self, unpacking: compressed.Unpacking) -> Message:
        while True:
            await asyncio.sleep(0)  # a body that unpacks to much must not keep the event loop from others
            if (piece := next(self._pieces, None)) is not None:
                self._unpacked += len(piece)
                if self._unpacked > self._limit.max_bytes:
                    raise self._too_large()
                self._hold(len(piece))
                return {"type": "http.request", "body": piece, "more_body": True}
            if self._whole:
                return await self._receive()  # which says when the client leaves
            if self._arrived:
                unpacking.end()
                self._whole = True
                return {"type": "http.request", "body": b"", "more_body": False}
            message = await self._arriving()
            if message["type"] != "http.request":
                return message
            self._pieces = unpacking.unpacked(message.get("body", b""))

    async def _arriving(self) -> Message:
        """The next message as it arrives, within the limits of bytes and seconds."""
        limit = self._limit
        if max(self._announced, self._count) > limit.max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout_at(None if self._arrived else self._deadline):
                message = await self._receive()
        except TimeoutError:
            self._linger = 0  # it had its time
            raise Refusal(408, "body", f"the body did not arrive within {limit.seconds:g} s") from None
        self._count += len(message.get("body", b""))
        self._arrived = not message.get("more_body", False)
        if self._count > limit.max_bytes:
            raise self._too_large()
        return message

    def _hold(self, size: int) -> None:
        if max(self._count, self._unpacked) > SMALL and self._limit.held + size > self._limit.max_held:
            busy = f"busy: holds {self._limit.held:,} bytes of requests, try again"
            raise Refusal(429, "service", busy, AGAIN)
        self._limit.held += size
        self.held += size

    def _too_large(self) -> Refusal:
        most = f"the body has more than {self._limit.max_bytes:,} bytes: send fewer pictures"
        return Refusal(413, "body", most)

    async def send(self, message: Message) -> None:
        """The answer; behind an early one the rest of the body is thrown away for a while."""
        if not self._arrived and message["type"] == "http.response.start":
            MutableHeaders(scope=message)["connection"] = "close"
        elif not self._arrived and not message.get("more_body"):
            await self._send({**message, "more_body": True})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._linger):
                    while (await self._receive()).get("more_body", False):
                        pass
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)
