"""Hand-ins of the labs' first edition, which import from fsdl_deploy.labs: they earn what they earned."""

import csv
import importlib
import shutil

import pytest

from fsdl_course import cli
from fsdl_course.grading.gradebook import open_gradebook
from fsdl_course.labs import questions
from fsdl_course.labs.backends.unprotected import Unprotected
from fsdl_course.labs.sandbox import Sandbox
from fsdl_course.notebooks.conversion import read
from fsdl_deploy.paths import ROOT

NAME = "lab02"
OPEN = next(question.id for question in questions.load(ROOT / "solutions" / NAME).open)


@pytest.fixture(scope="module")
def former(tmp_path_factory):
    """The folder of a hand-in: lab02 as it was released before the packages were two, solved."""
    path = tmp_path_factory.mktemp("former") / "hand-ins" / "ann" / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / "tests" / "fixtures" / "former" / f"{NAME}.ipynb", path)
    return path.parent.parent


isolated = pytest.param(
    [],
    marks=pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed"),
    id="isolated",
)


@pytest.mark.parametrize("words", [isolated, pytest.param(["--i-trust-these"], id="trusted")])
def test_a_hand_in_of_a_former_lab_earns_every_point(former, tmp_path, words):
    assert cli.main(["grade", str(former), "--out", str(tmp_path), "--jobs", "1", *words]) == 0
    lab = questions.load(ROOT / "solutions" / NAME)
    with (tmp_path / "scores.csv").open(newline="", encoding="utf-8") as lines:
        (row,) = csv.DictReader(lines)
    assert {question.id: int(row[question.id]) for question in lab.graded} == {
        question.id: question.points for question in lab.graded
    }
    assert (row["lab"], row["student"], row["problem"], row["waiting"]) == (NAME, "ann", "", "1")
    page = (tmp_path / "feedback" / NAME / "ann.html").read_text(encoding="utf-8")
    assert "Cells that did not run to their end" not in page
    with open_gradebook(tmp_path) as book:
        (submission,) = book.assignment_submissions(NAME)
        assert submission.score == sum(question.points for question in lab.graded)
        grade = book.find_grade(f"{NAME}-{OPEN}", NAME, NAME, "ann")
        assert grade.needs_manual_grade
    notebook = read(tmp_path / "autograded" / "ann" / NAME / f"{NAME}.ipynb")
    assert notebook.cells[1].source == "from fsdl_deploy.labs import check, predict, reveal"
    released = read(ROOT / "labs" / NAME / f"{NAME}.ipynb")
    marked = [cell.metadata["nbgrader"] for cell in released.cells if "nbgrader" in cell.metadata]
    assert [cell.metadata["nbgrader"] for cell in notebook.cells if "nbgrader" in cell.metadata] == marked


def test_a_graded_function_that_imports_the_course_is_told_that_the_grader_has_it_not():
    cells = ["from fsdl_deploy.picture import decode", "import fsdl_course.labs.exercise as exercise"]
    cells += ["def has(name):\n    return hasattr(exercise, name)"]
    with Sandbox(cells, Unprotected()) as sandbox:
        message = "fsdl_deploy.picture is not in the grader: only fsdl_course.labs is"
        assert sandbox.errors == {"0": f"ModuleNotFoundError: {message}"}
        assert sandbox.call("has", ["check"], 1).value is True


def test_a_former_lab_in_todays_clone_is_told_what_to_change():
    with pytest.raises(ImportError, match=r"from fsdl_course\.labs import check, predict, reveal") as raised:
        importlib.import_module("fsdl_deploy.labs")
    assert "\n" not in str(raised.value)
