"""The batch job in Prefect, run by the station's own interpreter: its record, and what is in the store."""

import os
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

import httpx2
import pytest
from plain_job import rows, rows_of_the_plain_job
from refusing import Refusing
from sockets import listening

from fsdl_course.setup.stations import ensure
from fsdl_deploy.batch.freshness import freshness
from fsdl_deploy.batch.store import Store
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server

pytestmark = [pytest.mark.timeout(900), pytest.mark.thorough]
FOLDER = ROOT / "infra" / "batch" / "prefect"
MONTH, CARDS, CHUNKS = "2026-10", 120, 6
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class Prefect:
    """A server with a home of its own, what its API says, and the settings of those who talk to it."""

    def __init__(self, folder: Path):
        self.python, self.folder = ensure("prefect"), folder
        self.settings = stations.settings(FOLDER / "local.env") | {"PREFECT_HOME": str(folder / "home")}
        page = {"PREFECT_SERVER_UI_STATIC_DIRECTORY": str(folder / "page")}
        url = {"PREFECT_API_URL": "http://127.0.0.1:{port}/api"}
        options = ["--host", "127.0.0.1", "--port", "{port}"]
        command = [self.python, "-m", "prefect", "server", "start", *options]
        env = self.settings | page | url
        self.server = Server(command, ready="/api/ready", env=env, cwd=folder, timeout=400)

    def ask(self, path: str, body: dict | None = None):
        url = f"{self.server.url}/api/{path}"
        for _ in range(100):
            answer = httpx2.get(url, timeout=60) if body is None else httpx2.post(url, json=body, timeout=60)
            if answer.status_code != 503:  # its SQLite was busy
                break
            time.sleep(0.1)
        return answer.raise_for_status().json()

    def wait_for(self, look, enough, limit: float = 300):
        deadline = time.monotonic() + limit
        while not enough(seen := look()):
            assert time.monotonic() < deadline, f"still only {seen}"
            time.sleep(0.1)
        return seen

    def runs(self) -> list[dict]:
        """The flow runs that are not planned for later, newest first."""
        chosen = {"flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED"]}}}}
        return self.ask("flow_runs/filter", chosen | {"sort": "START_TIME_DESC"})

    def end_of(self, run: dict) -> dict:
        return self.wait_for(
            lambda: self.ask(f"flow_runs/{run['id']}"), lambda seen: seen["state_type"] in ENDED
        )

    def recorded(self, run: dict) -> dict[str, list[str]]:
        """{task: its states} of a flow run, once all are on record."""
        chosen = {"flow_runs": {"id": {"any_": [run["id"]]}}}
        tasks = self.wait_for(
            lambda: self.ask("task_runs/filter", chosen),
            lambda seen: (
                "check" in {task["name"] for task in seen}
                and all(task["state_type"] in ENDED for task in seen)
            ),
        )
        states = {task["name"]: self.ask(f"task_run_states/?task_run_id={task['id']}") for task in tasks}
        return {
            name: [state["name"] for state in sorted(several, key=lambda state: state["timestamp"])]
            for name, several in states.items()
        }


class Job(Refusing):
    """An inbox and a store of its own, and the command that scores it."""

    victim = "C0000025"  # in the second chunk

    def __init__(self, prefect: Prefect, folder: Path, inbox: Path):
        self.prefect, self.folder, self.inbox = prefect, folder, folder / "inbox"
        shutil.copytree(inbox, self.inbox)
        self.store = Store(folder / "readings.db")
        self.settings = prefect.settings | {
            "PREFECT_API_URL": f"{prefect.server.url}/api", "INBOX": str(self.inbox), "MONTH": MONTH,
            "STORE": self.store.url, "CHUNK": "20", "RETRY_WAITS": "0 0",
        }  # fmt: skip

    def start(self, **settings: str) -> subprocess.Popen:
        return subprocess.Popen(
            [self.prefect.python, FOLDER / "flow.py"],
            cwd=self.folder,
            env=os.environ | self.settings | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, **settings: str) -> tuple[int, str]:
        """Score the month; the exit status, and all that was written."""
        process = self.start(**settings)
        written, _ = process.communicate(timeout=400)
        return process.returncode, written


@pytest.fixture(scope="module")
def prefect(tmp_path_factory):
    prefect = Prefect(tmp_path_factory.mktemp("prefect"))
    with prefect.server:
        yield prefect


@pytest.fixture
def job(prefect, tmp_path, month_of_cards):
    return Job(prefect, tmp_path, month_of_cards)


def test_every_card_is_stored_once_as_the_plain_job_reads_it(prefect, job, tmp_path, browser):
    status, written = job.run()
    assert status == 0, written
    run = prefect.runs()[0]
    assert run["state_name"] == "Completed" and run["flow_id"]
    states = prefect.recorded(run)
    assert len(states) == CHUNKS + 2 and set(map(tuple, states.values())) == {
        ("Pending", "Running", "Completed")
    }
    assert freshness(job.store).fresh
    assert rows(job.folder / "readings.db") == rows_of_the_plain_job(job.inbox, MONTH, tmp_path / "plain.db")
    look_at_the_page(prefect, run, browser)


def look_at_the_page(prefect, run, browser):
    """The page of a run shows it, and asks nobody but its server for anything."""
    page, outside = browser.new_page(), []
    page.route("**/*", lambda route: route.continue_() if mine(route.request.url) else route.abort())
    page.on("request", lambda request: None if mine(request.url) else outside.append(request.url))

    def mine(url: str) -> bool:
        return url.startswith((prefect.server.url, "data:", "blob:"))

    page.goto(f"{prefect.server.url}/runs/flow-run/{run['id']}", timeout=120_000)
    page.get_by_text("8 Task runs").wait_for(timeout=120_000)
    page.get_by_text("Completed").first.wait_for(timeout=120_000)
    page.close()
    assert outside == []


def test_a_task_that_fails_for_good_leaves_a_failed_run_and_the_rest_is_stored(prefect, job):
    job.refuse()
    status, written = job.run()
    assert status != 0 and "no room for this row" in written
    run = prefect.runs()[0]
    assert run["state_name"] == "Failed"
    states = prefect.recorded(run)
    assert Counter(several[-1] for several in states.values()) == {"Completed": CHUNKS, "Failed": 2}
    assert states["score C0000/C0000020.jpg"].count("Retrying") == 2 and states["check"][-1] == "Failed"
    verdict = freshness(job.store)
    assert not verdict.fresh and "100 of 120 cards" in verdict.sentence and "no room" in verdict.sentence
    job.repair()
    status, written = job.run()
    assert status == 0, written
    assert prefect.runs()[0]["state_name"] == "Completed" and freshness(job.store).fresh
    assert [run["read"] for run in job.store.runs(MONTH)] == [20, 100]


def test_a_month_without_cards_fails_with_the_reason(prefect, job):
    status, written = job.run(MONTH="2026-09")
    assert status != 0 and "there are no cards of 2026-09" in written
    assert prefect.runs()[0]["state_name"] == "Failed"


def test_the_schedule_and_a_run_that_is_late(prefect, job):
    """Nobody serves: the run becomes late. Somebody serves again: it is done."""
    planned = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "sort": "EXPECTED_START_TIME_ASC"}
    command = [prefect.python, FOLDER / "flow.py", "serve"]
    env = job.settings | {"PREFECT_RUNNER_SERVER_PORT": "{port}"}
    serve = Server(command, lambda _: prefect.ask("flow_runs/filter", planned), env=env, timeout=400)
    with serve:
        times = [run["expected_start_time"] for run in prefect.ask("flow_runs/filter", planned)]
        assert len(times) >= 3 and all(time.endswith("T02:00:00Z") for time in times)
        assert listening(serve.pid) <= {"127.0.0.1"}
    deployment = prefect.ask("deployments/name/batch/nightly")
    assert not deployment["paused"]  # an orderly end is no reason to stop planning
    due = prefect.ask(f"deployments/{deployment['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})
    prefect.wait_for(lambda: prefect.ask(f"flow_runs/{due['id']}"), lambda run: run["state_name"] == "Late")
    with serve:
        assert prefect.end_of(due)["state_name"] == "Completed"
    assert freshness(job.store).fresh and job.store.counts(MONTH, "v2") == (CARDS, 0)


def test_the_server_listens_on_loopback_alone(prefect):
    assert listening(prefect.server.pid) <= {"127.0.0.1"}
