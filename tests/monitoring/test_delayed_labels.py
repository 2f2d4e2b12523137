"""Labels that come late and from the unhappy: read from a file, put right, compared with the truth."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.monitoring.delayed_labels import (
    Audit,
    as_they_come,
    audited,
    complaints,
    delays,
    put_right,
)
from fsdl_deploy.monitoring.unhappy_customers import World, compared, estimates, lived, other
from fsdl_deploy.prototype.feedback import save_feedback
from fsdl_deploy.reading import Reading

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_the_button_of_the_prototype_is_read_and_joined_with_its_answers(tmp_path):
    pile = [card.image for card in cards(3, seed=1)]
    files = [save_feedback(tmp_path, image, Reading("12", 0.9, (), "v2"), "no!") for image in pile[:2]]
    save_feedback(tmp_path, pile[0], Reading("12", 0.9, (), "v2"), "still wrong!")
    save_feedback(tmp_path, pile[2], Reading("12", 0.9, (), "v1"), "of another model")
    pressed = complaints(tmp_path)
    assert len(pressed) == 3  # the first word on each picture and model
    moment = pressed[0].time
    answers = {
        files[0].name: moment - timedelta(days=3),
        files[1].name: moment + timedelta(days=1),  # answered after: not this answer's complaint
        "other.png": moment - timedelta(days=2),
    }
    answered, waited = delays(answers, pressed, "v2")
    assert answered.tolist() == [0, 4, 1]
    assert waited[0] == pytest.approx(3) and np.isinf(waited[1:]).all()


def test_no_file_is_no_complaint_and_a_broken_line_is_named(tmp_path):
    assert complaints(tmp_path) == []
    for line in ("{", '{"time": "2026-11-01T00:00:00"}', "[]"):
        (tmp_path / "feedback.jsonl").write_text(line + "\n")
        with pytest.raises(ValueError, match=r"feedback.jsonl, line 1 is no feedback: .*Mend or remove it"):
            complaints(tmp_path)


def test_complaints_promise_too_much_until_both_reasons_are_put_right():
    answered = np.linspace(0, 14, 1400)
    wrong = np.arange(1400) % 10 == 0
    waited = np.where(wrong & (np.arange(1400) % 20 == 0), 7.0, np.inf)  # half, a week later
    usual, audit = np.full(50, 7.0), Audit(1000, 100, 50)
    assert as_they_come(answered, waited, 14).accuracy == pytest.approx(0.975, abs=0.001)
    estimate = put_right(answered, waited, 14, usual, audit)
    assert estimate.low < 0.9 < estimate.high
    assert estimate.accuracy == pytest.approx(0.9, abs=0.005)
    assert audited(audit).accuracy == 0.9


@pytest.mark.parametrize(
    ("attempt", "sentence"),
    [
        (lambda: delays({}, [], "v2"), "no answers"),
        (lambda: Audit(10, 2, 3), "some are wrong, and of these some complained of"),
        (lambda: Audit(0, 0, 0), "of the cards checked"),
        (
            lambda: put_right(np.zeros(5), np.full(5, np.inf), 1, np.ones(3), Audit(10, 0, 0)),
            "audit more",
        ),
        (lambda: put_right(np.zeros(5), np.full(5, np.inf), 1, np.array([]), Audit(10, 1, 0)), "no delays"),
        (lambda: put_right(np.zeros(5), np.full(5, np.inf), 1, np.ones(3) * 9, Audit(10, 1, 0)), "wait"),
        (lambda: other(World(), press_low=1.5), "shares lie between 0 and 1"),
        (lambda: list(estimates(World(), 0, first=3)), "the first day is 54 or later"),
    ],
)
def test_what_cannot_be_estimated_is_said(attempt, sentence):
    with pytest.raises(ValueError, match=sentence):
        attempt()


def test_in_a_world_whose_truth_is_known_each_way_is_as_wrong_as_it_says():
    ways = {row["way"]: row for row in compared(World(), promise=0.92, runs=8)}
    assert ways["as they come"]["error"] > 3 and ways["as they come"]["inside"] == 0
    assert ways["as they come"]["late"] is None
    for way in ("put right", "audit"):
        assert abs(ways[way]["error"]) < 1
        assert ways[way]["inside"] > 0.85
        assert 3 <= ways[way]["late"] <= 25


def test_when_other_errors_are_made_an_old_audit_misleads():
    """After the change four of five errors are too low: fewer press, and it looks like a small drop."""
    world = other(World(), too_high=(0.5, 0.2), last=140)
    last = [day for day in estimates(world, 1) if day.day == world.last]
    said_by = {day.way: day.estimate.accuracy - day.truth for day in last}
    assert said_by["put right"] > 0.03
    assert abs(said_by["audit"]) < 0.06


def test_only_wrong_readings_are_pressed_and_more_of_the_high_ones():
    world = other(World(), too_high=(1.0, 0.0))
    answered, wrong, waited = lived(world, 0)
    pressed, before = np.isfinite(waited), answered < world.change
    assert not (pressed & ~wrong).any()
    shares = [pressed[wrong & part].mean() for part in (before, ~before)]
    assert shares == pytest.approx([world.press_high, world.press_low], abs=0.04)
