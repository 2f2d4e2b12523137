# %% [markdown]
# # Tool: CoreML: the reader for Apple's devices
#
# **Minutes:** 5 · **Prerequisites:** [Optimization](../05_optimization.ipynb) · **Truth:** checked
#
# ## The need
#
# Half of the customers have an iPhone. The lecture says: *"go with MLKit for the former and CoreML for the
# latter"*, the latter being the iPhone. We convert our network and check the file. Only a Mac can run it.
#
# ## You will learn
#
# - to convert a torch module on Linux for a system that is not there
# - to check a file without running it: inputs, operators, weights
# - what weights in 8 and in 4 bits lose, and how small they are
# - which of the lecture's statements on CoreML still hold

# %% [markdown]
# ## Where the model sits
#
# `coremltools` write a *model package*. The app on the phone loads it, and the system decides whether the
# processor, the GPU or the *neural engine* computes.
#
# ```mermaid
# flowchart LR
# module[torch module] --> tools[coremltools] --> package([v2.mlpackage])
# package --> check[check of the specification, here]
# package --> phone[CoreML on a Mac or an iPhone]
# style package fill:#d55e00,color:#fff
# ```
#
# `FAST = False` reads more cards, on a Mac.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## Convert
#
# The tools live in a station, which borrows the torch of the lessons. The files were made by
# `fsdl-deploy edge build coreml`, with this function:

# %%
from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy.targets import program_text, programs
from fsdl_deploy.targets.catalogue import target

ensure("coreml")
Code(program_text.part(target("coreml"), "def converted"), language="python")

# %% [markdown]
# ## Check the specification
#
# The file says what it takes and gives. Is the width open? Which operators are in it? An app's programmer
# needs the names.

# %%
specification = programs.ask(target("coreml"), "lesson/steps.py", [], "specification")
name, sizes = specification["input"]
print("input ", name, " × ".join(str(low) if low == high else f"{low}…{high}" for low, high in sizes))
print("output", *specification["outputs"], "· version", specification["version"])
print(", ".join(f"{count} {operator}" for operator, count in specification["operators"].items()))

# %% [markdown]
# ## Read the weights back
#
# A wrong conversion would also have a good specification. So we read the weights out of each file, those in
# few bits as the numbers that they stand for, and compare them with torch's. *apart* is the largest
# difference, as a share of the largest weight of its layer.

# %%
from fsdl_deploy.measuring.table import Table

weights = programs.ask(target("coreml"), "lesson/steps.py", [], "weights")
Table(["file", "layers", "apart", "bytes, zipped"], *weights["rows"], formats=["", "d", ".2%", ",d"])

# %% [markdown]
# `v2` has its weights in float16, as CoreML computes. In `v2-int8` each channel has a scale. In `v2-4bit`
# each weight is a place in a table of 16 values, which Apple calls *palettized*. The weights say how far
# they moved, not how many cards are misread: that takes a Mac.
#
# ## Read cards, on a Mac
#
# `read.py` of this target is what a Mac runs. Elsewhere it says so and stops.

# %%
import sys

print(program_text.part(target("coreml"), "def open_artifact", "read.py"), end="\n\n")
print(
    "This is a Mac" if sys.platform == "darwin" else "CoreML is not on this system: the cards wait for a Mac."
)

# %% [markdown]
# ## Inference only?
#
# The slide calls CoreML a library for *inference only*. Since 2019 an app may also [train on the
# device](https://developer.apple.com/documentation/coreml/mlupdatetask), but only [neural networks of the
# older format, pipelines and nearest
# neighbours](https://apple.github.io/coremltools/docs-guides/source/updatable-model-examples.html). A file
# of the format that is used today, an *ML program*, is not among them. Ours says:

# %%
print("updatable:", specification["updatable"])

# %% [markdown]
# So the statement is right for a model that you convert today (state: November 2026). The slide's other link
# is a store of models, `coreml.store`. No store has a reader of our cards: you convert your own.
#
# ## When it fails
#
# *Asking this target for readings.* The course's comparison refuses it, instead of showing a figure that
# nothing measured.

# %%
from fsdl_deploy.targets import comparing
from fsdl_deploy.targets.catalogue import TargetError

try:
    comparing.compare("coreml", 20 if FAST else 200)
except TargetError as problem:
    print(problem)

# %% [markdown]
# ## Questions
#
# **Question:** Names, operators and weights of the file agree with torch. How can the app on the phone still
# misread a card?
#
# <details><summary>Answer</summary>
# An operator may compute something different from torch's, and the device rounds in its own way. Neither is
# in the specification. The app may also prepare the picture differently from the training.
# </details>
#
# **Question:** Why is the difference of the weights given as a share of the layer's largest?
#
# <details><summary>Answer</summary>
# One scale or one table serves a whole channel or layer, so the step of rounding grows with the largest
# weight. As a share, layers with large and with small weights can be compared.
# </details>
#
# **Question:** Your customers load the app over the phone's network, and the file in 4 bits is the smallest.
# What do you need before you choose it?
#
# <details><summary>Answer</summary>
# Cards with known digits, read on an iPhone with each of the three files. The table says how far the weights
# moved, not how many readings changed. Take the smallest file whose extra mistakes you can accept.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A file for a device that is not here can be checked: names, sizes, operators, weights.
# - Checked is not run. The last word has a Mac with the same cards.
#
# ## Where to go next
#
# - [coremltools' guide](https://apple.github.io/coremltools/docs-guides/).
# - [ExecuTorch](executorch.ipynb), which can hand a program to CoreML, too.
