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
from collections import OrderedDict
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
    raised to the caller of that item only. When ``run`` itself raises, each half of the batch is run again,
    and of the bad half each half, so that one bad item spoils no other. ``delay`` and ``patience`` are
    seconds, ``workers`` threads that call ``run``. A Future that is cancelled before its batch leaves is not
    run and takes no room. What ``run`` raises that is no Exception reaches the caller as a RuntimeError.
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
        if max_batch < 1 or workers < 1 or not delay >= 0:  # not a number is not at least 0 either
            raise ValueError("max_batch and workers must be at least 1, delay at least 0")
        self.run, self.max_batch, self.delay = run, max_batch, delay
        self.max_waiting, self.patience = max_waiting, patience
        self._waiting: OrderedDict[Future, tuple[float, Item]] = OrderedDict()  # the oldest first
        self._changed, self._closed = threading.Condition(), False
        # Workers without a batch; the oldest items, which wait for a worker only; how many each takes.
        self._free = self._due = self._share = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"batch-{n}", daemon=True) for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, item: Item) -> "Future[Result]":
        """Put ``item`` into the next batch. Raises Full, or RuntimeError after ``close``."""
        future: Future[Result] = Future()
        future.add_done_callback(self._leave)
        with self._changed:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            if len(self._waiting) >= self.max_waiting:
                raise Full(f"{len(self._waiting)} items wait: try again later")
            self._waiting[future] = time.monotonic(), item
            self._changed.notify()
        return future

    def close(self, wait: bool = True) -> None:
        """Run what waits, then end the threads; with ``wait``, not before they have ended."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads if wait else ():
            thread.join()

    def __len__(self) -> int:
        return len(self._waiting)

    def _leave(self, future: Future) -> None:
        if future.cancelled():
            with self._changed:
                self._waiting.pop(future, None)
                self._due = min(self._due, len(self._waiting))

    def _gather(self) -> list[tuple[Future, tuple[float, Item]]]:
        """The next batch, once it is full or its time has come; empty after ``close``."""
        with self._changed:
            self._free += 1
            while True:
                if not self._waiting:
                    if self._closed:
                        return []
                    self._changed.wait()
                    continue
                arrived, _ = next(iter(self._waiting.values()))
                left, waiting = arrived + self.delay - time.monotonic(), len(self._waiting)
                if left <= 0 or self._closed:
                    self._due = waiting
                else:
                    self._due = max(self._due, waiting - waiting % self.max_batch)  # those of full batches
                if self._due:
                    # Who is back before another has woken up takes a whole share, not half of the rest.
                    self._share = min(self.max_batch, max(self._share, math.ceil(self._due / self._free)))
                    count = min(self._share, self._due)
                    self._due, self._free = self._due - count, self._free - 1
                    self._share = self._share if self._due else 0
                    batch = [self._waiting.popitem(last=False) for _ in range(count)]
                    if self._waiting:
                        self._changed.notify()  # the rest is for another who is free
                    return batch
                self._changed.wait(min(left, threading.TIMEOUT_MAX))

    def _work(self) -> None:
        while batch := self._gather():
            self._answer([entry for entry in batch if entry[0].set_running_or_notify_cancel()])

    def _answer(self, batch: list[tuple[Future, tuple[float, Item]]]) -> None:
        """Run ``batch`` and give each caller its result; when that fails, do so with each half of it."""
        ready = []
        for future, (arrived, item) in batch:
            try:
                self._check_patience(arrived)
                ready.append((future, (arrived, item)))
            except TooLate as late:
                future.set_exception(late)
        if not ready:
            return
        try:
            results = list(self.run([item for _, (_, item) in ready]))
            if len(results) != len(ready):
                raise RuntimeError(f"{len(results)} results for {len(ready)} items")
        except BaseException as error:  # whatever it is: this thread goes on, and nobody waits for ever
            results = [self._for_caller(error)]
        if len(results) < len(ready):  # one error for several: which of them is bad?
            half = len(ready) // 2
            self._answer(ready[:half])
            return self._answer(ready[half:])
        for (future, _), result in zip(ready, results, strict=True):
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _check_patience(self, arrived: float) -> None:
        waited = time.monotonic() - arrived
        if waited > self.patience:
            raise TooLate(f"not run in time: it had waited for {waited:.2f} s")

    @staticmethod
    def _for_caller(error: BaseException) -> Exception:
        """What is no Exception would end the caller's event loop; StopIteration would stick in it."""
        plain = isinstance(error, Exception) and not isinstance(error, StopIteration)
        return error if plain else RuntimeError(f"the model ended with {error!r}")
