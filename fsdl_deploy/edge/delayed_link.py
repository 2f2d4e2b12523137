"""A link with a round trip, which can be cut: a TCP proxy on loopback between a client and a server

Bytes arrive half a round trip later, in each direction, and a new connection costs a whole one, as TCP's
handshake does. A cut link either says so (connections break, new ones are refused: a phone without signal)
or says nothing (bytes vanish: a router whose uplink is gone). Knows nothing of what is sent.
"""

import asyncio
import threading
from contextlib import suppress

from fsdl_deploy.running.ports import HOST


class DelayedLink:
    """``with DelayedLink(server.port, round_trip=0.1) as link: RemoteReader(link.url)``.

    ``round_trip``: seconds, and may be set at any time. ``silent``: how the link is while it is cut, see
    above. ``passed``: bytes that have arrived so far, in both directions. Raises ValueError for a round trip
    below 0.
    """

    def __init__(self, port: int, round_trip: float = 0.0, silent: bool = False):
        if not round_trip >= 0:
            raise ValueError(f"a round trip takes 0 seconds or more, not {round_trip}")
        self.server_port, self.round_trip, self.silent = port, round_trip, silent
        self.port, self.passed, self.down = 0, 0, False
        self.ends: set[_End] = set()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._ready = threading.Event()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def cut(self) -> None:
        """From now on nothing arrives; open connections break, unless the link is silent."""
        self.down = True
        if not self.silent:
            self.loop.call_soon_threadsafe(self._break_all)

    def mend(self) -> None:
        """From now on new bytes arrive, but on no connection that has lost some: a stream has no gaps."""
        self.down = False

    def __enter__(self) -> "DelayedLink":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *exception) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    def _run(self) -> None:
        server = self.loop.run_until_complete(self.loop.create_server(lambda: _Near(self), HOST, 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self.loop.run_forever()
        server.close()
        self._break_all()
        self.loop.run_until_complete(self._until_closed())
        self.loop.close()

    async def _until_closed(self) -> None:
        dialling = asyncio.all_tasks() - {asyncio.current_task()}
        for task in dialling:
            task.cancel()
        await asyncio.gather(*dialling, return_exceptions=True)
        while self.ends:
            self._break_all()
            await asyncio.sleep(0)

    def _break_all(self) -> None:
        for end in tuple(self.ends):
            end.transport.abort()


class _End(asyncio.Protocol):
    """One end of a connection: what comes in here goes out at the ``other`` end, half a round trip later."""

    def __init__(self, link: DelayedLink):
        self.link, self.other, self.transport = link, None, None
        self.open_at, self.last, self.broken = 0.0, 0.0, False

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.link.ends.add(self)

    def data_received(self, data: bytes) -> None:
        self._later(self._arrive, data)

    def eof_received(self) -> bool:
        self._later(self._end)
        return True  # the other direction goes on

    def connection_lost(self, error) -> None:
        self.link.ends.discard(self)
        if self.other and self.other.transport:
            self._later(self.other.transport.abort)

    def _later(self, call, *arguments) -> None:
        """Later than all that came before: the loop keeps no order between calls of the same moment."""
        begin = max(self.link.loop.time(), self.open_at)
        self.last = max(begin + self.link.round_trip / 2, self.last + 1e-6)
        self.link.loop.call_at(self.last, call, *arguments)

    def _arrive(self, data: bytes) -> None:
        self.broken |= self.link.down
        if not self.broken and not self.other.transport.is_closing():
            self.link.passed += len(data)
            self.other.transport.write(data)

    def _end(self) -> None:
        with suppress(OSError):  # the other end may have gone meanwhile
            if not self.broken and self.other.transport.can_write_eof():
                self.other.transport.write_eof()


class _Near(_End):
    """The client's end: it dials the server when a client has come."""

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        if self.link.down and not self.link.silent:
            transport.abort()
            return
        self.open_at = self.link.loop.time() + self.link.round_trip  # the handshake
        self.other = _End(self.link)
        self.other.other = self
        transport.pause_reading()  # until the server has answered: what comes first must go first
        self.dialling = self.link.loop.create_task(self._dial())

    async def _dial(self) -> None:
        try:
            await self.link.loop.create_connection(lambda: self.other, HOST, self.link.server_port)
        except OSError:  # no server there: the client sees what it would see without us
            self.transport.abort()
        if self.transport.is_closing():
            if self.other.transport:
                self.other.transport.abort()  # cut meanwhile
        else:
            self.transport.resume_reading()
