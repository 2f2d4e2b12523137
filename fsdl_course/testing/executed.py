"""A plugin of pytest: ``--executed FOLDER`` keeps what nbval ran, so that no notebook is executed twice.

nbval compares the outputs of a notebook's cells and forgets them. Here they are written into a copy of the
notebook, with how long it took and the first problem; ``fsdl-course notebooks pages`` makes the pages.
"""

import copy
import re
import time
from pathlib import Path

import nbformat
import pytest

from fsdl_course.notebooks import needs
from fsdl_course.notebooks.conversion import name_of
from fsdl_course.notebooks.pages import RECORD
from fsdl_course.testing.left_out import why_skipped


def pytest_addoption(parser) -> None:
    parser.addoption("--executed", type=Path, help="write the notebooks that nbval ran into this folder")


class Run:
    """What is known so far of one notebook's run."""

    def __init__(self):
        self.started, self.outputs, self.problem, self.skipped = time.perf_counter(), {}, "", 0


def pytest_configure(config) -> None:
    config.stash[RUNS] = {}


RUNS: pytest.StashKey[dict[Path, Run]] = pytest.StashKey()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item) -> None:
    """The time of a notebook begins before its kernel starts."""
    if item.config.getoption("--executed") and hasattr(item, "cell"):
        item.config.stash[RUNS].setdefault(item.path, Run())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    run = item.config.stash[RUNS].get(item.path)
    if run is not None and call.when != "teardown":
        if report.failed and not run.problem:
            run.problem = re.sub(r"\x1b\[[0-9;]*m", "", str(report.longrepr))
        if report.skipped and report.when == "setup":
            text = needs.skipped(why_skipped(report))
            run.outputs[item.cell.id] = [nbformat.v4.new_output("stream", text=text)]
            run.skipped += 1
        elif report.when == "call":
            run.outputs[item.cell.id] = copy.deepcopy(item.test_outputs or [])
    return report


def pytest_runtest_teardown(item, nextitem) -> None:
    """After the last cell of a notebook, write its copy; one of which no cell ran leaves none."""
    folder = item.config.getoption("--executed")
    if not folder or not hasattr(item, "cell") or (nextitem is not None and nextitem.path == item.path):
        return
    run = item.config.stash[RUNS].pop(item.path, None)
    root = item.config.rootpath
    if run is None or not item.path.is_relative_to(root / "notebooks") or run.skipped == len(run.outputs):
        return
    notebook = copy.deepcopy(item.parent.nb)
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.outputs, cell.execution_count = run.outputs.get(cell.id, []), number
    seconds = round(time.perf_counter() - run.started, 2)
    notebook.metadata[RECORD] = {"seconds": seconds, "problem": run.problem}
    path = folder / f"{name_of(item.path, root)}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
