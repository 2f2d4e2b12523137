"""A night of the batch job as Dagster runs it, with a fault in its first step, and what Dagster notes"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from fsdl_deploy.running import stations

NOTED = ("STEP_UP_FOR_RETRY", "STEP_RESTARTED", "STEP_SUCCESS", "ASSET_CHECK_EVALUATION", "SCHEDULE")
HICCUP = """\
import itertools
from fsdl_deploy.batch.job import Batch

real, calls = Batch.score_chunk, itertools.count()
def score_chunk(self, *chunk):
    if next(calls) == 0:
        raise ConnectionError("the network hiccuped")
    return real(self, *chunk)
Batch.score_chunk = score_chunk
"""
NIGHT = """
import sys
import dagster as dg
from definitions import defs

with dg.DagsterInstance.ephemeral() as instance:
    job = defs.resolve_job_def("batch")
    result = job.execute_in_process(instance=instance, partition_key=sys.argv[1])
for event in result.all_events:
    print(event.event_type_value, event.step_key or "", sep="\\t")
for name in ("nightly", "mornings"):
    print("SCHEDULE", name, defs.resolve_schedule_def(name).cron_schedule, sep="\\t")
"""


class DagsterEvent(NamedTuple):
    """A line of Dagster's record: what happened, and to which step; or a schedule, with cron's fields."""

    kind: str
    about: str


def retried_step() -> str:
    """The source of the step that reads a chunk, with its policy for retries."""
    definitions = (stations.station("dagster").folder / "definitions.py").read_text(encoding="utf-8")
    begin = definitions.index("@dg.op(retry_policy")
    return definitions[begin : definitions.index("@dg.op", begin + 1)].rstrip()


def run(python: Path, inbox: Path, store: Path, month: str) -> list[DagsterEvent]:
    """The events of a month's run by the station's ``python``, then its schedules.

    HICCUP makes the first call of ``score_chunk`` fail. Raises RuntimeError with the errors if the run fails.
    """
    tool = stations.station("dagster").folder
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"INBOX": str(inbox), "STORE": str(store)}
        environment |= {"DAGSTER_HOME": home, "DAGSTER_DISABLE_TELEMETRY": "yes"}
        command = [python, "-c", HICCUP + NIGHT, month]
        process = subprocess.run(command, env=environment, cwd=tool, capture_output=True, text=True)
    if process.returncode:
        raise RuntimeError(f"Dagster's run of {month} failed: {process.stderr.strip()}")
    return [event_of(line) for line in process.stdout.splitlines()]


def event_of(line: str) -> DagsterEvent:
    """A line that NIGHT prints, with tabs between its parts."""
    kind, *about = line.split("\t")
    return DagsterEvent(kind, "  ".join(about))
