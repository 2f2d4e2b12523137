"""A dynamic batcher: many callers, one call of the model for as many as are waiting.

A batch leaves when it is full, or when its oldest item has waited for ``delay`` seconds, whichever is first.
While the model is busy items gather by themselves, so under load a batch goes off at once, and ``delay`` 0
still gives batches. Workers that are free share what waits: two small batches on two cores end sooner than
one large batch beside an idle core. Knows nothing about pictures: ``run`` gets a list of items and returns a
list.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Full(RuntimeError):
    """So many items wait that one more would only make all of them later."""


class TooLate(TimeoutError):
    """The item waited longer than its caller has patience, so it was not run."""


class Batcher(Generic[Item, Result]):
    """``Batcher(run, 16, 0.002).submit(item)`` gives a Future: ``.result()``, or ``asyncio.wrap_future``.

    ``run``: from a list of 1 to ``max_batch`` items to as many results; a result that is an Exception is
    raised to the caller of that item only. When ``run`` itself raises, each item is run again alone, so that
    one bad item spoils no other. ``delay`` and ``patience`` are seconds, ``workers`` threads that call
    ``run``. A Future that is cancelled before its batch leaves is not run.
    """

    def __init__(
        self,
        run: Callable[[list[Item]], Sequence[Result | Exception]],
        max_batch: int = 16,
        delay: float = 0.0,
        *,
        workers: int = 1,
        max_waiting: int = 100_000,
        patience: float = float("inf"),
    ):
        if max_batch < 1 or workers < 1 or delay < 0:
            raise ValueError("max_batch and workers must be at least 1, delay at least 0")
        self.run, self.max_batch, self.delay = run, max_batch, delay
        self.max_waiting, self.patience = max_waiting, patience
        self._waiting: deque[tuple[float, Item, Future]] = deque()
        self._changed, self._closed, self._free = threading.Condition(), False, 0
        self._threads = [
            threading.Thread(target=self._work, name=f"batch-{n}", daemon=True) for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, item: Item) -> "Future[Result]":
        """Put ``item`` into the next batch. Raises Full, or RuntimeError after ``close``."""
        future: Future[Result] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            if len(self._waiting) >= self.max_waiting:
                raise Full(f"{len(self._waiting)} items wait: try again later")
            self._waiting.append((time.monotonic(), item, future))
            self._changed.notify()
        return future

    def cancel(self, future: "Future[Result]") -> bool:
        """Take an item back that still waits, and forget it at once; False when it runs or has run."""
        if not future.cancel():
            return False
        with self._changed:
            self._waiting = deque(entry for entry in self._waiting if entry[2] is not future)
        return True

    def close(self, wait: bool = True) -> None:
        """Run what waits, then end the threads; with ``wait``, not before they have ended."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads if wait else ():
            thread.join()

    def __len__(self) -> int:
        return len(self._waiting)

    def _gather(self) -> list[tuple[float, Item, Future]]:
        """The next batch, once it is full or its time has come; empty after ``close``."""
        with self._changed:
            self._free += 1
            while True:
                if not self._waiting:
                    if self._closed:
                        return []
                    self._changed.wait()
                    continue
                left = self._waiting[0][0] + self.delay - time.monotonic()
                if len(self._waiting) >= self.max_batch or left <= 0 or self._closed:
                    count = min(self.max_batch, math.ceil(len(self._waiting) / self._free))
                    batch = [self._waiting.popleft() for _ in range(count)]
                    self._free -= 1
                    if self._waiting:
                        self._changed.notify()  # the rest is for another who is free
                    return batch
                self._changed.wait(left)

    def _work(self) -> None:
        while batch := self._gather():
            now, items, futures = time.monotonic(), [], []
            for arrived, item, future in batch:
                if not future.set_running_or_notify_cancel():
                    continue
                if now - arrived > self.patience:
                    future.set_exception(TooLate(f"not run: it had waited for {now - arrived:.2f} s"))
                else:
                    items.append(item)
                    futures.append(future)
            if not items:
                continue
            for future, result in zip(futures, self._results(items), strict=True):
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    def _results(self, items: list[Item]) -> Sequence[Result | Exception]:
        try:
            results = self.run(items)
            if len(results) != len(items):
                raise RuntimeError(f"{len(results)} results for {len(items)} items")
            return results
        except Exception as error:
            if len(items) == 1:
                return [error]
            return [self._results([item])[0] for item in items]
