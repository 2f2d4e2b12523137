"""Bad versions made of a good one's recorded answers: each is wrong, slow or failing in its own small way

For trying guardrails on more than one bug. Knows answers; knows nothing of guardrails.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fsdl_deploy.rollouts.answers import STABLE, Answers
from fsdl_deploy.rollouts.guardrails import SURE, Seen


def _misread(seen: Seen, rng: np.random.Generator, places: slice) -> Seen:
    """The same answer with another digit at one of ``places``."""
    if not seen.digits:
        return seen
    digits = list(seen.digits)
    place = int(rng.choice(np.arange(len(digits))[places]))
    digits[place] = str((int(digits[place]) + rng.integers(1, 10)) % 10)
    return replace(seen, digits="".join(digits))


def misreading(share: float, places: slice = slice(None), camera: str | None = None) -> "Spoil":
    """A digit more is wrong on ``share`` of the cards (of those from one ``camera``), as surely as before."""

    def spoil(seen: Seen, of: str, rng: np.random.Generator) -> Seen:
        hit = rng.random() < share and camera in (None, of)
        return _misread(seen, rng, places) if hit else seen

    return spoil


def overconfident(places: slice | None = None) -> "Spoil":
    """Sure of all; without ``places`` as right as before, else wrong there wherever it was not sure."""

    def spoil(seen: Seen, of: str, rng: np.random.Generator) -> Seen:
        wrong = places is not None and seen.confidence < SURE
        return replace(_misread(seen, rng, places) if wrong else seen, confidence=1.0)

    return spoil


def slower(share: float, seconds: float) -> "Spoil":
    """A share of the answers takes so much longer."""
    return lambda seen, of, rng: (
        replace(seen, seconds=seen.seconds + seconds) if rng.random() < share else seen
    )


def failing(share: float) -> "Spoil":
    """A share of the requests ends in an error."""
    return lambda seen, of, rng: Seen(failed=True) if rng.random() < share else seen


def doubting(share: float) -> "Spoil":
    """A share of the readings is right, and so unsure that a person has to read the card."""
    return lambda seen, of, rng: (
        replace(seen, confidence=seen.confidence / 4) if rng.random() < share else seen
    )


Spoil = Callable[[Seen, str, np.random.Generator], Seen]
SPOILED: dict[str, Spoil] = {
    "1 point more wrong": misreading(0.01),
    "2 points more wrong": misreading(0.02),
    "3 points more wrong": misreading(0.03),
    "1 card in 5 wrong from the scanner": misreading(0.2, camera="scanner"),
    "1 card in 8 wrong from old phones": misreading(0.125, camera="old phone"),
    "first digit wrong on 1 %": misreading(0.01, slice(0, 1)),
    "last digit wrong on 3 %": misreading(0.03, slice(-1, None)),
    "half a second more for 5 %": slower(0.05, 0.5),
    "30 seconds more for 1 %": slower(0.01, 30),
    "errors for 1 %": failing(0.01),
    "unsure of 1 card in 12 more": doubting(0.08),
    "sure of all": overconfident(),
    "last digit wrong where v2 is unsure, and sure": overconfident(slice(-1, None)),
    "last digit wrong where v2 is unsure": lambda seen, of, rng: (
        _misread(seen, rng, slice(-1, None)) if seen.confidence < SURE else seen
    ),
    "confidence that is no number": lambda seen, of, rng: replace(seen, confidence=float("nan")),
}
"""A wrong last digit is what the meter may well show: there only the stable version contradicts. A version
that is sure of all hands no card to a person any more, so that more wrong readings are billed."""


def spoiled(answers: Answers, stable: str = STABLE, seed: int = 0) -> Answers:
    """The same answers, with those of each version of SPOILED beside them."""
    for number, (name, spoil) in enumerate(SPOILED.items()):
        rng = np.random.default_rng((seed, number))
        seen = [
            spoil(each, of, rng) for each, of in zip(answers.versions[stable], answers.cameras, strict=True)
        ]
        answers = answers.with_version(name, seen)
    return answers
