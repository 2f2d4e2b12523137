"""What a run of the load meter measured: latencies and their percentiles, losses; several runs as a table"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from fsdl_deploy.measuring.table import Table

_COLUMNS = ("requests", "errors", "seconds", "per second", "p50 ms", "p95 ms", "p99 ms")


@dataclass(frozen=True, eq=False, repr=False)
class Load:
    """What one run measured.

    ``requests``: how many were due, ``errors`` among them. ``seconds``: from the first start to the
    last answer. ``latencies`` and ``service_times``: milliseconds, float64 ``[requests - errors]``,
    only of calls that succeeded, in the order of their starts. ``problems``: kind of error -> (how
    many, the first message). ``stood_still``: seconds in which the meter's own process did not run;
    ``never_sent``: calls that it could not make for that, which are no requests. Percentiles are numpy's
    (linear interpolation), nan if nothing succeeded.
    """

    requests: int
    seconds: float
    latencies: np.ndarray
    service_times: np.ndarray
    problems: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    never_sent: int = 0
    stood_still: float = 0.0

    @property
    def errors(self) -> int:
        return self.requests - len(self.latencies)

    @property
    def losses(self) -> list[str]:
        """The ``problems`` as lines: how many of a kind, and the first message."""
        return [f"{count} × {kind}: {first}" for kind, (count, first) in self.problems.items()]

    @property
    def standstill(self) -> str:
        """A sentence if the meter itself stood still, else ""."""
        text = f"the meter itself stood still for {self.stood_still:.1f} s; never sent: {self.never_sent}"
        return text if self.stood_still else ""

    @property
    def throughput(self) -> float:
        """Successful calls per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, q: float) -> float:
        """Latency in ms that ``q`` per cent of the successful calls did not exceed."""
        return float(np.percentile(self.latencies, q)) if len(self.latencies) else float("nan")

    @property
    def p50(self) -> float:
        """The median latency in ms."""
        return self.percentile(50)

    @property
    def p95(self) -> float:
        """The latency in ms that 95 % of the calls did not exceed."""
        return self.percentile(95)

    @property
    def p99(self) -> float:
        """The latency in ms that 99 % of the calls did not exceed."""
        return self.percentile(99)

    def __repr__(self) -> str:
        problems = "".join(f"; {line}" for line in [*self.losses, self.standstill] if line)
        return (
            f"{self.requests} requests, {self.errors} errors, {self.seconds:.2f} s, {self.throughput:.1f}/s, "
            f"p50 {self.p50:.1f} ms, p95 {self.p95:.1f} ms, p99 {self.p99:.1f} ms{problems}"
        )


def table(loads: Mapping[str, Load] | Iterable[tuple[str, Load]]) -> Table:
    """Loads under each other: ``table({"1 user": alone, "4 users": four})``, or pairs of label and Load."""
    rows = [
        [str(label), load.requests, load.errors, load.seconds, load.throughput, load.p50, load.p95, load.p99]
        for label, load in dict(loads).items()
    ]
    return Table(["", *_COLUMNS], *rows, formats=["", "d", "d", *[".1f"] * 5])
