"""Break-even: at how many readings a month two places cost the same, every time that they do

Instances come whole, so their bill climbs in steps, and a straight line may cross such a staircase several
times. Between two steps both bills are straight: the steps are looked up first, then each stretch between
them is searched by bisection. Knows nothing of why a place costs what it costs.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fsdl_deploy.managed import hosting
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import Price

LEAST, MOST = 1.0, 1e10
"""Readings a month between which is searched; MOST is more than there are people."""
STEPS = 100
"""How many steps of a staircase are looked up one by one; beyond, each is about a percent or less."""
EXACT = 1e-9


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
    while high - low > EXACT * high:
        middle = math.sqrt(low * high) if high > 2 * low else (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if true_above(middle) else (middle, high)
    return low, high


def steps(
    place: str, month: Month, known: Mapping[str, Price] | None = None, most: float = MOST
) -> list[float]:
    """The readings from which on the place needs an instance more, the first STEPS of them; sorted."""

    def count(readings: float) -> int:
        return hosting.bill(place, replace(month, readings=readings), known).count

    points, low = [], LEAST
    while len(points) < STEPS and count(most) > count(low):
        here, high = count(low), min(2 * low, most)
        while count(high) == here:
            high = min(2 * high, most)
        before, after = turning(lambda readings, here=here: count(readings) > here, low, high)
        points += [before, after]
        low = after
    return points


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

    def dearer(readings: float) -> float:
        """How much more the first costs than the second."""
        there = replace(month, readings=readings)
        return hosting.bill(first, there, known).total - hosting.bill(second, there, known).total

    grid = [least * (most / least) ** (number / 200) for number in range(201)]
    inside = [point for place in (first, second) for point in steps(place, month, known, most)]
    points = sorted({*grid, *(point for point in inside if least < point < most)})
    changes, low = [], points[0]
    for high in points[1:]:
        if (dearer(low) < 0) is not (dearer(high) < 0):
            upwards = dearer(high) >= 0
            before, after = turning(lambda readings, up=upwards: (dearer(readings) >= 0) is up, low, high)
            jump = (
                abs(dearer(after) - dearer(before))
                > 1e-6 * hosting.bill(first, replace(month, readings=after), known).total
            )
            names = (first, second) if upwards else (second, first)
            changes.append(Crossing(after, *names, step=jump))
        low = high
    return changes


def rate_to_win(
    place: str, month: Month, known: Mapping[str, Price] | None = None, most: float = 1e9
) -> float | None:
    """Readings a second that a GPU must make to be the cheapest place; None where no rate would do.

    ``place`` has a GPU (``hosting.GPUS``). Compared with the cheapest place without one.
    """
    if place not in hosting.GPUS:
        raise ValueError(f"{place!r} has no GPU; those with one are {', '.join(hosting.GPUS)}")
    without = min(hosting.bill(name, month, known).total for name in hosting.PLACES)

    def wins(rate: float) -> bool:
        return hosting.bill(place, replace(month, gpu_rate=rate), known).total <= without

    if not wins(most):
        return None
    slowest = max(1e-3, month.rate / 1e4)
    return slowest if wins(slowest) else turning(wins, slowest, most)[1]
