"""A small load meter: how long a call takes when many users make it at once.

Tools such as wrk and locust load a URL from outside, and the lesson on scaling uses them. This meter
loads any Python function, so that a reader in this process and a reader behind a URL are measured by
the same yardstick. It knows nothing about HTTP. Its users are threads: work that holds Python's lock
in this process slows them all, so measure a server that is a process of its own.

**Closed loop**: each user waits for the answer before asking again. A server that stalls gets fewer
requests just then, so the stall spoils one measurement for each user, and the percentiles look fine.
That is *coordinated omission*: the slow server decides how often it is measured. Real users do not
wait for each other. **Open loop**: requests come by a timetable, whatever the server does, and the
latency counts from the moment in the timetable. ``Load.latencies`` holds that; ``Load.service_times``
counts from the moment the request was really sent. Their difference is what the omission hides.
(Gil Tene, "How NOT to Measure Latency", 2013.)
"""

import math
import threading
import time
from collections.abc import Callable

import numpy as np

from fsdl_deploy.measuring import progress
from fsdl_deploy.measuring.beat import Beat
from fsdl_deploy.measuring.load_result import Load, table
from fsdl_deploy.measuring.timetable import timetable

__all__ = ["NOT_SENT", "Load", "closed_loop", "open_loop", "table"]
NOT_SENT = "NotSent"


class _Run:
    """The threads of one run, and what they note."""

    def __init__(self, call: Callable[[], object], requests: int, stop: threading.Event | None = None):
        self.call, self.requests = call, requests
        self.total = requests if stop is None else None  # whoever may stop the run knows how long it is
        self.go, self.stop = threading.Event(), stop or threading.Event()
        self.lock = threading.Lock()
        self.taken, self.begin, self.patience, self.beat = 0, 0.0, math.inf, Beat()
        # due, sent, answered, error
        self.notes: list[tuple[float, float, float, tuple[str, str] | None]] = []
        self.fatal: BaseException | None = None

    def take(self) -> int | None:
        """The number of the next request, None when there is no more to do."""
        with self.lock:
            if self.taken >= self.requests or self.stop.is_set():
                return None
            self.taken += 1
            return self.taken - 1

    def send(self, due: float, sent: float) -> None:
        """Make one call now, at ``sent``, and note how it went."""
        error = None
        try:
            self.call()
        except Exception as problem:
            error = type(problem).__name__, str(problem).partition("\n")[0]
        self.notes.append((due, sent, time.perf_counter(), error))

    def run(self, threads: int, work: Callable[[], None]) -> Load:
        def guarded():
            self.go.wait()
            try:
                work()
            except BaseException as error:  # KeyboardInterrupt in a call ends the run, as in a plain loop
                self.fatal = error
                self.stop.set()

        users = [threading.Thread(target=guarded, name=f"user {n}", daemon=True) for n in range(threads)]
        try:
            for user in users:
                user.start()
            self.begin, self.beat = time.perf_counter(), Beat()
            self.go.set()
            with progress.bar(self.total, "load", "call") as bar:
                for user in users:
                    while user.is_alive():
                        user.join(0.1)  # not for ever: on Windows nothing could interrupt that
                        self.beat.strike()
                        bar.update(len(self.notes) - bar.n)
        finally:
            self.stop.set()
            self.go.set()
            deadline = time.monotonic() + 2  # a call that is under way cannot be broken off
            for user in users:
                if user.ident is not None:
                    user.join(max(0, deadline - time.monotonic()))
        if self.fatal is not None:
            raise self.fatal
        return self.load()

    def load(self) -> Load:
        notes = sorted(filter(self._could_be_sent, self.notes), key=lambda note: note[:2])
        problems: dict[str, tuple[int, str]] = {}
        for *_, error in notes:
            if error is not None:
                count, first = problems.get(error[0], (0, error[1]))
                problems[error[0]] = (count + 1, first)
        good = np.array([note[:3] for note in notes if note[3] is None], dtype=float).reshape(-1, 3)
        return Load(
            requests=len(notes),
            seconds=max(note[2] for note in notes) - min(note[0] for note in notes) if notes else 0.0,
            latencies=(good[:, 2] - good[:, 0]) * 1000,
            service_times=(good[:, 2] - good[:, 1]) * 1000,
            problems=problems,
            never_sent=len(self.notes) - len(notes),
            stood_still=self.beat.seconds,
        )

    def _could_be_sent(self, note: tuple) -> bool:
        """Whether this call was made, or not made while the meter ran: its own sleep is no overload."""
        due, sent, _, error = note
        waited = sent - due - self.beat.within(due, sent)
        return error is None or error[0] != NOT_SENT or waited > self.patience


def closed_loop(call: Callable[[], object], users: int = 1, requests: int = 100, *, warmup: int = 0) -> Load:
    """``users`` threads share ``requests`` calls; each makes its next as soon as the last has returned.

    ``warmup``: calls made before, by the same number of users, and not measured. An exception in
    ``call`` counts as an error and does not end the run; give ``call`` a time-out of its own.
    """
    _whole(users=users, requests=requests)
    if warmup:
        closed_loop(call, users, warmup)
    run = _Run(call, requests)

    def user():
        while run.take() is not None:
            now = time.perf_counter()
            run.send(due=now, sent=now)

    return run.run(min(users, requests), user)


def open_loop(
    call: Callable[[], object],
    rate: float,
    seconds: float,
    *,
    arrivals: str = "constant",
    seed: int = 0,
    max_in_flight: int = 128,
    patience: float = 10,
    warmup: int = 0,
    stop: threading.Event | None = None,
) -> Load:
    """Calls start by a timetable, ``rate`` a second for ``seconds``, however slow the answers are.

    ``arrivals``: "constant" (evenly spaced) or "poisson" (as independent users come; drawn with
    ``seed``). At most ``max_in_flight`` calls are under way, one thread each; those that are due then
    wait, and their latency counts the wait. One that waits for more than ``patience`` seconds is
    given up and counts as an error named NotSent, so that an overloaded server cannot hold the run
    for ever. If it waited because the meter itself stood still, it is no request (``never_sent``).
    ``warmup``: calls made one by one before, not measured. ``stop``: once it is set, no further call
    starts; it is set when this returns.
    """
    _whole(max_in_flight=max_in_flight)
    due = timetable(rate, seconds, arrivals, seed)
    if warmup:
        closed_loop(call, 1, warmup)
    run = _Run(call, len(due), stop)
    run.patience = patience

    def user():
        while (number := run.take()) is not None:
            moment = run.begin + due[number]
            if run.stop.wait(max(0.0, moment - time.perf_counter())):
                return
            now = time.perf_counter()
            if now - moment > patience:
                run.notes.append((moment, now, now, (NOT_SENT, f"no free place within {patience:g} s")))
            else:
                run.send(due=moment, sent=now)

    return run.run(min(max_in_flight, len(due)), user)


def _whole(**numbers: int) -> None:
    for name, number in numbers.items():
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"{name} must be a whole number from 1 up, not {number!r}")
