"""``fsdl-course notebooks import``: edits made in JupyterLab, carried back into a notebook's source.

What a source cannot hold is refused, or said; a pasted picture becomes a file in ``notebooks/images/``, a
figure of a record its key.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from fsdl_course.notebooks import edits, percent, quoting
from fsdl_course.notebooks.attachments import take_out
from fsdl_course.notebooks.conversion import (
    RECORDS,
    cell_ids,
    filled,
    name_of,
    read,
    read_source,
    read_text,
    source_of,
    write,
)
from fsdl_course.notebooks.outputs import keep_compared_outputs
from fsdl_course.notebooks.percent import NotebookError
from fsdl_deploy.paths import ROOT


@dataclass
class Imported:
    """What came of an import: the source, whether it was written, pictures written, what else to know."""

    source: Path
    changed: bool = False
    pictures: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_notebook(path: Path, root: Path = ROOT, force: bool = False) -> Imported:
    """Write edits made in an ``.ipynb`` back to its source, and the notebook as its source makes it.

    NotebookError if the source could not hold something, or was changed too since the notebook was built;
    ``force`` then writes the notebook's cells over the source's.
    """
    source = lab_source(path, root)
    lab = source is not None
    source = source or source_of(path, root)
    edited = read(path)
    if sentence := edits.strange(edited):
        raise NotebookError(f"{path.name}: {sentence}; nothing was imported")
    imported = Imported(source, notes=edits.left_out(edited))
    pictures = _take_pictures(edited, path, root, lab, imported.notes)
    known = _known(source)
    cells = edits.cells_of(edited)
    if cells != known:
        if known and not force and not _may_write(path, edited, known, imported):
            return imported
        _check_keys(path, cells, root)
        text = percent.text_of(_with_texts(cells, known))
        if percent.cells(text) != cells:  # else the source would say something else than the notebook
            raise NotebookError(f"{path.name}: its cells cannot be written as a source")
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(text, encoding="utf-8", newline="\n")
        imported.changed = True
    for file, content in pictures.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        imported.pictures.append(file)
    stale = _stale(edited, root)
    imported.notes += stale
    if not lab and (imported.changed or pictures or stale or not _is_renewed(edited, name_of(path, root))):
        _renew(path, source, edited, root)
    return imported


def lab_source(path: Path, root: Path = ROOT) -> Path | None:
    """The source of a lab's notebook with the solutions; None for a path that is no lab's."""
    path = Path(path).resolve()
    parts = path.relative_to(root.resolve()).parts if path.is_relative_to(root.resolve()) else ()
    if len(parts) != 3 or parts[0] not in ("solutions", "labs") or parts[2] != f"{parts[1]}.ipynb":
        return None
    source = root / "solutions" / parts[1] / f"{parts[1]}.py"
    if parts[0] == "labs":
        raise NotebookError(f"{path.name}: the students' notebook has no solutions to import: edit {source}")
    return source


def _known(source: Path) -> list[percent.Cell]:
    try:
        return percent.cells(read_text(source)) if source.exists() else []
    except NotebookError as error:
        raise NotebookError(f"{source}: {error}") from None


def _take_pictures(edited, path: Path, root: Path, lab: bool, notes: list[str]) -> dict[Path, bytes]:
    """Take attached pictures out of the cells; say which of them no cell shows."""
    pictures = {}
    for number, cell in enumerate(edited.cells, 1):
        if lab and cell.get("attachments"):
            raise NotebookError(f"{path.name}: cell {number} holds a pasted picture: link it as a file")
        try:
            taken, unseen = take_out(cell, path.resolve(), (root / "notebooks" / "images").resolve())
        except NotebookError as error:
            raise NotebookError(f"{path.name}: cell {number}: {error}") from None
        notes += [
            f"cell {number}: the attachment {name}, which no link shows, is left out" for name in unseen
        ]
        pictures |= taken
    return pictures


def _check_keys(path: Path, cells: list[percent.Cell], root: Path) -> None:
    """NotebookError if a cell has a key that building could not fill in."""
    try:
        for number, cell in enumerate(cells, 1):
            if cell.kind == "markdown":
                filled(number, cell.source, root)
    except NotebookError as error:
        raise NotebookError(f"{path.name}: {error}; nothing was imported") from None


def _stale(edited, root: Path) -> list[str]:
    """Figures that are not what their records say, a sentence for each: they are filled in anew."""
    return [
        f"cell {number}: the record says {now!r} for {key}, so {before!r} is not kept"
        for number, cell in enumerate(edited.cells, 1)
        if cell.cell_type == "markdown"
        for key, before in quoting.filled(cell.source)
        if (now := quoting.written(key, root / RECORDS)) != before
    ]


def _may_write(path: Path, edited, known: list[percent.Cell], imported: Imported) -> bool:
    """Whether the source is as it was when the notebook was built, so that no change of its own is lost."""
    if sentence := edits.conflict(edited, known, str(path)):
        raise NotebookError(sentence)
    if edits.stamped(edited, "cells") in ("", edits.cells_digest(known)):
        return True
    imported.notes = [f"{path.name} was not edited, and its source is newer: build it"]
    return False


def _with_texts(cells: list[percent.Cell], known: list[percent.Cell]) -> list[percent.Cell]:
    """``cells``, those that the source knows written as they stand there: diffs show edits only."""
    spare: dict[percent.Cell, list[percent.Cell]] = {}
    for cell in reversed(known):
        spare.setdefault(cell, []).append(cell)
    return [spare[cell].pop() if spare.get(cell) else cell for cell in cells]


def _is_renewed(notebook, name: str) -> bool:
    """Whether the ids and the stamp of a notebook follow from its cells."""
    ids = [cell.get("id") for cell in notebook.cells]
    digest = edits.cells_digest(edits.cells_of(notebook))
    return ids == cell_ids(notebook.cells, name) and edits.stamped(notebook, "cells") in ("", digest)


def _renew(path: Path, source: Path, edited, root: Path) -> None:
    """Write the notebook as its source makes it, with the outputs that it has.

    The stamp of its outputs stays: if code was changed, building still knows that they are of other code.
    """
    notebook = read_source(source, name_of(path, root), root)
    for cell, old in zip(notebook.cells, edited.cells, strict=True):
        old.id = cell.id
    keep_compared_outputs(notebook, edited)
    edits.stamp(notebook)
    if "outputs" in notebook.metadata[edits.BUILT]:
        notebook.metadata[edits.BUILT]["outputs"] = edits.stamped(edited, "outputs")
    path.write_text(write(notebook), encoding="utf-8", newline="\n")


def add_arguments(parser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="NOTEBOOK",
        help="for example notebooks/02_batch.ipynb, or solutions/lab02/lab02.ipynb",
    )
    parser.add_argument("--force", action="store_true", help="also over a source that was changed meanwhile")
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", default=ROOT, help="the course's folder (default: this one)"
    )


def main(args) -> int:
    """Import each notebook, and say whether that changed its source; 1 if one was refused."""
    root, failed = args.root.resolve(), 0
    for path in args.paths:
        try:
            imported = import_notebook(path, root, args.force)
        except (NotebookError, OSError) as error:
            failed += 1
            print(error, file=sys.stderr)
            continue
        print(f"{imported.source}: {'written' if imported.changed else 'says the same already'}")
        for picture in imported.pictures:
            print(f"  {picture}: written")
        for note in imported.notes:
            print(f"  {note}")
    return 1 if failed else 0
