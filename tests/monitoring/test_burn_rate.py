"""Burn rates: by hand, minute by minute, and as the rules of Prometheus have them."""

import numpy as np
import pytest

from fsdl_deploy.monitoring import alerts, burn_rate
from fsdl_deploy.monitoring.burn_rate import WINDOWS, Window, fires, minutes_to_fire, naive, times_woken

FAST = WINDOWS[0]


def constant(minutes, errors, rate=1000):
    return np.full(minutes, errors * rate), np.full(minutes, rate)


def test_one_spends_the_budget_in_the_period():
    assert burn_rate.burn_rate(1, 1000) == pytest.approx(1)
    assert burn_rate.burn_rate(72, 5000) == pytest.approx(14.4)
    assert burn_rate.burn_rate(5, 100, 0.9) == pytest.approx(0.5)
    assert burn_rate.burn_rate(0, 0) == 0


@pytest.mark.parametrize("objective", [0, 1, 99.9])
def test_an_objective_leaves_something(objective):
    with pytest.raises(ValueError, match="between 0 and 1"):
        burn_rate.burn_rate(1, 1000, objective)


def test_what_a_window_spends_before_it_fires():
    assert [round(window.spends, 3) for window in WINDOWS] == [0.02, 0.05, 0.1, 0.1]


@pytest.mark.parametrize("window", WINDOWS[:3])
@pytest.mark.parametrize("errors", [0.05, 0.2, 1])
def test_it_fires_when_the_formula_says(window, errors):
    bad, total = constant(10_000, 0)[0], constant(10_000, 0)[1]
    bad[5000:] = errors * total[5000:]
    first = int(np.argmax(fires(bad, total, window))) - 5000 + 1  # minutes that have failed by then
    assert first == pytest.approx(minutes_to_fire(errors, window), abs=1)


def test_below_its_rate_it_never_fires():
    assert minutes_to_fire(0.014, FAST) == float("inf")
    assert not fires(*constant(1000, 0.014), FAST).any()
    assert fires(*constant(1000, 0.015), FAST)[-1]


def test_it_ends_soon_after_the_errors_though_the_hour_still_has_them():
    bad, total = constant(400, 0.2)
    bad[200:] = 0
    firing = fires(bad, total, FAST)
    assert firing[199] and not firing[200 + FAST.short :].any()
    assert fires(bad, total, Window(60, 60, 14.4, "page"))[240]  # one window alone fires on for an hour


def test_few_requests_are_no_news():
    total = np.zeros(600)
    total[::20] = 1
    assert not fires(total * 1.0, total, FAST).any()  # three an hour, and all fail
    total[:] = 1
    assert fires(total * 1.0, total, FAST)[9] and not fires(total * 1.0, total, FAST)[8]


def test_nobody_asks():
    assert not fires(np.zeros(100), np.zeros(100), FAST).any()
    assert not naive(np.zeros(100), np.zeros(100)).any()


def test_the_naive_rule_wakes_people_within_the_promise():
    rng = np.random.default_rng(3)
    total = rng.poisson(1200, 7 * 1440)
    bad = rng.binomial(total, 0.0005)  # half of what may fail
    assert times_woken(naive(bad, total)) > 20
    assert not any(fires(bad, total, window).any() for window in WINDOWS)


def test_times_woken():
    assert times_woken([0, 1, 1, 0, 1]) == 2 and times_woken([1, 0]) == 1 and times_woken([]) == 0


def test_the_rules_have_these_windows_and_rates():
    names = {5: "5m", 30: "30m", 60: "1h", 120: "2h", 360: "6h", 1440: "1d", 4320: "3d"}
    paged = [rule for rule in alerts.rules() if rule.name.startswith("ReaderBurns")]
    assert len(paged) == len(WINDOWS)
    for rule, window in zip(paged, WINDOWS, strict=True):
        for minutes in (window.long, window.short):
            limit = f"reader:bad_ratio:rate{names[minutes]} > {window.rate:g} * 0.001"
            assert limit in rule.expression
        assert f"reader:bad:increase{names[window.long]} >= {window.least}" in rule.expression
        assert rule.severity == window.severity


def test_the_table_shows_never():
    text = str(burn_rate.table())
    assert "never" in text and "14.4" in text and "36 h" in text
