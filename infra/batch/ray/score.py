"""The batch job on Ray Data: chunks of cards → a pool of scorers, one a core → rows in the store.

    INBOX=inbox MONTH=2026-10 STORE=readings.db RAY_ADDRESS=127.0.0.1:6379 python score.py

On the head of a real cluster RAY_ADDRESS may be left out, and STORE is a database that every machine reaches.
"""

import json
import os
import re
import sys
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path

import ray
import sqlalchemy as sa
from tqdm import tqdm

from fsdl_deploy.batch.freshness import freshness
from fsdl_deploy.batch.inbox import CHUNK, Chunk
from fsdl_deploy.batch.job import Batch
from fsdl_deploy.batch.store import Store
from fsdl_deploy.reader import open_reader

WAVE = 20_000  # chunks that the driver lists at a time: its memory is that of a wave, not of a month
RETRIES = 2  # of a chunk that raises, and of one whose scorer dies; Ray's own: none, and without end


class Scorer:
    """One actor, one core: opens reader and store once, then scores chunk after chunk."""

    def __init__(self, inbox: str, month: str, store: str, run: str):
        self.batch = Batch(inbox, month, Store(store), open_reader(), workers=1)
        self.run = run

    def __call__(self, row: dict) -> dict:
        started = time.time()
        scored = self.batch.score_chunk(Chunk(tuple(json.loads(row["pictures"]))), self.run)
        return vars(scored) | {"scorer": os.getpid(), "started": started, "ended": time.time()}


def spread(chunks: list[Chunk], scorers: int, scorer: type, **settings) -> ray.data.Dataset:
    """The chunks, each a task of its own, over a pool of ``scorers`` actors; nothing runs yet."""
    rows = [{"pictures": json.dumps(chunk.pictures)} for chunk in chunks]  # names may not be UTF-8
    pool = ray.data.ActorPoolStrategy(min_size=1, initial_size=scorers, max_size=scorers)
    return ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        scorer, fn_constructor_kwargs=settings, compute=pool, num_cpus=1, max_task_retries=RETRIES
    )


def score(
    inbox: str,
    month: str,
    store_url: str,
    chunk: int = CHUNK,
    scorer: type = Scorer,
    record: str | None = None,
) -> list[dict]:
    """Score the month on the cluster, as one run; return what each chunk came to.

    ``record``: a folder that gets Ray's own account of the last wave.
    """
    inbox, store_url = os.path.abspath(inbox), connect(store_url)
    store, results = Store(store_url), []
    scorers = int(os.environ.get("SCORERS", 0)) or int(ray.cluster_resources()["CPU"])
    with Batch(inbox, month, store, open_reader(), chunk, workers=1) as batch:
        run, chunks = batch.begin(), batch.chunks()
        try:
            while wave := list(islice(chunks, WAVE)):
                work = spread(wave, scorers, scorer, inbox=inbox, month=month, store=store_url, run=run)
                results += tqdm(work.iter_rows(), f"read {month}", len(wave), unit="chunk", disable=None)
                if record:
                    keep(work, len(wave), Path(record))
            store.finish(run)
        except BaseException as error:
            with suppress(Exception):  # perhaps it is the store that failed
                store.finish(run, summary(error))
            raise
    return results


def connect(store: str) -> str:
    """Join the cluster of RAY_ADDRESS, or whose head this is; return the store as its scorers find it."""
    address = os.environ.get("RAY_ADDRESS", "auto")
    url = sa.make_url(store) if "://" in store else sa.URL.create("sqlite", database=store)
    if url.get_backend_name() == "sqlite":
        if not address.startswith("127.0.0.1:"):
            sys.exit(f"the machines of a cluster share no file: STORE is a postgresql:// URL, not {store}")
        url = url.set(database=os.path.abspath(url.database))  # a scorer may work in another folder
    ray.init(address, logging_level="warning", log_to_driver=False, ignore_reinit_error=True)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars, context.raise_original_map_exception = False, True
    context.retried_map_errors, context.max_map_retries = True, RETRIES
    return url.render_as_string(hide_password=False)


def keep(work: ray.data.Dataset, chunks: int, folder: Path) -> None:
    """Write stats.txt, and timeline.json as Chrome's trace viewer reads it."""
    (folder / "stats.txt").write_text(work.stats(), encoding="utf-8")
    deadline = time.monotonic() + 10  # the workers send their events once a second
    while time.monotonic() < deadline:
        events = ray.timeline()
        if sum(event["name"] == "submit" for event in events) >= chunks:
            break
        time.sleep(0.2)
    (folder / "timeline.json").write_text(json.dumps(events), encoding="utf-8")


def summary(error: BaseException) -> str:
    """The error as one line: of a scorer's whole traceback the last one, which names what was raised."""
    text = f"{type(error).__name__}: {error}"
    return (re.findall(r"^[\w.]+(?:Error|Exception): .+", text, re.MULTILINE) or text.splitlines())[-1]


def main(scorer: type = Scorer) -> None:
    inbox, month, store = (os.environ[name] for name in ("INBOX", "MONTH", "STORE"))
    chunk, started = int(os.environ.get("CHUNK", CHUNK)), time.time()
    results = score(inbox, month, store, chunk, scorer, os.environ.get("RECORD"))
    cards = sum(scored["read"] for scored in results)
    print(f"{cards:,} cards read in {len(results)} chunks, {time.time() - started:.1f} s")
    print(freshness(Store(store)).sentence)


if __name__ == "__main__":
    main()
