"""What the lesson says of the record of drifts in words: here it is held against the record."""

import pytest

from fsdl_deploy.cards import DRIFTS
from fsdl_deploy.measuring import records
from fsdl_deploy.monitoring.drift_table import FILE, SEEN, table

RECORD = records.read(FILE)
ROWS = {row["drift"]: row for row in RECORD["rows"]}
HARMFUL = ("inverted", "rotated", "cropped", "new pen")


def sees(signal, drift):
    return ROWS[drift]["signals"][signal]["share"] >= SEEN


def test_false_alarms_are_no_more_than_promised():
    usual = RECORD["false_alarms"]
    assert usual["weeks"] == 1000 and usual["any"] <= usual["allowed"]


@pytest.mark.parametrize("drift", DRIFTS)
def test_signals_of_the_service_see_no_changed_picture_and_the_input_sees_each(drift):
    assert not sees("rate", drift) and not sees("p99", drift)
    assert sees("input", drift)


def test_signals_of_the_answer_see_what_does_harm():
    for signal in ("confidence", "handed on", "plausibility"):
        assert {drift for drift in DRIFTS if sees(signal, drift)} == set(HARMFUL)
    assert min(ROWS[drift]["lost"] for drift in HARMFUL) > 5


def test_dark_is_an_alarm_about_the_input_and_not_about_harm():
    dark = ROWS["dark"]
    assert dark["signals"]["input"]["cards"] < 40 and 0 <= dark["lost"] < 5
    assert dark["median_confidence"] > 0.9


def test_the_signals_of_the_answer_see_a_tenth_inverted_before_the_input_does():
    signals = ROWS["a tenth inverted"]["signals"]
    assert max(signals[s]["cards"] for s in ("confidence", "plausibility")) < signals["input"]["cards"]


def test_each_change_of_the_tour_is_seen_within_some_dozens_of_cards():
    assert all(ROWS[drift]["signals"]["input"]["cards"] < 60 for drift in DRIFTS)


def test_a_card_on_its_side_is_refused_and_a_surge_is_a_matter_of_the_rate():
    assert sees("refused", "on its side") and ROWS["on its side"]["right"] < 0.01
    surge = "twice as many cards"
    assert {signal for signal in ROWS[surge]["signals"] if sees(signal, surge)} == {"rate"}


def test_a_part_and_a_slow_change_are_seen_later_than_the_whole_at_once():
    after = {drift: ROWS[drift]["signals"]["input"]["cards"] for drift in ROWS}
    assert after["a tenth inverted"] > 3 * after["inverted"]
    assert after["dark, more each day"] > 3 * after["dark"]


def test_the_table_shows_the_record():
    text = str(table(RECORD))
    assert all(row in text for row in ROWS) and "1,000 usual weeks" in text
