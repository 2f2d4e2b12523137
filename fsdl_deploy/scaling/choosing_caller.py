"""A caller that is its own balancer: a function chooses the replica, and what breaks is repeated elsewhere

What a balancer does on the way is done here by whoever calls. Knows nothing of how a good choice is made:
that is the function's.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx2

Choose = Callable[[list[dict], list[str], float], str | None]
"""(replicas with name, open, weight and failed, names that were tried, now) -> the name of the next"""


class NoAnswer(ConnectionError):
    """No replica has answered, and no try is left."""


class ChoosingCaller:
    """A function for the load meter: POSTs to the replica that ``choose`` names, and to ``tries`` at most.

    ``weights``: the replicas' ports on this machine, each with its weight. ``sent``: as in httpx2. Many
    threads may call. Raises NoAnswer, or httpx2.HTTPStatusError for an answer other than 2xx, which is not
    repeated. Close it, or use ``with``.
    """

    def __init__(
        self, choose: Choose, weights: Mapping[int, float], tries: int, path: str = "/read", **sent: Any
    ):
        self.choose, self.tries, self.path, self.sent = choose, tries, path, sent
        self.replicas = [
            {"name": str(port), "open": 0, "weight": weight, "failed": None}
            for port, weight in weights.items()
        ]
        self._lock = threading.Lock()
        self._client = httpx2.Client(timeout=10, limits=httpx2.Limits(max_connections=None), trust_env=False)

    def __call__(self) -> None:
        tried: list[str] = []
        while len(tried) < self.tries and (replica := self._take(tried)) is not None:
            tried.append(replica["name"])
            try:
                url = f"http://127.0.0.1:{replica['name']}{self.path}"
                self._client.post(url, **self.sent).raise_for_status()
                return
            except httpx2.TransportError:
                replica["failed"] = time.perf_counter()
            finally:
                with self._lock:
                    replica["open"] -= 1
        raise NoAnswer(f"no answer after {len(tried)} tries")

    def _take(self, tried: list[str]) -> dict | None:
        """The replica that is chosen, with one more request open."""
        with self._lock:
            copies = [dict(replica) for replica in self.replicas]
            name = self.choose(copies, list(tried), time.perf_counter())
            replica = next((replica for replica in self.replicas if replica["name"] == name), None)
            if replica is not None:
                replica["open"] += 1
            return replica

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> "ChoosingCaller":
        return self

    def __exit__(self, *_) -> None:
        self.close()
