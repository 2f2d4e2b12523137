# %% [markdown]
# # Dagster: the batch job as assets
#
# **Minutes:** 25 · **Prerequisites:** [Batch prediction](../02_batch.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility's night job is three steps today and will be twenty soon. When a bill is wrong, the billing team
# does not ask "did step 7 run?" but "are these readings made from all the cards, and when?".
#
# ## You will learn
#
# - what changes when a job is told as *what should exist* instead of *what to do*
# - how Dagster tries a failed chunk again, and what it records
# - how a schedule, a freshness check and stale data look in it
# - what a failed night leaves behind, and how only the missing part is done again
# - what all of that costs, and when to choose it

# %% [markdown]
# ## Where the model sits
#
# Inside the steps of a job that runs by itself. `cards` and `readings` are *assets*: things that are kept,
# one of each for every month. A reading is made in chunks, and the chunks are steps of their own.
#
# ```mermaid
# flowchart LR
#     inbox[Inbox of pictures] --> cards[cards of a month]
#     cards --> begin --> score0[score chunk 0] & score1[score chunk 1] & scoren[score chunk …] --> finish
#     subgraph readings[readings of a month]
#         begin
#         score0
#         score1
#         scoren
#         finish
#     end
#     finish --> store[(Store)] --> fresh{{check: fresh?}}
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# Dagster needs an older protobuf than the core has, so it lives in an environment of its own, a *station*.
# There is no torch in it: the model is an ONNX file.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
station_python = ensure("dagster")
station = stations.station("dagster")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## The job as assets
#
# The whole workflow is one file, `infra/batch/dagster/definitions.py`. Read it from top to bottom: months are
# the *partitions*; `cards` lists the pictures; `readings` is a small graph whose middle, `score`, becomes as
# many steps as there are chunks, each with a *retry policy*; `fresh` is a check of the readings.

# %%
from IPython.display import Code

definitions = (station.folder / "definitions.py").read_text()
Code(definitions[definitions.index("months =") :], language="python")

# %% [markdown]
# Three months of cards make the inbox. To save time only some cards are drawn, the rest are copies.

# %%
import tempfile
from pathlib import Path

from fsdl_deploy import Customers
from fsdl_deploy.batch.inbox import fill

workplace = tempfile.TemporaryDirectory()  # removed when the kernel ends
folder = Path(workplace.name).resolve()
inbox, store_file = folder / "inbox", folder / "readings.db"
customers, chunk = Customers(600 if FAST else 20_000), 200 if FAST else 500
for month in ("2026-08", "2026-09", "2026-10"):
    fill(inbox, customers, month, different=60)

# %% [markdown]
# ## The server
#
# Dagster's page and its API come from one server, `dagster-webserver`, which starts a second process that
# holds our code. `DAGSTER_HOME` is the folder of its settings and of its record; telemetry is off.

# %%
import shutil
import time

from IPython.display import IFrame

from fsdl_deploy import Server

home = folder / "dagster"
home.mkdir()
shutil.copy(station.folder / "dagster.yaml", home)
places = {"DAGSTER_HOME": home, "INBOX": inbox, "STORE": store_file, "CHUNK": chunk}
places |= {"DAGSTER_DISABLE_TELEMETRY": "yes"}
options = ["-f", "definitions.py", "-h", "127.0.0.1", "-p", "{port}"]
command = [station_python, "-m", "dagster_webserver", *options]
started = time.perf_counter()
dagster = Server(command, ready="/server_info", env=places, cwd=station.folder, timeout=240).start()
server_seconds = time.perf_counter() - started
print(f"ready after {server_seconds:.1f} s, {dagster.memory() / 2**20:.0f} MiB in two processes")

# %% [markdown]
# Whatever the page can do, a program can: the page itself uses the same GraphQL API. These functions press
# *Launch* for one month and wait for the end of the run.

# %%
import httpx2

client = httpx2.Client(timeout=120)  # one for all questions: a new one each time costs more than to ask


def ask(query, **variables):
    """The answer to one GraphQL question or command."""
    body = {"query": query, "variables": variables}
    answer = client.post(f"{dagster.url}/graphql", json=body).raise_for_status().json()
    if "errors" in answer:
        raise RuntimeError(answer["errors"][0]["message"])
    return next(iter(answer["data"].values()))


location = {"repositoryLocationName": "definitions.py", "repositoryName": "__repository__"}
LAUNCH = """mutation ($what: ExecutionParams!) { launchRun(executionParams: $what) {
  ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }"""

# %% [markdown]
# A run is of a job, and here also of one partition, the month. Its record has one entry a step, with the
# times of every attempt.

# %%
from threading import Event

from fsdl_deploy.measuring.table import Table

RUN = """query ($run: ID!) { runOrError(runId: $run) { ... on Run { runId status startTime endTime
  stepStats { stepKey status attempts { startTime endTime } } } } }"""


def launch(job, month=None, assets=()):
    tags = [{"key": "dagster/partition", "value": month}] if month else []
    selector = location | {"jobName": job}
    selector |= {"assetSelection": [{"path": [name]} for name in assets]} if assets else {}
    return wait_for(ask(LAUNCH, what={"selector": selector, "executionMetadata": {"tags": tags}}))


def wait_for(launched, seconds=240):
    deadline, run = time.monotonic() + seconds, None
    while time.monotonic() < deadline and (run is None or run["status"] not in ("SUCCESS", "FAILURE")):
        Event().wait(0.5)
        run = ask(RUN, run=launched["run"]["runId"])
    return run


# %% [markdown]
# August is the first month. Every line is a step of which Dagster knows state and time.


# %% tags=["nbval-check-output"]
def steps_of(run):
    steps = [[step["stepKey"], step["status"], len(step["attempts"])] for step in run["stepStats"]]
    return Table(["step", "status", "attempts"], *steps, notes=[f"run: {run['status']}"])


clicked = time.time()
august = launch("batch", "2026-08")
steps_of(august)

# %% [markdown]
# Were all cards read? The store says so, whoever filled it.

# %% tags=["nbval-check-output"]
from fsdl_deploy.batch.freshness import freshness
from fsdl_deploy.batch.store import Store

store = Store(store_file)
print(freshness(store).sentence.partition(";")[0])

# %% [markdown]
# What the same month takes with the plain job, in this kernel and into a store of its own, is kept for the
# comparison at the end.

# %%
from fsdl_deploy import open_reader
from fsdl_deploy.batch.job import Batch

started = time.perf_counter()
with Batch(inbox, "2026-08", Store(folder / "plain.db"), open_reader(), chunk) as batch:
    batch.score(progress=False)
plain_seconds = time.perf_counter() - started
print(f"the plain job: {plain_seconds:.1f} s")

# %% [markdown]
# The page of the server shows the run as well: choose an asset, or *Runs* on the left. Nothing of it comes
# from the internet.

# %%
graph = "/locations/__repository__@definitions.py/asset-groups/default/lineage"
IFrame(dagster.url + graph, width="100%", height=560)

# %% [markdown]
# ## A picture of the run
#
# From the record we draw what the page of a run draws: one bar for each attempt at a step.

# %%
import matplotlib.pyplot as plt


def draw(run, alt):
    """The attempts of a run's steps over time; failed ones in vermilion."""
    figure, axes = plt.subplots(figsize=(9, 0.6 + 0.34 * min(len(run["stepStats"]), 12)))
    for step in run["stepStats"][-12:]:
        name = step["stepKey"].removeprefix("readings.").removeprefix("readings_")
        for place, attempt in enumerate(step["attempts"], start=1):
            good = step["status"] == "SUCCESS" and place == len(step["attempts"])
            begin, end = (attempt[key] - run["startTime"] for key in ("startTime", "endTime"))
            axes.barh(name, end - begin, left=begin, color=figures.PALETTE[2 if good else 1])
    axes.invert_yaxis()
    axes.set(xlabel="time since the run started (s)", ylabel="step", xlim=(0, None))
    figures.show(figure, alt=alt)


draw(august, alt="The steps of August, one after the other: the scores of the chunks are the longest")

# %% [markdown]
# One step at a time, and that is our choice: `in_process_executor` runs the steps in one process, in which
# the reader uses all cores anyway. Dagster's default is a new process for each step; what that costs is
# measured below.
#
# ## Retries
#
# Now the store is damaged in one place. A trigger in the database refuses the row of the last customer, as
# long as the run has no error on record: so the first try fails, and the second does not.

# %%
import sqlite3
from contextlib import closing

last_customer = f"C{customers.n - 1:07d}"


def damage(when="1"):
    """From now on the database refuses the last customer's reading, while the condition holds."""
    mend()
    with closing(sqlite3.connect(store_file)) as database:
        database.execute(
            f"CREATE TRIGGER damage BEFORE INSERT ON predictions WHEN new.customer = '{last_customer}' "
            f"AND {when} BEGIN SELECT RAISE(ABORT, 'a page of the file is damaged'); END"
        )


def mend():
    with closing(sqlite3.connect(store_file)) as database:
        database.execute("DROP TRIGGER IF EXISTS damage")


# %% [markdown]
# The policy in `definitions.py` allows two more tries, one and then three seconds later. Which step failed,
# and that it was tried again, stands in Dagster's own event log.

# %% tags=["nbval-check-output"]
EVENTS = """query ($run: ID!) { logsForRun(runId: $run) { ... on EventConnection { events {
  ... on MessageEvent { eventType stepKey message } } } } }"""
OUTCOMES = ("STEP_UP_FOR_RETRY", "STEP_RESTARTED", "STEP_FAILURE", "RUN_FAILURE", "RUN_SUCCESS")

damage(when="(SELECT error FROM runs WHERE run = new.run) IS NULL")
september = launch("batch", "2026-09")
events = ask(EVENTS, run=september["runId"])["events"]
rows = [[event["eventType"], event["message"]] for event in events if event["eventType"] in OUTCOMES]
Table(["event", "message"], *rows)

# %% [markdown]
# The run succeeded, and the picture shows the attempt that did not. The other chunks were not read again.

# %%
mend()
draw(september, alt="September's last chunk has a failed attempt, a pause, and an attempt that succeeds")

# %% [markdown]
# ## Stale data
#
# A card for September arrives late. A job runner has nothing to say about that: its run was a success.
# Dagster compares *versions of data*: `cards` gives one to each list of pictures, and remembers with which
# version the readings were made. So once the inbox has been listed again, September is stale and August is
# not.

# %% tags=["nbval-check-output"]
STALE = '{ assetNodeOrError(assetKey: {path: ["readings"]}) { ... on AssetNode { %s } } }'
fields = 'm%s: staleStatus(partition: "2026-%s") why%s: staleCauses(partition: "2026-%s") { reason }'
STALE %= " ".join(fields % ((month,) * 4) for month in ("08", "09"))

late_card = inbox / "2026-09" / "C0999" / "C0999999.jpg"
late_card.parent.mkdir()
shutil.copy(next((inbox / "2026-09").rglob("*.jpg")), late_card)
launch("batch", "2026-09", assets=["cards"])
staleness = ask(STALE)
for month in ("08", "09"):
    reasons = [why["reason"] for why in staleness["why" + month]]
    print(f"readings of 2026-{month}: {staleness['m' + month]}", *reasons)

# %% [markdown]
# Running September again reads one card, because the store knows the others. `finish` gave these numbers to
# Dagster as *metadata* of the asset, where the page plots them from run to run.

# %% tags=["nbval-check-output"]
METADATA = """{ assetNodeOrError(assetKey: {path: ["readings"]}) { ... on AssetNode {
  assetMaterializations(partitions: ["2026-09"], limit: 1) { metadataEntries {
    label ... on IntMetadataEntry { intValue } } } } } }"""
launch("batch", "2026-09")
for entry in ask(METADATA)["assetMaterializations"][0]["metadataEntries"]:
    if entry.get("intValue") is not None:
        print(entry["label"], entry["intValue"])
print("now", ask(STALE)["m09"])

# %% [markdown]
# ## The schedule
#
# `nightly` starts the job at two, for the month that the day before belongs to. The server computes its next
# times, and can try out a tick without running anything.

# %% tags=["nbval-check-output"]
from datetime import UTC, datetime

SCHEDULE = """query ($which: ScheduleSelector!) { scheduleOrError(scheduleSelector: $which) {
  ... on Schedule { cronSchedule futureTicks(limit: 3) { results { timestamp } } } } }"""
nightly = location | {"scheduleName": "nightly"}
schedule = ask(SCHEDULE, which=nightly)
for tick in schedule["futureTicks"]["results"]:
    print(schedule["cronSchedule"], "next:", datetime.fromtimestamp(tick["timestamp"], UTC).isoformat())

# %% [markdown]
# **Question:** Why the day before? Look at which month the tick of 1 November asks for.

# %% tags=["nbval-check-output"]
DRY_RUN = """mutation ($which: ScheduleSelector!, $time: Float) {
  scheduleDryRun(selectorData: $which, timestamp: $time) { ... on DryRunInstigationTick {
    evaluationResult { runRequests { tags { key value } } } } } }"""
for day in (1, 2):
    tick = datetime(2026, 11, day, 2, tzinfo=UTC)
    evaluated = ask(DRY_RUN, which=nightly, time=tick.timestamp())["evaluationResult"]
    tags = {tag["key"]: tag["value"] for tag in evaluated["runRequests"][0]["tags"]}
    print(f"{tick:%d %B}: {tags['dagster/partition']}")

# %% [markdown]
# The server does not start it: ticks need a third process, `dagster-daemon`, that runs day and night. A
# schedule without its daemon is a silent failure; so we start it and ask the server whether it lives.

# %%
HEALTH = '{ instance { daemonHealth { daemonStatus(daemonType: "SCHEDULER") { healthy } } } }'


def scheduler_lives(_=None):
    return ask(HEALTH)["daemonHealth"]["daemonStatus"]["healthy"]


print("without the daemon, scheduler healthy:", scheduler_lives())
command = [station_python, "-m", "dagster._daemon", "run", "-f", "definitions.py"]
no_port = places | {"UNUSED": "{port}"}  # the daemon listens nowhere
with Server(command, scheduler_lives, env=no_port, cwd=station.folder, timeout=240) as daemon:
    print("with the daemon, scheduler healthy:", scheduler_lives())
    running_mebibytes = [server.memory() / 2**20 for server in (dagster, daemon)]
print(f"all night: server {running_mebibytes[0]:.0f} MiB, daemon {running_mebibytes[1]:.0f} MiB")

# %% [markdown]
# ## When it fails
#
# The database is damaged for good, and October's last chunk fails three times. First Dagster's view: the
# run failed, and the steps that needed the chunk do not appear.

# %% tags=["nbval-check-output"]
damage()
october = launch("batch", "2026-10")
steps_of(october)

# %% [markdown]
# Then the store's view. The chunks before the failure stay, and the freshness check names the cause. Note
# that the check `fresh` in Dagster was not run at all, because it stands behind the step that failed.

# %% tags=["nbval-check-output"]
verdict = freshness(store)
print("fresh:", verdict.fresh)
print(verdict.sentence.replace(str(folder), "…"))

# %% [markdown]
# The database is mended, and *Re-execute from failure* is pressed. Dagster keeps the outputs of the steps
# that succeeded, so that only what is missing is done.

# %% tags=["nbval-check-output"]
AGAIN = """mutation ($what: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $what) {
  ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }"""
mend()
mended = wait_for(ask(AGAIN, what={"parentRunId": october["runId"], "strategy": "FROM_FAILURE"}))
print(freshness(store).sentence.partition(";")[0])
steps_of(mended)

# %% [markdown]
# The picture of the night that failed: three tries, and the pauses between them.

# %%
draw(october, alt="October: the first chunks succeed, the last one fails three times with growing pauses")

# %% [markdown]
# ### Silence
#
# Worse than a failed night is one that did not happen, because nothing is red. We make it so: the record of
# runs in the store becomes two days older. The job `look` holds only the check, and its schedule is in the
# morning; the check fails, and the history shows from when on.

# %%
CHECKS = """{ assetCheckExecutions(assetKey: {path: ["readings"]}, checkName: "fresh", limit: 20) {
  evaluation { timestamp success description } } }"""

with closing(sqlite3.connect(store_file)) as database, database:
    older = ", ".join(
        f"{column} = datetime({column}, '-2 days')" for column in ("started", "heartbeat", "finished")
    )
    database.execute(f"UPDATE runs SET {older}")
look = launch("look")
checks = [execution["evaluation"] for execution in ask(CHECKS) if execution["evaluation"]]
for check in sorted(checks, key=lambda check: check["timestamp"]):
    print("passed" if check["success"] else "FAILED", check["description"])

# %% [markdown]
# ### What it costs
#
# August in Dagster against August in the plain job. The plain one has no record, no retries and no page.

# %%
run_seconds, steps = august["endTime"] - august["startTime"], len(august["stepStats"])
print(f"plain {plain_seconds:.1f} s; Dagster's run {run_seconds:.1f} s, of which {steps} steps")
print(f"{(run_seconds - plain_seconds) / steps:.2f} s more a step")
print(f"from the click to the start of the run: {august['startTime'] - clicked:.1f} s")

# %% [markdown]
# With Dagster's default executor each step is a new process, which imports Dagster and our code first. That
# alone costs:

# %%
import os
import subprocess

started = time.perf_counter()
command = [station_python, "-c", "import definitions"]
subprocess.run(
    command, cwd=station.folder, env=os.environ | {k: str(v) for k, v in places.items()}, check=True
)
step_seconds = time.perf_counter() - started
print(f"{step_seconds:.1f} s a step, more than {steps * step_seconds:.0f} s for this run of {steps} steps")

# %% [markdown]
# Where the seconds go, side by side.

# %%
costs = {
    "plain job": plain_seconds,
    "Dagster: the run": run_seconds,
    "Dagster: start of the server": server_seconds,
}
figure, axes = plt.subplots(figsize=(8, 2.2))
axes.barh(list(costs), list(costs.values()), color=figures.PALETTE[:3])
axes.invert_yaxis()
axes.set(xlabel="time (s)", ylabel="what")
figures.show(figure, alt="Seconds of the plain job, of the same job in Dagster, and of the server's start")

# %% [markdown]
# The server ends with the kernel. This cell ends it now; leave it out to look around in the page.

# %%
client.close()
dagster.stop()

# %% [markdown]
# What else it does badly:
#
# - **Words.** Assets, ops, graphs, jobs, partitions, resources: more to learn than a script of three steps is
#   worth.
# - **Two kinds of success.** Dagster's record and the store can disagree. Let the check ask the store.
# - **A process that is killed is no exception.** The retry policy catches exceptions of a step. When the run
#   itself is killed, somebody must start it again, or the daemon must be told to (`run_retries`).
# - **Schedules need the daemon**, and a daemon that is down is silent too. Put one check outside of Dagster.

# %% [markdown]
# ## Questions
#
# **Question:** A card for September arrives in December, by post. Every night's run is a success. Does
# Dagster call September's readings stale?
#
# <details><summary>Answer</summary>
# No, not until somebody materialises <code>cards</code> for September again. Dagster compares the versions
# that it was given and looks into no folder itself; in <em>Stale data</em> a launch of <code>cards</code>
# came first. The schedule asks only for the month of the day before. So old months need a schedule of their
# own, which lists their pictures again.
# </details>
#
# **Question:** To save a run each morning, a colleague removes the schedule of the job `look`: the nightly
# job has the check `fresh` too. What do you lose?
#
# <details><summary>Answer</summary>
# The news of bad nights. In October the check inside the job was not run at all, because it stands behind
# the step that failed. And a night that never starts has no check in it. By itself, in the morning, the
# check fails in both cases.
# </details>
#
# **Question:** One picture in a million crashes the whole Python process. Do you keep `in_process_executor`?
#
# <details><summary>Answer</summary>
# No. All steps share one process there, so the crash ends the run, and the retry policy never sees an
# exception. With a process for each step the crash ends one step. <em>What it costs</em> shows the price of
# such a process: it matters less the longer a chunk works.
# </details>

# %% [markdown]
# ## Take-aways
#
# - An asset says what should exist; a partition says of when. Dagster then knows what is missing and what is
#   stale.
# - Retries, times and errors of every step stand in its record, which the page and a program both read.
# - Re-execution keeps what succeeded; because the job is idempotent, running all of it is safe as well.
# - Choose it when many tables depend on each other and people ask where a number comes from. For one nightly
#   job it is more than is needed.
#
# ## Where to go next
#
# - [The tour](../00_tour.ipynb) shows where batch prediction stands in the course.
