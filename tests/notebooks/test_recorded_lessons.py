"""Figures of the lessons' run and of any record: looked up by words, refused where the words fit nothing."""

import json

import pytest

from fsdl_course.notebooks import recorded
from fsdl_course.notebooks.record_lookup import QuoteError

CLAIMED = ["“It is so.”", "3 of 3", "holds"]
RUN = {
    "lessons": {
        "01_lesson": {
            "tables": [
                {
                    "section": "Two ways",
                    "header": ["way", "p50 (ms)"],
                    "rows": [["one", "1.5"], ["two", "1,200"]],
                },
                {
                    "section": "Claims",
                    "header": ["the lecture", "measured here", "verdict"],
                    "rows": [CLAIMED],
                },
            ],
            "printed": ["one request: 12.5 ms = model 2 ms + web −3 ms", "sent 1,200 of 1,300 cards"],
        }
    }
}
CLUSTER = {"lost": {"p99": 4.5}, "rows": [{"a": "x", "b": 1}, {"a": "y", "b": 2}]}
CLAIM = """[[claim]]
number = 7
quote = "It is so."
source = "notes"
lesson = "01"
notebook = "01_lesson"
undecided = "nobody knows"
"""


@pytest.fixture
def folder(tmp_path):
    for place, content in {
        "slides/lessons.json": json.dumps(RUN),
        "infra/cluster/recorded.json": json.dumps(CLUSTER),
        "notebooks/claims.toml": CLAIM,
    }.items():
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path / "models"


@pytest.mark.parametrize(
    ("name", "words", "value"),
    [
        ("printed", ["01_lesson", "one request"], 12.5),
        ("printed", ["01_lesson", "one request", "3"], -3),
        ("printed", ["01_lesson", "one request", "ms + web"], 2),
        ("printed", ["01_lesson", "sent", "2"], 1300),
        ("cell", ["01_lesson", "Two ways", "two", "p50"], "1,200"),
        ("number", ["01_lesson", "Two ways", "two", "p50"], 1200),
        ("kept", ["infra/cluster", "lost", "p99"], 4.5),
        ("kept", ["infra/cluster", "rows", "a=y", "b"], 2),
        ("kept", ["infra/cluster", "rows", "0", "a"], "x"),
        ("lecture", ["7"], "“It is so.”"),
        ("seen_of", ["7"], "3 of 3"),
        ("verdict_of", ["7"], "holds"),
    ],
)
def test_a_figure_by_its_words(folder, name, words, value):
    assert recorded.figure(name, words, folder) == value


@pytest.mark.parametrize(
    ("name", "words", "problem"),
    [
        ("printed", ["01_lesson", "one request", "9"], "no single number at '9'"),
        ("printed", ["01_lesson", "two requests"], "is none of"),
        ("printed", ["01_lesson", "one request", "ms"], "no single number at 'ms'"),
        ("cell", ["01_lesson", "Two ways", "two", "p99"], "name 'p99' is none of"),
        ("kept", ["infra/cluster", "rows"], "no single figure"),
        ("kept", ["infra/cluster", "rows", "5"], "nothing at '5'"),
        ("kept", ["infra/gone", "rows"], "no record gone.json"),
        ("lecture", ["8"], "has no '8'"),
    ],
)
def test_words_that_fit_nothing(folder, name, words, problem):
    with pytest.raises(QuoteError, match=problem):
        recorded.figure(name, words, folder)
