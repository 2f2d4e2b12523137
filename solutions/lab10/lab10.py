# %% [markdown]
# # Lab 10: Deploy it for real
#
# **Minutes:** 240 · **Prerequisites:** [The model in the field](../../notebooks/10b_field.ipynb)
#
# The utility's month end is in your hands. You get a brief of your own and hand in a folder: a service that
# reads cards, and one page that says why it is built as it is. The grader starts your service in a sandbox,
# sends it a month end that you have not seen, ends it in the middle, kills it, changes the model, and writes
# down all that happens. Points come from that record.
#
# There is nothing to fill in on this page. It draws your brief, shows what is judged, and looks at what a
# replay has recorded. The lessons that help most: [batch](../../notebooks/02_batch.ipynb) for what outlives a
# kill, [service](../../notebooks/03_service.ipynb) for queues, refusals and the end of a process (SIGTERM),
# [rollouts](../../notebooks/08_rollouts.ipynb) for a new version.
#
# Replays need Linux with bubblewrap, as `fsdl-course doctor` says. On macOS and Windows use a virtual
# machine, WSL or a colleague's machine.

# %% [markdown]
# ## Your brief
#
# The brief is drawn from your name, so yours differs from your neighbour's. Write the name as your
# instructor has it in the class list: the grader draws from that, and it is the name of the folder that you
# hand in.

# %% tags=["parameters"]
NAME = "your name"
FOLDER = ""  # the folder that you will hand in; "" for the one that is handed out

# %% [markdown]
# A customer talks in sentences. Which of them decides your design, and which will you have to ask about?

# %%
from fsdl_course.capstone.brief import brief_of, seed_of

brief = brief_of(seed_of(NAME))
print(brief.text())

# %% [markdown]
# ## What is judged
#
# Each line is *held*, *broken* or *unknown*. Unknown means that the record proves nothing, because too few
# cards came through, or the machine was busy with something else. Only *held* earns points. The table is the
# grader's own.

# %%
from fsdl_course.capstone import points
from fsdl_deploy.measuring.table import Table

Table(["criterion", "points", "held if"], *((row.name, row.points, row.held) for row in points.TABLE))

# %% [markdown]
# A person reads the decision record. Its points are added by your instructor, by this rubric.

# %%
from fsdl_course.capstone import decision

Table(["points", "a record with"], *decision.RUBRIC.items())

# %% [markdown]
# ## Begin
#
# In a terminal, outside of the course's folder (if it does not know `fsdl-course`, write the course's folder
# and `/.venv/bin/` in front of it):
#
# ```
# fsdl-course capstone new month-end --name "your name"
# ```
#
# That makes a folder with your brief, a service that starts and reads, `capstone.toml`, and the headings of
# the decision record. [CONTRACT.md](CONTRACT.md) has everything that the grader expects: two pages, worth
# reading twice. Any language will do if Debian has it. Write `FOLDER = "…/month-end"` above, and change one
# thing at a time:
#
# 1. **Refuse.** Broken pictures, no pictures, bombs: a 4xx that names the field, before memory is spent.
# 2. **Write down, then answer.** After `kill -9` every card that had a 200 is known. Where does the same
#    card sent twice go?
# 3. **Let many wait, but not all.** A slow sender must not hold up the others. How many cards may wait, if
#    the last of them should still be in time?
# 4. **End in order.** On SIGTERM: no new cards, finish what was accepted, exit with 0.
# 5. **Change the version** while cards come in, and keep the old one when the new one does not load.
# 6. **Rent less.** Memory costs money, and the brief has a budget.

# %% [markdown]
# ## A replay
#
# `fsdl-course capstone try FOLDER --name "your name"` sends you half a minute of a month end. Each `--seed`
# is another order of events; the grader's seeds are others again. The same happens here. With the folder as
# it was handed out, which criteria do you expect to be held? Decide before you run the cell.

# %% tags=["measure"]
import tempfile
from pathlib import Path

from fsdl_course.capstone import new, practice
from fsdl_course.labs.backends.backend import SandboxError

kept = tempfile.TemporaryDirectory(prefix="replay-")  # it goes when this notebook ends
OUT = Path(kept.name)
try:
    verdicts = practice.judged(Path(FOLDER or new.handed_out()), brief.seed, seed=0, out=OUT)
except SandboxError as error:
    verdicts = []
    print(error)
Table(["criterion", "verdict", "why"], *((row.criterion, row.verdict, row.why) for row in verdicts))

# %% [markdown]
# A verdict comes with its evidence: the events that show it. This is the first one of each criterion that
# broke. Read it before you change anything.

# %% tags=["measure"]
for row in verdicts:
    if row.verdict == points.BROKEN and row.evidence:
        print(f"{row.criterion}: {practice.shortened(row.evidence[0])}\n")

# %% [markdown]
# And the whole replay at once. Each mark is a card or a broken request, the grey bands are what was done to
# the service. Where do waits rise, and how long until they are back where they were?

# %% tags=["measure"]
from fsdl_course.capstone import replay_figure

if (OUT / "history.jsonl").exists():
    replay_figure.show(OUT / "history.jsonl")

# %% [markdown]
# ## The decision record
#
# `decision.md` in your folder has five headings. One page, in plain sentences, for the colleague who is
# called when it breaks. A figure counts if you measured it: say with which command. A person grades it, so
# write what you would defend in a review.
#
# ## Quick questions
#
# <details><summary>A service answers every card with 200 and loses one in a hundred after a kill. Which
# criterion breaks, and why is this worse than a refusal?</summary>Lost. The customer was told that the card
# is in, and will not send it again. After a refusal they would.</details>
#
# <details><summary>Your p99 is fine in a replay where no card was refused. What does a replay with many
# refusals and the same p99 tell you?</summary>That the wait counts from when the card was due to its answer,
# with all the attempts in between. Refusing is cheap for the service and not for the customer.</details>
#
# <details><summary>Why does a criterion stay unknown on a busy machine instead of broken?</summary>Times are
# compared with a plain reading made in between. If that one is slow and jumps, nobody can say whose fault a
# slow answer was.</details>
#
# ## Hand in
#
# Before you hand in: three seeds, one after the other, all held. Then the folder as a whole, `decision.md`
# in it, nothing that can be made again (no `node_modules`, no environment). What the grader found comes back
# as a page with the same table, and with the evidence.
