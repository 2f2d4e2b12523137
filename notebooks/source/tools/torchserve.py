# %% [markdown]
# # TorchServe: archives, workers, and a server without a maintainer
#
# **Minutes:** 25 · **Prerequisites:** [The model service](../03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility has bought the gas company next door, whose models have run in TorchServe for years. Their
# operators offer to take our reader too: hand over one file, they do the rest. Shall we?
#
# ## You will learn
#
# - what is in a *model archive*, the one file that is handed over
# - how TorchServe divides the work: a front in Java, workers in Python
# - to register models, add workers and change versions while it serves
# - what its batching gains here, and the batch delay that is not what it says
# - what the end of its maintenance means for the choice

# %% [markdown]
# ## Where the model sits
#
# In a **worker**, a Python process. The **front**, in Java, speaks HTTP and gRPC, keeps a queue for each
# model and makes the batches. Front and worker talk over a socket.
#
# ```mermaid
# flowchart LR
#     apps["Applications"] -- "POST /predictions" --> front
#     operator["Operator"] -- "management API" --> front
#     subgraph java ["Java process"]
#         front["front"] --> queue[("queue of<br/>the model")]
#     end
#     subgraph worker ["Worker process"]
#         handler["handler"] --> model(["the Reader"])
#     end
#     queue -- "a batch" --> handler
#     archive[("model archive")] -.-> worker
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# TorchServe needs Java, and torch in its workers, whatever the model is. The station borrows the torch of the
# lessons. Where no Java runs, this notebook says so and shows what can be shown without.

# %%
from fsdl_course.serving import libraries
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
python = ensure("torchserve")
station = stations.station("torchserve")
torchserve = libraries.libraries()["torchserve"]
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB without torch")
java = torchserve.possible()

# %% [markdown]
# ## How alive is it?
#
# The first question to any tool that others shall depend on. When was the newest release, and when was its
# server compiled?

# %% tags=["nbval-check-output"]
import zipfile
from importlib import metadata

site = station.site
(package,) = metadata.distributions(name="torchserve", path=[str(site)])
with zipfile.ZipFile(site / "ts" / "frontend" / "model-server.jar") as jar:
    year, month, day, *_ = max(file.date_time for file in jar.infolist())
print(f"TorchServe {package.version}, compiled on {year}-{month:02}-{day:02}")

# %% [markdown]
# It is the last one. [The documentation](https://docs.pytorch.org/serve/) opens with the notice "Limited
# Maintenance" (since February 2025): no updates, bug fixes, features or security patches are planned, and
# vulnerabilities may stay. [The repository](https://github.com/pytorch/serve) was archived on 7 August 2025.
# Users who [asked why](https://github.com/pytorch/serve/issues/3396) got lists of other servers from each
# other. So this notebook is for those who meet it.
#
# ## The model archive
#
# A `.mar` is a ZIP file: the model, the code that calls it, and a manifest. The archiver needs no Java.

# %% tags=["nbval-check-output"]
import json
import subprocess
import tempfile

from fsdl_deploy import weights
from fsdl_deploy.measuring.table import Table

with tempfile.TemporaryDirectory() as folder:
    words = ["--model-name", "meter-reader", "--version", "2.0", "--export-path", folder]
    words += ["--serialized-file", weights.folder() / "v2.onnx", "--handler", station.folder / "handler.py"]
    words += ["--extra-files", weights.folder() / "SHA256SUMS"]
    subprocess.run([python.with_name("torch-model-archiver"), *words], check=True)
    with zipfile.ZipFile(f"{folder}/meter-reader.mar") as archive:
        print(*sorted(archive.namelist()))
        manifest = json.loads(archive.read("MAR-INF/MANIFEST.json"))
Table(["in the manifest", ""], *manifest["model"].items())

# %% [markdown]
# What is *not* in it: the packages. `fsdl_deploy`, NumPy and ONNX Runtime come from the worker's environment.
# The archive can carry a `requirements.txt`, which the server installs when told to; then it needs a network.
#
# The handler is ours. TorchServe makes one object of the class and gives it batches, a dictionary for each
# request. It runs with all rights of the server: who may register an archive may run any program there.

# %%
from IPython.display import Code

Code(filename=station.folder / "handler.py")

# %% [markdown]
# And the settings that `serve.py` writes for it. Each model has its own batch size, delay and workers.

# %%
program = (station.folder / "serve.py").read_text()
Code(program[program.index("def configuration") : program.index("def command")], language="python")

# %% [markdown]
# ## Start, and what *healthy* means
#
# A server is asked for its health to learn whether it may get requests. When does this one say yes, and when
# does the first answer come?

# %%
from dataclasses import replace
from time import perf_counter

import httpx2

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

limits = httpx2.Limits(max_connections=None, max_keepalive_connections=16)
web = httpx2.Client(timeout=30, limits=limits)
deck = list(cards(20, seed=4))
pictures = [encode(card.image) for card in deck]


def ask(picture, model="meter-reader"):
    return web.post(f"{server.url}/predictions/{model}", content=picture)


# %% [markdown]
# Batches of at most sixteen, a delay of at most one millisecond.

# %%
if java:
    began = perf_counter()
    server = replace(torchserve, ready="/ping").server(max_batch=16, delay_ms=1).start()
    health = web.get(server.url + "/ping").json()["status"]
    print(f"after {perf_counter() - began:.1f} s /ping says {health}")
    first = ask(pictures[0])
    print(f"after {perf_counter() - began:.1f} s the first answer came: {first.json()}")
    print(f"{server.memory() / 2**20:.0f} MiB of memory; truth {deck[0].truth}")

# %% [markdown]
# *Healthy* comes while the only worker still imports torch; the request waited for it in the queue. A load
# balancer that trusts `/ping` sends customers to a server that cannot answer yet. So our handler answers on
# the path `/predictions/meter-reader/2.0/ready`, through queue and worker.
#
# Are the answers the reader's own? All twenty cards at once, and through the reader here.

# %%
from concurrent.futures import ThreadPoolExecutor

from fsdl_deploy import OnnxReader
from fsdl_deploy.measuring.accuracy import same_reader

if java:
    readings = OnnxReader().read([card.image for card in deck])
    with ThreadPoolExecutor(20) as pool:
        answers = [answer.json() for answer in pool.map(ask, pictures)]
    print(same_reader(answers, readings))

# %% [markdown]
# ## What came without being written
#
# A contract, metrics and the management API, the last two on ports of their own: customers must not reach
# them.

# %%
if java:
    settings = dict(line.split("=", 1) for line in server.log().splitlines() if line.count("=") == 1)
    print("for all:     ", *web.options(server.url + "/").json()["paths"])
    manager = settings["management_address"]
    print("for managers:", *web.options(manager + "/").json()["paths"])
    lines = web.get(settings["metrics_address"] + "/metrics").text.splitlines()
    used = [line.partition("{")[0] for line in lines if line and not line.startswith("#")]
    print("metrics:     ", *sorted(set(used)))

# %% [markdown]
# `Requests2XX` and those that begin with `ts_` are counters, as Prometheus wants them. The times beside them
# are *gauges* of the last request: what each request overwrites tells little.
#
# ## Models come and go
#
# The management API registers an archive of the model store, here the same model once more, as
# `one-by-one`, without batches. And version 1 beside version 2 under one name.


# %%
def manage(method, path, **options):
    # A worker is a Python with torch: on a busy machine its start takes long.
    return web.request(method, manager + path, params=options, timeout=180).raise_for_status().json()


if java:
    new = {"url": "meter-reader-v2.mar", "model_name": "one-by-one", "batch_size": 1}
    print(manage("POST", "/models", **new, initial_workers=1, synchronous="true")["status"])
    old = {"url": "meter-reader-v1.mar", "initial_workers": 1, "synchronous": "true"}
    print(manage("POST", "/models", **old)["status"])
paths = ("meter-reader/1.0", "meter-reader/2.0", "meter-reader", "one-by-one") if java else ()
answers = [ask(pictures[1], path).json() for path in paths]
rows = [[path, answer["digits"], answer["confidence"]] for path, answer in zip(paths, answers)]
Table(["path", "digits", "confidence"], *rows, formats=["", "", ".2f"]) if rows else None

# %% [markdown]
# Who names no version gets the default one, which is a setting too. A faulty version is taken back in one
# request, without a restart.

# %%
if java:
    for version in ("1.0", "2.0"):
        manage("PUT", f"/models/meter-reader/{version}/set-default")
        print(f"default {version}: confidence {ask(pictures[1]).json()['confidence']:.2f}")
    print(manage("DELETE", "/models/meter-reader/1.0")["status"], "(1.0)")

# %% [markdown]
# ## Batches
#
# Sixteen users at once ask the model with batches and the one without, in turns, five turns each. Both stand
# behind the same front.

# %%
from fsdl_deploy import closed_loop


def sixteen_users(model, requests):
    """The load, and the size of the batch of each answer."""
    cards_of, sizes = iter(pictures * requests), []
    load = closed_loop(lambda: sizes.append(ask(next(cards_of), model).json()["batch"]), 16, requests)
    return load, sizes


models = {"one-by-one": "batching off", "meter-reader": "batching on"}
loads, sizes = {name: [] for name in models}, []
for _ in range((5 if FAST else 20) if java else 0):
    for name in models:
        load, turn_sizes = sixteen_users(name, 96)
        loads[name].append(load)
        sizes += turn_sizes if name == "meter-reader" else []

# %% [markdown]
# Requests a second and time to the answer, by the median of the turns, and the ratio within each turn.

# %%
import numpy as np

rows = []
for name, turns in loads.items() if java else ():
    rate, middle = (np.median([getattr(turn, what) for turn in turns]) for what in ("throughput", "p50"))
    rows.append([models[name], rate, middle, sum(turn.errors for turn in turns)])
ratios = [on.throughput / off.throughput for off, on in zip(*loads.values())]
if java:
    print(f"batching on / off: {np.median(ratios):.2f} (turns: {', '.join(f'{r:.2f}' for r in ratios)})")
Table(["", "requests/s", "median (ms)", "errors"], *rows, formats=["", ".0f", ".0f"]) if rows else None

# %% [markdown]
# In how large a batch each card was read.

# %%
import matplotlib.pyplot as plt

if java:
    figure, axes = plt.subplots(figsize=(7, 2.8))
    counts = np.bincount(sizes, minlength=17)[1:17]
    axes.bar(range(1, 17), 100 * counts / counts.sum())
    axes.set(xlabel="pictures in the batch", ylabel="share of the cards (%)")
    figures.show(figure, alt="In how large a batch the cards were read, with sixteen users asking at once")

# %% [markdown]
# ## A second worker, while it serves
#
# Fifty requests a second come by a timetable. With the fiftieth, the operator asks for a second worker.

# %%
from itertools import count

from fsdl_deploy import open_loop


def serve_and(act, seconds):
    """Notes of each request: sent, answered (s), status; and when ``act`` began and ended."""
    began, number, notes, acted = perf_counter(), count(), [], []

    def ask_and_note():
        if next(number) == 50:
            acted.append(perf_counter() - began)
            act()
            acted.append(perf_counter() - began)
        sent = perf_counter() - began
        status = ask(pictures[0]).status_code
        notes.append((sent, perf_counter() - began, status))

    open_loop(ask_and_note, rate=50, seconds=seconds)
    return sorted(notes), acted


# %% [markdown]
# What do the customers notice? Each request is a dot, at the moment when it was sent.

# %%
if java:
    more = {"min_worker": 2, "synchronous": "true"}
    notes, acted = serve_and(lambda: manage("PUT", "/models/meter-reader", **more), 4)
    requests = [(sent, ended, status == 200) for sent, ended, status in notes]
    moments = dict(zip(("asked for", "there"), acted))
    alt = "Waiting times while a second worker is started"
    figures.waits(requests, moments, alt, names=("read", "refused"))
    workers = manage("GET", "/models/meter-reader")[0]["workers"]
    refused = sum(not read for _, _, read in requests)
    long = sum(ended - sent > 0.5 for sent, ended, _ in requests)
    print(f"{len(workers)} workers after {acted[1] - acted[0]:.1f} s")
    print(f"{len(notes)} requests: {refused} were refused, {long} waited more than half a second")

# %% [markdown]
# Nobody is refused. In some runs a few customers wait until the new worker is there: the front hands out
# requests to it before it has read its archive. Is it twice as fast then? The callers are on this machine
# too, and it may have few cores.

# %%
if java:
    rate = {2: sixteen_users("meter-reader", 192)[0].throughput}
    manage("PUT", "/models/meter-reader", min_worker=1, max_worker=1, synchronous="true")
    rate[1] = sixteen_users("meter-reader", 192)[0].throughput
    for workers, each in sorted(rate.items()):
        print(f"{workers} worker{'s' * (workers > 1)}: {each:.0f} requests/s")

# %% [markdown]
# Where front, callers and one worker fill the cores already, a second worker gains little.
#
# ## Bad input
#
# Sixteen requests at once, one of them no picture. An exception in the handler would be a 503 for the whole
# batch; a status of its own goes to one caller. And other mistakes, of callers and of operators.

# %%
if java:
    mixed = [*pictures[:7], b"%PDF-1.7", *pictures[7:15]]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, mixed))
    print(*(answer.status_code for answer in answers), answers[7].json()["detail"])
    for name, body in {"no body": b"", "cut off": pictures[0][:-200], "7 MB": b" " * 7_000_000}.items():
        print(f"{name}: {ask(body).status_code}", end=", ")
    print(f"no such model: {ask(pictures[0], 'other').status_code}")
    foreign = {"url": "http://example.org/other.mar"}
    print("an archive from elsewhere:", web.post(manager + "/models", params=foreign).json()["message"])

# %% [markdown]
# ## When it fails
#
# *The worker is killed under load*, as a kernel does that runs out of memory. One worker, the same timetable.

# %%
import psutil


def worker():
    (description,) = manage("GET", "/models/meter-reader")
    return psutil.Process(description["workers"][0]["pid"])


if java:
    notes, acted = serve_and(lambda: worker().kill(), 6)
    requests = [(sent, ended, status == 200) for sent, ended, status in notes]
    alt = "After the kill requests wait for the new worker, and some are refused"
    figures.waits(requests, {"killed": acted[1]}, alt, names=("read", "refused"))
    refused = [status for *_, status in notes if status != 200]
    later = [ended - acted[1] for _, ended, status in notes if status == 200 and ended > acted[1] + 0.1]
    print(f"refused: {len(refused)} of {len(notes)} {sorted(set(refused))};", end=" ")
    print(f"the next answer came after {min(later, default=np.inf):.1f} s")

# %% [markdown]
# The batch in the dead worker's hands is lost, and its callers are told at once (507, "Worker died", or
# 500). Then requests wait in the queue, and are read when the new worker has imported torch. But in between
# the front strikes the dead worker off its list, and while that list is empty it refuses everybody (503).
#
# *The queue is full.* It holds a hundred requests. The worker is halted, 150 customers ask.

# %%
from concurrent.futures import FIRST_COMPLETED, wait

if java:
    slow = worker()
    slow.suspend()
    with ThreadPoolExecutor(150) as pool:
        calls = [pool.submit(ask, picture) for picture in (pictures * 8)[:150]]
        wait(calls, return_when=FIRST_COMPLETED)
        slow.resume()
    answers = [call.result() for call in calls]
    print("read:", sum(answer.status_code == 200 for answer in answers))
    refused = [answer for answer in answers if answer.status_code != 200]
    print("refused:", len(refused), refused[0].status_code, refused[0].json()["message"][:76])

# %% [markdown]
# A limit and a 503: right. The reason that it gives is wrong, there is a worker.
#
# *A delay of nothing.* `max_batch_delay` 0 should mean: take all who wait, and go. One caller, then sixteen:

# %%
from functools import partial

if java:
    new = {"url": "meter-reader-v2.mar", "model_name": "no-delay", "batch_size": 16, "max_batch_delay": 0}
    manage("POST", "/models", **new, initial_workers=1, synchronous="true")
    for name in ("meter-reader", "no-delay"):
        lonely = closed_loop(partial(ask, pictures[0], name), 1, 30, warmup=5)
        load, sizes = sixteen_users(name, 96)
        print(f"{name:12} one caller waits {lonely.p50:.0f} ms; largest batch of sixteen: {max(sizes)}")
    server.stop()
    print(server)
web.close()

# %% [markdown]
# With 0 it looks at the clock after the second request, and stops. In the settings file the same 0 counts as
# not set: the default is `100 ms`, and one caller waited that long when it was tried. Hence the `max(1, …)`
# in `serve.py`.
#
# - **Tokens.** TorchServe asks callers and operators for tokens; `serve.py` turns that off, which is right on
#   loopback only. Open ports with registration allowed are a way to run any program on the machine.
# - **No patches.** The next hole that is found in it, in its Java libraries or in how it reads archives stays
#   open. Whoever runs it keeps strangers away from it, for good.

# %% [markdown]
# ## Questions
#
# **Question:** The archive read every card on your machine. On the operators' server the worker does not
# start. What do you suspect first?
#
# <details><summary>Answer</summary>
# The environment. The archive holds the model, the handler and a manifest, but no packages:
# <code>fsdl_deploy</code>, NumPy and ONNX Runtime are those that the operators' workers have. Hand over a
# lock of your environment with the archive, and cards whose digits are known.
# </details>
#
# **Question:** Once a day the kernel kills the only worker, for want of memory. Would a second worker keep
# customers from noticing?
#
# <details><summary>Answer</summary>
# Not quite. The batch in the dead worker's hands is lost either way, so clients must ask again. But the
# front refuses everybody only while it has no worker on its list, and a second one stays on it. It also
# takes as much memory as the first, so find out first what fills the memory.
# </details>
#
# **Question:** The operators let every team register archives on the shared server, without tokens. They say
# that it stands behind a firewall. What do you answer?
#
# <details><summary>Answer</summary>
# A handler is a program and runs with all rights of the server. So each team, and whoever gets onto one of
# their machines, can run anything beside your model. A firewall keeps strangers away but not those. Ask for
# tokens and for a management port that only operators reach.
# </details>

# %% [markdown]
# ## Take-aways
#
# - The archive is a good idea: model, code and manifest in one file. It leaves out the environment.
# - Front and workers are separate: queue, limit, restarts and a second worker cost no line of code. Torch in
#   each worker costs memory and seconds, even for a model that does not use it.
# - `/ping` says healthy before the model is there; a delay of 0 makes pairs. Measure what a setting does.
# - Choose it where it runs already and is shut off from strangers, and plan the way out: a handler around a
#   `Reader` is a short class in each of the other libraries. Do not begin something new with it.
#
# ## Where to go next
#
# - [Triton](triton.ipynb): a queue, versions and batches in a server that is maintained.
# - [LitServe](litserve.ipynb): hooks around the model, in Python alone.
