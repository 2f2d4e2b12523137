"""What a notebook was when it was built, and what of it somebody has changed since.

Building leaves a stamp in the notebook's metadata: a digest of its cells, and one of its code with the
outputs kept. So an edit is told from a source that is newer, a removed cell from one not built yet, and
outputs that came of this code from others. Running a notebook, and what editors write beside, is no edit.
"""

import hashlib
import json
from collections import Counter

from fsdl_course.notebooks import colab
from fsdl_course.notebooks.conversion import cell_ids, source_text
from fsdl_course.notebooks.outputs import as_compared, is_compared
from fsdl_course.notebooks.percent import Cell, kept

BUILT = "fsdl_built"
LAB = "fsdl_lab"  # in the metadata of a lab's notebook, whose cells have nbgrader's marks
OURS = {"kernelspec", "language_info", BUILT, LAB}
# What programs write beside a text without being asked; nothing of it changes what a reader sees.
TRACES = {
    *("trusted", "collapsed", "scrolled", "execution", "ExecuteTime", "papermill", "vscode", "widgets"),
    *("jupyter", "jp-MarkdownHeadingCollapsed", "colab", "id", "outputId", "executionInfo", "orig_nbformat"),
}
# What JupyterLab writes for "as usual", as soon as its property inspector was open.
USUAL = {
    **{"editable": True, "deletable": True, "slideshow": {"slide_type": ""}},
    **{"format": "", "raw_mimetype": ""},
}


def cells_of(notebook) -> list[Cell]:
    """The cells of a notebook as a source keeps them: kind, text, tags."""
    return [
        Cell(cell.cell_type, kept(cell.cell_type, source_text(cell)), tuple(cell.metadata.get("tags", ())))
        for cell in notebook.cells
    ]


def stamp(notebook) -> None:
    """Note in the notebook what it is now."""
    notebook.metadata[BUILT] = {"cells": cells_digest(cells_of(notebook))}
    if any(map(is_compared, notebook.cells)):
        notebook.metadata[BUILT]["outputs"] = outputs_digest(notebook)


def stamped(notebook, what: str) -> str:
    """What the stamp says of the "cells" or the "outputs"; "" without a stamp."""
    built = notebook.metadata.get(BUILT)
    return str(built.get(what, "")) if isinstance(built, dict) else ""


def cells_digest(cells: list[Cell]) -> str:
    return _digest([[cell.kind, cell.source, cell.tags] for cell in cells])


def outputs_digest(notebook) -> str:
    """A digest of the code in its order, and of the outputs kept, as far as nbval compares them."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and not colab.is_cell(cell)]
    return _digest([[cell.source, as_compared(cell.outputs) if is_compared(cell) else None] for cell in code])


def is_edited(notebook, rebuilt, name: str = "") -> bool:
    """Whether building ``rebuilt`` over ``notebook`` would lose what somebody changed in it.

    One whose cells are those of its source has no edit to lose. Without a stamp, ids tell: with the
    notebook's ``name`` they follow from the cells' text.
    """
    if pictures_in(notebook) or strange(notebook):
        return True
    cells = cells_of(notebook)
    if cells == cells_of(rebuilt):
        return False
    if built := stamped(notebook, "cells"):
        return cells_digest(cells) != built
    return bool(name) and [cell.get("id") for cell in notebook.cells] != cell_ids(notebook.cells, name)


def conflict(notebook, source: list[Cell], name: str) -> str:
    """A sentence if the notebook and the cells of its ``source`` were both changed since it was built."""
    built, cells = stamped(notebook, "cells"), cells_of(notebook)
    if not built or cells == source or built in (cells_digest(source), cells_digest(cells)):
        return ""
    return (
        f"both {name} and its source were changed since the notebook was built: commit the source, write "
        f"the notebook's cells over it with 'fsdl-course notebooks import {name} --force', and bring the "
        "two together"
    )


def pictures_in(notebook) -> bool:
    """Whether a cell of prose holds pictures, as JupyterLab stores one that is pasted."""
    return any(cell.get("attachments") for cell in notebook.cells if cell.cell_type == "markdown")


def strange(notebook) -> str:
    """A sentence about the first thing in a notebook that its source could not hold; "" if all is well."""
    language = notebook.metadata.get("language_info", {}).get("name", "python")
    if language not in ("python", "ipython"):
        return f"its language is {language}, not Python"
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "markdown" and cell.get("attachments"):
            return f"cell {number} holds attachments, and is no prose: move them to a cell of prose"
        if "\r" in cell.source:
            return f"cell {number} has a carriage return in its text: write it as \\r, or remove it"
        allowed = TRACES | {"nbgrader"} if LAB in notebook.metadata else TRACES
        if name := next((name for name in _beside(cell) if name not in allowed), ""):
            return (
                f"cell {number} has {name!r} in its metadata, which a source cannot hold: remove it "
                "in JupyterLab's property inspector"
            )
    own = {name for name in notebook.metadata if name not in OURS | TRACES}
    if own:
        return f"the notebook has {min(own)!r} in its metadata, which a source cannot hold: remove it"
    return ""


def left_out(notebook) -> list[str]:
    """What a source leaves out of a notebook though all is well, a sentence for each kind of thing."""
    names = Counter(name for cell in notebook.cells for name in _beside(cell) if name in TRACES)
    names.update(name for name in notebook.metadata if name in TRACES)
    sentences = []
    if names:
        counted = ", ".join(f"{name} ({count})" for name, count in sorted(names.items()))
        sentences.append(f"left out what programs wrote beside the cells: {counted}")
    if any(cell.get("outputs") for cell in notebook.cells):
        sentences.append("outputs are not imported: building makes those that are kept")
    for number, cell in enumerate(notebook.cells, 1):
        if cell.source != kept(cell.cell_type, cell.source):
            sentences.append(f"cell {number}: blank lines at its end are left out")
    return sentences


def _beside(cell) -> list[str]:
    """The names in a cell's metadata that say something, but for what a source holds."""
    return [
        name
        for name, value in cell.metadata.items()
        if name != "tags" and not (name in USUAL and value == USUAL[name])
    ]


def _digest(content) -> str:
    text = json.dumps(content, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
