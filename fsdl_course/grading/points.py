"""The points of results: in all, and as a table of the class for a spreadsheet or a learning platform.

What a person gave is in the results by then (``by_hand``).
"""

import csv
import io
from fractions import Fraction
from pathlib import Path

from fsdl_course.grading.tables import cell


def earned(question: dict) -> float:
    """The points of a graded question: what a person overrode, else what its cases gave; and extra credit."""
    override = question.get("override")
    return _sum([question["points"] if override is None else override, question.get("extra", 0)])


def total(result: dict) -> float:
    """All points so far: those of functions, and those that a person gave."""
    by_person = [points for answer in result["open"] for points in (answer["points"], answer.get("extra"))]
    return _sum([*map(earned, result["questions"]), *(points or 0 for points in by_person)])


def _sum(numbers: list[float]) -> float:
    """A sum as on paper: 0.1 and 0.2 are 0.3."""
    return float(sum((Fraction(str(number)) for number in numbers), Fraction(0)))


def most(result: dict) -> int:
    return result["max"] + sum(answer["max"] for answer in result["open"])


def waiting(result: dict) -> int:
    """How many open answers no person has graded yet."""
    return sum(answer["points"] is None for answer in result["open"])


def scores(results: list[dict], path: Path) -> None:
    """One row a submission: its points by question, in all, and what could not be read."""
    names = sorted(
        {question["id"] for result in results for question in result["questions"] + result["open"]}
    )
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["lab", "student", "points", "max", "waiting", *names, "problem", "file"])
    for result in results:
        points = {question["id"]: earned(question) for question in result["questions"]}
        points |= {
            answer["id"]: "" if answer["points"] is None else answer["points"] + answer.get("extra", 0)
            for answer in result["open"]
        }
        rows.writerow(
            [
                *map(cell, (result["lab"], result["student"])),
                *(_number(total(result)), most(result), waiting(result)),
                *(_number(points.get(name, "")) for name in names),
                *map(cell, (result["problem"], result["origin"])),
            ]
        )
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def _number(points: float | str) -> float | int | str:
    return int(points) if isinstance(points, float) and points.is_integer() else points
