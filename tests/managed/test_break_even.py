"""Break-even: each crossing is a change of sign, none is missed, and steps are told from meetings."""

import dataclasses
import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsdl_deploy.managed import hosting
from fsdl_deploy.managed.break_even import crossings, rate_to_win, rates_table, turning
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import changed, prices

# With a rate of its own: how often bills meet must not depend on the newest record.
MONTH = dataclasses.replace(Month.recorded(5e6, 3.4, overhead=0.00466, cold_seconds=0.468), seconds=0.00234)


def total(place, month, readings):
    return hosting.bill(place, dataclasses.replace(month, readings=readings)).total


def test_lambda_meets_two_servers_where_the_algebra_says():
    # Two servers stay enough here, and all that both charge alike falls away: a straight line meets another.
    here = dataclasses.replace(MONTH, peak=1.0)
    (meeting,) = crossings("Lambda", "EC2 c5.xlarge", here)
    price = {name: row.value for name, row in prices().items()}
    fixed = 2 * 730 * price["ec2_c5_xlarge_hour"] + 730 * price["balancer_hour"]
    gigabytes = (here.bytes_in + here.bytes_out) / 1e9  # an hour, of a balancer's unit: more than connections
    each = gigabytes * price["balancer_unit_hour"]
    warm, cold = (
        math.ceil(round(1000 * each, 6)) / 1000 for each in (here.seconds + here.overhead, here.cold_seconds)
    )
    called = (1 - here.cold) * warm + here.cold * cold
    call = called * here.memory / 1024 * price["function_gb_second"]
    call += price["function_million_requests"] / 1e6
    assert meeting.readings == pytest.approx(fixed / (call - each), rel=1e-6)
    assert (meeting.below, meeting.above, meeting.step) == ("Lambda", "EC2 c5.xlarge", False)


def test_a_staircase_is_crossed_more_than_once():
    changes = crossings("Lambda", "SageMaker ml.m5.xlarge", MONTH)
    assert [change.step for change in changes] == [False, True, False]
    assert [change.above for change in changes] == [
        "SageMaker ml.m5.xlarge",
        "Lambda",
        "SageMaker ml.m5.xlarge",
    ]
    jump = changes[1].readings
    before, after = (
        hosting.bill("SageMaker ml.m5.xlarge", dataclasses.replace(MONTH, readings=readings)).count
        for readings in (jump * (1 - 1e-6), jump)
    )
    assert after == before + 1


MONTHS = st.builds(
    Month,
    readings=st.just(1.0),
    peak=st.floats(1, 25),
    seconds=st.floats(5e-4, 0.02),
    overhead=st.floats(0, 0.02),
    cold=st.floats(0, 0.05),
    cold_seconds=st.floats(0, 1),
    room=st.floats(0.3, 1),
    least=st.integers(1, 3),
)
PAIRS = [
    ("Lambda", "EC2 c5.xlarge"),
    ("Lambda", "Fargate"),
    ("SageMaker serverless", "SageMaker ml.c5.xlarge"),
]


@settings(max_examples=12, deadline=None)
@given(MONTHS, st.sampled_from(PAIRS), st.lists(st.floats(0, 9.5), min_size=40, max_size=40))
def test_a_crossing_is_a_change_of_sign_and_there_is_none_between_two(here, pair, powers):
    first, second = pair
    changes = crossings(first, second, here, most=10**9.5)
    for change in changes:
        below = total(first, here, change.readings * (1 - 1e-7)) - total(
            second, here, change.readings * (1 - 1e-7)
        )
        above = total(first, here, change.readings) - total(second, here, change.readings)
        assert (below < 0) is (change.below == first) and (above < 0) is (change.above == first)
        assert (below < 0) is not (above < 0)
    for readings in (10**power for power in powers):
        if any(abs(readings / change.readings - 1) < 1e-6 for change in changes):
            continue
        passed = [change for change in changes if change.readings < readings]
        cheaper = first if total(first, here, readings) < total(second, here, readings) else second
        if passed:
            assert cheaper == passed[-1].above
        elif changes:
            assert cheaper == changes[0].below


@pytest.mark.parametrize(("least", "most"), [(1e9, 1.01e9), (3e9, 3.01e9), (9.9e9, 1e10)])
def test_far_beyond_a_hundred_instances_each_crossing_is_there(least, most):
    """Against a fine grid, where a step of the staircase is less than a percent of the bill."""
    heavy = dataclasses.replace(MONTH, peak=10.0, seconds=0.02)
    middle = dataclasses.replace(heavy, readings=(least + most) / 2)
    # A price with which both cost the same in the middle.
    fargate, function = hosting.bill("Fargate", middle), hosting.bill("Lambda", middle)
    times = 1 + (fargate.total - function.total) / function.lines["compute"]
    known = changed({"function_gb_second": prices()["function_gb_second"].value * times})
    assert fargate.count > 100

    def cheaper(readings):
        there = dataclasses.replace(heavy, readings=readings)
        return hosting.total("Lambda", there, known) < hosting.total("Fargate", there, known)

    met = [change.readings for change in crossings("Lambda", "Fargate", heavy, known, least, most)]
    grid = [least + (most - least) * number / 2000 for number in range(2001)]
    turns = [high for low, high in itertools.pairwise(grid) if cheaper(low) is not cheaper(high)]
    assert len(met) >= len(turns) >= 2
    for turn in turns:
        assert any(0 <= turn - readings <= (most - least) / 2000 for readings in met)


def test_the_window_is_searched_from_its_own_beginning():
    pair = ("Lambda", "SageMaker ml.m5.xlarge")
    whole = [change.readings for change in crossings(*pair, MONTH)]
    assert len(whole) == 3
    for low, high in itertools.pairwise(whole):
        inside = crossings(*pair, MONTH, least=low * 1.0001, most=high * 1.0001)
        assert [change.readings for change in inside] == [pytest.approx(high, rel=1e-8)]


def test_a_place_has_no_crossing_with_itself_and_one_that_cannot_be_had_is_named():
    assert crossings("Fargate", "Fargate", MONTH) == []
    with pytest.raises(ValueError, match=r"EC2 g4dn\.xlarge has no GPU whose rate is known"):
        crossings("Fargate", "EC2 g4dn.xlarge", dataclasses.replace(MONTH, gpu_rate=None))
    with pytest.raises(ValueError, match="SageMaker serverless has no 7000 MB"):
        crossings("SageMaker serverless", "Fargate", dataclasses.replace(MONTH, memory=7000))


def test_places_that_never_meet_have_no_crossing():
    assert crossings("Lambda", "SageMaker serverless", MONTH) == []
    with pytest.raises(ValueError, match="least must be above 0"):
        crossings("Lambda", "Fargate", MONTH, least=0)
    with pytest.raises(ValueError, match="below most"):
        crossings("Lambda", "Fargate", MONTH, least=5, most=5)


def test_bisection_ends_at_neighbours():
    low, high = turning(lambda value: value > 1234.5, 1, 1e9)
    assert low <= 1234.5 < high and high / low - 1 < 1e-8


def test_a_gpu_for_our_model_never_pays_and_for_a_heavy_one_from_a_rate_on():
    many = dataclasses.replace(MONTH, readings=5e9, peak=1.0)
    assert rate_to_win("EC2 g4dn.xlarge", many) is None, "the cores beside it are busy with the pictures"
    assert rate_to_win("EC2 g4dn.xlarge", MONTH) is None, "two of them stand idle most of the time"
    heavy = dataclasses.replace(many, seconds=0.17)
    rate = rate_to_win("EC2 g4dn.xlarge", heavy)
    without = min(hosting.bill(place, heavy).total for place in hosting.PLACES)
    bills = [
        hosting.bill("EC2 g4dn.xlarge", dataclasses.replace(heavy, gpu_rate=rate * by)).total
        for by in (1 - 1e-6, 1)
    ]
    assert bills[0] > without >= bills[1]
    with pytest.raises(ValueError, match="'Lambda' has no GPU"):
        rate_to_win("Lambda", many)


@pytest.mark.parametrize("peak", [1.0, 4.2, 18.0])
@pytest.mark.parametrize(
    ("first", "second"), [("EC2 c5.xlarge", "EC2 m7g.large"), ("Fargate", "EC2 m7g.large")]
)
def test_where_two_sizes_are_full_at_once_the_cheaper_one_does_not_change_for_a_moment(first, second, peak):
    month = dataclasses.replace(MONTH, peak=peak, room=0.6)

    def is_cheaper(readings):
        here = dataclasses.replace(month, readings=readings)
        return hosting.had(first, here).own < hosting.had(second, here).own

    for each in crossings(first, second, month):
        before, after = (is_cheaper(each.readings * (1 + by)) for by in (-1e-7, 1e-7))
        assert before is not after, each


def test_the_table_of_rates_says_where_none_is_enough_and_rounds_no_model_into_another():
    heavy = dataclasses.replace(MONTH, readings=5e9, peak=1.0, seconds=0.17)
    months = {"light": dataclasses.replace(heavy, seconds=1e-4), "heavy": heavy}
    rows = rates_table(months).rows
    assert [row[:2] for row in rows] == [[name, place] for name in months for place in hosting.GPUS]
    musts = [rate_to_win(place, months[name]) for name, place, _ in rows]
    assert None in musts and any(musts)
    assert [row[2] for row in rows] == [
        "no rate is enough" if must is None else f"{must:,.0f}" for must in musts
    ]
