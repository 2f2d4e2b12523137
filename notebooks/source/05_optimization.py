# %% [markdown]
# # Optimization: the same answers for a hundredth of the work
#
# **Minutes:** 50 · **Prerequisites:** [Packaging](04_packaging.ipynb) · **Truth:** runs
#
# ## The need
#
# Month end is expensive: most customers send their card in the last two days. The first service runs the
# *teacher*, our large model, as the data scientist left it. It would need a rack of machines for two days and
# nothing for the other twenty-eight. The lecture tells of Roblox, who serve a billion requests a day with the
# language model BERT on CPUs alone; their own report says thirty times cheaper. How far can we get, and how
# much does each technique contribute?
#
# ## You will learn
#
# - to climb a ladder: one technique a rung, measured in turns, with the accuracy beside the speed
# - why a service with more workers and threads than cores is slower, and what `set_num_threads(1)` cures
# - what distillation (a small model taught by a large one) and quantization (numbers of fewer bits) give on
#   this machine, and where they give nothing
# - to read and measure a dynamic batcher and a cache, and when each loses
# - to see how near a network comes to what the processor can do at all

# %% [markdown]
# On Colab the next cell fetches the course and installs what it needs; tools that want a container engine
# stay out there. Elsewhere it does nothing.

# %% tags=["colab"]
# Building the notebook writes this cell.

# %% [markdown]
# ## Where the model sits
#
# Everything below happens in the box on the right: the service and its contract stay as they are. Batcher,
# cascade and cache are options of the course's service (`fsdl-deploy serve --max-batch 16 --cascade --cache
# 10000`); cache and cascade are Readers around Readers, built and measured here.
#
# ```mermaid
# flowchart LR
#     app["Application"] -- "pictures" --> web["Web server"]
#     subgraph service["Model service"]
#         web --> cache[("Cache")] -- "not seen yet" --> batcher["Batcher"]
#         batcher --> small(["v2: small, for all"]) -- "not sure" --> big(["teacher: expensive, for few"])
#     end
#     style small fill:#d55e00,color:#fff
#     style big fill:#d55e00,color:#fff
# ```
#
# `FAST = True` keeps the rounds short; set `FAST = False` for longer ones and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# `ladder.climb` starts the workers (processes, each with its copy of the model) of each rung, and measures
# the rungs in turns. The command `fsdl-deploy bench ladder` does the same at length.

# %%
from fsdl_course.optimization import rung_figures
from fsdl_deploy import figures, weights
from fsdl_deploy.measuring.machine import whole_cores
from fsdl_deploy.optimization import climb_figures, ladder
from fsdl_deploy.optimization.ladder import climb

CORES = whole_cores()
figures.use()
effort = {"rounds": 1, "seconds": 0.4} if FAST else {"rounds": 5, "seconds": 2.0, "calls": 200}
measured = {}  # what the lecture's sentences at the end are judged by

# %% [markdown]
# ## Concurrency: more is less
#
# The first thing one tries is more: more workers, more threads. torch uses as many threads as there are cores
# *in each worker*. So with several workers there are more threads than cores, and threads that wait for each
# other keep a core busy by checking again and again (spinning). Here are workers against threads, the teacher
# in torch.
#
# **Your turn:** The grid has every combination of one and of as many as there are cores, for workers and for
# threads. Which is the fastest, and which the slowest? Write down both before you look.

# %%
from fsdl_deploy.optimization.rungs import Rung

counts = sorted({1, CORES} if FAST else {1, CORES, 2 * CORES})
pairs = [(workers, threads) for workers in counts for threads in sorted({1, CORES})]
grid = [Rung(f"{w} by {t}", "teacher:eager", workers=w, threads=t) for w, t in pairs]
busy = {pair: result.per_second for pair, result in zip(pairs, climb(grid, count=0, **effort))}
measured["one_copy"], measured["copies"] = busy[1, 1], busy[CORES, 1]

# %% [markdown]
# The results as a picture: light is fast.

# %%
rung_figures.workers_and_threads(busy, CORES)
workers, threads = max(busy, key=busy.get)
print(f"In this run the fastest is: {workers} workers, {threads} threads")

# %% [markdown]
# On a quiet machine more of both is not faster: the product of workers and threads should not exceed the
# cores. Above that, threads only wait for each other. In the long run below, the step from many workers and
# threads to one worker a core with one thread each brings {{climb(a worker a core, teacher padded):.0f}} ×.
# That is what `torch.set_num_threads(1)` on the lecture's slide is for. Threads shorten *one* request on an
# idle machine; they do not help a service that is busy.
#
# ## Threads, processes, async
#
# Workers may be processes or threads, and a web server handles its connections as *tasks* of one thread
# (async). Which of them use a second core? Python has one lock for its interpreter, the *GIL*: only one
# thread of a process runs Python at a time. We try two kinds of work: to *parse* the pixels of a card from
# JSON, which needs the lock all the time, and to *read* the card, for which ONNX Runtime releases it. (ONNX
# Runtime runs networks from ONNX files, without torch; see [Packaging](04_packaging.ipynb).)

# %%
from fsdl_deploy.optimization import threads_and_processes

for kind in threads_and_processes.KINDS:
    rates = threads_and_processes.compare(kind, CORES, rounds=2 if FAST else 10)
    alone = rates["one thread"]
    print(f"{kind:6}", "  ".join(f"{way}: {rate / alone:.2f} ×" for way, rate in rates.items()))

# %% [markdown]
# Tasks take turns in one thread: they are for waiting, and do not speed up computing. Threads help where the
# work releases the lock, so they help reading and not parsing. Processes help both where a core is free, at
# the price of a copy of everything. (On a machine with other work, two threads also get a larger part of it,
# so a factor above one need not mean a second core.) This is why our service reads in threads, and why its
# own Python (HTTP, JSON, base64) limits it in the end.
#
# ## The ladder
#
# Now all rungs. The first is what one deploys first: the teacher in torch, each card padded with paper to the
# width of the longest, `2 * cores + 1` workers, as the documentation of the web server gunicorn recommends,
# and the default number of threads. Each rung adds one technique and keeps the others:
#
# - *own width* does not pad, so it computes less; it helps while cards are read one by one.
# - *inference_mode* tells torch that nobody will train, so it keeps no notes for gradients.
# - *ONNX Runtime* runs the same network without torch's Python around each operator; its *graph
#   optimisations* then merge operators, such as a convolution with what follows it.
# - *distilled* swaps the teacher for its *student* `v2`, with a tenth of the arithmetic.
# - *batches of 64* read many cards in one call: what a call costs is shared. It helps small networks most.
# - *cascade* sends cards of which `v2` is not sure (confidence below `cascade.SURE`) to the teacher: slower,
#   but more accurate.
# - *cache* remembers readings; *same card, same worker* makes a card's repeats meet the same cache.
#
# A rung with a star leads aside: it is measured, but the next one does not build on it. Most of these store
# numbers in fewer bits, *int8* in whole numbers of 8 bits; the section on quantization explains them. The
# fast run measures one of those. All are in the table of a long run below, also `torch.compile`, which needs
# a C++ compiler and minutes of compiling before it answers.

# %%
from fsdl_deploy.optimization.rungs import all_rungs

rungs = [rung for rung in all_rungs() if not rung.kind.endswith("compiled")]
if FAST:
    rungs = [rung for rung in rungs if not rung.aside or rung.name == "int8, static"]
results = climb(rungs, count=20 if FAST else 2000, **effort)
ladder.table(results)

# %% [markdown]
# The bars are on a logarithmic scale, because factors multiply: equal steps are equal factors.

# %%
rung_figures.rates_of_rungs(results, CORES)

# %% [markdown]
# How to read the table: factors multiply, so the *share* of a rung in the climb is one of logarithms. Half of
# the calls take less than *p50*, and all but one in a hundred less than *p99*. *fixed* are cards that the
# first rung misread and this one reads, *broken* the other way round. Accuracy is compared on the same cards,
# so the two counts say more than two rounded shares; *p* is the probability of counts this uneven if fixing
# and breaking were equally likely. *hits* is the share of the uploads that a cache answered.
# `models/ladder.json` records a long run (2,000 cards for the accuracy) with its date and machine; this is
# its table.

# %%
from fsdl_deploy.measuring import records

recorded = records.read(weights.folder() / "ladder.json")
long_run = [ladder.RungResult(**row) for row in recorded["rungs"]]
print(recorded["date"], recorded["machine"])
measured |= climb_figures.climb_figures(long_run)
ladder.table(long_run)

# %% [markdown]
# In that run the whole climb without the cache is {{climb(cascade, teacher padded):.0f}} ×, at
# {{rung(cascade, share):.1%}} of the cards read right, of which the first rung reads
# {{rung(teacher padded, share):.1%}} ({{rung(cascade, fixed)}} fixed, {{rung(cascade, broken)}} broken). With
# the cache on the assumed mix it is {{climb(cache, teacher padded):.0f}} ×, or
# {{climb(same card, teacher padded):.0f}} × where all uploads of a card go to the same worker. Read it
# honestly: {{climb(a worker a core, teacher padded):.0f}} × comes from fixing the threads, which costs
# nothing and which a careful team would not have needed. From one worker a core on, it is
# {{climb(cascade, a worker a core):.0f}} ×, and {{climb(same card, a worker a core):.0f}} × with the cache.
# Roblox's own report says *thirty times* for about the same set of techniques. From a careless start this
# climb is longer, with the cache or without; from one worker a core on, and without the cache, whose hits are
# our assumption, it is shorter.
#
# What keeps it below thirty times a careful start? The next cell takes the same record apart.

# %%
rate = {result.rung: result.per_second for result in long_run}
careful, small = rate["a worker a core, a thread each"], rate["batches of 64"]
both = rate["cascade: unsure cards to the teacher"]
print(f"thirty times a careful start: {30 * careful:,.0f} cards a second")
print(f"v2 alone reads {small:,.0f}, the cascade {both:,.0f}: the second look takes {1 - both / small:.0%}")
print(f"v2 would have to be {30 * careful / small:.1f} × as fast, and the second look free")

# %% [markdown]
# So even a second look that cost nothing would not be enough: the small model itself is the limit, and after
# it the steps around it, which no rung makes smaller.
#
# The lecture also says that *distillation, quantization, and other tricks* give *a factor of 2-10, but not
# more*. From a careful start in torch it is {{climb(batches of 64, a worker a core):.1f}} ×, from ONNX
# Runtime with its graph optimisations on {{climb(batches of 64, graph optimisations):.1f}} ×. So the sentence
# depends on where you begin: if the runtime counts as one of the tricks it is too modest, otherwise it is
# true.
#
# `v2` alone reads {{rung(distilled, share):.1%}} of the cards right. The *cascade* gives the teacher's
# accuracy back. It answers {{climb(cascade, batches of 64):.0%}} of the cards that `v2` alone answers in the
# same time, because the cards of which `v2` is not sure go to a model that is several times as expensive.
#
# Are the factors the same elsewhere? Here are the record's beside those of the run above, on your machine;
# each is the factor on the rung before.

# %%
rung_figures.steps({recorded["machine"].split(",")[0]: long_run, "here": results})

# %% [markdown]
# On a quiet machine most factors come out alike. Those of int8 and of batches
# depend on the processor's instructions and the size of its cache. The first factor is chance: how much time
# spinning threads take from each other changes from run to run. So compare from the rung after it on. If you
# cannot change the code, the variable `OMP_WAIT_POLICY=PASSIVE` makes waiting threads sleep instead.

# %% [markdown]
# ## Distillation: a small model taught by a large one
#
# `v2` has a tenth of the teacher's multiply-adds, which count its arithmetic. It was *distilled*: besides the
# truth it learned the teacher's probabilities at every time step, also for mixtures of two cards, which have
# no truth. How much is the teaching worth, and how much the size? Here are students of three sizes, each
# trained alone and taught, in the same few steps (`fsdl-deploy sizes`; their accuracy is below that of `v2`,
# which was trained for longer).

# %%
sizes = records.read(weights.folder() / "sizes.json")
rung_figures.students(sizes["students"])
measured["teaching"] = climb_figures.teaching_points(sizes["students"])

# %% [markdown]
# Size matters more than teaching. All read the same {{size_cards():,}} cards, so count those that change from
# the student trained alone to the taught one:
#
# - The smallest fixes {{taught(smallest, fixed)}} and breaks {{taught(smallest, broken)}}:
#   {{taught(smallest, points):+.1f}} points.
# - The middle one fixes {{taught(middle, fixed)}} and breaks {{taught(middle, broken)}}:
#   {{taught(middle, points):+.1f}} points.
# - The largest fixes {{taught(largest, fixed)}} and breaks {{taught(largest, broken)}}:
#   {{taught(largest, points):+.1f}} points.
#
# Each student was trained once, from one seed. Another seed gives another student, so a difference of a few
# points between two trainings says nothing about teaching, however many cards they read. The smallest
# student's difference is large; why it loses was not investigated. Two more trainings, with several seeds
# each, would show more: a longer one, to see whether teaching only needs more steps, and one with a smaller
# weight of the teacher in the loss (`TEACHER` in `fsdl_deploy/training/distillation.py`).
#
# The lecture calls distillation finicky, and names DistilBERT as the exception. Its slide says *about
# half the total number of parameters* and *retains 95% of BERT's performances*. The authors' own summary is
# [40 % fewer parameters, 60 % faster](https://huggingface.co/docs/transformers/model_doc/distilbert).
# Parameters and speed do not depend on the weights, so both can be checked
# with BERT's dimensions in plain torch: twelve layers against six.

# %%
from IPython.display import Code

from fsdl_deploy.optimization import bert

Code(filename=bert.__file__)

# %% [markdown]
# The parameters:

# %% tags=["nbval-check-output"]
import torch

torch.set_num_threads(1)
models = {"BERT-base": bert.Bert(12), "DistilBERT": bert.Bert(6)}
parameters = {name: sum(p.numel() for p in model.parameters()) for name, model in models.items()}
print({name: f"{count / 1e6:.0f} million" for name, count in parameters.items()})
measured["distilbert_share"] = parameters["DistilBERT"] / parameters["BERT-base"]
print(f"{1 - measured['distilbert_share']:.0%} fewer parameters")

# %% [markdown]
# And the time of one message of 16 words, in turns.

# %%
from functools import partial

import numpy as np

from fsdl_deploy.measuring.turns import in_turns

words = torch.zeros(1, 16, dtype=torch.long)
calls = {name: partial(model, words) for name, model in models.items()}
with torch.inference_mode():
    took = in_turns(calls, 6 if FAST else 50, warmup=1)
ratio = measured["distilbert_speed"] = np.median(took["BERT-base"]) / np.median(took["DistilBERT"])
print(f"DistilBERT does {ratio:.2f} × as many messages in the same time: {ratio - 1:.0%} faster")

# %% [markdown]
# Half the layers, so about twice as fast here; the authors measured other lengths and other overheads. The
# parameters shrink by less than half, because the table of words stays: the authors' figure holds, the
# slide's *about half* does not.
#
# For so large a model a batch is cheaper on a core, too: its weights come from memory once for all messages.

# %%
eight = partial(models["BERT-base"], words.expand(8, -1))
with torch.inference_mode():
    took |= in_turns({"by eights": eight}, 3 if FAST else 20, warmup=1)
each, bert_rate = 1000 / np.median(took["BERT-base"]), 8000 / np.median(took["by eights"])
measured["bert_rate"], measured["cores_for_a_billion"] = bert_rate, 1e9 / 86_400 / bert_rate
print(f"one by one {each:.0f} messages a second, by eights {bert_rate:.0f}")
del models, calls, eight

# %% [markdown]
# ## Quantization: fewer bits
#
# The starred rungs are the table of the lecture's slide, on our model: post-training **dynamic** (weights in
# int8, ranges of the activations found at each call) and **static** (ranges from 128 cards seen before). Each
# loses or gains for a reason that the files and the network show.
#
# **Your turn:** A number in int8 has a quarter of the bits of one in float32. How many times as many cards a
# second does static int8 give the teacher, and how many times `v2`? Write down both, then look at the long
# run:

# %%
chosen = ["graph optimisations", "float16", "int8, dynamic", "int8, static"]
chosen += ["distilled", "distilled, int8, static"]
rung_figures.files_and_rates(long_run, chosen)

# %% [markdown]
# A quarter of the bits is not a quarter of the time:
#
# - The **teacher** spends its time in convolutions. Dynamic quantization changes matrix products only, so it
#   gains less than static quantization, which reaches the convolutions.
# - **v2** is so small that converting to int8 and back takes what int8 saves: the file is smaller, the
#   service is not faster.
# - **float16** halves the file. The weights are float32 again once they are loaded, so the time stays. That
#   not one card changes is no surprise: the published weights were rounded to float16 before they were
#   exported. This is also why torch's file of the teacher is half of ONNX's.
# - The lecture's *limited accuracy loss* is true here: look at *fixed* and *broken* in the tables above.
# - *Quantization-aware training*, the third row of the slide, changes the weights and neither the size of the
#   file nor the time, so it is no rung of its own. How much it repairs with few bits is recorded in the
#   notebook on the slide's tools, [Optimum and Neural Compressor](tools/quantization.ipynb).
# - *Pruning*, the slide's last row, is in that notebook too: single weights that become zero, and whole
#   channels that are taken out. Zeros are as slow as other numbers; a narrower network is faster, and must be
#   trained on.
#
# How much int8 pays depends on the processor and its instructions for whole numbers: compare the two columns
# above.
#
# ## MobileNet blocks: fewer multiply-adds, the same shapes
#
# `v2` is built from the blocks of MobileNets: a convolution for each channel alone (depthwise), then a mix of
# the channels (pointwise). Beside it the plain convolution of the same shapes, both in ONNX Runtime.

# %%
from torch import nn

from fsdl_course.optimization import blocks

plain = [nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()]
depthwise = [nn.Conv2d(64, 64, 3, padding=1, groups=64), nn.ReLU()]
pointwise = [nn.Conv2d(64, 64, 1), nn.ReLU()]
kinds = {"plain": plain, "depthwise-separable": depthwise + pointwise}

# %% [markdown]
# Four of each in a row, for as many positions as one card has, on one thread, in turns. The last column
# compares with the best that a core does: the faster of a large matrix product and a large convolution.

# %%
from fsdl_deploy.optimization import roofline

timed = blocks.compare(kinds, calls=100 if FAST else 1000)
core = roofline.measure()
blocks.table(timed, core)

# %% [markdown]
# Time shrinks less than the multiply-adds do: a depthwise convolution moves as much memory as it computes. (A
# share above the whole, or a dot above the roof in the next section, means that the machine was slower while
# its best was measured than while the layers were.)

# %%
whole, separable = timed["plain"], timed["depthwise-separable"]
print(f"{whole.multiply_adds / separable.multiply_adds:.1f} × fewer multiply-adds,", end=" ")
print(f"{whole.seconds / separable.seconds:.1f} × less time")

# %% [markdown]
# ## How near is the last rung to the limit?
#
# A *roofline* bounds each layer twice: it cannot end before its multiply-adds are done, nor before its bytes
# are read and written. What a core does at best was measured above, also in bytes. What each layer does, and
# how long it takes, is in ONNX Runtime's own profile.

# %%
from fsdl_course.optimization import layers
from fsdl_deploy.cards import cards

deck = [card.image for card in cards(64, "typical", seed=43)]
networks = {
    "teacher": layers.profiled(weights.verified("teacher.onnx"), deck[:4], size=1),
    "v2": layers.profiled(weights.verified("v2.onnx"), deck, size=64),
}

# %% [markdown]
# Both scales are logarithmic. The flat part of the roof is the bound by multiply-adds, the slopes are the
# bounds by bytes: from the cache (line) and from memory (dashes). A dot is a layer, as large as its share of
# the time.

# %%
layers.under_the_roof(core, networks)

# %% [markdown]
# *Other* layers have no multiply-adds, so no dot: they only move bytes. Each network's last row is all its
# calls together, timed without the profile.

# %%
layers.table(core, networks)

# %% [markdown]
# The convolutions of both networks come near their roof. The depthwise ones read and write nearly a byte for
# each multiply-add, and stay far below even the bound for bytes; the lowest dots are the one convolution over
# time, in one dimension, for which the runtime has no fast code. But most of what is missing has no dot:
# resizing and decoding take a good part of the time. Such a layer costs some microseconds to call, however
# little it does. That is what a batch saves, and why `v2` alone, card by card, is farther from its roof than
# the teacher. The last column of each network's own row says what could still be gained at most: its inverse
# is the factor. That gain is in the small layers, not in the convolutions.

# %% [markdown]
# ## Batching: who waits for whom?
#
# The lecture: gather predictions until you have a batch, run it, give each caller its own answer; have a way
# to shortcut when the wait gets too long; and do not write it yourself. Here is one, short enough to read.

# %%
from fsdl_deploy.service import batching

Code(filename=batching.__file__)

# %% [markdown]
# One setting helps some callers and costs others: the deadline, the longest wait for a batch to fill. We vary
# it, with callers in a closed loop (each waits for its answer before it asks again), one card each. We
# measure cards a second, and the time that nine of ten calls stay below.

# %%
from fsdl_course.optimization import batching_figures
from fsdl_deploy import OnnxReader
from fsdl_deploy.service.batching import Batcher

deck = [card.image for card in cards(64, seed=9)]
reader, calls, curves = OnnxReader(), 300 if FAST else 3000, {}
for delay in (0, 0.002, 0.02):
    batcher = Batcher(reader.read, 32, delay)
    curves[delay] = [batching_figures.callers(batcher, deck, users, calls) for users in (1, 8, 32)]
    batcher.close()

# %% [markdown]
# Each line is one deadline, each point a number of callers: 1, 8 and 32, from the bottom up.

# %%
batching_figures.deadlines(curves)

# %% [markdown]
# A deadline makes a lonely caller wait for company that does not come. With deadline 0 a batch is whatever
# arrived while the last one ran: no caller waits in vain, and under load batches form by themselves. A short
# deadline fills the batches better when many call, and everybody pays for it when few do.
#
# And the *shortcut* for when the wait gets too long? A card that has waited longer than its caller's patience
# is refused and no longer read. The caller can do something else (ask again, show the card to a person), and
# the cards behind it wait less. Two hundred cards come at the same moment, each with a patience of `20 ms`.

# %%
from fsdl_deploy.service.batching import TooLate

batcher = Batcher(reader.read, 1, patience=0.02)
futures = [batcher.submit(deck[k % 64]) for k in range(200)]
late = [isinstance(future.exception(), TooLate) for future in futures]
batcher.close()
measured["in_time"], measured["too_late"] = late.count(False), sum(late)
print(f"{late.count(False)} read, {sum(late)} told that it is too late:", futures[-1].exception())

# %% [markdown]
# *Batch size needs to be tuned*, says the slide. Here we vary only the size, without callers: the same cards
# in batches of similar widths. In a larger batch the first card waits longer for the last.

# %%
from fsdl_deploy.measuring.table import Table

tuned = climb_figures.batch_sizes(reader, deck, (1, 2, 4, 8, 16, 32, 64), rounds=3 if FAST else 20)
measured["batch_rates"] = {size: rate for size, (rate, _) in tuned.items()}
measured["best_batch"] = max(tuned, key=lambda size: tuned[size][0])
rows = [[size, *both] for size, both in tuned.items()]
Table(["batch", "cards/s", "longest batch, ms"], *rows, formats=["", ",.0f", ".1f"])

# %% [markdown]
# Small batches bring most of the gain. Beyond some size the wait goes on growing while the rate does not: it
# may even fall, once a batch no longer fits into the processor's cache. Choose the smallest batch whose rate
# is near the best.
#
# Two things decide whether a batch is cheaper at all. Cards of different widths are padded to the widest, and
# a large batch must still fit into the processor's cache. Here are random batches against batches of similar
# widths:

# %%
from fsdl_deploy.reader import batches, pad

deck = [card.image for card in cards(128, "typical", seed=10)]
ways = {"one by one": [pad([image]) for image in deck]}
ways["random batches of 32"] = [pad(deck[k : k + 32]) for k in range(0, 128, 32)]
ways["sorted batches of 32"] = [(pictures, widths) for _, pictures, widths in batches(deck, 32)]

# %% [markdown]
# Padding is work too. Its column shows the extra pixels, as a share of the cards' own.

# %%
batching_figures.padding(reader, deck, ways, rounds=4 if FAST else 20)

# %% [markdown]
# ## Caching: the same question twice
#
# The slide's way is `functools.cache`. It is one line, and it never forgets. Here it gets a few cards.

# %%
import functools


@functools.cache
def remembered(picture: bytes, width: int) -> str:
    return reader.read([np.frombuffer(picture, np.uint8).reshape(-1, width)])[0].digits


for image in deck:
    remembered(image.tobytes(), image.shape[1])
measured["asked"], measured["kept"] = len(deck), remembered.cache_info().currsize

# %% [markdown]
# What do they take, and what would a month's cards?

# %%
kept = sum(image.nbytes for image in deck)
print(f"{measured['kept']} pictures kept, {kept / 2**20:.1f} MiB of them alone")
print(f"a million cards: {kept / len(deck) * 1e6 / 2**30:.0f} GiB, and after a new model the old answers")

# %% [markdown]
# `CachedReader` keeps a digest of `16` bytes (a short number computed from the picture) instead of the
# picture. It limits how many readings it keeps and for how long, and the model's version is part of the key.
# It is a Reader around a Reader.
#
# How often does it help? That depends on the *customers*, not on the cache. `UPLOADS` is our assumption for
# month end: the share of cards that are sent once, twice, and so on, because the app tries again, people
# press twice, and the call centre opens a card again.

# %%
from fsdl_deploy.optimization.caching import CachedReader
from fsdl_deploy.optimization.month_end import UPLOADS, month_end

print("times sent: share of the cards", UPLOADS)
uploads = month_end(20_000)
print(f"{len(uploads):,} uploads of 20,000 cards: at most {1 - 20_000 / len(uploads):.0%} need no model")

# %% [markdown]
# The hit rate is the share of uploads that are answered from memory. Here it is against the size of the
# cache, on that mix, without reading a card. When it is full, the cache forgets what was unused for longest
# (LRU).

# %%
from fsdl_course.optimization import around_readers

sizes = (10, 100, 1000, 3000, 10_000, 20_000)
around_readers.hit_rates({size: around_readers.hit_rate(uploads, size) for size in sizes})

# %% [markdown]
# The repeats of a card come soon after each other, so a cache of a few thousand readings does as well as one
# that keeps all. But each worker has a cache of its own, and a load balancer sends a card's repeats to any of
# them: with two workers about half of the uploads are answered from memory, with more workers fewer. Sending
# the same card to the same worker, by a digest of the picture, brings the whole share back: these are the
# last two rungs of the ladder. What a cache must not do is answer with last month's model:

# %% tags=["nbval-check-output"]
cached = CachedReader(OnnxReader("v1"), size=100)
first, again = cached.read(deck[:1]), cached.read(deck[:1])
print(first[0].model_version, again[0].model_version, cached.counts)
cached.reader = OnnxReader("v2")
print(cached.read(deck[:1])[0].model_version, cached.counts)

# %% [markdown]
# And ten callers with the same card at the same moment should cost one reading (*single flight*): the first
# one reads, and the others wait for its answer.

# %% tags=["nbval-check-output"]
from concurrent.futures import ThreadPoolExecutor

cached = CachedReader(OnnxReader(), size=100)
with ThreadPoolExecutor(10) as pool:
    answers = list(pool.map(lambda _: cached.read(deck[1:2])[0].digits, range(10)))
print("equal answers:", len(set(answers)) == 1, "| readings:", cached.counts.misses)

# %% [markdown]
# ## GPU or no GPU?
#
# The lecture's advice: that a model was trained on a GPU is no reason to serve it on one. In the course,
# where a reader computes is an argument. To ask for a GPU that is not there must be an error: ONNX Runtime by
# itself would use the processor, and say so only in its log.

# %%
from fsdl_deploy.devices import DeviceError

print("auto:", OnnxReader(device="auto").device)
try:
    print("cuda:", OnnxReader(device="cuda").device)
except DeviceError as error:
    print("cuda:", error)

# %% [markdown]
# What a million predictions cost follows from three figures: the rate, the price of an hour, and the
# *utilisation*, the share of the hour in which there is work. The rates on a core were measured above; fill
# in your own prices.

# %%
core_price, gpu_price = 0.05, 1.00  # dollars an hour, assumptions: put your provider's prices here
by_rung = {result.rung: result.per_second / CORES for result in results}
rates = {"v2, batches of 64": by_rung["batches of 64"], "teacher": by_rung["graph optimisations"]}
rates["BERT-base, by eights"] = bert_rate

# %% [markdown]
# A core costs the same hour by hour, so a prediction costs ten times as much where it works a tenth of the
# time:

# %%
from fsdl_deploy.optimization.gpu_cost import per_million

dollars = {name: [per_million(rate, core_price, used) for used in (1, 0.1)] for name, rate in rates.items()}
rows = [[name, rates[name], *both] for name, both in dollars.items()]
header = ["on cores", "a second and core", "$ a million, always busy", "busy a tenth"]
Table(header, *rows, formats=["", ",.0f", ".3f", ".2f"])

# %% [markdown]
# Cores can be bought one by one, so that those which run are busy. A GPU comes whole, and costs as much when
# nobody asks. So one question can be answered without a GPU: how many predictions a second must it make,
# while it works, to be as cheap as busy cores?

# %%
from fsdl_course.optimization import gpu_figures

gpu_figures.rates_needed(rates, gpu_price / core_price)

# %% [markdown]
# With those prices a GPU must do the work of twenty busy cores, and of two hundred if it works a tenth of the
# time. For `v2` that is tens of thousands of cards a second, each of which a core has to decode first, and
# the most it could save is the cents of the table: the advice is right for `v2`. How about BERT? A bound can
# be computed: NVIDIA's data sheet gives the T4, a small GPU of 2018, 65 tera-operations a second in float16,
# two for each multiply-add. A fifth of that is a modest share.

# %%
weights_of_layers = 12 * 12 * bert.WIDTH**2  # in a layer four products of WIDTH², and two of 4 × WIDTH²
bound = 0.2 * 65e12 / 2 / (16 * weights_of_layers)
needed = bert_rate * gpu_price / core_price
print(f"BERT-base on a fifth of a T4: {bound:,.0f} messages of 16 words a second; it needs {needed:,.0f},")
print(f"so it is the cheaper one if it has work for more than {needed / bound:.0%} of the time")

# %% [markdown]
# So a GPU does pay for BERT, once it is kept busy with full batches. The lecture names two more reasons for
# one: it is the hardware that the model was trained on, so nothing is lost in translation, and much more
# traffic fits on one machine. But a bound is not a figure: `fsdl-deploy bench gpu` measures on a machine
# with a GPU, and keeps the run in `models/gpu.json`.

# %%
from fsdl_deploy.optimization import gpu

gpu_figures.on_record(gpu.recorded(), core_price, gpu_price)

# %% [markdown]
# **Sharing the GPU.** The lecture asks why one would not put several models on a GPU whose memory is not
# full. Each process of its own pays for CUDA's context and its own copy of the weights, and the processes
# compute in turns. One process that collects requests into batches fills the GPU instead. The command
# measures both: one, two and four processes, and each size of batch. A server that holds several models in
# one process is [Triton](tools/triton.ipynb).
#
# ## The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured on your machine
# or from a record that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("05", measured)

# %% [markdown]
# ## When it fails
#
# *A cascade depends on an honest confidence.* It hands on what the small model is not sure of. A kind of
# picture that neither model has seen in training, such as white ink on black, is misread, and the confidence
# may be anything.

# %%
from fsdl_deploy.optimization.cascade import CascadeReader

cascade = CascadeReader(OnnxReader(), OnnxReader("teacher"))
changes = {"as they are": lambda image: image, "inverted": lambda image: 255 - image}
around_readers.handed_on(cascade, cards(150, "typical", seed=12), changes)

# %% [markdown]
# The day the app inverts its pictures, nearly every card goes to the expensive model, the service is as slow
# as before the climb, and the answers are wrong all the same. So the share that is handed on belongs on the
# dashboard: it is an early sign of drift.
#
# - **The first rung depends on the machine's other work**: with more threads than cores, a busy neighbour
#   makes it many times slower still. Factors from it vary more than those between the other rungs.
# - **A batch that fails** must not fail for everybody in it: the batcher runs its halves again, and of a half
#   that fails the halves, until only the bad card is left.
#
# ## Questions
#
# **Question:** Your service has 8 cores. A colleague proposes 8 workers with 8 threads each, "to use the
# machine". What do you expect, and what do you measure to be sure?
#
# <details><summary>Answer</summary>
# 64 threads on 8 cores, which spend their time waiting for each other. Measure cards a second at full load
# for 8 × 1, 4 × 2, 1 × 8 and 8 × 8 in turns; and the latency of a single request on an idle machine, the only
# case in which threads within a call help.
# </details>
#
# **Question:** int8 makes the file of `v2` smaller but not the service faster. Name a case in which you would
# ship it.
#
# <details><summary>Answer</summary>
# Where the size counts: a download to a phone, a microcontroller's flash memory. And on a processor with
# integer instructions that this one lacks. Both are to be measured there.
# </details>
#
# **Question:** With the same worker for the same card, the cache answers {{rung(same card, hit_rate):.0%}} of
# the uploads. May you plan with so many machines fewer?
#
# <details><summary>Answer</summary>
# Only while the mix is as assumed. The cache is empty after every start and after every new model, and an
# attack or an app without retries has no repeats. Plan for the load without it, and let it save money.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Measure rungs in turns, with accuracy beside speed; keep the rungs that lose in the table.
# - Workers × threads must not exceed the cores. That is often the largest single factor, and it is free.
# - A runtime with graph optimisations is free as well. A small student costs a training, and pays as much.
# - int8 pays where the time is in large convolutions or products, on the right processor.
# - A cascade buys the teacher's accuracy at nearly the student's price, as long as the confidence is honest.
# - Deadline 0 for a batcher until many call at once; a cache bounded in number and age, with the version.
#
# **Cheat sheet.**
#
# - `torch.set_num_threads(1)`, one worker a core: try it first. `OMP_WAIT_POLICY=PASSIVE` if you cannot
#   change the code. `torch.inference_mode()` around every prediction in torch.
# - `fsdl-deploy bench ladder` measures every rung here, `fsdl-deploy bench gpu` a GPU beside the cores.
# - `fsdl-deploy serve --max-batch 16 --cascade --cache 10000` has the three around the model.
# - `quantization.quantized("v2", "static", folder)` writes a model in int8; `fsdl-deploy qat` trains with the
#   rounding, `fsdl-deploy prune` takes channels out.
# - `Batcher(run, max_batch, delay, patience=…)`, `CachedReader(reader, size, seconds)`,
#   `CascadeReader(small, large)`.
# - `roofline.profile(graph, inputs)` says where the time of a network goes, layer by layer.
# - Rules of thumb: workers × threads at most the cores; the smallest batch whose rate is near the best;
#   accuracy in pairs of the same cards; a GPU only if it stays busy.
#
# **Sources.** Hinton and others, [distillation](https://arxiv.org/abs/1503.02531); Howard and others,
# [MobileNets](https://arxiv.org/abs/1704.04861); Sanh and others,
# [DistilBERT](https://arxiv.org/abs/1910.01108); Williams and others, [the
# roofline](https://doi.org/10.1145/1498765.1498785); quantization [in ONNX
# Runtime](https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html) and [in
# torch](https://docs.pytorch.org/docs/2.13/quantization.html);
# [`functools.cache`](https://docs.python.org/3/library/functools.html#functools.cache).
#
# ## Where to go next
#
# - [Lab 05](../labs/lab05/lab05.ipynb): int8 by hand, the cheapest server that is fast enough, a cache.
# - [The model service](03_service.ipynb) takes requests together with `--max-batch`.
# - [Optimum and Neural Compressor](tools/quantization.ipynb): the tools of the slide on quantization.
# - [Ray Data](tools/ray_data.ipynb): the same work on more machines.
