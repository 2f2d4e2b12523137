"""`fsdl-course update` in real repositories: what is new comes, and no answer is lost."""

import shutil
import subprocess

import pytest
from lab_cells import answer, check, plain

from fsdl_course.workspace import copies
from fsdl_course.workspace.copies import WorkspaceError
from fsdl_course.workspace.update import main, update

LAB, LESSON = "labs/lab00/lab00.ipynb", "notebooks/02_batch.ipynb"


def lab(text: str = "Exercise.", start: str = "stub", name: str = "q1") -> dict:
    """A lab as the course has it, with one exercise."""
    cells = [plain("0123456789ab", text), answer(name, start), check(name, "check(1)")]
    for cell in cells:
        cell |= {"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {}
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def clone(course, tmp_path_factory):
    """A student's clone of a course whose lab was begun; ``clone.origin`` is the course."""
    course.put(LAB, lab())
    course.commit()
    folder = tmp_path_factory.mktemp("student") / "course"
    course.git("clone", "-q", str(course.root), str(folder))
    student = type(course)(folder)
    copies.refresh(folder)
    student.edit(student.copy(LAB), lambda cells: cells[1].update(source=["return 42"]))
    student.origin = course
    return student


def publish(clone, content: dict) -> None:
    clone.origin.put(LAB, content)
    clone.origin.commit()


def sentences(clone, **options) -> str:
    return "\n".join(update(clone.root, **options))


def cells(clone) -> list[str]:
    return ["".join(cell["source"]) for cell in copies.read(clone.copy(LAB))["cells"]]


def backups(clone) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in (clone.root / "work/backups").glob("*.ipynb")]


def test_an_edited_lab_becomes_the_newer_one_with_the_answer_and_the_old_file_is_kept(clone):
    before = clone.copy(LAB).read_text(encoding="utf-8")
    publish(clone, lab("A better exercise."))
    text = sentences(clone)
    assert cells(clone) == ["A better exercise.", "return 42", "check(1)"]
    assert backups(clone) == [before]
    assert "with 1 of your answers" in text and "read the exercise again" not in text
    assert sentences(clone) == "The course is as new as it can be." and len(backups(clone)) == 1


def test_a_conflicting_edit_keeps_the_answer_and_says_what_to_compare(clone):
    publish(clone, lab(start="another stub"))
    text = sentences(clone)
    assert cells(clone)[1] == "return 42"
    assert "changed what q1 starts from" in text and LAB in text


def test_an_answer_whose_exercise_is_gone_leaves_the_lab_as_it_is(clone):
    before = clone.copy(LAB).read_bytes()
    publish(clone, lab("Another exercise.", name="q7"))
    text = sentences(clone)
    assert clone.copy(LAB).read_bytes() == before and not backups(clone)
    assert "no place for your answer q1" in text and "fsdl-course reset lab00" in text


def test_notebooks_that_nobody_touched_follow_and_a_lesson_that_was_run_is_named(clone):
    clone.edit(clone.copy(LESSON), lambda cells: cells[0].update(execution_count=1))
    for name in (LESSON, "notebooks/01_start.ipynb"):
        clone.origin.edit(clone.origin.root / name, lambda cells: cells[1].update(source=["A better text."]))
    clone.origin.commit()
    text = sentences(clone)
    assert "A better text." in clone.copy("notebooks/01_start.ipynb").read_text(encoding="utf-8")
    assert "A better text." not in clone.copy(LESSON).read_text(encoding="utf-8")
    assert f"newer version of work/{LESSON}" in text


def test_without_a_network_nothing_changes_and_answers_can_still_be_brought_along(clone):
    publish(clone, lab("A better exercise."))
    clone.git("pull", "-q")  # by hand, as before there was this command
    shutil.rmtree(clone.origin.root / ".git")
    before, head = clone.copy(LAB).read_bytes(), clone.git("rev-parse", "HEAD")
    with pytest.raises(WorkspaceError, match="Nothing was changed: the course could not be fetched"):
        sentences(clone)
    assert clone.copy(LAB).read_bytes() == before and clone.git("rev-parse", "HEAD") == head
    sentences(clone, offline=True)
    assert cells(clone)[:2] == ["A better exercise.", "return 42"]


def test_a_dirty_clone_is_refused_before_anything_is_fetched(clone):
    publish(clone, lab("A better exercise."))
    clone.edit(clone.root / LAB, lambda cells: cells[1].update(source=["return 43"]))
    head = clone.git("rev-parse", "HEAD")
    with pytest.raises(WorkspaceError, match=f"changed \\({LAB}\\)"):
        sentences(clone)
    assert clone.git("rev-parse", "HEAD") == head and cells(clone)[0] == "Exercise."


def test_commits_of_ones_own_are_refused(clone):
    (clone.root / "notes.md").write_text("mine\n")
    clone.commit()
    publish(clone, lab("A better exercise."))
    with pytest.raises(WorkspaceError, match="commits of its own"):
        sentences(clone)


def test_a_semester_has_a_tag_and_a_wrong_one_is_named(clone):
    publish(clone, lab("For the spring."))
    clone.origin.git("tag", "2027-spring")
    publish(clone, lab("For the autumn."))
    assert "1 changes" in sentences(clone, to="2027-spring")
    assert cells(clone)[:2] == ["For the spring.", "return 42"]
    with pytest.raises(WorkspaceError, match="no version '2026-fall'; the tags are: 2027-spring"):
        sentences(clone, to="2026-fall")


def test_a_clone_of_a_tag_goes_from_tag_to_tag(clone):
    clone.git("checkout", "-q", "--detach")
    publish(clone, lab("A correction."))
    clone.origin.git("tag", "2027-spring.1")
    with pytest.raises(WorkspaceError, match="name a version with --to"):
        sentences(clone)
    sentences(clone, to="2027-spring.1")
    assert cells(clone)[:2] == ["A correction.", "return 42"]


def test_a_folder_without_git_is_refused(clone):
    shutil.rmtree(clone.root / ".git")
    with pytest.raises(WorkspaceError, match="no clone of git"):
        sentences(clone)


def test_the_command_prints_what_happened(clone, capsys):
    assert subprocess.run(["git", "--version"], capture_output=True).returncode == 0
    publish(clone, lab("A better exercise."))
    arguments = type("Arguments", (), {"root": clone.root, "to": None, "offline": False})
    assert main(arguments) == 0
    assert "1 of your answers" in capsys.readouterr().out
