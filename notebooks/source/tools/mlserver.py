# %% [markdown]
# # MLServer: settings files and adaptive batching
#
# **Minutes:** 15 · **Prerequisites:** [The model service](../03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# The data scientists have a reader, a new version of it, and soon other models. They want to write Python and
# a settings file, not a server; and a burst of single requests should be read in batches without their doing.
#
# ## You will learn
#
# - how MLServer finds models: a folder and a settings file each
# - how requests are batched, and what that gains and costs on this machine
# - what a batch does to the error of one caller, and how to keep that from the others
# - to serve two models, and to unload and load one while the server runs
# - what of the Open Inference Protocol it leaves out

# %% [markdown]
# ## Where the model sits
#
# In the server's process (or, with `parallel_workers`, in processes beside it). A request waits in a queue
# until the batch is full or its time is over.
#
# ```mermaid
# flowchart LR
#     caller["Caller"] -- "V2 over HTTP<br/>or gRPC" --> server
#     subgraph server ["MLServer"]
#         decode["decode:<br/>each request alone"] --> queue["queue:<br/>adaptive batching"]
#         queue --> model(["the Reader:<br/>the batch"])
#     end
#     settings[("settings.json,<br/>model-settings.json")] -.-> server
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The settings
#
# One file for the server, one for each model, in a folder each. What they leave out, such as the ports and
# the size of a batch, comes as environment variables from `serve.py`.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
ensure("mlserver")
station = stations.station("mlserver")
models = station.folder / "models"
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")
figures.files(models / "settings.json", models / "meter-reader" / "model-settings.json")

# %% [markdown]
# And the code, the same for both models. `predict` gets the requests of a batch as *one* request, whose
# tensor is as long as all of them together.

# %%
from IPython.display import Code

Code(filename=models / "reader.py")

# %% [markdown]
# ## Start it
#
# Twice: once with batches of up to 16 and a wait of at most `2 ms`, once without batches.

# %%
from time import perf_counter

from fsdl_course.serving import libraries

library = libraries.libraries()["mlserver"]
begin = perf_counter()
batching = library.server(max_batch=16, delay_ms=2).start()
print(f"ready after {perf_counter() - begin:.1f} s, {batching.memory() / 2**20:.0f} MiB of memory")
one_by_one = library.server(max_batch=1, delay_ms=0).start()

# %% [markdown]
# ## Ask it
#
# The Open Inference Protocol in JSON, the picture as base64.

# %% tags=["nbval-check-output"]
import httpx2

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

web = httpx2.Client(timeout=30)
deck = list(cards(20, seed=4))
pictures = [encode(card.image) for card in deck]


def ask(server, picture):
    body, headers = library.request(picture)
    return web.post(server.url + library.path, content=body, headers=headers)


def outputs(answer):
    return {output["name"]: output["data"][0] for output in answer.raise_for_status().json()["outputs"]}


first = outputs(ask(batching, pictures[0]))
print(first["digits"], f"{first['confidence']:.2f}", "| truth", deck[0].truth)

# %% [markdown]
# Are its answers the reader's own? Twenty cards from eight callers at once, so that batches form; and once
# through the reader here. The confidence is compared to float32 rounding, as the batches differ.

# %% tags=["nbval-check-output"]
from concurrent.futures import ThreadPoolExecutor

from fsdl_deploy import OnnxReader
from fsdl_deploy.measuring.accuracy import same_reader

readings = OnnxReader().read([card.image for card in deck])
with ThreadPoolExecutor(8) as callers:
    answers = list(callers.map(lambda picture: outputs(ask(batching, picture)), pictures))
print(same_reader(answers, readings))

# %% [markdown]
# ## What came without being written
#
# Health and metadata, a contract for each model, and metrics on a port of their own.

# %% tags=["nbval-check-output"]
import re

for path in ("/v2", "/v2/models/meter-reader"):
    print(path, web.get(batching.url + path).text)
contract = web.get(batching.url + "/v2/models/meter-reader/docs/dataplane.json").json()
print(contract["info"]["title"], "|", len(contract["paths"]), "paths")
address = re.search(r"http://[\d.:]+/metrics", batching.log())[0]
lines = web.get(address).text.splitlines()
print("metrics:", *sorted({line.split()[2] for line in lines if line.startswith("# TYPE model")}))

# %% [markdown]
# ## Adaptive batching, measured
#
# The same load for both servers in turns: one caller, then eight, then sixteen.

# %%
from functools import partial
from itertools import cycle

from fsdl_deploy import closed_loop

deal = cycle(pictures)
servers = {"one by one": one_by_one, "batching": batching}
measured = {(name, users): [] for users in (1, 8, 16) for name in servers}
together = {1: [], 8: [], 16: []}


def call(name, users):
    answer = ask(servers[name], next(deal)).raise_for_status().json()
    if name == "batching":
        together[users].append(answer["parameters"]["read_together"])


for _ in range(2):
    for name, users in measured:
        load = closed_loop(partial(call, name, users), users, 64 if FAST else 640, warmup=users)
        measured[name, users].append((load.throughput, load.p50))

# %% [markdown]
# Requests a second and the median time to an answer, the mean of both turns.

# %%
import matplotlib.pyplot as plt
import numpy as np

figure, axes = plt.subplots(1, 2, figsize=(8, 3))
for axis, what, place in ((axes[0], "requests a second", 0), (axes[1], "time to the answer (ms)", 1)):
    for name, mark in (("one by one", "o-"), ("batching", "s--")):
        values = [np.mean([turn[place] for turn in measured[name, users]]) for users in (1, 8, 16)]
        axis.plot([1, 8, 16], values, mark, label=name)
    axis.set(xlabel="callers", ylabel=what, xticks=(1, 8, 16), ylim=(0, None))
axes[0].legend()
figures.show(
    figure, alt="Requests a second and time to the answer for 1, 8, 16 callers, with and without batching"
)

# %% [markdown]
# In numbers, with the size of the batches that `reader.py` puts into each answer.

# %%
from fsdl_deploy.measuring.table import Table

rows = []
for users in (1, 8, 16):
    plain, batched = (np.mean(measured[name, users], axis=0) for name in servers)
    rows.append([users, batched[0] / plain[0], np.mean(together[users]) - 1])
header = ["callers", "requests a second, with batching / without", "others that a card was read with"]
Table(header, *rows, formats=["", ".2f", ".1f"])

# %% [markdown]
# A lonely caller waits for company that does not come: up to `2 ms` more for each answer. With many callers
# the calls of the model are shared; the decoding of the pictures, the JSON and the web server are not.
#
# ## Several models
#
# The second folder is version v1 of the reader, under a name of its own. A model can be unloaded and loaded
# while the other goes on.

# %% tags=["nbval-check-output"]
repository = batching.url + "/v2/repository"


def state():
    listed = web.post(f"{repository}/index", json={}).json()
    return ", ".join(sorted(f"{model['name']} {model['state']}" for model in listed))


print(state())
web.post(f"{repository}/models/meter-reader-v1/unload").raise_for_status()
print(state(), "|", ask(batching, pictures[0]).status_code)
web.post(f"{repository}/models/meter-reader-v1/load").raise_for_status()
print(state())

# %% [markdown]
# ## Another's client
#
# NVIDIA's client was written for Triton. MLServer speaks the same protocol over HTTP and gRPC, with one gap:
# HTTP's binary form of tensors.

# %%
program = """
import base64, sys, numpy as np
from tritonclient import grpc, http
picture, addresses = open(sys.argv[3], "rb").read(), dict(zip((http, grpc), sys.argv[1:]))
def ask(module, data, **how):
    card, output = module.InferInput("pictures", [1], "BYTES"), module.InferRequestedOutput("digits", **how)
    card.set_data_from_numpy(np.array([data], object), **how)
    client = module.InferenceServerClient(addresses[module])
    return client.infer("meter-reader", [card], outputs=[output]).as_numpy("digits")[0]
print("HTTP, JSON  ", ask(http, base64.b64encode(picture), binary_data=False))
print("gRPC        ", ask(grpc, picture).decode())
try:
    print("HTTP, binary", ask(http, picture))
except Exception as error: print("HTTP, binary", str(error)[:78])
"""

# %% [markdown]
# The same card three times.

# %% tags=["nbval-check-output"]
import subprocess
import tempfile

address = re.search(r"gRPC server running on http://([\d.:]+)", batching.log())[1]
with tempfile.NamedTemporaryFile(suffix=".png") as file:
    file.write(pictures[0])
    file.flush()
    words = [batching.url.removeprefix("http://"), address, file.name]
    result = subprocess.run([ensure("grpc"), "-c", program, *words], capture_output=True, text=True)
print(result.stdout, result.stderr[-1000:])

# %% [markdown]
# The binary form is refused: the server takes the whole request for JSON. (Its answer is JSON of a form that
# the client does not expect, hence the message.)
#
# ## Bad input
#
# In JSON, as a browser would send it.

# %% tags=["nbval-check-output"]
tensor = {"name": "pictures", "datatype": "BYTES", "shape": [1]}
bad = {
    "not a picture": {"inputs": [tensor | {"data": ["bm8gcGljdHVyZQ=="]}]},
    "not base64": {"inputs": [tensor | {"data": ["?"]}]},
    "another tensor": {"inputs": [tensor | {"name": "image", "data": ["bm8="]}]},
    "another shape": {"inputs": [tensor | {"data": ["bm8=", "bm8="]}]},
    "no tensor": {"inputs": []},
    "no inputs": {},
}
rows = []
for name, body in bad.items():
    answer = web.post(batching.url + library.path, json=body)
    refusal = answer.json()
    rows.append([name, answer.status_code, str(refusal.get("error", refusal.get("detail")))[:80]])
Table(["request", "status", "reason"], *rows)

# %% [markdown]
# ## When it fails
#
# **An error in a batch is everybody's.** MLServer gives the exception of `predict` to all who are in the
# batch. So `reader.py` decodes before: eight callers at once, one with a damaged picture.

# %% tags=["nbval-check-output"]
mixed = [picture[:-200] if place == 3 else picture for place, picture in enumerate(pictures[:8])]
with ThreadPoolExecutor(8) as callers:
    answers = list(callers.map(partial(ask, batching), mixed))
print(*(answer.status_code for answer in answers))
print(answers[3].json()["error"])

# %% [markdown]
# **Bytes that it does not expect are a 500.** The binary form again, with the content type of bytes: the
# server wants to quote them in its refusal, and fails on that. The connection is closed.

# %% tags=["nbval-check-output"]
from dataclasses import replace

body, headers = replace(library, format="oip-binary").request(pictures[0])
answer = httpx2.post(batching.url + library.path, content=body, headers=headers)
print(answer.status_code, answer.text)
print("the next caller:", ask(batching, pictures[0]).status_code)
web.close()
for server in servers.values():
    server.stop()
print(batching, one_by_one)

# %% [markdown]
# - **One process.** `parallel_workers` is 0 here: the model reads in the thread that answers everyone. With
#   workers, a burst of long calls does not stop the signs of life, and a request costs a hop more.
# - **Metrics of one's own** (`mlserver.log`) do not appear without such workers, in this version: they are
#   kept in a list of their own that the metrics page does not read.

# %% [markdown]
# ## Questions
#
# **Question:** Your customers come forty at a time at noon, and one by one at night. A colleague wants
# requests to wait longer, so that batches fill. How do you decide?
#
# <details><summary>Answer</summary>
# First look how full the batches are at noon: <code>read_together</code> in each answer says it. A longer
# wait can help only where they are not full. At night it makes each answer later, because no company comes.
# So measure both loads before and after, as above.
# </details>
#
# **Question:** Somebody moves the decoding of pictures into `predict`, where the model is. All tests pass,
# with one caller. What breaks under load?
#
# <details><summary>Answer</summary>
# <code>predict</code> gets a whole batch as one request, and an exception there is the answer to everyone in
# it. So one damaged picture refuses up to fifteen good ones. A test with one caller cannot see that, because
# the batch holds only this caller's picture.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A model is a folder with a settings file and a class; batching is two numbers.
# - The batch is one long request. What can fail for one caller belongs before it.
# - What batching gains is measured, not promised: look at the ratio for your number of callers.
# - Choose it for Python models of several people behind one standard protocol, without a cluster; not where
#   pictures must travel as bytes over HTTP.
#
# ## Where to go next
#
# - [KServe](kserve.ipynb): the same protocol, and a cluster behind it.
