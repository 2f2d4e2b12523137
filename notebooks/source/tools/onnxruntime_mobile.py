# %% [markdown]
# # Tool: ONNX Runtime on a phone: a file that needs no parser
#
# **Minutes:** 15 · **Prerequisites:** [Packaging](../04_packaging.ipynb) · **Truth:** runs
#
# ## The need
#
# Meters hang in basements without a signal, so the reader must work on the phone that photographs them. Our
# `v2.onnx` already runs in ONNX Runtime, but an app carries the whole runtime with it, and most of that reads
# models which we do not have.
#
# ## You will learn
#
# - what the `.ort` format leaves out, and what it costs
# - to list the operators that a model needs, for a runtime with nothing else in it
# - to compare int8 files by their readings, not by their conversion
# - why a file for every processor is slower than one for yours

# %% [markdown]
# ## Where the model sits
#
# The converter runs once, on our side. The phone gets the `.ort` file, and a runtime built from the list.
#
# ```mermaid
# flowchart LR
#     onnx(["v2.onnx"]) --> converter[Converter] --> ort(["v2.ort"]) --> phone["Runtime<br/>on the phone"]
#     converter --> list["list of operators"] -.-> phone
#     style onnx fill:#d55e00,color:#fff
#     style ort fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## Convert
#
# ONNX Runtime parses an `.onnx` file, fuses operators, and then runs what is left of it. The `.ort` format
# stores the graph after that work, so the runtime on the phone needs no parser and no optimiser. The
# converter is part of the `onnxruntime` package.

# %%
import tempfile
from pathlib import Path

from fsdl_deploy import figures, weights
from fsdl_deploy.targets import ort_format

figures.use()
folder = tempfile.TemporaryDirectory()
converted = Path(folder.name)
ort_format.convert(weights.folder() / "v2.onnx", converted)
print(*sorted(file.name for file in converted.iterdir()))

# %% [markdown]
# ## What the phone's runtime must contain
#
# The second file is the input of a *reduced build*: ONNX Runtime's build script, given this list, compiles
# only these operators, and each only for the types that occur. Building the runtime takes its sources and a
# C++ toolchain for the phone, so it is not done here.

# %% tags=["nbval-check-output"]
needed = ort_format.operators(converted / "v2.config")
for domain, names in needed.items():
    print(f"{domain}: {len(names)} operators")
print(*needed["com.microsoft"])

# %% [markdown]
# The list, as the build script gets it. `FusedConv` is a convolution with the `Relu` behind it: an operator
# that no ONNX file of ours contains, because the optimiser makes it.

# %%
print((converted / "v2.config").read_text()[:900])

# %% [markdown]
# ONNX itself defines many more operators. How many does this leave out? The package `onnx` knows them all.

# %%
import onnx

defined = {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""}
own = set(needed["ai.onnx"])
print(f"{len(own)} of the {len(defined)} operators of ONNX: {len(own) / len(defined):.0%}")

# %% [markdown]
# ## Is the file smaller?
#
# A format for phones should be. Count the bytes of the weights in both files, and what stands around them.

# %%
from fsdl_deploy.measuring.table import Table

graph = onnx.load(weights.folder() / "v2.onnx").graph
in_weights = sum(len(tensor.raw_data) for tensor in graph.initializer)
rows = []
for file in (weights.folder() / "v2.onnx", converted / "v2.ort"):
    size = file.stat().st_size
    rows.append([file.name, size, size - in_weights])
Table(["file", "bytes", "beyond the weights"], *rows, formats=["", ",d", ",d"])

# %% [markdown]
# It is larger. The weights are the same; beyond them an `.ort` file stores for each operator the types and
# shapes that the parser would have worked out. The saving is in the runtime, not in the file. How large is
# the runtime of this machine, with all operators for all types?

# %%
import onnxruntime

from fsdl_deploy.files import mebibytes

runtime = mebibytes(Path(onnxruntime.__file__).parent / "capi")
print(f"{runtime:.0f} MiB of runtime, for {graph.ByteSize() / 2**20:.1f} MiB of model")

# %% [markdown]
# ## The same cards
#
# *Converts is not runs*: a conversion that ends well says nothing about the readings. `fsdl-deploy edge
# build` makes three files: the one above, and two of int8. Static int8 rounds convolutions too, with ranges
# from 128 cards; dynamic int8 rounds only matrix products, and measures ranges at each call.

# %%
from fsdl_deploy.targets import building, catalogue

target = catalogue.target("onnxruntime_mobile")
building.build(target)
print(*(name for variant in target.variants.values() for name in variant.files))

# %% [markdown]
# Each file is asked the same cards as `OnnxReader("v2")`, card by card and on one thread, in turns with it.
# *Time* is the ratio of the two.

# %%
from fsdl_deploy.targets import comparing

compared = comparing.compare("onnxruntime_mobile", 200, rounds=2 if FAST else 10, turns=1 if FAST else 3)
comparing.table(compared)

# %% [markdown]
# In float32 no reading changes. Static int8 saves about half of the file and changes a few readings; dynamic
# int8 saves almost nothing, since nearly all weights are in convolutions. Which cards did static int8 read
# otherwise?

# %%
static = next(row for row in compared if row.precision == "int8")
rows = [[card.card, card.truth, card.reference, card.target] for card in static.differences]
Table(["card", "written", "float32", "int8"], *rows)

# %% [markdown]
# ## Why is it slower?
#
# The `.ort` file takes longer than the `.onnx` file in the same runtime. For an x86 processor ONNX Runtime
# rearranges the pictures inside the network, into blocks of channels (*NCHWc*), when it loads a graph. The
# converter leaves that out unless you say for which processor the file is. So there are two ways to test the
# guess: a graph without the rearrangement, and an `.ort` file with it.

# %%
ort_format.convert(weights.folder() / "v2.onnx", converted, processor="amd64")
needed_here = ort_format.operators(converted / "v2.config")
print(*sorted({*needed_here["com.microsoft"], *needed_here.get("com.microsoft.nchwc", [])}))

# %% [markdown]
# Four sessions, each on one thread.


# %%
def session(file, **options):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"], **options)


sessions = {
    "v2.onnx": session(weights.folder() / "v2.onnx"),
    "v2.onnx without NCHWc": session(weights.folder() / "v2.onnx", disabled_optimizers=["NchwcTransformer"]),
    "v2.ort": session(target.artifacts / "v2.ort"),
    "v2.ort for amd64": session(converted / "v2.ort"),
}

# %% [markdown]
# `in_turns` gives the shortest time of each card for each session; the figure has the median over the cards.

# %%
import numpy as np

from fsdl_deploy.cards import cards
from fsdl_deploy.targets import reading_program

images = [card.image for card in cards(15, seed=5)]


def reader(own):
    return reading_program.whole(lambda *inputs: own.run(None, dict(zip(["pictures", "widths"], inputs))))


reads = {name: reader(own) for name, own in sessions.items()}
shortest = reading_program.in_turns(reads, images, 5 if FAST else 30)
ratios = {name: float(np.median(seconds / shortest["v2.onnx"])) for name, seconds in shortest.items()}

# %% [markdown]
# If the guess is right, the first and the last bar are equally long, and so are the two between. On a
# processor that is not x86 they may all be the same.

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 2.6))
axes.barh(list(ratios), list(ratios.values()), color=figures.PALETTE[0])
axes.axvline(1, color=figures.PALETTE[6], linestyle=":")
axes.set(xlabel="time of a card (ratio to v2.onnx)", ylabel="file")
axes.invert_yaxis()
figures.show(
    figure, alt="Time of four files: without NCHWc as slow as v2.ort; v2.ort for amd64 as fast as v2.onnx"
)

# %% [markdown]
# ## When it fails
#
# *An `.ort` file is a dead end.* The tools that quantize, view or change ONNX files do not read it. Keep the
# `.onnx` file, and make the other from it.

# %% tags=["nbval-check-output"]
try:
    onnx.load(converted / "v2.ort")
except Exception as error:
    print(type(error).__name__)

# %% [markdown]
# *A file for one processor needs operators that others do not have.* `v2.ort for amd64` contains those of
# NCHWc. A reduced build from the list of the portable file lacks them, and refuses the file when it loads it.

# %% tags=["nbval-check-output"]
missing = {domain: names for domain, names in needed_here.items() if domain not in needed}
print(missing)
folder.cleanup()

# %% [markdown]
# ## Questions
#
# **Question:** Your app's download must shrink, and someone proposes `.ort` files. What do you ask first?
#
# <details><summary>Answer</summary>
# Whether the runtime in the app is a reduced build. The file itself grows a little; only a runtime without
# parser and unused operators is smaller.
# </details>
#
# **Question:** You retrained the model, and the list of operators changed. What happens to apps in the
# field?
#
# <details><summary>Answer</summary>
# Their runtime was built from the former list. If the new model needs an operator that is not on it, they
# cannot load the model, and a model update becomes an update of the app. Compare the lists before you
# release, or build the runtime with some operators to spare.
# </details>
#
# **Question:** On an x86 processor the file made for it is faster than the portable one. Do you ship a file
# for each kind of phone?
#
# <details><summary>Answer</summary>
# Only if it is faster on those phones: the rearrangement belongs to x86, and elsewhere all bars may be
# equal. Each such file has a list of operators of its own, and the runtime must have them all. And every
# further file is one more to test.
# </details>

# %% [markdown]
# ## Take-aways
#
# - `.ort` makes the runtime smaller, not the model.
# - The list of operators belongs to the model, and is checked at each release.
# - Static int8 halves the file and changes a few readings: count them on your own cards.
# - A portable file gives up what is special about your processor.
#
# ## Where to go next
#
# - [Optimization](../05_optimization.ipynb): int8 as a rung of the ladder.
# - [ONNX Runtime's guide](https://onnxruntime.ai/docs/reference/ort-format-models.html) to the format.
