"""Keys, tables and pictures of a deck are filled in from records; what no record has stops the build."""

import pytest
import tiny_decks

from fsdl_course.slides import filling
from fsdl_course.slides.deck import DeckError


def filled(tmp_path, words, drawn=None):
    own = tiny_decks.make(tmp_path, lambda text: text.replace("- some words", f"{words}\n\n- some words", 1))
    drawn = {} if drawn is None else drawn

    def diagram(name, text):
        drawn[name] = text
        return f"img/diagram-{name}.svg"

    return filling.fill(own, tmp_path, lambda name: f"img/chart-{name}.svg", diagram)


def test_keys_are_filled_in_everywhere(tmp_path):
    words = "![all {{rung(teacher, cards):,}} of them are here](chart/ladder.svg)\n\n"
    words += "<!-- {{rung(teacher, right)}} right -->"
    text = filled(tmp_path, words)
    assert '<span title="rung(teacher, right)">1926</span> cards' in text
    assert "![all 2,000 of them are here](img/chart-ladder.svg)" in text
    assert "<!-- 1926 right -->" in text


def test_a_table_of_a_lesson_s_run(tmp_path):
    block = '```table\nlesson = "01_lesson"\nsection = "Two ways"\n'
    block += 'rows = ["two", "one"]\ncolumns = ["way", "ms"]\n```'
    text = filled(tmp_path, block)
    assert "```table" not in text
    assert text.index(">two<") < text.index(">one<")
    assert '<td class="right">1,200</td>' in text and "a &lt; b" not in text
    assert "a &lt; b" in filled(tmp_path / "all", block.replace('columns = ["way", "ms"]\n', ""))


def test_diagrams_of_the_lesson_and_of_the_deck(tmp_path):
    drawn = {}
    words = "![how the cards reach the model](diagram/01_lesson.svg)\n\n"
    words += "```mermaid It begins and then it ends\nflowchart TD\n  a --> b\n```"
    text = filled(tmp_path, words, drawn)
    assert drawn["01_lesson"] == "flowchart LR\n    cards --> model\n"
    assert drawn["01_deck-1"] == "flowchart TD\n  a --> b\n"
    assert "![It begins and then it ends](img/diagram-01_deck-1.svg)" in text


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("{{rung(student, right)}}", "01_deck: .*student.*is none of 'teacher, padded'"),
        ("{{served(ours, 8, p50):.1f}}", "no record serving.json"),
        ("{{cell(01_lesson, Three ways, one, ms)}}", "section 'Three ways' is none of"),
        ("{{printed(02_lesson, one request)}}", "has no '02_lesson'"),
        (
            '```table\nlesson = "01_lesson"\nsection = "Two ways"\nrows = ["three"]\n```',
            "name 'three' is none of",
        ),
        (
            '```table\nlesson = "01_lesson"\nsection = "Two ways"\nnames = ["a", "b", "c"]\n```',
            "go with `columns`",
        ),
        (
            '```table\nlesson = "01_lesson"\nsection = "Two ways"\n'
            'columns = ["way", "ms"]\nnames = ["a"]\n```',
            "1 names for 2 columns",
        ),
        ('```table\nlesson = "01_lesson"\n```', "names its section"),
        ("![a diagram that no lesson has](diagram/09_gone.svg)", "no lesson 09_gone"),
    ],
)
def test_what_no_record_has_stops_the_build(tmp_path, words, problem):
    with pytest.raises(DeckError, match=problem):
        filled(tmp_path, words)
