"""Is the candidate worse? Tests that may be looked at after every card, and the z-test that may not

A test for a fixed number of cards keeps its promise if it is looked at once. A sequential test keeps it
however often one looks: its evidence is a bet against "no worse", which on average wins nothing if that is
true. So it exceeds 1 / alpha with a probability of at most alpha, ever (Ville 1939).
Knows counts; knows nothing of what was counted.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import erf, exp, sqrt

import numpy as np

TAU = 0.02  # the differences that mSPRT expects have this standard deviation


def z_test_p(failures_a: int, n_a: int, failures_b: int, n_b: int) -> float:
    """The two-sided p-value of two shares, for whoever looks once: the two-proportion z-test."""
    pooled = (failures_a + failures_b) / (n_a + n_b)
    variance = pooled * (1 - pooled) * (1 / n_a + 1 / n_b)
    if variance == 0:
        return 1.0
    z = (failures_b / n_b - failures_a / n_a) / sqrt(variance)
    return 1 - erf(abs(z) / sqrt(2))


def msprt_p(failures_a: int, n_a: int, failures_b: int, n_b: int, tau: float = TAU) -> float:
    """The p-value of two shares, for whoever looks as often as they like: the mixture SPRT.

    The likelihood ratio of "the shares differ by a normal amount of standard deviation ``tau``" against "they
    are equal" (Johari, Koomen, Pekelis, Walsh 2017). What counts is the smallest p-value so far.
    """
    pooled = (failures_a + failures_b + 1) / (n_a + n_b + 2)
    variance = pooled * (1 - pooled) * (1 / n_a + 1 / n_b)
    difference = failures_b / n_b - failures_a / n_a
    spread = variance + tau**2
    ratio = sqrt(variance / spread) * exp(difference**2 * tau**2 / (2 * variance * spread))
    return min(1.0, 1 / ratio)


def evidence(worse: int, same: int, better: int, tolerance: float) -> float:
    """How strongly pairs of answers say that the candidate is worse by more than ``tolerance``.

    Of each pair of answers to the same card, the candidate's is worse (+1), as good (0) or better (-1).
    A gambler bets the part b of all that they own on each next pair: x gives 1 + b (x - tolerance). If the
    mean of x is at most ``tolerance``, no b wins on average. Here several gamblers start with equal parts;
    what they own together is the evidence (Waudby-Smith and Ramdas 2024). Alarm at 1 / alpha.
    """
    logs = np.array([worse, same, better]) @ _growth(tolerance)
    return float(np.exp(np.minimum(logs, 700)).mean())


@lru_cache
def _growth(tolerance: float) -> np.ndarray:
    """The logarithm by which each gambler's money grows with a pair of +1, 0, -1, float64 ``[3, bets]``."""
    return np.log1p(BETS / (1 + tolerance) * (np.array([[1], [0], [-1]]) - tolerance))


BETS = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9])


def false_alarms(
    p_value: Callable[[int, int, int, int], float],
    rate: float = 0.05,
    share: float = 0.1,
    requests: int = 5000,
    every: int = 50,
    canaries: int = 200,
    alpha: float = 0.05,
    seed: int = 0,
) -> float:
    """The share of canaries, in which both versions fail at the same ``rate``, that raise an alarm.

    Each is looked at ``every`` so many requests, of which the candidate gets ``share``.
    """
    return float(np.mean(np.isfinite(alarms_at(p_value, (rate, rate), share, requests, every, canaries,
                                               alpha, seed))))  # fmt: skip


def alarms_at(
    p_value: Callable[[int, int, int, int], float],
    rates: tuple[float, float],
    share: float = 0.1,
    requests: int = 5000,
    every: int = 50,
    canaries: int = 200,
    alpha: float = 0.05,
    seed: int = 0,
) -> np.ndarray:
    """After how many requests each canary raises its first alarm, float64 ``[canaries]``; inf: never."""
    rng = np.random.default_rng(seed)
    looks = np.arange(every, requests + 1, every) - 1
    first = np.full(canaries, np.inf)
    for canary in range(canaries):
        is_b = rng.random(requests) < share
        fails = rng.random(requests) < np.where(is_b, rates[1], rates[0])
        counts = [np.cumsum(part)[looks] for part in (fails & ~is_b, ~is_b, fails & is_b, is_b)]
        for look, (a, n_a, b, n_b) in zip(looks + 1, zip(*counts, strict=True), strict=True):
            if n_a and n_b and p_value(int(a), int(n_a), int(b), int(n_b)) < alpha:
                first[canary] = look
                break
    return first


def enough(sizes: Sequence[int], power: Sequence[float], least: float = 0.8) -> int | None:
    """The first of ``sizes`` at which the power is ``least`` or more; None if it never is."""
    return next((size for size, share in zip(sizes, power, strict=True) if share >= least), None)


def power(
    differences: np.ndarray,
    sizes: Sequence[int],
    alpha: float = 0.05,
    tolerance: float = 0.0,
    runs: int = 200,
    seed: int = 0,
) -> list[float]:
    """The share of runs in which the candidate counts as worse within so many cards, for each of ``sizes``.

    ``differences``: of recorded pairs of answers, +1 where the candidate's is worse, 0 or -1; cards are drawn
    from them anew for each run. It is looked at after every card.
    """
    rng = np.random.default_rng(seed)
    within = np.zeros((runs, len(sizes)), bool)
    for run in range(runs):
        drawn = rng.choice(differences, max(sizes))
        wealth = np.exp(
            np.cumsum(np.log1p((BETS / (1 + tolerance))[:, None] * (drawn - tolerance)), axis=1)
        ).mean(axis=0)
        best = np.maximum.accumulate(wealth)
        within[run] = [best[size - 1] >= 1 / alpha for size in sizes]
    return within.mean(axis=0).tolist()
