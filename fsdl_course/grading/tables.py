"""Tables that people edit, read as any spreadsheet saves them: the roster, overrides, open answers, exports.

Semicolons or tabs for commas, another encoding, Excel's ``sep=`` line: the table is read, or refused with one
sentence, and every column and row is kept. What is written are no formulas. Knows nothing of what a table
says.
"""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

FORMULA = re.compile(r"(^|[;\t\r])(?=[=+\-@\t\r])")


@dataclass(frozen=True)
class Sheet:
    """A table as it stands in its file: ``rows`` have as many cells as ``header``; all cells are texts."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    delimiter: str = ","

    def columns(self) -> list[str]:
        """The names of columns, without regard to case and blanks around them."""
        return [name.strip().lower() for name in self.header]

    def records(self) -> list[dict[str, str]]:
        """Each row by ``columns``; of two columns of a name, the first."""
        names = self.columns()
        return [dict(zip(reversed(names), reversed(row), strict=True)) for row in self.rows]


def read(path: Path) -> Sheet:
    """The table in a file; ValueError says why it cannot be read."""
    text = _decoded(path)
    if text.lower().startswith("sep="):  # Excel's own first line
        text = text.partition("\n")[2]
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    csv.field_size_limit(1 << 26)  # a long comment is not the end of the table
    try:
        grid = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise ValueError(f"{path}: it is no table ({error}): save it as CSV again") from None
    header, *rows = grid or [[]]
    if longer := next((row for row in rows if any(row[len(header) :])), None):
        raise ValueError(
            f"{path}: the row that starts with {longer[0]!r} has more cells than the first line has names"
        )
    return Sheet(path, header, [(row + [""] * len(header))[: len(header)] for row in rows], delimiter)


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


def text_of(header: list[str], rows: list[list], delimiter: str = ",") -> str:
    """A table as CSV with its rows' cells as they are: whoever calls this has made formulas of none."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    return text.getvalue()


def cell(text: object) -> str:
    """Text that a spreadsheet will not take for a formula, whatever it takes for the end of a cell."""
    return FORMULA.sub(r"\1'", str(text))
