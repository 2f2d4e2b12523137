"""Versions in the field: shares add up, agree with devices drawn by chance, and never-updaters stay."""

import math

import numpy as np
import pytest

from fsdl_deploy.edge import in_the_field


def test_by_hand():
    rows = in_the_field.shares(3, [0, 2], p=0.5)
    assert rows.tolist() == [[0.5, 0.5, 0], [0.25, 0.75, 0], [0.125, 0.375, 0.5]]


def test_shares_add_up_and_whoever_takes_none_keeps_the_first():
    rows = in_the_field.shares(400, [0, 30, 60, 90], p=0.1, never=0.07)
    assert np.allclose(rows.sum(1), 1)
    assert rows[-1, 0] == pytest.approx(0.07) and rows[-1, -1] == pytest.approx(0.93)
    assert in_the_field.alive(rows[-1]) == 2 and in_the_field.alive(rows[95]) == 4


def test_what_is_computed_is_what_devices_do():
    computed = in_the_field.shares(60, [0, 20, 40], p=0.08, never=0.05)
    drawn = in_the_field.drawn(20_000, 60, [0, 20, 40], p=0.08, never=0.05, seed=3)
    assert np.abs(computed - drawn).max() < 0.02
    assert np.abs(computed - in_the_field.drawn(20_000, 60, [0, 20, 40], p=0.12, never=0.05)).max() > 0.05


@pytest.mark.parametrize("p", [0.03, 0.2, 0.5])
def test_days_until_agrees_with_the_shares(p):
    days = in_the_field.days_until(0.9, p, never=0.04)
    rows = in_the_field.shares(200, [0], p, never=0.04)[:, 1]
    assert days == 1 + int(np.argmax(rows >= 0.9 - 1e-9))


def test_some_shares_are_never_reached():
    assert in_the_field.days_until(0.97, 0.2, never=0.04) == math.inf
    assert in_the_field.days_until(0.5, 0.0) == math.inf
    assert in_the_field.days_until(0.5, 1.0) == 1


@pytest.mark.parametrize(("releases", "p"), [([], 0.1), ([3, 3], 0.1), ([5, 1], 0.1), ([0], 1.1)])
def test_what_makes_no_sense_is_refused(releases, p):
    with pytest.raises(ValueError, match=r"releases|from 0 to 1"):
        in_the_field.shares(10, releases, p)


def test_days_in_words():
    assert in_the_field.in_words(in_the_field.days_until(0.97, 0.08, 0.05)) == "never"
    assert in_the_field.in_words(in_the_field.days_until(0.9, 0.5)) == "4 days"
