"""The contract of a deck's source: each fault put into a good deck is named, with its slide."""

import pytest
import tiny_decks

from fsdl_course.slides import deck, rules
from fsdl_deploy.paths import ROOT


def put(words, into="- some words", times=1):
    return lambda text: text.replace(into, f"{words}\n\n{into}", times)


FAULTS = {
    "minutes do not add up": (lambda text: text.replace("minutes: 8", "minutes: 9"), "add up to 8"),
    "no such lesson": (lambda text: text.replace("01_lesson", "01_other"), "no lesson 01_other"),
    "no notes": (
        lambda text: text.replace("<!-- 1 minute. Tell the class what this slide is about. -->", "", 1),
        "slide 1: one comment has the speaker's notes",
    ),
    "notes without minutes": (
        lambda text: text.replace("1 minute. Tell", "Tell", 1),
        "begins with its minutes",
    ),
    "empty notes": (
        lambda text: text.replace("Tell the class what this slide is about.", "Go on.", 1),
        "next to nothing",
    ),
    "no heading": (lambda text: text.replace("# Slide 3\n", ""), "slide 3: it has no heading"),
    "a typed share": (put("It reads 94.4 % of them right."), "figure '94.4 %' stands bare"),
    "a typed time": (put("An answer takes 12 ms here."), "figure '12 ms' stands bare"),
    "a typed count": (put("We asked 2,000 cards."), "number 2,000 stands bare"),
    "a figure in a table": (put("| way | right |\n|---|---|\n| ours | 97.1 % |"), "figure '97.1 %'"),
    "a figure in a heading": (
        lambda text: text.replace("# Slide 2", "# Nine times: 9.1 ×"),
        "slide 2: the figure",
    ),
    "a figure in the notes": (
        lambda text: text.replace("Tell the class", "It was 87 % on", 1),
        "figure '87 %'",
    ),
    "a figure in a picture's text": (
        put("![Cards a second rise to 1,900 on the last rung](chart/ladder.svg)"),
        "number 1,900 stands bare",
    ),
    "a figure in HTML": (put("<div class='big'>30 % fewer</div>"), "figure '30 %'"),
    "a picture without words": (put("![w:900 ladder](chart/ladder.svg)"), "is too little"),
    "a picture from elsewhere": (put("![what is seen on this photograph](img/photo.png)"), "neither chart"),
    "an img": (put("<img src='x.png' alt='words enough for this'>"), "not as <img>"),
    "a diagram without words": (put("```mermaid\nflowchart LR\n  a --> b\n```"), "line that opens it"),
    "a dead link": (put("[a lesson](../notebooks/02_gone.ipynb)"), "leads nowhere"),
    "an insecure link": (put("[a page](http://example.org/)"), "does not begin with https"),
    "too few slides": (
        lambda text: text.rsplit("\n---\n", 2)[0].replace("minutes: 8", "minutes: 6"),
        "6 slides",
    ),
}
ALLOWED = (
    "> “~50-100% more expensive than raw EC2, depending on instance type” <cite>lecture, slides</cite>",
    "Three replicas, 2 cores, lesson 07, `threshold = 0.9` and [87 % there](https://example.org/)",
    "```python\nwait(12.5)  # 3000 ms\n```",
    "![w:900 a picture with enough words](chart/ladder.svg)",
)


def test_a_good_deck_has_no_fault(tmp_path):
    assert list(rules.problems(tiny_decks.make(tmp_path, put("\n\n".join(ALLOWED))), tmp_path)) == []


@pytest.mark.parametrize(("change", "problem"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_named(tmp_path, change, problem):
    problems = list(rules.problems(tiny_decks.make(tmp_path, change), tmp_path))
    assert any(problem in sentence for sentence in problems)
    assert len(problems) <= 2  # notes that are lost leave their minutes out of the sum


def test_a_quotation_is_compared_with_the_lecture(tmp_path):
    (tmp_path / "lecture").mkdir()
    (tmp_path / "lecture" / "slides.txt").write_text(
        "- Deploy early,\n - deploy **often**\n", encoding="utf-8"
    )
    (tmp_path / "lecture" / "notes.md").write_text(
        "It's [easy](http://x) to miss\nthe flaws.", encoding="utf-8"
    )
    quoted = "> “Deploy early, deploy often” <cite>slides</cite>\n\n> “it's easy to miss” <cite>notes</cite>"
    own = tiny_decks.make(
        tmp_path / "course", put(quoted + "\n\n> “Deploy late, deploy often” <cite>slides</cite>")
    )
    (problem,) = rules.misquoted(own, tmp_path / "lecture")
    assert "Deploy late" in problem


def test_the_decks_of_the_course_keep_the_contract():
    known = [deck.read(path) for path in deck.decks(ROOT)]
    assert [problem for own in known for problem in rules.problems(own, ROOT)] == []
