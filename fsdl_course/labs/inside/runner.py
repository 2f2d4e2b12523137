"""Answers requests inside the sandbox, each in a child process that runs the student's cells anew.

This process never runs student code. It reads one JSON line per request from stdin and writes one per
reply; it learns a case's arguments only when the case comes, and never what should come out. Standard library
only, and no network, file or environment is asked for. The end of the sandbox's ``program``; takes no
arguments.

First: {"cells": [{"source": …, "instead": …, "imports_only": true}, …], "preload": [...], "limits": {...},
        "skip": [numbers], "probe": true or false}
  -> {"skip": [numbers of cells that end their process or never end], "errors": {number: what happened}}
Then:  {"function": name, "arguments": [...], "seconds": s, "around": "" or "package.module.name"}
  -> {"value": "JSON text"} or {"error": "…"}, both with "used", the processor time of all that it started
"""

import builtins
import json
import os
import re
import sys

from fsdl_course.labs.inside.cells import Cells, namespace, run
from fsdl_course.labs.inside.child import in_child
from fsdl_course.labs.inside.system_calls import narrow
from fsdl_course.labs.inside.values import text_of

# This module's own builtins: student code may replace those in the module `builtins`, never these.
__builtins__ = dict(vars(builtins))
LARGE = r"matplotlib\.pyplot|matplotlib|pandas|scipy|PIL\.Image|PIL"  # of a student's imports
MOST_SKIPPED = 4  # cells that may end their process before the rest is given up


def main() -> None:
    requests, replies = _own_channels()
    first = json.loads(requests.readline())
    compiler = Cells()
    cells = [compiler.compiled(cell) for cell in first["cells"]]
    first["limits"]["stays"] = os.listdir(".")  # a Python that lies in the folder for temporary files
    _limit(first["limits"])
    narrow()
    for module in first["preload"]:
        __import__(module)
    _import_what_cells_import(first["cells"])
    skip, errors = set(first["skip"]), {}
    if first["probe"]:
        skip, errors = probe(cells, skip, first["limits"])
    _reply(replies, {"skip": sorted(skip), "errors": errors})
    kept = [cell for number, cell in enumerate(cells) if number not in skip]
    for line in requests:
        before = os.times()
        reply = call(kept, json.loads(line), first["limits"])
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        _reply(replies, {**reply, "used": used})


def _import_what_cells_import(cells: list) -> None:
    """Import large libraries once, before any student code, instead of in the child of each call."""
    text = "\n".join(cell["source"] for cell in cells)
    for module in sorted(set(re.findall(rf"^[ \t]*(?:import|from)[ \t]+({LARGE})\b", text, re.MULTILINE))):
        try:
            __import__(module)
        except Exception:  # not here, or too large for this sandbox: the cell will say so itself
            continue


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
    import resource  # Unix only, while the grader reads this file's figures on every system

    for name, value in limits["each"].items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (value, value))
    if sys.platform == "linux":  # no other process of this user may read this one's memory
        import ctypes

        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


def probe(cells: list, skip: set, limits: dict):
    """Run all cells but ``skip`` once -> (those that end their process or never end, {cell: its error})."""
    while True:
        kept = [(number, cell) for number, cell in enumerate(cells) if number not in skip]

        def work(tell, _, kept=kept):
            names = namespace()
            for number, cell in kept:
                tell(f"{number}\n")
                problem = run_cell(cell, names)
                if problem:
                    tell(f"{number} {problem}\n")
            return "."

        written, ended = in_child(work, 0, limits)
        lines = written.split("\n")
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
        names = namespace()
        # Before any student code, which might put another in its place.
        module, _, name = request.get("around", "").rpartition(".")
        around = getattr(sys.modules[module], name) if module else None
        for cell in cells:
            run_cell(cell, names)
        function = names.get(request["function"])
        if function is None:
            return "!it is not defined"
        start()
        try:
            arguments = [function, *request["arguments"]] if around else request["arguments"]
            return "=" + text_of((around or function)(*arguments))
        except BaseException as error:
            return "!" + error_text(error)

    written, ended = in_child(work, request["seconds"], limits)
    if ended:
        return {"error": ended}
    return {"value": written[1:]} if written.startswith("=") else {"error": written[1:400]}


def run_cell(cell, names: dict) -> str:
    """Run one cell as a notebook would: what came before an error stays; return the error, or nothing."""
    if isinstance(cell, str):
        return cell
    try:
        run(cell, names)
    except BaseException as error:
        return error_text(error)
    return ""


def error_text(error: BaseException) -> str:
    """An error as one line of printable letters, at most as long as a reply may be."""
    try:
        message = str(error).split("\n")[0][:200]
    except BaseException:
        message = ""
    line = f"{type(error).__name__}: {message}".rstrip(": ")
    return "".join(letter for letter in line if letter >= " ")


if __name__ == "__main__":
    main()
