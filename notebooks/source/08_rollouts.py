# %% [markdown]
# # Rollouts and monitoring: change the model, and notice when it is wrong
#
# **Minutes:** 110 · **Prerequisites:** [Scaling](07_scaling.ipynb) · **Truth:** runs
#
# ## The need
#
# `v2` reads better than `v1` did, and the next version is ready: `v3-bad`. Its author has tried it on clean
# cards, where it reads as well as `v2`. It has a bug, which nobody knows yet. And while no version changes,
# the world does: the app's next update sends darker pictures, and nobody tells us.
#
# The lecture names what one wants here, *roll out gradually, roll back instantly, split traffic, deploy
# pipelines of models*, and monitoring, and then leaves them out as too hard. We do not.
#
# ## You will learn
#
# - to give a new version to a few customers first, and to all of them only if nothing gets worse
# - to decide without labels, which come too late, and to look as often as you like without fooling yourself
# - what a shadow costs and shows, how long the ways back take, and to deliver through gates
# - to write alerts that fire when they should, and to prove that they do
# - which signal sees which change of the pictures, and which change does harm

# %% [markdown]
# ## Where the model sits
#
# Twice: the **stable** version and the **candidate** are both loaded. A proxy decides who answers a
# customer. A controller moves its shares, by what both answered. Prometheus watches from the side.
#
# ```mermaid
# flowchart LR
#     app["Application"] --> proxy{"Proxy"}
#     proxy -- "95 %" --> stable(["stable: v2"])
#     proxy -- "5 %" --> candidate(["candidate: v3-bad"])
#     stable & candidate -. "answers" .-> controller["Rollout controller"]
#     controller -. "shares" .-> proxy
#     stable & candidate -. "metrics" .-> prometheus["Prometheus"]
#     style stable fill:#d55e00,color:#fff
#     style candidate fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures. Envoy runs on Linux; Prometheus comes from Debian's
# archive. On macOS and Windows the cells that need them are skipped, and the rest runs.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# What all parts of this lesson use:

# %%
from contextlib import ExitStack

import matplotlib.pyplot as plt

from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures

figures.use()
running, measured = ExitStack(), {}  # what ends at the end of a part; what the claims are judged by

# %% [markdown]
# ## Gradual
#
# `v3-bad` reads clean cards as well as `v2` does, and that is where it was tried. On the pictures of old
# phones it is wrong about three times as often. If all customers get it at once, all of them find that out.
# So a new version, the **candidate**, first answers a few. The **stable** version stays, and answers the
# others. Both are loaded; a proxy decides by a hash of the customer's name.

# %% tags=["station:envoy"]
from fsdl_deploy.rollouts.stage import staged

ensure("envoy")
stage = running.enter_context(staged("envoy", candidate="v3-bad", stable="v2", customers=150))
customers = list(stage.customers)
print(f"{len(customers)} customers, with the cameras {sorted({sent.camera for sent in customers})}")

# %% [markdown]
# A **rollout controller** moves the traffic: a quarter of the customers, then all. After each look at the
# answers it decides whether to go on, to wait, or to give all of it back. These are the rules, all of them
# (`fsdl_deploy.rollouts.controller`):

# %%
import inspect

from IPython.display import Code

from fsdl_deploy.rollouts import controller

Code(inspect.getsource(controller.decide), language="python")

# %% [markdown]
# The real one has small steps and waits for thousands of cards. Here it hurries, so that you can watch it.

# %% tags=["station:envoy"]
from fsdl_deploy.rollouts.controller import RolloutStep
from fsdl_deploy.rollouts.live import live

rate = 40 if FAST else 20
steps = (RolloutStep(0.25, 30), RolloutStep(0.5, 60), RolloutStep(1.0, 5000))
rolled = live(stage, customers, steps, rate)
measured["live_lost"] = rolled.trial.lost
measured["live_status"] = rolled.state.status
assert rolled.state.status == "rolled back", rolled.state.why
rolled.table()

# %% [markdown]
# What its customers got meanwhile:

# %% tags=["station:envoy"]
figure, axes = plt.subplots(figsize=(7, 2.8))
moments, shares, _ = zip(*rolled.changes)
axes.step([*moments, moments[-1] + 1], [*shares, 0], where="post", color="black", label="share of v3-bad")
axes.plot(rolled.good, [0.05] * len(rolled.good), "|", label="its right answers")
axes.plot(rolled.bad, [0.1] * len(rolled.bad), "x", label="its wrong answers")
axes.set(xlabel="seconds", ylabel="share of the traffic", ylim=(-0.03, 1.05))
axes.legend()
figures.show(figure, alt="The share of v3-bad rises in steps; wrong answers gather; it falls to 0")
given = len(rolled.bad) + len(rolled.good)
print(f"{len(rolled.bad)} wrong answers of {given}, {rolled.trial.lost} lost requests")

# %% [markdown]
# How many customers are harmed before the alarm? That takes more rollouts than anybody has patience for, so
# they are replayed: what `v2`, `v3-bad` and others read on 6,000 customers' cards is on record
# (`infra/rollouts/answers`), and the same controller decides. A tenth of the cards comes from scanners, six
# tenths from the app, three tenths from old phones: an assumption. They come as at the end of the month, a
# million and a half a day, and the controller looks every five minutes.

# %%
from fsdl_deploy.rollouts import answers, replay

recorded = answers.load()
replay.harm_by_plan(recorded, "v3-bad", seeds=10 if FAST else 100)

# %% [markdown]
# With a quarter of the traffic or more, the first look has cards enough, and the harm is what five minutes
# bring. With `1 %` it takes longer until there are as many, but they are few. Where the alarm has to wait,
# for labels as in the last column, a small first step is worth most. And if the candidate reads unseen first
# (below), nobody is harmed at all.
#
# ### By customer or by request?
#
# Customers who send several cards should meet one version. A hash of the name sees to that, and whoever is
# among the first `5 %` is among the first `25 %`.

# %%
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.rollouts.split import arm

names = [f"C{number:07d}" for number in range(10_000)]
first, later = ({name for name in names if arm(name, share) == "candidate"} for share in (0.05, 0.25))
assert first < later
by_request = [{arm(f"{name}, card {card}", 0.25) for card in range(4)} for name in names]
both = sum(len(versions) == 2 for versions in by_request) / len(names)
rows = [["customer", 0, len(first - later)], ["request", both, None]]
header = ["split by", "met both versions in four cards", "left when 5 % became 25 %"]
Table(header, *rows, formats=["", ".0%", ""])

# %% [markdown]
# ## Which guardrails, without labels?
#
# What is really on a card turns out days later, when a customer complains. So the **guardrails** compare
# answers: the stable version reads the candidate's cards once more, unseen. Each pair of answers counts as
# worse, as good, or better.

# %%
from fsdl_deploy.rollouts.guardrails import GUARDRAILS

rows = [[name, rail.words, rail.tolerance, rail.in_segment] for name, rail in GUARDRAILS.items()]
Table(["guardrail", "counts", "tolerated", "from one camera"], *rows, formats=["", "", ".1%", ".1%"])

# %% [markdown]
# Two of them stand for the label. Meters only rise, and not by any amount: a reading that the customer's
# meter cannot show is wrong (*plausibility*). And where the stable version is very sure, a candidate that
# reads something else is rarely right (*disagreement*); where it is not sure, a better candidate may well be.
#
# ## Looking again and again
#
# When is a difference more than chance? A z-test for two shares promises `5 %` false alarms to whoever looks
# **once**. A controller looks all the time. The mixture SPRT pays for that:

# %%
from fsdl_deploy.rollouts import sequential

Code(inspect.getsource(sequential.msprt_p), language="python")

# %% [markdown]
# Both tests on canaries in which nothing is wrong, looked at again and again:

# %%
canaries = 200 if FAST else 1000
tests = {"z-test, each 50 requests": sequential.z_test_p, "mSPRT, as often": sequential.msprt_p}
rates = {name: sequential.false_alarms(test, 0.02, canaries=canaries) for name, test in tests.items()}
measured["peeking"] = rates["z-test, each 50 requests"]
measured["sequential"] = rates["mSPRT, as often"]
first = sequential.alarms_at(sequential.msprt_p, (0.02, 0.08), canaries=canaries)
Table(["test", "canaries without a difference that raise an alarm"], *rates.items(), formats=["", ".1%"])

# %% [markdown]
# The guardrails use a relative of it for pairs: a gambler who bets against "no worse" (`evidence`). Its bets
# are fixed, so it takes three logarithms.

# %%
Code(inspect.getsource(sequential.evidence), language="python")

# %% [markdown]
# ## A/B: how many cards until the two are told apart?

# %%
pairs = recorded.pairs("v3-bad")
sizes = [50, 100, 200, 400, 800, 1600, 3200]
figure, axes = plt.subplots(figsize=(7, 3.8))
for mix, cameras in {"scanner": ["scanner"], "app": ["app"], "old phone": ["old phone"], "all": None}.items():
    chosen = replay.Recorded([pair for pair in pairs if cameras is None or pair.segment in cameras])
    for guardrail, style in (("labels", "o-"), ("disagreement", "x--")):
        found_by = sequential.power(chosen.differences(guardrail), sizes, runs=60 if FAST else 400)
        axes.plot(sizes, found_by, style, label=f"{mix}: {guardrail}")
axes.set(xscale="log", xlabel="cards read by both", ylabel="tests that see it", ylim=(-0.02, 1.02))
figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=7)
figures.show(
    figure, alt="Power against cards: old phones tell within a few hundred, scanners only in thousands"
)

# %% [markdown]
# On a scanner's clean cards it takes thousands of labels, and without labels nothing is seen: that is how
# `v3-bad` came through its tests. On the cards of old phones a hundred or two do. How many of the whole mix
# are enough for four tests in five?

# %%
seen = sequential.power(replay.Recorded(pairs).differences("labels"), sizes, runs=60 if FAST else 400)
measured["told_apart"] = next((size for size, share in zip(sizes, seen) if share >= 0.8), sizes[-1])
print(f"{measured['told_apart']} cards, once their labels are there")

# %% [markdown]
# (Read by both versions: with half of the cards for each, it takes far more, since cards differ more than
# versions do.)
#
# ## Shadow
#
# Nobody has to be harmed at all: `v2` answers, and the proxy sends a copy of each picture to `v3-bad`, whose
# answers nobody gets. Both services log what they read by the request's id.

# %% tags=["station:envoy"]
from fsdl_deploy.rollouts.shadow import cost, shadowed

seconds = 3 if FAST else 20
without, unseen = (shadowed(stage, customers, rate, seconds, share) for share in (0, 1))
measured["shadow_met"] = unseen.met
print(f"of {len(unseen.pairs)} cards {len(unseen.disagreements)} read otherwise, {unseen.met} met a customer")
cost(without, unseen)

# %% [markdown]
# The price: every card is read twice. And a shadow sees answers only: what customers do with them it cannot.
#
# ## Instant rollback
#
# The alarm has come. How long until the last bad answer? Four ways back, each under load: end the bad
# version and start the good one, start the good one first and then move the traffic, switch between two that
# are loaded in one process, or give the traffic back to the version that has been there all the time.

# %% tags=["station:envoy"]
from fsdl_deploy.rollouts import rollback

ways = {name: rollback.WAYS[name] for name in ("restart", "two loaded, a switch")}
ways["start, then move"] = rollback.starting_first("envoy")
ways["Envoy, weights live"] = rollback.moving_back(stage)
rollbacks = rollback.compared(ways, customers, rate, around=1)
measured["last_bad"] = {each.way: each.last_bad for each in rollbacks}
measured["back_lost"] = {each.way: each.lost for each in rollbacks}
rollback.table(rollbacks)

# %% [markdown]
# A restart is quick to end bad answers, since for seconds it ends *all* answers. Started first, the good
# version leaves customers with the bad one until it is ready. The last two have paid in advance: both
# versions are loaded all the time.
#
# ## Does the controller keep what it promises?
#
# Replays of good candidates (`v2` in int8, and the teacher), of `v3-bad`, and of versions that were made bad
# in one small way each. `fsdl-deploy rollouts replay` plays 200 of each.

# %%
from fsdl_deploy.rollouts.spoiled import spoiled

seeds = 10 if FAST else 200
tried = spoiled(recorded)
bad = ["v3-bad", "2 points more wrong", "1 card in 8 wrong from old phones", "errors for 1 %"]
played = {name: replay.replay(tried, name, seeds) for name in (*replay.GOOD, *bad)}
measured["bad_back"] = replay.rolled_back(played["v3-bad"], 0.05)
measured["good_back"] = max(replay.rolled_back(played[name]) for name in replay.GOOD)
replay.summary(tried, played)

# %% [markdown]
# A controller that dies is started again: what it has decided is on disk, what it has seen is in the logs.
# And a human can overrule it at any time: `fsdl-deploy rollouts order FOLDER pause`, `resume`, `rollback` or
# `stop`.

# %% tags=["station:envoy"]
running.close()

# %% [markdown]
# ## Pipelines that deliver
#
# So far somebody had a new version and let it meet customers. Who made it, was it tested, and is the file
# that runs the file that was tested? At month end nobody remembers. One command answers:
# `fsdl-deploy delivery deliver NAME` trains, evaluates, signs, packages, lets some customers meet the
# result, and promotes it. Each step is a **gate**. What a gate refuses goes no further, and the former
# release is served until the last step, which is the renaming of one small file. (The same on Linux, macOS
# and Windows.)
#
# To be quick, this lesson delivers networks that were trained before; `FAST = False` also trains one. First
# `v1`, on a new shelf, then `v2`.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from fsdl_deploy.delivery import deliver as delivery
from fsdl_deploy.delivery import releases
from fsdl_deploy.delivery.gates import Commit
from fsdl_deploy.delivery.package import published

workplace = TemporaryDirectory()
store = Path(workplace.name) / "store"
key = releases.secret(store.with_name("key"))


def commit(version, **changes):
    ready = {"packaging": published(version), "cards": 100 if FAST else 1000, "levels": ("typical",)}
    return Commit(version, **ready | changes)


# %% [markdown]
# Each gate says what it saw.

# %%
begin = perf_counter()
for name, version in (("spring", "v1"), ("summer", "v2")):
    result = delivery.deliver(store, name, commit(version), key)
    print(f"{name}:", *(f"{gate}: {seen['summary']}" for gate, seen in result.passed.items()), sep="\n  ")
measured["delivered"] = releases.serving(store).release
print(f"{measured['delivered']} is served, after {perf_counter() - begin:.1f} s for both")

# %% [markdown]
# **Evaluate** reads the same cards as the champion, which is what is served, and counts pairs: what the
# candidate fixed against what it broke. It refuses what is worse by more than chance, and also what was read
# on so few cards that nothing is proven. **Sign** seals the weights with the evaluation: a file that changes
# afterwards is seen. (Our seal is an HMAC of Python's own library, for which whoever checks needs the
# secret, too. With a key pair, as Sigstore's *cosign* has, servers could check and not sign.) **Package**
# makes the ONNX file and compares it with the weights. **Canary** is the rollout of this lesson, here in one
# process and judged by plausibility alone.
#
# Now commits that are bad, each in its own way. Which gate refuses which?

# %%
from fsdl_deploy.models import Student
from fsdl_deploy.training.recipes import Recipe

bad = {
    "not trained": commit("", recipe=Recipe(Student, (), seed=1), packaging=published("v2")),
    "worse": commit("v1"),
    "changed": commit("v2"),
    "mixed up": commit("v2", packaging=published("v1")),
    "buggy": commit("v3-bad", levels=("clean",)),
}


def refusal(name, new, **how):
    try:
        delivery.deliver(store, name.replace(" ", "-"), new, key, **how)
    except delivery.DeliveryError as error:
        return str(error)


# %% [markdown]
# *Changed* is changed by hand after it was signed. *Buggy* is `v3-bad`, and somebody was content with clean
# cards in the evaluation.

# %%
refusal("changed", bad["changed"], until="sign")
file = store / "deliveries" / "changed" / "model" / "reader.safetensors"
file.write_bytes(file.read_bytes()[:-1] + b"\0")
rows = []
for name, new in bad.items():
    gate, _, why = refusal(name, new).partition(" refuses ")
    rows.append([name, gate, why.partition(": ")[2]])
    assert releases.serving(store).release == "summer"
measured["refused"] = {name: gate for name, gate, _ in rows}
measured["refused_count"] = len(rows)
measured["refused_by"] = ", ".join(measured["refused"].values())
Table(["commit", "refused by", "because"], *rows)

# %% [markdown]
# Each was refused by a gate that could know, in one sentence, and `summer` was served all the time. The last
# row is the one to remember: an evaluation is as good as its cards. With the cards of that commit the bug
# passes, with hard ones it does not; the canary found it on the first customers.
#
# A delivery can be killed, too, or its machine can die. Here it dies between the canary and the last gate.
# The same command goes on behind the last gate that was passed, and to take the release back is one command
# (`fsdl-deploy delivery deliver --rollback`).


# %%
def dies(work):
    raise KeyboardInterrupt


try:
    delivery.deliver(store, "autumn", commit("v2"), key, delivery.GATES | {"promote": dies})
except KeyboardInterrupt:
    print("killed; served:", releases.serving(store).release)
again = delivery.deliver(store, "autumn", commit("v2"), key)
print("the same command again; served:", releases.serving(store).release)
begin = perf_counter()
releases.roll_back(store)
measured["release_rollback"] = perf_counter() - begin
print(f"rolled back in {1000 * measured['release_rollback']:.1f} ms")
print("served:", releases.serving(store).release)

# %% [markdown]
# ## Pipelines of models
#
# What answers a customer is seldom one model. Ours would be three parts: the reader; a **cascade**, which
# hands what the reader is not sure of to a larger one ([Optimization](05_optimization.ipynb)); and
# **plausibility**, since a meter only rises. The threshold of the cascade, `0.59`, was chosen for the
# confidence of `v2`. It means nothing to another reader. So the three are *one* release with *one* version,
# and a manifest says what each part takes and gives. This is what the cascade takes:

# %%
from fsdl_deploy.delivery import model_pipeline

home = Path(workplace.name)
model_pipeline.build(home / "october", key, "2026-10", reader="v1", sure=0.01)
model_pipeline.build(home / "november", key, "2026-11", reader="v2", sure=0.59)
for scale in ("percent", "logarithm"):
    model_pipeline.build(home / scale, key, f"2026-12, {scale}", scale=scale)
cascade = model_pipeline.parts(home / "november", key)[2]
Table(["the cascade takes", "as"], *cascade.takes.items())

# %% [markdown]
# Now one part is changed alone, and the others stay as they are: the reader goes back to that of October; or
# a new reader comes that is `v2` to the last bit, but reports its confidence in per cent, or as a logarithm,
# both of which are sensible. All files are whole and sealed. What would come of it (`trusting=True` loads it
# all the same), and what does the manifest say?

# %%
from fsdl_deploy import Customers
from fsdl_deploy.rollouts.meters import Meter

utility, count = Customers(1000, seed=8), 100 if FAST else 1000
month = [utility.card(i, "2026-10") for i in range(count)]
meters = [Meter(utility.customer(i).register, utility.reading(i, "2026-09")) for i in range(count)]
names = {"november as one unit": home / "november"}
for part_of in ("october", "percent", "logarithm"):
    names[f"reader of {part_of} alone"] = home / f"mixed {part_of}"
    model_pipeline.swap(home / "november", "reader", home / part_of, home / f"mixed {part_of}", key)

# %% [markdown]
# The cards of a month, through each of them.

# %%
rows = []
for name, folder in names.items():
    misfits = model_pipeline.misfits(model_pipeline.parts(folder, key))
    pipeline = model_pipeline.load(folder, key, trusting=True)
    begin = perf_counter()
    answers = pipeline.read([card.image for card in month], meters)
    each = 1000 * (perf_counter() - begin) / len(month)
    right = sum(answer.digits == card.truth for answer, card in zip(answers, month)) / len(month)
    rows.append([name, pipeline.cascade.share, right, each, "refused" if misfits else "loaded"])
measured["handed_on"] = {name: share for name, share, *_ in rows}
measured["manifest"] = {name: verdict for name, *_, verdict in rows}
header = ["", "handed on", "read right", "ms a card", "by its manifest"]
Table(header, *rows, formats=["", ".0%", ".1%", ".0f"])

# %% [markdown]
# In per cent everything is above the threshold: nothing is handed on, and the cascade might as well not be
# there. As a logarithm everything is below: each card is read twice, and the bill is that of the large model.
# Nothing fails, no test of a part alone is red, and the answers still look like answers. The manifest refuses
# all three before a customer meets them. The sentence for the last:

# %%
print(misfits[0])
workplace.cleanup()

# %% [markdown]
# ## What the libraries take care of
#
# *Your library may take care of some of this*, says the lecture. Six of them got the same canary. Three were
# run: Triton and TorchServe keep several versions, Ray Serve keeps a router alive that we wrote. Of the
# others there are resources for a cluster, checked with their own classes or schemas. Where a library has no
# word for something, the word was tried and refused; the [notebook](tools/rollouts_in_libraries.ipynb) shows
# how. Each row was recorded by `fsdl-course bench canaries` on its date.

# %%
from fsdl_course.serving import canaries
from fsdl_deploy.measuring import records

libraries = records.read(canaries.FILE)
columns = ("both versions", "a share", "rolls back by itself")
measured["care"] = {c: sum(row[c] == "yes" for row in libraries.values()) for c in columns}
measured["care"]["of"] = len(libraries)
print("recorded from", min(row["date"] for row in libraries.values()))
canaries.table(libraries)

# %% [markdown]
# Model servers keep versions and leave it to the caller, or to a balancer before them, who gets which.
# Cluster frameworks divide traffic. How many of the six go back by themselves?

# %%
by_itself = [name for name, row in libraries.items() if row["rolls back by itself"] == "yes"]
print(f"{len(by_itself)} of {len(libraries)}: {', '.join(by_itself)}")

# %% [markdown]
# ## Monitoring: notice when it is wrong
#
# The lecture leaves monitoring out, *a challenge in its own right*, and names a student project that took it
# up with Prometheus and Grafana. **Prometheus** asks each service every few seconds what it counts, at
# `/metrics`, and keeps the answers as series over time. **Alert rules** are questions that it asks these
# series by itself. **Alertmanager** decides who hears of an answer. All three files are in
# `infra/monitoring/prometheus`. The programs come from Debian's archive: on macOS and Windows the cells that
# need them are skipped.
#
# Three things are watched here: `v3-bad`, the version that came on Monday; billing, which counts what became
# of each reading; and Prometheus itself. It begins to ask while you read on.

# %% tags=["station:prometheus"]
from fsdl_deploy import course_server
from fsdl_deploy.monitoring import billing
from fsdl_deploy.monitoring.prometheus import Prometheus

ensure("prometheus")
watched, SPEED = ExitStack(), 240  # an hour of the rules is a quarter of a minute here
customers = Customers(60, seed=4)
service = watched.enter_context(course_server("serve", "--version", "v3-bad", "--max-waiting", "4"))
bills = watched.enter_context(billing.Billing(billing.last_month(customers, "2026-09")))
targets = {"reader": [service.port], "billing": [bills.port]}

# %% [markdown]
# Its messages go to a pager of ours, which writes each into a file.

# %% tags=["station:prometheus"]
import tempfile

from fsdl_deploy.monitoring.alertmanager import Alertmanager
from fsdl_deploy.monitoring.pager import Pager

folder = watched.enter_context(tempfile.TemporaryDirectory())
pager = watched.enter_context(Pager(Path(folder) / "pager.jsonl"))
manager = watched.enter_context(Alertmanager(pager, speed=SPEED))
prometheus = Prometheus(targets, speed=SPEED, alertmanager=manager.port)
watched.callback(prometheus.close)
print(prometheus.start().configuration)

# %% [markdown]
# ### How many errors are too many?
#
# *Wake me when requests fail* wakes somebody every night. So a team promises something: of 1,000 readings,
# 999 are answered, over 30 days. That is a **service level objective**. One in a thousand may fail: the
# **error budget**. What matters is how fast it is spent. A **burn rate** of 1 spends it in exactly 30 days.

# %%
from fsdl_deploy.monitoring import burn_rate

Code(inspect.getsource(burn_rate.minutes_to_fire), language="python")

# %% [markdown]
# The four alerts that Google's engineers recommend, and ours. Each looks at two windows: the long one says
# that it matters, the short one that it still goes on, so that the alert ends when the errors do. The two
# quick ones wake somebody, the slow ones can wait until morning.

# %%
burn_rate.table()

# %% [markdown]
# Against the rule that everybody writes first, *more than a thousandth failed within the last ten minutes*:
# a month in which the promise was kept, with half of the errors that it allows, at random.

# %%
import numpy as np

figures.use()
rng = np.random.default_rng(8)
asked = rng.poisson(1200, burn_rate.PERIOD)
failed = rng.binomial(asked, 0.0005)
woken = {"naive": burn_rate.times_woken(burn_rate.naive(failed, asked))}
woken |= {f"{w.rate:g}": burn_rate.times_woken(burn_rate.fires(failed, asked, w)) for w in burn_rate.WINDOWS}
print("times woken in a month that kept the promise, by rule:", woken)
assert woken.pop("naive") > 30 and not any(woken.values())

# %% [markdown]
# And how long does a real outage go unnoticed?

# %%
errors = np.geomspace(0.001, 1, 200)
figure, axes = plt.subplots(figsize=(7, 3.2))
for window in burn_rate.WINDOWS:
    minutes = [burn_rate.minutes_to_fire(share, window) for share in errors]
    axes.plot(100 * errors, minutes, label=f"burn rate {window.rate:g}: {window.severity}")
axes.set(xscale="log", yscale="log", xlabel="requests that fail (%)", ylabel="until it fires (min)")
axes.legend()
figures.show(figure, alt="Minutes until each alert fires, against the share that fails: falling lines")

# %% [markdown]
# ### Do the rules do what they should?
#
# An alert is tried least where it is needed most. `promtool test rules` gives made-up series to the rules,
# and an hour takes no time. Which alerts fire when five in a hundred requests fail from the second hour on?

# %% tags=["station:prometheus"]
from fsdl_deploy.monitoring import alerts, promtool

(slo,) = (file for file in alerts.files() if file.stem == "slo")
counted = 'reader_requests_total{path="/read", status="%s"}'
series = {counted % 200: "0+600x60 36570+570x60", counted % 500: "0x60 0+30x60"}
fired = promtool.firing(series, ["60m", "65m", "80m"], [slo])
Table(["after", "alerts that fire"], *([time, ", ".join(names) or "none"] for time, names in fired.items()))

# %% [markdown]
# The tests in `infra/monitoring/prometheus/tests` are such series, with what is expected: counters that begin
# anew after an update, one request of three failing at night, nobody asking at all.
#
# promtool does not see the worst fault. A rule that asks for a series which nobody sends is correct, and
# silent for ever. So the course looks up what each rule asks for in what the services really export:

# %% tags=["station:prometheus"]
import httpx2

pages = [httpx2.get(f"http://127.0.0.1:{port}/metrics").text for (port,) in targets.values()]
exported = alerts.exported(*pages)
broken = Path(folder) / "broken.yml"
broken.write_text(slo.read_text().replace('status=~"5..|429"', 'code=~"5..|429"'))
print("promtool:", "content" if promtool.check_rules(broken) else "not content")
print("\n".join(alerts.problems(alerts.rules([broken]), exported)[:2]))
assert alerts.problems(alerts.rules(), exported) == []

# %% [markdown]
# ### A morning with Prometheus
#
# Now live, with one change: all times in the rules are divided by `SPEED`. Customers send their cards, and
# nothing happens. Only the *watchdog* fires, as always: whoever stops hearing it knows that the alarm itself
# is broken.

# %% tags=["station:prometheus"]
from fsdl_deploy import open_reader

prometheus.settle()
remote = open_reader(url=service.url)


def send(deck, seconds, until=lambda: False):
    """Cards, all in one request, again and again; each reading is taken by billing."""
    begin = perf_counter()
    while perf_counter() < begin + seconds and not until():
        for card, reading in zip(deck, remote.read([card.image for card in deck])):
            bills.take(card.customer, reading)
    return perf_counter() - begin


# %% [markdown]
# Two seconds of an ordinary morning, and what Prometheus knows of it.

# %% tags=["station:prometheus"]
started = prometheus.query("time()")[0].value
send(list(customers.cards("2026-10"))[:20], 2)
quiet = set(prometheus.alerts())
for question in ("sum(rate(reader_pictures_total[1s]))", "reader:confidence:mean15m", "reader:grey:mean15m"):
    print(f"{question}: {prometheus.query(question)[0].value:.2f}")
print("firing:", quiet)
assert quiet == {"Watchdog"}

# %% [markdown]
# The app is updated: its pictures are darker from now on. No request fails, and none takes longer.

# %% tags=["station:prometheus"]
dark = list(customers.cards("2026-10", drift="dark"))[:20]
seconds = send(dark, 10, until=lambda: len(prometheus.alerts()) > 2)
(sure,) = prometheus.query("reader:confidence:mean15m")
pictures = prometheus.alerts()
print(f"after {seconds:.1f} s; mean confidence {sure.value:.2f}; failed: ", end="")
print(prometheus.query("reader:bad_ratio:rate5m")[0].value)
Table(["alert", "its sentence"], *pictures.items())

# %% [markdown]
# `v3-bad` misreads dark pictures, nearly all of them, and is as sure of itself as ever. Errors, times and
# confidence see nothing. What notices is the statistics of the pictures, and billing: meters only rise, and
# these readings do not. (`v2` reads the same dark pictures well. Then the first alarm is right about the
# pictures and wrong about the harm; the second stays silent.) None of this needed a label: those come weeks
# later, with the customers' letters.

# %% tags=["station:prometheus"]
assert {"PicturesLookDifferent", "ReadingsImplausible"} <= pictures.keys() and "ReaderUnsure" not in pictures

# %% [markdown]
# Month end: 16 callers at once ask a service that lets four wait. Those turned away get a 429, and to
# a customer that is an error.

# %% tags=["station:prometheus"]
from fsdl_deploy import closed_loop
from fsdl_deploy.scaling.failures import Asking, card_body

crowd = closed_loop(Asking(f"{service.url}/read", card_body()), 16, 400 if FAST else 4000)
prometheus.wait(lambda: "ReaderBurnsFast" in [line["alert"] for line in pager.lines("pager")])
print(f"turned away: {crowd.errors} of {crowd.requests}")
rows = [[line["receiver"], line["status"], line["alert"], line["summary"]] for line in pager.lines()]
Table(["to", "status", "alert", "its sentence"], *(row for row in rows if row[0] != "heartbeat"))

# %% [markdown]
# This is the file that the pager wrote. Pages and tickets went to different addresses, and what
# `ReaderBurnsFast` explains was kept back: nobody needs four messages for one fire. (Is `ReaderDown` among
# them? Then the crowd kept the service from answering Prometheus, too, within a fifth of a second.)
#
# ### The dashboard
#
# A **dashboard** is for whoever was woken. **Grafana** is the program that draws most of them; its server is
# in no package that we can install here. Its dashboards are JSON, and Grafana has classes in Python that
# write it (`infra/monitoring/grafana/dashboard.py`). Here are six of its panels, asked of the same Prometheus
# with the same questions and drawn by matplotlib. `infra/monitoring/compose.yaml` starts the real one where
# images can be pulled.

# %% tags=["station:prometheus"]
from fsdl_deploy.monitoring import dashboard

now = prometheus.query("time()")[0].value
figure = dashboard.draw(prometheus, started, now, dashboard.panels()[:6])
figures.show(figure, alt="The dashboard: requests, errors, times, confidence, grey, verdicts, alerts")
measured["alerts"] = {"dark": sorted(pictures), "quiet": sorted(quiet)}
watched.close()

# %% [markdown]
# ## Drift: other pictures arrive
#
# Nothing was rolled out, no request has failed, and readings get worse: an update of the app inverts the
# picture, or customers take another pen. Labels would show it, and labels come weeks later. What can be
# measured of a card without knowing what is written on it? Something of the *picture* (mean grey, contrast,
# aspect, sharpness), something of the *answer* (number of digits, confidence, whether a person has to read
# it, whether the meter could have risen so), and when it came and how long it took.
#
# First the usual cards, as a reference, and some of each change of the tour.

# %%
from fsdl_deploy import OnnxReader
from fsdl_deploy.cards import DRIFTS, cards
from fsdl_deploy.monitoring.card_statistics import measure

reader = OnnxReader("v2")


def watched_cards(count, seed, drift=None):
    """The statistics of typical cards, as a monitor would note them."""
    pictures = [card.image for card in cards(count, "typical", seed=seed, drift=drift)]
    return measure(pictures, reader.read(pictures))


usual = watched_cards(400 if FAST else 4000, seed=41)
changed = {drift: watched_cards(40, seed=42, drift=drift) for drift in DRIFTS}

# %% [markdown]
# A card is compared with the reference by its *rank* there: darker than nine in ten, as sure as half of them.
# Ranks have no units, and a single odd card cannot count for much. Small differences add up: that is the
# **cumulative sum**. As long as cards are usual it falls back to zero; a change lets it grow with each card.

# %%
from fsdl_deploy.monitoring import drift

Code(inspect.getsource(drift.cumulative_sum), language="python")

# %% [markdown]
# When is it high enough for an alarm? Any threshold is crossed by chance some day. So we say how often that
# may happen, `10` weeks in `1,000` for all detectors together, and draw usual weeks from the reference to see
# how high the sums get. (The second detector is Kolmogorov and Smirnov's distance, of `200` cards at a time,
# for changes of the shape.) The dashed line is the threshold.

# %%
watch = drift.DriftWatch(drift.Reference(usual), week=400, weeks=48 if FAST else 400)
figure, both = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True)
for axes, name in zip(both, ("grey", "confidence")):
    for label, statistics in changed.items():
        ranks = watch.reference.ranks(statistics)[name]
        axes.plot(drift.cumulative_sum(watch.reference.scores(name, ranks)), label=label)
    axes.axhline(watch.thresholds[name, "sum"], linestyle="--", color="black")
    axes.set(xlabel="cards since the change", ylabel="cumulative sum (deviations)", title=name, ylim=(0, 80))
both[1].legend(fontsize=9)
figures.show(figure, alt="Dark cards soon cross the threshold of grey, never that of confidence")

# %% [markdown]
# That was one go with few cards. `fsdl-deploy monitoring drift` does it with the utility's whole pattern:
# cards by day and by night (darker, harder), three times as many at the end of the month; a card is compared
# with reference cards of the same time. Each change is met a hundred times. `points lost` is the harm:
# accuracy that the change costs, and no signal knows it. The last rows are not of the tour; nothing was set
# by them.

# %%
from fsdl_deploy.monitoring import drift_table

record = records.read(drift_table.FILE)
drift_table.table(record)

# %% [markdown]
# Read it by columns. **Rate** and **p99** see none of the changed pictures: they watch the service, and the
# service is well. **Confidence**, the **share handed on** and **plausibility** see what does harm: inverted,
# rotated and cropped cards and the new pen, and the more harm, the sooner. The **input** sees everything.
#
# *Dark* is the case to remember. After {{alarm_after(dark, input):.0f}} cards the input raises an alarm, and
# it is right: the pictures have changed. But they cost {{drifted(dark, lost):.1f}} points (`95 %` interval
# {{drifted(dark, lost_from):.1f}} to {{drifted(dark, lost_to):.1f}}), and `v2` is as sure as before. Whoever
# is woken for that will mute the alarm. An inverted card costs {{drifted(inverted, lost):.0f}} points, and
# all of them see it. So: alarms of the input go into a report that somebody reads in the morning; a page
# needs a signal of the answer beside it.
#
# A picture *on its side* never meets the model: the service refuses it, with a sentence that says so. It is a
# change that shows as refusals. Inverted ones are not refused: they are read, wrongly, with a confidence of
# {{drifted(inverted, median_confidence):.2f}}, and a person gets them all.
#
# False alarms: in {{usual_weeks(any)}} of {{usual_weeks(weeks):,}} usual weeks, weekly pattern, month ends
# and all. The lecture calls monitoring *a challenge in its own right*. What one signal sees, as a sentence:

# %%
tour = [row for row in record["rows"] if row["drift"] in DRIFTS]
seen_by = {
    signal: [row["drift"] for row in tour if row["signals"][signal]["share"] >= drift_table.SEEN]
    for signal in drift.SIGNALS
}
measured["drifts_seen"] = {signal: len(names) for signal, names in seen_by.items()}
measured["false_alarms"] = record["false_alarms"]["any"] / record["false_alarms"]["weeks"]
for signal, names in seen_by.items():
    print(f"{signal:12} sees {len(names)} of {len(tour)}:", ", ".join(names) or "none")

# %% [markdown]
# ## Labels that come late
#
# The prototype has a button, *this is wrong*. What it collects are labels, of a peculiar kind: they come
# days after the answer, when the bill does; only some press, and more of those whose bill is too high than
# of those whose bill is too low. Count them as they are, and the model is nearly perfect.

# %%
from fsdl_deploy.monitoring.delayed_labels import complaints
from fsdl_deploy.prototype.feedback import save_feedback

with TemporaryDirectory() as folder:
    card = next(cards(1, seed=43))
    reading = reader.read([card.image])[0]
    save_feedback(Path(folder), card.image, reading, "that is not what I wrote")
    print(complaints(Path(folder))[0])

# %% [markdown]
# Two things put that right. Old complaints show how long people wait, so we know how many are still to come.
# And an **audit**, cards drawn by lot and read by a person, shows how many of the wrong ones are ever
# complained of. To see whether it works, we need a world whose truth is known: `230` cards a day, a twentieth
# of them read wrongly, and three times as many from day `110` on, as the new pen does.

# %%
from fsdl_deploy.monitoring import unhappy_customers
from fsdl_deploy.monitoring.unhappy_customers import World, estimates

world, colours = World(), dict(zip(unhappy_customers.WAYS, figures.PALETTE))
days = list(estimates(world, seed=5))
figure, axes = plt.subplots(figsize=(8, 3.6))
for way, colour in colours.items():
    part = [day for day in days if day.way == way]
    number, estimate = [day.day for day in part], [day.estimate for day in part]
    axes.plot(number, [100 * e.accuracy for e in estimate], color=colour, label=way)
    edges = [100 * e.low for e in estimate], [100 * e.high for e in estimate]
    axes.fill_between(number, *edges, color=colour, alpha=0.15)
axes.plot(number, [100 * day.truth for day in part], "k--", label="truth")
axes.set(xlabel="day", ylabel="accuracy of the last two weeks (%)")
axes.legend(loc="lower left")
figures.show(figure, alt="Complaints as they come stay near 100 %; put right, they follow the truth")

# %% [markdown]
# And many such worlds: how far off each is before the change, how often its interval has the truth in it, and
# after how many days it says that the promised `92 %` are not kept. In the second world people misread
# differently after the change: four of five wrong readings are too low, and few complain of those.

# %%
low = unhappy_customers.other(world, too_high=(0.5, 0.2))
rows = []
for name, place in {"errors of the same kind": world, "more of them too low": low}.items():
    for row in unhappy_customers.compared(place, promise=0.92, runs=10 if FAST else 200):
        late = row["late"] if row["late"] is not None else "never"
        rows.append([name, row["way"], row["error"], row["inside"], late])
header = ["after the change", "estimate", "points off before", "truth in its interval", "days late"]
measured["audit_late"] = next(row[4] for row in rows if row[1] == "audit")
Table(header, *rows, formats=["", "", "+.1f", ".0%", ".0f"])

# %% [markdown]
# As they come, complaints promise too much for ever. Put right, they are right as long as people go on
# complaining as they did when somebody looked; in the second world they miss the fall or say it late, since
# what nobody complains of cannot be counted. The audit needs no such belief. It costs a person `20` cards a
# day, and it is the first to know, though still more than a week late. The alarms above came within a hundred
# cards: they know *that* something changed, and labels know *what it cost*. A monitor needs both.

# %% [markdown]
# ## The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured on your
# machine or from a record that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("08", measured)

# %% [markdown]
# ## When it fails
#
# *Few cards.* The steps above are meant for a million cards a day. How many days does the first step take
# where fewer come, and with a shadow of everybody?

# %%
first = controller.STEPS[0]
rows = [
    [a_day, first.pairs / (first.share * a_day), first.pairs / a_day] for a_day in (100, 10_000, replay.A_DAY)
]
header = ["cards a day", f"days of {first.share:.0%} until {first.pairs:,} pairs", "days of shadow"]
Table(header, *rows, formats=[",", ",.2f", ",.2f"])

# %% [markdown]
# *Both wrong.* A pair of answers shows what got worse. What both versions misread alike, no guardrail sees:

# %%
pairs = recorded.pairs("v2-int8")
alike = sum(pair.candidate.digits == pair.stable.digits != pair.truth for pair in pairs)
print(f"{alike} of {len(pairs)} cards are misread alike by v2 and its int8")

# %% [markdown]
# - **Answers that have effects.** A candidate that writes into a database writes twice when it is shadowed,
#   and a rollback does not take back what it has written.
# - **What no guardrail looks at.** The controller compares answers. A version that is as right, and insults
#   the customer, passes.
# - **The watcher dies.** Prometheus down is a quiet night. That is what the watchdog is for.
#
# ## Questions
#
# **Question:** The candidate has answered 400 cards, 3 of them with an error, the stable version none of
# 40,000. A colleague wants to wait for a p-value below `5 %`, looked at every minute. What do you say?
#
# <details><summary>Answer</summary>
# Looked at every minute, a p-value of `5 %` comes by itself, soon or late. Take a test that may be looked at
# always, or fix the number of cards before. And ask what an error costs: a guardrail with a tolerance of a
# thousandth may well end this rollout now.
# </details>
#
# **Question:** Your monitoring says that the pictures have changed, and nothing else moves. Do you wake
# somebody?
#
# <details><summary>Answer</summary>
# No: a note for the morning. The input alarm is right about the input; what it means for the answers it does
# not know. Wake somebody when a signal of the answers moves too: confidence, plausibility, people who
# complain.
# </details>
#
# **Question:** Why does the cascade's threshold belong to the reader's version?
#
# <details><summary>Answer</summary>
# It was chosen for the confidences that this reader reports. Another reader's `0.59` means something else,
# and then the cascade hands on too much or too little. No error shows that.
# </details>
#
# ## Take-aways
#
# - Keep the old version loaded until you trust the new one: it is the quickest way back, and the best judge.
# - Compare two versions on the same cards. Pairs need few cards, and labels are not needed to see harm.
# - Whoever looks all the time needs a test that is made for it.
# - A shadow harms nobody and costs a second reading of each card.
# - Test your alerts as you test your code; most of all that they fire.
# - An alarm of the input belongs in a report, one of the answers on a pager.
#
# ## Where to go next
#
# - [Prometheus and Grafana](tools/prometheus_grafana.ipynb): one place that knows how all services are.
# - [OpenTelemetry](tools/opentelemetry.ipynb): one picture's way through every program.
# - [Drift libraries](tools/drift_libraries.ipynb): what five libraries say of the same pictures.
# - [MLflow's registry](tools/mlflow_registry.ipynb): names, aliases and lineage of models.
# - [Lab 07](../labs/lab07/lab07.ipynb): steps, guardrails, a burn-rate alert, and an alarm that never rings.
