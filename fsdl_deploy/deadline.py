"""An HTTP client whose timeout is one deadline: for a request with its whole answer, however slowly it drips.

Knows connections and bytes; knows nothing about what is asked, or about what an answer means.
"""

import threading
import time

import httpx2

_PIECE = 2**16  # bytes sent between two looks at the clock


class LongAnswer(ValueError):
    """An answer of more bytes than the caller takes."""


class DeadlineClient:
    """``send`` gives status, headers and body within ``timeout`` seconds, or raises httpx2.TimeoutException.

    ``settings`` are those of httpx2.Client. Threads may share one. Close it after use.
    """

    def __init__(self, timeout: float, **settings):
        self.timeout, self._mine = timeout, threading.local()
        self._client = httpx2.Client(timeout=timeout, limits=httpx2.Limits(max_connections=None), **settings)

    def send(self, method: str, url: str, most_bytes: int, **body) -> tuple[int, httpx2.Headers, bytes]:
        """One request; ``body`` is as in httpx2. Raises httpx2's errors, LongAnswer above ``most_bytes``."""
        self._mine.deadline = time.monotonic() + self.timeout
        content = bytearray()
        with self._client.stream(method, url, extensions={"trace": self._limit_stream}, **body) as response:
            for part in response.iter_bytes():
                content += part
                if len(content) > most_bytes:
                    raise LongAnswer(f"more than {most_bytes:,} bytes")
        return response.status_code, response.headers, bytes(content)

    def close(self) -> None:
        self._client.close()

    def _limit_stream(self, event: str, info: dict) -> None:
        """httpx2's timeout starts anew with every byte: make a new connection keep to the request's deadline.

        httpx2 calls this at each step of a request (its "trace"), in the thread that sends the request.
        """
        if not event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            return
        stream = info["return_value"]
        read, write = stream.read, stream.write

        def read_in_time(size: int, timeout: float | None = None) -> bytes:
            return read(size, self._remaining())

        def write_in_time(data: bytes, timeout: float | None = None) -> None:
            for start in range(0, len(data), _PIECE):
                write(data[start : start + _PIECE], self._remaining())

        stream.read, stream.write = read_in_time, write_in_time

    def _remaining(self) -> float:
        """Seconds that this thread's request still has. Raises httpx2.ReadTimeout when they are over."""
        seconds = self._mine.deadline - time.monotonic()
        if seconds <= 0:
            raise httpx2.ReadTimeout("the answer did not end in time")
        return seconds
