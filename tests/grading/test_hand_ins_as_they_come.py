"""Hand-ins as platforms, systems and people make them: each is a row, under its student's name."""

import io
import json
import os
import time
import unicodedata
import zipfile

import pytest
from grading_class import notebook

from fsdl_course.grading import submissions
from fsdl_course.grading.hand_in_names import who
from fsdl_course.grading.submissions import collect, slug


@pytest.fixture(scope="module")
def good():
    return json.dumps(notebook({})).encode()


def zipped(*files, **options):
    """A zip in memory of (name, content)."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", **options) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return content.getvalue()


def rows(place):
    return {each.student: (each.lab, each.problem) for each in collect(place)}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-8"])
def test_a_notebook_is_read_in_every_encoding_of_json(tmp_path, good, encoding):
    (tmp_path / "ann.ipynb").write_bytes(good.decode().encode(encoding))
    (submission,) = collect(tmp_path)
    assert submission.problem == "" and len(submission.cells) > 5


@pytest.mark.parametrize(
    "change", [{"metadata": None}, {"metadata": []}, {"metadata": {"fsdl_lab": "LAB00"}}]
)
def test_what_an_editor_drops_from_a_notebook_costs_nothing(tmp_path, good, change):
    content = {**json.loads(good), **change}
    content["cells"][0].update(metadata=None, source=None)
    (tmp_path / "ann.ipynb").write_text(json.dumps(content))
    (submission,) = collect(tmp_path)
    assert (submission.lab, submission.problem) == ("lab00", "")


def test_whoever_handed_in_something_is_a_row(tmp_path, good):
    inner = zipped(("lab00.ipynb", good))
    for name, content in {
        "upper/LAB00.IPYNB": good,
        "mail/lab00.ipynb.txt": good,
        "caps/HandIn.ZIP": inner,
        "twice/all.zip": zipped(("a/inner.zip", inner)),
        "pdf/essay.pdf": b"%PDF",
        "script/lab00.py": b"x = 1",
        "loose.rar": b"Rar!",
        "both/lab00.ipynb": good,
        "both/notes.pdf": b"%PDF",
        "both/.DS_Store": b"",
        "both/Thumbs.db": b"",
        "empty/.gitkeep": b"",
    }.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for path in sorted((tmp_path / "in").rglob("*.*")):
            archive.write(path, path.relative_to(tmp_path / "in"))
    for place in (tmp_path / "in", tmp_path / "in.zip"):
        students = rows(place)
        read = {student for student, (lab, problem) in students.items() if (lab, problem) == ("lab00", "")}
        assert read == {"upper", "mail", "caps", "twice", "both"}
        assert {s for s, (_, problem) in students.items() if "no notebook was handed in" in problem} == {
            "pdf",
            "script",
            "loose",
        }


def test_a_zip_in_zips_without_end_is_a_row(tmp_path, good):
    content = zipped(("lab00.ipynb", good))
    for _ in range(5):
        content = zipped(("more.zip", content))
    (tmp_path / "ann.zip").write_bytes(content)
    assert "a zip in 3 zips" in rows(tmp_path)["ann"][1]


def test_names_of_a_zip_without_the_mark_of_utf_8(tmp_path, good):
    """As the archiver of macOS writes them: bytes of UTF-8, decomposed, and no flag."""
    name = unicodedata.normalize("NFD", "Zoë Müller/lab00.ipynb").encode()
    placeholder = "Z" * len(name)
    content = zipped((placeholder, good)).replace(placeholder.encode(), name)
    (tmp_path / "class.zip").write_bytes(content)
    assert list(rows(tmp_path / "class.zip")) == ["Zoë Müller"]


def test_two_forms_of_a_name_are_one_student(tmp_path, good):
    entries = [
        (unicodedata.normalize(form, "Zoë") + f"/lab0{n}.ipynb", good)
        for n, form in enumerate(["NFC", "NFD"])
    ]
    (tmp_path / "class.zip").write_bytes(zipped(*entries))
    assert [each.student for each in collect(tmp_path / "class.zip")] == ["Zoë", "Zoë (2)"]


@pytest.mark.parametrize(
    ("name", "student", "lab"),
    [
        ("Ann Lee_1234569_assignsubmission_file_lab02.ipynb", "Ann Lee 1234569", "lab02"),
        ("Ann Lee_1234569_assignsubmission_fileold.ipynb", "Ann Lee 1234569", ""),
        ("Ann_Lee_1234569_assignsubmission_onlinetext/lab02.ipynb", "Ann_Lee 1234569", "lab02"),
        ("ann\\lab02.ipynb", "ann", "lab02"),
        ("ann/LAB02.IPYNB", "ann", "lab02"),
        ("J. Smith.ipynb", "J. Smith", ""),
        ("\x1b[2Jann/lab02.ipynb", "?[2Jann", "lab02"),
        ("a\u202ennb.ipynb", "a?nnb", ""),
    ],
)
def test_who_handed_in_what(name, student, lab):
    assert who(name) == (student, lab)


def test_of_two_notebooks_the_one_called_as_the_lab_counts_and_else_the_newer(tmp_path, good):
    for student, names in {"ann": ["a copy.ipynb", "lab00.ipynb"], "bob": ["a.ipynb", "b.ipynb"]}.items():
        (tmp_path / student / ".ipynb_checkpoints").mkdir(parents=True)
        for age, name in enumerate(names):
            path = tmp_path / student / name
            path.write_bytes(good)
            os.utime(path, (1_000_000 + age, 1_000_000 + age))
        (tmp_path / student / "lab00-checkpoint.ipynb").write_bytes(good)
        (tmp_path / student / ".ipynb_checkpoints" / "lab00-checkpoint.ipynb").write_bytes(good)
    origins = {each.student: each.origin for each in collect(tmp_path)}
    assert origins == {
        "ann": "ann/lab00.ipynb",
        "ann (2)": "ann/a copy.ipynb",
        "bob": "bob/b.ipynb",
        "bob (2)": "bob/a.ipynb",
    }


def test_nobodys_files_take_more_than_a_share_of_the_reading(tmp_path, good, monkeypatch):
    monkeypatch.setattr(submissions, "MOST_UNPACKED", 40 * len(good))
    monkeypatch.setattr(submissions, "MOST_NOTEBOOKS", 5)
    many = [(f"many/{number}.ipynb", good) for number in range(1000)]
    large = [
        (f"large/{number}.zip", zipped((f"x{number}.pdf", bytes(30 * len(good))))) for number in range(9)
    ]
    content = zipped(*many, *large, ("ann/lab00.ipynb", good))
    (tmp_path / "class.zip").write_bytes(content)
    read = collect(tmp_path / "class.zip")
    assert len([each for each in read if each.student.startswith("many")]) == 5
    assert [each.problem for each in read if each.student == "ann"] == [""]


def test_a_name_may_be_long_and_dull(tmp_path):
    begin = time.process_time()
    for name in ("x" + "-" * 65_000 + "y.ipynb", "lab0" * 16_000, "_1" * 30_000, "a" + "." * 60_000):
        who(name)
    assert time.process_time() - begin < 5  # a pattern that takes the square of it takes minutes


def test_no_name_takes_the_file_of_another():
    victim = slug("Ann Lee")
    assert slug(victim) != victim and slug("ann") == "ann"
