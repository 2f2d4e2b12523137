# %% [markdown]
# # LitServe: hooks around the model, and batches
#
# **Minutes:** 20 · **Prerequisites:** [The model service](../03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# On the last evening of the month sixteen customers ask at the same moment, each with one card. The model can
# take sixteen cards in one call, but requests come one by one. Somebody must collect them, and the team does
# not want to write that.
#
# ## You will learn
#
# - how LitServe cuts a request into hooks: decode, batch, predict, unbatch, encode
# - what dynamic batching is, when it gains something and when not, measured
# - how one bad picture is refused without its neighbours in the batch
# - what the waiting requests see when the worker with the model is killed
# - when to choose it

# %% [markdown]
# ## Where the model sits
#
# In a **worker**, a process of its own. Web processes take the requests and put them into a queue; the worker
# takes as many as are there, up to a batch, and waits a moment for more.
#
# ```mermaid
# flowchart LR
#     apps["Applications"] -- "POST /predict" --> web["web process"]
#     web -- "one by one" --> queue[("queue")]
#     subgraph worker ["Worker process"]
#         decode["decode_request"] --> model(["predict:<br/>the Reader"]) --> encode["encode_response"]
#     end
#     queue -- "a batch" --> decode
#     encode -- "answers" --> web
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# LitServe comes from the makers of PyTorch Lightning. It needs no torch: it is a web server with a queue, and
# what the hooks do is ours.

# %%
from fsdl_course.serving import libraries
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
ensure("litserve")
station = stations.station("litserve")
litserve = libraries.libraries()["litserve"]
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## The hooks
#
# The part that matters of `infra/serving/litserve/serve.py`. LitServe calls the methods by these names and
# looks for a parameter called `request`: with another name there it does not start. `batch` and `unbatch` may
# stay as they are, a batch is a list. (Of arrays LitServe would make one array, and cards have many widths.)

# %%
from IPython.display import Code

program = (station.folder / "serve.py").read_text()
Code(program[program.index("class MeterReader") :], language="python")

# %% [markdown]
# It is started twice: once without batching, once with batches of at most sixteen that wait two milliseconds
# at most.

# %%
from time import perf_counter

began = perf_counter()
alone = litserve.server(max_batch=1, delay_ms=0).start()
print(f"ready after {perf_counter() - began:.1f} s, {alone.memory() / 2**20:.0f} MiB")
batched = litserve.server(max_batch=16, delay_ms=2).start()

# %% [markdown]
# ## Ask
#
# The annotation of `request` makes the body the picture itself: no form, no base64. The answer also says in
# how large a batch the card was read.

# %% tags=["nbval-check-output"]
import httpx2

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

deck = list(cards(20, seed=4))
pictures = [encode(card.image) for card in deck]
picture_type = {"Content-Type": "image/png"}
web = httpx2.Client(timeout=5, limits=httpx2.Limits(max_connections=None))


def ask(server, picture, **options):
    return web.post(server.url + "/predict", content=picture, headers=picture_type, **options)


first = ask(alone, pictures[0])
print(first.status_code, *first.json(), "|", first.json()["digits"], "truth", deck[0].truth)

# %% [markdown]
# Are the answers the reader's own? All twenty cards at once through the batching server, and through the
# reader here.

# %% tags=["nbval-check-output"]
from concurrent.futures import ThreadPoolExecutor

from fsdl_deploy import OnnxReader
from fsdl_deploy.measuring.accuracy import same_reader

reader = OnnxReader()
readings = reader.read([card.image for card in deck])
with ThreadPoolExecutor(20) as pool:
    answers = list(pool.map(lambda picture: ask(batched, picture).json(), pictures))
print(same_reader(answers, readings))

# %% [markdown]
# ## What came without being written
#
# A health check, a description of the server, an OpenAPI contract with a page. No metrics: LitServe gives a
# *callback* at each step of a request and a *logger* process, and the counting is ours.

# %% tags=["nbval-check-output"]
from fsdl_deploy.measuring.table import Table

rows = []
for path in ("/health", "/info", "/openapi.json", "/docs", "/metrics"):
    answer = web.get(alone.url + path)
    rows.append([path, answer.status_code, answer.headers.get("content-type", "")])
Table(["path", "status", "type"], *rows)

# %% [markdown]
# And what the contract says of the paths and of the body.

# %% tags=["nbval-check-output"]
contract = web.get(alone.url + "/openapi.json").json()
for path, methods in contract["paths"].items():
    print(path, *methods)
print("the body is", *contract["paths"]["/predict"]["post"]["requestBody"]["content"])

# %% [markdown]
# ## Batches
#
# First, what could be gained at all? The reader in this process reads the cards one by one and in one call.
# A GPU would take about as long for sixteen cards as for one. Here is a CPU.

# %%
import numpy as np

images = [card.image for card in deck[:16]]
took = {"one by one": [], "in one call": []}
for _ in range(10 if FAST else 100):
    for name, calls in (("one by one", [[image] for image in images]), ("in one call", [images])):
        began = perf_counter()
        for call in calls:
            reader.read(call)
        took[name].append(1000 * (perf_counter() - began) / len(images))
for name, ms in took.items():
    print(f"{name:12} {np.median(ms):.2f} ms a card")

# %% [markdown]
# On a CPU the model itself gains next to nothing. What is left is the way to the model: each trip through the
# queue costs time, and a batch makes one trip for many. Sixteen users ask both servers in turns. The server
# whose turn it is not is halted, since a batching worker asks its queue all the time.

# %%
from fsdl_deploy import closed_loop


def sixteen_users(server, requests):
    """The load, and the size of the batch of each answer."""
    cards_of = iter(pictures * requests)
    sizes = []
    load = closed_loop(lambda: sizes.append(ask(server, next(cards_of)).json()["batch"]), 16, requests)
    return load, sizes


# %% [markdown]
# Five turns each. The ratio is taken within each turn, and its median carries over to another machine best.

# %%
servers = {"batching off": alone, "batching on": batched}
loads, sizes = {name: [] for name in servers}, []
for _ in range(5 if FAST else 20):
    for name, server in servers.items():
        (waiting,) = [other for other in servers.values() if other is not server]
        halted = waiting.processes()
        for process in halted:
            process.suspend()
        load, turn_sizes = sixteen_users(server, 96)
        loads[name].append(load)
        sizes += turn_sizes if server is batched else []
        for process in halted:
            process.resume()

# %% [markdown]
# Requests a second and time to the answer, by the median of the turns. A ratio below 1 means that collecting
# costs more than it saves.

# %%
rows = []
for name, turns in loads.items():
    rate, middle = (np.median([getattr(turn, what) for turn in turns]) for what in ("throughput", "p50"))
    rows.append([name, rate, middle, sum(turn.errors for turn in turns)])
ratios = [on.throughput / off.throughput for off, on in zip(*loads.values())]
print(f"batching on / off: {np.median(ratios):.2f} (turns: {', '.join(f'{r:.2f}' for r in ratios)})")
Table(["", "requests/s", "median (ms)", "errors"], *rows, formats=["", ".0f", ".0f"])

# %% [markdown]
# In how large a batch each card was read.

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 2.8))
counts = np.bincount(sizes, minlength=17)[1:17]
axes.bar(range(1, 17), 100 * counts / counts.sum())
axes.set(xlabel="pictures in the batch", ylabel="share of the cards (%)")
figures.show(figure, alt="In how large a batch the cards were read, with sixteen users asking at once")

# %% [markdown]
# The worker that collects batches asks its queue every millisecond, whether somebody wants something or not.
# What does waiting cost? Processor time over one second without a request.

# %%
for name, server in servers.items():
    first, *others = server.processes()
    for process in others:
        process.cpu_percent()  # begins to count
    used = first.cpu_percent(interval=1) + sum(process.cpu_percent() for process in others)
    print(f"{name:13} {used:3.0f} % of a core, with nothing to do")

# %% [markdown]
# ## Bad input
#
# Sixteen requests at once, one of them no picture. The batch is decoded together, and LitServe answers an
# exception in any hook to *everybody* in the batch. So `serve.py` lets none out: the bad picture travels
# through the batch as an error, and `encode_response` turns it into an answer with a status.

# %% tags=["nbval-check-output"]
mixed = [*pictures[:7], b"%PDF-1.7", *pictures[7:15]]
with ThreadPoolExecutor(16) as pool:
    answers = list(pool.map(lambda picture: ask(batched, picture), mixed))
print("read:   ", sum(answer.status_code == 200 for answer in answers))
refused = [answer for answer in answers if answer.status_code != 200]
print("refused:", *[(answer.status_code, answer.json()["detail"]) for answer in refused])
print("no body:", ask(batched, b"").status_code, "| cut off:", ask(batched, pictures[0][:-200]).status_code)

# %% [markdown]
# ## When it fails
#
# *The worker is killed under load*, as a kernel does that runs out of memory. Twenty-five requests a second
# come by a timetable, each waits half a second for its answer. After fifty the worker is killed. `serve.py`
# says `restart_workers=True`, so the web part stays and a new worker is started.

# %%
from threading import Event

from fsdl_deploy import open_loop

began, notes, health, killed, enough = perf_counter(), [], [], [], Event()


def ask_and_note():
    if len(notes) >= 50 and not killed:
        killed.append(perf_counter() - began)
        batched.processes("--multiprocessing-fork")[0].kill()
    sent, answered = perf_counter() - began, False
    try:
        answered = ask(batched, pictures[0], timeout=0.5).is_success
    except httpx2.TimeoutException:
        health.append(web.get(batched.url + "/health").status_code)
    notes.append((sent, perf_counter() - began, answered))
    if sum(answered and sent > killed[0] for sent, _, answered in notes if killed) >= 100:
        enough.set()


# %% [markdown]
# A timetable, because users who wait for each other would ask less often just now. It ends when a hundred
# have been answered since the kill.

# %%
open_loop(ask_and_note, rate=25, seconds=60, stop=enough)

# %% [markdown]
# Each request a dot, at the moment when it was sent.

# %%
alt = "Time that each request waited: after the kill none is answered, until a new worker is up"
figures.waits(notes, {"worker killed": killed[0]}, alt)
sent, ended, answered = map(np.array, zip(*notes))
gap = ended[answered & (ended > killed[0] + 0.2)].min() - killed[0]
print(f"{(~answered).sum()} of {len(notes)} requests got no answer; {gap:.1f} s after the kill came the next")
print("what /health said meanwhile:", sorted(set(health)))

# %% [markdown]
# Nobody is told. No request fails with a status: it waits, as long as its caller lets it, and LitServe's
# own time-out would not help, since it is the worker who looks at it. `/health` says 200 until the missing
# worker is noticed, up to two seconds later. And the new worker begins with the queue: with requests whose
# callers have left, while those who still wait wait longer.
#
# - **Without `restart_workers`**, the default, the death of one worker ends the whole server. Tried with
#   open requests, it was still ending after twenty seconds, and took new ones that nobody read.
# - **A stop by SIGTERM** ends LitServe's first process only; its children stay and keep the port.
#   `serve.py` turns that signal into Ctrl-C, which LitServe does clean up after.
# - **The queue has no end.** There is no limit and no 503 for those who come too late; a callback that counts
#   requests would have to be written.

# %%
for server in servers.values():
    server.stop()
print(*servers.values())

# %% [markdown]
# ## Questions
#
# **Question:** You move to a GPU on which sixteen pictures take about as long as one. Which result of this
# notebook would you not take along, and what would you measure instead?
#
# <details><summary>Answer</summary>
# The ratio of batching on to off: it comes from a CPU, where the model gains next to nothing. Measure first
# what the model takes for sixteen pictures one by one, and in one call. Then load the server with as many
# users as you expect, since a batch only fills when many ask at once.
# </details>
#
# **Question:** Your clients wait one second, then send the same card again, up to three times. What happens
# after the worker has died?
#
# <details><summary>Answer</summary>
# The queue keeps all of it: requests whose callers have left, and their repeats. The new worker begins with
# those, so the requests that somebody still waits for come later. Let clients pause longer after each try,
# and put a limit in front of the queue.
# </details>
#
# **Question:** At night one card comes every ten seconds. Why is a server with batching the wrong one for
# these hours?
#
# <details><summary>Answer</summary>
# No second card arrives within the two milliseconds, so each batch has one card in it. The worker still
# asks its queue all the time: the last figures of "Batches" show what that takes of a core.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A few hooks and no web code: queue, batches, processes and a contract are LitServe's. Metrics are not.
# - Batching is two numbers, `max_batch_size` and `batch_timeout`. On a CPU it saves trips, not model time;
#   measure before switching it on.
# - One exception in a hook is an answer to the whole batch: catch per picture.
# - A dead worker is replaced, its requests are not: clients need time-outs.
# - Choose it for one Python model that wants batches, streaming or several workers in a few lines; not where
#   metrics, a standard protocol and model versions must come with the server.
#
# ## Where to go next
#
# - [BentoML](bentoml.ipynb): another class with batches, and a folder that can be shipped.
# - [The model service](../03_service.ipynb): the same in our own code, with metrics and limits.
