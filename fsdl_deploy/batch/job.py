"""Batch prediction: new cards → preprocess → load the model → predict → store.

The lecture's first way to separate model and UI (2.1). The job may be killed anywhere and started
again, also twice at once: what is stored is found and left alone, a chunk is stored whole or not at
all, and rows are keyed by month, customer and model version. Knows nothing about schedules.
"""

import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field

from fsdl_deploy.batch.inbox import (
    CHUNK,
    Chunk,
    chunks,
    count_cards,
    customer_of,
    month_folder,
    read_file,
)
from fsdl_deploy.batch.store import Store, StoreError
from fsdl_deploy.files import printable
from fsdl_deploy.measuring.machine import whole_cores
from fsdl_deploy.picture import Image, PictureError, decode
from fsdl_deploy.reader import BATCH, LATEST, open_reader
from fsdl_deploy.reading import Reader, Reading


@dataclass(frozen=True)
class Scored:
    """What came of some cards: read now, set aside now, or already done by an earlier run."""

    read: int = 0
    set_aside: int = 0
    already: int = 0

    def __add__(self, other: "Scored") -> "Scored":
        return Scored(self.read + other.read, self.set_aside + other.set_aside, self.already + other.already)


@dataclass
class _Work:
    """A chunk on its way: its pictures are decoded, then read, then stored."""

    cards: int
    known: dict[str, str]  # customer -> picture: what is read already, of these customers and perhaps others
    new: list[str]
    decoding: list[Future]
    read: dict[str, str] = field(default_factory=dict)  # customer -> picture
    aside: dict[str, str] = field(default_factory=dict)  # picture -> reason
    reading: Iterable[tuple[list[str], list[Reading]]] = ()  # batches of customers, and their readings


class Batch:
    """The job for one month: ``with Batch(inbox, "2026-10", store, reader) as batch: batch.score()``.

    ``workers`` threads (default: one a core) decode and read. Each call of the reader holds cards of
    neighbouring widths, so that little is padded. While one chunk is read the next is decoded already, and
    while it is stored the one after that is decoded: no thread waits. A chunk is read only when the one
    before it is stored, and memory holds two, whatever the month holds.
    """

    def __init__(
        self,
        inbox: str | os.PathLike,
        month: str,
        store: Store,
        reader: Reader,
        chunk: int = CHUNK,
        workers: int | None = None,
    ):
        self.inbox, self.month, self.store, self.reader, self.size = inbox, month, store, reader, chunk
        self.folder = os.fspath(month_folder(inbox, month))
        self.pool = ThreadPoolExecutor(workers or whole_cores(), "batch")

    def __enter__(self) -> "Batch":
        return self

    def __exit__(self, *_) -> None:
        self.pool.shutdown(cancel_futures=True)

    def chunks(self, backwards: bool = False) -> Iterator[Chunk]:
        """The month's cards, chunk by chunk."""
        return chunks(self.inbox, self.month, self.size, backwards)

    def count(self) -> int:
        """How many cards the month has."""
        return count_cards(self.inbox, self.month)

    def begin(self, cards: int | None = None) -> str:
        """Record a run over ``cards`` (default: all that the inbox holds now); return its id."""
        return self.store.begin(
            self.month, self.reader.model_version, self.count() if cards is None else cards
        )

    def score(self, progress: bool = True) -> Scored:
        """Read and store every card that is not stored yet, as one run.

        Of two runs at work at once, the one that came second starts at the other end: they share the work.
        A run that fails is recorded with its error, then raises it.
        """
        from tqdm.auto import tqdm

        cards = self.count()
        run = self.begin(cards)
        scored = Scored()
        at_work = self.store.active(self.month, self.reader.model_version)
        backwards = run in at_work and at_work.index(run) % 2 == 1
        try:
            with tqdm(total=cards, desc=f"read {self.month}", unit="card", disable=not progress) as bar:
                works = map(self._open, self.chunks(backwards))
                work, ahead = next(works, None), next(works, None)
                while work:
                    self._begin_reading(work)
                    after = next(works, None)
                    for later in filter(None, (ahead, after)):
                        later.known |= work.read  # which the store did not know when it was asked
                    scored += self._store(work, run)
                    bar.update(work.cards)
                    work, ahead = ahead, after
            self.store.finish(run)
        except BaseException as error:
            with suppress(StoreError):  # perhaps it is the store that failed
                self.store.finish(run, f"{type(error).__name__}: {error}".rstrip(": "))
            raise
        return scored

    def score_chunk(self, chunk: Chunk, run: str) -> Scored:
        """Read and store what is new in one chunk: the step that workflow tools repeat and spread."""
        work = self._open(chunk)
        self._begin_reading(work)
        return self._store(work, run)

    def _open(self, chunk: Chunk) -> _Work:
        pictures = chunk.pictures
        names = list(map(storable, pictures))
        known, aside = self.store.recorded(
            self.month, self.reader.model_version, map(customer_of, names), names
        )
        finished = aside | set(known.values())
        new = [picture for picture, name in zip(pictures, names, strict=True) if name not in finished]
        groups = [new[start : start + BATCH] for start in range(0, len(new), BATCH)]
        return _Work(len(pictures), known, new, [self.pool.submit(self._decode, group) for group in groups])

    def _decode(self, pictures: list[str]) -> list[Image | str]:
        """Each picture, or the reason why it is none."""
        return [self._decode_one(picture) for picture in pictures]

    def _decode_one(self, picture: str) -> Image | str:
        if storable(picture) != picture:
            return "the name of the file is not UTF-8"
        try:
            return decode(read_file(os.path.join(self.folder, picture)))
        except PictureError as error:
            return str(error)
        except OSError as error:
            return f"the file cannot be read: {error.strerror}"

    def _begin_reading(self, work: _Work) -> None:
        """Have what is decoded read in batches of one height and neighbouring widths, one a thread at a time.

        The widest come first: at the end, when a thread has nothing left to read, the others are done soon.
        """
        images: dict[str, Image] = {}
        decoded = (image for group in work.decoding for image in group.result())
        for picture, image in zip(work.new, decoded, strict=True):
            customer = customer_of(picture)
            if isinstance(image, str):
                work.aside[picture] = image
            elif customer in work.known:
                work.aside[picture] = f"a second card: {work.known[customer]} is read"
            else:
                work.known[customer] = work.read[customer] = picture
                images[customer] = image
        work.decoding.clear()
        order = sorted(images, key=lambda customer: images[customer].shape, reverse=True)
        groups = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        readings = self.pool.map(lambda group: self.reader.read([images[c] for c in group]), groups)
        work.reading = zip(groups, readings, strict=True)

    def _store(self, work: _Work, run: str) -> Scored:
        """Wait until all of it is read, and store it."""
        readings = {c: r for group, read in work.reading for c, r in zip(group, read, strict=True)}
        rows = [
            {"month": self.month, "customer": customer, "model_version": readings[customer].model_version,
             "digits": readings[customer].digits, "confidence": round(readings[customer].confidence, 4),
             "picture": picture}
            for customer, picture in work.read.items()
        ]  # fmt: skip
        aside = [
            {"month": self.month, "customer": customer_of(storable(picture)), "picture": storable(picture),
             "model_version": self.reader.model_version, "reason": reason}
            for picture, reason in work.aside.items()
        ]  # fmt: skip
        # Another run may have stored some of them meanwhile: those are not new.
        new, new_aside = self.store.add(run, rows, aside) if rows or aside else (0, 0)
        return Scored(new, new_aside, work.cards - new - new_aside)


def storable(name: str) -> str:
    """A file's name as text that every database takes: bytes that are not UTF-8 become escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def add_arguments(parser) -> None:
    parser.add_argument("inbox", metavar="INBOX", help="folder of the inbox (INBOX/MONTH/...)")
    parser.add_argument("--month", required=True, help="YYYY-MM")
    parser.add_argument("--store", default="readings.db", help="SQLite file or postgresql:// URL")
    parser.add_argument("--version", default=LATEST, help="which model")
    parser.add_argument("--url", help="ask the model service at this URL instead")
    parser.add_argument("--chunk", type=int, default=CHUNK, help="cards stored together")
    parser.add_argument("--workers", type=int, help="threads (default: one a core)")
    parser.add_argument("--retry", action="store_true", help="try again what an earlier run set aside")


def main(args) -> int:
    """Score a month; one sentence on standard output, and a line for each of the first cards set aside."""
    if args.workers is not None and args.workers < 1:
        raise ValueError(f"--workers is 1 or more, not {args.workers}")
    reader = open_reader(args.version, args.url)
    with (
        closing(Store(args.store)) as store,
        Batch(args.inbox, args.month, store, reader, args.chunk, args.workers) as batch,
    ):
        if args.retry:
            store.forget_set_aside(args.month, reader.model_version)
        started = time.monotonic()
        scored = batch.score()
        seconds = time.monotonic() - started
        print(
            f"{args.month} with {reader.model_version}: {scored.read:,} cards read, {scored.set_aside:,} set "
            f"aside, {scored.already:,} done before; {scored.read / seconds:,.0f} cards/s"
        )
        if scored.set_aside:
            for row in store.aside(month=args.month, limit=10):
                print(f"  {printable(row['picture'])}: {row['reason']}")
    return 0
