"""What goes wrong, and when: the nemesis's timetable, from a seed. Knows nothing of requests."""

from dataclasses import dataclass

import numpy as np

TERM, KILL, VERSION, BROKEN_VERSION = "SIGTERM", "kill -9", "new version", "broken version"
SWITCH = 5.0  # seconds that a service has to take a new version over
ROOM = {TERM: 0.18, KILL: 0.18, VERSION: 0.34}  # shares of the replay
BROKEN_NAME = "v9"


@dataclass(frozen=True)
class TimedFault:
    """``what`` happens ``at`` seconds after the load begins."""

    at: float
    what: str


def faults(seed: int, seconds: float) -> list[TimedFault]:
    """Every fault once, in an order that the seed draws, spread over the replay with room between them.

    Three parts: the two ends of the process, and the pair of versions (first one that does not load, whose
    name ``active`` holds for a second and a half, then a good one). The pair has more room: a restart changes
    the version by itself, so cards have to come between the seconds for the change and the next restart.
    """
    rng = np.random.default_rng((seed, 2))
    order = [TERM, KILL, VERSION]
    rng.shuffle(order)
    timetable, begin = [], seconds * 0.12
    for what in order:
        at = begin + float(rng.uniform(0, seconds * 0.03))
        begin += seconds * ROOM[what]
        if what == VERSION:
            timetable.append(TimedFault(at, BROKEN_VERSION))
            at += 1.5
        timetable.append(TimedFault(at, what))
    return timetable


def versions(seed: int) -> tuple[str, str]:
    """The version at the beginning and the one that follows."""
    return ("v1", "v2") if np.random.default_rng((seed, 3)).random() < 0.5 else ("v2", "v1")
