"""A mutant tried on the cases of its question, in a process of its own, as the grader would call it

The course's own code is run, so there is no sandbox: what it writes goes into a temporary folder. The cells
run once for all cases of a mutant, not anew for each as when grading.
"""

import contextlib
import json
import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from fsdl_course.grading.mutants.mutation import FaultySolution, mutants
from fsdl_course.labs import convert, questions
from fsdl_course.labs.around import called
from fsdl_course.labs.exercise import GRADING
from fsdl_course.labs.inside.cells import Cells, namespace, run
from fsdl_course.labs.inside.child import in_child
from fsdl_course.labs.inside.values import text_of
from fsdl_deploy.paths import ROOT

LIMITS = {"alone": False, "stays": []}


@dataclass(frozen=True)
class TrialCase:
    """A case, and what the solution returns for it."""

    case: questions.Case
    expected: object


class TooSlow(BaseException):
    """A call took more processor time than its question allows; no ``except Exception`` keeps it."""


@dataclass(frozen=True)
class TriedQuestion:
    """A question of a lab with its cases; ``cells`` are all that the grader runs, ``place`` is its own."""

    lab: str
    question: questions.Question
    cells: list[dict]
    place: int
    cases: list[TrialCase]

    def mutants(self) -> list[FaultySolution]:
        """The solution with a fault; what stands around it is given to students, and stays as it is."""
        source = self.cells[self.place]["source"]
        return mutants(source, _lines_of_solution(source))

    def lost(self, source: str) -> list[str]:
        """The parts that an answer loses on the cases, until the first; none: it has every point."""

        def work(tell, start) -> str:
            start()
            warnings.simplefilter("ignore")
            with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
                return json.dumps(self._first_lost(source))

        written, ended = in_child(work, 10 + 3 * self.question.seconds, LIMITS)
        return ["it ended its process, or never ended"] if ended else json.loads(written)

    def _first_lost(self, source: str) -> list[str]:
        try:
            function = self._function(source)
        except BaseException:
            return ["a cell fails"]
        signal.signal(signal.SIGVTALRM, _too_slow)
        for tried in self.cases:
            try:
                value = json.loads(text_of(_called(function, tried.case.arguments, self.question.seconds)))
            except BaseException:
                return [tried.case.part]
            if self.question.wrong(tried.case.arguments, value, tried.expected):
                return [tried.case.part]
        return []

    def _function(self, source: str):
        names, compiler = namespace(), Cells()
        for place, cell in enumerate(self.cells):
            text = {"source": source} if place == self.place else cell
            run(compiler.compiled(text), names)
        return called(self.question, names[self.question.function])


def _lines_of_solution(source: str) -> set[int]:
    inside, lines = False, set()
    for number, line in enumerate(source.split("\n"), 1):
        inside = (inside or line.strip() == convert.BEGIN) and line.strip() != convert.END
        if inside:
            lines.add(number)
    return lines


def _called(function, arguments: list, seconds: float):
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        return function(*json.loads(json.dumps(arguments)))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _too_slow(*_) -> None:
    raise TooSlow


def exercises(name: str, cases: list[questions.Case], root=ROOT) -> list[TriedQuestion]:
    """The questions of a lab that have private cases, with the solution's values for the cases given.

    Where every input is public, a mutant that has all points is another right answer, and no survivor.
    """
    lab = questions.load(root / "solutions" / name)
    solved, _ = convert.both(name, root)
    values = convert.solution_values(name, cases, root)
    cells = convert.gradable(solved.cells)
    answers = [convert.question_of(cell) for cell in solved.cells if cell.cell_type == "code"]
    return [
        TriedQuestion(
            name,
            question,
            cells,
            answers.index(question.id),
            [TrialCase(*pair) for pair in zip(cases, values, strict=True) if pair[0].question == question.id],
        )
        for question in lab.graded
        if any(not part.public for part in question.parts)
    ]


@contextlib.contextmanager
def workplace() -> Iterator[None]:
    """A temporary folder to work in, where the labs' own ``check`` says nothing."""
    here, graded = os.getcwd(), os.environ.get(GRADING)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ[GRADING] = "1"
        try:
            yield
        finally:
            os.chdir(here)
            os.environ.pop(GRADING)
            if graded is not None:
                os.environ[GRADING] = graded
