# %% [markdown]
# # Tool: IREE: a compiler built from MLIR
#
# **Minutes:** 10 · **Prerequisites:** [Optimization](../05_optimization.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility's next device has another processor, and nobody knows which. The lecture asks to *"keep paying
# attention to this space"* and names MLIR among the start-ups. What is MLIR, and can it carry our reader?
#
# ## You will learn
#
# - what MLIR is: not a start-up, but a kit for building compilers
# - how a torch module becomes machine code, level by level
# - to compile one model for two kinds of processors
# - what became of MLIR and of those who build on it

# %% [markdown]
# ## Where the model sits
#
# A compiler takes the place of the runtime's library of operators: the device gets machine code for this one
# model, and a small program that calls it.
#
# ```mermaid
# flowchart LR
# module[torch module] --> torchd["dialect torch"] --> linalg["dialects linalg, vector"] --> llvm[LLVM]
# llvm --> x86([v2.vmfb for x86-64])
# llvm --> arm([v2.vmfb for arm64])
# style x86 fill:#d55e00,color:#fff
# style arm fill:#d55e00,color:#fff
# ```
#
# `FAST = False` reads more cards.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# IREE is a compiler, a runtime, and *turbine*, the way in from torch. They live in a station, which borrows
# the torch of the lessons.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations

ensure("iree")
print(f"{stations.station('iree').mebibytes():,.0f} MiB without torch")

# %% [markdown]
# ## MLIR, read
#
# MLIR is a common form for the inner languages of compilers. Such a language is called a *dialect*. A
# program goes down from dialect to dialect, each nearer to the machine. We compile one layer, the last of
# the network, and look at the levels. The first is torch's own calls:

# %%
from IPython.display import Code

from fsdl_deploy.targets import program_text, programs
from fsdl_deploy.targets.catalogue import target

steps = programs.ask(target("iree"), "lesson/steps.py", [], "levels", "in_8_bits", "preparation")
levels = steps["levels"]
Code(levels["torch"], language="text")

# %% [markdown]
# The next level has no `linear` any more: a matrix product over tensors whose first size is still open, `?`.

# %%
Code(levels["linalg"], language="text")

# %% [markdown]
# At the end stands machine code, in a file that says which processor it is for. The runtime loads it and is
# asked with the same numbers as torch:

# %%
print(f"largest difference to torch: {levels['apart']:.1e}")

# %% [markdown]
# ## The same for another processor
#
# Only two options change for another processor: its name and its system. So one computer compiles for many
# devices.

# %%
Code(program_text.part(target("iree"), "def lower"), language="python")

# %% [markdown]
# The same layer for arm64, the processor of phones. The machine code in the file is an ELF file, whose header
# names the processor. We read it there: no arm64 processor is here to run it.

# %%
from fsdl_deploy.measuring.table import Table

Table(["compiled for", "machine code of", "bytes"], *levels["rows"], formats=["", "", ",d"])

# %% [markdown]
# ## The same cards
#
# The network of `v2` was compiled so by `fsdl-deploy edge build iree`. Its width is `4 * Dim(...)`: any
# number of columns in steps of 4. What comes before and after it, the preparation of the picture and the
# decoding, is done in NumPy.

# %%
from fsdl_deploy.targets import comparing

comparisons = comparing.compare("iree", 200 if FAST else 1000, rounds=1 if FAST else 3, turns=1)
comparing.table(comparisons)

# %% [markdown]
# *time* compares one thread of each, a card a call. A compiler that knows only this model is not faster for
# that reason alone: measure before you switch.
#
# ## And int8?
#
# IREE has no step that rounds a network: it compiles what it is given. So give it one layer with its weights
# as int8 and a scale for each output, multiplied out where the layer runs. If the compiler keeps them so, the
# file is smaller.

# %%
print("; ".join(f"weights given as {name}: {size:,} bytes" for name, size in steps["in_8_bits"].items()))

# %% [markdown]
# It is not. A product of constants is a constant, so the compiler works it out once, and stores float32:
# quick to run, and no byte saved. What helps one aim, speed, is against another, size.
#
# ## What became of MLIR
#
# - **MLIR** was never a company. Google's TensorFlow team [offered it to LLVM in
#   2019](https://lists.llvm.org/pipermail/llvm-dev/attachments/20190909/0f43668b/attachment.html). Today
#   it is [a part of LLVM](https://mlir.llvm.org/).
# - **IREE** is [built around it](https://iree.dev/reference/glossary) and
#   [releases regularly](https://github.com/iree-org/iree/releases) (version 3.13, November 2026).
# - You meet MLIR as a builder of compilers. With a model you meet what was built with it.
#
# ## When it fails
#
# *The whole reader.* It converts to MLIR, and the compiler stops. The reason is in the preparation of the
# picture, so that part was compiled alone, too. The message names a line of MLIR:

# %%
failure = steps["preparation"]
print(failure["message"] or f"compiled: {failure['bytes']:,} bytes")
print(failure["line"])

# %% [markdown]
# It is a sum over two axes, one of them open. Such an error comes from a dialect that you did not write. To
# go on you make the module smaller until the failing line is found, or you keep that part out of it, as we
# do.

# %% [markdown]
# ## Questions
#
# **Question:** Why can one computer compile for a phone that it has never seen, and what does the header of
# that file not prove?
#
# <details><summary>Answer</summary>
# The compiler needs only a description of the processor. The header proves that there is machine code for
# arm64 in the file. Whether it reads cards as the reference does, only such a processor can show.
# </details>
#
# **Question:** Your device has little storage, so you gave the compiler weights in int8. The file did not
# shrink. What went wrong, and what do you do about it?
#
# <details><summary>Answer</summary>
# The compiler may replace what you wrote with anything that has the same result, and a product of constants
# is a constant. Give it a scale that it does not know in advance, or take a tool that keeps int8. Then look
# at the size again: only the file counts.
# </details>
#
# **Question:** Which level would you look at when an operator is not supported?
#
# <details><summary>Answer</summary>
# The first, the dialect torch: there the operator still has its name, so you can find it in your module.
# Further down it has been taken apart.
# </details>

# %% [markdown]
# ## Take-aways
#
# - MLIR is a kit for compilers, inside many of the tools you use.
# - A compiled model is bound to a kind of processor, and free of a runtime's list of operators.
# - The compiler's own list of what it can turn into code takes that list's place.
#
# ## Where to go next
#
# - [Apache TVM](tvm.ipynb), a compiler of the same kind with another history.
# - [MLIR's own introduction](https://mlir.llvm.org/).
