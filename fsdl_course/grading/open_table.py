"""The table of open answers, ``open.csv``: for a person with a spreadsheet, and read as any of them saves it.

Decimal commas, rows in another order, columns of the person's own: none of it is lost (``tables``). Texts of
students are no formulas.
"""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from fsdl_course.grading import tables
from fsdl_deploy import files

COLUMNS = ("lab", "student", "question", "max", "points", "comment", "earlier", "rubric", "answer")
NEEDED = {"lab", "student", "question", "points"}
LONGEST = 30_000  # characters of an answer: a spreadsheet's cell holds 32,767


@dataclass(frozen=True)
class TableRow:
    """One row as a person left it: where it stands, what it says; ``cells`` are all of its columns."""

    line: int
    points: str
    comment: str
    cells: dict[str, str]

    def own(self) -> dict[str, str]:
        """What stands in columns that the person has added."""
        return {name: text for name, text in self.cells.items() if name not in COLUMNS}


def place_of(lab: str, student: str, question: str) -> tuple[str, str, str]:
    """What a row belongs to, whatever a spreadsheet did to the signs before a name."""
    lab, student, question = (
        unicodedata.normalize("NFC", text).replace("'", "").strip() for text in (lab, student, question)
    )
    return lab, student, question


def read(path: Path) -> dict[tuple[str, str, str], TableRow]:
    """The rows of the table by ``place_of``; {} without one. ValueError says why it cannot be read."""
    if not path.exists():
        return {}
    sheet = tables.read(path)
    if missing := NEEDED - set(sheet.columns()):
        raise ValueError(
            f"{path} lacks the column {', '.join(sorted(missing))}: its first line names columns"
        )
    names = [ours if (ours := name.strip().lower()) in COLUMNS else name for name in sheet.header]
    rows = {}
    for line, values in enumerate(sheet.rows, 2):
        row = dict(zip(names, values, strict=True))
        place = place_of(row["lab"], row["student"], row["question"])
        if place in rows and (row["points"], row.get("comment")) != (rows[place].points, rows[place].comment):
            raise ValueError(f"{path}, lines {rows[place].line} and {line} are of the same answer: keep one")
        if any(place):
            rows[place] = TableRow(line, row["points"].strip(), row.get("comment", ""), row)
    return rows


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Write the table; what a person had changed in it is kept beside it as ``open-before.csv``."""
    own = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    header = [*COLUMNS, *own]
    new = tables.text_of(header, [[row.get(name, "") for name in header] for row in rows]).encode()
    if path.exists() and (before := path.read_bytes()) != new:
        files.write(path.with_name("open-before.csv"), before)
    files.write(path, new)
