"""The other of uvicorn's two HTTP parsers, which needs nothing but Python: as strict as the quicker one

Knows connections as h11's events; knows nothing about what is asked.
"""

from dataclasses import replace

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from fsdl_deploy.service import heads
from fsdl_deploy.service.connection import Connection
from fsdl_deploy.service.refusal import Refusal


class WholeH11(Connection, H11Protocol):
    """uvicorn's connection with h11, whose events are looked at before uvicorn sees them."""

    slice = 2**11  # it takes ten times as long for a chunk
    _problem: Refusal | None = None

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self._next_event, self.conn.next_event = self.conn.next_event, self._checked_event

    def parse(self, data: bytes) -> None:
        if self.heading and not self.conn.trailing_data[0]:
            data = data.lstrip(b"\r\n")  # empty lines before a request (RFC 9112, 2.2)
        if data:  # none means the end to h11
            self.conn.receive_data(data)
            self.handle_events()

    def handle_events(self) -> None:
        if not self._deaf:
            super().handle_events()

    def send_400_response(self, msg: str) -> None:
        self.refuse(self._problem or Refusal(400, "request", msg))

    def _unsupported_upgrade_warning(self) -> None:
        """Java's client offers HTTP/2 with each request: that is no news."""

    def _checked_event(self):
        """The next event; RemoteProtocolError, which uvicorn expects, for what is refused."""
        try:
            event = self._next_event()
            if isinstance(event, h11.Request):
                return self._checked(event)
            if isinstance(event, h11.Data):
                self.piece_of_body()
            elif isinstance(event, h11.EndOfMessage):
                self.message_is_whole()
            return event
        except Refusal as problem:
            self._problem = problem
            raise h11.RemoteProtocolError(problem.problem, problem.status) from None
        except h11.RemoteProtocolError as error:
            self._problem = Refusal(error.error_status_hint, "request", f"it is not HTTP: {error}"[:200])
            raise

    def _checked(self, request: h11.Request) -> h11.Request:
        fields = [(name.lower(), value) for name, value in request.headers]
        heads.check(request.method, request.target, request.http_version.decode(), fields)
        self.head_is_whole(any(name == b"transfer-encoding" for name, _ in fields))
        path = heads.path_of(request.target)
        return request if path == request.target else replace(request, target=path)
