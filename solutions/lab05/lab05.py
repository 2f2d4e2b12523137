# %% [markdown]
# # Lab 05: What is worth making faster
#
# **Minutes:** 70 · **Prerequisites:** [Optimization](../../notebooks/05_optimization.ipynb)
#
# At month end the machines cost money, and everybody has a proposal: int8, a smaller model, more threads, a
# cache. You say what each can gain before anybody builds it, choose what to run and on how many machines,
# put eight bits into the reader by hand, and find out how a quantized layer goes blind unnoticed.
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
import math

from fsdl_course.labs import case, check, predict, reveal

# %% [markdown]
# ## Exercise 1: What can it gain at most? ★ (8 minutes)
#
# The milliseconds that a request spends in each step: `{"decode": 2.0, "network": 6.0, "answer": 2.0}`. The
# steps come one after the other. A proposal is `[name, step, factor]`: with `["int8", "network", 1.5]` the
# network would be `1.5` times as fast, the rest as before. Its *gain* is how many times as fast the **whole
# request** becomes: `10 ms` against `8 ms` are `1.25`. This is Amdahl's law.
#
# - `None` as factor: the step takes no time at all any more. So much is in it at most.
# - A factor below 1 makes the step slower: `0.5` means that it takes twice as long.
# - A step that the request does not have gains nothing: `1.0`.
#
# Return `[[name, gain], ...]`, the greatest gain first; equal gains stay in the order given (in the tests
# only proposals with the same step and factor have equal gains). Some time is always left.
#
# <details><summary>Hint: a nudge</summary>How long does the whole request take before, and how long
# afterwards?</details>
# <details><summary>Hint: the approach</summary>Take the step's old time away from the total and add its new
# time. Then divide the old total by the new one, and sort by what comes out.</details>
# <details><summary>Hint: a sketch</summary><code>took = milliseconds.get(step, 0)</code>; new total:
# <code>total - took + took / factor</code>, without the last term for <code>None</code>;
# <code>sorted(..., key=..., reverse=True)</code> keeps the order of equals.</details>


# %% tags=["q1"]
def gains(milliseconds: dict[str, float], proposals: list[list]) -> list[list]:
    """[[name, how many times as fast the whole request becomes], ...], the greatest gain first."""
    ### BEGIN SOLUTION
    total, gained = sum(milliseconds.values()), []
    for name, step, factor in proposals:
        took = milliseconds.get(step, 0)
        left = total - took + (0 if factor is None else took / factor)
        gained.append([name, total / left])
    return sorted(gained, key=lambda pair: pair[1], reverse=True)
    ### END SOLUTION


# %% [markdown]
# Run this after every change.

# %%
check("lab05.q1", gains)

# %% [markdown]
# Now predict, then measure. A request is: decode the PNG file, read the card, write the answer as JSON. First
# what the two networks compute for a card:

# %% tags=["measure"]
from fsdl_deploy import weights
from fsdl_deploy.models import multiply_adds

work = {name: multiply_adds(weights.load(name).network) for name in ("teacher", "v2")}
fewer = work["teacher"] / work["v2"]
print({name: f"{count / 1e6:.1f} million multiply-adds" for name, count in work.items()})
print(f"the teacher needs {fewer:.1f} times as many")

# %% [markdown]
# How many times as fast does the whole request become with `v2` in place of the teacher (a number, not
# `None`)?

# %%
GUESS = 3  # SOLUTION: GUESS = None
predict("how many times as fast a request becomes with v2 in place of the teacher", GUESS)

# %% [markdown]
# The cells below time the steps, in turns for each card, so that both models meet the same machine.

# %% tags=["measure"]
import json
from statistics import median
from time import perf_counter

from fsdl_deploy import OnnxReader
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import decode, encode

pictures = [encode(card.image) for card in cards(60, "typical", seed=51)]
readers = {name: OnnxReader(name) for name in ("teacher", "v2")}
took = {name: {"decode": [], "read": [], "answer": []} for name in readers}


def timed(name, step, work, given):
    begin = perf_counter()
    result = work(given)
    took[name][step].append(1000 * (perf_counter() - begin))
    return result


# %% [markdown]
# A round for each card, model after model.

# %% tags=["measure"]
for picture in pictures * 2:
    for name, reader in readers.items():
        image = timed(name, "decode", decode, picture)
        reading = timed(name, "read", reader.read, [image])[0]
        timed(name, "answer", json.dumps, {"digits": reading.digits, "confidence": reading.confidence})

# %% [markdown]
# What came out, and what your function says of either request: of that factor, of a decoder twice as fast,
# and of each step if it took no time at all.

# %% tags=["measure"]
steps = {name: {step: median(each) for step, each in times.items()} for name, times in took.items()}
for name, medians in steps.items():
    print(f"{name:8}", {step: f"{time:.2f} ms" for step, time in medians.items()})
reveal(GUESS, sum(steps["teacher"].values()) / sum(steps["v2"].values()), "times as fast")
proposals = [[f"{fewer:.1f} × faster reading", "read", fewer], ["2 × faster decoding", "decode", 2]]
proposals += [[f"no time to {step}", step, None] for step in steps["teacher"]]
for name in steps:
    print(name, *(f"{what}: {gain:.2f}" for what, gain in gains(steps[name], proposals)), sep="\n    ")

# %% [markdown]
# Two things took the factor away: the rest of the request, and the reading itself, which became faster by far
# less than the multiply-adds say. (The lesson's roofline says why: resizing and decoding the digits are no
# multiply-adds of the network, and small layers use less of a core's best.) Look at the lists again: for
# which of the two models is a faster decoder worth a day of work?
#
# ## Exercise 2: The promise, on the fewest machines ★★ (12 minutes)
#
# A table of measurements, a line for each configuration that a machine can run:
# `{"name": "batches", "per_second": 300, "p99": 90, "accuracy": 0.95}`. Choose one that keeps the promise:
# `p99` (in ms) **at most** `p99_limit`, `accuracy` **at least** `floor`. And say how many machines serve
# `rate` cards a second, if each is loaded to at most the share `utilisation` of its `per_second`:
# `rate / (per_second * utilisation)`, rounded up.
#
# - The cheapest is the one that needs the fewest machines. There is at least one, also for a rate of 0.
# - Of those with as many machines the one with the lower p99; if that is equal too, the earlier line.
# - Return `{"name": ..., "machines": ...}` (a whole number), or `None` if nothing keeps the promise.
#
# <details><summary>Hint: a nudge</summary>First leave out what breaks the promise; then compare what is
# left.</details>
# <details><summary>Hint: the approach</summary>Half a machine cannot be rented: count whole ones in a small
# function of a row. <code>min</code> with a key that is a tuple settles
# ties.</details>
# <details><summary>Hint: a sketch</summary><code>math.ceil(rate / (...))</code>, at least 1;
# <code>min(fitting, key=lambda row: (..., row["p99"]))</code> takes the earlier of equals.</details>


# %% tags=["q2"]
def cheapest(
    rows: list[dict], p99_limit: float, floor: float, rate: float, utilisation: float
) -> dict | None:
    """{"name": of the configuration, "machines": how many}, or None if nothing keeps the promise."""
    ### BEGIN SOLUTION
    fitting = [row for row in rows if row["p99"] <= p99_limit and row["accuracy"] >= floor]

    def machines(row):
        return max(1, math.ceil(rate / (row["per_second"] * utilisation)))

    if not fitting:
        return None
    best = min(fitting, key=lambda row: (machines(row), row["p99"]))
    return {"name": best["name"], "machines": machines(best)}
    ### END SOLUTION


# %% [markdown]
# Two of the parts have one configuration a case: there you only count machines.

# %%
check("lab05.q2", cheapest)

# %% [markdown]
# First on your machine: the teacher with more and more workers and threads. A worker is a reader of its own
# that always has work, a thread helps within one call.

# %% tags=["measure"]
from functools import partial
from itertools import count
from queue import SimpleQueue

from fsdl_deploy import closed_loop
from fsdl_deploy.measuring.machine import whole_cores

CORES = whole_cores()
deck = [decode(picture) for picture in pictures]
grid = {(workers, threads): SimpleQueue() for workers in (1, CORES, 4) for threads in (1, CORES)}
for (workers, threads), free in grid.items():
    for _ in range(workers):
        free.put(OnnxReader("teacher", threads))


def read_one(free, turn):
    reader = free.get()
    reader.read([deck[next(turn) % len(deck)]])
    free.put(reader)


# %% [markdown]
# The configurations take turns, three times each. Then what your function chooses for 1000 cards a second:
# within the quickest p99 of all, within twice that, and within a second. Run it again while something else
# keeps the machine busy: which line is best is a fact about the cores that are free.

# %% tags=["measure"]
loads = {setting: [] for setting in grid}
for _ in range(3):
    for setting, free in grid.items():
        call = partial(read_one, free, count())
        loads[setting].append(closed_loop(call, setting[0], 80, warmup=4))

# %% [markdown]
# The medians as a table, and the choice.

# %% tags=["measure"]
from fsdl_deploy.measuring.table import Table

table = []
for (workers, threads), runs in loads.items():
    speed, p99 = median(run.throughput for run in runs), median(run.p99 for run in runs)
    name = f"{workers} workers, {threads} threads"
    table.append({"name": name, "per_second": speed, "p99": p99, "accuracy": 0.95})
rows = [[row["name"], row["per_second"], row["p99"]] for row in table]
print(Table(["setting", "cards/s", "99 % below (ms)"], *rows, formats=["", ".0f", ".1f"]))
quickest = min(row["p99"] for row in table)
for limit in (quickest, 2 * quickest, 1000):
    print(f"99 % within {limit:.1f} ms:", cheapest(table, limit, 0.95, 1000, 0.7))

# %% [markdown]
# Then the long run of all rungs of the ladder (`models/ladder.json`; its p99 is that of a call, which with
# batches holds 64 cards). What does a promise cost at 5000 cards a second?

# %% tags=["measure"]
from fsdl_deploy.measuring import records

climbed = records.read(weights.folder() / "ladder.json")["rungs"]
table = [
    {**rung, "name": rung["rung"], "accuracy": rung["right"] / rung["cards"]}
    for rung in climbed
    if rung["hit_rate"] is None  # the cache's rate depends on who asks: no promise is built on it
]
for limit in (1, 5, 20, 100):
    for floor in (0.94, 0.95):
        print(f"99 % within {limit:3} ms, {floor:.0%} right:", cheapest(table, limit, floor, 5000, 0.6))

# %% [markdown]
# These are readers without a web server. The same question of the serving libraries, each with one copy of
# `v2` and 8 or 32 callers (`models/serving.json`):

# %% tags=["measure"]
served = records.read(weights.folder() / "serving.json")["rows"]
for load in ("closed, 8", "closed, 32"):
    table = [{**row, "name": row["library"], "accuracy": 0.94} for row in served if row["load"] == load]
    for limit in (20, 100):
        print(f"{load:10} callers, 99 % within {limit:3} ms:", cheapest(table, limit, 0.94, 5000, 0.6))

# %% [markdown]
# ## Exercise 3: Eight bits by hand ★★★ (15 minutes)
#
# *Static quantization* stores a layer's values as whole numbers from 0 to 255. Which ones is settled before,
# by looking at *calibration values*, what the layer puts out for some typical cards:
#
# - The range goes from the smallest calibration value to the largest. It is widened to include `0.0` if it
#   does not: zeros (white paper, padding) must come back as zeros exactly.
# - `scale` is the width of the range divided by 255. If the range has no width (only zeros were seen), the
#   scale is `1.0`.
# - `zero_point` is the whole number that stands for `0.0`: minus the low end, divided by the scale, rounded.
# - A value becomes the whole number `round(value / scale) + zero_point`: **first rounded, then added**. What
#   lies below 0 becomes 0, what lies above 255 becomes 255 (it *saturates*). `round` is Python's.
# - A whole number comes back as `(number - zero_point) * scale`.
#
# Return `{"scale": ..., "zero_point": ..., "integers": [...], "worst": ...}` for `values`: `zero_point` and
# `integers` as whole numbers (`int`), `worst` is the largest distance between a value and what comes back.
# Neither list is empty.
#
# <details><summary>Hint: a nudge</summary>Range, scale, zero point, numbers, back: five lines in the order
# of the text.</details>
# <details><summary>Hint: the approach</summary><code>0.0</code> among the calibration values widens the range
# by itself. <code>min</code> and <code>max</code> together keep a number between two bounds.</details>
# <details><summary>Hint: a sketch</summary><code>low = min(0.0, *calibration)</code>; <code>min(255, max(0,
# ...))</code>; <code>max(abs(...) for value, number in zip(...))</code></details>


# %% tags=["q3"]
def quantize(calibration: list[float], values: list[float]) -> dict:
    """``values`` in eight bits, with the scale and zero point of ``calibration``, and the worst error."""
    ### BEGIN SOLUTION
    low, high = min(0.0, *calibration), max(0.0, *calibration)
    scale = (high - low) / 255 or 1.0
    zero_point = round(-low / scale)
    integers = [min(255, max(0, round(value / scale) + zero_point)) for value in values]
    back = [(number - zero_point) * scale for number in integers]
    worst = max(abs(value - other) for value, other in zip(values, back))
    return {"scale": scale, "zero_point": zero_point, "integers": integers, "worst": worst}
    ### END SOLUTION


# %% [markdown]
# Each line of the rules has its part.

# %%
check("lab05.q3", quantize)

# %% [markdown]
# Into the real network. Its fifth convolution's output becomes one more output of the graph, so that it can
# be watched.

# %% tags=["measure"]
import numpy as np
import onnx
from onnx import helper, numpy_helper

from fsdl_deploy.optimization.rungs import FileReader
from fsdl_deploy.reader import pad

network = onnx.load_from_string(weights.verified("v2.onnx"))
layer = [node for node in network.graph.node if node.op_type == "Conv"][4].output[0]
watched = onnx.ModelProto.FromString(network.SerializeToString())
watched.graph.output.append(helper.make_empty_tensor_value_info(layer))
watcher = FileReader(watched.SerializeToString(), "v2, watched")

# %% [markdown]
# 20 cards of training digits calibrate the layer; `values` come from 20 cards of unseen digits. Each is a
# random sample, with the smallest and the largest of all.

# %% tags=["measure"]
seen = []
for split in ("train", "test"):
    inputs = [pad([card.image]) for card in cards(20, "typical", split, seed=3)]
    every = np.concatenate([watcher.run(*picture)[-1].ravel() for picture in inputs])
    sample = np.random.default_rng(0).choice(every, 3000)
    seen.append([*sample.tolist(), float(every.min()), float(every.max())])
calibration, values = seen

# %% [markdown]
# Your scale and zero point go into the graph as the two nodes that static quantization puts there.


# %% tags=["measure"]
def in_eight_bits(scale, zero_point):
    """The reader v2 with that layer's output in eight bits."""
    changed = onnx.ModelProto.FromString(network.SerializeToString())
    nodes = changed.graph.node
    for node in nodes:
        node.input[:] = ["back" if name == layer else name for name in node.input]
    place = [list(node.output) for node in nodes].index([layer]) + 1
    nodes.insert(place, helper.make_node("DequantizeLinear", ["whole", "scale", "zero"], ["back"]))
    nodes.insert(place, helper.make_node("QuantizeLinear", [layer, "scale", "zero"], ["whole"]))
    for name, number in (("scale", np.float32(scale)), ("zero", np.uint8(zero_point))):
        changed.graph.initializer.append(numpy_helper.from_array(np.array(number), name))
    return FileReader(changed.SerializeToString(), "v2, a layer in eight bits")


# %% [markdown]
# Does it still read? The same 100 cards go to every reader.

# %% tags=["measure"]
unseen = list(cards(100, "typical", seed=41))


def share_right(reader):
    readings = reader.read([card.image for card in unseen])
    return sum(reading.digits == card.truth for reading, card in zip(readings, unseen)) / len(unseen)


# %% [markdown]
# First without and with your eight bits in that layer; then with a scale ten and a hundred times too coarse.
# Half a scale is the worst error inside the range: what is worse than that lay outside of it, because 20
# cards have not shown everything.

# %% tags=["measure"]
eight = quantize(calibration, values)
outside = sum(not min(calibration) <= value <= max(calibration) for value in values)
print({name: eight[name] for name in ("scale", "zero_point", "worst")}, f"{outside} of {len(values)} outside")
print(f"{'float32:':21} {share_right(OnnxReader('v2')):5.0%} right")
for coarser in (1, 10, 100):
    reader = in_eight_bits(eight["scale"] * coarser, round(eight["zero_point"] / coarser))
    print(f"the scale times {coarser:4}: {share_right(reader):5.0%} right")

# %% [markdown]
# ## Exercise 4: Break it ★★ (10 minutes)
#
# A colleague guards quantized layers with the check below: int8 is fine if the worst error is at most `1 %`
# of the calibrated range; and a range more than `1000` times as wide as the largest ordinary value is
# refused, to be safe from broken calibration files. `values` are what the layer puts out ordinarily;
# `calibration` are the same values, and one more, from a picture that got into the calibration by mistake.
#
# Find that one more value, for any list of ordinary values (not all of them 0): the check says fine, and
# still **every** ordinary value comes back as `0.0`, so the layer puts out nothing but zeros. The check calls
# your `quantize`: finish exercise 3 first, to try values with it.
#
# <details><summary>Hint: a nudge</summary>By how much can a value inside the range be wrong at worst, as a
# share of the range? Can the first half of the check ever fail?</details>
# <details><summary>Hint: the approach</summary>A value comes back as zero if it is smaller than half a scale.
# How wide must the range be for that? How wide may it be?</details>
# <details><summary>Hint: a sketch</summary><code>factor * max(abs(value) for ...)</code>; the factor follows
# from 255 scales in the range, the half scale, and the 1000.</details>


# %%
def fine_they_say(calibration: list[float], values: list[float]) -> bool:
    width = max(0.0, *calibration) - min(0.0, *calibration)
    largest = max(abs(value) for value in values)
    return quantize(calibration, values)["worst"] <= 0.01 * width and width <= 1000 * largest


# %% [markdown]
# Return the value: `calibration` is then `[*values, poison(values)]`.


# %% tags=["q4"]
def poison(values: list[float]) -> float:
    """One more calibration value: the check says fine, and every one of ``values`` comes back as 0.0."""
    ### BEGIN SOLUTION
    return 800 * max(abs(value) for value in values)
    ### END SOLUTION


# %% [markdown]
# Any value that does it counts as right.

# %%
check("lab05.q4", poison)

# %% [markdown]
# The same for the real layer: one more value among 3002. The reader's other layers stay as they are.

# %% tags=["measure"]
for name, given in (("the values", values), ("one value more", [*values, poison(values)])):
    eight = quantize(given, values)
    reader = in_eight_bits(eight["scale"], eight["zero_point"])
    print(f"{name}: {'fine' if fine_they_say(given, values) else 'not fine'}, they say")
    print(f"    worst error {eight['worst']:.3f}, {len(set(eight['integers']))} different numbers")
    print(f"    {share_right(reader):.0%} right")

# %% [markdown]
# An error is small or large beside the values, not beside the range; and whether the reader still reads, only
# reading tells.
#
# ## Exercise 5: What the cache remembers ★★★ (15 minutes)
#
# `CachedReader` is bounded in number and in age. Write what it does as a function of the requests of a day:
# `[when, picture, version]`, in the order they come; `when` in seconds, `version` the model that is deployed
# then. For each request say whether it is answered from memory: `True` or `False`.
#
# - A reading may be used again for the same picture and the same version, while its age is **below**
#   `seconds`. Its age counts from when it was read; being used makes it no younger.
# - What is not in memory is read and kept, from now on.
# - At most `size` readings are kept (at least 1). When one more comes, the one goes whose *last request*
#   lies longest ago. What is too old is thrown away first: it takes no room.
#
# <details><summary>Hint: a nudge</summary>Two orders matter: when something was read (for its age), and when
# it was last asked for (for who goes).</details>
# <details><summary>Hint: the approach</summary>A dictionary remembers the order in which keys came. Keep the
# time of reading as the value, and put a key at the end whenever it is asked for.</details>
# <details><summary>Hint: a sketch</summary>For each request: drop what is too old; <code>hit = key in
# kept</code>; take the key out (<code>pop</code> with the present time as the default), make room with
# <code>next(iter(kept))</code>, put it back at the end.</details>


# %% tags=["q5"]
def replay(requests: list[list], size: int, seconds: float) -> list[bool]:
    """Whether each request [when, picture, version] is answered from memory."""
    ### BEGIN SOLUTION
    kept, hits = {}, []  # (picture, version): when it was read; the longest unused comes first
    for now, picture, version in requests:
        kept = {key: read for key, read in kept.items() if now - read < seconds}
        key = picture, version
        hits.append(key in kept)
        read = kept.pop(key, now)
        if len(kept) == size:
            del kept[next(iter(kept))]
        kept[key] = read
    return hits
    ### END SOLUTION


# %% [markdown]
# Each rule has its part here too.

# %%
check("lab05.q5", replay)

# %% [markdown]
# The real cache against your function: the month-end mix of 60 cards, read by `v1`. At night `v2` is
# deployed, and then the call centre opens each card again. Beside it, what `functools.cache` would do, which
# forgets nothing and knows no versions: how many cards would still get the old answer, and how many of those
# have other digits?

# %% tags=["measure"]
from fsdl_deploy.optimization.caching import CachedReader
from fsdl_deploy.optimization.month_end import month_end

old, new = OnnxReader("v1"), OnnxReader("v2")
uploads = [(int(card), old) for card in month_end(len(deck), seed=5)]
uploads += [(card, new) for card in range(len(deck))]
cached = CachedReader(old, size=40)
for card, reader in uploads:
    cached.reader = reader
    cached.read([deck[card]])
day = [[when, f"{card}", reader.model_version] for when, (card, reader) in enumerate(uploads)]
print(f"{len(day)} uploads; from memory {cached.counts.hits}, your replay says {sum(replay(day, 40, 1e9))}")
unversioned = replay([[when, card, ""] for when, card, _ in day], 10**6, 1e9)
stale = [deck[card] for hit, (card, reader) in zip(unversioned, uploads) if hit and reader is new]
changed = sum(a.digits != b.digits for a, b in zip(old.read(stale), new.read(stale)))
print(f"without the version {len(stale)} cards get v1's answer, {changed} of them other digits than v2's")

# %% [markdown]
# How large, and how old? An upload a second; no reader is needed for that.

# %% tags=["measure"]
day = [[when, f"{card}", "v2"] for when, card in enumerate(month_end(1500, seed=6))]
print(f"{len(day)} uploads of 1500 cards")
for seconds in (60, 600, 10**6):
    rates = {size: sum(replay(day, size, seconds)) / len(day) for size in (10, 50, 200, 1000)}
    print(f"kept for {seconds:7} s:", {size: f"{rate:.0%}" for size, rate in rates.items()})

# %% [markdown]
# ## Exercise 6: "Quantize everything!" ★★ (10 minutes, graded by a person)
#
# A colleague has read that int8 is four times as fast, and wants to quantize the teacher and `v2` before
# month end. First write down your guess: how many times as fast does int8 make `v2`?

# %%
TIMES = 1.5  # SOLUTION: TIMES = None
predict("how many times as fast v2 becomes in int8", TIMES)

# %% [markdown]
# The cell below makes both in int8, with ranges from 128 cards (once; later it finds the files).

# %% tags=["measure"]
from fsdl_deploy.optimization import ladder, rungs
from fsdl_deploy.optimization.quantization import quantized

kinds = ["teacher:onnx", "teacher:static", "v2:onnx", "v2:static"]
models = {kind: rungs.make(kind, ladder.FOLDER) for kind in kinds}

# %% [markdown]
# Speed card by card in turns; accuracy on 300 cards, with those that int8 fixed and broke.

# %% tags=["measure"]
examined = list(cards(300, "typical", seed=41))
took, right = {kind: [] for kind in kinds}, {}
for image in deck * 2:
    for kind, reader in models.items():
        begin = perf_counter()
        reader.read([image])
        took[kind].append(1000 * (perf_counter() - begin))
for kind, reader in models.items():
    readings = reader.read([card.image for card in examined])
    right[kind] = [reading.digits == card.truth for reading, card in zip(readings, examined)]

# %% [markdown]
# The figures for your answer.

# %% tags=["measure"]
for name in ("teacher", "v2"):
    plain, whole = f"{name}:onnx", f"{name}:static"
    pairs = list(zip(right[plain], right[whole]))
    files = weights.folder() / f"{name}.onnx", quantized(name, "static", ladder.FOLDER)
    ratio = median(took[plain]) / median(took[whole])
    print(f"{name}: {median(took[plain]):.2f} ms, in int8 {median(took[whole]):.2f} ms,", end=" ")
    print(f"{ratio:.2f} × as fast; files:", *(f"{file.stat().st_size / 1024:.0f} KiB" for file in files))
    print(f"    right: {sum(right[plain])} and {sum(right[whole])} of {len(pairs)};", end=" ")
    print(f"fixed {pairs.count((False, True))}, broken {pairs.count((True, False))}")
reveal(TIMES, ratio, "times as fast")

# %% [markdown]
# Defend or refuse the proposal, in six sentences or fewer, with these figures: for each of the two models
# say whether you would ship it in int8, and what would change your mind.
#
# | points | an answer with |
# |---|---|
# | 1 | a position and a reason |
# | 2 | a position for each model, argued with its ratio, its accuracy and its file |
# | 3 | that, and what would change it: the processor, the calibration, the rest of a request |

# %% [markdown] tags=["q6"]
# Refused for `v2`: in the ladder's long run it is {{climb(distilled int8 static, distilled):.2f}} times as
# fast in int8, so nothing is gained; the cards that are right are as many within chance, and a part of a file
# of {{rung(distilled, file):.0f}} KiB saves nothing on a server (on a phone I would take it). The teacher
# becomes {{climb(int8 static, graph optimisations):.1f}} times as fast, with {{rung(int8 static, broken)}}
# cards broken and {{rung(int8 static, fixed)}} fixed of {{rung(int8 static, cards):,}}, which is within
# chance, so alone I would ship it in int8. Even the promised factor of four would make a request with `v2`
# much less than four times as fast, because decoding stays. On a processor with integer instructions (VNNI) I
# would measure again. And I would let it through only by reading cards: exercise 4 showed a layer that passed
# a check of its errors while nothing was read right.
