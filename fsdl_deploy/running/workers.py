"""Processes that a benchmark measures in turns: each is asked over a pipe, and all are ended.

Knows nothing of what they measure. A worker's function takes its arguments and a pipe, and does what the pipe
says until it is ended.
"""

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
    """End all of them at once: they hold nothing to be saved, and torch takes long to take itself apart."""
    workers = list(workers)
    for process, _ in workers:
        process.kill()
    for process, pipe in workers:
        process.join()
        pipe.close()
