"""An answer leaves in one piece: uvicorn itself writes its head, and then its body.

Between the two a process can be killed. A balancer has then passed on a head whose body never comes, the one
death of a replica that it cannot hide by asking another. And one write costs less than two.
Knows connections as bytes; works with both of uvicorn's HTTP parsers.
"""

import asyncio

WRITE_SECONDS = 30.0
"""For a client that takes nothing of its answer; then the connection is broken off."""


class OnePiece:
    """A transport that keeps what is written until ``flush``, or until the event loop's next round.

    So the parts of a long answer that come later leave as they come. Reading stops while anybody wants it to:
    the application (``pause_reading``) or the connection, which has not parsed all of it (``hold``).
    Everything else is the transport's.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop):
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []
        self._paused = self._held = self._last = False

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self.flush)
        if not self._last:
            self._parts.append(bytes(data))

    def flush(self) -> None:
        """Write what was kept; a connection that the other side has left takes nothing."""
        parts, self._parts = self._parts, []
        if parts and not self._transport.is_closing():
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        """Close it when all is written, or WRITE_SECONDS after, when the other side takes nothing."""
        self.flush()
        self._transport.close()
        waiting = getattr(self._transport, "get_write_buffer_size", int)()
        if waiting:
            self._loop.call_later(WRITE_SECONDS, self._transport.abort)

    def say_last(self, data: bytes) -> None:
        """Write ``data`` and the end; what is written later is dropped. Reading goes on."""
        self.write(data)
        self.flush()
        self._last, self._paused, self._held = True, False, False
        if not self._transport.is_closing():
            self._transport.write_eof()
            self._transport.resume_reading()

    def pause_reading(self) -> None:
        self._paused = True
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._paused = False
        if not self._held:
            self._transport.resume_reading()

    def hold(self) -> None:
        """Read nothing until ``release``, whatever the application asks."""
        if not self._held:
            self._held = True
            self._transport.pause_reading()

    def release(self) -> None:
        if self._held:
            self._held = False
            if not self._paused:
                self._transport.resume_reading()

    def __getattr__(self, name: str):
        return getattr(self._transport, name)
