"""Callers of a service: a crowd at the same moment, and polite ones that look whether it is about to end"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx2

from fsdl_deploy.running.waiting import until


def together(count: int, call: Callable[[], object]) -> list:
    """What ``count`` calls return, made at the same moment by a thread each. What one raises is raised."""
    all_here = threading.Barrier(count)

    def ask(_) -> object:
        all_here.wait()
        return call()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, range(count)))


class PoliteCallers:
    """``with PoliteCallers(url, body, headers, count=2) as callers:`` ask for readings without a pause.

    Each looks at /readyz before each request, as a load balancer does, and stops at the first look that is
    not answered by 200; the block's end waits for that. ``statuses``: of the readings, and the exception's
    name for a request that got no answer.
    """

    def __init__(self, url: str, body: dict, headers: Mapping[str, str], count: int):
        self.url, self.body, self.headers = url, body, dict(headers)
        self.statuses: list[int | str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]

    def __enter__(self) -> "PoliteCallers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is not None:
            self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int, longest: float = 60) -> None:
        """Return once ``count`` requests are over. Raises TimeoutError after ``longest`` seconds."""
        what = f"that {count} requests are answered"
        until(lambda: len(self.statuses) >= count, longest, TimeoutError, what, pause=0.02)

    def _ask(self) -> None:
        with httpx2.Client(base_url=self.url, headers=self.headers, timeout=60) as client:
            while not self._over.is_set() and _ready(client):
                try:
                    self.statuses.append(client.post("/read", json=self.body).status_code)
                except httpx2.HTTPError as error:
                    self.statuses.append(type(error).__name__)


def _ready(client: httpx2.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx2.HTTPError:
        return False
