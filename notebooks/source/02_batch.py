# %% [markdown]
# # Batch prediction
#
# **Minutes:** 40 · **Prerequisites:** [The prototype](01_prototype.ipynb) · **Truth:** runs
#
# ## The need
#
# Every customer sends one card a month, and the bills go out in the morning. Nobody is waiting at a screen:
# *last night's cards must be read by morning*, each once, and somebody must notice when last night did not
# happen.
#
# ## You will learn
#
# - the five steps of a batch prediction, and why a table of predictions separates model and user interface
# - to make a job that may be killed anywhere and started again: every card exactly once
# - what a workflow tool adds: retries, a schedule, a record
# - the pros of the pattern, measured: simple, scales, fast to retrieve
# - its three cons, provoked: inputs that cannot be listed, stale answers, silent failure

# %% [markdown]
# On Colab the next cell fetches the course and installs what it needs; tools that want a container engine
# stay out there. Elsewhere it does nothing.

# %% tags=["colab"]
# Building the notebook writes this cell.

# %% [markdown]
# ## Where the model sits
#
# In a job that starts, works and ends. The application never meets the model: between them stands a table.
# The steps are a **directed acyclic graph** (DAG): each needs the ones before it, none goes back.
#
# ```mermaid
# flowchart LR
#     inbox[("Inbox<br/>pictures")] --> new["New cards"] --> pre["Preprocess"] --> predict(["Predict"])
#     model["Load the model"] --> predict
#     predict --> store[("Table of<br/>predictions")]
#     pre -- "bad pictures" --> aside[("Set aside")]
#     store --> lookup["Web endpoint"] --> client["Client<br/>billing, app"]
#     store --> check{"Fresh?"} --> alarm["Alarm"]
#     style predict fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# What all parts of this lesson use. All files go to a temporary folder.

# %%
import tempfile
from pathlib import Path

from fsdl_deploy import figures
from fsdl_deploy.measuring.table import Table

figures.use()
workplace = tempfile.TemporaryDirectory()  # removed when the kernel ends
here = Path(workplace.name)
measured = {}  # what the lecture's claims are judged by at the end

# %% [markdown]
# ## Last night's cards
#
# The inbox is a folder of pictures, `MONTH/SHARD/CUSTOMER.jpg`. A *shard* keeps a folder small, so the inbox
# of a million customers is listed as easily as this one. The job takes the pictures in *chunks*, some
# hundreds at a time.

# %% tags=["nbval-check-output"]
from fsdl_deploy import Customers
from fsdl_deploy.batch import inbox

customers = Customers(1000 if FAST else 10_000, seed=2)
cards = inbox.fill(here / "inbox", customers, "2026-10", different=150)
chunks = list(inbox.chunks(here / "inbox", "2026-10", size=500))
print(cards, "cards, the last one is", chunks[-1].pictures[-1])
print("in chunks of", [len(chunk.pictures) for chunk in chunks])

# %% [markdown]
# Drawing cards takes longer than reading them, so only the first 150 are different and the rest repeat them.

# %%
from fsdl_deploy.picture import decode

month_folder = here / "inbox" / "2026-10"
first = [month_folder / name for name in chunks[0].pictures[:5]]
five = [decode(path.read_bytes()) for path in first]
figures.cards(five, [path.stem for path in first], alt="five meter cards")

# %% [markdown]
# ## The five steps by hand
#
# New data in, run the model on each, save the results: here is the whole pattern, in SQLite from Python's
# standard library. Two details carry it. The **key** of a row is what it is about (customer, month, model
# version), not when it was written; and a row that is there already is left alone.

# %%
import sqlite3

database = sqlite3.connect(here / "by_hand.db")
database.execute("""CREATE TABLE predictions (customer, month, model_version, digits, confidence,
    PRIMARY KEY (customer, month, model_version))""")
INSERT = "INSERT INTO predictions VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"

# %% [markdown]
# The five steps are five lines.

# %%
from fsdl_deploy import open_reader


def by_hand(pictures):
    reader = open_reader("v2")  # load the model
    for picture in pictures:  # new cards
        image = decode((month_folder / picture).read_bytes())  # preprocess; the rest is in the model's file
        reading = reader.read([image])[0]  # predict
        row = (Path(picture).stem, "2026-10", reading.model_version, reading.digits, reading.confidence)
        with database:  # store: one transaction
            database.execute(INSERT, row)


# %% [markdown]
# Scoring the same cards twice changes nothing. The lecture's word is *re-run*; this property,
# **idempotence**, is what makes re-running safe.

# %% tags=["nbval-check-output"]
by_hand(chunks[0].pictures[:40])
by_hand(chunks[0].pictures[:40])
rows_stored = database.execute("SELECT count(*) FROM predictions").fetchone()[0]
measured["cards_twice"], measured["rows_after_two"] = 40, rows_stored
print(rows_stored, "rows for 40 cards scored twice")
database.close()

# %% [markdown]
# ## The same job, fit for a night
#
# `Batch` keeps those two details and adds what a night needs: chunks that are stored whole or not at all,
# batches of cards of similar width (little padding), threads that decode the next chunk while this one is
# read, bad pictures set aside, and a record of the run. It needs a store and a reader.

# %%
from fsdl_deploy.batch.job import Batch
from fsdl_deploy.batch.store import Store

store, reader = Store(here / "readings.db"), open_reader("v2")

# %% [markdown]
# The bar moves by a chunk at a time, when it is stored.

# %%
from time import perf_counter

with Batch(here / "inbox", "2026-10", store, reader) as batch:
    started = perf_counter()
    scored = batch.score()
    seconds = perf_counter() - started
measured["sent"], measured["stored"] = cards, store.counts("2026-10", "v2")[0]
print(scored, f"{scored.read / seconds:.0f} cards/s")

# %% [markdown]
# On the command line it is `fsdl-deploy score INBOX --month 2026-10`. A row says whose card it was, which
# month, what was read, how sure the model was, which model, and which run at what time.

# %%
rows = [store.prediction(customers.customer(i).name, "2026-10") for i in range(4)]
Table(list(rows[0]), *[row.values() for row in rows])

# %% [markdown]
# The record of the run is a row, too. The check below relies on it.

# %% tags=["nbval-check-output"]
(run,) = store.runs()
print(", ".join(f"{name} {run[name]}" for name in ("month", "model_version", "cards", "read", "set_aside")))
print("finished:", run["finished"] is not None)

# %% [markdown]
# ## Killed in the middle
#
# Power fails, machines are taken away, somebody presses the wrong key. We start the job as a process of its
# own with small chunks, wait until some are stored, and kill it with SIGKILL, the signal that a program
# cannot catch: it has no time to put anything in order.

# %%
from fsdl_course.batch.interrupted import kill_when_stored, readings_in

second = Store(here / "killed.db")
words = ["score", here / "inbox", "--month", "2026-10", "--store", here / "killed.db"]
stored_then = kill_when_stored(200, second, "2026-10", [*words, "--chunk", "50", "--workers", "1"])
print(f"killed with {stored_then} of {customers.n} cards stored, whole chunks of 50: {stored_then % 50 == 0}")

# %% [markdown]
# The same command again finds what is stored and goes on from there. At most one chunk was lost, and the
# table is the one that an undisturbed run made.

# %% tags=["nbval-check-output"]
with Batch(here / "inbox", "2026-10", second, reader) as batch:
    again = batch.score(progress=False)
undisturbed, interrupted = readings_in(here / "readings.db"), readings_in(here / "killed.db")
print("read now and before:", again.read + again.already)
print("equal to the undisturbed run, row by row:", undisturbed == interrupted)
second.close()

# %% [markdown]
# ## Bad pictures do not stop the night
#
# Three of the month's files are damaged in three ways. A job that stopped at the first would have failed the
# other customers; one that skipped them silently would have lost them.

# %%
inbox.fill(here / "inbox", Customers(60, seed=2), "2026-11")
shard = here / "inbox" / "2026-11" / "C0000"
half = (shard / "C0000009.jpg").read_bytes()[:400]
for number, content in ((7, b""), (8, b"a letter instead of a picture"), (9, half)):
    (shard / f"C{number:07d}.jpg").write_bytes(content)

# %% [markdown]
# They are **set aside** with a reason.

# %% tags=["nbval-check-output"]
with Batch(here / "inbox", "2026-11", store, reader) as batch:
    print(batch.score(progress=False))
for row in store.aside(month="2026-11"):
    print(row["customer"], row["reason"])

# %% [markdown]
# ## A workflow tool: retries, a schedule, a record
#
# Somebody must start the job each night, try again when a step fails, and keep a record. The lecture names
# Dagster, Airflow and Prefect; each has its notebook here, with this same job, and so has Metaflow, which was
# made for data scientists. This lesson takes **Dagster**, the lightest of them that has retries, a schedule
# and a check of freshness without a server: it runs in one process, in an environment of its own, which the
# course calls a *station*. This is its step for one chunk, with its retries.

# %% tags=["station:dagster"]
from IPython.display import Code

from fsdl_course.batch import dagster_night
from fsdl_course.setup.stations import ensure

station_python = ensure("dagster")
Code(dagster_night.retried_step(), language="python")

# %% [markdown]
# To see a retry we need a fault: these lines make the first call of `score_chunk` fail, as a hiccup of the
# network would.

# %%
from IPython.display import Code

from fsdl_course.batch import dagster_night

Code(dagster_night.HICCUP, language="python")

# %% [markdown]
# Then one night of the job as Dagster runs it: the station's Python reads September's cards into the same
# table. (A *partition* is Dagster's word for the part of the data that one run makes; here it is a month.)

# %% tags=["station:dagster"]
inbox.fill(here / "inbox", Customers(60, seed=2), "2026-09")
events = dagster_night.run(station_python, here / "inbox", here / "readings.db", "2026-09")
measured["dagster_stored"] = store.counts("2026-09", "v2")[0]
measured["dagster_retries"] = [event.kind for event in events].count("STEP_RESTARTED")
print(measured["dagster_stored"], "cards of September are stored")

# %% [markdown]
# Dagster's own record of the night, without the events between, and the schedules that would start it:

# %% tags=["nbval-check-output", "station:dagster"]
for event in events:
    if event.kind in dagster_night.NOTED:
        print(f"{event.kind:24}{event.about}")

# %% [markdown]
# One step failed, was tried again, and the night came out whole. `0 2 * * *` is cron's way to write *every
# day at two*. The tool added nothing to the model and nothing to the table: it decides *when* and *again*.
#
# ## The pros, measured
#
# **Simple to implement.** What there is to run and to keep alive for batch, and for a model service:

# %%
import psutil

print(f"this process, with model and figures: {psutil.Process().memory_info().rss / 2**20:.0f} MiB")
Table(
    ["", "batch prediction", "model service"],
    ["runs", f"{seconds:.0f} s a night", "always"],
    ["has to be up when a customer asks", "the database", "service, model, and what calls it"],
    ["when it fails at 3 in the morning", "run it again at 5", "customers see it at 3"],
    ["memory between two nights", "none", "web server and model"],
)

# %% [markdown]
# **It scales.** Rates over the same cards, in turns: a plain loop of one picture at a time, our job, and the
# model alone (pictures decoded before, nothing stored). The ratios are medians of the turns: a busy machine
# slows all ways, but seldom all alike.

# %%
from statistics import median

from fsdl_deploy.batch import batch_figures
from fsdl_deploy.batch.bench import rates, ratio

rates_of = rates(cards=600 if FAST else 20_000, different=150, rounds=2 if FAST else 5, say=lambda line: None)
medians = {way: median(measured) for way, measured in rates_of.items()}
batch_figures.rates(medians)
print(", ".join(f"{ratio(rates_of, way):.2f} × {way}" for way in rates_of if way != "batch job"))

# %% [markdown]
# Why not as fast as the model alone? Each card's file must be opened and decoded, and its reading stored, and
# that takes a core's time, too. We measure each step alone, in one thread; *the rest* is what the job adds to
# them: lists of files and rows, threads that wait for each other, and that a core computes more slowly while
# its neighbour is busy. The number under the bar is the ratio that a job without a rest would have.
# **Question:** What becomes of it when the model is ten times smaller?
#
# <details><summary>Answer</summary>
# It falls. Opening, decoding and storing take as long as before, and inference becomes a small part of the
# whole: the job is then a loop around files and rows, and a still smaller model hardly helps it.
# </details>

# %%
from fsdl_deploy.batch.bench import needs

used = needs(cards=1000 if FAST else 5000, different=150)
batch_figures.card_steps(used)
at_best = used["inference"] / (sum(used.values()) - used["the rest"])
print(f"without the rest: {at_best:.2f} × inference alone")

# %% [markdown]
# **Memory stays flat**, because the job holds two chunks, however many cards there are. Each number below is
# the peak of a process of its own.

# %%
from fsdl_deploy.batch.bench import peak_memory

sizes = [250, 1000] if FAST else [1000, 10_000]
peaks = {size: peak_memory(size, different=100) for size in sizes}
print(", ".join(f"{size:,} cards: {peak:.0f} MiB" for size, peak in peaks.items()))

# %% [markdown]
# **The database scales**, too. The lecture's reason is that *databases have been engineered for decades for
# such a purpose*. How long does one look-up take when the table has a hundred times as many rows?
#
# **Your turn:** The same time, ten times as long, a hundred times? Write down your guess before you run it.

# %%
from fsdl_deploy.batch import lookups

measured["small"] = lookups.measure(1_000)._asdict()
measured["large"] = lookups.measure(100_000 if FAST else 1_000_000)._asdict()
header = ["rows in the table", "a look-up, median (ms)", "rows stored in a second"]
sizes_compared = [measured[size].values() for size in ("small", "large")]
Table(header, *sizes_compared, formats=[",d", ".2f", ",.0f"])

# %% [markdown]
# The table's key is an index: a tree whose depth grows with the logarithm of the number of rows. So a hundred
# times as many rows are only a step or two more on the way to one of them.
#
# **Fast to retrieve.** `fsdl-deploy lookup` serves the table; `fsdl-deploy serve` is the
# [model service](03_service.ipynb), which reads the picture while the customer waits. Both are asked for the
# same customers, in turns.

# %%
import httpx2

from fsdl_deploy import course_server

lookup = course_server("lookup", "--store", here / "readings.db").start()
service = course_server("serve").start()
web = httpx2.Client()

# %% [markdown]
# A hundred customers: for each the endpoint is asked by name, and the service with the picture.

# %%
names = [customers.customer(i).name for i in range(100)]
pictures = {name: month_folder / name[:-3] / f"{name}.jpg" for name in names}
times, looked_up = lookups.in_turns(web, lookup.url, service.url, pictures, "2026-10")

# %% [markdown]
# `p50` is the median; `p99` is the time within which ninety-nine of a hundred requests had their answer. Our
# model is small, so the two ways are close. A model that takes a second would move one line, and leave the
# other where it is.

# %%
import numpy as np

latencies = [[way, *np.percentile(milliseconds, [50, 99])] for way, milliseconds in times.items()]
measured["looked_up"] = looked_up
measured["lookup_p50"], measured["ask_p50"] = (p50 for _, p50, _ in latencies)
print(Table(["way", "p50 (ms)", "p99 (ms)"], *latencies, formats=["", ".1f", ".1f"]))
batch_figures.latencies(times)

# %% [markdown]
# **Used in production for years.** That is not ours to measure. LinkedIn tells of its own: *People You May
# Know* and other features are computed in batch jobs, whose results are pulled into the tables that the site
# reads, about `4 TB` every day when it was written in 2012, with a median look-up below `5 ms` ([LinkedIn
# Engineering](https://engineering.linkedin.com/voldemort/serving-large-scale-batch-computed-data-project-voldemort)).
#
# ## PostgreSQL, by changing the URL
#
# SQLite is one file and needs no server, but lives on one machine. When several machines write or read, the
# store is a database server, and the job stays the same. Where PostgreSQL is installed, this cell starts one
# for a moment.

# %%
from fsdl_deploy.batch.postgres import Postgres, PostgresMissing

try:
    with Postgres() as server:
        shared = Store(server.url)
        with Batch(here / "inbox", "2026-11", shared, reader) as batch:
            print(shared.url.split("@")[0], batch.score(progress=False))
        shared.close()
except PostgresMissing as missing:
    print(missing)

# %% [markdown]
# ## When it fails
#
# The lecture lists three cons. Each is provoked here.
#
# ### Inputs that cannot be listed
#
# Batch works when the questions are known before: one card for each customer and month. A picture that a
# customer draws *now* is not among them. No card of January 2027 is there yet. We ask for its reading.

# %% tags=["nbval-check-output"]
answer = web.get(f"{lookup.url}/readings/2027-01/C0000001")
measured["unlisted_status"] = answer.status_code
print(answer.status_code, answer.json()["error"]["problem"])

# %% [markdown]
# With its card in the inbox, the same question has an answer after the next run.

# %% tags=["nbval-check-output"]
(here / "inbox" / "2027-01").mkdir()
(here / "inbox" / "2027-01" / "C0000001.jpg").write_bytes(first[1].read_bytes())
with Batch(here / "inbox", "2027-01", store, reader) as batch:
    batch.score(progress=False)
answer = web.get(f"{lookup.url}/readings/2027-01/C0000001")
print("the morning after:", answer.status_code, answer.json()["digits"])

# %% [markdown]
# Could one predict *every possible* input before? It depends on the question. The line is what this machine
# reads in a night of eight hours, at the rate measured above.

# %%
questions = {
    "customers, this month": np.log10(1e6),
    "customers × next 12 months": np.log10(12e6),
    "users × products (10⁶ × 10⁴)": 10.0,
    "black-and-white pictures of 16 × 16": 256 * np.log10(2),
    "grey pictures of 64 × 160": 64 * 160 * np.log10(256),
}
measured["powers"], measured["night_power"] = questions, np.log10(medians["batch job"] * 8 * 3600)
batch_figures.possible_inputs(questions, measured["night_power"])

# %% [markdown]
# ### Users do not get the newest prediction
#
# A real job under a simulated clock: over two days a card arrives every half hour, and the job runs every 2,
# 6, 12 or 24 hours. How long after it was sent can a card's reading be looked up?

# %%
from fsdl_course.batch import schedules

arrivals = {names[i]: i / 2 for i in range(2 * 48)}  # customer -> hour at which the card arrives
waits = {every: schedules.waits(arrivals, pictures, reader, every, hours=48) for every in (2, 6, 12, 24)}

# %% [markdown]
# The median is half of the schedule, the worst case all of it. Running more often costs a start-up each time,
# and never reaches *now*: for that the model has to be asked.

# %%
kinds = {"worst": max, "median": np.median, "best": min}
measured["ages"] = {every: {kind: of(wait) for kind, of in kinds.items()} for every, wait in waits.items()}
batch_figures.ages(measured["ages"])

# %% [markdown]
# ### Silent failure
#
# *If your batch jobs fail for some reason, it can be hard to detect these problems.* `freshness` is a check
# of its own: it reads the record of runs and says one sentence. After the good night it is content.

# %%
from fsdl_deploy.batch.freshness import freshness

print(freshness(store))

# %% [markdown]
# Now four nights go wrong, each in a copy of the database: nobody starts the job; it is killed in the middle;
# the inbox is mounted at the wrong place, so that the job finds an empty folder and *succeeds*; somebody
# starts it with the old model. In each case the customer asks the endpoint for October's reading.

# %%
from datetime import timedelta

from fsdl_course.batch.bad_nights import NO_ERROR, BadNights, exit_status

(here / "wrong" / "2026-11").mkdir(parents=True)
nights = BadNights(here / "readings.db", names[0], "2026-10")

# %% [markdown]
# **Your turn:** Four nights went wrong. In how many of them does the job end with an error status? In how
# many does the customer get an error? Write two numbers down. Then see the job's exit status (`-`: none was
# recorded), the customer's answer, and the check's sentence, side by side:

# %%
bad = [
    nights.without_a_job("nobody starts the job", later=timedelta(hours=30)),
    nights.after("the inbox is elsewhere", "score", here / "wrong", "--month", "2026-11"),
    nights.after("an old model", "score", here / "inbox", "--month", "2026-11", "--version", "v1"),
    nights.cut_off("killed in the middle", version="v2", cards=customers.n),
]
Table(["what went wrong", "exit status", "the customer sees", "the check says", "alarm"], *bad)

# %% [markdown]
# Of all of them: how many are silent to the customer, and how many does the check notice?

# %%
measured["bad_nights"], measured["alarmed"] = len(bad), sum(night.alarm for night in bad)
measured["silent"] = sum(NO_ERROR in night.customer_sees for night in bad)
print(f"silent: {measured['silent']} of {len(bad)}, noticed by the check: {measured['alarmed']}")

# %% [markdown]
# The customer sees no error in any of them, since the table answers with what it has. And no job ends with an
# error status: two did well what they were asked to do, one never began, one had no time to end. `fsdl-deploy
# freshness` prints that sentence and exits with 1, so that any scheduler, monitor or mail program can raise
# the alarm. It must not run inside the job: a job that does not start cannot complain.

# %% tags=["nbval-check-output"]
for version in ("v2", "v9"):
    status = exit_status("freshness", "--store", here / "readings.db", "--version", version)
    print(f"wanted {version}: exit status {status}")

# %% [markdown]
# ### When batch is the right answer
#
# | the question | batch? | why |
# |---|---|---|
# | one reading for each customer by morning | yes | the inputs are known, nobody waits |
# | recommendations for each user, early on | yes | users can be listed; a day old is good enough |
# | which customers get a letter (marketing automation) | yes | an internal tool, run when it is needed |
# | the customer watches while the card is read | no | the picture did not exist a second ago |
# | is this payment a fraud | no | the answer is worthless tomorrow |
#
# **Which tool for the workflow?** Each ran this lesson's job; their notebooks have the measurements.
#
# | | Dagster | Prefect | Airflow | Metaflow |
# |---|---|---|---|---|
# | thinks in | data that should exist | functions that run | tasks that are due | steps that leave data |
# | can run without a server | yes, in one process | starts a small one | one DAG, to test | yes, always |
# | must run all the time | daemon and page | server and `serve` | three processes, a database | nothing |
# | retries, record | yes | yes | yes | yes, with what each step left |
# | schedule | yes | yes | yes | once it is deployed to another tool |
# | a missed month | is a missing partition | somebody asks for it | is caught up | somebody asks for it |
# | knows that data is stale | yes, checks and versions | no | no | no |
# | does badly | many words to learn | a dead worker is "Running" | heavy for a small job | a process a task |
# | choose it when | tables depend on each other | Python jobs need it soon | it is there | old runs matter |
#
# In none of them does a job that never started turn red by itself: keep the freshness check outside.
#
# How much code is the definition of this job in each? Counted in statements; a step's own work is not in it.

# %%
from fsdl_deploy.paths import ROOT
from fsdl_deploy.prototype.code_size import statements

programs = {"Dagster": "definitions.py", "Prefect": "flow.py", "Airflow": "dag.py", "Metaflow": "flow.py"}
flows = {tool: ROOT / "infra" / "batch" / tool.lower() / name for tool, name in programs.items()}
measured["flow_sizes"] = {tool: statements(flow) for tool, flow in flows.items()}
Table(["tool", "statements"], *measured["flow_sizes"].items())

# %% [markdown]
# **Past one machine**, the same `score_chunk` runs on [Ray Data](tools/ray_data.ipynb), which measures what
# that costs and when it pays. The servers of this lesson are stopped here.

# %%
web.close()
lookup.stop()
service.stop()
store.close()
print(lookup, service)

# %% [markdown]
# ### The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed from what the cells above measured on your machine;
# the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("02", measured)

# %% [markdown]
# ## Questions
#
# **Question:** Why is the model's version part of the key?
#
# <details><summary>Answer</summary>
# Because v2's reading of a card is another fact than v1's. Both stay: one can compare them, go back, and see
# which model sent which bill. Without it, a new model would either overwrite history or be ignored.
# </details>
#
# **Question:** The job stores a chunk and its progress in one transaction. What could go wrong if it were
# two?
#
# <details><summary>Answer</summary>
# A kill between them leaves cards that are stored but not counted, or counted but not stored. The second is
# the bad one: nobody would read those cards again.
# </details>
#
# **Question:** The check says *fresh*, and yet the predictions are bad. How?
#
# <details><summary>Answer</summary>
# Freshness only says that the job ran, on all cards, with the right model. If the pictures changed (a new
# app, another camera), the model may misread them all, punctually. That is monitoring's question.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Batch prediction: a job reads everything that is known, a table keeps the answers, applications read the
#   table.
# - Idempotent rows and whole chunks make "run it again" the answer to every failure.
# - It is simple, scales with the database, and answers fast, whatever the model costs.
# - It cannot answer what nobody listed, is as old as its schedule, and fails without a sound: check freshness
#   from outside.
#
# **Cheat sheet.** `fsdl-deploy score INBOX --month MONTH` reads what is new; the same command again goes on
# where the last one stopped. `--store postgresql://…` changes the database, `--chunk` how much a kill can
# lose. `fsdl-deploy lookup` serves the table, `fsdl-deploy freshness` says whether last night happened, with
# exit status 0 or 1. In Python: `Batch(inbox, month, store, reader).score()`, and `Store.prediction(customer,
# month)`. A row's key is what it is about; `INSERT … ON CONFLICT DO NOTHING` makes a second run harmless.
# Cron's `0 2 * * *` is every day at two. An answer is on average half a schedule old, at worst a whole one.
# Take batch when the inputs can be listed and nobody waits; take a service when somebody does.
#
# **Sources.** SQLite's [ON CONFLICT](https://www.sqlite.org/lang_upsert.html) and [write-ahead
# log](https://www.sqlite.org/wal.html), [cron's five
# fields](https://man7.org/linux/man-pages/man5/crontab.5.html), and the tools' own pages:
# [Dagster](https://docs.dagster.io/), [Airflow](https://airflow.apache.org/docs/),
# [Prefect](https://docs.prefect.io/), [Metaflow](https://docs.metaflow.org/).
#
# ## Where to go next
#
# - [Lab 02](../labs/lab02/lab02.ipynb): a night that may fail, and the check that notices.
# - [The model service](03_service.ipynb): the answer while the customer is still looking.
# - The workflow tools: [Dagster](tools/dagster.ipynb), [Airflow](tools/airflow.ipynb),
#   [Prefect](tools/prefect.ipynb), [Metaflow](tools/metaflow.ipynb).
# - [Ray Data](tools/ray_data.ipynb): past one machine.
