# %% [markdown]
# # Serving libraries: who does the waiting, the batching, the scaling
#
# **Minutes:** 30 · **Prerequisites:** [Optimization](05_optimization.ipynb) · **Truth:** runs
#
# ## The need
#
# The model is cheap now. At a millisecond a card, the web server around it costs as much as the model, and
# the team asks whether to keep its own service at all. The lecture says of batching that *you probably do not
# want to implement this yourself*, and of NVIDIA's library that it is *probably the most powerful but can be
# difficult to get started with*; Ray Serve *may be an easier way to get started*.
#
# ## You will learn
#
# - to put the same reader behind several serving libraries and to ask all of them in one way
# - to compare them fairly: same cards, same load, in turns, with the processor time beside the clock
# - what happens at a server's limit, what batches bring, and what the web server itself costs
# - to choose a library by what it does beside answering

# %% [markdown]
# ## Where the model sits
#
# The model runs in a worker of the library. In the last lessons each box below was our own program. *gRPC*
# calls a function on another machine in a binary form, where HTTP sends a document.
#
# ```mermaid
# flowchart LR
#     app["Application"] -- "HTTP or gRPC" --> front
#     subgraph library["Serving library"]
#         front["Front: protocol, checks, metrics"] --> queue["Queue and batcher"]
#         queue --> one(["Reader"])
#         queue -.-> two(["Reader, another copy"])
#     end
#     style one fill:#d55e00,color:#fff
#     style two fill:#d55e00,color:#fff
# ```
#
# `FAST = True` measures three servers briefly; set `FAST = False` for all of them and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## One way to ask
#
# Each library is a station (an environment of its own) with a `serve.py` that takes the same options, and
# three lines in `station.toml` that say how to send it a card. So the comparison needs no code for any of
# them.

# %%
from fsdl_course.serving import libraries
from fsdl_deploy import figures

figures.use()
measured = {}  # what the lecture's sentences at the end are judged by
known = libraries.libraries()
libraries.table(known)

# %% [markdown]
# These are the files of one such folder:

# %%
from fsdl_deploy.running import stations

folder = stations.station("litserve").folder
figures.files(folder / "station.toml", folder / "serve.py")

# %% [markdown]
# ## The same cards, the same load, in turns
#
# All servers are started, with one reader each: one call of the model at a time, on one thread, however many
# cores there are. By default our service reads on every core, and Triton here has a second model, which
# decides which cards a person must look at, in one more process. Both are turned off, so that all have the
# same means. No server writes a log of the requests. A batch has at most 16 cards.
#
# In each round each server gets the same number of requests from 1, 8 and 32 callers that wait for their
# answers (closed loop), then requests by a timetable at a share of its own best rate (open loop); the last
# share is more than it can do. Servers not being measured are suspended, because some use a good part of a
# core while they wait. An answer with other digits than the reader's is an error. A 429 or 503 is not an
# error; it is counted as *refused*. `fsdl-course bench serving` does all this at length.

# %%
from fsdl_course.serving import compare, ready

chosen = ["course", "litserve", "triton"] if FAST else list(known)
ready.build(chosen)
loads = {"rates": (0.8, 1.2), "alike": ()} if FAST else {}
rows = compare.compare(chosen, rounds=1 if FAST else 5, requests=150 if FAST else 1000, **loads)
compare.table(rows)

# %% [markdown]
# *p50* and *p99* are percentiles: half of the answers took less than p50, all but one in a hundred less than
# p99. They are those of all rounds, in a closed loop without each caller's first call, which opens its
# connection. *CPU ms* is the processor time that the server and its children took for one request. Times by
# the clock depend on what else is busy on this machine, and the callers are; the processor time hardly does.

# %%
from fsdl_course.serving import serving_figures

serving_figures.latency_against_rate(rows)

# %% [markdown]
# `models/serving.json` holds a long run of all of them, with the default settings of the command.

# %%
from fsdl_deploy import weights

record = weights.folder() / "serving.json"
head, recorded = compare.recorded(record)
print(head)
compare.table(recorded)

# %% [markdown]
# With one reader each, **Triton leads**, ahead of ours by {{ahead(Triton, our service, 1):.0%}} with one
# caller and by {{ahead(Triton, our service, 8):.0%}} with 8; with 32 the two are nearly level, with
# {{ahead(Triton, our service, 32):.0%}} between them. It needs the least processor time for a card. Its HTTP
# and its queue are C++ and run beside the reader's process, while our event loop, the decoding and the
# batcher share one Python process with one lock. With one caller nothing waits and nothing can be batched, so
# the way through the server is all that differs; there the short ways through one process (ours, KServe's)
# come next. With 8 and with 32 callers ours is the second; Triton's lead over the next library, TorchServe,
# is {{ahead(Triton, TorchServe, 32):.0%}} with 32. The last rows ask all by the same timetable, at `80 %` of
# Triton's best rate: half of Triton's answers come within {{at_the_best(Triton, p50):.0f}} ms and `99 %`
# within {{at_the_best(Triton, p99):.0f}}; ours within {{at_the_best(our service, p50):.0f}} and
# {{at_the_best(our service, p99):.0f}}. A rate does not say which is the most *powerful*, as the lecture
# calls NVIDIA's: that is a question of what it can do besides answering, see [Choosing](#Choosing). Ours
# needs the least memory: {{served(our service, 32, memory):.0f}} MiB, where Triton needs
# {{served(Triton, 32, memory):.0f}}.
#
# - **LitServe and TorchServe** carry each picture from one process to another, which costs them most with one
#   caller. It has an advantage too: the reader has a lock of its own, and may die while the front still
#   answers.
# - **KServe and MLServer** read in the thread that also answers, so only one core works, however many ask.
# - **BentoML** is slow because of what surrounds its reader. It puts each picture into a temporary file,
#   checks its type and traces the call, all in one Python thread. Its event loop and its HTTP parser are in
#   Python too (asyncio's loop and h11), since the package brings neither of the faster ones in C (uvloop,
#   httptools). The reader then waits for the lock of that thread. With few callers its batcher, which learns
#   from the load how long to wait, adds its waits.
# - **Ray Serve** passes a call through a proxy, a router and a replica, all in Python. It does so for one
#   reader as it would for hundreds on as many machines.

# %% [markdown]
# ## Where the time of a request goes
#
# What costs our service that time? The next cell looks at the stacks of its threads five hundred times a
# second while eight callers ask, and draws a **flame graph**: a box is a function, as wide as its time in a
# request, and stands on the function that called it. `fsdl-course bench flame FILE` writes the same figure.
#
# **Your turn:** What share of a request's time is the model's own run? Write down a guess before you look.

# %%
from fsdl_course.serving import flame, stacks

options = ["--threads", "1", "--max-batch", "16"]
seen = stacks.sample(users=8, requests=200 if FAST else 2000, options=options)
figures.show(flame.draw(seen), alt="Flame graph of a request: worker threads read and decode, a loop answers")

# %% [markdown]
# The same in numbers. Each part is a function of the graph with all that it calls (`flame.PARTS`), as a share
# of the time in which threads worked for the request, or waited for Python's lock: two threads may have
# worked at once.

# %%
flame.parts_table(seen)

# %% [markdown]
# The model is one part among several, because around so small a model everything else counts. And the parts
# wait for each other. The model's run, the unpacking of the picture and the writing to the socket go on
# without the lock. Each of them releases it, and then waits to get it back from a thread that may be busy. So
# a cheap step, such as handing over an answer, takes as long as a costly one. Triton parses, queues and
# answers in C++, and its reader has the lock of a process of its own. Where `uvloop` is installed the service
# uses its loop, in C. Python's stacks do not show what that does, so the figure is drawn with Python's own.

# %% [markdown]
# ## At the limit, and beyond
#
# The same record, for requests that come by a timetable, at each share of the server's best rate.

# %%
serving_figures.beyond_the_limit(recorded)

# %% [markdown]
# Beyond its rate a server can do two things. Most let the queue grow: as long as the load lasts, every caller
# waits longer and does not learn why. Ours has room for one batch and `64` more: requests beyond the limit
# are refused at once, and those inside are answered in bounded time. A client that hears "no" can go
# elsewhere. TorchServe refuses too, when a hundred wait, and so does Triton if you configure it
# (`max_queue_size` in its `default_queue_policy`). Where requests are refused, the processor time of a
# request falls, because a refusal is cheap.
#
# ## How many readers
#
# One reader each is fair, not wise: **how many readers a server runs at once decides more than which server
# it is**. The two that are set up for it here, each beside itself, from the record (`fsdl-course bench
# serving --only course triton --readers 2`):

# %%
from fsdl_course.serving import pairs

head, doubled = compare.recorded(record, "readers")
print(head)
pairs.table(doubled, pairs.MORE_READERS)

# %% [markdown]
# With 32 callers a second reader brings Triton {{more_readers(Triton):+.0%}} and our service
# {{more_readers(our service):+.0%}}, on the two cores of the record's machine, which the callers share. In
# ours only the model's computing runs without Python's lock: the rest of a request stands in line for it.
#
# ## Who writes the batcher?
#
# *You probably do not want to implement this yourself*, says the lecture. So here is ours beside the
# libraries': each server without batches (at most 1) and with them (at most 16), in turns, with 32 callers
# and with one, whom no batch can help.
#
# **Your turn:** With 32 callers and batches of up to 16, how many times as many cards a second does our
# service answer as without batches? And Triton? Write down both factors.

# %%
few = {"rounds": 1, "requests": 128, "users": (32,)} if FAST else {}
pairs.table(pairs.batching(["course", "triton"] if FAST else list(known), **few))

# %% [markdown]
# The record of all of them (`fsdl-course bench serving --batching`):

# %%
head, batched = compare.recorded(record, "batching")
gains = {pair.library: pair.factor for pair in batched if pair.users == 32}
measured["our_batcher"] = gains.pop("our service")
measured["best_batcher"] = max(gains.values())
print(head)
pairs.table(batched)

# %% [markdown]
# The factors are far from sixteen. Look at the processor time first: with 32 callers batches save
# {{spared(Ray Serve):.0%}} of it in Ray Serve, {{spared(Triton):.0%}} in Triton and
# {{spared(our service):.0%}} in ours. They cannot save much more: a picture is decoded alone in any case, and
# one thread gains little from a wider matrix. KServe makes no batches, so its factor is the noise. Now the
# rates. TorchServe gains most, {{batched(TorchServe):.0%}}, since a batch there is also one message instead
# of sixteen between Java and Python; Ray Serve gains {{batched(Ray Serve):.0%}} and LitServe
# {{batched(LitServe):.0%}} for the same reason. Triton gains {{batched(Triton):.0%}}, ours
# {{batched(our service):.0%}}. It is worth knowing why a batcher may gain nothing: it sends sixteen answers
# at once, and then sixteen callers are busy while the model waits. With one picture at a time, callers and
# model work side by side. Which effect is larger depends on the machine and on who else is busy on it, so
# look at yours. With one caller a batcher that waits for company only costs time, as MLServer's does.
#
# So what is left of the advice? A batcher of your own can keep up. Ours is 150 lines, with tests for a bad
# picture among good ones, for cancelled callers and for a full queue; a library's is one line of its
# configuration. [Optimization](05_optimization.ipynb) reads a batcher to show how one works. With one caller
# ours has nothing to gain, so our service makes batches only if you ask for them (`--max-batch`).
#
# ## What the web server costs
#
# Our service again, one part changed on each rung: the event loop (asyncio's, then uvloop), the HTTP parser
# (h11 in Python, then httptools in C), the picture as base64 in JSON or as bytes behind it, the batcher; then
# gRPC instead of HTTP, a second reader, a second process. A long run of all is recorded (`fsdl-course bench
# serving --web`); a few of them here. Sixteen callers; the processor time is the service's.

# %%
from IPython.display import display

from fsdl_course.serving import web as bench_web

rungs = list(bench_web.RUNGS)
some = ["asyncio and h11, base64", "httptools", "bytes", "batcher"] if FAST else rungs
steps = bench_web.climb(*((2, 120) if FAST else (15, 400)), some)
bench_web.table(steps)

# %% [markdown]
# The recorded climb of all rungs, and a picture of it (of the run above, where nothing is recorded).

# %%
head, climbed = compare.recorded(record, "web")
print(head)
display(bench_web.table(climbed))
serving_figures.web_rungs(climbed or steps)

# %% [markdown]
# Here too the processor time says more than the clock. The loop and the parser in C save
# {{web_spared(httptools, asyncio and h11):.0%}} of it, bytes instead of base64
# {{web_spared(bytes, httptools):.0%}}, the batcher {{web_spared(batcher, bytes):.0%}}, and gRPC instead of
# HTTP {{web_spared(gRPC, bytes):.0%}}; its callers run in another program here, so do not compare its
# rate. The clock: the batcher raises the rate by {{web_ahead(batcher, bytes):.0%}}, all changes before it
# together by {{web_ahead(bytes, asyncio and h11):.0%}}. A second reader on top of the batcher changes it by
# {{web_ahead(two readers, batcher):+.0%}} as a thread beside the first, by
# {{web_ahead(two processes, batcher):+.0%}} as a second process: the callers use about one of this machine's
# two cores, and with batches one reader uses what is left.
#
# And without any web server: decode the file, read the card. The difference is what HTTP, parsing and handing
# over between threads cost.

# %%
from fsdl_course.serving.asking import asked, cpu_ms
from fsdl_deploy import OnnxReader
from fsdl_deploy.picture import decode

(pictures, digits), reader = asked(32, seed=6), OnnxReader()
alone = cpu_ms(lambda picture: reader.read([decode(picture)]), pictures)
decoding = cpu_ms(decode, pictures)
print(f"the reader alone: {alone:.2f} ms, of which decoding the file {decoding:.2f} ms")

# %% [markdown]
# ## TensorFlow Serving, as far as its protocol
#
# The lecture names TensorFlow's server first. It is not run here: neither PyPI nor Debian has it, it comes as
# a container image or from a package source of its own, and it accepts only TensorFlow's SavedModel. What an
# application sees of it is its REST protocol, and our service speaks that too: pictures by row (`instances`)
# or by column (`inputs`), bytes as `{"b64": …}`. So a client that was written for it can stay as it is.

# %% tags=["nbval-check-output"]
import base64

import httpx2

picture = {"b64": base64.b64encode(pictures[0]).decode()}
model = "/v1/models/meter-reader"
with known["course"].server() as server, httpx2.Client(base_url=server.url) as web:
    print(web.get(model).json()["model_version_status"][0])
    by_row = web.post(f"{model}:predict", json={"instances": [picture]}).json()
    by_column = web.post(f"{model}:predict", json={"inputs": [picture]}).json()
    refused = web.post(f"{model}:predict", json={"instances": [picture, "no bytes"]}).json()

# %% [markdown]
# By row the answer is a list of predictions, by column a table of outputs. If one picture of a request is not
# sent as bytes, the whole request is refused.

# %% tags=["nbval-check-output"]
print(by_row["predictions"][0]["digits"], by_column["outputs"]["digits"], "the reader itself:", digits[0])
print(refused)

# %% [markdown]
# Our service does not speak its gRPC: the official client, `tensorflow-serving-api`, is made of TensorFlow's
# messages and does not load without TensorFlow itself, a package of more than a gigabyte. For gRPC there is
# the standard protocol, see [gRPC](tools/grpc.ipynb).
#
# ## Choosing
#
# | library | what it brings besides answering | what it asks for |
# |---|---|---|
# | our service | every line can be read; all of the clouds' formats | somebody who owns it |
# | [LitServe](tools/litserve.ipynb) | batching in a few lines of Python | little |
# | [BentoML](tools/bentoml.ipynb) | batching, checks by types, a container | its build tool |
# | [MLServer](tools/mlserver.ipynb) | the standard protocol, models as folders | its settings and codecs |
# | [KServe](tools/kserve.ipynb) | the standard protocol, the cluster's view | in the end, a cluster |
# | [Ray Serve](tools/ray_serve.ipynb) | copies that come and go with the load | a Ray cluster, gigabytes |
# | [TorchServe](tools/torchserve.ipynb) | archives; models changed while it serves | Java; no maintainer |
# | TensorFlow Serving, not run here | a protocol that other clients speak already | models of TensorFlow |
# | [Triton](tools/triton.ipynb) | ensembles, versions, a cache, GPUs shared | its repository layout |
#
# Where the rate counts, take **Triton**: it is the fastest here with few callers, and with more readers than
# one. This course keeps its own service as the default all the same, because every line of it can be read,
# and because it needs only a Python package and no server of NVIDIA's. In most teams neither of these
# decides. What decides is what else you would have to write yourself: a second model beside the first,
# versions side by side, copies on other machines, a GPU that three models share.

# %% [markdown]
# ## Which is easy to start with?
#
# The lecture says of NVIDIA's *probably the most powerful but can be difficult to get started with*, and of
# Ray Serve *may be an easier way*. Part of this can be counted: the lines that we wrote for it, the number of
# files, the space on the disk, and the wait until the first answer. Seconds and memory are the record's.

# %%
from fsdl_course.serving import starting

of = {"Triton": "triton", "Ray Serve": "rayserve"}
more = ("canary_app.py", "decide")  # what other lessons add: a canary, a second model
starts = {title: starting.start(name, title, recorded, without=more) for title, name in of.items()}
measured |= starting.compared(starts["Triton"], starts["Ray Serve"])
starting.table(starts)

# %% [markdown]
# Triton needs three kinds of things: Python, its own configuration and a layout of folders, and its settings
# must be learned. Ray Serve needs a decorated class, but it takes more space on the disk, and a small
# cluster must start before the first answer. No count decides which of the two a beginner finds easier.
#
# ## The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured on your machine
# or from a record that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("06", measured)

# %% [markdown]
# ## When it fails
#
# *A batcher that waits for company makes lonely callers wait.* Here is one caller, with a deadline (the
# longest wait for a batch to fill) of `0` and of `50 ms`:

# %%
from fsdl_course.serving.asking import Caller
from fsdl_deploy import closed_loop
from fsdl_deploy.measuring.table import Table

waits = []
for delay in (0, 50):
    with known["course"].server(max_batch=16, delay_ms=delay) as server:
        caller = Caller(known["course"], server.port, pictures, digits)
        lonely = closed_loop(caller, 1, 20, warmup=2)
        waits.append([delay, lonely.p50])
Table(["deadline (ms)", "one caller waits (ms)"], *waits, formats=["", ".1f"])

# %% [markdown]
# The lonely caller pays the whole deadline. A deadline belongs where a batch is much cheaper for each card
# than single calls: on a GPU. Here the better rule is to take whatever waits when the model is free.
#
# ## Questions
#
# **Question:** A blog shows that library A answers twice as many requests a second as library B, with an
# empty model. What do you know about your service?
#
# <details><summary>Answer</summary>
# That the part around the model is cheaper in A. If your model takes <code>20 ms</code>, that part is a few
# per cent of the whole in both. Measure with your model, your pictures and your load, in turns.
# </details>
#
# **Question:** Why does the comparison count an answer with other digits as an error?
#
# <details><summary>Answer</summary>
# A server that mixes up the callers of a batch, or drops a picture and shifts the rest, is fast. Only the
# content of the answer shows it.
# </details>
#
# ## Take-aways
#
# - One reader each, one way to start and ask each library: then a comparison is a loop. With unequal readers
#   you compare the readers.
# - Compare processor time for a request, not only the clock; check the answers while measuring.
# - With a model of about a millisecond, decoding the picture and the web server cost as much as the model.
# - Beyond its rate a server refuses or lets everybody wait: know which.
# - Choose by what the library does besides answering, and try it under your own load.
#
# **Cheat sheet.**
#
# - `fsdl-course bench serving` compares all libraries. `--only course triton` takes some; `--readers 2`,
#   `--batching` and `--web` measure a second reader, batches and the parts of our server.
# - `fsdl-course bench flame FILE` draws where a request's time goes.
# - `libraries.libraries()` lists the servers; `libraries.libraries()["litserve"].server(max_batch=16)` is
#   one, for a `with`.
# - A fair comparison: one reader each, the same cards, in turns, callers that wait (closed loop) and callers
#   that do not (open loop), wrong digits counted as errors.
# - `fsdl-deploy serve --max-batch 16 --delay-ms 0` takes what waits; a deadline is for a GPU.
# - Refuse or let wait: `--max-waiting` here, `max_queue_size` in Triton's `default_queue_policy`.
# - Rules of thumb: more readers (outside Python's lock) before another library; a batcher from a library; a
#   library for what you would otherwise have to write.
#
# **Sources.** [Triton's
# documentation](https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/), [Ray
# Serve](https://docs.ray.io/en/latest/serve/index.html), [LitServe](https://lightning.ai/docs/litserve),
# [TorchServe, and that nobody maintains it](https://github.com/pytorch/serve), the [Open Inference
# Protocol](https://github.com/kserve/open-inference-protocol), [TensorFlow Serving's REST
# API](https://www.tensorflow.org/tfx/serving/api_rest), [flame
# graphs](https://www.brendangregg.com/flamegraphs.html).
#
# ## Where to go next
#
# - [Triton](tools/triton.ipynb), the most powerful one, and [LitServe](tools/litserve.ipynb), the smallest.
# - [Scaling](07_scaling.ipynb): more machines than one.
