"""The points of results as tables: all of them in one, and the open answers in one that a person fills.

Texts of students are no formulas in a spreadsheet. Points written into the table of open answers count from
the next run on.
"""

import csv
import io
from pathlib import Path

OPEN_COLUMNS = ("lab", "student", "question", "max", "points", "comment", "answer")


def by_hand(results: list[dict], path: Path, elsewhere: dict) -> None:
    """Join the open answers with the points that a person gave in ``path``, and write ``path`` anew.

    ValueError names the row whose points are no number between 0 and the question's.
    """
    given = {}
    if path.exists():
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines), 2):
                place = tuple(row.get(column, "") for column in ("lab", "student", "question"))
                given[place] = (number, (row.get("points") or "").strip(), row.get("comment") or "")
    rows = []
    for result in results:
        for answer in result["open"]:
            place = tuple(map(_cell, (result["lab"], result["student"], answer["id"])))
            number, points, comment = given.get(place, (0, "", ""))
            points = points or str(elsewhere.get(place, "" if answer["answer"] else "0"))
            try:
                answer["points"] = float(points) if points else None
                if points and not 0 <= answer["points"] <= answer["max"]:
                    raise ValueError
            except ValueError:
                raise ValueError(
                    f"{path}, line {number}: {points!r} is no number of points from 0 to {answer['max']}"
                ) from None
            answer["comment"] = comment
            rows.append([*place, answer["max"], points, comment, _cell(answer["answer"])])
    text = io.StringIO()
    csv.writer(text).writerows([OPEN_COLUMNS, *rows])
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def total(result: dict) -> float:
    """All points so far: those of functions, and those that a person gave."""
    return result["score"] + sum(answer["points"] or 0 for answer in result["open"])


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
        points = {question["id"]: question["points"] for question in result["questions"]}
        points |= {
            answer["id"]: "" if answer["points"] is None else answer["points"] for answer in result["open"]
        }
        rows.writerow(
            [
                *map(_cell, (result["lab"], result["student"])),
                *(_number(total(result)), most(result), waiting(result)),
                *(_number(points.get(name, "")) for name in names),
                *map(_cell, (result["problem"], result["origin"])),
            ]
        )
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def _number(points: float | str) -> float | int | str:
    return int(points) if isinstance(points, float) and points.is_integer() else points


def _cell(text: str) -> str:
    """Text that a spreadsheet will not take for a formula."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
