"""The loads under which serving libraries are compared: closed loops, then open ones at shares of a rate

Knows what each load is; which servers take it, and in which order, is in ``compare``.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from fsdl_deploy.measuring.load import Load, closed_loop, open_loop

USERS = (1, 8, 32)
RATES = (0.5, 0.8, 1.0, 1.2)  # of the server's own best rate in a closed loop
ALIKE = (0.8,)  # of the best rate of all servers
LONGER = 3  # times as many requests from saturation on: a queue needs time to grow


class LoadKind(NamedTuple):
    """A load: what it is called, calls at its beginning that open connections, and what makes it.

    ``make`` gets a caller and the best rate in a closed loop: of all servers if it is ``alike``, else of its
    own.
    """

    label: str
    opening: int
    make: Callable[[Callable, float], Load]
    alike: bool = False


def loads_of(
    users: Sequence[int], rates: Sequence[float], alike: Sequence[float], requests: int
) -> list[LoadKind]:
    """The closed loops come first: what follows needs the rates that they gave."""
    loads = [
        LoadKind(f"closed, {count}", count, lambda call, _, count=count: closed_loop(call, count, requests))
        for count in users
    ]

    def opened(share: float) -> Callable[[Callable, float], Load]:
        due = requests * (LONGER if share >= 1 else 1)

        def make(call, most):
            most = most or 10.0  # of a server that has only refused or failed
            return open_loop(call, share * most, due / (share * most), patience=30)

        return make

    loads += [LoadKind(f"open, {share:.0%}", 0, opened(share)) for share in rates]
    return loads + [LoadKind(f"{share:.0%} of the best's", 0, opened(share), alike=True) for share in alike]
