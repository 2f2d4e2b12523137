"""A limit for the headers of a request, which the quicker of uvicorn's two HTTP parsers lacks.

Needs httptools. Knows connections as bytes; knows nothing about what is asked.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fsdl_deploy.service.whole_answers import WholeAnswers

MAX_HEAD = 2**16
"""Bytes of a request's line and headers. What ends within one read of the socket is taken all the same."""
TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedHead(WholeAnswers, HttpToolsProtocol):
    """uvicorn's connection; it answers 431 and closes when the headers do not end within MAX_HEAD bytes.

    The parser itself has no limit: a header without an end would fill the memory, and copying what there is
    of it for each new piece would keep the event loop from everybody else.
    """

    _heading, _head, _heads = True, 0, 0

    def on_headers_complete(self) -> None:
        self._heading, self._head, self._heads = False, 0, self._heads + 1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._heading = True
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        heading, heads = self._heading, self._heads
        super().data_received(data)
        if heading and self._heads == heads:  # all of it belongs to a head that has not ended
            self._head += len(data)
            if self._head > MAX_HEAD and not self.transport.is_closing():
                self.transport.write(TOO_LONG)
                self.transport.close()
