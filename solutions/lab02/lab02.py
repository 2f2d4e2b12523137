# %% [markdown]
# # Lab 02: A night that may fail
#
# **Minutes:** 65 · **Prerequisites:** [Batch prediction](../../notebooks/02_batch.ipynb)
#
# The utility reads its cards at night. You work out how old the answers are, write the table that a job may
# write twice, find the card that a plausible shortcut loses, make the job go on after a kill, and write the
# check that wakes somebody when the night did not happen.
#
# The stars say how hard an exercise is. Fill in the functions, run the cell below each: it says at once what
# came out and what was expected. Hints unfold one by one. More than two thirds of the points go to cases
# that only the grader has: you earn them by the share that is right, less what one fixed answer would get.
# The minutes are for the exercises; running the measurements comes on top.

# %% [markdown]
# On Colab the next cell fetches the course and installs what it needs; tools that want a container engine
# stay out there. Elsewhere it does nothing.

# %% tags=["colab", "measure"]
# Building the notebook writes this cell.

# %% [markdown]
# The lab's own functions: they check, take your guess, and show what came out.

# %%
from fsdl_course.labs import case, check, predict, reveal

# %% [markdown]
# ## Exercise 1: How old is an answer? ★ (8 minutes)
#
# A customer sends a card at minute `sent`. The job starts at minute `first`, and again every `every` minutes
# after that. A run reads the cards that are there when it starts; a card that comes in the very minute of the
# start is one of them. The run ends after `takes` minutes (fewer than `every`), and only then can the answers
# be looked up. Return how many minutes after it was sent the card's answer is there. A card may be sent long
# before the first run (`sent` may be negative); then it waits for the first one. All numbers are whole.
#
# <details><summary>Hint: a nudge</summary>Find the start of the run that reads the card; the rest is a
# sum.</details>
# <details><summary>Hint: the approach</summary>It is the first start that is not before
# <code>sent</code>. A loop that steps from start to start finds it; so does a division that rounds
# up.</details>
# <details><summary>Hint: a sketch</summary><code>start = first</code>, then <code>while start &lt; ...: start
# += ...</code></details>


# %% tags=["q1"]
def age(sent: int, first: int, every: int, takes: int) -> int:
    """Minutes from the sending of a card to the moment when its answer can be looked up."""
    ### BEGIN SOLUTION
    runs_before = max(0, -((first - sent) // every))
    return first + runs_before * every + takes - sent
    ### END SOLUTION


# %% [markdown]
# Run this after every change.

# %%
check("lab02.q1", age)

# %% [markdown]
# How long a run takes depends on how fast the job is. Predict, then measure: how many million cards does the
# job read on your machine in a night of eight hours?

# %%
GUESS = 20  # SOLUTION: GUESS = None
predict("the cards that the batch job reads in eight hours, in millions", GUESS)

# %% [markdown]
# An inbox of 600 cards for the real job; 60 of them are different, because drawing costs more than reading.

# %% tags=["measure"]
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from fsdl_deploy import Customers, open_reader
from fsdl_deploy.batch import inbox
from fsdl_deploy.batch.job import Batch
from fsdl_deploy.batch.store import Store, now

workplace = tempfile.TemporaryDirectory()  # removed when the kernel ends
here, reader = Path(workplace.name), open_reader("v2")
inbox.fill(here / "inbox", Customers(600, seed=2), "2026-10", different=60)

# %% [markdown]
# All of it, from opening the files to the rows in the table:

# %% tags=["measure"]
store = Store(here / "readings.db")
with Batch(here / "inbox", "2026-10", store, reader) as batch:
    started = perf_counter()
    scored = batch.score(progress=False)
    rate = scored.read / (perf_counter() - started)
store.close()
reveal(GUESS, rate * 8 * 3600 / 1e6, "million cards")

# %% [markdown]
# Your function with that rate: a million cards, and customers who send theirs at any minute of a day. How
# much does it help to run more often?

# %% tags=["measure"]
from statistics import median

from fsdl_deploy.measuring.table import Table

rows, takes = [], max(1, round(1e6 / rate / 60))
print(f"a million cards take {takes} minutes")
for every in (1440, 720, 360, 180):
    ages = [age(sent, 120, every, min(takes, every - 1)) for sent in range(120, 120 + 1440)]
    rows.append([every // 60, median(ages) / 60, max(ages) / 60])
Table(["a run every (h)", "median age (h)", "worst age (h)"], *rows, formats=["", ".1f", ".1f"])

# %% [markdown]
# ## Exercise 2: A table that may be written twice ★★ (12 minutes)
#
# A night is run again when somebody is not sure, and half of it is run again after a kill. Write the two SQL
# statements that make this harmless. A row is `[customer, month, model_version, digits]`.
#
# - There is one row for each customer, month and model version together.
# - Where a row with that key is there already, it stays as it is, whatever the new digits are: the bill may
#   be out.
# - A row whose digits are missing (`None`) is a fault of the job, also if its key is there already. The whole
#   night is refused: none of its rows is stored, and the night's number, from 0, stands in `refused`. A later
#   night may store them.
#
# Your function names the statements `create` and `insert`, and ends with
# `return replay(create, insert, nights)`. The table is `predictions` with the columns `customer`, `month`,
# `model_version` and `digits`, in this order; `insert` has a question mark for each.
#
# <details><summary>Hint: a nudge</summary>The database can keep all three rules by itself; no Python is
# needed.</details>
# <details><summary>Hint: the approach</summary>A <code>PRIMARY KEY</code> over the three columns keeps the
# first rule, <code>NOT NULL</code> the third. For the second say what to do on a conflict of keys, and only
# there: <code>INSERT OR IGNORE</code> overlooks more than you want.</details>
# <details><summary>Hint: a sketch</summary><code>CREATE TABLE predictions (customer, ..., digits NOT NULL,
# PRIMARY KEY (...))</code> and <code>INSERT INTO predictions VALUES (?, ?, ?, ?) ON CONFLICT
# ...</code></details>


# %%
import sqlite3


def replay(create: str, insert: str, nights: list[list[list]]) -> dict:
    """Play nights of rows through two SQL statements; what the table holds then, and what was refused."""
    database, refused = sqlite3.connect(":memory:"), []
    database.execute(create)
    for number, rows in enumerate(nights):
        try:
            with database:  # one transaction: all of a night, or nothing
                database.executemany(insert, rows)
        except sqlite3.IntegrityError:
            refused.append(number)
    columns = "customer, month, model_version, digits"
    stored_rows = database.execute(f"SELECT {columns} FROM predictions ORDER BY {columns}").fetchall()
    return {"rows": stored_rows, "refused": refused}


# %% [markdown]
# `replay` plays the nights through your statements, each in one transaction. A refusal is the database's own:
# any row that breaks a constraint.


# %% tags=["q2"]
def table_after(nights: list[list[list]]) -> dict:
    """What ``replay`` makes of these nights with your ``create`` and ``insert``."""
    ### BEGIN SOLUTION
    create = """CREATE TABLE predictions (customer, month, model_version, digits NOT NULL,
        PRIMARY KEY (customer, month, model_version))"""
    insert = "INSERT INTO predictions VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    return replay(create, insert, nights)
    ### END SOLUTION


# %% [markdown]
# The part about missing digits is the one where SQL's words matter most.

# %%
check("lab02.q2", table_after)

# %% [markdown]
# Three nights with real readings: the same cards twice with `v2`, then with `v1`. How often do the two models
# disagree about a card? With both in the table one can ask.

# %% tags=["measure"]
from fsdl_deploy.cards import cards


def night(version: str, drawn: list) -> list[list]:
    """The rows of one night: what ``version`` reads on the cards."""
    readings = open_reader(version).read([card.image for card in drawn])
    return [[f"C{n:07d}", "2026-10", version, reading.digits] for n, reading in enumerate(readings)]


drawn = list(cards(100, seed=3, split="test"))
nights = [night(version, drawn) for version in ("v2", "v2", "v1")]
for count in (1, 2, 3):
    print(f"after {count} nights: {len(table_after(nights[:count])['rows'])} rows")
both = table_after(nights)["rows"]
by_version = [{row[0]: row[3] for row in both if row[2] == version} for version in ("v1", "v2")]
print(sum(by_version[0][name] != by_version[1][name] for name in by_version[0]), "cards are read differently")

# %% [markdown]
# ## Exercise 3: Break it ★★ (5 minutes)
#
# A colleague wants to avoid asking which cards are stored: the job reads in the order of the names, so
# after a kill it only needs to go on after the last one that is stored. Find a night that loses a card.
#
# The first run finds the pictures `first` and reads them in the order of their names; it is killed when one
# chunk of 2 is stored, so `first` holds at least two. The pictures `late` come in afterwards. The second run
# calls `after_last_they_say` with all pictures, those of `first` and of `late`, and with the two that are
# stored, and reads what it returns.
#
# <details><summary>Hint: a nudge</summary>What does the check believe about every name before the last one
# that is stored?</details>
# <details><summary>Hint: the approach</summary>Customers do not send their cards in the order of their
# numbers. Who may come late?</details>
# <details><summary>Hint: a sketch</summary><code>[["C0000003.jpg", "C0000005.jpg", ...], [a name that sorts
# before the last stored one]]</code></details>


# %%
def after_last_they_say(pictures: list[str], stored: list[str]) -> list[str]:
    return [name for name in sorted(pictures) if name > max(stored)]


# %% [markdown]
# Return `[first, late]` such that one picture is read by neither run. A picture's name is a C, seven digits
# and `.jpg`: `"C0000007.jpg"`.


# %% tags=["q3"]
def night_that_loses_a_card() -> list[list[str]]:
    """``[first, late]``: pictures before and after the kill, one of which ``after_last_they_say`` loses."""
    ### BEGIN SOLUTION
    return [["C0000002.jpg", "C0000005.jpg", "C0000007.jpg"], ["C0000003.jpg"]]
    ### END SOLUTION


# %% [markdown]
# Does it break?

# %%
check("lab02.q3", night_that_loses_a_card)

# %% [markdown]
# ## Exercise 4: Go on after a kill ★★★ (15 minutes)
#
# Write it so that no card is lost, and no work is done twice. `pictures` are paths in the inbox in any order,
# such as `"C0000/C0000007.jpg"`; the customer is the file's name without folder and ending (`"C0000007"`).
# `stored` are the rows there are, as `[customer, month, model_version]`; `aside` the pictures that earlier
# runs of this month and model have set aside. Return what is left to read, in chunks:
#
# - A picture is done if its customer is stored for this `month` **and** this `version`.
# - A picture that is set aside is done too; another picture of the same customer is not.
# - Of several pictures of one customer that are not done only the first in sorted order is read.
# - Sort the pictures that are left as text, and cut the list into chunks of `size`; only the last one may be
#   shorter. Nothing left: an empty list, without chunks.
#
# <details><summary>Hint: a nudge</summary>First what is done, then what is left, then the chunks: three
# steps.</details>
# <details><summary>Hint: the approach</summary>Make a set of the customers that are stored for this month and
# version. Go through the sorted pictures; take one if it is not set aside and its customer is not in the set,
# and add the customer.</details>
# <details><summary>Hint: a sketch</summary><code>name.split("/")[-1].split(".")[0]</code> is the customer;
# <code>[left[start : start + size] for start in range(0, len(left), size)]</code> are the
# chunks</details>


# %% tags=["q4"]
def left_to_read(
    pictures: list[str], stored: list[list[str]], aside: list[str], month: str, version: str, size: int
) -> list[list[str]]:
    """The pictures that are not done, sorted, in chunks of ``size``."""
    ### BEGIN SOLUTION
    read_already = {customer for customer, *about in stored if about == [month, version]}
    left = []
    for picture in sorted(set(pictures) - set(aside)):
        customer = picture.rpartition("/")[2].partition(".")[0]
        if customer not in read_already:
            read_already.add(customer)
            left.append(picture)
    return [left[start : start + size] for start in range(0, len(left), size)]
    ### END SOLUTION


# %% [markdown]
# Each part is one of the rules.

# %%
check("lab02.q4", left_to_read)

# %% [markdown]
# Now kill the real job. It stores chunks of 40 and gets SIGKILL, which leaves no time for a last word, as
# soon as some are stored.

# %% tags=["measure"]
import subprocess
import sys

killed = Store(here / "killed.db")
program = [sys.executable, "-m", "fsdl_deploy.cli", "score", str(here / "inbox"), "--month", "2026-10"]
program += ["--store", str(here / "killed.db"), "--chunk", "40", "--workers", "1"]
with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
    deadline = perf_counter() + 60
    while killed.counts("2026-10", "v2")[0] < 80 and job.poll() is None and perf_counter() < deadline:
        pass  # asking the table is the pause
    job.kill()
with sqlite3.connect(here / "killed.db") as database:
    there = database.execute("SELECT customer, month, model_version FROM predictions").fetchall()
print(len(there), "cards were stored when the job was killed")

# %% [markdown]
# What your function says is left, and what the real job reads when it is started again:

# %% tags=["measure"]
month_folder = here / "inbox" / "2026-10"
pictures = [path.relative_to(month_folder).as_posix() for path in month_folder.glob("*/*.jpg")]
chunks = left_to_read(pictures, [list(row) for row in there], [], "2026-10", "v2", 40)
with Batch(here / "inbox", "2026-10", killed, reader, chunk=40) as batch:
    again = batch.score(progress=False)
killed.close()
print(f"you: {sum(map(len, chunks))} cards in {len(chunks)} chunks; the job: {again.read} cards")

# %% [markdown]
# ## Exercise 5: Did last night happen? ★★★ (17 minutes)
#
# A batch job fails without a sound: the customers get last month's answer, and no error. Write the check that
# looks at the record of runs. A run is a dictionary: `started` and `finished` (a minute, `None` if it never
# finished), `model_version`, `found` (the cards it found in the inbox) and `done` (the cards it read or set
# aside *itself*, not those that an earlier run had done). The list is in any order; no two runs start in the
# same minute, and none after `now`.
#
# *Last night* is every run that started at most `within` minutes before `now`. The *newest* is the one that
# started last. Return the first of these words that fits:
#
# 1. `"missing"`: last night has no run.
# 2. `"partial"`: the newest run has not finished; or last night's runs with the newest run's model, finished
#    or not, have together done fewer cards than there are `customers`.
# 3. `"old model"`: the newest run's model is not `expected_version`.
# 4. `"fresh"`.
#
# A worked record: it is minute 3500, `within` is 1440, there are 1000 customers, and `v2` is expected.
#
# | `started` | `finished` | `model_version` | `done` | |
# |---|---|---|---|---|
# | 1000 | 1030 | `v2` | 1000 | started 2500 minutes ago, so it is another night's: forget it |
# | 3000 | `None` | `v2` | 600 | last night's; killed after 600 cards, which count |
# | 3100 | 3110 | `v2` | 400 | last night's, and the newest; it did the rest |
#
# The newest has finished, and 600 + 400 cards are enough for 1000 customers: not `"partial"`. Its model is
# the expected one: `"fresh"`. Had the killed run used `v1`, its 600 cards would not count, and `400` are
# fewer than 1000: `"partial"`. Had there been no third run, the newest would not have finished: `"partial"`.
#
# <details><summary>Hint: a nudge</summary>Choose last night's runs first and forget the others.</details>
# <details><summary>Hint: the approach</summary><code>max</code> with a key finds the newest. What a run found
# says nothing about what should have been there: a job that looks at an empty folder finds no card, does all
# of them, and is content.</details>
# <details><summary>Hint: a sketch</summary><code>night = [run for run in runs if now - run["started"] &lt;=
# ...]</code>, then one <code>if</code> after the other, in the order of the list above</details>


# %% tags=["q5"]
def verdict(runs: list[dict], now: int, within: int, expected_version: str, customers: int) -> str:
    """What the record of runs says about last night: one of the four words."""
    ### BEGIN SOLUTION
    night = [run for run in runs if now - run["started"] <= within]
    if not night:
        return "missing"
    newest = max(night, key=lambda run: run["started"])
    version = newest["model_version"]
    stored = sum(run["done"] for run in night if run["model_version"] == version)
    if newest["finished"] is None or stored < customers:
        return "partial"
    return "fresh" if version == expected_version else "old model"
    ### END SOLUTION


# %% [markdown]
# Which of these would the job itself have noticed?

# %%
check("lab02.q5", verdict)

# %% [markdown]
# Five real nights: each has a database of its own, with the record that the course's job writes. The exit
# status is what a scheduler sees.

# %% tags=["measure"]
inbox.fill(here / "inbox", Customers(50, seed=2), "2026-11")
(here / "wrong" / "2026-11").mkdir(parents=True)


def minutes(moment):
    return None if moment is None else int(moment.timestamp() // 60)


def judged(night: Store, hours: float = 3) -> str:
    """Your verdict on the runs that ``night`` has on record, some hours from now."""
    runs = [
        {"started": minutes(run["started"]), "finished": minutes(run["finished"]),
         "model_version": run["model_version"], "found": run["cards"],
         "done": run["read"] + run["set_aside"]}
        for run in night.runs()
    ]  # fmt: skip
    night.close()
    return verdict(runs, minutes(now() + timedelta(hours=hours)), 1440, "v2", 50)


# %% [markdown]
# One is as it should be. In the second nobody has started the job since; in the third the inbox is mounted at
# the wrong place; in the fourth somebody started the old model. The fifth is what a killed job leaves: a
# start without an end.

# %% tags=["measure"]
score = [sys.executable, "-m", "fsdl_deploy.cli", "score"]
nights = {
    "a good night": (here / "inbox", "v2", 3),
    "a good one, 30 hours ago": (here / "inbox", "v2", 30),
    "the inbox is elsewhere": (here / "wrong", "v2", 3),
    "the old model": (here / "inbox", "v1", 3),
}
for number, (what, (place, version, hours)) in enumerate(nights.items()):
    database = here / f"night{number}.db"
    words = [place, "--month", "2026-11", "--version", version, "--store", database]
    status = subprocess.run([*score, *words], capture_output=True).returncode
    print(f"{what:25} exit status {status}   {judged(Store(database), hours)}")
stopped = Store(here / "stopped.db")
stopped.begin("2026-11", "v2", cards=50)
print(f"{'killed in the middle':25} no exit status  {judged(stopped)}")

# %% [markdown]
# ## Exercise 6: Batch, or a service? ★★ (8 minutes, graded by a person)
#
# The utility has 200,000 customers. Bills go out at six in the morning. Now it wants something more in its
# app: a customer who photographs the card sees the reading at once and can correct it. In six sentences or
# fewer: batch, a model service, or both, for which of the two uses? Use your figures from above: how long the
# cards take, how old the answers are, what happens when it fails at three in the morning.
#
# | points | an answer with |
# |---|---|
# | 1 | a position and a reason |
# | 2 | for each of the two uses a position argued with your figures |
# | 3 | that, and what your way does badly here, and what will notice it |

# %% [markdown] tags=["q6"]
# Both. The bills: 200,000 cards take a few minutes at the rate above, so a job at two can fail, be started
# again at five and is still done by six, and nobody waits for it. The app: even a job every three hours
# leaves answers more than an hour old at the median, and the customer holds the phone now, so a service has
# to read that card; the customer sees its failure at once, which is bad at three in the morning and at least
# not silent. Its answer goes into the same table under the same key, so that the job finds the card done and
# does not bill another reading. What batch does badly here is to fail in silence: a check outside the job
# looks at the record of runs at five and calls somebody.
