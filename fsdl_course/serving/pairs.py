"""A serving library beside itself: without batches and with them, or with one reader and with several.

Each library runs twice, and the two take turns, with one caller, whom neither can help, and with many. One
library after the other: what is compared first is a library with itself. KServe makes no batches here, so its
factor shows how far two equal servers are apart.
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
from fsdl_course.serving.libraries import Library, libraries
from fsdl_deploy.measuring.load import closed_loop
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.running.servers import Server, ServerError
from fsdl_deploy.running.stations import StationError

USERS = (1, 32)
WITH_BATCHES, MORE_READERS = ("single", "batches"), ("one reader", "more")  # what the two set-ups are called


@dataclass
class Pair:
    """One library with ``users`` callers, in two set-ups: ``first`` and ``second``.

    ``first``, ``second``: readings a second, of the median round. ``factor``: the median of the rounds' own
    factors. The rest in ms: the 99th percentile of the waits, and the processor time of a request.
    ``errors`` count refusals too.
    """

    library: str
    users: int
    first: float
    second: float
    factor: float
    first_p99: float
    second_p99: float
    first_cpu: float
    second_cpu: float
    errors: int

    @property
    def per_second(self) -> float:
        return min(self.first, self.second)


def batching(
    names: Sequence[str], rounds: int = 5, requests: int = 400, max_batch: int = 16, delay_ms: float = 0.0,
    users: Sequence[int] = USERS, say: Callable[[str], None] = lambda _: None,
) -> list[Pair]:  # fmt: skip
    """What batches bring: the libraries of ``names`` without them and with them.

    One that cannot start here is left out, after a sentence.
    """

    def both(library: Library) -> list[Server]:
        return [library.server(1, 0), library.server(max_batch, delay_ms)]

    return _pairs(names, both, WITH_BATCHES, rounds, requests, users, say)


def several_readers(
    names: Sequence[str], rounds: int = 5, requests: int = 400, max_batch: int = 16, delay_ms: float = 0.0,
    readers: int = 2, users: Sequence[int] = USERS, say: Callable[[str], None] = lambda _: None,
) -> list[Pair]:  # fmt: skip
    """What more readers bring: the libraries of ``names`` with one and with ``readers``, both with batches.

    One that is not set up for several is left out, after a sentence.
    """

    def both(library: Library) -> list[Server]:
        return [library.server(max_batch, delay_ms, count) for count in (1, readers)]

    return _pairs(names, both, MORE_READERS, rounds, requests, users, say)


def _pairs(names, both: Callable[[Library], list[Server]], words, rounds, requests, users, say) -> list[Pair]:
    known, (pictures, digits), pairs = libraries(), asked(64, seed=52), []
    for name in names:
        library = known[name]
        with contextlib.ExitStack() as stack:
            try:
                servers = both(library)
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
            say(str(table(pairs[-len(users) :], words)))
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
    factors = [other / rate if rate else 0.0 for rate, other in zip(*rates, strict=True)]
    p99 = [percentiles(loads, users)[1] for loads in loads_of]
    cpu = [1000 * seconds / (rounds * requests) for seconds in spent]
    errors = sum(sum(failures(loads)) for loads in loads_of)
    return Pair(
        title, users, *map(statistics.median, rates), statistics.median(factors), *p99, *cpu, errors
    )  # fmt: skip


def table(pairs: Sequence[Pair], words: tuple[str, str] = WITH_BATCHES) -> Table:
    """The pairs, the most callers last, the largest factor first; ``words`` name the two set-ups."""
    first, other = words
    header = ["callers", "library", f"cards/s: {first}", other, "factor"]
    header += [f"p99 ms: {first}", other, f"CPU ms: {first}", other, "errors"]
    rows = [
        [pair.users, pair.library, pair.first, pair.second, pair.factor, pair.first_p99, pair.second_p99,
         pair.first_cpu, pair.second_cpu, pair.errors]
        for pair in sorted(pairs, key=lambda pair: (pair.users, -pair.factor))
    ]  # fmt: skip
    return Table(header, *rows, formats=["d", "", ".0f", ".0f", ".2f", ".1f", ".1f", ".2f", ".2f", "d"])
