"""Minutes are computed of what there is to read and to wait for, and a header that is off is corrected."""

import json

import nbformat
import pytest

from fsdl_course.notebooks import conversion, listing, minutes
from fsdl_course.notebooks.build import build
from fsdl_course.notebooks.lesson import Lesson
from fsdl_course.notebooks.minutes import ReadingTime

HEADER = "# A lesson\n\n**Minutes:** {} · **Prerequisites:** none · **Truth:** runs\n"


def lesson(root, *cells, stated=10) -> Lesson:
    first = nbformat.v4.new_markdown_cell(HEADER.format(stated))
    return Lesson(root / "notebooks" / "01_lesson.ipynb", root, [first, *cells])


def text(words: str):
    return nbformat.v4.new_markdown_cell(words)


@pytest.fixture
def ran(tmp_path):
    """A course that has a run on record: three minutes."""
    (tmp_path / "slides").mkdir()
    (tmp_path / "slides/lessons.json").write_text(json.dumps({"lessons": {"01_lesson": {"seconds": 180}}}))
    return tmp_path


def test_words_lines_and_the_run_add_up(ran):
    words = len(HEADER.split())
    code = nbformat.v4.new_code_cell("first = 1\n\nsecond = 2  # why\n")
    time = minutes.reading_time(lesson(ran, text("three more words"), code))
    assert time == ReadingTime(words + 3, 2, 180)
    assert ReadingTime(300, 36, 120).minutes == 2 + 3 + 2


def test_diagrams_and_addresses_are_not_read_but_answers_are(tmp_path):
    plain = minutes.reading_time(lesson(tmp_path)).words
    drawn = "```mermaid\nflowchart LR\n```\n[a link](https://a.example/b)\n"
    answer = "<details><summary>Answer</summary>It does.</details>"
    assert minutes.reading_time(lesson(tmp_path, text(drawn))).words == plain + 2
    assert minutes.reading_time(lesson(tmp_path, text(answer))).words == plain + 3


@pytest.mark.parametrize(
    ("computed", "stated", "off"),
    [(10, 10, False), (10, 12, False), (10, 13, True), (55, 45, True), (50, 45, False), (4, 5, False)],
)
def test_a_fifth_is_too_far_off_and_rounding_is_not(computed, stated, off):
    assert ReadingTime(150 * computed, 0).is_off(stated) is off


def test_headers_say_whole_fives():
    assert [ReadingTime(150 * minute, 0).rounded for minute in (1, 7, 8, 38)] == [5, 5, 10, 40]


def test_the_rule_names_a_header_that_is_off_and_is_silent_without_a_run(ran, tmp_path_factory):
    long = text("word " * 6000)
    ((cell, sentence),) = minutes.as_computed(lesson(ran, long))
    assert cell == 1 and "says 10 minutes, and it takes about 43" in sentence
    assert not list(minutes.as_computed(lesson(ran, long, stated=45)))
    assert not list(minutes.as_computed(lesson(tmp_path_factory.mktemp("no run"), long)))


def test_a_correction_reaches_source_notebook_and_table_and_nothing_else(ran):
    source = ran / "notebooks/source/01_lesson.py"
    source.parent.mkdir(parents=True)
    words = "word " * 6000
    source.write_text(
        f"# %% [markdown]\n# # A lesson\n#\n# {HEADER.splitlines()[2].format(10)}\n#\n# {words.strip()}\n"
    )
    row = "| [A lesson](notebooks/01_lesson.ipynb) | the need: 10 cards | {} |\n"
    table = "| lesson | the need | minutes |\n|---|---|---|\n"
    (ran / "README.md").write_text(table + row.format(10))
    path = build(source, ran)
    minutes.correct(Lesson(path, ran, conversion.read(path).cells))
    assert listing.minutes(ran) == {"notebooks/01_lesson.ipynb": 45}
    assert (ran / "README.md").read_text() == table + row.format(45)
    corrected = Lesson(path, ran, conversion.read(path).cells)
    assert corrected.header()[1] == "45" and not list(minutes.as_computed(corrected))
