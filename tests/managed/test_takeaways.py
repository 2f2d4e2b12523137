"""The takeaways' table follows the records and the prices: where these change, its words change."""

import math

import pytest

from fsdl_deploy.managed import (
    break_even,
    hosting,
    measured_rates,
    premiums,
    sensitivity,
    shapes,
    takeaways,
)
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import changed, prices

MONTH = Month.recorded(5e6, shapes.shapes()["spiky"].peak)


def test_serverless_wins_small_and_spiky_months_and_servers_large_steady_ones():
    places = takeaways.cheapest(MONTH)
    assert len(places) == 3 * len(takeaways.MILLIONS)
    assert places["steady", 0.05] in takeaways.WITHOUT_SERVERS
    assert places["spiky", 1000] in takeaways.WITHOUT_SERVERS
    assert places["steady", 1000] not in takeaways.WITHOUT_SERVERS


def test_serverless_is_cheapest_until_a_place_with_servers_is_cheaper_for_the_first_time():
    until = takeaways.serverless_until(MONTH)
    assert until["office"] < math.inf and until["spiky"] == math.inf
    for name in ("steady", "office"):  # exactly there, and in no smaller month
        there = Month.recorded(5e6, shapes.shapes()[name].peak)
        sizes = [5e6 * 1.01**step for step in range(460)]
        lost = [size for size in sizes if not serverless_wins(there, size)]
        assert until[name] < lost[0] <= until[name] * 1.02, "the first that has lost comes just after"
        assert serverless_wins(there, until[name]) and not serverless_wins(there, until[name] * (1 + 1e-8))
    office = Month.recorded(5e6, shapes.shapes()["office"].peak)
    crossing = min(
        break_even.crossings(hosting.LAMBDA, place, office)[0].readings
        for place in takeaways.PAID_BY_THE_HOUR
        if break_even.crossings(hosting.LAMBDA, place, office)
    )
    assert until["office"] == pytest.approx(crossing, rel=1e-7)


def serverless_wins(month, readings):
    """Whether a place without servers is the cheapest of all, straight from the bills."""
    here = Month(**{**vars(month), "readings": readings})
    return hosting.bills(here)[0].place in takeaways.WITHOUT_SERVERS


def test_a_month_in_which_serverless_has_lost_already_is_no_month_up_to_which_it_wins():
    dear = changed({"function_gb_second": 1.0, "endpoint_serverless_gb_second": 1.0,
                    "function_provisioned_gb_second": 1.0})  # fmt: skip
    assert set(takeaways.serverless_until(MONTH, dear).values()) == {0.0}


def test_at_worst_is_an_end_of_an_assumption_and_the_least_of_all():
    worst, until = takeaways.serverless_at_worst(MONTH), takeaways.serverless_until(MONTH)
    there = Month.recorded(5e6, shapes.shapes()[worst.shape].peak)
    turned = {turn.name: turn for turn in sensitivity.ranges(there)}[worst.assumption]
    assert worst.value in (turned.low, turned.high) and worst.readings < min(until.values())
    against = Month(**{**vars(MONTH), worst.assumption: worst.value})
    assert takeaways.serverless_until(against)[worst.shape] == pytest.approx(worst.readings)


def test_the_crowd_is_the_recorded_one():
    crowd = takeaways.crowd()
    assert crowd["calls"] == 50 and 0 <= crowd["failed"] <= 50 and 1 < crowd["instances"] <= 50
    assert 0 < crowd["seconds"] < 60


def test_another_price_moves_the_decision():
    dear = changed({"function_gb_second": 100 * prices()["function_gb_second"].value})
    before, after = takeaways.cheapest(MONTH), takeaways.cheapest(MONTH, dear)
    assert before != after and after["steady", 1000] not in takeaways.WITHOUT_SERVERS
    assert takeaways.table(MONTH).rows != takeaways.table(MONTH, dear).rows


def test_servers_are_outgrown_where_one_more_is_needed():
    for name, readings in takeaways.outgrown(MONTH, servers=5).items():
        here = takeaways.by_model(MONTH)[name]
        counts = [
            hosting.bill(hosting.EC2, Month(**{**vars(here), "readings": readings * by})).count
            for by in (1 - 1e-6, 1)
        ]
        assert counts[0] <= 5 < counts[1]
    assert takeaways.on_servers(MONTH)[takeaways.FIRST_MODEL] > takeaways.on_servers(MONTH)["v2"]


def test_no_gpu_pays_for_v2_but_for_the_model_deployed_first():
    must = takeaways.gpu_must(MONTH)
    assert must["v2"] is None and must[takeaways.FIRST_MODEL] > 0


def test_the_table_has_each_takeaway_and_quotes_the_records():
    rows = takeaways.table(MONTH).rows
    assert len(rows) == 7 and all(all(cell.strip() for cell in row) for row in rows)
    assert f"{1000 * measured_rates.service('Triton').seconds:.2f}" in rows[5][1]
    assert "no GPU is on record" in rows[5][2] or measured_rates.gpu() is not None
    assert set(takeaways.tools()) == {"our service", "Triton", "TorchServe"}


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ([], ""),
        ([("steady", 0.05), ("steady", 5), ("spiky", 1000)], "steady 0.05, 5; spiky 1000 million"),
    ],
)
def test_months_are_named_by_shape(cells, text):
    assert takeaways._cells(cells) == text


def test_what_lesson_09_says_of_the_prices_and_records_is_so():
    """Who changes a price or a record and fails here reads the lesson again."""
    every = [*premiums.premiums(premiums.ENDPOINTS), *premiums.premiums(premiums.EARLIER)]
    assert max(premium.more for premium in every) < 0.5
    (memory,) = premiums.premiums(premiums.MEMORY)
    totals = {bill.place: bill.total for bill in hosting.bills(MONTH)}
    assert totals[hosting.SERVERLESS] / totals[hosting.LAMBDA] - 1 > memory.more
    office = Month.recorded(1e8, shapes.shapes()["office"].peak)
    assert len(break_even.crossings(hosting.LAMBDA, hosting.FARGATE, office)) > 1
    rows = sensitivity.turned(hosting.LAMBDA, hosting.FARGATE, office)
    names = [row.range.name for row in rows if row.moves]
    assert "seconds" in names[-3:]
    decide = {row.range.name for row in rows if row.decides}
    assert decide >= {"readings", "overhead", "least"} and "peak" not in decide
    close = sensitivity.turned(hosting.LAMBDA, hosting.FARGATE, Month.recorded(3.5e8, office.peak))
    assert {row.range.name for row in close if row.decides} > decide | {"peak", "room"}
    spiky = shapes.shapes()["spiky"]
    many = Month.recorded(1e9, spiky.peak)
    ready, function = (hosting.bill(place, many).total for place in (hosting.FARGATE, hosting.LAMBDA))
    assert shapes.followed(many, spiky, hosting.FARGATE) < function < ready
    assert function < shapes.followed(many, spiky, hosting.EC2)


def test_the_claims_about_the_shape_follow_the_prices():
    ours = takeaways.by_shape(MONTH)
    assert ours["spiky_or_low"] and not ours["steady_and_many"]
    assert "is cheapest in every" in ours["spiky_says"] and "is not in the largest" in ours["spiky_says"]
    dear = changed({name: 100 * prices()[name].value for name in
                    ("function_gb_second", "function_million_requests", "endpoint_serverless_gb_second",
                     "function_provisioned_gb_second")})  # fmt: skip
    assert not takeaways.by_shape(MONTH, dear)["spiky_or_low"]


def test_the_figures_of_the_claims_are_those_of_the_bills():
    figures = takeaways.figures_of(MONTH)
    assert figures["idle"][hosting.LAMBDA] == 0 < figures["idle"][hosting.ENDPOINT]
    totals = {bill.place: bill.total for bill in hosting.bills(MONTH)}
    assert figures["endpoint_times"] == totals[hosting.ENDPOINT] / totals[hosting.SERVERLESS]
    says = takeaways.gpu_says({"a": None, "b": 1234.0})
    assert says == {"a": "no T4 pays, however fast", "b": "a T4 pays from 1,234 cards a second on"}
