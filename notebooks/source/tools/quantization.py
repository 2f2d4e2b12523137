# %% [markdown]
# # Tool: Optimum and Neural Compressor
#
# **Minutes:** 20 · **Prerequisites:** [Optimization](../05_optimization.ipynb) · **Truth:** runs
#
# ## The need
#
# The reader shall go onto the handheld devices of the meter readers, where each download counts. int8 makes
# the file {{rounded(int8 file post-training, size):.0%}} as large. The lecture's table names two tools for
# it, Optimum and Intel Neural Compressor. What do they add to what ONNX Runtime does itself, and who still
# maintains them?
#
# ## You will learn
#
# - what Optimum's quantizer does around that of ONNX Runtime
# - to let Neural Compressor search for a setting that loses no more than you tolerate
# - to ask of each tool when it was released last, before depending on it
# - to compare files by the cards they break, by size, and by time in turns

# %% [markdown]
# ## Where the model sits
#
# Both tools read the exported file and write another, which the same service loads.
#
# ```mermaid
# flowchart LR
#     model(["v2.onnx, float32"]) --> tool["Optimum or<br/>Neural Compressor"]
#     cards["128 cards<br/>for the ranges"] --> tool
#     tool --> small(["int8 file"]) --> service["Model service"]
#     style model fill:#d55e00,color:#fff
#     style small fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# Both bring packages that would disturb the lessons (NumPy 1, an older transformers). So they live in a
# station, which borrows the torch of the lessons: Optimum imports it, though it needs none for a file.

# %%
from importlib import metadata

from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

figures.use()
measured = {}  # what the lecture's sentences at the end are judged by
python = ensure("quantization")
station = stations.station("quantization")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB without torch")

# %% [markdown]
# ## How alive are they?
#
# The table on the slide is from 2022. Both tools have been divided since.

# %% tags=["nbval-check-output"]
from fsdl_deploy.measuring.table import Table

site = station.site
rows = []
for name in ("optimum-onnx", "onnx-neural-compressor", "transformers", "numpy"):
    (package,) = metadata.distributions(name=name, path=[str(site)])
    rows.append([name, package.version])
Table(["package", "version"], *rows)

# %% [markdown]
# - **Optimum**: the part for ONNX is now the package
#   [optimum-onnx](https://github.com/huggingface/optimum-onnx). Its newest release when this was written
#   (November 2026) is 0.1.0 of 23 December 2025, and it does not accept transformers 5.
# - **Neural Compressor**: [Intel's package](https://github.com/intel/neural-compressor) is alive (version
#   3.10, September 2026), but its extras are for PyTorch, TensorFlow and JAX, none for ONNX Runtime. The part
#   for ONNX moved to [a package of its own](https://github.com/onnx/neural-compressor), whose one release,
#   version 1.0, is of 31 July 2024. It wants NumPy 1 and imports `prettytable` without asking for it: the
#   station adds that. A tool for a file made once may be old; a service should not depend on it.
#
# ## The code
#
# Optimum has a configuration, a calibration and a quantizer; underneath are the classes of ONNX Runtime. It
# asks for a `datasets.Dataset` and uses four of its names, so a list with those will do.

# %%
from IPython.display import Code

program = (station.folder / "quantize.py").read_text()
parts = (
    "def optimum",
    "class Namable",
    "class CalibrationCards",
    "def share",
    "def compressor",
    "def quantize",
)
places = [program.index(part) for part in parts]
Code(program[places[0] : places[2]], language="python")

# %% [markdown]
# Neural Compressor does the same, or tries several configurations: `autotune` measures the original file with
# a function of ours, then one configuration after the other, and stops at the first that is good enough.

# %%
Code(program[places[4] : places[5]], language="python")

# %% [markdown]
# ## Quantize
#
# One process for all, since importing Optimum, with transformers beneath it, takes longer than quantizing.
# All get the nodes of the network only, with the same 128 cards for the ranges: the matrix products
# that resize the picture stay as they are. The tolerated loss of the search is half a percent.

# %%
import json
import subprocess
import tempfile
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.optimization.quantization import quantized

folder = tempfile.TemporaryDirectory()
output_folder = Path(folder.name)
hows = ["optimum-dynamic", "optimum-static", "compressor-static", "compressor-tuned"]
words = [python, station.folder / "quantize.py", weights.folder() / "v2.onnx", output_folder, *hows]
result = subprocess.run(words, check=True, capture_output=True, text=True)
reports = [json.loads(line) for line in result.stdout.splitlines()]

# %% [markdown]
# How long each took, which nodes are int8 now, and what the tuner tried:

# %%
rows = []
for report in reports:
    nodes = ", ".join(f"{count} {name}" for name, count in report["nodes"].items())
    rows.append([report["how"], report["seconds"], nodes, ", ".join(map(str, report.get("trials", ())))])
measured["quantized"] = {report["how"]: sum(report["nodes"].values()) for report in reports}
Table(["how", "time (s)", "quantized nodes", "accuracy of the trials"], *rows)

# %% [markdown]
# Dynamic quantization finds two matrix products in `v2`: nearly all its work is in convolutions. The list
# behind `compressor-tuned` is the search: the accuracy of the float file on 200 training cards, then of each
# trial. Its first trial, one scale for all channels of a layer, was good enough, so it stopped there.
#
# ## Compare
#
# ONNX Runtime's own files first (lesson 05), the tools beside them. *Fixed* and *broken* are against the
# float file, on cards of unseen digits.

# %%
import numpy as np

from fsdl_deploy.cards import cards_and_digits
from fsdl_deploy.measuring.accuracy import clustered
from fsdl_deploy.optimization.rungs import FileReader

deck, written = zip(*cards_and_digits(200 if FAST else 2000, "typical", seed=41))
files = {"float32": weights.folder() / "v2.onnx"}
files |= {f"onnxruntime-{how}": quantized("v2", how, output_folder) for how in ("dynamic", "static")}
files |= {how: output_folder / f"{how}.onnx" for how in hows}
readers = {name: FileReader(file.read_bytes(), name) for name, file in files.items()}
truths = [card.truth for card in deck]
right = {}
for name, reader in readers.items():
    readings = reader.read([card.image for card in deck])
    right[name] = np.array([reading.digits == truth for reading, truth in zip(readings, truths)])

# %% [markdown]
# The time, in turns, one card a call and one thread, as a ratio to the float file.

# %%
from time import perf_counter

took = {name: [] for name in readers}
for _ in range(5 if FAST else 50):
    for name, reader in readers.items():
        begin = perf_counter()
        for card in deck[:20]:
            reader.read([card.image])
        took[name].append(perf_counter() - begin)

# %% [markdown]
# One line a file.

# %%
rows = []
for name, hits in right.items():
    low, high = clustered(hits, written)
    fixed, broken = (hits & ~right["float32"]).sum(), (right["float32"] & ~hits).sum()
    ratio = np.median(took[name]) / np.median(took["float32"])
    size, interval = files[name].stat().st_size / 1024, f"{low:.1%} – {high:.1%}"
    rows.append([name, size, hits.mean(), interval, fixed, broken, ratio])
measured["right"], measured["cards"] = {name: int(hits.sum()) for name, hits in right.items()}, len(deck)
header = ["", "KiB", "right", "95 % interval", "fixed", "broken", "time"]
Table(header, *rows, formats=["", ",.0f", ".1%", "", "d", "d", ".2f"])

# %% [markdown]
# Optimum's files are as ONNX Runtime's: it calls the same quantizer. Neural Compressor has one of its own,
# of the same design, whose file may differ in a few cards. *fixed* and *broken* differ by a few cards at
# most: so few do not show that one file reads worse than another. The file shrinks. Whether the time does
# is decided by the processor, as lesson 05 says of `v2`.
#
# So what does each add? Optimum: one interface for models from the Hugging Face hub, of little use for a file
# of our own. Neural Compressor: the search. It stops at the first setting that is good enough, and judges by
# as many cards as you give it: with 200, half a percent is one card.

# %% [markdown]
# ## Rounding while training
#
# *Quantization-aware training* rounds in the forward pass of a training, so that the weights settle where
# rounding hurts least. `fsdl-deploy qat` does it with torch's own flow, `torch.ao.quantization`, which
# [torch's documentation](https://docs.pytorch.org/docs/2.13/quantization.html) wants to delete in favour of
# torchao. This is its recorded run: the first rows round in torch; the last are files that ONNX Runtime
# makes of the float weights, with ranges of its own.

# %%
from fsdl_deploy.measuring import records
from fsdl_deploy.optimization import qat

recorded = records.read(weights.folder() / qat.FILE)
print(recorded["date"], recorded["machine"], f"{recorded['steps']} steps")
qat.table(recorded["rows"])

# %% [markdown]
# With 7 bits rounding afterwards broke {{rounded(7 bits after training, broken)}} cards and fixed
# {{rounded(7 bits after training, fixed)}}; the probability of counts so uneven is
# {{rounded(7 bits after training, p):.2g}} if fixing and breaking were equally likely. With 4 bits it broke
# {{rounded(4 bits after training, broken)}} and fixed {{rounded(4 bits after training, fixed)}}
# ({{rounded(4 bits after training, p):.2g}}). With 4 bits *in* training, {{rounding_steps()}} steps long, it
# broke {{rounded(4 bits in training, broken)}} and fixed {{rounded(4 bits in training, fixed)}}. The
# difference of the two is what this training gave back. It is one training, from one seed: another gives
# another network, so no probability stands beside it. The intervals of all rows overlap; they say too little
# here, because the rows read the same cards: count those that change. The training changes the weights, not
# the file's size or speed.

# %% [markdown]
# ## Pruning
#
# The last row of the slide's table. *Pruning* takes out the weights that count least. The usual way sets
# single weights to zero, wherever they are. The other way takes out whole channels: a narrower network is
# left. `fsdl-deploy prune` does both to `v2`; the narrower ones are also trained on. This is its
# record. *time* and *KiB* are of the ONNX file, beside `v2`'s.

# %%
from fsdl_deploy.optimization import pruning

pruned = records.read(weights.folder() / pruning.FILE)
print(pruned["date"], pruned["machine"], f"{pruned['steps']} steps")
pruning.table(pruned["rows"])

# %% [markdown]
# Zeros change neither the file nor the time: the runtime multiplies by them like by any other number. Only
# special kernels, for a pattern of zeros that the processor knows, would skip them. Fewer channels are fewer
# multiply-adds in every runtime, but a network loses far more with them than with single weights, and has to
# be trained on, for longer than these steps where many are gone. The time does not shrink as the
# multiply-adds do: what stands around the network stays. Each network was trained once, from one seed, so
# differences of a few cards say nothing. Two rows of the same width take the same time: as far as theirs
# differ, it is the machine.
#
# ## The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured or from a
# record that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("05", measured, notebook="tools/quantization")

# %% [markdown]
# ## When it fails
#
# *A graph with more in it than a network.* Ours contains the preparation of the picture, and matrix products
# in it. Optimum takes a list of nodes, but its calibration knows types of operators only, so it collects
# ranges for those too, in vain. It wants a `config.json` of transformers beside the file as well, and warns
# that the result is harder to use without. It is not: ONNX Runtime needs none.

# %%
for line in result.stderr.splitlines():
    if "config" in line and "Could not load" in line:
        print(line[:110])
        break
folder.cleanup()

# %% [markdown]
# Neural Compressor, when no trial is good enough, says so in its log and calls `exit(0)`: the program ends
# with the status of success and without a file. So check that the file is there.

# %% [markdown]
# ## Questions
#
# **Question:** You would accept one card in a thousand more that is misread. Why does a search over 200
# cards not answer your question?
#
# <details><summary>Answer</summary>
# One card of 200 is already five times that loss. So the search can accept only a setting that reads as
# many of them as before, and on so few cards that may be luck. Take so many that your limit is dozens of
# cards, and count what was fixed and what was broken.
# </details>
#
# **Question:** On your laptop the int8 file is smaller, but not faster. What do you know about the handheld
# device?
#
# <details><summary>Answer</summary>
# The size: that is the same everywhere. The time is decided by the processor and its instructions, so it
# has to be measured on the device. If the download is your problem and the device reads fast enough, the
# file is good already.
# </details>
#
# **Question:** Your build runs Neural Compressor's search, then ships the newest file in the output folder.
# One night no setting is good enough. What is shipped?
#
# <details><summary>Answer</summary>
# The file of an earlier night: the search ended with success and wrote nothing. Let it write into an empty
# folder, and stop the build if no file is there. Then compare the file's readings as well.
# </details>

# %% [markdown]
# ## Take-aways
#
# - For an ONNX file of your own, ONNX Runtime's quantizer is enough; both tools stand on it.
# - A search for a setting needs so many cards that the loss you tolerate is more than chance.
# - Look for the newest release of the part you use, not of the tool's name.
# - Check the file, not the exit status.
#
# ## Where to go next
#
# - [Optimization](../05_optimization.ipynb): the ladder on which int8 is one rung.
# - [ONNX Runtime's own guide](https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
