"""Near-identical hand-ins: renamed and re-commented copies are seen, what everybody has is not."""

import pytest

from fsdl_course.grading import alike

GIVEN = "def promise(values, limit):\n    raise NotImplementedError  # your code here\n"
SOLUTION = (
    "def promise(values, limit):\n    return [value for value in sorted(values) if value <= limit][:3]\n"
)
LONG = """
def promise(values, limit):
    kept, rest = [], list(values)
    while rest and len(kept) < 3:
        smallest = min(rest)
        rest.remove(smallest)
        if smallest <= limit and smallest not in kept:
            kept.append(smallest)
        elif smallest > 2 * limit:
            break
    return kept + [0] * (3 - len(kept)) if limit < 0 else kept
"""
RENAMED = "# my own work\n" + LONG.replace("smallest", "x").replace("kept", "out").replace(
    "rest", "todo"
).replace("    while", "    # as long as there are some\n    while")
OWN = """
def promise(values, limit):
    import heapq
    heap = [value for value in values]
    heapq.heapify(heap)
    answer = []
    for _ in range(len(heap)):
        value = heapq.heappop(heap)
        if value > limit or len(answer) == 3:
            return answer
        answer += [value]
    return answer
"""


def pairs(**sources):
    return alike.pairs(
        "lab00", {name: (name, [code]) for name, code in sources.items()}, [[GIVEN], [SOLUTION]]
    )


def test_a_copy_with_other_names_and_comments_is_seen_with_both_passages():
    (pair,) = pairs(ann=LONG, bob=RENAMED, cem=OWN, dia=SOLUTION, eva=GIVEN)
    assert (pair.first, pair.second, pair.share) == ("ann", "bob", 1.0)
    assert "smallest = min(rest)" in pair.passages[0] and "x = min(todo)" in pair.passages[1]


def test_the_solution_what_was_given_and_what_most_have_say_nothing():
    assert not pairs(ann=SOLUTION, bob=SOLUTION.replace("value", "v"), cem=GIVEN, dia=GIVEN)
    assert not pairs(**{f"student{number}": LONG for number in range(5)}, other=OWN)
    assert pairs(ann=LONG, bob=LONG, cem=OWN, dia=SOLUTION, eva=GIVEN)


def test_two_hand_ins_of_one_person_are_not_compared():
    sources = {
        "ann": ("ann", [LONG]),
        "ann (2)": ("ann", [RENAMED]),
        "cem": ("cem", [OWN]),
        "d": ("d", [OWN + LONG]),
    }
    assert {(pair.first, pair.second) for pair in alike.pairs("lab00", sources, [])} <= {
        ("ann", "d"),
        ("ann (2)", "d"),
        ("cem", "d"),
    }


@pytest.mark.parametrize(
    "broken", [LONG + "\n  x = (", LONG + "\n'''", LONG + "\n\x00", "%matplotlib\n" + LONG]
)
def test_code_that_is_no_python_is_compared_too(broken):
    assert pairs(ann=broken, bob=broken.replace("smallest", "y"), cem=OWN, dia=SOLUTION)


def test_the_page_escapes_names_and_code(tmp_path):
    code = LONG + "\nprint('<script>alert(1)</script>')\n"
    both = alike.pairs("lab00", {"=<b>": ("a", [code]), "bob": ("b", [code]), "c": ("c", [OWN])}, [])
    alike.write(both, tmp_path)
    page = (tmp_path / "alike.html").read_text()
    assert "<script>alert" not in page and "&lt;script&gt;" in page and "<b>" not in page
    assert ",'=<b>,bob," in (tmp_path / "alike.csv").read_text()


def test_a_solution_beside_a_cell_of_the_students_own_is_still_the_solution():
    sources = {name: (name, [f"{name} = 1", SOLUTION * 3]) for name in ("ann", "bob")}
    others = {name: (name, [OWN]) for name in ("cem", "dia", "eva")}
    pairs_of_copies = alike.pairs("lab00", sources | others, [["import json", SOLUTION * 3, "x = [1]"]])
    assert not [pair for pair in pairs_of_copies if "ann" in (pair.first, pair.second)]
