"""Each lab's solution earns every part; one with a mistake loses the part that names the mistake."""

import importlib

import pytest
from wrong_solutions import refused, solution

from fsdl_course.labs import convert
from fsdl_course.labs.questions import load
from fsdl_deploy.paths import ROOT

QUESTIONS = [
    (lab, question.id) for lab in convert.names() for question in load(ROOT / "solutions" / lab).graded
]
MISTAKES = [
    (file.stem[-5:], *mistake)
    for file in sorted((ROOT / "tests").glob("mistakes_lab*.py"))
    for mistake in importlib.import_module(file.stem).MISTAKES
]


@pytest.mark.parametrize(("lab", "question"), QUESTIONS)
def test_the_solution_earns_every_part(lab, question):
    assert refused(lab, question, solution(lab, question)) == {}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(("lab", "question", "old", "new", "part"), MISTAKES)
def test_a_mistake_is_refused_where_it_is_named(lab, question, old, new, part):
    problems = refused(lab, question, solution(lab, question, old, new))
    assert any(part in name for name in problems), problems
