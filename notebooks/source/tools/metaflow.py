# %% [markdown]
# # Metaflow: every step leaves its data
#
# **Minutes:** 20 · **Prerequisites:** [Batch prediction](../02_batch.ipynb) · **Truth:** runs
#
# ## The need
#
# A customer disputes the bill of two months ago. Which run read the card, what did it find, and what went
# wrong that night? The data scientist who is asked has a laptop and no server to log in to.
#
# ## You will learn
#
# - how a class with steps becomes a flow, and `foreach` spreads a step over chunks
# - what `@retry` and `@catch` do with a step that fails, and what they do not
# - how every run keeps its data, and how `resume` goes on where a run ended
# - what `@schedule` needs before anything is scheduled
# - what it costs, and when to choose it

# %% [markdown]
# ## Where the model sits
#
# In a process of its own for every task. There is no server: the command `run` starts the tasks, each reads
# what the steps before it left, and leaves what it has in `self`. All of it stays in a folder, the
# *datastore*.
#
# ```mermaid
# flowchart LR
#     subgraph run ["python flow.py run"]
#         start --> score1["score 0"] & score2["score 1"] & score3["score …"] --> check --> stop["end"]
#     end
#     inbox[("Inbox")] --> run
#     run --> store[("Table of<br/>predictions")]
#     run -- "what each task left" --> datastore[("Datastore<br/>of Metaflow")]
#     datastore -- "resume" --> run
#     style run fill:#fff,stroke:#d55e00
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# Metaflow lives in an environment of its own, so that the core stays small. There is no torch in it: the
# model is an ONNX file.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
station_python = ensure("metaflow")
station = stations.station("metaflow")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## The job as a flow
#
# The whole workflow is `infra/batch/metaflow/flow.py`: a class, with a method for each step. `self.next` says
# what comes next; `foreach` makes one task for each chunk, and `check` gets all of them as `inputs`. A step
# imports what it needs itself: every process of the run reads this file, also those that only start others.

# %%
from IPython.display import Code

flow = station.folder / "flow.py"
program = flow.read_text()
Code(program[program.index("@schedule") : program.index("if __name__")], language="python")

# %% [markdown]
# Now an inbox with four months. To save time few cards are drawn; the other customers get copies.

# %%
import tempfile
from pathlib import Path

from fsdl_deploy import Customers
from fsdl_deploy.batch.inbox import fill
from fsdl_deploy.batch.store import Store

workplace = tempfile.TemporaryDirectory()  # removed when the kernel ends
folder = Path(workplace.name).resolve()
store = Store(folder / "readings.db")
customers, chunk = Customers(300 if FAST else 6_000), 100 if FAST else 500
for month in ("2026-07", "2026-08", "2026-09", "2026-10"):
    fill(folder / "inbox", customers, month, different=30)

# %% [markdown]
# ## One run
#
# A run is a command. Settings say where the datastore is (here a folder, in a company S3) and who runs: every
# run belongs to a user. Nothing is reported to anybody; that is how Metaflow comes.

# %%
import os
import subprocess

from fsdl_deploy.measuring.machine import whole_cores

settings = {"METAFLOW_USER": "course", "METAFLOW_DEFAULT_DATASTORE": "local"}
settings |= {"METAFLOW_DATASTORE_SYSROOT_LOCAL": folder / "datastore", "METAFLOW_HOME": folder / "settings"}
settings |= {"METAFLOW_CLIENT_CACHE_PATH": folder / "cache"}  # else in the system's temporary folder
settings |= {"INBOX": folder / "inbox", "STORE": store.url, "CHUNK": chunk}
environ = os.environ | {name: str(value) for name, value in settings.items()}
together = ["--max-workers", str(whole_cores()), "--run-id-file", "run-id"]


# %% [markdown]
# While it runs we watch how much memory all its processes take together.

# %% tags=["nbval-check-output"]
import time
from contextlib import suppress
from threading import Event

import psutil

seconds, memory, started = {}, [0], time.perf_counter()
silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
call = [station_python, flow, "run", *together]
with psutil.Popen(call, env=environ | {"MONTH": "2026-07"}, cwd=folder, **silent) as process:
    while process.poll() is None:
        with suppress(psutil.Error):  # a task may end while we look
            family = [process, *process.children(recursive=True)]
            memory.append(sum(member.memory_info().rss for member in family))
        Event().wait(0.2)
seconds["flow: the whole command"] = time.perf_counter() - started
print("exit status:", process.returncode)

# %% [markdown]
# ## The record
#
# Each run has a number. Metaflow's *client*, a Python library, answers what is known of it: tasks, attempts,
# and the values that were in `self`. It is in the station, so a small script there (`record.py`) asks it.

# %%
import json


def recorded():
    """What is on record of the last run."""
    run_id = (folder / "run-id").read_text()
    call = [station_python, station.folder / "record.py", run_id]
    result = subprocess.run(call, env=environ, cwd=folder, capture_output=True, text=True, check=True)
    return {"id": run_id} | json.loads(result.stdout)


# %% [markdown]
# What the tasks of July left. In two months the answer will be the same: nothing is overwritten, every run
# adds.

# %% tags=["nbval-check-output"]
from fsdl_deploy.measuring.table import Table

july = recorded()
left = [task["left"] for task in july["tasks"]]
results = [values.get("scored") or values.get("sentence", "").partition(";")[0] for values in left]
names = [task["task"] for task in july["tasks"]]
Table(["task", "what it left"], *zip(names, results), notes=[f"successful: {july['successful']}"])

# %% [markdown]
# ## A picture of the run
#
# Metaflow's own page is a service with a database. But the record has the times, so we draw them: grey is a
# process that starts Python and loads packages, blue is work; the mark is how the attempt ended.

# %%
import matplotlib.pyplot as plt


def draw(run, alt):
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.32 * len(run["tasks"])))
    for task in run["tasks"]:
        for *times, well in task["attempts"]:
            launched, started, ended = (moment - run["began"] for moment in times)
            lengths, colors = [started - launched, ended - started], ["#cccccc", figures.PALETTE[0]]
            axes.barh([task["task"]] * 2, lengths, left=[launched, started], color=colors, height=0.6)
            marker, color = ("o", figures.PALETTE[2]) if well else ("X", figures.PALETTE[1])
            axes.plot([ended], [task["task"]], marker=marker, color=color, markersize=9)
    axes.invert_yaxis()
    axes.set(xlim=(0, None), xlabel="time since the run began (s)", ylabel="task")
    figures.show(figure, alt=alt)


draw(july, "start, three score tasks, check, end; most of each is the start of its process")

# %% [markdown]
# The gap after `check` is one more process, which makes a card: see below. The other commands are run by a
# function that can watch what they write.


# %%
def command(*words, month="", watch=lambda process, line: None):
    """Run flow.py with these words, showing each line that it writes to ``watch``; its exit status."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    call = [station_python, flow, *words]
    with subprocess.Popen(call, env=environ | {"MONTH": month}, cwd=folder, **streams) as process:
        for line in process.stdout:
            watch(process, line)
    return process.returncode


# %% [markdown]
# ## The card
#
# A *card* is a page that a step leaves beside its data: `check` writes a sentence and a table. It is one HTML
# file. Opened as it is, it would fetch its letters from a host outside; one line at its top forbids that.

# %%
import html

from IPython.display import display

FORBID = (
    "<meta http-equiv='Content-Security-Policy' content=\"default-src 'unsafe-inline' 'unsafe-eval' data:\">"
)


def show_card(run):
    command("card", "get", f"{run['id']}/check", "card.html")
    page = html.escape((folder / "card.html").read_text().replace("<head>", f"<head>{FORBID}", 1))
    style = "width: 100%; height: 430px; border: 1px solid #999999"
    frame = f'<iframe title="the card of the step check" srcdoc="{page}" style="{style}"></iframe>'
    display({"text/html": frame, "text/plain": "the card of the step check"}, raw=True)


show_card(july)

# %% [markdown]
# ## Retries
#
# Now the database stumbles: a trigger refuses one customer's row. `@retry(times=2)` allows two more attempts.
# When the first has failed, the trigger is removed.

# %%
import sqlite3
from contextlib import closing


def database(change):
    with closing(sqlite3.connect(folder / "readings.db")) as connection:
        connection.execute(change)


def repair(process, line):
    if "Task failed." in line:
        database("DROP TRIGGER IF EXISTS refuse")


REFUSE = """CREATE TRIGGER refuse BEFORE INSERT ON predictions WHEN new.customer = 'C0000123'
            BEGIN SELECT RAISE(ABORT, 'no room for this row'); END"""
database(REFUSE)
status = command("run", *together, month="2026-08", watch=repair)

# %% [markdown]
# The record tells the two attempts apart. `minutes_between_retries` counts on the schedulers that Metaflow is
# deployed to; here, as the picture below shows, the next attempt comes at once.

# %% tags=["nbval-check-output"]
august = recorded()
print("exit status:", status)
Table(["task", "attempts"], *([task["task"], len(task["attempts"])] for task in august["tasks"]))

# %% [markdown]
# An attempt is a new process, which pays for its start again.

# %%
draw(august, "As July, but the second score task has an attempt that failed and one that went well")

# %% [markdown]
# ## The schedule
#
# `@schedule` stands at the top of the class, and `run` does nothing with it. It is a wish for a scheduler
# that the flow is *deployed* to: Argo Workflows on Kubernetes, AWS Step Functions, or Airflow. We try.


# %% tags=["nbval-check-output"]
def tell(process, line):
    if "requires" in line or "not supported" in line:
        print(line.strip())


status = command("argo-workflows", "create", "--only-json", watch=tell)
status = command("airflow", "create", "dag.py", watch=tell)

# %% [markdown]
# Both want the datastore in a cloud first, because the tasks will run on other machines. Then the same
# file runs there each night at two, unchanged. On one machine, without all that, cron starts `flow.py run`.

# %% [markdown]
# ## A night that fails
#
# In September the trigger stays. After three attempts `@catch` takes the exception, keeps it as
# `self.failure`, and lets the flow go on: the other chunks are stored, `check` closes the run with the
# reason, and `end` fails.

# %% tags=["nbval-check-output"]
database(REFUSE)
status = command("run", *together, month="2026-09")
september = recorded()
print("exit status:", status)
print("successful:", september["successful"])
rows = []
for task in september["tasks"]:
    rows.append([task["task"], len(task["attempts"]), (task["failure"] or "").replace(str(folder), "…")])
Table(["task", "attempts", "failure"], *rows)

# %% [markdown]
# What does the store say? `freshness` knows nothing of Metaflow. It judges the table, and finds the same
# cause.

# %% tags=["nbval-check-output"]
from fsdl_deploy.batch.freshness import freshness

verdict = freshness(store)
print("fresh:", verdict.fresh)
print(verdict.sentence.replace(str(folder), "…"))

# %% [markdown]
# The card says it too: it was made before the run failed.

# %%
show_card(september)

# %% [markdown]
# The database is repaired. `resume` makes a new run, takes over what was done, and does the rest. But what is
# "done"? The chunk was *caught*, so for Metaflow its task is done, and only `end` is tried again: in vain.

# %% tags=["nbval-check-output"]
database("DROP TRIGGER refuse")
status = command("resume", "--origin-run-id", september["id"], *together)
print("exit status:", status)
print("taken over:", *[task["task"] for task in recorded()["tasks"] if task["cloned"]])

# %% [markdown]
# So we say from which step on. All chunks are tried, and the store knows which are read: only one is new.

# %% tags=["nbval-check-output"]
status = command("resume", "score", "--origin-run-id", september["id"], *together)


def origins(run):
    """Of each task, whether it was taken over or ran."""
    rows = []
    for task in run["tasks"]:
        rows.append([task["task"], "taken over" if task["cloned"] else task["left"].get("scored", "ran")])
    return Table(["task", "what it did"], *rows)


print("exit status:", status)
print(freshness(store).sentence.partition(";")[0])
origins(recorded())

# %% [markdown]
# ## What it costs
#
# The same month without Metaflow: `Batch.score()` with the same chunks, model and kind of store, in this
# process.

# %%
from fsdl_deploy import open_reader
from fsdl_deploy.batch.job import Batch

with Batch(folder / "inbox", "2026-07", Store(folder / "plain.db"), open_reader(), chunk) as batch:
    started = time.perf_counter()
    batch.score(progress=False)
    seconds["plain: Batch.score()"] = time.perf_counter() - started
starting = sorted(begun - launched for task in july["tasks"] for launched, begun, *_ in task["attempts"])
seconds["start of a task's process"] = starting[len(starting) // 2]
kept_bytes = sum(file.stat().st_size for file in (folder / "datastore").rglob("*") if file.is_file())
rows = [[name, f"{took:.2f} s"] for name, took in seconds.items()]
rows += [["memory while it runs, at most", f"{max(memory) / 2**20:.0f} MiB"]]
rows += [["memory when nothing runs", "0 MiB"]]
rows += [["kept in the datastore, 5 runs", f"{kept_bytes / 2**20:.1f} MiB"]]
Table(["what", "cost"], *rows)

# %% [markdown]
# Every task pays for a process. With chunks that take a minute that is nothing, with ours it is most of the
# time. In return nothing has to run between two nights.
#
# ## When it fails
#
# The machine loses power in October: all processes are killed when the first chunk is done. The record has no
# word for that: the run is not finished, now and for ever, like one that still runs.


# %%
def kill(process, line):
    if "/score/" in line and "finished successfully" in line:
        for member in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            with suppress(psutil.NoSuchProcess):
                member.kill()


status = command("run", *together, month="2026-10", watch=kill)
october = recorded()
print("exit status:", status, "finished:", october["finished"])
print("done:", *[task["task"] for task in october["tasks"] if task["finished"]])

# %% [markdown]
# Nobody is told, and nobody starts it again: that needs a scheduler, and freshness. Asked a few minutes
# later:

# %%
from datetime import timedelta

from fsdl_deploy.batch.store import now

print(freshness(store, at=now() + timedelta(minutes=5)).sentence)

# %% [markdown]
# This is where `resume` shines: what was done is taken over with its data, and the other chunks are read.

# %%
status = command("resume", "--origin-run-id", october["id"], *together)
origins(recorded())

# %% [markdown]
# And the month is whole.

# %% tags=["nbval-check-output"]
print("exit status:", status)
print(freshness(store).sentence.partition(";")[0])

# %% [markdown]
# What is not measured here:
#
# - **Alone it schedules nothing and tells nobody.** It needs a scheduler and a datastore in a cloud; then
#   `@batch` or `@kubernetes` moves a step to a larger machine with one more line.
# - **No idea of stale data.** A run knows its inputs, but nobody compares them with today's inbox.
# - **Backfill is a loop** of yours over months.
# - **The datastore grows.** Nothing is overwritten, and nothing removes old runs.
# - **Its card server listens on every interface** of the machine, which is why the card is shown from its
#   file.

# %% [markdown]
# ## Questions
#
# **Question:** A colleague removes the test in `end`, since `@catch` handles the errors already. What does
# the next bad night look like?
#
# <details><summary>Answer</summary>
# Like a good one: exit status 0 and a successful run, although a chunk is missing. <code>@catch</code> keeps
# the exception, and the flow goes on. In September only <code>end</code>, which goes by the verdict of
# freshness, made the run fail.
# </details>
#
# **Question:** The machine stopped in the middle of a night, and in the morning you release a new model.
# `resume`, or a new run?
#
# <details><summary>Answer</summary>
# A new run. <code>resume</code> takes over the finished chunks with what they left, as after the power cut in
# October, so two models would have read one month. In a new run every chunk asks the store, which keeps a
# reading for each month, customer and model version. So the new model reads all cards.
# </details>
#
# **Question:** Your flow has ten thousand chunks, each with two seconds of work. What do you change first?
#
# <details><summary>Answer</summary>
# The size of the chunks. Each task starts a process, and so does each new attempt: compare grey and blue in
# <em>A picture of the run</em>. Larger chunks pay that less often. In return more cards are read again when a
# chunk fails, because a chunk is stored as a whole.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A flow is a class; what a step leaves in `self` is kept with the run, for good.
# - `@retry` for what passes by itself, `@catch` for what must not stop the rest; a caught task counts as
#   done.
# - `resume` goes on where a run ended, `resume STEP` from a step on. The store makes both harmless.
# - `@schedule` is a wish until the flow is deployed to a scheduler.
# - Choose Metaflow when data scientists own the job from a notebook to a cloud, and ask of old runs. Choose
#   [Prefect](prefect.ipynb) when the job must be scheduled and seen today, on one machine.
#
# ## Where to go next
#
# - [Batch prediction](../02_batch.ipynb): the job itself, and the table over all workflow tools.
# - [Prefect](prefect.ipynb): the same job with a server, a schedule and a page.
