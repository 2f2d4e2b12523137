# %% [markdown]
# # Lab 09: On the device, and out of your hands
#
# **Minutes:** 88 · **Prerequisites:** [The model in the field](../../notebooks/10b_field.ipynb)
#
# The meters hang in basements without a signal, so the model goes to them: onto phones, into a page, onto the
# meter itself. There it must fit, it must be the same model, it must take updates from you and from nobody
# else, and it must know when to ask. You write the programs that see to each of these.
# Exercises 2, 3 and 6 follow [Move to the edge](../../notebooks/10_edge.ipynb), 1 and 5 the lesson after it.
# Exercises 4 and 7 are about signed updates, as in
# [ONNX Runtime for browsers](../../notebooks/tools/onnxruntime_web.ipynb).
#
# The stars say how hard an exercise is. Fill in the functions, run the cell below each: it says at once what
# came out and what was expected. Hints unfold one by one. More than two thirds of the points go to cases
# that only the grader has: you earn them by the share that is right, less what one fixed answer would get.
# The minutes are for the exercises; running the measurements comes on top. Nothing here needs a phone, a
# browser or a network, and it is the same on Linux, macOS and Windows. To hand in, save this notebook: the
# file is your answer.

# %%
import bisect
import collections
import hashlib
import json
import random

from fsdl_course.labs import case, check, predict, reveal
from fsdl_course.labs.ed25519 import signed_by

# %% [markdown]
# ## Exercise 1: A budget, and every reason ★ (8 minutes)
#
# Before anybody converts anything, the budget of the device is written down. A release is measured against
# it:
#
# ```python
# measured = {"files": {"v2.onnx": 358000, "runtime.wasm": 3600000}, "milliseconds": [8, 9, 10, 30],
#             "peak_kib": 40000, "right": 960, "cards": 1000}
# budget = {"kilobytes": 3900, "milliseconds": 25, "megabytes": 48, "accuracy": 0.97}
# ```
#
# - `kilobytes`: all `files` together, which are in bytes. A kilobyte has `1000` of them.
# - `milliseconds`: the p95 of the times: of `n` sorted times that of number `ceil(0.95 * n)`, counted from 1.
#   Compute the number as `-(-95 * n // 100)`, in whole numbers.
# - `megabytes`: the peak of the memory, which the system counts in KiB of `1024` bytes. A megabyte has
#   `1000000` bytes.
# - `accuracy`: the share of the `cards` that are `right`. It must not be **less** than the budget; the other
#   three must not be **more**.
# - What the budget names and nobody has measured breaks it, too. Not measured is: no files, no times, a
#   `peak_kib` of `None`, `0` cards. Its value is `None`.
#
# Return a list `[name, value, bound]` for each line of the budget that is broken, in the order above,
# whatever the order of the budget. What the budget does not name is free. Do not round. In the example:
#
# ```python
# [["kilobytes", 3958.0, 3900], ["milliseconds", 30, 25], ["accuracy", 0.96, 0.97]]
# ```
#
# The peak there is `40.96` megabytes, which fits.
#
# <details><summary>Hint: a nudge</summary>First the four values, each of which may be <code>None</code>. Then
# one loop over the names.</details>
# <details><summary>Hint: the approach</summary>A dictionary of the values in the order of the text. Whether a
# value breaks its bound depends on the name in one case only.</details>
# <details><summary>Hint: a sketch</summary><code>sorted(times)[-(-95 * len(times) // 100) - 1]</code>;
# <code>broken = value is None or (value &lt; bound if name == "accuracy" else value &gt;
# bound)</code></details>


# %% tags=["q1"]
def over_budget(measured: dict, budget: dict) -> list[list]:
    """[name, value, bound] of each line of the budget that is broken."""
    ### BEGIN SOLUTION
    files, times, peak = measured["files"], measured["milliseconds"], measured["peak_kib"]
    values = {
        "kilobytes": sum(files.values()) / 1000 if files else None,
        "milliseconds": sorted(times)[-(-95 * len(times) // 100) - 1] if times else None,
        "megabytes": None if peak is None else peak * 1024 / 1_000_000,
        "accuracy": measured["right"] / measured["cards"] if measured["cards"] else None,
    }
    reasons = []
    for name, value in values.items():
        if name in budget:
            bound = budget[name]
            over = value is None or (value < bound if name == "accuracy" else value > bound)
            reasons += [[name, value, bound]] if over else []
    return reasons
    ### END SOLUTION


# %% [markdown]
# Run this after every change.

# %%
check("lab09.q1", over_budget)

# %% [markdown]
# And our own `v2`? What travels is compressed. Predict: by how many per cent does gzip make its file smaller?

# %%
GUESS_GZIP = 25  # SOLUTION: GUESS_GZIP = None
predict("per cent by which gzip makes v2.onnx smaller", GUESS_GZIP)

# %% [markdown]
# Your function judges it, on this machine and without a figure for its memory.

# %% tags=["measure"]
import gzip
import time

from fsdl_deploy import OnnxReader, weights
from fsdl_deploy.cards import cards
from fsdl_deploy.edge import work

reader, deck, spent = OnnxReader("v2"), list(cards(200, seed=9)), []
for card in deck:
    started = time.perf_counter()
    card_is_right = reader.read([card.image])[0].digits == card.truth
    spent.append([1000 * (time.perf_counter() - started), card_is_right])
model = (weights.folder() / "v2.onnx").read_bytes()
release = {"files": {"v2.onnx": len(gzip.compress(model))}, "milliseconds": [row[0] for row in spent]}
release |= {"peak_kib": None, "right": sum(row[1] for row in spent), "cards": len(deck)}
print(over_budget(release, {"kilobytes": 200, "milliseconds": 50, "megabytes": 48, "accuracy": 0.9}))
reveal(GUESS_GZIP, 100 - 100 * release["files"]["v2.onnx"] / len(model), "%")

# %% [markdown]
# What did gzip take away? For comparison: random numbers, and the same weights stored as float16.

# %% tags=["measure"]
for kind, of in work.compressible(model).items():
    print(f"{kind}: gzip makes the numbers {of.saved:.0%} smaller")
print(f"{work.halves(model):.0%} of the weights are exactly numbers of float16")

# %% [markdown]
# Hardly anything can be had from random float32. Training left most weights as float16, and the export wrote
# each of those into four bytes, of which nearly two are zeros. Gzip removes what the export added. Stored as
# float16, weights are like noise to it: from there only fewer bits make them much smaller, which is exercise
# 3.
#
# ## Exercise 2: Which widths to compile ★★★ (14 minutes)
#
# Many small runtimes cannot have a graph for any width. They have one compiled graph for each *bucket*, a
# fixed number of columns, and a card is padded to the narrowest bucket into which it fits. Few buckets waste
# time on padding; many cost room and minutes of compiling. Both are counted in columns here: a card costs as
# many as its bucket has, and each bucket costs `graph` columns, once.
#
# Choose the buckets for the cards of these `widths`. Every bucket is a multiple of `step`, and every card
# must fit into one. For example, with the widths `[61, 62, 90]`, the step `8` and the graph `5`: the buckets
# `[64, 96]` cost `64 + 64 + 96 + 2 * 5 = 234` columns, `[96]` costs `293`. So the first is better.
#
# Return the buckets whose total is the smallest of all, ascending; `[]` for no cards. If several sets are
# equally cheap, any of them is right. There may be four hundred cards with a hundred different widths: who
# tries each set of buckets needs longer than the device lives.
#
# <details><summary>Hint: a nudge</summary>A bucket wider than it must be for its widest card only wastes. So
# each bucket is the width of some card, rounded up to the step.</details>
# <details><summary>Hint: the approach</summary>Sort these sizes. Suppose you knew the best buckets for the
# cards up to each size before this one. The last bucket, of this size, takes all cards above one of them: try
# each. That is dynamic programming; it needs as many steps as there are pairs of sizes.</details>
# <details><summary>Hint: a sketch</summary><code>best = [(0, [])]</code>; for each size number
# <code>end</code>: <code>best.append(min((best[start][0] + graph + sizes[end] * cards_between(start, end),
# best[start][1] + [sizes[end]]) for start in range(end + 1)))</code></details>


# %% tags=["q2"]
def buckets(widths: list[int], step: int, graph: int) -> list[int]:
    """The widths of the compiled graphs that cost the fewest columns."""
    ### BEGIN SOLUTION
    counts = collections.Counter(-(-width // step) * step for width in widths)
    sizes, below = sorted(counts), [0]
    for size in sizes:
        below.append(below[-1] + counts[size])
    best = [(0, [])]
    for end, size in enumerate(sizes, 1):
        best.append(
            min(
                (best[start][0] + graph + size * (below[end] - below[start]), best[start][1] + [size])
                for start in range(end)
            )
        )
    return best[-1][1]
    ### END SOLUTION


# %% [markdown]
# In some cases a rule of thumb, such as equally many cards to a bucket, is not good enough.

# %%
check("lab09.q2", buckets)

# %% [markdown]
# Now the real widths: our cards at the height that the network sees. Predict: if one bucket takes them all,
# by how many per cent does it compute more columns than the cards have?

# %%
GUESS_PADDING = 30  # SOLUTION: GUESS_PADDING = None
predict("per cent more columns with one bucket", GUESS_PADDING)

# %% [markdown]
# The fewer columns a graph costs, the more of them pay. The last bucket of each row is the same: the widest
# card must fit.

# %% tags=["measure"]
real = [-(-card.image.shape[1] * 32 // card.image.shape[0]) for card in cards(1000, seed=9)]
print(f"{len(real)} cards, {min(real)} to {max(real)} columns, {sum(real) / len(real):.0f} on average")
shares = []
for cost in (10**6, 8000, 2000, 500):
    chosen = buckets(real, 8, cost)
    padded = sum(chosen[bisect.bisect_left(chosen, width)] for width in real)
    shares.append(100 * padded / sum(real) - 100)
    print(f"a graph costs {cost:>7,} columns: {len(chosen)} buckets, {shares[-1]:.0f} % of padding, {chosen}")
reveal(GUESS_PADDING, shares[0], "%")

# %% [markdown]
# The first two or three buckets save the most. Runtimes that take any width need none of this, and the
# lesson's table says which they are.
#
# ## Exercise 3: The range of int8 ★★ (12 minutes)
#
# To compute in int8 somebody must say which range of an activation the 256 codes cover. *Calibration* looks
# at `values` from some cards. A wide range has coarse steps; a narrow one cuts off what lies outside, which
# is called saturation. `keep` says how many of `1000` values stay inside: `1000` cuts nothing off (min–max).
# The rank is `r = -(-keep * n // 1000)` for `n` values.
#
# - **Symmetric**: the bound is the `r`-th smallest of the *absolute* values, counted from 1. The scale is the
#   bound divided by `127`, the zero point is `0`, and the codes go from `-127` to `127`.
# - **Asymmetric**: the high end is the `r`-th smallest value, the low end the `r`-th *largest*. If the low
#   end is above 0 it becomes 0, and so does the high end if it is below 0: zero must have a code, since
#   padding is made of it. The scale is (high - low) divided by `255`, the zero point `round(-128 - low /
#   scale)`, and the codes go from `-128` to `127`.
# - If that makes the scale 0, it is `1.0`, and the zero point is `0`.
#
# The code of a value is `round(value / scale) + zero`; a code outside is set to the nearest inside, and
# counts as *saturated*. What a code stands for is `(code - zero) * scale`. The *error* is the mean of the
# squared differences to the values. Take Python's own `round`.
#
# Return `{"scale": ..., "zero": ..., "saturated": ..., "error": ...}`, scale and error as floats, not
# rounded. An example: for `[-2.0, 0.0, 3.0]`, `1000` and asymmetric, the scale is `5 / 255`, the zero point
# `-26`, nothing is saturated, and the error is `0`, because all three lie on a code.
#
# <details><summary>Hint: a nudge</summary>Two halves: first scale, zero and the two outermost codes; then,
# the same for both kinds, the codes of all values.</details>
# <details><summary>Hint: the approach</summary>The <code>r</code>-th smallest of a sorted list is
# <code>ordered[r - 1]</code>, the <code>r</code>-th largest is <code>ordered[-r]</code>. Count what is
# saturated before you set it to the nearest code.</details>
# <details><summary>Hint: a sketch</summary><code>raw = [round(value / scale) + zero for value in
# values]</code>; <code>codes = [min(127, max(lowest, code)) for code in raw]</code></details>


# %% tags=["q3"]
def calibrated(values: list[float], keep: int, symmetric: bool) -> dict:
    """Scale and zero point of int8 for these values, and what the rounding does to them."""
    ### BEGIN SOLUTION
    rank = -(-keep * len(values) // 1000)
    if symmetric:
        scale = sorted(abs(value) for value in values)[rank - 1] / 127
        zero, lowest = 0, -127
    else:
        ordered = sorted(values)
        low, high = min(0.0, ordered[-rank]), max(0.0, ordered[rank - 1])
        scale, lowest = (high - low) / 255, -128
        zero = round(-128 - low / scale) if scale else 0
    scale = scale or 1.0
    raw = [round(value / scale) + zero for value in values]
    codes = [min(127, max(lowest, code)) for code in raw]
    errors = [((code - zero) * scale - value) ** 2 for code, value in zip(codes, values, strict=True)]
    saturated = sum(code != clipped for code, clipped in zip(raw, codes, strict=True))
    return {"scale": scale, "zero": zero, "saturated": saturated, "error": sum(errors) / len(errors)}
    ### END SOLUTION


# %% [markdown]
# The parts of the check follow the rules in their order.

# %%
check("lab09.q3", calibrated)

# %% [markdown]
# Real activations: what enters the last layer but one of `v2`. A ReLU stands before it, so nothing is
# negative. Predict: how many times as large is the squared error if the range is symmetric all the same?

# %%
GUESS_ERROR = 4.0  # SOLUTION: GUESS_ERROR = None
predict("symmetric error divided by asymmetric error", GUESS_ERROR)

# %% [markdown]
# The torch form of the reader lets us look at any layer.

# %% tags=["measure"]
import torch

from fsdl_deploy.reader import pad

module, inputs = weights.load("v2"), []
module.network.mix.register_forward_pre_hook(lambda layer, given: inputs.append(given[0]))
with torch.inference_mode():
    module(*map(torch.from_numpy, pad([card.image for card in cards(20, seed=9)])))
activations = torch.cat([given.relu().flatten() for given in inputs])[::7].tolist()
ranges = {}
for symmetric in (True, False):
    for keep in (1000, 999, 990):
        row = ranges[symmetric, keep] = calibrated(activations, keep, symmetric)
        print(
            f"symmetric {symmetric!s:5} keep {keep:4}: error {row['error']:.2e}, {row['saturated']} cut off"
        )
reveal(GUESS_ERROR, ranges[True, 1000]["error"] / ranges[False, 1000]["error"], "times")

# %% [markdown]
# A symmetric range gives half of its codes to negative numbers that never come. And the squared error alone
# does not decide: whether cutting off hurts is seen when cards are read.
#
# ## Exercise 4: Verify an update ★★★ (12 minutes)
#
# Somebody between you and the device answers in your place. He can change bytes, hold them back and send old
# ones again; he cannot sign. So each model comes with a *manifest*, a text in JSON, signed with the secret
# half of the utility's key. The device has the public half.
#
# ```python
# device = {"name": "meter-reader", "version": 3, "key": "d75a98…"}
# offer = {"at": 10, "manifest": '{"name": "meter-reader", "version": 4, "expires": 100, "bytes": 9,
#          "sha256": "5f0c…"}', "signature": "e5564300…", "key": "d75a98…", "model": "weights 4"}
# ```
#
# `signed_by(key, signature, message)` says whether the owner of the key has signed these bytes (Ed25519; the
# message is `bytes`, the other two are text). It is in plain Python after RFC 8032, so that you can read it.
#
# For each offer, in order, the device decides; the first rule that fits gives the answer:
#
# 1. `"signature"`: the manifest's own bytes, in UTF-8, are not signed with the **device's** key. What an
#    offer writes under `key` is only a claim.
# 2. `"name"`: the manifest is for another product than the device's `name`.
# 3. `"expired"`: it is `expires` o'clock **or later**. The time is the largest `at` of this offer and all
#    before it, whatever became of them: a clock that was set back is not believed. All times are hours.
# 4. `"rollback"`: its `version` is smaller than the device's.
# 5. `"current"`: the same version. Nothing is loaded.
# 6. `"model"`: the model's bytes, in UTF-8, are not as many as `bytes` says, or their SHA-256, in
#    hexadecimal, is not `sha256`.
# 7. `"install"`: from now on the device has this version.
#
# Return the list of the answers. What is signed is valid JSON with all five fields. An example: an offer of
# version 5 and then one of version 4, both in order, give a device of version 3 `["install", "rollback"]`.
#
# <details><summary>Hint: a nudge</summary>Two things change from offer to offer: the version and the latest
# time.</details>
# <details><summary>Hint: the approach</summary>Ask for the signature before you read the JSON: until then it
# is a text by a stranger. Whoever writes the JSON anew checks other bytes than those that were
# signed.</details>
# <details><summary>Hint: a sketch</summary><code>signed_by(device["key"], offer["signature"],
# offer["manifest"].encode())</code>;
# <code>hashlib.sha256(offer["model"].encode()).hexdigest()</code></details>


# %% tags=["q4"]
def decisions(device: dict, offers: list[dict]) -> list[str]:
    """What the device does with each offer."""

    ### BEGIN SOLUTION
    def decision(offer):
        if not signed_by(device["key"], offer["signature"], offer["manifest"].encode()):
            return "signature"
        manifest, loaded = json.loads(offer["manifest"]), offer["model"].encode()
        if manifest["name"] != device["name"]:
            return "name"
        if manifest["expires"] <= latest:
            return "expired"
        if manifest["version"] <= version:
            return "rollback" if manifest["version"] < version else "current"
        signed_for = (manifest["bytes"], manifest["sha256"])
        if (len(loaded), hashlib.sha256(loaded).hexdigest()) != signed_for:
            return "model"
        return "install"

    version, latest, answers = device["version"], 0, []
    for offer in offers:
        latest = max(latest, offer["at"])
        answers.append(decision(offer))
        if answers[-1] == "install":
            version = json.loads(offer["manifest"])["version"]
    return answers
    ### END SOLUTION


# %% [markdown]
# Each part of the check is an attack, and a good offer beside it.

# %%
check("lab09.q4", decisions)

# %% [markdown]
# Why not an HMAC, which is shorter? With it the device holds the same secret as you. Whoever unscrews one
# meter can then sign for all of them.
#
# ## Exercise 5: When to ask somebody else ★★ (12 minutes)
#
# The model on the device is small. When it is unsure, or too slow, the card may go to the service, if there
# is a link, or to a person. Each way has an expected cost; take the cheapest:
#
# ```python
# card = {"confidence": 0.7, "milliseconds": 20, "round_trip": 80, "deadline": 1000}
# rule = {"patience": 200, "service": {"right": 0.99, "milliseconds": 30},
#         "costs": {"wrong": 12.0, "call": 0.004, "person": 0.5, "late": 1.5}}
# ```
#
# - `"device"`: only if the model needs no more than `patience` milliseconds. It costs `wrong` times the
#   chance that the reading is wrong, which is `1 - confidence`.
# - `"service"`: only with a link: `round_trip` is `None` without one, while `0` is a very near service. The
#   call starts when the model has answered, or when `patience` is over, whichever comes first. From then on
#   it takes the round trip and the service's own milliseconds. It costs `call`, and `wrong` times
#   `1 - right` of the service.
# - `"person"`: always. It costs `person`, and nothing is wrong then.
#
# Each way also costs `late` if its answer comes after the card's `deadline`: more milliseconds than that have
# gone by since the picture was taken. A person answers tomorrow, so is late for every deadline. A `deadline`
# of `None` is none.
#
# Return `[way, cost]` for each card, the cost not rounded. If two ways cost the same, take the one that comes
# first above. In the example the device would cost `12 * 0.3 = 3.6`, the service `0.004 + 12 * 0.01 = 0.124`
# in time (at `20 + 80 + 30 = 130` ms), a person `0.5 + 1.5 = 2.0`. So it is `["service", 0.124]`.
#
# <details><summary>Hint: a nudge</summary>For each card a list of the ways that are open, each with its cost.
# Then the smallest.</details>
# <details><summary>Hint: the approach</summary>A way is open or not, it ends at some millisecond, and it
# costs something. Let a small function add <code>late</code>.</details>
# <details><summary>Hint: a sketch</summary><code>asked_at = min(card["milliseconds"],
# rule["patience"])</code>; <code>min(ways, key=lambda way: way[1])</code> takes the first of equals; a
# person's answer comes after <code>float("inf")</code> milliseconds</details>


# %% tags=["q5"]
def fallbacks(cards: list[dict], rule: dict) -> list[list]:
    """[way, expected cost] of each card."""
    ### BEGIN SOLUTION
    costs, service, chosen = rule["costs"], rule["service"], []
    for card in cards:
        deadline, took = card["deadline"], card["milliseconds"]
        answered = {"person": float("inf")}
        cost = {
            "device": costs["wrong"] * (1 - card["confidence"]),
            "service": costs["call"] + costs["wrong"] * (1 - service["right"]),
            "person": costs["person"],
        }
        if took <= rule["patience"]:
            answered["device"] = took
        if card["round_trip"] is not None:
            asked_at = min(took, rule["patience"])
            answered["service"] = asked_at + card["round_trip"] + service["milliseconds"]
        for way, at in answered.items():
            cost[way] += costs["late"] * (deadline is not None and at > deadline)
        ways = [[way, cost[way]] for way in cost if way in answered]
        chosen.append(min(ways, key=lambda way: way[1]))
    return chosen
    ### END SOLUTION


# %% [markdown]
# The ways differ from card to card.

# %%
check("lab09.q5", fallbacks)

# %% [markdown]
# Now `v2` on hard cards as the device, and the teacher as the service. Predict: with a link, how many per
# cent of the hard cards does your policy hand on?

# %%
GUESS_HANDED_ON = 30  # SOLUTION: GUESS_HANDED_ON = None
predict("per cent of the hard cards that leave the device", GUESS_HANDED_ON)

# %% [markdown]
# The same cards with a link, and in a basement without one. With the labels, which no device has, one can
# count the wrong bills, and what all cards together really cost.

# %% tags=["measure"]
hard = list(cards(300, seed=9, level="hard"))
small, large = (OnnxReader(name).read([card.image for card in hard]) for name in ("v2", "teacher"))
right = sum(reading.digits == card.truth for reading, card in zip(large, hard, strict=True)) / len(hard)
costs = {"wrong": 12.0, "call": 0.004, "person": 0.5, "late": 1.5}
rule = {"patience": 200, "service": {"right": right, "milliseconds": 30}, "costs": costs}
print(f"the service reads {right:.1%} of these cards right")

# %% [markdown]
# Without a link and with one: who reads, how many wrongly, and the cost.

# %% tags=["measure"]
for link in (None, 80):
    asked_for = [{"confidence": reading.confidence, "milliseconds": 20} for reading in small]
    ways = fallbacks([card | {"round_trip": link, "deadline": 1000} for card in asked_for], rule)
    counts = collections.Counter(way for way, _ in ways)
    wrong = {"device": small, "service": large, "person": []}
    missed = sum(
        wrong[way][place].digits != hard[place].truth for place, (way, _) in enumerate(ways) if wrong[way]
    )
    total = costs["wrong"] * missed + costs["call"] * counts["service"]
    total += (costs["person"] + costs["late"]) * counts["person"]  # tomorrow is late for every deadline
    print(f"link {link}: {dict(counts)}, {missed} of {len(hard)} cards wrong; cost {total:.0f}")
reveal(GUESS_HANDED_ON, 100 - 100 * counts["device"] / len(hard), "%")

# %% [markdown]
# With a link more bills are wrong, and all cards together cost less: a person's reading is right and
# expensive, and the policy looks at the cost alone. It is as good as the confidence that it believes: a
# model that is sure of everything never asks.
#
# ## Exercise 6: Find the broken conversion ★★ (14 minutes)
#
# A conversion that ran through proves nothing. You get two functions, each from a batch (a list of cards) to
# a list of `[digits, confidence]`: `reference`, which is right, and `target`, the converted form of it, which
# may be broken. And you get `draw(digits, width, light, noise, seed)`, which draws a card:
#
# | argument | what it may be |
# |---|---|
# | `digits` | a text of 1 to 16 digits such as `"0420"` |
# | `width` | columns: a whole number from `4 * len(digits) - 1` to `64` |
# | `light` | from `0.3`, a basement, to `1`, daylight |
# | `noise` | from `0` to `1` |
# | `seed` | a whole number, which draws the noise |
#
# Return a batch on which the target is wrong, as the arguments of `draw`: `[["0420", 18, 1.0, 0.1, 7], ...]`.
# Return `None` if you find nothing. The target is wrong on a card if the reference has a confidence of at
# least `0.9` there and the digits differ, or the confidences differ by more than `0.05`. All else is no
# error: conversions may round (to float16 or int8), and of a card on which the reference itself is unsure,
# rounding may make another reading.
#
# Some conversions are in order; calling one of them broken stops a release for nothing. The target reads
# `160` cards, and an error follows if you ask for more. So think first of what a conversion may break: widths
# that do not fit its steps or its buckets, the light, single digits, leading zeros, the same digit twice,
# cards beside others in a batch.
#
# <details><summary>Hint: a nudge</summary>A test with one kind of card finds one kind of bug. Let chance mix
# all of it.</details>
# <details><summary>Hint: the approach</summary>Draw the arguments of a small batch from
# <code>random.Random(1)</code>, of few and of many digits, with little noise, read it with both, compare card
# by card, repeat. Some bugs
# need cards of different widths in one batch, some a card that ends with its last digit, some a dark
# one.</details>
# <details><summary>Hint: a sketch</summary><code>width = generator.randint(4 * len(digits) - 1, min(64, 4 *
# len(digits) + 12))</code>; <code>batch = [draw(*arguments) for arguments in drawn]</code>;
# <code>zip(reference(batch), target(batch))</code></details>


# %% tags=["q6"]
def parity(reference, target, draw) -> list[list] | None:
    """The arguments of a batch on which the target is wrong; None if there seems to be none."""
    ### BEGIN SOLUTION
    generator = random.Random(1)
    for _ in range(40):
        drawn = []
        for _ in range(4):
            digits = "".join(generator.choices("00123456789", k=generator.randint(1, 16)))
            width = generator.randint(4 * len(digits) - 1, min(64, 4 * len(digits) + 12))
            drawn.append([digits, width, generator.choice([1, 0.3, 0.6]), generator.choice([0, 0.1]), 1])
        batch = [draw(*arguments) for arguments in drawn]
        for (digits, sure), (other, confidence) in zip(reference(batch), target(batch), strict=True):
            if sure >= 0.9 and (digits != other or abs(sure - confidence) > 0.05):
                return drawn
    return None
    ### END SOLUTION


# %% [markdown]
# The check calls `searched` with your function and the name of what is broken, which you do not see.

# %%
check("lab09.q6", parity)

# %% [markdown]
# And a large one: `v3-bad` is `v2` with one mistake in how a picture is normalised. Predict: on how many of
# `200` clean cards do both write the same?

# %%
GUESS_SAME = 200  # SOLUTION: GUESS_SAME = None
predict("clean cards of 200 on which v3-bad reads as v2 does", GUESS_SAME)

# %% [markdown]
# Clean cards first, then hard ones, whose light varies.

# %% tags=["measure"]
readers, same = [OnnxReader(name) for name in ("v2", "v3-bad")], {}
for level in ("clean", "hard"):
    pictures = [card.image for card in cards(200, seed=9, level=level)]
    pairs = zip(*(reader.read(pictures) for reader in readers), strict=True)
    same[level] = sum(first.digits == second.digits for first, second in pairs)
print(f"the same reading: {same} of 200")
reveal(GUESS_SAME, same["clean"], "cards")

# %% [markdown]
# Whoever tests with clean cards only ships it.
#
# ## Exercise 7: Break it ★ (8 minutes)
#
# Now you are the one in between. You cannot sign, but you have kept every manifest that the utility ever
# signed. A device has a version with a hole that you like, so it must not get a newer one, and nobody must
# notice.
#
# ```python
# {"version": 3, "patience": 48, "polls": [24, 110, 130, 200, 260], "manifests": [
#     {"version": 3, "published": 0, "expires": 168}, {"version": 3, "published": 100, "expires": 268},
#     {"version": 4, "published": 120, "expires": 288}]}
# ```
#
# At each hour in `polls` the device asks for a manifest, and you show it one, or nothing. It is the device of
# exercise 4, so it reports a manifest that has expired (`expires` is this hour or before) and one of a
# smaller version, and installs one of a larger. You cannot show one before it is `published`. If the device
# is shown nothing good at a poll, and the last good one was **more than** `patience` hours ago (at first:
# hour `0`), it reports that, too.
#
# Return for each poll the place of the manifest in the list, counted from 0, or `None` for nothing, such that
# the device keeps its version and reports nothing. It can be done in every case of the check; any such list
# is right. In the example `[0, 0, 0, 1, 1]` is one.
#
# <details><summary>Hint: a nudge</summary>A signature does not age by itself. Which manifests is this device
# glad about and not changed by?</details>
# <details><summary>Hint: the approach</summary>At each poll look for a manifest of the device's own version
# that is good at this hour.</details>
# <details><summary>Hint: a sketch</summary><code>item["published"] &lt;= poll &lt; item["expires"]</code>;
# nothing where there is none: patience will cover it</details>


# %% tags=["q7"]
def held_back(case: dict) -> list[int | None]:
    """What the device is shown at each poll."""
    ### BEGIN SOLUTION
    places = []
    for poll in case["polls"]:
        good = [
            place
            for place, item in enumerate(case["manifests"])
            if item["version"] == case["version"] and item["published"] <= poll < item["expires"]
        ]
        places.append(good[0] if good else None)
    return places
    ### END SOLUTION


# %% [markdown]
# If the device notices something, the check says at which hour.

# %%
check("lab09.q7", held_back)

# %% [markdown]
# So a device can be held back until the last manifest of its version expires, and for its patience after
# that, and no longer. Short lives of manifests cost signing more often, and a device that was without a link
# for weeks finds all it has expired.
#
# ## Exercise 8: Ship it? ★★ (8 minutes, graded by a person)
#
# The utility has an app on `40,000` phones, of which a third are eight years old, and wants the reader in
# `5,000` new meters with `512` kB of memory, which send a few bytes a day and hang there for fifteen years.
# In eight sentences or fewer: where does the model run for the phones, and where for the meters? With figures
# of this lab, say why, what your test reads before a release, and how you notice that a bad update has
# arrived, or that a good one has not.
#
# | points | an answer with |
# |---|---|
# | 2 | where the model runs for the phones and for the meters, with a reason for each |
# | 4 | reasons that follow from at least two figures of this lab, and what the test before a release reads |
# | 6 | that, and how a bad or withheld update is noticed, with the gap that remains |

# %% [markdown] tags=["q8"]
# On the phones it runs on the device, with the service behind it: exercise 5 hands on a part of the hard
# cards, and without a link a person reads those. The old phones decide the budget of exercise 1, so the p95
# is measured on one of them, not on mine. In the meters it runs as int8 with a fixed range and a single
# bucket, since exercise 2 says what padding costs and there is no room for a second graph; the range is
# chosen as in exercise 3 and then judged by cards read on the meter itself. Before a release the test of
# exercise 6 reads dark cards, odd widths, repeated digits and batches, because clean cards let `v3-bad` pass.
# Updates are signed, with a version and an expiry; a device that has heard nothing good for three days says
# so in its few bytes, and those that say nothing at all are counted. The gap: exercise 7 shows that until a
# manifest expires, a device that is held back looks like any other, and a meter that is offline for weeks
# finds all expired.
