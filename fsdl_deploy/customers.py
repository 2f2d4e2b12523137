"""The utility's customers: whose meters only rise, and who send one card a month.

Everything about customer ``i`` follows from (seed, i), so a month of a million customers is never
in memory at once, and month after month fits together. Knows nothing about models.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fsdl_deploy.cards import Card, picture_of
from fsdl_deploy.digits import Digits, Split, digits
from fsdl_deploy.drawing import Hand, Level, hand, level_named

FIRST_YEAR = 2024
# Share of a mean month that is used in January … December: heating in winter.
SEASON = np.array([1.5, 1.4, 1.2, 1.0, 0.8, 0.7, 0.6, 0.6, 0.8, 1.0, 1.1, 1.3])


@dataclass(frozen=True)
class Customer:
    """One meter: ``register`` digits wide, at ``start`` when 2024 began, ``monthly`` units a mean month."""

    name: str
    register: int
    start: int
    monthly: float
    hand: Hand


def months_since_start(month: str) -> int:
    """Months from 2024-01 to ``month`` (YYYY-MM). Raises ValueError for another form or an earlier month."""
    year, dash, number = month.partition("-")
    if not (
        dash
        and len(year) == 4
        and len(number) == 2
        and (year + number).isascii()
        and (year + number).isdecimal()
        and 1 <= int(number) <= 12
    ):
        raise ValueError(f"a month is written YYYY-MM, such as 2026-10, not {month!r}")
    since = (int(year) - FIRST_YEAR) * 12 + int(number) - 1
    if since < 0:
        raise ValueError(f"the first month on record is {FIRST_YEAR}-01, and {month} is earlier")
    return since


class Customers:
    """``n`` customers with true meter histories. The same (n, seed) is the same utility."""

    def __init__(self, n: int, seed: int = 0, level: str | Level = "typical", split: Split | Digits = "test"):
        if n < 1:
            raise ValueError(f"a utility has at least one customer, not {n}")
        self.n, self.seed, self.level = n, seed, level_named(level)
        self.source = split if isinstance(split, Digits) else digits(split)

    def customer(self, i: int) -> Customer:
        """Customer ``i`` of 0 … n - 1."""
        if not 0 <= i < self.n:
            raise ValueError(f"there are customers 0 to {self.n - 1}, not {i}")
        rng = np.random.default_rng((self.seed, i))
        register = int(rng.choice([4, 5, 6, 7], p=[0.1, 0.5, 0.3, 0.1]))
        monthly = min(rng.lognormal(np.log(10 ** (register - 3)), 0.5), 10 ** (register - 2) / 2)
        start = int(rng.integers(0, 10**register // 3))
        return Customer(f"C{i:07d}", register, start, monthly, hand(self.level, rng))

    def reading(self, i: int, month: str) -> int:
        """What customer ``i``'s meter shows at the end of ``month``: never less than the month before.

        Raises ValueError in the far future when the register would turn over to zero.
        """
        since, customer = months_since_start(month), self.customer(i)
        months = np.arange(since + 1)
        mood = np.random.default_rng((self.seed, i, 1)).gamma(
            8, 1 / 8, since + 1
        )  # drawn in order: a prefix is stable
        used = np.floor(np.cumsum(customer.monthly * SEASON[months % 12] * mood))
        value = customer.start + int(used[-1])
        if value >= 10**customer.register:
            raise ValueError(f"the meter of customer {i} has turned over before {month}")
        return value

    def card(self, i: int, month: str, drift: str | None = None) -> Card:
        """The card that customer ``i`` sends for ``month``, with the meter's leading zeros."""
        customer = self.customer(i)
        text = str(self.reading(i, month)).zfill(customer.register)
        rng = np.random.default_rng((self.seed, i, 2, months_since_start(month)))
        image = picture_of(text, self.level, customer.hand, rng, self.source, drift)
        return Card(image, text, customer.name, month)

    def cards(self, month: str, drift: str | None = None) -> Iterator[Card]:
        """Yield every customer's card for ``month``, one at a time."""
        for i in range(self.n):
            yield self.card(i, month, drift)
