"""The batch job as Dagster sees it: two assets, ``cards`` and the ``readings`` made from them.

Dagster asks what should exist, and of when it is: an asset is one thing that is kept, and each month is
one partition of it. The readings of a month are made chunk by chunk, and a chunk that fails is tried
again. ``INBOX`` and ``STORE`` in the environment say where the cards are and where the readings go, ``CHUNK``
how many are stored together.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta

import dagster as dg

from fsdl_deploy.batch.freshness import freshness
from fsdl_deploy.batch.inbox import CHUNK, Chunk
from fsdl_deploy.batch.job import Batch, Scored
from fsdl_deploy.batch.store import Store
from fsdl_deploy.reader import open_reader

months = dg.MonthlyPartitionsDefinition("2024-01", fmt="%Y-%m", end_offset=1)  # this month too


class Utility(dg.ConfigurableResource):
    """Where everything is. What is opened here lives in the process of the step that asked."""

    inbox: str
    store: str
    chunk: int = int(os.environ.get("CHUNK", CHUNK))  # cards that are stored together

    def batch(self, month: str) -> Batch:
        return Batch(self.inbox, month, Store(self.store), open_reader(), self.chunk)


@dg.asset(partitions_def=months)
def cards(context: dg.AssetExecutionContext, utility: Utility) -> dg.Output[list[list[str]]]:
    """The pictures of a month, in chunks. Other names make another version, and old readings stale."""
    with utility.batch(context.partition_key) as batch:
        pictures = [list(chunk.pictures) for chunk in batch.chunks()]
    version = hashlib.sha256(repr(pictures).encode()).hexdigest()[:12]
    metadata = {"cards": sum(map(len, pictures)), "chunks": len(pictures)}
    return dg.Output(pictures, metadata=metadata, data_version=dg.DataVersion(version))


@dg.op
def begin(context: dg.OpExecutionContext, utility: Utility, cards: list[list[str]]) -> str:
    """Record in the store that a run starts."""
    with utility.batch(context.partition_key) as batch:
        return batch.begin()


@dg.op(out=dg.DynamicOut())
def chunks(cards: list[list[str]]) -> Iterator[dg.DynamicOutput[list[str]]]:
    """One output for each chunk: Dagster makes as many steps of it."""
    for place, pictures in enumerate(cards):
        yield dg.DynamicOutput(pictures, mapping_key=f"{place:05d}")


@dg.op(retry_policy=dg.RetryPolicy(max_retries=2, delay=1, backoff=dg.Backoff.EXPONENTIAL))
def score(context: dg.OpExecutionContext, utility: Utility, pictures: list[str], run: str) -> dict:
    """Read and store what is new in one chunk; the store remembers an error until it is overcome."""
    with utility.batch(context.partition_key) as batch:
        try:
            return asdict(batch.score_chunk(Chunk(tuple(pictures)), run))
        except Exception as error:
            batch.store.finish(run, f"{type(error).__name__}: {error}")
            raise


@dg.op
def finish(context: dg.OpExecutionContext, utility: Utility, scored: list[dict], run: str) -> dict:
    """Record in the store that the run came to its end."""
    Store(utility.store).finish(run)
    total = asdict(sum((Scored(**counts) for counts in scored), Scored()))
    context.add_output_metadata(total)
    return total


@dg.graph_asset(partitions_def=months)
def readings(cards):
    """One reading for each card of a month, in the store."""
    run = begin(cards)
    return finish(chunks(cards).map(lambda pictures: score(pictures, run)).collect(), run)


@dg.asset_check(asset=readings)
def fresh(utility: Utility) -> dg.AssetCheckResult:
    """Was it done last night? Asks the store's record of runs, not Dagster's."""
    verdict = freshness(Store(utility.store))
    return dg.AssetCheckResult(passed=verdict.fresh, description=verdict.sentence)


batch = dg.define_asset_job("batch", dg.AssetSelection.all())
look = dg.define_asset_job("look", dg.AssetSelection.checks_for_assets(readings))


@dg.schedule(job=batch, cron_schedule="0 2 * * *", execution_timezone="UTC")
def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """At two, the month that the day before belongs to: on the first, last month's last cards."""
    yesterday = context.scheduled_execution_time - timedelta(days=1)
    return dg.RunRequest(partition_key=f"{yesterday:%Y-%m}")


# By itself and in the morning: a check inside the job is silent when the job is.
mornings = dg.ScheduleDefinition("mornings", job=look, cron_schedule="0 7 * * *", execution_timezone="UTC")

defs = dg.Definitions(
    assets=[cards, readings],
    asset_checks=[fresh],
    jobs=[batch, look],
    schedules=[nightly, mornings],
    executor=dg.in_process_executor,  # the default is a process for each step
    resources={"utility": Utility(inbox=dg.EnvVar("INBOX"), store=dg.EnvVar("STORE"))},
)
