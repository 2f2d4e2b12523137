# %% [markdown]
# # Tool: Apache TVM: one graph for many processors
#
# **Minutes:** 10 · **Prerequisites:** [Optimization](../05_optimization.ipynb) · **Truth:** runs
#
# ## The need
#
# Some meters will read themselves, others are read by phones or by a page. The lecture says of TVM: *"This is
# the choice for anyone trying to deploy to as diverse a number of settings as possible."* How diverse, and at
# what price?
#
# ## You will learn
#
# - what TVM's graph language says of a layer
# - to compile one block for four kinds of processors
# - why the width of a card becomes a fixed bucket
# - what an untuned compiler costs in time

# %% [markdown]
# ## Where the model sits
#
# TVM has two languages: *Relax* for the graph, and *TIR* for the loops of each operator. The loops become
# machine code by LLVM.
#
# ```mermaid
# flowchart LR
# module[torch module] --> relax[Relax, the graph] --> tir[TIR, loops] --> llvm[LLVM]
# llvm --> x86([x86-64])
# llvm --> arm([arm64])
# llvm --> other([RISC-V, WebAssembly])
# style x86 fill:#d55e00,color:#fff
# ```
#
# `FAST = False` reads more cards.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# TVM's compiler and runtime are one package. Its station borrows the torch of the lessons.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations

ensure("tvm")
print(f"{stations.station('tvm').mebibytes():,.0f} MiB without torch")

# %% [markdown]
# ## The graph
#
# A program of the station takes all steps of this notebook at once. The first: a convolution with its
# activation, imported from torch. Every size in it is a number.

# %%
from IPython.display import Code

from fsdl_deploy.targets import program_text, programs
from fsdl_deploy.targets.catalogue import target

steps = programs.ask(target("tvm"), "lesson/steps.py", [], "graph", "processors", "widths", "in_8_bits")
Code(steps["graph"]["relax"], language="python")

# %% [markdown]
# ## Four processors
#
# A target is a few words: the kind of compiler, the system, the processor.

# %%
Code(program_text.part(target("tvm"), "PROCESSORS"), language="python")

# %% [markdown]
# The same block of the network is compiled for each of them. The header of an object file names its
# processor. We read it there, because only the first processor is here: for the others this is *checked*,
# not *runs*.

# %%
from fsdl_deploy.measuring.table import Table

Table(["compiled for", "machine code of", "bytes"], *steps["processors"]["rows"], formats=["", "", ",d"])

# %% [markdown]
# ## The same cards
#
# The network of `v2` was compiled for x86-64 by `fsdl-deploy edge build tvm`, for ink of one width. A
# narrower card gets empty columns on its right. The preparation of the picture and the decoding are done in
# NumPy.

# %%
from fsdl_deploy.targets import comparing

comparisons = comparing.compare("tvm", 200 if FAST else 1000, rounds=1, turns=1)
comparing.table(comparisons)

# %% [markdown]
# The readings are the reference's; the time is not. TVM translated the loops as they are written, without a
# *schedule*: the order of the loops, and which of them become vector instructions. Its tuner tries thousands
# of schedules on the device and keeps the fastest, which takes hours and needs that device. No tuning was
# done here.
#
# TVM has no step that rounds a network to int8 either. Here is one layer whose weights are given as int8 with
# a scale for each output, beside the same layer in float32:

# %%
print("; ".join(f"weights given as {name}: {size:,} bytes" for name, size in steps["in_8_bits"].items()))

# %% [markdown]
# The compiler multiplies constants with constants before anything runs, and float32 is what it stores. So the
# file is as large as before: int8 that a compiler does not know as such saves nothing.
#
# ## TVM and OctoML
#
# The lecture also names OctoML, a company of TVM's authors. TVM itself belongs to the Apache Foundation, not
# to a company, and [goes on releasing](https://github.com/apache/tvm/releases) (state: November 2026).
#
# ## When it fails
#
# *A width that is left open.* `torch.export` writes the number of columns as `4 * k`. A block of the network
# is imported with it, and then compiled:

# %%
print("imported:", steps["widths"]["imported"])
print("compiled:", steps["widths"]["message"] or "without an error")

# %% [markdown]
# The importer takes the open width, the compiler does not: it cannot find `k` from a size that is `4 * k`.
# So each width is a compiled graph of its own, and a card is filled up to the next *bucket*. One bucket makes
# every card cost as much as the widest. A card wider than the widest bucket is not read at all:

# %%
from fsdl_deploy.targets import plain

try:
    plain.bucket(400, (276,))
except ValueError as problem:
    print(problem)

# %% [markdown]
# ## Questions
#
# **Question:** You have no arm64 board at hand. What can you do for it today, and what has to wait?
#
# <details><summary>Answer</summary>
# You can compile: a description of the processor is enough, and the object file is in its machine code.
# Running and tuning have to wait. The tuner measures on the device itself, and without it the code is slow.
# </details>
#
# **Question:** When are several buckets better than one?
#
# <details><summary>Answer</summary>
# When most cards are much narrower than the widest, because with one bucket each of them costs as much as
# that. Each bucket costs a copy of the code, and of the weights where they are not shared.
# </details>
#
# **Question:** Your reader has to run on two kinds of phones and in one kind of meter. What would you
# compare before you choose one compiler for all three?
#
# <details><summary>Answer</summary>
# The time of the untuned code beside that of a runtime made for each device, as the table does here for
# this processor. Add the work: tuning needs each device for hours, three runtimes need three builds and
# three comparisons. TVM is worth most where no runtime exists for a processor.
# </details>

# %% [markdown]
# ## Take-aways
#
# - TVM compiles for very different processors from one graph.
# - Without tuning its code is correct and slow.
# - Fixed widths mean buckets, and a widest card.
#
# ## Where to go next
#
# - [IREE](iree.ipynb), a compiler that leaves the width open.
# - [TVM's documentation](https://tvm.apache.org/docs/).
