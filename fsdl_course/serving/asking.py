"""Asking a serving library's server, and what that costs it: what the comparisons of servers share.

A ``Caller`` is a function for the load meter (``load``); a server's processor time is that of its process and
its children. Knows nothing of what is compared: see ``compare``, ``pairs``, ``web``.
"""

import contextlib
import http.client
import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import psutil

from fsdl_course.serving.libraries import Library
from fsdl_deploy.cards import cards
from fsdl_deploy.measuring.load import Load
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.running.servers import Server

REFUSALS = (429, 503)


class Refused(RuntimeError):
    """The server said that it has too much to do (429 or 503): no mistake, but no reading either."""


def asked(count: int, seed: int) -> tuple[list[bytes], list[str]]:
    """Encoded pictures of ``count`` typical cards, and the digits that the reader in this process reads."""
    images = [card.image for card in cards(count, "typical", seed=seed)]
    reader = OnnxReader()
    return [encode(image) for image in images], [reader.read([image])[0].digits for image in images]


class Caller:
    """A function that asks for the next picture, over as many connections as calls are under way.

    Connections stay open until ``close``. Raises Refused, or RuntimeError when the answer is another failure
    or does not hold the digits of its picture.
    """

    def __init__(self, library: Library, port: int, pictures: Sequence[bytes], digits: Sequence[str]):
        self.library, self.port = library, port
        self.requests = [
            (*library.request(picture), text) for picture, text in zip(pictures, digits, strict=True)
        ]
        self.turn, self.idle = itertools.count(), []

    def __call__(self) -> None:
        body, headers, digits = self.requests[next(self.turn) % len(self.requests)]
        try:
            connection = self.idle.pop()
        except IndexError:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", self.library.path, body, headers)
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        self.idle.append(connection)
        if response.status in REFUSALS:
            raise Refused(f"status {response.status}")
        if response.status != 200:
            raise RuntimeError(f"status {response.status}")
        if self.library.digits(data) != digits:
            raise RuntimeError("other digits than the reader's")

    def close(self) -> None:
        """Close the connections; the next call opens another."""
        while self.idle:
            self.idle.pop().close()


def failures(loads: Sequence[Load]) -> tuple[int, int]:
    """How many requests were refused, and how many failed in another way."""
    refused = sum(load.problems.get(Refused.__name__, (0, ""))[0] for load in loads)
    return refused, sum(load.errors for load in loads) - refused


def percentiles(loads: Sequence[Load], opening: int = 0) -> tuple[float, float]:
    """p50 and p99 in ms of all ``loads`` without the first ``opening`` calls of each; nan if none is left."""
    latencies = np.concatenate([load.latencies[opening:] for load in loads])
    return tuple(np.percentile(latencies, [50, 99]).tolist()) if len(latencies) else (math.nan, math.nan)


def cpu_seconds(*servers: Server) -> float:
    """Processor time of servers and their children until now."""
    total = 0.0
    for process in itertools.chain(*(server.processes() for server in servers)):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def cpu_ms(call: Callable[[bytes], object], pictures: Sequence[bytes], times: int = 4) -> float:
    """Processor time in ms that this process takes for one call, of ``times`` calls for each picture."""
    begin = time.process_time()
    for picture in [*pictures] * times:
        call(picture)
    return 1000 * (time.process_time() - begin) / (times * len(pictures))


@contextlib.contextmanager
def awake(server: Server) -> Iterator[None]:
    """Let a suspended server run, and suspend it again."""
    resume(server)
    try:
        yield
    finally:
        suspend(server)


def suspend(server: Server) -> None:
    _each(server, "suspend")


def resume(server: Server) -> None:
    _each(server, "resume")


def _each(server: Server, what: str) -> None:
    for process in server.processes():
        with contextlib.suppress(psutil.Error):
            getattr(process, what)()
