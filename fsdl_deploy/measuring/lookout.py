"""A lookout: things that are asked again and again, each by a thread of its own, with a note of what fails

For what a measurement does on purpose, such as ending a server under load. Knows nothing of what is asked: a
call that raises has failed, and the exception's text says why.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from fsdl_deploy import figures
from fsdl_deploy.running.waiting import until


class WatchedCall(NamedTuple):
    """One call: ``sent`` after so many seconds of the watch; it took ``ms``.

    ``problem`` is empty where it went well.
    """

    name: str
    sent: float
    ms: float
    problem: str


class Lookout:
    """``with Lookout({"page": call}) as watch:`` asks until the block ends, then waits for the last calls.

    ``pause``: seconds between two calls of the same thing.
    """

    def __init__(self, calls: Mapping[str, Callable[[], object]], pause: float = 0.1):
        self.calls, self.pause, self.outcomes = dict(calls), pause, []
        self._over, self._begin, self._threads = threading.Event(), 0.0, []

    @property
    def seconds(self) -> float:
        """Since the watch began."""
        return time.perf_counter() - self._begin

    def __enter__(self) -> "Lookout":
        self._begin = time.perf_counter()
        self._threads = [threading.Thread(target=self._ask, args=pair) for pair in self.calls.items()]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, name: str, call: Callable[[], object]) -> None:
        while not self._over.wait(self.pause):
            sent, problem = self.seconds, ""
            try:
                call()
            except Exception as error:
                problem = str(error) or type(error).__name__
            self.outcomes.append(WatchedCall(name, sent, 1000 * (self.seconds - sent), problem))

    def wait_for(
        self, name: str, count: int, *, failed: bool = False, since: float = 0.0, longest: float = 60
    ) -> None:
        """Return when ``count`` calls of ``name`` sent after ``since`` seconds have gone well, or ``failed``.

        Raises TimeoutError after ``longest`` seconds.
        """

        def enough() -> bool:
            sent = [each for each in self.outcomes if each.name == name and each.sent > since]
            return sum(bool(each.problem) is failed for each in sent) >= count

        what = f"that {count} calls of “{name}” {'fail' if failed else 'go well'}"
        until(enough, longest, TimeoutError, what, pause=0.02)

    def problems(self, name: str) -> list[str]:
        """Why calls of ``name`` failed, in the order in which they ended."""
        return [each.problem for each in self.outcomes if each.name == name and each.problem]

    def counts(self) -> dict[str, tuple[int, int]]:
        """By name: the calls, and how many of them failed."""
        return {
            name: (sum(each.name == name for each in self.outcomes), len(self.problems(name)))
            for name in self.calls
        }

    def show(self, begin: float, end: float, grey: str) -> None:
        """A dot for each call that went well and a cross for each that failed; ``grey``: begin to end."""
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(figsize=(8, 0.8 + 0.6 * len(self.calls)))
        for row, name in enumerate(self.calls):
            for failed, color, marker in ((False, figures.PALETTE[2], "o"), (True, figures.PALETTE[1], "x")):
                sent = [o.sent for o in self.outcomes if o.name == name and bool(o.problem) is failed]
                axes.plot(sent, [row] * len(sent), marker, color=color)
        axes.axvspan(begin, end, color="#eeeeee")
        axes.set_yticks(range(len(self.calls)), list(self.calls))
        axes.set(xlabel=f"time (s); grey: {grey}", ylabel="what is asked", ylim=(-0.5, len(self.calls) - 0.5))
        figures.show(figure, alt=f"Calls that failed: {self._in_words()}")

    def _in_words(self) -> str:
        counted = self.counts().items()
        return ", ".join(f"{name} {failed} of {calls}" for name, (calls, failed) in counted)
