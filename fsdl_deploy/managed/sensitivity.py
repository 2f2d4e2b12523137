"""Sensitivity: which assumption decides where to run, and at which value of it the decision flips

Each assumption is turned from its low to its high value while the others stay. What is watched is the ratio
of two bills: below 1 the first place is cheaper, above 1 the second. Instances come whole, so the ratio may
pass 1 between the two ends and come back: the whole range is searched.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fsdl_deploy.managed import break_even, hosting
from fsdl_deploy.managed.assumptions import NAMES, Range, ranges
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import Price, changed, prices
from fsdl_deploy.measuring.table import Table


@dataclass(frozen=True)
class Turned:
    """The ratio of the bills at both ends of a range. ``flips``: the nearest value at which it passes 1.

    ``decides``: whether the choice changes anywhere within the range.
    """

    range: Range
    value: float
    at_low: float
    at_high: float
    flips: float | None
    decides: bool

    @property
    def swing(self) -> float:
        """How far the ratio moves, as a factor; infinite from a bill of nothing to one of something."""
        least, most = sorted((self.at_low, self.at_high))
        if least == most:
            return 1.0
        return most / least if least else math.inf

    @property
    def moves(self) -> bool:
        """Whether the ratio is another one anywhere that was looked at."""
        return self.decides or self.swing > 1 + 1e-9


def ratio(first: str, second: str, month: Month, known: Mapping[str, Price] | None = None) -> float:
    """The first place's bill over the second's: 1 where neither costs anything."""
    return _ratio(*(hosting.had(place, month, known) for place in (first, second)))


def turned(
    first: str,
    second: str,
    month: Month,
    known: Mapping[str, Price] | None = None,
    assumptions: Sequence[Range] | None = None,
) -> list[Turned]:
    """Each assumption turned, the one that moves the ratio most first, those that do not move it last."""
    known = prices() if known is None else known

    rows = []
    for each in ranges(month, known) if assumptions is None else assumptions:

        @functools.cache
        def bills(value: float, name: str = each.name) -> tuple[hosting.Bill, hosting.Bill]:
            here = month if name in known else dataclasses.replace(month, **{name: value})
            there = changed({name: value}, known) if name in known else known
            return hosting.had(first, here, there), hosting.had(second, here, there)

        value = known[each.name].value if each.name in known else getattr(month, each.name)
        low, high = (_ratio(*bills(end)) for end in (each.low, each.high))
        decides = next(_turns(bills, each.low, each.high, each), None) is not None
        rows.append(Turned(each, value, low, high, _flips(bills, value, each), decides))
    return sorted(rows, key=lambda row: (not row.moves, -row.swing))


Bills = Callable[[float], tuple[hosting.Bill, hosting.Bill]]


def _ratio(first: hosting.Bill, second: hosting.Bill) -> float:
    if second.total:
        return first.total / second.total
    return math.inf if first.total else 1.0


def _whole(each: Range) -> bool:
    return isinstance(each.end[0], int)


def _turns(
    bills: Bills, low: float, high: float, each: Range, downwards: bool = False
) -> Iterator[tuple[float, float]]:
    """The neighbours between which the cheaper of two bills changes, on the way from ``low`` to ``high``.

    Whole values are tried one by one, also from a higher one down. All others move each bill one way only,
    and ``downwards`` has their last change first.
    """
    if not _whole(each):

        def own(value: float) -> tuple[float, float]:
            return tuple(bill.own for bill in bills(value))

        def straight(low: float, high: float) -> bool:
            counts = (tuple(bill.count for bill in bills(end)) for end in (low, high))
            return each.name == "readings" and len(set(counts)) == 1

        yield from break_even.changes(own, low, high, straight, downwards)
        return
    step = 1 if low <= high else -1
    for before, after in itertools.pairwise(range(round(low), round(high) + step, step)):
        if _first(bills, before) is not _first(bills, after):
            yield before, after


def _first(bills: Bills, value: float) -> bool:
    """Whether the first place is the cheaper one."""
    first, second = bills(value)
    return first.own < second.own


def _flips(bills: Bills, value: float, each: Range) -> float | None:
    """The value nearest to ``value``, by factors, from which on the choice is another; None for nowhere."""
    whole = _whole(each)
    ends = min(value, each.end[0]), max(value, each.end[1])
    low, high = (_reached(bills, value, end, whole) for end in ends)
    above = [after for _, after in itertools.islice(_turns(bills, value, high, each), 1)]
    downwards = _turns(bills, value, low, each) if whole else _turns(bills, low, value, each, True)
    below = [pair[1 if whole else 0] for pair in itertools.islice(downwards, 1)]
    points = below + above
    return min(points, key=lambda point: abs(math.log(max(point, 1e-12) / max(value, 1e-12))), default=None)


def _reached(bills: Bills, value: float, end: float, whole: bool) -> float:
    """How far from ``value`` towards ``end`` both places can be had and their bills counted."""

    def good(point: float) -> bool:
        try:
            bills(point)
        except ValueError:  # more cores than can be counted, more memory than an endpoint has
            return False
        return True

    if good(end):
        return end
    for _ in range(60):
        middle = (value + end) // 2 if whole else (value + end) / 2
        if middle in (value, end):
            break
        value, end = (middle, end) if good(middle) else (value, middle)
    return value


def short(value: float) -> str:
    """``10 M`` and not ``10000000``; ``0.0021`` and not ``0.00210833``."""
    if value >= 1e4:
        value = float(f"{value:.3g}")
        return f"{value / 1e6:,g} M" if value >= 1e6 else f"{value / 1e3:g} k"
    return f"{value:.0f}" if value >= 100 else format(Decimal(f"{value:.2g}"), "f")


def table(rows: Sequence[Turned], names: tuple[str, str]) -> Table:
    """The assumptions, how the ratio moves, and where the choice flips; below, those that move nothing."""
    still = ", ".join(NAMES.get(row.range.name, row.range.name) for row in rows if not row.moves)
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
        if row.moves
    ]
    header = ["assumption", "here", "turned", "why so far", "at low", "at high", "decides", "flips at"]
    return Table(
        header,
        *lines,
        formats=["", "", "", "", ".3f", ".3f"],
        notes=[
            f"The ratio: the bill of {names[0]} over that of {names[1]}; below 1 {names[0]} is cheaper.",
            *([f"Turned just as far, these move nothing here: {still}."] if still else []),
        ],
    )
