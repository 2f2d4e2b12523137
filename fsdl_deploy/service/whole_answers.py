"""An answer leaves in one piece: uvicorn itself writes its head, and then its body.

Between the two a process can be killed. A balancer has then passed on a head whose body never comes, the one
death of a replica that it cannot hide by asking another. And one write costs less than two.
Knows connections as bytes; works with both of uvicorn's HTTP parsers.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class WholeAnswers:
    """To be a protocol's first base: what it writes for an answer goes to the socket together."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(OnePiece(transport, self.loop))

    def on_response_complete(self) -> None:
        self.transport.flush()
        super().on_response_complete()


class OnePiece:
    """A transport that keeps what is written until ``flush``, or until the event loop's next round.

    So the parts of a long answer that come later leave as they come. Everything else is the transport's.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop):
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(bytes(data))

    def flush(self) -> None:
        """Write what was kept; a connection that the other side has left takes nothing."""
        parts, self._parts = self._parts, []
        if parts and not self._transport.is_closing():
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str):
        return getattr(self._transport, name)


class WholeH11(WholeAnswers, H11Protocol):
    """uvicorn's connection with the parser that needs nothing but Python."""
