"""nbgrader's view: the gradebook says the same, the formgrader shows it, autograde uses our sandbox."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig

import nbformat
import pytest
from grading_class import ANSWERS, notebook
from traitlets.config import Config

from fsdl_course.grading import grade, gradebook, report
from fsdl_course.grading.by_hand import GivenByHand
from fsdl_course.grading.submissions import collect
from fsdl_deploy.paths import ROOT

NAMES = ("right", "half", "renamed")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Three hand-ins with results and a gradebook: (submissions, results, folder)."""
    folder = tmp_path_factory.mktemp("gradebook")
    (folder / "in").mkdir()
    for name in NAMES:
        content = notebook(ANSWERS[name][0])
        if name == "renamed":  # and the cell that checks is gone
            content["cells"] = [
                cell
                for cell in content["cells"]
                if cell["metadata"].get("nbgrader", {}).get("grade_id") != "lab00-q3-check"
            ]
        (folder / "in" / f"{name}.ipynb").write_text(json.dumps(content))
    submissions = collect(folder / "in")
    results = grade.grade(submissions, folder / "out", trusted=True)  # the course's own code
    report.write(results, folder / "out")
    gradebook.write(submissions, results, folder / "out")
    return submissions, results, folder / "out"


def scores(out):
    with gradebook.open_gradebook(out) as book:
        return {
            submission.student.id: (submission.score, submission.max_score, submission.needs_manual_grade)
            for submission in book.assignment_submissions("lab00")
        }


def test_the_gradebook_says_what_the_scores_say(graded):
    _, results, out = graded
    assert scores(out) == {result["student"]: (result["score"], 58, True) for result in results}


def test_a_folder_may_have_signs_of_a_url_in_its_name(tmp_path):
    out = tmp_path / "50% q? Unité #1"
    out.mkdir()
    gradebook.write([], [], out)
    assert (out / "gradebook.db").exists() and list(tmp_path.iterdir()) == [out]
    assert gradebook.database(out) in (out / "nbgrader_config.py").read_text(encoding="utf-8")


def test_writing_again_changes_nothing(graded):
    submissions, results, out = graded
    before = scores(out)
    gradebook.write(submissions, results, out)
    assert scores(out) == before


def test_notebooks_beside_it_are_valid_and_carry_the_feedback(graded):
    for name in NAMES:
        path = graded[2] / "autograded" / name / "lab00" / "lab00.ipynb"
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        outputs = {
            cell.metadata["nbgrader"]["grade_id"]: cell.outputs
            for cell in notebook.cells
            if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
        }
        assert len(outputs) == 5  # a check that was deleted has come back
        assert "two of three" in outputs["lab00-q1-check"][0]["text"]
    assert outputs["lab00-q2-check"][1]["data"]["text/plain"] == "0"


def test_points_given_in_the_formgrader_come_back(graded):
    _, _, out = graded
    with gradebook.open_gradebook(out) as book:
        grade_of_open = book.find_grade("lab00-q6", "lab00", "lab00", "half")
        grade_of_open.manual_score, grade_of_open.needs_manual_grade = 2.0, False
        book.db.commit()
    given = gradebook.given(out)
    assert given["lab00", "half", "q6"] == GivenByHand(2.0) and given["lab00", "half", "q1"].points is None
    assert gradebook.given(out / "nowhere") == {}


def test_every_nbgrader_uses_the_sandbox_and_shows_nothing_that_acts(graded):
    for place in (ROOT, graded[2]):
        config = Config()
        runpy.run_path(str(place / "nbgrader_config.py"), {"get_config": lambda config=config: config})
        steps = config.Autograde.autograde_preprocessors
        assert "fsdl_course.grading.autograde.BlackBox" in steps
        assert not any(step.endswith("Execute") for step in steps)
        assert config.HTMLExporter.sanitize_html is True
        assert config.HTMLExporter.filters == {"markdown2html": "fsdl_course.grading.inert.markdown"}


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed: autograde needs it")
@pytest.mark.thorough
def test_nbgraders_own_autograde_goes_through_the_sandbox(tmp_path):
    """With the repository's configuration: hostile code gets no points and touches nothing."""
    # The same configuration, for a course that lies elsewhere.
    config = (ROOT / "nbgrader_config.py").read_text()
    moved = re.sub(
        r"Path\(__file__\)\.resolve\(\)", f"Path({str(tmp_path / 'nbgrader_config.py')!r})", config
    )
    assert moved.count(str(tmp_path)) >= 2
    (tmp_path / "nbgrader_config.py").write_text(moved)
    (tmp_path / "solutions").symlink_to(ROOT / "solutions")
    victim = tmp_path / "victim"
    victim.write_text("whole")
    bad = f"import os\ndef review_queue(a, b):\n    os.remove({str(victim)!r})\n    return []"
    for name, answers in (("half", ANSWERS["half"][0]), ("bad", {"q2": bad})):
        path = tmp_path / "grades" / "submitted" / name / "lab00" / "lab00.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook(answers, before=f"open({str(victim)!r}, 'w')")))
    environ = {**os.environ, "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"}
    for words in (["generate_assignment", "lab00"], ["autograde", "lab00"]):
        process = subprocess.run(
            [sys.executable, "-m", "nbgrader", *words],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
        )
        assert process.returncode == 0, process.stderr[-2000:]
    assert victim.read_text() == "whole"
    points = {name: score for name, (score, _, _) in scores(tmp_path / "grades").items()}
    assert points == {"half": 34, "bad": 41}
    released = tmp_path / "grades" / "release" / "lab00"
    assert sorted(path.name for path in released.iterdir()) == ["lab00.ipynb", "questions.py"]
    assert "reading == truth" not in (released / "lab00.ipynb").read_text()  # of q1's solution
