"""What a judge of a replay is given, and what it says: the case, and a verdict on each criterion."""

from dataclasses import dataclass, field

from fsdl_course.capstone.brief import Brief
from fsdl_course.capstone.generator import Request
from fsdl_course.capstone.points import BROKEN, HELD, UNKNOWN

ENOUGH = 40  # answers below which times and correctness prove nothing
Judged = tuple[str, str, list[dict]]
"""A verdict, why in a sentence, and the events that show it."""


@dataclass(frozen=True)
class CriterionVerdict:
    """``verdict`` on a criterion, why in a sentence, and the events that show it (at most ten)."""

    criterion: str
    verdict: str
    why: str
    evidence: list[dict] = field(default_factory=list)


@dataclass(frozen=True)
class ReplayCase:
    """What is judged: the history, and what makes the load again."""

    events: list[dict]
    brief: Brief
    seed: int
    seconds: float
    memory_mb: int

    def of(self, what: str) -> list[dict]:
        """The events of a kind."""
        return [event for event in self.events if event["what"] == what]

    def answers(self, requests: dict[int, Request], *kinds: str):
        """Each answer to a request of these kinds, with the request."""
        for event in self.of("answer"):
            if requests[event["number"]].kind in kinds:
                yield event, requests[event["number"]]


def judged(bad: list[dict], good: str, wrong: str, proven: bool = True) -> Judged:
    """Broken if something is bad; else held, if enough was seen."""
    if bad:
        return BROKEN, f"{wrong}: {len(bad)} time{'s' * (len(bad) > 1)}", bad[:10]
    return (HELD, good, []) if proven else (UNKNOWN, "too few answers to say", [])
