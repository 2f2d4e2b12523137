# %% [markdown]
# # KServe: the model server of Kubernetes
#
# **Minutes:** 15 · **Prerequisites:** [The model service](../03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# The platform team runs Kubernetes. It does not want to write a deployment, a balancer and a scaling rule for
# every model again: a model shall be *one* resource in the cluster. KServe is that resource, and a model
# server in Python that goes into its container.
#
# ## You will learn
#
# - how a model becomes a KServe server, and which protocols that speaks
# - what TensorFlow Serving's REST protocol is, and what KServe's server keeps of it
# - what the server leaves to the cluster: batches, versions, scaling
# - how the resource looks, and how to check it without a cluster
# - where its binary protocol breaks

# %% [markdown]
# ## Where the model sits
#
# In the server's process. In a cluster, KServe's controller makes the rest from one resource: replicas, an
# address, the division between the old and the new revision, a batcher beside the server.
#
# ```mermaid
# flowchart LR
#     caller["Caller"] --> route
#     subgraph cluster ["Cluster: not here"]
#         resource["InferenceService<br/>(YAML)"] -.-> route["route:<br/>90 % and 10 %"]
#         route --> batcher["batcher<br/>(a container)"]
#     end
#     batcher -- "V1, V2, gRPC" --> server
#     subgraph server ["KServe's model server"]
#         code["model.py"] --> model(["the Reader"])
#     end
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The model
#
# A class with `load` and `predict`. What it gets depends on how it was asked: a dictionary (V1) or an
# `InferRequest` with tensors (V2, gRPC).

# %%
from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations

station_python = ensure("kserve")
station = stations.station("kserve")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")
Code(filename=station.folder / "model.py")

# %% [markdown]
# The server is KServe's. It listens on every network interface, and has no option against it, so `serve.py`
# tells its two web servers another address.

# %%
Code(filename=station.folder / "serve.py")

# %% [markdown]
# ## Start it

# %%
import re
from time import perf_counter

from fsdl_course.serving import libraries

library = libraries.libraries()["kserve"]
begin = perf_counter()
kserve = library.server().start()
print(f"ready after {perf_counter() - begin:.1f} s, {kserve.memory() / 2**20:.0f} MiB of memory")
grpc_address = re.search(r"gRPC at (\S+)", kserve.log())[1]

# %% [markdown]
# ## V1 is TensorFlow Serving's protocol
#
# TensorFlow Serving was there first, and its REST protocol is what Google's clouds, KServe's V1 and
# many clients still speak. The server itself is not run here: it is not packaged for Python or Debian. Its
# contract is a path, `/v1/models/NAME:predict`, a list of `instances`, and bytes as `{"b64": …}`.

# %% tags=["nbval-check-output"]
import base64

import httpx2

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

web = httpx2.Client(base_url=kserve.url, timeout=30)
deck = list(cards(20, seed=4))
pictures = [encode(card.image) for card in deck]
texts = [base64.b64encode(picture).decode() for picture in pictures]
answer = web.post("/v1/models/meter-reader:predict", json={"instances": [{"b64": text} for text in texts]})
predictions = answer.json()["predictions"]
print(answer.status_code, len(predictions), "predictions, the first", predictions[0]["digits"])
print("truth", deck[0].truth)

# %% [markdown]
# Are its answers the reader's own? All twenty came in one request, so they were read together, as here.

# %% tags=["nbval-check-output"]
from fsdl_deploy import OnnxReader
from fsdl_deploy.measuring.accuracy import same_reader

readings = OnnxReader().read([card.image for card in deck])
print(same_reader(predictions, readings))

# %% [markdown]
# TensorFlow Serving's contract has more than this one call: rows (`instances`) or columns (`inputs`), named
# signatures, a version in the path, the versions' states, and the metadata of the signature. Each is asked
# here, with what TensorFlow Serving's documentation promises beside what KServe's V1 does.

# %% tags=["nbval-check-output"]
from fsdl_deploy.measuring.table import Table

model, row = "/v1/models/meter-reader", {"b64": texts[0]}
contract = [
    ("rows", "predictions", ":predict", {"instances": [row]}),
    ("columns", "outputs", ":predict", {"inputs": [row]}),
    ("unknown signature", "error", ":predict", {"signature_name": "x", "instances": [row]}),
    ("version in the path", "predictions", "/versions/2:predict", {"instances": [row]}),
    ("state", "model_version_status", "", None),
    ("metadata", "metadata", "/metadata", None),
]
rows = []
for name, promised, path, body in contract:
    answer = web.post(model + path, json=body) if body else web.get(model + path)
    rows.append([name, promised, answer.status_code, ", ".join(answer.json())])
Table(["", "promised", "KServe's status", "KServe answers"], *rows)

# %% [markdown]
# So a client of TensorFlow Serving works here as long as it asks in rows. An unknown signature is answered,
# not refused: our model never looks at the name.
#
# ## V2 and gRPC
#
# The Open Inference Protocol, with KServe's own client. JSON has no bytes, so a picture is base64 there: an
# agreement between our model and its callers. Over gRPC it goes as bytes, and in HTTP's binary form it
# should.

# %%
Code(filename=station.folder / "client.py")

# %% [markdown]
# The same card four times.

# %% tags=["nbval-check-output"]
import subprocess
import tempfile
from pathlib import Path

workplace = tempfile.TemporaryDirectory()
(Path(workplace.name) / "card.png").write_bytes(pictures[0])


def in_station(*words):
    result = subprocess.run([station_python, *words], capture_output=True, text=True)
    return result.stdout or result.stderr[-2000:]


words = [kserve.url, grpc_address, Path(workplace.name) / "card.png"]
print(in_station(station.folder / "client.py", *words))

# %% [markdown]
# HTTP's binary form fails on a picture: the server turns the bytes of every BYTES tensor into text on their
# way to the model, and a picture is no text (500). Base64 goes through, and then the form saves nothing.
#
# ## What came without being written
#
# Health and metadata in both protocols, metrics for Prometheus, a contract for OpenAPI.

# %% tags=["nbval-check-output"]
for path in ("/v1/models", "/v2", "/v2/health/ready", "/v2/models/meter-reader/ready"):
    print(path, web.get(path).text)
print("the model's inputs:", web.get("/v2/models/meter-reader").json()["inputs"])
print("paths:", len(web.get("/openapi.json").json()["paths"]))
lines = web.get("/metrics").text.splitlines()
print("metrics:", *sorted({line.split()[2] for line in lines if line.startswith("# TYPE request")}))

# %% [markdown]
# ## No batches
#
# The server hands each request to the model by itself. It is the caller who can put several cards into one,
# or the batcher that a cluster puts before the server. What would that gain? The same number of cards in
# turns: eight callers with one card each, and one caller with eight cards a request.

# %%
from functools import partial

import numpy as np

from fsdl_deploy import closed_loop


def read(count):
    rows = [{"b64": text} for text in texts[:count]]
    web.post(f"{model}:predict", json={"instances": rows}).raise_for_status()


cards_per_second, cards_in_all = {1: [], 8: []}, 96 if FAST else 960
for _ in range(3):
    for count, users in ((1, 8), (8, 1)):
        load = closed_loop(partial(read, count), users, cards_in_all // count, warmup=users)
        cards_per_second[count].append(count * load.throughput)
alone, in_eights = (np.median(cards_per_second[count]) for count in (1, 8))
print(
    f"one card a request: {alone:.0f} cards/s; eight: {in_eights:.0f} cards/s = {in_eights / alone:.1f} times"
)

# %% [markdown]
# ## The resource
#
# What a cluster would get. Scaling, the share of the newest revision, and the batcher are lines in it.

# %%
manifest = station.folder / "inference-service.yaml"
Code(filename=manifest)

# %% [markdown]
# A cluster checks it against the resource's definition, which KServe's package does not carry. It carries
# classes made from it, with every field and its type: `check.py` compares. A word spelt wrongly is found
# before any cluster sees it.

# %% tags=["nbval-check-output"]
text = manifest.read_text().replace("maxReplicas:", "maxReplica:")
wrong = Path(workplace.name) / "wrong.yaml"
wrong.write_text(text.replace("minReplicas: 1", "minReplicas: one"))
print(in_station(station.folder / "check.py", manifest, wrong))

# %% [markdown]
# ## Bad input
#
# `model.py` raises `InvalidInput` where the caller is at fault. That is a 400 over HTTP, and INVALID_ARGUMENT
# over gRPC.

# %% tags=["nbval-check-output"]
infer = "/v2/models/meter-reader/infer"
tensor = {"name": "pictures", "datatype": "BYTES", "shape": [1], "data": texts[:1]}
bad = {
    "not a picture": web.post(f"{model}:predict", json={"instances": [row, {"b64": "bm8="}]}),
    "not base64": web.post(f"{model}:predict", json={"instances": [{"b64": "?"}]}),
    "no instances": web.post(f"{model}:predict", json={}),
    "another tensor": web.post(infer, json={"inputs": [tensor | {"name": "image"}]}),
    "another shape": web.post(infer, json={"inputs": [tensor | {"shape": [2]}]}),
    "no tensor": web.post(infer, json={}),
    "no JSON": web.post(infer, content=b"{"),
}
refusals = {name: answer.json() for name, answer in bad.items()}
reasons = [str(refusal.get("error", refusal.get("detail")))[:80] for refusal in refusals.values()]
statuses = [answer.status_code for answer in bad.values()]
Table(["request", "status", "reason"], *zip(bad, statuses, reasons))

# %% [markdown]
# One bad picture refuses its whole request: V1 and V2 have no place for an error of one row.
#
# ## When it fails
#
# **A long call makes the server look dead.** `predict` runs in the thread that answers everything else.
# Somebody sends 400 cards at once; how long does the question *are you alive?* wait meanwhile?

# %%
import threading

many = {"instances": [{"b64": text} for text in texts] * 20}
begin = perf_counter()
long_call = threading.Thread(target=lambda: web.post(f"{model}:predict", json=many))
long_call.start()
waits = []
while long_call.is_alive():
    asked_at = perf_counter()
    web.get("/v2/health/live")
    waits.append(perf_counter() - asked_at)
print(f"the call took {perf_counter() - begin:.2f} s, the slowest sign of life {max(waits):.2f} s")

# %% [markdown]
# A probe with a time limit of a second, Kubernetes' default, may restart a healthy server. An `async` method
# that reads in a thread of its own avoids that, and a limit to the cards of a request does too.

# %%
web.close()
kserve.stop()
workplace.cleanup()
print(kserve)

# %% [markdown]
# - **Without a cluster there is little to gain.** Versions, traffic, scaling and batches are the
# controller's; the server alone has no versions (`/versions/2` is *not supported*) and no batches.
# - **It listens everywhere**: in a container that is right, on a laptop it is not.
# - **It is a large package for a small server**: compare start, memory and disk above with our own service.

# %% [markdown]
# ## Questions
#
# **Question:** You have clients of TensorFlow Serving, and want to move the model to KServe. What do you
# look at before you promise that nothing changes for them?
#
# <details><summary>Answer</summary>
# At the requests that they really send, for example in the old server's log. Rows work as before. Columns
# and a version in the path are refused, and an unknown signature is answered where the old server would
# have sent an error.
# </details>
#
# **Question:** One large request makes Kubernetes restart your server. A colleague raises the probe's time
# limit. What does that leave as it was?
#
# <details><summary>Answer</summary>
# All other callers still wait, because the model computes in the thread that answers them. And a server
# that really hangs is now noticed later. Limit the cards of a request, or read in another thread.
# </details>
#
# **Question:** Would you switch on the batcher for a model like ours, on a CPU?
#
# <details><summary>Answer</summary>
# Look at the ratio under "No batches" first: it shows what eight cards in one call can gain on this
# machine. Against it stand another container on the way, and the wait of the first card for others. Where a
# model takes about as long for many cards as for one, as on a GPU, the answer may be yes.
# </details>

# %% [markdown]
# ## Take-aways
#
# - One class, three ways in: V1, V2 and gRPC.
# - V1 is TensorFlow Serving's protocol, its rows only.
# - The resource is the product: replicas, canary and batcher in twenty lines, which can be checked here.
# - Choose it where Kubernetes is there already and many models shall be run in one way.
#
# ## Where to go next
#
# - [Triton](triton.ipynb): versions and batches inside the server.
