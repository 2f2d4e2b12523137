"""The batch job against a plain loop over the same session, against inference alone, and its memory.

The three rates come from the same cards, in turns, and their ratios are what counts: a machine that is
busy slows all of them. Memory is the peak of a process of its own for each number of cards.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np

from fsdl_deploy import inbox
from fsdl_deploy.batch import Batch
from fsdl_deploy.customers import Customers
from fsdl_deploy.machine import usable_cores
from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader, batches
from fsdl_deploy.store import Store

MONTH = "2026-10"
LOOP_SHARE = 10  # the loop is slow: it takes every tenth chunk
PEAK = """
import resource, sys
from fsdl_deploy import cli
status = cli.main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(status)
"""


def plain_loop(folder: Path, reader: OnnxReader, store: Store, pictures: list[str]) -> int:
    """What one would write first: decode, read and keep one card after the other; store them at the end."""
    rows = []
    for picture in pictures:
        reading = reader.read([decode((folder / picture).read_bytes())])[0]
        rows.append(
            {"month": MONTH, "customer": inbox.customer_of(picture), "picture": picture,
             "model_version": reading.model_version, "digits": reading.digits,
             "confidence": reading.confidence}
        )  # fmt: skip
    store.add(store.begin(MONTH, reader.model_version, len(rows)), rows)
    return len(rows)


def inference(reader: OnnxReader, chunks: list[list[np.ndarray]], workers: int) -> int:
    """The graph alone, in the job's batches and threads: decoded before, nothing made of the outputs."""
    with ThreadPoolExecutor(workers) as pool:
        for images in chunks:
            groups = [(pictures, widths) for _, pictures, widths in batches(images)]
            list(pool.map(lambda group: reader.run(*group), groups))
    return sum(map(len, chunks))


def rates(cards: int, different: int, rounds: int, say: Callable[[str], None] = print) -> dict[str, float]:
    """Cards per second of each way, the median of ``rounds`` turns."""
    workers = max(1, round(usable_cores()))
    measured: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        inbox.fill(folder, Customers(cards), MONTH, different)
        chunks = [list(chunk.pictures) for chunk in inbox.chunks(folder, MONTH)]
        some = [picture for chunk in chunks[::LOOP_SHARE] for picture in chunk]
        decoded = [
            [decode((folder / MONTH / p).read_bytes()) for p in chunk] for chunk in chunks[::LOOP_SHARE]
        ]
        one, default = OnnxReader(), OnnxReader(threads=0)
        for turn in range(rounds):
            stores = [Store(folder / f"{turn}-{i}.db") for i in range(3)]
            with Batch(folder, MONTH, stores[0], one) as batch:
                ways: dict[str, Callable[[], int]] = {
                    "batch job": lambda: batch.score(progress=False).read,
                    "inference alone": lambda: inference(one, decoded, workers),
                    "loop, one thread": lambda: plain_loop(folder / MONTH, one, stores[1], some),  # noqa: B023
                    "loop, all cores": lambda: plain_loop(folder / MONTH, default, stores[2], some),  # noqa: B023
                }
                for name, way in ways.items():
                    started = time.perf_counter()
                    done = way()
                    measured.setdefault(name, []).append(done / (time.perf_counter() - started))
            for store in stores:
                store.close()
            say(
                f"round {turn + 1} of {rounds}: "
                + ", ".join(f"{n} {m[-1]:,.0f}/s" for n, m in measured.items())
            )
    return {name: median(values) for name, values in measured.items()}


def peak_memory(cards: int, different: int) -> float:
    """Peak resident memory in MiB of ``fsdl-deploy score`` over ``cards`` cards."""
    with tempfile.TemporaryDirectory() as temporary:
        inbox.fill(temporary, Customers(cards), MONTH, different)
        command = [sys.executable, "-c", PEAK, "score", temporary, "--month", MONTH]
        command += ["--store", f"{temporary}/r.db"]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"the job failed: {done.stderr.strip().splitlines()[-1]}")
    kibibytes = int(done.stdout.split()[-1]) / (1024 if sys.platform == "darwin" else 1)
    return kibibytes / 1024


def add_arguments(parser) -> None:
    parser.add_argument("--cards", type=int, default=5000, help="cards of the comparison (default 5000)")
    parser.add_argument("--different", type=int, default=500, help="of these, how many are drawn (500)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--memory", type=int, nargs="*", metavar="CARDS", help="peak memory for these numbers"
    )


def main(args) -> int:
    if args.memory is not None:
        for cards in args.memory or [1000, 10_000]:
            print(f"{cards:>9,} cards: {peak_memory(cards, args.different):.0f} MiB at most")
        return 0
    found = rates(args.cards, args.different, args.rounds)
    job = found["batch job"]
    for name, rate in found.items():
        print(f"{name:18} {rate:7,.0f} cards/s   the job has {job / rate:.2f} times its rate")
    return 0
