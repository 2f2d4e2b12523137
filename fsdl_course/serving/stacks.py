"""Where the time of a request goes in our service: the stacks of its threads, looked at again and again

A thread inside the service looks; Python gives it the lock LOCK seconds after it asks, wherever the others
are, so a function that keeps the lock is seen as often as it deserves. The service runs on Python's own event
loop here: of uvloop, which is C, a stack does not say whether it works or waits. Knows stacks; what is drawn
of them is in ``flame``.

    python -m fsdl_course.serving.stacks FILE --port 8000 …    the service, which leaves its stacks in FILE
"""

import functools
import json
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from fsdl_course.serving.asking import Caller, asked
from fsdl_course.serving.libraries import OURS, libraries
from fsdl_deploy import cli, files
from fsdl_deploy.measuring.load import closed_loop
from fsdl_deploy.running.servers import Server

EVERY = 0.002
"""Seconds between two looks."""
LOCK = 1e-4
"""Seconds after which a thread that works lets another have Python's lock; Python's own setting is 5 ms."""
LOOP, WORKERS = "event loop", "worker threads"
ROOTS = {
    "asyncio.events._run": LOOP, "asyncio.base_events._run_once": LOOP,
    "batching._work": WORKERS, "pipeline._work": WORKERS,
}  # fmt: skip
WAITS = ("threading.wait", "selectors.select")
PLACE = re.compile(r".*(?:site-packages|fsdl_deploy|lib[/\\]python[\d.]+|Lib)[/\\](.+?)\.py$")
WARM = 64

Stack = tuple[str, ...]
"""Functions from the outermost to the innermost, each with its module; the first is LOOP or WORKERS."""


@dataclass
class Stacks:
    """``milliseconds`` of each stack for a request, of so many ``requests`` and ``looks``."""

    milliseconds: dict[Stack, float]
    requests: int
    looks: int

    def within(self, function: str) -> float:
        """Milliseconds of a request in which ``function``, or what it calls, ran or waited for the lock."""
        return sum(ms for stack, ms in self.milliseconds.items() if function in stack)


def sample(users: int = 8, requests: int = 600, options: Iterable[str] = ("--threads", "1")) -> Stacks:
    """The stacks of our service while ``users`` callers ask for ``requests`` cards, in a closed loop."""
    library = libraries()[OURS]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stacks"
        words = [sys.executable, "-m", __name__, file, "--port", "{port}", *options]
        with Server(words, library.ready, name="our service", grace=60) as server:
            caller = Caller(library, server.port, *asked(64, seed=51))
            for count in (WARM, requests):
                closed_loop(caller, users, count)
            caller.close()
        seen = json.loads(file.read_text())
    each = 1000 * seen["seconds"] / seen["looks"] / (WARM + requests)
    return Stacks({tuple(stack): each * count for stack, count in seen["stacks"]}, requests, seen["looks"])


class StackWatch:
    """Looks at the stacks of this process's other threads until ``end``."""

    def __init__(self) -> None:
        self.counts: Counter[Stack] = Counter()
        self.looks, self._begin, self._over = 0, time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            self.looks += 1
            for thread, frame in sys._current_frames().items():
                if thread != self._thread.ident and (stack := busy(frame)):
                    self.counts[stack] += 1

    def end(self) -> dict:
        """What was seen, for JSON: the seconds, the number of looks, and how often each stack was seen."""
        self._over.set()
        self._thread.join()
        seconds = time.monotonic() - self._begin
        return {"seconds": seconds, "looks": self.looks, "stacks": list(self.counts.items())}


def busy(frame: FrameType | None) -> Stack | None:
    """The stack from where a request begins; None for a thread that waits for work or knows no request."""
    names = []
    while frame:
        names.append(f"{_module(frame.f_code.co_filename)}.{frame.f_code.co_name}")
        frame = frame.f_back
    if not names or names[0] in WAITS:
        return None
    return _rooted(names[::-1])


def _rooted(names: list[str]) -> Stack | None:
    """The stack from where a request begins; None for a thread that has nothing to do with any."""
    for place in range(len(names) - 1, -1, -1):
        if root := ROOTS.get(names[place]):
            return root, *names[place + 1 :]
    return None


@functools.cache
def _module(path: str) -> str:
    place = PLACE.match(path)
    name = re.sub(r"[/\\]", ".", place[1]) if place else Path(path).stem
    return name.removeprefix("service.").removesuffix(".__init__")


def main() -> int:
    """Serve and look; write what was seen when SIGTERM has ended the service."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it again at its end
    sys.modules["uvloop"] = None  # it cannot be imported, so uvicorn takes asyncio's loop
    sys.setswitchinterval(LOCK)
    watch = StackWatch()
    status = cli.main(["serve", *sys.argv[2:]])
    files.write(Path(sys.argv[1]), json.dumps(watch.end()))
    return status


if __name__ == "__main__":
    sys.exit(main())
