"""The table of prices: each row is whole or refused, with a sentence that names it and its field."""

import re

import pytest

from fsdl_deploy.managed import prices
from fsdl_deploy.managed.prices import ORIGINS, YOURS, PriceError

PRICE = """
[server_hour]
item = "a server"
value = 0.1
currency = "USD"
unit = "hour"
region = "us-east-1"
date = 2026-11-29
source = "https://prices.example"
origin = "vendor"
"""
LIMIT = PRICE.replace("server_hour", "server_cores").replace('currency = "USD"', "limit = true")


def written(folder, *rows):
    file = folder / "prices.toml"
    file.write_text("".join(rows), encoding="utf-8")
    return file


def test_every_price_of_the_course_is_whole_and_in_one_currency():
    known = prices.prices()
    assert {price.currency for price in known.values() if not price.limit} == {"USD"}
    assert {price.currency for price in known.values() if price.limit} == {""}
    assert all(price.source.count("/") >= 3 and price.origin in ORIGINS for price in known.values())
    assert len(prices.table().rows) == len(known)
    assert [row[0] for row in prices.table(["internet_gb"]).rows] == [known["internet_gb"].item]


def test_whose_list_a_source_is_agrees_with_its_address():
    ours = ("https://aws.amazon.com/", "https://docs.aws.amazon.com/")
    for name, price in prices.prices().items():
        assert (price.origin == "vendor") is price.source.startswith(ours), name


def test_a_row_and_a_limit_are_read(tmp_path):
    known = prices.prices(written(tmp_path, PRICE, LIMIT))
    assert (known["server_hour"].value, known["server_hour"].currency) == (0.1, "USD")
    assert known["server_cores"].limit and not known["server_cores"].currency


@pytest.mark.parametrize("field", ["item", "value", "currency", "unit", "region", "date", "source", "origin"])
def test_a_row_without_a_field_is_refused_by_name(tmp_path, field):
    lines = [line for line in PRICE.splitlines(keepends=True) if not line.startswith(f"{field} =")]
    assert len(lines) == PRICE.count("\n") - 1
    with pytest.raises(PriceError, match=f"^server_hour has no {field}: "):
        prices.prices(written(tmp_path, *lines))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("2026-11-29", '"yesterday"', "server_hour: date must be a date"),
        ("2026-11-29", "2126-11-29", "server_hour: date must be a date that is not still to come"),
        ("2026-11-29", "2026-11-29T10:00:00", "server_hour: date must be a date"),
        ("https://", "", "server_hour: source must be an address"),
        ("0.1", "-1", "server_hour: value must be a number above 0"),
        ("0.1", "0", "server_hour: value must be a number above 0"),
        ("0.1", "true", "server_hour: value must be a number above 0"),
        ("0.1", "inf", "server_hour: value must be a number above 0"),
        ('"USD"', '""', "server_hour has no currency"),
        ('"USD"', '"dollars"', "server_hour: currency must be a currency of three letters"),
        ('"hour"', '"an hour"', "server_hour: unit must be one of hour"),
        ('"us-east-1"', '"Ohio"', "server_hour: region must be a region"),
        ("prices.example", "", "server_hour: source must be an address"),
        ("prices.example", "prices example.org", "server_hour: source must be an address"),
        ('"us-east-1"', "7", "server_hour: region must be a region"),
        ('"vendor"', '"hearsay"', "server_hour: origin must be one of vendor, copy, other"),
        ("region", 'seen = "here"\nregion', "server_hour: unknown seen"),
        ("region", "limit = true\nregion", "server_hour is a limit and has a currency"),
        ("region", "limit = 1\nregion", "server_hour: limit must be true or false"),
        ("[server_hour]", "server_hour = 0.1\n[other]", "server_hour is no row"),
        ("= 0.1", "= ", "cannot be read"),
    ],
)
def test_a_row_that_is_wrong_is_refused(tmp_path, before, after, message):
    assert before in PRICE
    with pytest.raises(PriceError, match=message):
        prices.prices(written(tmp_path, PRICE.replace(before, after)))


NUMBERS = (
    *("nan", "-inf", "1e999", "-0.0", "-1", "1e300", "1e-300"),
    *("9" * 400, "-" + "9" * 400, "0x" + "f" * 9000),  # beyond a float; more digits than Python writes
)
OTHERS = ('"cheap"', "[1]", "{ a = 1 }", "true", "2026-11-29", "07:00:00", "2026-11-29T07:00:00Z")


@pytest.mark.parametrize("field", ["item", "value", "currency", "unit", "region", "date", "source", "origin"])
@pytest.mark.parametrize("value", [*NUMBERS, *OTHERS], ids=lambda text: text[:20])
def test_whatever_stands_for_a_field_is_taken_or_refused_by_row_and_field(tmp_path, field, value):
    text = re.sub(f"(?m)^{field} = .*$", f"{field} = {value}", PRICE)
    assert f"{field} = {value}\n" in text
    good = {("item", '"cheap"'), ("date", "2026-11-29")}
    if (field, value) in good:
        assert prices.prices(written(tmp_path, text))
    else:
        with pytest.raises(PriceError, match=f"^server_hour: {field} must be "):
            prices.prices(written(tmp_path, text))


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000], ids=["digits", "nested"])
def test_what_cannot_be_read_at_all_is_a_sentence_too(tmp_path, value):
    with pytest.raises(PriceError, match="cannot be read"):
        prices.prices(written(tmp_path, PRICE.replace("= 0.1", f"= {value}")))


@pytest.mark.parametrize(
    "value", ["9" * 400, "0x" + "f" * 9000, f'"{"a" * 9000}"'], ids=["int", "hex", "text"]
)
def test_a_message_has_no_more_of_a_value_than_a_line(tmp_path, value):
    with pytest.raises(PriceError) as refused:
        prices.prices(written(tmp_path, PRICE.replace("= 0.1", f"= {value}")))
    assert len(str(refused.value)) < 160


@pytest.mark.parametrize("value", ["1", None, True, [1], float("inf"), 1e300])
def test_a_price_that_is_changed_is_checked_like_one_of_the_file(value):
    with pytest.raises(PriceError, match=r"^internet_gb: value must be a number above 0"):
        prices.changed({"internet_gb": value})
    with pytest.raises(PriceError, match=r"^internet_gb: value must be .* not a number of thousands"):
        prices.changed({"internet_gb": 1 << 60_000})


def test_two_currencies_and_a_file_that_is_not_there_are_refused(tmp_path):
    euros = PRICE.replace("server_hour", "balancer_hour").replace("USD", "EUR")
    with pytest.raises(PriceError, match="server_hour has the currency USD, balancer_hour EUR"):
        prices.prices(written(tmp_path, PRICE, euros))
    with pytest.raises(PriceError, match="cannot be read"):
        prices.prices(tmp_path / "gone.toml")


def test_a_changed_price_is_yours_and_leaves_the_table_alone():
    before = prices.prices()["internet_gb"]
    after = prices.changed(prices.parsed(["internet_gb = 0.5"]))["internet_gb"]
    assert (after.value, after.origin, after.source) == (0.5, YOURS, "")
    assert prices.prices()["internet_gb"] is before


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("internet_gb", "set by name=value"),
        ("internet_gb=much", "set by name=value"),
        ("", "set by name=value"),
        ("internet=1", "no price internet;"),
        ("internet_gb=0", "above 0"),
        ("internet_gb=nan", "above 0"),
        ("xlarge_cores=8", "is a limit"),
    ],
)
def test_a_price_that_cannot_be_set_is_refused(setting, message):
    with pytest.raises(PriceError, match=message):
        prices.changed(prices.parsed([setting]))


def test_a_row_that_somebody_took_out_is_named_where_it_is_needed(tmp_path):
    known = prices.prices(written(tmp_path, PRICE))
    for table in (known, prices.changed({"server_hour": 1}, known)):
        with pytest.raises(
            PriceError, match=r"^there is no price internet_gb in infra/managed/prices\.toml: add"
        ):
            table["internet_gb"]
        with pytest.raises(KeyError):
            table["internet_gb"]
