"""A replay as a picture: what is read from the history, and that nothing in it is needed."""

import json

import pytest

from fsdl_course.capstone import replay_figure

EVENTS = [
    {"t": 1.5, "what": "answer", "due": 1.0, "status": 200},
    {"t": 2.1, "what": "answer", "due": 2.0, "status": 422},
    {"t": 9.0, "what": "answer", "due": 3.0, "status": None},
    {"t": 4.0, "what": "fault", "name": "kill -9"},
    {"t": 5.0, "what": "sample", "memory": 2**20, "cpu": 0.1},
    {"t": 6.0, "what": "fault over", "name": "kill -9"},
]


def test_waits_count_from_when_a_card_was_due_by_what_came_of_it():
    waits = replay_figure.waits(EVENTS)
    assert waits["answered"] == [(1.0, pytest.approx(500))]
    assert waits["refused for good"] == [(2.0, pytest.approx(100))]
    assert waits["no answer"] == [(3.0, pytest.approx(6000))]


def test_a_fault_is_a_stretch_of_time():
    assert replay_figure.faults(EVENTS) == [(4.0, 6.0, "kill -9")]


@pytest.mark.parametrize("events", [EVENTS, EVENTS[:1], []])
def test_a_history_is_drawn_however_little_is_in_it(tmp_path, capsys, events):
    file = tmp_path / "history.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    replay_figure.show(file)
