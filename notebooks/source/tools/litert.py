# %% [markdown]
# # Tool: LiteRT: TensorFlow Lite, without TensorFlow
#
# **Minutes:** 15 · **Prerequisites:** [Packaging](../04_packaging.ipynb) · **Truth:** runs
#
# ## The need
#
# The reader must work on any phone, and later in the meter itself. The lecture's answer is TFLite; its name
# is LiteRT since 2024. Its runtime is small, and the same file runs on phones, in browsers and on
# microcontrollers. But it wants to know the width of every picture beforehand, and our cards have many.
#
# ## You will learn
#
# - to turn a torch module into a `.tflite` file, with no TensorFlow anywhere
# - to serve open widths with a few fixed ones: *buckets*, and what they cost
# - that a margin makes padding harmless
# - static and dynamic int8, by their readings, bytes and time
# - to run the same files in a browser, and which of them it refuses

# %% [markdown]
# ## Where the model sits
#
# Conversion and runtime are two stations. Only the second one is on the device.
#
# ```mermaid
# flowchart LR
#     torch(["v2 in torch"]) --> converter["litert-torch"] --> file(["v2.tflite"]) --> device["The device"]
#     file --> quantizer["quantizer, 128 cards"] --> small(["v2-int8.tflite"]) --> device
#     style torch fill:#d55e00,color:#fff
#     style file fill:#d55e00,color:#fff
#     style small fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## What the lecture says
#
# Its slide shows two steps: "Convert a TensorFlow model into a compressed flat buffer with the TensorFlow
# Lite Converter", then "Take the compressed .tflite file and load it into a mobile or embedded device". The
# second still holds. The first has changed: our model was never in TensorFlow.
#
# The station of this notebook has the runtime alone, as a device has it. The first line below says what comes
# new to a disk that has the course's other environments, the second how large the whole environment is: files
# that several of them have lie on the disk once.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations
from fsdl_deploy.targets import catalogue

figures.use()
ensure("litert")
target = catalogue.target("litert")
device = stations.station("litert")
print(f"{device.purpose}: {device.mebibytes():,.0f} MiB, most of it NumPy and the runtime")

# %% [markdown]
# Is TensorFlow in it, or torch?

# %% tags=["nbval-check-output"]
packages = sorted(path.name for path in device.site.iterdir() if path.is_dir())
print([name for name in packages if name in ("tensorflow", "torch", "jax")])

# %% [markdown]
# ## The conversion
#
# This runs in the other station, which has torch and the converter, and takes longer than a notebook has. So
# `fsdl-deploy edge build litert` did it once, and the files are kept in `models/edge`. For each width there
# is a *signature*: an entry to the same network.

# %%
from IPython.display import Code

program = (target.folder / "build.py").read_text()
Code(program[program.index("def main") : program.index("def calibration")], language="python")

# %% [markdown]
# The kept files belong to exactly these sources. `outdated` compares a hash of the weights, the model's
# modules, the program above and the lock of its station.

# %% tags=["nbval-check-output"]
from fsdl_deploy.targets import building

print(building.outdated(target) or "up to date")
print(*(name for variant in target.variants.values() for name in variant.files))

# %% [markdown]
# ## Buckets
#
# A `.tflite` file has fixed sizes. The network's input is *ink*: a card resized to a height of 32, with 36
# empty columns behind it, as many as the network sees to its side. How wide is the ink of our cards?

# %%
import matplotlib.pyplot as plt

from fsdl_deploy.cards import cards
from fsdl_deploy.targets import plain

columns = [plain.columns(card.image) + plain.MARGIN for card in cards(400, seed=3)]
figure, axes = plt.subplots(figsize=(7, 2.8))
axes.hist(columns, bins=range(90, 290, 8), color=figures.PALETTE[5])
for width in target.buckets:
    axes.axvline(width, color=figures.PALETTE[1])
axes.set(xlabel="columns of ink, with the margin", ylabel="cards")
figures.show(
    figure, alt="Widths of the cards' ink, and the three buckets: each card goes into the next on its right"
)

# %% [markdown]
# Each card is filled up to the next line on its right. The empty columns are computed too, and the answers
# for them are thrown away: that is what a bucket costs.

# %%
import numpy as np

filled = [plain.bucket(width, target.buckets) for width in columns]
widest = target.buckets[-1]
print(f"three buckets: {np.sum(filled) / np.sum(columns) - 1:.0%} more columns than the cards have")
print(f"the widest alone: {len(columns) * widest / np.sum(columns) - 1:.0%} more")

# %% [markdown]
# What does another signature cost in bytes? The weights are stored once, whatever the number of signatures.

# %%
from fsdl_deploy import weights

file = target.artifacts / "v2.tflite"
network = weights.load("v2").network
in_weights = 4 * sum(parameter.numel() for parameter in network.parameters())
print(f"{file.stat().st_size:,} bytes with {len(target.buckets)} signatures; the weights: {in_weights:,}")

# %% [markdown]
# ## The same cards
#
# *Converts is not runs*: each file is asked the same cards as `OnnxReader("v2")`, card by card and on one
# thread, in turns with it. *Time* is the ratio of the two. `float32-whole` takes pictures and gives digits;
# the others are the network alone, with NumPy around it.

# %%
from fsdl_deploy.targets import comparing

compared = comparing.compare("litert", 200, rounds=3 if FAST else 10, turns=1 if FAST else 3)
comparing.table(compared)

# %% [markdown]
# Both float32 files read every card as the reference does, also where a card was filled up. The whole reader
# is the largest file: with a fixed size the tables that resize a picture become constants of its graph.
#
# Static int8 has ranges from 128 cards, and computes in integers. Dynamic int8 has only its weights in int8
# and measures ranges at each call. Which readings changed?

# %%
from fsdl_deploy.measuring.table import Table

rows = [
    [row.precision, card.card, card.truth, card.reference, card.target]
    for row in compared
    for card in row.differences
]
Table(["", "card", "written", "float32", "this file"], *rows)

# %% [markdown]
# ## Where the time goes
#
# *Time* above is that of a whole reading. For the three files of the network, NumPy's part of it is in there
# too. A program of the station takes it apart, on cards in turns.

# %%
from fsdl_deploy.targets import programs

images = [card.image for card in cards(20 if FAST else 200, seed=9)]
files = [target.artifacts / f"{name}.tflite" for name in ("v2", "v2-int8", "v2-int8-dynamic")]
took = programs.ask(target, "times.py", images, 5 if FAST else 20, *files)

# %% [markdown]
# NumPy makes the ink and decodes the answer; between them one of the files does its work.

# %%
figure, axes = plt.subplots(figsize=(7, 2.8))
names = ["NumPy: ink", "NumPy: decoding", "network, float32", "network, int8", "network, int8-dynamic"]
axes.barh(names, [seconds / took["v2.tflite"] for seconds in took.values()], color=figures.PALETTE[0])
axes.set(xlabel="time (ratio to the network in float32)", ylabel="part of a reading")
axes.invert_yaxis()
figures.show(figure, alt="NumPy's part is of the size of the network's; dynamic int8 is the slowest network")

# %% [markdown]
# So around a network this small, the code that prepares and decodes is worth the same attention as the
# network. And int8 is no promise of speed: dynamic int8 is slower than float32, since it measures ranges at
# each call.
#
# ## What is compressed
#
# The lecture calls the file compressed. A flat buffer is not: it is read in place, without unpacking. What
# makes ours smaller is int8, and `gzip` on the way to the device.

# %%
figure, axes = plt.subplots(figsize=(7, 2.8))
names = [row.precision for row in compared]
sizes = [[size / 1000 for size in (row.size, row.gzip_size)] for row in compared]
axes.barh(names, [size for size, _ in sizes], color=figures.PALETTE[5], label="file")
axes.barh(names, [size for _, size in sizes], height=0.4, color=figures.PALETTE[0], label="gzip")
axes.set(xlabel="size (kB)", ylabel="file")
axes.legend()
axes.invert_yaxis()
figures.show(figure, alt="Sizes of the four files: the whole reader is the largest, int8 the smallest")

# %% [markdown]
# ## The same files in a page
#
# LiteRT has a form for browsers, LiteRT.js. It needs no other conversion: a page opens the file that the
# phone has. It comes from npm, with the station `node`; besides that it needs a Chromium or Chrome. The first
# line says what a page must load before it can read.

# %%
ensure("node")
page = catalogue.target("litert_js")
files = [target.artifacts / name for name in ("v2.tflite", "v2-int8.tflite")]
opened = programs.ask(page, "opened.py", [], *files)
wasm, outside = opened["wasm"], [url for url in opened["asked"] if "//reader.example/" not in url]
print(f"the runtime: {wasm['bytes'] / 1e6:.1f} MB of WebAssembly, {wasm['gzip'] / 1e6:.1f} MB through gzip")
print(f"the page asked for {len(opened['asked'])} files, {len(outside)} of them from somewhere else")
Table(["file", "inputs", "what LiteRT.js says"],
      *([row["file"], row.get("takes"), row.get("says")] for row in opened["files"]))  # fmt: skip

# %% [markdown]
# One format is not one set of features: the page does not open the static int8 file, whose inputs are
# integers of 8 bits. The others read the same cards. Preparation and decoding are done in NumPy here, too,
# and the way of a picture to the browser is not counted, since an app has it there.

# %%
building.build(page)  # the phone's files, where a page is asked for them
in_page = comparing.compare("litert_js", 40 if FAST else 200, rounds=1 if FAST else 3, turns=1)
comparing.table(in_page)

# %% [markdown]
# The readings are the phone's. The price is speed, and the size of the runtime: one that has every operator,
# as [ONNX Runtime's](onnxruntime_web.ipynb). Which of the two a page takes is decided by the file it has.
#
# ## When it fails
#
# *A card wider than the widest bucket*, here two cards in one picture. A reader with buckets has to say so,
# or cut the card, which would read a wrong number. Ours says so.

# %% tags=["nbval-check-output"]
wide = np.hstack([card.image for card in cards(2, seed=3)])
try:
    plain.bucket(plain.columns(wide) + plain.MARGIN, target.buckets)
except ValueError as error:
    print(error)

# %% [markdown]
# *Another width than the file's.* The runtime has a function to resize an input. The file's graph was
# computed for one width, so asking for twenty columns more ends with an error, and not with a reading. A
# program of the station tries it, and lists what a program on the device sees of each file.

# %%
files = [target.artifacts / name for name in ("v2.tflite", "v2-int8.tflite", "v2-whole.tflite")]
answer = programs.ask(target, "signatures.py", [], *files)
rows = [
    [row["file"], row["signature"], row["input"], row["shape"], row["type"]] for row in answer["signatures"]
]
print(answer["resized"])
Table(["file", "signature", "input", "shape", "type"], *rows)

# %% [markdown]
# *Types change on the way.* In torch a card's width is an int64, and the ink is float32. The converter made
# the width an int32, and the static int8 file wants its ink as int8, with a scale that the file names. The
# names of the inputs are gone, too. A program that goes by the torch module fails:

# %% tags=["nbval-check-output"]
print(answer["int64"])

# %% [markdown]
# ## Questions
#
# **Question:** You add seven buckets more. What becomes better, and what worse?
#
# <details><summary>Answer</summary>
# Fewer empty columns are computed. The file grows a little for each signature, and so do the memory for its
# tensors on the device and the time of the conversion.
# </details>
#
# **Question:** Dynamic int8 has the smaller file, and static int8 the shorter time. Which do you ship?
#
# <details><summary>Answer</summary>
# Ask what the device lacks. On a microcontroller without floating point only static int8 is possible. On a
# phone with room for both, neither may be worth a changed reading. Decide on the device, with your cards.
# </details>
#
# **Question:** About once a month a card is wider than the widest bucket. Do you cut it, shrink it, or
# refuse it?
#
# <details><summary>Answer</summary>
# Not cut: that reads a wrong number, without an error. A refusal that names the widths, as above, lets the
# app send the card to a server or ask for another picture. Shrinking makes digits narrower than the model
# knows them, so count such cards first. If they become common, add a bucket.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A torch module becomes a `.tflite` file without TensorFlow.
# - Fixed widths need buckets; signatures share the weights.
# - Inputs change their names and types in a conversion: look before you write the app.
# - Parity first, then bytes and time.
#
# ## Where to go next
#
# - [ONNX Runtime on a phone](onnxruntime_mobile.ipynb): a target with open widths.
# - [LiteRT's documentation](https://ai.google.dev/edge/litert).
