# %% [markdown]
# # Packaging: the same answer everywhere
#
# **Minutes:** 45 · **Prerequisites:** [The model service](03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# In the notebook the model reads {{right(v2, typical):.0%}} of the typical cards. On the server it must do
# the same, next week too, even on a server that somebody else set up two years ago. *It works on my machine*
# is no answer to a customer with a wrong bill.
#
# ## You will learn
#
# - the three things that a prediction depends on: code, weights, dependencies, each changed alone
# - to catch a wrong weights file, and to find the line that means something else to a new version of a
#   library
# - strategy one: ONNX, a file format for networks, constrains the model's dependencies. The promise, and
#   three ways in which it breaks
# - a parity test: the check that a translated model needs
# - strategy two: a container constrains the whole program, and what each strategy leaves open

# %% [markdown]
# ## Where the model sits
#
# Between a picture and its reading stand three things. All of them must be on the server, the same as in the
# notebook. `v2.onnx` is the model as a file; what runs it is called ONNX Runtime.
#
# ```mermaid
# flowchart LR
#     picture["Picture"] --> code["Code<br/>decode, whiten, shrink"] --> model(["Weights<br/>v2.onnx"])
#     model --> reading["Reading"]
#     subgraph dependencies["Dependencies: Python, NumPy, Pillow, ONNX Runtime, ..."]
#         code
#         model
#     end
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = True` reads a few hundred cards; set `FAST = False` for more of them and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# All files go to a temporary folder.

# %%
import re
import tempfile
from pathlib import Path

workplace = tempfile.TemporaryDirectory()  # removed when the kernel ends
here = Path(workplace.name)

# %% [markdown]
# The cards are typical ones, and we know what stands on each.

# %%
from fsdl_deploy import figures
from fsdl_deploy.cards import cards

figures.use()
measured = {}  # what the lecture's sentences at the end are judged by
deck = list(cards(300 if FAST else 2000, level="typical", split="test", seed=4))
truths = [card.truth for card in deck]

# %% [markdown]
# They are stored as phones send them: JPEG. Everything below reads these files.

# %%
from fsdl_deploy.picture import encode

inbox = here / "inbox"
inbox.mkdir()
for place, card in enumerate(deck):
    (inbox / f"{place:04}.jpg").write_bytes(encode(card.image, quality=85))

# %% [markdown]
# ## Two environments
#
# This notebook's environment is the **core**. The station **older** is an environment of its own, with the
# packages that a server had in the spring of 2024. One program runs in both: `read_cards.py` reads a folder
# of cards and prints the readings.

# %%
from fsdl_course.packaging.environments import Environments
from fsdl_deploy.running import stations

environments = Environments(inbox)
program = environments.program
print(program.name, "runs in:", *environments.pythons)

# %% [markdown]
# Does it run in the older one, with our model?

# %% tags=["nbval-check-output", "station:older"]
from fsdl_course.setup.stations import ensure

environments.pythons["older"] = ensure("older")
refused = environments.call("older", program, inbox, "v2")
measured["refused"] = refused.returncode != 0
print("exit", refused.returncode, "-", re.search("Unsupported.*", refused.stderr)[0])

# %% [markdown]
# It does not. The file says that it is written in version 10 of the format; the runtime of 2024 reads up
# to 9. Nothing in our model needs version 10: its operators need only 9. So we write the lower number, check
# that the file is valid, and come back to this [below](#The-format-has-versions-too).

# %%
import onnx

from fsdl_deploy import weights

good = weights.verified("v2.onnx")
graph = onnx.load_from_string(good)
graph.ir_version = onnx.helper.find_min_ir_version_for(graph.opset_import)
onnx.checker.check_model(graph, full_check=True)

# %% [markdown]
# The package does this for both versions of the model, and writes their checksums beside them.

# %%
from fsdl_deploy.packaging.onnx_versions import write_lowest_ir

environments.models = write_lowest_ir(["v1", "v2"], here / "models")

# %% [markdown]
# Now both environments read the same cards with the same file. These are their versions.

# %%
from fsdl_deploy.measuring.table import Table

plain = {where: environments.read(where, "v2") for where in environments.pythons}
names = list(plain["core"]["versions"])
Table(["environment", *names], *([where, *run["versions"].values()] for where, run in plain.items()))

# %% [markdown]
# ## One change at a time
#
# *Model predictions depend on code, model weights, and dependencies*, says the lecture. So we make three
# changes, one at a time, and read all cards again after each. We start from the server as it is: the
# environment `older`, the model v2, and a script that makes the paper white before the model sees it. The
# script was written in the days of NumPy 1 and has worked ever since.

# %% tags=["nbval-check-output"]
source = program.read_text(encoding="utf-8")
print(source[source.index("def whiten") : source.index("def shrink")].strip())

# %% [markdown]
# - **Code.** To save traffic, the app halves the pictures before it sends them, with one of Pillow's resize
#   filters: *bilinear* averages neighbours, *nearest* drops every second pixel. They differ in one word of
#   code. (`nearest` was Pillow's default until version 7, then `bicubic`.)
# - **Weights.** Somebody deploys v1 again.
# - **Dependencies.** The server gets the core's environment. Not one line changes.

# %% tags=["station:older"]
runs = {
    "nothing": environments.read("older", "v2", "--whiten", save=here / "older"),
    "code: shrink, bilinear": environments.read("older", "v2", "--whiten", "--shrink", "bilinear"),
    "code: shrink, nearest": environments.read("older", "v2", "--whiten", "--shrink", "nearest"),
    "weights: v1": environments.read("older", "v1", "--whiten"),
    "dependencies: core": environments.read("core", "v2", "--whiten", save=here / "core"),
}

# %% [markdown]
# How much is right, how many readings changed, and how sure is the model now?
#
# **Your turn:** Four runs differ from the first: two by code, one by weights, one by dependencies. Write them
# down in the order of the harm that you expect, the worst first. Then run the cell.

# %% tags=["station:older"]
from fsdl_course.packaging.runs import effect_table, effects

by_change = effects(truths, runs)
measured["cards"], measured["moved_by_weights"] = len(deck), by_change["weights: v1"].moved
measured["moved_by_code"] = by_change["code: shrink, nearest"].moved
measured["moved_by_dependencies"] = by_change["dependencies: core"].moved
effect_table(by_change, len(deck))

# %% [markdown]
# The change for which nobody touched a line does the most harm, and the older model comes second: each
# replaces more than it seems to. The same as a figure. All five runs ended with exit status 0, so no program
# noticed.

# %% tags=["station:older"]
from fsdl_course.packaging import packaging_figures

packaging_figures.change_bars(by_change)

# %% [markdown]
# ## Dependencies: the line that changed its meaning
#
# The last bar is the same model and the same code in a new environment. What did the model get to see? The
# same cards after the same `whiten`, above in the older environment, below in the core.

# %% tags=["station:older"]
from fsdl_course.packaging.runs import newly_wrong

before, after = runs["nothing"], runs["dependencies: core"]
broken = newly_wrong(truths, before, after)
packaging_figures.given_cards("older", here / "older", before, broken[:4])
packaging_figures.given_cards("core", here / "core", after, broken[:4])

# %% [markdown]
# The strokes are gone, because the limit between ink and paper is too low. It is computed from `ink` and
# `2 * paper`. Both numbers are `np.uint8`: whole, from 0 to `255`. In NumPy 1 the plain 2 counted as a wide
# integer (64 bits on Linux), so the product was one too. In NumPy 2 a plain number takes on the type of its
# partner (the rule is called NEP 50): uint8 times 2 stays uint8, and wraps around at 256.

# %% tags=["nbval-check-output", "station:older"]
line = "import numpy as np; paper = np.uint8(200); print(2 * paper, np.array([200], np.uint8) * 2)"
for where in environments.pythons:
    print(f"{where:6}", environments.call(where, "-c", line).stdout.strip())

# %% [markdown]
# With whole arrays both versions wrap around without a warning, so a bug there would have shown on the first
# day. Was there any sign on the server? Two warnings in its log, each printed once, however many cards are
# read. Nothing failed.

# %% tags=["station:older"]
print(runs["dependencies: core"]["log"])

# %% [markdown]
# The last NumPy 1 can be asked *before* the move: with one setting it computes by the new rule and warns
# where the result differs. Run your tests like this once, then move.

# %% tags=["station:older"]
whiten_one = "import numpy, read_cards; read_cards.whiten(numpy.full((8, 8), 200, numpy.uint8))"
settings = {"NPY_PROMOTION_STATE": "weak_and_warn", "PYTHONPATH": str(program.parent)}
print(environments.call("older", "-c", whiten_one, **settings).stderr.strip())

# %% [markdown]
# Two ways out. *Pin* the dependency, so that the meaning cannot change; or write the line so that both
# versions agree: `int(...)` says what was meant. With it, the core reads what the older server reads.

# %% tags=["station:older"]
from fsdl_course.packaging.runs import moved

two_numbers = "grey[len(grey) // 50], grey[len(grey) // 2]"
assert two_numbers in source
repaired = here / "read_cards_repaired.py"
repaired.write_text(source.replace(two_numbers, f"map(int, ({two_numbers}))"), encoding="utf-8")
again = environments.read("core", "v2", "--whiten", program=repaired)
print("changed:", moved(runs["nothing"]["digits"], again["digits"]), "of", len(deck))

# %% [markdown]
# ## Weights: a wrong file
#
# Three files that may lie on a server under the name `v2.onnx`: an upload that stopped half-way, last year's
# model, and ours with a single bit flipped. What does plain ONNX Runtime say, and what does the course's
# loader say, which compares each file with the sum in `SHA256SUMS` before it is used?

# %%
from fsdl_course.packaging import wrong_files

files = {
    "half of it": good[: len(good) // 2],
    "v1": weights.verified("v1.onnx"),
    "one bit flipped": wrong_files.flipped(good, len(good) // 6),
}

# %% [markdown]
# Both load each file. The one side is `onnxruntime.InferenceSession(content)` with the file's bytes; where it
# accepts them, we count the readings that change. The other side is `weights.verified("v2.onnx", folder)`.

# %%
from fsdl_deploy.picture import decode

images = [decode(path.read_bytes()) for path in sorted(inbox.iterdir())]
wrong_files.table(files, images[:100], here)

# %% [markdown]
# A broken upload fails by itself. A *wrong* model does not: it reads, only worse. Damage in the weights may
# do next to nothing to these cards, and a lot to others.

# %% [markdown]
# ## Strategy one: constrain the model's dependencies
#
# **ONNX** (Open Neural Network Exchange) is a file format for networks: a graph of standard operators with
# the weights inside. *The promise*, in the lecture's words: define the network in any language, run it
# consistently anywhere. First: without the library that made it.

# %% tags=["nbval-check-output", "station:older"]
promise = """
import sys
from fsdl_deploy import OnnxReader
from fsdl_deploy.cards import cards
card = next(cards(1, seed=3))
print("reads", OnnxReader("v2").read([card.image])[0].digits, "truth", card.truth)
print("torch imported:", "torch" in sys.modules)
"""
print(environments.call("core", "-c", promise).stdout.strip())

# %% [markdown]
# The older environment does not even have it installed.

# %% tags=["nbval-check-output", "station:older"]
has_torch = "import importlib.util; print(importlib.util.find_spec('torch') is not None)"
print("torch there in the older environment:", environments.call("older", "-c", has_torch).stdout.strip())

# %% [markdown]
# Doing without torch saves a large part of a server's disk, and of what can change on it.

# %% tags=["station:older"]
import torch

from fsdl_deploy.files import mebibytes

torch_mib, older_mib = mebibytes(Path(torch.__file__).parent), stations.station("older").mebibytes()
print(f"torch alone: {torch_mib:.0f} MiB; the whole older environment: {older_mib:.0f} MiB")
print(f"v2.onnx: {len(good) / 1024:.0f} KiB")

# %% [markdown]
# Second: *in any language*. The station **node** has Node.js and, from npm, the ONNX Runtime that web pages
# use, compiled to WebAssembly: no Python takes part. The program beside it knows neither how a card is
# resized nor how digits are decoded. Both are in the file.

# %% tags=["station:node"]
from fsdl_course.setup.stations import ensure

node = ensure("node")
figures.files(stations.station("node").folder / "read.js")

# %% [markdown]
# It gets the pixels that Pillow decoded, as JSON (their bytes in base64, which is plain text), and loads the
# very model file that both Pythons loaded. Its first answers:

# %% tags=["station:node"]
from fsdl_course.packaging.environments import read_in_node

in_node = read_in_node(node, images, environments.models / "v2.onnx")
print(in_node["digits"][:4], in_node["confidence"][:4])

# %% [markdown]
# C, C# and Java have ONNX Runtime too. We leave C out: the wheel brings the library that it would call, but
# not the headers to compile against. And torch is not the only library that writes the format: models of
# scikit-learn and XGBoost go into [the same runtime](tools/onnx_producers.ipynb).
#
# Third: *the same answers*. We run v2 in every way that we have on the cards as they are, without `whiten`.
# Digits must be equal. Confidences may differ a little: they come from sums of many float32 numbers, and each
# library adds them in its own order.

# %%
import torch

from fsdl_course.packaging.runs import as_run
from fsdl_deploy import TorchReader

torch.set_num_threads(1)
others = {"torch": as_run(TorchReader("v2").read(images))}
others |= {f"ONNX Runtime, {where}": run for where, run in plain.items() if where != "core"}

# %% [markdown]
# What Node.js answered is one more:

# %% tags=["station:node"]
others["ONNX Runtime in Node.js"] = in_node

# %% [markdown]
# Each against the core's ONNX Runtime:

# %%
from fsdl_course.packaging.runs import agreement, agreement_table

agreements = {name: agreement(plain["core"], other) for name, other in others.items()}
measured["equal"] = min(each.equal for each in agreements.values())
measured["compared_cards"] = len(deck)
measured["runtimes"] = sum(name.startswith("ONNX Runtime") for name in others)
agreement_table("the core's ONNX Runtime", agreements, len(deck))

# %% [markdown]
# So for this model the promise is kept, over two and a half years of runtimes and in a second language, once
# the file states the lower version. *When it fails* below shows how it breaks.
#
# ## Strategy two: containers
#
# The change that did the most harm above was not in the model at all: it was in one line beside it. A
# **container** constrains *the entire inference program*: the code, the weights, every library, Python, and
# what the libraries need of the system, in one image that runs on the notebook's machine and on the server.
# Unlike a virtual machine it has no kernel of its own: all containers use the host's.

# %%
Table(
    ["", "ONNX", "container"],
    ["fixes", "the network: operators and weights", "all above the kernel: code, libraries, Python"],
    ["runs on", "any runtime of ONNX: in any language, on phones", "any engine on that kind of processor"],
    ["leaves open", "the code around the graph", "the kernel, the processor, drivers"],
    ["", "the version of the runtime", "what its build downloads, unless that is locked"],
    ["", "faults of the translation", "the programs that call it"],
    ["size", f"{len(good) / 1024:.0f} KiB", "libraries, Python, a base image"],
    ["to update", "one file and its checksum", "a new image, and the old one for the way back"],
)

# %% [markdown]
# They are not rivals: an image of our service contains ONNX Runtime and an ONNX file, and no torch. And
# neither helps without a **lock**: an image built again next year from the bare names of its packages is
# another image. The lock of the station `older` names each package with its version and its checksums:

# %% tags=["nbval-check-output"]
lock = stations.station("older").lock.read_text(encoding="utf-8")
packages = re.findall(r"^[a-z]\S+==\S+", lock, re.MULTILINE)
print(", ".join(packages[:6]), "…")
print(lock.count("--hash=sha256:"), "sums for the files of", len(packages), "packages")

# %% [markdown]
# [Docker](tools/docker.ipynb) goes on from here: images, layers, a registry, several containers together.
# [Cog](tools/cog.ipynb), [BentoML](tools/bentoml.ipynb) and [Truss](tools/truss.ipynb) write the Dockerfile
# for you, from a class that predicts and a YAML file of dependencies.

# %% [markdown]
# ## When it fails
#
# *The reality*, says the lecture: the libraries change quickly, so there are often bugs in the translation;
# and ONNX does not deal with code that is not in the library, such as feature transformations. Our own model
# shows all of this.
#
# ### The format has versions too
#
# A file states two of them: the version of the **format** (IR), and of the set of **operators** (opset).

# %% tags=["nbval-check-output"]
exported = onnx.load_from_string(good)
print("made by", exported.producer_name, exported.producer_version.partition("+")[0])
print("IR", exported.ir_version, "- opset", exported.opset_import[0].version)
print("IR that this opset asks for:", onnx.helper.find_min_ir_version_for(exported.opset_import))

# %% [markdown]
# ONNX brings a converter between opsets. Here v2 is written in an older one:

# %% tags=["nbval-check-output"]
from onnx import version_converter

older_graph = version_converter.convert_version(exported, 18)
print("opset", older_graph.opset_import[0].version, "- IR", older_graph.ir_version)

# %% [markdown]
# We write several pairs of opset and IR, as far as the converter goes.

# %%
from fsdl_course.packaging import format_versions

pairs = [(17, 8), (18, 8), (20, 9), (20, 10), (21, 9), (21, 10)]
formats = format_versions.write(good, pairs, here)

# %% [markdown]
# A short program loads each file and reads one picture. It runs in both environments.

# %%
answers = format_versions.tried(environments, formats)

# %% [markdown]
# Newer runtimes accept older files; older runtimes refuse newer ones as soon as either number is too high.
# That is a good failure: loud, at the start, and with a clear message. There is not always a way back: the
# converter knows no step down to opset 17 for one of our operators.

# %%
format_versions.table(good, formats, answers)

# %% [markdown]
# ### Bugs in the translation
#
# torch has two exporters. The older one *traces*: it runs the module once on an example and writes down
# what happened. The newer one, which made the course's files, follows the program with sizes left open. Here
# is the older one, with a count of what it warns of; each file that it writes must pass ONNX's own check.

# %%
import inspect

from IPython.display import Code

from fsdl_course.packaging import translation
from fsdl_course.packaging.translation import export_older

Code(inspect.getsource(export_older), language="python")

# %% [markdown]
# A valid file may still be a wrong one. The **parity test** asks module and file the same questions and
# compares the answers: on the example first, and then on inputs that the exporter has *not* seen.
# `in_torch` and `in_onnxruntime` turn both into functions of arrays, which `compare` can call. Here on two
# cards, with the course's own file:

# %%
from fsdl_deploy.packaging.model_calls import in_onnxruntime, in_torch
from fsdl_deploy.packaging.parity import compare
from fsdl_deploy.reader import pad

reader = weights.load("v2")
compare(in_torch(reader), in_onnxruntime(good), [pad(images[:2])])

# %% [markdown]
# Four modules. One of them turns white ink on dark paper into dark ink on white paper, with an `if`:


# %%
class Upright(torch.nn.Module):
    def forward(self, pictures):
        return pictures if pictures.mean() > 128 else 255 - pictures


# %% [markdown]
# The second is torch's own transformer encoder. The third is the network of v2 alone; the last one the whole
# reader, preprocessing and decoding included, which also says of its outputs that there are `n` of each.

# %%
from fsdl_deploy.packaging.onnx_export import INPUTS, OUTPUTS

layer = torch.nn.TransformerEncoderLayer(64, 4, batch_first=True)
modules = {
    "an `if` on the picture": (Upright(), ["pictures"], ()),
    "torch's transformer encoder": (torch.nn.TransformerEncoder(layer, 1), ["steps"], ()),
    "the network of v2": (reader.network, ["ink", "widths"], ()),
    "the whole reader v2": (reader, INPUTS, OUTPUTS),
}

# %% [markdown]
# And the questions, by the sizes of their first array. The first of each row is the example that the exporter
# gets. The first module is asked with light pictures, then with dark ones.

# %%
questions = translation.questions()
for name, asked in zip(modules, questions, strict=True):
    print(f"{name}:", *(arrays[0].shape for arrays in asked))

# %% [markdown]
# Export, check, compare. `fsdl_deploy.packaging.parity` gives the largest difference of any output;
# infinite where there is no answer.

# %%
differences_of, warned, content_of = {}, {}, {}
for (name, (module, inputs, outputs)), asked in zip(modules.items(), questions, strict=True):
    content_of[name], warned[name] = export_older(module, asked[0], inputs, outputs)
    differences_of[name] = compare(in_torch(module), in_onnxruntime(content_of[name]), asked)
newer = "v2.onnx, by the newer exporter"
differences_of[newer] = compare(in_torch(reader), in_onnxruntime(good), questions[-1])

# %% [markdown]
# All four exports ended without an error, and the files are valid. Which of them are right?

# %%
translation.table(differences_of, warned)

# %% [markdown]
# - The **`if`** was written down as the example took it: light pictures right, dark ones wrong, *without an
#   error*. This is the silent one, and only a question of another kind finds it.
# - The **transformer** got the example's length of 40 as a constant: any other length is refused.
# - The **reader** depends on the runtime. The operators are right, but a shape noted beside them is wrong. A
#   runtime that plans its memory by that shape may reuse a piece that is too small, and then it does not even
#   answer the example. Look at its row: where it answers, the plan did not need the shape.
# - The exporter warned of the first two while it traced, but not of the last one.
#
# The reader is worth a second look: the same file in a runtime that may not reuse memory, and a file for
# which we do *not* say that there are `n` outputs, though it is true.

# %%
no_names, _ = export_older(reader, questions[-1][0], INPUTS)
for name, ask in (
    ("memory used once", in_onnxruntime(content_of["the whole reader v2"], reuse=False)),
    ("no names for the outputs' sizes", in_onnxruntime(no_names)),
):
    print(f"{name}: apart {translation.apart(compare(in_torch(reader), ask, questions[-1]))}")

# %% [markdown]
# The newer exporter refuses to guess: for the `if` it raises an error that names the line. It takes its time,
# so this cell runs only with `FAST = False`.

# %%
if not FAST:
    try:
        torch.export.export(Upright(), (torch.full((2, 50, 171), 200.0),))
    except Exception as error:  # its type is private to torch
        print(type(error).__name__, "-", str(error).splitlines()[0])

# %% [markdown]
# The way to write it for both is `torch.where`: an operator, which is in the graph, instead of Python, which
# is not. The older exporter, the same questions:


# %%
class UprightInTheGraph(torch.nn.Module):
    def forward(self, pictures):
        return torch.where(pictures.mean() > 128, pictures, 255 - pictures)


upright = UprightInTheGraph()
content, warned_now = export_older(upright, questions[0][0], ["pictures"])
again = compare(in_torch(upright), in_onnxruntime(content), questions[0])
print(warned_now, "warnings, largest difference", max(case.largest for case in again))

# %% [markdown]
# ### What is not in the graph
#
# Our graph takes a picture as it was decoded; resizing, standardising and the decoding of the digits are
# inside. It is just as common to export the network alone, as in the table above: that takes *ink*, 32 pixels
# high, of mean 0 and deviation 1. Whoever serves it must write the rest again, from a README. Here are seven
# attempts.

# %%
from PIL.Image import Resampling

from fsdl_course.packaging.outside_the_graph import resized, scaled, standardised

transforms = {
    f"Pillow, {how.name.lower()}": lambda image, how=how: standardised(resized(image, how))
    for how in (Resampling.BILINEAR, Resampling.BICUBIC, Resampling.LANCZOS, Resampling.NEAREST)
}

# %% [markdown]
# These differ only in the filter. The next three make a mistake that a README invites: a fixed width,
# constants of ImageNet (a large collection of photographs) instead of the card's own mean and deviation, and
# no standardising at all.

# %%
bilinear = Resampling.BILINEAR
transforms |= {
    "a fixed width of 160": lambda image: standardised(resized(image, bilinear, width=160)),
    "ImageNet's constants": lambda image: scaled(resized(image, bilinear), 0.449, 0.226),
    "0 to 1, no more": lambda image: scaled(resized(image, bilinear), 1, 1),
}

# %% [markdown]
# The same network reads what each of them makes of the cards. First the graph's own preprocessing, taken from
# torch, as the control: it must change nothing. One more thing stands in no signature: the network drops the
# last `MARGIN` columns, and expects them empty. All seven get them here; without, the last digit of the
# widest cards in a batch is cut off.

# %%
from fsdl_course.packaging.outside_the_graph import by_the_graph, read_ink, stacked

network, some = in_onnxruntime(content_of["the network of v2"]), images[:300]
outside = {"the graph's own": read_ink(network, *by_the_graph(reader.preprocess, some))}
for name, transform in transforms.items():
    outside[name] = read_ink(network, *stacked([transform(image) for image in some]))

# %% [markdown]
# Compared with the readings of the whole graph on the same pictures:

# %%
from fsdl_course.packaging.runs import moved
from fsdl_deploy.measuring.accuracy import exact_match

whole = plain["core"]["digits"][: len(some)]
changed = {name: moved(whole, digits) for name, digits in outside.items()}
still_right = {name: exact_match(truths[: len(some)], digits) for name, digits in outside.items()}

# %% [markdown]
# Every one of the seven runs without an error.
#
# **Your turn:** Which of them is the worst, and which of the three mistakes would ten cards not show you?
# Write down both before you look.

# %%
from fsdl_course.packaging import packaging_figures

packaging_figures.preprocessing_bars(changed, still_right, len(whole))

# %% [markdown]
# Without standardising the ink is too weak, and that shows at once. The fixed width changes some of these
# cards, the filters and ImageNet's constants so few that ten cards would probably show nothing. The constants
# happen to be near the light of a usual card; a version with constants for every card is the bad one of
# [Rollouts](08_rollouts.ipynb).
#
# One thing stays outside our graph too: the JPEG must be decoded. The standard has an operator for that since
# opset 20, `ImageDecoder`. A standard is one thing, a runtime another:

# %% tags=["nbval-check-output"]
import onnxruntime

decoder = translation.image_decoder()
onnx.checker.check_model(decoder, full_check=True)
try:
    onnxruntime.InferenceSession(decoder.SerializeToString(), providers=["CPUExecutionProvider"])
except Exception as error:  # ONNX Runtime has many types for a file that it cannot take
    print(re.search("Could not find.*?node", str(error))[0])

# %% [markdown]
# So Pillow has to decode, and the two environments bring different versions of its JPEG library. Do they give
# the same pixels?

# %% tags=["station:older"]
jpeg = "from PIL import features; print(features.version('libjpeg_turbo'))"
same = len(deck) - moved(plain["core"]["pixels"], plain["older"]["pixels"])
print({where: environments.call(where, "-c", jpeg).stdout.strip() for where in environments.pythons})
print(f"decoded to the same pixels: {same} of {len(deck)} files")

# %% [markdown]
# Here they do. That is a measurement, not a guarantee: the JPEG standard lets decoders round differently, and
# a phone or a browser has a decoder of its own.
#
# ### The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured on your machine
# or from a record that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

measured["exports"] = len(modules)
measured["wrong_exports"] = sum(max(case.largest for case in differences_of[name]) > 1e-3 for name in modules)
measured["least_changed"] = min(changed[name] for name in transforms)
measured["most_changed"], measured["compared"] = max(changed[name] for name in transforms), len(whole)
claims("04", measured)

# %% [markdown]
# ## Questions
#
# **Question:** `(image.min() + image.max()) // 2` wraps around in NumPy 1 *and* in NumPy 2. Why is that
# the smaller danger?
#
# <details><summary>Answer</summary>
# It was wrong on the first day, on the machine of the person who wrote it, and was repaired that day. What
# hurts is code that is right until something else changes: nobody looks at it any more.
# </details>
#
# **Question:** Your parity test compares torch and ONNX on the example of the export, and passes. What have
# you shown?
#
# <details><summary>Answer</summary>
# That the file is right on the one input for which it was made. Of the files above such a test could find
# only the whole reader, and that only with a runtime that does not answer it. The <code>if</code> and the
# transformer pass it: they are wrong on <em>other</em> inputs, and the <code>if</code> without an error. Ask
# other lengths, other numbers of pictures, other contents.
# </details>
#
# **Question:** The service runs in a container with everything locked. The app's team halves the pictures
# with `nearest`. Does the container help?
#
# <details><summary>Answer</summary>
# No. A container constrains one program, and that code runs in another: on the customers' phones. What helps
# is to move the transformation to the model's side of the contract (send the picture as it is), and to watch
# the confidence, which moved as well.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A prediction depends on code, weights and dependencies. Change one at a time, on the same inputs, and
#   count.
# - Weights: a checksum. Dependencies: a lock with hashes. Code: whatever you can move into the graph.
# - ONNX kept its promise for our model, after a parity test over more than the example. A valid file is not a
#   right file.
# - The worst change here was loud nowhere: exit 0, and two warnings in a log. So keep a few hundred cards
#   with known answers, and read them after *every* change, in the environment that will serve.
# - ONNX fixes the model, a container the program around it. Use both.
#
# **Cheat sheet.**
#
# - `torch.onnx.export(module, example, dynamo=True, dynamic_shapes=…)` translates; `dynamo=False` is the
#   older exporter, which traces one example and fixes what the example took.
# - `onnx.checker.check_model(graph, full_check=True)` says that a file is valid, not that it is right.
# - `parity.compare(reference, candidate, cases)` does: ask other lengths, other counts, other contents than
#   the example's.
# - Two numbers decide who can load a file: the IR version and the opset. `onnx.version_converter` changes the
#   opset.
# - `weights.verified(name)` loads a file only if its checksum is the published one.
# - `NPY_PROMOTION_STATE=weak_and_warn` asks NumPy 1 what NumPy 2 would change.
# - `pip install --require-hashes -r requirements.lock` installs what was tested, and nothing else.
# - Rules of thumb: export preprocessing with the network; pin by hash; change one thing at a time, and read
#   the same cards after it.
#
# **Sources.** [ONNX and its versions](https://onnx.ai/onnx/repo-docs/Versioning.html),
# [torch's exporter](https://docs.pytorch.org/docs/stable/onnx.html),
# [which ONNX Runtime reads what](https://onnxruntime.ai/docs/reference/compatibility.html),
# [NEP 50](https://numpy.org/neps/nep-0050-scalar-promotion.html),
# [pip's checks by hash](https://pip.pypa.io/en/stable/topics/secure-installs/),
# [what a container image is](https://github.com/opencontainers/image-spec).
#
# ## Where to go next
#
# - [Lab 04](../labs/lab04/lab04.ipynb): a parity test, checksums, the order of a Dockerfile.
# - [ONNX producers](tools/onnx_producers.ipynb): models that are no networks, in the same runtime.
# - [The model service](03_service.ipynb): the program that goes into the container.
# - [Ray Data](tools/ray_data.ipynb): a station that takes the core's versions, so that its answers are equal.
# - The lessons to come make the model cheaper, and put more than one copy of it behind a load balancer.
