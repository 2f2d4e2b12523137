"""What a meter can show: it only rises, by no more than four mean months, with as many digits as it has."""

import pytest

from fsdl_deploy.customers import Customers
from fsdl_deploy.rollouts.meters import Meter, meter


@pytest.mark.parametrize(
    ("digits", "plausible"),
    [("01000", True), ("01050", True), ("01200", True), ("00999", False), ("01201", False), ("1050", False),
     ("001050", False), ("", False), ("0105x", False), ("²1050", False)],
)  # fmt: skip
def test_a_reading_is_plausible_from_last_months_on_to_four_mean_months_more(digits, plausible):
    assert Meter(5, 1000, 50.0).plausible(digits) == plausible


def test_what_customers_really_send_is_plausible_and_known_from_their_readings():
    customers = Customers(60, seed=5)
    for i in range(60):
        known = meter(customers, i, "2026-01")
        assert (
            known.last == customers.reading(i, "2025-12") and known.register == customers.customer(i).register
        )
        assert known.plausible(str(customers.reading(i, "2026-01")).zfill(known.register))


def test_the_mean_month_is_of_the_year_before():
    customers = Customers(3, seed=1)
    used = customers.reading(0, "2026-09") - customers.reading(0, "2025-09")
    assert meter(customers, 0, "2026-10").usual == used / 12
