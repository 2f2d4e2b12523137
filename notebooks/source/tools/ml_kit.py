# %% [markdown]
# # Tool: ML Kit: a file that says what it wants
#
# **Minutes:** 12 · **Prerequisites:** [Packaging](../04_packaging.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility's app exists, made by another firm with ML Kit. They would put our model in, but write no code
# for pictures: no resizing, no normalising, no list of labels. What must the file say, so that nobody has
# to?
#
# ## You will learn
#
# - what is left of ML Kit, and which models of your own it takes
# - what metadata in a model's file are, byte by byte
# - to run such a file with MediaPipe, the library that understands the same metadata
# - how a wrong line in the metadata changes readings without an error

# %% [markdown]
# ## Where the model sits
#
# In the app's package. The library reads the metadata, prepares the picture, runs the network and names the
# result.
#
# ```mermaid
# flowchart LR
#     picture["picture of<br/>one digit"] --> library["ML Kit or MediaPipe"]
#     file(["digit.tflite<br/>with metadata"]) --> library --> label["'7', score"]
#     style file fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means more digits.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The claim
#
# The lecture's slide: *Announced at Google I/O 2018. Either via API or on-device. Offers pre-trained
# models, or can upload Tensorflow Lite model.* Dated 29 November 2026:
#
# - **on-device** holds: [ML Kit](https://developers.google.com/ml-kit) is alive, on Android and iOS.
# - **via API** does not: the cloud's side became Firebase ML, which is deprecated and [ends on 15 June
#   2027](https://developers.google.com/ml-kit/migration). With it goes the **upload**: host the file
#   yourself, or ship it in the app.
# - **pre-trained models** holds: text, barcodes, faces, and on some phones Gemini Nano.
# - **TensorFlow Lite model** holds in part. It is called LiteRT now, and ML Kit takes [image classifiers
#   only](https://developers.google.com/ml-kit/custom-models): one picture of one size in, a score for each
#   label out. A line reader is none. Its text recognition is Google's own model.
#
# ML Kit itself is a library for phones, which are not here. **MediaPipe** is its open sister for any
# system: its image classifier reads the same kind of file with the same metadata. The station has it.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.running import stations

ensure("ml_kit")
station = stations.station("ml_kit")
print(f"{station.purpose}: {station.mebibytes():,.0f} MiB")

# %% [markdown]
# ## A line reader becomes a classifier
#
# No training is needed. The reader's network says at every step how probable each digit is; of a picture
# with one digit, the best step counts. Input and output get the form that the library wants: red, green and
# blue, and ten scores.

# %%
from IPython.display import Code

program = (station.folder / "build.py").read_text()
Code(program[program.index("class Classifier") : program.index("def main")], language="python")

# %% [markdown]
# `fsdl-deploy edge build ml_kit` converts it with LiteRT's converter, its weights as int8. Its arithmetic
# stays float32: MediaPipe refuses to load a file that calculates in int8. The file has no metadata yet.
# Pictures to ask it: typical cards with one test digit each, filled up to a square.

# %%
from fsdl_deploy import figures
from fsdl_deploy.targets import building, catalogue
from fsdl_deploy.targets.single_digits import single_digits

target = catalogue.target("ml_kit")
bare_file = building.artifact(target, target.variant("int8-weights"))
pictures, truths = single_digits(200 if FAST else 2000, seed=5)
figures.cards(
    pictures[:8], truths[:8], alt="Eight squares, each with one handwritten digit, and which it is."
)

# %% [markdown]
# MediaPipe is asked, without any word on what the pictures are.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from fsdl_deploy.targets.programs import ask

folder = TemporaryDirectory()
print(ask(target, "classify.py", list(pictures), bare_file)["refused"])

# %% [markdown]
# It refuses: the network wants floats, and the library cannot know whether white is `1`, `255` or something
# else.
#
# ## Metadata, byte by byte
#
# A LiteRT file is a table of buffers. Metadata are one more buffer, whose content is a table again, by a
# schema of its own; and the labels are a text file in a zip that stands behind it all. The input's part:

# %%
program = (station.folder / "metadata.py").read_text()
Code(program[program.index("def picture") : program.index("def scores")], language="python")

# %% [markdown]
# And how both get into the file:

# %%
Code(program[program.index("def described_model") : program.index("def main")], language="python")

# %% [markdown]
# Usually a *metadata writer* does this. That of `tflite-support`, which ML Kit's guide names, has had [no
# release since July 2023](https://github.com/tensorflow/tflite-support/releases). MediaPipe's own cannot be
# imported in the release that we pin: it asks for a compiled module that the package does not have.

# %%
import subprocess

imported = "from mediapipe.tasks.python.metadata import metadata"
program = f"import os; os.environ['MPLBACKEND'] = 'agg'; {imported}"
result = subprocess.run([station.python, "-c", program], capture_output=True, text=True)
print(result.stderr.strip().splitlines()[-1])

# %% [markdown]
# So it is written by hand, with the schema that MediaPipe brings. Zip tools can open the result: the labels
# are a file in it.

# %%
import zipfile

described = Path(folder.name) / "digit.tflite"
ask(target, "metadata.py", (), bare_file, described)
print(zipfile.ZipFile(described).read("labels.txt").decode().split())
print(f"{described.stat().st_size - bare_file.stat().st_size:,} bytes more")

# %% [markdown]
# ## Does it read?
#
# The same pictures again, and beside them the reader of the course, which is told nothing of one digit.

# %%
from fsdl_deploy import OnnxReader

answer = ask(target, "classify.py", list(pictures), described)
readings = [reading.digits for reading in OnnxReader("v2").read(list(pictures))]
rows = [
    [name, sum(digit == truth for digit, truth in zip(digits, truths))]
    for name, digits in (
        ("MediaPipe, by the file's metadata", answer["labels"]),
        ("v2, the line reader", readings),
    )
]
Table(["", f"right of {len(truths)}"], *rows)

# %% [markdown]
# The classifier must name a digit; the line reader may also read none, or two. Which pictures does the
# classifier misread?

# %%
wrong = [place for place, truth in enumerate(truths) if answer["labels"][place] != truth][:8]
captions = [
    f"{truths[place]}, not {answer['labels'][place]} ({answer['scores'][place]:.2f})" for place in wrong
]
if wrong:
    figures.cards(pictures[wrong], captions, alt="The digits that the classifier misreads, with its scores.")

# %% [markdown]
# ## When it fails
#
# *A wrong line in the metadata.* Say that white is `1` (a deviation of `255` in the normalization), as most
# image models have it, though this network divides by itself. Nothing refuses.

# %%
wrong_file = Path(folder.name) / "wrong.tflite"
ask(target, "metadata.py", (), bare_file, wrong_file, "--deviation", 255)
wrong_answer = ask(target, "classify.py", list(pictures), wrong_file)
right = sum(label == truth for label, truth in zip(wrong_answer["labels"], truths))
print(f"{right} of {len(truths)} right, median score {sorted(wrong_answer['scores'])[len(truths) // 2]:.2f}")

# %% [markdown]
# Next to nothing is read, though the reader standardises each picture by its own light: there is a floor
# under its deviation, so that empty paper is not blown up into ink, and pictures this faint lie below it.
# *The labels in another order* are wrong all the time:

# %%
order = "9876543210"
ask(target, "metadata.py", (), bare_file, wrong_file, "--labels", order)
swapped = ask(target, "classify.py", list(pictures), wrong_file)["labels"]
print(sum(label == truth for label, truth in zip(swapped, truths)), "of", len(truths), "right")
folder.cleanup()

# %% [markdown]
# So metadata belong to what is tested: ask the finished file, through the library, and compare.

# %% [markdown]
# ## Questions
#
# **Question:** Could the app read a whole card with this file?
#
# <details><summary>Answer</summary>
# Only if something cuts the card into digits first, and where digits touch that is the hard part. That is
# why the line reader exists: CTC needs no cuts. In an app it runs in LiteRT or ONNX Runtime, without ML
# Kit.
# </details>
#
# **Question:** Why is the preparation better inside the graph than in the metadata?
#
# <details><summary>Answer</summary>
# Inside it is exported, tested and versioned with the weights. Metadata are read by the libraries that know
# them; any other runtime ignores them, and its callers prepare pictures by guessing.
# </details>
#
# **Question:** Your test loads the finished file and checks that each answer has a label and a score
# between 0 and 1. Which of the two mistakes above does it find?
#
# <details><summary>Answer</summary>
# Neither. Both files load and answer in the right form. With the labels in another order even the scores
# are those of the good file, so no threshold helps. Only pictures with known digits show it.
# </details>

# %% [markdown]
# ## Take-aways
#
# - ML Kit is alive on devices; its cloud is ending. Of your own models it takes image classifiers.
# - Metadata make a file usable without code, and wrong without an error.
# - Look whether the writer of a format is maintained before you depend on it.
#
# ## Where to go next
#
# - [Optimization](../05_optimization.ipynb): int8 in the weights alone, and in the arithmetic, too.
# - [MediaPipe's image classifier](https://ai.google.dev/edge/mediapipe/solutions/vision/image_classifier),
#   for Android, iOS and the web.
