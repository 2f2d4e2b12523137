"""The month as a curve: its sum, its busy days, its hours."""

import numpy as np
import pytest

from fsdl_deploy.scaling import traffic
from fsdl_deploy.scaling.traffic import BUSY_DAYS, BUSY_SHARE, DAY, DAYS


def test_a_month_has_its_cards_and_most_of_them_at_its_end():
    curve = traffic.month(50_000)
    assert len(curve) == DAYS * DAY and curve.sum() == pytest.approx(50_000) and curve.min() >= 0
    assert curve[-BUSY_DAYS * DAY :].sum() / curve.sum() == pytest.approx(BUSY_SHARE)


def test_a_day_is_quiet_at_four_and_busy_twelve_hours_later():
    days = traffic.month(50_000).reshape(DAYS, DAY)
    assert (days.argmin(axis=1) == 4 * 60).all() and (days.argmax(axis=1) == 16 * 60).all()


def test_month_end_has_one_quiet_day_and_the_busy_ones():
    sums = traffic.month_end(50_000).reshape(-1, DAY).sum(axis=1)
    assert len(sums) == BUSY_DAYS + 1 and sums[1:].min() > 10 * sums[0]


def test_burstiness_is_the_busiest_minute_over_the_mean():
    assert traffic.burstiness(np.full(10, 3.0)) == 1 and traffic.burstiness(np.array([0, 0, 0, 4])) == 4
    assert traffic.burstiness(traffic.month(50_000)) == pytest.approx(
        2 * BUSY_SHARE / BUSY_DAYS * DAYS, rel=1e-3
    )
