"""Guardrails: what must not get worse with the candidate, each counted in pairs of answers to the same card

Of each pair the candidate's answer is worse (+1), as good (0) or better (-1). How much worse on average is
tolerated stands in GUARDRAILS; whether it is more, ``sequential.evidence`` says, after any card. But for the
last one none needs to know what is really on the card: that comes days later.
Where nothing can be compared nothing is known, and that is an alarm too.
Knows nothing of proxies, logs or steps.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fsdl_deploy.rollouts.meters import Meter
from fsdl_deploy.rollouts.sequential import evidence

ALPHA = 0.02
"""The probability that a candidate as good as the stable version raises any alarm, ever, is at most this."""
UNSURE = 0.5  # a reading with less confidence goes to a person
SURE = 0.9  # of the stable version's readings with this confidence nearly all are right
SLOW_FROM, LEARNED_FROM = 0.1, 100  # seconds that nobody minds; answers that show how slow is usual
HANGS = 5  # times as long as what is slow
SEGMENTS = 20  # most cameras, and the like, that are looked at one by one


@dataclass(frozen=True)
class Seen:
    """One version's answer to a card, or that it ``failed``: so does whoever is not 0 to 1 sure."""

    digits: str = ""
    confidence: float = 0.0
    seconds: float = 0.0
    failed: bool = False

    def __post_init__(self):
        if not 0 <= self.confidence <= 1:  # nan, too
            object.__setattr__(self, "failed", True)


@dataclass(frozen=True)
class AnswerPair:
    """Both versions' answers to one card. ``stable``: None where it was not asked. ``truth``: None where it
    is not known yet. ``segment``: the camera, or whatever tells groups of customers apart."""

    candidate: Seen
    stable: Seen | None
    segment: str = ""
    meter: Meter | None = None
    truth: str | None = None

    @property
    def compared(self) -> bool:
        """Whether both have answered."""
        return self.stable is not None and not self.stable.failed and not self.candidate.failed


def alone(pair: AnswerPair, slow: float) -> int | None:
    return None if pair.candidate.failed else int(not pair.compared)


def failed(pair: AnswerPair, slow: float) -> int:
    return pair.candidate.failed - (pair.stable is not None and pair.stable.failed)


def slow(pair: AnswerPair, slow: float) -> int | None:
    return _compared(pair, lambda answer: answer.seconds > slow)


def hanging(pair: AnswerPair, slow: float) -> int | None:
    return _compared(pair, lambda answer: answer.seconds > HANGS * slow)


def unsure(pair: AnswerPair, slow: float) -> int | None:
    return _compared(pair, lambda answer: answer.confidence < UNSURE)


def certain(pair: AnswerPair, slow: float) -> int | None:
    return _compared(pair, lambda answer: answer.confidence >= UNSURE)


def implausible(pair: AnswerPair, slow: float) -> int | None:
    return pair.meter and _compared(pair, lambda answer: not pair.meter.plausible(answer.digits))


def disagreeing(pair: AnswerPair, slow: float) -> int | None:
    if not pair.compared:
        return None
    return int(pair.candidate.digits != pair.stable.digits and pair.stable.confidence >= SURE)


def correcting(pair: AnswerPair, slow: float) -> int | None:
    if not pair.compared:
        return None
    other = pair.candidate.digits != pair.stable.digits and pair.stable.confidence < SURE
    return int(other and implausible(pair, slow) != -1)  # the meter may say that the candidate is right


def wrong(pair: AnswerPair, slow: float) -> int | None:
    return None if pair.truth is None else _compared(pair, lambda answer: answer.digits != pair.truth)


def _compared(pair: AnswerPair, is_bad: Callable[[Seen], bool]) -> int | None:
    """+1, 0 or -1, if both have answered."""
    if not pair.compared:
        return None
    return int(is_bad(pair.candidate)) - int(is_bad(pair.stable))


@dataclass(frozen=True)
class Guardrail:
    """``look`` at a pair (and at how many seconds are slow); ``tolerance``: of all, and in one segment."""

    look: Callable[[AnswerPair, float], int | None]
    tolerance: float
    in_segment: float
    words: str


GUARDRAILS = {
    "comparison": Guardrail(alone, 0.05, 0.1, "cards without the stable version's answer to compare with"),
    "errors": Guardrail(failed, 0.001, 0.01, "answers that are errors"),
    "p99": Guardrail(slow, 0.007, 0.02, "answers slower than twice the stable version's p99"),
    "hangs": Guardrail(hanging, 0.002, 0.01, "answers slower than ten times the stable version's p99"),
    "confidence": Guardrail(unsure, 0.03, 0.06, f"readings with a confidence below {UNSURE}"),
    "certainty": Guardrail(certain, 0.05, 0.08, f"readings with a confidence of {UNSURE} or more"),
    "plausibility": Guardrail(implausible, 0.003, 0.01, "readings that the customer's meter cannot show"),
    "disagreement": Guardrail(
        disagreeing,
        0.003,
        0.01,
        f"readings other than the stable version's, where that is {SURE} sure or more",
    ),
    "corrections": Guardrail(
        correcting,
        0.04,
        0.06,
        f"readings other than the stable version's, where that is less than {SURE} sure",
    ),
    "labels": Guardrail(wrong, 0.003, 0.01, "wrong readings, by labels"),
}


@dataclass
class Watch:
    """Counts pairs for each guardrail, of all cards and by segment, and says which guardrail is broken.

    ``pairs``: those in which both versions have answered.
    """

    alpha: float = ALPHA
    pairs: int = 0
    counts: dict[tuple[str, str], Counter] = field(default_factory=dict)
    _seconds: list[float] = field(default_factory=list)
    _slow: float | None = None

    def add(self, pair: AnswerPair) -> None:
        self.pairs += pair.compared
        if self._slow is None and pair.stable is not None and not pair.stable.failed:
            self._seconds.append(pair.stable.seconds)
            if len(self._seconds) >= LEARNED_FROM:
                self._slow = slow_from(self._seconds)
        for name, guardrail in GUARDRAILS.items():
            difference = guardrail.look(pair, self._slow or float("inf"))
            if difference is not None:
                self.count(name, pair.segment, Counter([difference]))

    def label(self, pair: AnswerPair) -> None:
        """Count a pair, of which the truth has come, once more: only for its labels."""
        difference = wrong(pair, 0.0)
        if difference is not None:
            self.count("labels", pair.segment, Counter([difference]))

    def count(self, name: str, segment: str, differences: Counter) -> None:
        """Add how many pairs of a segment have which difference in a guardrail."""
        for key in ((name, ""), (name, segment)) if segment else ((name, ""),):
            at, known = key[1], {at for _, at in self.counts if at}
            if not at or at in known or len(known) < SEGMENTS:
                self.counts.setdefault(key, Counter()).update(differences)

    def alarms(self) -> list[str]:
        """A sentence for each guardrail that is broken; [] if none is."""
        return [text for (name, segment) in self.counts if (text := self._alarm(name, segment))]

    def _alarm(self, name: str, segment: str) -> str | None:
        guardrail, counted = GUARDRAILS[name], self.counts[name, segment]
        tolerance = guardrail.in_segment if segment else guardrail.tolerance
        worse, total = counted[1] - counted[-1], counted.total()
        # Half of alpha is for the guardrails over all cards, half for those in segments, in equal parts.
        tests = 2 * len(GUARDRAILS) * (SEGMENTS if segment else 1)
        if worse <= tolerance * total:  # then the evidence is 1 at most
            return None
        if evidence(counted[1], counted[0], counted[-1], tolerance) < tests / self.alpha:
            return None
        where = f" from camera {segment!r}" if segment else ""
        return (
            f"{name}: {guardrail.words}{where}: {100 * worse / total:.1f} points more than with the stable "
            f"version, of {total} cards; {100 * tolerance:.1f} are tolerated"
        )


def slow_from(seconds: list[float]) -> float:
    """From how many seconds on an answer is slow, where the stable version's usual answers take these."""
    return max(SLOW_FROM, 2 * float(np.percentile(seconds, 99)))
