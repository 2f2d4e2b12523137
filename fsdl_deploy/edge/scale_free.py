"""Scale comes for free? The processor time of a server whose model reads, and of one that only hands it out

The same number of clients each time. With the model there, each sends one card. With the model here, each
fetches the model's file once, and on later visits asks whether it is still the newest (304: it is).
"""

import http.client
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import formatdate

from fsdl_deploy import weights
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.running.course_servers import course_server
from fsdl_deploy.running.servers import Server
from fsdl_deploy.scaling.failures import card_body

CLIENTS = (1, 10, 100, 1000)
WAYS = ("a card read there", "the model fetched", "asked whether it is the newest")
_TOGETHER = 8


@dataclass(frozen=True)
class ServerTime:
    """Seconds of processor time that the server took for so many ``clients``, and the bytes it sent them."""

    way: str
    clients: int
    cpu: float
    sent: int

    @property
    def each(self) -> float:
        """Milliseconds of processor time for one client."""
        return 1000 * self.cpu / self.clients


def measure(clients: Sequence[int] = CLIENTS) -> list[ServerTime]:
    """Every way for each number of clients. Raises RuntimeError if a server answers anything unexpected."""
    card = card_body()
    folder = weights.folder()
    # Two processes as one would start them: no proxy, no cache, no compression in front of either.
    files = [sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1", "--directory", folder]
    with course_server("serve", "--threads", "1") as reads, Server(files, ready="/v2.onnx") as hands_out:
        newest = formatdate((folder / "v2.onnx").stat().st_mtime, usegmt=True)
        ways = {
            WAYS[0]: (reads, 200, ("POST", "/read", card, {"Content-Type": "application/json"})),
            WAYS[1]: (hands_out, 200, ("GET", "/v2.onnx", None, {})),
            WAYS[2]: (hands_out, 304, ("GET", "/v2.onnx", None, {"If-Modified-Since": newest})),
        }
        return [_measured(way, number, *of) for number in sorted(clients) for way, of in ways.items()]


def _measured(way: str, clients: int, server: Server, status: int, request: tuple) -> ServerTime:
    def client(_: int) -> int:
        # A connection of its own, as every client has: not one that an earlier client has opened.
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            connection.request(*request)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != status:
            raise RuntimeError(f"{way}: the server answered {response.status}, not {status}")
        return len(content)

    client(0)  # the first one of all finds everything cold
    before = _cpu(server)
    with ThreadPoolExecutor(_TOGETHER) as pool:
        sent = sum(pool.map(client, range(clients)))
    return ServerTime(way, clients, max(_settled(server, before), 0.0), sent)


def _cpu(server: Server) -> float:
    """Seconds of processor time of the server and its children so far."""
    return sum(sum(process.cpu_times()[:2]) for process in server.processes())


def _settled(server: Server, before: float, patience: float = 2.0) -> float:
    """Processor time since ``before``, once it grows no further: the last answer may still be logged."""
    end, last = time.monotonic() + patience, _cpu(server)
    while time.monotonic() < end:
        time.sleep(0.05)
        now = _cpu(server)
        if now == last:
            break
        last = now
    return last - before


def pays_after(rows: Sequence[ServerTime], revalidations: float = 1.0) -> float:
    """How many readings a client must make until fetching the model took the server less than reading them.

    By the rows with the most clients. ``revalidations``: how often a client asks for a newer model for each
    card that it reads. inf where asking takes as much as reading.
    """
    most = max(row.clients for row in rows)
    each = {row.way: row.each for row in rows if row.clients == most}
    saved = each[WAYS[0]] - revalidations * each[WAYS[2]]
    return each[WAYS[1]] / saved if saved > 0 else float("inf")


def table(rows: Sequence[ServerTime]) -> Table:
    """Processor time by number of clients, for a lesson to show."""
    header = ["for each client", "clients", "s of the server's processor", "ms a client", "kB sent a client"]
    cells = [[r.way, r.clients, r.cpu, r.each, r.sent / r.clients / 1000] for r in rows]
    return Table(header, *cells, formats=["", ",", ".2f", ".2f", ",.1f"], notes=_ticks())


def _ticks() -> list[str]:
    """On Linux, how coarse the clock is that counts a process's time."""
    if sys.platform != "linux":
        return []
    tick = 1000 / os.sysconf("SC_CLK_TCK")
    return [
        f"processor time is counted in steps of {tick:.0f} ms: for few clients a figure is a step or none"
    ]
