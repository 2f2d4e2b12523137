"""Labs that are a page alone: found, built and checked beside those with questions."""

import shutil

import pytest

from fsdl_course.labs import build, convert, pages
from fsdl_deploy.paths import ROOT


@pytest.fixture
def course(tmp_path):
    for name in ("lab09", "lab10"):
        (tmp_path / "solutions" / name).mkdir(parents=True)
        (tmp_path / "labs" / name).mkdir(parents=True)
    shutil.copy(ROOT / "solutions/lab10/lab10.py", tmp_path / "solutions/lab10")
    shutil.copy(ROOT / "solutions/lab09/lab09.py", tmp_path / "solutions/lab09")
    shutil.copy(ROOT / "solutions/lab09/questions.py", tmp_path / "solutions/lab09")
    return tmp_path


def test_a_lab_is_of_one_kind_or_the_other(course):
    assert pages.names(course) == ["lab10"]
    assert convert.names(course) == ["lab09"]


def test_the_page_that_students_have_is_what_its_source_makes():
    assert build.differences("lab10") == []
    assert pages.problems("lab10") == []


def test_an_edited_source_shows_as_a_difference(course):
    build.build("lab10", course)
    assert build.differences("lab10", course) == []
    source = course / "solutions/lab10/lab10.py"
    source.write_text(
        source.read_text(encoding="utf-8").replace("A customer talks", "Customers talk"), "utf-8"
    )
    assert "+" in build.differences("lab10", course)[0]


def test_a_page_without_its_header_and_with_a_bare_figure_breaks_the_rules(course):
    source = course / "solutions/lab10/lab10.py"
    text = source.read_text(encoding="utf-8").replace("**Minutes:**", "**Time:**")
    source.write_text(text.replace("A customer talks in sentences.", "Ours took 12.5 ms."), encoding="utf-8")
    problems = "\n".join(pages.problems("lab10", course))
    assert "the line with minutes" in problems and "12.5" in problems
