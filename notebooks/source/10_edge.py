# %% [markdown]
# # Move to the edge: when a device should read for itself
#
# **Minutes:** 35 · **Prerequisites:** [Managed options](09_managed.ipynb) · **Truth:** runs
#
# ## The need
#
# Meters hang in basements, and basements have no signal. The customer stands there with a phone, takes the
# picture, and sees a wheel that turns. Our model is as large as a photograph: why not send it to the phone?
#
# The lecture's third step is to *send model weights to the client device*, where the *client loads the model
# and interacts with it directly*. Its conclusion warns. On the slide that is *web deployment is easier, so
# use it if you need to*, where "it" has lost its word; the notes have it whole: *use edge deployment only if
# you need to*. This lesson asks when the edge pays and which runtime takes our reader. The next one, [The
# model in the field](10b_field.ipynb), keeps it alive there.
#
# ## You will learn
#
# - to find the line where a device answers sooner than a server, from a round trip and a model's time
# - what happens to cards on a link that drops, with the model there and here
# - what leaves a page that reads by itself, and what such customers cost a server
# - why a conversion that passes proves nothing, and how wide a picture each runtime takes
# - how much smaller and faster a network can be made, and from where one counts

# %% [markdown]
# ## Where the model sits
#
# On the customer's device, in a **runtime** (a program that runs models) made for that device. The server
# hands out the model's file, and is asked again only where the device is unsure.
#
# ```mermaid
# flowchart LR
#     subgraph device["Customer's device"]
#         app["App"] --> runtime["Runtime"] --> model(["Model"])
#     end
#     files["Server: the model's file"] -- "once a version" --> runtime
#     app -. "unsure, and there is a link" .-> service["Model service"]
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means more calls and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# What all parts of this lesson use:

# %%
import inspect
from pathlib import Path
from tempfile import TemporaryDirectory

from IPython.display import Code, display

from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.measuring.table import Table

figures.use()
measured = {}  # what the claims are judged by

# %% [markdown]
# ## When: the line where the edge wins
#
# *Latency includes the network roundtrip and model prediction time.* To test that we need a real link. A
# proxy between us and the service lets every byte arrive half a round trip later. A new connection first
# waits for a handshake (a message there and one back), as with TCP. The proxy's `cut()` breaks whatever is on
# its way: we need that soon.

# %%
from fsdl_deploy.edge import delayed_link

Code(inspect.getsource(delayed_link._End._later), language="python")

# %% [markdown]
# Two models, the small `v2` and the large `teacher`, each in this process and in a service behind that link.
# The last column is arithmetic: the round trip, the model's time, and what HTTP and the service cost without
# a link. So each model's first line is right by construction; the others test whether anything else matters.

# %%
from fsdl_deploy.edge import when

points = when.measure(calls=4 if FAST else 30)
rows = [[p.version, p.round_trip, p.here, p.there, p.computed] for p in points]
header = ["model", "round trip (ms)", "here (ms)", "there (ms)", "there, computed (ms)"]
Table(header, *rows, formats=["", "d", ".1f", ".1f", ".1f"])

# %% [markdown]
# How far is the arithmetic off where the link is long? And what does the service cost beside the model?

# %%
far = [p for p in points if p.round_trip >= 100]
measured["off"] = max(abs(p.there - p.computed) / p.there for p in far)
overhead = min(p.there - p.here for p in points if p.round_trip == 0)
measured["network_share"] = min(1 - p.here / p.there for p in far)
print(f"off by {measured['off']:.0%} at most; HTTP and the service take {overhead:.1f} ms")

# %% [markdown]
# That is close enough to compute the rest. The server and this process are the same machine; a phone is
# slower. The **edge wins** where the device, so many times slower, still answers before the service does.

# %%
from fsdl_deploy.edge import edge_figures

print(inspect.getsource(when.wins_below))
edge_figures.wins({p.version: p.here for p in points}, overhead)

# %% [markdown]
# The lines are computed from the points above; the dotted ones are our two models. A small model wins
# almost everywhere; one of `200 ms` on a server would take seconds on a cheap phone, and no round trip is
# that long. The lecture's rule is *once you've exhausted options for reducing model pred time, consider
# edge*: here it reads the other way round as well. Only a model that has been made quick can move.

# %%
rows = []
for model in when.MODELS:
    sides = (when.here(model, 16), when.there(100, model, overhead))
    rows.append([model, *sides, "here" if sides[0] < sides[1] else "there"])
measured["edge_wins_small"] = rows[0][-1] == "here"
measured["edge_wins_large"] = rows[-1][-1] == "here"
header = ["model on the server (ms)", "phone, 16 × slower (ms)", "there, 100 ms away (ms)", "sooner"]
Table(header, *rows, formats=["d", ",.0f", ",.0f"])

# %% [markdown]
# ## Accuracy and latency together
#
# *Accuracy and latency both affect end-user experience.* So look at both: every model, here and there. One is
# worth choosing where no other is as accurate *and* as quick. Two of them are in **int8**, with numbers of 8
# bits inside. The accuracies stand in records: in that of [lesson 05](05_optimization.ipynb)'s ladder, and
# for `v1`, the first small model, in the models' report. The times are from this machine, in turns.

# %%
from fsdl_deploy.edge import frontier

with TemporaryDirectory() as folder:
    milliseconds = frontier.times(Path(folder), rounds=3 if FAST else 20)
right = frontier.accuracies()
{name: f"{milliseconds[name]:.1f} ms, {right[name]:.1%}" for name in right}

# %% [markdown]
# Here are all of them for a phone that is `16` times slower, in a town and in a basement with a weak signal.
# Each model has a row, and the higher rows are more accurate. Blue is here, orange is there:

# %%
edge_figures.choices(milliseconds, right, overhead, round_trips=(20, 300), slower=16)

# %% [markdown]
# In words: what is left to choose from, the quickest first.

# %%
measured["best"] = {}
for trip in (20, 300):
    best = frontier.worth_choosing(frontier.choices(milliseconds, right, trip, overhead, slower=16))
    measured["best"][trip] = [choice.place for choice in best]
    print(f"{trip} ms:", ", ".join(f"{c.model} ({c.place})" for c in best))

# %% [markdown]
# ## A link that drops
#
# *No reliable internet connection* is the lecture's first reason, one of the obvious ones. Three apps get the
# same cards on the same timetable, through one link that comes and goes by chance: the model there; there
# with an **outbox**, which keeps what could not be sent (*store and forward*); and here, with an outbox for
# the readings.
#
# **Your turn:** The link is away about half of the time, and a customer waits half a second. The outbox loses
# no card. So of the customers whom the first app leaves without a reading, what share will see theirs *in
# time* with an outbox? Write it down, then compare the first two lines.

# %%
from fsdl_deploy.edge import basement

DEADLINE = 0.5  # seconds a customer waits contentedly
seconds = 6.0 if FAST else 60.0
deliveries, gone = basement.trial(count=round(10 * seconds), seconds=seconds, deadline=DEADLINE)
measured["links"] = {
    of.way: {"cards": of.count, "in_time": of.in_time(DEADLINE), "lost": of.lost} for of in deliveries
}
basement.table(deliveries, DEADLINE)

# %% [markdown]
# When each customer saw a reading (one mark a card; the dotted line is the deadline), and when the link was
# down:

# %%
edge_figures.link(deliveries, gone, seconds, DEADLINE)

# %% [markdown]
# The outbox saves all of the utility's readings, wherever the model is. It saves a customer only where the
# link is back before the deadline; after a longer outage the answer comes when the customer has left the
# basement. Only the model here answers in any case. Choose the pattern by who needs the answer: if that is
# the utility alone, an outbox is enough, and there is no edge to look after.
#
# ## What leaves the page
#
# *Data doesn't need to leave the user's device.* The course's app is a page that reads by itself
# (`infra/edge/browser`, with ONNX Runtime's build for browsers). A real Chromium opens it, and we write down
# every request, first while it loads, then while it reads twenty cards.

# %% tags=["station:node"]
from fsdl_deploy.browser.stage import AppStage, some_cards

ensure("node")
with AppStage() as stage:
    page = stage.fresh("v2").open()
    loaded, fetched = len(page.asked), stage.app.sent
    readings = page.read_all([card.image for card in some_cards(20)])
    asked_while_reading = page.asked[loaded:]
    outside = [url for url in page.asked if not url.startswith(stage.app.url)]
measured["left_the_page"] = len(asked_while_reading) + len(outside)
print(f"to open it: {loaded} requests, {fetched / 1e6:.1f} MB; to others: {len(outside)}")
print(f"while {len(readings)} cards were read: {len(asked_while_reading)} requests")

# %% [markdown]
# Nothing left the page: there was no request that could have carried it. The page also sends the browser a
# list of the addresses that it may ask (`connect-src` in its Content-Security-Policy), and the browser would
# refuse any other. How the app works without a link, takes over signed updates and refuses forged ones is in
# [ONNX Runtime for browsers](tools/onnxruntime_web.ipynb). Try it: `fsdl-deploy edge app`.
#
# *Doesn't need to* is not *does not*. An app that is unsure may ask the service. Then the picture leaves, and
# the page has to say so.
#
# ## Scale comes for free?
#
# *Scale comes "for free"*, since customers bring their own processors. What is left for ours is to hand out a
# file. Processor time of the server, for more and more clients who each have one card:

# %%
from fsdl_deploy.edge import scale_free

clients = (1, 10, 100) if FAST else scale_free.CLIENTS
server_time = scale_free.measure(clients)
scale_free.table(server_time)

# %% [markdown]
# A client fetches the file once for a version, and after that asks whether it is still the newest. After how
# many of its cards has the server worked less than if it had read them itself? (Below one, the first card
# pays.)

# %%
last = {row.way: row for row in server_time if row.clients == max(clients)}
measured["server_ms"] = dict(zip(("read", "fetched", "asked"), (last[w].each for w in scale_free.WAYS)))
measured["pays_after"] = scale_free.pays_after(server_time)
sent = last[scale_free.WAYS[1]].sent / last[scale_free.WAYS[0]].sent
print(f"handing it out costs as much as reading {measured['pays_after']:.1f} cards")
print(f"handing out the model sends {sent:,.0f} × the bytes of an answer")

# %% [markdown]
# Nearly free, then, for a model as small as ours: what the server saves is the reading, what it pays is a
# file and a question. Bytes are the price. With twelve cards and four new models a year, most of what the
# server sends is models; a cache near the customer (a CDN) can send them instead.
#
# ## Converts is not runs
#
# A phone runs no Python. The reader has to be **converted** for the runtime there, and each runtime has less
# than torch. *Embedded and mobile frameworks are less full featured than tensorflow / pytorch.* First, a
# warning. To turn a reader into int8, a tool looks at some pictures and learns how large the numbers inside
# the network become: the **calibration**. Here a small mistake is made: these pictures are white paper.

# %%
from fsdl_deploy.edge import badly_calibrated

graph = badly_calibrated.converted()
print(*badly_calibrated.checked(graph), sep="\n")

# %% [markdown]
# It converts, it is valid, it loads, its outputs have the right names and types.
#
# **Your turn:** Now both readers get the same cards. What share of them will the converted reader read as the
# original does? Write it down.

# %%
same, of = badly_calibrated.alike(graph)
measured["white_paper"] = {"of": of, "same": same}
print(f"the same reading: {same} of {of} cards")

# %% [markdown]
# On white paper the numbers inside hardly vary, so the eight bits cover a narrow range, and the ink of a real
# card lies outside it. No check of a file can see that. The only proof is to read cards *on the target*.
# `fsdl-deploy edge compare` does that for every runtime of the course that reads here: the same cards, in
# turns with **ONNX Runtime**, our reference, which runs the exported graph (ONNX is its format). How much of
# that is on record, and the record itself:

# %%
from fsdl_deploy.edge import targets_overview

measured["targets"] = targets_overview.counts()
print(targets_overview.extent())
targets_overview.table()

# %% [markdown]
# Four things to read off. **Form**: *whole* takes the picture and gives digits; *bare* is the network alone,
# and the app has to bring what stands before and behind it; MediaPipe's file knows single digits. **Width**:
# our cards differ in width. Some runtimes take any width, some multiples of four, some only the
# widths they were built for (*buckets*: the app pads to the next one, and pays for the white). **Same
# reading**: float32 should read as the reference does; int8 may not.
#
# **Time** differs most, and seldom because one runtime is better. OpenVINO compiles parts of the graph anew
# for new widths, and a thousand cards have many. An `.ort` file (ONNX Runtime's own, for small builds) that
# should run on every processor lacks the layout that ONNX Runtime chooses for this one. TVM's loops are
# untuned, and the microcontroller's kernels are written for another machine. The notebooks of these runtimes
# say more.
#
# What must a runtime have? The **operators** of our graph (its kinds of computation, such as a convolution or
# a sum), counted:

# %%
from fsdl_deploy import weights
from fsdl_deploy.edge import work

operators = work.operators(weights.verified("v2.onnx"))
measured["operators"] = len(operators)
print(
    f"{len(operators)} kinds:", ", ".join(f"{name} {count}" for name, count in operators.most_common(12)), "…"
)

# %% [markdown]
# On purpose none writes to computed places (`ScatterElements`, `ScatterND`). An earlier reader did, to gather
# its digits; several runtimes converted that and then could not run it. `fsdl_deploy/ctc.py` computes the
# same with comparisons and sums. That change took fewer lines than any adapter, and was made once, in the
# model, not for each target.
#
# *Embedded and mobile frameworks are less full featured than tensorflow / pytorch.* How much less can be
# tried: small modules of torch, one operation each, are converted, run and compared with torch's own answer
# (`fsdl-deploy edge operators` makes the table again; it takes some minutes and the stations). A runtime that
# gives *another* answer is worse than one that refuses: no error says so.

# %%
from fsdl_deploy.targets import operators as tried

known = tried.counts().values()
measured["tried"] = {
    "of": max(part["of"] for part in known),
    "least": min(part["pass"] for part in known),
    "most": max(part["pass"] for part in known),
}
tried.table()

# %% [markdown]
# The two columns of ONNX Runtime are its full set of operators; a reduced build for a phone keeps those that
# one graph needs, and no more. Its own notebook says what else each runtime lacks. Who keeps it alive:

# %%
targets_overview.limits()

# %% [markdown]
# ## Hardware that is limited
#
# *Often limited hardware resources available.* What does the reader need to start at all, as it runs on a
# server? A **control group** (Linux's way to limit a process) gives it a quarter of one core and so many MiB;
# this is the record of `fsdl-deploy edge limited`:

# %%
from fsdl_deploy.edge import limits

recorded = limits.recorded()
measured["smallest"] = next(run.memory for run in recorded if run.memory and run.reads)
limits.table(recorded)

# %% [markdown]
# Most of that is Python and the runtime, and neither has to be on a device: [TinyML](tools/tinyml.ipynb)
# puts the network into a microcontroller's memory. (*Peak* counts libraries that other processes had already
# loaded, and the limit does not; a device would have to load them itself.) If a note below the table says so,
# the times of that run cannot be compared; the memory can.
#
# ## Efficiency: smaller networks
#
# A case from production first. In 2019 Google moved the speech recognizer of its keyboard from the server to
# the phone. On the server it searched a graph of almost `2 GB`. One network took its place, and eight bits
# made that small enough: [from 450 MB to 80 MB, faster than real time on one
# core](https://research.google/blog/an-all-neural-on-device-speech-recognizer/), also without a link.
#
# *No software can help run edge-deployed models that are simply too large.* The lecture names two networks
# that were made small. **MobileNet** is one: each convolution is split in two, over the picture and over the
# channels. Here are the networks of the paper, with random weights (they decide neither size nor time).

# %%
from fsdl_deploy.edge import small_models

networks = small_models.mobilenets(rounds=10 if FAST else 30)
measured["mobilenet_fewer"] = networks[0].parameters / networks[1].parameters
measured["mobilenet_faster"] = networks[0].ms / networks[1].ms
small_models.table(networks)

# %% [markdown]
# Time does not shrink as parameters do: lesson 05 shows why, block by block. The notes add *and achieve
# acceptable performance oftentimes*. For that, weights must be trained. The paper pays a point of accuracy on
# ImageNet ([Howard et al. 2017, table 4](https://arxiv.org/abs/1704.04861)); our own `v2` is built of such
# blocks, and this is what it loses to the teacher, by the record of the ladder:

# %%
measured["points_lost"] = 100 * (right["teacher"] - right["v2"])
print(f"v2 reads {measured['points_lost']:.1f} of 100 cards fewer than the teacher")

# %% [markdown]
# **DistilBERT** is the other: *about half the total number of parameters of BERT base* says the slide, and
# *retains 95 % of BERT's performances*. The second needs weights and a benchmark that we do not have. The
# first can be counted:

# %%
transformers = small_models.berts()
measured["distil_share"] = transformers[1].parameters / transformers[0].parameters
measured["distil_mb"] = transformers[1].size / 1e6
small_models.table(transformers)

# %% [markdown]
# More than half: the table of words stays as it is. And for a phone that is still a large download. (How fast
# it is, and int8 and distillation step by step, are in [Optimization](05_optimization.ipynb).)
#
# ### int8 on each runtime
#
# *Quantize by converting 32-bit floats to more efficient 8-bit integers*, says TFLite's page on the slide.
# What that brings depends on the runtime. Each row of the record stands beside the same runtime's float32.
# *Static* takes its ranges from calibration cards, as do all rows that say nothing else; *dynamic* finds them
# at each call; `uint8` has 8-bit weights alone. A row has few differences, so its interval is wide: do not
# rank the runtimes by it.

# %%
targets_overview.int8()

# %% [markdown]
# ## Two to ten times, not more?
#
# *You can make up a factor of 2-10 through distillation, quantization, and other tricks, but not more than
# that*, the slides say. The notes: *Tricks like quantization can account for up to 10x improvement, but not
# much more*. Our ladder has measured such tricks on one model. The answer depends on the first rung:

# %%
from fsdl_deploy.edge import tricks

starts = {"careless": tricks.CARELESS, "tuned": tricks.TUNED, "careful": tricks.CAREFUL}
measured["tricks"] = {name: tricks.best(start).faster for name, start in starts.items()}
careful = [row for row in tricks.factors() if row.start == tricks.CAREFUL]
measured["smaller"] = max(row.smaller_than_trained for row in careful)
measured["smaller_than_export"] = max(row.smaller for row in careful)
tricks.table()

# %% [markdown]
# Whoever deploys the teacher as the training left it gains far more than a factor of ten, most of it by
# undoing mistakes: threads that fight, a framework that is made for training. From a careful start the
# lecture's sentence is right about time.
#
# About bytes look at two columns. The ONNX file of the careful start is twice as large as what training left,
# because the export turned float16 weights into float32. Against *that* file a smaller network in fewer bits
# is smaller by more than the lecture's ten; against training's own file it stays below. Half of the gain was
# put there first. So count from a careful start, in bytes as well.
#
# ## Whom to watch
#
# *Watch this space*, says the slide of four names. Four years later (sources stand in the file):

# %%
from fsdl_deploy.edge import watch

measured["watch"] = watch.counts()
watch.table()

# %% [markdown]
# ## The lecture's claims beside ours
#
# Each verdict is computed from what the cells above measured here, or from a record that they show; the rules
# stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("10", measured)

# %% [markdown]
# ## When it fails
#
# *A device that is too small.* The same run, now, where this machine allows it: without limits, with what the
# record says is enough, and with a quarter of that.

# %%
from fsdl_deploy.cards import cards

graph_file, enough = weights.folder() / "v2.onnx", measured["smallest"]
images = [card.image for card in cards(20, "typical", seed=77)]
try:
    sizes = [(None, None), (0.25, enough), (0.25, enough // 4)]
    display(limits.table([limits.run(graph_file, images, *size) for size in sizes]))
except limits.NoLimits as reason:
    print(reason)

# %% [markdown]
# *A page that is closed too early.* The first visit fetches the runtime, many times the model's own size.
# Until then there is no edge, and the customer in the basement has no link either: the app must be opened
# once upstairs.
#
# ## Questions
#
# **Question:** A model takes `40 ms` on your server, the phone is eight times slower, the round trip is
# `100 ms`. Where should it run?
#
# <details><summary>Answer</summary>
# There, if latency is all that counts: the phone takes <code>8 × 40 = 320 ms</code>, the service some
# <code>100 + 40</code>. Make it quicker, and ask again: below about <code>100 / 7</code> ms on the server the
# phone wins. And if the link drops, latency is not all.
# </details>
#
# **Question:** A converter reports success, the file loads, and its output has the right shape. What do you
# know about its readings?
#
# <details><summary>Answer</summary>
# Nothing. Read the same cards on the target and compare with the reference, as many as the difference you
# would mind needs.
# </details>
#
# **Question:** Your runtime takes pictures of one width only. What are your choices, and what do they cost?
#
# <details><summary>Answer</summary>
# One width for all: every short card pays for the longest. Several files (buckets): less white, more bytes to
# download. A runtime that takes any width: perhaps slower, or larger. The network must ignore the white in
# each case, or it reads digits there.
# </details>
#
# ## Take-aways
#
# - Device or server is arithmetic: round trip and overhead against how much slower the device is.
# - If nobody waits for the answer, an outbox is enough.
# - A conversion is proved by readings on the target, and by nothing else.
# - Count the gain of tricks from a careful start.
#
# **Cheat sheet.**
#
# - The service answers after round trip + overhead + model; the device after slower × model. So the edge wins
#   below `(round trip + overhead) / (slower - 1)` on the server: `when.wins_below(round_trip, overhead,
#   slower)`.
# - Who needs the answer? The utility: an outbox. The customer, without a link: the model on the device.
# - `fsdl-deploy edge build` makes the reader's files for other runtimes, `edge compare` reads the same cards
#   on each, `edge operators` tries single operations.
# - Width: any, multiples, or buckets. Pad to the next one, and train the network to ignore the white.
# - int8: calibrate with pictures like those to come, then compare readings, not shapes and types.
# - `fsdl-deploy edge limited` finds the smallest memory that the reader starts in; `edge app` serves the page
#   that reads by itself.
# - A gain has a start: say from which rung you count, in time and in bytes.
#
# **Sources.** [ONNX Runtime's
# quantization](https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html) and [`.ort`
# files](https://onnxruntime.ai/docs/reference/ort-format-models.html),
# [LiteRT](https://ai.google.dev/edge/litert), which was TFLite,
# [MobileNet](https://arxiv.org/abs/1704.04861), [DistilBERT](https://arxiv.org/abs/1910.01108), [Google's
# recognizer on the phone](https://research.google/blog/an-all-neural-on-device-speech-recognizer/).
#
# ## Where to go next
#
# - [The model in the field](10b_field.ipynb): budgets, gates, updates, reports, fallbacks.
# - [ONNX Runtime for browsers](tools/onnxruntime_web.ipynb): the app, its updates, its attackers.
# - [LiteRT](tools/litert.ipynb), [ExecuTorch](tools/executorch.ipynb), [TVM](tools/tvm.ipynb): the lecture's
#   frameworks, one notebook each.
