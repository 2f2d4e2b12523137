# %% [markdown]
# # Tool: Modular: Mojo and MAX, as far as they go
#
# **Minutes:** 10 · **Prerequisites:** [Optimization](../05_optimization.ipynb) · **Truth:** checked
#
# ## The need
#
# Every runtime so far wanted the model in another form. Modular promised one language and one compiler for
# all processors. Could the meter reader be written once, and be done?
#
# ## You will learn
#
# - what became of four names that the lecture tells you to watch
# - to write a layer of the network in Mojo, compile it and compare it with torch
# - what MAX's compiler does with a graph of ours, and where it stops
# - to give an attempt a time limit, and to report how far it came

# %% [markdown]
# ## Where the model sits
#
# Two ways into the same compiler: a program in Mojo, or a graph that Python builds for MAX.
#
# ```mermaid
# flowchart LR
#     weights(["v2's weights"]) --> mojo["program in Mojo"] --> compiler["MLIR,<br/>LLVM"]
#     weights --> network["graph for MAX"] --> compiler --> code["code for this processor"]
#     style weights fill:#d55e00,color:#fff
# ```
#
# With `FAST = False` MAX gets more time.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The claim
#
# *Keep paying attention to this space! There are a lot of startups like MLIR, OctoML, TinyML, and Modular
# that are aiming to solve some of these problems.* Two of the four are no startups. Dated 29 November 2026:
#
# - **MLIR** is a project of LLVM, alive, and the ground under [IREE](https://iree.dev/), XLA and Mojo
#   itself.
# - **TinyML** was a foundation: see [its notebook](tinyml.ipynb).
# - **OctoML** became OctoAI, and [NVIDIA bought it](https://en.wikipedia.org/wiki/OctoML) in September
#   2024; the service ended. Apache TVM, which its founders began, lives on without it.
# - **Modular** is alive. On 24 June 2026 Qualcomm announced that it [acquires the
#   company](https://www.modular.com/blog/qualcomm-to-acquire-modular). Its language, Mojo, has reached
#   version 1; its platform, MAX, is aimed at language models on GPUs.
#
# Both are packages like any other: no account, no GPU.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations

ensure("modular_max")
station = stations.station("modular_max")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## A layer in Mojo
#
# Mojo looks like Python and is compiled like C. The number of values that one instruction multiplies is
# part of a type, and the inner loop is unrolled while it is compiled. This is the network's last layer:

# %%
from IPython.display import Code

Code((station.folder / "head.mojo").read_text(), language="python")

# %% [markdown]
# Compile it. The build is that of every target of this course.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from fsdl_deploy.targets import building, catalogue

folder = TemporaryDirectory()
target = catalogue.target("modular_max")
program = building.build(target, Path(folder.name) / "built") / "head"
print(f"{program.stat().st_size / 1e3:,.0f} kB")

# %% [markdown]
# What goes into that layer of a card? Torch says so, by a hook on the layer before it.

# %%
from fsdl_deploy import TorchReader
from fsdl_deploy.cards import cards

(card,) = cards(1, "typical", seed=77)
reader = TorchReader("v2")
head, seen = reader.module.network.head, {}
head.register_forward_hook(lambda layer, inputs, output: seen.update(hidden=inputs[0][0], logits=output[0]))
reading = reader.read([card.image])[0]
arrays = [seen["hidden"], *(value.detach() for value in (head.weight, head.bias))]
file = Path(folder.name) / "layer.bin"
file.write_bytes(b"".join(array.contiguous().numpy().tobytes() for array in arrays))

# %% [markdown]
# And the program gets those arrays in a file, and prints logits.

# %%
import subprocess

import numpy as np

steps = len(seen["hidden"])
result = subprocess.run([program, file, str(steps)], capture_output=True, text=True, check=True)
logits = np.array([line.split() for line in result.stdout.splitlines()], np.float32)
print("largest difference to torch:", f"{np.abs(logits - seen['logits'].numpy()).max():.1g}")

# %% [markdown]
# Do they read the same digits? The decoder of the targets is plain NumPy.

# %%
from fsdl_deploy.targets import integers, plain

digits, confidence = plain.decode(integers.log_softmax(logits), steps)
print(f"written {card.truth}, torch {reading.digits}, last layer in Mojo {digits}")

# %% [markdown]
# One layer of ours is written by hand, as it was before there were frameworks. To write the others the same
# way would be a project. A graph for MAX should need less.
#
# ## A graph for MAX
#
# Python describes a graph, MAX compiles it for this processor. The same layer is one matrix product:

# %%
source = (station.folder / "graphs.py").read_text()
Code(source[source.index("def head") : source.index("def convolution")], language="python")

# %% [markdown]
# Nobody can interrupt a compilation, so it runs in a process of its own, which is ended when its time is
# over.

# %%
from fsdl_deploy.targets.programs import ask

answer = ask(target, "graphs.py", (), "head", 25 if FAST else 300)
print({name: value for name, value in answer.items() if name != "output"})

# %% [markdown]
# The whole network is in the same file: all its layers, whose convolutions are written as matrix products
# and sums of shifted pictures. It gets more time than a notebook has, so here is what was recorded of all
# three graphs.

# %%
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table

recorded = records.read(station.folder / "recorded.json")
print(recorded["date"], recorded["machine"])
rows = []
for attempt in recorded["attempts"]:
    refused = "; ".join(attempt.get("refused", []))[:60]
    rows.append([attempt["graph"], attempt.get("seconds"), attempt.get("ended_after"), refused])
Table(["graph", "compiled in (s)", "ended after (s)", "refused"], *rows, formats=["", ".0f", ".0f", ""])

# %% [markdown]
# A graph that was ended is neither a success nor a proof that it never will be. What the record says is
# that this network did not run in MAX here within the time in the table, and so no card was read with it:
# the notebook's truth is *checked*, for one layer.

# %% [markdown]
# ## When it fails
#
# *A convolution.* MAX has one, and with constant weights the compiler refuses its own rearranging of them:

# %%
answer = ask(target, "graphs.py", (), "convolution", 25 if FAST else 300)
print(answer.get("refused") or answer)
folder.cleanup()

# %% [markdown]
# That is no wrong use that a message would explain: where it comes to an end (see the record) the error
# says that an operation is *currently not supported*. MAX is made for language models, whose layers are
# matrix products. A small convolutional network on a processor is not where its makers look.

# %% [markdown]
# ## Questions
#
# **Question:** Which of the lecture's four names would you build on today for a device of your own?
#
# <details><summary>Answer</summary>
# MLIR, through a compiler that stands on it, such as IREE: it belongs to a foundation and is used by several
# firms. A single firm's language is a bet on that firm, and firms are sold.
# </details>
#
# **Question:** Why does the attempt run in a process of its own, and not in a thread?
#
# <details><summary>Answer</summary>
# A thread inside a compiler cannot be stopped from outside. A process can be ended, with all its memory, and
# the notebook goes on.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Mojo runs without an account and compiles in seconds; its answers are torch's.
# - MAX's compiler did not finish even one layer in the time that it had, and refuses a convolution with
#   constant weights.
# - "Watch this space" has a date. Look again before you repeat it.
#
# ## Where to go next
#
# - [TinyML](tinyml.ipynb): the opposite way, C that any compiler takes.
# - [Mojo's manual](https://docs.modular.com/mojo/manual/).
