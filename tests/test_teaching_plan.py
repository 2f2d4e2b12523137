"""The teaching plan: up to date, and unable to say what is not there."""

import shutil

import pytest

from fsdl_course import teaching_plan
from fsdl_deploy.paths import ROOT


def test_the_page_is_what_the_course_says_today():
    page = (ROOT / teaching_plan.PLAN).read_text(encoding="utf-8")
    assert page == teaching_plan.document(), "run `fsdl-course plan`"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    for folder in ("notebooks", "solutions"):
        shutil.copytree(
            ROOT / folder, root / folder, ignore=shutil.ignore_patterns("tools", "source", "images")
        )
    return root


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"Reading" =', '"Rading" =', "00_tour has no section 'Rading'"),
        ('lesson = "10b_field"', 'lesson = "10_edge"', "says nothing of 10b_field"),
        ('lab = "lab09"\n', "", "says nothing of lab09"),
        ('lesson = "00_tour"', 'lesson = "00_tuor"', "says nothing of 00_tour"),
    ],
)
def test_a_plan_of_what_is_not_there_is_refused(copy, before, after, message):
    source = copy / teaching_plan.SOURCE
    text = (ROOT / teaching_plan.SOURCE).read_text(encoding="utf-8")
    assert text.count(before) == 1
    source.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(teaching_plan.PlanError, match=message):
        teaching_plan.document(copy)
