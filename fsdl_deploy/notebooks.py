"""``python -m fsdl_deploy.notebooks build|check|import|new|course``: the machinery behind the lessons.

The source of a notebook is ``notebooks/source/NAME.py`` in jupytext's py:percent format, whose diff a
person can read. ``build`` makes ``notebooks/NAME.ipynb`` from it, the same bytes each time: ids come
from the cells' text, and the only outputs kept are those of cells tagged ``nbval-check-output``, which
say the same on every machine; nbval compares them. A source whose name starts with ``_`` is a template.
Rules for what a notebook holds stand in ``contract``; executing all of them for a report, in ``course``.
"""

import argparse
import copy
import difflib
import hashlib
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPARED = "nbval-check-output"
CELL_SECONDS = 120


class NotebookError(ValueError):
    """A notebook cannot be built, or is not what its source says; the message says what to do."""


def notebook_of(source: Path, root: Path = ROOT) -> Path:
    """``notebooks/source/tools/X.py`` -> ``notebooks/tools/X.ipynb``; NotebookError for any other path."""
    folder = (root / "notebooks" / "source").resolve()
    source = Path(source).resolve()
    if source.suffix != ".py" or not source.is_relative_to(folder):
        raise NotebookError(f"{source} is no source of a notebook: sources are {folder.name}/NAME.py")
    return root / "notebooks" / source.relative_to(folder).with_suffix(".ipynb")


def source_of(notebook: Path, root: Path = ROOT) -> Path:
    """``notebooks/tools/X.ipynb`` -> ``notebooks/source/tools/X.py``; NotebookError for any other path."""
    folder = (root / "notebooks").resolve()
    notebook = Path(notebook).resolve()
    if notebook.suffix != ".ipynb" or not notebook.is_relative_to(folder):
        raise NotebookError(f"{notebook} is no notebook of the course: they are {folder.name}/NAME.ipynb")
    return root / "notebooks" / "source" / notebook.relative_to(folder).with_suffix(".py")


def sources(root: Path = ROOT) -> list[Path]:
    """Every source, in the order of the course; templates (``_NAME.py``) are left out."""
    folder = root / "notebooks" / "source"
    return [path for path in _in_order(folder, "*.py") if not path.name.startswith("_")]


def notebooks(root: Path = ROOT) -> list[Path]:
    """Every notebook, in the order of the course: lessons first, then tools."""
    return _in_order(root / "notebooks", "*.ipynb")


def _in_order(folder: Path, pattern: str) -> list[Path]:
    found = (path.relative_to(folder) for path in folder.rglob(pattern))
    found = [path for path in found if not any(part.startswith(".") for part in path.parts)]
    return [folder / path for path in sorted(found, key=lambda path: (len(path.parts), path.as_posix()))]


def read_source(source: Path, name: str):
    """The notebook that ``source`` describes, without outputs; ``name`` enters the ids of its cells."""
    import jupytext
    import nbformat

    text = Path(source).read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")
    cells = []
    for cell in notebook.cells:
        make = {"markdown": nbformat.v4.new_markdown_cell, "raw": nbformat.v4.new_raw_cell}.get(
            cell.cell_type, nbformat.v4.new_code_cell
        )
        tags = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        cells.append(make(cell.source, metadata=tags))
    for cell, cell_id in zip(cells, cell_ids(cells, name), strict=True):
        cell.id = cell_id
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    result = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    result.nbformat_minor = 5
    return result


def cell_ids(cells: Iterable, name: str) -> list[str]:
    """Ids that depend on nothing but the notebook's name and each cell's text and tags: diffs stay small."""
    ids, seen = [], {}
    for cell in cells:
        text = "\n".join([name, cell.cell_type, *cell.metadata.get("tags", ()), cell.source])
        cell_id = hashlib.sha256(text.encode()).hexdigest()[:12]
        seen[cell_id] = seen.get(cell_id, 0) + 1
        ids.append(cell_id if seen[cell_id] == 1 else f"{cell_id}-{seen[cell_id]}")
    return ids


def name_of(notebook: Path, root: Path = ROOT) -> str:
    """``notebooks/tools/X.ipynb`` -> ``tools/X``: what people call it."""
    return source_of(notebook, root).relative_to(root / "notebooks" / "source").with_suffix("").as_posix()


def execute(notebook, folder: Path):
    """Run the cells in a kernel of this interpreter, in ``folder``; NotebookError says which cell fails."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    executed = copy.deepcopy(notebook)
    client = NotebookClient(
        executed,
        kernel_name="python3",
        timeout=CELL_SECONDS,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        place = max((n for n, cell in enumerate(executed.cells) if "execution" in cell.metadata), default=0)
        message = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
        raise NotebookError(f"cell {place + 1} failed\n{message}") from None
    return executed


def keep_compared_outputs(notebook, executed) -> None:
    """Copy into ``notebook`` the outputs of the tagged cells of ``executed``, without what changes by run."""
    by_id = {cell.id: cell for cell in executed.cells}
    for cell in notebook.cells:
        if cell.cell_type == "code" and COMPARED in cell.metadata.get("tags", ()) and cell.id in by_id:
            outputs = copy.deepcopy(by_id[cell.id].get("outputs", []))
            # nbval compares no stderr, and warnings differ from machine to machine.
            cell.outputs = [output for output in outputs if output.get("name") != "stderr"]
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = None


def write(notebook) -> str:
    """The text of an ``.ipynb``: keys sorted, one line break at the end."""
    import nbformat

    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def read(path: Path):
    """The notebook in an ``.ipynb``; NotebookError if the file holds none."""
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises many types on damaged files: all mean the same here
        raise NotebookError(f"{path.name} is no notebook: {error}") from None


def is_edited(path: Path, root: Path = ROOT) -> bool:
    """Whether a cell was changed in the ``.ipynb`` itself: its id no longer follows from its text."""
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
        lines = (committed.splitlines(True), write(notebook).splitlines(True))
        diff = "".join(difflib.unified_diff(*lines, f"committed/{shown}", f"built/{shown}"))
        if diff:
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
