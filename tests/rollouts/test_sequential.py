"""Tests for looking once and for looking often: false alarms, power, evidence that only harm lets grow."""

import numpy as np
import pytest

from fsdl_deploy.rollouts.sequential import alarms_at, evidence, false_alarms, msprt_p, power, z_test_p


def test_peeking_at_a_z_test_alarms_often_and_at_msprt_seldom():
    peeking, sequential = (false_alarms(test, 0.02, canaries=300) for test in (z_test_p, msprt_p))
    assert peeking > 0.2 and sequential < 0.05


def test_a_z_test_that_is_looked_at_once_keeps_its_promise():
    once = false_alarms(z_test_p, 0.05, requests=5000, every=5000, canaries=600)
    assert 0.02 < once < 0.08


def test_msprt_sees_two_against_eight_percent_in_every_canary():
    first = alarms_at(msprt_p, (0.02, 0.08))
    assert np.isfinite(first).all() and np.median(first) < 1500


def test_a_p_value_is_one_without_a_difference_and_falls_with_it():
    assert z_test_p(0, 100, 0, 100) == 1 and z_test_p(5, 100, 5, 100) == pytest.approx(1)
    assert msprt_p(5, 100, 5, 100) == 1
    assert msprt_p(20, 1000, 120, 1000) < msprt_p(20, 1000, 80, 1000) < 0.001


def test_evidence_is_one_before_the_first_pair_and_shrinks_with_good_ones():
    assert evidence(0, 0, 0, 0.003) == pytest.approx(1)
    assert evidence(0, 2000, 0, 0.003) < 1 and evidence(0, 100, 5, 0.003) < evidence(0, 100, 0, 0.003)
    assert evidence(10, 100, 0, 0.003) > 50 and np.isfinite(evidence(10**6, 0, 0, 0.003))


@pytest.mark.parametrize(
    ("worse", "better", "tolerance"), [(0.02, 0.017, 0.003), (0.3, 0.3, 0.0), (0.05, 0, 0.05)]
)
def test_a_candidate_no_worse_than_tolerated_raises_few_alarms_however_often_one_looks(
    worse, better, tolerance
):
    rng, alarms = np.random.default_rng(3), 0
    for _ in range(200):
        drawn = rng.choice([1, 0, -1], 3000, p=[worse, 1 - worse - better, better])
        counts = [np.cumsum(drawn == value)[49::50] for value in (1, 0, -1)]
        alarms += any(evidence(*map(int, each), tolerance) >= 20 for each in zip(*counts, strict=True))
    assert alarms <= 20  # 5 % of 200 are 10 on average


def test_power_grows_with_the_cards_and_with_the_difference():
    small, large = (np.array([1] * count + [0] * (100 - count)) for count in (2, 8))
    sizes = [50, 200, 1000]
    of_small, of_large = power(small, sizes, runs=60), power(large, sizes, runs=60)
    assert of_small == sorted(of_small) and of_large == sorted(of_large)
    assert of_large[-1] == 1 and of_small[0] < of_large[1]
    assert power(np.zeros(100), sizes, runs=20) == [0, 0, 0]
