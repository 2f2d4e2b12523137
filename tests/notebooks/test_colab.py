"""The cell for Colab: the same in all; elsewhere it does nothing; its links lead to a notebook."""

import subprocess
import sys

import pytest

from fsdl_course.notebooks import colab
from fsdl_course.notebooks.conversion import read, source_text
from fsdl_course.notebooks.edits import cells_of
from fsdl_deploy.paths import ROOT

NOTEBOOKS = [
    *(f"notebooks/{name}.ipynb" for name in ("00_tour", "01_prototype", "02_batch", "05_optimization")),
    *(f"labs/lab{number}/lab{number}.ipynb" for number in ("00", "01", "02", "05")),
]


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_the_cell_is_the_first_that_runs_and_the_same_in_all(path):
    notebook = read(ROOT / path)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    where = colab.place()
    assert colab.is_cell(first)
    assert first.source == colab.CELL.format(address=where.address, version=where.version)
    assert source_text(first) == colab.SOURCE and colab.SOURCE in [cell.source for cell in cells_of(notebook)]


def test_no_other_place_of_the_course_has_its_own_such_cell():
    with_cell = [
        path.relative_to(ROOT).as_posix()
        for folder in ("notebooks", "labs")
        for path in (ROOT / folder).rglob("*.ipynb")
        if any("google.colab" in cell.source for cell in read(path).cells)
    ]
    assert sorted(with_cell) == sorted(NOTEBOOKS)


def test_elsewhere_the_cell_does_nothing(tmp_path):
    text = colab.CELL.format(address="https://example.org/course", version="main")
    program = text + "\nimport sys; print(sorted({'fsdl_course', 'subprocess'} & sys.modules.keys()))"
    process = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert (process.returncode, process.stderr) == (0, "") and "fsdl_course" not in process.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("address", "link"),
    [
        (
            "https://github.com/a/b.git",
            "https://colab.research.google.com/github/a/b/blob/2027-spring/notebooks/00_tour.ipynb",
        ),
        ("https://gitlab.com/a/b", None),
        ("https://github.com/a", None),
        ("", None),
    ],
)
def test_the_link_opens_the_notebook_of_that_version(address, link):
    assert colab.Place(address, "2027-spring").link("notebooks/00_tour.ipynb") == link


def test_a_fork_says_its_place_once_and_a_workflow_knows_it(tmp_path):
    workflow = {"GITHUB_REPOSITORY": "fork/course", "GITHUB_REF_NAME": "2027-spring"}
    assert colab.published(tmp_path, workflow) == colab.Place("https://github.com/fork/course", "2027-spring")
    text = '[tool.fsdl-course]\nrepository = "https://github.com/own/course"\nversion = "v2"\n'
    (tmp_path / "pyproject.toml").write_text(text)
    assert colab.place(tmp_path) == colab.published(tmp_path, workflow)
    assert colab.place(tmp_path).version == "v2"
