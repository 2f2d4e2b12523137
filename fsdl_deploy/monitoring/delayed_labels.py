"""Labels that come late, from those who are unhappy: what they say of the accuracy, and when

The prototype's button "this is wrong" (``prototype.feedback``) is pressed days after an answer, by some, and
more often by those whose bill is too high. Counted as they are, such labels promise far too much. Two things
put that right: the delays seen so far say how many are still to come, and an *audit* (cards drawn by lot and
read by a person) says how many never come. Knows nothing of pictures.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from fsdl_deploy.measuring.accuracy import wilson

DRAWS = 2000  # of the unknown shares, for an interval


@dataclass(frozen=True)
class Complaint:
    """One line of ``feedback.jsonl``: when it was pressed, the picture's file, what was read, and by whom."""

    time: datetime
    picture: str
    read: str
    model_version: str


def complaints(folder: Path) -> list[Complaint]:
    """What users called wrong, the first word on each picture. Raises ValueError that names a broken line."""
    first: dict[tuple[str, str], Complaint] = {}
    file = folder / "feedback.jsonl"
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines() if file.exists() else [], 1):
        try:
            row = json.loads(line)
            moment = datetime.fromisoformat(row["time"])
            if moment.tzinfo is None:
                raise ValueError("the time names no time zone")
            complaint = Complaint(moment, row["picture"], row["read"], row["model_version"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{file.name}, line {number} is no feedback: {error}. Mend or remove it"
            ) from None
        key = complaint.picture, complaint.model_version
        if key not in first or moment < first[key].time:
            first[key] = complaint
    return list(first.values())


def delays(
    answers: Mapping[str, datetime], complaints: Sequence[Complaint], version: str
) -> tuple[np.ndarray, np.ndarray]:
    """Answers of a model and their complaints: days of each answer from the first one, and days from the
    answer to its complaint, infinite where there is none.

    ``answers``: when each picture was answered, by its file's name. Complaints about other pictures or
    models, or from before the answer, are left out.
    """
    if not answers:
        raise ValueError("no answers: give the moment of each picture's answer")
    start, day = min(answers.values()), 86_400
    places = {picture: place for place, picture in enumerate(answers)}
    answered = np.array([(moment - start).total_seconds() / day for moment in answers.values()])
    waited = np.full(len(answers), np.inf)
    for complaint in complaints:
        if complaint.model_version == version and complaint.picture in places:
            days = (complaint.time - answers[complaint.picture]).total_seconds() / day
            if days >= 0:
                waited[places[complaint.picture]] = days
    return answered, waited


@dataclass(frozen=True)
class Audit:
    """Cards drawn by lot and read by a person: ``checked`` of them, ``wrong`` readings among these, and
    ``complained`` of the wrong ones."""

    checked: int
    wrong: int
    complained: int

    def __post_init__(self):
        if not 0 <= self.complained <= self.wrong <= self.checked or not self.checked:
            raise ValueError(
                f"of the cards checked some are wrong, and of these some complained of, not {self}"
            )


@dataclass(frozen=True)
class Estimate:
    """Accuracy 0 to 1 with its 95 % interval."""

    accuracy: float
    low: float
    high: float

    def below(self, promise: float) -> bool:
        """Whether even the best that it allows is less than was promised."""
        return self.high < promise


def share_arrived(answered: np.ndarray, now: float, usual: np.ndarray) -> np.ndarray:
    """For each answer, the share of its complaints that would have come by ``now`` (days).

    ``usual``: the delays of complaints about answers so old that no more are expected.
    """
    if not len(usual):
        raise ValueError("no delays of old complaints: wait until some answers are old enough")
    return np.searchsorted(np.sort(usual), now - answered, side="right") / len(usual)


def as_they_come(answered: np.ndarray, waited: np.ndarray, now: float) -> Estimate:
    """Whoever has not complained is taken for content: what a dashboard shows that nobody thought about."""
    answers = answered <= now
    wrong = (answered[answers] + waited[answers] <= now).sum()
    return _from_wrong(*wilson(wrong, answers.sum()), wrong / answers.sum())


def put_right(
    answered: np.ndarray,
    waited: np.ndarray,
    now: float,
    usual: np.ndarray,
    audit: Audit,
    seed: int = 0,
) -> Estimate:
    """Complaints so far, over the share that has come by now, and over the share of wrong readings that is
    ever complained of, which an earlier audit has seen. The interval has the chance of all three.

    Raises ValueError where the audit saw no wrong reading, or no answer is old enough.
    """
    if not audit.wrong:
        raise ValueError("the audit has seen no wrong reading, so nobody knows how many complain: audit more")
    answers = answered <= now
    arrived = share_arrived(answered[answers], now, usual).sum()
    if arrived == 0:
        raise ValueError("no complaint can have come yet: wait")
    wrong = float((answered[answers] + waited[answers] <= now).sum())
    rng = np.random.default_rng(seed)
    pressing = rng.beta(audit.complained + 0.5, audit.wrong - audit.complained + 0.5, DRAWS)
    rates = rng.gamma(wrong + 0.5, 1 / arrived, DRAWS) / pressing
    low, middle, high = np.quantile(rates, [0.025, 0.5, 0.975]).clip(0, 1)
    return Estimate(1 - float(middle), 1 - float(high), 1 - float(low))


def audited(audit: Audit) -> Estimate:
    """What a person has seen, and nothing else: without a bias, and it costs the person's time."""
    return _from_wrong(*wilson(audit.wrong, audit.checked), audit.wrong / audit.checked)


def _from_wrong(low: float, high: float, middle: float) -> Estimate:
    return Estimate(1 - float(middle), 1 - float(high), 1 - float(low))
