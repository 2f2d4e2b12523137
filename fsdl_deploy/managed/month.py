"""A month of readings: how many, how they come, what each takes, and what is assumed, in one place

What the records know is filled in by ``Month.recorded``; the rest are assumptions, each a parameter with its
unit, for ``sensitivity`` to turn. Also counts the instances that a month needs. Knows no price.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Real

from fsdl_deploy import dated_rows
from fsdl_deploy.managed import measured_rates, tariffs
from fsdl_deploy.managed.prices import Price
from fsdl_deploy.managed.tariffs import HOURS
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.scaling.queueing import replicas_for

CARD_BYTES, ANSWER_BYTES, LOG_BYTES = 15_000, 400, 180
"""Of a request with a card, of its answer with headers, of its line in the service's access log."""
MOST_BUSY = (
    100_000  # cores that are busy at once: beyond that the counting takes long, and the table helps nobody
)

LEAST_MEMORY = 128  # MB of a function
MOST_AT_LEAST = 1000  # instances that stand by whatever comes


@dataclass(frozen=True)
class Month:
    """What comes, what a reading takes, and what is assumed. ``Month.recorded`` fills it from records.

    ``peak``: how many times the mean rate the busiest hour has. ``seconds``: of a core, for a reading.
    ``speed``: how fast a vCPU is, in cores of the record. ``overhead``: seconds that a call of a function is
    billed for besides. ``cold``: the share of calls that start an instance, ``cold_seconds`` billed for each
    with its reading (or as for a warm one, where that is more).
    ``patience``: seconds that 99 % wait at most for a free core in the busiest hour. ``room``: how busy cores
    may be then. ``least``: instances at least, so that one may die. ``memory``: MB of a function.
    ``kept``: months that logs are kept. ``gpu_rate``: readings a second of a GPU; None: not known.
    ``around``: seconds of a core for what a GPU cannot do, HTTP and the picture's file.
    """

    readings: float
    peak: float
    seconds: float
    speed: float = 1.0
    overhead: float = 0.0
    cold: float = 0.01
    cold_seconds: float = 0.0
    patience: float = 0.1
    room: float = 0.6
    least: int = 2
    memory: float = 1769
    bytes_in: float = CARD_BYTES
    bytes_out: float = ANSWER_BYTES
    log_bytes: float = LOG_BYTES
    kept: float = 1.0
    gpu_rate: float | None = None
    around: float = 0.0

    def __post_init__(self):
        for item in fields(self):
            value = getattr(self, item.name)
            number = isinstance(value, Real) and not isinstance(value, bool)
            huge = number and isinstance(value, int) and abs(value) > 1e300  # more than a float is
            if huge or not (number or (item.name == "gpu_rate" and value is None)):
                raise ValueError(f"{item.name} must be a number, not {dated_rows.quoted(value)}")
        for name in ("seconds", "speed", "patience", "room", "memory"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a number above 0, not {getattr(self, name)}")
        at_least_0 = (
            "readings",
            "overhead",
            "cold",
            "cold_seconds",
            "bytes_in",
            "bytes_out",
            "log_bytes",
            "kept",
            "around",
        )
        for name in at_least_0:
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a number not below 0, not {getattr(self, name)}")
        if not 1 <= self.peak < math.inf:
            raise ValueError(f"peak must not be below 1, the mean itself: {self.peak}")
        if self.room > 1 or self.cold > 1:
            raise ValueError(f"room and cold are shares, at most 1: {self.room}, {self.cold}")
        if not isinstance(self.least, int) or not 1 <= self.least <= MOST_AT_LEAST:
            raise ValueError(f"least must be a whole number from 1 to {MOST_AT_LEAST:,}, not {self.least!r}")
        if self.memory < LEAST_MEMORY:
            raise ValueError(f"memory must be at least {LEAST_MEMORY} MB, a function's, not {self.memory}")
        if self.gpu_rate is not None and not 0 < self.gpu_rate < math.inf:
            raise ValueError(f"gpu_rate must be a number above 0, not {self.gpu_rate}")

    @classmethod
    def recorded(cls, readings: float, peak: float, **changes) -> "Month":
        """A case of the course's records: our service's reading, the function's call and its cold start."""
        reading, call = measured_rates.service().seconds, measured_rates.function_call()
        gpu = measured_rates.gpu()
        known = {
            "seconds": reading,
            "overhead": max(0.0, call.median - reading),
            "cold_seconds": call.cold,
            "gpu_rate": gpu[1] if gpu else None,
            "around": measured_rates.around_the_model(),
        }
        return cls(readings, peak, **(known | changes))

    @property
    def rate(self) -> float:
        """Readings a second in the busiest hour."""
        return self.readings / (HOURS * 3600) * self.peak

    def billed(self, memory: float, known: Mapping[str, Price] | None = None) -> float:
        """Seconds that a warm call is billed for, in whole milliseconds. Less memory gets less of a core."""
        return tariffs.billed(self.seconds / self.speed, memory, self.overhead, known)

    def billed_on_average(self, memory: float, known: Mapping[str, Price] | None = None) -> float:
        """Seconds that a call is billed for on average, those that start an instance among them."""
        warm = self.billed(memory, known)
        return warm + self.cold * max(0.0, tariffs.whole_milliseconds(self.cold_seconds) - warm)

    def count(self, cores: int, seconds: float, least: int) -> int:
        """Instances of so many cores for the busiest hour: room in each, and no long wait for 99 %."""
        if self.rate * seconds > MOST_BUSY:
            raise ValueError(
                f"the busiest hour keeps {self.rate * seconds:,.0f} cores busy; {MOST_BUSY:,} can be counted"
            )
        by_room = tariffs.fewest(self.rate * seconds, cores, self.room, least)
        return max(by_room, math.ceil(_cores(self.rate, seconds, self.patience) / cores))

    def table(self) -> Table:
        """All that a bill is computed from besides prices: what it is, its value with its unit, and why."""
        recorded, assumed = "recorded, lesson 06", "assumed"
        rows = [
            ["readings a month", f"{self.readings:,.0f}", "lesson 07: a card from each customer"],
            ["busiest hour / mean", f"{self.peak:.1f}", "the shape of the traffic"],
            ["a reading, of a core", f"{1000 * self.seconds:.2f} ms", recorded],
            ["a call is billed besides", f"{1000 * self.overhead:.2f} ms", "recorded: call less reading"],
            ["cold starts", f"{self.cold:.0%} of the calls", assumed],
            ["a cold call is billed", f"{1000 * self.cold_seconds:.0f} ms", "recorded in AWS's emulator"],
            ["memory of a function", f"{self.memory:g} MB", "so much comes with one whole core"],
            ["a card / its answer", f"{self.bytes_in:,g} / {self.bytes_out:,g} bytes", assumed],
            ["its line in the log", f"{self.log_bytes:g} bytes", assumed],
            ["a vCPU", f"{self.speed:g} of our cores", assumed],
            ["cores may be busy", f"{self.room:.0%} in the busiest hour", assumed],
            ["99 % wait for a core", f"{self.patience:g} s at most", assumed],
            ["instances at least", f"{self.least}", "so that one may die"],
        ]
        return Table(["of the month", "value", "from"], *rows)


@functools.lru_cache(4096)
def _cores(rate: float, seconds: float, patience: float) -> int:
    """Cores with which 99 % wait for ``patience`` at most: asked anew for each place and price."""
    return replicas_for(rate, 1 / seconds, patience)
