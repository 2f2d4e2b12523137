"""The reminder: it changes twenty minutes from noon on, and an autoscaler's row is the sum of its seconds."""

import numpy as np

from fsdl_course.scaling import reminder
from fsdl_deploy.scaling import traffic
from fsdl_deploy.scaling.autoscaling import Moment


def test_only_the_twenty_minutes_after_noon_are_changed():
    usual = reminder.cards_a_second(5_000_000, times=1, least=0)
    rates = reminder.cards_a_second(5_000_000, times=3, least=0)
    changed = np.flatnonzero(~np.isclose(rates, usual))
    assert len(rates) == 4 * 3600 and changed[0] == 2 * 3600 and changed[-1] == 2 * 3600 + 20 * 60 - 1
    assert np.allclose(rates[changed], 3 * usual[changed])
    assert usual.sum() == np.float64(traffic.month(5_000_000)[-14 * 60 : -10 * 60].sum())


def test_quick_replicas_get_more_cards_than_the_reminder_brings():
    rates = reminder.cards_a_second(5_000_000, times=3, least=1e6)
    assert rates.max() == 1e6 == rates[2 * 3600] and rates[2 * 3600 - 1] < 1e6


def test_late_seconds_the_longest_wait_and_the_hours_paid():
    moments = [
        Moment(second, rate, replicas=1800, ready=2, busy=1.0, wait=wait)
        for second, (rate, wait) in enumerate([(10, 0.0), (30, 4.0), (25, 7.0), (20, 1.0)])
    ]
    assert reminder.table({"as above": moments}, per_replica=10).rows == [["as above", "2", "7", "2.0"]]
