"""What an instructor decides against the rules, ``overrides.csv``: a row for a student and a lab.

Columns: student (ID, address or name), lab, points, excused, deadline, handed_in, counts, note. It is only
read. Knows nothing of how points come about.
"""

from fractions import Fraction
from pathlib import Path

from fsdl_course.grading import tables
from fsdl_course.grading.counting import Ruling
from fsdl_course.grading.policy import CoursePolicy

COLUMNS = ("student", "lab", "points", "excused", "deadline", "handed_in", "counts", "note")
YES, NO = {"yes", "x", "true", "1", "y"}, {"", "no", "false", "0", "n"}


class OverridesError(ValueError):
    """The table cannot be used; the message names the row."""


def template() -> str:
    return ",".join(COLUMNS) + "\n"


def read(path: Path, policy: CoursePolicy) -> dict[tuple[str, str], Ruling]:
    """(what stands in the column student, lab) -> what was decided; {} without a table."""
    if not path.exists():
        return {}
    sheet = tables.read(path)
    if missing := {"student", "lab"} - set(sheet.columns()):
        raise OverridesError(f"{path} lacks the column {', '.join(sorted(missing))}")
    rulings = {}
    for line, cells in enumerate(sheet.records(), 2):
        texts = {name: cells.get(name, "").strip() for name in COLUMNS}
        key = texts["student"].removeprefix("'"), texts["lab"].lower()
        if not all(key):
            raise OverridesError(f"{path}, row {line}: it names no student or no lab")
        if key in rulings:
            raise OverridesError(f"{path}, row {line}: {key[0]} has a row for {key[1]} already: keep one")
        try:
            rulings[key] = _ruling(texts, policy)
        except ValueError as error:
            raise OverridesError(f"{path}, row {line}: {error}") from None
    return rulings


def _ruling(texts: dict[str, str], policy: CoursePolicy) -> Ruling:
    excused = texts["excused"].lower()
    if excused not in YES | NO:
        raise ValueError(f"excused is yes or nothing, not {excused!r}")
    dates = {}
    for name in ("deadline", "handed_in"):
        try:
            dates[name] = policy.moment(texts[name]) if texts[name] else None
        except ValueError:
            raise ValueError(
                f"{name} is a date and a time such as 2026-10-12 23:59, not {texts[name]!r}"
            ) from None
    points = None
    if texts["points"]:
        try:
            points = Fraction(texts["points"].replace(",", ".", 1))
        except (ValueError, ZeroDivisionError):
            points = Fraction(-1)
        if points < 0:
            raise ValueError(f"points are a number, 0 or more, not {texts['points']!r}")
    return Ruling(points, excused in YES, **dates, counts=texts["counts"], note=texts["note"])
