"""The part of the notebooks' contract that makes them predictable: title, header line, sections in order.

Lessons, tool notebooks and the tour each have their frame. Each rule is a function that yields
``(number of the cell or None, a sentence that says what to do)``. Knows nothing of code.
"""

import re
from collections.abc import Iterator

from fsdl_course.notebooks.lesson import Lesson, without_fences

TRUTHS = ("runs", "runs against an emulator", "checked")
STEPS = "…"  # stands for the lesson's own sections, at least one
_WHOLE = (
    *("The need", "You will learn", "Where the model sits", STEPS),
    *("When it fails", "Questions", "Take-aways", "Where to go next"),
)
FRAMES = {
    "lesson": _WHOLE,
    "tool": _WHOLE,
    "tour": ("The need", "You will learn", STEPS, "Questions", "Take-aways", "Where to go next"),
}
DIAGRAM_SECTION = {"lesson": "Where the model sits", "tool": "Where the model sits", "tour": None}
_MARKDOWN = re.compile(r"`[^`]*`|\*\w|\]\(")  # which is not read inside of HTML
Breaches = Iterator[tuple[int | None, str]]


def title(lesson: Lesson) -> Breaches:
    first = next(iter(lesson.cells), None)
    if first is None or first.cell_type != "markdown" or not re.match(r"# \S", first.source):
        yield 1, "the first cell starts with the title: '# The prototype'"
    titles = [n for n, text in lesson.markdown() if re.search(r"^# \S", without_fences(text), re.MULTILINE)]
    for number in titles[1:]:
        yield number, "a notebook has one title: use '##' for sections"


def header(lesson: Lesson) -> Breaches:
    line = lesson.header()
    if line is None:
        yield (
            1,
            "below the title stands a line '**Minutes:** 20 · **Prerequisites:** … · **Truth:** runs'",
        )
    else:
        if not 1 <= int(line[1]) <= 120:
            yield 1, f"the minutes are between 1 and 120, not {line[1]}"
        if line[3] not in TRUTHS:
            yield 1, f"the truth is one of {', '.join(TRUTHS)}, not {line[3]!r}"


def frame(lesson: Lesson) -> Breaches:
    expected = FRAMES[lesson.kind]
    split = expected.index(STEPS)
    before, after = list(expected[:split]), list(expected[split + 1 :])
    titles = [section.title for section in lesson.sections()]
    missing = [title for title in before + after if title not in titles]
    for title in missing:
        yield None, f"the section '## {title}' is missing"
    if missing:
        return
    if titles[:split] != before or titles[-len(after) :] != after:
        yield None, f"the sections are {', '.join(expected)} in this order, not {', '.join(titles)}"
    elif len(titles) == len(expected) - 1:
        yield None, f"between '## {before[-1]}' and '## {after[0]}' stand the steps, each with its '##'"


def learning_goals(lesson: Lesson) -> Breaches:
    section = lesson.section("You will learn")
    if section and not 3 <= section.bullets() <= 5:
        yield section.cell, f"'You will learn' has 3 to 5 bullets, not {section.bullets()}"


def diagram(lesson: Lesson) -> Breaches:
    place = DIAGRAM_SECTION[lesson.kind]
    section = lesson.section(place)
    text = "\n".join(text for _, text in lesson.markdown()) if place is None else section and section.text
    if text is not None and "```mermaid\n" not in text:
        yield section and section.cell, f"'{place or 'the notebook'}' has a diagram: a ```mermaid block"


def failures_measured(lesson: Lesson) -> Breaches:
    section = lesson.section("When it fails")
    if section and lesson.kind == "lesson" and not section.code_cells:
        yield section.cell, "'When it fails' shows the failures by running code, not by listing them"


def questions(lesson: Lesson) -> Breaches:
    section = lesson.section("Questions")
    if section is None:
        return
    answers = re.findall(r"<details>\s*<summary>\s*\S.*?</summary>(.*?)</details>", section.text, re.DOTALL)
    if not 2 <= len(answers) <= 3:
        yield (
            section.cell,
            f"'Questions' has 2 or 3 <details><summary>…</summary>…</details>, not {len(answers)}",
        )
    if section.text.count("<details>") != len(answers) or any(not answer.strip() for answer in answers):
        yield section.cell, "every <details> has a <summary>, an answer, and is closed"
    for sign in (match[0] for answer in answers if (match := _MARKDOWN.search(answer))):
        yield (
            section.cell,
            f"{sign!r} stands in the page as it is: inside <details> write <code>…</code>, <em>…</em>",
        )


def endings(lesson: Lesson) -> Breaches:
    section = lesson.section("Take-aways")
    if section and not section.bullets():
        yield section.cell, "'Take-aways' is a list of bullets"
    section = lesson.section("Where to go next")
    if section and not re.search(r"\]\([^)]+\)", section.text):
        yield section.cell, "'Where to go next' links to something: [03_service](03_service.ipynb)"


RULES = (title, header, frame, learning_goals, diagram, failures_measured, questions, endings)
