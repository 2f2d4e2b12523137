"""Finding hand-ins: folders, zips, names of learning platforms, and what is no notebook."""

import json
import os
import shutil
import zipfile

import pytest
from grading_class import notebook

from fsdl_course.grading import notebook_file, submissions
from fsdl_course.grading.hand_in_names import who
from fsdl_course.grading.notebook_file import read
from fsdl_course.grading.submissions import SubmissionsError, collect


@pytest.fixture(scope="module")
def good():
    return json.dumps(notebook({})).encode()


@pytest.mark.parametrize(
    ("name", "student", "lab"),
    [
        ("ann.ipynb", "ann", ""),
        ("ann-lab02.ipynb", "ann", "lab02"),
        ("lab02_ann.ipynb", "ann", "lab02"),
        ("ann/lab02.ipynb", "ann", "lab02"),
        ("ann/lab02/lab02.ipynb", "ann", "lab02"),
        ("lab02/ann.ipynb", "ann", "lab02"),
        ("Ann Lee_4711_assignsubmission_file_/lab02.ipynb", "Ann Lee 4711", "lab02"),
        ("leeann_LATE_123_4567_lab02-1.ipynb", "leeann 123", "lab02"),
        ("leeann_123_4567_lab02.ipynb", "leeann 123", "lab02"),
        ("../../etc/ann.ipynb", "etc", ""),
        ("/root/ann.ipynb", "root", ""),
        ("Zoë Müller.ipynb", "Zoë Müller", ""),
        ("lab02.ipynb", "lab02", "lab02"),
    ],
)
def test_who_handed_in_what(name, student, lab):
    assert who(name) == (student, lab)


@pytest.mark.parametrize("zipped", [False, True])
def test_labs_that_lie_under_no_name_are_one_students(tmp_path, good, zipped):
    place = tmp_path / "labs"
    for lab in ("lab00", "lab01", "lab05"):
        (place / lab).mkdir(parents=True)
        (place / lab / f"{lab}.ipynb").write_bytes(good.replace(b"lab00", lab.encode()))
    if zipped:
        shutil.make_archive(str(tmp_path / "ann"), "zip", place)
        place = tmp_path / "ann.zip"
    students = {submission.lab: submission.student for submission in collect(place)}
    assert students == dict.fromkeys(("lab00", "lab01", "lab05"), "ann" if zipped else "labs")


def test_a_folder_with_everything_in_it(tmp_path, good):
    for name in ("ann.ipynb", "bob/lab00/lab00.ipynb", "bob/.ipynb_checkpoints/lab00.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(good)
    (tmp_path / "empty.ipynb").write_bytes(b"")
    (tmp_path / "broken.ipynb").write_bytes(b"{")
    (tmp_path / "deep.ipynb").write_bytes(b'{"cells":' + b"[" * 200_000)
    (tmp_path / "list.ipynb").write_bytes(b"[]")
    (tmp_path / "strange.ipynb").write_text('{"cells": [{"cell_type": "code", "source": 7}]}')
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "thief.ipynb").symlink_to("ann.ipynb")
    os.mkfifo(tmp_path / "pipe.ipynb")
    problems = {submission.student: submission.problem for submission in collect(tmp_path)}
    assert problems.pop("ann") == problems.pop("bob") == ""
    assert problems.pop("empty") == "it is empty"
    assert problems.pop("thief") == problems.pop("pipe") == "it is a link or a special file, not a notebook"
    assert problems.pop("notes").startswith("no notebook was handed in with it")
    assert problems == dict.fromkeys(("broken", "deep", "list", "strange"), "it is no notebook")


def test_half_a_character_in_a_name_or_a_notebook_breaks_nothing(tmp_path, good):
    content = json.loads(good)
    content["cells"].append({"cell_type": "markdown", "source": "x\ud800", "metadata": {}, "id": "\udfff"})
    name = os.fsencode(tmp_path) + b"/ann\xff.ipynb"
    with open(name, "wb") as file:
        file.write(json.dumps(content).encode())
    (submission,) = collect(tmp_path)
    cell = submission.cells[-1]
    (submission.student + submission.origin + cell["source"] + cell["id"]).encode("utf-8")
    assert submission.problem == "" and submission.student.startswith("ann")


def test_a_notebook_of_very_many_cells_is_refused(tmp_path):
    cell = {"cell_type": "code", "source": "", "metadata": {}}
    (tmp_path / "ann.ipynb").write_text(json.dumps({"cells": [cell] * 6000}))
    assert [submission.problem for submission in collect(tmp_path)] == ["it has more than 5000 cells"]


def test_a_notebook_says_which_lab_it_is(tmp_path, good):
    (tmp_path / "ann.ipynb").write_bytes(good)
    assert [submission.lab for submission in collect(tmp_path)] == ["lab00"]
    assert [submission.lab for submission in collect(tmp_path, "lab01")] == ["lab01"]
    content = json.loads(good)
    del content["metadata"]["fsdl_lab"]
    (tmp_path / "ann.ipynb").write_text(json.dumps(content))
    assert [submission.lab for submission in collect(tmp_path)] == ["lab00"]  # by nbgrader's marks


def test_a_second_notebook_of_a_student_is_kept_apart(tmp_path, good):
    for name in ("ann.ipynb", "Ann/lab00.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(good)
    assert sorted(submission.student for submission in collect(tmp_path)) == ["Ann", "ann (2)"]


def test_a_zip_is_read_without_being_unpacked(tmp_path, good):
    path = tmp_path / "class.zip"
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("lab00.ipynb", good)
        archive.writestr("again.zip", b"a zip in a zip in a zip is left alone")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ann.ipynb", good)
        archive.writestr("../../outside.ipynb", good)
        archive.writestr("__MACOSX/._ann.ipynb", b"x")
        archive.write(inner, "Cem Oz_12_assignsubmission_file_/work.zip")
        link = zipfile.ZipInfo("thief.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    before = sorted(tmp_path.rglob("*"))
    problems = {submission.student: submission.problem for submission in collect(path)}
    assert problems == {"ann": "", "outside": "", "Cem Oz 12": "", "thief": "it is a link, not a notebook"}
    assert sorted(tmp_path.rglob("*")) == before and not (tmp_path.parent.parent / "outside.ipynb").exists()


def test_zips_that_lie_or_are_broken(tmp_path, good, monkeypatch):
    monkeypatch.setattr(submissions, "MOST_BYTES", 4 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.ipynb", b" " * (5 << 20))
        archive.writestr("ann.ipynb", good)
    assert {submission.student: submission.problem for submission in collect(tmp_path / "bomb.zip")} == {
        "ann": "",
        "bomb": "it is larger than 4 MiB",
    }
    monkeypatch.undo()
    damaged = bytearray((tmp_path / "bomb.zip").read_bytes())
    damaged[60:90] = b"\0" * 30
    (tmp_path / "damaged.zip").write_bytes(damaged)
    problems = {submission.student: submission.problem for submission in collect(tmp_path / "damaged.zip")}
    assert problems["bomb"] and problems["ann"] == ""


def test_a_large_notebook_is_read_with_bounds_and_keeps_its_code(tmp_path, good):
    content = json.loads(good)
    output = {"output_type": "stream", "name": "stdout", "text": "x" * (40 << 20)}
    next(cell for cell in content["cells"] if cell["cell_type"] == "code")["outputs"] = [output]
    (tmp_path / "ann.ipynb").write_text(json.dumps(content))
    lab, cells = read(tmp_path / "ann.ipynb")
    assert lab == "lab00" and cells == notebook_file.slim(tmp_path / "ann.ipynb")[1]
    assert not any("outputs" in cell for cell in cells)
    content["cells"][0]["source"] = "x" * (2 << 20)
    (tmp_path / "ann.ipynb").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="more than 1 MiB of text"):
        read(tmp_path / "ann.ipynb")


def test_a_notebook_that_would_take_all_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(notebook_file, "READ_MEMORY", 200 << 20)
    (tmp_path / "ann.ipynb").write_bytes(b'{"cells": [' + b"[]," * (6 << 20) + b"[]]}")
    with pytest.raises(ValueError, match="it is no notebook"):
        read(tmp_path / "ann.ipynb")


@pytest.mark.parametrize(
    ("name", "message"), [("none", "does not exist"), ("a.txt", "neither a folder"), (".", "no notebook")]
)
def test_nothing_to_grade(tmp_path, name, message):
    if name.endswith("txt"):
        (tmp_path / name).write_text("x")
    with pytest.raises(SubmissionsError, match=message):
        collect(tmp_path / name)
