"""What the web server around our reader costs: one part of it changed on each rung, measured in turns.

    asyncio and h11, base64   Python's own event loop, the HTTP parser written in Python, the picture in JSON
    uvloop                    the event loop in C
    httptools                 the HTTP parser in C too
    bytes                     the picture as bytes behind the JSON
    batcher                   up to 16 requests in one call of the model
    gRPC                      the same model and batcher behind gRPC's server, asked by a program of its own
    two readers               HTTP again: two calls of the model at once in one process
    two processes             two servers with a reader each, asked in turns

All but the last two have one reader. Sixteen callers. The processor time is the server's alone.
"""

import base64
import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from fsdl_course.serving.asking import Caller, asked, cpu_seconds, failures, percentiles
from fsdl_course.serving.libraries import OURS, Library, libraries
from fsdl_deploy.measuring.load import Load, closed_loop
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server, ServerError
from fsdl_deploy.running.stations import StationError

USERS = 16
GRPC = "grpc"  # the station
_C = ("uvloop", "httptools")


@dataclass(frozen=True)
class Kind:
    """A server of ours: event loop, HTTP parser, largest batch, readers; ``copy`` tells equal ones apart."""

    loop: str = _C[0]
    http: str = _C[1]
    max_batch: int = 1
    readers: int = 1
    copy: int = 0

    def server(self) -> Server:
        """Not started. StationError when the station for gRPC is not built."""
        if self.http == "grpc":
            command = [stations.python(GRPC), stations.station(GRPC).folder / "server.py", "--port", "{port}"]
            command += ["--threads", str(self.readers), "--max-batch", str(self.max_batch)]
            return Server(command, ready=None, name="gRPC")
        command = [sys.executable, "-m", "uvicorn", "--factory", f"{__name__}:application"]
        command += ["--port", "{port}", "--loop", self.loop, "--http", self.http]
        command += ["--log-level", "warning", "--no-access-log"]
        env = {"MAX_BATCH": str(self.max_batch), "READERS": str(self.readers)}
        return Server(command, ready="/readyz", name=f"{self.loop}, {self.http}", env=env)


RUNGS: dict[str, tuple[str, tuple[Kind, ...]]] = {  # name -> how a picture is sent, and to which servers
    "asyncio and h11, base64": ("oip", (Kind("asyncio", "h11"),)),
    "uvloop": ("oip", (Kind(http="h11"),)),
    "httptools": ("oip", (Kind(),)),
    "bytes": ("oip-binary", (Kind(),)),
    "batcher": ("oip-binary", (Kind(max_batch=16),)),
    "gRPC": ("grpc", (Kind("asyncio", "grpc", max_batch=16),)),
    "two readers": ("oip-binary", (Kind(max_batch=16, readers=2),)),
    "two processes": ("oip-binary", (Kind(max_batch=16), Kind(max_batch=16, copy=1))),
}


@dataclass
class WebRung:
    """One rung: ``per_second`` of the median round, waits and processor time a card in ms, of all rounds."""

    rung: str
    per_second: float
    p50: float
    p99: float
    cpu_ms: float
    errors: int


def application():
    """Our service, for ``uvicorn --factory``."""
    from fsdl_deploy.reader import OnnxReader
    from fsdl_deploy.service.app import create_app

    readers, max_batch = int(os.environ["READERS"]), int(os.environ["MAX_BATCH"])
    return create_app(lambda: OnnxReader(), threads=readers, max_batch=max_batch)


def climb(
    rounds: int = 15, requests: int = 400, names: Sequence[str] = tuple(RUNGS),
    say: Callable[[str], None] = lambda _: None,
) -> list[WebRung]:  # fmt: skip
    """Measure the rungs of ``names`` in turns; one whose server cannot start here is left out."""
    pictures, digits = asked(64, seed=53)
    with contextlib.ExitStack() as stack:
        running, samples, spent = _start(names, stack, say), {}, {}
        for name in names:
            if all(kind in running for kind in RUNGS[name][1]):
                samples[name], spent[name] = [], 0.0
        for turn in range(rounds + 1):
            say(f"round {turn} of {rounds}" if turn else "warming up")
            for name in samples:
                form, kinds = RUNGS[name]
                servers = [running[kind] for kind in kinds]
                before = cpu_seconds(*servers)
                load = _ask(form, servers, pictures, digits, requests)
                if turn:
                    spent[name] += cpu_seconds(*servers) - before
                    samples[name].append(load)
    return [
        WebRung(
            name,
            statistics.median(load.throughput for load in loads),
            *percentiles(loads, USERS),
            1000 * spent[name] / sum(load.requests for load in loads),
            sum(failures(loads)),
        )
        for name, loads in samples.items()
    ]


def _start(names: Sequence[str], stack: contextlib.ExitStack, say) -> dict[Kind, Server]:
    """The servers that the rungs need and that can start here, two at a time."""

    def start(kind: Kind) -> Server | str:
        try:
            return kind.server().start()
        except (StationError, ServerError) as error:
            return str(error).splitlines()[0]

    kinds = list(dict.fromkeys(kind for name in names for kind in RUNGS[name][1]))
    with ThreadPoolExecutor(2) as pool:
        started = dict(zip(kinds, pool.map(start, kinds), strict=True))
    for kind, server in started.items():
        if isinstance(server, str):
            say(f"{kind.loop} and {kind.http}: skipped, {server}")
        else:
            stack.callback(server.stop)
    return {kind: server for kind, server in started.items() if isinstance(server, Server)}


def _ask(form: str, servers: Sequence[Server], pictures, digits, requests: int) -> Load:
    if form == "grpc":
        return _drive(servers[0], pictures, digits, requests)
    ours = libraries()[OURS]
    library = Library(ours.name, ours.title, ours.ready, ours.path, form)
    callers = [Caller(library, server.port, pictures, digits) for server in servers]
    turns = itertools.cycle(callers)
    try:
        return closed_loop(lambda: next(turns)(), USERS, requests)
    finally:
        for caller in callers:
            caller.close()


def _drive(server: Server, pictures, digits, requests: int) -> Load:
    """The same load over gRPC: its client lives in the station, and uses the same meter there."""
    command = [stations.python(GRPC), stations.station(GRPC).folder / "drive.py", f"127.0.0.1:{server.port}"]
    document = {"pictures": [base64.b64encode(file).decode() for file in pictures], "digits": digits}
    document |= {"users": USERS, "requests": requests}
    client = subprocess.run(
        command, input=json.dumps(document), capture_output=True, text=True, timeout=300, check=True
    )
    measured = json.loads(client.stdout)
    latencies = np.array(measured["latencies"])
    return Load(requests, measured["seconds"], latencies, latencies)


def table(rows: Sequence[WebRung]) -> Table:
    """The rungs, from the first."""
    cells = [[row.rung, row.per_second, row.p50, row.p99, row.cpu_ms, row.errors] for row in rows]
    header = ["rung", "cards/s", "p50 ms", "p99 ms", "CPU ms", "errors"]
    return Table(header, *cells, formats=["", ".0f", ".1f", ".1f", ".2f", "d"])
