"""The autoscaler: its rule by hand, its memory, and what a service does that follows it."""

import itertools

import pytest

from fsdl_deploy.scaling.autoscaling import PERIOD, Autoscaler, desired, lag, simulate


@pytest.mark.parametrize(
    ("replicas", "measured", "wish"),
    # 0.65 lies within the tolerance of a tenth around 0.6, 0.67 does not.
    [(3, 1.2, 6), (3, 0.65, 3), (3, 0.67, 4), (3, 0.55, 3), (3, 0.4, 2), (10, 0.06, 1), (3, 0, 0)],
)
def test_the_rule(replicas, measured, wish):
    assert desired(replicas, measured, target=0.6) == wish


def test_limits_hold_whatever_is_measured():
    scaler = Autoscaler(0.6, least=2, most=5, stabilisation=0)
    assert scaler(0, 3, 6.0) == 5 and scaler(15, 5, 0.0) == 2


def test_up_at_once_and_down_only_after_the_whole_window():
    scaler = Autoscaler(0.6, stabilisation=60)
    assert scaler(0, 2, 1.2) == 4
    assert [scaler(now, 4, 0.15) for now in (15, 30, 45)] == [4, 4, 4]
    assert scaler(60, 4, 0.15) == 1, "the wish for four is a minute old"


def test_a_wave_within_the_window_keeps_everybody():
    scaler = Autoscaler(0.6, stabilisation=60)
    wishes = [scaler(now, 4, 0.6 if now % 45 == 0 else 0.15) for now in range(0, 300, 15)]
    assert set(wishes) == {4}
    hasty = Autoscaler(0.6, stabilisation=0)
    assert 1 in [hasty(now, 4, 0.6 if now % 45 == 0 else 0.15) for now in range(0, 300, 15)]


@pytest.mark.parametrize("bad", [{"target": 0}, {"target": 0.6, "least": 0}, {"target": 0.6, "most": 0}])
def test_settings_that_cannot_be_are_refused(bad):
    with pytest.raises(ValueError, match="target must be above 0"):
        Autoscaler(**bad)


STEP = [5.0] * 120 + [45.0] * 480


def test_a_step_is_followed_late_and_the_queue_empties():
    moments = simulate(STEP, 10, Autoscaler(0.6), start=20)
    ready = [moment.ready for moment in moments]
    assert ready[119] == 1 and ready[-1] * 10 >= 45
    enough = next(moment.second for moment in moments if moment.ready * 10 >= 45)
    assert enough >= 120 + 20, "no replica is ready before it has started"
    assert lag(moments, 10) == enough - 120
    assert max(moment.wait for moment in moments) > 1 and moments[-1].wait == 0


def test_no_request_is_lost_or_answered_twice():
    moments = simulate(STEP, 10, Autoscaler(0.6), start=20)
    answered = sum(moment.busy * moment.ready * 10 for moment in moments)
    waiting = moments[-1].wait * moments[-1].ready * 10
    assert answered + waiting == pytest.approx(sum(STEP))


def test_a_quicker_start_and_more_room_shorten_the_lag():
    usual = lag(simulate(STEP, 10, Autoscaler(0.6), start=60), 10)
    assert lag(simulate(STEP, 10, Autoscaler(0.6), start=5), 10) < usual
    assert lag(simulate(STEP, 10, Autoscaler(0.3, least=5), start=60), 10) == 0


def test_replicas_change_only_when_the_autoscaler_looks():
    moments = simulate(STEP, 10, Autoscaler(0.6))
    changes = [b.second for a, b in itertools.pairwise(moments) if a.replicas != b.replicas]
    assert changes and all((second - 1) % PERIOD == 0 for second in changes)
