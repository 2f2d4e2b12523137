"""Threads, processes, async: how much work a second each gets out of the cores.

Python's interpreter has one lock (the *GIL*, global interpreter lock): of the threads of a process one runs
Python at a time. Compiled code may let go of the lock while it computes, as ONNX Runtime does, and the JSON
parser does not. Knows two kinds of work, "parse" and "read", and nothing of servers.
"""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator

from fsdl_deploy.running import workers

KINDS = ("parse", "read")


def work(kind: str) -> Callable[[], object]:
    """One piece of work: "parse" the pixels of a card from JSON, or "read" it. ValueError for others."""
    from fsdl_deploy.cards import cards

    image = next(cards(1, "typical", seed=71)).image
    if kind == "parse":
        text = json.dumps(image.tolist())
        return lambda: json.loads(text)
    if kind == "read":
        from fsdl_deploy.reader import OnnxReader

        reader = OnnxReader()
        return lambda: reader.read([image])
    raise ValueError(f"there is no work {kind!r}: choose one of {', '.join(KINDS)}")


def _done(work: Callable[[], object], until: float) -> int:
    count = 0
    while time.perf_counter() < until:
        work()
        count += 1
    return count


def alone(work: Callable[[], object], seconds: float) -> float:
    """Pieces a second of one thread."""
    return _done(work, time.perf_counter() + seconds) / seconds


def in_threads(work: Callable[[], object], count: int, seconds: float) -> float:
    """Pieces a second of ``count`` threads of this process together."""
    until, counts = time.perf_counter() + seconds, []
    threads = [threading.Thread(target=lambda: counts.append(_done(work, until))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def in_tasks(work: Callable[[], object], count: int, seconds: float) -> float:
    """Pieces a second of ``count`` tasks of one event loop: they take turns in one thread."""

    async def task(until: float) -> int:
        pieces = 0
        while time.perf_counter() < until:
            work()
            pieces += 1
            await asyncio.sleep(0)
        return pieces

    async def all_tasks() -> int:
        until = time.perf_counter() + seconds
        return sum(await asyncio.gather(*(task(until) for _ in range(count))))

    # A notebook's own thread has a running event loop already.
    counts: list[int] = []
    thread = threading.Thread(target=lambda: counts.append(asyncio.run(all_tasks())))
    thread.start()
    thread.join()
    return counts[0] / seconds


@contextlib.contextmanager
def processes(kind: str, count: int) -> Iterator[Callable[[float], float]]:
    """``count`` processes that are ready to do the work ``kind``; a function: seconds to pieces a second."""
    started = []
    try:
        for _ in range(count):
            started.append(workers.start(_process, kind))
        for _, pipe in started:
            pipe.recv()

        def measure(seconds: float) -> float:
            for _, pipe in started:
                pipe.send(seconds)
            return sum(pipe.recv() for _, pipe in started)

        yield measure
    finally:
        workers.end(started)


def _process(kind: str, pipe) -> None:
    mine = work(kind)
    mine()
    pipe.send("ready")
    while True:
        pipe.send(alone(mine, pipe.recv()))


def compare(kind: str, count: int, rounds: int = 3, seconds: float = 0.3) -> dict[str, float]:
    """Pieces a second of each way, the best of ``rounds`` turns: alone, as tasks, threads, processes."""
    mine = work(kind)
    mine()
    best: dict[str, float] = {}
    with processes(kind, count) as in_processes:
        ways: dict[str, Callable[[], float]] = {
            "one thread": lambda: alone(mine, seconds),
            f"{count} tasks (async)": lambda: in_tasks(mine, count, seconds),
            f"{count} threads": lambda: in_threads(mine, count, seconds),
            f"{count} processes": lambda: in_processes(seconds),
        }
        for _ in range(rounds):
            for name, way in ways.items():
                best[name] = max(best.get(name, 0.0), way())
    return best
