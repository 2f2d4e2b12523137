"""The beat: what is missing of it is a standstill, and only that."""

import pytest

from fsdl_deploy.measuring.beat import Beat


def test_a_standstill_is_a_gap_and_is_cut_to_the_moments_that_matter():
    moments = iter([0.0, 0.1, 1.0, 27.0, 27.1, 30.1])
    beat = Beat(lambda: next(moments))
    for _ in range(5):
        beat.strike()
    assert beat.stops == [(1.0, 27.0), (27.1, 30.1)] and beat.seconds == pytest.approx(29)
    assert beat.within(0, 40) == pytest.approx(29) and beat.within(0, 0.9) == 0
    assert beat.within(20, 28.1) == pytest.approx(8) and beat.within(2, 3) == pytest.approx(1)
