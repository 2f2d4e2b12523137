"""Plausibility: a meter only rises, and by no more than a household can use. It needs no truth

A wrong first digit is seen at once, a wrong last one hardly ever. Knows nothing of models.
"""

from dataclasses import dataclass

MOST = 0.05  # of all that a register can show: no customer uses so much in a month


@dataclass(frozen=True)
class KnownMeter:
    """What the utility knows of a meter before the card comes: its digits, and its last reading."""

    register: int
    last: int


def problem(digits: str, meter: KnownMeter, most: float = MOST) -> str:
    """Why a reading cannot be: "" if it can."""
    if len(digits) != meter.register:
        return f"{len(digits)} digits, and the meter has {meter.register}"
    rise = int(digits) - meter.last
    if rise < 0:
        return f"{-rise} less than last month"
    return f"{rise} more than last month" if rise > most * 10**meter.register else ""
