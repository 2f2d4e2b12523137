"""What a lab's notebook uses: predict before measuring, check at once whether a function is right.

``check("lab02.q1", function)`` calls the function with the public cases of the question and shows what came
out and what was expected. Inside the grader all of it is silent. Knows where the labs lie; standard library
only, because the grader's sandbox imports it too.
"""

import html
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GRADING = "FSDL_GRADING"  # set where the grader runs a notebook's cells


class LabError(ValueError):
    """A lab, question or case that does not exist; the message says which do."""


class NothingWritten(NotImplementedError):
    """Something is left for the student to write first. A notebook shows the message alone."""

    def _render_traceback_(self) -> list[str]:
        """IPython's hook: the lines that stand in place of a traceback, which would show our code."""
        return [str(self)]


@dataclass(frozen=True)
class WholeCase:
    """A public case, nothing of it cut off: call it yourself with ``verdict(*case.arguments)``."""

    title: str
    function: str
    arguments: list
    expected: Any

    def __repr__(self) -> str:
        given = "\n".join(f"    {_laid_out(argument)}," for argument in self.arguments)
        return f"{self.title}\n{self.function}(\n{given}\n)\nshould return {_laid_out(self.expected)}"


@dataclass(frozen=True)
class PartFeedback:
    """How a part of a question came out on its public cases: ``problem`` is "" if it is right."""

    name: str
    call: str = ""
    problem: str = ""
    printed: str = ""  # by the call that failed
    case: str = ""  # the call that shows the case whole


@dataclass(frozen=True)
class Feedback:
    """The parts of one question, as text and as a table of a notebook."""

    question: str
    parts: list[PartFeedback]
    private: int

    @property
    def passed(self) -> bool:
        return all(not part.problem for part in self.parts)

    def _ending(self) -> str:
        if not self.private:
            return ""
        points = "1 more point goes" if self.private == 1 else f"{self.private} more points go"
        return f"{points} to cases that only the grader has."

    def __repr__(self) -> str:
        lines = [self.question]
        for part in self.parts:
            lines.append(f"  {'no' if part.problem else 'ok'}  {part.name}")
            if part.problem:
                lines += [f"      {part.call}", f"      {part.problem}"]
                lines += [f"      it printed: {part.printed}"] if part.printed else []
                lines += [f"      the whole case: {part.case}"] if part.case else []
        return "\n".join([*lines, *([f"  {self._ending()}"] if self.private else [])])

    def _repr_html_(self) -> str:
        rows = []
        for part in self.parts:
            mark, color = ("✗", "#b00020") if part.problem else ("✓", "#1b7837")
            details = ""
            if part.problem:
                details = f"<br><code>{html.escape(part.call)}</code><br>{html.escape(part.problem)}"
                if part.printed:
                    details += f"<pre>{html.escape(part.printed)}</pre>"
                if part.case:
                    details += f"<br>The whole case: <code>{html.escape(part.case)}</code>"
            rows.append(
                f'<li style="list-style:none"><b style="color:{color}">{mark}</b> '
                f"{html.escape(part.name)}{details}</li>"
            )
        return f"<b>{html.escape(self.question)}</b><ul>{''.join(rows)}</ul>{html.escape(self._ending())}"


def check(name: str, function: Callable) -> None:
    """Show how ``function`` does on the public cases of a question ("lab02.q1"), as the grader would find it.

    A stub is not judged: NothingWritten says so. Anything else that it raises counts as a wrong answer and is
    shown, and what does not end is ended. LabError if there is no such question.
    """
    if os.environ.get(GRADING):
        return
    show = _shown_as_it_grows()
    if show:
        feedback_on(name, function, progress=show)
    else:
        print(feedback_on(name, function))


def _shown_as_it_grows() -> Callable[[Feedback], None] | None:
    """In a notebook, what shows a feedback in place of the one before it; None elsewhere."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return None
    if get_ipython() is None:
        return None
    handles = []

    def show(feedback: Feedback) -> None:
        if handles:
            handles[0].update(feedback)
        else:
            handles.append(display(feedback, display_id=True))

    return show


def feedback_on(
    name: str,
    function: Callable,
    root: Path | None = None,
    progress: Callable[[Feedback], None] = lambda feedback: None,
) -> Feedback:
    """What ``check`` shows, as an object. ``progress`` is called with what there is after each part.

    So whoever waits for a slow part, or interrupts it, sees how those before it came out.
    """
    question, expected = _question(name, root, "check")
    private = sum(part.points for part in question.parts if not part.public)
    feedback = Feedback(f"{name} {question.title}", [], private)
    first = 1
    for part in question.parts:
        if part.public:
            feedback.parts.append(_tried(name, question, part, first, expected[part.name], function))
            progress(feedback)
            first += len(part.cases)
    return feedback


def case(name: str, number: int, root: Path | None = None) -> WholeCase:
    """A public case of a question, whole, with what it should return: ``case("lab02.q5", 3)``.

    Cases are counted from 1, in the order in which ``check`` tries them. LabError if there is none.
    """
    if os.environ.get(GRADING):
        return WholeCase("", "", [], None)
    question, expected = _question(name, root, "case")
    cases = [
        WholeCase(f"{name}, {part.name}:", question.function, arguments, right)
        for part in question.parts
        if part.public
        for arguments, right in zip(part.cases, expected[part.name], strict=True)
    ]
    if not 1 <= number <= len(cases):
        raise LabError(f"case({name!r}, {number}): this question has the public cases 1 to {len(cases)}")
    return cases[number - 1]


def _question(name: str, root: Path | None, asked: str):
    """The question called so, and what each of its public cases should return, by part."""
    from fsdl_course.labs.questions import CasesError, Question, load
    from fsdl_deploy.paths import ROOT

    lab_name, _, question_id = name.partition(".")
    folder = (root or ROOT) / "labs" / lab_name
    try:
        question = load(folder).question(question_id)
        expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    except (CasesError, OSError) as error:
        raise LabError(f"{asked}({name!r}): {error}") from None
    if not isinstance(question, Question):
        raise LabError(f"{asked}({name!r}): this question is answered in prose and graded by a person")
    return question, expected[question_id]


def _tried(name: str, question, part, first: int, expected: list, function: Callable) -> PartFeedback:
    """The first case of a part that fails, or that none does; ``first``: the number of its first case."""
    from fsdl_course.labs.around import called
    from fsdl_course.labs.bounded import call as bounded_call

    for number, (arguments, right) in enumerate(zip(part.cases, expected, strict=True), first):
        call = question.call(arguments)
        # Arguments as the grader gives them, each time new ones: through JSON.
        tried = bounded_call(called(question, function), json.loads(json.dumps(arguments)), question.seconds)
        if tried.unwritten:
            raise NothingWritten(
                f"{name}: nothing written yet. Write {question.function} above, then run this cell again."
            )
        problem = tried.error or question.wrong(arguments, tried.value, right)
        if problem:
            return PartFeedback(part.name, call, problem, tried.printed, f'case("{name}", {number})')
    return PartFeedback(part.name)


def _laid_out(value: Any) -> str:
    """A value over as many lines as it needs, none of it left out."""
    from pprint import pformat

    return pformat(value, width=100, sort_dicts=False).replace("\n", "\n    ")


def plain(value: Any) -> Any:
    """A value as the grader sees it: through JSON, so a tuple is a list and an array its numbers."""
    from fsdl_course.labs.inside.values import text_of

    return json.loads(text_of(value))


def predict(question: str, answer: Any) -> None:
    """A prediction is made before measuring: NothingWritten while it is None."""
    if answer is None:
        raise NothingWritten(f"Write down your prediction first: {question}")


def reveal(prediction: float, measured: float, unit: str) -> None:
    """Print a prediction beside what was measured."""
    ratio = max(prediction, measured) / min(prediction, measured) if min(prediction, measured) > 0 else None
    far = (
        ""
        if ratio is None
        else f"; {'you were right' if ratio < 1.1 else f'a factor of {ratio:.2g} between them'}"
    )
    print(f"you said {prediction:g} {unit}, measured {measured:.3g} {unit}{far}")
