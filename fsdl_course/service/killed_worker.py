"""A worker that is killed under load, one of two on one port: what is lost, who answers next, what is counted

``fsdl-deploy serve --workers 2`` (``fsdl_deploy/service/workers.py``), asked over connections that stay open.
"""

import http.client
import json
import os
import signal
from contextlib import ExitStack
from typing import NamedTuple

import httpx2

from fsdl_course.service.contract import metric
from fsdl_deploy import figures
from fsdl_deploy.measuring.lookout import Lookout
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.running.servers import Server
from fsdl_deploy.running.waiting import until
from fsdl_deploy.service import workers

WORKERS = 2
CONNECTIONS = 64  # at most, until the system gives one to the worker that is meant
COUNTERS = ("reader_workers", "reader_workers_died_total", "reader_pictures_total")


class WorkerDeath(NamedTuple):
    """What callers and the service said: ``killed`` and ``ready_again`` in seconds of the ``watch``.

    ``connections``: those of callers at the worker that was killed, just before. ``successor``: the answer of
    the process that was started in its place. ``pages``: COUNTERS on several pages of metrics, each asked for
    over a connection of its own. ``log``: what the master wrote.
    """

    watch: Lookout
    killed: float
    ready_again: float
    connections: int
    successor: dict
    pages: list[tuple[float, ...]]
    log: str

    @property
    def lost(self) -> int:
        """Requests without an answer."""
        return sum(failed for _, failed in self.watch.counts().values())

    def show(self) -> None:
        """A dot for each request: when it was sent, how long it waited, whether there was an answer."""
        requests = [(call.sent, call.sent + call.ms / 1000, not call.problem) for call in self.watch.outcomes]
        moments = {"a worker is killed": self.killed, "a new worker is ready": self.ready_again}
        when = ", also after a new worker was ready" if self._lost_later() else ""
        alt = f"Requests without an answer: {self.lost} of {len(requests)}{when}"
        figures.waits(requests, moments, alt)

    def table(self) -> Table:
        """What was lost, beside what could have been."""
        return Table(
            ["a worker is killed", "measured"],
            ["requests of all callers", sum(calls for calls, _ in self.watch.counts().values())],
            ["callers connected to the worker that was killed", self.connections],
            ["requests lost", self.lost],
            ["requests lost once a new worker was ready", self._lost_later()],
            ["the new worker's own answer to the same card", self.successor["readings"][0]["digits"]],
        )

    def _lost_later(self) -> int:
        return sum(bool(call.problem) for call in self.watch.outcomes if call.sent > self.ready_again)


def under_load(server: Server, body: dict, callers: int = 4) -> WorkerDeath | None:
    """Start ``server``, which has WORKERS workers, kill the busier one while callers ask, and stop it.

    ``body``: the JSON of each request for a reading. None, after a sentence, on a system that cannot have
    several workers. Raises TimeoutError if the killed worker has no successor within a minute.
    """
    try:
        workers.checked(WORKERS)
    except RuntimeError as problem:
        print(problem)
        return None
    with server, ExitStack() as stack:
        until(lambda: _ready(server) == WORKERS, 60, TimeoutError, "that all workers are ready")
        asks = {}
        for number in range(callers):
            client = stack.enter_context(httpx2.Client(base_url=server.url, timeout=30))
            asks[f"caller {number + 1}"] = lambda client=client: client.post(
                "/read", json=body
            ).raise_for_status()
        before = worker_processes(server)
        with Lookout(asks, pause=0) as watch:
            for name in asks:
                watch.wait_for(name, 5)
            victim = max(before, key=lambda pid: len(_peers(pid)))
            connections = len(_peers(victim))
            os.kill(victim, signal.SIGKILL)
            killed = watch.seconds
            what = "that a new worker is ready"
            until(
                lambda: worker_processes(server) - before and _ready(server) == WORKERS,
                60,
                TimeoutError,
                what,
            )
            ready_again = watch.seconds
            for name in asks:
                watch.wait_for(name, 5, since=ready_again)
        (new,) = worker_processes(server) - before
        answer, pages = answer_of(server, new, body), [_counters(server) for _ in range(6)]
        return WorkerDeath(watch, killed, ready_again, connections, answer, pages, server.log())


def worker_processes(server: Server) -> set[int]:
    """The process ids of the service's workers: the children of its master."""
    import psutil

    return {child.pid for child in psutil.Process(server.pid).children()}


def answer_of(server: Server, pid: int, body: dict) -> dict:
    """What one worker answers: connections are opened until the system gives one to it.

    Raises RuntimeError if it gets none of CONNECTIONS.
    """
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            stack.callback(connection.close)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            if connection.sock.getsockname()[1] in _peers(pid):
                headers = {"Content-Type": "application/json"}
                connection.request("POST", "/read", json.dumps(body), headers)
                return json.load(connection.getresponse())
    raise RuntimeError(f"the system gave none of {CONNECTIONS} connections to process {pid}")


def _peers(pid: int) -> set[int]:
    """The ports at the other ends of a process's connections."""
    import psutil

    links = psutil.Process(pid).net_connections("tcp")
    return {link.raddr.port for link in links if link.status == psutil.CONN_ESTABLISHED}


def _counters(server: Server) -> tuple[float, ...]:
    page = httpx2.get(server.url + "/metrics", timeout=30).text
    return tuple(metric(page, name) for name in COUNTERS)


def _ready(server: Server) -> float:
    return _counters(server)[0]
