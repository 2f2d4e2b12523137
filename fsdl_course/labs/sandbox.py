"""Where student code runs: cut off from files, network, environment and other processes, with bounded means.

A ``Sandbox`` has the code of one submission and calls its functions; it starts again by itself when student
code has brought it down. How it is cut off is the matter of a backend (``isolation``). Knows nothing of labs,
points or expectations: those never come near it.
"""

import json
import os
import select
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from fsdl_course.labs.backends.backend import MEBIBYTE, Backend, SandboxError, SandboxProcess
from fsdl_course.labs.inside.child import CELLS_SECONDS, patience
from fsdl_course.labs.inside.runner import MOST_SKIPPED

START_SECONDS = 60
LONGEST_LINE = 8 * MEBIBYTE  # that the sandbox may write


@dataclass(frozen=True)
class CallResult:
    """What a call gave: a JSON value, or in a few words why there is none."""

    value: Any = None
    error: str = ""


@dataclass
class Sandbox:
    """The code of one submission, ready to be called.

    ``cells``, sources or what ``inside.cells`` says, are run anew for every call; ``skipped`` are those that
    ended their process or never ended, ``errors`` what else went wrong in a cell, ``used`` seconds of
    processor time of all calls so far. SandboxError if the sandbox itself does not start.
    """

    cells: list[str | dict]
    backend: Backend
    preload: tuple[str, ...] = ()
    slot: int = 0
    skipped: list[int] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    used: float = 0.0
    _process: SandboxProcess | None = None

    def __enter__(self) -> "Sandbox":
        report = self._begin(self.cells, probe=True)
        while report is None and len(self.skipped) < MOST_SKIPPED:
            # A cell brought the sandbox itself down while the cells were tried: leave it out.
            if (killer := self._first_killer()) is None:
                break
            self.skipped.append(killer)
            report = self._begin(self.cells, probe=True)
        if report is None:
            raise SandboxError(f"the sandbox ({self.backend.name}) did not start")
        errors = {number: one_line(str(error)) for number, error in report["errors"].items()}
        self.errors = {**errors, **{str(n): "it ended the sandbox" for n in self.skipped}}
        self.skipped = report["skip"]
        return self

    def __exit__(self, *_) -> None:
        self._end()

    def _first_killer(self) -> int | None:
        """The first cell with which the sandbox does not survive, by halving; None if it never does."""
        good, bad = 0, len(self.cells)
        if self._begin([], probe=True) is None:
            return None
        while bad - good > 1:
            middle = (good + bad) // 2
            if self._begin(self.cells[:middle], probe=True) is None:
                bad = middle
            else:
                good = middle
        return bad - 1

    def _begin(self, cells: list[str], probe: bool) -> dict | None:
        """Start the runner with these cells -> what it says of them; None if that brought it down."""
        self._end()
        self._process = self.backend.start(self.slot)
        first = {
            "cells": [{"source": cell} if isinstance(cell, str) else cell for cell in cells],
            "preload": list(self.preload),
            "limits": {"each": self.backend.each(), "alone": self.backend.alone},
            "skip": self.skipped,
            "probe": probe,
        }
        report = self._ask(first, START_SECONDS + probe * patience(CELLS_SECONDS) * (MOST_SKIPPED + 2))
        if report is None:
            self._end()
        return report

    def call(self, function: str, arguments: list, seconds: float, around: str = "") -> CallResult:
        """The value of ``function(*arguments)``, with ``seconds`` of processor time.

        ``around``: a function of the course, as "package.module.name", that calls the student's instead.
        SandboxError only if the sandbox does not start again after student code brought it down.
        """
        if self._process is None and self._begin(self.cells, probe=False) is None:
            raise SandboxError(f"the sandbox ({self.backend.name}) did not start again")
        request = {"function": function, "arguments": arguments, "seconds": seconds}
        request["around"] = around
        reply = self._ask(request, patience(CELLS_SECONDS + seconds) + patience(seconds) + 10)
        # What was ended from outside, or has ended the sandbox, counts as all that it might have taken.
        stopped = reply is None or reply.get("error") in (
            "it took too long",
            "it took too much time or memory",
        )
        self.used += max(CELLS_SECONDS + seconds if stopped else 0.0, _seconds(reply))
        if reply is None:
            self._end()
            return CallResult(error="it ended the sandbox")
        if "error" in reply:
            return CallResult(error=one_line(str(reply["error"])))
        try:
            return CallResult(json.loads(reply["value"]))
        except (ValueError, RecursionError):
            return CallResult(error="what it returned is no JSON value")

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None

    def _ask(self, request: dict, patience: float) -> dict | None:
        """Send one line and wait for one; None if the sandbox has ended, says nonsense or nothing at all."""
        popen = self._process.popen
        try:
            popen.stdin.write(json.dumps(request).encode() + b"\n")
            popen.stdin.flush()
            line, deadline = b"", time.monotonic() + patience
            while not line.endswith(b"\n"):
                left = deadline - time.monotonic()
                if left <= 0 or len(line) > LONGEST_LINE:
                    return None
                piece = _read(popen.stdout.fileno(), left)
                if not piece:
                    return None
                line += piece
            return json.loads(line)
        except (OSError, ValueError):
            return None


def _seconds(reply: dict | None) -> float:
    try:
        return max(0.0, float(reply["used"]))
    except (TypeError, KeyError, ValueError):
        return 0.0


def one_line(text: str) -> str:
    """Text from inside as one line of printable letters: nothing in it moves a terminal's cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _read(pipe: int, seconds: float) -> bytes:
    """What comes through a pipe within ``seconds``; nothing at its end, or if nothing came."""
    if os.name == "posix":
        return os.read(pipe, 1 << 16) if select.select([pipe], [], [], seconds)[0] else b""
    read: list[bytes] = []  # elsewhere a pipe cannot be asked: a thread waits, at most until the process ends
    thread = threading.Thread(target=lambda: read.append(os.read(pipe, 1 << 16)), daemon=True)
    thread.start()
    thread.join(seconds)
    return read[0] if read else b""
