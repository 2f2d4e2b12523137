# %% [markdown]
# # BentoML: a service class becomes a bento
#
# **Minutes:** 25 · **Prerequisites:** [The model service](../03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# Five teams have five models, and each wrote a service of its own: five ways to check input, to count
# requests and to describe itself. The platform team wants one way, in Python, and at the end a folder that a
# machine can turn into a container.
#
# ## You will learn
#
# - the two components of a packaging tool: a standard prediction class, and a YAML file
# - what BentoML's server adds to the class, what that costs, and what it does with bad input
# - what its adaptive batching does to the same load
# - what a *bento* is: what its Dockerfile does, with which base image, packages and sizes
# - when to choose it

# %% [markdown]
# ## Where the model sits
#
# In the class, which runs in one or more worker processes. BentoML's server parses and checks what comes.
# `bentoml build` collects code, model and packages in a **bento**: a folder with a version.
#
# ```mermaid
# flowchart LR
#     app["Application"] -- "POST /read" --> server
#     subgraph worker ["Worker process"]
#         server["BentoML's server"] --> service["service.py: the class"] --> model(["the Reader"])
#     end
#     yaml["bentofile.yaml"] -. "bentoml build" .-> bento[("bento:<br/>code, model,<br/>Dockerfile")]
#     bento -. "bentoml containerize" .-> image["Container image"]
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## Two components
#
# The lecture says of such tools that they have a standard way of defining the prediction service, and a YAML
# file for the other dependencies. Here they are, all of them. The types of `read` are the contract: what
# comes is checked against them before the method is called.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
station_python = ensure("bentoml")
station = stations.station("bentoml")
project = station.folder / "project"
figures.files(project / "service.py", project / "bentofile.yaml")

# %% [markdown]
# A container holds nothing but what is copied into it. So our package and the model go into one folder with
# the two files: this folder is what is served and packed below.

# %% tags=["nbval-check-output"]
import tempfile
from pathlib import Path

from fsdl_deploy.files import mebibytes
from fsdl_deploy.packaging import tools
from fsdl_deploy.packaging.build_context import tool_context

workplace = tempfile.TemporaryDirectory()  # removed in the last code cell
packed = tool_context("bentoml", Path(workplace.name) / "packed")
print(*sorted(path.name for path in packed.iterdir()))

# %% [markdown]
# ## The server
#
# One command, no container. BentoML keeps its bentos in a folder of its own (`BENTOML_HOME`), which must lie
# outside of what is packed, and reports how it is used to its maker unless told not to.

# %%
import os
from time import perf_counter

import httpx2

from fsdl_deploy import Server, course_server

store = Path(workplace.name) / "store"
settings = {"BENTOML_HOME": str(store), "BENTOML_DO_NOT_TRACK": "True"}
command = [station_python, "-m", "bentoml", "serve", "service:MeterReader", "--host", "127.0.0.1"]
command += ["--port", "{port}"]
web = httpx2.Client(timeout=30)
begin = perf_counter()
bento_server = Server(command, ready="/readyz", env=settings, cwd=packed, timeout=120, name="BentoML").start()
print(f"ready after {perf_counter() - begin:.1f} s")

# %% [markdown]
# A picture is a file in a form, the threshold a field beside it.

# %% tags=["nbval-check-output"]
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import decode, encode

deck = list(cards(20, seed=4))
pictures = [encode(card.image) for card in deck]


def ask(picture, **fields):
    return web.post(bento_server.url + "/read", files={"picture": picture}, data=fields)


first = ask(pictures[0], threshold=0.5)
print(first.status_code, *first.json())
print(first.json()["digits"], "truth", deck[0].truth)

# %% [markdown]
# Are its answers the reader's own? Twenty cards, once through BentoML and once through the reader here. The
# confidence is compared to float32 rounding: BentoML reads each card alone, here they are read together.

# %% tags=["nbval-check-output"]
from fsdl_deploy import OnnxReader
from fsdl_deploy.measuring.accuracy import same_reader

reader = OnnxReader()
readings = reader.read([card.image for card in deck])
answers = [ask(picture).json() for picture in pictures]
print(same_reader(answers, readings))

# %% [markdown]
# ## What came without being written
#
# The class has one method. The server has these addresses too: health, metrics for Prometheus, and the
# contract, which is made from the method's types.

# %% tags=["nbval-check-output"]
contract = web.get(bento_server.url + "/docs.json").json()
for path in contract["paths"]:
    print(path)
metrics = web.get(bento_server.url + "/metrics").text
names = sorted({line.split()[2] for line in metrics.splitlines() if line.startswith("# TYPE")})
print("metrics:", *names)
form = contract["paths"]["/read"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
print("threshold:", form["properties"]["threshold"])

# %% [markdown]
# ## Bad input
#
# `service.py` says that the threshold lies from 0 to 1, and raises `InvalidArgument` where the picture is
# none. Ask for 7, for a word, without a picture, and so on.

# %%
bad = {
    "threshold 7": lambda: ask(pictures[0], threshold=7),
    "threshold 'x'": lambda: ask(pictures[0], threshold="x"),
    "no picture": lambda: web.post(bento_server.url + "/read", data={"threshold": 0.5}),
    "another field": lambda: ask(pictures[0], colour="red"),
    "not a picture": lambda: ask(b"%PDF-1.7"),
    "no form": lambda: web.post(bento_server.url + "/read", json={"picture": 7}),
}

# %% [markdown]
# For each: the status, the JSON type of the body, and the reason in it.

# %% tags=["nbval-check-output"]
from fsdl_deploy.measuring.table import Table

rows = []
for name, send in bad.items():
    answer = send()
    body, shape = answer.json(), type(answer.json()).__name__
    body = body[0] if shape == "list" else body
    why = body["detail"][0]["msg"] if "detail" in body else body.get("error", "")
    rows.append([name, answer.status_code, shape, why[:75]])
Table(["request", "status", "body", "reason"], *rows)

# %% [markdown]
# The bound is enforced, and each fault of the caller is a 400. Three things to know. An unknown field is
# ignored without a word, so a misspelt `treshold` means `0.5`. An exception that is not BentoML's own would
# be a 500 without a reason, which is why `service.py` turns the reader's error into one. And the body of an
# error has two shapes: an object from the check of types, a list with one object from `InvalidArgument`.
#
# ## What does it cost?
#
# The same cards, three ways in turns: the reader in this process, our own service, and BentoML. All three
# start from the bytes of the file; both services get them as a form.

# %%
ours = course_server("serve", name="our service").start()


def ask_ours(picture):
    answer = web.post(ours.url + "/read", files={"pictures": picture})
    return answer.json()["readings"][0]["digits"]


ways = {
    "the reader itself": lambda picture: reader.read([decode(picture)])[0].digits,
    "our service": ask_ours,
    "BentoML": lambda picture: ask(picture).json()["digits"],
}

# %% [markdown]
# Each round asks all three for each card, so that each meets the same machine.

# %%
times = tools.times_in_turns(ways, pictures, rounds=4 if FAST else 40)
tools.show_times(times)

# %% [markdown]
# In numbers, by the median, with the memory that each server takes. The ratio is what carries over to another
# machine; the milliseconds are this machine's, now.

# %%
print(tools.costs(times, servers=[bento_server, ours]))

# %% [markdown]
# ## Batches
#
# The project's service reads card by card. `batched.py`, beside the project, is the same with **adaptive
# batching**: a list goes in, a list comes out, and BentoML joins the lists of callers who ask at the same
# time.

# %%
from IPython.display import Code

program = (station.folder / "batched.py").read_text()
Code(program[program.index("def picture_of") :], language="python")

# %% [markdown]
# Two numbers: `max_batch_size`, and `max_latency_ms`. The second is no waiting time but a promise: who
# would be answered later is refused with a 503 at once. How long to wait for more, BentoML learns from the
# load. It is started without batches and with them (`serve.py`), and sixteen users ask both in turns.

# %%
from concurrent.futures import ThreadPoolExecutor

from fsdl_course.serving import libraries
from fsdl_deploy import closed_loop

batching = libraries.libraries()["bentoml"]
servers = {"batching off": batching.server(max_batch=1), "batching on": batching.server(max_batch=16)}
with ThreadPoolExecutor() as pool:
    list(pool.map(Server.start, servers.values()))


def ask_list(server, picture):
    return web.post(server.url + "/read", files={"picture": picture}, timeout=30)


# %% [markdown]
# The answers first: twenty cards at once, and between them a file that is no picture. It is refused where its
# type is checked, before the batch, so it costs nobody else the answer.

# %% tags=["nbval-check-output"]
mixed = [*pictures[:7], b"%PDF-1.7", *pictures[7:]]
with ThreadPoolExecutor(len(mixed)) as pool:
    answers = list(pool.map(lambda picture: ask_list(servers["batching on"], picture), mixed))
print("statuses:", *[answer.status_code for answer in answers])
digits = [answer.json()[0]["digits"] for answer in answers if answer.status_code == 200]
print("the same digits:", digits == [reading.digits for reading in readings])

# %% [markdown]
# Then the load, in turns, so that each meets the same machine.

# %%
from functools import partial

import numpy as np

rates = {name: [] for name in servers}
for _ in range(3 if FAST else 20):
    for name, server in servers.items():
        ask_it = partial(ask_list, server, pictures[0])
        load = closed_loop(lambda ask=ask_it: ask().raise_for_status(), users=16, requests=64)
        rates[name].append(load.throughput)
for name, per_second in rates.items():
    print(f"{name:13} {np.median(per_second):4.0f} requests/s")
ratios = [on / off for off, on in zip(*rates.values())]
print(f"batching on / off: {np.median(ratios):.2f} (turns: {', '.join(f'{ratio:.2f}' for ratio in ratios)})")

# %% [markdown]
# BentoML counts the sizes of its batches as a metric. So it is known whether batches form at all.

# %%
from prometheus_client.parser import text_string_to_metric_families

page = web.get(servers["batching on"].url + "/metrics").text
families = {family.name: family for family in text_string_to_metric_families(page)}
(sizes,) = (families[name] for name in families if name.endswith("adaptive_batch_size"))
up_to = {sample.labels["le"]: sample.value for sample in sizes.samples if sample.name.endswith("_bucket")}
print("batches of at most", *[f"{size}: {count:.0f}" for size, count in up_to.items()], sep=" | ")
for server in servers.values():
    server.stop()

# %% [markdown]
# On two shared cores the ratio scattered around 1. Below 1 collecting costs more than it saves. More is not
# to be expected here: on a processor sixteen cards in one call take about as long as sixteen calls, so only
# the work around the model gets less. It is on a GPU that batches pay.
#
# A batch has one answer for all if its code raises, which is why the picture is decoded in the check of
# types. The documented way, a service in front that asks a second one (`bentoml.depends`), was tried and is
# not used: with sixteen users every eighth request ended as a 500 (version 1.4.39, 22 November 2026),
# because BentoML renews its inner connection after a hundred requests and drops those under way.
#
# ## The bento
#
# `bentoml build` reads `bentofile.yaml`, imports the class, and writes the bento into its store. No container
# engine is needed.

# %% tags=["nbval-check-output"]
import subprocess

build = [station_python, "-m", "bentoml", "build", "--output", "tag", "--version", "v2"]
built = subprocess.run(
    build, cwd=packed, env=os.environ | settings, capture_output=True, text=True, check=True
)
print(built.stdout.strip().splitlines()[-1])
bento = store / "bentos" / "meter-reader" / "v2"
for path in sorted(bento.rglob("*")):
    if path.is_file() and "fsdl_deploy" not in path.parts:
        print(path.relative_to(bento).as_posix())

# %% [markdown]
# The Dockerfile is written too. These are the lines that decide what gets into the image.

# %% tags=["nbval-check-output"]
dockerfile = (bento / "env" / "docker" / "Dockerfile").read_text()
for line in dockerfile.replace("\\\n", " ").splitlines():
    if line.startswith(("FROM", "RUN apt", "RUN command", "RUN if [", "COPY", "USER", "ENTRYPOINT")):
        print(" ".join(line.split())[:105])
packages = (bento / "env" / "python" / "requirements.txt").read_text().split()
print("packages:", *packages)

# %% [markdown]
# The base image is the plain one of Python, so an engine that holds it needs no registry. But the next lines
# install: a compiler and git with `apt-get`, `uv` with `pip`, then the packages. So a build needs a network,
# and none is done in this notebook. `infra/docker/tool_images.py` builds the image from a bento like this
# one, runs it with the options of [Docker](docker.ipynb) that let it do no harm, and asks the twenty cards.
# This is its record:

# %% tags=["nbval-check-output"]
print(tools.recorded_image("bentoml"))

# %% [markdown]
# Half of the image is a compiler and git, which the service does not use when it runs. And where the file
# system cannot be written, BentoML ends at once, unless `BENTOML_HOME` names a place that can be. The parts,
# on this machine:

# %%
from fsdl_deploy.packaging.engine import find_engine

print(f"the bento: {mebibytes(bento):.1f} MiB")
print(f"the packages, as installed here: {station.mebibytes():.0f} MiB, with uv itself")
if engine := find_engine():
    print(tools.base_image(engine, "python:3.11-slim"))

# %% [markdown]
# A bento is also served as it is, by its name, as the container does. The contract lies in it as a file, so a
# client can be written before any server runs.

# %% tags=["nbval-check-output"]
import yaml

promised = yaml.safe_load((bento / "apis" / "openapi.yaml").read_text())
same = promised["components"]["schemas"].keys() == contract["components"]["schemas"].keys()
print("OpenAPI", promised["openapi"], "| the same schemas as the server's:", same)
print(yaml.safe_load((bento / "bento.yaml").read_text())["schema"]["routes"][0]["input"]["properties"])

# %% [markdown]
# ## The lecture's claims beside ours
#
# What the archive holds: our code, the weights, the names of the packages, and whether the packages
# themselves (their wheels) are in it.
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured or from a
# record that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

there = [path for path in bento.rglob("*") if path.is_file()]
measured = {"named": len(packages), "inside": sum(path.suffix == ".whl" for path in there)}
measured["code"] = any(path.name == "service.py" for path in there)
measured["weights"] = any(path.name == "v2.onnx" for path in there)
claims("04", measured, notebook="tools/bentoml")

# %% [markdown]
# ## When it fails
#
# *What is not named is not packed.* The class imports our package from the folder it stands in, and that
# works here. Take the package out of `include`, and the build is content all the same: the container would
# not be. (The patterns are those of `.gitignore`: `service.py` without its slash would also have matched a
# file of our package.)

# %% tags=["nbval-check-output"]
listed = (packed / "bentofile.yaml").read_text()
(packed / "bentofile.yaml").write_text(listed.replace('  - "fsdl_deploy/**/*.py"\n', ""))
build[-1] = "without"
forgotten = subprocess.run(build, cwd=packed, env=os.environ | settings, capture_output=True, text=True)
print("exit status of the build:", forgotten.returncode)
print("in the bento:", *sorted(path.name for path in (bento.parent / "without" / "src").iterdir()))

# %% [markdown]
# The packages are pinned, but not what they need in turn: `lock_packages` would ask a package index, and
# there is none here. So the image of next month may hold other versions than today's.

# %% tags=["nbval-check-output"]
named = (bento / "env" / "python" / "requirements.txt").read_text().split()
installed = subprocess.run(
    [station_python, "-c", "import importlib.metadata as m; print(len(list(m.distributions())) - 1)"],
    capture_output=True, text=True, check=True,
)  # fmt: skip
print(len(named), "packages are named, more than 50 get installed:", int(installed.stdout) > 50)
for server in (bento_server, ours):
    server.stop()
workplace.cleanup()
print(bento_server, ours)

# %% [markdown]
# - **It is heavier than what it wraps**: compare the start, the memory and the packages above with our own
#   service.
# - **`containerize` wants Docker** and a network at build time, for a compiler that no line of ours needs.

# %% [markdown]
# ## Questions
#
# **Question:** A client's team sends a higher threshold, and no more cards than before are marked `by_hand`.
# Every status is 200. What do you suspect, and how do you test it?
#
# <details><summary>Answer</summary>
# A misspelt field. BentoML ignores a field that it does not know and takes the default: look at <em>another
# field</em> in the table of bad requests. Let them send a threshold of <code>7</code>. With the right name
# that is a 400, with a wrong one it is a 200 again.
# </details>
#
# **Question:** `bentoml build` ends with exit status 0 on your build server. What has it shown, and which
# test do you add?
#
# <details><summary>Answer</summary>
# That it found something to copy. Nothing was imported from the bento: the build without our package ended
# with 0 as well. Serve the bento where our package is not installed, and ask it a card whose digits you
# know.
# </details>
#
# **Question:** An auditor wants last month's image built again, with the same versions of everything. What
# does the bento promise, and what not?
#
# <details><summary>Answer</summary>
# It keeps our code, the model, and the versions of the packages that it names. What those need in turn is
# chosen when the image is built, and so are the packages of <code>apt-get</code> and the image behind the tag
# <code>python:3.11-slim</code>. A lock with hashes and a base image named by its digest promise more. The
# surest way is to keep the built image.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Two files, no web code: the class says what goes in and out, the YAML file what is packed.
# - The answers are the reader's own. Checks, health, metrics and an OpenAPI contract come with it.
# - A bento is a folder with a version that holds code, model and Dockerfile: it can be stored, sent, looked
#   into and served without a container.
# - Adaptive batching is an argument of the decorator. Its latency is a promise, not a wait; measure on and
#   off.
# - Choose it where several teams serve Python models and none should write the web part again; not for one
#   small model where start-up and memory count.
#
# ## Where to go next
#
# - [Cog](cog.ipynb): the same reader, another tool with the same two components.
