"""Erlang's formula: against values that are known, its limits, and a queue that is played through."""

import heapq
import math

import numpy as np
import pytest

from fsdl_deploy.scaling import queueing
from fsdl_deploy.scaling.queueing import (
    answer_time,
    chance_to_wait,
    mean_wait,
    replicas_for,
    share_longer,
    wait_time,
)


def test_known_values():
    assert chance_to_wait(20, 8, 3) == pytest.approx(0.7022, abs=1e-4)
    assert [round(1000 * mean_wait(20, 8, count), 1) for count in (3, 4, 5)] == [175.6, 26.7, 6.5]
    # One server is M/M/1: all waits and times have short formulas.
    assert chance_to_wait(3, 4, 1) == pytest.approx(3 / 4) and mean_wait(3, 4, 1) == pytest.approx(3 / 4)
    assert answer_time(3, 4, 1, 90) == pytest.approx(-math.log(0.1) / (4 - 3))


def test_idle_and_overloaded_servers():
    assert chance_to_wait(0, 8, 3) == 0 and answer_time(0, 8, 3, 99) == pytest.approx(-math.log(0.01) / 8)
    assert chance_to_wait(24, 8, 3) == chance_to_wait(25, 8, 3) == share_longer(9, 25, 8, 3) == 1
    assert mean_wait(24, 8, 3) == answer_time(24, 8, 3) == math.inf


def test_hundreds_of_servers_do_not_overflow():
    assert 0 < chance_to_wait(7_900, 8, 1_000) < 1


def test_the_formula_has_no_step_where_its_two_forms_meet():
    near = [share_longer(0.2, 16 + change, 8, 3) for change in (-1e-4, 0, 1e-4)]
    assert near[0] == pytest.approx(near[1], rel=1e-4) == pytest.approx(near[2], rel=1e-4)


@pytest.mark.parametrize(("rate", "servers"), [(7, 1), (16, 3), (20, 3), (20, 4)])
def test_a_queue_that_is_played_through_agrees(rate, servers):
    """Customers one by one: each goes to the server that is free first."""
    generator = np.random.default_rng(7)
    come = np.cumsum(generator.exponential(1 / rate, 100_000))
    free, times, waits = [0.0] * servers, [], []
    for moment, work in zip(come, generator.exponential(1 / 8, len(come)), strict=True):
        begin = max(moment, heapq.heappop(free))
        heapq.heappush(free, begin + work)
        waits.append(begin - moment)
        times.append(begin + work - moment)
    assert np.mean(np.array(waits) > 0) == pytest.approx(chance_to_wait(rate, 8, servers), abs=0.03)
    assert np.percentile(waits, 99) == pytest.approx(wait_time(rate, 8, servers), rel=0.12)
    assert np.percentile(times, 99) == pytest.approx(answer_time(rate, 8, servers), rel=0.12)
    assert np.percentile(times, 50) == pytest.approx(answer_time(rate, 8, servers, 50), rel=0.1)


def test_the_fewest_replicas_for_a_goal():
    for goal in (0, 0.05, 0.7, 3):
        count = replicas_for(20, 8, goal)
        assert wait_time(20, 8, count) <= goal < wait_time(20, 8, count - 1)
    assert replicas_for(0, 8, 1) == 1
    # Twice the load needs less than twice the servers: a large pool shares its reserve.
    assert replicas_for(200, 8, 0.7) < 2 * replicas_for(100, 8, 0.7)
    with pytest.raises(ValueError, match="seconds must not be below 0"):
        replicas_for(20, 8, -1)


def test_the_fewest_replicas_are_those_of_trying_all_numbers():
    for load in (0.3, 7, 90.5, 640, 2_000):
        for seconds in (0, 1e-4, 0.01, 0.3):
            servers = math.floor(load) + 1
            while wait_time(8 * load, 8, servers) > seconds:
                servers += 1
            assert replicas_for(8 * load, 8, seconds) == servers
    assert 1e5 < replicas_for(8e5, 8, 1e-4) < 1.02e5  # a hundred thousand are counted at once


@pytest.mark.parametrize("bad", [(-1, 8, 1), (1, 0, 1), (1, 8, 0), (1, 8, 1.5), (math.nan, 8, 1)])
def test_bad_numbers_are_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        queueing.chance_to_wait(*bad)
    with pytest.raises(ValueError, match="percent must lie"):
        answer_time(1, 8, 1, 100)
    with pytest.raises(ValueError, match="percent must lie"):
        wait_time(1, 8, 1, 0)
