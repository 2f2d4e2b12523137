"""The batch job against a plain loop over the same session, against inference alone, and its memory.

The rates come from the same cards, in turns, and their ratios are what counts: a machine that is busy
slows all of them. What a card needs of a core says how near to inference alone a job can come at all.
Memory is the peak of a process of its own for each number of cards.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from statistics import median

from fsdl_deploy.batch import inbox
from fsdl_deploy.batch.job import Batch
from fsdl_deploy.batch.store import Store
from fsdl_deploy.customers import Customers
from fsdl_deploy.measuring.machine import whole_cores
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.picture import Image, decode
from fsdl_deploy.reader import BATCH, OnnxReader, pad

MONTH = "2026-10"
LOOP_SHARE = 10  # the loop is slow: it takes every tenth chunk
DECODED = 20  # chunks at most that inference alone takes: their pictures lie in memory
PEAK = """
import sys
from fsdl_deploy import cli
status = cli.main(sys.argv[1:])
try:
    import resource
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
except ImportError:  # Windows
    import psutil
    print(psutil.Process().memory_info().peak_wset // 1024)
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


def inference(reader: OnnxReader, chunks: list[list[Image]], workers: int) -> int:
    """The graph alone, in the job's batches and threads: decoded before, nothing made of the outputs."""
    groups = [group for images in chunks for group in widest_first(images)]
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda group: reader.run(*pad(group)), groups))
    return sum(map(len, chunks))


def widest_first(images: list[Image]) -> list[list[Image]]:
    """The batches in which the job reads a chunk."""
    order = sorted(images, key=lambda image: image.shape, reverse=True)
    return [order[start : start + BATCH] for start in range(0, len(order), BATCH)]


def rates(
    cards: int, different: int, rounds: int, say: Callable[[str], None] = print
) -> dict[str, list[float]]:
    """Cards per second of each way, in each of ``rounds`` turns."""
    measured: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        inbox.fill(folder, Customers(cards), MONTH, different)
        chunks = [chunk.pictures for chunk in inbox.chunks(folder, MONTH)]
        some = [picture for chunk in chunks[::LOOP_SHARE] for picture in chunk]
        decoded = [
            [decode((folder / MONTH / picture).read_bytes()) for picture in chunk]
            for chunk in chunks[:: -(-len(chunks) // DECODED)]
        ]
        readers = OnnxReader(), OnnxReader(threads=0)
        for turn in range(rounds):
            stores = [Store(folder / f"{turn}-{i}.db") for i in range(3)]
            _round(folder, stores, readers, some, decoded, measured)
            for store in stores:
                store.close()
            say(
                f"round {turn + 1} of {rounds}: "
                + ", ".join(f"{n} {m[-1]:,.0f}/s" for n, m in measured.items())
            )
    return measured


def _round(
    folder: Path,
    stores: list[Store],
    readers: tuple[OnnxReader, OnnxReader],
    some: list[str],
    decoded: list[list[Image]],
    measured: dict[str, list[float]],
) -> None:
    """Each way once: its cards per second join ``measured``. ``readers``: on one thread, and on all cores."""
    single, default = readers
    workers = whole_cores()
    with Batch(folder, MONTH, stores[0], single) as batch:
        ways: dict[str, Callable[[], int]] = {
            "batch job": lambda: batch.score(progress=False).read,
            "inference alone": lambda: inference(single, decoded, workers),
            "loop, one thread": lambda: plain_loop(folder / MONTH, single, stores[1], some),
            "loop, all cores": lambda: plain_loop(folder / MONTH, default, stores[2], some),
        }
        for name, way in ways.items():
            started = time.perf_counter()
            count = way()
            measured.setdefault(name, []).append(count / (time.perf_counter() - started))


def ratio(measured: dict[str, list[float]], way: str) -> float:
    """How many times the rate of ``way`` the job has: the median of the rounds."""
    return median(job / other for job, other in zip(measured["batch job"], measured[way], strict=True))


def needs(cards: int, different: int) -> dict[str, float]:
    """Microseconds of a core that one card needs for each step alone, and for the rest of the job.

    The steps take turns, chunk by chunk, in one thread. The rest is what the whole job takes beyond them:
    lists of files and rows, threads that wait for each other in Python, and that a core computes more slowly
    while its neighbour is busy, which inference alone on all cores suffers too.
    """
    import_module("tqdm.auto")  # which the job imports, before its time is taken
    used = dict.fromkeys(("read the file", "decode", "inference", "store"), 0.0)
    with tempfile.TemporaryDirectory() as temporary:
        folder, reader = Path(temporary), OnnxReader()
        inbox.fill(folder, Customers(cards), MONTH, different)
        alone, together = Store(folder / "alone.db"), Store(folder / "together.db")
        run = alone.begin(MONTH, reader.model_version, cards)
        for chunk in inbox.chunks(folder, MONTH):
            _steps(folder / MONTH, chunk.pictures, reader, alone, run, used)
        with Batch(folder, MONTH, together, reader) as batch:
            started = time.process_time()
            batch.score(progress=False)
            used["the rest"] = max(0.0, time.process_time() - started - sum(used.values()))
        alone.close()
        together.close()
    return {name: seconds / cards * 1e6 for name, seconds in used.items()}


def _steps(
    folder: Path,
    pictures: Sequence[str],
    reader: OnnxReader,
    store: Store,
    run: str,
    used: dict[str, float],
) -> None:
    """The job's steps over one chunk, one after the other: each adds its seconds of a core to ``used``."""
    rows = [
        {"month": MONTH, "customer": inbox.customer_of(picture), "picture": picture,
         "model_version": reader.model_version, "digits": "12345", "confidence": 0.9}
        for picture in pictures
    ]  # fmt: skip
    customers = [row["customer"] for row in rows]
    paths = [f"{folder}/{picture}" for picture in pictures]

    def timed(name: str, step: Callable):
        started = time.thread_time()
        result = step()
        used[name] += time.thread_time() - started
        return result

    files = timed("read the file", lambda: [inbox.read_file(path) for path in paths])
    images = timed("decode", lambda: [decode(file) for file in files])
    timed("inference", lambda: [reader.run(*pad(group)) for group in widest_first(images)])
    timed(
        "store",
        lambda: (
            store.recorded(MONTH, reader.model_version, customers, pictures),
            store.add(run, rows),
        ),
    )


def peak_memory(cards: int, different: int) -> float:
    """Peak resident memory in MiB of ``fsdl-deploy score`` over ``cards`` cards."""
    with tempfile.TemporaryDirectory() as temporary:
        inbox.fill(temporary, Customers(cards), MONTH, different)
        command = [sys.executable, "-c", PEAK, "score", temporary, "--month", MONTH]
        command += ["--store", f"{temporary}/r.db"]
        process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode != 0:
        raise RuntimeError(f"the job failed: {process.stderr.strip().splitlines()[-1]}")
    kibibytes = int(process.stdout.split()[-1]) / (1024 if sys.platform == "darwin" else 1)
    return kibibytes / 1024


def add_arguments(parser) -> None:
    parser.add_argument("--cards", type=int, default=5000, help="cards of the comparison")
    parser.add_argument("--different", type=int, default=500, help="of these, how many are drawn")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, each way once in each")
    parser.add_argument(
        "--memory", type=int, nargs="*", metavar="CARDS", help="peak memory for these numbers"
    )


def main(args) -> int:
    if args.memory is not None:
        for cards in args.memory or [1000, 10_000]:
            print(f"{cards:>9,} cards: {peak_memory(cards, args.different):.0f} MiB at most")
        return 0
    measured = rates(args.cards, args.different, args.rounds)
    rows = [[way, median(each), ratio(measured, way)] for way, each in measured.items()]
    print(Table(["way", "cards/s", "the job's rate to it"], *rows, formats=["", ",.0f", ".2f"]))
    used = needs(min(args.cards, 5000), args.different)
    whole = sum(used.values())
    print(
        "a core's time per card:", ", ".join(f"{name} {100 * us / whole:.0f} %" for name, us in used.items())
    )
    floor = used["inference"] / (whole - used["the rest"])
    print(f"with nothing but these steps a job would have {floor:.2f} times the rate of inference alone")
    return 0
