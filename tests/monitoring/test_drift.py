"""Drift: what has changed is seen, and soon; what is usual is not; bad input gets one sentence."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from fsdl_deploy.monitoring import drift
from fsdl_deploy.monitoring.drift import DriftWatch, Reference

NIGHT = np.tile(["day"] * 30 + ["night"] * 10, 60)  # 2,400 cards


def usual(seed, kinds=NIGHT, share=0.05):
    """Cards that are darker by night, some handed on, with gaps as they come by chance."""
    rng = np.random.default_rng(seed)
    return {
        "grey": rng.normal(0, 1, len(kinds)) - 2 * (kinds == "night"),
        "handed on": (rng.random(len(kinds)) < share).astype(float),
        "gap": rng.exponential(1, len(kinds)),
        "latency": rng.lognormal(0, 0.3, len(kinds)),
    }


@pytest.fixture(scope="module")
def watch():
    return DriftWatch(Reference(usual(0), NIGHT), week=1000, weeks=80)


def alarms(watch, seed=1, kinds=NIGHT[:1000], **changed):
    statistics = usual(seed, kinds)
    return watch.alarms(statistics | {k: change(statistics[k]) for k, change in changed.items()}, kinds)


def test_usual_weeks_are_silent_although_nights_are_darker(watch):
    noisy = [seed for seed in range(100, 140) if alarms(watch, seed)]
    assert len(noisy) <= 4  # 0.4 are to be expected, 4 by a factor of ten


def test_day_cards_by_night_would_be_an_alarm(watch):
    """The pattern is silent because like is compared with like, not because nothing is seen."""
    statistics = usual(1, NIGHT[:1000])
    assert not watch.alarms(statistics, NIGHT[:1000])
    assert watch.alarms(statistics, np.full(1000, "day"))


def test_a_large_change_is_seen_within_some_cards_and_under_its_name(watch):
    first = alarms(watch, grey=lambda grey: grey + 4)[0]
    assert first.card < 30
    assert (first.signal, first.statistic, first.detector) == ("input", "grey", "sum")


def test_a_small_share_and_a_slow_change_are_seen_later(watch):
    tenth = alarms(watch, grey=lambda grey: np.where(np.arange(len(grey)) % 7, grey, grey + 6))
    slow = alarms(watch, grey=lambda grey: grey + 3 * np.arange(len(grey)) / len(grey))
    assert 30 < tenth[0].card < 1000
    assert 100 < slow[0].card < 1000


def test_a_changed_shape_with_the_same_middle_is_seen_by_the_distance(watch):
    detectors = {alarm.detector for alarm in alarms(watch, grey=lambda grey: grey * 0.1 - 0.0)}
    assert "distance" in detectors


def test_fewer_and_more_events_are_both_seen(watch):
    more = alarms(watch, **{"handed on": lambda share: np.maximum(share, np.arange(len(share)) % 3 == 0)})
    assert more[0].signal == "handed on"
    faster = alarms(watch, gap=lambda gap: gap / 4)
    slower = alarms(watch, gap=lambda gap: gap * 8)
    assert {faster[0].signal, slower[0].signal} == {"rate"}


def test_a_slow_tail_is_seen_and_a_single_slow_answer_is_not(watch):
    assert not alarms(watch, latency=lambda ms: np.where(np.arange(len(ms)) == 50, 100, ms))
    tail = alarms(watch, latency=lambda ms: np.where(np.arange(len(ms)) % 5, ms, 10 * ms))
    assert {alarm.signal for alarm in tail} == {"p99"}


def test_a_busy_day_is_not_a_drift(watch):
    assert not alarms(watch, gap=lambda gap: np.where(np.arange(len(gap)) < 300, gap / 1.15, gap))


def test_what_is_not_known_is_no_alarm(watch):
    assert not alarms(watch, grey=lambda grey: np.full(len(grey), np.nan))


def test_the_sum_finds_the_best_moment_to_begin_and_looks_both_ways():
    scores = np.r_[np.zeros(50), np.full(10, 1.25)]
    assert drift.cumulative_sum(scores)[-1] == drift.cumulative_sum(-scores)[-1] == pytest.approx(10)
    assert drift.cumulative_sum(np.zeros(100)).max() == 0


def test_the_distance_is_that_of_scipy_over_whole_windows():
    ranks, pool = np.random.default_rng(0).random(500), np.random.default_rng(1).random(1000)
    values = drift.distances(ranks, pool)
    assert len(values) == 2
    assert values[1] == pytest.approx(ks_2samp(ranks[200:400], pool).statistic * np.sqrt(200))


def test_more_false_alarms_allowed_means_lower_thresholds():
    reference = Reference(usual(0), NIGHT)
    strict, lax = (DriftWatch(reference, 1000, allowed, weeks=80).thresholds for allowed in (1, 200))
    assert all(lax[key] < strict[key] for key in strict)


def test_a_statistic_of_your_own_is_watched_too():
    rng = np.random.default_rng(0)
    reference = Reference({"temperature": rng.normal(20, 1, 1000)})
    warm = {"temperature": rng.normal(25, 1, 300)}
    assert DriftWatch(reference, 300, weeks=40).alarms(warm)[0].signal == "temperature"


def test_what_never_happened_may_happen_twice():
    reference = Reference({"refused": np.zeros(1000)})
    watch = DriftWatch(reference, 400, weeks=40)
    seldom, often = np.zeros(400), np.zeros(400)
    seldom[[100, 300]], often[100:105] = 1, 1
    assert not watch.alarms({"refused": seldom})
    assert watch.alarms({"refused": often})[0].card == 103


@pytest.mark.parametrize(
    ("attempt", "sentence"),
    [
        (lambda: Reference({"grey": np.zeros(99)}), "99 cards of the kind '0': it needs 100"),
        (lambda: Reference({"grey": np.zeros(0)}), "at least one card"),
        (lambda: Reference({"grey": np.zeros(200)}, ["day"] * 3), "3 kinds for 200 cards"),
        (lambda: DriftWatch(Reference({"grey": np.zeros(200)}), week=10), "week at least 200 cards"),
        (lambda: DriftWatch(Reference({"grey": np.zeros(200)}), false_alarms=0), "false_alarms is between"),
        (
            lambda: Reference({"grey": np.zeros(200)}).ranks({"grey": np.zeros(1)}, ["night"]),
            "no card of the kind 'night'",
        ),
    ],
)
def test_bad_input_gets_one_sentence(attempt, sentence):
    with pytest.raises(ValueError, match=sentence):
        attempt()
