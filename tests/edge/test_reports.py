"""What few reports say: rare faults unseen, flipped bits undone, and reports that are no sample."""

import numpy as np
import pytest

from fsdl_deploy.edge import reports


def test_a_rare_fault_is_unseen_as_often_as_drawn_fleets_do_not_see_it():
    times = [
        not (fleet.faulty & fleet.reporting(0.01, seed=seed)).any()
        for seed in range(600)
        for fleet in [reports.fleet(2_000, 0.02, 0.1, 0.9, seed=seed)]
    ]
    assert np.mean(times) == pytest.approx(reports.unseen(2_000, 0.02, 0.01), abs=0.06)
    assert reports.unseen(2_000, 0.02, 0.01) == pytest.approx(0.99**40)


def test_as_many_must_report_as_it_takes():
    share = reports.reporting_needed(10_000, 0.001, seen=0.95)
    assert reports.unseen(10_000, 0.001, share) == pytest.approx(0.05)


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.0])
def test_flipped_bits_say_the_share_and_no_single_truth(epsilon):
    rng = np.random.default_rng(5)
    hits = 0
    for seed in range(100):
        unsure = rng.random(4_000) < 0.08
        bits = reports.flipped(unsure, epsilon, seed)
        behind = reports.learned_from_flipped(bits, epsilon)
        hits += behind.low <= unsure.mean() <= behind.high
    assert hits >= 88  # of a 95 % interval
    assert np.mean(bits == unsure) == pytest.approx(1 / (1 + np.exp(-epsilon)), abs=0.03)


def test_privacy_costs_width():
    unsure = np.random.default_rng(1).random(2_000) < 0.1
    plain = reports.learned(unsure)
    behind = reports.learned_from_flipped(reports.flipped(unsure, 1.0), 1.0)
    assert behind.high - behind.low > 2 * (plain.high - plain.low)


def test_those_who_do_not_report_are_missing_from_what_is_learned():
    fleet = reports.fleet(50_000, 0.1, 0.05, 0.8, seed=2)
    sample = reports.learned(fleet.unsure[fleet.reporting(0.2, seed=3)])
    shy = reports.learned(fleet.unsure[fleet.reporting(0.2, of_faulty=0.1, seed=3)])
    assert sample.low < fleet.unsure.mean() < sample.high
    assert shy.high < fleet.unsure.mean()


def test_nothing_is_learned_from_coins():
    with pytest.raises(ValueError, match="coin"):
        reports.learned_from_flipped(np.array([True, False]), 0)
    with pytest.raises(ValueError, match="0 or more"):
        reports.flipped(np.array([True]), -1)


def test_the_table_names_who_reported_and_keeps_the_ends_of_the_interval_apart():
    few = reports.learned(np.array([True] + [False] * 9))
    many = reports.learned(np.array([True] * 200 + [False] * 1800))
    rows = reports.table({"few": few, "many": many}).rows
    assert rows[0] == ["few", "10", "10.0%", f"{few.low:.1%}", f"{few.high:.1%}"]
    assert rows[1] == ["many", "2,000", "10.0%", f"{many.low:.1%}", f"{many.high:.1%}"]
    assert rows[0][3:] != rows[1][3:]
