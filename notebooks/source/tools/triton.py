# %% [markdown]
# # Triton: one server for many models
#
# **Minutes:** 25 · **Prerequisites:** [The model service](../03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility will soon have more models than ours: gas meters, signatures, the language of a letter. The
# platform team wants one server that holds them all, changes one without stopping the others, and makes
# batches out of single requests. NVIDIA's Triton Inference Server is the best known of these.
#
# ## You will learn
#
# - what a *model repository* is, and what stands in a model's configuration
# - how a request goes through an *ensemble* of two models, and is batched on its way
# - what Triton's dynamic batching gains on this machine, and which batches form
# - to load, version, cache and unload models while the server runs
# - what happens when a queue is full and when a model's process dies

# %% [markdown]
# ## Where the model sits
#
# Triton is a program in C++ that speaks the Open Inference Protocol. What runs a model is a **backend**. The
# Python package that holds the server has one backend, which starts a Python process for each model.
# (NVIDIA's container has more: for TensorRT, ONNX, PyTorch.)
#
# ```mermaid
# flowchart LR
#     caller["Caller"] -- "HTTP or gRPC" --> triton
#     subgraph triton ["tritonserver"]
#         ensemble["ensemble<br/>meter-reader"] --> queue["queue of reader:<br/>dynamic batching"]
#         ensemble --> second["queue of decide"]
#     end
#     queue <--> model(["reader:<br/>a Python process"])
#     second <--> decide["decide:<br/>a Python process"]
#     repository[("model<br/>repository")] -.-> triton
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The model repository
#
# A folder for each model, in it a folder for each version and `config.pbtxt`. This is `reader`: the shapes it
# takes without the batch, and how batches are made. The `$` values are filled in when the server starts.

# %%
from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
station_python = ensure("triton")
station = stations.station("triton")
models = station.folder / "models"
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")
Code((models / "reader" / "config.pbtxt").read_text(), language="python")

# %% [markdown]
# And its code. Triton calls `execute` with all requests of a batch; a request whose picture is bad gets an
# error of its own.

# %%
Code(filename=models / "reader" / "model.py")

# %% [markdown]
# The **ensemble** has no code. It joins models by the names of tensors: what `reader` calls `confidence` goes
# into `decide`, which says whether a person must look at the card. Callers see one model.

# %%
Code((models / "meter-reader" / "config.pbtxt").read_text(), language="python")

# %% [markdown]
# ## Start it
#
# `serve.py` puts the repository together and starts the `tritonserver` of the package. `libraries` knows how
# each serving library of the course is started and asked.

# %%
from time import perf_counter

from fsdl_course.serving import libraries

begin = perf_counter()
triton = libraries.libraries()["triton"].server(max_batch=16, delay_ms=2).start()
print(f"ready after {perf_counter() - begin:.1f} s, {triton.memory() / 2**20:.0f} MiB of memory")

# %% [markdown]
# ## Ask it
#
# The protocol's binary form: a short JSON text says what follows, then come the bytes of the picture with
# their length before them. No base64.

# %%
import json

import httpx2

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

web = httpx2.Client(timeout=30)


def ask(model, picture, shape=(1,)):
    data = len(picture).to_bytes(4, "little") + picture
    tensor = {"name": "pictures", "datatype": "BYTES", "shape": shape}
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": len(data)}}]}).encode()
    length = {"Inference-Header-Content-Length": str(len(head))}
    return web.post(f"{triton.url}/v2/models/{model}/infer", content=head + data, headers=length)


# %% [markdown]
# One card. `by_hand` comes from the second model.

# %% tags=["nbval-check-output"]
deck = list(cards(20, seed=4))
pictures = [encode(card.image) for card in deck]


def outputs(answer):
    return {output["name"]: output["data"][0] for output in answer.raise_for_status().json()["outputs"]}


first = outputs(ask("meter-reader", pictures[0]))
print(first["digits"], f"{first['confidence']:.2f}", "by hand:", first["by_hand"], "| truth", deck[0].truth)

# %% [markdown]
# Are its answers the reader's own? Twenty cards, once through Triton and once through the reader here. The
# confidence is compared to float32 rounding: Triton reads each card alone, here they are read together.

# %% tags=["nbval-check-output"]
from fsdl_deploy import OnnxReader
from fsdl_deploy.measuring.accuracy import same_reader

readings = OnnxReader().read([card.image for card in deck])
answers = [outputs(ask("meter-reader", picture)) for picture in pictures]
print(same_reader(answers, readings))

# %% [markdown]
# ## What came without being written
#
# Health, metadata and statistics of each model, over HTTP and over gRPC. NVIDIA's own client came with the
# server's package; this program asks both ways.

# %%
program = """
import sys, numpy
from tritonclient import grpc, http
for module, address in zip((http, grpc), sys.argv[1:]):
    client = module.InferenceServerClient(address)
    card = module.InferInput("pictures", [1], "BYTES")
    card.set_data_from_numpy(numpy.array([open(sys.argv[3], "rb").read()], object))
    answer = client.infer("meter-reader", [card])
    print(module.__name__, client.is_model_ready("reader"), answer.as_numpy("digits")[0].decode())
print(*client.get_server_metadata().extensions)
"""

# %% [markdown]
# The log tells which ports gRPC and metrics got.

# %% tags=["nbval-check-output"]
import re
import subprocess
import tempfile

addresses = dict(re.findall(r"Started (\w+) ?Service at ([\d.:]+)", triton.log()))
addresses["HTTP"] = triton.url.removeprefix("http://")
with tempfile.NamedTemporaryFile(suffix=".png") as file:
    file.write(pictures[0])
    file.flush()
    words = [station_python, "-c", program, addresses["HTTP"], addresses["GRPCInference"], file.name]
    print(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

# %% [markdown]
# Metrics for Prometheus have an address of their own. Here are those that count requests.

# %%
from fsdl_deploy.measuring.table import Table


def metrics(model):
    lines = web.get(f"http://{addresses['Metrics']}/metrics").text.splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if f'model="{model}"' in line)
    return {name.partition("{")[0]: float(value) for name, value in values.items()}


Table(["metric", "value"], *metrics("reader").items(), formats=["", ",.0f"])

# %% [markdown]
# ## Models come and go while it runs
#
# This Triton loads what it is told to (*explicit* control), also later, with another configuration, even with
# files that come in the request. So a second `reader` without dynamic batching takes one call.


# %%
import base64

code = base64.b64encode((models / "reader" / "model.py").read_bytes()).decode()


def load(name, files=("2/model.py",), **changes):
    config = web.get(f"{triton.url}/v2/models/reader/config").json() | {"name": name} | changes
    parameters = {"config": json.dumps({key: value for key, value in config.items() if value is not None})}
    parameters |= {f"file:{file}": code for file in files}
    url = f"{triton.url}/v2/repository/models/{name}/load"
    web.post(url, json={"parameters": parameters}).raise_for_status()


begin = perf_counter()
load("one-by-one", dynamic_batching=None)
print(f"loaded after {perf_counter() - begin:.1f} s")

# %% [markdown]
# ## Dynamic batching, measured
#
# Eight callers at once, in turns to the model that batches and to the one that does not. Asked by itself, a
# model that batches wants the batch as first dimension: shape `[1, 1]`.

# %%
from itertools import cycle

import numpy as np

from fsdl_deploy import closed_loop
from fsdl_deploy.measuring.load import table

deal = cycle(pictures)


def sizes():
    stats = web.get(f"{triton.url}/v2/models/reader/stats").json()["model_stats"][0]["batch_stats"]
    return {batches["batch_size"]: batches["compute_infer"]["count"] for batches in stats}


def loaded(model, users=8, requests=160 if FAST else 1600):
    def call():
        return ask(model, next(deal), (1, 1)).raise_for_status()

    return closed_loop(call, users, requests, warmup=users)


# %% [markdown]
# Triton counts the batches of each size. The difference is this load's.

# %%
before = sizes()
loads = {}
for turn in ("first", "second"):
    for model in ("one-by-one", "reader"):
        loads[f"{model}, {turn} turn"] = loaded(model)
formed = {size: count - before.get(size, 0) for size, count in sizes().items()}
per_second = {
    model: np.mean([load.throughput for name, load in loads.items() if name.startswith(model)])
    for model in ("one-by-one", "reader")
}
print(f"with batching: {per_second['reader'] / per_second['one-by-one']:.2f} times the requests a second")
table(loads)

# %% [markdown]
# Which batches formed?

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 2.8))
axes.bar(list(formed), list(formed.values()))
axes.set(xlabel="requests in a batch", ylabel="batches", xticks=range(1, 1 + max(formed)))
figures.show(figure, alt="How many batches of each size formed while eight callers asked")

# %% [markdown]
# Eight callers cannot fill sixteen places, and what arrives while a batch is computed is the next batch. A
# GPU computes the cards of a batch side by side, and for it this was made. On two CPU cores all of them must
# be computed one way or the other, the narrow cards padded to the widest; only what each call costs by itself
# is shared. So believe the ratio above, not the word *batching*.
#
# ## Versions
#
# The repository has two versions of `reader`, but the policy is to serve the latest. Another policy, loaded
# now, serves both: a caller can ask for one by its number.

# %% tags=["nbval-check-output"]
load("reader", files=(), version_policy={"all": {}})
for version in (1, 2):
    digits = [outputs(ask(f"reader/versions/{version}", picture, (1, 1)))["digits"] for picture in pictures]
    print(f"version {version} reads", sum(map(str.__eq__, digits, [c.truth for c in deck])), "of", len(deck))
listed = web.post(f"{triton.url}/v2/repository/index").json()
print(sorted((model["name"], model["version"], model["state"]) for model in listed))

# %% [markdown]
# ## The response cache
#
# Where the same picture comes again (an impatient customer presses *send* twice), a model with
# `response_cache` need not run. The twenty cards, twice: the metrics say what was found in the cache.

# %%
load("cached", dynamic_batching=None, response_cache={"enable": True})
took = {"first time": [], "second time": []}
for times in took.values():
    for picture in pictures:
        begin = perf_counter()
        ask("cached", picture, (1, 1)).raise_for_status()
        times.append(1000 * (perf_counter() - begin))
for name, times in took.items():
    print(f"{name:12} {np.median(times):.1f} ms (median)")

# %% [markdown]
# Hits and misses, and the proof that the model ran for the misses only.

# %% tags=["nbval-check-output"]
counted = metrics("cached")
names = ("nv_cache_num_hits_per_model", "nv_cache_num_misses_per_model", "nv_inference_exec_count")
Table(["metric", "value"], *([name, counted[name]] for name in names), formats=["", ".0f"])

# %% [markdown]
# ## Bad input
#
# Each caller's fault, and what Triton says. The last two are worth a look.


# %%
def as_json(**tensor):
    tensor = {"name": "pictures", "shape": [1], "datatype": "BYTES"} | tensor
    return web.post(f"{triton.url}/v2/models/meter-reader/infer", json={"inputs": [tensor]})


# %% [markdown]
# Six requests, with status and reason.

# %% tags=["nbval-check-output"]
text = base64.b64encode(pictures[0]).decode()
bad = {
    "not a picture": ask("meter-reader", b"%PDF-1.7"),
    "another model": ask("gas-reader", pictures[0]),
    "two pictures": as_json(data=["", ""], shape=[2]),
    "another type": as_json(data=[1.0], datatype="FP32"),
    "base64 in JSON": as_json(data=[text]),
    "a number": as_json(data=[7]),
}
rows = []
for name, answer in bad.items():
    why = answer.json()["error"].removeprefix("[request id: <id_unknown>] ")
    rows.append([name, answer.status_code, why[:80]])
Table(["request", "status", "reason"], *rows)

# %% [markdown]
# JSON's text *is* the data: Triton knows no base64, so a picture must come in the binary form. And JSON that
# does not fit is answered with 500, as if it were the server's fault.
#
# ## When it fails
#
# **The queue is full.** A queue without a limit makes everyone wait. With `max_queue_size` a call that finds
# it full is refused at once, and can go elsewhere. Thirty-two callers, a queue of four places:

# %%
queue = {"default_queue_policy": {"max_queue_size": 4}}
load("short-queue", max_batch_size=4, dynamic_batching=queue)
crowd = loaded("short-queue", users=32, requests=320)
print(f"refused: {crowd.errors} of {crowd.requests}")
print(*(first.partition(" for ")[0] for _, first in crowd.problems.values()))
print(f"the slowest of those that were served: {crowd.latencies.max():.0f} ms")

# %% [markdown]
# Were some served after half a second only? A queue with a limit can stall so in this version. In a trial of
# 22 November 2026 with 1 to 16 callers and a limit of 256, which was never reached, some calls in two
# thousand took half a second; without a limit none did. So `reader` has none.
#
# **The model's process dies**, as it does when memory runs out. `tritonserver` lives on. Is the model ready?
# Does it answer?

# %% tags=["nbval-check-output"]
for name in ("one-by-one", "cached", "short-queue"):
    web.post(f"{triton.url}/v2/repository/models/{name}/unload").raise_for_status()


def health(moment):
    ready = web.get(f"{triton.url}/v2/models/reader/versions/2/ready").status_code
    answer = ask("meter-reader", pictures[0])
    print(f"{moment:12} ready: {ready}, asked: {answer.status_code}", answer.json().get("error", ""))


health("before")
for process in triton.processes("reader/2/model.py"):
    process.kill()
health("killed")
health("a bit later")

# %% [markdown]
# It is *ready* and answers nothing: `ready` says that the model was loaded once. Nor could it be unloaded (it
# was still unloading after twenty seconds, on 22 November 2026), so the server must be started anew. A probe
# must send a picture, or whoever restarts servers will not notice.

# %%
web.close()
triton.stop()
print(triton)

# %% [markdown]
# - **Whoever may load a model may run code.** The code came in a request above. Leave explicit control off,
#   or restrict that part of the API (`--http-restricted-api`), wherever strangers can reach the port.
# - **One backend, one platform.** Of the real program we ran what its package holds, and that exists for
#   Linux on x86-64 only. TensorRT and models on a GPU need NVIDIA's container; what is in front of the model
#   stays the same.
# - **Its log is that of a C++ server**, with errors about a missing GPU that mean nothing here.

# %% [markdown]
# ## Questions
#
# **Question:** The team for gas meters wants its model in your Triton. Its Python process dies now and
# then. What does that mean for your readings?
#
# <details><summary>Answer</summary>
# At first nothing: each model has a process of its own, and the server lives on. But the dead model could
# not be unloaded here, so somebody has to restart the whole server, and your model with it. Keep a second
# server, or one for models that are not yet trusted.
# </details>
#
# **Question:** Would you switch on the response cache for photos that customers take of their meters?
#
# <details><summary>Answer</summary>
# It depends on how often the very same file is sent twice, because only equal bytes are found. A second
# photo of the same meter is another picture. The metrics count hits and misses: try it for a day, and look.
# </details>
#
# **Question:** Four programs ask your model, each with one card at a time. A colleague raises the largest
# batch from 16 to 64. What changes?
#
# <details><summary>Answer</summary>
# Nothing. Four requests at most are there at a time, so no batch can be larger than that, as eight callers
# could not fill sixteen places above. The delay is what these callers notice: the first of a batch waits
# for the others.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A model is a folder and a configuration. Batching, versions, cache and queue limits are lines in it.
# - An ensemble joins models inside the server: one call, no code.
# - Batches form by themselves. What they gain depends on the hardware, and must be measured.
# - Choose it for many models of several frameworks on GPUs, run by a team of its own. One small model on a
#   CPU does not need it.
#
# ## Where to go next
#
# - [gRPC](grpc.ipynb): the same protocol, from our own service.
