"""The lecture's two claims about price, by hand; prices that do not compare are refused."""

import dataclasses
import tomllib
from datetime import date
from fractions import Fraction

import pytest

from fsdl_deploy.managed import premiums
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import FILE, PriceError, prices

ROWS = tomllib.loads(FILE.read_text(encoding="utf-8"), parse_float=Fraction)


@pytest.mark.parametrize("pairs", [premiums.ENDPOINTS, premiums.EARLIER, premiums.MEMORY])
def test_a_premium_by_hand(pairs):
    for premium in premiums.premiums(pairs):
        managed, plain = (ROWS[name]["value"] for name in pairs[premium.of])
        assert premium.more == pytest.approx(float(managed / plain - 1), abs=1e-12)
    assert len(premiums.table(pairs).rows) == len(pairs)


def test_endpoints_are_dearer_and_the_older_prices_were_so_more():
    today = [premium.more for premium in premiums.premiums(premiums.ENDPOINTS)]
    earlier = premiums.premiums(premiums.EARLIER)
    assert all(more > 0 for more in today) and min(premium.more for premium in earlier) > min(today)
    assert all(premium.managed.date < date(2026, 1, 1) for premium in earlier)


def test_prices_of_two_regions_or_units_do_not_compare():
    for field in ("region", "unit", "currency"):
        odd = dict(prices()) | {
            "ec2_m5_xlarge_hour": dataclasses.replace(prices()["ec2_m5_xlarge_hour"], **{field: "other"})
        }
        with pytest.raises(PriceError, match=f"are not of the same {field}"):
            premiums.premiums(premiums.ENDPOINTS, odd)


def test_the_bill_of_a_call_by_hand():
    here = Month(0, 1.0, 0.001, overhead=0.002, cold=0.0, log_bytes=0, bytes_out=0, bytes_in=10_000)
    (row,) = premiums.of_a_call(here, [0.1]).rows
    price = {name: entry["value"] for name, entry in ROWS.items()}
    function = Fraction(102, 1000) * Fraction(1769, 1024) * price["function_gb_second"] * 10**6 + Fraction(
        price["function_million_requests"]
    )
    endpoint = (
        Fraction(102, 1000) * 2 * price["endpoint_serverless_gb_second"] * 10**6 + 10 * price["endpoint_gb"]
    )
    assert row == [
        "100",
        "102",
        f"{float(function):,.2f}",
        f"{float(endpoint):,.2f}",
        f"{float(endpoint / function - 1):+.0%}",
    ]
