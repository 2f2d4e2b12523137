"""Ways back from a bad version: how long each takes, and that each one ends it."""

import pytest

from fsdl_deploy.rollouts.rollback import (
    compared,
    measured,
    moving,
    restarting,
    starting_first,
    switching,
    table,
)
from fsdl_deploy.rollouts.utility import Utility

pytestmark = pytest.mark.station


@pytest.fixture(scope="module")
def sent():
    return list(Utility(20))


def test_the_balancers_rollback_loses_nothing_and_ends_the_bad_answers(proxy, fake, sent):
    moved = measured(proxy, moving(proxy, make=fake), sent, rate=30, around=0.5, bad="bad")
    assert moved.lost == 0 and moved.last_bad <= moved.seconds + 1
    assert moved.wrong == moved.answers  # the fake ones read no card at all


def test_a_restart_loses_requests_until_the_good_version_is_up(fake, sent):
    restarted = measured("restart", restarting(make=fake), sent, rate=30, around=0.5, bad="bad")
    assert restarted.lost > 0 and "restart" in str(table([restarted]))


def test_started_first_nothing_is_lost_and_the_bad_version_answers_until_then(proxy, fake, sent):
    started = measured("start", starting_first(proxy, fake), sent, rate=60, around=0.5, bad="bad")
    assert started.lost == 0 and started.last_bad <= started.seconds + 1


def test_several_ways_are_compared_each_with_its_own_servers(proxy, fake, sent):
    ways = {"restart": restarting(make=fake), proxy: moving(proxy, make=fake)}
    restarted, moved = compared(ways, sent, rate=30, around=0.5, bad="bad")
    assert (restarted.way, moved.way) == ("restart", proxy)
    assert restarted.lost > 0 and moved.lost == 0


def test_a_switch_in_the_process_loses_nothing(sent):
    switched = measured("switch", switching(), sent, rate=20, around=1)
    assert switched.lost == 0 and switched.seconds < 5
