"""The made-up class, and the instructor's guide: its commands do what it says."""

import csv
import re
import shlex
import shutil
from pathlib import Path

import pytest

from fsdl_course import cli
from fsdl_course.capstone import hand_in
from fsdl_course.grading.sample import hand_ins
from fsdl_course.labs import convert
from fsdl_deploy.paths import ROOT

GUIDE = (ROOT / "solutions" / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed: grading needs it")
@pytest.mark.thorough
@pytest.mark.timeout(1200)
def test_the_commands_of_the_guide_work_in_their_order(tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    commands = [
        line for block in re.findall(r"```\n(.*?)```", GUIDE, re.DOTALL) for line in block.splitlines()
    ]
    ours = [shlex.split(line)[1:] for line in commands if line.strip().startswith("fsdl-course ")]
    assert (
        " ".join(words[0] for words in ours) == "sample-class grade totals cases totals grade totals capstone"
    )
    for words in ours[:5]:
        assert cli.main(words) == 0
    roster = Path("grades/roster.csv").read_text(encoding="utf-8")  # as Canvas has the same class
    export = roster.replace("name,ID,e-mail,section", "Student,ID,SIS Login ID,Section,Lab 0 (7)")
    Path("canvas-export.csv").write_text(export, encoding="utf-8")
    assert cli.main(ours[6]) == 0
    with open("grades/filled-canvas-export.csv", newline="") as lines:
        filled = {row["Student"]: row["Lab 0 (7)"] for row in csv.DictReader(lines)}
    assert (filled["Ada Right"], filled["Fay Absent"], len(filled)) == ("55.00", "0.00", 13)
    with open("grades/scores.csv", newline="") as lines:
        points_of = {row["student"]: int(row["points"]) for row in csv.DictReader(lines)}
    assert points_of["Ada Right"] == 55 and points_of["Bob Nothing"] == 0 and points_of["Cem Half"] == 39
    assert {points for student, points in points_of.items() if student.startswith("Mal")} == {44}
    listed = (
        "parts.csv",
        "alike.html",
        "totals.csv",
        "counted.csv",
        "moodle.csv",
        "feedback.zip",
        "policy.toml",
    )
    for name in ("index.html", "scores.csv", "open.csv", "gradebook.db", "feedback/lab00", *listed):
        assert (here / "grades" / name).exists() and name.split("/")[0].split(".")[0] in GUIDE
    assert sorted(path.stem for path in (tmp_path / "private-cases").iterdir()) == convert.names()


@pytest.mark.parametrize("name", convert.names())
def test_every_lab_has_a_class(name):
    notebooks = hand_ins(name)
    assert len(notebooks) > 8 and "NotImplementedError" not in str(notebooks["Ada Right"].cells)


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--lab", "lab77"], "no lab 'lab77'"), (["--students", "0"], "1 or more"), ([], "is not empty")],
)
def test_bad_usage_is_one_sentence(tmp_path, capsys, words, message):
    if not words:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "mine.ipynb").write_text("x")
    assert cli.main(["sample-class", str(tmp_path / "in"), *words]) == 1
    assert message in capsys.readouterr().err


def test_as_many_students_as_wanted(tmp_path):
    assert cli.main(["sample-class", str(tmp_path / "in"), "--students", "25"]) == 0
    assert len(list((tmp_path / "in").iterdir())) == 25


def test_a_class_for_the_capstone_has_a_folder_each_that_can_be_handed_in(tmp_path):
    roster = tmp_path / "roster.csv"
    words = [
        "sample-class",
        str(tmp_path / "in"),
        "--lab",
        "lab10",
        "--students",
        "8",
        "--roster",
        str(roster),
    ]
    assert cli.main(words) == 0
    folders = sorted(path.name for path in (tmp_path / "in").iterdir())
    assert len(folders) == 8 and "Ada Right 2" in folders and "Mal Forgets" in folders
    assert all(hand_in.read(tmp_path / "in" / name).runtime == "python" for name in folders)
    assert (tmp_path / "in" / "Eva Grows" / "broken.py").exists()
    assert "Ada Right 2" in roster.read_text(encoding="utf-8-sig")
