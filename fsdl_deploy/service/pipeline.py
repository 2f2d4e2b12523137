"""A batcher of two steps: while one worker runs the model, the others prepare what it runs next

What a request brings is decoded (prepared) by whichever worker is free; a free place at the model takes what
is ready at once. So a batch grows by itself while the model is busy, one caller alone waits for nobody, and
decoding costs the model no time. It pays where there are more cores than calls of the model at a time.
Knows nothing about pictures.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from fsdl_deploy.service.batching import Batcher, Item, Result


class Pipeline(Batcher[Item, Result]):
    """A Batcher whose ``run`` gets what ``prepare`` made of the items, each in a worker of its own.

    ``runs``: calls of ``run`` at the same time; ``workers`` prepare and run, so there are at least as many.
    What ``prepare`` raises reaches the caller of that item only. Prepared items that wait have a weight of
    up to ``most`` together, by ``weigh``, or are one; they are as many as ``runs`` batches at most. A Future
    that is cancelled before its item is run is not run. Everything else is as in Batcher.
    """

    def __init__(
        self,
        prepare: Callable[[Item], Any],
        run: Callable[[list], Sequence[Result | Exception]],
        max_batch: int = 16,
        delay: float = 0.0,
        *,
        runs: int = 1,
        workers: int = 2,
        weigh: Callable[[Any], float] = lambda prepared: 0,
        most: float = math.inf,
        patience: float = math.inf,
    ):
        if not 1 <= runs <= workers:
            raise ValueError("runs must be at least 1, and workers at least as many")
        self.prepare, self.runs, self._weigh, self._most = prepare, runs, weigh, most
        self._ready: deque[tuple[Future, tuple[float, Any]]] = deque()
        self._weight, self._running, self._preparing = 0.0, 0, 0
        super().__init__(run, max_batch, delay, workers=workers, patience=patience)

    def _work(self) -> None:
        while step := self._next():
            step()

    def _next(self) -> Callable[[], None] | None:
        """What a free worker does now: run what is ready, else prepare; None after ``close``."""
        with self._changed:
            while True:
                left = None
                if self._ready and self._running < self.runs:
                    left = self._time_left()
                    if left <= 0:
                        return self._batch()
                if self._waiting and self._has_room():
                    self._preparing += 1
                    future, (arrived, item) = self._waiting.popitem(last=False)
                    return partial(self._prepare, future, arrived, item)
                if self._closed and not (self._waiting or self._ready or self._preparing):
                    self._changed.notify_all()
                    return None
                self._changed.wait(left)

    def _time_left(self) -> float:
        """Seconds until what is ready may be run."""
        if self._closed or len(self._ready) >= self.max_batch or self._weight > self._most:
            return 0.0
        _, (arrived, _) = self._ready[0]
        return arrived + self.delay - time.monotonic()

    def _has_room(self) -> bool:
        ahead = len(self._ready) + self._preparing
        return ahead < self.runs * self.max_batch and self._weight <= self._most

    def _batch(self) -> Callable[[], None]:
        batch: list[tuple[Future, tuple[float, Any]]] = []
        while self._ready and len(batch) < self.max_batch:
            entry = self._ready.popleft()
            self._weight -= self._weigh(entry[1][1])
            batch.append(entry)
        self._running += 1
        if self._waiting:
            self._changed.notify()  # there is room again
        return partial(self._run, batch)

    def _run(self, batch: list[tuple[Future, tuple[float, Any]]]) -> None:
        try:
            self._answer([entry for entry in batch if entry[0].set_running_or_notify_cancel()])
        finally:
            with self._changed:
                self._running -= 1

    def _prepare(self, future: Future, arrived: float, item: Item) -> None:
        entry = None
        if not future.cancelled():
            try:
                self._check_patience(arrived)
                entry = future, (arrived, self.prepare(item))
            except BaseException as error:  # whatever it is: this thread goes on, and nobody waits for ever
                if future.set_running_or_notify_cancel():
                    future.set_exception(self._for_caller(error))
        with self._changed:
            self._preparing -= 1
            if entry:
                self._ready.append(entry)
                self._weight += self._weigh(entry[1][1])
