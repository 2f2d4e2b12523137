"""``make course``: execute every notebook as a student would read it, and report under ``build/course/``.

Papermill runs each notebook in the notebook's own folder and writes the executed copy elsewhere, so the
course's files stay as they are. One that fails does not stop the others. The report (``pages``) is written
after each: ``build/course/index.html`` links a page for each notebook, ``table.txt`` holds the table.
"""

import re
import shutil
import signal
import sys
import time
from pathlib import Path

from fsdl_course.notebooks import needs, pages
from fsdl_course.notebooks.conversion import name_of, notebooks, read, write
from fsdl_course.notebooks.outputs import CELL_SECONDS, START_SECONDS, kernel_config
from fsdl_deploy.paths import ROOT

FULL_CELL_SECONDS = 1800


def run(root: Path, names: list[str], full: bool = False) -> int:
    """Execute the notebooks called ``names`` (default: all whose stations are built), with a report; 1 if one
    fails."""
    chosen = _choose(root, names)
    folder = root / pages.FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    pages.prepare(folder)
    outcomes: list[pages.Execution] = []
    try:
        for place, (name, path) in enumerate(chosen.items(), start=1):
            outcomes.append(execute(path, name, folder, full, f"{place}/{len(chosen)} {name}"))
            pages.report(outcomes, root, len(chosen))  # after each: whatever ends this run, the report stays
    finally:
        print(pages.table(outcomes) + f"report: {pages.FOLDER / 'index.html'}")
    return 1 if any(outcome.problem for outcome in outcomes) else 0


def execute(path: Path, name: str, folder: Path, full: bool = False, label: str = "") -> pages.Execution:
    """Run the notebook at ``path`` into ``folder``/NAME.ipynb and NAME.html; errors become the outcome."""
    import papermill

    copy = folder / f"{name}.ipynb"
    copy.parent.mkdir(parents=True, exist_ok=True)
    start, problem = time.perf_counter(), ""
    try:
        papermill.execute_notebook(
            needs.without_missing(read(path)),
            str(copy),
            parameters={"FAST": False} if full else {},
            kernel_name="python3",
            cwd=str(path.parent),
            execution_timeout=FULL_CELL_SECONDS if full else CELL_SECONDS,
            start_timeout=START_SECONDS,
            progress_bar={"desc": label or name, "file": sys.stderr},
            config=kernel_config(),
        )
    except papermill.PapermillExecutionError as error:
        traceback = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
        problem = f"{error.ename} in cell [{error.exec_count}]: {error.evalue}\n{traceback}"
    except Exception as error:  # a timeout, a dead kernel, no notebook at all: the next one still runs
        problem = f"{type(error).__name__}: {error}"
        _note(copy, problem)
    seconds = time.perf_counter() - start
    if copy.exists():
        problem = problem or pages.unnamed_pictures(copy)
        pages.write_page(copy, path, folder)
    return pages.Execution(name, seconds, problem)


def _choose(root: Path, names: list[str]) -> dict[str, Path]:
    known = {name_of(path, root): path for path in notebooks(root)}
    if not known:
        raise ValueError("there are no notebooks to execute: build them with 'make notebooks'")
    for name in names:
        if name not in known:
            raise ValueError(f"there is no notebook {name!r}: the notebooks are {', '.join(known)}")
    if names:
        return {name: known[name] for name in names}
    return {name: path for name, path in known.items() if not _left_out(name, path)}


def _left_out(name: str, path: Path) -> bool:
    lack = next(filter(None, map(needs.not_built, sorted(needs.whole(read(path).cells)))), None)
    if lack:
        print(f"{name} is left out. {lack}")
    return lack is not None


def _note(copy: Path, problem: str) -> None:
    """Say in the executed copy why it ends early; papermill itself does so only for exceptions in cells."""
    import nbformat

    if copy.exists():
        notebook = read(copy)
        text = f"## This notebook was stopped\n\n```\n{problem}\n```"
        notebook.cells.insert(0, nbformat.v4.new_markdown_cell(text))
        copy.write_text(write(notebook), encoding="utf-8")


def add_arguments(parser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="for example 01_prototype (default: all)")
    parser.add_argument("--full", action="store_true", help="run with FAST = False: slower, better figures")
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", default=ROOT, help="the course's folder (default: this one)"
    )


def main(args) -> int:
    """Execute the notebooks that were named; 1 if one fails."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that the kernel ends too
    return run(args.root.resolve(), args.names, args.full)
