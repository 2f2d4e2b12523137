"""The same reader behind every serving library: same cards, same load, in turns.

All servers are started, then asked in turns, round by round; who is not asked is suspended, since some take
a good part of a core while they wait. Each has one reader, as ``libraries`` defines it, however many cores
there are: how many read at once decides more than the server does. Closed loop with 1, 8 and 32 callers, then
an open loop at shares of each server's own best rate, to saturation and beyond it, and one at the same rate
for all, a share of the best server's. There a server refuses
(429, 503) or lets its callers wait; refusals are counted apart from errors. The clients are threads of this
process, on the same cores. The processor time that a server takes for one request is compared too: a busy
machine stretches every clock, but hardly that one.

With --batching each library is measured without and with batches instead, with --readers with one reader and
with several, with --web the parts of our own web server.
"""

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fsdl_course.serving import pairs, web
from fsdl_course.serving.asking import (
    Caller,
    asked,
    awake,
    cpu_seconds,
    failures,
    percentiles,
    resume,
    suspend,
)
from fsdl_course.serving.libraries import Library, libraries
from fsdl_course.serving.loads import ALIKE, RATES, USERS, loads_of
from fsdl_deploy import files
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.load import Load, closed_loop
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.running.servers import Server, ServerError
from fsdl_deploy.running.stations import StationError

PARTS = {"batching": pairs.Pair, "readers": pairs.Pair, "web": web.WebRung}  # of the record, beside its table


@dataclass
class ServingRow:
    """One library at one load.

    ``per_second``: readings, of the median round. ``p50``, ``p99``: ms, of all rounds; in a closed loop
    without each caller's first call, which opens its connection. ``cpu_ms``: processor time a request.
    ``memory``: MiB. ``refused`` requests got a 429 or 503 and are in neither ``errors`` nor the percentiles.
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
    requests: int = 0
    refused: int = 0


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
            except (StationError, ServerError) as error:
                say(f"{known[name].title}: skipped, {str(error).splitlines()[0]}")
                continue
            running[name] = known[name], server, time.perf_counter() - begin
            stack.callback(resume, server)  # one that is suspended would not end
            suspend(server)
            say(f"{known[name].title}: ready after {running[name][2]:.1f} s")
        yield running


def compare(
    names: Sequence[str], rounds: int = 3, requests: int = 400, max_batch: int = 16, delay_ms: float = 0.0,
    users: Sequence[int] = USERS, rates: Sequence[float] = RATES, alike: Sequence[float] = ALIKE,
    say: Callable[[str], None] = lambda _: None,
) -> list[ServingRow]:  # fmt: skip
    """Measure the libraries of ``names`` in turns, ``rounds`` times each load."""
    pictures, digits = asked(64, seed=51)
    rows = []
    with started(names, max_batch, delay_ms, say) as running:
        callers = {
            name: Caller(library, server.port, pictures, digits)
            for name, (library, server, _) in running.items()
        }
        for name, (_, server, _) in running.items():
            with awake(server):
                closed_loop(callers[name], 8, 64)
                callers[name].close()
        best = dict.fromkeys(running, 0.0)
        for kind in loads_of(users, rates, alike, requests):
            taken: dict[str, list[Load]] = {name: [] for name in running}
            spent = dict.fromkeys(running, 0.0)
            for turn in range(rounds):
                say(f"{kind.label}: round {turn + 1} of {rounds}")
                for name, (_, server, _) in running.items():
                    with awake(server):
                        before = cpu_seconds(server)
                        most = max(best.values()) if kind.alike else best[name]
                        taken[name].append(kind.make(callers[name], most))
                        spent[name] += cpu_seconds(server) - before
                        callers[name].close()  # none is kept open while the server is suspended
            for name, (library, server, seconds) in running.items():
                loads = taken[name]
                rate = statistics.median(load.throughput for load in loads)
                sent = sum(load.requests for load in loads)
                if kind.label.startswith("closed"):
                    best[name] = max(best[name], rate)
                refused, errors = failures(loads)
                cpu, memory = 1000 * spent[name] / sent, server.memory() / 2**20
                times = *percentiles(loads, kind.opening), errors, cpu, memory, seconds
                rows.append(
                    ServingRow(library.title, kind.label, rate, *times, requests=sent, refused=refused)
                )
    return rows


def table(rows: Sequence[ServingRow]) -> Table:
    """The rows load by load, the highest rate first."""
    header = ["load", "library", "cards/s", "p50 ms", "p99 ms", "refused", "errors"]
    header += ["CPU ms", "MiB", "start s"]
    formats = ["", "", ".0f", ".1f", ".1f", ".0%", "d", ".2f", ".0f", ".1f"]
    order, cells = list(dict.fromkeys(row.load for row in rows)), []
    for row in sorted(rows, key=lambda row: (order.index(row.load), -row.per_second)):
        refused = row.refused / row.requests if row.requests else 0.0
        times = row.per_second, row.p50, row.p99
        rest = row.errors, row.cpu_ms, row.memory, row.start_seconds
        cells.append([row.load, row.library, *times, refused, *rest])
    return Table(header, *cells, formats=formats)


def add_arguments(parser) -> None:
    names = list(libraries())
    parser.add_argument(
        "--only",
        nargs="+",
        choices=names,
        default=names,
        metavar="NAME",
        help=f"of {', '.join(names)} (default: all)",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--batching", action="store_true", help="each library without and with batches instead")
    what.add_argument(
        "--readers", type=int, metavar="N", help="those that can, with one reader and with N instead"
    )
    what.add_argument("--web", action="store_true", help="the parts of our own web server instead")
    parser.add_argument(
        "--rounds",
        type=int,
        help="rounds, each server once in each (default: 5, with --web 15)",
    )
    parser.add_argument("--requests", type=int, default=400, help="of a load in a round")
    parser.add_argument("--max-batch", type=int, default=16, help="pictures in a batch")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="wait for a batch")
    parser.add_argument(
        "--json",
        type=files.output,
        metavar="FILE",
        help="write the rows to this file, beside what else was measured there",
    )


def main(args) -> int:
    rounds = args.rounds if args.rounds is not None else 15 if args.web else 5
    if min(rounds, args.requests, args.max_batch) < 1 or args.delay_ms < 0:
        raise ValueError("--rounds, --requests and --max-batch must be at least 1, --delay-ms at least 0")
    if args.readers is not None and args.readers < 2:
        raise ValueError("--readers must be at least 2: one reader is what they are compared with")
    begin = time.monotonic()

    def say(text: str) -> None:
        print(text, flush=True)

    common = args.only, rounds, args.requests, args.max_batch, args.delay_ms
    if args.batching:
        part, show = "batching", pairs.table
        rows = pairs.batching(*common, say=say)
    elif args.readers:
        part, show = "readers", partial(pairs.table, words=pairs.MORE_READERS)
        rows = pairs.several_readers(*common, args.readers, say=say)
    elif args.web:
        part, show = "web", web.table
        rows = web.climb(rounds, args.requests, say=say)
    else:
        part, show = None, table
        rows = compare(*common, say=say)
    print(show(rows))
    say(f"took {(time.monotonic() - begin) / 60:.1f} minutes")
    if args.json:
        save(args.json, part, rows)
    return 1 if any(row.errors or not row.per_second for row in rows) or not rows else 0


def save(path: Path, part: str | None, rows: Sequence) -> None:
    """Write ``rows`` with date and machine into ``path``: as its main table, or as ``part`` beside it."""
    if part:
        records.write_part(path, part, rows=rows)
    else:
        before = records.read(path) if path.exists() else {}
        parts = {name: before[name] for name in PARTS if name in before}
        records.write(path, rows=rows, **parts)


def recorded(path: Path, part: str | None = None) -> tuple[str, list]:
    """What ``save`` has written: a line with date and machine, and the rows; empty where nothing is."""
    record = records.read(path)
    record = record.get(part, {"rows": []}) if part else record
    kind = PARTS[part] if part else ServingRow
    head = f"{record['date']}, {record['machine']}" if record["rows"] else "not measured yet"
    return head, [kind(**row) for row in record["rows"]]
