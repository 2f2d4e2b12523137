"""What runs inside the sandbox: answers requests, each in a child process that runs the student's cells anew.

This process never runs student code. It reads one JSON line per request from stdin and writes one per
reply; it learns a case's arguments only when the case comes, and never what should come out. A child gets
no other channel than one pipe, on which it may write one value. Standard library only, and no network,
file or environment is asked for. Run as a file by the sandbox; takes no arguments.

First: {"cells": [...], "preload": [...], "limits": {...}, "skip": [numbers], "probe": true or false}
  -> {"skip": [numbers of cells that end their process or never end], "errors": {number: what happened}}
Then:  {"function": name, "arguments": [...], "seconds": s} -> {"value": "JSON text"} or {"error": "…"}
"""

import builtins
import contextlib
import json
import os
import resource
import select
import shutil
import signal
import sys
import time

# This module's own builtins: student code may replace those in the module `builtins`, never these.
__builtins__ = dict(vars(builtins))
LIMIT_REPLY = 1 << 20  # bytes that a child may write
CELLS_SECONDS = 5.0  # processor time for all cells together
MOST_SKIPPED = 4  # cells that may end their process before the rest is given up


def main() -> None:
    requests, replies = _own_channels()
    first = json.loads(requests.readline())
    cells = [_compiled(source) for source in first["cells"]]
    first["limits"]["stays"] = os.listdir(".")  # a Python that lies in the folder for temporary files
    _limit(first["limits"])
    for module in first["preload"]:
        __import__(module)
    skip, errors = set(first["skip"]), {}
    if first["probe"]:
        skip, errors = probe(cells, skip, first["limits"])
    _reply(replies, {"skip": sorted(skip), "errors": errors})
    kept = [cell for number, cell in enumerate(cells) if number not in skip]
    for line in requests:
        _reply(replies, call(kept, json.loads(line), first["limits"]))


def _own_channels():
    """stdin and stdout as this process's alone: a child gets /dev/null for both, and for stderr."""
    requests, replies = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    return os.fdopen(requests, "r", encoding="utf-8"), os.fdopen(replies, "w", encoding="utf-8")


def _reply(replies, answer: dict) -> None:
    replies.write(json.dumps(answer) + "\n")
    replies.flush()


def _limit(limits: dict) -> None:
    """Bounds that every child inherits; the machine's and the sandbox's own bounds come on top."""
    for name, value in limits["each"].items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (value, value))
    if sys.platform == "linux":  # no other process of this user may read this one's memory
        import ctypes

        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


def _compiled(source: str):
    """A cell as code, or the SyntaxError in it: such a cell is not run, the others are."""
    try:
        return compile(source, "<cell>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {getattr(error, 'msg', error)}"


def probe(cells: list, skip: set, limits: dict):
    """Run all cells but ``skip`` once -> (those that end their process or never end, {cell: its error})."""
    while True:
        kept = [(number, cell) for number, cell in enumerate(cells) if number not in skip]

        def work(tell, _, kept=kept):
            namespace = _namespace()
            for number, cell in kept:
                tell(f"{number}\n")
                problem = run_cell(cell, namespace)
                if problem:
                    tell(f"{number} {problem}\n")
            return "."

        said, ended = in_child(work, 0, limits)
        lines = said.split("\n")
        errors = dict(line.split(" ", 1) for line in lines if " " in line)
        if not ended:
            return skip, {**errors, **{str(n): "it ended its process, or never ended" for n in skip}}
        begun = [int(line) for line in lines if line.isdigit() and int(line) < len(cells)]
        place = begun[-1] if begun else 0
        skip = skip | {place}
        if len(skip) > MOST_SKIPPED or not begun:
            return skip | set(range(place, len(cells))), {**errors, str(place): ended}


def call(cells: list, request: dict, limits: dict) -> dict:
    """The value of one function for one list of arguments, or in a few words why there is none."""

    def work(_, start):
        namespace = _namespace()
        for cell in cells:
            run_cell(cell, namespace)
        function = namespace.get(request["function"])
        if function is None:
            return "!it is not defined"
        start()
        try:
            return "=" + text_of(function(*request["arguments"]))
        except BaseException as error:
            return "!" + said_of(error)

    said, ended = in_child(work, request["seconds"], limits)
    if ended:
        return {"error": ended}
    return {"value": said[1:]} if said.startswith("=") else {"error": said[1:400]}


def _namespace() -> dict:
    return {"__name__": "__main__", "__builtins__": builtins}


def run_cell(cell, namespace: dict) -> str:
    """Run one cell as a notebook would: what came before an error stays; return the error, or nothing."""
    if isinstance(cell, str):
        return cell
    try:
        exec(cell, namespace)
    except BaseException as error:
        return said_of(error)
    return ""


def said_of(error: BaseException) -> str:
    try:
        message = str(error).split("\n")[0][:200]
    except BaseException:
        message = ""
    said = f"{type(error).__name__}: {message}".rstrip(": ")
    return "".join(letter for letter in said if letter >= " ")


def in_child(work, seconds: float, limits: dict):
    """Run ``work(tell, start)`` in a child -> (what it told, why it ended too early or nothing).

    It has ``CELLS_SECONDS`` of processor time, and ``seconds`` after it called ``start``; by the clock
    ``patience`` for each, because the machine may be busy. What ``work`` returns is told last.
    """
    reading, writing = os.pipe()
    deadline = time.monotonic() + patience(CELLS_SECONDS + seconds)
    child = os.fork()
    if child == 0:
        _be_child(work, writing, seconds)
    os.close(writing)
    said, ended = b"", ""
    while not ended and END not in said:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            ended = "it took too long"
            break
        piece = os.read(reading, 65536)
        if piece.startswith(START) and not said:
            deadline, piece = time.monotonic() + patience(seconds), piece[len(START) :]
            if not piece:
                continue
        said += piece
        if not piece:
            ended = "gone"
        elif len(said) > LIMIT_REPLY:
            ended = "it returned too much"
    os.close(reading)
    status = _end(child, limits, wait=ended == "gone")
    if limits["alone"]:
        _sweep(limits["stays"])
    if ended == "gone":
        ended = _ending(status)
    return said.split(END)[0].decode("utf-8", "replace"), ended


def _sweep(stays: list) -> None:
    """Remove what a child wrote, so that no call meets another's files. What fails here ends the sandbox."""
    shared = [f"/dev/shm/{name}" for name in os.listdir("/dev/shm")]
    for name in [*(set(os.listdir(".")) - set(stays)), *shared]:
        try:
            os.unlink(name)
        except OSError:
            shutil.rmtree(name)


def patience(seconds: float) -> float:
    """How long by the clock something may take that has ``seconds`` of processor time."""
    return 2 * seconds + 2


def _ending(status: int) -> str:
    """Why a child that told nothing has ended, from its exit status."""
    if not os.WIFSIGNALED(status):
        return "it ended its process"
    number = os.WTERMSIG(status)
    known = {signal.SIGXCPU: "it took too long", signal.SIGKILL: "it took too much time or memory"}
    return known.get(number, f"its process crashed (signal {number})")


START, END = b"\x01", b"\x04"  # text_of and said_of never write them


def _be_child(work, writing: int, seconds: float) -> None:
    """The child's whole life; never returns."""
    exit_now, write, limit, clock = os._exit, os.write, resource.setrlimit, time.process_time
    try:
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
    while True:  # orphans that were handed to us
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return status
        except OSError:
            return status


def text_of(value, depth: int = 0, room: list | None = None) -> str:
    """A value as JSON text, strictly by its type: subclasses with methods of their own get no say."""
    room = [LIMIT_REPLY] if room is None else room
    room[0] -= 8
    if depth > 40 or room[0] < 0:
        raise ValueError("the value is too large or too deep")
    kind = type(value)
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if kind is int:
        return int.__repr__(value)
    if kind is float:
        text = float.__repr__(value)
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)
    if kind is str:
        room[0] -= len(value)
        if room[0] < 0:
            raise ValueError("the value is too large or too deep")
        return _quoted(value)
    if kind in (list, tuple):
        return "[" + ",".join([text_of(item, depth + 1, room) for item in value]) + "]"
    if kind is dict:
        if any(type(key) is not str for key in value):
            raise TypeError("a key of the dictionary is no string")
        items = [_quoted(key) + ":" + text_of(item, depth + 1, room) for key, item in value.items()]
        return "{" + ",".join(items) + "}"
    if kind.__module__ == "numpy" and hasattr(kind, "tolist"):
        return text_of(value.tolist(), depth + 1, room)
    raise TypeError(f"a value of type {kind.__name__} cannot be graded: return numbers, text, lists, dicts")


_quoted = json.encoder.encode_basestring_ascii

if __name__ == "__main__":
    main()
