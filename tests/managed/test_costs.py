"""Costs: sums agree with sums by hand, and the cheapest place turns over once."""

import pytest

from fsdl_deploy.managed import costs
from fsdl_deploy.managed.costs import FUNCTION, HOURS, SERVER, Work

WORK = Work(seconds=0.01)


def test_a_million_requests_by_hand():
    # 10 ms at 1769 MB: a million times 0.01 s * 1.7275 GB, and 20 cents for the requests.
    assert costs.function_month(1e6, WORK) == pytest.approx(0.01 * 1769 / 1024 * 16.6667 + 0.20, rel=1e-4)
    assert costs.servers_month(1, 1e6) == pytest.approx(730 * 0.0816)
    # Two servers, the balancer's hours, and a million connections: 0.0152 units for 730 hours.
    assert costs.servers_month(2, 1e6) == pytest.approx(730 * (2 * 0.0816 + 0.0225) + 0.0889, abs=1e-3)


def test_less_memory_is_slower_and_costs_the_same_more_memory_costs_more():
    usual, half, double = (costs.function_month(1e6, Work(0.01, memory)) for memory in (1769, 884.5, 3538))
    assert half == pytest.approx(usual) and double - 0.2 == pytest.approx(2 * (usual - 0.2))


def test_time_is_billed_in_whole_milliseconds():
    assert costs.function_month(1e6, Work(0.0101)) == costs.function_month(1e6, Work(0.011))


def test_servers_follow_the_busiest_minute():
    # 10 ms a request, two cores, at most 60 % busy: 120 a second each.
    assert [costs.servers_for(rate, WORK) for rate in (0, 120, 121, 240, 1_201)] == [1, 1, 2, 2, 11]


def test_few_requests_are_cheapest_as_a_function_and_many_on_servers():
    assert costs.cheapest(0, 1, WORK) == costs.Choice(FUNCTION, 0)
    places = [costs.cheapest(10**power, 1, WORK).place for power in range(2, 9)]
    assert places[0] == FUNCTION and places[-1].endswith("servers behind a balancer")
    assert places == sorted(places, key=lambda place: place != FUNCTION), "it turns over once"
    # The servers of the month cost the same whenever they are asked, so a burst makes them worse.
    day = next(
        10 ** (power / 10)
        for power in range(90)
        if costs.cheapest(10 ** (power / 10), 1, WORK).place == SERVER
    )
    assert costs.cheapest(day, 30, WORK).place == FUNCTION


def test_a_functions_price_does_not_depend_on_bursts():
    bills = {
        choice.cost
        for burst in (1, 10, 100)
        for choice in costs.choices(1e6, burst, WORK)
        if choice.place == FUNCTION
    }
    assert len(bills) == 1 and bills.pop() == pytest.approx(costs.function_month(1e6 * HOURS / 24, WORK))


@pytest.mark.parametrize("bad", [{"seconds": 0}, {"seconds": 1, "memory": 64}, {"seconds": 1, "room": 0}])
def test_work_that_cannot_be_is_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        Work(**bad)
    with pytest.raises(ValueError, match="burstiness not below 1"):
        costs.cheapest(1, 0.5, WORK)


def test_the_table_has_what_is_computed_with_and_no_other_price():
    names = costs.used()
    assert len(costs.table().rows) == len(names) < len(costs.prices())
    assert {"function_gb_second", "server_hour", "balancer_unit_hour", "function_image"} <= set(names)
    assert not any(name.startswith(("endpoint", "ec2")) or "provisioned" in name for name in names)


@pytest.mark.parametrize("work", [Work(901.0), Work(500.0, memory=800), Work(0.01, memory=10_241)])
def test_no_function_is_offered_for_what_it_cannot_do(work):
    assert [choice.place for choice in costs.choices(10, 1, work)] == [SERVER]
    assert FUNCTION in [choice.place for choice in costs.choices(10, 1, Work(900.0, memory=10_240))]
