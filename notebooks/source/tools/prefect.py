# %% [markdown]
# # Prefect: a workflow is a Python function
#
# **Minutes:** 25 · **Prerequisites:** [Batch prediction](../02_batch.ipynb) · **Truth:** runs
#
# ## The need
#
# The month's cards are scored at night, by a command that somebody starts. It must start by itself, try again
# when the database stumbles, and show in the morning what happened, to people who do not read log files.
#
# ## You will learn
#
# - how a Python function becomes a flow, and its steps become tasks with retries
# - who does what: the server keeps the record and the schedule, another process runs
# - how to read a run's record: states, attempts, a picture
# - what Prefect says of a night that fails, and which failures it does not see
# - what it costs, and when to choose it

# %% [markdown]
# ## Where the model sits
#
# In the process of the flow run. The server never sees a card: it is told the state of every task, and it
# says when to start. `serve` is a small process that asks it every few seconds whether there is something to
# do.
#
# ```mermaid
# flowchart LR
#     server["Prefect server<br/>record, schedule, page"]
#     serve["serve"] -- "anything to do?" --> server
#     serve -- "starts" --> run
#     run -- "states" --> server
#     subgraph run ["Process of a flow run"]
#         find --> score1["score"] & score2["score"] & score3["score"] --> check
#     end
#     inbox[("Inbox")] --> run
#     run --> store[("Table of<br/>predictions")]
#     style run fill:#fff,stroke:#d55e00
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# Prefect needs older versions of two packages than the core has, so it lives in an environment of its own.
# There is no torch in it: the model is an ONNX file.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
station_python = ensure("prefect")
station = stations.station("prefect")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## The job as a flow
#
# The whole workflow is `infra/batch/prefect/flow.py`. Three functions are tasks and one is the flow that
# calls them. What depends on what is nowhere declared: Prefect sees it in the values that are passed.
# `score.map` makes one task run for each chunk, and `allow_failure` lets `check` run when some of them
# failed.

# %%
from IPython.display import Code

flow = station.folder / "flow.py"
program = flow.read_text()
Code(program[program.index("NIGHTLY =") : program.index("if __name__")], language="python")

# %% [markdown]
# Tasks pass names of pictures and counts, not pictures: what they pass must fit into the memory of one
# process. Now an inbox with four months. To save time few cards are drawn; the other customers get copies.

# %%
import tempfile
from pathlib import Path

from fsdl_deploy import Customers
from fsdl_deploy.batch.inbox import fill
from fsdl_deploy.batch.store import Store

workplace = tempfile.TemporaryDirectory()  # removed when the kernel ends
folder = Path(workplace.name).resolve()
store = Store(folder / "readings.db")
customers, chunk = Customers(300 if FAST else 12_000), 75 if FAST else 500
for month in ("2026-07", "2026-08", "2026-09", "2026-10"):
    fill(folder / "inbox", customers, month, different=30)

# %% [markdown]
# ## The server
#
# One process with a database of its own (SQLite, unless told otherwise), an API and a page. `local.env` turns
# off everything that would be reported to its makers; `PREFECT_HOME` is where it writes.

# %%
import time

from fsdl_deploy import Server

settings = stations.settings(station.folder / "local.env")
settings["PREFECT_API_URL"] = "http://127.0.0.1:{port}/api"
settings["PREFECT_HOME"] = folder / "prefect"
settings["PREFECT_SERVER_UI_STATIC_DIRECTORY"] = folder / "page"
options = ["--host", "127.0.0.1", "--port", "{port}"]
command = [station_python, "-m", "prefect", "server", "start", *options]
started = time.perf_counter()
server = Server(command, ready="/api/ready", env=settings, cwd=folder, timeout=400).start()
seconds = {"server: from start to ready": time.perf_counter() - started}
print(f"ready after {seconds['server: from start to ready']:.1f} s, {server.memory() / 2**20:.0f} MiB")

# %% [markdown]
# ## One run
#
# A flow is a function, so the smallest use is to run the file. `PREFECT_API_URL` names the server that is to
# know about it. The last line is what the flow returns.

# %% tags=["nbval-check-output"]
import os
import subprocess

settings["PREFECT_API_URL"] = f"{server.url}/api"
settings |= {"INBOX": folder / "inbox", "STORE": store.url, "CHUNK": chunk, "RETRY_WAITS": "1 2"}
environ = os.environ | {name: str(value) for name, value in settings.items()}


started = time.perf_counter()
result = subprocess.run(
    [station_python, flow], env=environ | {"MONTH": "2026-07"}, text=True, check=True, capture_output=True
)
seconds["flow: the whole command"] = time.perf_counter() - started
print(result.stdout.partition(";")[0])

# %% [markdown]
# Whatever the page can do, a program can: both use the same API.

# %%
from threading import Event

import httpx2

client = httpx2.Client(timeout=60)  # one for all questions: a new one each time costs more than to ask


def ask(path, body=None):
    """What the API answers: to a question with a body (POST), or without one (GET)."""
    url = f"{server.url}/api/{path}"
    for _ in range(50):
        answer = client.get(url) if body is None else client.post(url, json=body)
        if answer.status_code != 503:
            break
        Event().wait(0.2)  # its SQLite was busy: Prefect's own client asks again too
    return answer.raise_for_status().json()


# %% [markdown]
# The record of tasks is written a moment after the fact, so we look until it is complete.


# %%
def wait_for(look, enough, limit=240):
    """Look until what is seen is enough; return it."""
    deadline = time.monotonic() + limit
    while not enough(latest := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {limit} s there is still only {latest}")
        Event().wait(0.2)
    return latest


# %% [markdown]
# The task runs of a flow run, each with its states one after the other.

# %%
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def recorded(run):
    """{name: states} of the task runs of a flow run, once all of them have ended, `check` as the last."""
    chosen = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    tasks = wait_for(
        lambda: {task["name"]: task for task in ask("task_runs/filter", chosen)},
        lambda tasks: "check" in tasks and all(task["state_type"] in ENDED for task in tasks.values()),
    )
    return {
        name: sorted(ask(f"task_run_states/?task_run_id={tasks[name]['id']}"), key=lambda s: s["timestamp"])
        for name in ["find", *sorted(name for name in tasks if name.startswith("score")), "check"]
    }


# %% [markdown]
# What the server knows of our run: which tasks there were, and what became of each.

# %% tags=["nbval-check-output"]
from fsdl_deploy.measuring.table import Table

july = ask("flow_runs/filter", {})[0]
rows = [[name, " → ".join(state["name"] for state in states)] for name, states in recorded(july).items()]
Table(["task run", "its states"], *rows, notes=[f"flow: {july['state_name']}"])

# %% [markdown]
# ## Retries
#
# Now the database stumbles: a trigger refuses one customer's row. `score` may be tried twice more, here after
# one and twenty seconds. As soon as Prefect says that it waits for the first retry, the trigger is removed.

# %%
import sqlite3
from contextlib import closing


def database(command):
    with closing(sqlite3.connect(folder / "readings.db")) as connection:
        connection.execute(command)


REFUSE = """CREATE TRIGGER refuse BEFORE INSERT ON predictions WHEN new.customer = 'C0000123'
            BEGIN SELECT RAISE(ABORT, 'no room for this row'); END"""
AWAITED = {"task_runs": {"state": {"name": {"any_": ["AwaitingRetry"]}}}}
silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
other = {"MONTH": "2026-08", "RETRY_WAITS": "1 20"}
database(REFUSE)
with subprocess.Popen([station_python, flow], env=environ | other, **silent):
    wait_for(lambda: ask("task_runs/filter", AWAITED), len)
    database("DROP TRIGGER refuse")

# %% [markdown]
# The record has every state. One task was tried again, the others were not, and the run succeeded.

# %% tags=["nbval-check-output"]
august = ask("flow_runs/filter", {"sort": "START_TIME_DESC"})[0]
august_tasks = recorded(august)
rows = []
for name, states in august_tasks.items():
    tried_again = any(state["name"] == "AwaitingRetry" for state in states)
    rows.append([name, states[-1]["name"], "yes" if tried_again else ""])
measured = {"tried_again": sum(again == "yes" for *_, again in rows), "ended": august["state_name"]}
Table(["task run", "last state", "tried again"], *rows, notes=[f"flow: {august['state_name']}"])

# %% [markdown]
# ## A picture of the run
#
# From these states we draw what the server's page draws: who worked when, and who waited for a retry.

# %%
from datetime import datetime

import matplotlib.pyplot as plt

PURPLE, LIGHT = figures.PALETTE[3], "#cccccc"
COLORS = {"Running": figures.PALETTE[0], "AwaitingRetry": LIGHT, "Retrying": PURPLE}
ENDS = {"Completed": ("o", figures.PALETTE[2]), "Failed": ("X", figures.PALETTE[1])}


def pieces(run, states):
    """(state, seconds since the run began, seconds it took) for each state of a task."""
    moments = [datetime.fromisoformat(state["timestamp"]) for state in states]
    begun = datetime.fromisoformat(run["start_time"])
    ends = [*moments[1:], moments[-1]]
    for state, moment, end in zip(states, moments, ends):
        yield state["name"], (moment - begun).total_seconds(), (end - moment).total_seconds()


# %% [markdown]
# Blue is work, grey is waiting, purple is another try; the mark at the end is the task's last state.


# %%
def draw(run, tasks, alt):
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.32 * len(tasks)))
    for name, states in tasks.items():
        for state, begin, took in pieces(run, states):
            if state in COLORS:
                axes.barh(name, took, left=begin, color=COLORS[state], height=0.6)
            elif state in ENDS:
                axes.plot([begin], [name], marker=ENDS[state][0], color=ENDS[state][1], markersize=9)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set(xlim=(0, None), xlabel="time since the run began (s)", ylabel="task run")
    figures.show(figure, alt=alt)


draw(august, august_tasks, "find, then score tasks two at a time; the second waits and is tried again")

# %% [markdown]
# The page of the same run. Everything on it comes from our server; the graph needs a browser with WebGL. Move
# it with the mouse; look at *Task Runs* and *Logs*.

# %%
from IPython.display import IFrame

IFrame(f"{server.url}/runs/flow-run/{august['id']}", width="100%", height=720)

# %% [markdown]
# ## The schedule
#
# `flow.py serve` tells the server that the flow can be had, and at which times: a *deployment*. Then it
# waits. From the cron line the server makes the next runs and keeps them in its record, as runs that have not
# started.

# %%
SCHEDULED = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "sort": "EXPECTED_START_TIME_ASC"}
serving = settings | {"PREFECT_RUNNER_SERVER_PORT": "{port}"}  # of a small page that stays turned off
command = [station_python, flow, "serve"]
started = time.perf_counter()
nightly = Server(command, lambda _: ask("flow_runs/filter", SCHEDULED), env=serving, cwd=folder, timeout=400)
nightly.start()
seconds["serve: from start to ready"] = time.perf_counter() - started
for run in ask("flow_runs/filter", SCHEDULED)[:3]:
    print(run["state_name"], "for", run["expected_start_time"])

# %% [markdown]
# The times are UTC; `serve` takes a time zone too. At each of them `serve` starts a process for the run. The
# same happens when somebody presses *Run* on the page, or a program asks for it, with other parameters.

# %%
deployment = ask("deployments/name/batch/nightly")


def request(month):
    body = {"parameters": {**deployment["parameters"], "month": month}, "state": {"type": "SCHEDULED"}}
    return ask(f"deployments/{deployment['id']}/create_flow_run", body)


def end_of(run):
    return wait_for(lambda: ask(f"flow_runs/{run['id']}"), lambda latest: latest["state_type"] in ENDED)


# %% [markdown]
# ## A night that fails
#
# In September there is a trigger again, and it stays. The task uses up its attempts, and fails. The other
# chunks are stored all the same, and `check` still runs: it closes the run in the store, with the reason, and
# fails the flow.

# %% tags=["nbval-check-output"]
database(REFUSE)
september = end_of(request("2026-09"))
september_tasks = recorded(september)
rows = []
for name, states in september_tasks.items():
    attempts = sum(state["name"] in ("Running", "Retrying") for state in states)
    rows.append([name, states[-1]["name"], attempts])
Table(["task run", "last state", "attempts"], *rows, notes=[f"flow: {september['state_name']}"])

# %% [markdown]
# The picture shows it at a glance: three attempts, and a check that had to wait for them. It also shows that
# a task that waits keeps its thread: meanwhile the other chunks go on one at a time.

# %%
draw(
    september,
    september_tasks,
    "One score task is tried three times and fails, the others go on one by one; check fails",
)

# %% [markdown]
# What does the store say? `freshness` knows nothing of Prefect. It judges the table, and finds the same
# cause.

# %% tags=["nbval-check-output"]
from fsdl_deploy.batch.freshness import freshness

verdict = freshness(store)
print("fresh:", verdict.fresh)
print(verdict.sentence.replace(str(folder), "…"))

# %% [markdown]
# The database is repaired, and the month is asked for again. Prefect runs all tasks; the store knows what is
# done, so that only the missing chunk is read. The counts are those of the two runs in the store.

# %% tags=["nbval-check-output"]
database("DROP TRIGGER refuse")
again = end_of(request("2026-09"))
print("flow:", again["state_name"])
for run in reversed(store.runs("2026-09")):
    print(f"read {run['read']},", "finished" if run["finished"] else "did not finish")
print(freshness(store).sentence.partition(";")[0])

# %% [markdown]
# ## What it costs
#
# The same month without Prefect: `Batch.score()` with the same chunks, model and kind of store, in this
# process.

# %%
from fsdl_deploy import open_reader
from fsdl_deploy.batch.job import Batch

with Batch(folder / "inbox", "2026-07", Store(folder / "plain.db"), open_reader(), chunk) as batch:
    started = time.perf_counter()
    batch.score(progress=False)
    seconds["plain: Batch.score()"] = time.perf_counter() - started
seconds["flow: from first to last task"] = july["total_run_time"]
idle = [took for name, states in recorded(again).items() if name.startswith("score")
        for state, _, took in pieces(again, states) if state == "Running"]  # fmt: skip
seconds["a score task with nothing to read"] = sorted(idle)[len(idle) // 2]
rows = [[name, f"{took:.2f} s"] for name, took in seconds.items()]
for name, process in {"server": server, "serve": nightly}.items():
    rows.append([f"memory all day: {name}", f"{process.memory() / 2**20:.0f} MiB"])
Table(["what", "cost"], *rows)

# %% [markdown]
# Most of the whole command is Python loading Prefect, once a night. A task with nothing to read opens the
# model and the store, and tells the server: that is what each task costs beside its cards, however many they
# are. So chunks should not be small.
#
# ## The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured or from a
# record that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

measured["customers"] = customers.n
measured["read"] = sum(run["read"] for run in store.runs("2026-08"))
claims("02", measured, notebook="tools/prefect")

# %% [markdown]
# ## When it fails
#
# Prefect shows what is *told* to it. We kill `serve` with its flow run in the middle of October, as when the
# machine loses power. Then the next run is due.

# %%
import psutil

october = request("2026-10")
wait_for(lambda: ask(f"flow_runs/{october['id']}"), lambda run: run["state_name"] == "Running")
wait_for(lambda: store.runs("2026-10"), len)
serve = psutil.Process(nightly.pid)
serve.suspend()  # else it would have a moment to report that its run has crashed
for process in serve.children(recursive=True):
    process.kill()
nightly.kill()
due = request("2026-10")

# %% [markdown]
# The killed run is "Running", and stays so: nobody is left to say otherwise. The run that is due becomes
# "Late", when the server looks for such runs. Both are only words on a page, unless somebody set up an
# *automation* that reacts to them.

# %% tags=["nbval-check-output"]
late = wait_for(lambda: ask(f"flow_runs/{due['id']}"), lambda run: run["state_name"] == "Late")
print("the killed run:", ask(f"flow_runs/{october['id']}")["state_name"])
print("the run that is due:", late["state_name"])

# %% [markdown]
# That is why a check of freshness must not live inside the workflow. Asked a few minutes later, from outside,
# it says what to do.

# %%
from datetime import timedelta

from fsdl_deploy.batch.store import now

print(freshness(store, at=now() + timedelta(minutes=5)).sentence)
client.close()
server.stop()

# %% [markdown]
# Started again, `serve` finds the late run and does it. Ended in an orderly way it would by default *pause*
# the schedule, so that no run is even late; `flow.py` turns that off.
#
# What is not measured here:
#
# - **One process.** `map` spreads over threads of one process, and `find` lists the whole month in memory.
#   For several machines Prefect hands tasks to Dask or Ray; for millions of cards prefer fewer, larger
#   chunks.
# - **No backfill.** A missed month is a run that somebody asks for, as we did. There are no partitions, and
#   no idea of data that is stale.
# - **Its server is a service.** It has a database that grows, no users or passwords by default, and versions
#   that are moved together with the flows.

# %% [markdown]
# ## Questions
#
# **Question:** It is half past two, and last night's run is "Late". Has the job failed? What do you look at
# first?
#
# <details><summary>Answer</summary>
# It has not even begun. "Late" means that its time has come and nobody has fetched it, so look whether serve
# is alive. Once it is started again, it finds the late run and does it.
# </details>
#
# **Question:** You set the waits before a retry to ten minutes and an hour, for a database that is often down
# for long. Two chunks fail. What happens to the chunks that have not been read yet?
#
# <details><summary>Answer</summary>
# They stand still. A task that waits keeps its thread, and the flow has two threads, so healthy chunks wait
# more than an hour for two bad ones. Keep the waits short and let a later run fetch the rest: the store knows
# what is missing.
# </details>
#
# **Question:** Suppose the whole month of September had been one chunk. What would the two runs have counted,
# and what does that say about the size of your chunks?
#
# <details><summary>Answer</summary>
# Nothing, and then the whole month: a chunk is stored whole or not at all, and one bad row spoils all of it.
# Chunks of a few cards would save more, but each task pays for its start. Choose the largest chunk that you
# can afford to read twice.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A flow is a function with decorators; retries are two words on a task; the graph follows from the values.
# - The server records and plans, `serve` runs. If `serve` is gone, nothing runs, and nothing is red.
# - The store makes repeats harmless; so "run it again" is the answer to every failure.
# - Choose Prefect for Python jobs that need retries, a schedule and a page soon. Choose Dagster when the
#   question is which data is stale.
#
# ## Where to go next
#
# - [Batch prediction](../02_batch.ipynb): the job itself, and the table over all workflow tools.
# - [Dagster](dagster.ipynb): the same job, told as the data that should exist.
