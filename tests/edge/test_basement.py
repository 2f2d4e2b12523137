"""The basement: outages are as drawn, what has an outbox is not lost, the device reads in any case."""

from itertools import pairwise

import pytest

from fsdl_deploy.edge import basement
from fsdl_deploy.edge.basement import CardsOfAWay


def test_outages_are_in_order_and_end():
    gone = basement.outages(100, up=2, down=3, seed=4)
    assert all(a < b for a, b in gone) and all(b < c for (_, b), (c, _) in pairwise(gone))
    assert gone[-1][1] <= 100
    assert sum(b - a for a, b in gone) == pytest.approx(60, abs=15)
    assert basement.outages(100, up=2, down=3, seed=4) == gone != basement.outages(100, 2, 3, seed=5)


def test_what_has_an_outbox_is_not_lost_and_a_device_needs_no_link():
    deliveries, gone = basement.trial(count=20, seconds=2.0, deadline=0.5, up=0.4, down=0.6, seed=2)
    there, stored, here = deliveries
    assert gone and there.lost > 0  # customers gave up while the link was down
    assert stored.lost == here.lost == 0
    assert len(stored.billed) == len(here.billed) == 20 and len(there.billed) < 20
    assert max(here.billed.values()) > max(here.seen.values())  # the utility waits, the customer does not


def test_in_time_late_and_lost_are_all():
    delivery = CardsOfAWay("there", 4, seen={0: 0.1, 1: 0.5, 2: 0.6})
    assert (delivery.in_time(0.5), delivery.late(0.5), delivery.lost) == (2, 1, 1)
    assert basement.table([delivery], 0.5).rows[0][1:] == ["4", "2", "1", "1", "0"]
