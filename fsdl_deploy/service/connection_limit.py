"""How many connections the service keeps open, and whose ends when one more comes

Every connection is one of the files that a process may have open. At the end of those a server can accept
nobody, nor open a file; so it keeps some back. Knows how many there are and which are idle; reads nothing.
"""

import logging
import os
import time
from collections.abc import Iterable

from fsdl_deploy.service.refusal import AGAIN, Refusal

log = logging.getLogger("uvicorn.error")
MOST = 2048
KEPT_BACK = 48
"""Files for anything but connections, beside those that are open at the start."""
QUIET = 10.0
"""Seconds between two lines in the log: a crowd must not fill the disk."""


def most_connections() -> int:
    """As many as the limit of open files allows (``ulimit -n``), at least 4, at most MOST."""
    try:
        import resource

        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return max(4, min(MOST, files - len(os.listdir("/dev/fd")) - min(KEPT_BACK, files // 4)))
    except (ImportError, OSError):  # Windows has neither
        return MOST


class ConnectionLimit:
    """At most ``most`` connections: for one more the one that has been idle longest is closed.

    Where each has a request that runs, the new one gets a 503. Either way the log says so.
    """

    def __init__(self, most: int = MOST):
        self.most, self._closed, self._refused, self._last = most, 0, 0, -QUIET

    def make_room(self, new, connections: Iterable) -> None:
        """``new`` is one of ``connections``, each a ``connection.Connection``."""
        if len(connections) <= self.most:
            return
        idle = [other for other in connections if other is not new and other.idle]
        idle = [other for other in idle if not other.transport.is_closing()]
        if idle:
            min(idle, key=lambda other: other.idle_since).transport.abort()
            self._closed += 1
        else:
            new.refuse(Refusal(503, "service", "all of its connections are in use, try again", AGAIN))
            self._refused += 1
        if time.monotonic() - self._last >= QUIET:
            log.warning(
                "%d connections are the most that this process may have (ulimit -n): "
                "closed %d idle ones, refused %d",
                self.most,
                self._closed,
                self._refused,
            )
            self._last, self._closed, self._refused = time.monotonic(), 0, 0
