# %% [markdown]
# # Tool: TensorRT: engines for NVIDIA's chips
#
# **Minutes:** 12 · **Prerequisites:** [Packaging](../04_packaging.ipynb) · **Truth:** checked
#
# ## The need
#
# A district office scans whole boxes of old cards on a workstation with an NVIDIA card. The same chips sit
# in NVIDIA's small boards for cameras. What does it take to bring our reader there, and how much of it can
# be tested on a laptop that has no such chip?
#
# ## You will learn
#
# - what an engine is, and which of TensorRT's two kinds can be built without a GPU
# - to ask a parser whether it knows all operators of a graph, and read why it refuses
# - why one small change in our decoder opened this runtime, among others
# - which int8 TensorRT wants, and that it is not everybody's

# %% [markdown]
# ## Where the model sits
#
# The ONNX file is parsed into a network of TensorRT's own, and that is compiled into an engine. The dashed
# step needs a GPU.
#
# ```mermaid
# flowchart LR
#     model(["v2.onnx"]) --> parser["parser"] --> builder["builder"] --> engine(["engine"])
#     engine -.-> gpu["NVIDIA's GPU:<br/>reads cards"]
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means more cards.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The claim
#
# *If you're deploying to NVIDIA, this is the choice to go with*, say the lecture's notes, and its slide:
# *Model optimizer and inference runtime for tensor flow + NVIDIA devices.* Dated 29 November 2026:
#
# - **NVIDIA devices** holds. TensorRT 11 is for servers and NVIDIA's boards. Its Python package is [a small
#   installer](https://docs.nvidia.com/deeplearning/tensorrt/latest/installing-tensorrt/installing.html)
#   that fetches the libraries from NVIDIA, so this course cannot pin them with all others. **TensorRT for
#   RTX**, for workstations and laptops, comes as a package like any other, and has the same kind of parser.
# - **tensor flow** does not hold any more. TensorFlow with TensorRT ended: [release
#   2.18](https://github.com/tensorflow/tensorflow/releases/tag/v2.18.0) (October 2024) dropped it. The way
#   in is ONNX, from any framework.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.running import stations

ensure("tensorrt")
station = stations.station("tensorrt")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## Parse, then build
#
# The parser turns each operator of ONNX into layers of its own. What it does not know it refuses, here and
# now. This is the code, with the range of pictures that the engine must take.

# %%
from IPython.display import Code

program = (station.folder / "engine.py").read_text()
Code(program[program.index("# The least") : program.index("def main")], language="python")

# %% [markdown]
# The published graph has everything in it: the resizing of the picture, the network and the decoding.

# %%
from fsdl_deploy import weights
from fsdl_deploy.targets import catalogue
from fsdl_deploy.targets.programs import ask

published = weights.folder() / "v2.onnx"
target = catalogue.target("tensorrt")
report = ask(target, "engine.py", (), published)
print(f"version {report['version']}: {report['layers']} layers, refused: {report['refused'] or 'nothing'}")
Table(["tensor", "type and size, -1 where any"], *report["tensors"].items())

# %% [markdown]
# All of it is accepted, in every width: the sizes stay open. And an engine came out, on a machine without a
# GPU. *TensorRT for RTX* compiles in two steps. What depends only on the graph is done here; the code for
# the very chip is made when the engine is first loaded there. Plain TensorRT does both at once, so it needs
# the chip.

# %%
size = published.stat().st_size
print(f"engine {report['bytes'] / 1e3:,.0f} kB in {report['seconds']:.1f} s; ONNX file {size / 1e3:,.0f} kB")

# %% [markdown]
# The engine is several times as large as the file: it holds several ways to compute each layer. An engine
# belongs to one version of TensorRT, so keep the ONNX file and build the engine where it is used.

# %% [markdown]
# ## int8 of another kind
#
# The int8 file of [lesson 05](../05_optimization.ipynb) is what ONNX Runtime likes best: activations from 0
# to 255, and the sums of a layer, its biases, as integers too.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from fsdl_deploy.optimization.quantization import quantized

folder = TemporaryDirectory()
usual = quantized("v2", "static", Path(folder.name))
report_usual = ask(target, "engine.py", (), usual)
print(report_usual["refused"][0][:240])

# %% [markdown]
# Refused. TensorRT wants zero to stand for zero, in weights and activations, and biases as floats. ONNX
# Runtime's quantizer can write that as well.

# %%
import inspect

from fsdl_deploy.targets import symmetric

source = inspect.getsource(symmetric.quantize)
Code(source[source.index("        ort.quantize_static") :], language="python")

# %% [markdown]
# The same calibration cards, the other kind of int8, parsed again:

# %%
from fsdl_deploy.cards import cards

calibration = [card.image for card in cards(60 if FAST else 128, "typical", "train", seed=3)]
symmetric_file = Path(folder.name) / "symmetric.onnx"
symmetric_file.write_bytes(symmetric.quantize(calibration))
report_symmetric = ask(target, "engine.py", (), symmetric_file)
print(
    f"refused: {report_symmetric['refused'] or 'nothing'}; engine {report_symmetric['bytes'] / 1e3:,.0f} kB"
)

# %% [markdown]
# An engine is no proof that it reads. The ONNX files of both kinds can be asked here, by ONNX Runtime.

# %%
from fsdl_deploy import OnnxReader
from fsdl_deploy.optimization.rungs import FileReader

deck = list(cards(200 if FAST else 1000, "typical", seed=77))
images = [card.image for card in deck]
expected = [reading.digits for reading in OnnxReader("v2").read(images)]
rows = []
for name, file in (("usual int8", usual), ("symmetric int8", symmetric_file)):
    digits = [reading.digits for reading in FileReader(file.read_bytes(), name).read(images)]
    same = sum(a == b for a, b in zip(digits, expected))
    right = sum(a == card.truth for a, card in zip(digits, deck))
    rows.append([name, same, right, file.stat().st_size / 1e3])
Table(["", f"as float32, of {len(deck)}", "right", "kB"], *rows, formats=["", "d", "d", ",.0f"])

# %% [markdown]
# ## On the device
#
# `infra/edge/tensorrt/read.py` would read cards where a GPU is: it calls NVIDIA's driver for memory and
# copies, and the engine in between. It was written by the documentation and **has never run**: there is no
# such GPU here. On this machine it says so, and that is all that is tested.

# %%
from fsdl_deploy.targets import card_files, programs

file = Path(folder.name) / "cards.npz"
card_files.write_cards(file, images[:1])
try:
    words = [target.python(), target.folder / "read.py", published, file, Path(folder.name) / "out.json"]
    programs.run(words, target, 60)
except catalogue.TargetError as error:
    print(error)

# %% [markdown]
# ## When it fails
#
# *An operator that the parser does not know.* The decoder of this reader once wrote each digit to its place
# by `ScatterElements` with a maximum, which is one line in torch. Here is that operator alone, as a graph:

# %%
import onnx
from onnx import TensorProto, helper

kinds = {"data": TensorProto.FLOAT, "places": TensorProto.INT64, "values": TensorProto.FLOAT}
inputs = [helper.make_tensor_value_info(name, kind, [1, 8]) for name, kind in kinds.items()]
output = helper.make_tensor_value_info("written", TensorProto.FLOAT, [1, 8])
node = helper.make_node("ScatterElements", [*kinds], ["written"], axis=1, reduction="max")
graph = helper.make_graph([node], "scatter", inputs, [output])
scatter = Path(folder.name) / "scatter.onnx"
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), scatter)
print(ask(target, "engine.py", (), scatter)["refused"])

# %% [markdown]
# ONNX Runtime has that operator, TensorRT, LiteRT and ExecuTorch had it not. So the decoder now compares
# every place with every step, in a table: more arithmetic, on numbers so few that nobody notices, with
# operators that all runtimes have. *Embedded and mobile frameworks are less full featured* is how the
# lecture's slide puts it. Write the model for the poorest runtime it must reach.

# %%
folder.cleanup()

# %% [markdown]
# ## Questions
#
# **Question:** Why should an engine not be the file that you keep?
#
# <details><summary>Answer</summary>
# It belongs to a version of TensorRT and, once compiled for a chip, to that chip. The ONNX file is the
# source; an engine is a build product, like an object file.
# </details>
#
# **Question:** A graph is parsed without a complaint and its engine is built. What do you know about its
# readings?
#
# <details><summary>Answer</summary>
# Nothing yet. You know that every operator has an implementation. Whether the digits are the same is known
# only after cards have been read on the GPU and compared.
# </details>
#
# **Question:** You plan a new network and have not trained it. Can the parser already help you, and how?
#
# <details><summary>Answer</summary>
# It can. Operators do not depend on how good the weights are, so export the untrained network and parse that.
# A refusal costs you an hour now, and a whole training later.
# </details>

# %% [markdown]
# ## Take-aways
#
# - For NVIDIA's chips the way is ONNX to an engine; the parser is a test that needs no GPU.
# - Checked is less than runs: nothing here has read a card on a GPU.
# - int8 is not one format: each runtime says which.
# - One operator can keep a model off a device. Find out before the training, not after.
#
# ## Where to go next
#
# - [Optimization](../05_optimization.ipynb): what int8 costs, measured.
# - [TensorRT for RTX](https://docs.nvidia.com/deeplearning/tensorrt-rtx/latest/index.html), NVIDIA's guide.
