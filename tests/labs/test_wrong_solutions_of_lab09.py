"""Wrong solutions of lab 09: each is refused, in the part that names its mistake."""

from collections import Counter

import pytest
from wrong_solutions import refused

from fsdl_course.labs.questions import load
from fsdl_deploy.paths import ROOT

LAB = "lab09"


def total(counts, chosen, graph):
    return graph * len(chosen) + sum(
        count * next(size for size in chosen if size >= needed) for needed, count in counts.items()
    )


def greedy(widths, step, graph):
    """Give up the bucket whose loss saves most, as long as that saves."""
    counts = Counter(-(-width // step) * step for width in widths)
    sizes = sorted(counts)
    while len(sizes) > 1:
        without = (sizes[:place] + sizes[place + 1 :] for place in range(len(sizes) - 1))
        fewer = min(without, key=lambda chosen: total(counts, chosen, graph))
        if total(counts, fewer, graph) > total(counts, sizes, graph):
            break
        sizes = fewer
    return sizes


def quantiles(widths, step, graph):
    """Equally many cards to a bucket, whichever number of buckets is best."""
    counts = Counter(-(-width // step) * step for width in widths)
    sizes, best = sorted(counts.elements()), []
    for count in range(1, min(12, len(sizes)) + 1):
        chosen = sorted({sizes[-(-len(sizes) * part // count) - 1] for part in range(1, count + 1)})
        best.append((total(counts, chosen, graph), chosen))
    return min(best, default=(0, []))[1]


@pytest.mark.parametrize("rule_of_thumb", [greedy, quantiles])
def test_a_rule_of_thumb_for_buckets_is_refused(rule_of_thumb):
    problems = refused(LAB, "q2", rule_of_thumb)
    assert "other widths" in problems or "many other widths" in problems, problems


CONSTANTS = {
    "q1": [[], [["kilobytes", 3958.0, 3900]]],
    "q2": [[], [96], [1024]],
    "q3": [{"scale": 1.0, "zero": 0, "saturated": 0, "error": 0.0}],
    "q4": [["install"], ["signature", "install"], ["install", "install"], ["install", "rollback", "install"]],
    "q5": [[["device", 0.0]], [["service", 0.124]], [["person", 0.5]]],
    "q6": [None, [["0420", 18, 1.0, 0.1, 7]], [["0011223345566789", 63, 0.3, 0, 1], ["9", 3, 1, 0, 1]]],
    "q7": [[], [0] * 5, [None] * 5],
}


@pytest.mark.parametrize(
    ("question", "constant"), [(q, c) for q, values in CONSTANTS.items() for c in values]
)
def test_a_constant_answer_earns_nothing(question, constant):
    parts = {part.name for part in load(ROOT / "solutions" / LAB).question(question).parts}
    assert parts - refused(LAB, question, lambda *arguments: constant).keys() == set()


def test_a_broken_conversion_that_is_missed_is_described():
    (problem,) = {
        problem for part, problem in refused(LAB, "q6", lambda *arguments: None).items() if "width" in part
    }
    assert "it is None, and this conversion is broken: it needs cards whose width" in problem


def test_drawn_cards_are_not_what_is_asked_for():
    from fsdl_course.labs.conversions import draw

    problems = refused(LAB, "q6", lambda *arguments: [draw("0420", 18)])
    assert any("return the arguments of draw" in problem for problem in problems.values()), problems
