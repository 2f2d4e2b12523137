"""The ladder: from what one would deploy first to the cheapest way to read as well, a technique a rung.

Each rung is a set of worker processes as a server would have them. All rungs are started, then measured in
turns, so that each meets the same machine: cards per second of all workers together, the time of a call,
memory, file size, and the accuracy on cards of unseen digits, with what it fixed and broke against the
first rung. The cached rungs are sent the month-end mix, divided among the workers as a load balancer does:
each worker has its own cache, and sees its share of a card's repeats. Rungs marked * lead aside: the next
one does not build on them. What torch.compile takes before it answers is not in its rate, but beside it.
"""

import contextlib
import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import cycle, islice
from pathlib import Path
from statistics import fmean, median

import numpy as np

from fsdl_deploy.cards import Card, cards
from fsdl_deploy.measuring.machine import described, usable_cores
from fsdl_deploy.measuring.metrics import fixed_and_broken, paired_p
from fsdl_deploy.optimization import compiling, roofline
from fsdl_deploy.optimization.month_end import UPLOADS, arriving, marked, month_end  # noqa: F401 - lesson and lab 05 look here
from fsdl_deploy.optimization.rungs import compiled, kibibytes
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import Image
from fsdl_deploy.reading import Reader
from fsdl_deploy.running import workers

CORES = max(1, round(usable_cores()))
BATCH = 64


@dataclass(frozen=True)
class Rung:
    """``kind`` is that of ``rungs.make``; ``threads`` 0: the library's default; ``batch`` cards a call.

    ``cached``: on the month-end mix, each worker with a cache of its own; ``sticky``: all uploads of a card
    go to the same worker, else to any.
    """

    name: str
    kind: str
    workers: int = CORES
    threads: int = 1
    batch: int = 1
    cached: bool = False
    sticky: bool = False
    aside: bool = False


RUNGS = (
    # Workers as gunicorn's documentation recommends, (2 × cores) + 1, each with torch's default threads.
    Rung("teacher, padded", "teacher:padded", workers=2 * CORES + 1, threads=0),
    Rung("a worker a core, a thread each", "teacher:padded"),
    Rung("own width", "teacher:eager"),
    Rung("inference_mode", "teacher:torch"),
    Rung("torch.compile", "teacher:compiled", aside=True),
    Rung("int8, torch dynamic", "teacher:torch int8", aside=True),
    Rung("ONNX Runtime, graph as it is", "teacher:graph"),
    Rung("graph optimisations", "teacher:onnx"),
    Rung("float16", "teacher:float16", aside=True),
    Rung("int8, dynamic", "teacher:dynamic", aside=True),
    Rung("int8, static", "teacher:static", aside=True),
    Rung("distilled", "v2:onnx"),
    Rung("distilled, int8, static", "v2:static", aside=True),
    Rung("equal widths, no masks", "v2:even"),
    Rung(f"batches of {BATCH}", "v2:even", batch=BATCH),
    Rung("cascade: unsure cards to the teacher", "cascade", batch=BATCH),
    Rung("cache, month-end mix", "cascade", batch=BATCH, cached=True),
    Rung("same card, same worker", "cascade", batch=BATCH, cached=True, sticky=True),
)


@dataclass
class Measured:
    """What a rung does.

    ``per_second``: cards of all workers. ``p50``, ``p99``: of a call, in ms. ``memory``: MiB of all workers.
    ``right`` of ``cards``, and what it ``fixed`` and ``broken`` against the first rung. ``compiling``:
    seconds that torch.compile took, for all shapes of the cards, before the first measurement. ``file``: KiB
    of what it loads, see ``rungs.kibibytes``: weights for torch are stored in half precision, those in ONNX
    files in single. ``hit_rate``: share of the uploads that the workers' caches answered, from their empty
    start on.
    """

    rung: str
    aside: bool
    per_second: float
    p50: float
    p99: float
    memory: float
    right: int
    cards: int
    fixed: int
    broken: int
    hit_rate: float | None = None
    compiling: float | None = None
    file: float | None = None


def _calls(rung: Rung, number: int, images: Sequence[Image]) -> Iterator[list[Image]]:
    """What worker ``number`` of a rung is asked to read, call after call, without end."""
    if rung.cached:
        sent = arriving(number, rung.workers, rung.sticky)
        stream = (marked(images[card % len(images)], card) for card in sent)
    else:
        stream = cycle(images)
    while True:
        yield list(islice(stream, rung.batch))


def _worker(rung: Rung, number: int, deck: str, folder: str, longest: int, pipe) -> None:
    """One worker: makes its reader, then measures for as many seconds as the pipe says."""
    import psutil

    from fsdl_deploy.optimization import caching, rungs

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
        reader = caching.CachedReader(reader)
    pipe.send(psutil.Process().memory_info().rss / 2**20)
    calls = _calls(rung, number, images)  # each measurement goes on where the last one ended, its cache warm
    while True:
        seconds = pipe.recv()
        took, done, end = [], 0, time.perf_counter() + seconds
        while time.perf_counter() < end or not done:
            call, start = next(calls), time.perf_counter()
            reader.read(call)
            took.append(1000 * (time.perf_counter() - start))
            done += len(call)
        # Making the uploads is not the server's work, so the rate is that of the calls alone.
        pipe.send((1000 * done / sum(took), took, reader.counts.hit_rate if rung.cached else None))


def accuracy(reader: Reader, deck: Sequence[Card], batch: int) -> list[bool]:
    """Whether each card is read right, in calls of ``batch``."""
    images = [card.image for card in deck]
    said = [r.digits for k in range(0, len(images), batch) for r in reader.read(images[k : k + batch])]
    return [digits == card.truth for digits, card in zip(said, deck, strict=True)]


def climb(
    rungs: Sequence[Rung] = RUNGS, count: int = 2000, rounds: int = 3, seconds: float = 2.0,
    calls: int = 1, say: Callable[[str], None] = lambda _: None,
) -> list[Measured]:  # fmt: skip
    """Measure ``rungs`` in turns, ``rounds`` times for ``seconds``; accuracy on ``count`` typical cards.

    Rungs that pad do so to the longest of all cards that are read, for accuracy or for speed.
    A rung that makes fewer than ``calls`` calls in that time is measured again in the same round: the rate
    of a few long calls says little.
    """
    folder = ROOT / "build" / "ladder"
    deck = list(cards(count, "typical", seed=41))
    speed = [card.image for card in cards(256, "typical", seed=43)]
    longest = max(image.shape[1] for image in [*speed, *(card.image for card in deck)])
    with tempfile.TemporaryDirectory() as temporary, compiling.empty_cache(Path(temporary) / "compiled"):
        right, compiled_in = _accuracies(rungs, deck, speed, folder, longest, say)
        file = Path(temporary) / "deck.npz"
        np.savez(file, **{str(place): image for place, image in enumerate(speed)})
        started: list[tuple[Rung, list[workers.Worker]]] = []
        try:
            memory = []
            for rung in rungs:
                say(f"starting: {rung.name}")
                several: list[workers.Worker] = []
                started.append((rung, several))
                for number in range(rung.workers):
                    several.append(workers.start(_worker, rung, number, str(file), str(folder), longest))
                memory.append(sum(pipe.recv() for _, pipe in several))
            found = _rounds(started, memory, right, rounds, seconds, calls, say)
            return [
                replace(one, compiling=compiled_in.get(one.rung), file=kibibytes(rung.kind, folder))
                for one, rung in zip(found, rungs, strict=True)
            ]
        finally:
            workers.end(one for _, several in started for one in several)


def _accuracies(
    rungs, deck: Sequence[Card], speed: Sequence[Image], folder: Path, longest: int, say
) -> tuple[dict, dict]:
    """Whether each card of ``deck`` is read right, by kind; seconds of compiling for ``speed``, by rung."""
    from fsdl_deploy.optimization import rungs as readers

    right: dict[str, list[bool]] = {}
    compiled_in: dict[str, float] = {}
    for rung in rungs:
        if rung.kind in right:
            continue
        compiles = readers.compiled(rung.kind)
        if not deck and not compiles:
            right[rung.kind] = []
            continue
        say(f"accuracy: {rung.kind}" if not compiles else f"compiling, then accuracy: {rung.kind}")
        with compiling.threads(rung.threads) if compiles else contextlib.nullcontext():
            reader = readers.make(rung.kind, folder, longest)
            if compiles:
                compiled_in[rung.name] = compiling.seconds(reader, speed, rung.batch)
            right[rung.kind] = accuracy(reader, deck, rung.batch)
    return right, compiled_in


def _rounds(started, memory, right, rounds: int, seconds: float, calls: int, say) -> list[Measured]:
    rates: dict[str, list[float]] = {rung.name: [] for rung, _ in started}
    took: dict[str, list[float]] = {rung.name: [] for rung, _ in started}
    hits: dict[str, float | None] = {}
    for turn in range(rounds):
        for rung, several in started:
            say(f"round {turn + 1} of {rounds}: {rung.name}")
            made = 0
            while made < calls:
                for _, pipe in several:
                    pipe.send(seconds)
                told = [pipe.recv() for _, pipe in several]
                rates[rung.name].append(sum(rate for rate, *_ in told))
                times = [ms for _, each, _ in told for ms in each]
                took[rung.name] += times
                made += len(times)
                hits[rung.name] = fmean(hit for *_, hit in told) if rung.cached else None
    first, found = right[started[0][0].kind], []
    for (rung, _), mebibytes in zip(started, memory, strict=True):
        now = right[rung.kind]
        p50, p99 = np.percentile(took[rung.name], [50, 99])
        found.append(
            Measured(
                rung.name, rung.aside, median(rates[rung.name]), float(p50), float(p99), mebibytes,
                sum(now), len(now), *fixed_and_broken(first, now), hits[rung.name],
            )
        )  # fmt: skip
    return found


def _short(p: float) -> str:
    return "<.001" if p < 0.001 else f"{p:.3f}"


def table(found: Sequence[Measured]) -> str:
    """The rungs as text, with each one's factor on the rung before and on the first, and its share.

    Factors multiply, so a share is one of logarithms; those that lead aside have none. *p* is that of
    ``metrics.paired_p`` for fixed and broken.
    """
    lines = [
        f"{'rung':37} {'cards/s':>7} {'× before':>8} {'× first':>7} {'share':>5} {'p50 ms':>6} {'p99 ms':>6} "
        f"{'MiB':>5} {'KiB file':>8} {'right':>6} {'fixed':>5} {'broken':>6} {'p':>5} {'hits':>5}"
    ]
    before = found[0].per_second
    last = next((one for one in reversed(found) if not one.aside), found[0])
    whole = math.log(last.per_second / before)
    for one in found:
        factor = one.per_second / before
        share = "" if one.aside or not whole else f"{math.log(factor) / whole:.0%}"
        lines.append(
            f"{'* ' * one.aside + one.rung:37} {one.per_second:7,.0f} {factor:8.2f} "
            f"{one.per_second / found[0].per_second:7.1f} {share:>5} {one.p50:6.1f} {one.p99:6.1f} "
            f"{one.memory:5.0f} {'' if one.file is None else f'{one.file:,.0f}':>8} "
            f"{one.right / one.cards:6.1%} {one.fixed:5} {one.broken:6} "
            f"{_short(paired_p(one.fixed, one.broken)):>5} "
            + ("" if one.hit_rate is None else f"{one.hit_rate:5.1%}")
            + ("" if one.compiling is None else f"  after {one.compiling:.0f} s of compiling")
        )
        if not one.aside:
            before = one.per_second
    return "\n".join(lines)


def add_arguments(parser) -> None:
    parser.add_argument("--cards", type=int, default=2000, help="for the accuracy (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="of a rung in a round (default: %(default)s)"
    )
    parser.add_argument(
        "--calls", type=int, default=200, help="of a rung in a round at least (default: %(default)s)"
    )
    parser.add_argument(
        "--no-compile", action="store_true", help="without torch.compile, which compiles for minutes"
    )
    parser.add_argument("--json", help="write the measurements to this file")


def main(args) -> int:
    if min(args.cards, args.rounds, args.calls) < 1 or args.seconds <= 0:
        raise ValueError("--cards, --rounds and --calls must be at least 1, --seconds above 0")
    missing = "torch.compile is left out, as asked" if args.no_compile else compiling.missing()
    if missing:
        print(missing, flush=True)
    chosen = [rung for rung in RUNGS if not (missing and compiled(rung.kind))]
    effort = args.cards, args.rounds, args.seconds, args.calls
    found = climb(chosen, *effort, say=lambda text: print(text, flush=True))
    print(table(found))
    if args.json:
        told = {"date": date.today().isoformat(), "machine": described()}
        told |= {"peak": round(roofline.measure().peak), "rungs": [asdict(one) for one in found]}
        Path(args.json).write_text(json.dumps(told, indent=1) + "\n")
    return 0
