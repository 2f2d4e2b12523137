"""The batch job in Dagster, run by the station's own interpreter: its record, and what is in the store."""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from plain_job import rows, rows_of_the_plain_job

from fsdl_course.setup.stations import ensure
from fsdl_deploy.batch.freshness import freshness
from fsdl_deploy.batch.inbox import fill
from fsdl_deploy.batch.store import Store
from fsdl_deploy.customers import Customers
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running.servers import Server

pytestmark = [pytest.mark.timeout(900), pytest.mark.thorough]
FOLDER = ROOT / "infra" / "batch" / "dagster"
MONTH, CUSTOMERS = "2026-10", 1_060  # three chunks: 500, 500, 60

# Runs a job and prints what Dagster has on record of it: job, month or "", run to go on with or "", an
# asset alone or "".
RUN = """
import json, sys
import dagster as dg
from definitions import defs

def job():
    return defs.resolve_job_def(sys.argv[1])

if __name__ == "__main__":
    name, month, parent, asset = sys.argv[1:5]
    instance = dg.DagsterInstance.get()
    again = dg.ReexecutionOptions.from_failure(parent, instance) if parent else None
    done = dg.execute_job(dg.reconstructable(job), instance, reexecution_options=again, raise_on_error=False,
                          tags={"dagster/partition": month} if month else None,
                          asset_selection=[dg.AssetKey(asset)] if asset else None)
    state = instance.get_run_by_id(done.run_id).status.value
    events = [[entry.dagster_event.event_type_value, entry.dagster_event.step_key]
              for entry in instance.all_logs(done.run_id) if entry.dagster_event]
    checks = [[check.passed, check.description] for check in done.get_asset_check_evaluations()]
    json.dump({"run": done.run_id, "state": state, "events": events, "checks": checks}, sys.stdout)
"""
TICKS = """
from datetime import UTC, datetime
import dagster as dg
from definitions import nightly

for day in (datetime(2026, 11, 1, 2, tzinfo=UTC), datetime(2026, 11, 2, 2, tzinfo=UTC)):
    context = dg.build_schedule_context(scheduled_execution_time=day)
    print(nightly(context).partition_key)
"""
STALE = """{ node: assetNodeOrError(assetKey: {path: ["readings"]}) {
  ... on AssetNode { staleStatus(partition: "2026-10") } } }"""


class Workplace:
    """An inbox, a store and a Dagster of their own, in one folder."""

    def __init__(self, folder: Path):
        self.python, self.folder = ensure("dagster"), folder
        self.inbox, self.store_file, self.home = folder / "inbox", folder / "readings.db", folder / "home"
        self.home.mkdir()
        shutil.copy(FOLDER / "dagster.yaml", self.home)
        fill(self.inbox, Customers(CUSTOMERS), MONTH, different=20)
        self.store = Store(self.store_file)
        places = {"DAGSTER_HOME": self.home, "INBOX": self.inbox, "STORE": self.store_file}
        places |= {"DAGSTER_DISABLE_TELEMETRY": "yes"}
        self.places = {name: str(value) for name, value in places.items()}

    def ask(self, script: str, *words: str) -> str:
        (self.folder / "script.py").write_text(script)
        process = subprocess.run(
            [self.python, self.folder / "script.py", *words],
            cwd=FOLDER,
            env=os.environ | self.places | {"PYTHONPATH": str(FOLDER)},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert process.returncode == 0, process.stderr[-3000:]
        return process.stdout

    def run(self, job: str = "batch", month: str = MONTH, parent: str = "", asset: str = "") -> dict:
        return json.loads(self.ask(RUN, job, month, parent, asset).splitlines()[-1])

    def sql(self, *statements: str) -> list:
        with closing(sqlite3.connect(self.store_file)) as database, database:
            return [row for statement in statements for row in database.execute(statement)]

    def damage(self) -> None:
        """The database refuses the last customer's row."""
        self.sql(
            f"CREATE TRIGGER damage BEFORE INSERT ON predictions WHEN new.customer = 'C{CUSTOMERS - 1:07d}' "
            "BEGIN SELECT RAISE(ABORT, 'damaged'); END"
        )


@pytest.fixture
def workplace(tmp_path) -> Workplace:
    return Workplace(tmp_path)


def steps(night: dict, event: str) -> list[str]:
    return [step for kind, step in night["events"] if kind == event]


def test_a_failed_night_goes_on_where_it_stopped(workplace):
    workplace.damage()
    failed = workplace.run()
    assert failed["state"] == "FAILURE"
    assert steps(failed, "STEP_FAILURE") == ["readings.score[00002]"]
    assert len(steps(failed, "STEP_UP_FOR_RETRY")) == 2
    assert failed["checks"] == []  # what comes after the failure is not run
    verdict = freshness(workplace.store)
    assert not verdict.fresh and "failed after 1,000 of 1,060 cards" in verdict.sentence
    assert "damaged" in verdict.sentence

    workplace.sql("DROP TRIGGER damage")
    mended = workplace.run(parent=failed["run"])
    assert mended["state"] == "SUCCESS"
    assert steps(mended, "STEP_START") == ["readings.score[00002]", "readings.finish", "readings_fresh"]
    assert [passed for passed, _ in mended["checks"]] == [True]
    assert freshness(workplace.store).fresh
    # The same as the plain job stores, without any damage.
    plain = rows_of_the_plain_job(workplace.inbox, MONTH, workplace.folder / "plain.db")
    assert rows(workplace.store_file) == plain
    assert len(rows(workplace.store_file)) == CUSTOMERS


def test_the_morning_check_fails_when_nobody_ran_the_job(workplace):
    night = workplace.run("look", month="")
    assert night["state"] == "SUCCESS" and night["checks"][0][0] is False
    assert "the job has never run" in night["checks"][0][1]


def test_the_schedule_asks_for_the_month_of_the_day_before(workplace):
    assert workplace.ask(TICKS).split() == ["2026-10", "2026-11"]


def test_the_server_knows_what_is_stale_and_stops(workplace):
    assert workplace.run()["state"] == "SUCCESS"
    shutil.copy(next(workplace.inbox.rglob("*.jpg")), workplace.inbox / MONTH / "C0001" / "C0001999.jpg")
    command = [workplace.python, "-m", "dagster_webserver", "-f", "definitions.py", "-h", "127.0.0.1"]
    with Server(
        [*command, "-p", "{port}"], "/server_info", env=workplace.places, cwd=FOLDER, timeout=300
    ) as server:

        def stale() -> str:
            answer = httpx2.post(f"{server.url}/graphql", json={"query": STALE}, timeout=120)
            return answer.json()["data"]["node"]["staleStatus"]

        assert stale() == "FRESH"
        workplace.run(asset="cards")
        assert stale() == "STALE"
    assert not server.running
