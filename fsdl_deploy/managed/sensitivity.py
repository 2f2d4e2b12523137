"""Sensitivity: which assumption decides where to run, and at which value of it the decision flips

Each assumption is turned from its low to its high value while the others stay. What is watched is the ratio
of two bills: below 1 the first place is cheaper, above 1 the second. So a bar that crosses 1 can change the
choice.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fsdl_deploy.managed import hosting, measured_rates
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import Price, changed, prices
from fsdl_deploy.measuring.table import Table

HOURLY = ("fargate_core_hour", "ec2_c5_xlarge_hour", "endpoint_c5_xlarge_hour")
NAMES = {
    "readings": "readings a month",
    "peak": "busiest hour / mean",
    "seconds": "seconds of a core",
    "overhead": "a call besides (s)",
    "cold": "share of cold starts",
    "memory": "memory (MB)",
    "speed": "vCPU / our core",
    "room": "how busy cores may be",
    "least": "instances at least",
    "log_bytes": "bytes of log",
    "bytes_in": "bytes of a picture",
    "function_gb_second": "price of a GB-second",
    "function_million_requests": "price of requests",
    "fargate_core_hour": "price of a Fargate vCPU",
    "ec2_c5_xlarge_hour": "price of a c5.xlarge",
    "endpoint_c5_xlarge_hour": "price of an ml.c5.xlarge",
}


@dataclass(frozen=True)
class Range:
    """An assumption from ``low`` to ``high``, and ``why`` so far. ``name``: of a Month's field or of a price.

    ``end``: how far it may be turned in search of the value at which the decision flips.
    """

    name: str
    low: float
    high: float
    why: str
    end: tuple[float, float]


@dataclass(frozen=True)
class Turned:
    """The ratio of the bills at both ends of a range. ``flips``: the value at which it passes 1, if any."""

    range: Range
    value: float
    at_low: float
    at_high: float
    flips: float | None

    @property
    def swing(self) -> float:
        """How far the ratio moves, as a factor."""
        return max(self.at_low, self.at_high) / min(self.at_low, self.at_high)

    @property
    def decides(self) -> bool:
        """Whether the choice changes within the range."""
        return (self.at_low < 1) is not (self.at_high < 1)


def ranges(month: Month, known: Mapping[str, Price] | None = None) -> list[Range]:
    """The assumptions of the lesson. Those that records know have their spread, the others a guess."""
    known = prices() if known is None else known
    rate, call = measured_rates.service(), measured_rates.function_call()
    prices_turned = [
        Range(name, 0.7 * price, 1.3 * price, "a price, 30 % either way", (price / 100, 100 * price))
        for name in ("function_gb_second", "function_million_requests", *HOURLY)
        for price in [known[name].value]
    ]
    return [
        Range("readings", month.readings / 10, month.readings * 10, "ten times either way", (1.0, 1e10)),
        Range("peak", 1.0, 20.0, "steady to month end", (1.0, 1000.0)),
        Range("seconds", rate.least, rate.most, f"{rate.runs} recorded loads", (1e-5, 10.0)),
        Range("overhead", max(0.0, call.quickest - rate.seconds), 0.05, "recorded, to a gateway", (0.0, 1.0)),
        Range("cold", 0.0, 0.1, "none to a tenth", (0.0, 1.0)),
        Range("memory", 1024, 3008, "MB", (128.0, 10240.0)),
        Range("speed", 0.5, 2.0, "a vCPU: half to twice our core", (0.05, 20.0)),
        Range("room", 0.3, 0.9, "how busy cores may be", (0.02, 1.0)),
        Range("least", 1, 3, "instances at least", (1, 30)),
        Range("log_bytes", 0.0, 2000.0, "none to a long line", (0.0, 1e6)),
        Range("bytes_in", 2000.0, 100_000.0, "a small picture to a photo", (0.0, 1e7)),
        *prices_turned,
    ]


def ratio(first: str, second: str, month: Month, known: Mapping[str, Price] | None = None) -> float:
    """The first place's bill over the second's."""
    dearer = hosting.bill(second, month, known).total
    return hosting.bill(first, month, known).total / dearer if dearer else math.inf


def turned(
    first: str,
    second: str,
    month: Month,
    known: Mapping[str, Price] | None = None,
    assumptions: Sequence[Range] | None = None,
) -> list[Turned]:
    """Each assumption turned, the one that moves the ratio most first; without those that do not move it."""
    known = prices() if known is None else known

    def at(name: str, value: float) -> float:
        if name in known:
            return ratio(first, second, month, changed({name: value}, known))
        return ratio(first, second, dataclasses.replace(month, **{name: value}), known)

    rows = []
    for each in ranges(month, known) if assumptions is None else assumptions:
        value = known[each.name].value if each.name in known else getattr(month, each.name)
        flips = _flips(lambda value, name=each.name: at(name, value), value, each)
        rows.append(Turned(each, value, at(each.name, each.low), at(each.name, each.high), flips))
    return sorted((row for row in rows if row.swing > 1 + 1e-9), key=lambda row: -row.swing)


def _flips(at, value: float, each: Range) -> float | None:
    """The value nearest to ``value`` at which the ratio passes 1: looked for up and down in small steps."""
    whole = isinstance(each.end[0], int)
    now, nearest = at(value) < 1, None
    for end in each.end:
        before = value
        for step in range(1, 121):
            here = round(value + (end - value) * step / 120) if whole else _between(value, end, step / 120)
            try:
                other = (at(here) < 1) is not now
            except ValueError:  # no such month: more cores than can be counted
                break
            if other:
                here = here if whole else _bisected(lambda point: (at(point) < 1) is now, before, here)
                if nearest is None or abs(math.log(max(here, 1e-12) / max(value, 1e-12))) < abs(
                    math.log(max(nearest, 1e-12) / max(value, 1e-12))
                ):
                    nearest = here
                break
            before = here
    return nearest


def _between(value: float, end: float, share: float) -> float:
    """From ``value`` to ``end`` in even factors, or evenly where one of them is 0."""
    between = value * (end / value) ** share if value > 0 and end > 0 else value + (end - value) * share
    return min(max(between, min(value, end)), max(value, end))


def _bisected(as_now, inside: float, outside: float) -> float:
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if as_now(middle) else (inside, middle)
    return outside


def short(value: float) -> str:
    """``10 M`` and not ``10000000``; ``0.0021`` and not ``0.00210833``."""
    if value >= 1e4:
        value = float(f"{value:.3g}")
        return f"{value / 1e6:,g} M" if value >= 1e6 else f"{value / 1e3:g} k"
    return f"{value:.0f}" if value >= 100 else format(Decimal(f"{value:.2g}"), "f")


def table(rows: Sequence[Turned], names: tuple[str, str]) -> Table:
    """The assumptions, how the ratio moves, and where the choice flips."""
    lines = [
        [
            NAMES.get(row.range.name, row.range.name),
            short(row.value),
            f"{short(row.range.low)} to {short(row.range.high)}",
            row.range.why,
            row.at_low,
            row.at_high,
            "yes" if row.decides else "no",
            "nowhere" if row.flips is None else short(row.flips),
        ]
        for row in rows
    ]
    header = ["assumption", "here", "turned", "why so far", "at low", "at high", "decides", "flips at"]
    return Table(
        header,
        *lines,
        formats=["", "", "", "", ".3f", ".3f"],
        notes=[f"The ratio: the bill of {names[0]} over that of {names[1]}; below 1 {names[0]} is cheaper."],
    )
