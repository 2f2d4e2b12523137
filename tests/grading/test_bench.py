"""The grading bench: its class is half hostile, and it counts the time of what nobody waited for."""

import os
import shutil
from pathlib import Path

import pytest

from fsdl_course import cli
from fsdl_course.grading import bench
from fsdl_course.labs.backends.bubblewrap import Bubblewrap
from fsdl_course.labs.sandbox import Sandbox


def test_every_second_hand_in_is_hostile(tmp_path):
    bench.write_class(tmp_path, ["lab00", "lab02"], 14)
    students = sorted(tmp_path.iterdir(), key=lambda folder: int(folder.name[-3:]))
    assert [folder.name.startswith("Mal ") for folder in students] == [False, True] * 7
    assert {path.name for path in tmp_path.rglob("*.ipynb")} == {"lab00.ipynb", "lab02.ipynb"}


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
def test_time_in_a_sandbox_counts_though_nobody_waits_for_it():
    endless, seen = "def endless():\n    while True: pass", {}
    with Sandbox([endless], Bubblewrap()) as box:
        assert box.call("endless", [], 1).error == "it took too long"
        bench.note_sandboxes(os.getpid(), seen)
    assert 1 <= sum(seen.values()) < 5
    bench.note_sandboxes(os.getpid(), seen)
    assert len(seen) == 1, "what was noted stays when the sandbox has ended"


def test_a_grader_that_ends_without_scores_is_an_error(tmp_path):
    (tmp_path / "hand-ins").mkdir()  # nothing in it to grade
    with pytest.raises(RuntimeError, match="hand-ins"):
        bench.run(tmp_path / "hand-ins", tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--students", "1"], "--students is 2 or more"),
        (["--students", "4", "--kill", "4"], "smaller"),
        (["--labs", "lab77"], "no lab 'lab77'"),
    ],
)
def test_what_cannot_be_measured_is_refused(words, problem, capsys):
    assert cli.main(["bench", "grading", *words]) != 0
    assert problem in capsys.readouterr().err


def test_scores_that_differ_are_told_apart(tmp_path: Path):
    for name, points in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / name).mkdir()
        for file in bench.SCORES:
            (tmp_path / name / file).write_text(points)
    assert bench.sums_of(tmp_path / "a") == bench.sums_of(tmp_path / "b") != bench.sums_of(tmp_path / "c")
