"""Autoscaling: the rule of Kubernetes' horizontal autoscaler, and what it does to a curve of requests

``desired`` is the rule, ``Autoscaler`` the rule with its memory, ``simulate`` a service that follows it, and
comes late: figures are averages of what was, new replicas must start, and down it goes only after a while.
Source: Kubernetes' documentation, Horizontal Pod Autoscaling, "Algorithm details".
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

TOLERANCE = 0.1  # Kubernetes' own defaults
STABILISATION = 300.0
PERIOD = 15.0


def desired(replicas: int, measured: float, target: float, tolerance: float = TOLERANCE) -> int:
    """How many replicas bring ``measured`` (such as the busy share of each, on average) to ``target``."""
    ratio = measured / target
    if abs(ratio - 1) <= tolerance:
        return replicas
    return math.ceil(round(replicas * ratio, 9))  # 3 * 1.2 / 0.6 is a hair more than 6


@dataclass
class Autoscaler:
    """``desired``, within limits, with a memory: down it goes only as far as all of the last recommendations.

    ``stabilisation``: seconds that it remembers. So a lull between two waves removes no replica that the next
    wave needs.
    Two things of Kubernetes' are left out: it begins with the number of replicas that it finds as a
    recommendation, and it adds at most as many as there are, or four, every fifteen seconds.
    """

    target: float
    least: int = 1
    most: int = 10
    tolerance: float = TOLERANCE
    stabilisation: float = STABILISATION
    memory: deque[tuple[float, int]] = field(default_factory=deque)

    def __post_init__(self):
        if not self.target > 0 or not 1 <= self.least <= self.most:
            raise ValueError("target must be above 0, and least from 1 up to most")

    def __call__(self, now: float, replicas: int, measured: float) -> int:
        """How many replicas there should be at ``now`` (seconds), with so many running."""
        wish = min(self.most, max(self.least, desired(replicas, measured, self.target, self.tolerance)))
        while self.memory and self.memory[0][0] <= now - self.stabilisation:
            self.memory.popleft()
        self.memory.append((now, wish))
        return wish if wish >= replicas else min(replicas, max(earlier for _, earlier in self.memory))


@dataclass(frozen=True)
class Moment:
    """One second of a simulation. ``wait``: seconds until a request that comes now is begun."""

    second: int
    rate: float
    replicas: int
    ready: int
    busy: float
    wait: float


def simulate(
    rates: Sequence[float],
    per_replica: float,
    autoscaler: Autoscaler,
    *,
    start: float = 20,
    window: float = 30,
) -> list[Moment]:
    """What an autoscaled service does while ``rates[s]`` requests come in second ``s``.

    ``per_replica``: requests a second that one answers. Every PERIOD seconds the autoscaler sees how busy the
    replicas were, on average of the last ``window`` seconds; one that still starts counts as idle, else it
    would order the same ones again. A replica that it adds is ready after ``start`` seconds, one that it
    removes is gone at once. Requests that nobody can take wait in one queue.
    """
    ready_at, shares, waiting = [0.0] * autoscaler.least, deque(maxlen=max(1, round(window))), 0.0
    moments = []
    for second, rate in enumerate(rates):
        ready = sum(moment <= second for moment in ready_at)
        able = ready * per_replica
        taken = min(waiting + rate, able)
        waiting += rate - taken
        shares.append(taken / able)
        moments.append(Moment(second, rate, len(ready_at), ready, shares[-1], waiting / able))
        if second and second % PERIOD == 0:
            busy = sum(shares) / len(shares) * ready / len(ready_at)
            wish = autoscaler(second, len(ready_at), busy)
            ready_at = sorted(ready_at)[:wish] + [second + start] * (wish - len(ready_at))
    return moments


def lag(moments: Sequence[Moment], per_replica: float) -> int:
    """In how many seconds more requests came than the replicas that were ready could answer."""
    return sum(moment.rate > moment.ready * per_replica for moment in moments)
