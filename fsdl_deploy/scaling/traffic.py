"""The month of the meter reader as a curve: how many cards come in each minute. An assumption, see ``month``

How often the *same* card comes is in ``optimization.month_end``. Knows nothing of servers.
"""

import numpy as np

DAYS, BUSY_DAYS = 30, 2
BUSY_SHARE = 0.6
"""Of a month's cards, how many come in its last two days."""
DAY = 24 * 60  # minutes


def month(cards: int) -> np.ndarray:
    """Cards in each minute of a month, float64 ``[43200]``, with the sum ``cards``.

    An assumption, not a measurement: BUSY_SHARE of them come in the last BUSY_DAYS days, the others evenly
    over the days before. Within a day they rise as a sine from nothing at four in the morning to their most
    at four in the afternoon.
    """
    minute = np.arange(DAYS * DAY)
    hour = (1 - np.cos(2 * np.pi * (minute % DAY - 4 * 60) / DAY)) / 2
    busy = minute >= (DAYS - BUSY_DAYS) * DAY
    curve = np.where(busy, BUSY_SHARE / BUSY_DAYS, (1 - BUSY_SHARE) / (DAYS - BUSY_DAYS)) * hour
    return cards * curve / curve.sum()


def month_end(cards: int) -> np.ndarray:
    """The last three days of ``month``, float64 ``[4320]``: a quiet one, then the two busy ones."""
    return month(cards)[-(BUSY_DAYS + 1) * DAY :]


def burstiness(curve: np.ndarray) -> float:
    """How many times the mean the busiest minute has."""
    return float(curve.max() / curve.mean())
