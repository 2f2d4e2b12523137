# %% [markdown]
# # Tool: ExecuTorch: what became of PyTorch Mobile
#
# **Minutes:** 10 · **Prerequisites:** [Optimization](../05_optimization.ipynb) · **Truth:** runs
#
# ## The need
#
# The meter readers' handheld device is an Android phone, and the model is a torch module. The lecture's slide
# has a tool with that name: *"PyTorch mobile: PyTorch on iOS and Android"*. Is it still the choice?
#
# ## You will learn
#
# - why PyTorch Mobile still converts a model and should not be used
# - what ExecuTorch hands to a library of fast kernels, and what it keeps
# - why a program that was converted may not load
# - to compare a phone's file with the reference, card by card

# %% [markdown]
# ## Where the model sits
#
# A *program* (`.pte`) is a list of calls. XNNPACK, a library for the processors of phones, gets those that it
# knows. ExecuTorch's runtime does the others with plain kernels.
#
# ```mermaid
# flowchart LR
# module[torch module] --> export[torch.export] --> lower[lowering]
# lower --> program([v2.pte]) --> runtime[runtime on the phone]
# runtime --> fast[XNNPACK]
# runtime --> plain[plain kernels]
# style program fill:#d55e00,color:#fff
# ```
#
# `FAST = False` reads more cards.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## PyTorch Mobile, as the lecture had it
#
# Its way was: trace the module, save it for the *lite interpreter*, load the file on the phone. All of this
# is still in torch, so no station is needed. We trace the network alone and keep the warnings.

# %%
import tempfile
import warnings
from pathlib import Path

import torch

from fsdl_deploy.targets import modules

folder = tempfile.TemporaryDirectory()
mobile_file = Path(folder.name) / "v2.ptl"
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", DeprecationWarning)
    traced = torch.jit.trace(modules.bare(), modules.example(148))
    traced._save_for_lite_interpreter(str(mobile_file))
print(f"{mobile_file.stat().st_size / 1000:.0f} kB")

# %% [markdown]
# It converts. The warnings say the rest:

# %%
for text in sorted({" ".join(str(warning.message).split()) for warning in caught}):
    print("-", text[:150])

# %% [markdown]
# [PyTorch's own page](https://docs.pytorch.org/tutorials/recipes/mobile_interpreter.html), last changed in
# November 2024, says *"PyTorch Mobile is no longer actively supported"* and sends its readers to
# [ExecuTorch](https://github.com/pytorch/executorch). The file still reads cards here:

# %%
from torch.jit.mobile import _load_for_lite_interpreter

from fsdl_deploy import OnnxReader
from fsdl_deploy.cards import cards
from fsdl_deploy.targets import reading_program

network = _load_for_lite_interpreter(str(mobile_file))
deck = list(cards(40 if FAST else 200, seed=77))
with torch.inference_mode():
    read = reading_program.bare(lambda ink: network(torch.from_numpy(ink)).numpy(), multiple=4)
    mobile = [read(card.image)[0] for card in deck]
folder.cleanup()
reference = [reading.digits for reading in OnnxReader("v2").read([card.image for card in deck])]
print(sum(a == b for a, b in zip(mobile, reference)), "of", len(deck), "as ONNX Runtime")

# %% [markdown]
# ## ExecuTorch in its station
#
# ExecuTorch exports with `torch.export` instead of a trace. Its packages live in a station, which borrows the
# torch of the lessons.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations

ensure("executorch")
print(f"{stations.station('executorch').mebibytes():,.0f} MiB without torch")

# %% [markdown]
# ## One conversion, looked at closely
#
# The whole reader takes a while to lower. A block of its network, with a sum behind it, is done sooner and
# shows the same. First the calls that `torch.export` wrote down, then what is left after lowering.

# %%
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.targets import program_text, programs
from fsdl_deploy.targets.catalogue import target

steps = programs.ask(target("executorch"), "lesson/steps.py", [], "operators", "missing")
rows = [
    [stage, ", ".join(f"{count} {name}" for name, count in calls.items())]
    for stage, calls in steps["operators"].items()
]
Table(["graph", "calls"], *rows)

# %% [markdown]
# The convolutions, their normalisation and the activations went into one call, `executorch_call_delegate`:
# XNNPACK runs them as one piece. The sums have stayed. A plain kernel does them, and it has to exist on the
# phone.
#
# The whole reader is lowered by the same two calls:

# %%
from IPython.display import Code

parts = [program_text.part(target("executorch"), name) for name in ("def lowered", "def program")]
Code("\n\n".join(parts), language="python")

# %% [markdown]
# `8 * Dim("columns")` says which sizes may change: the picture's columns, in steps of 8, which are 4 columns
# of ink. The convolutions halve the width twice, so a card is filled up with white to the next step.
#
# ## The same cards
#
# The program was built by `fsdl-deploy edge build executorch` and is kept in `models/edge`. It and the
# reference read the same cards, one by one, in turns. *time* is the median over the cards of a card's time
# there to its time in ONNX Runtime.

# %%
from fsdl_deploy.targets import comparing

comparisons = comparing.compare("executorch", 200 if FAST else 1000, rounds=1 if FAST else 3, turns=1)
comparing.table(comparisons)

# %% [markdown]
# A card that is read otherwise is worth a look:

# %%
for comparison in comparisons:
    print(f"{comparison.precision}: {len(comparison.differences)} cards read otherwise")
    for other in comparison.differences[:3]:
        print(f"  written {other.truth}: ONNX Runtime {other.reference}, ExecuTorch {other.target}")

# %% [markdown]
# ## int8
#
# torch has a way of its own to round a network, *PT2E*: a backend's quantizer says what it can compute in
# 8 bits, cards show the ranges, and the exported graph is rewritten.

# %%
Code(program_text.part(target("executorch"), "def quantized"), language="python")

# %% [markdown]
# Only the network can go this way. Rounded whole, with its preparation and decoding, our reader did not come
# through lowering: something was left for which XNNPACK has no kernel (version 1.5.1). So NumPy stands around
# the int8 file of the table above, and its time is that of both.

# %% [markdown]
# ## When it fails
#
# *It converts and does not load.* Our reader's decoding once used *scatter*, to find the best step of each
# digit. A module with nothing else went through the same conversion, and the runtime was asked to load it:

# %%
answer = steps["missing"]
print(f"converted: {answer['bytes']:,} bytes")
print("loading:  ", answer["error"] or "no error")

# %% [markdown]
# The conversion passed without a warning. The runtime has no kernel for `scatter_reduce`, and says so only
# as a number. Two cures exist: a kernel of your own in the app, or an algorithm of simpler operators. The
# course took the second: `best_path` compares and takes maxima, and runs in more runtimes for it.

# %% [markdown]
# ## Questions
#
# **Question:** A program loads and reads the card that it was exported with. What do you still not know?
#
# <details><summary>Answer</summary>
# Whether it reads cards of other widths, and whether it reads them as the reference does. The export was
# told which sizes may change, and only other cards show that this worked. So compare card by card, as above.
# </details>
#
# **Question:** Your next model has a layer that XNNPACK does not know. The conversion passes. What do you
# look at, and in which order?
#
# <details><summary>Answer</summary>
# First whether the program loads: the missing kernel of <em>When it fails</em> showed only there. Then the
# calls after lowering: what is not inside <code>executorch_call_delegate</code> is left to plain kernels.
# Then the time on the phone, because a plain kernel hurts only where much is computed.
# </details>
#
# **Question:** A colleague proposes PyTorch Mobile: its conversion passes, and the file reads our cards.
# What do you answer?
#
# <details><summary>Answer</summary>
# That nobody repairs it any more: its own page says that it is no longer supported, and phones go on
# changing. Its successor starts from the same torch module. So there is little to lose, and the same cards
# can be compared.
# </details>

# %% [markdown]
# ## Take-aways
#
# - PyTorch Mobile is ExecuTorch today. For a torch model on Android and iOS it is the direct way.
# - The whole reader runs, pictures in and digits out, with widths in steps.
# - *Converts is not runs*: load the program on the target, and ask it your cards.
#
# ## Where to go next
#
# - [ExecuTorch's guide to XNNPACK](https://docs.pytorch.org/executorch/stable/backends-xnnpack.html).
# - [The tour](../00_tour.ipynb) shows where this tool stands in the course.
