"""The same reader behind every serving library: same cards, same load, in turns.

All servers are started, then asked in turns, round by round; who is not asked is suspended, since some take
a good part of a core while they wait. Closed loop with 1, 8 and 32 callers, then an open loop at shares of
each server's own best rate. The clients are threads of this process, on the same cores. The processor time
that a server takes for one card is compared too: a busy machine stretches every clock, but hardly that one.
"""

import contextlib
import http.client
import itertools
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import psutil

from fsdl_deploy.cards import cards
from fsdl_deploy.environment import SetupError
from fsdl_deploy.libraries import Library, libraries
from fsdl_deploy.load import Load, closed_loop, open_loop
from fsdl_deploy.machine import described
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.servers import Server, ServerError

USERS = (1, 8, 32)
RATES = (0.5, 0.8)  # of the best rate in a closed loop


class Caller:
    """A function that asks for the next picture, over as many connections as calls are under way.

    Connections stay open until ``close``. The answer must hold the digits that the reader in this process
    reads, else it is an error.
    """

    def __init__(self, library: Library, port: int, pictures: Sequence[bytes], digits: Sequence[str]):
        self.library, self.port = library, port
        self.requests = [
            (*library.request(picture), said) for picture, said in zip(pictures, digits, strict=True)
        ]
        self.turn, self.idle = itertools.count(), []

    def __call__(self) -> None:
        body, headers, digits = self.requests[next(self.turn) % len(self.requests)]
        try:
            connection = self.idle.pop()
        except IndexError:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", self.library.path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        self.idle.append(connection)
        if answer.status != 200:
            raise RuntimeError(f"status {answer.status}")
        if self.library.digits(data) != digits:
            raise RuntimeError("other digits than the reader's")

    def close(self) -> None:
        """Close the connections; the next call opens another."""
        while self.idle:
            self.idle.pop().close()


@dataclass
class Row:
    """One library at one load.

    ``per_second``: of the median round. ``p50``, ``p99``: ms, of all rounds; in a closed loop without each
    caller's first call, which opens its connection. ``cpu_ms``: processor time a request. ``memory``: MiB.
    """

    library: str
    load: str
    per_second: float
    p50: float
    p99: float
    errors: int
    cpu_ms: float
    memory: float
    start_seconds: float


def _processes(server: Server) -> list[psutil.Process]:
    return psutil.Process(server._watchdog.pid).children(recursive=True)


def cpu_seconds(server: Server) -> float:
    """Processor time of a server and its children until now."""
    total = 0.0
    for process in _processes(server):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


@contextlib.contextmanager
def awake(server: Server) -> Iterator[None]:
    """Let a suspended server run, and suspend it again."""
    _each(server, "resume")
    try:
        yield
    finally:
        _each(server, "suspend")


def _each(server: Server, what: str) -> None:
    for process in _processes(server):
        with contextlib.suppress(psutil.Error):
            getattr(process, what)()


@contextlib.contextmanager
def started(
    names: Sequence[str], max_batch: int, delay_ms: float, say: Callable[[str], None]
) -> Iterator[dict[str, tuple[Library, Server, float]]]:
    """The servers of ``names`` with the seconds that each took to start; one that cannot is left out."""
    known = libraries()
    with contextlib.ExitStack() as stack:
        running = {}
        for name in names:
            begin = time.perf_counter()
            try:
                server = stack.enter_context(known[name].server(max_batch, delay_ms))
            except (SetupError, ServerError) as error:
                say(f"{known[name].title}: skipped, {str(error).splitlines()[0]}")
                continue
            running[name] = known[name], server, time.perf_counter() - begin
            stack.callback(_each, server, "resume")  # one that is suspended would not end
            _each(server, "suspend")
            say(f"{known[name].title}: ready after {running[name][2]:.1f} s")
        yield running


def compare(
    names: Sequence[str], rounds: int = 3, requests: int = 400, max_batch: int = 16, delay_ms: float = 0.0,
    users: Sequence[int] = USERS, rates: Sequence[float] = RATES, say: Callable[[str], None] = lambda _: None,
) -> list[Row]:  # fmt: skip
    """Measure the libraries of ``names`` in turns, ``rounds`` times each load."""
    deck = [card.image for card in cards(64, "typical", seed=51)]
    pictures, reader = [encode(image) for image in deck], OnnxReader()
    digits = [reader.read([image])[0].digits for image in deck]
    rows = []
    with started(names, max_batch, delay_ms, say) as running:
        callers = {
            name: Caller(one, server.port, pictures, digits) for name, (one, server, _) in running.items()
        }
        for name, (_, server, _) in running.items():
            with awake(server):
                closed_loop(callers[name], 8, 64)
                callers[name].close()
        best = dict.fromkeys(running, 0.0)
        loads: list[tuple[str, int, Callable]] = [
            (f"closed, {count}", count, lambda call, _, count=count: closed_loop(call, count, requests))
            for count in users
        ]
        loads += [
            (
                f"open, {share:.0%}",
                0,
                lambda call, most, share=share: open_loop(call, share * most, requests / most),
            )
            for share in rates
        ]
        for label, opening, load in loads:
            taken: dict[str, list[Load]] = {name: [] for name in running}
            spent = dict.fromkeys(running, 0.0)
            for turn in range(rounds):
                say(f"{label}: round {turn + 1} of {rounds}")
                for name, (_, server, _) in running.items():
                    with awake(server):
                        before = cpu_seconds(server)
                        taken[name].append(load(callers[name], best[name]))
                        spent[name] += cpu_seconds(server) - before
                        callers[name].close()  # none is kept open while the server is suspended
            for name, (library, server, seconds) in running.items():
                done, errors = taken[name], sum(one.errors for one in taken[name])
                rate = statistics.median(one.throughput for one in done)
                if label.startswith("closed"):
                    best[name] = max(best[name], rate)
                latencies = np.concatenate([one.latencies[opening:] for one in done])
                p50, p99 = np.percentile(latencies, [50, 99]) if len(latencies) else (math.nan, math.nan)
                cpu = 1000 * spent[name] / sum(one.requests for one in done)
                memory = server.memory() / 2**20
                rows.append(Row(library.title, label, rate, p50, p99, errors, cpu, memory, seconds))
    return rows


def table(rows: Sequence[Row]) -> str:
    """Rows as text, load by load, the highest rate first."""
    lines = [
        f"{'load':12} {'library':14} {'cards/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'errors':>6} {'CPU ms':>7} "
        f"{'MiB':>6} {'start s':>7}"
    ]
    order = list(dict.fromkeys(row.load for row in rows))
    for row in sorted(rows, key=lambda row: (order.index(row.load), -row.per_second)):
        lines.append(
            f"{row.load:12} {row.library:14} {row.per_second:8.0f} {row.p50:7.1f} {row.p99:7.1f} "
            f"{row.errors:6} {row.cpu_ms:7.2f} {row.memory:6.0f} {row.start_seconds:7.1f}"
        )
    return "\n".join(lines)


def add_arguments(parser) -> None:
    names = list(libraries())
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument(
        "--requests", type=int, default=400, help="of a load in a round (default: %(default)s)"
    )
    parser.add_argument("--max-batch", type=int, default=16, help="default: %(default)s")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="wait for a batch (default: %(default)s)")
    parser.add_argument("--json", help="write the rows to this file")


def main(args) -> int:
    if min(args.rounds, args.requests, args.max_batch) < 1 or args.delay_ms < 0:
        raise ValueError("--rounds, --requests and --max-batch must be at least 1, --delay-ms at least 0")
    rows = compare(
        args.only, args.rounds, args.requests, args.max_batch, args.delay_ms,
        say=lambda text: print(text, flush=True),
    )  # fmt: skip
    print(table(rows))
    if args.json:
        told = {"date": date.today().isoformat(), "machine": described()}
        told |= {"rows": [asdict(row) for row in rows]}
        Path(args.json).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 1 if any(row.errors for row in rows) or not rows else 0
