# %% [markdown]
# # Vertex AI: Google's own server and client
#
# **Minutes:** 15 · **Prerequisites:** [Service](../03_service.ipynb) · **Truth:** runs against an emulator
#
# ## The need
#
# Month end is spiky, and nobody wants to be on call for a model server. The utility has a contract with
# Google. What would have to change in our code to let Google run it, and what would we get back?
#
# ## You will learn
#
# - what a *custom prediction routine* is: four methods that Google's model server calls
# - how Vertex AI starts and asks a container: environment variables, a health path, a prediction path
# - that our own service already speaks Google's format, asked by Google's own client
# - what the format costs: bytes, a limit, errors that get lost, one request at a time
# - which part cannot be tried at home

# %% [markdown]
# ## Where the model sits
#
# In a container that Google starts. The two programs with a full frame are Google's own and run here, on
# this machine. The dashed part is the cloud, and it is missing: the client asks the server directly.
#
# ```mermaid
# flowchart LR
#     client["Google's REST client<br/>PredictionServiceClient"] --> server
#     client -.-> door["endpoint: HTTPS, IAM,<br/>traffic split, replicas"]
#     door -.-> server
#     subgraph server ["Google's model server (CPR)"]
#         pre["preprocess"] --> model(["predict:<br/>the Reader"]) --> post["postprocess"]
#     end
#     style model fill:#d55e00,color:#fff
#     style door stroke-dasharray: 5 5
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# Server and client come in one large package of Google's, so they live in an environment of their own.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations

station_python = ensure("vertex")
station = stations.station("vertex")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## Four methods
#
# A custom prediction routine is a class with `load`, `preprocess`, `predict` and `postprocess`. Google's
# handler calls them in turn; web server, JSON and health are Google's. This is all of ours.

# %%
from IPython.display import Code

program = (station.folder / "predictor.py").read_text()
Code(program[program.index("class MeterReader") :], language="python")

# %% [markdown]
# ## Started as Vertex AI starts it
#
# The container learns everything from environment variables. Those that begin with `AIP` are the contract of
# every container on Vertex AI, also of one that has nothing else of Google in it.

# %%
settings_file = station.folder / "local.env"
settings = stations.settings(settings_file)
Code(settings_file.read_text(), language="bash")

# %% [markdown]
# Google's own command listens on every interface of the machine. This starts the same application on the
# loopback only. Beside it runs our own service, which has never heard of Google's package.

# %%

from fsdl_deploy import Server, course_server

app = "google.cloud.aiplatform.prediction.model_server:CprModelServer"
command = [station_python, "-m", "uvicorn", "--factory", app, "--host", "127.0.0.1", "--port", "{port}"]
health = settings["AIP_HEALTH_ROUTE"]
googles = Server(
    command, ready=health, name="Google's server", env=settings, cwd=station.folder, timeout=180
).start()
ours = course_server("serve", name="our service").start()
print(googles, ours)

# %% [markdown]
# ## Google's client asks
#
# `client.py` holds Google's REST client. Two things are not as in the cloud: the host, and credentials that
# say "nobody". An instance is an object with the picture as base64 under `b64`, Google's name for bytes.

# %%
program = (station.folder / "client.py").read_text()
Code(program[program.index("def connect") : program.index("def refusal")], language="python")

# %% [markdown]
# Twenty cards as files. The client reads them with both servers, then asks for the first card many times, in
# turns, so that each server meets the same machine.

# %%
import json
import subprocess
import tempfile
from pathlib import Path

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

deck = list(cards(20, seed=8))
with tempfile.TemporaryDirectory() as folder:
    for place, card in enumerate(deck):
        (Path(folder) / f"{place:02}.png").write_bytes(encode(card.image))
    endpoint = settings["AIP_PREDICT_ROUTE"].removeprefix("/v1/").removesuffix(":predict")
    hosts = {server.name: server.url.removeprefix("http://") for server in (googles, ours)}
    words = [station.folder / "client.py", folder, str(60 if FAST else 600), endpoint, *hosts.values()]
    result = subprocess.run([station_python, *words], capture_output=True, text=True, check=True)
report = json.loads(result.stdout)

# %% [markdown]
# Three ways to the same model, and one answer: Google's server, our service, the Reader in this process.

# %% tags=["nbval-check-output"]
from fsdl_deploy import open_reader

expected = [reading.digits for reading in open_reader().read([card.image for card in deck])]
for name, host in hosts.items():
    digits = [reading[0] for reading in report["readings"][host]]
    print(f"{name:15} {len(digits)} cards, the Reader's digits: {digits == expected}")
print("first card:", expected[0], "truth:", deck[0].truth)

# %% [markdown]
# ## What it costs
#
# First the time. Google's client is not the thinnest, so the same body also goes by plain HTTP.

# %%
import base64
from time import perf_counter

import httpx2

texts = [base64.b64encode(encode(card.image)).decode() for card in deck]
body = {"instances": [{"b64": texts[0]}]}
urls = {name: f"http://{host}{settings['AIP_PREDICT_ROUTE']}" for name, host in hosts.items()}
plain_ms = {name: [] for name in hosts}
with httpx2.Client(timeout=60) as web:
    for _ in range(60 if FAST else 600):
        for name, url in urls.items():
            start = perf_counter()
            web.post(url, json=body).raise_for_status()
            plain_ms[name].append(1000 * (perf_counter() - start))

# %% [markdown]
# Medians, in milliseconds; the ratio is Google's server over ours. Memory is that of one process of each.

# %%
import numpy as np

from fsdl_deploy.measuring.table import Table

client_ms = {name: report["ms"][host] for name, host in hosts.items()}
rows = []
for way, spent in (("Google's client", client_ms), ("plain HTTP", plain_ms)):
    theirs, own = (np.median(spent[server.name]) for server in (googles, ours))
    rows.append([way, f"{theirs:.1f} ms", f"{own:.1f} ms", theirs / own])
memory = [server.memory() / 2**20 for server in (googles, ours)]
rows.append(["memory", *(f"{mebibytes:.0f} MiB" for mebibytes in memory), memory[0] / memory[1]])
Table(["asked by", "Google's server", "our service", "ratio"], *rows, formats=["", "", "", ".2f"])

# %% [markdown]
# The servers are close. Google's does less between request and model; *When it fails* shows what is left out.
# Google's client costs more than the choice of a server: it turns pictures into its messages, and those into
# JSON.
#
# Then the bytes. JSON cannot hold a picture, so each grows by a third. Google's documentation (2026) allows
# `1.5 MB` a request on a shared endpoint and `10 MB` on a dedicated one. That is a limit in cards.

# %%
wire_bytes = len(json.dumps({"instances": [{"b64": text} for text in texts]}))
picture_bytes = sum(len(encode(card.image)) for card in deck)
print(f"20 pictures: {picture_bytes:,} bytes as files, {wire_bytes:,} as a request", end=" ")
print(f"(× {wire_bytes / picture_bytes:.2f})")
for kind, limit in (("shared", 1_500_000), ("dedicated", 10_000_000)):
    print(f"{kind:9} endpoint: about {limit * len(deck) // wire_bytes} cards a request")

# %% [markdown]
# ## When it fails
#
# **The sentence gets lost.** A bad instance refuses the request, in both servers with a 422 that says which
# instance and why. But Google's server words its errors as its web framework does (`detail`), and
# Google's client looks for them as Google's API words them (`error.message`).

# %% tags=["nbval-check-output"]
rows = []
for name, host in hosts.items():
    for wrong, refusal in report["refused"][host].items():
        rows.append([name, wrong, refusal[:3], refusal.rpartition("int: ")[2][:60]])
Table(["server", "instance", "status", "what the client says"], *rows)

# %% [markdown]
# **An exception is the server's fault.** What `preprocess` raises itself is a 422. Anything else that goes
# wrong in it is a 500, with the exception's words for the caller to read, and a balancer may blame the
# replica. Google's server checks no more than that the body is JSON: the rest is ours to look for.

# %% tags=["nbval-check-output"]
rows = []
for name, url in urls.items():
    for wrong in ({}, {"instances": 5}):
        answer = httpx2.post(url, json=wrong, timeout=30)
        rows.append([name, json.dumps(wrong), answer.status_code, answer.text[:62]])
Table(["server", "body", "status", "answer"], *rows)

# %% [markdown]
# **One request at a time.** Google's handler runs the model where its web server should be listening. While
# it reads sixty cards it answers nothing else, not even *are you well?*. Here that question is asked again
# and again during one such request.

# %%
from concurrent.futures import ThreadPoolExecutor

sixty = {"instances": [{"b64": text} for text in texts * 3]}
with ThreadPoolExecutor(1) as pool, httpx2.Client(timeout=60) as web:
    for server, path in ((googles, health), (ours, "/healthz")):
        reading = pool.submit(httpx2.post, urls[server.name], json=sixty, timeout=60)
        waits = []
        while not reading.done():
            start = perf_counter()
            web.get(server.url + path)
            waits.append(1000 * (perf_counter() - start))
        print(f"{server.name:15} slowest answer about its health: {max(waits):.0f} ms")

# %% [markdown]
# So Google's image starts one process a core (at least two), and each holds a model: memory grows with the
# cores.

# %%
googles.stop()
ours.stop()
print(googles, ours)

# %% [markdown]
# **What stays Google's.** Nothing above needed an account, so nothing above says how these behave:
#
# | part | what it does | in this notebook |
# |---|---|---|
# | endpoint | an address with TLS, in one region | loopback |
# | IAM | who may ask: a token in each request | nobody is asked |
# | traffic split | a share of the requests to each deployed model | one server |
# | scaling | replicas between a least and a most number, by load | one process |
# | registry | the image and the weights (`AIP_STORAGE_URI`) | files of this course |
# | price | machines by the hour, as long as a model is deployed | your laptop |

# %% [markdown]
# ## Questions
#
# **Question:** Your app's pictures have three times as many bytes as ours. It sends twenty a request, to a
# shared endpoint. How do you find out whether they fit, before you deploy?
#
# <details><summary>Answer</summary>
# Count the bytes of the request, not of the files: base64 adds a third. <em>What it costs</em> says how many
# of our cards fit; of yours it is about a third as many. Leave some room, since the limit refuses the whole
# request and not its last picture.
# </details>
#
# **Question:** Whenever a customer sends a large request, the health checks of a replica fail. Nothing
# crashes. Why, and what can you do?
#
# <details><summary>Answer</summary>
# Google's handler runs the model where its web server should be listening, so health waits until all pictures
# are read. Let <code>preprocess</code> refuse long lists. Or bring a container of your own, which answers
# while it reads: compare both servers under <em>One request at a time</em>.
# </details>
#
# **Question:** A partner's log says "unknown error" for some of the calls through Google's client. Where is
# the reason?
#
# <details><summary>Answer</summary>
# In the body of the answer. Google's server words it as <code>detail</code>, and the client looks for
# <code>error.message</code>. Send the same body by plain HTTP and read it. For good, let the container word
# its errors as Google's API does: our service does so.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Two ways onto Vertex AI: four methods in Google's server, or any container that obeys `AIP_*`. Our service
#   speaks the format already; as a container it needs its port and two paths from those variables.
# - The digits are the same and the times are close. The choice is about who runs it, not about speed.
# - Pictures travel as base64 under a limit: send few cards a request.
# - Errors are yours to word: what `preprocess` does not expect is a 500.
# - A custom prediction routine answers one request at a time in each process, health included.
#
# ## Where to go next
#
# - [The model service](../03_service.ipynb): the formats of all three clouds, side by side.
# - [Docker](docker.ipynb): the image that an endpoint would be given.
