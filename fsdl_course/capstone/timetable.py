"""What goes wrong, and when: the nemesis's timetable, from a seed. Knows nothing of requests."""

from dataclasses import dataclass

import numpy as np

TERM, KILL, VERSION, BROKEN_VERSION = "SIGTERM", "kill -9", "new version", "broken version"
SWITCH = 5.0  # seconds that a service has to take a new version over
BROKEN_NAME = "v9"


@dataclass(frozen=True)
class TimedFault:
    """``what`` happens ``at`` seconds after the load begins."""

    at: float
    what: str


def faults(seed: int, seconds: float) -> list[TimedFault]:
    """Every fault once, in an order that the seed draws, spread over the replay with room between them.

    Three slots: the two ends of the process, and the pair of versions (first one that does not load, whose
    name ``active`` holds for a second and a half, then a good one).
    """
    rng = np.random.default_rng((seed, 2))
    order = [TERM, KILL, VERSION]
    rng.shuffle(order)
    if order[-1] == VERSION:  # too few cards would come after it to say by which version they are read
        order[1:] = order[:0:-1]
    width = seconds * 0.72 / 3
    timetable: list[TimedFault] = []
    for slot, what in enumerate(order):
        at = seconds * 0.2 + slot * width + float(rng.uniform(0, width * 0.15))
        if what == VERSION:
            timetable.append(TimedFault(at, BROKEN_VERSION))
            at += 1.5
        timetable.append(TimedFault(at, what))
    return timetable


def versions(seed: int) -> tuple[str, str]:
    """The version at the beginning and the one that follows."""
    return ("v1", "v2") if np.random.default_rng((seed, 3)).random() < 0.5 else ("v2", "v1")
