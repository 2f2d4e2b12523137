"""What a load balancer is told: who comes next, when a replica counts as down, which requests are repeated"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

CHOICES = {
    "choose": ("round robin", "least connections"),
    "retry": ("none", "unsent", "all"),
    "health": ("none", "passive", "active"),
}


class BalancerError(RuntimeError):
    """A balancer is not here, did not start, or cannot do what was asked; the message says what to do."""


@dataclass(frozen=True)
class Policy:
    """The settings that the lesson compares, in the same words for each balancer.

    ``choose``: the next in turn, or the one with the fewest requests under way. ``retry``: no request is sent
    a second time; or those of which no byte has reached a replica; or all that got no answer, which is right
    only where a repeated request does no harm, as in reading a picture. ``health``: every replica is asked
    whatever happens; or one that failed is left out for ``leave_out`` seconds, unless all have failed: then
    all are asked; or each is asked for ``/readyz`` every half second as well. ``keep_alive``: connections to
    the replicas stay open. ``connect_timeout`` and ``read_timeout``: seconds until a replica counts as
    failed; the second is longer than the service itself lets a request wait, so that a busy replica says no
    and is not taken for a dead one. ``tries``: how often a request is sent at most; 0: once to each replica.
    ``defaults``: of all this nothing is said, and the program does as it does by itself.
    """

    choose: str = "least connections"
    retry: str = "all"
    health: str = "passive"
    keep_alive: bool = True
    connect_timeout: float = 2
    read_timeout: float = 30
    leave_out: float = 2
    tries: int = 0
    defaults: bool = False

    def attempts(self, replicas: int) -> int:
        """How often a request is sent at most, with so many replicas."""
        return self.tries or replicas

    def __post_init__(self):
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name}={getattr(self, name)!r} is unknown: take one of {', '.join(known)}")
        if type(self.tries) is not int or self.tries < 0:
            raise ValueError(f"tries={self.tries!r}: a whole number from 0 on")
        for name in ("read_timeout", "leave_out"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)!r}: seconds, above 0")


def checked(ports: Sequence[int]) -> list[int]:
    """The replicas' ports. Raises ValueError: there is none, one is no port, or stands there twice."""
    if not ports:
        raise ValueError("a balancer needs at least one replica")
    for port in ports:
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
            raise ValueError(f"{port!r} is no port: a whole number from 1 to 65535")
    if len(set(ports)) < len(ports):
        raise ValueError(f"a port stands twice in {list(ports)}")
    return list(ports)
