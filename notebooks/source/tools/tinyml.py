# %% [markdown]
# # Tool: TinyML: LiteRT for Microcontrollers, and bare metal
#
# **Minutes:** 15 · **Prerequisites:** [Optimization](../05_optimization.ipynb) · **Truth:** runs
#
# ## The need
#
# A small camera clipped onto the meter would need nobody to write a card. It runs from a battery for years,
# so its computer is a microcontroller: no operating system, and memory counted in kilobytes.
#
# ## You will learn
#
# - what an int8 network file has in it, and why a microcontroller wants nothing else
# - to find out how much memory a network needs, by trying
# - to turn a network into C, compile it for an ARM Cortex-M and run it on an emulated board
# - to compare what the device reads with what this machine reads, to the last bit
# - why a file that loads may still read nothing

# %% [markdown]
# ## Where the model sits
#
# The board is emulated, instruction by instruction; all else runs as it would on the device. One int8 file,
# and two ways to run it: an interpreter that reads the file on the device, or C that was made from it
# beforehand.
#
# ```mermaid
# flowchart LR
#     model(["v2, int8"]) --> interpreter["interpreter:<br/>LiteRT for Microcontrollers"]
#     model --> c["C: weights as arrays,<br/>layers as calls"] --> board["Cortex-M4 on QEMU's board"]
#     interpreter --> digits["digits"]
#     board --> digits
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means more cards.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The claim
#
# The lecture says of the space: *There are a lot of startups like MLIR, OctoML, TinyML, and Modular that
# are aiming to solve some of these problems.* TinyML was no startup but a movement with a foundation, which
# since November 2024 calls itself [Edge AI Foundation](https://www.edgeaifoundation.org/). Its main
# runtime, TensorFlow Lite for Microcontrollers, is alive (29 November 2026): it belongs to
# [LiteRT](https://ai.google.dev/edge/litert/microcontrollers/overview) and is published a build a night,
# without [numbered releases](https://github.com/tensorflow/tflite-micro/releases).
#
# The station has that runtime, compiled for this machine, a compiler, and QEMU, which emulates an ARM
# board.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.running import stations

figures.use()
ensure("tinyml")
station = stations.station("tinyml")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## One int8 file
#
# `infra/edge/tinyml/build.py` makes the file from `v2` in torch. It does three things that no other target of
# this course needs. It fixes the width: shorter cards get paper on their right. It makes weights *and* all
# that flows between layers int8. And it ends the network before its last step, a logarithm: the digit of a
# step is where the number is largest, with or without it.

# %%
from IPython.display import Code

program = (station.folder / "build.py").read_text()
Code(program[program.index("def logits") : program.index("def main")], language="python")

# %% [markdown]
# What is in the int8 file: each value is an integer, less the integer that stands for zero, times a
# scale. The first operators are:

# %%
from fsdl_deploy.targets import building, catalogue, comparing
from fsdl_deploy.targets.programs import ask

target, board = catalogue.target("tinyml"), catalogue.target("cortex_m")
model_file = building.artifact(target, target.variant("int8"))
network = ask(board, "network_file.py", (), model_file)
rows = [[row["name"], *row["shapes"], row["scale"], row["zero"]] for row in network["operators"][:8]]
Table(["operator", "in", "out", "scale of the output", "its zero"], *rows, formats=["", "", "", ".3g"])

# %% [markdown]
# ## How much memory?
#
# A microcontroller gives the interpreter one array, the *arena*, for all that it needs while it runs.
# Nobody can read its size off the file. So we try: halve the range, until an arena runs and one `16` bytes
# smaller does not.

# %%
arena = ask(target, "arena.py", (), model_file)
print(f"runs in {arena['smallest']:,} bytes; the file itself, in flash: {model_file.stat().st_size:,}")
print(arena["allocations"])

# %% [markdown]
# "head" is what the layers share: the largest input, output and padded copy that must exist at one moment.
# "tail" stays: what the interpreter notes of each tensor and operator. Each dot is an arena that ran, each
# cross one that was refused.

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 2.8))
for runs, name, colour in ((True, "runs", "C0"), (False, "refused", "C1")):
    tries = [(place, size / 1024) for place, (size, ran) in enumerate(arena["tried"], 1) if ran is runs]
    axes.plot(*zip(*tries), "o" if runs else "x", color=colour, label=name)
axes.axhline(arena["smallest"] / 1024, color="0.5", linewidth=1)
axes.set(xlabel="try", ylabel="arena (KiB)", yscale="log")
axes.legend()
figures.show(
    figure, alt=f"Halving the range ends at {arena['smallest'] / 1024:.0f} KiB, the least that runs."
)

# %% [markdown]
# ## Does it read?
#
# A conversion that passes proves nothing. So the same cards go to the published reader in ONNX Runtime and
# to the interpreter. The interpreter's kernels are written for clarity and for ARM, so its time on this
# machine says little.

# %%
cards = 20 if FAST else 200
comparisons = comparing.compare("tinyml", cards, rounds=1, turns=1)
comparing.table(comparisons)

# %% [markdown]
# int8 rounds, so a card that the model was unsure of may turn out otherwise. How many do on more cards
# stands in the record, with its interval:

# %%
from fsdl_deploy.targets import record

for row in record.read()["tinyml"]["rows"]:
    low, high = row["same_interval"]
    print(
        f"{row['precision']}: {row['same']} of {row['cards']} the same, 95 % interval {low:.1%} to {high:.1%}"
    )

# %% [markdown]
# ## The same network as C
#
# An interpreter costs flash, and memory for its notes. The other way is to leave it out: a program reads
# the file here, writes its weights as constant arrays, plans the arena, and writes a call for each
# operator. All arithmetic is on integers. This is a convolution:

# %%
kernels = (board.folder / "firmware/kernels.c").read_text()
Code(kernels[kernels.index("static int32_t scaled") : kernels.index("void convolve_depthwise")], language="c")

# %% [markdown]
# A scale is a real number below one, and the device has none: it is an integer of 31 bits and a shift.
# Next, the whole is generated, compiled for a Cortex-M4 and booted on QEMU's board. The cards lie in the
# board's memory, where a camera would put them; readings come out by *semihosting*, a debugger's way to
# print.

# %%
from fsdl_deploy.cards import cards as draw_cards

deck = list(draw_cards(3 if FAST else 20, "typical", seed=77))
images = [card.image for card in deck]
firmware = ask(board, "try_board.py", images)
Code(firmware["calls"], language="c")

# %% [markdown]
# That is the whole network: the numbers after `arena` are the places that the generator planned. What it
# takes:

# %%
rows = [
    ["interpreter: file and arena", model_file.stat().st_size / 1024, arena["smallest"] / 1024],
    ["C: all of the program", firmware["flash"] / 1024, firmware["ram"] / 1024],
]
notes = ["The interpreter's own program comes on top of the first row; the second has everything."]
Table(["", "flash (KiB)", "RAM (KiB)"], *rows, formats=["", ",.0f", ",.0f"], notes=notes)

# %% [markdown]
# And what it reads. "same bits" compares all logits with those of the interpreter on this machine: int8 has
# no rounding that a compiler may do in another order, so they must be equal.

# %%
rows = [
    [card.truth, read["digits"], read["same"], read["instructions"] / 1e6]
    for card, read in zip(deck, firmware["cards"])
]
Table(
    ["written", "read on the board", "same bits", "million instructions"], *rows, formats=["", "", "", ",.0f"]
)

# %% [markdown]
# QEMU counts instructions, not cycles: a real board takes longer, since flash and memory make it wait. How
# long at best, at `168 MHz` and one instruction a cycle, and how far are our loops from the one instruction
# that a multiplication needs?

# %%
from fsdl_deploy import weights
from fsdl_deploy.models import multiply_adds

work = multiply_adds(weights.load("v2").network, network["columns"] - 36)
instructions = firmware["cards"][0]["instructions"]
print(f"at least {instructions / 168e6:.1f} s a card; {instructions / work:.1f} instructions a multiply-add")

# %% [markdown]
# ARM's own library, [CMSIS-NN](https://github.com/ARM-software/CMSIS-NN), multiplies two pairs at a time,
# with instructions that plain C has no word for. That is what a product would link in place of `kernels.c`.

# %% [markdown]
# ## When it fails
#
# *Too little memory.* On a board with half the RAM the linker refuses, with the number of bytes: before
# anything is shipped. The interpreter would have noticed on the device.

# %%
refused = ask(board, "try_board.py", images, "--ram", "128K")
print("\n".join(refused["refused"]))

# %% [markdown]
# *A file that loads and reads nothing.* The format allows weights to lie behind the table, for very large
# files, and converters have written small ones so. The interpreter for microcontrollers does not know those
# two fields. It finds every weight empty, and says nothing.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

with TemporaryDirectory() as folder:
    trap = Path(folder) / "external.tflite"
    ask(target, "external.py", (), model_file, trap)
    print(ask(target, "read_json.py", images, trap)["readings"])

# %% [markdown]
# No error, no digits. Only cards read on the target show it. That is why every target of this course is
# asked the same cards as the reference.

# %% [markdown]
# ## Questions
#
# **Question:** The server wants a confidence with each reading, but the network on the device ends before
# its logarithm. What do you send?
#
# <details><summary>Answer</summary>
# The logits. The digit of a step is where the logit is largest, with the logarithm or without, so the device
# does not need it. In int8 it would cost precision, and its exponentials need floats. The server has floats,
# and computes the confidence from the logits.
# </details>
#
# **Question:** The file takes `292` columns: `256` of ink, and a margin of `36` empty ones, as many as the
# network sees to its side. A card with `300` columns of ink arrives. What now?
#
# <details><summary>Answer</summary>
# It does not fit: <code>plain.bucket</code> raises an error that names the widths. A device with a fixed
# camera has one width; one that takes any picture needs a second file for wide ones, or sends those to the
# server.
# </details>
#
# **Question:** Your tests compare float32 readings of two runtimes with a tolerance. Why may the test of the
# board ask for equal bits?
#
# <details><summary>Answer</summary>
# Sums of integers are exact in every order, and the roundings after them are written down. Sums of floats
# depend on the order, which every library chooses for itself. So here a single bit that differs is a mistake
# in the program.
# </details>

# %% [markdown]
# ## Take-aways
#
# - The line reader fits a microcontroller of the middle class. int8 makes it possible, one width is the
#   price.
# - How much memory a network needs is measured; a linker says it before anything is shipped.
# - Integers can be compared to the last bit: use that.
# - A file that loads proves nothing.
#
# ## Where to go next
#
# - [Optimization](../05_optimization.ipynb): what int8 costs in accuracy.
# - [CMSIS-NN](https://github.com/ARM-software/CMSIS-NN) and
#   [emlearn](https://emlearn.readthedocs.io/), which makes C of classical models.
