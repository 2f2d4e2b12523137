"""What a master and a worker say to each other: objects of JSON, a line each, over a pair of sockets

Knows lines; what they mean is in ``workers`` and ``worker``.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

LONGEST = 2**24
"""Bytes of a line: a page of metrics has some ten thousand."""


class Channel:
    """One end, for one event loop. What is said to a process that has ended is lost without an error."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader, self._writer = reader, writer

    @classmethod
    async def over(cls, end: socket.socket) -> "Channel":
        """The channel over this end of a socket pair."""
        return cls(*await asyncio.open_unix_connection(sock=end, limit=LONGEST))

    def say(self, **message) -> None:
        """Send it, without waiting until the other has it."""
        if not self._writer.is_closing():
            self._writer.write(json.dumps(message).encode() + b"\n")

    async def heard(self) -> AsyncIterator[dict]:
        """Each message, until the other process has ended or closed its end."""
        with contextlib.suppress(ConnectionError):
            while line := await self._reader.readline():
                yield json.loads(line)

    async def flushed(self) -> None:
        """Wait until the system has what was said."""
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    def close(self) -> None:
        """Say no more."""
        self._writer.close()
