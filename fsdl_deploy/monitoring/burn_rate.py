"""Burn rates: how fast errors spend what a promise leaves, and who should hear of it when

A promise of 99.9 % over 30 days (a *service level objective*) leaves a thousandth of the requests to fail:
the error budget. A burn rate of 1 spends it in 30 days, one of 14.4 in two. An alert asks two windows: the
long one whether it matters, the short one whether it still goes on. After Google's *Site Reliability
Workbook*, chapter 5. Knows numbers of requests, and nothing of Prometheus.
"""

from dataclasses import dataclass

import numpy as np

from fsdl_deploy.measuring.table import Table

OBJECTIVE = 0.999
PERIOD = 30 * 24 * 60  # minutes


@dataclass(frozen=True)
class Window:
    """An alert: its two windows (minutes), the burn rate from which on it fires, and who hears of it."""

    long: int
    short: int
    rate: float
    severity: str
    least: int = 10  # bad requests in the long window: fewer are no news

    @property
    def spends(self) -> float:
        """The share of the budget that is gone when it fires, if requests come evenly."""
        return self.rate * self.long / PERIOD


WINDOWS = (
    Window(60, 5, 14.4, "page"),
    Window(6 * 60, 30, 6, "page"),
    Window(24 * 60, 2 * 60, 3, "ticket"),
    Window(3 * 24 * 60, 6 * 60, 1, "ticket"),
)
"""The alerts of ``infra/monitoring/prometheus/rules/slo.yml``."""


def burn_rate(bad: float, total: float, objective: float = OBJECTIVE) -> float:
    """How many times faster than allowed the budget is spent; 0 where nobody asked.

    Raises ValueError for an objective that leaves no budget, or all.
    """
    if not 0 < objective < 1:
        raise ValueError(f"an objective lies between 0 and 1, not {objective}: 1 leaves no request to fail")
    return bad / total / (1 - objective) if total else 0.0


def minutes_to_fire(errors: float, window: Window, objective: float = OBJECTIVE) -> float:
    """Minutes from the moment when this share of the requests begins to fail; infinity: it never fires."""
    needed = window.rate * (1 - objective)
    return window.long * needed / errors if errors > needed else float("inf")


def fires(bad: np.ndarray, total: np.ndarray, window: Window, objective: float = OBJECTIVE) -> np.ndarray:
    """Whether the alert fires in each minute, bool ``[minutes]``, from the requests of each minute."""
    bad, total = np.asarray(bad, float), np.asarray(total, float)
    limit = window.rate * (1 - objective)
    enough = _last(bad, window.long) >= window.least
    over = [_last(bad, width) > limit * _last(total, width) for width in (window.long, window.short)]
    return enough & over[0] & over[1]


def naive(bad: np.ndarray, total: np.ndarray, width: int = 10, objective: float = OBJECTIVE) -> np.ndarray:
    """The rule that everybody writes first: more errors than promised within the last ``width`` minutes."""
    return _last(np.asarray(bad, float), width) > (1 - objective) * _last(np.asarray(total, float), width)


def times_woken(firing: np.ndarray) -> int:
    """How often an alert begins to fire."""
    return int((np.diff(np.asarray(firing, int), prepend=0) > 0).sum())


def table() -> Table:
    """The alerts of ours, with what an outage of each size means for them."""
    rows = []
    for window in WINDOWS:
        times = [_readable(minutes_to_fire(errors, window)) for errors in (1, 0.05, 0.01, 0.002)]
        names = (_readable(window.long), _readable(window.short))
        rows.append([*names, window.rate, window.severity, window.spends, *times])
    header = ["long", "short", "burn rate", "who hears of it", "of the month's budget"]
    header += [f"{errors:g} % fail: after" for errors in (100, 5, 1, 0.2)]
    return Table(header, *rows, formats=["", "", "g", "", ".0%"])


def _last(values: np.ndarray, width: int) -> np.ndarray:
    """The sum of each minute and those before it, ``width`` in all; before that, of what there is."""
    sums = np.concatenate([np.zeros(width), np.cumsum(values)])
    return sums[width:] - sums[:-width]


def _readable(minutes: float) -> str:
    if minutes == float("inf"):
        return "never"
    if minutes < 60:
        return f"{minutes:.1f} min" if minutes % 1 else f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h".replace(".0 h", " h") if minutes < 48 * 60 else f"{minutes / 1440:.0f} d"
