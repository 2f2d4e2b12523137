"""What batches bring in each serving library: the same reader without them and with them.

Each library runs twice, once with batches of one picture and once with larger ones; the two take turns, with
one caller, whom no batch can help, and with many. One library after the other: what is compared first is a
library with itself. KServe makes no batches here, so its factor shows how far two equal servers are apart.
"""

import contextlib
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

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
from fsdl_course.serving.libraries import libraries
from fsdl_deploy.measuring.load import closed_loop
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.running.servers import Server, ServerError
from fsdl_deploy.running.stations import StationError

USERS = (1, 32)


@dataclass
class Pair:
    """One library with ``users`` callers, without batches and with them.

    ``single``, ``batched``: readings a second, of the median round. ``factor``: the median of the rounds'
    own factors. The rest in ms: the 99th percentile of the waits, and the processor time of a request.
    ``errors`` count refusals too.
    """

    library: str
    users: int
    single: float
    batched: float
    factor: float
    single_p99: float
    batched_p99: float
    single_cpu: float
    batched_cpu: float
    errors: int

    @property
    def per_second(self) -> float:
        return min(self.single, self.batched)


def batching(
    names: Sequence[str], rounds: int = 5, requests: int = 400, max_batch: int = 16, delay_ms: float = 0.0,
    users: Sequence[int] = USERS, say: Callable[[str], None] = lambda _: None,
) -> list[Pair]:  # fmt: skip
    """Measure the libraries of ``names``; one that cannot start here is left out, after a sentence."""
    known, (pictures, digits), pairs = libraries(), asked(64, seed=52), []
    for name in names:
        library = known[name]
        with contextlib.ExitStack() as stack:
            try:
                servers = [library.server(1, 0), library.server(max_batch, delay_ms)]
                for server in servers:
                    stack.callback(server.stop)
                with ThreadPoolExecutor(2) as pool:
                    list(pool.map(Server.start, servers))
            except (StationError, ServerError) as error:
                say(f"{library.title}: skipped, {str(error).splitlines()[0]}")
                continue
            callers = [Caller(library, server.port, pictures, digits) for server in servers]
            for server, caller in zip(servers, callers, strict=True):
                closed_loop(caller, 8, 64)
                caller.close()
                suspend(server)
                stack.callback(resume, server)  # one that is suspended would not end
            pairs += [_pair(library.title, servers, callers, count, rounds, requests) for count in users]
            say(str(table(pairs[-len(users) :])))
    return pairs


def _pair(title: str, servers: list, callers: list[Caller], users: int, rounds: int, requests: int) -> Pair:
    loads_of, spent = ([], []), [0.0, 0.0]
    for _ in range(rounds):
        for place, (server, caller) in enumerate(zip(servers, callers, strict=True)):
            with awake(server):
                before = cpu_seconds(server)
                loads_of[place].append(closed_loop(caller, users, requests))
                spent[place] += cpu_seconds(server) - before
                caller.close()
    rates = [[load.throughput for load in loads] for loads in loads_of]
    factors = [batched / single if single else 0.0 for single, batched in zip(*rates, strict=True)]
    p99 = [percentiles(loads, users)[1] for loads in loads_of]
    cpu = [1000 * seconds / (rounds * requests) for seconds in spent]
    errors = sum(sum(failures(loads)) for loads in loads_of)
    return Pair(
        title, users, *map(statistics.median, rates), statistics.median(factors), *p99, *cpu, errors
    )  # fmt: skip


def table(pairs: Sequence[Pair]) -> Table:
    """The pairs, the most callers last, the largest factor first."""
    header = ["callers", "library", "cards/s: single", "batches", "factor"]
    header += ["p99 ms: single", "batches", "CPU ms: single", "batches", "errors"]
    rows = [
        [pair.users, pair.library, pair.single, pair.batched, pair.factor, pair.single_p99, pair.batched_p99,
         pair.single_cpu, pair.batched_cpu, pair.errors]
        for pair in sorted(pairs, key=lambda pair: (pair.users, -pair.factor))
    ]  # fmt: skip
    return Table(header, *rows, formats=["d", "", ".0f", ".0f", ".2f", ".1f", ".1f", ".2f", ".2f", "d"])
