# %% [markdown]
# # MLflow as Databricks serves it: from a run to an endpoint
#
# **Minutes:** 15 · **Prerequisites:** [Service](../03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility's analysts work on Databricks. There a model is deployed if it is an *MLflow model*: it is
# logged once, gets an alias, and an endpoint serves it. What is such a model, what does its endpoint want to
# be asked, and what is left to us?
#
# ## You will learn
#
# - to log our reader as an MLflow model, with a **signature** and an input example, at a tracking server
# - to serve what an alias means, and to ask it in each of the forms that it takes
# - what a signature catches, what it lets through, and what happens without one
# - what a running server notices of a moved alias, and of a tracking server that is gone
# - which part is Databricks', and cannot be tried at home
#
# It runs on Linux; MLflow is made for macOS and Windows, too, where this notebook has not been tried.

# %% [markdown]
# ## Where the model sits
#
# In a server that MLflow starts around a folder of files, which the tracking server keeps. Databricks runs
# both; the dashed part is theirs, and it is missing here.
#
# ```mermaid
# flowchart LR
#     log["log_reader.py"] -- "run, files" --> tracking["tracking server<br/>and registry"]
#     tracking -- "models:/meter-reader@champion" --> server
#     client["any HTTP client"] --> server
#     client -.-> door["Databricks: HTTPS, tokens,<br/>traffic, scaling"]
#     door -.-> server
#     subgraph server ["mlflow models serve"]
#         check["signature"] --> model(["predict:<br/>the Reader"])
#     end
#     style model fill:#d55e00,color:#fff
#     style door stroke-dasharray: 5 5
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## A class with two methods
#
# MLflow knows many libraries; a scikit-learn model needs one call. Our reader is none of these, so it becomes
# a `PythonModel`: `load_context` once, then `predict` with a table. This is all of ours.

# %%
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations

ensure("mlflow")
station, running = stations.station("mlflow"), ExitStack()  # the last cell ends what it holds
folder = Path(running.enter_context(TemporaryDirectory()))
program = (station.folder / "reader_model.py").read_text(encoding="utf-8")
Code(program[program.index("class MeterReader") :], language="python")

# %% [markdown]
# ## Logged
#
# The tracking server is where runs, models and aliases are kept, on Databricks as here. Two readers are
# logged with a signature: `v2` becomes the champion, `v1` the challenger. A third, `v2` again, is logged
# without one, for *When it fails*.

# %%
program = (station.folder / "log_reader.py").read_text(encoding="utf-8")
Code(program[program.index("def signature") : program.index("def main")], language="python")

# %% [markdown]
# The signature is three lines of our knowledge: a column `picture` of texts goes in. The example is a card;
# with it MLflow tries the model before it keeps it.

# %%
from fsdl_deploy.cards import cards
from fsdl_deploy.managed.mlflow_serving import Tracking
from fsdl_deploy.picture import encode

deck = list(cards(200, seed=8))
(folder / "example.png").write_bytes(encode(deck[0].image))
tracking = running.enter_context(Tracking(folder))
versions = tracking.log(folder / "example.png", champion="v2", challenger="v1", undescribed="v2")
print(tracking.server, versions)

# %% [markdown]
# What is in the folder of the champion? No weights: ours come with our package. `requirements.txt` names the
# libraries, as we listed them; our package is not among them, so whoever serves this must install it. On
# Databricks it would travel as a wheel, or with `code_paths`.

# %%
place = min(folder.rglob("MLmodel"), key=lambda path: path.stat().st_mtime).parent
for file in sorted(place.iterdir()):
    print(f"{file.stat().st_size:7,} bytes  {file.name}")
print((place / "requirements.txt").read_text(encoding="utf-8"))

# %% [markdown]
# ## Served
#
# `mlflow models serve` gets the alias, fetches the folder and starts a web server around it. With
# `--env-manager local` it uses the packages that are here; Databricks builds an image from
# `requirements.txt` instead.

# %%
from time import perf_counter

begin = perf_counter()
champion = running.enter_context(tracking.serve("champion"))
print(f"{champion}, ready after {perf_counter() - begin:.0f} s")
print(" ".join(champion.command[1:]))

# %% [markdown]
# Four names under which a JSON body may have its rows, and CSV. `dataframe_split` is what Databricks'
# documents show first; `instances` is Google's name, `inputs` TensorFlow's.

# %%
import base64

import httpx2

from fsdl_deploy.measuring.table import Table

web = running.enter_context(httpx2.Client(base_url=champion.url, timeout=60, trust_env=False))
texts = [base64.b64encode(encode(card.image)).decode() for card in deck]
two, rows = texts[:2], [{"picture": text} for text in texts[:2]]
forms = {
    "dataframe_split": {"columns": ["picture"], "data": [[text] for text in two]},
    "dataframe_records": rows,
    "instances": rows,
    "inputs": {"picture": two},
}
answers = {name: web.post("/invocations", json={name: body}) for name, body in forms.items()}

# %% [markdown]
# And CSV, which says so in its `Content-Type`. The answer is the same each time.

# %% tags=["nbval-check-output"]
csv = "\n".join(["picture", *two])
answers["CSV"] = web.post("/invocations", content=csv, headers={"Content-Type": "text/csv"})
lines = []
for name, answer in answers.items():
    lines.append(
        [name, answer.status_code, *(answer_row["digits"] for answer_row in answer.json()["predictions"])]
    )
Table(["form", "status", "first card", "second card"], *lines)

# %% [markdown]
# Is it our reader? Two hundred cards in one request, compared with the reader in this process: digits and
# confidence, to the last bit.

# %% tags=["nbval-check-output"]
from fsdl_deploy import OnnxReader

split = {"columns": ["picture"], "data": [[text] for text in texts]}
predictions = web.post("/invocations", json={"dataframe_split": split}).json()["predictions"]
readings = OnnxReader().read([card.image for card in deck])
same = sum(
    (answer_row["digits"], answer_row["confidence"]) == (reading.digits, reading.confidence)
    for answer_row, reading in zip(predictions, readings, strict=True)
)
print(f"{same} of {len(deck)} answers are the reader's own")
assert same == len(deck)

# %% [markdown]
# ## What it costs
#
# One card a request, in turns with our own service, so that both meet the same machine.

# %%
import numpy as np

from fsdl_deploy import course_server

ours = running.enter_context(course_server("serve", name="our service"))
asked = {champion.name: (champion.url + "/invocations", {"inputs": {"picture": texts[:1]}})}
asked[ours.name] = (ours.url + "/read", {"pictures": texts[:1]})
spent = {name: [] for name in asked}
for _ in range(40 if FAST else 400):
    for name, (url, body) in asked.items():
        begin = perf_counter()
        web.post(url, json=body).raise_for_status()
        spent[name].append(1000 * (perf_counter() - begin))

# %% [markdown]
# What MLflow adds to the reader is a table that pandas makes of each request, and the check of its columns.

# %%
lines = [
    [server.name, float(np.median(spent[server.name])), server.memory() / 2**20]
    for server in (champion, ours)
]
Table(["server", "median ms", "MiB of memory"], *lines, formats=["", ".1f", ".0f"])

# %% [markdown]
# ## Champion and challenger
#
# The alias is moved with one request, as in [MLflow's registry](mlflow_registry.ipynb). Does the server
# that runs notice?


# %%
def served():
    """Which version of the reader answers now."""
    answer = web.post("/invocations", json={"inputs": {"picture": texts[:1]}})
    return answer.json()["predictions"][0]["model_version"]


before = served()
tracking.point("champion", versions["challenger"])
print(f"champion is version {tracking.behind('champion')} now;", f"served: {before}, then {served()}")

# %% [markdown]
# It does not: it read the alias when it started. On Databricks the configuration of an endpoint names a
# version, so it has to be updated, too. Here a restart does it:

# %%
champion.stop()
champion.start()
after = served()
tracking.point("champion", versions["champion"])
print(f"after a restart: {after}")
assert (before, after) == ("v2", "v1")

# %% [markdown]
# ## When it fails
#
# **A wrong schema.** The same mistakes go to the server with a signature and to the one without.

# %%
undescribed = running.enter_context(tracking.serve("undescribed"))
wrong = {
    "another column": {"dataframe_split": {"columns": ["image"], "data": [[two[0]]]}},
    "a column too many": {"dataframe_split": {"columns": ["picture", "x"], "data": [[two[0], 1]]}},
    "a number": {"inputs": {"picture": [5]}},
    "no picture": {"inputs": {"picture": ["bm8gcGljdHVyZQ=="]}},
    "no table": {"inputs": [1]},
    "the slide's data": {"data": two},
}
statuses = {
    server.name: [web.post(f"{server.url}/invocations", json=body).status_code for body in wrong.values()]
    for server in (champion, undescribed)
}

# %% [markdown]
# 400 tells the client that it was wrong. A 500 blames the server, and a client may try again.

# %% tags=["nbval-check-output"]
names = {"champion": "signature", "undescribed": "none"}
Table(["mistake", *names.values()], *zip(wrong, *(statuses[name] for name in names)))

# %% [markdown]
# And in words: what does the caller read? It begins with the caller's own data. A card may hold what should
# not stand in a log.

# %%
for name in ("another column", "no picture", "the slide's data"):
    answer = web.post("/invocations", json=wrong[name])
    words = " ".join(answer.json()["message"].split())
    print(f"{name}: {words[:60]} … {words[words.find('Error:') :][:90] if 'Error:' in words else ''}")

# %% [markdown]
# The signature catches a column that is missing. It lets a number pass for a text, and drops a column too
# many without a word. That the text is a picture only `predict` can find out; there an `MlflowException`
# becomes a 400.
#
# **The tracking server is gone.** The model server has all that it needs. A new one cannot start: the alias
# has nobody to ask.

# %%
from fsdl_deploy import Server
from fsdl_deploy.managed.mlflow_serving import TrackingError

tracking.server.kill()
print("served:", served())
try:
    tracking.behind("champion")
except TrackingError as error:
    print(str(error)[:60])
print(isinstance(champion, Server) and champion)

# %% [markdown]
# So an autoscaler that starts copies needs the tracking server, or the folder in its image
# (`mlflow models build-docker`).
#
# **What stays Databricks'.** Nothing above needed an account, so nothing above says how these behave:
#
# | part | what it does | in this notebook |
# |---|---|---|
# | endpoint | an address with TLS, tokens, limits on a body and on time | loopback |
# | served entities | versions behind one endpoint, each with a share of the traffic | one server an alias |
# | scaling | copies by concurrency, down to none | one process |
# | image | built from `requirements.txt` | the station's packages |
# | inference tables | requests and answers, kept as a table | the log |
# | Unity Catalog | who may read and deploy which model | a SQLite file |
# | price | units of compute by the hour | your laptop |

# %%
running.close()
print(champion, undescribed)

# %% [markdown]
# ## Take-aways
#
# - An MLflow model is a folder: a file that says how to load it, and its requirements. Our own package is
#   not in it unless we put it there.
# - Log a signature and an example. Without them mistakes of the client become mistakes of the server.
# - A signature knows columns and types; pictures are yours to check, with an `MlflowException`.
# - Aliases are read at the start. Moving one deploys nothing.
#
# ## Where to go next
#
# - [MLflow's registry](mlflow_registry.ipynb): versions, aliases, lineage, and what it does not guard.
# - [Vertex AI](vertex.ipynb) and [Azure ML](azure_ml.ipynb): the same reader, as two other clouds want it.
