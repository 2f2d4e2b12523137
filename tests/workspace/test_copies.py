"""The working copy: it follows the course where nobody touched it, and loses nothing that somebody did."""

import errno
import json
import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from fsdl_course.workspace import copies
from fsdl_course.workspace.copies import WorkspaceError, refresh
from fsdl_deploy.paths import ROOT

NAMES = (
    "notebooks/01_start.ipynb",
    "notebooks/02_batch.ipynb",
    "notebooks/tools/triton.ipynb",
    "labs/lab00/lab00.ipynb",
)
START, BATCH, TRITON, LAB = NAMES


def run_all(cells):
    """What a student's Run All leaves."""
    output = {"data": {"text/plain": ["1"]}, "metadata": {}, "output_type": "execute_result"}
    cells[0].update(execution_count=1, outputs=[{**output, "execution_count": 1}])


def answer(cells):
    cells[0]["source"] = ["x = 42\n", "x"]


def newer(cells):
    cells[1]["source"] = ["A better text."]


def test_lessons_tools_and_labs_are_copied_into_the_same_folders_and_git_sees_nothing(course):
    for other in ("notebooks/source/01_start.py", "notebooks/images/a.png", "labs/lab00/expected.json"):
        (course.root / other).parent.mkdir(exist_ok=True)
        (course.root / other).touch()
    course.commit()
    changes = refresh(course.root)
    files = [path for path in (course.root / "work").rglob("*") if path.is_file()]
    assert {path.relative_to(course.root / "work").as_posix() for path in files} == set(NAMES)
    assert sorted(changes.added) == sorted(NAMES) and changes.sentences() == []
    assert not any(path.is_symlink() for path in files)
    assert course.git("status", "--porcelain") == ""


def test_a_copy_says_what_the_original_does(course):
    refresh(course.root)
    original = json.loads((course.root / LAB).read_text())
    copy = json.loads(course.copy(LAB).read_text())
    assert copy["metadata"].pop("fsdl_copy")["of"] == LAB
    assert copy == original


def test_a_second_time_nothing_is_written(course):
    refresh(course.root)
    before = {name: course.copy(name).stat().st_mtime_ns for name in NAMES}
    assert refresh(course.root) == copies.Changes()
    assert {name: course.copy(name).stat().st_mtime_ns for name in NAMES} == before


def test_running_and_answering_changes_nothing_that_git_knows(course):
    refresh(course.root)
    course.edit(course.copy(BATCH), run_all)
    course.edit(course.copy(LAB), answer)
    assert course.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    "change",
    [
        run_all,
        answer,
        lambda cells: cells[0].update(execution_count=3),
        lambda cells: cells[1].update(attachments={"a.png": {"image/png": "AA=="}}),
        lambda cells: cells[0]["metadata"].update(tags=["mine"]),
        lambda cells: cells.append({**cells[1], "id": "c", "source": ["my note"]}),
        lambda cells: cells.pop(),
        lambda cells: cells.reverse(),
        lambda cells: cells[0].update(cell_type="markdown"),
    ],
    ids=["run", "answer", "count", "attachment", "tag", "new cell", "removed cell", "order", "kind"],
)
def test_what_somebody_touched_is_kept_byte_for_byte_and_the_newer_version_is_named(course, change):
    refresh(course.root)
    mine = course.edit(course.copy(BATCH), change)
    assert refresh(course.root) == copies.Changes()  # nothing new in the course: nothing to say
    course.edit(course.root / BATCH, newer)
    course.edit(course.root / LAB, newer)
    course.commit()
    changes = refresh(course.root)
    assert course.copy(BATCH).read_bytes() == mine
    assert (changes.outdated, changes.renewed) == ([BATCH], [LAB])
    assert "A better text." in course.copy(LAB).read_text()
    (sentence,) = changes.sentences()
    assert "work/notebooks/02_batch.ipynb" in sentence and "'fsdl-course reset 02_batch'" in sentence


def opened(path):
    """What JupyterLab does to a notebook that is only opened and saved."""
    content = json.loads(path.read_text(encoding="utf-8"))
    content["metadata"]["kernelspec"]["display_name"] = "Python 3 (ipykernel)"
    content["metadata"]["language_info"]["version"] = "3.11.7"
    for cell in content["cells"]:
        cell["metadata"] |= {"scrolled": True, "editable": True}
        cell["source"] = "".join(cell["source"])
    path.write_text(json.dumps(content, indent=2, sort_keys=True), encoding="utf-8", newline="\r\n")


def test_a_copy_that_was_only_opened_and_saved_follows_the_course(course):
    refresh(course.root)
    opened(course.copy(BATCH))
    assert refresh(course.root) == copies.Changes()
    course.edit(course.root / BATCH, newer)
    course.commit()
    assert refresh(course.root).renewed == [BATCH]


def test_new_notebooks_appear_and_those_that_a_student_removed_come_back(course):
    refresh(course.root)
    course.put("notebooks/03_new.ipynb", json.loads((course.root / BATCH).read_text()))
    course.copy(START).unlink()
    course.commit()
    assert sorted(refresh(course.root).added) == [START, "notebooks/03_new.ipynb"]


def test_a_notebook_that_the_course_dropped_goes_unless_it_was_touched(course):
    refresh(course.root)
    kept = course.edit(course.copy(TRITON), answer)
    duplicate = course.copy("notebooks/02_batch-Copy1.ipynb")  # as JupyterLab's Duplicate calls it
    shutil.copyfile(course.copy(BATCH), duplicate)
    course.git("rm", "-q", TRITON, BATCH)
    course.commit()
    assert refresh(course.root).removed == [BATCH]
    assert course.copy(TRITON).read_bytes() == kept and not course.copy(BATCH).exists()
    assert duplicate.exists()


def test_work_done_in_the_originals_comes_along_and_outlives_git_checkout(course):
    course.edit(course.root / LAB, answer)  # as before there was a working copy
    changes = refresh(course.root)
    messages = "\n".join(changes.sentences())
    assert f"git checkout -- {LAB}" in messages and f"What you did there is in work/{LAB}" in messages
    assert "x = 42" in course.copy(LAB).read_text()
    course.git("checkout", "--", LAB)
    refresh(course.root)
    assert "x = 42" in course.copy(LAB).read_text()


def test_an_original_that_was_run_by_mistake_changes_no_copy(course):
    refresh(course.root)
    before = course.copy(BATCH).read_bytes()
    course.edit(course.root / BATCH, run_all)
    changes = refresh(course.root)
    assert changes.edited == [BATCH] and course.copy(BATCH).read_bytes() == before
    assert len(changes.sentences()) == 1 and "What you did there" not in changes.sentences()[0]


def test_a_copy_that_lost_its_mark_is_kept_unless_it_says_what_the_course_does(course):
    refresh(course.root)
    for name in (START, BATCH):
        content = json.loads(course.copy(name).read_text())
        del content["metadata"]["fsdl_copy"]
        course.put(f"work/{name}", content)
    mine = course.edit(course.copy(BATCH), answer)
    course.edit(course.root / BATCH, newer)
    course.commit()
    assert refresh(course.root).renewed == []
    assert course.copy(BATCH).read_bytes() == mine
    course.edit(course.root / START, newer)
    course.commit()
    assert refresh(course.root).renewed == [START]


def test_a_conflict_in_an_original_stops_no_other(course):
    (course.root / START).write_text("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n")
    changes = refresh(course.root)
    assert sorted(changes.added) == sorted(set(NAMES) - {START})
    assert f"git checkout -- {START}" in changes.sentences()[0]


@pytest.mark.parametrize("damaged", ["{", "[]", "{}", '{"cells": 1, "metadata": {}}'])
def test_a_copy_that_is_no_notebook_is_kept_and_an_empty_one_made_again(course, damaged):
    refresh(course.root)
    course.copy(START).write_text(damaged)
    course.copy(BATCH).write_text("")
    assert refresh(course.root).added == [BATCH]
    assert course.copy(START).read_text() == damaged


def test_a_damaged_copy_and_a_folder_in_its_place_are_named_and_stop_nothing(course):
    refresh(course.root)
    course.copy(BATCH).write_text('{"cells": [')
    course.copy(LAB).unlink()
    course.copy(LAB).mkdir()
    (sentence,) = refresh(course.root).sentences()
    assert BATCH in sentence and LAB in sentence and "fsdl-course reset 02_batch" in sentence
    assert course.copy(BATCH).read_text() == '{"cells": [' and course.copy(LAB).is_dir()


def test_without_git_it_works_too(course, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert sorted(refresh(course.root).added) == sorted(NAMES)
    course.edit(course.root / BATCH, newer)
    assert refresh(course.root).renewed == [BATCH]


def test_stopped_while_it_writes_it_leaves_whole_files_only(course):
    program = (
        "import os, signal\nfrom pathlib import Path\nfrom fsdl_course.workspace import copies\n"
        "kept, os.replace = os.replace, lambda *names: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"copies.refresh(Path({str(course.root)!r}))"
    )
    refresh(course.root)
    before = course.copy(START).read_bytes()
    course.edit(course.root / START, newer)
    course.commit()
    process = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
    assert process.returncode != 0 and course.copy(START).read_bytes() == before
    assert refresh(course.root).renewed == [START]


def test_a_full_disk_is_one_sentence_and_costs_no_copy(course, monkeypatch):
    refresh(course.root)
    before = course.copy(START).read_bytes()
    course.edit(course.root / START, newer)
    course.commit()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkspaceError, match=r"No space left.*free some space") as raised:
        refresh(course.root)
    assert "\n" not in str(raised.value)
    assert course.copy(START).read_bytes() == before
    assert {path.name for path in course.copy(START).parent.iterdir() if path.is_file()} == {
        "01_start.ipynb",
        "02_batch.ipynb",
    }


def test_a_folder_that_cannot_be_made_is_one_sentence(course):
    (course.root / "work").write_text("a file")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        refresh(course.root)


# --- the course's own notebooks ---------------------------------------------------------------------


class Links(HTMLParser):
    """Where the links and pictures of a page lead."""

    def __init__(self, page: str):
        super().__init__()
        self.targets: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.targets += [value for name, value in attrs if name in ("href", "src") and value]


@pytest.mark.parametrize("name", copies.originals())
def test_every_link_of_a_copy_leads_somewhere(name):
    from nbconvert.filters import markdown2html

    known = set(copies.originals())
    copy = copies.copy_of(name)
    text = "\n\n".join("".join(cell["source"]) for cell in copy["cells"] if cell["cell_type"] == "markdown")
    targets = [urlsplit(target) for target in Links(markdown2html(text)).targets]
    places = [unquote(target.path) for target in targets if target.path and not target.scheme]
    assert places
    for place in places:
        at = os.path.normpath(os.path.join("work", os.path.dirname(name), place))
        copied = at.removeprefix("work" + os.sep).replace(os.sep, "/")
        assert copied in known if at.startswith("work" + os.sep) else (ROOT / at).exists(), place


@pytest.mark.parametrize("name", copies.originals())
def test_the_code_of_a_copy_is_the_courses(name):
    original = json.loads((ROOT / name).read_text(encoding="utf-8"))
    copy = copies.copy_of(name)
    assert [cell for cell in copy["cells"] if cell["cell_type"] == "code"] == [
        cell for cell in original["cells"] if cell["cell_type"] == "code"
    ]
    assert [cell["id"] for cell in copy["cells"]] == [cell["id"] for cell in original["cells"]]


def test_what_make_and_ci_look_at_leaves_the_copies_out(tmp_path):
    assert "/work" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"./work"' in settings and '"work"' in settings
    (tmp_path / "pyproject.toml").write_text(settings)
    (tmp_path / "work").mkdir()
    for folder in ("work", "."):
        (tmp_path / folder / "test_of_a_student.py").write_text("import os\ndef test(): 1 / 0\n")
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise", "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "test_of_a_student" in checked.stdout and "work" not in checked.stdout
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "test_of_a_student" in process.stdout and "work" not in process.stdout
