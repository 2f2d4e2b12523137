"""The month's batch as a Prefect flow: find the cards, score each chunk, check freshness.

``python flow.py`` scores MONTH of INBOX into STORE once; ``python flow.py serve`` waits for the schedule
and for whoever asks. PREFECT_API_URL names the server that keeps the record.
"""

import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from prefect import allow_failure, flow, task, unmapped
from prefect.task_runners import ThreadPoolTaskRunner

from fsdl_deploy.batch.freshness import freshness
from fsdl_deploy.batch.inbox import CHUNK, Chunk
from fsdl_deploy.batch.job import Batch
from fsdl_deploy.batch.store import Store
from fsdl_deploy.reader import open_reader

NIGHTLY = "0 2 * * *"  # at 02:00 UTC
WAITS = [int(seconds) for seconds in os.environ.get("RETRY_WAITS", "10 60").split()]  # before each retry


@task(retries=len(WAITS), retry_delay_seconds=WAITS, task_run_name="find")
def find(inbox: str, month: str, store: str, chunk: int) -> tuple[str, list[list[str]]]:
    """Record a run, and list the month's cards in chunks."""
    with Batch(inbox, month, Store(store), open_reader(), chunk) as batch:
        return batch.begin(), [list(chunk.pictures) for chunk in batch.chunks()]


@task(retries=len(WAITS), retry_delay_seconds=WAITS, task_run_name="score {pictures[0]}")
def score(pictures: list[str], inbox: str, month: str, store: str, run: str) -> dict[str, int]:
    """Read and store what is new in one chunk; harmless to repeat."""
    with Batch(inbox, month, Store(store), open_reader(), workers=1) as batch:
        return asdict(batch.score_chunk(Chunk(tuple(pictures)), run))


@task(task_run_name="check")
def check(store: str, run: str, scored: list[dict[str, int] | Exception]) -> str:
    """Close the run with what went wrong, if anything did; fail unless the month is fresh."""
    errors = [result for result in scored if isinstance(result, Exception)]
    table = Store(store)
    table.finish(run, f"{len(errors)} of {len(scored)} chunks failed: {errors[0]}" if errors else None)
    verdict = freshness(table)
    if not verdict.fresh:
        raise RuntimeError(verdict.sentence)
    return verdict.sentence


@flow(name="batch", task_runner=ThreadPoolTaskRunner(max_workers=2))
def batch(inbox: str, store: str, month: str | None = None, chunk: int = CHUNK) -> str:
    """New cards → chunks → score each → is the month fresh? Without ``month``: the one of yesterday."""
    month = month or f"{datetime.now(UTC) - timedelta(days=1):%Y-%m}"
    run, chunks = find(inbox, month, store, chunk)
    scored = score.map(chunks, *map(unmapped, (inbox, month, store, run)))
    return check(store, run, [allow_failure(future) for future in scored])


if __name__ == "__main__":
    parameters = {
        "inbox": os.environ["INBOX"],
        "store": os.environ["STORE"],
        "month": os.environ.get("MONTH"),
        "chunk": int(os.environ.get("CHUNK", CHUNK)),
    }
    if sys.argv[1:] == ["serve"]:
        # Without the last word an orderly end would pause the schedule, and then no run would even be late.
        batch.serve("nightly", cron=NIGHTLY, parameters=parameters, pause_on_shutdown=False)
    else:
        print(batch(**parameters))
