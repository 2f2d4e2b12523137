"""From one submission to its result: its functions are called in a sandbox, the values compared here.

A result is JSON-able data: points and problems for each part of each question, and what was written to open
questions. Knows nothing of files, of a class, or of how results are shown.
"""

import itertools
import re
from types import SimpleNamespace

from fsdl_course.grading.answer_key import AnswerKey
from fsdl_course.grading.parts import tallies
from fsdl_course.grading.submissions import Submission
from fsdl_course.labs import convert, questions
from fsdl_course.labs.backends.backend import Backend
from fsdl_course.labs.sandbox import Sandbox

STOPPED = ("it took too long", "it took too much time or memory", "it ended the sandbox")
BUDGET = 60  # seconds of processor time for all calls of a hand-in
PRIVATE = {"it took too long": "it took too long", "it is not defined": "it is not defined"}


def gradable(submission: Submission, key: AnswerKey) -> list[dict]:
    """The code to run; of a cell that only measures nothing but imports, unless an answer stands in it."""
    names = "|".join(re.escape(question.function) for question in key.lab.graded)
    # Within a line only: what may run over lines takes the square of their number in blank ones.
    answers = re.compile(rf"^[ \t]*((async )?def ({names})\b|({names})[ \t]*=[^=])", re.MULTILINE)
    cells = [
        SimpleNamespace(
            **{**cell, "metadata": {"answers": True} if answers.search(cell["source"]) else cell["metadata"]}
        )
        for cell in submission.cells
    ]
    return convert.gradable(cells, key.given)


def score(submission: Submission, key: AnswerKey, backend: Backend, slot: int = 0) -> dict:
    """The result of one submission; never raises for anything that the student wrote."""
    result = blank(submission, key.lab, key.before_open)
    if submission.problem:
        return result
    cells = gradable(submission, key)
    with Sandbox(cells, backend, key.lab.preload, slot) as box:
        for number, error in sorted((int(number), error) for number, error in box.errors.items()):
            start = cells[number]["source"].strip().split("\n")[0][:80]
            result["notes"].append(f"the cell that starts with '{start}': {error}"[:400])
        _call_all(box, key, result)
    for question in result["questions"]:
        question["points"] = sum(part["points"] for part in question["parts"])
    result["score"] = sum(question["points"] for question in result["questions"])
    return result


def _call_all(box: Sandbox, key: AnswerKey, result: dict) -> None:
    """Try every case that can still earn a point, and write points and problems into the result."""
    rows = {
        (question["id"], part["name"]): part for question in result["questions"] for part in question["parts"]
    }
    parts = {(question.id, part.name): part for question in key.lab.graded for part in question.parts}
    tally = tallies(parts, key.cases, key.expected)
    ended = set()  # parts in which a call never ended, or ended the sandbox: none of the others is tried
    for case, expected in zip(key.cases, key.expected, strict=True):
        place = case.question, case.part
        row, earned = rows[place], tally[place]
        if earned.lost or place in ended:
            continue
        row["case"] += not row["problem"]
        if box.used > BUDGET:
            row["problem"] = row["problem"] or (
                f"the hand-in has used up its {BUDGET} seconds of processor time"
            )
            continue
        question = key.lab.question(case.question)
        answer = box.call(question.function, case.arguments, question.seconds, question.around)
        problem = answer.error or question.wrong(case.arguments, answer.value, expected)
        earned.right, earned.wrong = earned.right + (not problem), earned.wrong + bool(problem)
        if answer.error in STOPPED:
            ended.add(place)
        if problem and not row["problem"] and case.public:
            row.update(problem=problem[:500], call=question.call(case.arguments))
        elif problem and not row["problem"]:  # nothing of the case, nor of what the student's code made of it
            row["problem"] = PRIVATE.get(answer.error, "it is wrong for a case that only the grader has")
    for place, row in rows.items():
        row["points"] = tally[place].points
        row["case"] = row["case"] if row["problem"] else 0


def blank(submission: Submission, lab: questions.Lab, before_open: dict[str, str] | None = None) -> dict:
    """A result without any points yet; ``before_open`` as in an ``AnswerKey``."""
    return {
        "student": submission.student,
        "lab": submission.lab,
        "origin": submission.origin,
        "problem": submission.problem,
        "notes": [],
        "questions": [_blank_question(question) for question in lab.graded],
        "open": [
            {
                "id": question.id,
                "title": question.title,
                "max": question.points,
                "rubric": {str(points): text for points, text in question.rubric.items()},
                "answer": answer_of(submission, question.id, (before_open or {}).get(question.id, "")),
            }
            for question in lab.open
        ],
        "score": 0,
        "max": sum(question.points for question in lab.graded),
    }


def _blank_question(question: questions.Question) -> dict:
    return {
        "id": question.id,
        "title": question.title,
        "function": question.function,
        "points": 0,
        "max": question.points,
        "parts": [
            {
                "name": part.name,
                "points": 0,
                "max": part.points,
                "public": part.public,
                "problem": "",
                "call": "",
                "case": 0,  # the number of the first that failed, from 1; for the instructor only
            }
            for part in question.parts
        ],
    }


def answer_of(submission: Submission, question: str, before: str = "") -> str:
    """What a student wrote to an open question; "" for nothing, or the stub.

    The cell is known by its mark or id, or, where an editor has dropped both, by standing behind the text
    ``before`` it.
    """
    cell_id = f"{submission.lab}-{question}"
    marked = [
        cell
        for cell in submission.cells
        if cell_id in (cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["id"])
    ]
    behind = [
        cell
        for last, cell in itertools.pairwise(submission.cells)
        if before and last["source"].strip() == before
    ]
    for cell in marked or behind:
        if cell["cell_type"] != "code":
            return "" if cell["source"].strip() == convert.OPEN_STUB else cell["source"].strip()
    return ""
