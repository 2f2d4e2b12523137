"""Usual cards: a reference in which each new card has a rank among the cards of its own kind

Cards of one kind, such as those of the evening, are alike. By its rank a dark evening card is usual, and
neither units nor outliers matter. Knows nothing of detectors, nor of what the statistics mean.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy.stats import norm

from fsdl_deploy.monitoring.card_statistics import Statistics, chosen

LIMIT = 6.0  # deviations that a single card counts at most
FEWEST = 100  # reference cards of each kind: fewer ranks would be too coarse


class Reference:
    """Usual cards: their statistics in the order of arrival. ``kinds``: what each is compared with,
    such as "evening"; without it all are of one kind. Raises ValueError where a kind has fewer than FEWEST.
    """

    def __init__(self, statistics: Statistics, kinds: Sequence | None = None):
        self.statistics, self.kinds = statistics, kinds_of(statistics, kinds)
        for kind, count in zip(*np.unique(self.kinds, return_counts=True), strict=True):
            if count < FEWEST:
                raise ValueError(
                    f"the reference has {count} cards of the kind {str(kind)!r}: it needs {FEWEST} of each. "
                    "Take more cards, or fewer kinds"
                )

    @cached_property
    def _sorted(self) -> dict[tuple[str, object], np.ndarray]:
        """The known values of each statistic and kind, in order."""
        return {
            (name, kind): np.sort(known[~np.isnan(known)])
            for name, values in self.statistics.items()
            for kind in np.unique(self.kinds)
            for known in [values[self.kinds == kind]]
        }

    @cached_property
    def pools(self) -> Statistics:
        """The reference's own ranks, with which a window's are compared."""
        own = self.ranks(self.statistics, self.kinds)
        return {name: ranks[~np.isnan(ranks)] for name, ranks in own.items()}

    @cached_property
    def continuous(self) -> set[str]:
        """The statistics with hardly two cards alike; for the others the sum says it all."""
        known = {name: values[~np.isnan(values)] for name, values in self.statistics.items()}
        return {name for name, values in known.items() if len(np.unique(values)) > len(values) / 2}

    @cached_property
    def _usual(self) -> dict[str, tuple[float, float]]:
        """Mean and deviation of the scores of usual cards, by statistic."""
        scores = {name: norm.ppf(ranks) for name, ranks in self.pools.items()}
        return {name: (s.mean(), max(s.std(), 0.1)) if len(s) else (0.0, 1.0) for name, s in scores.items()}

    def ranks(self, statistics: Statistics, kinds: Sequence | None = None) -> Statistics:
        """Where each card stands among the reference's of its kind: 0 below, 1 above all, NaN: not known."""
        kinds = kinds_of(statistics, kinds)
        unknown = set(np.unique(kinds)) - set(np.unique(self.kinds))
        if unknown:
            raise ValueError(f"the reference has no card of the kind {str(min(unknown))!r}")
        ranks = {name: np.full(len(kinds), np.nan) for name in statistics if name in self.statistics}
        for name, out in ranks.items():
            for kind in np.unique(kinds):
                usual, own = self._sorted[name, kind], kinds == kind
                if len(usual):
                    values = statistics[name][own]
                    below, upto = (np.searchsorted(usual, values, side) for side in ("left", "right"))
                    edge = 0.5 / len(usual)
                    middle = ((below + upto) / 2 / len(usual)).clip(edge, 1 - edge)
                    out[own] = np.where(np.isnan(values), np.nan, middle)
        return ranks

    def scores(self, name: str, ranks: np.ndarray) -> np.ndarray:
        """Ranks as deviations from usual: mean 0 and deviation 1 for usual cards, 0 for what is not known."""
        mean, deviation = self._usual[name]
        return np.nan_to_num((norm.ppf(ranks) - mean) / deviation).clip(-LIMIT, LIMIT)

    def halves(self, rng: np.random.Generator) -> tuple["Reference", "Reference"]:
        """Two references of half the cards each, with as many of each kind."""
        first = np.zeros(len(self.kinds), bool)
        for kind in np.unique(self.kinds):
            places = rng.permutation(np.flatnonzero(self.kinds == kind))
            first[places[: len(places) // 2]] = True
        halves = []
        for part in (first, ~first):
            half = object.__new__(Reference)  # half as many as FEWEST will do here
            half.statistics, half.kinds = chosen(self.statistics, part), self.kinds[part]
            halves.append(half)
        return halves[0], halves[1]

    def again(self, kinds: np.ndarray, rng: np.random.Generator) -> Statistics:
        """Cards of these kinds, each drawn by lot from the reference's of its kind."""
        return chosen(self.statistics, drawn(self.kinds, kinds, rng))


def drawn(stock: np.ndarray, kinds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each of ``kinds`` the place of a card of this kind in ``stock``, by lot."""
    places = np.empty(len(kinds), int)
    for kind in np.unique(kinds):
        own = kinds == kind
        places[own] = rng.choice(np.flatnonzero(stock == kind), own.sum())
    return places


def kinds_of(statistics: Statistics, kinds: Sequence | None) -> np.ndarray:
    """A kind for each card. Raises ValueError for no cards, or another number of kinds."""
    sizes = {len(values) for values in statistics.values()}
    if len(sizes) != 1 or sizes == {0}:
        raise ValueError("statistics are arrays of one length, at least one card")
    kinds = np.zeros(sizes.pop(), int) if kinds is None else np.asarray(kinds)
    if len(kinds) != len(next(iter(statistics.values()))):
        raise ValueError(f"{len(kinds)} kinds for {len(next(iter(statistics.values())))} cards: one for each")
    return kinds
