# %% [markdown]
# # Azure ML: init and run
#
# **Minutes:** 15 · **Prerequisites:** [Service](../03_service.ipynb) · **Truth:** runs against an emulator
#
# ## The need
#
# Half of the utility lives in Microsoft's cloud, and its data scientists deploy with *Azure Machine
# Learning*. They ask for our reader as an **entry script**. What is that, and what does it leave to us?
#
# ## You will learn
#
# - what an entry script is: two functions, `init` and `run`
# - the format of the lecture's slide, sent to Microsoft's own server
# - that the same body asks our own service, and gets the same digits
# - what happens to bad input, with and without care, and what a schema adds
# - which part cannot be tried at home

# %% [markdown]
# ## Where the model sits
#
# In Microsoft's *inference server*, a web server that the images of Azure ML bring along. It is a Python
# package, so it runs here. The dashed part is the cloud, and it is missing: we ask the server directly.
#
# ```mermaid
# flowchart LR
#     client["any HTTP client"] --> server
#     client -.-> door["online endpoint: HTTPS, keys,<br/>traffic, instances"]
#     door -.-> server
#     subgraph server ["Microsoft's inference server"]
#         start["init(), once"] --> model(["run(), each request:<br/>the Reader"])
#     end
#     style model fill:#d55e00,color:#fff
#     style door stroke-dasharray: 5 5
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The entry script
#
# The server lives in an environment of its own. `score.py` is all that we write: `init` loads the model,
# `run` gets the body of a request as text.

# %%
from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations

station_python = ensure("azureml")
station = stations.station("azureml")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")
program = (station.folder / "score.py").read_text()
Code(program[program.index("def init") :], language="python")

# %% [markdown]
# ## Started
#
# Microsoft's own command (`azmlinfsrv --entry_script score.py`) listens on every interface of the machine.
# This starts the same application, under the same gunicorn, on the loopback only and without gunicorn's own
# control socket. Where the script lies comes in two environment variables. Beside it runs our own service.

# %%

from fsdl_deploy import Server, course_server

app = "azureml_inference_server_http.server.entry:app"
listen = ["--bind", "127.0.0.1:{port}", "--no-control-socket"]


def azure(script):
    settings = {"AML_APP_ROOT": station.folder, "AZUREML_ENTRY_SCRIPT": script}
    command = [station_python, "-m", "gunicorn", *listen, app]
    return Server(command, ready="/", name=script, env=settings, timeout=120).start()


careful = azure("score.py")
ours = course_server("serve", name="our service").start()
print(careful, ours)

# %% [markdown]
# ## The slide's format
#
# Azure *expects the body to be a JSON document* with a list called `data`, says the lecture's slide, of
# *model-specific* things. Ours are pictures in base64.

# %%
import base64
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

deck = list(cards(20, seed=8))
texts = [base64.b64encode(encode(card.image)).decode() for card in deck]

# %% [markdown]
# If this machine has `curl`, it is a whole client. Its header is needed: without it curl calls the body a
# form, and the server hands `run` an empty text.

# %%
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "card.json").write_text(json.dumps({"data": texts[:1]}))
    header = ["--header", "Content-Type: application/json"]
    curl = ["curl", "--silent", *header, "--data", "@card.json", careful.url + "/score"]
    if shutil.which("curl"):
        print(subprocess.run(curl, cwd=folder, capture_output=True, text=True, check=True).stdout)

# %% [markdown]
# Twenty cards in one request, to `/score` of both servers: the path and the body are the same, and so are the
# names in the answer.

# %% tags=["nbval-check-output"]
import httpx2

from fsdl_deploy import open_reader
from fsdl_deploy.measuring.table import Table

web = httpx2.Client(timeout=60)
expected = [reading.digits for reading in open_reader().read([card.image for card in deck])]
print("first card:", expected[0], "truth:", deck[0].truth)
rows = []
for server in (careful, ours):
    answer = web.post(server.url + "/score", json={"data": texts}).json()
    digits = [reading["digits"] for reading in answer["readings"]]
    rows.append([server.name, ", ".join(answer), str(digits == expected)])
Table(["server", "names in the answer", "the Reader's digits"], *rows)

# %% [markdown]
# ## What it costs
#
# One card a request, in turns, so that both meet the same machine. Microsoft's server tells in a header how
# long `run` took; the rest of its time is HTTP.

# %%
from time import perf_counter

import numpy as np

spent, in_run = {careful.name: [], ours.name: []}, []
for _ in range(60 if FAST else 600):
    for server in (careful, ours):
        start = perf_counter()
        answer = web.post(server.url + "/score", json={"data": texts[:1]})
        spent[server.name].append(1000 * (perf_counter() - start))
        in_run += [float(ms) for ms in [answer.headers.get("x-ms-run-fn-exec-ms")] if ms]
median = {name: np.median(ms) for name, ms in spent.items()}
print(
    ", ".join(f"{name} {ms:.1f} ms" for name, ms in median.items()), f"(in run: {np.median(in_run):.1f} ms)"
)
print(f"Microsoft's server takes {median[careful.name] / median[ours.name]:.2f} times as long as ours")
print(f"memory: {careful.memory() / 2**20:.0f} MiB and {ours.memory() / 2**20:.0f} MiB")

# %% [markdown]
# gunicorn's default worker closes the connection after every answer, so each request opens a new one. On the
# loopback that is cheap; over a network with TLS it is several round trips.

# %% tags=["nbval-check-output"]
for server in (careful, ours):
    answer = web.post(server.url + "/score", json={"data": texts[:1]})
    print(f"{server.name:11} connection: {answer.headers.get('connection', 'kept')}")

# %% [markdown]
# ## When it fails
#
# **An exception is a 500.** `typed.py` is the same reader as tutorials write it. Decorators say what goes in
# and out, and the server checks *that* much. What `run` raises is the server's fault, whoever's it was.

# %%
typed = azure("typed.py")
program = (station.folder / "typed.py").read_text()
Code(program[program.index("@input_schema") :], language="python")

# %% [markdown]
# The same mistakes, sent to all three. 400 and 422 tell the client that it was wrong; a client that
# gets 500 may try again, and a balancer may take the instance out.

# %% tags=["nbval-check-output"]
wrong = {"no picture": {"data": ["bm8gcGljdHVyZQ=="]}, "a number": {"data": [5]}, "no data": {}, "a list": []}
rows = []
for server in (typed, careful, ours):
    answers = [web.post(server.url + "/score", json=document) for document in wrong.values()]
    rows.append([server.name, *(answer.status_code for answer in answers)])
Table(["server", *wrong], *rows)

# %% [markdown]
# In words: what a customer's app would have to show for a file that is no picture. `score.py` returns an
# `AMLResponse`, Microsoft's class for an answer with a status of one's own.

# %% tags=["nbval-check-output"]
for server in (typed, careful, ours):
    answer = web.post(server.url + "/score", json=wrong["no picture"])
    print(f"{server.name:11}", json.dumps(answer.json().get("error", answer.json()))[:90])

# %% [markdown]
# **The contract is as good as the decorators.** Both scripts get a `/swagger.json`. With a schema it says
# what to send; without one, only that it is an object. Nothing keeps one from having both: a schema, and a
# `run` that returns `AMLResponse`.

# %% tags=["nbval-check-output"]
for server in (typed, careful):
    contract = web.get(server.url + "/swagger.json").json()
    print(f"{server.name:9}", contract["swagger"], json.dumps(contract["definitions"]["ServiceInput"])[:110])
typed.stop()

# %% [markdown]
# **One request at a time.** gunicorn's default worker does one thing after another. While sixty cards are
# being read, the question *are you well?* waits.

# %%
from concurrent.futures import ThreadPoolExecutor

with ThreadPoolExecutor(1) as pool:
    for server, path in ((careful, "/"), (ours, "/healthz")):
        reading = pool.submit(httpx2.post, server.url + "/score", json={"data": texts * 3}, timeout=60)
        waits = []
        while not reading.done():
            start = perf_counter()
            web.get(server.url + path)
            waits.append(1000 * (perf_counter() - start))
        print(f"{server.name:11} slowest answer about its health: {max(waits):.0f} ms")

# %% [markdown]
# More workers help (`WORKER_COUNT`), each with a model of its own in memory.

# %%
web.close()
careful.stop()
ours.stop()
print(careful, typed, ours)

# %% [markdown]
# **What stays Microsoft's.** Nothing above needed an account, so nothing above says how these behave:
#
# | part | what it does | in this notebook |
# |---|---|---|
# | online endpoint | an address with TLS | loopback |
# | keys or tokens | who may ask | nobody is asked |
# | deployments | blue and green, each with a share of the traffic | one server |
# | scaling | instances by a timetable or by load | one process |
# | model and environment | weights (`AZUREML_MODEL_DIR`) and image, with versions | files of this course |
# | price | machines by the hour, as long as a deployment is there | your laptop |

# %% [markdown]
# ## Questions
#
# **Question:** Your dashboard counts 5xx as our fault and 4xx as the client's. One morning a customer's app
# starts to send PDFs. What does the dashboard show with `typed.py`, what with `score.py`, and what does the
# person on duty do?
#
# <details><summary>Answer</summary>
# With typed.py it shows a sick server: each PDF is a 500. The person on duty restarts it, and nothing
# changes. With score.py it shows 422, which points at the client, and the body names the field.
# </details>
#
# **Question:** Phones send one card a request to your endpoint, and at night another program sends thousands
# of cards in one request. What do the phones notice, and what would you change?
#
# <details><summary>Answer</summary>
# They wait until the large request is done, as the question about health did in the last measurement. Cut the
# large request into small ones, or give that program a deployment of its own. A second worker helps only as
# long as no second large request comes.
# </details>

# %% [markdown]
# ## Take-aways
#
# - An entry script is two functions: `init` loads, `run` answers. The web server is Microsoft's.
# - The format says only `data`; what is in it is between you and your clients, so write it down: a schema.
# - Without care a bad picture is a 500. Return `AMLResponse` with a status and a sentence.
# - The digits are the same as from our service, and so is the body: a client can move between them.
#
# ## Where to go next
#
# - [The model service](../03_service.ipynb): the formats of all three clouds, side by side.
# - [Vertex AI](vertex.ipynb): four methods instead of two functions, and Google's client.
