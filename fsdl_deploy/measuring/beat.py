"""The beat of a meter: when its own process stood still, and what it noted then says nothing of a server

A process is stopped by a signal, by a sleeping laptop, by a machine that has no time for it. It cannot notice
while that lasts, but whoever means to look every tenth of a second sees afterwards that a second is missing.
"""

import time
from collections.abc import Callable

STILL = 1.0  # seconds without a beat that are no delay any more


class Beat:
    """``strike()`` it often, from one thread. ``stops``: from when to when there was no beat for long."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter):
        self._clock, self._last = clock, clock()
        self.stops: list[tuple[float, float]] = []

    def strike(self) -> None:
        now = self._clock()
        if now - self._last > STILL:
            self.stops.append((self._last, now))
        self._last = now

    @property
    def seconds(self) -> float:
        """How long it stood still in all."""
        return sum(end - begin for begin, end in self.stops)

    def within(self, begin: float, end: float) -> float:
        """How many seconds between these two moments it stood still."""
        return sum(max(0.0, min(end, last) - max(begin, first)) for first, last in self.stops)
