"""What a lab asks and how an answer is judged: parts of a question, their cases, the comparison.

A lab's ``questions.py`` holds one ``LAB``. A case is the list of arguments of a function; what it should
return is what the lab's own solution returns, so nobody writes expectations by hand. Knows nothing of
notebooks, sandboxes or students.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fsdl_course.labs.values_in_words import as_text, compare

Judge = Callable[[list, Any, Any], str]
"""(arguments, value, the solution's value) -> what is wrong with the value, "" if nothing is."""


class CasesError(ValueError):
    """The cases cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Part:
    """A piece of a question that is earned as a whole: all its cases pass, or none of its points are given.

    ``cases`` are public: a student sees them fail. ``draw`` makes private ones from a random generator, so
    that every seed gives new ones of the same kind.
    """

    name: str
    points: int
    cases: list[list] = field(default_factory=list)
    draw: Callable[[random.Random], list] | None = None
    count: int = 6

    @property
    def public(self) -> bool:
        return self.draw is None

    def drawn(self, seed: str) -> list[list]:
        """The arguments of every case of this part; the same for the same seed."""
        if self.draw is None:
            return self.cases
        generator = random.Random(f"{seed}/{self.name}")
        return [self.draw(generator) for _ in range(self.count)]


@dataclass(frozen=True)
class Question:
    """A graded function: its name, what it is worth, and how its values are judged.

    ``seconds`` is the processor time that one call may take; ``judge`` replaces the comparison with the
    solution's value where more than one answer is right. ``around`` (labs/around.py) calls the function.
    """

    id: str
    function: str
    title: str
    level: int
    minutes: int
    parts: list[Part]
    judge: Judge | None = None
    tolerance: float = 1e-6
    seconds: float = 2.0
    around: str = ""

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)

    def call(self, arguments: list) -> str:
        """The call with these arguments, as a student would write it; long arguments are cut."""
        first, name = (
            ([self.function], self.around.rpartition(".")[2]) if self.around else ([], self.function)
        )
        return f"{name}({', '.join([*first, *(as_text(argument, 120) for argument in arguments)])})"

    def wrong(self, arguments: list, value: Any, expected: Any) -> str:
        """What is wrong with ``value`` for these arguments, "" if nothing is; never raises."""
        try:
            if self.judge is None:
                return compare(value, expected, self.tolerance)
            return self.judge(arguments, value, expected)
        except Exception as error:  # a judge meets values of every shape
            return f"it is {as_text(value)}, which is of no use here ({type(error).__name__})"


@dataclass(frozen=True)
class OpenQuestion:
    """A question answered in prose, graded by a person: ``rubric`` is points -> what earns them."""

    id: str
    title: str
    level: int
    minutes: int
    rubric: dict[int, str]

    @property
    def points(self) -> int:
        return max(self.rubric)


@dataclass(frozen=True)
class Lab:
    """All questions of one lab, and the modules that may be imported before any student code runs."""

    questions: list[Question | OpenQuestion]
    preload: tuple[str, ...] = ("numpy",)

    @property
    def graded(self) -> list[Question]:
        return [question for question in self.questions if isinstance(question, Question)]

    @property
    def open(self) -> list[OpenQuestion]:
        return [question for question in self.questions if isinstance(question, OpenQuestion)]

    @property
    def points(self) -> int:
        return sum(question.points for question in self.questions)

    def question(self, name: str) -> Question | OpenQuestion:
        """The question called ``name`` ("q2"); CasesError if there is none."""
        for question in self.questions:
            if question.id == name:
                return question
        raise CasesError(f"there is no question {name!r}: they are {', '.join(q.id for q in self.questions)}")


def load(folder: Path) -> Lab:
    """The ``LAB`` in ``folder/questions.py``; CasesError if there is none."""
    path = folder / "questions.py"
    if not path.is_file():
        raise CasesError(f"{path} does not exist: {folder.name} is no lab, or its folder is not whole")
    # Not imported: that would leave its bytecode where the sandbox may look.
    module: dict = {"__name__": f"questions_of_{folder.name}", "__file__": str(path)}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module)
    return module["LAB"]


@dataclass(frozen=True)
class Case:
    """One call: of which question and part, its arguments, whether a student may see them."""

    question: str
    part: str
    arguments: list
    public: bool


def public_cases(lab: Lab) -> list[Case]:
    return [
        Case(question.id, part.name, arguments, True)
        for question in lab.graded
        for part in question.parts
        if part.public
        for arguments in part.cases
    ]


def drawn_cases(lab: Lab, seed: str) -> list[Case]:
    """The private cases that ``seed`` gives."""
    return [
        Case(question.id, part.name, arguments, False)
        for question in lab.graded
        for part in question.parts
        if not part.public
        for arguments in part.drawn(f"{seed}/{question.id}")
    ]


def write_cases(path: Path, cases: list[Case]) -> None:
    """Private cases as a file that a person can edit: question -> part -> list of argument lists."""
    content: dict[str, dict[str, list]] = {}
    for case in cases:
        content.setdefault(case.question, {}).setdefault(case.part, []).append(case.arguments)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_cases(path: Path, lab: Lab) -> list[Case]:
    """The private cases in ``path``; CasesError says which question or part the lab does not have."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        listed = [
            (q, p, args) for q, parts in content.items() for p, cases in parts.items() for args in cases
        ]
    except FileNotFoundError:
        raise CasesError(f"{path} does not exist: `fsdl-course cases` writes one") from None
    except (ValueError, AttributeError, TypeError) as error:
        raise CasesError(f"{path} holds no cases ({error}): question -> part -> argument lists") from None
    private = {(q.id, part.name) for q in lab.graded for part in q.parts if not part.public}
    for question, part, arguments in listed:
        if (question, part) not in private or not isinstance(arguments, list):
            raise CasesError(
                f"{path}: {question}, {part!r} is no private part with a list of arguments; those are "
                + ", ".join(f"{q} {p!r}" for q, p in sorted(private))
            )
    missing = private - {(question, part) for question, part, _ in listed}
    if missing:
        raise CasesError(f"{path} has no cases for " + ", ".join(f"{q} {p!r}" for q, p in sorted(missing)))
    return [Case(*case, public=False) for case in listed]
