"""What parts earn: public ones as a whole, private ones by share, and little for answers by heart."""

import json
from collections import Counter

import pytest
from wrong_solutions import expected, fresh, solution

from fsdl_course.grading.parts import PartTally, tallies
from fsdl_course.labs import convert
from fsdl_course.labs.exercise import plain
from fsdl_course.labs.questions import Case, Part, load
from fsdl_deploy.paths import ROOT


def private(points, cases, guessed, right, wrong=0):
    return PartTally(Part("p", points, draw=lambda generator: []), cases, guessed, right, wrong)


def test_a_public_part_is_earned_as_a_whole():
    part = Part("p", 2, [[1], [2], [3]])
    assert PartTally(part, 3, 1, right=3).points == 2
    assert PartTally(part, 3, 1, right=2).points == 0
    assert PartTally(part, 3, 1, wrong=1).lost


@pytest.mark.parametrize(
    ("cases", "guessed", "right", "points"),
    [
        *((12, 1, 12, 8), (12, 1, 11, 7), (12, 1, 1, 0), (12, 1, 0, 0)),
        *((12, 8, 8, 0), (12, 8, 10, 4), (1, 1, 1, 8)),
        *((12, 12, 11, 0), (12, 12, 12, 8)),  # all have the same value: right once all are
    ],
)
def test_a_private_part_pays_for_what_is_right_beyond_a_guess(cases, guessed, right, points):
    assert private(8, cases, guessed, right).points == points


def test_every_case_that_is_wrong_costs_a_point():
    """So that a fault that one private case notices is noticed in the points."""
    for points in (1, 3, 8, 18):
        for cases in (1, 6, 40):
            assert private(points, cases, 1, cases - 1).points < points


def test_a_part_is_lost_when_no_case_to_come_can_earn_a_point():
    assert not private(8, 12, 1, right=0, wrong=9).lost  # 3 may be right yet, 2 more than by a guess
    assert private(8, 12, 1, right=0, wrong=11).lost
    assert private(1, 12, 1, right=0, wrong=1).lost  # one point, and that for all or nothing


def test_the_commonest_value_is_what_a_guess_gets():
    part = Part("p", 4, draw=lambda generator: [])
    cases = [Case("q1", "p", [number], public=False) for number in range(5)]
    tally = tallies({("q1", "p"): part}, cases, [True, False, True, True, [1]])
    assert (tally["q1", "p"].cases, tally["q1", "p"].guessed) == (5, 3)


def earned(lab: str, answer) -> tuple[int, int]:
    """What ``answer(question, public)`` earns in a lab, and the most; it makes a function of arguments."""
    points = most = 0
    for asked in load(ROOT / "solutions" / lab).graded:
        question, pairs = expected(lab, asked.id)
        function = answer(question, [(case, value) for case, value in pairs if case.public])
        parts = {(question.id, part.name): part for part in question.parts}
        tally = tallies(parts, [case for case, _ in pairs], [value for _, value in pairs])
        for case, value in pairs:
            wrong = question.wrong(case.arguments, function(case.arguments), value)
            tally[question.id, case.part].right += not wrong
            tally[question.id, case.part].wrong += bool(wrong)
        points += sum(part.points for part in tally.values())
        most += question.points
    return points, most


def by_heart(question, public):
    """The public answers as a table; for any other input the commonest of them."""
    table = {json.dumps(case.arguments): value for case, value in public}
    commonest = Counter(json.dumps(value) for _, value in public).most_common(1)[0][0]
    return lambda arguments: table.get(json.dumps(arguments), json.loads(commonest))


@pytest.mark.parametrize("lab", convert.names())
def test_public_answers_by_heart_earn_less_than_a_third(lab):
    points, most = earned(lab, by_heart)
    public = sum(p.points for q in load(ROOT / "solutions" / lab).graded for p in q.parts if p.public)
    assert public <= points < most / 3  # the table itself is right


@pytest.mark.parametrize(
    ("lab", "question", "was", "becomes"),
    [
        ("lab02", "q4", "- set(aside)", ""),
        ("lab02", "q5", "stored < customers", "False"),
        ("lab05", "q5", "< seconds", "<= seconds"),
    ],
)
def test_an_answer_with_one_mistake_keeps_half_of_its_points_and_not_all(lab, question, was, becomes):
    wrong = solution(lab, question, was, becomes)

    def answer(asked, public):
        return (lambda arguments: plain(wrong(*fresh(arguments)))) if asked.id == question else len

    points, _ = earned(lab, answer)
    most = load(ROOT / "solutions" / lab).question(question).points
    assert most / 2 < points < most
