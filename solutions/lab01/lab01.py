# %% [markdown]
# # Lab 01: What the page costs
#
# **Minutes:** 48 · **Prerequisites:** [The prototype](../../notebooks/01_prototype.ipynb)
#
# The billing team likes the page. You work out what a model inside the web server costs in memory and in
# other people's time, turn their feedback into a list worth labelling, and find the upload that hurts.
#
# The stars say how hard an exercise is. Fill in the functions, run the cell below each: it says at once what
# came out and what was expected. Hints unfold one by one. More than two thirds of the points go to cases
# that only the grader has: you earn them by the share that is right, less what one fixed answer would get.
# The minutes are for the exercises; running the measurements comes on top.

# %% [markdown]
# On Colab the next cell fetches the course and installs what it needs; tools that want a container engine
# stay out there. Elsewhere it does nothing.

# %% tags=["colab", "measure"]
# Building the notebook writes this cell.

# %% [markdown]
# The lab's own functions: they check, take your guess, and show what came out.

# %%
import re

from fsdl_course.labs import case, check, predict, reveal

# %% [markdown]
# ## Exercise 1: A copy for each worker ★ (8 minutes)
#
# A web server runs several workers, each a process of `web` MiB. With the model *inside*, each worker holds a
# copy of `model` MiB more. With the model *apart*, there is one service: a process of `service` MiB, and on
# top of it the only copy of the model, `model` MiB more. How many workers fit into a `budget` of MiB? Return
# `[inside, apart]`, two whole numbers. What needs exactly the budget fits; what does not fit at all is 0
# workers.
#
# <details><summary>Hint: a nudge</summary>What does one more worker cost in each way?</details>
# <details><summary>Hint: the approach</summary>Take off what is paid once, divide by what each worker costs,
# round down, and mind what is below zero.</details>
# <details><summary>Hint: a sketch</summary><code>max(0, (budget - ...) // web)</code> for the
# second</details>


# %% tags=["q1"]
def most_workers(budget: int, web: int, model: int, service: int) -> list[int]:
    """How many workers fit with the model inside each, and with the model apart."""
    ### BEGIN SOLUTION
    return [budget // (web + model), max(0, (budget - service - model) // web)]
    ### END SOLUTION


# %% [markdown]
# Run this after every change.

# %%
check("lab01.q1", most_workers)

# %% [markdown]
# Predict, then measure: how many MiB does the reader `v2` add to a process, with all that it needs to run?

# %%
GUESS = 50  # SOLUTION: GUESS = None
predict("the memory that the reader v2 adds to a process, in MiB", GUESS)

# %% [markdown]
# A process of its own loads the reader, reads one card, and says what it held before and after.

# %% tags=["measure"]
import subprocess
import sys

script = """
import psutil
from fsdl_deploy.cards import cards
image = next(iter(cards(1))).image
print(psutil.Process().memory_info().rss / 2**20)
from fsdl_deploy import open_reader
open_reader("v2").read([image])
print(psutil.Process().memory_info().rss / 2**20)
"""
output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
before, after = map(float, output.split())
reveal(GUESS, after - before, "MiB")

# %% [markdown]
# Your function with that figure, and with a model of `2000 MiB`, for a machine of `8 GiB` and workers of
# `100 MiB`:

# %% tags=["measure"]
from fsdl_deploy.measuring.table import Table

rows = [
    [name, model, *most_workers(8192, 100, model, 60)]
    for name, model in {"v2": round(after - before), "a large one": 2000}.items()
]
Table(["model", "MiB", "workers with it inside", "workers with it apart"], *rows)

# %% [markdown]
# ## Exercise 2: What is worth a label ★★★ (14 minutes)
#
# The page's button *this is wrong* writes a line of feedback: the `picture`, what the model `read`, its
# `confidence`, its `model_version`, and what the user `says`. The lines are in the order in which they came.
# Return the pictures worth labelling as pairs `[picture, label]`:
#
# - Only lines of this `version` count; the others are left out before anything else is done.
# - If there are several lines about a picture, only the last one counts.
# - Take all spaces (`" "`) out of what the user says. If that is what the model read, nothing is corrected:
#   the picture is left out.
# - The label is what the user says without spaces if that is only digits, 0 to 9; else, also if it is empty,
#   `None`: a person has to look.
# - The surest mistakes come first, because they teach the most; equally sure ones in the order of their
#   names.
#
# <details><summary>Hint: a nudge</summary>The rules stand in the order in which they are applied.</details>
# <details><summary>Hint: the approach</summary>A dictionary from picture to line keeps the last one by
# itself.</details>
# <details><summary>Hint: a sketch</summary><code>says = line["says"].replace(" ", "")</code>,
# <code>re.fullmatch("[0-9]+", says)</code>, and <code>sorted(..., key=lambda line: (-line["confidence"],
# ...))</code></details>


# %% tags=["q2"]
def worth_labelling(lines: list[dict], version: str) -> list[list]:
    """``[picture, label or None]`` for each picture called wrong, the surest mistake first."""
    ### BEGIN SOLUTION
    last = {line["picture"]: line for line in lines if line["model_version"] == version}
    chosen = []
    for line in sorted(last.values(), key=lambda line: (-line["confidence"], line["picture"])):
        says = line["says"].replace(" ", "")
        if says != line["read"]:
            chosen.append([line["picture"], says if re.fullmatch("[0-9]+", says) else None])
    return chosen
    ### END SOLUTION


# %% [markdown]
# Each part is one of the rules.

# %%
check("lab01.q2", worth_labelling)

# %% [markdown]
# Real feedback: a patient user looks at 60 cards and corrects each that `v1` misreads. The lines are written
# by the page's own function.

# %% tags=["measure"]
import json
import tempfile
from pathlib import Path

from fsdl_deploy import open_reader
from fsdl_deploy.cards import cards
from fsdl_deploy.prototype.feedback import save_feedback

drawn = list(cards(60, seed=5, split="test"))
with tempfile.TemporaryDirectory() as folder:
    for card, reading in zip(drawn, open_reader("v1").read([card.image for card in drawn]), strict=True):
        if reading.digits != card.truth:
            save_feedback(Path(folder), card.image, reading, card.truth)
    written = (Path(folder) / "feedback.jsonl").read_text(encoding="utf-8").splitlines()
listed = worth_labelling([json.loads(text) for text in written], "v1")
print(f"{len(listed)} of {len(drawn)} cards are worth a label, the first three: {listed[:3]}")

# %% [markdown]
# ## Exercise 3: Who waits for the model? ★★ (12 minutes)
#
# One process answers all visits in the order in which they come, one at a time. A visit is `[moment,
# kind]`; the list is in order, and of visits in the same moment the one earlier in the list goes first. A
# `"page"` keeps the process busy for `page` ms, a `"read"` for `read` ms. With the model `inside`, readings
# and pages stand in the same queue; otherwise readings go to another process and do not matter here. Return
# for each page, in order, how many ms it waits before the process starts on it. Moments and times are whole
# numbers of ms; a process that ends a visit may begin the next in the same moment.
#
# <details><summary>Hint: a nudge</summary>Remember one number: when the process is free again.</details>
# <details><summary>Hint: the approach</summary>A visit begins when it comes, or when the process is free,
# whichever is later.</details>
# <details><summary>Hint: a sketch</summary><code>begin = max(moment, free)</code>, then
# <code>free = begin + ...</code></details>


# %% tags=["q3"]
def page_waits(visits: list[list], page: int, read: int, inside: bool) -> list[int]:
    """The ms that each visitor of a page waits before the process starts on it."""
    ### BEGIN SOLUTION
    free, waits = 0, []
    for moment, kind in visits:
        if kind == "page" or inside:
            begin = max(moment, free)
            free = begin + (page if kind == "page" else read)
            if kind == "page":
                waits.append(begin - moment)
    return waits
    ### END SOLUTION


# %% [markdown]
# The kind of a visit decides how long it takes, and whether it counts.

# %%
check("lab01.q3", page_waits)

# %% [markdown]
# What one page waits, over ten minutes of visits at random moments, for models of different speed; pages take
# `2 ms` and 5 readings come a second. These are computed from your queue, not measured on a server.

# %% tags=["measure"]
import random
from statistics import mean

generator = random.Random(1)
visits = [[generator.randrange(600_000), kind] for kind in ["page"] * 6000 + ["read"] * 3000]
visits.sort()
rows = [
    [read, *(mean(page_waits(visits, 2, read, way)) for way in (True, False))] for read in (2, 20, 100, 180)
]
header = ["a model of (ms)", "a page waits with it inside (ms)", "with it apart (ms)"]
Table(header, *rows, formats=["", ".2f", ".2f"])

# %% [markdown]
# ## Exercise 4: Break it ★★ (6 minutes)
#
# Uploads must not hurt the server, so a colleague writes the check below: it sees the size of the file in
# bytes, and the width and height that the file's header states. Find an upload that it allows and whose
# pixels, one byte each, take **more than `64,000,000` bytes** of memory. A compressed picture needs at least
# one byte for 1000 pixels. Return `[size, width, height]`.
#
# <details><summary>Hint: a nudge</summary>What does the check not look at together?</details>
# <details><summary>Hint: the approach</summary>A white picture compresses well, so the file may be
# small.</details>
# <details><summary>Hint: a sketch</summary>The largest width and height that are allowed, and a size that
# fits both rules.</details>


# %%
def allowed_they_say(size: int, width: int, height: int) -> bool:
    return size <= 8 * 2**20 and width <= 8192 and height <= 8192


# %% [markdown]
# Numbers are enough here; the real file comes below.


# %% tags=["q4"]
def upload_that_hurts() -> list[int]:
    """``[size, width, height]`` of an upload that is allowed and takes more than 64 MB."""
    ### BEGIN SOLUTION
    return [100_000, 8192, 8192]
    ### END SOLUTION


# %% [markdown]
# Does it break?

# %%
check("lab01.q4", upload_that_hurts)

# %% [markdown]
# A real file of that kind, and what the course's decoder says about it. It looks at the header only.

# %% tags=["measure"]
import io

import PIL.Image

from fsdl_deploy.picture import PictureError, decode

_, width, height = upload_that_hurts()
file = io.BytesIO()
PIL.Image.new("L", (width, height), 255).save(file, "PNG")
print(f"{len(file.getvalue()):,} bytes of file, {width * height:,} bytes of pixels")
try:
    decode(file.getvalue())
except PictureError as error:
    print(error)

# %% [markdown]
# ## Exercise 5: Inside, or apart? ★★ (8 minutes, graded by a person)
#
# The page with the reader `v2` inside is to become part of the utility's customer site: 4 workers, most
# visitors never ask the model. In five sentences or fewer: leave the model inside, or put it apart? Use your
# figures: memory for each worker, and what the visitors of other pages wait.
#
# | points | an answer with |
# |---|---|
# | 1 | a position and a reason |
# | 2 | a position argued with your figures |
# | 3 | that, and at which figure you would change your mind |

# %% [markdown] tags=["q5"]
# Inside, for now. Four copies of `v2` fit into the memory that the machine has, and a model of a few ms makes
# a page wait hardly longer than other pages do. One process is one thing to deploy and to watch. I would put
# it apart once a reading takes `100 ms`, where the queue makes every page wait for tens of ms, or once a copy
# is so large that four do not fit, or when the model changes more often than the site.
