"""The quicker of uvicorn's two HTTP parsers with what it lacks: a limit for headers, and ears for no upgrade

Needs httptools. Knows connections as bytes; knows nothing about what is asked.
"""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fsdl_deploy.service import heads
from fsdl_deploy.service.connection import Connection
from fsdl_deploy.service.refusal import Refusal

MAX_HEAD = 2**16
"""Bytes of a request's line and headers; and of what stands between the chunks of a body, and behind them."""
CHUNK_LINES = 16  # bytes that a chunk may add: its length and two ends of lines


class BoundedHead(Connection, HttpToolsProtocol):
    """uvicorn's connection; it answers 431 and closes when the headers do not end within MAX_HEAD bytes.

    The parser itself has no limit: a header without an end would fill the memory, and copying what there is
    of it for each new piece would keep the event loop from everybody else. And where a client offers another
    protocol (``Upgrade: h2c``, as Java's does) the parser takes the body for that one's: then a parser that
    does not see the offer goes on behind the head.
    """

    _problem: Refusal | None = None
    _upgrading, _beside, _fields, _body_bytes = False, 0, 0, 0

    def parse(self, data: bytes) -> None:
        heading = self.heading
        self._body_bytes = pieces = 0
        pieces = self.pieces
        while data and not self._deaf:
            try:
                self.parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:
                data = self._plain_head() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            except httptools.HttpParserError as error:
                self.refuse(self._problem or Refusal(400, "request", f"it is not HTTP: {error}"[:200]))
                return
        if heading and not self.heading:
            return
        self._beside += len(data) - self._body_bytes - CHUNK_LINES * max(0, self.pieces - pieces)
        self._beside = max(0, self._beside)
        if self._beside > MAX_HEAD:
            self.refuse(Refusal(431, "headers", f"more than {MAX_HEAD:,} bytes: send fewer"))

    def _plain_head(self) -> bytes:
        """The head that was just parsed, without the offer of another protocol."""
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self._version.encode())]
        lines += [b"%s: %s" % field for field in heads.without_upgrade(self.headers)]
        self._upgrading = False
        return b"\r\n".join([*lines, b"", b""])

    def _raise(self, problem: Refusal) -> None:
        self._problem = problem  # the parser hides what its callbacks raise
        raise problem

    # What the parser calls

    def on_message_begin(self) -> None:
        self._fields = self._beside = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.heading:
            return  # a trailer: it came too late to be a header
        self._fields += 1
        if self._fields > heads.MAX_FIELDS:
            self._raise(heads.too_many_fields())
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._version = self.parser.get_http_version()
        try:
            heads.check(self.parser.get_method(), self.url, self._version, self.headers)
        except Refusal as problem:
            self._raise(problem)
        if self.parser.should_upgrade():
            self._upgrading = True
            return
        self.url = heads.path_of(self.url)
        self._beside = 0
        self.head_is_whole(any(name == b"transfer-encoding" for name, _ in self.headers))
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        try:
            self.piece_of_body()
        except Refusal as problem:
            self._raise(problem)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._upgrading:
            return
        self.message_is_whole()
        super().on_message_complete()

    # What a connection asks

    def waiting(self) -> bool:
        return bool(self.pipeline)

    def drop_last(self) -> None:
        self.pipeline.popleft()
