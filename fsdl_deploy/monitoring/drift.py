"""Drift: which statistic of the cards has changed, after how many cards, with how many false alarms

A card is compared with reference cards of its own kind (the same time of the week, say), by its *rank* among
them (``usual_cards``). Three detectors look at ranks: a cumulative sum (E. Page, "Continuous inspection
schemes", 1954) for what is small or slow, Kolmogorov and Smirnov's distance for what changes its shape, and
the tail of latencies. Their thresholds come from weeks that are drawn again from the reference. Knows nothing
of what the statistics mean, nor of truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import ks_2samp

from fsdl_deploy.monitoring.card_statistics import PICTURE, Statistics
from fsdl_deploy.monitoring.usual_cards import LIMIT, Reference, kinds_of

SIGNALS = {
    "rate": ("gap",),
    "p99": ("latency",),
    "refused": ("refused",),
    "input": PICTURE,
    "digits": ("digits",),
    "confidence": ("confidence",),
    "handed on": ("handed on",),
    "plausibility": ("implausible",),
}
"""What somebody watches, and the statistics behind it."""

WINDOW = 200  # cards that are looked at together
ALLOWANCE = 0.25  # deviations by which the mean may differ for ever without an alarm
RESTLESS = {"gap": 0.5}  # the same, where days differ by themselves: a busy one is no drift
SPLITS = 8  # ways in which the reference is halved to set the thresholds
FALSE_ALARMS = 10.0  # weeks of a thousand with one, by all detectors together


@dataclass(frozen=True)
class Alarm:
    """``card``: how many cards had come when ``detector`` saw that ``statistic`` is not what it was."""

    card: int
    signal: str
    statistic: str
    detector: str


def cumulative_sum(scores: np.ndarray, allowance: float = ALLOWANCE) -> np.ndarray:
    """How far the scores have risen or fallen since the best moment to begin counting, after each card."""
    sides = []
    for side in (scores, -scores):
        total = np.cumsum(side - allowance)
        sides.append(total - np.minimum.accumulate(np.minimum(total, 0)))
    return np.maximum(*sides)


def distances(ranks: np.ndarray, pool: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """Kolmogorov and Smirnov's distance of each window's ranks from the reference's, times the root of how
    many are known; 0 for a window of which less than half is."""
    values = []
    for start in range(0, len(ranks) - window + 1, window):
        known = ranks[start : start + window]
        known = known[~np.isnan(known)]
        enough = 2 * len(known) >= window
        distance = ks_2samp(known, pool, method="asymp").statistic if enough else 0.0
        values.append(distance * np.sqrt(len(known)))
    return np.array(values)


def tail(ranks: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """The share of each window above the reference's 99th percentile."""
    full = len(ranks) // window * window
    return (ranks[:full].reshape(-1, window) > 0.99).mean(axis=1)


class DriftWatch:
    """Detectors for each statistic of a reference, with ``thresholds`` at which they raise an alarm.

    ``false_alarms``: of 1,000 usual weeks, in how many an alarm may be raised, by all detectors together.
    ``week``: cards of a week. ``weeks``: how many are drawn to set the thresholds.
    """

    def __init__(
        self,
        reference: Reference,
        week: int | None = None,
        false_alarms: float = FALSE_ALARMS,
        weeks: int = 400,
        seed: int = 0,
    ):
        self.reference = reference
        length = len(reference.kinds) if week is None else week
        if not 0 < false_alarms < 1000 or length < WINDOW or weeks < 40:
            raise ValueError(
                f"false_alarms is between 0 and 1,000 weeks, week at least {WINDOW} cards, weeks at least "
                f"40; not {false_alarms}, {length} and {weeks}"
            )
        rng, peaks = np.random.default_rng(seed), []
        for _ in range(SPLITS):
            usual, others = reference.halves(rng)
            for _ in range(weeks // SPLITS):
                start = rng.integers(len(reference.kinds))
                kinds = np.take(reference.kinds, np.arange(start, start + length), mode="wrap")
                paths = watched(usual, others.again(kinds, rng), kinds)
                peaks.append({key: path.max(initial=0.0) for key, (_, path) in paths.items()})
        share = false_alarms / 1000 / len(peaks[0])
        self.thresholds = {key: _beyond([peak[key] for peak in peaks], share) for key in peaks[0]}
        for name, detector in self.thresholds:
            if detector == "sum":  # what was never seen may happen twice without an alarm
                self.thresholds[name, detector] = max(self.thresholds[name, detector], 2 * LIMIT)

    def alarms(self, statistics: Statistics, kinds: Sequence | None = None) -> list[Alarm]:
        """The first alarm of each detector in these cards, the earliest first."""
        alarms = []
        paths = watched(self.reference, statistics, kinds_of(statistics, kinds))
        for (name, detector), (cards, path) in paths.items():
            over = np.flatnonzero(path > self.thresholds[name, detector])
            if len(over):
                alarms.append(Alarm(int(cards[over[0]]), signal_of(name), name, detector))
        return sorted(alarms, key=lambda alarm: alarm.card)


def watched(reference: Reference, statistics: Statistics, kinds: np.ndarray) -> dict:
    """By (statistic, detector): after which cards it looked, and what it saw."""
    paths = {}
    for name, ranks in reference.ranks(statistics, kinds).items():
        each = np.arange(1, len(ranks) + 1)
        if name == "latency":
            path = tail(ranks)
            paths[name, "tail"] = WINDOW * np.arange(1, len(path) + 1), path
            continue
        paths[name, "sum"] = (
            each,
            cumulative_sum(reference.scores(name, ranks), RESTLESS.get(name, ALLOWANCE)),
        )
        if name in reference.continuous:
            path = distances(ranks, reference.pools[name])
            paths[name, "distance"] = WINDOW * np.arange(1, len(path) + 1), path
    return paths


def signal_of(statistic: str) -> str:
    """The signal to which a statistic belongs; a statistic of your own is a signal of its own."""
    return next((signal for signal, names in SIGNALS.items() if statistic in names), statistic)


def _beyond(peaks: Sequence[float], share: float) -> float:
    """What a ``share`` of weeks goes beyond. A few hundred weeks do not show the rarest one, so the highest
    tenth is continued as an exponential, which falls more slowly than peaks of these detectors do."""
    start = float(np.quantile(peaks, 0.9))
    excess = np.asarray(peaks)[np.asarray(peaks) > start] - start
    scale = float(excess.mean()) if len(excess) else 0.0
    return start + scale * float(np.log(0.1 / share)) if share < 0.1 else float(np.quantile(peaks, 1 - share))
