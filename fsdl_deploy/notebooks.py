"""``python -m fsdl_deploy.notebooks build|check|import|new|course``: the machinery behind the lessons.

``build`` makes ``notebooks/NAME.ipynb`` from its source ``notebooks/source/NAME.py``, running it for the
outputs that are kept; ``import`` carries edits made in JupyterLab back into the source; ``new`` starts a
tool notebook from the template. What a notebook is made of stands in ``conversion``, the rules for
what it holds in ``contract``, executing all of them for a report in ``course``.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

from fsdl_deploy.conversion import (
    COMPARED,
    ROOT,
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
            f"'python -m fsdl_deploy.notebooks import {path.relative_to(root)}', or build with --force"
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


def import_notebook(path: Path, root: Path = ROOT) -> bool:
    """Write edits made in an ``.ipynb`` back to its source; return False if there were none."""
    import jupytext

    source = source_of(path, root)
    edited = read(path)
    if source.exists():
        known = read_source(source, name_of(path, root))
        if [_told(cell) for cell in known.cells] == [_told(cell) for cell in edited.cells]:
            return False
    for cell in edited.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
    edited.metadata = {"jupytext": {"notebook_metadata_filter": "-all", "cell_metadata_filter": "tags"}}
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(jupytext.writes(edited, fmt="py:percent"), encoding="utf-8", newline="\n")
    return True


def _told(cell) -> tuple:
    return cell.cell_type, cell.source, tuple(cell.metadata.get("tags", ()))


def new(name: str, root: Path = ROOT) -> Path:
    """Start the source of a tool notebook from the template; return its path."""
    source = root / "notebooks" / "source" / f"{name}.py"
    if not re.fullmatch(r"tools/[a-z0-9]+(_[a-z0-9]+)*", name):
        raise NotebookError(f"name a tool notebook like tools/triton, not {name!r}")
    if source.exists():
        raise NotebookError(f"{source.relative_to(root)} exists already")
    shutil.copyfile(root / "notebooks" / "source" / "tools" / "_template.py", source)
    return source


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fsdl_deploy.notebooks", description="Notebook machinery."
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the course's folder (default: this one)")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("build", help="make notebooks/NAME.ipynb from notebooks/source/NAME.py")
    command.add_argument("paths", nargs="*", type=Path, metavar="SOURCE", help="default: every source")
    command.add_argument("--check", action="store_true", help="change nothing; fail if building would")
    command.add_argument("--force", action="store_true", help="build over notebooks edited by themselves")
    command = commands.add_parser("import", help="write edits made in a notebook back to its source")
    command.add_argument("paths", nargs="+", type=Path, metavar="NOTEBOOK")
    command = commands.add_parser("new", help="start a tool notebook from the template")
    command.add_argument("name", help="for example tools/triton")
    command = commands.add_parser("check", help="check notebooks against the course's contract")
    command.add_argument("paths", nargs="*", type=Path, metavar="NOTEBOOK", help="default: every notebook")
    command = commands.add_parser("course", help="execute notebooks and report under build/course/")
    command.add_argument("names", nargs="*", metavar="NAME", help="for example 01_prototype (default: all)")
    command.add_argument("--full", action="store_true", help="run with FAST = False: slower, better figures")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit status: 0 good, 1 a problem was found, 2 bad usage."""
    args = _parser().parse_args(argv)
    root = args.root.resolve()
    try:
        return _run(args, root)
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError) as error:
        print(f"{args.command}: {error}", file=sys.stderr)
        return 1


def _run(args: argparse.Namespace, root: Path) -> int:
    if args.command == "course":
        from fsdl_deploy import course

        return course.run(root, args.names, full=args.full)
    if args.command == "check":
        from fsdl_deploy import contract

        return contract.report(root, args.paths)
    if args.command == "new":
        print(f"{new(args.name, root).relative_to(root)} is yours: replace every TODO, then build it")
    elif args.command == "import":
        for path in args.paths:
            changed = import_notebook(path, root)
            print(f"{source_of(path, root)}: {'written' if changed else 'says the same already'}")
    elif args.check:
        found = differences(root)
        print("".join(found), end="")
        if found:
            print(f"{len(found)} notebooks differ from their sources: make notebooks", file=sys.stderr)
        return 1 if found else 0
    else:
        return _build(args.paths or sources(root), root, args.force)
    return 0


def _build(paths: list[Path], root: Path, force: bool) -> int:
    failed = 0
    for source in paths:
        try:
            print(build(source, root, force).relative_to(root), flush=True)
        except NotebookError as error:
            failed += 1
            print(f"{source}: {error}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
