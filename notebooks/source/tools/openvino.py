# %% [markdown]
# # Tool: OpenVINO: Intel's runtime, and what a new width costs
#
# **Minutes:** 10 · **Prerequisites:** [Packaging](../04_packaging.ipynb) · **Truth:** runs
#
# ## The need
#
# Some meter readers carry a tablet with an Intel processor, and the utility's branch offices have small boxes
# with one. OpenVINO is the maker's own runtime for such devices. Does it read our cards as ONNX Runtime does,
# and is it faster there?
#
# ## You will learn
#
# - what the *intermediate representation* is, and that it is made without torch
# - what it costs to leave the width of a picture open
# - to let NNCF quantize the network, and nothing around it
# - why the precision of a calculation is a setting of the device

# %% [markdown]
# ## Where the model sits
#
# OpenVINO reads the ONNX file itself. Its own two files, made once, load without that step.
#
# ```mermaid
# flowchart LR
#     onnx(["v2.onnx"]) --> convert["convert_model"] --> ir(["v2.xml, v2.bin"]) --> device["The device"]
#     convert --> nncf["NNCF, 128 cards"] --> small(["v2-int8"]) --> device
#     style onnx fill:#d55e00,color:#fff
#     style ir fill:#d55e00,color:#fff
#     style small fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# The runtime and the quantizer live in a station, without torch: both work on the ONNX file.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations
from fsdl_deploy.targets import catalogue

figures.use()
ensure("openvino")
station, target = stations.station("openvino"), catalogue.target("openvino")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## Convert and quantize
#
# The program that the station runs is short. `convert_model` takes the ONNX file, `save_model` writes the
# graph as XML and the weights beside it, and NNCF (Neural Network Compression Framework) makes int8 of the
# same model.

# %%
from IPython.display import Code

program = (target.folder / "build.py").read_text()
Code(program[program.index("def main") : program.index("def quantized")], language="python")

# %% [markdown]
# Our graph is more than a network: it resizes the picture at its beginning and decodes the digits at its end.
# NNCF would quantize those too. So it is given the names of all operations outside the network, to leave as
# they are.

# %%
Code(program[program.index("def quantized") : program.index("if __name__")], language="python")

# %% [markdown]
# Run it. It ends well for all three files; whether they *read* is another question.

# %%
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.targets import building

building.build(target)
rows = [
    [name, (target.artifacts / name).stat().st_size] for v in target.variants.values() for name in v.files
]
Table(["file", "bytes"], *rows, formats=["", ",d"])

# %% [markdown]
# The `.bin` files are the weights: half as many bytes in float16, about a quarter in int8. The `.xml` files
# are text, and compress well.
#
# ## The same cards
#
# Each file is asked the same cards as `OnnxReader("v2")`, card by card and on one thread, in turns with it.
# *Time* is the ratio of the two.

# %%
from fsdl_deploy.targets import comparing

compared = comparing.compare("openvino", 200, rounds=2 if FAST else 5, turns=1 if FAST else 3)
comparing.table(compared)

# %% [markdown]
# float32 and float16 give the same digits. float16 is only how the weights are stored: on this processor they
# become float32 again when the model is loaded, and the confidence moves a little. The rounding of int8
# changes a few readings, some to the better:

# %%
int8 = next(row for row in compared if row.precision == "int8")
rows = [[card.card, card.truth, card.reference, card.target] for card in int8.differences]
Table(["card", "written", "float32", "int8"], *rows)

# %% [markdown]
# And it is slower than ONNX Runtime, in every precision. Our network is small, and the graph around it has
# many small operations on shapes that are known only when a card arrives. What does that cost?
#
# ## The price of a new width
#
# The graph leaves the width open, and OpenVINO accepts that: no buckets, no padding. But it compiles parts of
# the graph for the shapes that it sees. A program of the station reads all cards twice and notes both times.

# %%
from fsdl_deploy.cards import cards
from fsdl_deploy.targets import programs

images = [card.image for card in cards(100 if FAST else 400, seed=9)]
rows = programs.ask(target, "widths.py", images, target.artifacts / "v2.xml")
seen, new, known = set(), [], []
for row in rows:
    (known if row["width"] in seen else new).append(1000 * row["first"])
    seen.add(row["width"])
again = [1000 * row["again"] for row in rows]
print(f"{len(new)} of {len(rows)} cards have a width that no card before them had")

# %% [markdown]
# Three kinds of readings: the first card of a width, another card of a width that was there, and all cards
# once more.

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 3))
names = ["first of its width", "width known", "all again"]
axes.boxplot([new, known, again], tick_labels=names, showfliers=False, orientation="horizontal")
axes.set(xlabel="time of a card (ms)", ylabel="reading")
axes.set_xlim(left=0)
axes.invert_yaxis()
figures.show(figure, alt="The first card of each width takes longer than later cards")

# %% [markdown]
# How many times as long, at the median?

# %%
import numpy as np

ratio = np.median(new) / np.median(known)
print(f"a new width takes {ratio:.1f} times as long as a known one (medians)")

# %% [markdown]
# So "any width" has a price that shows on the first cards of a device, and not in a loop over the same card.
# Where it matters, pad cards to a few widths, or read one card of each width at start-up.
#
# ## When it fails
#
# *The device chooses the precision.* On processors with bfloat16 instructions OpenVINO computes in bfloat16
# unless the hint `INFERENCE_PRECISION_HINT` says otherwise. The file is the same, the readings need not be.
# Our `read.py` sets the hint to float32. What would OpenVINO choose on this machine?

# %%
precision = programs.ask(target, "precision.py", [], target.artifacts / "v2.xml")
print(f"chosen: {precision['chosen']}; possible: {', '.join(precision['possible'])}")

# %% [markdown]
# Without `BF16` among the possible ones, float32 is chosen and the hint changes nothing. Test on the device
# that your customers have, not on one like it.
#
# *A damaged file.* OpenVINO does not sum up its files. `fsdl_deploy` does, and refuses weights with one byte
# changed:

# %% tags=["nbval-check-output"]
import shutil
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as temporary:
    copy = Path(shutil.copytree(target.artifacts, Path(temporary) / "copy"))
    data = bytearray((copy / "v2.bin").read_bytes())
    data[1000] ^= 1
    (copy / "v2.bin").write_bytes(data)
    try:
        building.artifact(target, target.variant("float32"), copy)
    except catalogue.TargetError as error:
        print(str(error).replace(str(copy), "").split(":")[0])

# %% [markdown]
# ## Questions
#
# **Question:** A colleague measures OpenVINO with one card, a thousand times, and finds it as fast as ONNX
# Runtime. What is missing?
#
# <details><summary>Answer</summary>
# Cards of other widths. A card that has been read before costs what a known width costs; a customer's card is
# often the first of its width on that device.
# </details>
#
# **Question:** NNCF reports that the quantization succeeded. What do you do before you ship the file?
#
# <details><summary>Answer</summary>
# Read a thousand cards with it, on the device, and count the readings that changed and how many of those are
# worse. Success means that a file was written.
# </details>
#
# **Question:** A branch office gets a newer box. The file is the same byte for byte, yet a few readings
# differ from those of the old box. What do you check?
#
# <details><summary>Answer</summary>
# Which precision OpenVINO chose on each. A newer processor may have bfloat16 instructions, and without a hint
# they are used. Set the hint to float32, then compare again.
# </details>

# %% [markdown]
# ## Take-aways
#
# - OpenVINO reads the whole graph of `v2` as it is, with any width.
# - An open width is paid for at each new width.
# - Quantize the network, and leave what stands around it alone.
# - The maker's runtime is not always the faster one: measure with your model.
#
# ## Where to go next
#
# - [Optimum and Neural Compressor](quantization.ipynb): other tools for int8.
# - [OpenVINO's documentation](https://docs.openvino.ai/).
