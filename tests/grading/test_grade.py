"""A whole class graded: exact points, nothing leaked, resumed, the same each time."""

import csv
import functools
import json
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from grading_class import ANSWERS, FULL, earned, notebook

from fsdl_course import cli
from fsdl_course.grading import answer_key, grade, scoring
from fsdl_course.grading.notebook_file import slim_cell
from fsdl_course.grading.submissions import Submission, collect, slug
from fsdl_course.labs import convert, isolation, questions
from fsdl_course.labs.backends.backend import SandboxError
from fsdl_course.labs.backends.unprotected import Unprotected
from fsdl_course.labs.sandbox import CallResult
from fsdl_deploy.paths import ROOT

pytestmark = pytest.mark.skipif(
    not shutil.which("bwrap"), reason="bubblewrap is not installed: grading needs it, or an engine"
)


def write(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        answers, _ = ANSWERS[name]
        (folder / f"{name.replace('/', '∕')}.ipynb").write_text(json.dumps(notebook(answers)))
    return folder


@pytest.fixture(scope="module", autouse=True)
def keys_are_made_once():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grade, "answer_key", functools.cache(grade.answer_key))
        yield


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class, graded by the command: (folder of submissions, folder of results)."""
    folder = tmp_path_factory.mktemp("class")
    write(folder / "in", ANSWERS)
    for name, cell in (("ends", "import os; os._exit(1)"), ("patches", PATCH)):
        (folder / "in" / f"{name}.ipynb").write_text(json.dumps(notebook({}, before=cell)))
    (folder / "in" / "broken.ipynb").write_text("{")
    assert cli.main(["grade", str(folder / "in"), "--out", str(folder / "out"), "--jobs", "2"]) == 1
    return folder / "in", folder / "out"


PATCH = "import json, builtins\njson.dumps = lambda *a, **k: '{}'\nbuiltins.repr = lambda x: 'x'"


def rows(out):
    with (out / "scores.csv").open(newline="") as lines:
        return {row["student"]: row for row in csv.DictReader(lines)}


def test_everyone_gets_exactly_what_was_earned(graded):
    graded_rows = rows(graded[1])
    for name, (_, lost) in ANSWERS.items():
        row = graded_rows["'" + name.replace("/", "∕") if name.startswith("=") else name]
        assert {question: int(row[question]) for question in FULL} == earned(lost), name
    for name in ("ends", "patches"):  # a cell that misbehaves costs no other cell its points
        assert {question: int(graded_rows[name][question]) for question in FULL} == FULL, name
    assert graded_rows["broken"]["problem"] == "it is no notebook"


def test_feedback_shows_public_cases_and_never_private_ones(graded):
    page = (graded[1] / "feedback" / "lab00" / "half.html").read_text()
    text = (graded[1] / "feedback" / "lab00" / "half.md").read_text()
    for feedback in (page, text):
        assert "exact_match([], [])" in feedback and "ZeroDivisionError" in feedback
        assert "it is wrong for a case that only the grader has" in feedback
    lab = grade.answer_key("lab00").lab
    for case in questions.drawn_cases(lab, answer_key.SEED):
        if case.arguments:
            assert str(case.arguments[0]) not in page.replace("&#x27;", "'")


def test_private_failures_say_nothing_that_student_code_could_choose(monkeypatch):
    """A value or a message that depends on a private argument must not reach the feedback."""
    key = grade.answer_key("lab00")
    calls = []

    class Spy:
        def __init__(self, *_):
            self.errors, self.used = {}, 0.0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def call(self, function, arguments, seconds, around=""):
            calls.append(arguments)
            return CallResult(error=f"secret {arguments}")

    monkeypatch.setattr(scoring, "Sandbox", Spy)
    submission = type("S", (), {"student": "a", "lab": "lab00", "origin": "", "problem": "", "cells": []})()
    result = scoring.score(submission, key, None)
    for question in result["questions"]:
        for part in question["parts"]:
            assert part["public"] or part["problem"] == "it is wrong for a case that only the grader has"
    public = len([case for case in key.cases if case.public])
    assert all(case.public for case in key.cases[:public])  # private arguments enter last
    assert calls


def test_a_second_run_takes_what_is_there_and_grades_what_is_new(graded, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    write(folder, ["right", "half"])
    first = grade.grade(collect(folder), out, trusted=True, jobs=1)
    times = {path: path.stat().st_mtime_ns for path in (out / "results").iterdir()}
    write(folder, ["renamed"])
    (folder / "half.ipynb").write_text(
        json.dumps(notebook({"q4": "def pair_that_is_refused():\n    return 1"}))
    )
    second = grade.grade(collect(folder), out, trusted=True, jobs=1)
    changed = {
        path.name for path in (out / "results").iterdir() if times.get(path) != path.stat().st_mtime_ns
    }
    assert changed == {"lab00-renamed.json", "lab00-half.json"}
    assert [result["score"] for result in first] == [34, 55]
    assert [result["score"] for result in second] == [53, 41, 55]


# A shell that starts these tests in the background has its children ignore interrupts.
LISTENING = """
import signal, sys
from fsdl_course import cli
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.thorough), signal.SIGKILL])
def test_a_run_that_was_stopped_goes_on_and_leaves_nothing_running(tmp_path, number):
    # By name: one that is soon done, one that takes seconds and is stopped, one that comes later.
    folder, out = write(tmp_path / "in", ["another-way", "endless", "nan"]), tmp_path / "out"
    words = ["grade", str(folder), "--out", str(out), "--jobs", "1"]
    command = [sys.executable, "-c", LISTENING, *words]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        inside = []
        while not inside:
            assert time.monotonic() < deadline and first.poll() is None
            if (out / "results" / "lab00-another-way.json").exists():
                first.send_signal(signal.SIGSTOP)  # it must not get further while its children are counted
                inside = psutil.Process(first.pid).children(recursive=True)
                if inside:
                    first.send_signal(number)
                first.send_signal(signal.SIGCONT)
        assert first.wait(60) != 0
    finally:
        first.kill()
        first.wait()
    assert psutil.wait_procs(inside, timeout=20)[1] == []
    times = {path.name: path.stat().st_mtime_ns for path in (out / "results").glob("*.json")}
    assert 1 <= len(times) < 3 and not (out / "scores.csv").exists()
    assert cli.main(words) == 0
    assert {row["student"]: int(row["points"]) for row in rows(out).values()} == {
        "another-way": 55,
        "endless": 41,
        "nan": 30,
    }
    again = {path.name: path.stat().st_mtime_ns for path in (out / "results").glob("*.json")}
    assert len(again) == 3 and again.items() >= times.items()


def test_a_damaged_result_is_made_again(tmp_path):
    folder, out = write(tmp_path / "in", ["right"]), tmp_path / "out"
    grade.grade(collect(folder), out, trusted=True)
    (out / "results" / "lab00-right.json").write_text("{")
    assert grade.grade(collect(folder), out, trusted=True)[0]["score"] == 55


def test_scores_do_not_depend_on_jobs_or_order(graded):
    folder, out = graded
    kept = {path.name: json.loads(path.read_text())["result"] for path in (out / "results").iterdir()}
    names = ["half", "constant", "nan"]
    others = [submission for submission in collect(folder) if submission.student in names][::-1]
    again = grade.grade(others, out / "again", jobs=1)
    assert again == [kept[f"lab00-{submission.student}.json"] for submission in others]


def test_private_cases_of_an_instructor_replace_the_courses_own(tmp_path, graded):
    cases = tmp_path / "cases"
    assert cli.main(["cases", str(cases), "--lab", "lab00", "--seed", "s"]) == 0
    content = json.loads((cases / "lab00.json").read_text())
    content["q1"]["other readings"] = [[["11"], ["12"]], [["7"], ["7"]]]
    (cases / "lab00.json").write_text(json.dumps(content))
    key = grade.answer_key("lab00", cases)
    assert [case.arguments for case in key.cases if case.question == "q1" and not case.public] == [
        [["11"], ["12"]],
        [["7"], ["7"]],
    ]
    assert [
        value
        for case, value in zip(key.cases, key.expected, strict=True)
        if case.arguments == [["11"], ["12"]]
    ] == [0.0]
    assert cli.main(["cases", str(cases), "--lab", "lab00"]) == 1  # they are not written over


def test_private_cases_are_not_written_into_the_repository(capsys):
    assert cli.main(["cases", str(ROOT / "cases")]) == 1
    assert "inside the repository" in capsys.readouterr().err


def test_without_isolation_the_command_refuses(monkeypatch, tmp_path, capsys):
    def none(trusted=False):
        raise SandboxError("No isolation for student code on this machine")

    monkeypatch.setattr(isolation, "open_backend", none)
    folder = write(tmp_path / "in", ["right"])
    assert cli.main(["grade", str(folder), "--out", str(tmp_path / "out")]) == 1
    assert "No isolation" in capsys.readouterr().err and not (tmp_path / "out" / "scores.csv").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lab", "lab77"], "there is no lab 'lab77'"),
        (["--jobs", "0"], "--jobs is 1 or more"),
        (["--cases", "none"], "does not exist"),
    ],
)
def test_bad_usage_is_one_sentence(tmp_path, capsys, words, message):
    folder = write(tmp_path / "in", ["right"])
    assert cli.main(["grade", str(folder), "--out", str(tmp_path / "out"), *words]) == 1
    assert message in capsys.readouterr().err


def test_a_failure_of_the_grader_is_one_students_and_is_not_kept(tmp_path, monkeypatch):
    folder = write(tmp_path / "in", ["right", "half"])
    real = grade.score

    def failing(submission, *rest):
        if submission.student == "half":
            raise OSError("no space left on device")
        return real(submission, *rest)

    monkeypatch.setattr(grade, "score", failing)
    half, right = grade.grade(collect(folder), tmp_path / "out", trusted=True)
    assert "no space left" in half["problem"] and right["score"] == 55
    assert [path.name for path in (tmp_path / "out" / "results").iterdir()] == ["lab00-right.json"]


def test_names_become_files_that_are_not_paths_and_do_not_clash():
    names = ["ann", "Ann Lee", "Ann_Lee", "../../x", "a" * 200, "é", "è", "con", ".", ""]
    files = [slug(name) for name in names]
    assert len({file.casefold() for file in files}) == len(names)
    assert all("/" not in file and not file.startswith(".") and len(file) < 80 for file in files)


def test_results_may_not_lie_among_the_hand_ins(tmp_path, capsys):
    (tmp_path / "ann").mkdir()
    assert cli.main(["grade", str(tmp_path), "--out", str(tmp_path / "grades")]) == 1
    assert "results would be graded as hand-ins" in capsys.readouterr().err
    assert not (tmp_path / "grades").exists()


@pytest.mark.parametrize("name", ["lab00", "lab02"])
def test_a_notebook_without_tags_marks_and_ids_is_run_as_one_with_them(name):
    solved, released = convert.both(name)
    before = convert.text_before_open(released)
    lab = questions.load(ROOT / "solutions" / name)
    key = answer_key.AnswerKey(name, lab, [], [], "", convert.known_text(released), before)
    whole = [slim_cell(cell) for cell in solved.cells]
    for cell in whole:
        if cell["cell_type"] == "markdown" and name in cell["metadata"]["nbgrader"]["grade_id"]:
            cell["source"] = "Because of the queue."
    nothing = {"id": "", "metadata": {"tags": [], "nbgrader": {"grade_id": "", "grade": False}}}
    bare = [{**cell, **nothing} for cell in whole]
    submissions = [Submission("ann", name, "", cells) for cells in (whole, bare)]
    first, second = (scoring.gradable(submission, key) for submission in submissions)
    assert first == second and sum("imports_only" in cell for cell in first) > 3
    (question,) = lab.open
    for submission in submissions:
        assert scoring.answer_of(submission, question.id, before[question.id]) == "Because of the queue."


def test_a_hand_in_has_a_budget_of_processor_time(monkeypatch):
    """One slow function takes no more than its share, and says so; what came before it keeps its points."""
    monkeypatch.setattr(scoring, "BUDGET", 1)
    slow = "def threshold_for(confidences, right, target):\n    while True: pass"
    cells = [slim_cell(cell) for cell in notebook({"q3": slow})["cells"]]
    result = scoring.score(Submission("ann", "lab00", "", cells), grade.answer_key("lab00"), Unprotected())
    problems = [part["problem"] for question in result["questions"] for part in question["parts"]]
    assert any("used up its 1 seconds" in problem for problem in problems)
    assert {question["id"]: question["points"] for question in result["questions"]}["q3"] == 0
