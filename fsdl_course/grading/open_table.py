"""The table of open answers, ``open.csv``: for a person with a spreadsheet, and read as any of them saves it.

Semicolons or tabs for commas, another encoding, decimal commas, rows in another order: the table is read, or
refused with one sentence, and no row of it is lost. Texts of students are no formulas.
"""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy import files

COLUMNS = ("lab", "student", "question", "max", "points", "comment", "earlier", "answer")
NEEDED = {"lab", "student", "question", "points"}
LONGEST = 30_000  # characters of an answer: a spreadsheet's cell holds 32,767
FORMULA = re.compile(r"(^|[;\t\r])(?=[=+\-@\t\r])")


@dataclass(frozen=True)
class TableRow:
    """One row as a person left it: where it stands, what it says; ``cells`` are all of its columns."""

    line: int
    points: str
    comment: str
    cells: dict[str, str]


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
    text = _decoded(path)
    if text.lower().startswith("sep="):  # Excel's own first line
        text = text.partition("\n")[2]
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    csv.field_size_limit(1 << 26)  # a long comment is not the end of the table
    try:
        reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
        columns = [str(name).strip().lower() for name in reader.fieldnames or []]
        reader.fieldnames = columns
        cells = [{key: value or "" for key, value in row.items() if isinstance(key, str)} for row in reader]
    except csv.Error as error:
        raise ValueError(f"{path}: it is no table ({error}): save it as CSV again") from None
    if missing := NEEDED - set(columns):
        raise ValueError(
            f"{path} lacks the column {', '.join(sorted(missing))}: its first line names columns"
        )
    rows = {}
    for line, row in enumerate(cells, 2):
        place = place_of(row["lab"], row["student"], row["question"])
        if place in rows and (row["points"], row.get("comment")) != (rows[place].points, rows[place].comment):
            raise ValueError(f"{path}, lines {rows[place].line} and {line} are of the same answer: keep one")
        if any(place):
            rows[place] = TableRow(line, row["points"].strip(), row.get("comment", ""), row)
    return rows


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")  # what Excel on Windows calls CSV
    except UnicodeDecodeError:
        raise ValueError(f"{path}: its letters are in no encoding known here: save it as CSV UTF-8") from None


def number(text: str) -> float | None:
    """Points as a person writes them, with a point or a comma; None for none, else ValueError."""
    text = text.strip().lstrip("'")
    return float(text.replace(",", ".", 1)) if text else None


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Write the table; what a person had changed in it is kept beside it as ``open-before.csv``."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows(rows)
    new = text.getvalue().encode()
    if path.exists() and (before := path.read_bytes()) != new:
        files.write(path.with_name("open-before.csv"), before)
    files.write(path, new)


def cell(text: str) -> str:
    """Text that a spreadsheet will not take for a formula, whatever it takes for the end of a cell."""
    return FORMULA.sub(r"\1'", str(text))
