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
    """A lab or question that does not exist; the message says which do."""


@dataclass(frozen=True)
class PartFeedback:
    """How a part of a question came out on its public cases: ``problem`` is "" if it is right."""

    name: str
    call: str = ""
    problem: str = ""
    printed: str = ""  # by the call that failed


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
            rows.append(
                f'<li style="list-style:none"><b style="color:{color}">{mark}</b> '
                f"{html.escape(part.name)}{details}</li>"
            )
        return f"<b>{html.escape(self.question)}</b><ul>{''.join(rows)}</ul>{html.escape(self._ending())}"


def check(name: str, function: Callable) -> None:
    """Show how ``function`` does on the public cases of a question ("lab02.q1"), as the grader would find it.

    A stub's NotImplementedError passes through; anything else that it raises counts as a wrong answer and is
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
    from fsdl_course.labs.questions import CasesError, Question, load
    from fsdl_deploy.paths import ROOT

    lab_name, _, question_id = name.partition(".")
    folder = (root or ROOT) / "labs" / lab_name
    try:
        question = load(folder).question(question_id)
        expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    except (CasesError, OSError) as error:
        raise LabError(f"check({name!r}): {error}") from None
    if not isinstance(question, Question):
        raise LabError(f"check({name!r}): this question is answered in prose and graded by a person")
    private = sum(part.points for part in question.parts if not part.public)
    feedback = Feedback(f"{name} {question.title}", [], private)
    for part in question.parts:
        if part.public:
            feedback.parts.append(_tried(question, part, expected[question_id][part.name], function))
            progress(feedback)
    return feedback


def _tried(question, part, expected: list, function: Callable) -> PartFeedback:
    """The first case of a part that fails, or that none does."""
    from fsdl_course.labs.around import called
    from fsdl_course.labs.bounded import call as bounded_call

    for arguments, right in zip(part.cases, expected, strict=True):
        call = question.call(arguments)
        # Arguments as the grader gives them, each time new ones: through JSON.
        tried = bounded_call(called(question, function), json.loads(json.dumps(arguments)), question.seconds)
        if tried.unwritten:
            raise NotImplementedError(tried.error.partition(": ")[2])
        problem = tried.error or question.wrong(arguments, tried.value, right)
        if problem:
            return PartFeedback(part.name, call, problem, tried.printed)
    return PartFeedback(part.name)


def plain(value: Any) -> Any:
    """A value as the grader sees it: through JSON, so a tuple is a list and an array its numbers."""
    from fsdl_course.labs.inside.values import text_of

    return json.loads(text_of(value))


def predict(question: str, answer: Any) -> None:
    """A prediction is made before measuring: NotImplementedError while it is None."""
    if answer is None:
        raise NotImplementedError(f"Write down your prediction first: {question}")


def reveal(prediction: float, measured: float, unit: str) -> None:
    """Print a prediction beside what was measured."""
    ratio = max(prediction, measured) / min(prediction, measured) if min(prediction, measured) > 0 else None
    far = (
        ""
        if ratio is None
        else f"; {'you were right' if ratio < 1.1 else f'a factor of {ratio:.2g} between them'}"
    )
    print(f"you said {prediction:g} {unit}, measured {measured:.3g} {unit}{far}")
