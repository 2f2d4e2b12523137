"""What is known of a customer's meter before the card comes: it only rises, and by how much in a month

Knows nothing of models. A reading that cannot be is wrong, and nobody has to look at the card.
"""

from dataclasses import dataclass

from fsdl_deploy.customers import Customers

MOST = 4.0
"""No customer uses more than so many mean months in one: in winter with a bad mood, see ``customers``."""
ALL = 0.05
"""Nor, whatever is known of them, more than this share of all that their register can show."""


@dataclass(frozen=True)
class Meter:
    """``register`` digits, ``last`` month's reading, and what a mean month of the year before used, where
    that is known."""

    register: int
    last: int
    usual: float | None = None

    def plausible(self, digits: str) -> bool:
        """Whether a reading can be: the meter's number of digits, no less than last month, not too much."""
        return not self.problem(digits)

    def problem(self, digits: str, share: float = ALL) -> str:
        """Why a reading cannot be: "" if it can. ``share`` of all that the register can show is the most that
        is used, where no usual month is known.

        A wrong first digit is seen at once, a wrong last one hardly ever.
        """
        if len(digits) != self.register or not digits.isdecimal():
            return f"{len(digits)} digits, and the meter has {self.register}"
        rise = int(digits) - self.last
        if rise < 0:
            return f"{-rise} less than last month"
        most = share * 10**self.register if self.usual is None else MOST * max(self.usual, 1)
        return f"{rise} more than last month" if rise > most else ""


def meter(customers: Customers, i: int, month: str) -> Meter:
    """Customer ``i``'s meter as it is known before their card of ``month`` (YYYY-MM, from 2025-02 on)."""
    year, number = map(int, month.split("-"))
    before = f"{year - (number == 1)}-{(number - 2) % 12 + 1:02d}"
    year_before = f"{int(before[:4]) - 1}-{before[5:]}"
    last = customers.reading(i, before)
    return Meter(customers.customer(i).register, last, (last - customers.reading(i, year_before)) / 12)
