# %% [markdown]
# # The model in the field: keep it small, current, seen, and never alone
#
# **Minutes:** 30 · **Prerequisites:** [Move to the edge](10_edge.ipynb) · **Truth:** runs
#
# ## The need
#
# The reader is on ten thousand phones. Nobody can log in to them. Some have the version of last spring, some
# a camera that makes every picture dark, and one customer in the basement waits for a model that hangs.
#
# The lecture ends with four **mindsets** for this: start from the requirement, watch size and latency, treat
# tuning as a risk, and have fallbacks. It also names two weaknesses that no framework takes away: a model on
# a device is *difficult to update*, and *difficult to monitor and debug when things go wrong*.
#
# ## You will learn
#
# - to write a budget for a device, and to let a repository refuse what breaks it
# - which figures waver from run to run, and which do not
# - how many versions are in the field at once, and how long an old one stays
# - what a server can know of models it cannot see, and what privacy costs it
# - to answer every customer in time, by the device, the service or a person

# %% [markdown]
# ## Where the model sits
#
# On the devices, in several versions at once. Between the author and the devices stands a gate; behind each
# device stand two who help: a service, and a person.
#
# ```mermaid
# flowchart LR
#     author["Author"] --> gate{"Budget?"}
#     gate -- "release" --> v2(["Device: v2"])
#     gate -- "release" --> v1(["Device: still v1"])
#     v1 & v2 -. "one bit a day, if they like" .-> server["Reports"]
#     v2 -- "unsure, or too slow" --> service["Service"] -- "unsure, or late" --> person["Person"]
#     style v1 fill:#d55e00,color:#fff
#     style v2 fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means more cards and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# What all parts of this lesson use:

# %%
import inspect
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Code, display

from fsdl_course.setup.stations import ensure
from fsdl_deploy import OnnxReader, figures, weights
from fsdl_deploy.measuring.table import Table

figures.use()
measured = {}  # what the claims are judged by

# %% [markdown]
# ## First the requirement
#
# *Start with the edge requirement, not the architecture choice*, say the notes; *it's easy to pick a
# high-performing model architecture, only to then find it impossible to run on the edge device*. So the
# requirement is a file, and older than the model:

# %%
from fsdl_deploy.edge import budget

Code(budget.FILE.read_text(encoding="utf-8"), language="toml")

# %% [markdown]
# `fsdl-deploy edge budget` measures a model against it and ends with status 1 and the reasons if a line is
# passed. Milliseconds are this machine's, times `slower`: a stand-in until there is a device to measure on.
# `compressed` is what gzip makes of the file; a server that does not compress sends `bytes`, as the course's
# app does. (The app shows its user a budget of its own, wider, with what the browser stores; this one is the
# gate's.)

# %%
known = budget.read(budget.FILE.read_text(encoding="utf-8"))
graph = weights.verified("v2.onnx")
ours = budget.counted(graph) | budget.measured(graph, known.slower, 200 if FAST else 2000)
lines = budget.judged(ours, known)
measured["v2_fits"] = all(line.fits for line in lines if line.figure != "ms")  # a busy machine is no phone
budget.table(lines)

# %% [markdown]
# The teacher reads more cards right. Had we begun with the most accurate network, this is where we would have
# found out:

# %%
teacher = budget.judged(budget.counted(weights.verified("teacher.onnx")), known)
measured["teacher_reasons"] = sum(not line.fits for line in teacher)
print(*(f"refused: {line.reason}" for line in teacher if not line.fits), sep="\n")

# %% [markdown]
# ## Iterate: sizes and times as metrics
#
# *Make sure to add metrics around the model size and edge performance to your experiment tracking.* A run
# for each version, a metric for each line of the budget, in MLflow's own server:

# %% tags=["station:mlflow"]
from fsdl_deploy.edge import tracking
from fsdl_deploy.managed.mlflow_serving import Tracking

ensure("mlflow")
with ExitStack() as running:
    folder = Path(running.enter_context(TemporaryDirectory()))
    url = running.enter_context(Tracking(folder)).server.url
    for version in ("v1", "v2", "teacher"):
        content = weights.verified(f"{version}.onnx")
        metrics = budget.counted(content) | budget.measured(content, known.slower, 100 if FAST else 2000)
        tracking.log(url, version, metrics)
    every, fitting = tracking.runs(url), tracking.runs(url, f"metrics.bytes < {known.most['bytes']}")
display(tracking.table(every))
print("MLflow's filter on bytes leaves:", ", ".join(fitting))

# %% [markdown]
# So the next experiment is compared by all of these, and not by accuracy alone.
#
# ## Iterate: a gate that refuses
#
# A metric that somebody looks at is forgotten on a Friday. *Avoid regressions*, says the slide. So the
# repository looks: git asks a program before it takes a push, and this is what the program asks of a commit.

# %%
from fsdl_deploy.edge import gate

Code(inspect.getsource(gate.problems), language="python")

# %% [markdown]
# A central repository with this gate, a clone, and a week of work: a model that fits, one that is more
# accurate, and a way around the gate.

# %%
from fsdl_deploy.edge import gate_trial

with TemporaryDirectory() as folder:
    repositories = gate_trial.Repositories(Path(folder))
    repositories.commit("the budget, and v2", "v2", gate_trial.default_budget())
    pushes = {"v2": repositories.push()}
    repositories.commit("a more accurate model", "teacher")
    pushes["teacher"] = repositories.push()
    repositories.commit("a budget for everything", text="[most]\n")
    pushes["no budget"] = repositories.push()
    arrived = repositories.subjects()
measured["pushed"] = {name: push.outcome for name, push in pushes.items()}

# %% [markdown]
# What git said, and what arrived:

# %%
for push in pushes.values():
    print(f"{push.subject}: {push.outcome}", *push.reasons, sep="\n    ")
print("in the central repository:", arrived)

# %% [markdown]
# A hook on the author's machine would do the same until the first `--no-verify`; one at the server cannot be
# skipped. Who needs more room changes the budget, in a commit that others read.
#
# ### Which figures can a gate trust?
#
# The gate asks for bytes and multiply-adds, not for milliseconds. Here is why: the same model, measured again
# and again, by the clock and by counting. (A machine of CI is seldom quiet.)

# %%
from fsdl_deploy.edge import frontier, work

with TemporaryDirectory() as folder:
    again = range(3 if FAST else 20)
    clock = [frontier.times(Path(folder), 5, 2, among=["v2"])["v2"] for _ in again]
counts = [work.of(graph).multiply_adds for _ in range(2)]
measured["timed_spread"] = max(clock) / min(clock) - 1
measured["counted_spread"] = max(counts) / min(counts) - 1
print(f"time differs by {measured['timed_spread']:.0%}, multiply-adds by {measured['counted_spread']:.0%}")

# %% [markdown]
# Multiply-adds are no latency, as lesson 05 shows: a depthwise convolution has few and waits for memory. So a
# gate counts at every commit, and a release is timed on the device.
#
# ## Tuning is a risk: test on the target
#
# *E.g., always test your models on production hardware before deploying.* A phone's processor is another one
# (arm64). ONNX Runtime has a build for it, and qemu plays the processor, instruction by instruction. The same
# files and cards on both; the record of `python infra/edge/arm64/record.py`:

# %%
from fsdl_deploy.edge import on_arm64

record = on_arm64.recorded()
otherwise = on_arm64.otherwise(record)
measured["otherwise"] = {graph: max(of[graph] for of in otherwise.values()) for graph in otherwise["arm64"]}
measured["otherwise_most"] = max(measured["otherwise"].values())
measured["processor_cards"] = record["cards"]
measured["not_excluded"] = on_arm64.at_most(record)[1]
print(on_arm64.finding(record))
on_arm64.table()

# %% [markdown]
# "Read the same" is a result only as far as its interval reaches. It says nothing about processors that were
# not asked: an older x86-64 without instructions for int8 adds products in pairs into 16 bits, where weights
# of `8` bits, the tool's default, may overflow without an error. So the course's own int8 has weights of `7`
# bits. (The program can play such a processor, too, if you have patience: `record.py FOLDER 300 old`.)
#
# The processor is only one part of a target. The other is what the tuning did. Lesson 10 has both kinds on
# record: files in 8 bits on every runtime, and a calibration with a small mistake, which passed every check.

# %%
from fsdl_deploy.edge import badly_calibrated, targets_overview

tuned = measured["tuned"] = targets_overview.changed_by_int8()
print(f"{tuned['files']} files in 8 bits: {tuned['least']:.0f} to {tuned['most']:.0f} readings of")
print(f"{tuned['per']:,} cards are others, up to {tuned['high']:.1%} by the worst file's interval")
same, of = badly_calibrated.alike(badly_calibrated.converted())
measured["miscalibrated"] = {"same": same, "of": of}
print(f"calibrated with white paper: {same} of {of} readings are the same")

# %% [markdown]
# So the risk is the tuning, more than the processor, and no message announces it. The test is to read cards
# on the target, as many as the difference that you mind needs.
#
# ## Hard to update
#
# A service is updated when its process is. A device takes a new version when it is opened, has a link, and
# its user agrees: say, with `8 %` a day, while `5 %` never do. A release each month, for a year:

# %%
from fsdl_deploy.edge import in_the_field

releases, p, never = list(range(0, 360, 30)), 0.08, 0.05
shares = in_the_field.shares(360, releases, p, never)
figure, axes = plt.subplots(figsize=(7, 3))
grey = [str(0.85 - 0.06 * (number % 13)) for number in range(shares.shape[1])]
axes.stackplot(range(1, 361), shares.T, colors=[figures.PALETTE[1], *grey[1:]])
for number, share in enumerate(shares.T):  # each version's number where it is widest
    day = int(share[:350].argmax())
    middle, color = shares[day, :number].sum() + share[day] / 2, "white" if number > 6 else "black"
    axes.text(day + 3, middle, f"{number + 1}", va="center", fontsize=8, color=color)
axes.set(xlabel="days", ylabel="share of the devices", xlim=(1, 360), ylim=(0, 1))
figures.show(figure, alt="Each new version replaces the others over weeks; a strip of the first one remains")

# %% [markdown]
# Each band is a version, with its number; the coloured one at the bottom is the first. Is the computation
# right? Ten thousand devices that toss a coin each day, beside it; then the figures that whoever supports
# them needs.

# %%
drawn = in_the_field.drawn(10_000, 360, releases, p, never)
alive = [in_the_field.alive(row) for row in shares]
measured["field"] = {"alive": max(alive), "days": in_the_field.days_until(0.9, p, never)}
print(f"computed and drawn differ by {np.abs(shares - drawn).max():.3f} at most")
print(f"versions with 1 % of the devices or more: up to {max(alive)}")
print(f"until 90 % have a new version: {in_the_field.in_words(measured['field']['days'])}")
print(f"until 97 % have it: {in_the_field.in_words(in_the_field.days_until(0.97, p, never))}")

# %% [markdown]
# So a server must understand several versions at once, and a wrong version cannot be called back: it can
# only be followed by a better one, at the same pace. (Is that one really from us? Who signs, how a device
# refuses an old, a forged or an endless file, and how small an update can be, is in
# [ONNX Runtime for browsers](tools/onnxruntime_web.ipynb).)
#
# ## Hard to monitor
#
# A service sees every request. Of ten thousand devices we see those that report, and whoever asks people
# politely gets few: say `1 %`. A new phone's camera cuts all pictures off; twenty devices have it. How likely
# is it that not one report comes from them?

# %%
from fsdl_deploy.edge import reports

devices, faulty = 10_000, 0.002
measured["unseen"] = reports.unseen(devices, faulty, 0.01)
rows = [[share, reports.unseen(devices, faulty, share)] for share in (0.001, 0.01, 0.05, 0.2)]
print(f"for 95 %, {reports.reporting_needed(devices, faulty):.0%} of the devices must report")
Table(["devices that report", "the fault is in no report"], *rows, formats=[".1%", ".0%"])

# %% [markdown]
# How would a device know? It has no truth, only its own confidence. Is that lower where the camera cuts the
# picture off? We ask the real reader: a device is *unsure* today if two or more of its ten cards lie below
# the threshold. Beside it how many cards are then read wrongly, which no device knows.

# %%
from fsdl_deploy.cards import cards
from fsdl_deploy.optimization.cascade import SURE

reader, unsure = OnnxReader("v2"), {}
for fault in (None, "dark", "cropped", "new pen"):
    deck = list(cards(500 if FAST else 5000, "typical", seed=5, drift=fault))
    readings = reader.read([card.image for card in deck])
    low = np.array([reading.confidence < SURE for reading in readings]).reshape(-1, 10)
    unsure[fault] = float((low.sum(1) >= 2).mean())
    wrong = np.mean([reading.digits != card.truth for reading, card in zip(readings, deck)])
    print(f"{fault or 'as usual':8}: {unsure[fault]:.0%} of devices unsure, {wrong:.0%} of cards wrong")

# %% [markdown]
# Some faults show, and one hardly does. Now a larger fleet of faults: one device in twenty cuts off. What
# does the server believe? From all devices, from `1 %` of them by chance, and where those with the faulty
# phone, who have no data plan, report a fifth as often: again with `1 %`, and with ten times as many.

# %%
fleet = reports.fleet(devices, 0.05, unsure[None], unsure["cropped"], seed=1)
rows = [["all of them", reports.learned(fleet.unsure)]]
for percent, shy, who in (
    (1, 1.0, "by chance"),
    (1, 0.2, "the faulty seldom"),
    (10, 0.2, "the faulty seldom"),
):
    sample = fleet.unsure[fleet.reporting(percent / 100, shy, seed=2)]
    rows.append([f"{percent} %, {who}", reports.learned(sample)])
measured["true"] = rows[0][1].share
measured["believed"] = rows[3][1].share
header = ["who reports", "reports", "unsure devices", "95 % interval, from", "to"]
cells = [[name, known.reports, known.share, known.low, known.high] for name, known in rows]
Table(header, *cells, formats=["", ",", ".1%", ".1%", ".1%"])

# %% [markdown]
# With `1 %` the intervals are wide. That is chance, more reports cure it, and in such a small sample nobody
# can tell a bias from it. With `10 %` of the same kind the interval is narrow, and the truth lies outside:
# it speaks about other devices. More reports made it narrower, and no truer.
#
# ### Without knowing who
#
# People report more willingly if it cannot hurt them. With **randomized response** a device flips its bit by
# chance before it is sent: of a single report nobody can tell, and over many the flips can be computed out.

# %%
Code(inspect.getsource(reports.learned_from_flipped), language="python")

# %% [markdown]
# `ε` says how much a report may tell: a bit is sent as it is with probability `e^ε / (1 + e^ε)`, which is a
# coin for `0`. The same fleet, a tenth of which reports:

# %%
bits, rows = fleet.unsure[fleet.reporting(0.1, seed=3)], []
for epsilon in (None, 3.0, 1.0, 0.5):
    sent = bits if epsilon is None else reports.flipped(bits, epsilon, seed=round(10 * epsilon))
    of = reports.learned(sent) if epsilon is None else reports.learned_from_flipped(sent, epsilon)
    true = 1.0 if epsilon is None else reports.truthful(epsilon)
    rows.append(["" if epsilon is None else f"{epsilon:g}", true, of.share, of.low, of.high])
header = ["ε", "sent as they are", "unsure devices", "from", "to"]
Table(header, *rows, formats=["", ".0%", ".1%", ".1%", ".1%"])

# %% [markdown]
# Privacy is paid in width, and width is bought back with more reports. One bit, opt-in, without a number of
# the device, and added up before anybody looks: that is enough to see a fleet fall ill, and too little to
# debug one phone. For that somebody has to send a picture, knowingly: the button *this is wrong* of the
# prototype's page (lesson 01) is the edge's best monitor.
#
# ## Fallbacks
#
# *Since models can be finicky, it's a good idea to build fallback mechanisms into the application in case the
# model fails or is too slow.* One deadline for the whole answer. First the device; if it is unsure, fails, or
# has used up its share of the time, the service; if that does not answer either, a person reads the card
# tomorrow, and the customer is told so *now*.

# %%
from fsdl_deploy.edge.fallback import FallbackReader

Code(inspect.getsource(FallbackReader.settle), language="python")

# %% [markdown]
# Hard cards, `v2` on the device, the teacher behind a link that we can slow down and cut without a word (the
# worst kind: the bytes vanish). The first line has no fallback: the device's reading stands, whatever it is.

# %%
from fsdl_deploy.edge import fallback, fallback_trial

deck = list(cards(60 if FAST else 600, "hard", seed=21))
rows = fallback_trial.measure(reader, deck, deadline=0.5)
print("tried:", ", ".join(fallback_trial.CONDITIONS))

# %% [markdown]
# Who answered, how many wrongly, how many late, and what that costs:

# %%
measured["settled"] = len(deck)
measured["wrong_without"] = rows[0].wrong
measured["wrong_with"] = rows[1].wrong
measured["late"] = sum(row.late for row in rows)
fallback.table(rows)

# %% [markdown]
# With a link the teacher takes what `v2` is unsure of, and a person reads the rest. Without one the person
# has all of it: more work and fewer wrong bills, since people read better than both. So do not compare the
# lines by *wrong*, but by what a card costs. And look at the prices: where a person is cheap beside a wrong
# bill, as here, the service's own mistakes may cost more than the people whom it saves. It pays where people
# are few, or where the customer must see the reading now.
#
# Nobody waits beyond the deadline, though a link that hangs costs all of it. What remains is the reading
# that is *sure and wrong*: there no fallback is ever asked.
#
# ### How sure is sure enough?
#
# That depends on what an error costs: with the prices above, ten times what a person does. Cards of training
# digits, which were not the ones above, give the cost of every threshold:

# %%
practice = list(cards(600 if FAST else 5000, "hard", "train", seed=9))
read, truths = reader.read([card.image for card in practice]), [card.truth for card in practice]
thresholds = np.linspace(0, 1, 101)
cost = fallback.costs(read, truths, thresholds)
best = fallback.cheapest(read, truths, lambda w, person: fallback.WRONG * w + fallback.PERSON * person)
figure, axes = plt.subplots(figsize=(7, 2.8))
axes.plot(thresholds, cost, label="without a link")
axes.axvline(best, color="black", linestyle=":", label=f"cheapest: {best:.2f}")
axes.set(xlabel="a person reads below this confidence", ylabel="cost (€ a card)")
axes.legend()
figures.show(figure, alt="Cost falls while unsure cards go to a person, and rises once sure ones do, too")

# %% [markdown]
# Training digits flatter the model, so the real optimum lies somewhat higher. Lab 09 needs no threshold: in
# its exercise 5 each card takes the cheapest of the three ways.
#
# ## The lecture's claims beside ours
#
# Each verdict is computed from what the cells above measured here, or from a record that they show; the rules
# stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("10b", measured)

# %% [markdown]
# ## When it fails
#
# *A budget with a hole.* A line that is missing would allow anything, and so would one that is no number.
# Both are refused, with the line's name:

# %%
text = budget.FILE.read_text(encoding="utf-8")
for old, new in (("ms = 100 ", "# ms "), ("ms = 100 ", "ms = inf "), ("[least]", "[at_least]")):
    try:
        budget.read(text.replace(old, new), "budget.toml")
    except budget.BudgetError as error:
        print(error)

# %% [markdown]
# *Both fail.* The model on the device does not load, and there is no link. Then the answer is a sentence,
# and it is in time:

# %%
broken = fallback.SlowReader(reader, None)
with FallbackReader(broken, None, deadline=0.5) as helpless:
    answer = helpless.settle(deck[0].image)
print(f"by a {answer.by}, after {answer.seconds:.3f} s: {answer.why}")

# %% [markdown]
# ## Questions
#
# **Question:** Your gate refuses by milliseconds, measured in CI. What will happen on a busy day, and what do
# people do about it?
#
# <details><summary>Answer</summary>
# It refuses commits that change nothing. People push again until it passes, and raise the limit; after that
# it refuses nothing. Count what can be counted in the gate, and time releases on the device, in turns with
# the version before.
# </details>
#
# **Question:** A fifth of your customers has switched reports off. The reports show no problem. What do you
# know?
#
# <details><summary>Answer</summary>
# That those who report have none that shows in a report. Whether the others are like them, the reports cannot
# tell. Ask a few at random by another way, or look at what all must send: the readings themselves, such as
# meters that run backwards.
# </details>
#
# **Question:** Why does the device get a share of the deadline, and not all of it?
#
# <details><summary>Answer</summary>
# If a device that hangs may use up the deadline, no time is left to ask the service: then the fallback exists
# in the code and never answers.
# </details>
#
# ## Take-aways
#
# - Write the budget before you choose the network, and let the repository keep it.
# - A gate counts; a release is timed on the device.
# - Support several versions at once, always: the field has them.
# - Few reports hide rare faults, and reports of the willing hide more.
# - One deadline, three who may answer, and a sentence if none does.
#
# ## Where to go next
#
# - [ONNX Runtime for browsers](tools/onnxruntime_web.ipynb): signed updates, and who attacks them.
# - [TinyML](tools/tinyml.ipynb): a budget of kilobytes.
# - [Monitoring](08b_monitoring.ipynb): what a service sees, and a device does not.
