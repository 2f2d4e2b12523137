"""Versions in the field: which models customers' devices run, so many days after each release

A device that has not the newest model takes it on any day with probability ``p``: it was opened, it had a
link, its user said yes. ``never``: the share of devices that take none. The shares are computed; ``drawn``
draws each device's days by chance instead, as a check. A service has one version at a time; a fleet has all
of them.
"""

import math
from collections.abc import Sequence

import numpy as np


def _check(releases: Sequence[int], p: float, never: float) -> None:
    if list(releases) != sorted(set(releases)) or not releases:
        raise ValueError("releases are days in rising order, each once, and at least one")
    if not (0 <= p <= 1 and 0 <= never <= 1):
        raise ValueError(f"p and never are from 0 to 1, not {p} and {never}")


def shares(days: int, releases: Sequence[int], p: float, never: float = 0.0) -> np.ndarray:
    """The share of devices with each version at the end of each day, float64 ``[days, 1 + releases]``.

    Column 0 is the version with which all begin; the others are those of ``releases`` (days from 0 on). Each
    row adds up to 1. Raises ValueError for releases that do not rise, or for a share outside 0 to 1.
    """
    _check(releases, p, never)
    now, rows = np.zeros(1 + len(releases)), []
    now[0] = 1 - never
    for day in range(days):
        if newest := sum(release <= day for release in releases):
            updated = p * now[:newest].sum()
            now[:newest] *= 1 - p
            now[newest] += updated
        rows.append(now.copy())
    table = np.array(rows).reshape(days, 1 + len(releases))
    table[:, 0] += never
    return table


def drawn(
    devices: int, days: int, releases: Sequence[int], p: float, never: float = 0.0, seed: int = 0
) -> np.ndarray:
    """The same by chance: every device tosses its coin each day."""
    _check(releases, p, never)
    rng = np.random.default_rng(seed)
    takes = rng.random(devices) >= never
    version, rows = np.zeros(devices, int), []
    for day in range(days):
        newest = sum(release <= day for release in releases)
        version[takes & (rng.random(devices) < p)] = newest
        rows.append(np.bincount(version, minlength=1 + len(releases)) / devices)
    return np.array(rows)


def days_until(share: float, p: float, never: float = 0.0) -> float:
    """Days from a release until this ``share`` of all devices has it; inf where it never will."""
    if share <= 0:
        return 0.0
    if share >= 1 - never or p <= 0:
        return 1.0 if p >= 1 and share <= 1 - never else math.inf
    return (
        max(1.0, math.ceil(round(math.log(1 - share / (1 - never)) / math.log(1 - p), 9))) if p < 1 else 1.0
    )


def in_words(days: float) -> str:
    """Days as text: "30 days", or "never"."""
    return "never" if math.isinf(days) else f"{days:.0f} days"


def alive(row: np.ndarray, least: float = 0.01) -> int:
    """How many versions at least this share of the devices has: those that somebody must still support."""
    return int((row >= least).sum())
