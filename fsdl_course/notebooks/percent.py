"""The percent format: a notebook's cells as one Python file, readable by people, editors and linters.

A line ``# %%`` starts a cell; ``[markdown]`` or ``[raw]`` and ``tags=["…"]`` may follow it. Prose stands in
comments. A line of code that is no Python for a linter (``%time x``) or that looks like the start of a cell
is written as a comment. Cells written and read again are the same cells; what cannot be written, or would be
lost in reading, is refused. Only ``\\n`` ends a line. Knows nothing of ``.ipynb`` files.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

MARKER = re.compile(r"# %%(?:[ \t]+(.*))?")
HEAD = re.compile(r"(?:\[(markdown|raw)\])?[ \t]*(?:tags=(\[.*\]))?[ \t]*")
# What editors take for the start of a cell, though it is none here.
LIKE_MARKER = re.compile(r"[ \t]*#[ \t]*%%(?![A-Za-z])")
# A line of code that is written with one "# " more than it has: what only IPython understands, and what
# looks like the start of a cell. A line with "# " before such a line is such a line too, so none is lost.
ESCAPED = re.compile(
    r"(?:# )*(?:[ \t]*%{1,3}[A-Za-z]|[ \t]*[!?]{1,2}[A-Za-z.~$\\/{]"
    r"|[ \t]*[A-Za-z_]\w*[ \t]*=[ \t]*(?:%{1,3}|!)[A-Za-z]|[ \t]*#[ \t]*%%)"
)
# Prose that would look like the start of a cell, as a comment of Mermaid does: it gets one space more.
SPACED = re.compile(r" *%%(?:[ \t].*)?", re.DOTALL)

DEFINITION = re.compile(r"@|(?:async )?def |class ")


class NotebookError(ValueError):
    """A notebook cannot be built, or is not what its source says; the message says what to do."""


@dataclass(frozen=True)
class Cell:
    """One cell: "code", "markdown" or "raw", its text and tags; ``written`` as it stands in a source."""

    kind: str
    source: str
    tags: tuple[str, ...] = ()
    written: str = field(default="", compare=False)


def cells(text: str) -> list[Cell]:
    """The cells that a source describes; NotebookError names the line that is none of this format."""
    text = text.replace("\r\n", "\n")
    if "\r" in text:
        number = text[: text.index("\r")].count("\n") + 1
        raise NotebookError(f"line {number}: there is a carriage return inside the line: write it as \\r")
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if MARKER.fullmatch(line)]
    before = next(
        (n for n, line in enumerate(lines[: starts[0] if starts else None]) if line.strip(" \t")), None
    )
    if before is not None:
        raise NotebookError(f"line {before + 1}: nothing may stand before the first cell's '# %%'")
    ends = [*starts[1:], len(lines)]
    return [_cell(lines[start:end], start + 1) for start, end in zip(starts, ends, strict=False)]


def text_of(cells: Iterable[Cell]) -> str:
    """The source that describes these cells; one that was read from a source stands as it stood there."""
    text = ""
    for cell in cells:
        written = cell.written or _written(cell)
        if text:
            alone = text.rstrip("\n")
            breaks = 3 if _ends_with_definition(text) or _starts_with_definition(written) else 2
            text = alone + "\n" * max(breaks, len(text) - len(alone))
        text += written
    return text.rstrip("\n") + "\n" if text else ""


def kept(kind: str, source: str) -> str:
    """What a source keeps of a cell's text: all but the blank lines at the end of a code cell."""
    if kind != "code":
        return source
    lines = source.split("\n")
    while lines and not lines[-1].strip(" \t"):
        lines.pop()
    return "\n".join(lines)


def _cell(lines: list[str], number: int) -> Cell:
    head = HEAD.fullmatch(MARKER.fullmatch(lines[0])[1] or "")
    try:
        tags = json.loads(head[2] or "[]")
        if not all(isinstance(tag, str) for tag in tags):
            raise ValueError
    except (TypeError, ValueError):
        raise NotebookError(
            f"line {number}: after '# %%' may stand [markdown] or [raw], and tags=[\"…\"]; nothing else"
        ) from None
    body = lines[1:]
    while body and not body[-1].strip(" \t"):
        body.pop()
    kind = head[1] or "code"
    read = _code if kind == "code" else _prose
    source = "\n".join(read(line, number + place) for place, line in enumerate(body, 1))
    return Cell(kind, source, tuple(tags), "\n".join([*lines, ""]))


def _code(line: str, number: int) -> str:
    if line.startswith("# ") and ESCAPED.match(line[2:]):
        return line[2:]
    if LIKE_MARKER.match(line):
        raise NotebookError(
            f"line {number}: a cell starts with '# %%' at the very left, then a space; "
            "if this is a comment, put one more '# ' before it"
        )
    return line


def _prose(line: str, number: int) -> str:
    if line != "#" and not line.startswith("# "):
        raise NotebookError(f"line {number}: in a cell of prose each line starts with '# '")
    line = line[2:]
    return line[1:] if line.startswith(" ") and SPACED.fullmatch(line[1:]) else line


def _written(cell: Cell) -> str:
    kind = "" if cell.kind == "code" else f" [{cell.kind}]"
    tags = f" tags={json.dumps(list(cell.tags), ensure_ascii=False)}" if cell.tags else ""
    lines = [f"# %%{kind}{tags}"]
    if cell.source:
        write = _written_code if cell.kind == "code" else _written_prose
        lines += [write(line) for line in cell.source.split("\n")]
    return "\n".join(lines)


def _written_code(line: str) -> str:
    return f"# {line}" if ESCAPED.match(line) else line


def _written_prose(line: str) -> str:
    return f"#  {line}" if SPACED.fullmatch(line) else f"# {line}" if line else "#"


def _ends_with_definition(text: str) -> bool:
    """Whether the last cell of a source ends with a function or class: two blank lines follow, not one."""
    lines = [line for line in text.rsplit("\n# %%", 1)[-1].split("\n")[1:] if re.match(r"[^\s#)\]}]", line)]
    return bool(lines) and bool(DEFINITION.match(lines[-1]))


def _starts_with_definition(text: str) -> bool:
    return bool(DEFINITION.match(text.partition("\n")[2]))
