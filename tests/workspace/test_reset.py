"""``fsdl-course reset``: it finds what is meant, asks, and keeps what it replaces."""

import errno
import io
import json
import os
import re

import pytest

from fsdl_course import cli
from fsdl_course.workspace import copies, reset
from fsdl_course.workspace.copies import refresh

BATCH = "notebooks/02_batch.ipynb"


def edited(course, name=BATCH) -> bytes:
    return course.edit(course.copy(name), lambda cells: cells[0].update(source="mine = 1"))


def run(course, *words) -> int:
    return cli.main(["reset", "--root", str(course.root), *words])


class Terminal(io.StringIO):
    """A person who types this."""

    def isatty(self):
        return True


@pytest.fixture
def typed(monkeypatch):
    return lambda text: monkeypatch.setattr("sys.stdin", Terminal(text))


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("02", "notebooks/02_batch.ipynb"),
        ("02_batch", "notebooks/02_batch.ipynb"),
        ("02_batch.ipynb", "notebooks/02_batch.ipynb"),
        ("notebooks/02_batch.ipynb", "notebooks/02_batch.ipynb"),
        ("./work/notebooks/02_batch.ipynb", "notebooks/02_batch.ipynb"),
        (r"work\notebooks\tools\triton.ipynb", "notebooks/tools/triton.ipynb"),
        ("tools/triton", "notebooks/tools/triton.ipynb"),
        ("triton", "notebooks/tools/triton.ipynb"),
        ("lab03", "labs/lab03/lab03.ipynb"),
        ("labs/lab03", "labs/lab03/lab03.ipynb"),
        ("work/labs/lab03/", "labs/lab03/lab03.ipynb"),
        ("00", "notebooks/00_tour.ipynb"),
    ],
)
def test_a_notebook_is_found_by_what_people_call_it(words, name):
    assert reset.find(words) == name


def test_a_path_counts_from_where_one_stands(course, monkeypatch):
    refresh(course.root)
    monkeypatch.chdir(course.copy("labs/lab00"))
    assert reset.find("lab00.ipynb", course.root) == "labs/lab00/lab00.ipynb"
    assert reset.find("../../notebooks/02_batch.ipynb", course.root) == BATCH
    assert reset.find(str(course.copy(BATCH)), course.root) == BATCH


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("tools/trito", "did you mean .*tools/triton"),
        ("nonsense!", "there are 01_start, 02_batch, tools/triton, lab00"),
    ],
)
def test_an_unknown_name_is_told_the_known_ones_and_nothing_is_replaced(course, capsys, words, pattern):
    refresh(course.root)
    mine = edited(course)
    assert run(course, "02", words, "--yes") == 1
    error = capsys.readouterr().err
    assert re.search(pattern, error) and error.count("\n") == 1
    assert course.copy(BATCH).read_bytes() == mine


def test_a_name_that_two_notebooks_have_is_asked_back(course):
    course.put("notebooks/03_triton.ipynb", {})
    course.put("notebooks/tools/03_triton.ipynb", {})
    with pytest.raises(ValueError, match="did you mean 03_triton or tools/03_triton"):
        reset.find("03_triton", course.root)


@pytest.mark.parametrize("words", [["--yes"], []])
def test_it_gives_the_notebook_back_and_keeps_the_students(course, capsys, typed, words):
    refresh(course.root)
    course.edit(course.root / BATCH, lambda cells: cells[1].update(source="A better text."))
    course.commit()
    mine = edited(course)
    typed("y\n")
    assert run(course, "02", *words) == 0
    assert "A better text." in course.copy(BATCH).read_text() and "mine" not in course.copy(BATCH).read_text()
    (backup,) = (course.root / "work/backups").iterdir()
    assert backup.read_bytes() == mine and backup.name.startswith("02_batch_20")
    output = capsys.readouterr().out
    assert f"work/backups/{backup.name}" in output and "Reload Notebook from Disk" in output
    assert refresh(course.root) == copies.Changes()  # and it follows the course again
    assert course.git("status", "--porcelain") == ""


def test_resets_of_one_second_keep_every_version(course, monkeypatch):
    monkeypatch.setattr("time.strftime", lambda _: "2026-03-01_14-30-05")
    refresh(course.root)
    for _ in range(3):
        edited(course)
        assert run(course, "02", "--yes") == 0
    dated = "02_batch_2026-03-01_14-30-05"
    assert {path.name for path in (course.root / "work/backups").iterdir()} == {
        f"{dated}.ipynb",
        f"{dated}_2.ipynb",
        f"{dated}_3.ipynb",
    }


@pytest.mark.parametrize("answer", ["n\n", "\n", "maybe\n", ""])
def test_without_a_yes_it_stays(course, typed, capsys, answer):
    refresh(course.root)
    mine = edited(course)
    typed(answer)
    assert run(course, "02") == 1
    assert course.copy(BATCH).read_bytes() == mine and not (course.root / "work/backups").exists()
    assert "stays as it is" in capsys.readouterr().out


def test_where_nobody_can_be_asked_it_refuses_in_a_sentence(course, monkeypatch, capsys):
    refresh(course.root)
    mine = edited(course)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert run(course, "02") == 1
    error = capsys.readouterr().err
    assert "--yes" in error and error.count("\n") == 1
    assert course.copy(BATCH).read_bytes() == mine


def test_what_does_not_differ_or_is_missing_needs_no_question(course, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run(course, "02") == 0 and course.copy(BATCH).exists()
    assert run(course, "02") == 0
    assert "nothing to do" in capsys.readouterr().out
    assert not (course.root / "work/backups").exists()


def test_an_older_copy_that_nobody_touched_is_renewed_without_a_question(course, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    refresh(course.root)
    course.edit(course.root / BATCH, lambda cells: cells[1].update(source="A better text."))
    course.commit()
    assert run(course, "02") == 0
    assert "A better text." in course.copy(BATCH).read_text() and not (course.root / "work/backups").exists()


def test_an_original_that_was_run_itself_is_named_before_anything_is_replaced(course, capsys):
    refresh(course.root)
    mine = edited(course)
    course.edit(course.root / BATCH, lambda cells: cells[0].update(execution_count=1))
    assert run(course, "02", "--yes") == 1
    assert f"git checkout -- {BATCH}" in capsys.readouterr().err
    assert course.copy(BATCH).read_bytes() == mine
    course.git("checkout", "--", BATCH)
    assert run(course, "02", "--yes") == 0


def test_a_full_disk_costs_nothing(course, monkeypatch, capsys):
    refresh(course.root)
    mine = edited(course)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert run(course, "02", "--yes") == 1
    assert "free some space" in capsys.readouterr().err
    assert course.copy(BATCH).read_bytes() == mine


def test_without_a_name_it_lists_what_differs(course, capsys):
    assert run(course) == 0
    assert "'make lab' makes it" in capsys.readouterr().out
    refresh(course.root)
    assert run(course) == 0
    assert capsys.readouterr().out == "Every notebook in work/ is as the course has it.\n"

    edited(course)
    edited(course, "labs/lab00/lab00.ipynb")
    course.copy("notebooks/tools/triton.ipynb").write_text("{")
    for name in (BATCH, "notebooks/01_start.ipynb"):
        course.edit(course.root / name, lambda cells: cells[1].update(source="A better text."))
    course.commit()
    before = {path: path.read_bytes() for path in (course.root / "work").rglob("*.ipynb")}
    assert run(course) == 0
    assert capsys.readouterr().out.splitlines() == [
        "work/notebooks/01_start.ipynb is an older version: 'make lab' brings the new one",
        "work/notebooks/02_batch.ipynb was run or edited, and the course has a newer version",
        "work/notebooks/tools/triton.ipynb is no notebook",
        "work/labs/lab00/lab00.ipynb was run or edited",
        "'fsdl-course reset 01_start' gives one back as the course has it.",
    ]
    assert {path: path.read_bytes() for path in (course.root / "work").rglob("*.ipynb")} == before


def test_a_students_own_labs_can_be_graded(tmp_path):
    """A hand-in from ``work/labs``, answered with the course's solution, gets every point."""
    from fsdl_course.grading import grade
    from fsdl_course.grading.submissions import collect
    from fsdl_course.labs import convert

    solved = {cell.id: cell.source for cell in convert.both("lab00")[0].cells}
    for name in ("lab00", "lab01"):  # the second as it is handed out
        copy = copies.copy_of(f"labs/{name}/{name}.ipynb")
        for cell in copy["cells"]:
            if name == "lab00" and cell["cell_type"] == "code":
                cell["source"] = solved[cell["id"]]
        path = tmp_path / "work/labs" / name / f"{name}.ipynb"
        copies.write(path, copy)
        checkpoint = path.parent / ".ipynb_checkpoints" / f"{name}-checkpoint.ipynb"
        checkpoint.parent.mkdir()
        checkpoint.write_text(json.dumps(copy))
    results = grade.grade(collect(tmp_path / "work/labs"), tmp_path / "out", trusted=True, jobs=1)
    assert [result["lab"] for result in results] == ["lab00", "lab01"]
    assert results[0]["score"] == results[0]["max"] > 0 == results[1]["score"]
    assert not any(result["problem"] for result in results)


def test_a_name_counts_before_a_folder_of_that_name(course, monkeypatch):
    (course.root / "solutions" / "lab00").mkdir(parents=True)
    monkeypatch.chdir(course.root / "solutions")
    assert reset.find("lab00", course.root) == "labs/lab00/lab00.ipynb"


def test_a_folder_in_the_place_of_a_copy_is_listed_and_left(course, capsys):
    copies.refresh(course.root)
    course.copy(BATCH).unlink()
    course.copy(BATCH).mkdir()
    assert run(course) == 0 and "is no notebook" in capsys.readouterr().out
    assert run(course, "02", "--yes") == 1 and "a folder is in its place" in capsys.readouterr().err
