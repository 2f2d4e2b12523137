"""The labs' contract: each rule finds its breach, and the course's labs have none."""

import shutil

import pytest

from fsdl_course.labs import convert
from fsdl_course.labs.rules import problems
from fsdl_deploy.paths import ROOT


@pytest.mark.parametrize("name", convert.names())
def test_the_labs_of_the_course_keep_it(name):
    assert problems(name) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "breach"),
    [
        ("lab00.py", "# # Lab 00: ", "# # Lab 07: ", "the first line is '# Lab 00: …'"),
        (
            "lab00.py",
            "**Minutes:** 50",
            "**Minutes:** 55",
            "the header says 55 minutes, the exercises add up to 50",
        ),
        ("lab00.py", "**Minutes:** 50", "Minutes 50", "below the title stands"),
        ("lab00.py", "**Minutes:** 50", "**Minutes:** 51", "the README's table of labs has no row"),
        (
            "lab00.py",
            "00_tour.ipynb",
            "99_none.ipynb",
            "the prerequisite ../../notebooks/99_none.ipynb does not exist",
        ),
        ("lab00.py", "Exercise 2: Who", "Exercise 7: Who", "the exercises are numbered 1, 2, 3"),
        (
            "lab00.py",
            "Exercise 2: Who looks at what ★ (8",
            "Exercise 2: Who looks at what ★ (9",
            "stars and minutes differ",
        ),
        (
            "lab00.py",
            "(7 minutes, graded by a person)",
            "(7 minutes)",
            "stands in the heading of open questions only",
        ),
        ("lab00.py", "Exercise 4: Break it", "Exercise 4: Mend it", "one exercise is called 'Break it'"),
        ("lab00.py", 'tags=["q2"]', 'tags=["q1"]', "one cell is tagged q2, not 0"),
        (
            "lab00.py",
            "<details><summary>Hint: a nudge</summary>Two steps: choose, then sort.</details>",
            "No.",
            "q2: three hints unfold",
        ),
        ("lab00.py", 'check("lab00.q2", review_queue)', "review_queue", "q2: a cell holds check("),
        ("lab00.py", "def plausible(", "def plausibly(", "q5: its cell defines plausible"),
        ("lab00.py", "  # SOLUTION: GUESS = None", "", "something is predicted before it is measured"),
        (
            "lab00.py",
            "from fsdl_course.labs import",
            "from fsdl_deploy import cards\nfrom fsdl_course.labs import",
            "tag it 'measure'",
        ),
        ("lab00.py", "# Run this after every change.", "", "before each code cell stands prose"),
        (
            "lab00.py",
            "# Run this after every change.",
            "# It reads 94.4 % right.",
            "figure '94.4 %' stands bare",
        ),
        ("lab00.py", "# Run this after every change.", "# Run this \u2705.", "where no emoji font is"),
        ("questions.py", 'Part("other pairs", 10, draw=draw_pair, count=12),', "", "q5: one part is private"),
        ("questions.py", '"q6",', '"q7",', "there is no question 'q6'"),
        ("questions.py", "level=3", "level=2", "stars and minutes differ"),
    ],
)
def test_a_breach_is_found(tmp_path, file, old, new, breach):
    shutil.copytree(ROOT / "solutions" / "lab00", tmp_path / "solutions" / "lab00")
    (tmp_path / "models").symlink_to(ROOT / "models")  # whose records the answers quote
    (tmp_path / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / "00_tour.ipynb", tmp_path / "notebooks")
    (tmp_path / "labs" / "lab00").mkdir(parents=True)
    (tmp_path / "README.md").write_text(
        "| [00 What a reading is worth](labs/lab00/lab00.ipynb) | a threshold | 50 |\n"
    )
    assert problems("lab00", tmp_path) == []
    path = tmp_path / "solutions" / "lab00" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    try:
        breaches = "\n".join(problems("lab00", tmp_path))
    except ValueError as error:  # so wrong that no notebook can be made
        breaches = str(error)
    assert breach in breaches
