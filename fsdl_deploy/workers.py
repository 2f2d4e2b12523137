"""Processes that a benchmark measures in turns: each is asked over a pipe, and all are ended.

Knows nothing of what they measure. A worker's function takes its arguments and a pipe, and returns when the
pipe says None.
"""

import contextlib
import multiprocessing
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TypeAlias

Worker: TypeAlias = tuple[BaseProcess, Connection]


def start(work: Callable, *arguments: object) -> Worker:
    """Start ``work(*arguments, pipe)`` in a new interpreter; the process, and our end of its pipe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def end(workers: Iterable[Worker]) -> None:
    """Tell all of them to return, and end the one that does not."""
    workers = list(workers)
    for _, pipe in workers:
        with contextlib.suppress(OSError):
            pipe.send(None)
    for process, pipe in workers:
        process.join(5)
        process.terminate()  # one that was interrupted, or is still at work
        process.join()
        pipe.close()
