# %% [markdown]
# # The tour
#
# **Minutes:** 20 · **Prerequisites:** Python; what a trained model is · **Truth:** runs
#
# ## The need
#
# A utility asks its customers once a month what their meter shows. They write the digits on a card and send a
# picture of it. We have a model that reads such pictures. It lives in a notebook, like this one, and nobody
# outside this room can use it. The course turns it into a product, one step at a time.
#
# ## You will learn
#
# - what the cards look like, and what the model says of them
# - where the model is wrong, and whether it knows
# - what deployment adds to a model, and in which order the course adds it
# - how the lecture wants it done: early, simple first, complex only when a measurement asks for it

# %% [markdown]
# On Colab the next cell fetches the course and installs what it needs; tools that want a container engine
# stay out there. Elsewhere it does nothing.

# %% tags=["colab"]
# Building the notebook writes this cell.

# %% [markdown]
# ## This machine
#
# Everything runs on this machine: no account, no GPU. A tool beside the course's own is fetched when a cell
# first needs it. The next cell is the same in every lesson: with `FAST = True` everything is measured
# briefly, with `FAST = False` for longer, and the figures are steadier.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# The *doctor* looks at what this machine has. A line that does not say `ok` tells you what to do, or which
# part of a lesson will be left out. It is also a command for a terminal: `fsdl-course doctor`.

# %%
import subprocess
import sys

doctor = subprocess.run([sys.executable, "-m", "fsdl_course.cli", "doctor"], capture_output=True, text=True)
print(doctor.stdout)

# %% [markdown]
# ## The cards
#
# We draw the cards ourselves from 5,000 real handwritten digits of the MNIST collection, so that there is no
# end of them and we always know what is written there. Each card follows from a seed: yours are the same as
# everybody's.

# %%
from fsdl_deploy import figures
from fsdl_deploy.cards import cards
from fsdl_deploy.drawing import LEVELS

figures.use()
for level in LEVELS:
    print(level)
    sheet = list(cards(5, level, seed=22))
    figures.cards(
        [card.image for card in sheet],
        [card.truth for card in sheet],
        alt=f"five {level} meter cards with what is written on them",
    )

# %% [markdown]
# *Clean* cards are scans on white paper. *Typical* ones are what customers send: grey paper, printed boxes,
# a bit of blur. *Hard* ones were taken in a dark basement. The digits of these cards were never used in
# training: the split is by digit.
#
# The customers of our utility have meters that only rise. So the billing team can tell when a reading cannot
# be right, even if the model is sure of it.

# %% tags=["nbval-check-output"]
from fsdl_deploy import Customers

utility = Customers(1000)
for month in ("2026-07", "2026-08", "2026-09", "2026-10"):
    card = utility.card(3, month)
    print(card.customer, card.month, card.truth)

# %% [markdown]
# ## Reading
#
# Whatever reads cards is a **`Reader`**: pictures in, readings out. This one opens a model file in the
# **ONNX** format (a network, its weights and the steps around it in one file) with a program called ONNX
# Runtime. Others are a torch module, or a service behind a URL. The code below cannot tell them apart, and
# this is what the whole course builds on.

# %% tags=["nbval-check-output"]
from fsdl_deploy import OnnxReader

reader = OnnxReader("v2")
three = list(cards(3, "clean", seed=22))
for card, reading in zip(three, reader.read([card.image for card in three])):
    print(f"written {card.truth}, read {reading.digits}, by {reading.model_version}")

# %% [markdown]
# Three cards say little. Here are some hundreds, read in one call. *Exact match* counts a reading only when
# every digit is right, because a bill with one wrong digit is a wrong bill. The *character error rate* (CER)
# counts single digits.
#
# **Your turn:** Before you run the cell, write down your guess: how many of 100 typical cards does a small
# model read without a mistake?

# %%
from fsdl_deploy.cards import cards_and_digits
from fsdl_deploy.measuring import accuracy

count = 300 if FAST else 2000
pile, written = zip(*cards_and_digits(count, "typical", seed=1))
readings = reader.read([card.image for card in pile])
truths, predictions = [card.truth for card in pile], [reading.digits for reading in readings]
right = [truth == digits for truth, digits in zip(truths, predictions)]
print(f"exact match: {sum(right)} of {count} cards")
print(f"character error rate: {accuracy.character_error_rate(truths, predictions):.2%}")

# %% [markdown]
# Another few hundred cards would give another count. The *95 % interval* says how far it may lie from the
# true share. All cards are written with the same 1,000 test digits, and a digit that is hard to read spoils
# each card it is on. So the interval looks at which cards share one (`written`): one for independent cards
# would be too narrow.

# %%
low, high = accuracy.clustered(right, written)
print(f"exact match: {sum(right) / count:.1%}, 95 % interval: {low:.1%} to {high:.1%}")

# %% [markdown]
# With a few hundred cards, a difference of one point between two models means nothing. `fsdl-deploy evaluate`
# reads 2,000 cards of each level with every model of the course; the [model card of v2](../models/v2.md) has
# its figures.
#
# ## The first version, and the next
#
# *Deploy early, deploy often*, says the lecture. Version `v1` was trained for a short while, so that
# something could be tried; `v2` came later. Both read the same cards. What did the first deployment already
# give, and what did the second add?

# %%
from fsdl_deploy.measuring.table import Table

first_readings = OnnxReader("v1").read([card.image for card in pile])
first_right = sum(card.truth == reading.digits for card, reading in zip(pile, first_readings))
measured = {"asked": count, "first_right": first_right, "second_right": sum(right)}
Table(["version", "right", "of"], ["v1", first_right, count], ["v2", sum(right), count])

# %% [markdown]
# The first version was good enough to find out who sends what. Waiting for the second would have cost that
# time, and never deploying again would have cost the difference.
#
# ## A gallery of mistakes
#
# A share says how often, never how. Look at the cards that were read wrongly. Which of them could you read?

# %%
wrong = [(card, reading) for card, reading in zip(pile, readings) if card.truth != reading.digits][:12]
figures.cards(
    [card.image for card, _ in wrong],
    [
        f"written {card.truth}\nread {reading.digits or 'nothing'} ({reading.confidence:.0%})"
        for card, reading in wrong
    ],
    alt="cards that the model read wrongly, with what is written, what was read, and the confidence",
)

# %% [markdown]
# Some digits are mistaken for each other more than others are. Rows are what was written, columns what was
# read; the many right ones are left out.

# %%
from fsdl_deploy.measuring import accuracy_figures

accuracy_figures.confusion(truths, predictions, f"Errors on {count} typical cards")

# %% [markdown]
# ## Does it know when it is wrong?
#
# Every reading has a confidence: how strongly the model prefers its answer to any other. If it is worth
# something, then the sure readings are right more often than the unsure ones. So the unsure ones can go to a
# person. The curve shows what that costs: the more cards a person reads, the fewer errors are left.

# %%
confidence = [reading.confidence for reading in readings]
accuracy_figures.errors_left(confidence, right)

# %% [markdown]
# It pays: the same work of people removes more errors when the model points at the cards. Keep this in mind
# for the edge, where the lecture asks for a **fallback** when the model is unsure.
#
# ## What will go wrong later
#
# The world does not stay as it was in training. An app update inverts the picture; a customer takes a felt
# pen. The model still answers. Compare what is written with what is read, and look at the confidence.

# %%
from fsdl_deploy.cards import DRIFTS

changed = [next(cards(1, "typical", seed=4, drift=drift)) for drift in DRIFTS]
answers = reader.read([card.image for card in changed])
figures.cards(
    [card.image for card in changed],
    [
        f"{drift}: {card.truth}\nread {answer.digits or 'nothing'} ({answer.confidence:.0%})"
        for drift, card, answer in zip(DRIFTS, changed, answers)
    ],
    alt="the same card inverted, rotated, dark, cropped, and written with a new pen, with what was read",
)

# %% [markdown]
# One card each is an example. How often does each change do harm, and does the confidence say so? A reading
# with a confidence above `0.9` would pass without a person: how many of those are wrong?

# %%
from fsdl_deploy.measuring.accuracy import sure_and_wrong

drift_count, drift_rows = 100 if FAST else 1000, {}
for drift in (None, *DRIFTS):
    drifted = list(cards(drift_count, "typical", seed=5, drift=drift))
    answers = reader.read([card.image for card in drifted])
    drift_rows[drift or "none"] = sure_and_wrong([card.truth for card in drifted], answers, sure=0.9)
header = ["change", "right", f"of {drift_count}: surer than 90 %", "wrong of these", "median confidence"]
Table(header, *([name, *row] for name, row in drift_rows.items()), formats=["", "", "", "", ".0%"])

# %% [markdown]
# Kept for the end: the usual cards, the change that does most harm, and what passed as sure and was wrong.

# %%
harm = min(drift_rows, key=lambda name: drift_rows[name].right)
measured |= {"drifted": drift_count, "usual_right": drift_rows["none"].right}
measured |= {"worst_change": harm, "worst_right": drift_rows[harm].right}
measured["passed_wrong"] = sum(row.wrong for name, row in drift_rows.items() if name != "none")
print(f"{harm}: {measured['worst_right']} of {drift_count} right; sure and wrong: {measured['passed_wrong']}")

# %% [markdown]
# The changes are not alike. Darkness does next to no harm, and a new pen costs some readings. Inverted,
# rotated and cropped cards are mostly misread, and there the confidence falls too, so most of these cards go
# to a person. It is no guarantee: one column counts the cards that passed as sure and were wrong all the
# same. Compare its share of the sure ones for usual and for cropped cards. Confidence also ranks less
# reliably on pictures unlike the training set.
#
# Offline accuracy did not show any of this. That is the lecture's first point: **deploying is part of making
# a model good**, because only then do you see which pictures arrive.
#
# ## The map of the course
#
# The lecture's advice in one line: *deploy early, keep it simple, add complexity later*. The course takes its
# four steps in order. Each box is a need of the meter reader, with the lesson about it; the arrows are the
# moments when the simple way stops being enough.
#
# ```mermaid
# flowchart TD
#     model(["A trained model<br/>in a notebook"]) --> prototype
#     prototype["<b>1 Prototype</b><br/>let the billing team try it today<br/>(lesson 01)"]
#     prototype -- "many users, many updates" --> separate
#     subgraph separate["<b>2 Separate the model from the UI</b>"]
#         batch["Batch prediction<br/>last night's cards by morning<br/>(lesson 02)"]
#         service["Model-as-service<br/>an answer while the customer waits<br/>(lessons 03, 04)"]
#     end
#     separate -- "month end is spiky and expensive" --> scale
#     subgraph scale["<b>3 Scale</b>"]
#         faster["Optimize<br/>one server, more readings<br/>(lessons 05, 06)"]
#         wider["Scale out<br/>many servers<br/>(lesson 07)"]
#         rollouts["Roll out, and watch<br/>new versions<br/>(lessons 08, 08b)"]
#         managed["Managed options<br/>buy it instead<br/>(lessons 09, 09b)"]
#     end
#     scale -- "basements have no signal" --> edge
#     edge["<b>4 Edge</b><br/>the model in the customer's hand<br/>(lessons 10, 10b)"]
#     style model fill:#d55e00,color:#fff
# ```
#
# Walk down only as far as your product needs. Many stop at the second step, and are right to.
#
# ## The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed from what the cells above measured on your machine;
# the rules stand in `notebooks/claims.toml`. Every lesson ends with such a table.

# %%
from fsdl_course.claims import claims

claims("00", measured)

# %% [markdown]
# ## Questions
#
# **Question:** The exact match on typical cards is lower than on single digits. Why, if nothing else is
# different?
#
# <details><summary>Answer</summary>
# A reading is right only when all its digits are. If a single digit is right with probability p, a card of
# five is right with about p⁵: with <code>0.995</code> for a digit it is <code>0.995 ** 5</code>,
# <code>0.975</code>, for a card.
# </details>
#
# **Question:** The test digits are split from the training digits *by digit*. What would be wrong with a
# split by card?
#
# <details><summary>Answer</summary>
# The same handwritten digit would stand on training and on test cards. The model could remember it, and the
# measured accuracy would promise more than new customers will see.
# </details>
#
# **Question:** A reading is below last month's, and the model is as sure as it can be. Who is right?
#
# <details><summary>Answer</summary>
# A meter only rises, so the reading is wrong, or last month's was, or the meter was replaced. What the
# product knows beside the picture is often worth more than a better model.
# </details>
#
# ## Take-aways
#
# - A reading is right or wrong as a whole, and an accuracy without its interval is half a figure.
# - Confidence ranks the readings. It falls on most pictures unlike those of the training, and some wrong
#   readings stay sure.
# - Everything that reads is a `Reader`; the rest of the course changes where it stands.
# - Deploy early, keep it simple, and let measurements ask for the next step.
#
# **Cheat sheet.** `cards(n, level, seed=…)` draws cards, `level` is clean, typical or hard.
# `OnnxReader("v2").read(pictures)` gives a `Reading` each: `digits`, `confidence`, `model_version`.
# `accuracy.clustered(right, written)` gives the interval. `fsdl-deploy evaluate` measures every model,
# `fsdl-course doctor` looks at this machine, `fsdl-course claims` lists the lecture's sentences.
#
# **Sources.** The cards' digits: LeCun and others, [MNIST](https://yann.lecun.com/exdb/mnist/). The lecture:
# Full Stack Deep Learning 2022,
# [Deployment](https://fullstackdeeplearning.com/course/2022/lecture-5-deployment/).
#
# ## Where to go next
#
# - [Lab 00](../labs/lab00/lab00.ipynb): what a reading is worth, and a promise that it keeps.
# - [The prototype](01_prototype.ipynb): the billing team tries the model this afternoon.
# - [Batch prediction](02_batch.ipynb): last night's cards, read by morning.
# - [Model-as-service](03_service.ipynb): the model gets a home of its own.
