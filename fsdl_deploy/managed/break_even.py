"""Break-even: at how many readings a month two places cost the same, every time that they do

Instances come whole, so their bill climbs in steps, and a straight line may cross such a staircase many
times. No bill falls while readings rise. So a stretch has no crossing if one place costs more at its begin
than the other at its end; any other is halved, until both bills are straight in it. Knows nothing of why a
place costs what it costs.
"""

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from fsdl_deploy.managed import hosting
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import Price
from fsdl_deploy.measuring.table import Table

LEAST, MOST = 1.0, 1e10
"""Readings a month between which is searched; MOST is more than there are people."""
EXACT = 1e-9
"""How close the two values are, in proportion, between which a crossing lies."""


@dataclass(frozen=True)
class Crossing:
    """From ``readings`` a month on ``above`` is cheaper, and ``below`` just before.

    ``step``: the bills do not meet, but one of them jumps over the other: an instance more.
    """

    readings: float
    below: str
    above: str
    step: bool


def turning(true_above: Callable[[float], bool], low: float, high: float) -> tuple[float, float]:
    """Bisection: the two neighbours between which ``true_above`` becomes true; false at low, true at high."""
    while (middle := between(low, high)) is not None:
        low, high = (low, middle) if true_above(middle) else (middle, high)
    return low, high


def between(low: float, high: float) -> float | None:
    """A value in the middle of two, by factors where they are far from each other; None if they are close."""
    if high - low <= EXACT * abs(high) or (low == 0 and high <= EXACT):  # by factors, 0 is far from all
        return None
    middle = math.sqrt(low * high) if 0 < 2 * low < high else (low + high) / 2
    return middle if low < middle < high else None


def changes(
    bills: Callable[[float], tuple[float, float]],
    low: float,
    high: float,
    straight: Callable[[float, float], bool] = lambda low, high: False,
    downwards: bool = False,
) -> Iterator[tuple[float, float]]:
    """The neighbours between which the cheaper of two bills changes, each time that it does, in their order.

    ``bills``: both at a value. Neither may turn back on the way: it only rises, or only falls.
    ``straight``: whether both are straight between two values, so that they meet there once at most.
    ``downwards``: the last change first, so that who asks for the last need not wait for all others.
    """
    (first_low, second_low), (first_high, second_high) = bills(low), bills(high)
    if max(first_low, first_high) < min(second_low, second_high):
        return
    if max(second_low, second_high) < min(first_low, first_high):
        return
    apart = (first_high - first_low) * (second_high - second_low) <= 0  # one stays, or they part: one meeting
    middle = between(low, high)
    if middle is not None and not apart and not straight(low, high):
        halves = ((low, middle), (middle, high))
        for half in reversed(halves) if downwards else halves:
            yield from changes(bills, *half, straight, downwards)
    elif (first_low < second_low) is not (first_high < second_high):
        rises = first_high >= second_high
        yield turning(lambda value: (bills(value)[0] >= bills(value)[1]) is rises, low, high)


def crossings(
    first: str,
    second: str,
    month: Month,
    known: Mapping[str, Price] | None = None,
    least: float = LEAST,
    most: float = MOST,
) -> list[Crossing]:
    """All readings a month between ``least`` and ``most`` at which the cheaper of two places changes."""
    if not 0 < least < most < math.inf:
        raise ValueError(f"least must be above 0 and below most, not {least:g} and {most:g}")

    if first == second:
        return []

    @functools.cache
    def both(readings: float) -> tuple[hosting.Bill, hosting.Bill]:
        there = replace(month, readings=readings)
        return hosting.had(first, there, known), hosting.had(second, there, known)

    def bills(readings: float) -> tuple[float, float]:
        return both(readings)[0].own, both(readings)[1].own

    def counts(readings: float) -> tuple[int, int]:
        return both(readings)[0].count, both(readings)[1].count

    met = []
    for before, after in changes(bills, least, most, lambda low, high: counts(low) == counts(high)):
        upwards = bills(after)[0] >= bills(after)[1]
        names = (first, second) if upwards else (second, first)
        met.append(Crossing(after, *names, step=counts(before) != counts(after)))
    return met


def rate_to_win(
    place: str, month: Month, known: Mapping[str, Price] | None = None, most: float = 1e9
) -> float | None:
    """Readings a second that a GPU must make to be the cheapest place; None where no rate would do.

    ``place`` has a GPU (``hosting.GPUS``). Compared with the cheapest place without one.
    """
    if place not in hosting.GPUS:
        raise ValueError(f"{place!r} has no GPU; those with one are {', '.join(hosting.GPUS)}")
    without = min(bill.total for bill in hosting.bills(month, known) if bill.place in hosting.PLACES)

    def wins(rate: float) -> bool:
        bill = hosting.bill(place, replace(month, gpu_rate=rate), known)  # None: an answer comes too late
        return bill is not None and bill.total <= without

    if not wins(most):
        return None
    slowest = max(1e-3, month.rate / 1e4)
    return slowest if wins(slowest) else turning(wins, slowest, most)[1]


def rates_table(months: Mapping[str, Month], known: Mapping[str, Price] | None = None) -> Table:
    """``rate_to_win`` of each place with a GPU in each month, by the name of the model that reads in it."""
    rows = []
    for name, month in months.items():
        for place in hosting.GPUS:
            must = rate_to_win(place, month, known)
            rows.append([name, place, "no rate is enough" if must is None else f"{must:,.0f}"])
    return Table(["model", "place", "readings a second that it must make"], *rows)
