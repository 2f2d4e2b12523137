"""A student's answers in a newer version of their lab: cell by cell, by the cells' ids

The newer version gives the text; the student gives every answer that is not the empty one, changes to
cells that nobody checks, and cells of their own. Reads and writes no file.
"""

import copy
import re
from dataclasses import dataclass, field

from fsdl_course.labs.convert import OPEN_STUB, STUB
from fsdl_course.workspace.copies import MARK, joined

COURSE_ID = re.compile(
    r"[0-9a-f]{12}(-\d+)?"
)  # as ``conversion.cell_ids`` writes them; JupyterLab's are longer


class NoPlace(ValueError):
    """The newer version has no place for an answer; the message names it."""


@dataclass
class Merged:
    """The newer notebook with the student's work in it, and what to look at again."""

    notebook: dict
    answers: list[str] = field(default_factory=list)
    """Ids of the answers that were carried over."""
    changed: list[str] = field(default_factory=list)
    """Those of them whose exercise starts from another text now."""


def merged(student: dict, newer: dict, base: dict | None) -> Merged:
    """``student``'s work in the ``newer`` version. ``base``: the version that it was begun in, where
    that is known.

    All three are notebooks as JSON. Raises NoPlace for an answer whose exercise is gone.
    """
    result = Merged(copy.deepcopy(newer))
    theirs = {identity(cell): cell for cell in student["cells"]}
    before = {identity(cell): text(cell) for cell in base["cells"]} if base else {}
    places = {identity(cell) for cell in newer["cells"]}
    for key, cell in theirs.items():
        if is_answer(cell) and key not in places and text(cell) != before.get(key) and not is_empty(cell):
            raise NoPlace(key)
    for cell in result.notebook["cells"]:
        key = identity(cell)
        if key in theirs and not is_locked(cell):
            _carry(theirs[key], cell, before.get(key), result)
    _add_own(student, places | before.keys(), result.notebook)
    result.notebook["metadata"][MARK] = newer["metadata"][MARK]
    return result


def _carry(own: dict, cell: dict, start: str | None, result: Merged) -> None:
    """Put the text of the student's cell into the newer one, unless it is only what the exercise "
    "started from."""
    key, written, new = identity(cell), text(own), text(cell)
    if written not in (start, new):
        if is_answer(cell):
            result.answers.append(key)
            if start is not None and start != new:
                result.changed.append(key)
        elif start != new and not (start is None and cell["cell_type"] == "code"):
            return  # the course's own text, which is another now
        cell["source"] = own["source"]
    elif written != new:
        return
    if cell["cell_type"] == "code" == own["cell_type"]:
        cell["outputs"], cell["execution_count"] = own.get("outputs", []), own.get("execution_count")


def _add_own(student: dict, known: set[str], notebook: dict) -> None:
    """Cells that the student added, each behind the cell it stood behind."""
    place = 0
    for cell in student["cells"]:
        if identity(cell) in known:
            at = [identity(other) for other in notebook["cells"]]
            place = at.index(identity(cell)) + 1 if identity(cell) in at else place
        elif not _of_the_course(cell) and text(cell).strip():
            notebook["cells"].insert(place, copy.deepcopy(cell))
            place += 1


def identity(cell: dict) -> str:
    """What a cell is called: the id of its exercise, or its own."""
    return (cell.get("metadata", {}).get("nbgrader") or {}).get("grade_id") or cell.get("id") or ""


def is_answer(cell: dict) -> bool:
    """Whether a student writes into it what is graded."""
    return bool((cell.get("metadata", {}).get("nbgrader") or {}).get("solution"))


def is_empty(cell: dict) -> bool:
    """Whether an answer is still what every exercise of the course starts from."""
    return text(cell).strip() in ("", OPEN_STUB) or STUB in text(cell)


def is_locked(cell: dict) -> bool:
    """Whether it is the course's alone, as a check is."""
    return bool((cell.get("metadata", {}).get("nbgrader") or {}).get("locked"))


def _of_the_course(cell: dict) -> bool:
    """Whether the cell came with a lab: it has nbgrader's mark, or an id as only the course makes them."""
    return bool(cell.get("metadata", {}).get("nbgrader")) or bool(
        COURSE_ID.fullmatch(str(cell.get("id", "")))
    )


def text(cell: dict) -> str:
    """Its source in one piece."""
    return joined(cell.get("source") or "") or ""
