# %% [markdown]
# # MLflow as Databricks serves it: from a run to an endpoint
#
# **Minutes:** 20 · **Prerequisites:** [Service](../03_service.ipynb) · **Truth:** runs
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
# - what a signature changes for the caller, and what it lets through
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
# logged: `v2` becomes the champion, with a signature and an example; `v1`, logged in a hurry, becomes the
# challenger, with neither.

# %%
program = (station.folder / "log_reader.py").read_text(encoding="utf-8")
Code(program[program.index("def signature") : program.index("def main")], language="python")

# %% [markdown]
# The signature says what we know: a column `picture` of texts goes in, three columns come out. The example
# is a card; with it MLflow tries the model before it keeps it.

# %%
from fsdl_deploy.cards import cards
from fsdl_deploy.managed.mlflow_serving import Tracking
from fsdl_deploy.picture import encode

deck = list(cards(200, seed=8))
(folder / "example.png").write_bytes(encode(deck[0].image))
tracking = running.enter_context(Tracking(folder))
versions = tracking.log(folder / "example.png", undescribed=["challenger"], champion="v2", challenger="v1")
print(tracking.server, versions)

# %% [markdown]
# What is in the folder of the champion? No weights: ours come with our package. `requirements.txt` names the
# libraries, as we listed them; our package is not among them, so whoever serves this must install it. On
# Databricks it would travel as a wheel, or with `code_paths`.

# %%
place = min(folder.rglob("MLmodel"), key=lambda path: path.stat().st_mtime).parent  # logged first
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
def served(server=champion):
    """Which version of the reader answers now."""
    answer = web.post(f"{server.url}/invocations", json={"inputs": {"picture": texts[:1]}})
    return answer.json()["predictions"][0]["model_version"]


before = served()
tracking.point("champion", versions["challenger"])
print(f"champion is version {tracking.behind('champion')} now;", f"served: {before}, then {served()}")

# %% [markdown]
# It does not: it read the alias when it started. On Databricks the configuration of an endpoint names a
# version, so it has to be updated, too. Here a second server does it: it starts now, and reads the alias as
# it is now. So two servers of one alias answer with two versions.

# %%
later = running.enter_context(tracking.serve("champion"))
tracking.point("champion", versions["champion"])
versions_served = {"started before": served(), "started after": served(later)}
print(versions_served)
assert list(versions_served.values()) == [before, "v1"] == ["v2", "v1"]

# %% [markdown]
# ## When it fails
#
# **A wrong schema.** The same requests go to the first server, whose model has a signature, and to the
# second, whose model has none.

# %%
requests = {
    "no picture": {"inputs": {"picture": ["bm8gcGljdHVyZQ=="]}},
    "a number": {"inputs": {"picture": [5]}},
    "another column": {"dataframe_split": {"columns": ["image"], "data": [[two[0]]]}},
    "a column too many": {"dataframe_split": {"columns": ["picture", "x"], "data": [[two[0], 1]]}},
    "a text, no list": {"inputs": {"picture": two[0]}},
    "the slide's data": {"data": two},
}
answers = {
    (name, server): web.post(f"{server.url}/invocations", json=body)
    for name, body in requests.items()
    for server in (champion, later)
}

# %% [markdown]
# 400 tells the client that it was wrong, a 500 blames the server. Beside each status stands how the message
# begins, or the reading.


# %% tags=["nbval-check-output"]
def heard(answer):
    """The status, and in a few words what the answer says."""
    document = answer.json()
    if answer.is_success:
        return f"200: {document['predictions'][0]['model_version']} reads it"
    words = (document["message"].rpartition("Error: ")[2] or document["message"]).split()
    return f"{answer.status_code}: {' '.join(words[:6])} …"


rows = [[name, *(heard(answers[name, server]) for server in (champion, later))] for name in requests]
Table(["request", "with a signature", "without one"], *rows)

# %% [markdown]
# Not one 500: MLflow answers 400 whatever `predict` raises. So the status does not say who was wrong. In
# *another column* without a signature it was our own code that failed, with a KeyError, and the client is
# blamed all the same. What the signature changes:
#
# - A column that is missing is named. Without a signature the caller reads of an *unexpected error*, and gets
#   a trace of our program on top.
# - What fits nearly is made to fit: one text becomes a column of one, a number becomes a text. That the text
#   is a picture only `predict` can find out.
# - A column too many is dropped without a word in both.
#
# Here is what the caller gets on top:

# %% tags=["nbval-check-output"]
blamed = answers["another column", later].json()
print(blamed["message"])
print("…", blamed["stack_trace"].strip().splitlines()[-1])
print("names our program:", "reader_model.py" in blamed["stack_trace"])
assert not any(answer.is_server_error for answer in answers.values())
assert "stack_trace" not in answers["another column", champion].json()

# %% [markdown]
# And with a signature? The message begins with the caller's own data. A card may hold what should not stand
# in a log.

# %%
named = " ".join(answers["another column", champion].json()["message"].split())
print(named[:60], "…", named[named.rfind("Error:") :])

# %% [markdown]
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
print(champion, later)

# %% [markdown]
# ## Questions
#
# **Question:** The new champion reads badly. You move the alias back, and the bad readings go on. Why, and
# what belongs in your instructions besides the alias?
#
# <details><summary>Answer</summary>
# The running servers read the alias when they started. Start them again, or on Databricks update the
# endpoint. Then ask each of them for one card: the answer names the version that read it.
# </details>
#
# **Question:** An autoscaler starts one more copy in the middle of the night. What can go wrong there that
# your two running servers do not show?
#
# <details><summary>Answer</summary>
# The tracking server may be away: the running copies go on, and the new one cannot start. Or the alias was
# moved in the meantime, and the new copy answers with another version than the others. An image that has the
# model's folder inside avoids both.
# </details>

# %% [markdown]
# ## Take-aways
#
# - An MLflow model is a folder: a file that says how to load it, and its requirements. Our own package is
#   not in it unless we put it there.
# - Log a signature and an example: then a wrong table is named, instead of our own lines being sent.
# - A signature knows columns and types; pictures are yours to check, with an `MlflowException`.
# - A 400 of MLflow's does not say that the client was wrong: count the errors of `predict` yourself.
# - Aliases are read at the start. Moving one deploys nothing.
#
# ## Where to go next
#
# - [MLflow's registry](mlflow_registry.ipynb): versions, aliases, lineage, and what it does not guard.
# - [Vertex AI](vertex.ipynb) and [Azure ML](azure_ml.ipynb): the same reader, as two other clouds want it.
