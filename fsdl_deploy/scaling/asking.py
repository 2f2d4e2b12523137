"""Asking: callers who send a request each time, over connections that stay open, and count who answered

Knows HTTP and the balancer's headers; knows nothing about what happens to the replicas meanwhile.
"""

import http.client
import select
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

from fsdl_deploy.scaling.load_balancing import answered_by

RACE = 2  # seconds in which a request and the end of its connection may have crossed
# A server may close a kept-alive connection at any time, and has not seen a request that is on its way. A
# client may repeat that over a new one (RFC 9112, 9.3.1) where it does no harm (RFC 9110, 9.2.2): a card may
# be read twice. On a busy machine a caller hears late of the end, so this is more than a moment. It is far
# less than a read timeout: a replica that hangs and then dies has lost its requests.


class Lost(RuntimeError):
    """A request that was answered, but not with 200."""


class Declined(Lost):
    """A request to which the service itself said no, in time: 429 or 503."""


class Asking:
    """A function for the load meter: POSTs ``body`` to ``url``, over a connection of each thread's own.

    Counts which replica answered (``answers``, by port), and how many answers took more than one attempt of
    the balancer's (``repeated``). ``keep_alive``: a thread's connection stays open for the next one. Was it
    closed meanwhile, then the request goes over a new one, as browsers do it. Those are ``reopened``: no
    balancer could have helped. One that ends later than RACE is none. Raises Lost, or the connection's error.
    """

    def __init__(self, url: str, body: bytes, *, keep_alive: bool = True, timeout: float = 60):
        parts = urlsplit(url)
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path or "/"
        self.body, self.keep_alive, self.timeout = body, keep_alive, timeout
        self.answers: Counter[int] = Counter()
        self.repeated = self.reopened = 0
        self._mine, self._lock = threading.local(), threading.Lock()

    def __call__(self) -> None:
        kept = getattr(self._mine, "connection", None)
        body, headers = self.request()
        if kept is not None and _closed(kept):
            kept.close()
            self._reopen()
            kept = None
        begin = time.monotonic()
        try:
            response, text = self._ask(kept, body, headers)
        except ConnectionError:
            if kept is None or time.monotonic() - begin > RACE:
                raise
            self._reopen()
            response, text = self._ask(None, body, headers)
        port, attempts = answered_by(response.headers.get("x-upstream") or f":{self.port}")
        if response.status != 200:
            kind = Declined if port and response.status in (429, 503) else Lost
            raise kind(f"status {response.status}: {text[:100].decode(errors='replace')}")
        with self._lock:
            self.answers[port] += 1
            self.repeated += attempts > 1
            self.answered(headers, response, text)

    def request(self) -> tuple[bytes, dict[str, str]]:
        """The next request: its body, and more headers."""
        return self.body, {}

    def answered(self, sent: dict[str, str], response: http.client.HTTPResponse, text: bytes) -> None:
        """The request with the headers ``sent`` has this answer: for whoever counts more; one at a time."""

    def place(self) -> tuple[str, int]:
        """Host and port of a new connection."""
        return self.host, self.port

    def _reopen(self) -> None:
        with self._lock:
            self.reopened += 1

    def _ask(self, connection: http.client.HTTPConnection | None, body: bytes, headers: dict[str, str]):
        self._mine.connection = None
        if connection is None:
            connection = http.client.HTTPConnection(*self.place(), timeout=self.timeout)
        try:
            connection.request("POST", self.path, body, {"Content-Type": "application/json"} | headers)
            response = connection.getresponse()
            text = response.read()
        except BaseException:
            connection.close()
            raise
        if self.keep_alive:
            self._mine.connection = connection
        else:
            connection.close()
        return response, text


def _closed(connection: http.client.HTTPConnection) -> bool:
    """Whether the other side has closed it: nothing is under way, so there could only be its end to read."""
    return connection.sock is not None and bool(select.select([connection.sock], [], [], 0)[0])
