"""Concurrency: a copy of the model in each of several processes, with its own number of threads, measured.

Knows nothing of other workers or rungs: ``ladder`` starts them, and asks them in turns.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from fsdl_deploy.optimization import rungs
from fsdl_deploy.optimization.caching import CachedReader
from fsdl_deploy.optimization.month_end import arriving, marked
from fsdl_deploy.optimization.rungs import Rung
from fsdl_deploy.picture import Image


def calls(rung: Rung, number: int, images: Sequence[Image]) -> Iterator[list[Image]]:
    """What worker ``number`` of a rung is asked to read, call after call, without end."""
    if rung.cached:
        sent = arriving(number, rung.workers, rung.sticky)
        stream = (marked(images[card % len(images)], card) for card in sent)
    else:
        stream = cycle(images)
    while True:
        yield list(islice(stream, rung.batch))


def work(rung: Rung, number: int, deck: str, folder: str, longest: int, pipe) -> None:
    """Make the reader, say how many MiB are used, then measure for as many seconds as the pipe says.

    Each answer: cards a second, milliseconds of each call, and the share of uploads from the cache, or None.
    Raises ValueError for calls without a card.
    """
    import psutil

    if rung.batch < 1:
        raise ValueError("a call has at least one card")
    if rungs.in_torch(rung.kind) and rung.threads:
        import torch

        torch.set_num_threads(rung.threads)
    with np.load(deck) as saved:
        images = [saved[f"{place}"] for place in range(len(saved.files))]
    reader = rungs.make(rung.kind, Path(folder), longest)
    if rungs.compiled(rung.kind):  # each new kind of shape is compiled, and none may be new later
        for start in range(0, len(images), rung.batch):
            reader.read(images[start : start + rung.batch])
    reader.read(images[:2])
    if rung.cached:
        reader = CachedReader(reader)
    pipe.send(psutil.Process().memory_info().rss / 2**20)
    stream = calls(rung, number, images)  # each measurement goes on where the last one ended, its cache warm
    while True:
        seconds = pipe.recv()
        took, cards, end = [], 0, time.perf_counter() + seconds
        while time.perf_counter() < end or not cards:
            call, start = next(stream), time.perf_counter()
            reader.read(call)
            took.append(1000 * (time.perf_counter() - start))
            cards += len(call)
        # Making the uploads is not the server's work, so the rate is that of the calls alone.
        pipe.send((1000 * cards / sum(took), took, reader.counts.hit_rate if rung.cached else None))
