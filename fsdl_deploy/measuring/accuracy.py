"""How good a reader is: exact match with its confidence interval, two readers compared, error rates,
confusions.

Knows nothing of how a reader is asked: it compares answers.
"""

from collections.abc import Mapping, Sequence
from math import comb, sqrt
from typing import NamedTuple

import numpy as np

from fsdl_deploy.reading import Reading


def exact_match(truths: Sequence[str], readings: Sequence[str]) -> float:
    """Share of readings that are right in every digit, 0 to 1."""
    return sum(t == s for t, s in zip(truths, readings, strict=True)) / len(truths)


def wilson(successes: float, n: float, z: float = 1.96) -> tuple[float, float]:
    """The 95 % confidence interval of a share (Wilson 1927): honest near 0 and 1, where ± is not.

    For independent trials. Cards share handwritten digits: theirs is ``clustered``.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"a share of {successes} in {n} has no confidence interval")
    p, square = successes / n, z * z
    centre, spread = p + square / (2 * n), z * sqrt(p * (1 - p) / n + square / (4 * n * n))
    return (centre - spread) / (1 + square / n), (centre + spread) / (1 + square / n)


def clustered(right: Sequence[bool], digits: Sequence[Sequence[int]]) -> tuple[float, float]:
    """The 95 % confidence interval of the share of ``right`` cards, where cards share handwritten digits.

    ``digits``: the examples that each card is written with, by number. A digit that is hard to read is on
    several cards, so these say less than as many independent ones. The variance is the sum over all pairs of
    cards that share a digit (P. Aronow, C. Samii, V. Assenova: *Cluster-robust variance estimation for dyadic
    data*, 2015), and the interval that of ``wilson`` for as many independent cards as have this variance.
    """
    n, share = len(right), sum(right) / len(right)
    apart = np.asarray(right, float) - share
    cards_of: dict[int, list[int]] = {}
    for card, written in enumerate(digits):
        for digit in set(written):
            cards_of.setdefault(digit, []).append(card)
    neighbours = (sorted({card for digit in written for card in cards_of[digit]}) for written in digits)
    variance = sum(own * apart[near].sum() for own, near in zip(apart, neighbours, strict=True)) / n**2
    independent = share * (1 - share) / n
    effective = n * independent / max(variance, independent) if independent else n
    return wilson(share * effective, effective)


class Surest(NamedTuple):
    """Of some cards: how many were read right, how many surely, how many of these wrong, and how surely."""

    right: int
    sure: int
    wrong: int
    confidence: float


def sure_and_wrong(truths: Sequence[str], readings: Sequence[Reading], sure: float) -> Surest:
    """What passes without a person if readings with a confidence above ``sure`` (0 to 1) do."""
    right = [truth == reading.digits for truth, reading in zip(truths, readings, strict=True)]
    passed = [reading.confidence > sure for reading in readings]
    wrong = sum(surely and not hit for surely, hit in zip(passed, right, strict=True))
    return Surest(sum(right), sum(passed), wrong, float(np.median([r.confidence for r in readings])))


def same_reader(answers: Sequence[Mapping], readings: Sequence[Reading]) -> str:
    """Whether a server's answers are the reader's own, card by card, as text; confidence to float32 rounding.

    ``answers``: JSON with ``digits`` and ``confidence``, and with ``by_hand`` where a person is to read some.
    """
    pairs = list(zip(answers, readings, strict=True))
    equal = sum(answer["digits"] == reading.digits for answer, reading in pairs)
    confidence = [(answer["confidence"], reading.confidence) for answer, reading in pairs]
    lines = [
        f"the same digits:     {equal} of {len(pairs)}",
        f"the same confidence: {np.allclose(*zip(*confidence, strict=True), rtol=1e-5)}",
    ]
    if any("by_hand" in answer for answer in answers):
        lines.append(f"for a person to read: {sum(answer['by_hand'] for answer in answers)}")
    return "\n".join(lines)


def fixed_and_broken(before: Sequence[bool], now: Sequence[bool]) -> tuple[int, int]:
    """Of the same cards, read right or not by two readers: what the second fixed, and what it broke."""
    pairs = list(zip(before, now, strict=True))
    return pairs.count((False, True)), pairs.count((True, False))


def paired_p(fixed: int, broken: int) -> float:
    """How likely so uneven counts, or more so, are where a changed card is as soon fixed as broken.

    The exact two-sided sign test, McNemar's test without his approximation (McNemar 1947). Cards that both
    readers read right, or both wrong, tell nothing about the difference. 1 where nothing changed. Raises
    ValueError for counts below 0.
    """
    if min(fixed, broken) < 0:
        raise ValueError(f"{fixed} fixed and {broken} broken are not counts")
    changed = fixed + broken
    return min(1.0, 2 * sum(comb(changed, k) for k in range(min(fixed, broken) + 1)) / 2**changed)


def align(truth: str, reading: str) -> list[tuple[str, str]]:
    """The cheapest way to turn ``truth`` into ``reading`` (Levenshtein 1966).

    Pairs (written, read): ("3", "5") a confusion, ("3", "") a digit missed, ("", "5") one invented.
    """
    cost = np.zeros((len(truth) + 1, len(reading) + 1), int)
    cost[:, 0], cost[0] = range(len(truth) + 1), range(len(reading) + 1)
    for i, t in enumerate(truth, 1):
        for j, s in enumerate(reading, 1):
            cost[i, j] = min(cost[i - 1, j - 1] + (t != s), cost[i - 1, j] + 1, cost[i, j - 1] + 1)
    pairs, i, j = [], len(truth), len(reading)
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + (truth[i - 1] != reading[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((truth[i], reading[j]))
        elif i and cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
            pairs.append((truth[i], ""))
        else:
            j -= 1
            pairs.append(("", reading[j]))
    return pairs[::-1]


def character_error_rate(truths: Sequence[str], readings: Sequence[str]) -> float:
    """Wrong, missed and invented digits per digit written (CER)."""
    wrong = sum(w != r for t, s in zip(truths, readings, strict=True) for w, r in align(t, s))
    return wrong / sum(map(len, truths))


def confusion(truths: Sequence[str], readings: Sequence[str]) -> np.ndarray:
    """Counts int ``[11, 11]``: rows written, columns read; last row invented, last column missed."""
    counts = np.zeros((11, 11), int)
    for t, s in zip(truths, readings, strict=True):
        for written, read in align(t, s):
            counts[int(written or 10), int(read or 10)] += 1
    return counts
