"""The grading bench: its class is half hostile, and it counts the time of what nobody waited for."""

import subprocess
import sys
from pathlib import Path

import pytest

from fsdl_course import cli
from fsdl_course.grading import bench


def test_every_second_hand_in_is_hostile(tmp_path):
    bench.write_class(tmp_path, ["lab00", "lab02"], 14)
    students = sorted(tmp_path.iterdir(), key=lambda folder: int(folder.name[-3:]))
    assert [folder.name.startswith("Mal ") for folder in students] == [False, True] * 7
    assert {path.name for path in tmp_path.rglob("*.ipynb")} == {"lab00.ipynb", "lab02.ipynb"}


ORPHANS = """
import resource, subprocess, sys
from fsdl_course.grading import bench
bench.adopt_orphans()
burn = "import time; end = time.process_time() + 0.5\\nwhile time.process_time() < end: pass"
middle = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {burn!r}])"
grader = subprocess.Popen([sys.executable, "-c", middle])
assert grader.wait() == 0
bench.reap_orphans(grader.pid, wait=60)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere orphans belong to the system")
def test_time_of_orphans_counts():
    process = subprocess.run([sys.executable, "-c", ORPHANS], capture_output=True, text=True, check=True)
    assert float(process.stdout) > 0.5


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
