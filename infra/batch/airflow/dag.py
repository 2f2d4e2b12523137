"""The batch job as Airflow sees it: a DAG of tasks that runs every night at two.

Airflow asks what to do, and when. A run is of a moment, its *logical date*: the night of 1 November scores
the month that the day before belongs to, October, whenever it is run. ``INBOX`` and ``STORE`` in the
environment say where the cards are and where the readings go, ``CHUNK`` how many are stored together. What
tasks hand on goes through Airflow's database, so it is small: names of pictures, never pictures.
"""

import os
from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task


def open_batch(month: str):
    """Reader and store are opened in the task that uses them; the scheduler only reads this file."""
    from fsdl_deploy.batch.inbox import CHUNK
    from fsdl_deploy.batch.job import Batch
    from fsdl_deploy.batch.store import Store
    from fsdl_deploy.reader import open_reader

    chunk = int(os.environ.get("CHUNK", CHUNK))
    return Batch(os.environ["INBOX"], month, Store(os.environ["STORE"]), open_reader(), chunk)


@task
def month(logical_date=None) -> str:
    return f"{logical_date - timedelta(days=1):%Y-%m}"


@task
def chunks(month: str) -> list[list[str]]:
    """The month's pictures, chunk by chunk: Airflow makes one task instance of ``score`` for each."""
    with open_batch(month) as batch:
        return [list(chunk.pictures) for chunk in batch.chunks()]


@task
def begin(month: str) -> str:
    """Record in the store that a run starts."""
    with open_batch(month) as batch:
        return batch.begin()


@task(retries=2, retry_delay=timedelta(seconds=1))
def score(month: str, run: str, pictures: list[str]) -> dict:
    """Read and store what is new in one chunk; the store remembers an error until it is overcome."""
    from dataclasses import asdict

    from fsdl_deploy.batch.inbox import Chunk

    with open_batch(month) as batch:
        try:
            return asdict(batch.score_chunk(Chunk(tuple(pictures)), run))
        except Exception as error:
            batch.store.finish(run, f"{type(error).__name__}: {error}")
            raise


@task
def finish(scored: list[dict], run: str) -> int:
    """Record in the store that the run came to its end; return how many cards were read."""
    from fsdl_deploy.batch.store import Store

    Store(os.environ["STORE"]).finish(run)
    return sum(counts["read"] for counts in scored)


@task
def fresh() -> str:
    """Was it done last night? Fails with the sentence that says why not."""
    from fsdl_deploy.batch.freshness import freshness
    from fsdl_deploy.batch.store import Store

    verdict = freshness(Store(os.environ["STORE"]))
    if not verdict.fresh:
        raise RuntimeError(verdict.sentence)
    return verdict.sentence


@dag(schedule="0 2 * * *", start_date=datetime(2024, 1, 1, tzinfo=UTC), catchup=False, max_active_runs=1)
def batch():
    which = month()
    run = begin(which)
    scored = score.partial(month=which, run=run).expand(pictures=chunks(which))
    finish(scored, run) >> fresh()


@dag(schedule="0 7 * * *", start_date=datetime(2024, 1, 1, tzinfo=UTC), catchup=False)
def look():
    """By itself and in the morning: a check inside the job is silent when the job is."""
    fresh()


batch()
look()
