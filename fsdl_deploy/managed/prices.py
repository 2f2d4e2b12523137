"""The table of prices: each with its currency, unit, region, date and source, or it is refused

They stand in ``infra/managed/prices.toml``, beside the limits that a provider has. Knows nothing of what is
computed with them.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from fsdl_deploy import dated_rows
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

FILE = ROOT / "infra" / "managed" / "prices.toml"
ORIGINS = {"vendor": "the provider's own", "copy": "a copy of it", "other": "somebody else's table"}
"""What a source is: the provider's own page or list, a dated copy of that, or somebody else's table."""
YOURS = "yours"
ALL = "all"
"""The region of what is the same in each of them."""
UNITS = (
    "hour", "unit and hour", "GB-second", "GB", "GB and hour", "GB and month", "million requests", "requests",
    "MB", "s", "vCPU",
)  # fmt: skip
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")


def _region(value: object) -> str:
    good = isinstance(value, str) and (value == ALL or _REGION.fullmatch(value))
    return "" if good else f"a region such as us-east-1, or {ALL}"


def _currency(value: object) -> str:
    good = isinstance(value, str) and re.fullmatch("[A-Z]{3}", value)
    return "" if good else "a currency of three letters, such as USD"


_LIMIT = {
    "item": dated_rows.text,
    "value": dated_rows.positive,
    "unit": dated_rows.choice(UNITS),
    "region": _region,
    "date": dated_rows.day,
    "source": dated_rows.address,
    "origin": dated_rows.choice(ORIGINS),
}
_PRICE = {**_LIMIT, "currency": _currency}


class PriceError(ValueError):
    """The table of prices is wrong; the message names the row and the field, and says what to do."""


class MissingPriceError(PriceError, KeyError):
    """The table has no such row."""

    __str__ = Exception.__str__  # a KeyError's own would show the sentence in quotation marks


class _Rows(dict):
    """The rows by name; one that is not there is named in a sentence."""

    def __missing__(self, name: str):
        where = FILE.relative_to(ROOT).as_posix()
        raise MissingPriceError(f"there is no price {name} in {where}: add it, with its date and source")


@dataclass(frozen=True)
class Price:
    """A price, or a limit (then without ``currency``), as a source had it on a date.

    ``origin``: what the source is, a key of ORIGINS, or YOURS for one that was changed by hand.
    """

    item: str
    value: float
    unit: str
    region: str
    date: date
    source: str
    origin: str
    currency: str = ""
    limit: bool = False


@functools.cache
def prices(file: Path = FILE) -> dict[str, Price]:
    """All prices and limits by name. Raises PriceError for a row that is not whole, or for two currencies."""
    document = dated_rows.document(file, PriceError)
    known = _Rows({name: _price(name, entry) for name, entry in document.items()})
    in_currency = {price.currency: name for name, price in known.items() if not price.limit}
    if len(in_currency) > 1:
        (currency, name), (other, second), *_ = in_currency.items()
        raise PriceError(
            f"{name} has the currency {currency}, {second} {other}: a sum needs the same for all, so convert"
        )
    return known


def _price(name: str, entry: object) -> Price:
    limit = entry.get("limit", False) if isinstance(entry, dict) else False
    if limit is True and "currency" in entry:
        raise PriceError(f"{name} is a limit and has a currency: take one of the two away")
    dated_rows.check(
        name, entry, _LIMIT if limit is True else _PRICE, {"limit": dated_rows.flag}, PriceError,
        "a price stands with its unit, date and source",
    )  # fmt: skip
    return Price(**entry)


def _check_value(name: str, value: object) -> None:
    if must := dated_rows.positive(value):
        raise PriceError(f"{name}: value must be {must}, not {dated_rows.quoted(value)}")


def changed(values: Mapping[str, float], known: Mapping[str, Price] | None = None) -> dict[str, Price]:
    """The prices with some of them replaced, for a "what if". Raises PriceError for a name that is none."""
    result = _Rows(prices() if known is None else known)
    for name, value in values.items():
        if name not in result:
            raise PriceError(
                f"there is no price {name}; the names are those in {FILE.relative_to(ROOT).as_posix()}"
            )
        if result[name].limit:
            raise PriceError(f"{name} is a limit of the provider, no price: change it in the file")
        _check_value(name, value)
        result[name] = replace(result[name], value=value, source="", origin=YOURS)
    return result


def parsed(settings: Iterable[str]) -> dict[str, float]:
    """``["server_hour=0.1"]`` as ``{"server_hour": 0.1}``. Raises PriceError for what has no such form."""
    values = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            values[name.strip()] = float(value)
        except ValueError:
            raise PriceError(
                f"a price is set by name=value, as in server_hour=0.1, not {setting!r}"
            ) from None
    return values


def _digits(value: float) -> str:
    """``0.00002`` and not ``2e-05``."""
    return f"{value:.10f}".rstrip("0").rstrip(".")


def table(names: Iterable[str] | None = None) -> Table:
    """The prices with their dates, for a lesson to show; ``names``: only these."""
    chosen = prices() if names is None else {name: prices()[name] for name in names}
    rows = [
        [
            price.item,
            f"{_digits(price.value)} {price.currency}".strip(),
            price.unit,
            price.region,
            price.date.isoformat(),
            ORIGINS[price.origin],
        ]
        for price in chosen.values()
    ]
    header = ["item", "price", "for a", "region", "on", "read in"]
    return Table(header, *rows, notes=[f"Sources: {FILE.relative_to(ROOT).as_posix()}"])
