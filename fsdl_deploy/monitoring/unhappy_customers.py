"""A simulation of who presses "this is wrong", and when: estimates of the accuracy against the truth

On some day the accuracy falls. Each day three estimates look at the last two weeks: complaints as they come,
complaints put right, and an audit. Since this world's truth is known, it can be said what each misses and how
many days late it is. Knows nothing of pictures.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fsdl_deploy.monitoring.delayed_labels import Audit, Estimate, as_they_come, audited, put_right

WAYS = ("as they come", "put right", "audit")


@dataclass(frozen=True)
class World:
    """``wrong``: shares of wrong readings before and after day ``change``; ``too_high``: which share of these
    reads more than is written. Of a wrong reading that is too high ``press_high`` press, else ``press_low``,
    after ``days`` (the median; logarithmic deviation ``spread``). ``audit``: cards a day that a person reads.
    ``window``: days that an estimate looks at; ``settled``: days after which no complaint is expected.
    """

    wrong: tuple[float, float] = (0.055, 0.15)
    too_high: tuple[float, float] = (0.5, 0.5)
    cards: int = 230
    press_high: float = 0.6
    press_low: float = 0.1
    days: float = 6.0
    spread: float = 0.8
    audit: int = 20
    change: int = 110
    last: int = 150
    window: int = 14
    settled: int = 40


@dataclass(frozen=True)
class Day:
    """What one way says on a day, and what was true of the same cards."""

    day: int
    way: str
    estimate: Estimate
    truth: float


def lived(world: World, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers of all days: the day of each, whether it was wrong, and days until somebody pressed."""
    rng = np.random.default_rng(seed)
    answered = np.sort(rng.uniform(0, world.last, world.cards * world.last))
    after = (answered >= world.change).astype(int)
    wrong = rng.random(len(answered)) < np.take(world.wrong, after)
    high = rng.random(len(answered)) < np.take(world.too_high, after)
    presses = wrong & (rng.random(len(answered)) < np.where(high, world.press_high, world.press_low))
    waited = rng.lognormal(np.log(world.days), world.spread, len(answered))
    return answered, wrong, np.where(presses, waited, np.inf)


def estimates(world: World, seed: int, first: int | None = None) -> Iterator[Day]:
    """Each day's estimates from day ``first`` on, by default from the 20th before the change. How long people
    wait and how many press is known from complaints and audits that had settled by then."""
    earliest = world.settled + world.window
    first = max(world.change - 20, earliest) if first is None else first
    if first < earliest:
        raise ValueError(f"the first day is {earliest} or later: earlier complaints have not all come")
    answered, wrong, waited = lived(world, seed)
    rng = np.random.default_rng((seed, 1))
    checked = rng.random(len(answered)) < world.audit / world.cards
    old = answered < first - world.settled
    usual = waited[old & np.isfinite(waited)]
    known = old & checked
    earlier = Audit(known.sum(), (known & wrong).sum(), (known & wrong & np.isfinite(waited)).sum())
    for day in range(first, world.last + 1):
        part = (answered > day - world.window) & (answered <= day)
        truth = 1 - float(wrong[part].mean())
        now = part & checked
        values = (
            as_they_come(answered[part], waited[part], day),
            put_right(answered[part], waited[part], day, usual, earlier, seed),
            audited(Audit(now.sum(), (now & wrong).sum(), 0)),
        )
        yield from (Day(day, way, estimate, truth) for way, estimate in zip(WAYS, values, strict=True))


def compared(world: World, promise: float, runs: int, seed: int = 0) -> list[dict]:
    """For each way, over many runs: mean error in points before the change, how often its 95 % interval has
    the truth in it, in how many runs it cries before the change, and after how many days it says that less
    than ``promise`` is kept (None: most runs do not)."""
    days = {way: [] for way in WAYS}
    for run in range(runs):
        for day in estimates(world, seed + run):
            days[day.way].append((run, day))
    rows = []
    for way, seen in days.items():
        before = [day for _, day in seen if day.day <= world.change]
        errors = [100 * (day.estimate.accuracy - day.truth) for day in before]
        inside = [day.estimate.low <= day.truth <= day.estimate.high for day in before]
        cries = {run for run, day in seen if day.day <= world.change and day.estimate.below(promise)}
        late: dict[int, float] = dict.fromkeys(range(runs), np.inf)
        for run, day in seen:
            if day.day > world.change and day.estimate.below(promise):
                late[run] = min(late[run], day.day - world.change)
        middle = float(np.median(list(late.values())))
        rows.append(
            {
                "way": way,
                "error": float(np.mean(errors)),
                "inside": float(np.mean(inside)),
                "cried": len(cries) / runs,
                "late": middle if np.isfinite(middle) else None,
            }
        )
    return rows


def other(world: World, **changes) -> World:
    """The same world but for ``changes``. Raises ValueError for shares outside 0 to 1."""
    changed = replace(world, **changes)
    shares = (*changed.wrong, *changed.too_high, changed.press_high, changed.press_low)
    if not all(0 <= share <= 1 for share in shares):
        raise ValueError(f"shares lie between 0 and 1, not {min(shares)} to {max(shares)}")
    return changed
