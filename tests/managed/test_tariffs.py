"""Tariffs: lesson 07's costs and lesson 09's bills come from one rule, and its edges are those of a bill."""

import dataclasses

import pytest

from fsdl_deploy.managed import costs, hosting, tariffs
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import changed
from fsdl_deploy.managed.tariffs import Tariff

BARE = Month(5e8, 1.0, 0.0101, cold=0.0, bytes_in=0, bytes_out=0, log_bytes=0, patience=10.0)


@pytest.mark.parametrize("memory", [512, 1769, 3000])
def test_a_function_costs_the_same_in_both_lessons(memory):
    work = costs.Work(BARE.seconds, memory)
    month = dataclasses.replace(BARE, memory=memory)
    assert hosting.bill("Lambda", month).total == pytest.approx(costs.function_month(5e8, work), rel=1e-12)


def test_servers_behind_a_balancer_cost_the_same_in_both_lessons():
    bill = hosting.bill("EC2 m7g.large", BARE)
    work = costs.Work(BARE.seconds, room=BARE.room)
    assert bill.count == costs.servers_for(BARE.rate, work) == 2
    assert bill.total == pytest.approx(costs.servers_month(2, 5e8), rel=1e-12)


def test_the_balancer_counts_connections_or_bytes_whichever_are_more_and_none_for_one_instance():
    tariff = Tariff(changed({"balancer_hour": 1.0, "balancer_unit_hour": 1.0}))
    hours = tariffs.HOURS
    assert tariff.balancer(1, 1e9, 1e12) == 0
    assert tariff.balancer(2, 25 * 3600 * hours) == pytest.approx(hours * (1 + 1))
    assert tariff.balancer(2, 25 * 3600 * hours, 3e9 * hours) == pytest.approx(hours * (1 + 3))


@pytest.mark.parametrize(
    ("seconds", "memory", "besides", "milliseconds"),
    [
        (0.010, 1769, 0.0, 10),
        (0.0100001, 1769, 0.0, 11),
        (0.010, 884.5, 0.0, 20),
        (0.010, 884.5, 0.003, 23),  # what comes besides does not take longer with less of a core
        (0.010, 10240, 0.0, 10),
        (0.0, 1769, 0.0, 0),
    ],
)
def test_what_a_call_is_billed_for(seconds, memory, besides, milliseconds):
    assert tariffs.billed(seconds, memory, besides) == milliseconds / 1000


@pytest.mark.parametrize(("busy", "least", "count"), [(0, 1, 1), (2.4, 1, 1), (2.41, 1, 2), (2.4, 2, 2)])
def test_the_fewest_instances(busy, least, count):
    assert tariffs.fewest(busy, 4, 0.6, least) == count


@pytest.mark.parametrize("room", [0.5, 0.6, 0.7, 0.93])
def test_instances_of_twice_the_size_are_half_as_many_also_where_one_is_just_full(room):
    for number in range(1, 400):
        full = number * 4 * room
        for busy in (full * (1 + step * 1e-10) for step in range(-12, 13)):
            small, large = tariffs.fewest(busy, 2, room), tariffs.fewest(busy, 4, room)
            assert large == -(-small // 2), (number, busy)
