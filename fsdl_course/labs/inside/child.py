"""One piece of work in a child process of the runner: bounded in time and text, and nothing of it stays.

A child gets no other channel than one pipe, on which it may write one text. Whatever it started is ended with
it, and what it wrote is removed. Standard library only.
"""

import builtins
import contextlib
import os
import select
import shutil
import signal
import time

# This module's own builtins: student code may replace those in the module `builtins`, never these.
__builtins__ = dict(vars(builtins))
CELLS_SECONDS = 5.0  # processor time for all cells together
LONGEST = 1 << 20  # bytes that a child may write
START, END = b"\x01", b"\x04"  # JSON text and the messages of errors never have them


def patience(seconds: float) -> float:
    """How long by the clock something may take that has ``seconds`` of processor time, on a busy machine."""
    return 15 * seconds + 5


class Patience:
    """Ends a wait for a child that takes too long: who works may be slow, who only waits is given up sooner.

    What counts is the child's processor time, not the clock: a busy machine changes no result.
    """

    def __init__(self, child: int, seconds: float):
        self.clock = ~child << 3 | 2  # the kernel's name of a process's processor time (clock_getcpuclockid)
        self.deadline = time.monotonic() + patience(CELLS_SECONDS + seconds)
        self.restart(CELLS_SECONDS + seconds)

    def restart(self, seconds: float) -> None:
        """From now on it has ``seconds`` of processor time."""
        self.idle = seconds + 2
        self.since, self.worked = time.monotonic(), self._worked()
        self.deadline = min(self.deadline, self.since + patience(seconds))

    def left(self) -> float:
        """Seconds for which to wait before asking again; 0 or less: it took too long."""
        now = time.monotonic()
        if now - self.since > 0.5 and self._worked() - self.worked > 0.02 * (now - self.since):
            self.since, self.worked = now, self._worked()
        return min(self.deadline - now, self.since + self.idle - now)

    def _worked(self) -> float:
        try:
            return time.clock_gettime(self.clock)
        except (OSError, AttributeError):  # it has ended, or this system has no such clock
            return 0.0


def in_child(work, seconds: float, limits: dict):
    """Run ``work(tell, start)`` in a child -> (the text that it wrote, why it ended too early or nothing).

    It has ``CELLS_SECONDS`` of processor time, and ``seconds`` after it called ``start``, the first time.
    ``tell`` writes a text; what ``work`` returns is written last.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _be_child(work, writing, seconds)
    os.close(writing)
    waiting, started = Patience(child, seconds), False
    written, ended = b"", ""
    try:
        while not ended and END not in written:
            if (left := waiting.left()) <= 0:
                ended = "it took too long"
                break
            if not select.select([reading], [], [], min(left, 0.5))[0]:
                continue
            piece = os.read(reading, 65536)
            if piece.startswith(START) and not written and not started:
                started, piece = True, piece[len(START) :]
                waiting.restart(seconds)
                if not piece:
                    continue
            written += piece
            if not piece:
                ended = "gone"
            elif len(written) > LONGEST:
                ended = "it returned too much"
    except BaseException:  # whoever waits is interrupted, as a notebook's user may
        os.close(reading)
        _end(child, limits, wait=False)
        raise
    os.close(reading)
    status = _end(child, limits, wait=ended == "gone")
    if limits["alone"]:
        _sweep(limits["stays"])
    if ended == "gone":
        ended = _ending(status)
    return written.split(END)[0].decode("utf-8", "replace"), ended


def _be_child(work, writing: int, seconds: float) -> None:
    """The child's whole life; never returns."""
    exit_now, write, clock = os._exit, os.write, time.process_time
    try:
        import resource  # Unix only, while the grader reads this file's figures on every system

        limit = resource.setrlimit
        os.setsid()
        os.closerange(3, writing)
        os.closerange(writing + 1, 256)
        most = int(CELLS_SECONDS + seconds) + 2
        limit(resource.RLIMIT_CPU, (int(CELLS_SECONDS), most))

        def tell(text: str) -> None:
            rest = text.encode("utf-8", "replace")
            while rest:
                rest = rest[write(writing, rest) :]

        def start() -> None:
            limit(resource.RLIMIT_CPU, (min(most, int(clock() + seconds + 0.999)), most))
            tell(START.decode())

        tell(work(tell, start) + END.decode())
        exit_now(0)
    finally:
        exit_now(1)


def _end(child: int, limits: dict, wait: bool) -> int:
    """Kill the child and everything it started; return its exit status, its own if ``wait``."""
    status, gone = 0, False
    deadline = time.monotonic() + 2
    while wait and not gone and time.monotonic() < deadline:  # its pipe is closed: it is about to end
        pid, status = os.waitpid(child, os.WNOHANG)
        gone = pid != 0
        if not gone:
            select.select([], [], [], 0.001)
    # In a process space of our own everyone else is the child's; elsewhere its process group has to do.
    target = -1 if limits["alone"] and os.getpid() < 10 else -child
    with contextlib.suppress(OSError):
        os.kill(target, signal.SIGKILL)
    if not gone:
        status = os.waitpid(child, 0)[1]
    while limits["alone"]:  # orphans that were handed to us
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return status
        except OSError:
            return status
    return status


def _sweep(stays: list) -> None:
    """Remove what a child wrote, so that no call meets another's files. What fails here ends the sandbox."""
    shared = [f"/dev/shm/{name}" for name in os.listdir("/dev/shm")]
    for name in [*(set(os.listdir(".")) - set(stays)), *shared]:
        try:
            os.unlink(name)
        except OSError:
            shutil.rmtree(name)


def _ending(status: int) -> str:
    """Why a child that wrote nothing has ended, from its exit status."""
    if not os.WIFSIGNALED(status):
        return "it ended its process"
    number = os.WTERMSIG(status)
    known = {signal.SIGXCPU: "it took too long", signal.SIGKILL: "it took too much time or memory"}
    return known.get(number, f"its process crashed (signal {number})")
