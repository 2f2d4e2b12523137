# %% [markdown]
# # Cog: a class and a YAML file
#
# **Minutes:** 20 · **Prerequisites:** [The model service](../03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# The team that trains our models has never written a web server or a Dockerfile, and does not want to. It
# will write one class. Something else shall make a service of it, the same for every model.
#
# ## You will learn
#
# - the two components of a packaging tool: a standard prediction class, and a YAML file
# - what Cog's server makes of the class, and what it costs in time and memory
# - what it does with bad input, with and without the schema that its builder writes
# - what its container must hold, and what of that this machine can make
# - when to choose it

# %% [markdown]
# ## Where the model sits
#
# In the class, which runs in a worker process. Before it stands Cog's own server, which is written in Rust.
# `cog build` reads the YAML file and puts all of it into a container image.
#
# ```mermaid
# flowchart LR
#     app["Application"] -- "POST /predictions" --> server
#     subgraph image ["Container image"]
#         server["Cog's server"] --> runner
#         subgraph worker ["Worker process"]
#             runner["run.py: the class"] --> model(["the Reader"])
#         end
#     end
#     yaml["cog.yaml"] -. "cog build" .-> image
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
# file for the other dependencies. Here they are, all of them. (Cog's older name for the class is
# `BasePredictor` with `predict`; it still works, and warns.)

# %%
from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
station_python = ensure("cog")
station = stations.station("cog")
project = station.folder / "project"
figures.files(project / "run.py", project / "cog.yaml")

# %% [markdown]
# A container holds nothing but what is copied into it. So our package and the model go into one folder with
# the two files: this folder is what would be packed, and what is served below.

# %% tags=["nbval-check-output"]
import tempfile
from pathlib import Path

from fsdl_deploy.files import mebibytes
from fsdl_deploy.packaging import tools
from fsdl_deploy.packaging.build_context import tool_context

workplace = tempfile.TemporaryDirectory()  # removed in the last code cell
packed = tool_context("cog", Path(workplace.name) / "packed")
print(*sorted(path.name for path in packed.iterdir()))

# %% [markdown]
# ## The server
#
# Cog's server takes its settings from variables. The worker is whatever `python` stands first on the path.
# It says `READY` on `/health-check` when `setup` is done; until then it answers too, so we look at the word.

# %%
import os

import httpx2

from fsdl_deploy import Server, course_server

web = httpx2.Client(timeout=30)
settings = {
    "PORT": "{port}",
    "COG_PREDICT_TYPE_STUB": "run.py:Runner",
    "PATH": f"{station_python.parent}{os.pathsep}{os.environ['PATH']}",
}


def is_ready(server):
    return web.get(server.url + "/health-check").json()["status"] == "READY"


command = [station_python, "-m", "cog.server.http", "--host", "127.0.0.1"]
cog = {"ready": is_ready, "env": settings, "cwd": packed, "name": "Cog"}
over_cog = Server(command, **cog).start()
print(over_cog)

# %% [markdown]
# Twenty cards as the bytes of picture files. In a request a file is a *data URI*: base64 with a few words
# before it. Cog stores it, and `run` gets its path.

# %%
import base64

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import decode, encode

deck = list(cards(20, seed=4))
pictures = [encode(card.image) for card in deck]


def data_uri(picture):
    return "data:image/png;base64," + base64.b64encode(picture).decode()


# %% [markdown]
# One request carries the named arguments of `run`. The worker takes one request at a time, and the server
# refuses any other with 409. Even who asks one after the other meets that now and then, because the worker is
# free a moment after the answer has left: so ask again.

# %% tags=["nbval-check-output"]
import json

request_ids, too_early = [], []


def ask(fields, server=over_cog):
    while (answer := web.post(server.url + "/predictions", json={"input": fields})).status_code == 409:
        too_early.append(server)
    request_ids.extend(answer.json()["id"] for _ in range(answer.status_code == 200))
    return answer


first = ask({"picture": data_uri(pictures[0])}).json()
print(*first)
print(first["status"], first["output"]["digits"], "truth", deck[0].truth)

# %% [markdown]
# Are its answers the reader's own? Twenty cards, once through Cog and once through the reader here. The
# confidence is compared to float32 rounding: Cog reads each card alone, here they are read together.

# %% tags=["nbval-check-output"]
from fsdl_deploy import OnnxReader
from fsdl_deploy.measuring.accuracy import same_reader

reader = OnnxReader()
readings = reader.read([card.image for card in deck])
answers = [ask({"picture": data_uri(picture)}).json()["output"] for picture in pictures]
print(same_reader(answers, readings))

# %% [markdown]
# ## Bad input
#
# `run.py` says that the threshold lies from 0 to 1. Ask for 7, for a word, without a picture, and so on.

# %%
good = {"picture": data_uri(pictures[0])}
bad = {
    "threshold 7": good | {"threshold": 7},
    "threshold 'x'": good | {"threshold": "x"},
    "no picture": {},
    "another field": good | {"colour": "red"},
    "not a picture": {"picture": data_uri(b"%PDF-1.7")},
}

# %% [markdown]
# For each: the HTTP status, the `status` in the body, and the reason that it gives.


# %% tags=["nbval-check-output"]
from fsdl_deploy.measuring.table import Table


def ask_bad(server):
    rows = []
    for name, fields in bad.items():
        answer = ask(fields, server)
        body = answer.json()
        why = body.get("error", "").rpartition("failed: ")[2] or body.get("detail", [{}])[0].get("msg", "")
        rows.append([name, answer.status_code, body.get("status", "refused"), why[:70]])
    return Table(["request", "HTTP status", "status", "reason"], *rows)


ask_bad(over_cog)

# %% [markdown]
# The bound was *not* enforced: a threshold of 7 succeeded, and every card would go to a person. And what went
# wrong is still a 200: who calls must look at `status`, not only at the HTTP status. Cog's log says why.

# %%
warnings = [json.loads(line) for line in over_cog.log().splitlines() if '"WARN"' in line]
print(warnings[0]["fields"]["message"])

# %% [markdown]
# That schema is made by `cog build` from the class, without running it. The Python package does not hold the
# builder. So here is the part of a schema that is used for checking, written by hand after `run.py`.

# %% tags=["nbval-check-output"]
schema = json.loads((packed / "openapi_schema.json").read_text())
for name, about in schema["components"]["schemas"]["Input"]["properties"].items():
    print(name, {key: value for key, value in about.items() if key not in ("title", "x-order")})
(packed / ".cog").mkdir()
(packed / ".cog" / "openapi_schema.json").write_text(json.dumps(schema))
with_schema = Server(command, **cog).start()
ask_bad(with_schema)

# %% [markdown]
# Now a wrong argument is a 422 that names the fault, before the worker hears of it. An unknown field is
# dropped with a line in the log. A picture that is none is found only in `run`, and stays a 200 that failed.
#
# ## What does it cost?
#
# The same cards, three ways in turns: the reader in this process, our own service, and Cog. All three start
# from the bytes of the file; both services get them as base64 in JSON.

# %%
ours = course_server("serve", name="our service").start()


def ask_ours(picture):
    body = {"pictures": [base64.b64encode(picture).decode()]}
    return web.post(ours.url + "/read", json=body).json()["readings"][0]["digits"]


ways = {
    "the reader itself": lambda picture: reader.read([decode(picture)])[0].digits,
    "our service": ask_ours,
    "Cog": lambda picture: ask({"picture": data_uri(picture)}, with_schema).json()["output"]["digits"],
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
print(tools.costs(times, servers=[with_schema, ours]))

# %% [markdown]
# ## The container
#
# `cog build` is a program of its own (written in Go), which is not in the Python package. Nor is a schema to
# check `cog.yaml` with. What can be checked is that its last line names a class that Cog's own loader takes.

# %% tags=["nbval-check-output"]
import subprocess

import yaml

named = yaml.safe_load((packed / "cog.yaml").read_text())
print(named)
load = "import sys; from cog.predictor import load_predictor_from_ref as load; print(load(sys.argv[1]))"
environ = os.environ | {"PYTHONPATH": str(packed)}
loaded = subprocess.run(
    [station_python, "-c", load, named["run"]],
    cwd=packed, env=environ, capture_output=True, text=True, check=True,
)  # fmt: skip
print(loaded.stdout.split()[0].strip("<"))
builder = station_python.with_name("cog")
print("the builder `cog` is in the environment:", builder.exists())

# %% [markdown]
# This is what a Dockerfile must do in its place: choose a base image, install what `cog.yaml` names and Cog
# itself, copy the folder, put the schema where the server looks for it, and set the variables of above.

# %%
Code(filename=packed / "Dockerfile")

# %% [markdown]
# Its base image is the plain one of Python, so no vendor's registry is needed; but the `RUN` line needs a
# package index, so nothing is built in this notebook. `infra/docker/tool_images.py` builds the image from
# this folder, runs it with the options of [Docker](docker.ipynb) that let it do no harm, and asks the twenty
# cards. This is its record:

# %% tags=["nbval-check-output"]
print(tools.recorded_image("cog"))

# %% [markdown]
# The packages weigh as much as the system below them, the reader next to nothing. The container needs no
# rights and no disk: its worker writes to the scratch space only. The parts, on this machine:

# %%
from fsdl_deploy.packaging.engine import find_engine

print(f"the folder that is copied: {mebibytes(packed):.1f} MiB")
print(f"the packages, as installed here: {station.mebibytes():.0f} MiB")
if engine := find_engine():
    print(tools.base_image(engine, "python:3.11-slim"))

# %% [markdown]
# ## The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured or from a
# record that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("04", {}, notebook="tools/cog")

# %% [markdown]
# ## When it fails
#
# One request at a time, and no queue: a second user is not slow, he is refused. Four users ask at once,
# without asking again. (A runner whose `run` is `async` may take several; the model would not be faster.)

# %%
from fsdl_deploy import closed_loop


def ask_once():
    answer = web.post(with_schema.url + "/predictions", json={"input": good})
    request_ids.extend(answer.json()["id"] for _ in range(answer.status_code == 200))
    answer.raise_for_status()


alone = len(request_ids)
load = closed_loop(ask_once, users=4, requests=80)
print(f"one user, one after the other: {len(too_early)} requests of {alone + len(too_early)} came too early")
print(f"four users: {load.errors} of {load.requests} were refused")
print(*load.problems)

# %% [markdown]
# Each request leaves a folder behind, empty, in a place that Cog has fixed. In a container that lives for
# months and answers millions of times, somebody has to remove them.

# %% tags=["nbval-check-output"]
import shutil

for server in (over_cog, with_schema, ours):
    server.stop()
predictions = Path(os.sep, "tmp", "coglet", "predictions")
leftovers = [predictions / name for name in request_ids if (predictions / name).exists()]
print("a folder is left of every request:", len(leftovers) == len(request_ids))
for folder in leftovers:
    shutil.rmtree(folder)
workplace.cleanup()
print(over_cog, with_schema, ours)

# %% [markdown]
# - **Outside its own image it is half a tool.** Without the schema the bounds of the class are words.
# - **A failed prediction is a 200.** Dashboards that count HTTP errors will see none.
# - **The builder wants Docker**, and base images from a registry: no network, no image.

# %% [markdown]
# ## Questions
#
# **Question:** Somebody copies the Dockerfile and forgets the line with the schema. The image starts and
# reads your twenty test cards correctly. Which request would have shown the mistake?
#
# <details><summary>Answer</summary>
# One that must be refused, such as a threshold of 7. The schema only decides what is turned away, so good
# requests are answered the same without it. Test a service with input that it must reject, too.
# </details>
#
# **Question:** Many users are refused with 409. A colleague's cure is the loop inside `ask`: send the request
# again at once, until it is taken. Why is that a poor cure with many users?
#
# <details><summary>Answer</summary>
# The server then spends its time on refusals, and luck decides whose turn comes next, not the order in which
# users came. It works here because one user asks. With many, put a queue with a limit before the server, or
# let clients wait longer after each refusal.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Two files, no web code: the class says what goes in and out, the YAML file what is installed.
# - The answers are the reader's own. The hop to the worker process and the file cost about what our own
#   service costs: compare the curves above.
# - Check that the schema is in the image, and that callers look at `status`.
# - Choose it for large models that take seconds a request and run one at a time, above all where the images
#   will run at its maker's service, or where a team shall be kept out of Docker. A reader that takes
#   milliseconds and has many users needs a queue before it, as our own service has.
#
# ## Where to go next
#
# - [The model service](../03_service.ipynb): what our own service does with bad input and many users.
