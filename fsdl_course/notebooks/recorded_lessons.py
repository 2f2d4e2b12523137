"""Figures of a run of the lessons, of the tools' records, and of the lecture's sentences.

Each public function is a figure that prose may quote by its name. The run stands in ``slides/lessons.json``:
the tables and lines that the executed lessons show, word for word (``fsdl_course.slides.lesson_runs``).
"""

import re
from pathlib import Path

from fsdl_course import claims
from fsdl_course.notebooks.record_lookup import QuoteError, Records, pick, row_of

RUN = Path("slides") / "lessons.json"
NUMBER = re.compile(r"(?<![\w.-])[-−+]?\d[\d,]*(?:\.\d+)?")


def printed(known: Records, lesson: str, start: str, place: str = "1"):
    """A number in the line that a lesson prints and that begins with the words ``start``.

    ``place``: which of its numbers, from 1, or the words that follow it, such as ``USD a month``. Only words
    are compared: what was measured may be another number in the next run.
    """
    lines = [{"words": NUMBER.sub(" ", line), "line": line} for line in _lesson(known, lesson)["printed"]]
    line = row_of(lines, "words", start)["line"]
    numbers = list(NUMBER.finditer(line))
    if place.isdigit():
        chosen = numbers[int(place) - 1 : int(place)]
    else:
        chosen = [number for number in numbers if line[number.end() :].lstrip().startswith(place)]
    if len(chosen) != 1:
        raise QuoteError(f"the line {line!r} has no single number at {place!r}")
    return as_number(chosen[0][0])


def cell(known: Records, lesson: str, section: str, row: str, column: str):
    """A cell of a table that a lesson shows in a section, as it stands there."""
    table = table_of(known, lesson, section)
    names = [{"name": name} for name in table["header"]]
    place = table["header"].index(row_of(names, "name", column)["name"])
    rows = [{"name": cells[0], "cell": cells[place]} for cells in table["rows"]]
    return row_of(rows, "name", row)["cell"]


def number(known: Records, lesson: str, section: str, row: str, column: str):
    """The number at the beginning of such a cell, to be written in another form."""
    return as_number(cell(known, lesson, section, row, column))


def kept(known: Records, place: str, *steps: str):
    """A field of any record: ``kept(infra/scaling/kubernetes, lost, p99_ms)``.

    ``place`` is a file without ``.json``, or a folder with ``recorded.json``. A step into a list is the
    number of an entry, from 0, or ``column=value``.
    """
    value = _record(known, place)
    for step in steps:
        value = _step(value, step, place)
    if isinstance(value, dict | list):
        raise QuoteError(f"{place}: {', '.join(steps)} is no single figure")
    return value


def lecture(known: Records, number: str):
    """A sentence of the lecture by its number among the claims."""
    return f"“{_claim(known, number).quote}”"


def seen_of(known: Records, number: str):
    """What the lessons' run measured of a claim, as the lesson says it."""
    return _claimed(known, number)[1]


def verdict_of(known: Records, number: str):
    """What the lessons' run says of a claim: it holds, or partly, or not here."""
    return _claimed(known, number)[2]


def table_of(known: Records, lesson: str, section: str) -> dict:
    """The table that a lesson shows in a section: ``header``, and ``rows`` of texts."""
    return row_of(_lesson(known, lesson)["tables"], "section", section)


def as_number(text: str) -> float:
    """The number at the beginning of a text, such as ``1,200 ms``. QuoteError where there is none."""
    match = NUMBER.search(text)
    if not match:
        raise QuoteError(f"there is no number in {text!r}")
    return float(match[0].replace(",", "").replace("−", "-"))


def _lesson(known: Records, lesson: str) -> dict:
    return pick(_record(known, str(RUN.with_suffix("").as_posix()))["lessons"], lesson, str(RUN))


def _record(known: Records, place: str) -> dict:
    path = known.folder.parent / place
    if path.is_dir() and not path.with_suffix(".json").is_file():
        path = path / "recorded"
    return Records(path.parent).read(path.name)


def _step(value, step: str, place: str):
    if isinstance(value, dict):
        return pick(value, step, place)
    if isinstance(value, list) and "=" in step:
        column, name = step.split("=", 1)
        return row_of([row for row in value if column in row], column, name)
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    raise QuoteError(f"{place} has nothing at {step!r}")


def _claim(known: Records, number: str) -> claims.Claim:
    rows = {str(claim.number): claim for claim in claims.read(known.folder.parent)}
    return pick(rows, number, "notebooks/claims.toml")


def _claimed(known: Records, number: str) -> list[str]:
    claim = _claim(known, number)
    for table in _lesson(known, claim.notebook)["tables"]:
        for cells in table["rows"]:
            if cells[0] == f"“{claim.quote}”" and len(cells) == 3:
                return cells
    raise QuoteError(f"the run of {claim.notebook} shows nothing of claim {number}")
