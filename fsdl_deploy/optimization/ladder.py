"""The ladder: from what one would deploy first to the cheapest way to read as well, a technique a rung.

Each rung is a set of worker processes as a server would have them. All rungs are started, then measured in
turns, so that each meets the same machine: cards per second of all workers together, the time of a call,
memory, file size, and the accuracy on cards of unseen digits, with what it fixed and broke against the
first rung. The cached rungs are sent the month-end mix, divided among the workers as a load balancer does:
each worker has its own cache, and sees its share of a card's repeats. Rungs marked * lead aside: the next
one does not build on them. What torch.compile takes before it answers is not in its rate, but beside it.
"""

import contextlib
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median

import numpy as np

from fsdl_deploy import files
from fsdl_deploy.cards import Card, cards
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.accuracy import fixed_and_broken, paired_p
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.optimization import concurrency, roofline, rungs, torch_compile
from fsdl_deploy.optimization.rungs import Rung
from fsdl_deploy.paths import BUILD
from fsdl_deploy.picture import Image
from fsdl_deploy.running import workers
from fsdl_deploy.training.evaluation import read_right

FOLDER = BUILD / "ladder"  # the graphs that are made for rungs
SEED = 41  # of the cards on which accuracy is measured


@dataclass
class RungResult:
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


def climb(
    chosen: Sequence[Rung], count: int = 2000, rounds: int = 3, seconds: float = 2.0, calls: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> list[RungResult]:  # fmt: skip
    """Measure rungs in turns, ``rounds`` times for ``seconds``; accuracy on ``count`` typical cards.

    Rungs that pad do so to the longest of all cards that are read, for accuracy or for speed.
    A rung that makes fewer than ``calls`` calls in that time is measured again in the same round: the rate
    of a few long calls says little.
    """
    deck = list(cards(count, "typical", seed=SEED))
    speed = [card.image for card in cards(256, "typical", seed=43)]
    longest = max(image.shape[1] for image in [*speed, *(card.image for card in deck)])
    with tempfile.TemporaryDirectory() as temporary, torch_compile.empty_cache(Path(temporary) / "compiled"):
        right, compiled_in = _accuracies(chosen, deck, speed, longest, say)
        file = Path(temporary) / "deck.npz"
        np.savez(file, **{str(place): image for place, image in enumerate(speed)})
        started: list[tuple[Rung, list[workers.Worker]]] = []
        try:
            memory = []
            for rung in chosen:
                say(f"starting: {rung.name}")
                several: list[workers.Worker] = []
                started.append((rung, several))
                for number in range(rung.workers):
                    given = rung, number, str(file), str(FOLDER), longest
                    several.append(workers.start(concurrency.work, *given))
                memory.append(sum(pipe.recv() for _, pipe in several))
            results = _rounds(started, memory, right, rounds, seconds, calls, say)
        finally:
            workers.end(worker for _, several in started for worker in several)
    return [
        replace(result, compiling=compiled_in.get(rung.name), file=rungs.kibibytes(rung.kind, FOLDER))
        for result, rung in zip(results, chosen, strict=True)
    ]


def _accuracies(
    chosen: Sequence[Rung], deck: Sequence[Card], speed: Sequence[Image], longest: int, say
) -> tuple[dict, dict]:
    """Whether each card of ``deck`` is read right, by kind; seconds of compiling for ``speed``, by rung."""
    right: dict[str, list[bool]] = {}
    compiled_in: dict[str, float] = {}
    for rung in chosen:
        if rung.kind in right:
            continue
        compiles = rungs.compiled(rung.kind)
        if not deck and not compiles:
            right[rung.kind] = []
            continue
        say(f"accuracy: {rung.kind}" if not compiles else f"compiling, then accuracy: {rung.kind}")
        with torch_compile.threads(rung.threads) if compiles else contextlib.nullcontext():
            reader = rungs.make(rung.kind, FOLDER, longest)
            if compiles:
                compiled_in[rung.name] = torch_compile.seconds(reader, speed, rung.batch)
            right[rung.kind] = read_right(reader, deck, rung.batch)
    return right, compiled_in


def _rounds(started, memory, right, rounds: int, seconds: float, calls: int, say) -> list[RungResult]:
    rates: dict[str, list[float]] = {rung.name: [] for rung, _ in started}
    took: dict[str, list[float]] = {rung.name: [] for rung, _ in started}
    hits: dict[str, float | None] = {}
    for turn in range(rounds):
        for rung, several in started:
            say(f"round {turn + 1} of {rounds}: {rung.name}")
            measured = 0
            while measured < calls:
                for _, pipe in several:
                    pipe.send(seconds)
                answers = [pipe.recv() for _, pipe in several]
                rates[rung.name].append(sum(rate for rate, *_ in answers))
                times = [ms for _, each, _ in answers for ms in each]
                took[rung.name] += times
                measured += len(times)
                hits[rung.name] = fmean(hit for *_, hit in answers) if rung.cached else None
    first, results = right[started[0][0].kind], []
    for (rung, _), mebibytes in zip(started, memory, strict=True):
        now = right[rung.kind]
        p50, p99 = np.percentile(took[rung.name], [50, 99])
        results.append(
            RungResult(
                rung.name, rung.aside, median(rates[rung.name]), float(p50), float(p99), mebibytes,
                sum(now), len(now), *fixed_and_broken(first, now), hits[rung.name],
            )
        )  # fmt: skip
    return results


COLUMNS = (  # with the format of each
    ("rung", ""), ("cards/s", ",.0f"), ("× before", ".2f"), ("× first", ".1f"), ("share", ".0%"),
    ("p50 ms", ".1f"), ("p99 ms", ".1f"), ("MiB", ".0f"), ("KiB file", ",.0f"), ("right", ".1%"),
    ("fixed", "d"), ("broken", "d"), ("p", ".3f"), ("hits", ".1%"),
)  # fmt: skip


def table(results: Sequence[RungResult]) -> Table:
    """The rungs, with each one's factor on the rung before and on the first, and its share.

    Factors multiply, so a share is one of logarithms; those that lead aside have none. *p* is that of
    ``metrics.paired_p`` for fixed and broken.
    """
    first = before = results[0].per_second
    last = next((result for result in reversed(results) if not result.aside), results[0])
    whole, rows = math.log(last.per_second / first), []
    for result in results:
        factor = result.per_second / before
        p = paired_p(result.fixed, result.broken)
        rows.append([
            "* " * result.aside + result.rung, result.per_second, factor, result.per_second / first,
            None if result.aside or not whole else math.log(factor) / whole, result.p50, result.p99,
            result.memory, result.file, result.right / result.cards, result.fixed, result.broken,
            "<.001" if p < 0.001 else p, result.hit_rate,
            "" if result.compiling is None else f"after {result.compiling:.0f} s of compiling",
        ])  # fmt: skip
        if not result.aside:
            before = result.per_second
    header, formats = zip(*COLUMNS, strict=True)
    if any(result.compiling is not None for result in results):
        return Table([*header, ""], *rows, formats=formats)
    return Table(header, *(row[:-1] for row in rows), formats=formats)


def add_arguments(parser) -> None:
    parser.add_argument("--cards", type=int, default=2000, help="cards for the accuracy")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, each rung once in each")
    parser.add_argument("--seconds", type=float, default=2.0, help="of a rung in a round")
    parser.add_argument("--calls", type=int, default=200, help="of a rung in a round at least")
    parser.add_argument(
        "--no-compile", action="store_true", help="without torch.compile, which compiles for minutes"
    )
    parser.add_argument(
        "--json", type=files.output, metavar="FILE", help="write the measurements to this file"
    )


def main(args) -> int:
    if min(args.cards, args.rounds, args.calls) < 1 or args.seconds <= 0:
        raise ValueError("--cards, --rounds and --calls must be at least 1, --seconds above 0")
    missing = "torch.compile is left out, as asked" if args.no_compile else torch_compile.missing()
    if missing:
        print(missing, flush=True)
    chosen = [rung for rung in rungs.all_rungs() if not (missing and rungs.compiled(rung.kind))]
    effort = args.cards, args.rounds, args.seconds, args.calls
    results = climb(chosen, *effort, say=lambda text: print(text, flush=True))
    print(table(results))
    if args.json:
        records.write(args.json, peak=round(roofline.measure().peak), rungs=results)
    return 0
