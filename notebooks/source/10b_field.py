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
# `fsdl-deploy edge budget` measures a model against it. If a line is exceeded it ends with status 1 and gives
# the reasons. Milliseconds are this machine's, times `slower`: a stand-in until there is a device to measure
# on. *Multiply-adds* count the network's arithmetic for one card. `compressed` is the size of the file after
# gzip (the packing that servers and browsers have in common); a server that does not compress sends `bytes`,
# as the course's app does. (The app shows its user a wider budget of its own, with what the browser stores;
# this one is the gate's.)

# %%
known = budget.read(budget.FILE.read_text(encoding="utf-8"))
graph = weights.verified("v2.onnx")
ours = budget.counted(graph) | budget.measured(graph, known.slower, 200 if FAST else 2000)
lines = budget.judged(ours, known)
measured["v2_fits"] = all(line.fits for line in lines if line.figure != "ms")  # a busy machine is no phone
budget.table(lines)

# %% [markdown]
# `v2` is the small model, the `teacher` the large one that taught it, which reads more cards right. Had we
# begun with the most accurate network, this is where we would have found out:

# %%
teacher = budget.judged(budget.counted(weights.verified("teacher.onnx")), known)
measured["teacher_reasons"] = sum(not line.fits for line in teacher)
print(*(f"refused: {line.reason}" for line in teacher if not line.fits), sep="\n")

# %% [markdown]
# ## Iterate: sizes and times as metrics
#
# *Make sure to add metrics around the model size and edge performance to your experiment tracking.*
# **MLflow** is a tool that keeps what each experiment measured. Here is a run for each version, with a metric
# for each line of the budget, in MLflow's own server:

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
# A metric that somebody must look at is forgotten on a Friday. *Avoid regressions*, says the slide. So the
# repository looks: git can ask a program (a **hook**) before it accepts a push. This is what ours checks in a
# commit:

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
# skipped. If you need more room, change the budget, in a commit that others read.
#
# ### Which figures can a gate trust?
#
# The gate checks bytes and multiply-adds, not milliseconds. Here is why: the same model, measured again and
# again, by the clock and by counting. (Machines that run everybody's tests, CI, are seldom quiet.)

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
# But multiply-adds are not latency, as [lesson 05](05_optimization.ipynb) shows: a depthwise convolution (one
# channel at a time) has few, and waits for memory. So a gate counts at every commit, and a release is timed
# on the device.
#
# ## Tuning is a risk: test on the target
#
# *E.g., always test your models on production hardware before deploying.* A phone has a different kind of
# processor (arm64). ONNX Runtime, which runs our exported graphs, has a build for it, and qemu, an emulator,
# plays the processor, instruction by instruction. The same files and cards on both; the record of `python
# infra/edge/arm64/record.py`:

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
# not tried. An older x86-64 without instructions for int8 (numbers of 8 bits) adds products in pairs into 16
# bits, where weights of `8` bits, the tool's default, may overflow without an error. So the course's own int8
# has weights of `7` bits. (The program can play such a processor, too, if you have patience:
# `record.py FOLDER 300 old`.)
#
# The processor is only one part of a target. The other is what the tuning did. Lesson 10 has two examples:
# files in 8 bits on every runtime, on record, and a calibration with a small mistake, which passed every
# check.

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
# A service is updated when its process is. A device takes a new version when its app is opened, it has a
# link, and its user agrees: say that `8 %` of those that lack it do so each day, and `5 %` never do. There is
# a release each month, for a year.
#
# **Your turn:** How many days pass until `90 %` of the devices have a new version? And how many versions must
# the server understand at once? Write both down. The figure shows it, the cell below it computes it.

# %%
from fsdl_deploy.edge import edge_figures, in_the_field

releases, p, never = list(range(0, 360, 30)), 0.08, 0.05
shares = in_the_field.shares(360, releases, p, never)
edge_figures.versions(shares)

# %% [markdown]
# Each band is a version, with its number; the coloured one at the bottom is the first. Is the computation
# right? As a check, ten thousand devices toss a coin each day. Then come the figures that whoever supports
# the devices needs.

# %%
drawn = in_the_field.drawn(10_000, 360, releases, p, never)
alive = [in_the_field.alive(row) for row in shares]
measured["field"] = {"alive": max(alive), "days": in_the_field.days_until(0.9, p, never)}
print(f"computed and drawn differ by {np.abs(shares - drawn).max():.3f} at most")
print(f"versions with 1 % of the devices or more: up to {max(alive)}")
print(f"until 90 % have a new version: {in_the_field.in_words(measured['field']['days'])}")
print(f"until 97 % have it: {in_the_field.in_words(in_the_field.days_until(0.97, p, never))}")

# %% [markdown]
# It takes so long because each day only a share of those that are *left* updates: the last ones before the
# limit are the slowest, and those that never update set the limit. By then the next release is out. So a
# server must understand several versions at once, and a wrong version cannot be called back: it can only be
# followed by a better one, at the same pace. (Is that one really from us? Who signs, how a device refuses an
# old, a forged or an endless file, and how small an update can be, is in [ONNX Runtime for
# browsers](tools/onnxruntime_web.ipynb).)
#
# ## Hard to monitor
#
# A service sees every request. Of ten thousand devices we see those that report, and if one asks people
# politely they are few: say `1 %`. The camera of a new phone crops every picture, and twenty devices have it.
# How likely is it that not one report comes from them?

# %%
from fsdl_deploy.edge import reports

devices, faulty = 10_000, 0.002
measured["unseen"] = reports.unseen(devices, faulty, 0.01)
rows = [[share, reports.unseen(devices, faulty, share)] for share in (0.001, 0.01, 0.05, 0.2)]
print(f"for 95 %, {reports.reporting_needed(devices, faulty):.0%} of the devices must report")
Table(["devices that report", "the fault is in no report"], *rows, formats=[".1%", ".0%"])

# %% [markdown]
# How would a device know? It does not know the right readings, only its own confidence. Is that lower where
# the camera crops the picture? We try the real reader: a device is *unsure* today if two or more of its ten
# cards lie below the threshold. Beside that stands the share of cards read wrongly, which no device knows.

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
# Some faults show, and one hardly does. Now let the fault be more common in the fleet: one device in twenty
# crops its pictures. What does the server believe? First from all devices, then from `1 %` of them by chance.
# Then those with the faulty phone, who have no data plan, report a fifth as often: again with `1 %`, and with
# ten times as many.
#
# **Your turn:** The third sample is biased, and the fourth is biased in the same way but ten times as large.
# Which of the two intervals will contain the truth, which is the share in the first line: both, one, neither?
# Write it down.

# %%
fleet = reports.fleet(devices, 0.05, unsure[None], unsure["cropped"], seed=1)
asked = {"1 %, by chance": (0.01, 1.0)}  # the share that reports, and how often the faulty ones do
asked |= {"1 %, the faulty seldom": (0.01, 0.2), "10 %, the faulty seldom": (0.1, 0.2)}
samples = {who: fleet.unsure[fleet.reporting(*how, seed=2)] for who, how in asked.items()}
learned = {who: reports.learned(sample) for who, sample in ({"all of them": fleet.unsure} | samples).items()}
measured["true"] = learned["all of them"].share
measured["believed"] = learned["10 %, the faulty seldom"].share
reports.table(learned)

# %% [markdown]
# With `1 %` the intervals are wide. That is chance, which more reports would cure, and in such a small sample
# nobody can tell a bias from chance. With `10 %` of the same kind the interval is narrow, and the truth lies
# outside: an interval allows for chance, and not for people who stay silent. More reports made it narrower,
# and no truer.
#
# ### Without knowing who
#
# People report more willingly if it cannot hurt them. With **randomized response** a device sometimes flips
# its bit, by chance, before it sends it. Nobody can tell whether a single report is true, but over many
# reports the flips can be subtracted.

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
# Privacy makes the interval wider, and more reports make it narrow again. One bit, sent only by those who
# agree, without the device's number, and added up before anybody looks: that is enough to see that a fleet
# falls ill, and too little to debug one phone. For that somebody has to send a picture, knowingly. The button
# *this is wrong* of the prototype's page (lesson 01) is the edge's best monitor.
#
# ## Fallbacks
#
# *Since models can be finicky, it's a good idea to build fallback mechanisms into the application in case the
# model fails or is too slow.* There is one deadline for the whole answer. First the device reads. If it is
# unsure, fails, or has used up its share of the time, the service is asked. If that does not answer either, a
# person reads the card tomorrow, and the app says so *now*.

# %%
from fsdl_deploy.edge.fallback import FallbackReader

Code(inspect.getsource(FallbackReader.settle), language="python")

# %% [markdown]
# We take hard cards, `v2` on the device, and the teacher behind a link that we can slow down, or cut without
# an error (the worst kind: the bytes vanish). The first line has no fallback: the device's reading stands,
# whatever it is.

# %%
from fsdl_deploy.edge import fallback, fallback_trial

deck = list(cards(40 if FAST else 600, "hard", seed=21))
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
# has all of it: more work and fewer wrong bills, since people read better than both models. So do not compare
# the lines by *wrong*, but by what a card costs. And look at the prices. Where a person is cheap beside a
# wrong bill, as here, the service's own mistakes may cost more than the work that it saves. A service pays
# where people are few, or where the customer must see the reading now.
#
# Nobody waits beyond the deadline, though a link that hangs costs all of it. What remains is the reading
# that is *sure and wrong*: there no fallback is ever asked.
#
# ### How sure is sure enough?
#
# That depends on what an error costs: with the prices above, ten times what a person does. Other cards, made
# of training digits, give the cost of every threshold:

# %%
practice = list(cards(600 if FAST else 5000, "hard", "train", seed=9))
read, truths = reader.read([card.image for card in practice]), [card.truth for card in practice]
thresholds = np.linspace(0, 1, 101)
cost = fallback.costs(read, truths, thresholds)
best = fallback.cheapest(read, truths, lambda w, person: fallback.WRONG * w + fallback.PERSON * person)
edge_figures.thresholds(thresholds, cost, best)

# %% [markdown]
# The model knows the training digits, which flatters it, so the real optimum lies somewhat higher. Lab 09
# needs no threshold: in its exercise 5 each card takes the cheapest of the three ways.
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
# *A budget with a hole.* A missing line would allow anything, and so would one that is not a number. Both are
# refused, with the line's name:

# %%
text = budget.FILE.read_text(encoding="utf-8")
for old, new in (("ms = 100 ", "# ms "), ("ms = 100 ", "ms = inf "), ("[least]", "[at_least]")):
    try:
        budget.read(text.replace(old, new), "budget.toml")
    except budget.BudgetError as error:
        print(error)

# %% [markdown]
# *Both fail.* The model on the device does not load, and there is no link. Then the answer is a message, and
# it is in time:

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
# That those who report have no problem that shows in a report. Whether the others are like them, the reports
# cannot tell. Ask a few at random in another way, or look at what all must send: the readings themselves,
# such as meters that run backwards.
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
# - One deadline, three who may answer, and a message if none does.
#
# **Cheat sheet.**
#
# - The budget comes first: `infra/edge/budget.toml`. `fsdl-deploy edge budget MODEL` judges a version or an
#   ONNX file; `--counted` leaves out what needs a clock.
# - `fsdl-deploy edge gate --install REPOSITORY` puts the gate into a bare repository.
# - With a share `p` a day, `1 - (1 - p)^days` of those that ever update have it:
#   `in_the_field.days_until(share, p, never)`.
# - A fault on `n` devices is in no report with probability `(1 - share that reports)^n`: `reports.unseen`.
# - More reports cure chance, not bias. Ask a random few in another way.
# - Randomized response: a bit is true with `e^ε / (1 + e^ε)`. Privacy costs width.
# - `FallbackReader(device, service, deadline=…)`: one deadline, and `settle(picture)` says who answered.
# - The threshold: `fallback.cheapest(readings, truths, price)`, on cards that are not the test's.
#
# **Sources.** [Git's hooks](https://git-scm.com/docs/githooks), [MLflow
# Tracking](https://mlflow.org/docs/latest/ml/tracking/), [how updates are signed: TUF's
# specification](https://theupdateframework.github.io/specification/latest/), [Warner 1965, randomized
# response](https://doi.org/10.1080/01621459.1965.10480775), [RAPPOR: the same in a
# browser](https://arxiv.org/abs/1407.6981), [ONNX Runtime's
# quantization](https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
#
# ## Where to go next
#
# - [ONNX Runtime for browsers](tools/onnxruntime_web.ipynb): signed updates, and who attacks them.
# - [TinyML](tools/tinyml.ipynb): a budget of kilobytes.
# - [Monitoring](08b_monitoring.ipynb): what a service sees, and a device does not.
