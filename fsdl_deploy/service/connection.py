"""A connection of the service, with either of uvicorn's HTTP parsers: how long, how much, how it ends

A request's head has HEAD_SECONDS. What arrives is parsed slice by slice, and between two slices everybody
else has a turn. A client that sends no more (half-closed) still gets its answer. At the end of the service
what was taken is answered. Knows connections as bytes; what a head may hold is in ``heads``, how many
connections there may be in ``connection_limit``.
"""

import asyncio

from fsdl_deploy.service import heads
from fsdl_deploy.service.connection_limit import ConnectionLimit
from fsdl_deploy.service.refusal import Refusal
from fsdl_deploy.service.whole_answers import WRITE_SECONDS, OnePiece

HEAD_SECONDS = 15.0
"""From the first byte of a request, or from the opening of the connection, to the end of its headers."""
LAST_SECONDS = 0.3
"""At the service's end, for the request of a client that has just connected."""
LINGER = 1.0
"""Seconds for which what still arrives after a refusal is thrown away: a reset would cost the client it."""
PROBE = 0.5
"""Seconds between two looks whether the client that sends no more is still there."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"  # any client ignores it; a machine whose client has left resets
SLICE, BODY_SLICE = 2**12, 2**14
"""Bytes that are parsed in one go: of a head or of a chunked body, and of a body of known length."""
MAX_PIECES = 2**17
"""Chunks of one body: each costs as much as a request's smallest parts, however small it is."""


class Connection:
    """To be the first base of one of uvicorn's protocols, which gives ``parse(data)``.

    That calls ``head_is_whole`` and ``message_is_whole``, and ``refuse`` for what is no good HTTP.
    """

    slice = SLICE
    heading, chunked, pieces = True, False, 0
    _begun = _deaf = _ended = _leaving = _later = _lost = False
    _last_words = b""
    _head_timer = _write_timer = _probe_timer = None

    # What asyncio calls

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(OnePiece(transport, self.loop))
        self._unparsed = bytearray()
        self._expect_head()
        self.idle_since = self.loop.time()
        limit = getattr(self.server_state, "connection_limit", None) or ConnectionLimit()
        limit.make_room(self, self.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = self._deaf = True
        for timer in filter(None, (self._head_timer, self._write_timer, self._probe_timer)):
            timer.cancel()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._unparsed += data
        if not self._later:
            self._parse()

    def eof_received(self) -> bool | None:
        """True keeps the connection open for the answer to a request that is whole."""
        if self._deaf or (self.idle and not self._begun):
            return None
        if self.idle or self.cycle.more_body:
            self.refuse(Refusal(400, "request", "the client ended it before it was whole: send all of it"))
        else:
            self._ended = True
            self._probe_timer = self.loop.call_later(PROBE, self._probe)
        return True

    def pause_writing(self) -> None:
        self._write_timer = self.loop.call_later(WRITE_SECONDS, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        if self._write_timer:
            self._write_timer.cancel()
        super().resume_writing()

    # What uvicorn calls

    def on_response_complete(self) -> None:
        self.transport.flush()
        more = self.waiting()
        super().on_response_complete()
        if self._last_words and not more:
            self._leave(self._last_words)
        elif self.idle:
            self.idle_since = self.loop.time()
            if self._ended or self._leaving:
                self.transport.close()
        if self._unparsed and not self._later:
            self._parse_later()

    def shutdown(self) -> None:
        """The service ends: a client that has just come may still send what it came for."""
        self._leaving = True
        if self.idle:
            self.loop.call_later(LAST_SECONDS, self._close_if_idle)
        else:
            super().shutdown()

    # What the two parsers call

    @property
    def idle(self) -> bool:
        """Nothing is asked, or the last answer is complete."""
        return self.cycle is None or self.cycle.response_complete

    def head_is_whole(self, chunked: bool) -> None:
        self.heading, self.chunked, self.pieces, self._begun = False, chunked, 0, False
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None

    def piece_of_body(self) -> None:
        """Raise Refusal when a chunked body has come in more than MAX_PIECES pieces."""
        self.pieces += 1
        if self.chunked and self.pieces > MAX_PIECES:
            raise Refusal(413, "body", f"more than {MAX_PIECES:,} chunks: send larger ones")

    def message_is_whole(self) -> None:
        self.heading, self.chunked = True, False

    def refuse(self, refusal: Refusal) -> None:
        """Answer what is no request, after the requests before it, and end the connection."""
        if self._deaf:
            return
        self._deaf = True
        self._unparsed.clear()
        self.logger.warning("refused with %d: %s: %s", refusal.status, refusal.field, refusal.problem)
        if self.idle:
            self._leave(heads.answer(refusal))
        elif not self.cycle.more_body:
            self._last_words = heads.answer(refusal)
        elif self.cycle.response_started:
            self.transport.close()
        elif self.waiting():  # the request that broke off is not the one that is answered now
            self.drop_last()
            self._last_words = heads.answer(refusal)
        else:
            self.cycle.disconnected = True  # before the application can answer, too
            self.cycle.message_event.set()
            self._leave(heads.answer(refusal))

    def waiting(self) -> bool:
        """Whether whole requests wait behind the one that is answered now."""
        return False

    def drop_last(self) -> None:
        """Forget the last of the requests that wait."""

    # Its own

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _parse(self) -> None:
        self._later = False
        if self._deaf or self.transport.is_closing():
            return self._unparsed.clear()
        if self.waiting():
            return self.transport.hold()  # on_response_complete goes on
        self._unset_keepalive_if_required()
        if self.heading:
            self._begun = True
            if self._head_timer is None and self.idle:
                self._expect_head()
        size = self.slice if self.heading or self.chunked else BODY_SLICE
        piece = bytes(self._unparsed[:size])
        del self._unparsed[:size]
        self.parse(piece)
        if self._unparsed:
            self.transport.hold()
            self._parse_later()
        else:
            self.transport.release()

    def _parse_later(self) -> None:
        self._later = True
        self.loop.call_soon(self._parse)

    def _too_slow(self) -> None:
        self._head_timer = None
        if self._begun:
            problem = f"the headers did not arrive within {HEAD_SECONDS:g} s"
            self.refuse(Refusal(408, "headers", problem))
        elif self.idle:
            self.transport.close()

    def _close_if_idle(self) -> None:
        if self.idle and not self._lost:
            self.transport.close()

    def _leave(self, words: bytes) -> None:
        self._unset_keepalive_if_required()
        self.transport.say_last(words)
        self.loop.call_later(LINGER, self.transport.close)

    def _probe(self) -> None:
        """Write to a client that sends no more: only the answer tells one that waits from one that left."""
        if self.idle or self._lost or self.transport.is_closing():
            return
        if not self.cycle.response_started and self.cycle.scope["http_version"] == "1.1":
            self.transport.write(CONTINUE)
        self._probe_timer = self.loop.call_later(PROBE, self._probe)
