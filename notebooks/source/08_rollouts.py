# %% [markdown]
# # Rollouts: change the model, and nobody notices
#
# **Minutes:** 40 · **Prerequisites:** [Scaling](07_scaling.ipynb) · **Truth:** runs
#
# ## The need
#
# `v2` reads better than `v1` did, and the next version is ready: `v3-bad`. Its author has tried it on clean
# cards, where it reads as well as `v2`. It has a bug, which nobody knows yet.
#
# The lecture names what one wants here, *roll out gradually, roll back instantly, split traffic, deploy
# pipelines of models*, and leaves it out as too hard. We do not. How to notice that something is wrong while
# no version changes is the next lesson, [Monitoring](08b_monitoring.ipynb).
#
# ## You will learn
#
# - to give a new version to a few customers first, and to all of them only if nothing gets worse
# - to decide without labels (what is really on a card), which come too late, and to look as often as you like
#   without fooling yourself
# - what a shadow costs and shows, and how long each way back takes
# - to deliver a model through gates, each of which refuses something
# - why several models that work together are one release

# %% [markdown]
# ## Where the model sits
#
# Twice: the **stable** version and the **candidate** are both loaded. A proxy decides who answers a
# customer. A controller moves its shares, by what both answered.
#
# ```mermaid
# flowchart LR
#     app["Application"] --> proxy{"Proxy"}
#     proxy -- "95 %" --> stable(["stable: v2"])
#     proxy -- "5 %" --> candidate(["candidate: v3-bad"])
#     stable & candidate -. "answers" .-> controller["Rollout controller"]
#     controller -. "shares" .-> proxy
#     style stable fill:#d55e00,color:#fff
#     style candidate fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures. The course starts Envoy on Linux. On macOS and
# Windows the cells that need it are skipped, and the rest runs.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# What all parts of this lesson use:

# %%
from contextlib import ExitStack

from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures

figures.use()
running, measured = ExitStack(), {}  # what ends at the end of a part; what the claims are judged by

# %% [markdown]
# ## Gradual
#
# What is wrong with `v3-bad`? We can know: what it and others read on 6,000 customers' cards is on record
# (`infra/rollouts/answers`), with what is really written there. A tenth of the cards comes from scanners, six
# tenths from the app, three tenths from old phones: an assumption.

# %%
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.rollouts import answers, replay, rollout_figures

recorded = answers.load()
pairs = recorded.pairs("v3-bad")
rows = []
for camera in ("scanner", "app", "old phone"):
    here = replay.Recorded([pair for pair in pairs if pair.segment == camera])
    rows.append([camera, len(here), *here.wrong])
Table(["camera", "cards", "wrong by v2", "wrong by v3-bad"], *rows, formats=["", ",", ".1%", ".1%"])

# %% [markdown]
# It was tried with clean cards, as a scanner makes them. If all customers get it at once, those with old
# phones find the bug for us. So a new version, the **candidate**, first answers a few; that is called a
# **canary**. The **stable** version stays, and answers the others. Both are loaded; a proxy decides by a
# *hash* of the customer's name, a number that looks random and is always the same for the same name.

# %% tags=["station:envoy"]
from fsdl_deploy.rollouts.stage import staged

ensure("envoy")
stage = running.enter_context(staged("envoy", candidate="v3-bad", stable="v2", customers=150))
customers = list(stage.customers)
print(f"{len(customers)} customers, with the cameras {sorted({sent.camera for sent in customers})}")

# %% [markdown]
# A **rollout controller** moves the traffic in steps. It counts *pairs*: a card that the candidate has
# answered is read once more by the stable version, unseen. From the pairs come alarms (below); what it does
# with them is this (`fsdl_deploy.rollouts.controller`):

# %%
import inspect

from IPython.display import Code

from fsdl_deploy.rollouts import controller

Code(inspect.getsource(controller.decide), language="python")

# %% [markdown]
# The real one has small steps and waits for thousands of cards. Here it hurries so that you can watch, and
# pays for it: before the alarm comes, half of the customers have the bug, or all of them.

# %% tags=["station:envoy"]
from fsdl_deploy.rollouts.controller import RolloutStep
from fsdl_deploy.rollouts.live import live

rate = 40 if FAST else 20
steps = (RolloutStep(0.25, 60), RolloutStep(0.5, 200), RolloutStep(1.0, 5000))
rolled = live(stage, customers, steps, rate)
measured["live_lost"] = rolled.trial.lost
measured["live_status"] = rolled.state.status
measured["live_share"] = max(share for _, share, _ in rolled.changes)
assert rolled.state.status == "rolled back", rolled.state.why
rolled.table()

# %% [markdown]
# What its customers got meanwhile:

# %% tags=["station:envoy"]
rollout_figures.course(rolled.changes, rolled.good, rolled.bad, "v3-bad")
given = len(rolled.bad) + len(rolled.good)
print(f"{len(rolled.bad)} wrong answers of {given}, {rolled.trial.lost} lost requests")

# %% [markdown]
# How many customers are harmed before the alarm? That takes more rollouts than anybody has patience for, so
# they are replayed from the record, and the same controller decides. Cards come as at the end of the month, a
# million and a half a day, and the controller looks every five minutes. Customers are *harmed* if `v2` would
# have read their card rightly.

# %%
replay.harm_by_plan(recorded, "v3-bad", seeds=10 if FAST else 100)

# %% [markdown]
# With a quarter of the traffic or more, the first look has cards enough, and the harm is what five minutes
# bring. With `1 %` it takes longer until there are as many, but they are few. Where the alarm has to wait,
# for labels as in the last column, a small first step is worth most. And if the candidate reads unseen first,
# as a *shadow* (below), nobody is harmed at all.
#
# ### By customer or by request?
#
# Customers who send several cards should meet one version. A hash of the name sees to that, and customers
# among the first `5 %` stay among the first `25 %`.

# %%
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
# What is really on a card turns out days later, when a customer complains. So the **guardrails** compare the
# two answers of a pair: the candidate's counts as worse, as good, or better. (The last guardrail waits for
# labels all the same.) All cards together must not be worse by more than is tolerated, and neither must
# those from any one camera, where a fault of a few may hide.

# %%
from fsdl_deploy.rollouts.guardrails import GUARDRAILS

rows = [[name, rail.words, rail.tolerance, rail.in_segment] for name, rail in GUARDRAILS.items()]
Table(["guardrail", "counts", "tolerated", "from one camera"], *rows, formats=["", "", ".1%", ".1%"])

# %% [markdown]
# The first guardrail checks the comparison itself: where most cards have nothing to be compared with, no
# other guardrail means anything. Three stand for the label. Meters only rise, and not by any amount: a
# reading that the customer's meter cannot show is wrong (*plausibility*). Where the stable version is very
# sure, a candidate that reads something else is rarely right (*disagreement*). Where it is not sure, a better
# candidate may well be, so some *corrections* are tolerated, and of more a person has to decide. *Certainty*
# is for a version that claims to be sure of everything: then nobody reads its cards again.
#
# ## Looking again and again
#
# When is a difference more than chance? The usual *z-test* for two shares gives a **p-value**: the
# probability of a difference this large if there is none. An alarm below `5 %` promises at most `5 %` false
# alarms if you look **once**. A controller looks all the time. A *sequential probability ratio test* (SPRT)
# may be looked at always; the mixture of many of them (mSPRT), one for each difference that one could expect
# (`tau` says how large those are), needs one line more than the z-test:

# %%
from fsdl_deploy.rollouts import sequential

Code(inspect.getsource(sequential.msprt_p), language="python")

# %% [markdown]
# Both tests on canaries in which nothing is wrong: both versions fail equally often. Each canary gets `5,000`
# requests, and is looked at after every `50` of them.
#
# **Your turn:** In how many of a hundred such canaries will the z-test, with its `5 %`, raise at least one
# alarm? Write your guess down.

# %%
canaries = 200 if FAST else 1000
tests = {"z-test, each 50 requests": sequential.z_test_p, "mSPRT, as often": sequential.msprt_p}
rates = {name: sequential.false_alarms(test, 0.02, canaries=canaries) for name, test in tests.items()}
measured["peeking"] = rates["z-test, each 50 requests"]
measured["sequential"] = rates["mSPRT, as often"]
Table(["test", "canaries without a difference that raise an alarm"], *rates.items(), formats=["", ".1%"])

# %% [markdown]
# Every look is another chance for a false alarm, and the z-test does not count the looks. The mSPRT is made
# so that all looks together keep the promise.
#
# The guardrails use a relative of it for pairs: gamblers bet against "no worse", each a fixed part of what
# they own, and what they own together is the evidence.

# %%
Code(inspect.getsource(sequential.evidence), language="python")

# %% [markdown]
# It has to exceed 1 / alpha. The controller promises that a candidate which is as good raises *any* alarm,
# ever, with a probability of at most alpha, `0.02`. Half of that is for the guardrails over all cards, in
# equal parts. So when does the guardrail of errors ring? Of 400 pairs some have an error of the candidate,
# none has one of the stable version:

# %%
from fsdl_deploy.rollouts import guardrails

needed = 2 * len(GUARDRAILS) / guardrails.ALPHA
rows = []
for errors in (3, 10, 20):
    shown_by = sequential.evidence(errors, 400 - errors, 0, GUARDRAILS["errors"].tolerance)
    rows.append([errors, sequential.z_test_p(0, 400, errors, 400), shown_by, shown_by >= needed])
header = ["errors in 400", "p-value of the z-test", "evidence", f"rings, from {needed:,.0f} on"]
Table(header, *rows, formats=["", ".3f", ",.1f", ""])

# %% [markdown]
# ## Splitting: how many cards until the two are told apart?
#
# A controller looks for harm. An **A/B test** asks which of two versions is better, and how many cards it
# takes until one can tell. Read by both versions, as the guardrails do it, for each camera:

# %%
sizes, runs = [50, 100, 200, 400, 800, 1600, 3200], 60 if FAST else 400
by_judge = {"labels": {}, "disagreement": {}}
for camera in ("scanner", "app", "old phone", "all"):
    chosen = replay.Recorded([pair for pair in pairs if camera in (pair.segment, "all")])
    for judge, lines in by_judge.items():
        lines[camera] = sequential.power(chosen.differences(judge), sizes, runs=runs)
rollout_figures.power(sizes, by_judge)

# %% [markdown]
# On a scanner's clean cards it takes thousands of labels, and without labels nothing is seen: that is how
# `v3-bad` came through its tests. The app's cards, the most by far, tell little more. On those of old phones
# a hundred or two do. How many of the whole mix are enough for four tests in five? And if each card is read
# by *one* version, half of them by each, as an A/B test does it?

# %%
everybody, sizes = replay.Recorded(pairs), [100 * 2**n for n in range(8)]
paired = sequential.power(everybody.differences("labels"), sizes, runs=runs)
measured["told_apart"] = sequential.enough(sizes, paired)

looks = {"share": 0.5, "requests": sizes[-1], "every": 100, "canaries": runs}
halves = sequential.alarms_at(sequential.msprt_p, everybody.wrong, **looks)
measured["split_apart"] = sequential.enough(sizes, [(halves <= size).mean() for size in sizes])
rows = [["by both versions", measured["told_apart"]], ["half of them by each", measured["split_apart"]]]
Table(["cards are read", "how many until four tests in five tell"], *rows, formats=["", ",.0f"])

# %% [markdown]
# Cards differ more than versions do, and pairs take that out. But what a customer *does* with an answer no
# pair can show, since only one answer reaches the customer. For that, traffic has to be split.
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
# The price: every card is read twice. (Envoy's copies hold nobody up. nginx keeps the customer's connection
# until the copy is answered, and drops it then, so it is opened anew for each.) And a shadow sees answers
# only: what customers do with them it cannot.
#
# ## Instant rollback
#
# The alarm has come. How long until the last bad answer? Four ways back, each under load: end the bad
# version and start the good one, start the good one first and then move the traffic, switch between two that
# are loaded in one process, or give the traffic back to the version that has been there all the time.

# %% tags=["station:envoy"]
from fsdl_deploy.rollouts import rollback

ways = {name: rollback.WAYS[name] for name in ("restart", "start, then move", "two loaded, a switch")}
ways |= {
    "start, then move": rollback.starting_first("envoy"),
    "Envoy, weights live": rollback.moving_back(stage),
}
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
# It promises to take bad versions back while few customers have them, and to leave good ones alone. Replays
# of good candidates (`v2` itself; `v2` in int8, its numbers rounded to eight bits; and the teacher, the large
# model that `v2` learned from), of `v3-bad`, and of versions that were made bad in one small way each.
# *Harmed* customers got a wrong reading where `v2` has the right one, *helped* ones the reverse; a good
# version that passes has some of both. The interval says what so few replays can: `fsdl-deploy rollouts
# replay` plays 200 of each.

# %%
from fsdl_deploy.rollouts.spoiled import spoiled

seeds = 10 if FAST else 200
tried = spoiled(recorded)
bad = ["v3-bad", "2 points more wrong", "1 card in 8 wrong from old phones", "errors for 1 %"]
played = {name: replay.replay(tried, name, seeds) for name in ("v2", *replay.GOOD, *bad)}
measured["bad_back"] = replay.rolled_back(played["v3-bad"], 0.05)
measured["good_back"] = max(replay.rolled_back(played[name]) for name in replay.GOOD)
measured["seeds"] = seeds
replay.summary(tried, played)

# %% [markdown]
# A controller that dies is started again: what it has decided is on disk, what it has seen is in the logs.
# And a human can overrule it while it runs: `fsdl-deploy rollouts order FOLDER pause`, `resume`, `rollback`
# or `stop`.

# %% tags=["station:envoy"]
running.close()

# %% [markdown]
# ## Pipelines that deliver
#
# So far somebody had a new version and let it meet customers. Who made it, was it tested, and is the file
# that runs the file that was tested? At month end nobody remembers. One command answers:
# `fsdl-deploy delivery deliver NAME` trains, evaluates, signs, packages, lets some customers meet the
# result, and promotes it. Each step is a **gate**. What a gate refuses goes no further. Which release is
# served stands in one small file, which the last step renames; a service reads it when it starts. (The same
# on Linux, macOS and Windows.)
#
# To be quick, this lesson delivers networks that were trained before; `FAST = False` also trains one. First
# `v1`, on a new shelf, then `v2`. A `commit` is what a change of the code or of its settings would be: which
# network, which cards of which difficulty it is evaluated on, which packaged model goes with it.

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
# **Evaluate** reads the same cards as what is served, the *champion*, and counts pairs: what the candidate
# fixed against what it broke. It refuses what is worse by more than chance, and also what was read on so few
# cards that nothing is proven. **Sign** seals the weights with the evaluation: a file that changes afterwards
# is seen. (Our seal is an HMAC of Python's own library, which needs the secret for checking, too. With a key
# pair, as Sigstore's *cosign* has, servers could check and not sign.) **Package** makes the ONNX file and
# compares it with the weights. **Canary** is the rollout of this lesson, here in one process and judged by
# plausibility alone.
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
#
# **Your turn:** The gates are train, evaluate, sign, package, canary, promote. Write beside each commit the
# gate that will refuse it, before you see it.

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
# October's reader is seldom as sure as November's threshold asks for, so nearly all goes to the large model,
# too: read well for that reason, and at a high price. Nothing fails, no test of a part alone is red, and the
# answers still look like answers. The manifest refuses all three before a customer meets them. The sentence
# for the last:

# %%
print(misfits[0])
workplace.cleanup()

# %% [markdown]
# ## What the libraries take care of
#
# *Your deployment library (or infra team) may take care of this for you*, says the lecture. Six of them got
# the same canary. Three were run: Triton and TorchServe keep several versions, Ray Serve keeps a router alive
# that we wrote. Of the others there are resources for a cluster, checked with their own classes or schemas.
# Where a library has no word for something, the word was tried and refused; the
# [notebook](tools/rollouts_in_libraries.ipynb) shows how. Each row was recorded by
# `fsdl-course bench canaries` on its date.

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
#
# ## Questions
#
# **Question:** The candidate has answered 400 cards, 10 of them with an error, the stable version all of the
# same 400. A colleague wants to wait for a p-value below `5 %`, looked at every minute. What do you say?
#
# <details><summary>Answer</summary>
# Looked at every minute, a p-value of <code>5 %</code> comes by itself, sooner or later: here it is there
# already. Take a test that may be looked at always, or fix the number of cards before. The guardrail's
# evidence is strong, and not yet strong enough where ten guardrails promise together (the table above). What
# to do until then is no question for a test: a person may order a pause.
# </details>
#
# **Question:** Ten thousand cards a day come, and you want to know within a week whether a candidate is
# better by half a point. Split, or read by both?
#
# <details><summary>Answer</summary>
# By both: pairs need far fewer cards, and harm nobody if the candidate reads unseen. Split if what you want
# to know is what customers do with the answers.
# </details>
#
# **Question:** Why does the cascade's threshold belong to the reader's version?
#
# <details><summary>Answer</summary>
# It was chosen for the confidences that this reader reports. Another reader's <code>0.59</code> means
# something else, and then the cascade hands on too much or too little. No error shows that.
# </details>
#
# ## Take-aways
#
# - Keep the old version loaded until you trust the new one: it is the quickest way back, and the best judge.
# - Compare two versions on the same cards. Pairs need few cards, and labels are not needed to see harm.
# - If you look all the time, use a test that is made for that.
# - A shadow harms nobody and costs a second reading of each card.
# - A gate that never refuses is useless: try each with a commit that it must refuse.
#
# **Cheat sheet.** `fsdl-deploy rollouts run FOLDER --canary …` rolls a candidate out, and goes on where a
# killed controller was; `rollouts order FOLDER pause`, `resume`, `rollback` or `stop` overrules it; `rollouts
# replay` tries a plan on recorded answers. Steps: a shadow first, then `1 %`, `5 %`, `25 %`, all; split by
# customer, not by request. Without labels compare pairs: errors, slow answers, plausibility, disagreement
# where the stable version is sure. A test that is looked at all the time: `sequential.msprt_p` for two
# shares, `sequential.evidence` for pairs. The quickest way back is the version that was never stopped.
# `fsdl-deploy delivery deliver NAME` goes through the gates, `--status` says what each has refused,
# `--rollback` serves the former release. Models that work together are one release with one manifest.
#
# **Sources.** On looking again and again: [Johari and others](https://arxiv.org/abs/1512.04922); on evidence
# by betting: [Waudby-Smith and Ramdas](https://arxiv.org/abs/2010.09686). Google's engineers on [canarying
# releases](https://sre.google/workbook/canarying-releases/). nginx's
# [split_clients](https://nginx.org/en/docs/http/ngx_http_split_clients_module.html) and
# [mirror](https://nginx.org/en/docs/http/ngx_http_mirror_module.html), Envoy's [traffic
# splitting](https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/traffic_splitting),
# [Sigstore](https://docs.sigstore.dev/).
#
# ## Where to go next
#
# - [Monitoring](08b_monitoring.ipynb): no version changes, and something is wrong all the same.
# - [Rollouts in serving libraries](tools/rollouts_in_libraries.ipynb): the same canary in six of them.
# - [MLflow's registry](tools/mlflow_registry.ipynb): names, aliases and lineage of models.
