# %% [markdown]
# # MLflow's registry: which model is the champion, and where it came from
#
# **Minutes:** 15 · **Prerequisites:** [Packaging](../04_packaging.ipynb) · **Truth:** runs
#
# ## The need
#
# There are `v1`, `v2` and `v3-bad`, as files with names. Which of them answers today, who decided so, and on
# what figures? When a customer complains in a year, somebody must find the file that read the card.
#
# ## You will learn
#
# - what a **model registry** keeps: versions, where each came from, and names that move
# - to promote a model and to roll it back by moving an *alias*
# - to follow a model from its name to the run, its figures and the bytes of its file
# - what a registry does not guard: two who promote at once, a changed file, a deleted champion
#
# It runs on Linux, macOS and Windows alike: MLflow's client and a SQLite file, no server. Databricks has the
# same registry as a service, with the same calls.

# %% [markdown]
# ## Where the model sits
#
# In a file beside the registry. Programs ask for an alias and get the file behind it.
#
# ```mermaid
# flowchart LR
#     run["run:<br/>recipe, figures"] --> version["version 2"]
#     file(["v2.onnx"]) --> version
#     champion(("champion")) --> version
#     challenger(("challenger")) -.-> other["version 3"]
#     service["Reader"] -- "who is champion?" --> champion
#     style file fill:#d55e00,color:#fff
# ```
#
# `FAST` has no influence here: nothing is measured over time.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The registry
#
# MLflow lives in a station of its own. Of all that it has this notebook uses the client and a SQLite file. It
# talks with a small program there; each command is one of its functions, which are shown below. The first
# start makes the database's tables, and takes some seconds.

# %%
from contextlib import ExitStack
from tempfile import TemporaryDirectory

from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy.delivery.model_registry import Registry
from fsdl_deploy.running import stations

ensure("mlflow")
station, running = stations.station("mlflow"), ExitStack()  # the last cell ends what it holds
folder = running.enter_context(TemporaryDirectory())
registry = running.enter_context(Registry(folder))
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## Three versions
#
# A **run** is one training: its recipe (parameters), its figures (metrics) and the files that came of it. A
# **version** of a *registered model* points to a run. The digest of the file is a tag of ours, for later.

# %%
text = (station.folder / "registry.py").read_text(encoding="utf-8")
Code(text[text.index("def register") : text.index("def point")], language="python")

# %% [markdown]
# The figures are those on record for the three models of the course, and the recipe is the one that each was
# trained by (`v3-bad` has the weights of `v2`). On clean and typical cards `v3-bad` is as good as `v2`; it
# is on hard ones that its bug shows.

# %%
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT
from fsdl_deploy.training.recipes import RECIPES

models, rows, versions = ROOT / "models", [], {}
measured = records.read(models / "report.json")["measured"]
for name in ("v1", "v2", "v3-bad"):
    figures = {level: measured[name][level]["exact_match"] for level in ("clean", "typical", "hard")}
    used = RECIPES["v1" if name == "v1" else "v2"]
    recipe = {"network": used.network.__name__, "steps": used.steps, "seed": used.seed, "taught": used.taught}
    versions[name] = registry.register(file=str(models / f"{name}.onnx"), metrics=figures, recipe=recipe)
    rows.append([name, versions[name], *figures.values()])
Table(["", "version", "clean", "typical", "hard"], *rows, formats=["", "", ".1%", ".1%", ".1%"])

# %% [markdown]
# ## Champion and challenger
#
# An **alias** is a name that points to one version and can be moved. Programs ask for the alias, never for a
# number. Here `v1` is the champion, `v2` is promoted, and rolled back again: each is one row in a table.

# %%
registry.point(alias="champion", version=versions["v1"])
registry.point(alias="challenger", version=versions["v2"])
steps = [registry.behind(alias="champion")]
registry.point(alias="champion", version=versions["v2"])  # promoted
steps.append(registry.behind(alias="champion"))
registry.point(alias="champion", version=versions["v1"])  # rolled back
steps.append(registry.behind(alias="champion"))
print("champion:", " -> ".join(map(str, steps)))

# %% [markdown]
# ## A reader that asks for the champion
#
# What a service does when it starts: ask who is champion, get the file, check its digest, open it. The rest
# is the course's reader: pictures go into the graph as before.

# %%
import onnxruntime

from fsdl_deploy.cards import cards
from fsdl_deploy.reader import read_batches

pile = list(cards(100, "hard", seed=8))


def read_by(alias):
    """The readings of the pile, by the model behind an alias."""
    session = onnxruntime.InferenceSession(registry.fetch(alias=alias))

    def run(pictures, widths):
        return session.run(None, {"pictures": pictures, "widths": widths})

    return read_batches([card.image for card in pile], run, f"version {registry.behind(alias=alias)}")


# %% [markdown]
# One name, before and after a promotion. The service's code is the same.

# %%
rows = []
for name in ("v1", "v2"):
    registry.point(alias="champion", version=versions[name])
    readings = read_by("champion")
    right = sum(reading.digits == card.truth for reading, card in zip(readings, pile))
    rows.append([readings[0].model_version, right])
Table(["champion", f"right of {len(pile)} hard cards"], *rows)

# %% [markdown]
# A running service does not notice: it has loaded what the alias meant when it started. Either it asks again
# from time to time, or whoever moves the alias also replaces the services, as in a rollout.
#
# ## Lineage
#
# Version, run, recipe, figures and the file's digest of today's champion, from the alias alone. The digest is
# that of the file in `models/`, so we know which bytes read the cards. For a card of last year the alias says
# nothing: keep the version beside each reading.

# %%
history = registry.lineage(alias="champion")
sums = (models / "SHA256SUMS").read_text(encoding="utf-8")
print("in models/SHA256SUMS:", history["sha256"] in sums)
Table(["", "champion"], *([name, str(value)] for name, value in history.items()))

# %% [markdown]
# ## Does it report home?
#
# MLflow sends figures about its use to its makers, unless `MLFLOW_DISABLE_TELEMETRY` or `DO_NOT_TRACK` is
# `true`. Here every look-up of a host is noted and refused. A session as the course starts it, and one as
# MLflow comes:

# %%
with Registry(folder, quiet=False) as as_it_comes:
    as_it_comes.register(file=str(models / "v1.onnx"), metrics={}, recipe={})
    asked = {"as the course has it": registry.hosts(), "as it comes": as_it_comes.hosts()}
assert not asked["as the course has it"]
Table(["session", "hosts it wanted to reach"], *([k, ", ".join(v) or "none"] for k, v in asked.items()))

# %% [markdown]
# ## When it fails
#
# **Two promote at once.** Anna and Ben both look who is champion, both decide, and both move the alias.

# %%
anna_saw, ben_saw = registry.behind(alias="champion"), registry.behind(alias="champion")
registry.point(alias="champion", version=versions["v1"])  # Anna
registry.point(alias="champion", version=versions["v3-bad"])  # Ben, who does not know of it
print(f"both saw {anna_saw} and {ben_saw}; now it is {registry.behind(alias='champion')}, no error")

# %% [markdown]
# The last one wins, without a warning: the call has no way to say "only if it is still version 2". Let one
# program move aliases, after the checks, and people ask that program. The registry does not look at figures
# either: it took `v3-bad` without a word.
#
# **A file is changed.** One bit of the artifact, on the disk. MLflow hands it out: it keeps no digest. Our
# tag does, and `fetch` compares.

# %%
from pathlib import Path

from fsdl_deploy.delivery.model_registry import RegistryError

file = Path(registry.fetch(alias="champion"))
content = bytearray(file.read_bytes())
content[len(content) // 2] ^= 1
file.write_bytes(content)
print("MLflow alone:", Path(registry.fetch(alias="champion", check=False)).name, "is handed out")
try:
    registry.fetch(alias="champion")
except RegistryError as error:
    print("with the digest:", error)

# %% [markdown]
# Whoever can write the file may also be able to write the tag. Against that a signature helps, made with a
# key that the registry does not have.
#
# **A champion is deleted.** No question is asked. The alias goes with it, and the next service that starts
# finds no model.

# %%
registry.delete(version=versions["v3-bad"])
try:
    registry.behind(alias="champion")
except RegistryError as error:
    print(error)
registry.point(alias="champion", version=versions["v2"])
print("champion again:", registry.behind(alias="champion"))

# %% [markdown]
# **Stages.** Older texts promote to a *stage*, `Staging` or `Production`. They still work, and MLflow says:

# %%
print(registry.stage(version=versions["v2"], stage="Production")["says"])

# %% [markdown]
# A version has one stage out of four fixed ones; aliases have any names, and several may mean one version.

# %% [markdown]
# The registry ends here.

# %%
running.close()
print("ended:", not Path(folder).exists())

# %% [markdown]
# ## Questions
#
# **Question:** You move `champion` back to the version of yesterday, and the complaints go on. What have
# you forgotten?
#
# <details><summary>Answer</summary>
# The services that run. Each loaded what the alias meant when it started, and goes on with that. A rollback
# is complete when they have been replaced or have asked again. The model version in each reading shows
# which of them have not.
# </details>
#
# **Question:** A customer complains about a reading of last year. Why is the alias not enough to find the
# file that read her card?
#
# <details><summary>Answer</summary>
# The alias tells which version is the champion today. Store the model version beside each reading, when it
# is made. From a version the registry leads to the run, its figures and the digest of the file, as long as
# nobody has deleted it.
# </details>
#
# **Question:** After the accident of Anna and Ben a program promotes, and every build starts it. What can
# still go wrong?
#
# <details><summary>Answer</summary>
# Two builds at the same time. The program looks first and moves the alias after that, and the call has no
# way to say "only if nothing has changed". Let only one of them run at a time, and nothing else move the
# alias.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A registry is a table: names that move, versions that stay, and where each came from.
# - Promotion and rollback are one write. What makes them safe, checks before and services after, is yours.
# - Keep a digest of the file and compare it where it is loaded.
# - Aliases, not stages; one program that moves them, not many people.
#
# ## Where to go next
#
# - [Rollouts](../08_rollouts.ipynb): how the challenger meets its first customers.
# - [Packaging](../04_packaging.ipynb): what is in the file.
# - [Drift libraries](drift_libraries.ipynb): when the champion meets pictures that it does not know.
