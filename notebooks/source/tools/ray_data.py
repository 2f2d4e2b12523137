# %% [markdown]
# # Ray Data: the batch job past one machine
#
# **Minutes:** 30 · **Prerequisites:** [Batch prediction](../02_batch.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility buys up its neighbours. One machine reads its cards before morning, but a hundred million cards
# would take it days, and there is one night. The work must spread over many machines, and a machine that dies
# in the middle must not cost the night.
#
# ## You will learn
#
# - how the same scoring function runs on a pool of processes, here and on a cluster of machines
# - what Ray costs before the first card is read, and at how many cards and machines it pays
# - what happens when a process is killed in the middle, and when one chunk always fails
# - what a hundred million cards cost, with every assumption in sight

# %% [markdown]
# ## Where the model sits
#
# In each scorer: a process on one core that opens the model once, then takes chunk after chunk. The driver
# only lists the cards and hands out chunks; the predictions go straight to the store.
#
# ```mermaid
# flowchart LR
#     inbox[(Inbox)] -->|names of cards| driver[Driver: score.py]
#     driver -->|chunk| one[Scorer: model]
#     driver -->|chunk| two[Scorer: model]
#     inbox -->|pictures| one & two
#     one & two -->|rows| store[(Store)]
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# Ray lives in an environment of its own. `infra/batch/ray` holds the job (`score.py`), a cluster on this
# machine (`local_cluster.py`) and the description of a cluster in a cloud (`cluster.yaml`).

# %%
from pathlib import Path

from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
station_python = ensure("ray")
station = stations.station("ray")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## The job
#
# This is all there is of Ray in it: a class, of which Ray makes one object in each process, and a line that
# lays the chunks over a pool of them. Each chunk is a task of its own, so it can be repeated on its own.
# `score_chunk` is the function that every other tool of the course calls too.

# %%
job = (station.folder / "score.py").read_text()
print(job[job.index("class Scorer") : job.index("def score(")])

# %% [markdown]
# The month's cards, a folder with one picture for each customer. Sixty are drawn; the other customers get one
# of those again, because drawing takes longer than reading.

# %%
import tempfile

from fsdl_deploy import Customers
from fsdl_deploy.batch.inbox import fill

MONTH = "2026-10"
workplace = tempfile.TemporaryDirectory(prefix="ray")  # removed when the kernel ends
folder = Path(workplace.name)


def make_inbox(cards):
    path = folder / f"inbox-{cards}"
    print(f"{fill(path, Customers(cards), MONTH, different=60):,} cards in {path.name}")
    return path


inbox = make_inbox(800 if FAST else 8000)

# %% [markdown]
# ## A cluster of one machine
#
# `local_cluster.py` starts the same programs that run on each machine of a real cluster, listening on this
# machine only, with all its files in our folder.

# %%
import time

from fsdl_deploy import Server

cluster = Server(
    [station_python, station.folder / "local_cluster.py", "--port", "{port}", "--folder", folder],
    ready=lambda _: (folder / "ray_current_cluster").exists(),
    name="Ray cluster",
    timeout=300,
)
started = time.perf_counter()
cluster.start()
seconds = time.perf_counter() - started
print(f"ready after {seconds:.1f} s, {cluster.memory() / 2**20:.0f} MiB before any work")

# %% [markdown]
# The job runs as a program. It finds the cluster by its address, so moving to a real cluster changes
# environment variables and no line of code. `local.env` holds what Ray must be told here, such as to report
# nothing to its makers.

# %%
import os
import subprocess

local_env = stations.settings(station.folder / "local.env")
local_env |= {"RAY_ADDRESS": cluster.url.removeprefix("http://"), "MONTH": MONTH}

# %% [markdown]
# Two helpers: one starts a program of the station, the other says what came of it.


# %%
def run_job(*command, **variables):
    """Start a program of the station; its messages go to job.log."""
    env = os.environ | local_env | {name: str(value) for name, value in variables.items()}
    streams = {"stdout": subprocess.PIPE, "stderr": (folder / "job.log").open("w")}
    return subprocess.Popen([station_python, *command], cwd=station.folder, env=env, text=True, **streams)


def outcome(job):
    """What the program said when it has ended, each line cut; the end of its messages if it failed."""
    output = job.communicate()[0]
    output += (folder / "job.log").read_text()[-1500:] if job.returncode else ""
    return "\n".join(line[:108] for line in output.splitlines())


# %% [markdown]
# Eight hundred cards in chunks of fifty. (Chunks of 500 are the job's own choice; small ones show more.)

# %%
(folder / "first").mkdir()
job_started = time.time()
job = run_job("score.py", INBOX=inbox, STORE=folder / "first.db", CHUNK=50, RECORD=folder / "first")
print(outcome(job))

# %% [markdown]
# Every card stands in the store once. The store's key sees to that, not Ray.

# %% tags=["nbval-check-output"]
from fsdl_deploy.batch.store import Store
from fsdl_deploy.reader import LATEST


def all_read(inbox, store):
    return Store(folder / store).counts(MONTH, LATEST) == (sum(1 for _ in inbox.rglob("*.jpg")), 0)


print("every card is read once:", all_read(inbox, "first.db"))

# %% [markdown]
# ## A picture of the run
#
# Ray records what each process does. We draw its record: when a scorer opened the model, and each chunk.

# %%
import json

import matplotlib.pyplot as plt


def recorded(name, since):
    """(process, start in s, length in s, what) of Ray's record; ``since`` leaves out earlier runs."""
    what = {"__init__": "open reader and store", "submit": "a chunk"}
    for event in json.loads((folder / name / "timeline.json").read_text()):
        if "Scorer" in event["cat"] and event["name"] in what and event["ts"] / 1e6 > since:
            yield event["tid"], event["ts"] / 1e6 - since, event["dur"] / 1e6, what[event["name"]]


# %% [markdown]
# A row for each process, a bar for each thing it did.

# %%
from operator import itemgetter


def draw(bars, axes):
    names = list(dict.fromkeys(name for name, *_ in sorted(bars, key=itemgetter(1))))
    for colour, kind in zip(figures.PALETTE, sorted(set(map(itemgetter(3), bars))), strict=False):
        rows, starts, lengths = zip(
            *[(names.index(name), start, length) for name, start, length, what in bars if what == kind],
            strict=True,
        )
        axes.barh(rows, lengths, left=starts, color=colour, edgecolor="white", label=kind)
    axes.set_yticks(range(len(names)), [f"process {row + 1}" for row in range(len(names))])
    axes.set(xlabel="time since the job was started (s)", ylabel="scorers", xlim=(0, None))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)


# %% [markdown]
# What stands left of the first chunk is the price of the start: Python, Ray and the pool's processes.

# %%
bars = list(recorded("first", job_started))
figure, axes = plt.subplots(figsize=(8, 2.4))
draw(bars, axes)
pool = len({name for name, *_ in bars})
figures.show(
    figure,
    alt=f"timeline of {pool} processes: each opens reader and store, then reads one chunk after the other",
)

# %% [markdown]
# Ray Data's own summary says the same in numbers.

# %%
stats = (folder / "first" / "stats.txt").read_text()
print(stats[stats.index("Operator 1") :].partition("* Operator throughput")[0])

# %% [markdown]
# ## What it costs
#
# The same cards, read by plain `Batch.score()` with a thread a core and by Ray Data with a process a core, in
# turn, over growing numbers of cards. Both run in the station's Python, each time into a new store.

# %%
measure_script = """
import json, os, sys, time
import score
from fsdl_deploy import open_reader
from fsdl_deploy.batch.job import Batch
from fsdl_deploy.batch.store import Store

def plain(inbox, month, store, chunk):
    with Batch(inbox, month, Store(store), open_reader(), chunk) as batch:
        batch.score(progress=False)

for number, inbox in enumerate(sys.argv[1:]):
    for name, job in {"plain": plain, "Ray Data": score.score}.items():
        started, store = time.time(), f"{inbox}-{number}-{name}.db"
        chunks = job(inbox, os.environ["MONTH"], store, int(os.environ["CHUNK"])) or []
        print(json.dumps([inbox, name, time.time() - started, chunks]), flush=True)
"""

# %% [markdown]
# The first, smallest pair is not counted: it waits for what Ray starts only once. Chunks are small here, so
# that a few hundred cards are enough to keep both cores at work.

# %%
sizes = [200, 1200] if FAST else [1000, 10_000, 40_000, 100_000]
chunk = 100 if FAST else 500
inboxes = {str(make_inbox(size)): size for size in sizes}
order = list(inboxes) * (1 if FAST else 3)
job = run_job("-c", measure_script, min(inboxes, key=inboxes.get), *order, CHUNK=chunk)
not_counted = [job.stdout.readline() for _ in range(2)]
print("warm" if all(not_counted) else outcome(job))

# %% [markdown]
# One round through the sizes.

# %%
measured = []


def measure(pairs):
    for _ in range(2 * pairs):
        path, name, seconds, chunks = json.loads(job.stdout.readline())
        measured.append((inboxes[path], name, seconds, chunks))
        rate = inboxes[path] / seconds
        print(f"{inboxes[path]:7,} cards  {name:8}  {seconds:6.1f} s  {rate:6,.0f} cards/s")


measure(len(sizes))

# %% [markdown]
# The long run goes through them twice more, because other work on the machine disturbs one measurement.

# %%
measure(len(order) - len(sizes))
print(outcome(job))

# %% [markdown]
# A straight line through the best time of each size: a fixed cost, and a cost for each card. (Each point
# counts by its relative error: a long run may be off by more.)

# %%
from itertools import pairwise

import numpy as np

from fsdl_deploy.measuring.table import Table

fits = {}
for name in ("plain", "Ray Data"):
    runs = [(cards, seconds) for cards, kind, seconds, _ in measured if kind == name]
    best = np.array([min(seconds for cards, seconds in runs if cards == size) for size in sizes])
    per_card, fixed = np.polyfit(sizes, best, 1, w=1 / best)
    fits[name] = max(0.0, fixed), per_card
rows = [[name, fixed, 1000 * per_card] for name, (fixed, per_card) in fits.items()]
Table(["", "fixed (s)", "then a card (ms)"], *rows, formats=["", ".1f", ".2f"])

# %% [markdown]
# And what Ray adds to each chunk: how long a scorer is idle between two of them. Longer chunks make it
# matter less, and cost more when one is lost.

# %%
waits, busy = [], []
for *_, chunks in measured:
    for scorer in {record["scorer"] for record in chunks}:
        mine = [record for record in chunks if record["scorer"] == scorer]
        mine.sort(key=lambda record: record["started"])
        waits += [after["started"] - before["ended"] for before, after in pairwise(mine)]
        busy += [record["ended"] - record["started"] for record in mine if record["read"] == chunk]
print(f"a chunk of {chunk} cards takes {np.median(busy):.2f} s; then {1000 * np.median(waits):.0f} ms idle")

# %% [markdown]
# ## At what size it pays
#
# On one machine a cluster can only win by what processes do better than threads, and it starts with its fixed
# cost. With more machines each card costs a share. We compute it from the two lines; what we cannot measure
# here stands first, as plain numbers to change.

# %%
BOOT_MINUTES = 5  # from `ray up` until the machines work: an assumption
SHARED = 0.9  # speed that is left to each of many machines at one file system and one database: an assumption


def seconds_with(machines, cards):
    fixed, per_card = fits["Ray Data"]
    boot, share = (60 * BOOT_MINUTES, SHARED * machines) if machines > 1 else (0, 1)
    return boot + fixed + cards * per_card / share


def pays_from(machines):
    fixed, per_card = fits["plain"]
    gain = per_card - (seconds_with(machines, 1) - seconds_with(machines, 0))
    return (seconds_with(machines, 0) - fixed) / gain if gain > 0 else float("inf")


cards_needed = {machines: pays_from(machines) for machines in (1, 2, 10, 100)}
rows = [[n, cards if cards < float("inf") else "never"] for n, cards in cards_needed.items()]
Table(["machines like this one", "Ray Data pays from (cards)"], *rows, formats=["", ",.0f"])

# %% [markdown]
# The same as a figure; the points are measured, the lines computed.

# %%
cards = np.logspace(2, 8)
figure, axes = plt.subplots()
for number, name in enumerate(fits):
    points = [(size, seconds) for size, kind, seconds, _ in measured if kind == name]
    axes.plot(*np.transpose(points), "o", color=figures.PALETTE[number], label=f"{name}, measured")
axes.plot(cards, fits["plain"][0] + cards * fits["plain"][1], color=figures.PALETTE[0], label="plain")
for number, machines in enumerate((1, 10, 100), start=1):
    label = f"Ray Data, {machines} machine" + "s" * (machines > 1)
    axes.plot(cards, seconds_with(machines, cards), "--", color=figures.PALETTE[number], label=label)
axes.set(xscale="log", yscale="log", xlabel="cards", ylabel="time (s)")
axes.legend()
alt = (
    "time against cards: plain starts at once, a cluster starts late and rises more slowly with more machines"
)
figures.show(figure, alt=alt)

# %% [markdown]
# ## A scorer is killed in the middle
#
# We start the job, and wait until the first rows are in the store.

# %%
import threading

inbox = folder / f"inbox-{sorted(inboxes.values())[1]}"
(folder / "killed").mkdir()
job_started, store = time.time(), Store(folder / "killed.db")
job = run_job("score.py", INBOX=inbox, STORE=folder / "killed.db", CHUNK=50, RECORD=folder / "killed")
while job.poll() is None and store.counts(MONTH, LATEST)[0] == 0:
    threading.Event().wait(0.05)
print("at work" if job.poll() is None else outcome(job))

# %% [markdown]
# Now one scorer is killed, as the system does when memory runs out.

# %%
cluster.processes("Scorer")[0].kill()
killed_at = time.time() - job_started
print(f"killed after {killed_at:.1f} s; the cluster uses {cluster.memory() / 2**20:.0f} MiB")

# %% [markdown]
# Ray sees the death, starts another process, and gives it the chunk that was lost. Part of that chunk may be
# stored already; the second attempt finds what is there. That is why a step of a batch job must be safe to
# repeat, whichever tool repeats it.

# %%
print(outcome(job))

# %% [markdown]
# Every card, once, and Ray's record shows the new process. (What the killed one had not yet reported is
# missing from the record.)

# %% tags=["nbval-check-output"]
print("every card is read once:", all_read(inbox, "killed.db"))

# %% [markdown]
# The line is where the process was killed.

# %%
bars = list(recorded("killed", job_started))
figure, axes = plt.subplots(figsize=(8, 2.8))
draw(bars, axes)
axes.axvline(killed_at, color="black", linestyle=":", label="killed")
axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
figures.show(
    figure, alt="timeline: one scorer is killed, the other goes on, and a new process takes its place"
)

# %% [markdown]
# ## A chunk that fails
#
# This scorer cannot read one chunk, whatever it tries. Ray Data would end the job at the first exception;
# `score.py` asks for two more attempts (`retried_map_errors`). When those fail too, the run is recorded as
# failed.

# %%
failing_script = """
import os, score

tries = os.environ["TRIES"]

class Failing(score.Scorer):
    def __call__(self, row):
        if "C0000120" in row["pictures"]:
            with open(tries, "a") as file: file.write("x")
            raise OSError("the file system does not answer")
        return super().__call__(row)

score.main(Failing)
"""
inbox, tries = folder / f"inbox-{min(inboxes.values())}", folder / "tries"
job = run_job("-c", failing_script, INBOX=inbox, STORE=folder / "failed.db", CHUNK=50, TRIES=tries)
outcome(job)
print(f"the chunk was tried {len(tries.read_text())} times; exit status {job.returncode}")

# %% [markdown]
# What the store holds is good, and freshness says what is wrong, in one line.

# %%
from fsdl_deploy.batch.freshness import freshness

print(freshness(Store(folder / "failed.db")).sentence)

# %% [markdown]
# The file system is back; the same command again. Only what is missing is read.

# %%
print(outcome(run_job("score.py", INBOX=inbox, STORE=folder / "failed.db", CHUNK=50)))

# %% [markdown]
# ## A cluster of many machines
#
# `cluster.yaml` says what `ray up` builds in a cloud: ten machines for the work, taken at the low price at
# which the cloud may take them back, and one that hands it out. It is checked here, not run: Ray's own
# validator needs no account.

# %%
cluster_file = (station.folder / "cluster.yaml").read_text()
print(cluster_file[cluster_file.index("head_node_type") : cluster_file.index("file_mounts")])

# %% [markdown]
# The file is right, and one that says `tow` where it should say `2` is refused.

# %% tags=["nbval-check-output"]
broken_file = folder / "broken.yaml"
broken_file.write_text(cluster_file.replace("CPU: 2", "CPU: tow"))
for path in ("cluster.yaml", broken_file):
    command = [station_python, "check_cluster.py", path]
    checked = subprocess.run(command, cwd=station.folder, capture_output=True, text=True)
    print(checked.stdout.replace(str(folder), "..."), "exit status", checked.returncode)

# %% [markdown]
# On that cluster the store must be a database that all machines reach, PostgreSQL: `score.py` refuses a file
# there. Here the scorers share one SQLite file, which one process writes at a time. How many scorers would
# fill that lock? We time the writing of one chunk.

# %%
store, times = Store(folder / "lock.db"), []
run = store.begin(MONTH, LATEST, 0)
for number in range(20):
    rows = [
        {"month": MONTH, "customer": f"{number}-{place}", "model_version": LATEST, "digits": "12345"}
        | {"confidence": 0.99, "picture": f"{number}-{place}.jpg"}
        for place in range(chunk)
    ]
    started = time.perf_counter()
    store.add(run, rows)
    times.append(time.perf_counter() - started)
writing = np.median(times)
print(f"a chunk is read in {np.median(busy):.2f} s and written in {1000 * writing:.0f} ms:")
print(f"the lock is full with about {np.median(busy) / writing:.0f} scorers")

# %% [markdown]
# ## A hundred million cards, on paper
#
# Nobody has run this here. The speed of a core is the measurement above; every other number is an assumption
# that you can change. Machine and storage are list prices of the region us-east-1 as quoted in 2026; look up
# today's before you rely on them. Left out: the database, which stands there all month for the lookups; fees
# for reading and traffic, disks, tax, discounts, people.

# %%
CARDS = 100_000_000
MACHINE_PRICE = 0.0816  # USD an hour: 2 cores and 8 GB, on demand (Amazon EC2 m7g.large, June 2026)
STORAGE_PRICE = 0.30  # USD for a GB and a month on a network file system (Amazon EFS, standard class)
STORAGE_DAYS = 30  # how long the pictures are kept there
CORES_LIKE_OURS = 1.0  # speed of one of their cores against one of ours
NIGHT_HOURS = 8  # last evening to morning
picture_bytes = np.mean([path.stat().st_size for path in inbox.rglob("*.jpg")])
print(f"{1 / fits['Ray Data'][1]:,.0f} cards a second on this machine; {picture_bytes:,.0f} bytes a picture")

# %% [markdown]
# Machines are paid while they start, and so is the one that hands out the work.


# %%
def hours(machines, cards):
    return seconds_with(machines, cards) / CORES_LIKE_OURS / 3600


def dollars(machines, cards):
    paid = machines + 1 if machines > 1 else 1
    return hours(machines, cards) * paid * MACHINE_PRICE


rows = [[machines, hours(machines, CARDS), dollars(machines, CARDS)] for machines in (1, 10, 100)]
storage = CARDS * picture_bytes / 1e9 * STORAGE_PRICE * STORAGE_DAYS / 30
note = f"and {storage:.2f} USD to keep the pictures for {STORAGE_DAYS} days"
Table(["machines", "hours", "machines (USD)"], *rows, formats=["", ".1f", ".2f"], notes=[note])

# %% [markdown]
# What a hundred machines ask of what they share is worth a look before anyone pays for them.

# %%
rows = []
for machines in (1, 10, 100):
    rate = (SHARED * machines if machines > 1 else 1) * CORES_LIKE_OURS / fits["Ray Data"][1]
    rows.append([machines, rate * picture_bytes / 1e6, rate])
Table(["machines", "pictures (MB/s)", "rows/s into the store"], *rows, formats=["", ",.0f", ",.0f"])

# %% [markdown]
# More machines buy time at nearly no cost: ten times the machines for a tenth of the time, as long as the
# work is long against their start, and nothing that they share is full.

# %%
cards = np.logspace(4, 8)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
for machines in (1, 10, 100):
    label = f"{machines} machine" + "s" * (machines > 1)
    left.plot(cards, [hours(machines, some) for some in cards], label=label)
    right.plot(cards, [dollars(machines, some) for some in cards], label=label)
left.axhline(NIGHT_HOURS, color=figures.PALETTE[6], linestyle=":", label="the night")
left.set(xscale="log", yscale="log", xlabel="cards", ylabel="time (hours)")
right.set(xscale="log", yscale="log", xlabel="cards", ylabel="machines (USD)")
left.legend()
alt = "hours and dollars against cards for 1, 10 and 100 machines: time falls with machines, cost hardly does"
figures.show(figure, alt=alt)

# %% [markdown]
# ## When it fails
#
# - **Small jobs.** The fixed cost is paid each night: measured above, and on one machine it never comes back
#   unless processes beat threads there.
# - **No schedule, no history.** Ray runs what it is given, now. When the job runs, and whether it ran, is for
#   a workflow tool or cron, and for [freshness](../02_batch.ipynb).
# - **Quiet loss.** `DataContext.max_errored_blocks` lets a job "succeed" and drops the chunks that failed.
#   Nothing but a count of the rows tells.
# - **A card that kills its reader.** By default Ray repeats a chunk whose process died without end, so one
#   such picture would keep a cluster busy for ever. `score.py` gives up after two more attempts.
# - **Start.** Half a dozen programs must find each other in time. On a busy machine Ray's start gives up
#   after `15` seconds unless it is told its ports, as `local_cluster.py` does.
# - **The driver.** It lists the cards; when it dies, the job dies, and the next run goes on from the store.

# %%
cluster.stop()
print(cluster)

# %% [markdown]
# ## Questions
#
# **Question:** Your pictures lie on one machine's own disk. Which of the assumptions breaks first with a
# hundred machines?
#
# <details><summary>Answer</summary>
# <code>SHARED</code>, that each machine keeps most of its speed. A hundred machines read pictures as fast as
# they can, and a single disk or file server gives what it gives. The same is true of the database: look at
# the rows a second.
# </details>
#
# **Question:** In the middle of the night the cloud takes one worker machine back. Which cards are read
# again, and which are stored twice?
#
# <details><summary>Answer</summary>
# At most the chunks that its scorers had not reported are read again. None is stored twice, because the
# store has one row for each month, customer and model version: the scorer that was killed showed it. The
# head must not be such a machine, since the job dies with its driver.
# </details>
#
# **Question:** A colleague sets `max_errored_blocks`, so that one bad chunk no longer ends the night. What
# has to come with it?
#
# <details><summary>Answer</summary>
# A count. Ray drops the chunks that failed, and <code>score.py</code> then records a run that finished.
# Compare the rows in the store with the cards of the inbox: freshness does that, and calls such a night
# partial.
# </details>

# %% [markdown]
# ## Take-aways
#
# - The function that scores a chunk stayed as it was; Ray Data is ten lines around it.
# - Exactly once is a property of the store's key and of steps that can be repeated, not of the cluster.
# - A cluster buys time, at a fixed cost each night: measure both lines before you choose.
# - Choose Ray Data when one machine cannot finish in the night, or when the work needs many GPUs. Below that,
#   a bigger machine is simpler.
#
# ## Where to go next
#
# - [Batch prediction](../02_batch.ipynb) is the job itself, and the check that it ran.
# - [The model service](../03_service.ipynb): when a night is too long to wait.
