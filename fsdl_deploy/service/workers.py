"""Several processes on one port: a master that listens, starts them, and starts again whichever dies

The master reads no request: the system gives each connection to a worker that has time. So a worker that dies
takes only its own requests with it, and what has not been accepted yet goes to another. The page of metrics
is one: whoever is asked for it asks the master for the sum. Knows processes, signals and pages of metrics;
knows nothing about HTTP.
"""

import asyncio
import contextlib
import math
import signal
import socket
import sys
import time
from collections.abc import Sequence

from fsdl_deploy.service import metric_sum
from fsdl_deploy.service.channel import Channel

MOST = 64
"""Workers: far more than cores that share one queue of connections well."""
SOON = 10.0
"""Seconds: a worker that dies sooner after its model was loaded will probably do so again."""
LONGEST_PAUSE = 30.0
"""Seconds before the next start of a worker that dies again and again."""
TRIES = 3
"""Starts of a worker, none of which has served, after which it is the service that cannot start."""
LOOK = 5.0
"""Seconds between two looks at what each has counted: what a worker that is killed can lose."""
MISSED = 12
"""Looks that a worker may leave without an answer; then it hangs, and is killed."""
ANSWER = 1.0
"""Seconds that a page of metrics waits for the counts of a worker that is busy."""
PAGE = """# HELP reader_workers processes that serve
# TYPE reader_workers gauge
reader_workers {ready}
# HELP reader_workers_died_total processes that ended without being asked to
# TYPE reader_workers_died_total counter
reader_workers_died_total {died}
"""


def checked(count: int) -> int:
    """A number of workers that can be, else ValueError or RuntimeError with a sentence."""
    if not 1 <= count <= MOST:
        raise ValueError(f"--workers must be 1 to {MOST}: one a core is a good number")
    if count > 1 and sys.platform == "win32":
        raise RuntimeError(
            "--workers needs Linux or macOS: on Windows start several services, each on a port of its own, "
            "behind a proxy"
        )
    return count


class Seat:
    """The seat of one worker: the process that has it now, and what that last said of itself."""

    def __init__(self, number: int):
        self.number, self.process, self.channel = number, None, None
        self.ready, self.missed, self.page, self.failure = False, 0, b"", None
        self.good_from = math.inf  # by the monotonic clock: it has lived SOON seconds after it was ready
        self.answered = asyncio.Event()

    def ask(self) -> None:
        """Ask for its page of metrics; ``answered`` is set when it is there."""
        self.answered.clear()
        self.channel.say(page=True)

    async def hear(self, master: "Master") -> None:
        """Everything that this process says, until it ends."""
        async for message in self.channel.heard():
            if "page" in message:
                self.page, self.missed = message["page"].encode(), 0
                self.answered.set()
            if "want" in message:
                master.background(master.answer(self))
            if "ready" in message:
                self.ready = master.served = True
                self.good_from = time.monotonic() + SOON
            self.failure = message.get("failed", self.failure)


class Master:
    """Starts ``count`` times the program ``words``, with the numbers of two files behind them.

    ``listener`` listens; each worker gets it, and one end of a Channel.
    """

    def __init__(self, words: Sequence[str], listener: socket.socket, count: int, patience: float):
        self.words, self.listener, self.patience = list(words), listener, patience
        self.seats = [Seat(number) for number in range(1, count + 1)]
        self.past, self.died, self.served, self.failure = b"", 0, False, None
        self.signals: list[int] = []
        self._ending, self._tasks = asyncio.Event(), set()

    async def run(self) -> None:
        """Until a signal has come and all workers have ended. RuntimeError when none can serve."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end, number)
        look = asyncio.create_task(self._look())
        await asyncio.gather(*(self._keep(seat) for seat in self.seats))
        look.cancel()
        if self.failure:
            raise RuntimeError(self.failure)

    def background(self, work) -> None:
        """Run a coroutine beside the rest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def end(self, number: int) -> None:
        """Have every worker end, and start none again; a further call makes them end at once."""
        if not self._ending.is_set():
            self._ending.set()
            self.listener.close()  # theirs is open: when the last closes it, nobody waits at a closed door
            self.background(self._end_the_slow())
        if number != signal.SIGUSR1:
            self.signals.append(number)
        for seat in filter(lambda seat: seat.channel, self.seats):
            seat.channel.say(end=number, further=len(self.signals) > 1)

    async def answer(self, asking: Seat) -> None:
        """Say to a worker what all workers, also those of the past, have counted."""
        others = [seat for seat in self.seats if seat.ready and seat is not asking]
        for seat in others:
            seat.ask()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER):
                for seat in others:
                    await seat.answered.wait()
        own = PAGE.format(ready=sum(seat.ready for seat in self.seats), died=self.died).encode()
        whole = metric_sum.total([asking.page, *(seat.page for seat in others), self.past, own])
        if asking.channel:
            asking.channel.say(whole=whole.decode())

    async def _look(self) -> None:
        """Keep what is counted, for the sum after a death; kill who hangs."""
        while True:
            await asyncio.sleep(LOOK)
            for seat in filter(lambda seat: seat.ready, self.seats):
                seat.missed += 1
                if seat.missed > MISSED:
                    print(f"worker {seat.number} (process {seat.process.pid}) hangs: it is killed",
                          file=sys.stderr, flush=True)  # fmt: skip
                    seat.process.kill()
                seat.ask()

    async def _keep(self, seat: Seat) -> None:
        pause, soon, tries = 0.0, 0, 0
        while not self._ending.is_set():
            tries += 1
            how = await self._life(seat)
            if self._ending.is_set():
                return
            if not self.served and (seat.failure or tries >= TRIES):
                why = seat.failure or f"worker {seat.number} {how} before it could serve, {tries} times"
                self.failure = f"the model did not load: {why}" if seat.failure else why
                return self.end(signal.SIGUSR1)
            soon = 0 if time.monotonic() > seat.good_from else soon + 1
            pause = min(LONGEST_PAUSE, 2.0 ** (soon - 2)) if soon > 1 else 0.0
            next_one = "started again" if not pause else f"it died again soon, next start in {pause:g} s"
            print(f"worker {seat.number} (process {seat.process.pid}) {how}: {next_one}",
                  file=sys.stderr, flush=True)  # fmt: skip
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause)

    async def _life(self, seat: Seat) -> str:
        """Start a worker in this seat; say how it ended, once it has."""
        ours, theirs = socket.socketpair()
        files = self.listener.fileno(), theirs.fileno()
        with theirs:
            words = *self.words, *map(str, files)
            seat.process = await asyncio.create_subprocess_exec(*words, pass_fds=files)
        seat.channel, seat.failure, seat.missed = await Channel.over(ours), None, 0
        seat.good_from = math.inf
        if self._ending.is_set():  # the signal came meanwhile
            seat.channel.say(end=signal.SIGTERM)
        await seat.hear(self)
        status = await seat.process.wait()
        seat.channel.close()
        seat.ready, seat.channel = False, None
        seat.answered.set()
        self.past, seat.page = metric_sum.total([self.past, metric_sum.counts(seat.page)]), b""
        if not self._ending.is_set():
            self.died += 1
        return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"

    async def _end_the_slow(self) -> None:
        await asyncio.sleep(self.patience)
        for seat in filter(lambda seat: seat.channel, self.seats):
            with contextlib.suppress(ProcessLookupError):
                seat.process.kill()


def serve(words: Sequence[str], listener: socket.socket, count: int, patience: float) -> int:
    """Keep ``count`` processes of the program ``words`` serving on ``listener`` until SIGTERM or Ctrl-C.

    ``patience``: seconds after the signal in which they should have ended; then they are killed.
    Raises RuntimeError when none could serve, such as for a model that does not load.
    """

    async def run() -> Master:
        master = Master(words, listener, count, patience)
        await master.run()
        return master

    master = asyncio.run(run())
    if master.signals:
        signal.raise_signal(master.signals[0])  # as a service without workers ends
    return 0
