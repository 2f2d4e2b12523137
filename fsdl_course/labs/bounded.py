"""A call of a student's function that always comes back, for ``check``: bounded in time and in its printing.

On Linux it is the grader's own way (``inside.child``): a process that starts as a copy of the notebook's. On
other systems a thread, which an endless loop is asked to leave; there, what never leaves C is waited for.
Either way it has the grader's processor time, and nothing that it does, raises or prints gets out. Standard
library only.
"""

import builtins
import contextlib
import copy
import ctypes
import io
import json
import os
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsdl_course.labs.inside import child, values

TOO_LONG = "it took too long"  # as the grader says it
MOST_PRINTED = 2000  # characters that are shown of what a function prints
IDLE = 2.0  # seconds beyond its processor time that a call may wait
STOPPING = 1.0  # seconds for which an endless call is asked to end


class Stopped(BaseException):
    """Raised in a call that takes too long; nothing that catches Exception holds it up."""


@dataclass(frozen=True)
class BoundedCall:
    """What a call gave: a value as the grader sees it, or an ``error`` in its words; and what it printed."""

    value: Any = None
    error: str = ""
    unwritten: bool = False  # it raised NotImplementedError: a stub
    printed: str = ""


class Bounded(io.TextIOBase):
    """A place to print to that keeps the beginning and counts the rest."""

    def __init__(self) -> None:
        self.kept, self.count = "", 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.count += len(text)
        self.kept += text[: MOST_PRINTED - len(self.kept)]
        return len(text)

    def text(self) -> str:
        more = self.count - len(self.kept)
        return self.kept + (f"… and {more:,} more characters" if more else "")


def call(function: Callable, arguments: list, seconds: float) -> BoundedCall:
    """``function(*arguments)`` with ``seconds`` of processor time; never raises for anything that it does."""
    if sys.platform == "linux" and hasattr(os, "fork"):
        with contextlib.suppress(OSError):  # no process is to be had
            return _in_process(function, arguments, seconds)
    return _in_thread(function, arguments, seconds)


def _tried(function: Callable, arguments: list, printed: Bounded) -> dict:
    """The fields of a ``BoundedCall``, with its value as JSON text; ``Stopped`` passes through."""
    try:
        answer = {"value": values.text_of(function(*arguments))}
    except Stopped:
        raise
    except BaseException as error:
        answer = {"error": error_text(error), "unwritten": isinstance(error, NotImplementedError)}
    return {**answer, "printed": printed.text()}


def _in_process(function: Callable, arguments: list, seconds: float) -> BoundedCall:
    def work(_, start) -> str:
        start()
        with _as_in_the_grader(function, printed := Bounded()):
            return json.dumps(_tried(function, arguments, printed))

    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of fork beside threads
        written, ended = child.in_child(work, seconds, {"alone": False})
    return BoundedCall(error=ended) if ended else _read(json.loads(written))


def _read(answer: dict) -> BoundedCall:
    if "value" in answer:
        answer["value"] = json.loads(answer["value"])
    return BoundedCall(**answer)


def _in_thread(function: Callable, arguments: list, seconds: float) -> BoundedCall:
    answers: list[dict] = []
    clock: list[int] = []
    printed, gate = Bounded(), threading.Lock()

    def work() -> None:
        if hasattr(time, "pthread_getcpuclockid"):
            clock.append(time.pthread_getcpuclockid(threading.get_ident()))
        try:
            with contextlib.suppress(Stopped):
                answers.append(_tried(function, arguments, printed))
            with gate:  # what was raised before the call ended arrives by here, and nothing comes after
                pass
        except Stopped:
            pass

    thread = threading.Thread(target=work, daemon=True)
    in_time = False
    with _as_in_the_grader(function, printed):
        thread.start()
        try:
            in_time = _wait(thread, clock, seconds)
        finally:  # also when the check is interrupted
            if not in_time:
                _stop(thread, gate)
    return _read(answers[0]) if in_time and answers else BoundedCall(error=TOO_LONG, printed=printed.text())


def error_text(error: BaseException) -> str:
    """An error as the grader says it, and the student's line in which it was raised."""
    try:
        message = str(error).split("\n")[0][:200]
    except BaseException:  # it raises when it is asked
        message = ""
    ours = {Path(__file__), Path(values.__file__)}
    frames = traceback.extract_tb(error.__traceback__, -20)
    lines = [frame for frame in frames if Path(frame.filename) not in ours]
    place = f" (in line {lines[-1].lineno}: {lines[-1].line})" if lines and lines[-1].line else ""
    return f"{type(error).__name__}: {message}".rstrip(": ") + place


def _wait(thread: threading.Thread, clock: list[int], seconds: float) -> bool:
    """Whether it ends: not if it has used its processor time, or only waits, however busy the machine is."""
    begun = since = time.monotonic()
    used = worked = _spent(clock)
    pause = 0.001
    while thread.is_alive():
        thread.join(pause)
        pause = min(2 * pause, 0.05)
        now, spent = time.monotonic(), _spent(clock)
        if spent - used > seconds or now - begun > 15 * seconds + 5:
            return False
        if spent - worked > 0.02 * (now - since):
            since, worked = now, spent
        if now - since > seconds + IDLE:
            return False
    return True


def _spent(clock: list[int]) -> float:
    """Processor time of the call's thread; where a system has no such clock, of the whole process."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time()
    try:
        return time.clock_gettime(clock[0])
    except (IndexError, OSError):  # it has not begun, or has just ended
        return 0.0


def _stop(thread: threading.Thread, gate: threading.Lock) -> None:
    """Raise ``Stopped`` in its call until that ends; a call into C that does not end is left behind.

    Threads take turns as often as they can meanwhile: a loop that catches everything is then met outside of
    its ``try``, too.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        deadline, pause = time.monotonic() + STOPPING, 0.1  # first time enough to end on its own way out
        while thread.is_alive() and time.monotonic() < deadline:
            with gate:
                if _in_its_call(thread):
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped)
                    )
            thread.join(pause)
            pause = 1e-5
    finally:
        sys.setswitchinterval(interval)


def _in_its_call(thread: threading.Thread) -> bool:
    """Whether it is in ``_tried``: outside of it, nothing would catch what is raised."""
    frame = sys._current_frames().get(thread.ident)
    while frame and frame.f_code is not _tried.__code__:
        frame = frame.f_back
    return frame is not None


@contextlib.contextmanager
def _as_in_the_grader(function: Callable, printed: Bounded) -> Iterator[None]:
    """Nothing to read from, printing in bounds; what a call changes of its surroundings is undone."""

    def nothing(*_) -> str:
        raise EOFError("EOF when reading a line")

    defaults = copied(getattr(function, "__defaults__", None))
    by_name = copied(getattr(function, "__kwdefaults__", None))
    names = getattr(function, "__globals__", {})
    used = getattr(getattr(function, "__code__", None), "co_names", ())
    state = {name: copied(names[name]) for name in used if type(names.get(name)) in (list, dict, set)}
    read, limit = builtins.input, sys.getrecursionlimit()
    builtins.input = nothing
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield
    finally:
        builtins.input = read
        sys.setrecursionlimit(limit)
        with contextlib.suppress(AttributeError, TypeError):
            function.__defaults__, function.__kwdefaults__ = defaults, by_name
        for name, before in state.items():  # in place: others may have a name for it, too
            names[name].clear()
            (names[name].extend if type(before) is list else names[name].update)(before)


def copied(value: Any) -> Any:
    """A copy of it all, or the thing itself where it cannot be copied."""
    try:
        return copy.deepcopy(value)
    except Exception:
        return value
