"""``fsdl-course notebooks build``: from ``notebooks/source/NAME.py`` to ``notebooks/NAME.ipynb``.

Only notebooks that are not what their sources say are built. One with cells tagged for comparison is run for
the outputs that are kept, unless those that it has came of the same code. What a notebook is made of stands
in ``conversion``, what somebody changed in it in ``edits``, the rules for what it holds in ``rules``.
"""

import json
import sys
from pathlib import Path

from fsdl_course.notebooks.conversion import (
    difference,
    name_of,
    notebook_of,
    notebooks,
    read,
    read_source,
    read_text,
    source_of,
    sources,
    write,
)
from fsdl_course.notebooks.edits import cells_of, conflict, is_edited, outputs_digest, stamp, stamped
from fsdl_course.notebooks.outputs import execute, is_compared, keep_compared_outputs, keep_known_outputs
from fsdl_course.notebooks.percent import NotebookError
from fsdl_course.setup.stations import SETTING_UP
from fsdl_deploy.paths import ROOT

MOST_LINES = 30  # of the differences of one notebook


def build(source: Path, root: Path = ROOT, force: bool = False, again: bool = False) -> Path:
    """Make the notebook of ``source`` anew; return its path.

    It is run for the outputs that are kept, if those that it has are of other code, or ``again``.
    ``force`` builds over a notebook that was edited by itself, else NotebookError.
    """
    path = notebook_of(source, root)
    notebook = read_source(source, name_of(path, root), root)
    known = _known(path, notebook, root, force)
    path.parent.mkdir(parents=True, exist_ok=True)
    if known is not None:
        keep_compared_outputs(notebook, known)
    if any(map(is_compared, notebook.cells)) and (
        again or known is None or outputs_digest(notebook) != stamped(known, "outputs")
    ):
        executed = execute(notebook, path.parent)
        if SETTING_UP in json.dumps([cell.outputs for cell in executed.cells if is_compared(cell)]):
            raise NotebookError("a station was set up while it ran, and kept outputs say so: build it again")
        keep_compared_outputs(notebook, executed)
        if known is not None:
            keep_known_outputs(notebook, known)
    stamp(notebook)
    path.write_text(write(notebook), encoding="utf-8", newline="\n")
    return path


def _known(path: Path, notebook, root: Path, force: bool):
    """The notebook at ``path``, over which ``notebook`` may be written; None if there is none."""
    if not path.exists():
        return None
    try:
        known = read(path)
    except NotebookError as error:
        if force:
            return None
        raise NotebookError(f"{error}; --force builds it anew") from None
    if not force and (sentence := _loss(path, notebook, known, root)):
        raise NotebookError(sentence)
    return known


def _loss(path: Path, notebook, known, root: Path) -> str:
    """A sentence if ``notebook`` must not replace ``known``, which is at ``path`` and was edited; else ""."""
    if not is_edited(known, notebook, name_of(path, root)):
        return ""
    place = path.relative_to(root).as_posix()
    if sentence := conflict(known, cells_of(notebook), place):
        return f"{sentence}; or drop the notebook's with --force"
    return (
        f"{path.name} was edited by itself, and building would lose that. Keep the edits with "
        f"'fsdl-course notebooks import {place}', or build with --force"
    )


def as_it_stands(source: Path, root: Path = ROOT) -> str:
    """The text of the notebook that ``source`` makes, with the outputs it has. Nothing is executed.

    Outputs are taken as they are: nbval, which runs every notebook anyway, compares them. But the stamp says
    whether they are those of the last run of this code.
    """
    path = notebook_of(source, root)
    notebook = read_source(source, name_of(path, root), root)
    if path.exists():
        keep_compared_outputs(notebook, read(path))
    stamp(notebook)
    return write(notebook)


def is_built(source: Path, root: Path = ROOT) -> bool:
    """Whether the notebook of ``source`` is what building it would make, but for another run."""
    path = notebook_of(source, root)
    try:
        return path.exists() and path.read_bytes() == as_it_stands(source, root).encode()
    except NotebookError:
        return False


def differences(root: Path = ROOT, chosen: list[Path] | None = None) -> list[str]:
    """How notebooks differ from what their sources make: diffs or sentences; none if they are the same.

    All notebooks, or those of the ``chosen`` sources.
    """
    diffs = [diff for source in chosen or sources(root) if (diff := _difference(source, root))]
    if not chosen:
        expected = {notebook_of(source, root) for source in sources(root)}
        for path in notebooks(root):
            if path not in expected:
                missing = source_of(path, root).relative_to(root).as_posix()
                diffs.append(
                    f"{path.relative_to(root).as_posix()} has no source: add {missing}, or remove it\n"
                )
    return diffs


def _difference(source: Path, root: Path) -> str:
    path = notebook_of(source, root)
    name = path.relative_to(root).as_posix()
    try:
        if path.exists():
            notebook, known = read_source(source, name_of(path, root), root), read(path)
            if _loss(path, notebook, known, root):
                keep = conflict(known, cells_of(notebook), name)
                keep = keep or f"'fsdl-course notebooks import {name}' keeps it"
                return f"{name} was edited by hand: 'git checkout -- {name}' drops that, {keep}\n"
        built = as_it_stands(source, root)
        committed = read_text(path) if path.exists() else ""
    except NotebookError as error:
        return f"{name}: {error}\n"
    if diff := difference(committed, built, name):
        return diff
    same = path.exists() and path.read_bytes() == built.encode()
    return "" if same else f"{name} is not in UTF-8 as building writes it\n"


def add_arguments(parser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="SOURCE",
        help="for example notebooks/source/02_batch.py (default: all)",
    )
    parser.add_argument("--check", action="store_true", help="change nothing; fail if building would")
    parser.add_argument("--force", action="store_true", help="build over notebooks edited by themselves")
    parser.add_argument(
        "--again", action="store_true", help="build and run also those that are what their sources say"
    )
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", default=ROOT, help="the course's folder (default: this one)"
    )


def main(args) -> int:
    """Build notebooks, or with --check print how they differ from their sources; 1 on a problem."""
    root = args.root.resolve()
    return _check(args.paths, root) if args.check else _build(args, root)


def _check(paths: list[Path], root: Path) -> int:
    diffs = differences(root, paths)
    by_hand = [diff for diff in diffs if " by hand: " in diff.partition("\n")[0]]
    for diff in diffs:
        if diff not in by_hand:
            lines = diff.splitlines(keepends=True)
            more = len(lines) - MOST_LINES
            print("".join(lines[:MOST_LINES]), end=f"… and {more} lines more\n" if more > 0 else "")
    print("".join(by_hand), end="", file=sys.stderr)
    if diffs:
        hint = ": make notebooks" if len(by_hand) < len(diffs) else ""
        print(f"{len(diffs)} notebooks differ from their sources{hint}", file=sys.stderr)
    return 1 if diffs else 0


def _build(args, root: Path) -> int:
    failed = up_to_date = 0
    for source in args.paths or sources(root):
        try:
            if not args.again and is_built(source, root):
                up_to_date += 1
            else:
                built = build(source, root, args.force, args.again)
                print(built.relative_to(root), flush=True)
        except NotebookError as error:
            failed += 1
            print(f"{source}: {error}", file=sys.stderr, flush=True)
    if up_to_date:
        print(f"{up_to_date} up to date: what their sources say (--again builds and runs them all the same)")
    return 1 if failed else 0
