"""Shapes of traffic: they sum to a month, the peak counts the instances, following the hours costs less."""

import dataclasses

import numpy as np
import pytest

from fsdl_deploy.managed import hosting, shapes
from fsdl_deploy.managed.month import Month

MONTH = Month.recorded(1e9, 1.0)


def test_each_shape_is_one_month_and_their_peaks_are_as_their_hours():
    known = shapes.shapes()
    assert list(known) == ["steady", "office", "spiky"]
    assert all(shape.hours.sum() == pytest.approx(1) and shape.hours.min() >= 0 for shape in known.values())
    busy = sum(hour % 168 < 120 and 8 <= hour % 24 < 18 for hour in range(730))
    assert known["steady"].peak == pytest.approx(1) and known["office"].peak == pytest.approx(730 / busy)
    # 60 % in two of thirty days, within a day as a sine whose top is twice its mean; less in a whole hour.
    assert known["spiky"].peak == pytest.approx(2 * 0.3 * 30, rel=0.01)
    assert known["office"].empty == pytest.approx(1 - busy / 730) and known["steady"].empty == 0


@pytest.mark.parametrize("place", ["EC2 c5.xlarge", "Fargate"])
def test_following_the_hours_never_costs_more_than_standing_ready(place):
    for shape in shapes.shapes().values():
        here = dataclasses.replace(MONTH, peak=shape.peak)
        ready = hosting.bill(place, here).total
        followed = shapes.followed(here, shape, place)
        assert followed <= ready * (1 + 1e-9)
        assert (followed < 0.9 * ready) is (
            shape.name == "spiky" or (shape.name, place) == ("office", "Fargate")
        )


def test_a_function_costs_the_same_however_its_calls_come():
    bills = {hosting.bill("Lambda", dataclasses.replace(MONTH, peak=shape.peak)).total
             for shape in shapes.shapes().values()}  # fmt: skip
    assert len(bills) == 1
    spiky = shapes.shapes()["spiky"]
    assert shapes.followed(MONTH, spiky, "Lambda") == pytest.approx(bills.pop())


def test_the_table_has_the_cheapest_place_first():
    rows = shapes.table(MONTH, (0, 0.05, 1000)).rows
    assert len(rows) == 9
    by_hand = min(
        (hosting.bill(place, dataclasses.replace(MONTH, readings=5e4)) for place in hosting.PLACES),
        key=lambda bill: bill.total,
    )
    assert rows[1][:4] == ["steady", "0.05", "1.0", by_hand.place]
    assert rows[0][-1] == "", "nothing over nothing is no share"
    assert np.all([row[3] != row[6] for row in rows])


def test_the_table_of_followed_hours_has_the_bills_of_each_shape_beside_each_other():
    rows = shapes.followed_table(MONTH, (hosting.FARGATE, hosting.EC2)).rows
    assert [row[:2] for row in rows[-2:]] == [["spiky", hosting.FARGATE], ["spiky", hosting.EC2]]
    spiky = shapes.shapes()["spiky"]
    here = dataclasses.replace(MONTH, peak=spiky.peak)
    bills = [hosting.total(hosting.EC2, here), shapes.followed(here, spiky, hosting.EC2)]
    assert rows[-1][2:] == [f"{bill:,.0f}" for bill in [*bills, hosting.total(hosting.LAMBDA, here)]]
    assert len({row[4] for row in rows}) == 1, "a function's bill does not depend on the shape"
