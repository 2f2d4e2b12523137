# %% [markdown]
# # Truss: a class, a config, and a rented machine
#
# **Minutes:** 20 · **Prerequisites:** [The model service](../03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility does not want to run machines for its models and asks what renting costs in work. Truss is the
# format in which one provider, Baseten, takes models. It is open, so we can look before we sign.
#
# ## You will learn
#
# - the two components of a packaging tool: a standard prediction class, and a YAML file
# - what Truss's server makes of the class, and what it costs in time and memory
# - what it does with bad input
# - what the container context holds, with which base image, packages and sizes
# - when to choose it

# %% [markdown]
# ## Where the model sits
#
# In the class, in the same process as Truss's server. Truss writes a **context**: a folder with our files,
# the server's own code and a Dockerfile. Whoever has the context can build the image; the provider does it
# for its customers.
#
# ```mermaid
# flowchart LR
#     config["config.yaml"] -. "truss image<br/>build-context" .-> context
#     context[("context:<br/>class, model,<br/>server, Dockerfile")]
#     context -.-> image
#     app["Application"] -- "POST /v1/models/model:predict" --> server
#     subgraph image ["Container"]
#         server["Truss's server"] --> wrapper["model.py: the class"] --> model(["the Reader"])
#     end
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
# file for the other dependencies. Here they are, all of them. The YAML file also says which machine to rent.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
station_python = ensure("truss")
station = stations.station("truss")
project = station.folder / "project"
figures.files(project / "model/model.py", project / "config.yaml")

# %% [markdown]
# A container holds nothing but what is copied into it. So our package and the model go beside the two files:
# Truss packs the folder `packages` and puts it on Python's path.

# %% tags=["nbval-check-output"]
import tempfile
from pathlib import Path

from fsdl_deploy.files import mebibytes
from fsdl_deploy.packaging import tools
from fsdl_deploy.packaging.build_context import tool_context

workplace = tempfile.TemporaryDirectory()  # removed in the last code cell
packed = tool_context("truss", Path(workplace.name) / "packed")
print(*sorted(path.relative_to(packed).as_posix() for path in packed.glob("*")))
print(*sorted(path.relative_to(packed).as_posix() for path in packed.glob("packages/*")))

# %% [markdown]
# ## The context
#
# One command, no container engine and no account. Truss would keep settings in the home folder and ask the
# internet for a newer Truss; a folder of its own with one setting prevents both.

# %% tags=["nbval-check-output"]
import os
import subprocess

from fsdl_deploy.running.no_reports import truss_settings

environ = os.environ | truss_settings(Path(workplace.name) / "settings")


def build_context(source, name):
    program = station_python.with_name("truss")
    context = Path(workplace.name) / name
    command = [program, "--non-interactive", "image", "build-context", context, source]
    subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    return context


context = build_context(packed, "context")
print(*sorted(path.name for path in context.iterdir()))

# %% [markdown]
# The lines of its Dockerfile that decide what gets into the image:


# %% tags=["nbval-check-output"]
def show_dockerfile(context):
    text = (context / "Dockerfile").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line.startswith(("FROM", "COPY", "USER", "ENTRYPOINT")) or "install" in line:
            print(" ".join(line.split())[:105])


show_dockerfile(context)

# %% [markdown]
# The base image is the provider's: it comes from a registry, and a machine without one cannot build this. The
# config can name another image. Then the Dockerfile installs what the provider's image had: a compiler, and
# the packages of the server.

# %% tags=["nbval-check-output"]
import shutil

other = Path(workplace.name) / "other"
shutil.copytree(packed, other)
with (other / "config.yaml").open("a") as config:
    config.write("base_image:\n  image: python:3.11-slim\n")
plain = build_context(other, "plain")
before, after = ((folder / "Dockerfile").read_text().splitlines() for folder in (context, plain))
print(len(before), "lines, then", len(after), "lines. New are:")
print(*(line.strip()[:105] for line in after if line.strip() and line not in before), sep="\n")

# %% [markdown]
# With that an engine that holds Python's image needs no registry, but still a network: `curl` fetches the
# installer `uv`, which then installs the packages. So nothing is built in this notebook.
# `infra/docker/tool_images.py` builds the image, runs it with the options of [Docker](docker.ipynb) that let
# it do no harm, and asks the twenty cards. It does not build what the provider builds: the base image is
# Python's, and has `uv` from the package index, because the provider's image and the installer's site could
# not be reached. This is its record:

# %% tags=["nbval-check-output"]
print(tools.recorded_image("truss"))

# %% [markdown]
# Half of the image is a compiler, git and curl, which the service does not use when it runs. As it is, the
# container runs as root and makes the folder `data` beside its code; to run safely it was told another user,
# another home, and scratch space for that folder. The parts, on this machine:

# %%
from fsdl_deploy.packaging.engine import find_engine

twice = mebibytes(context / "build_hash")
print(f"the context: {mebibytes(context):.1f} MiB, of which {twice:.1f} MiB is a copy of all the rest")
print(f"the packages, as installed here: {station.mebibytes():.0f} MiB, with Truss's command line")
if engine := find_engine():
    tags = {tag for image in engine.api.images() for tag in image["RepoTags"] or ()}
    for lines in (before, after):
        base = next(line.split()[1] for line in lines if line.startswith("FROM"))
        print(base, "is here" if base in tags else "is not here")

# %% [markdown]
# Our three packages are the small part: the server brings its own list.

# %% tags=["nbval-check-output"]
import re

lines = (context / "requirements.txt").read_text().splitlines()
named = [re.match(r"[\w-]+", line)[0] for line in lines if re.match(r"\w", line)]
print(len(named), "packages, of which we named the last three:")
print(*named)

# %% [markdown]
# ## The server
#
# Its code lies in the context, so it runs without the container. `local.py` starts it, and changes its
# address only: the server listens on every network interface and has no option for that.

# %%
from fsdl_deploy import Server, course_server

command = [station_python, station.folder / "local.py", context, "{port}"]
truss_server = Server(command, ready="/v1/models/model", name="Truss").start()
print(truss_server)

# %% [markdown]
# A request is JSON, and a picture in it is base64. The types of `predict` are the contract, and the server
# tells it.

# %% tags=["nbval-check-output"]
import base64

import httpx2

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import decode, encode

web = httpx2.Client(timeout=30)
deck = list(cards(20, seed=4))
texts = [base64.b64encode(encode(card.image)).decode() for card in deck]


def ask(**question):
    return web.post(truss_server.url + "/v1/models/model:predict", json=question)


first = ask(picture=texts[0]).json()
print(*first, "|", first["digits"], "truth", deck[0].truth)
schema = web.get(truss_server.url + "/v1/models/model/schema").json()["input_schema"]
print(schema["required"], schema["properties"]["threshold"])

# %% [markdown]
# Are its answers the reader's own? Twenty cards, once through Truss and once through the reader here. The
# confidence is compared to float32 rounding: Truss reads each card alone, here they are read together.

# %% tags=["nbval-check-output"]
from fsdl_deploy import OnnxReader
from fsdl_deploy.measuring.accuracy import same_reader

reader = OnnxReader()
readings = reader.read([card.image for card in deck])
answers = [ask(picture=text).json() for text in texts]
print(same_reader(answers, readings))

# %% [markdown]
# ## Bad input
#
# `model.py` says that the threshold lies from 0 to 1, and raises an HTTP error for no picture. Ask
# for 7, for a word, without a picture, and so on.

# %% tags=["nbval-check-output"]
from fsdl_deploy.measuring.table import Table

bad = {
    "threshold 7": {"picture": texts[0], "threshold": 7},
    "threshold 'x'": {"picture": texts[0], "threshold": "x"},
    "no picture": {},
    "another field": {"picture": texts[0], "colour": "red"},
    "not a picture": {"picture": base64.b64encode(b"%PDF-1.7").decode()},
    "not base64": {"picture": "%%%"},
}
rows = []
for name, question in bad.items():
    answer = ask(**question)
    why = " ".join(answer.text.split()) if answer.is_error else ""
    rows.append([name, answer.status_code, why[:85]])
Table(["request", "status", "reason"], *rows)

# %% [markdown]
# The bound is enforced, and each fault of the caller is a 4xx. An unknown field is ignored without a word, so
# a misspelt `treshold` means `0.5`. An exception that is no HTTP error would be a 500 that gives no reason,
# which is why `model.py` turns the reader's error into one.
#
# ## What does it cost?
#
# The same cards, three ways in turns: the reader in this process, our own service, and Truss. All three start
# from the bytes of the file; both services get them as base64 in JSON.

# %%
ours = course_server("serve", name="our service").start()


def ask_ours(text):
    answer = web.post(ours.url + "/read", json={"pictures": [text]})
    return answer.json()["readings"][0]["digits"]


ways = {
    "the reader itself": lambda text: reader.read([decode(base64.b64decode(text))])[0].digits,
    "our service": ask_ours,
    "Truss": lambda text: ask(picture=text).json()["digits"],
}

# %% [markdown]
# Each round asks all three for each card, so that each meets the same machine.

# %%
times = tools.times_in_turns(ways, texts, rounds=4 if FAST else 40)
tools.show_times(times)

# %% [markdown]
# In numbers, by the median, with the memory that each server takes. The ratio is what carries over to another
# machine; the milliseconds are this machine's, now.

# %%
print(tools.costs(times, servers=[truss_server, ours]))

# %% [markdown]
# ## The lecture's claims beside ours
#
# The slide wraps a live object: `truss.mk_truss(rfc, …)`, with `rfc` a forest that was trained a line
# before. Is that function still in the package? And of which kinds are our files?
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured or from a
# record that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

ask_truss = "import truss; print(hasattr(truss, 'mk_truss'))"
words = [station_python, "-c", ask_truss]
answer = subprocess.run(words, env=environ, capture_output=True, text=True, check=True)
measured = {"mk_truss": answer.stdout.strip() == "True"}
measured["asked"] = len(answers)
measured["same"] = sum(a["digits"] == r.digits for a, r in zip(answers, readings, strict=True))
measured["written"] = sorted(path.suffix for path in project.rglob("*") if path.is_file())
claims("04", measured, notebook="tools/truss")

# %% [markdown]
# ## When it fails
#
# *One at a time.* The config's `predict_concurrency` is 1 unless it says more: other users wait. Here one
# user asks, then four at once.

# %%
from fsdl_deploy import closed_loop

rows = []
for users in (1, 4):
    load = closed_loop(lambda: ask(picture=texts[0]).raise_for_status(), users=users, requests=40 * users)
    rows.append([users, load.throughput, load.p50, load.errors])
Table(["users", "requests/s", "median (ms)", "errors"], *rows, formats=["", ".0f", ".0f"])

# %% [markdown]
# *Trying it without the server tries something else.* Truss's Python package can load the folder and call the
# class in this process, for a quick look. But it hands over what it gets: nothing parses the question.

# %% tags=["nbval-check-output"]
quick = """
import sys, truss
model = truss.load(sys.argv[1])
try:
    model.predict({"picture": "", "threshold": 7})
except Exception as error:
    print(type(error).__name__, error)
"""
tried = subprocess.run(
    [station_python, "-c", quick, packed], env=environ, capture_output=True, text=True, check=True
)
print(tried.stdout)

# %% [markdown]
# Both servers and the folders go.

# %% tags=["nbval-check-output"]
for server in (truss_server, ours):
    server.stop()
workplace.cleanup()
print(truss_server, ours)

# %% [markdown]
# - **The default image is the provider's.** Whoever wants to build without it says so in the config.
# - **The server's packages rule ours.** It bounds the versions of its web framework and of NumPy, and ours
#   must fit between: this is why Truss has an environment of its own here.
# - **It listens everywhere.** In a container that is right; outside of one it opens the machine.

# %% [markdown]
# ## Questions
#
# **Question:** Your contract with the provider ends. What of this notebook do you take along, and what must
# you replace?
#
# <details><summary>Answer</summary>
# You take the context: class, model, server and Dockerfile. You replace the base image, which is the
# provider's, and the machine: the lines on resources ask for one, and somebody else must now grant it. The
# record shows what another base image costs in size.
# </details>
#
# **Question:** Four users wait for each other, so you raise `predict_concurrency`. What do you measure before
# and after, on which machine?
#
# <details><summary>Answer</summary>
# Requests per second, the median and the memory, with one and with four users, on a machine like the rented
# one. The config asks for one core. On one core four readings at once share it, so each may take longer and
# the total gain little.
# </details>
#
# **Question:** Your tests load the folder with Truss's Python package and call the class. Which faults do
# they miss?
#
# <details><summary>Answer</summary>
# All that the server does: making the question out of JSON, its bounds, the status of an error. Called
# directly, the class even gets another type than it gets from the server. Start the server in the test, as
# this notebook does, and ask it over HTTP.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Two files, no web code: the class says what goes in and out, the YAML file what is installed, and on which
#   machine it shall run.
# - The answers are the reader's own. Types are enforced by the server, and by the server only.
# - The context is complete: class, model, server, Dockerfile. It can be read, kept and built by anyone.
# - Choose it where the models will run at this provider, or to move there or away with little work. Without
#   the provider, it gives little that our own service does not have.
#
# ## Where to go next
#
# - [Cog](cog.ipynb) and [BentoML](bentoml.ipynb): the same reader, with the same two components.
