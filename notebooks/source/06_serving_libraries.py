# %% [markdown]
# # Serving libraries: who does the waiting, the batching, the scaling
#
# **Minutes:** 30 · **Prerequisites:** [Optimization](05_optimization.ipynb) · **Truth:** runs
#
# ## The need
#
# The model is cheap now. At a millisecond a card the web server around it costs as much as the model, and the
# team asks whether to keep its own service at all. The lecture is clear: use a library, do not write batching
# yourself; NVIDIA's is the most powerful and the hardest to start with, Ray Serve an easier beginning.
#
# ## You will learn
#
# - to put the same reader behind several serving libraries and to ask all of them in one way
# - to compare them fairly: same cards, same load, in turns, with the processor time beside the clock
# - what the web server itself costs, and which of its parts matter
# - to choose a library by what it does beside answering

# %% [markdown]
# ## Where the model sits
#
# In a worker of the library. Each box below was a box of our own in the last lessons.
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
# The parameters hold plain values only.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## One way to ask
#
# Each library is a station with a `serve.py` that takes the same options, and three lines in `station.toml`
# that say how it is asked. So a comparison needs no code for any of them.

# %%
from fsdl_deploy import bench_serving, figures, libraries, stations

figures.use()
known = libraries.libraries()
for name, one in known.items():
    place = "our own" if name == libraries.OURS else stations.station(name).folder.name
    print(f"{one.title:12} {one.format:11} {one.path}")

# %% [markdown]
# What stands in such a folder, for one of them:

# %%
folder = stations.station("litserve").folder
figures.files(folder / "station.toml", folder / "serve.py")

# %% [markdown]
# ## The same cards, the same load, in turns
#
# All servers are started, with one copy of the reader each, and batches of at most 16. In each round each
# gets the same number of requests by 1, 8 and 32 callers that wait for their answers (closed loop), then
# requests by a timetable at a share of its own best rate (open loop). Who is not asked is suspended: some
# servers take a good part of a core while they wait. An answer with other digits than the reader's is an
# error. Three of them here; with `FAST = False` all, and `fsdl-deploy bench serving` does it at length.

# %%
chosen = ["course", "litserve", "triton"] if FAST else list(known)
for name in chosen[1:]:
    try:
        stations.ensure(name)
    except stations.SetupError as error:  # Triton's package is for Linux on x86-64 only: it is left out then
        print(error)
rows = bench_serving.compare(chosen, rounds=1 if FAST else 5, requests=150 if FAST else 1000)
print(bench_serving.table(rows))

# %% [markdown]
# The percentiles are those of all rounds, in a closed loop without each caller's first call, which opens its
# connection. *CPU ms* is the processor time that the server and its children took for one card. The clock
# depends on who else is busy on this machine, and the callers are; that figure hardly does.

# %%
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
for title in dict.fromkeys(row.library for row in rows):
    closed = [row for row in rows if row.library == title and row.load.startswith("closed")]
    left.plot([row.per_second for row in closed], [row.p99 for row in closed], "o-", label=title)
    right.bar(title, closed[-1].cpu_ms)
left.set(xlabel="cards a second", ylabel="99 % of the answers below (ms)", yscale="log")
left.legend()
right.set(xlabel="library", ylabel="processor time of a card (ms)")
right.tick_params(axis="x", rotation=30)
figures.show(figure, alt="Latency against throughput of each library, and its processor time for a card")

# %% [markdown]
# `models/serving.json` holds a long run of all of them, with the default settings of the command.

# %%
import json

from fsdl_deploy import weights

recorded = json.loads((weights.folder() / "serving.json").read_text())
print(recorded["date"], recorded["machine"])
print(bench_serving.table([bench_serving.Row(**row) for row in recorded["rows"]]))

# %% [markdown]
# In that run our service and Triton were level with 8 callers. With 32 ours answered 12 % more cards, and
# Triton's slowest answers came a little earlier (99 % below 109 ms, ours below 118); by a timetable at 80 %
# of their own rates ours were earlier by far (42 ms, Triton's 101). Run it again before you rely on less than
# a tenth. Triton parses HTTP and forms batches in C++ and needs the least processor time for a card, while
# our event loop, the decoding and the batcher share one Python process with one lock. So the lecture's
# judgement holds: NVIDIA's is the most powerful. It is not by much on a CPU with so small a model, and ours
# needs half of the memory. TorchServe, which nobody mends any more, comes third with many callers and has the
# earliest of the slowest answers there. LitServe and Ray Serve pay for carrying each picture from one process
# to another, which buys them independence: a worker of theirs may die or be added while the others answer.
# KServe and MLServer read in the thread that also answers, so one core works; MLServer's batcher makes more
# of it.
#
# ## What the web server costs
#
# Our service again, in four ways: with the picture as base64 in JSON or as bytes behind the JSON, and with or
# without the batcher. Its event loop (uvloop) and its HTTP parser (httptools) are already those written in C.

# %%
from fsdl_deploy.cards import cards
from fsdl_deploy.load import closed_loop
from fsdl_deploy.picture import decode, encode
from fsdl_deploy.reader import OnnxReader

pictures, reader = [encode(card.image) for card in cards(32, seed=6)], OnnxReader()
digits = [reader.read([decode(picture)])[0].digits for picture in pictures]
path = known["course"].path
ways = {
    (form, batch): libraries.Library("course", "our service", "/readyz", path, form)
    for form in ("oip", "oip-binary")
    for batch in (1, 16)
}

# %% [markdown]
# Sixteen callers each, in turns; the processor time is that of the service.

# %%
servers = {batch: known["course"].server(max_batch=batch, delay_ms=0).start() for batch in (1, 16)}
spent = {way: [] for way in ways}
for _ in range(3 if FAST else 20):
    for (form, batch), library in ways.items():
        caller = bench_serving.Caller(library, servers[batch].port, pictures, digits)
        before = bench_serving.cpu_seconds(servers[batch])
        load = closed_loop(caller, 16, 160)
        spent[form, batch].append(1000 * (bench_serving.cpu_seconds(servers[batch]) - before) / load.requests)
for (form, batch), times in spent.items():
    what = "base64 in JSON" if form == "oip" else "bytes"
    median = sorted(times)[len(times) // 2]
    print(f"{what:15} batches of up to {batch:2}: {median:.2f} ms of processor a card")

# %% [markdown]
# And without any web server: decode the file, read the card. The difference is what HTTP, parsing and handing
# over between threads cost.

# %%
from time import process_time

begin = process_time()
for picture in pictures * 4:
    reader.read([decode(picture)])
alone = 1000 * (process_time() - begin) / len(pictures) / 4
begin = process_time()
for picture in pictures * 4:
    decode(picture)
print(f"the reader alone: {alone:.2f} ms, of which decoding the file", end=" ")
print(f"{1000 * (process_time() - begin) / len(pictures) / 4:.2f} ms")
for server in servers.values():
    server.stop()

# %% [markdown]
# ## TensorFlow Serving, as far as its protocol
#
# The lecture names TensorFlow's server first. It is not run here: neither PyPI nor Debian has it, it comes as
# a container image or from a package source of its own, and it takes TensorFlow's SavedModel only. What an
# application sees of it is its REST protocol, and our service speaks that too: pictures by row (`instances`)
# or by column (`inputs`), bytes as `{"b64": …}`. So a client that was written for it can stay as it is.

# %% tags=["nbval-check-output"]
import base64

import httpx

picture, predict = {"b64": base64.b64encode(pictures[0]).decode()}, "/v1/models/meter-reader:predict"
with known["course"].server() as server, httpx.Client(base_url=server.url, trust_env=False) as web:
    print(web.get("/v1/models/meter-reader").json()["model_version_status"][0])
    by_row = web.post(predict, json={"instances": [picture]}).json()["predictions"][0]
    by_column = web.post(predict, json={"inputs": [picture]}).json()["outputs"]
    print(by_row["digits"], by_column["digits"], "the reader itself:", digits[0])
    print(web.post(predict, json={"instances": [picture, "no bytes"]}).json())

# %% [markdown]
# Its gRPC calls are not spoken: their official client, the package `tensorflow-serving-api`, is made of
# messages of TensorFlow, and does not load without that package of more than a gigabyte. For gRPC there is
# the standard protocol, see [gRPC](tools/grpc.ipynb).
#
# ## Choosing
#
# | library | what it brings beside answering | what it asks for |
# |---|---|---|
# | our service | every line can be read; all of the clouds' formats | somebody who owns it |
# | [LitServe](tools/litserve.ipynb) | batching in a few lines of Python | little |
# | [BentoML](tools/bentoml.ipynb) | batching, checks by types, a container | its build tool |
# | [MLServer](tools/mlserver.ipynb) | the standard protocol, models as folders | its settings and codecs |
# | [KServe](tools/kserve.ipynb) | the standard protocol, the cluster's view | in the end, a cluster |
# | [Ray Serve](tools/ray_serve.ipynb) | copies that come and go with the load | a Ray cluster, gigabytes |
# | [TorchServe](tools/torchserve.ipynb) | archives; models changed while it serves | Java; nobody mends it |
# | TensorFlow Serving, not run here | a protocol that other clients speak already | models of TensorFlow |
# | [Triton](tools/triton.ipynb) | ensembles, versions, a cache, GPUs shared | its repository layout |
#
# Throughput on one small model does not decide this. What decides is what else would have to be written: a
# second model beside the first, versions side by side, copies on other machines, a GPU that three models
# share.

# %% [markdown]
# ## When it fails
#
# *A slow model stops everybody behind it.* A batcher that waits for company makes lonely callers wait; one
# caller, with a deadline of 0 and of 50 ms:

# %%
for delay in (0, 50):
    with known["course"].server(max_batch=16, delay_ms=delay) as server:
        caller = bench_serving.Caller(known["course"], server.port, pictures, digits)
        lonely = closed_loop(caller, 1, 20, warmup=2)
        print(f"deadline {delay:2} ms: one caller waits {lonely.p50:5.1f} ms")

# %% [markdown]
# A deadline belongs where a batch is much cheaper for each card than single calls: on a GPU. Here the better
# rule is to take what waits whenever the model is free.
#
# ## Questions
#
# ✅ A blog shows that library A answers twice as many requests a second as library B, with an empty model.
# What do you know about your service?
#
# <details><summary>Answer</summary>
# That the part around the model is cheaper in A. If your model takes 20 ms, that part is a few per cent of
# the whole in both. Measure with your model, your pictures and your load, in turns.
# </details>
#
# ✅ Why does the comparison count an answer with other digits as an error?
#
# <details><summary>Answer</summary>
# A server that mixes up the callers of a batch, or drops a picture and shifts the rest, is fast. Only the
# content of the answer shows it.
# </details>
#
# ## Take-aways
#
# - One reader, one way to start and ask each library: then a comparison is a loop.
# - Compare processor time a request, not only the clock; check the answers while measuring.
# - With a model of about a millisecond, decoding the picture and the web server are half of the cost.
# - Choose by what the library does beside answering, and try it under your own load.
#
# ## Where to go next
#
# - [Triton](tools/triton.ipynb), the most powerful one, and [LitServe](tools/litserve.ipynb), the smallest.
