"""Calls of a function in phases: one caller, a crowd at once, nobody; instances, cold starts, failures, waits

Knows nothing of what the function does.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from itertools import pairwise
from pathlib import Path

from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT
from fsdl_deploy.scaling.serverless_platform import Call, Function

RECORD = ROOT / "infra" / "scaling" / "aws_lambda" / "recorded.json"
WARM_RECORD = RECORD.with_name("warm.json")


@dataclass(frozen=True)
class BurstPhase:
    """Some calls together. ``before`` and ``after``: how many instances there were; waits in milliseconds."""

    name: str
    before: int
    calls: int
    failed: int
    cold: int
    after: int
    quickest: float
    median: float
    slowest: float


@dataclass(frozen=True)
class WarmCalls:
    """Calls of one caller in turn, by what is billed for them, in milliseconds. None of them has failed.

    ``starts``: instances that were started for it, one after another; ``cold``: the median of their first
    calls. ``calls``: the others, which were warm, and ``quickest`` to ``slowest`` are theirs.
    """

    starts: int
    cold: float
    calls: int
    quickest: float
    median: float
    p99: float
    slowest: float


def phase(name: str, calls: Sequence[Call], before: int, after: int) -> BurstPhase:
    """These calls in figures."""
    waits = [1000 * call.seconds for call in calls]
    failed, cold = sum(bool(call.error) for call in calls), sum(call.cold for call in calls)
    times = min(waits), statistics.median(waits), max(waits)
    return BurstPhase(name, before, len(calls), failed, cold, after, *times)


def lived(history: Sequence[tuple[float, int]]) -> float:
    """Seconds that all instances existed; ``history``: moments, and how many there were from then on."""
    return sum(count * (after - before) for (before, count), (after, _) in pairwise(history))


def burst(function: Function, event: object, crowd: int) -> list[BurstPhase]:
    """Call it: three times in turn, ``crowd`` times at once and again, and after a while without calls.

    ``function`` may have ``crowd`` instances. None is ended before the quiet while: where all start on the
    cores of one machine, the first would have been idle for long when the last is ready.
    """
    phases, idle, function.idle = [], function.idle, math.inf

    def happens(name: str, call: Callable[[], list[Call]]) -> None:
        before, calls = function.instances, call()
        phases.append(phase(name, calls, before, function.instances))

    happens("one caller", lambda: [function(event) for _ in range(3)])
    happens("a crowd", lambda: function.at_once([event] * crowd))
    happens("the same crowd again", lambda: function.at_once([event] * crowd))
    function.idle = idle
    function.wait_for_none()
    happens("after a quiet while", lambda: [function(event)])
    return phases


def warm(function: Function, event: object, starts: int, each: int) -> WarmCalls:
    """Call it in turn: ``starts`` times a new instance, and on each ``each`` warm calls.

    Raises RuntimeError for a call that failed, or that met no instance where it should have.
    """
    cold, billed = [], []
    for _ in range(starts):
        function.end_idle(0)
        calls = [function(event) for _ in range(1 + each)]
        if failed := next((call.error for call in calls if call.error), ""):
            raise RuntimeError(f"a call failed: {failed}")
        if [call.cold for call in calls] != [True] + [False] * each:
            raise RuntimeError("an instance ended between two calls: let it be idle for longer")
        cold.append(1000 * calls[0].billed)
        billed += [1000 * call.billed for call in calls[1:]]
    p99 = statistics.quantiles(billed, n=100, method="inclusive")[98]
    times = min(billed), statistics.median(billed), p99, max(billed)
    return WarmCalls(starts, statistics.median(cold), len(billed), *times)


def record_warm(
    package: Path, handler: str, event: object, starts: int, each: int, to: Path = WARM_RECORD
) -> WarmCalls:
    """Measure calls in turn and write them down."""
    with Function(package, handler, idle=math.inf, timeout=120) as function:
        calls = warm(function, event, starts, each)
    records.write(to, memory=function.settings.memory, **asdict(calls))
    return calls


def table(phases: Iterable[BurstPhase], notes: Sequence[str] = ()) -> Table:
    """The phases, for a notebook to show."""
    counted = ["instances before", "calls", "failed", "cold", "instances after"]
    header = ["", *counted, "quickest ms", "median ms", "slowest ms"]
    return Table(header, *map(astuple, phases), formats=[*[""] * 6, *[".0f"] * 3], notes=notes)


def recorded(file: Path = RECORD) -> Table:
    """The burst that is recorded, with its date and machine."""
    kept = records.read(file)
    notes = [f"Recorded on {kept['date']}: {kept['machine']}."]
    return table([BurstPhase(**phase) for phase in kept["phases"]], notes)


def record(
    package: Path, handler: str, event: object, crowd: int, to: Path = RECORD, idle: float = 5
) -> list[BurstPhase]:
    """Measure a burst and write it down: its phases, how many instances there were, what was billed."""
    with Function(package, handler, most=crowd, idle=idle, timeout=120) as function:
        phases = burst(function, event, crowd)
    metrics = function.metrics
    records.write(
        to,
        crowd=crowd,
        memory=function.settings.memory,
        idle=idle,
        phases=phases,
        most=metrics.most,
        billed=metrics.seconds,
        cost=function.cost,
    )
    return phases
