# %% [markdown]
# # Ray Serve: as many replicas as the load asks for
#
# **Minutes:** 20 · **Prerequisites:** [The model service](../03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility's customers ask in waves: nothing at night, everybody after the evening news. One copy of the
# model is too few then and one too many before. Copies shall come and go by themselves, while customers are
# asking.
#
# ## You will learn
#
# - how a class becomes a deployment, and its method one that gets batches
# - how a document says what shall run, and how a changed one changes it without a restart
# - how replicas follow the load, up and down, without a lost request
# - what is lost when a replica is killed
# - what all that costs in memory and in time to start

# %% [markdown]
# ## Where the model sits
#
# In **replicas**, processes that Ray starts and watches. A proxy takes the requests and gives each to a
# replica; the controller compares what runs with what the document wants.
#
# ```mermaid
# flowchart LR
#     apps["Applications"] -- "POST /read" --> proxy["proxy"]
#     subgraph ray ["Ray on this machine"]
#         proxy --> one(["replica 1:<br/>the Reader"])
#         proxy -.-> two(["replica 2:<br/>the Reader"])
#         controller["controller"] -. "starts, stops" .-> one & two
#     end
#     document["document: batches,<br/>least and most replicas"] -- "PUT" --> controller
#     style one fill:#d55e00,color:#fff
#     style two fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# The library comes with its dashboard, so it is larger than the Ray of [the batch job](ray_data.ipynb) and
# has an environment of its own.

# %%
from fsdl_course.serving import libraries
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
ensure("rayserve")
station = stations.station("rayserve")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## The deployment
#
# All of `infra/serving/rayserve/reader_app.py`. `@serve.batch` turns a method that reads a list into one
# that is called with a single picture; `reconfigure` takes new settings in the running replica.

# %%
from IPython.display import Code

program = (station.folder / "reader_app.py").read_text()
Code(program[program.index("@serve.deployment") :], language="python")

# %% [markdown]
# `serve.py` starts Ray on this machine, for this machine only, and hands it the document. It is started once:
# this is the heaviest server of the course.

# %%
from time import perf_counter

from fsdl_deploy.running.ports import free_port

ray_serve = libraries.libraries()["rayserve"].server(max_batch=16, delay_ms=2)
ray_serve.env["DASHBOARD_PORT"] = str(free_port())
began = perf_counter()
ray_serve.start()
print(f"ready after {perf_counter() - began:.0f} s, {ray_serve.memory() / 2**20:,.0f} MiB")

# %% [markdown]
# Where has the memory gone? Ray is a cluster, also on one machine. Its processes, by what they are for:

# %%
from collections import Counter
from contextlib import suppress

import psutil

kinds = ("ServeReplica", "ProxyActor", "ServeController", "gcs/gcs_server", "raylet/raylet", "ashboard", "")
mebibytes = Counter()
for process in ray_serve.processes():
    with suppress(psutil.NoSuchProcess):  # Ray ends those that are idle
        kind = next(kind for kind in kinds if kind in " ".join(process.cmdline()))
        mebibytes[kind] += process.memory_info().rss / 2**20

# %% [markdown]
# Only the first of these holds the model.

# %%
from fsdl_deploy.measuring.table import Table

names = ("replica", "proxy", "controller", "cluster's table", "machine's agent", "dashboard", "the rest")
rows = [[name, mebibytes[kind]] for kind, name in zip(kinds, names)]
Table(["process", "memory (MiB)"], *rows, formats=["", ".0f"])

# %% [markdown]
# ## Ask
#
# The picture is the body. The answer also says in how large a batch it was read. Twenty cards at once, and
# the reader in this process for comparison.

# %% tags=["nbval-check-output"]
from concurrent.futures import ThreadPoolExecutor

import httpx2

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

deck = list(cards(20, seed=4))
pictures = [encode(card.image) for card in deck]
web = httpx2.Client(timeout=30, limits=httpx2.Limits(max_connections=None))


def ask(picture, **options):
    return web.post(ray_serve.url + "/read", content=picture, **options)


with ThreadPoolExecutor(20) as pool:
    answers = [answer.json() for answer in pool.map(ask, pictures)]
print(*answers[0], "|", answers[0]["digits"], "truth", deck[0].truth)

# %% [markdown]
# Equal answers, to float32 rounding.

# %% tags=["nbval-check-output"]
from fsdl_deploy import OnnxReader
from fsdl_deploy.measuring.accuracy import same_reader

print(same_reader(answers, OnnxReader().read([card.image for card in deck])))

# %% [markdown]
# ## What came without being written
#
# Health and routes at the proxy; at the dashboard a page for people, the state as JSON, and where
# Prometheus finds the metrics. The protocol of the request is ours: there is no OpenAPI contract and no
# standard one.

# %%
dashboard = f"http://127.0.0.1:{ray_serve.env['DASHBOARD_PORT']}"
for url in (ray_serve.url + "/-/healthz", ray_serve.url + "/-/routes", dashboard):
    answer = web.get(url)
    print(answer.status_code, answer.text[:60].strip())
targets = [
    target for group in web.get(dashboard + "/api/prometheus/sd").json() for target in group["targets"]
]
with httpx2.Client(transport=httpx2.HTTPTransport(retries=6)) as patient:
    # On a busy machine their ports open some time after the server is ready.
    metrics = "".join(patient.get(f"http://{target}/metrics", timeout=30).text for target in targets)
names = {line.split()[2] for line in metrics.splitlines() if line.startswith("# TYPE ray_serve")}
print(f"{len(names)} metrics of Serve, such as ray_serve_num_http_requests_total:", end=" ")
print("ray_serve_num_http_requests_total" in names)

# %% [markdown]
# ## One document
#
# This is what runs, written down. Sent again with another value, it changes what runs: `user_config` goes to
# `reconfigure` of the living replica.


# %%
def document(max_batch, **replicas):
    deployment = {"name": "MeterReader", "max_ongoing_requests": 100, "ray_actor_options": {"num_cpus": 0.3}}
    deployment |= {"user_config": {"max_batch": max_batch, "delay_ms": 2}, **replicas}
    application = {"name": "reader", "route_prefix": "/", "import_path": "reader_app:app"}
    place = {"host": "127.0.0.1", "port": ray_serve.port}
    return {"http_options": place, "applications": [application | {"deployments": [deployment]}]}


def state():
    """Status of the application, and the states of its replicas."""
    reader = web.get(dashboard + "/api/serve/applications/").json()["applications"]["reader"]
    deployments = reader["deployments"].values()
    replicas = [replica for deployment in deployments for replica in deployment["replicas"]]
    return reader["status"], [replica["state"] for replica in replicas]


# %% [markdown]
# A `PUT`, then look until the controller says that it is so.


# %%
from threading import Event


def deploy(config):
    """Seconds until what runs is what is wanted."""
    began = perf_counter()
    web.put(dashboard + "/api/serve/applications/", json=config).raise_for_status()
    while state() != ("RUNNING", ["RUNNING"]):
        Event().wait(0.1)
    return perf_counter() - began


print(f"batches of at most 1 after {deploy(document(1, num_replicas=1)):.1f} s")
print("the next card was read in a batch of", ask(pictures[0]).json()["batch"])

# %% [markdown]
# ## Batches
#
# So batching is switched off and on in the running server, in turns, with sixteen users each time.

# %%
import numpy as np

from fsdl_deploy import closed_loop


def sixteen_users(requests, sizes):
    todo = iter(pictures * requests)
    return closed_loop(lambda: sizes.append(ask(next(todo)).json()["batch"]), 16, requests)


loads, sizes = {1: [], 16: []}, {1: [], 16: []}
for _ in range(3 if FAST else 20):
    for max_batch in loads:
        deploy(document(max_batch, num_replicas=1))
        loads[max_batch].append(sixteen_users(64 if FAST else 128, sizes[max_batch]))

# %% [markdown]
# By the median of the turns, with the ratio taken within each turn.

# %%
rows = []
for max_batch, turns in loads.items():
    rate, errors = np.median([load.throughput for load in turns]), sum(load.errors for load in turns)
    rows.append([max_batch, rate, np.mean(sizes[max_batch]), errors])
ratios = [on.throughput / off.throughput for off, on in zip(*loads.values())]
print(f"batching on / off: {np.median(ratios):.2f} (turns: {', '.join(f'{r:.2f}' for r in ratios)})")
header = ["at most", "requests/s", "cards in a card's batch", "errors"]
Table(header, *rows, formats=["", ".0f", ".1f"])

# %% [markdown]
# About 1 is what to expect: on a processor sixteen cards in one call take as long as sixteen calls, and each
# request still makes its own way through proxy and replica. On a GPU the batch would pay.
#
# ## Replicas that follow the load
#
# The document now says least and most instead of a number, and how many requests a replica should have at a
# time. The delays are short for this lesson; Ray's own are half a minute up and ten minutes down.

# %%
scaling = {"min_replicas": 1, "max_replicas": 2, "target_ongoing_requests": 4}
scaling |= {"upscale_delay_s": 1, "downscale_delay_s": 2, "metrics_interval_s": 1, "look_back_period_s": 2}
print(f"after {deploy(document(16, autoscaling_config=scaling)):.0f} s: a new replica, with the new rule")
replica_counts, began = [], perf_counter()


def watch():
    """Note how many replicas run, now."""
    replica_counts.append((perf_counter() - began, state()[1].count("RUNNING")))
    Event().wait(0.2)
    return replica_counts[-1][1]


# %% [markdown]
# Sixteen users ask, round after round, until one round or more had two replicas. Then they go, and we look on
# until one is left.

# %%
rounds, with_two = [], 0
with ThreadPoolExecutor(1) as pool:
    while with_two < (1 if FAST else 20) and perf_counter() - began < 120:
        with_two += watch() == 2
        asking = pool.submit(sixteen_users, 200, [])
        while not asking.done():
            watch()
        rounds.append(asking.result())
wave_seconds = perf_counter() - began
while watch() > 1 and perf_counter() - began < 180:
    pass

# %% [markdown]
# The replicas over time.

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 2.6))
axes.step(*zip(*replica_counts), where="post", label="replicas that run")
axes.axvspan(0, wave_seconds, color="#56b4e9", alpha=0.25, label="sixteen users ask")
axes.set(xlabel="time (s)", ylabel="replicas", yticks=[0, 1, 2], ylim=(0, 2.6))
axes.legend(loc="upper right", ncols=2)
figures.show(figure, alt="One replica at first; a second comes while users ask, and goes when they have gone")
requests, errors = sum(load.requests for load in rounds), sum(load.errors for load in rounds)
print(f"{requests} requests while replicas came and went, {errors} errors")

# %% [markdown]
# ## Bad input
#
# The picture is decoded in the batch. `read_encoded` gives each bad one its error, so it is refused alone.

# %% tags=["nbval-check-output"]
mixed = [*pictures[:7], b"%PDF-1.7", *pictures[7:15]]
with ThreadPoolExecutor(16) as pool:
    answers = list(pool.map(ask, mixed))
print("read:   ", sum(answer.status_code == 200 for answer in answers))
refused = [answer for answer in answers if answer.status_code != 200]
print("refused:", *[(answer.status_code, answer.json()["detail"]) for answer in refused])

# %% [markdown]
# ## When it fails
#
# *The replica is killed under load.* Fifteen requests a second by a timetable, each with twenty seconds of
# patience; after thirty the process with the model is killed. The controller asks every second whether a
# replica is well; unless told it asks every ten.

# %%
from fsdl_deploy import open_loop

deploy(document(16, num_replicas=1, health_check_period_s=1))
began, notes, killed, enough = perf_counter(), [], [], Event()


def ask_and_note():
    if len(notes) >= 30 and not killed:
        killed.append(perf_counter() - began)
        ray_serve.processes("ServeReplica")[0].kill()
    sent, answered = perf_counter() - began, False
    try:
        answered = ask(pictures[0], timeout=20).is_success
    finally:
        notes.append((sent, perf_counter() - began, answered))
    if sum(answered and sent > killed[0] for sent, _, answered in notes if killed) >= 60:
        enough.set()


load = open_loop(ask_and_note, rate=15, seconds=60, stop=enough)

# %% [markdown]
# Each request a dot, at the moment when it was sent.

# %%
alt = "Time that each request waited: after the kill requests wait for the new replica"
figures.waits(notes, {"replica killed": killed[0]}, alt)
sent, ended, answered = map(np.array, zip(*notes))
longest = (ended - sent)[answered].max()
print(f"{(~answered).sum()} of {len(notes)} requests got no answer, the longest wait was {longest:.1f} s")

# %% [markdown]
# What the replica was reading may be lost. The others wait in the proxy until there is a replica again, if
# they are patient. Starting it takes seconds, since it is a Python process that imports Ray; with two
# replicas the other would have gone on.
#
# - **Heavy**: compare the start and the memory above with those of [our own service](../03_service.ipynb).
# - **From a number to autoscaling** Ray started the replica anew; `user_config` was taken by the living
#   one. Look what a change does before it is sent at noon.
# - **Nobody is asked for a password.** Dashboard and document are open to whoever reaches the port: here this
#   machine. And each replica opens a port for other replicas on every interface, which no setting changes
#   (version 2.60). So it belongs into a private network.

# %%
ray_serve.stop()
web.close()
print(ray_serve)

# %% [markdown]
# ## Questions
#
# **Question:** All your customers ask within seconds of the evening news. Will replicas that follow the load
# save you? If not, which document would you send, and when?
#
# <details><summary>Answer</summary>
# Not in the first moments. Ray waits for the delay, and then a replica must start, which takes seconds: the
# picture shows the step after the users came. If you know the hour, send a document with a higher
# least number of replicas shortly before it.
# </details>
#
# **Question:** In the last picture requests had twenty seconds of patience. Your app gives up after two. How
# would the result change, and what would you change?
#
# <details><summary>Answer</summary>
# Each request that waited longer than two seconds would be a failure: read them off the dots. With one
# replica everybody waits until the new one has started. With two, the other goes on reading.
# </details>
#
# **Question:** You move the reader to a GPU, and batching still gives a ratio near 1. Which column do you
# look at before you blame the GPU?
#
# <details><summary>Answer</summary>
# The cards in a card's batch. If it stays near one, too few requests arrive within the delay, and no batches
# were made: you have compared one way with itself. If batches are full, the time goes elsewhere, such as
# proxy and decoding.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A class and two decorators are the whole service; a document says how many, how large a batch, and
#   changes it while it runs.
# - Replicas came and went with the load and no request was lost. A killed one costs what it was reading.
# - It is a cluster: gigabytes and tens of seconds before the first card, on one machine.
# - Choose it when several models with their own replicas, or several machines, are to be one service; not
#   for one small model on one machine.
#
# ## Where to go next
#
# - [Ray Data](ray_data.ipynb): the same cluster, for last night's cards.
# - [LitServe](litserve.ipynb): batches and workers without a cluster.
