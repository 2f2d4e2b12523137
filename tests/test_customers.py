from itertools import islice, pairwise

import pytest

from fsdl_deploy.customers import Customers, months_since_start

MONTHS = [f"{year}-{month:02d}" for year in (2024, 2025, 2026) for month in range(1, 13)]


def test_meters_only_rise_and_fit_their_register():
    utility = Customers(60, seed=1)
    for i in range(60):
        history = [utility.reading(i, month) for month in MONTHS]
        assert all(a <= b for a, b in pairwise(history))
        assert history[-1] > history[0]
        assert history[-1] < 10 ** utility.customer(i).register


def test_cards_show_the_meter_with_leading_zeros():
    utility = Customers(40, seed=2)
    for i, card in enumerate(utility.cards("2026-10")):
        assert int(card.truth) == utility.reading(i, "2026-10")
        assert len(card.truth) == utility.customer(i).register
        assert (card.customer, card.month) == (f"C{i:07d}", "2026-10")


def test_a_customer_does_not_depend_on_the_others():
    small, large = Customers(3, seed=5), Customers(10**6, seed=5)
    assert [c.truth for c in small.cards("2026-09")] == [c.truth for c in islice(large.cards("2026-09"), 3)]
    assert (small.card(2, "2026-09").image == large.card(2, "2026-09").image).all()


def test_a_writer_keeps_his_hand_and_another_utility_has_other_customers():
    assert Customers(5).customer(3).hand == Customers(5).customer(3).hand
    assert Customers(5, seed=1).customer(3) != Customers(5, seed=2).customer(3)


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-00", "2026-1", "26-01", "2026/01", "", "2023-12", "²026-01", "２０２６-10"]
)
def test_bad_months_are_refused(month):
    with pytest.raises(ValueError, match=r"YYYY-MM|first month"):
        months_since_start(month)


def test_months_are_counted_over_years():
    assert [months_since_start(m) for m in ("2024-01", "2024-12", "2025-01", "2026-10")] == [0, 11, 12, 33]


def test_unknown_customers_are_refused():
    with pytest.raises(ValueError, match="0 to 4"):
        Customers(5).customer(5)
    with pytest.raises(ValueError, match="at least one"):
        Customers(0)


def test_a_meter_that_turned_over_is_an_error_not_a_small_number():
    with pytest.raises(ValueError, match="turned over"):
        Customers(1).reading(0, "2924-01")
