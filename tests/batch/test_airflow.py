"""The batch job in Airflow, run by the station's own interpreter: its record, and what is in the store."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from plain_job import rows, rows_of_the_plain_job

from fsdl_course.setup.stations import ensure
from fsdl_deploy.batch.freshness import freshness
from fsdl_deploy.batch.inbox import fill
from fsdl_deploy.batch.store import Store
from fsdl_deploy.customers import Customers
from fsdl_deploy.paths import ROOT

pytestmark = [
    pytest.mark.timeout(1500),
    pytest.mark.thorough,
    pytest.mark.skipif(sys.platform == "win32", reason="Airflow does not run on Windows"),
]
FOLDER = ROOT / "infra" / "batch" / "airflow"
MONTH, CUSTOMERS = "2026-10", 1_060  # three chunks: 500, 500, 60

# Runs DAGs in this process, with Airflow's own database, and prints what stands there of each run. Words:
# DAG@night, sql:statement.
RUNS = """
import json, os, sqlite3, sys
from datetime import datetime
from airflow.models.taskinstancehistory import TaskInstanceHistory
from airflow.settings import Session
from sqlalchemy import select
import dag

with open(sys.argv[1], "w") as lines:
    for word in sys.argv[2:]:
        if word.startswith("sql:"):
            with sqlite3.connect(os.environ["STORE"]) as database:
                database.execute(word[4:])
            continue
        name, _, night = word.partition("@")
        run = getattr(dag, name)().test(logical_date=datetime.fromisoformat(night))
        earlier = Session().execute(select(TaskInstanceHistory.task_id, TaskInstanceHistory.map_index,
                                           TaskInstanceHistory.state).filter_by(run_id=run.run_id))
        tasks = {f"{ti.task_id}[{ti.map_index}]": [ti.state, ti.try_number]
                 for ti in run.get_task_instances()}
        print(json.dumps({"state": run.state, "tasks": tasks, "earlier": [list(row) for row in earlier]}),
              file=lines)
"""
DAMAGE = f"""CREATE TRIGGER damage BEFORE INSERT ON predictions WHEN new.customer = 'C{CUSTOMERS - 1:07d}'
BEGIN SELECT RAISE(ABORT, 'damaged'); END"""
MEND = "DROP TRIGGER damage"


class Workplace:
    """An inbox, a store and an Airflow of their own, in one folder."""

    def __init__(self, folder: Path):
        self.python, self.folder = ensure("airflow"), folder
        self.inbox, self.store_file, home = folder / "inbox", folder / "readings.db", folder / "home"
        home.mkdir()
        shutil.copy(FOLDER / "airflow.cfg", home)
        fill(self.inbox, Customers(CUSTOMERS), MONTH, different=20)
        self.store = Store(self.store_file)
        places = {"AIRFLOW_HOME": home, "AIRFLOW__CORE__DAGS_FOLDER": FOLDER, "PYTHONPATH": FOLDER}
        places |= {"INBOX": self.inbox, "STORE": self.store_file}
        self.places = {name: str(value) for name, value in places.items()}
        self.call("-m", "airflow", "db", "migrate")

    def call(self, *words) -> None:
        process = subprocess.run(
            [self.python, *words],
            cwd=self.folder,
            env=os.environ | self.places,
            capture_output=True,
            text=True,
            timeout=1200,
        )
        assert process.returncode == 0, process.stdout[-2000:] + process.stderr[-3000:]

    def run(self, *words: str) -> list[dict]:
        lines = self.folder / "lines.json"
        (self.folder / "script.py").write_text(RUNS)
        self.call(self.folder / "script.py", lines, *words)
        return [json.loads(line) for line in lines.read_text().splitlines()]


@pytest.fixture
def workplace(tmp_path) -> Workplace:
    return Workplace(tmp_path)


def test_retry_failure_and_the_run_after_it(workplace):
    # The night of the first scores the month before.
    night = "batch@2026-11-01T02:00:00+00:00"
    never, failed = workplace.run("look@2026-11-01T07:00:00+00:00", f"sql:{DAMAGE}", night)
    # Nobody had run the job: the check says so.
    assert never == {"state": "failed", "tasks": {"fresh[-1]": ["failed", 1]}, "earlier": []}
    # Three tries, which are on record, then failure, and nothing after it.
    assert failed["earlier"] == 2 * [["score", 2, "failed"]]
    assert failed["state"] == "failed" and failed["tasks"]["score[2]"] == ["failed", 3]
    assert failed["tasks"]["score[1]"][0] == "success"
    assert failed["tasks"]["finish[-1]"][0] == failed["tasks"]["fresh[-1]"][0] == "upstream_failed"
    verdict = freshness(workplace.store)
    assert not verdict.fresh and "failed after 1,000 of 1,060 cards of 2026-10" in verdict.sentence

    (mended,) = workplace.run(f"sql:{MEND}", night)
    assert mended["state"] == "success" and freshness(workplace.store).fresh
    # Every card once, and the same as the plain job stores without any damage.
    stored = rows(workplace.folder / "readings.db")
    assert stored == rows_of_the_plain_job(workplace.inbox, MONTH, workplace.folder / "plain.db")
    assert len(stored) == CUSTOMERS
