"""The page of decisions: every arrow has a row with a figure of a record and a section that exists."""

import re

import pytest

from fsdl_course import choosing
from fsdl_course.choosing import ChoosingError
from fsdl_deploy.paths import ROOT

SOURCE = (ROOT / choosing.FILE).read_text(encoding="utf-8")


def test_every_arrow_of_the_courses_page_has_a_row_a_figure_and_a_section():
    assert list(choosing.problems(SOURCE, ROOT)) == []
    text = choosing.page(ROOT)
    rows = dict(choosing.ROW.findall(text))
    assert list(rows) == [str(number + 1) for number in range(len(rows))] and len(rows) > 12
    for number, row in rows.items():
        assert re.search(r'<span title="[^"]+">[^<]*\d', row), f"arrow {number} shows no number"
    assert "{{" not in text


def test_every_question_leads_on_in_two_ways_and_every_answer_can_be_reached():
    drawn = re.search(r"```mermaid\n(.*?)```", SOURCE, re.DOTALL)[1]
    arrows = re.findall(r"^ *(\w+)(?:[(\[].*?)? *--> *(?:\|[^|]*\|)? *(\w+)", drawn, re.MULTILINE)
    questions = set(re.findall(r"(\w+)\(\[", drawn))
    for question in questions:
        assert sum(start == question for start, _ in arrows) >= 2
    boxes = questions | set(re.findall(r"(\w+)\[\"", drawn))
    assert boxes - {end for _, end in arrows} == {"who"}


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("| 4 | You", "| 40 | You", "the diagram has the arrows 1, 2, 3, 4,"),
        ("{{seen_of(27)}}", "a lot", "arrow 4: say by a key what was measured"),
        ("{{seen_of(27)}}", "{{seen_of(27)}} of 12.5 ms", "12.5 ms.* stands bare"),
        ("02_batch.ipynb#The-pros,-measured", "02_batch.ipynb#The-cons", "arrow 2: 02_batch has no section"),
        ("[The ladder](<notebooks/05_optimization.ipynb#The-ladder>)", "The ladder", "arrow 13: link"),
    ],
)
def test_a_page_that_is_wrong_is_refused(tmp_path, before, after, message):
    assert before in SOURCE
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "source").symlink_to(ROOT / "notebooks" / "source")
    wrong = SOURCE.replace(before, after)
    assert any(re.search(message, problem) for problem in choosing.problems(wrong, tmp_path))


def test_what_is_wrong_is_said_when_the_page_is_written(tmp_path):
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    (tmp_path / choosing.FILE).write_text("# Which?\n")
    with pytest.raises(ChoosingError, match="the diagram has the arrows"):
        choosing.page(tmp_path)
