"""A utility's weeks: their pattern, their cards, and the table that is made from them."""

import json
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from fsdl_deploy import cli
from fsdl_deploy.monitoring import drift_table, drift_weeks
from fsdl_deploy.monitoring.drift import DriftWatch, Reference
from fsdl_deploy.monitoring.drift_table import SCENARIOS, happened
from fsdl_deploy.monitoring.drift_weeks import Measured, cards_of, error, measured, week
from fsdl_deploy.reading import Reading

RNG = np.random.default_rng


def test_a_week_has_its_pattern_and_a_month_its_end():
    plain, gaps = week(date(2026, 11, 2), RNG(0))
    last, _ = week(date(2026, 11, 30), RNG(0))
    assert len(plain) == len(gaps) and (gaps >= 0).all()
    assert set(plain) == {"night", "day", "evening"}
    assert {"day, month end", "night"} <= set(last)
    kinds, counts = np.unique(plain, return_counts=True)
    assert list(kinds[np.argsort(counts)]) == ["night", "evening", "day"]
    assert len(week(date(2026, 11, 2), RNG(0), volume=3)[0]) > 2 * len(plain)


def test_a_drift_changes_the_picture_and_not_what_is_written():
    kinds = ["day", "night", "evening"]
    usual, previous = cards_of(kinds, seed=3)
    for drift in ("inverted", "blurred", "on its side"):
        pile, before = cards_of(kinds, seed=3, drift=drift)
        assert [card.truth for card in pile] == [card.truth for card in usual] and before == previous
        assert not any(np.array_equal(a.image, b.image) for a, b in zip(pile, usual, strict=True))
    assert all(int(card.truth) >= before for card, before in zip(usual, previous, strict=True))


class Fixed:
    """Reads the same on every card."""

    model_version = "fixed"

    def read(self, images):
        return [Reading("12345", 0.9, (), "fixed")] * len(images)


def test_cards_are_measured_as_the_service_would_answer_them():
    pile = measured(Fixed(), ["day"] * 4, [1.0] * 4, seed=0)
    assert pile.statistics["digits"].tolist() == [5] * 4 and not pile.right.any()
    assert (pile.statistics["latency"] >= 0).all()
    side = measured(Fixed(), ["day"] * 4, [1.0] * 4, seed=0, drift="on its side")
    assert side.statistics["refused"].tolist() == [1] * 4
    assert np.isnan(side.statistics["confidence"]).all() and side.errors.tolist() == [-1] * 4


def test_an_error_has_a_direction():
    answers = [Reading(digits, 1.0, (), "v") for digits in ("120", "121", "119", "")]
    assert [error(answer, "120") for answer in answers] == [0, 1, -1, -1]


@pytest.fixture(scope="module")
def piles():
    """A bank without a model: grey and confidence from a normal distribution, moved by each drift."""

    def pile(seed, moved=0.0, wrong=0.05, count=3000):
        rng = RNG(seed)
        weeks = [week(date(2026, 9, 28), rng) for _ in range(3)]
        kinds, gaps = (np.concatenate(columns)[:count] for columns in zip(*weeks, strict=True))
        statistics = {name: rng.normal(moved, 1, len(kinds)) for name in ("grey", "confidence")}
        statistics["gap"] = gaps
        return Measured(statistics, kinds, (rng.random(len(kinds)) < wrong).astype(int))

    names = {scenario.drift for scenario in SCENARIOS} - {None}
    drifted = {name: pile(1, 5.0, 0.5) for name in names}
    return {"reference": pile(0), "usual": pile(1)} | drifted


def test_the_share_and_the_moment_of_a_change_are_those_of_the_scenario(piles):
    by_name = {scenario.name: scenario for scenario in SCENARIOS}
    shares = {}
    for name in ("inverted", "a tenth inverted", "dark, more each day"):
        statistics, _, changed = happened(piles, by_name[name], RNG(1))
        shares[name] = changed.mean()
        assert statistics["grey"][changed].mean() > 4
        assert (statistics["grey"][~changed] < 4).all()
    assert shares["inverted"] == 1
    assert shares["a tenth inverted"] == pytest.approx(0.1, abs=0.03)
    assert shares["dark, more each day"] == pytest.approx(0.5, abs=0.05)
    half = len(changed) // 2
    assert changed[half:].mean() > 2 * changed[:half].mean()


def test_the_command_writes_a_record_that_its_table_and_prose_can_read(piles, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(drift_table, "bank", lambda *_: piles)
    monkeypatch.setattr(drift_table, "OnnxReader", lambda version: SimpleNamespace(version=version))
    file = tmp_path / "drift.json"
    words = ["monitoring", "drift", "--weeks", "20", "--runs", "3", "--json", str(file)]
    assert cli.main(words) == 0
    content, text = json.loads(file.read_text()), capsys.readouterr().out
    assert content["false_alarms"]["weeks"] == 20 and content["false_alarms"]["any"] <= 2
    inverted = content["rows"][0]
    assert inverted["drift"] == "inverted" and inverted["lost_from"] < inverted["lost"] < inverted["lost_to"]
    assert inverted["lost"] == pytest.approx(45, abs=5)
    assert inverted["signals"]["input"]["share"] == 1 and inverted["signals"]["input"]["cards"] < 40
    tenth = next(row for row in content["rows"] if row["drift"] == "a tenth inverted")
    assert tenth["lost"] == pytest.approx(inverted["lost"] / 10)
    assert "weeks with a false alarm" in text and "20 usual weeks" in text


def test_a_surge_alone_is_seen_by_the_rate_and_by_nothing_else():
    rng = RNG(0)
    kinds, gaps = week(date(2026, 11, 2), rng)
    for _ in range(3):
        more = week(date(2026, 11, 2), rng)
        kinds, gaps = np.r_[kinds, more[0]], np.r_[gaps, more[1]]
    reference = Reference({"gap": gaps, "grey": rng.normal(size=len(gaps))}, kinds)
    watch = DriftWatch(reference, 1400, weeks=40)
    busy, waits = week(date(2026, 11, 2), rng, volume=2.5)
    alarms = watch.alarms({"gap": waits, "grey": rng.normal(size=len(waits))}, busy)
    assert {alarm.signal for alarm in alarms} == {"rate"}


@pytest.mark.parametrize("words", [["--weeks", "0"], ["--runs", "0"], ["--cards", "5"], ["--reference", "0"]])
def test_the_command_refuses_what_measures_nothing(words, capsys):
    assert cli.main(["monitoring", "drift", *words]) == 1
    assert "at least" in capsys.readouterr().err


def test_stretches_are_joined_in_order():
    part = Measured({"grey": np.array([1.0])}, np.array(["day"]), np.array([0]))
    other = Measured({"grey": np.array([2.0])}, np.array(["night"]), np.array([1]))
    joined = drift_weeks.joined_measured([part, other])
    assert joined.statistics["grey"].tolist() == [1, 2] and joined.right.tolist() == [True, False]
