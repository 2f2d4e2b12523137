# %% [markdown]
# # ONNX producers: models of scikit-learn and XGBoost in the same runtime
#
# **Minutes:** 15 · **Prerequisites:** [Packaging](../04_packaging.ipynb) · **Truth:** runs
#
# ## The need
#
# Some cards the reader reads wrongly, and a person should look at those. The utility's analysts have a model
# for it, made with the tools that they know: scikit-learn and XGBoost. The service runs neither, and nobody
# wants to install both there for a model of a few kilobytes. It runs ONNX Runtime already.
#
# ## You will learn
#
# - how models that are no networks become ONNX files, and which operators they use
# - to check that the same runtime gives the libraries' own answers
# - what the file saves: dependencies, and time for a single row
# - what a conversion refuses, and what it changes without a word

# %% [markdown]
# ## Where the model sits
#
# Two models in one runtime: the reader sees the picture, the second model sees six numbers about the answer.
#
# ```mermaid
# flowchart LR
#     torch([torch]) -->|v2.onnx| runtime["ONNX Runtime"]
#     sklearn([scikit-learn]) -->|scikit-learn.onnx| runtime
#     xgboost([XGBoost]) -->|xgboost.onnx| runtime
#     card[card] --> runtime --> answer["digits,<br/>chance that they are wrong"]
# ```
#
# `FAST = False` takes more cards.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The rows
#
# Hard cards, of which the reader gets about a tenth wrong. For each, six numbers that the service has anyway,
# and what the model should say: whether the reading is wrong. All are *float32*, the type that both
# converters take by default.

# %%
import numpy as np

from fsdl_deploy import OnnxReader
from fsdl_deploy.cards import cards
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.monitoring.card_statistics import measure

NAMES = ["grey", "contrast", "aspect", "sharpness", "digits", "confidence"]
reader = OnnxReader("v2")


def rows(number, seed):
    """Six numbers about each card, and whether its reading is wrong."""
    deck = list(cards(number, "hard", seed=seed))
    readings = reader.read([card.image for card in deck])
    statistics = measure([card.image for card in deck], readings)
    wrong = [reading.digits != card.truth for reading, card in zip(readings, deck, strict=True)]
    return np.stack([statistics[name] for name in NAMES], axis=1).astype(np.float32), np.array(wrong)


# %% [markdown]
# One set to learn from, another to ask about afterwards.

# %%
known, wrong = rows(600 if FAST else 4000, seed=1)
asked, truth = rows(300 if FAST else 2000, seed=2)
print(f"to learn from: {wrong.sum()} of {len(wrong)} wrong; to be asked: {truth.sum()} of {len(truth)} wrong")

# %% [markdown]
# ## Train, and convert
#
# The program runs in a station that has both libraries and their converters. What it does for each is short.
# `zipmap` is an operator of scikit-learn's converter that makes a list of dictionaries out of the
# probabilities; without it they stay an array.

# %%
from IPython.display import Code

from fsdl_deploy.paths import ROOT

folder = ROOT / "infra" / "packaging" / "onnx_producers"
text = (folder / "train.py").read_text(encoding="utf-8")
Code(text[text.index("def by_sklearn") : text.index("def main")], language="python")

# %% [markdown]
# It gets the rows as a file, and leaves the two models and what each library itself says of the rows that we
# ask about.

# %% tags=["station:onnx_producers"]
import json
import subprocess
import tempfile
from pathlib import Path

from fsdl_course.setup.stations import ensure

temporary = tempfile.TemporaryDirectory(prefix="producers-")
here = Path(temporary.name)
np.savez(here / "rows.npz", known=known, wrong=wrong, asked=asked)
python = ensure("onnx_producers")
subprocess.run([python, folder / "train.py", here], check=True)
answers = json.loads((here / "answers.json").read_text(encoding="utf-8"))

# %% [markdown]
# ## One runtime for all three
#
# No scikit-learn and no XGBoost from here on. **Your turn:** the reader's file has some two hundred
# operators. How many has a pipeline of a scaler and a logistic regression? And sixty trees? Guess before you
# run the cell.

# %% tags=["station:onnx_producers"]
import onnx
import onnxruntime

sessions = {name: onnxruntime.InferenceSession(here / f"{name}.onnx") for name in answers}
chances = {name: session.run(["probabilities"], {"X": asked})[0][:, 1] for name, session in sessions.items()}
graphs = {name: onnx.load(here / f"{name}.onnx").graph for name in answers}
apart = {name: np.abs(chances[name] - answers[name]["wrong"]).max() for name in answers}
Table(
    ["model", "bytes", "operators", "furthest from the library's own answer"],
    *(
        [name, graph.ByteSize(), ", ".join(node.op_type for node in graph.node), apart[name]]
        for name, graph in graphs.items()
    ),
    formats=["", ",", "", ".0e"],
)

# %% [markdown]
# One or two operators, of a set of its own: `ai.onnx.ml`. A runtime need not have it. ONNX Runtime does;
# many of the small ones for devices do not. All trees are *one* operator, whose attributes are long lists of
# thresholds.
#
# The answers are the libraries' own up to the last places of float32.
#
# ## What it saves
#
# The service asks about one card at a time. How long does the library take for one row, how long ONNX Runtime
# for the same one? They took turns, in the station.

# %% tags=["station:onnx_producers"]
times = {name: answers[name]["milliseconds"] for name in answers}
Table(
    ["model", "library, ms", "ONNX Runtime, ms", "times as fast"],
    *([name, t["library"], t["onnxruntime"], t["library"] / t["onnxruntime"]] for name, t in times.items()),
    formats=["", ".3f", ".3f", ".0f"],
)

# %% [markdown]
# Most of the library's time is not the model: at each call it checks the row, its type and its shape, and
# wraps it. And what the service need not install:

# %% tags=["station:onnx_producers"]
from fsdl_deploy.files import mebibytes
from fsdl_deploy.running import stations

site = stations.station("onnx_producers").site
sizes = {name: mebibytes(site / name) for name in ("sklearn", "scipy", "xgboost", "onnxruntime")}
Table(["package", "MiB"], *([name, size] for name, size in sizes.items()), formats=["", ".0f"])

# %% [markdown]
# The usual other way is a *pickle*. It needs the same library on the server, in the same version, and whoever
# can write the file can run code there: a pickle is a program. An ONNX file is data.
#
# ## Is the model any good?
#
# A person has time for a tenth of the cards. Of those that each model would hand on first, how many are
# wrong? In the last row the reader's own confidence chooses, without a second model.

# %% tags=["station:onnx_producers"]
few = len(asked) // 10
ranked = {**chances, "confidence alone": -asked[:, NAMES.index("confidence")]}
caught = {name: int(truth[np.argsort(-score, kind="stable")[:few]].sum()) for name, score in ranked.items()}
Table(
    ["chosen by", f"wrong, of {few} handed on", f"of all {truth.sum()} wrong ones"],
    *([name, count, count / truth.sum()] for name, count in caught.items()),
    formats=["", "", ".0%"],
)

# %% [markdown]
# Look at the last row before you deploy a second model. With so few cards, a difference of one or two is
# chance; if the models are not clearly ahead, the number that the service has already does their work.
#
# ## When it fails
#
# **A step in Python.** Pipelines often hold a function of somebody's own. It is not in the file format, so
# the converter refuses. The second program of the station tries:

# %%
text = (folder / "limits.py").read_text(encoding="utf-8")
Code(text[text.index("def the_function") : text.index("def the_missing")], language="python")

# %% [markdown]
# What it says:

# %% tags=["station:onnx_producers"]
run = subprocess.run([python, folder / "limits.py", here], check=True, capture_output=True, text=True)
limits = json.loads(run.stdout)
print(limits["function"])

# %% [markdown]
# That is the good case: an error, before anything is deployed.
#
# **A missing value.** A card without a reading has no confidence: the number is NaN. What does scikit-learn
# say of such a row, what does its file, and what does XGBoost's?

# %% tags=["station:onnx_producers"]
missing = np.full((1, len(NAMES)), np.nan, np.float32)
print("scikit-learn itself:", limits["missing"])
for name, session in sessions.items():
    chance = session.run(["probabilities"], {"X": missing})[0][0, 1]
    print(f"{name}.onnx: {chance:.3f}, above a half: {chance > 0.5}")

# %% [markdown]
# scikit-learn checks its input and raises. The check is not part of the model, so it is not in the file: the
# answer is NaN, which is not above any limit, and the card passes as sure. XGBoost was made for missing
# values, and its trees say where they go. Whatever the library checks, the service must check now.
#
# **float32.** A model for the month end also gets the second at which a card arrived, counted from 1970. The
# same pipeline is converted twice, for inputs of float32 and of float64:

# %% tags=["station:onnx_producers"]
arrived = np.load(here / "arrived.npz")
table = []
for kind in ("float32", "float64"):
    session = onnxruntime.InferenceSession(here / f"{kind}.onnx")
    chance = session.run(["probabilities"], {"X": arrived["x"].astype(kind)})[0][:, 1]
    other = int(((chance > 0.5) != (arrived["said"] > 0.5)).sum())
    table.append([kind, np.abs(chance - arrived["said"]).max(), f"{other} of {len(chance)}"])
Table(["input", "furthest apart", "verdicts that change"], *table, formats=["", ".1g", ""])

# %% [markdown]
# All cards arrived within ten minutes, and two neighbouring float32 numbers of that size are further apart
# than most of the cards, as the next cell says. The scaler would subtract the mean first, but the digits were
# lost before. Give the converter an example of the type that the model was trained with, or subtract the
# large part before.

# %% tags=["station:onnx_producers"]
temporary.cleanup()
print(f"from one float32 to the next: {np.spacing(np.float32(arrived['x'][0, -1])):.0f} s")

# %% [markdown]
# ## Questions
#
# **Question:** The parity test of a converted pipeline passes on 10,000 rows of the training data. Name two
# of the faults above that it cannot find.
#
# <details><summary>Answer</summary>
# The missing value, if training left such rows out, as scikit-learn makes one do. And the lost seconds, if
# the rows were stored as float32 before: then the library gets the same rounded numbers. Ask rows as the
# service will get them, from the rawest form that you have.
# </details>
#
# **Question:** Your model has a step in Python: a table from post codes to regions. It changes once a year.
# How do you get the pipeline into one file?
#
# <details><summary>Answer</summary>
# Not the function, but what it computes. A table is data: one of scikit-learn's encoders holds it and is
# converted, and a year later the new table is a new file with a new version. If only code can say it, the
# step stays outside, in the service. Then it needs a version and a test beside the model's own.
# </details>

# %% [markdown]
# ## Take-aways
#
# - scikit-learn and XGBoost models become one or two operators of `ai.onnx.ml`, and run beside the network in
#   the runtime that is there.
# - For single rows the file was several times as fast as the library, because it leaves the checks out.
# - What the library checked, the service now has to check.
# - Convert for the type of the raw inputs, and compare on those.
# - First ask whether a number that you have already, such as the confidence, does the work.
#
# ## Where to go next
#
# - [Packaging](../04_packaging.ipynb): where conversions of the network go wrong.
# - [Drift libraries](drift_libraries.ipynb): the same numbers about cards, watched over time.
# - [sklearn-onnx](https://onnx.ai/sklearn-onnx/), and
#   [which operators it knows](https://onnx.ai/sklearn-onnx/supported.html).
