"""A mutant on the cases of its question: it is noticed, survives, or never ends."""

import pytest

from fsdl_course.grading.mutants.trial import TrialCase, TriedQuestion
from fsdl_course.labs.questions import Case, Part, Question

SOLUTION = """
def smallest(numbers, most):
    ### BEGIN SOLUTION
    kept = [number for number in numbers if number < most]
    return min(kept) if kept else None
    ### END SOLUTION
"""


def exercise(*cases, seconds=1.0):
    """The question with these cases: (arguments, expected, public)."""
    question = Question("q1", "smallest", "", 1, 1, [Part("p", 1, [])], seconds=seconds)
    tried = [
        TrialCase(Case("q1", f"part {number}", arguments, public), expected)
        for number, (arguments, expected, public) in enumerate(cases)
    ]
    return TriedQuestion("lab99", question, [{"source": "import math"}, {"source": SOLUTION}], 1, tried)


FIRST = ([[3, 1, 2], 9], 1, True)
BOUND = ([[3], 3], None, False)


def test_the_solution_itself_loses_nothing():
    assert exercise(FIRST, BOUND).lost(SOLUTION) == []


@pytest.mark.parametrize(
    ("was", "becomes", "lost"),
    [
        ("min(kept)", "max(kept)", ["part 0"]),
        ("< most", "<= most", ["part 1"]),
        ("numbers if", "numbers * 2 if", []),
        ("if kept else", "if numbers else", ["part 1"]),  # min() of nothing raises
        ("    kept =", "    while True: pass\n    kept =", ["part 0"]),
        ("    kept =", "    import os; os._exit(0)\n    kept =", ["it ended its process, or never ended"]),
        ("min(kept)", "{min(kept)}", ["part 0"]),  # no JSON
        ("def smallest", "def other", ["a cell fails"]),
    ],
)
def test_a_fault_loses_the_first_part_that_notices_it(was, becomes, lost):
    assert was in SOLUTION
    assert exercise(FIRST, BOUND, seconds=0.2).lost(SOLUTION.replace(was, becomes)) == lost


def test_a_fault_at_a_bound_survives_cases_that_do_not_go_there():
    mutants = exercise(FIRST).mutants()
    survivors = {m.difference.split("\n")[1] for m in mutants if not exercise(FIRST).lost(m.source)}
    assert "+    kept = [number for number in numbers if number <= most]" in survivors
    with_bound = exercise(FIRST, BOUND)
    assert "<= most" not in "".join(m.difference for m in mutants if not with_bound.lost(m.source))


def test_what_is_given_around_the_solution_has_no_fault():
    around = exercise(FIRST)
    around.cells[1]["source"] = SOLUTION + "\n\ndef given(a):\n    return a + 1\n"
    assert all("return a + 1" in mutant.source for mutant in around.mutants())
