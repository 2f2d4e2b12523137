"""``fsdl-course notebooks build``: from ``notebooks/source/NAME.py`` to ``notebooks/NAME.ipynb``.

A notebook with cells tagged for comparison is run for the outputs that are kept. What a notebook is made of
stands in ``conversion``, the rules for what it holds in ``rules``.
"""

import sys
from pathlib import Path

from fsdl_course.notebooks.conversion import (
    COMPARED,
    NotebookError,
    cell_ids,
    difference,
    execute,
    keep_compared_outputs,
    keep_known_outputs,
    name_of,
    notebook_of,
    notebooks,
    read,
    read_source,
    source_of,
    sources,
    write,
)
from fsdl_deploy.paths import ROOT


def is_edited(path: Path, root: Path = ROOT) -> bool:
    """Whether a cell was changed or added in the ``.ipynb`` itself: ids follow from the cells' text."""
    cells = read(path).cells
    return [cell.get("id") for cell in cells] != cell_ids(cells, name_of(path, root))


def build(source: Path, root: Path = ROOT, force: bool = False) -> Path:
    """Make the notebook of ``source`` anew, running it for the outputs that are kept; return its path."""
    path = notebook_of(source, root)
    if not force and path.exists() and is_edited(path, root):
        raise NotebookError(
            f"{path.name} was edited by itself, and building would lose that. Keep the edits with "
            f"'fsdl-course notebooks import {path.relative_to(root)}', or build with --force"
        )
    notebook = read_source(source, name_of(path, root))
    path.parent.mkdir(parents=True, exist_ok=True)
    if any(COMPARED in cell.metadata.get("tags", ()) for cell in notebook.cells):
        keep_compared_outputs(notebook, execute(notebook, path.parent))
        if path.exists():
            keep_known_outputs(notebook, read(path))
    path.write_text(write(notebook), encoding="utf-8", newline="\n")
    return path


def differences(root: Path = ROOT) -> list[str]:
    """How the notebooks differ from what their sources make: unified diffs; none if they are the same.

    Nothing is executed: the outputs kept in a notebook are taken as they are, and nbval, which runs
    every notebook anyway, compares them.
    """
    found = []
    wanted = {notebook_of(source, root): source for source in sources(root)}
    for path, source in wanted.items():
        shown = path.relative_to(root).as_posix()
        notebook = read_source(source, name_of(path, root))
        committed = ""
        if path.exists():
            committed = path.read_bytes().decode("utf-8")
            keep_compared_outputs(notebook, read(path))
        if diff := difference(committed, write(notebook), shown):
            found.append(diff)
    for path in notebooks(root):
        if path not in wanted:
            missing = source_of(path, root).relative_to(root).as_posix()
            found.append(f"{path.relative_to(root).as_posix()} has no source: add {missing}, or remove it\n")
    return found


def add_arguments(parser) -> None:
    parser.add_argument("paths", nargs="*", type=Path, metavar="SOURCE", help="default: every source")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if building would")
    parser.add_argument("--force", action="store_true", help="build over notebooks edited by themselves")
    parser.add_argument("--root", type=Path, default=ROOT, help="the course's folder (default: this one)")


def main(args) -> int:
    """Build notebooks, or with --check print how they differ from their sources; 1 on a problem."""
    root = args.root.resolve()
    return _check(root) if args.check else _build(args.paths or sources(root), root, args.force)


def _check(root: Path) -> int:
    diffs = differences(root)
    print("".join(diffs), end="")
    if diffs:
        print(f"{len(diffs)} notebooks differ from their sources: make notebooks", file=sys.stderr)
    return 1 if diffs else 0


def _build(paths: list[Path], root: Path, force: bool) -> int:
    failed = 0
    for source in paths:
        try:
            print(build(source, root, force).relative_to(root), flush=True)
        except NotebookError as error:
            failed += 1
            print(f"{source}: {error}", file=sys.stderr, flush=True)
    return 1 if failed else 0
