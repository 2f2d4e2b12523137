# %% [markdown]
# # Airflow: the batch job as a schedule of tasks
#
# **Minutes:** 25 · **Prerequisites:** [Batch prediction](../02_batch.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility already runs two hundred nightly jobs in Airflow, with people who are woken when one is red. The
# reading of cards should be the next one, not a job of its own kind.
#
# ## You will learn
#
# - which processes an Airflow is made of, and what they cost all night
# - how the batch job becomes a DAG whose width is known only when it runs
# - what a scheduled run is, and what Airflow does about a night that was missed
# - how a task is tried again, what a failed night leaves behind, and how it is cleared
# - when to choose it, and when not

# %% [markdown]
# ## Where the model sits
#
# In the tasks. The scheduler decides what is due and hands it to workers; the workers ask the server for
# everything they need, and the state of each task stands in one database, the *metadata database*.
#
# ```mermaid
# flowchart LR
#     files[DAG files] --> parser[DAG processor] --> metadata[(Metadata)]
#     metadata <--> scheduler[Scheduler] --> worker[Worker: a task, with the model]
#     worker <--> api[Server: API and page] <--> metadata
#     worker --> store[(Store of readings)]
# ```
#
# Airflow runs on Linux and macOS. On Windows it needs WSL, and this notebook stops at its first cells. It
# takes longer than the other notebooks, more than a minute on two cores: most of that is the start of
# processes, and a later cell measures it.
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# Airflow needs more than a hundred packages in versions of its own choice, so it lives in an environment of
# its own, a *station*. There is no torch in it: the model is an ONNX file.

# %%
import sys

from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

if sys.platform == "win32":
    raise SystemExit("Airflow does not run on Windows: open the course in WSL")
figures.use()
station_python = ensure("airflow")
station = stations.station("airflow")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## The job as a DAG
#
# The whole workflow is one file, `infra/batch/airflow/dag.py`. A function with `@task` is a task. Calling it
# inside a `@dag` does not run it: it draws an edge. `expand` makes one task of `score` for each chunk, when
# the chunks are known; `retries` allows two more tries.

# %%
from IPython.display import Code

workflow = (station.folder / "dag.py").read_text()
Code(workflow[workflow.index("@task") :], language="python")

# %% [markdown]
# Which month a run scores follows from its *logical date*, the night it is for, not from the clock. So the
# inbox needs the month of last night, which the scheduler will ask for, and an old one.

# %%
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fsdl_deploy import Customers
from fsdl_deploy.batch.inbox import fill

workplace = tempfile.TemporaryDirectory()  # removed when the kernel ends
folder = Path(workplace.name).resolve()
inbox, store_file = folder / "inbox", folder / "readings.db"
customers, chunk = Customers(450 if FAST else 20_000), 150 if FAST else 500
last_night = datetime.now(UTC) - timedelta(hours=2)  # the last two o'clock is on this day
this_month, old_month = f"{last_night - timedelta(days=1):%Y-%m}", "2025-12"
for month in (this_month, old_month):
    fill(inbox, customers, month, different=60)

# %% [markdown]
# ## Three processes and a database
#
# First the metadata database is made: SQLite here, PostgreSQL in earnest. All of Airflow's settings come from
# `infra/batch/airflow/airflow.cfg` and the environment; examples and usage data are off.

# %%
import os
import secrets
import shutil
import subprocess
import time

home = folder / "airflow"
home.mkdir()
shutil.copy(station.folder / "airflow.cfg", home)
places = {"AIRFLOW_HOME": home, "AIRFLOW__CORE__DAGS_FOLDER": station.folder, "CHUNK": chunk}
places |= {"INBOX": inbox, "STORE": store_file, "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64)}
environ = os.environ | {name: str(place) for name, place in places.items()}
command = [station_python, "-m", "airflow", "db", "migrate"]
started = time.perf_counter()
subprocess.run(command, env=environ, cwd=folder, check=True, capture_output=True)
seconds = {"make the metadata database": time.perf_counter() - started}

# %% [markdown]
# Then scheduler, DAG processor and server start, side by side; the server says when all three are well. The
# scheduler would also serve the logs of tasks to other machines, which we turn off.

# %%
import httpx2

from fsdl_deploy import Server
from fsdl_deploy.running.ports import free_port

port = free_port()  # one for all: the workers must know where the server is
client = httpx2.Client(timeout=120)  # one for all questions: a new one each time costs more than to ask
places |= {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "http://127.0.0.1:{port}/execution/"}
places |= {"AIRFLOW__API__BASE_URL": "http://127.0.0.1:{port}"}


def server(*words, ready=lambda _: True):
    command = [station_python, "-m", "airflow", *words]
    return Server(command, ready, env=places, cwd=folder, port=port, timeout=400, grace=10).start()


def all_well(server):
    health = client.get(f"{server.url}/api/v2/monitor/health").json()
    return all(health[part]["status"] == "healthy" for part in ("scheduler", "dag_processor"))


# %% [markdown]
# These are the processes that must run all night. Each is one Python program with all of Airflow in it.

# %%
from fsdl_deploy.measuring.table import Table

started = time.perf_counter()
scheduler, processor = server("scheduler", "--skip-serve-logs"), server("dag-processor")
airflow = server("api-server", "--host", "127.0.0.1", "--port", "{port}", ready=all_well)
seconds["start three processes"] = time.perf_counter() - started
print(*(f"{what}: {value:.0f} s" for what, value in seconds.items()), sep="\n")
memory = [(part.command[3], part.memory() / 2**20) for part in (scheduler, processor, airflow)]
Table(["process", "memory (MiB)"], *memory, formats=["", ".0f"])

# %% [markdown]
# Everything that the page can do, a program can do through the API. These functions ask it, wait, and tell
# what became of a run, task by task.

# %%
from threading import Event

token = client.get(f"{airflow.url}/auth/token").json()["access_token"]
client.headers["Authorization"] = f"Bearer {token}"
client.base_url = f"{airflow.url}/api/v2"


def api(method, path, **body):
    return client.request(method, path, json=body or None).raise_for_status().json()


def until(question, patience=400):
    """Ask until the answer is not empty; return it."""
    deadline = time.monotonic() + patience
    while not (answer := question()) and time.monotonic() < deadline:
        Event().wait(0.5)
    return answer


# %% [markdown]
# A task of which there are several has a number, its *map index*.


# %%
def ended(run):
    """Wait until a run is over; return what stands in the record."""
    path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}"
    return until(lambda: (record := api("GET", path))["state"] in ("success", "failed") and record)


ORDER = ("month", "begin", "chunks", "score", "finish", "fresh")


def tasks_of(run):
    """The task instances of a run, in the order of the DAG."""
    path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
    instances = api("GET", path)["task_instances"]
    return sorted(instances, key=lambda task: (ORDER.index(task["task_id"]), task["map_index"]))


def name_of(task):
    return task["task_id"] if task["map_index"] < 0 else f"{task['task_id']} {task['map_index']}"


def table_of(tasks, run):
    rows = [[name_of(task), task["state"], task["try_number"]] for task in tasks]
    return Table(["task", "state", "try"], *rows, notes=[f"{run['run_type']} run: {run['state']}"])


# %% [markdown]
# ## The schedule, and last night
#
# The processor has found two DAGs in the file. A new DAG is paused. `batch` runs every night at two.

# %% tags=["nbval-check-output"]
dags = until(lambda: len(dags := api("GET", "/dags")["dags"]) == 2 and dags)
rows = [[dag["dag_id"], dag["timetable_summary"], str(dag["is_paused"])] for dag in dags]
Table(["DAG", "runs at", "paused"], *rows)

# %% [markdown]
# To have something to see, the store is damaged first: a trigger in its database refuses the row of the last
# customer, as long as the run has no error on record. So the first try fails, and the second does not.

# %%
import sqlite3
from contextlib import closing

from fsdl_deploy.batch.store import Store

store = Store(store_file)
last_customer = f"C{customers.n - 1:07d}"


def change_store(*statements):
    with closing(sqlite3.connect(store_file)) as database, database:
        for statement in statements:
            database.execute(statement)


damage = f"CREATE TRIGGER damage BEFORE INSERT ON predictions WHEN new.customer = '{last_customer}' AND "
refuse = " BEGIN SELECT RAISE(ABORT, 'a page of the file is damaged'); END"
change_store(damage + "(SELECT error FROM runs WHERE run = new.run) IS NULL" + refuse)

# %% [markdown]
# Now `batch` is switched on, and nobody starts anything. Because last night at two is past and was not run,
# the scheduler runs it now. With `catchup=True` in the DAG it would run *every* night since the start date.

# %% tags=["nbval-check-output"]
api("PATCH", "/dags/batch", is_paused=False)
night = ended(until(lambda: api("GET", "/dags/batch/dagRuns")["dag_runs"])[0])
table_of(tasks_of(night), night)

# %% [markdown]
# When it runs next is known too.

# %% tags=["nbval-check-output"]
print("next:", api("GET", "/dags/batch")["next_dagrun_run_after"])

# %% [markdown]
# The page shows the same as a grid: a column for each run, a square for each task. Nothing of it comes from
# the internet.

# %%
from IPython.display import IFrame

IFrame(f"{airflow.url}/dags/batch", width="100%", height=620)

# %% [markdown]
# ## A picture of the run, with its retry
#
# Every attempt has its times in the metadata database: when the task was due, when it started, when it ended.

# %%
import matplotlib.pyplot as plt


def clock(run, moment):
    return (datetime.fromisoformat(moment) - datetime.fromisoformat(run["start_date"])).total_seconds()


def attempts(run):
    """(name, state, due, start, end) of each attempt at a task, in seconds since the run started."""
    path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
    for task in tasks_of(run):
        for attempt in api("GET", f"{path}/{task['task_id']}/{task['map_index']}/tries")["task_instances"]:
            times = [attempt[key] for key in ("scheduled_when", "start_date", "end_date")]
            if all(times):  # what never became due has none
                yield name_of(task), attempt["state"], *(clock(run, moment) for moment in times)


# %% [markdown]
# Grey is waiting: for the scheduler to notice, for a free worker, for a process to start.


# %%
def draw(run, alt):
    """The attempts of a run's tasks over time; failed ones in vermilion, waiting in grey."""
    bars = list(attempts(run))[-30:]
    figure, axes = plt.subplots(figsize=(9, 0.8 + 0.34 * len({name for name, *_ in bars})))
    for name, state, due, start, end in bars:
        axes.barh(name, start - due, left=due, color="#cccccc")
        axes.barh(name, end - start, left=start, color=figures.PALETTE[2 if state == "success" else 1])
    axes.invert_yaxis()
    axes.set(xlabel="time since the run started (s)", ylabel="task")
    figures.show(figure, alt=alt)


draw(night, alt="Last night's tasks: two scores at a time; the last one fails, waits, and succeeds")

# %% [markdown]
# Why the first try failed stands in the log of that try.


# %% tags=["nbval-check-output"]
def errors(run, task, attempt):
    """What exceptions say, in the log of one attempt."""
    path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances/{task['task_id']}/logs/{attempt}"
    log = client.get(path, params={"map_index": task["map_index"]}, headers={"Accept": "application/json"})
    details = [line.get("error_detail") for line in log.raise_for_status().json()["content"]]
    return [exceptions[0]["exc_value"].replace(str(folder), "…") for exceptions in details if exceptions]


change_store("DROP TRIGGER damage")
unlucky = next(task for task in tasks_of(night) if task["try_number"] == 2)
for attempt in (1, 2):
    print(f"{name_of(unlucky)}, try {attempt}:", *errors(night, unlucky, attempt) or ["no error"])

# %% [markdown]
# ## When it fails
#
# The database is damaged for good, and an old month is scored again: a run for the night of 1 January 2026
# is triggered by hand. The chunk fails three times, and what depends on it is `upstream_failed`.

# %% tags=["nbval-check-output"]
change_store(damage + "1" + refuse)
january = ended(api("POST", "/dags/batch/dagRuns", logical_date="2026-01-01T02:00:00Z"))
table_of(tasks_of(january), january)

# %% [markdown]
# The store has the chunks before the failure, and the freshness check names the cause.

# %% tags=["nbval-check-output"]
from fsdl_deploy.batch.freshness import freshness

verdict = freshness(store)
print("fresh:", verdict.fresh)
print(verdict.sentence.replace(str(folder), "…"))

# %% [markdown]
# The database is mended. To run again what failed, one *clears* it: Airflow forgets the state of these tasks,
# finds that they are due, and runs them. What succeeded stays; the try goes on counting.

# %% tags=["nbval-check-output"]
change_store("DROP TRIGGER damage")
which = {"dag_run_id": january["dag_run_id"], "only_failed": True, "reset_dag_runs": True}
cleared = api("POST", "/dags/batch/clearTaskInstances", dry_run=False, **which)
print("cleared:", *sorted(name_of(task) for task in cleared["task_instances"]))
mended = ended(january)
print(freshness(store).sentence.partition(";")[0])
table_of(tasks_of(mended)[-3:], mended)

# %% [markdown]
# All four tries are in the picture. The gap is the time until somebody cleared it.

# %%
draw(january, alt="January: the last chunk fails three times, and succeeds after it has been cleared")

# %% [markdown]
# ### Silence
#
# Worse than a failed night is one that did not happen, because nothing is red. We make it so: the record of
# runs in the store becomes two days older. The DAG `look` holds only the check and is due in the morning.
# Switched on, it runs for this morning at once, and is red.

# %% tags=["nbval-check-output"]
columns = ("started", "heartbeat", "finished")
change_store("UPDATE runs SET " + ", ".join(f"{name} = datetime({name}, '-2 days')" for name in columns))
api("PATCH", "/dags/look", is_paused=False)
morning = ended(until(lambda: api("GET", "/dags/look/dagRuns")["dag_runs"])[0])
(check,) = tasks_of(morning)
print(name_of(check), morning["state"])
print(*errors(morning, check, 1))

# %% [markdown]
# ### What it costs
#
# As many cards with the plain job in this kernel; then a task that does almost nothing, January's `month`,
# from the moment it was due to its end. That is what Airflow adds to every task.

# %%
from fsdl_deploy import open_reader
from fsdl_deploy.batch.job import Batch

started = time.perf_counter()
with Batch(inbox, old_month, Store(folder / "plain.db"), open_reader(), chunk) as batch:
    batch.score(progress=False)
seconds["the plain job"] = time.perf_counter() - started
seconds["the run of last night"] = clock(night, night["end_date"])
empty = next(end - due for name, _, due, _, end in attempts(january) if name == "month")
seconds["one task that does nothing"] = empty
print(f"{empty:.1f} s for a task that does nothing; {len(tasks_of(night))} tasks in the run")

# %% [markdown]
# Where the time of this notebook goes: into processes that start.

# %%
figure, axes = plt.subplots(figsize=(8, 2.8))
axes.barh(list(seconds), list(seconds.values()), color=figures.PALETTE[: len(seconds)])
axes.invert_yaxis()
axes.set(xlabel="time (s)", ylabel="what")
figures.show(figure, alt="Making the database and starting Airflow take longer than the job it runs")

# %% [markdown]
# What tasks hand on goes through the metadata database. The list of pictures is written once by `chunks`:
# harmless for a thousand cards, and not for millions. There, hand on numbers of chunks, not names. Besides,
# one run has at most `max_map_length` tasks of a kind.

# %%
with closing(sqlite3.connect(home / "airflow.db")) as database:
    (stored,) = database.execute("SELECT sum(length(value)) FROM xcom WHERE task_id = 'chunks'").fetchone()
runs = len(api("GET", "/dags/batch/dagRuns")["dag_runs"])
a_card = stored / runs / customers.n
print(
    f"{a_card:.0f} bytes a card: {a_card * 1e6 / 2**20:.0f} MiB in the metadata database for a million cards"
)

# %% [markdown]
# The processes end with the kernel. This cell ends them now; leave it out to look around in the page.

# %%
for part in (airflow, processor, scheduler):
    part.stop()

# %% [markdown]
# What else it does badly:
#
# - **It knows tasks, not data.** The run of a month was a success; a card that arrives later changes nothing
#   in its record. Airflow has assets too, but as signals that start other DAGs, not as versions to compare.
# - **It is heavy to try.** Three programs and a database must run before the first task does.
# - **A task that does little costs much.** Make chunks of minutes, not of seconds.
# - **A scheduler that is down is silent.** When it comes back it runs the last night it missed, with
#   `catchup=True` all of them. Put one check outside of Airflow.

# %% [markdown]
# ## Questions
#
# **Question:** The machine with the scheduler is off for a whole weekend, and comes back on Monday. What runs
# then? For which weekend would cards stay unread?
#
# <details><summary>Answer</summary>
# Only the last night runs, because catchup is off. It scores its whole month and skips what is stored, so
# most weekends lose nothing. If a new month began in between, the last night belongs to the new month: nobody
# finishes the old one until you trigger a run for it by hand.
# </details>
#
# **Question:** A colleague wants one task for each card, so that a retry repeats one card and not a whole
# chunk. What do you answer?
#
# <details><summary>Answer</summary>
# A retry is rare, but every task pays for its start every night: compare the bar of the task that does
# nothing. A month of cards would be mostly waiting. Besides, one run may have only so many tasks of a kind.
# </details>
#
# **Question:** Imagine that your job adds each reading to a running total instead of storing it under month,
# customer and version. Which cells above would now be dangerous?
#
# <details><summary>Answer</summary>
# Those that run a task again: the retry and the clearing. Airflow repeats a task without knowing what the
# failed try had already done, so a try that added some cards and then died would add them twice. Here a chunk
# is stored whole or not at all, and what is stored is skipped.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A DAG says what to do and when; a run is for a moment, and can be run again for that moment.
# - Retries, times and logs of every try stand in one record, which page and API read.
# - Clearing runs again what failed, and only that; because the job is idempotent, clearing too much is safe.
# - Choose it when a company already runs it, with many jobs, teams and connectors. Do not start one for a
#   single nightly job.
#
# ## Where to go next
#
# - [The tour](../00_tour.ipynb) shows where batch prediction stands in the course.
