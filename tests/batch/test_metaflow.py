"""The batch job in Metaflow, run by the station's own interpreter: its record, and what is in the store."""

import json
import os
import shutil
import subprocess
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from plain_job import rows, rows_of_the_plain_job
from polling import until
from refusing import Refusing

from fsdl_course.setup.stations import ensure
from fsdl_deploy.batch.freshness import freshness
from fsdl_deploy.batch.store import Store, now
from fsdl_deploy.paths import ROOT

pytestmark = [pytest.mark.timeout(900), pytest.mark.thorough]
FOLDER = ROOT / "infra" / "batch" / "metaflow"
MONTH, CARDS, CHUNKS = "2026-10", 120, 4  # two shards of 60 cards, in chunks of 40 and 20


class Job(Refusing):
    """An inbox, a store and a datastore of their own, and the commands of the flow."""

    victim = "C0000045"  # in the second chunk

    def __init__(self, folder: Path, inbox: Path):
        self.python, self.folder, self.inbox = ensure("metaflow"), folder, folder / "inbox"
        shutil.copytree(inbox, self.inbox)
        self.store = Store(folder / "readings.db")
        self.env = os.environ | {
            "METAFLOW_USER": "tests", "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(folder / "datastore"),
            "METAFLOW_HOME": str(folder / "settings"), "METAFLOW_CLIENT_CACHE_PATH": str(folder / "cache"),
            "INBOX": str(self.inbox), "STORE": self.store.url, "MONTH": MONTH, "CHUNK": "40",
        }  # fmt: skip

    def start(self, *words: str, **env: str) -> subprocess.Popen:
        return subprocess.Popen(
            [self.python, FOLDER / "flow.py", *words],
            cwd=self.folder,
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, watch=lambda process, line: None, **env: str) -> tuple[int, str]:
        """Run a command of the flow; the exit status, and all that was written."""
        written = []
        with self.start(*words, **env) as process:
            for line in process.stdout:
                written.append(line)
                watch(process, line)
        return process.returncode, "".join(written)

    def score(self, *words: str, watch=lambda process, line: None, **env: str) -> tuple[int, str]:
        """``run`` or ``resume``, two tasks at a time."""
        return self.run(*words, "--max-workers", "2", "--run-id-file", "run-id", watch=watch, **env)

    def recorded(self) -> dict:
        """What is on record of the last run."""
        self.run_id = (self.folder / "run-id").read_text()
        process = subprocess.run(
            [self.python, FOLDER / "record.py", self.run_id],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert process.returncode == 0, process.stderr[-3000:]
        return json.loads(process.stdout)


@pytest.fixture
def job(tmp_path, month_of_cards):
    return Job(tmp_path, month_of_cards)


def test_every_card_is_stored_once_as_the_plain_job_reads_it(job, tmp_path):
    """And its card is a page, no process outlives the run, and the home of the user stays as it was."""
    home = tmp_path / "home"
    home.mkdir()
    status, written = job.score("run", HOME=str(home))
    assert status == 0, written
    run = job.recorded()
    assert run["finished"] and run["successful"]
    assert [task["task"] for task in run["tasks"]] == [
        "start", *(f"score[{place}]" for place in range(CHUNKS)), "check", "end",
    ]  # fmt: skip
    scored = [task["left"]["scored"] for task in run["tasks"] if task["step"] == "score"]
    assert [counts["read"] for counts in scored] == [40, 20, 40, 20]
    assert run["tasks"][-1]["left"]["sentence"].startswith("Fresh: 120 cards") and freshness(job.store).fresh
    assert rows(job.folder / "readings.db") == rows_of_the_plain_job(job.inbox, MONTH, tmp_path / "plain.db")
    status, written = job.run("card", "get", f"{job.run_id}/check", "card.html", HOME=str(home))
    assert status == 0, written
    page = (job.folder / "card.html").read_text()
    assert "<html" in page and len(page) > 10_000
    assert list(home.iterdir()) == []
    until(
        lambda: not [process for process in psutil.process_iter() if of(process, tmp_path)],
        what="the end of its processes",
    )


def test_a_chunk_that_fails_for_good_is_caught_and_the_run_fails(job):
    job.refuse()
    status, written = job.score("run")
    assert status != 0
    failed = job.recorded()
    assert not failed["successful"] and [task["finished"] for task in failed["tasks"]] == [True] * 6 + [False]
    caught = {task["task"]: task["failure"] for task in failed["tasks"] if task["failure"]}
    assert list(caught) == ["score[1]"] and "no room for this row" in caught["score[1]"]
    assert [well for *_, well in failed["tasks"][2]["attempts"]] == [False] * 3
    verdict = freshness(job.store)
    assert not verdict.fresh and "100 of 120 cards" in verdict.sentence and "no room" in verdict.sentence
    origin = ["--origin-run-id", job.run_id]
    job.repair()
    # A caught task counts as done: plain `resume` tries the last step alone.
    status, written = job.score("resume", *origin)
    assert status != 0
    assert [task["cloned"] for task in job.recorded()["tasks"]] == [True] * 6 + [False]
    status, written = job.score("resume", "score", *origin)
    assert status == 0, written
    again = job.recorded()
    assert again["successful"] and [task["cloned"] for task in again["tasks"]] == [True] + [False] * 6
    scored = [task["left"]["scored"] for task in again["tasks"] if task["step"] == "score"]
    assert [counts["read"] for counts in scored] == [0, 20, 0, 0]
    assert freshness(job.store).fresh and job.store.counts(MONTH, "v2") == (CARDS, 0)


def test_a_run_that_is_killed_goes_on_with_resume(job):
    def kill(process, line):
        if "/score/" in line and "finished successfully" in line:
            for child in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
                with suppress(psutil.NoSuchProcess):
                    child.kill()

    status, _ = job.score("run", watch=kill)
    killed = job.recorded()
    assert status == -9 and not killed["finished"] and not killed["successful"]
    finished = {task["task"] for task in killed["tasks"] if task["finished"]}
    assert finished >= {"start"}
    verdict = freshness(job.store, at=now() + timedelta(minutes=5))
    assert not verdict.fresh and "partial" in verdict.sentence
    status, written = job.score("resume", "--origin-run-id", job.run_id)
    assert status == 0, written
    tasks = job.recorded()["tasks"]
    cloned = {task["task"] for task in tasks if task["cloned"]}
    # A task may be killed between its data and the word that it is done: the data decide.
    assert finished <= cloned and not {"check", "end"} & cloned
    assert job.store.runs(MONTH)[0]["read"] == CARDS and len(job.store.runs(MONTH)) == 1
    assert job.store.counts(MONTH, "v2") == (CARDS, 0) and freshness(job.store).fresh


def test_a_month_without_cards_fails_with_the_reason(job):
    status, written = job.score("run", MONTH="2026-09")
    assert status != 0 and "there are no cards of 2026-09" in written
    (start,) = job.recorded()["tasks"]
    assert [well for *_, well in start["attempts"]] == [False] * 3


def test_the_schedule_needs_a_scheduler_and_says_so(job):
    status, written = job.run("argo-workflows", "create", "--only-json")
    assert status != 0 and "requires --datastore=s3" in written


def of(process: psutil.Process, folder: Path) -> bool:
    with suppress(psutil.Error):
        return process.cwd() == str(folder)
    return False
