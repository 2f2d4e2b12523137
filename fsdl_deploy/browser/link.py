"""A link that breaks on command: between the app's server and the browser, for tests and for lessons

ASGI middleware. ``link.faults[PATH]`` says what happens to the next requests for a path; all that was sent is
counted.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class Fault:
    """What goes wrong with an answer: it is ``cut`` after so many bytes; or its ``body`` is another, sent
    over and over with ``endless``; or it is ``silent``: it never comes."""

    cut: int | None = None
    body: bytes | None = None
    endless: bool = False
    silent: bool = False


class LinkCut(ConnectionError):
    """The link was cut in the middle of an answer, as asked for."""


@dataclass
class Link:
    """Passes requests on to ``app``, and does to each what ``faults`` says for its path."""

    app: ASGIApp
    faults: dict[str, Fault] = field(default_factory=dict)
    down: bool = False
    """Nothing is answered at all."""
    asked: Counter = field(default_factory=Counter)
    """How often each path was asked for."""
    sent: Counter = field(default_factory=Counter)
    """Bytes of heads and bodies that went out, by path."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path = scope["path"].removeprefix("/")
        self.asked[path] += 1
        if self.down:
            raise LinkCut(path)
        fault = self.faults.get(path)
        if fault is not None and fault.silent:
            return await _left(receive)
        leaving = asyncio.ensure_future(_left(receive)) if fault and fault.endless else None
        try:
            await self.app(scope, receive, self._sender(path, fault, send, leaving))
        finally:
            if leaving:
                leaving.cancel()

    def _sender(
        self, path: str, fault: Fault | None, send: Send, leaving: asyncio.Future | None = None
    ) -> Send:
        left = fault.cut if fault else None

        async def faulty(message: Message) -> None:
            nonlocal left
            if message["type"] == "http.response.start":
                if fault and fault.body is not None:
                    kept = [
                        (k, v)
                        for k, v in message["headers"]
                        if k not in (b"content-length", b"content-encoding")
                    ]
                    message = {**message, "status": 200, "headers": kept}
                self.sent[path] += sum(len(name) + len(value) + 4 for name, value in message["headers"])
                return await send(message)
            body = message.get("body", b"")
            if fault and fault.body is not None:
                while leaving and not leaving.done():
                    await self._out(path, fault.body, send)
                    await asyncio.sleep(0)
                body = fault.body
            if left is not None:
                await self._out(path, body[:left], send)
                left = max(0, left - len(body))
                if not left:
                    raise LinkCut(path)
                return
            self.sent[path] += len(body)
            await send({**message, "body": body})

        return faulty

    async def _out(self, path: str, body: bytes, send: Send) -> None:
        self.sent[path] += len(body)
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _left(receive: Receive) -> None:
    """Until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
