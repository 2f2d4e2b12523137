"""A utility's weeks as its monitor sees them: measured once from real cards, then drawn again by the thousand

A week has a pattern: more cards by day, darker and harder ones in the evening and at night, three times as
many in the last two days of a month. Cards of one kind (time of the week, or month end) are alike, whatever
week it is. Knows nothing of thresholds.
"""

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np
import PIL.Image
import PIL.ImageFilter

from fsdl_deploy.cards import DRIFTS, Card
from fsdl_deploy.customers import Customers
from fsdl_deploy.measuring.progress import bar
from fsdl_deploy.monitoring.card_statistics import Statistics, joined, measure
from fsdl_deploy.picture import Image, PictureError
from fsdl_deploy.reader import read_encoded
from fsdl_deploy.reading import Reader, Reading

MONTH, BEFORE = "2026-10", "2026-09"
FIRST = date(2026, 9, 28)  # a Monday: two of the days that follow end a month
HOURS = {"night": range(23, 31), "day": range(7, 17), "evening": range(17, 23)}
A_DAY = {"night": 20, "day": 110, "evening": 70}  # cards, on a plain day
MONTH_END = 3  # times as many in the last two days
MIX = {
    "night": {"typical": 0.5, "hard": 0.5},
    "day": {"clean": 0.2, "typical": 0.7, "hard": 0.1},
    "evening": {"typical": 0.7, "hard": 0.3},
}
MOOD = 0.1  # deviation of a day's number of cards from the usual, beyond chance


def _blur(image: Image) -> Image:
    return np.array(PIL.Image.fromarray(image).filter(PIL.ImageFilter.GaussianBlur(1.6)))


OTHERS: dict[str, Callable[[Image], Image]] = {
    "blurred": _blur,  # a lens that somebody touched
    "small": lambda image: np.array(PIL.Image.fromarray(image).resize((image.shape[1] // 3, 21))),
    "on its side": lambda image: np.rot90(image).copy(),
}
"""Changes beyond those of the tour. Nothing in the detectors was chosen by them."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Cards in the order of arrival: ``statistics``, ``kinds``, and what only truth tells: ``errors``, 1
    where more was read than is written, -1 where less or nothing, 0 where the reading is right."""

    statistics: Statistics
    kinds: np.ndarray
    errors: np.ndarray

    @property
    def right(self) -> np.ndarray:
        return self.errors == 0


def week(monday: date, rng: np.random.Generator, volume: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """The kind of each card of a week, and the seconds since the card before it.

    ``volume``: how many times the usual number of cards come, for reasons that no calendar knows.
    """
    kinds, gaps = [], []
    for day in (monday + timedelta(days) for days in range(7)):
        last = (day + timedelta(2)).month != day.month
        times = volume * rng.lognormal(0, MOOD) * (MONTH_END if last else 1)
        for part, hours in HOURS.items():
            count = rng.poisson(times * A_DAY[part])
            kinds += [f"{part}, month end" if last else part] * count
            moments = np.sort(rng.uniform(0, 3600 * len(hours), count))
            gaps.append(np.diff(moments, prepend=0.0))
    return np.array(kinds), np.concatenate(gaps)


@cache
def _customers(level: str, seed: int) -> Customers:
    return Customers(1_000_000, seed, level)


def cards_of(kinds: Sequence[str], seed: int, drift: str | None = None) -> tuple[list[Card], list[int]]:
    """A card of each kind, by a customer of its own, with the meter's reading a month before.

    ``drift``: one of DRIFTS or OTHERS; the customers and what they write are the same with and without.
    """
    piles: tuple[list[Card], list[int]] = [], []
    for place, kind in enumerate(kinds):
        mix = MIX[kind.partition(",")[0]]
        level = np.random.default_rng((seed, place)).choice(list(mix), p=list(mix.values()))
        customers = _customers(str(level), seed)
        card = customers.card(place, MONTH, drift if drift in DRIFTS else None)
        if drift in OTHERS:
            card = Card(OTHERS[drift](card.image), card.truth, card.customer, card.month)
        piles[0].append(card)
        piles[1].append(customers.reading(place, BEFORE))
    return piles


def measured(reader: Reader, kinds: Sequence[str], gaps: Sequence[float], seed: int, drift=None) -> Measured:
    """Draw a card of each kind, let the reader answer each file alone, and measure. Latency is the
    processor time from the file to the reading, so that a busy machine matters little."""
    pile, previous = cards_of(kinds, seed, drift)
    readings, latency = [], []
    for file in [_file(card.image) for card in pile]:
        begin = time.thread_time()
        readings += read_encoded(reader, [file])
        latency.append(time.thread_time() - begin)
    statistics = measure([card.image for card in pile], readings, previous, latency, gaps)
    errors = [error(reading, card.truth) for reading, card in zip(readings, pile, strict=True)]
    return Measured(statistics, np.asarray(kinds), np.array(errors))


def _file(image: Image) -> bytes:
    """A PNG, of a picture that ``picture.encode`` would refuse, too: customers send what they like."""
    file = io.BytesIO()
    PIL.Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def error(reading: Reading | PictureError, truth: str) -> int:
    """1 where more was read than is written, -1 where less or nothing, 0 where the reading is right."""
    digits = reading.digits if isinstance(reading, Reading) else ""
    return 0 if digits == truth else 1 if digits and int(digits) > int(truth) else -1


STRETCH = 100  # cards measured in one go: all sets in turn, so that a busy minute of the machine meets each


def bank(reader: Reader, weeks: int = 4, drifted: int = 1000, seed: int = 0) -> dict[str, Measured]:
    """Cards by set: "reference", "usual" (other customers, the same weeks), and each drift, which changes the
    first ``drifted`` cards of "usual", those of each kind in their share."""
    rng = np.random.default_rng(seed)
    plans = {}
    for number, name in enumerate(("reference", "usual")):
        parts = [week(FIRST + timedelta(7 * place), rng) for place in range(weeks)]
        kinds, gaps = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        if name == "usual":  # in any order, so that the first ones are a sample of all
            order = rng.permutation(len(kinds))
            kinds, gaps = kinds[order], gaps[order]
        plans[name] = (kinds, gaps, seed + number, None)
    kinds, gaps, own, _ = plans["usual"]
    plans |= {name: (kinds[:drifted], gaps[:drifted], own, name) for name in (*DRIFTS, *OTHERS)}
    parts: dict[str, list[Measured]] = {name: [] for name in plans}
    longest = max(len(plan[0]) for plan in plans.values())
    with bar(longest, "cards of each set", "card") as progress:
        for start in range(0, longest, STRETCH):
            for name, (kinds, gaps, own, drift) in plans.items():
                part = slice(start, start + STRETCH)
                if len(kinds[part]):
                    parts[name].append(measured(reader, kinds[part], gaps[part], own * 10_000 + start, drift))
            progress.update(STRETCH)
    return {name: joined_measured(pieces) for name, pieces in parts.items()}


def joined_measured(parts: Sequence[Measured]) -> Measured:
    return Measured(
        joined(*(part.statistics for part in parts)),
        np.concatenate([part.kinds for part in parts]),
        np.concatenate([part.errors for part in parts]),
    )
