"""Runs: what was read on all cards in one way, and how far that is from the truth and from another run.

Knows nothing of where a run comes from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fsdl_deploy.measuring.accuracy import exact_match
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.reading import Reading

Run = Mapping[str, Sequence]
"""``digits``, a text for each card, and ``confidence``, a number from 0 to 1 for each, in one order."""


@dataclass(frozen=True)
class Effect:
    """What a change did: the share ``right``, how many readings ``moved``, the shift of the confidence."""

    right: float
    moved: int
    surer: float


@dataclass(frozen=True)
class RunAgreement:
    """How many readings are ``equal`` in two runs, and how far apart confidences are at most."""

    equal: int
    furthest: float


def as_run(readings: Sequence[Reading]) -> Run:
    """The readings of a reader in this process, as columns."""
    return {
        "digits": [reading.digits for reading in readings],
        "confidence": [reading.confidence for reading in readings],
    }


def moved(before: Sequence[str], after: Sequence[str]) -> int:
    """How many readings changed. Raises ValueError where the two are not of the same cards."""
    return sum(a != b for a, b in zip(before, after, strict=True))


def effects(truths: Sequence[str], runs: Mapping[str, Run]) -> dict[str, Effect]:
    """The Effect of each run; the first of them is the one without a change."""
    first = next(iter(runs.values()))
    return {
        name: Effect(
            exact_match(truths, run["digits"]),
            moved(first["digits"], run["digits"]),
            float(np.mean(run["confidence"]) - np.mean(first["confidence"])),
        )
        for name, run in runs.items()
    }


def effect_table(by_change: Mapping[str, Effect], cards: int) -> Table:
    """A row for each change; ``cards``: how many were read."""
    rows = [[name, effect.right, effect.moved, effect.surer] for name, effect in by_change.items()]
    header = ["what changed", "exact match", f"readings changed, of {cards}", "confidence, mean shift"]
    return Table(header, *rows, formats=["", ".1%", "d", "+.3f"])


def newly_wrong(truths: Sequence[str], before: Run, after: Run) -> list[int]:
    """The places of the cards that were right before and are wrong after."""
    columns = zip(truths, before["digits"], after["digits"], strict=True)
    return [place for place, (truth, first, second) in enumerate(columns) if first == truth != second]


def agreement(run: Run, other: Run) -> RunAgreement:
    """How far two runs on the same cards agree. Raises ValueError for runs of different lengths."""
    equal = len(run["digits"]) - moved(run["digits"], other["digits"])
    return RunAgreement(equal, float(np.abs(np.subtract(run["confidence"], other["confidence"])).max()))


def agreement_table(against: str, agreements: Mapping[str, RunAgreement], cards: int) -> Table:
    """A row for each run that was compared with the one called ``against``, on so many ``cards``."""
    rows = [[name, f"{each.equal} of {cards}", f"{each.furthest:.0e}"] for name, each in agreements.items()]
    return Table([f"{against} against", "readings equal", "confidence, largest difference"], *rows)
