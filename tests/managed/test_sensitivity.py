"""Sensitivity: an assumption that decides flips the bills, and does so at the value that is named."""

import dataclasses

import pytest

from fsdl_deploy.managed import hosting, sensitivity, shapes
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import changed, prices
from fsdl_deploy.managed.sensitivity import Range

OFFICE = Month.recorded(2e8, shapes.shapes()["office"].peak)
PAIR = ("Lambda", "Fargate")


def again(name, value, month=OFFICE):
    """The ratio at this value, without the module."""
    known, here = prices(), month
    if name in known:
        known = changed({name: value})
    else:
        here = dataclasses.replace(here, **{name: value})
    first, second = (hosting.bill(place, here, known).total for place in PAIR)
    return first / second


def test_each_bar_is_the_ratio_of_two_bills_and_the_longest_comes_first():
    rows = sensitivity.turned(*PAIR, OFFICE)
    swings = [row.swing for row in rows if row.moves]
    assert swings == sorted(swings, reverse=True) and all(row.moves for row in rows[: len(swings)])
    for row in rows:
        assert row.at_low == pytest.approx(again(row.range.name, row.range.low))
        assert row.at_high == pytest.approx(again(row.range.name, row.range.high))
        assert row.decides or (row.at_low < 1) is (row.at_high < 1)
    assert any(row.decides for row in rows) and not all(row.decides for row in rows)


def test_where_it_flips_the_ratio_passes_one():
    rows = [row for row in sensitivity.turned(*PAIR, OFFICE) if row.flips is not None]
    assert rows
    for row in rows:
        name, flips = row.range.name, row.flips
        if isinstance(row.range.low, int):
            sides = {again(name, flips + step) < 1 for step in (-1, 0, 1) if flips + step >= 1}
        else:
            sides = {again(name, flips * (1 + step)) < 1 for step in (-1e-6, 1e-6)}
        assert sides == {True, False}, name
    assert all(row.flips is not None for row in sensitivity.turned(*PAIR, OFFICE) if row.decides)


def test_what_passes_one_on_the_way_and_comes_back_decides_too():
    """Held against the ratio at many values of each range, in a month close to the break-even."""
    close = dataclasses.replace(OFFICE, readings=3.5e8)
    rows = {row.range.name: row for row in sensitivity.turned(*PAIR, close)}
    both = {}
    for name, row in rows.items():
        low, high = row.range.low, row.range.high
        whole = isinstance(row.range.end[0], int)
        values = [low + (high - low) * number / 150 for number in range(151)]
        both[name] = len({again(name, round(value) if whole else value, close) < 1 for value in values}) == 2
    assert {name for name, passes in both.items() if passes} <= {
        name for name, row in rows.items() if row.decides
    }
    (speed,) = [row for row in rows.values() if row.range.name == "speed"]
    assert max(speed.at_low, speed.at_high) < 1 and both["speed"] and speed.decides


def test_a_place_that_cannot_be_had_ends_the_search_and_nothing_else():
    pair = ("SageMaker serverless", "EC2 c5.xlarge")
    rows = sensitivity.turned(*pair, OFFICE, assumptions=[Range("memory", 1024, 3008, "", (128, 10240))])
    assert [row.range.name for row in rows] == ["memory"]
    with pytest.raises(ValueError, match="SageMaker serverless has no 6145 MB"):
        sensitivity.turned(*pair, dataclasses.replace(OFFICE, memory=6145))


def test_an_assumption_that_moves_nothing_is_named_below_the_table_and_one_may_never_flip():
    rows = sensitivity.turned(*PAIR, OFFICE)
    moves = {row.range.name: row.moves for row in rows}
    assert moves.keys() == sensitivity.NAMES.keys()
    assert not moves["endpoint_c5_xlarge_hour"] and moves["fargate_core_hour"]
    table = sensitivity.table(rows, PAIR)
    still = {sensitivity.NAMES[name] for name in moves if not moves[name]}
    assert {row[0] for row in table.rows} == set(sensitivity.NAMES.values()) - still
    assert all(name in table.notes[1] for name in still)
    tiny = [Range("log_bytes", 0.0, 2000.0, "", (0.0, 1e6))]
    assert (
        sensitivity.turned(*PAIR, dataclasses.replace(OFFICE, readings=1000), assumptions=tiny)[0].flips
        is None
    )


def test_the_ranges_lie_around_what_is_assumed():
    for each in sensitivity.ranges(OFFICE):
        value = prices()[each.name].value if each.name in prices() else getattr(OFFICE, each.name)
        assert each.low <= value <= each.high and each.end[0] <= each.low and each.high <= each.end[1], (
            each.name
        )


def test_the_table_says_nowhere_and_which_is_cheaper_below_one():
    rows = sensitivity.turned(*PAIR, OFFICE)
    table = sensitivity.table(rows, PAIR)
    rows = [row for row in rows if row.moves]
    assert [row[0] for row in table.rows] == [sensitivity.NAMES[row.range.name] for row in rows]
    assert [row[-1] == "nowhere" for row in table.rows] == [row.flips is None for row in rows]
    assert "below 1 Lambda is cheaper" in table.notes[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((1e9, "1,000 M"), (2.003e8, "200 M"), (15_000.0, "15 k"), (1769, "1769"), (3.288, "3.3")),
        *((0.0000166667, "0.000017"), (0, "0"), (1, "1"), (0.5, "0.5")),
    ],
)
def test_values_are_short_and_without_powers(value, text):
    assert sensitivity.short(value) == text


def test_every_assumption_has_a_name_for_people():
    assert {each.name for each in sensitivity.ranges(OFFICE)} == sensitivity.NAMES.keys()


def test_a_search_ends_where_a_month_can_no_longer_be_counted():
    huge = dataclasses.replace(OFFICE, readings=9e9, seconds=0.1)
    rows = sensitivity.turned(*PAIR, huge, assumptions=[Range("seconds", 0.05, 0.2, "", (1e-5, 900.0))])
    assert len(rows) == 1


@pytest.mark.parametrize("pair", [PAIR, ("Lambda", "SageMaker serverless"), ("Fargate", "EC2 c5.xlarge")])
def test_a_month_without_readings_can_be_turned(pair):
    rows = sensitivity.turned(*pair, dataclasses.replace(OFFICE, readings=0))
    by_name = {row.range.name: row for row in rows}
    assert all(row.swing >= 1 for row in rows) and len(rows) == len(sensitivity.ranges(OFFICE))
    if pair == PAIR:  # from nothing on, Lambda is cheaper until the break-even
        (flips,) = (by_name["readings"].flips,)
        cheaper = [
            hosting.total("Lambda", here) < hosting.total("Fargate", here)
            for here in (dataclasses.replace(OFFICE, readings=flips * by) for by in (1 - 1e-6, 1 + 1e-6))
        ]
        assert cheaper == [True, False] and by_name["readings"].at_low == by_name["readings"].at_high == 0
    assert sensitivity.table(rows, pair).rows is not None


def test_two_places_that_cost_nothing_cost_the_same():
    idle = dataclasses.replace(OFFICE, readings=0)
    assert sensitivity.ratio("Lambda", "SageMaker serverless", idle) == 1
    assert sensitivity.ratio("Fargate", "Lambda", idle) == float("inf")


@pytest.mark.parametrize("readings", [1e9, 9e9])
def test_a_tie_of_large_bills_is_searched_by_few_of_them(readings, monkeypatch):
    """Thousands of steps lie near each other, some assumptions move nothing: neither is walked through."""
    month = dataclasses.replace(OFFICE, readings=readings, peak=10.0, seconds=0.02)
    container, function = hosting.bill("Fargate", month), hosting.bill("Lambda", month)
    times = 1 + (container.total - function.total) / function.lines["compute"]
    known = changed({"function_gb_second": prices()["function_gb_second"].value * times})
    assumptions = [each for each in sensitivity.ranges(month, known) if not isinstance(each.end[0], int)]
    asked, had = [], hosting.had
    monkeypatch.setattr(hosting, "had", lambda *args: asked.append(args) or had(*args))
    rows = sensitivity.turned(*PAIR, month, known, assumptions)
    assert len(asked) < 20_000
    assert {"readings", "peak", "overhead"} <= {row.range.name for row in rows if row.decides}


def test_places_that_cost_the_same_per_core_are_compared_by_few_bills(monkeypatch):
    month = dataclasses.replace(OFFICE, readings=9e9, peak=10.0, seconds=0.02)
    known = changed({"ec2_c5_xlarge_hour": 2 * prices()["server_hour"].value})
    asked, had = [], hosting.had
    monkeypatch.setattr(hosting, "had", lambda *args: asked.append(args) or had(*args))
    readings = [each for each in sensitivity.ranges(month, known) if each.name == "readings"]
    sensitivity.turned("EC2 m7g.large", "EC2 c5.xlarge", month, known, readings)
    assert len(asked) < 100_000
