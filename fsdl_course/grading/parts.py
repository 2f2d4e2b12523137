"""What the parts of a question earn on the cases tried so far: public ones as a whole, private ones by share

A private part pays for the share of its cases that are right, less those that one fixed answer would get: so
guessing earns nothing, and an answer that is nearly right earns nearly all. Knows nothing of sandboxes.
"""

import json
from collections import Counter
from dataclasses import dataclass

from fsdl_course.labs.questions import Case, Part


@dataclass
class PartTally:
    """The cases of one part as they are judged: how many there are, and a fixed answer gets right."""

    part: Part
    cases: int
    guessed: int
    right: int = 0
    wrong: int = 0

    @property
    def points(self) -> int:
        """Whole points, rounded down; all of them only if every case is right."""
        if self.right == self.cases:
            return self.part.points
        if self.part.public:
            return 0
        return self.part.points * max(0, self.right - self.guessed) // max(1, self.cases - self.guessed)

    @property
    def lost(self) -> bool:
        """Whether no case to come can earn a point any more."""
        best = PartTally(self.part, self.cases, self.guessed, self.cases - self.wrong)
        return self.wrong > 0 and best.points == 0


def tallies(
    parts: dict[tuple[str, str], Part], cases: list[Case], expected: list
) -> dict[tuple[str, str], PartTally]:
    """A tally for each (question, part), with nothing tried yet; ``expected`` is the solution's values."""
    values: dict[tuple[str, str], list[str]] = {place: [] for place in parts}
    for case, value in zip(cases, expected, strict=True):
        values[case.question, case.part].append(json.dumps(value, sort_keys=True))
    return {
        place: PartTally(part, len(values[place]), _of_the_commonest(values[place]))
        for place, part in parts.items()
    }


def _of_the_commonest(values: list[str]) -> int:
    return max(Counter(values).values(), default=0)
