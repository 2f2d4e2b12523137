# %% [markdown]
# # The prototype
#
# **Minutes:** 40 · **Prerequisites:** [The tour](00_tour.ipynb) · **Truth:** runs
#
# ## The need
#
# The model reads the cards in a notebook, and nobody in the billing team has a notebook. They want to
# write a number and see what the model says, behind a URL, *this afternoon*, and we want to hear from them
# where it is wrong.
#
# ## You will learn
#
# - to put a page around a model in a few lines, with Gradio and with Streamlit, and to choose between them
# - to call that page from a program, and to put it behind a URL
# - what a prototype is for, and when to stop polishing it
# - how it fails, measured: users, memory, redeploys, hardware, languages, scaling

# %% [markdown]
# On Colab the next cell fetches the course and installs what it needs; tools that want a container engine
# stay out there. Elsewhere it does nothing.

# %% tags=["colab"]
# Building the notebook writes this cell.

# %% [markdown]
# ## Where the model sits
#
# A product is a **client** (the user's browser), a **server**, and a **database**. In a prototype the model
# sits *inside* the server: the lecture calls this **model-in-service**.
#
# ```mermaid
# flowchart LR
#     client["Client<br/>browser"] <--> server
#     subgraph server["Web server"]
#         page["Page<br/>Gradio or Streamlit"] --> model(["Model<br/>the Reader"])
#     end
#     server <--> database[("Database<br/>readings, feedback")]
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = True` measures briefly; `FAST = False` takes longer and gives steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# Gradio tells its maker about every start, and its library looks for news. Two variables turn that off; they
# must be set before the library is imported.

# %%
import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

# %% [markdown]
# Everything below works on a `Reader`: pictures in, readings out. Here it is the model file, opened by ONNX
# Runtime in this process. A card to try comes along, and `measured` will keep what the lecture's claims are
# judged by at the end.

# %%
import tempfile
from pathlib import Path

from fsdl_deploy import figures, open_reader
from fsdl_deploy.cards import cards
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode
from fsdl_deploy.prototype import gradio_page

figures.use()
measured = {}
reader = open_reader("v2")
card = next(iter(cards(1, level="typical", split="test", seed=11)))
workplace = tempfile.TemporaryDirectory()  # removed when the kernel ends
card_file = Path(workplace.name) / "card.png"
card_file.write_bytes(encode(card.image))
figures.cards([card.image], [f"truth: {card.truth}"], alt="a handwritten meter card")

# %% [markdown]
# ## A page in a few lines
#
# Gradio needs a function and the kinds of its input and output. That is the whole page.

# %%
import gradio


def read(image):
    reading = reader.read([image])[0]
    return f"{reading.digits} ({reading.confidence:.0%} sure)"


smallest_page = gradio.Interface(read, gradio.Image(image_mode="L"), "text", api_name="read")

# %% [markdown]
# How much code is that? Line counts depend on formatting, so the course counts *statements*, without comments
# and docstrings. Python still has the text of the cell that `read` was written in.

# %%
import inspect

from fsdl_deploy.prototype.code_size import statements

cell, _ = inspect.findsource(read)
measured["smallest_page"] = statements("".join(cell))
print(measured["smallest_page"], "statements")

# %% [markdown]
# It starts in the background of this notebook and shows itself below. Drop a picture on it, or use its
# camera. It listens on this machine only, on a free port, and ends with the notebook's kernel.

# %%
smallest_url = gradio_page.launch(smallest_page, inline=True, height=420)

# %% [markdown]
# A page is also a program's door: each Gradio page has an API, and a client that knows how to speak to it.
# This call goes through HTTP, as a browser's does.

# %%
from gradio_client import Client, handle_file

page_text = Client(smallest_url, verbose=False).predict(handle_file(str(card_file)), api_name="/read")
measured["url_reads"] = page_text.startswith(card.truth)
print(page_text)

# %% [markdown]
# ## A page for the billing team
#
# People who are not us need a little more: a sketchpad, examples to click, how sure the model is of each
# digit, and a button that says *this is wrong*. `fsdl_deploy.prototype.gradio_page.build(reader)` is that
# page. It takes any `Reader`, and this will save us in the [next lessons](03_service.ipynb).
#
# **Your turn:** Which of your own digits will the model take for another one? Write down a guess. Then write
# a number with the mouse until the model is wrong, say what it is, and press the button: picture and words
# are now in `build/feedback`.

# %%
page = gradio_page.build(reader, feedback=ROOT / "build" / "feedback")
page_url = gradio_page.launch(page, inline=True, height=620)

# %% [markdown]
# Its API answers with everything that a program wants to know: the digits, the confidence, and *which
# model* said so.

# %%
import json

answer = Client(page_url, verbose=False).predict(handle_file(str(card_file)), api_name="/read")
measured["page_says"] = sorted(answer)
print(json.dumps(answer, indent=1))

# %% [markdown]
# The button hands picture, reading and words to `save_feedback`. Here is what it keeps: a line for whoever
# trains the next model.

# %%
from fsdl_deploy.picture import decode
from fsdl_deploy.prototype.feedback import save_feedback

kept = save_feedback(Path(workplace.name) / "feedback", card.image, reader.read([card.image])[0], "a seven")
lines = (kept.parent / "feedback.jsonl").read_text().splitlines()
measured["feedback"] = [json.loads(line) for line in lines]
measured["picture_kept"] = bool((decode(kept.read_bytes()) == card.image).all())
print(lines[0])

# %% [markdown]
# A drawing is not a card: the sketchpad gives coloured pixels on a transparent canvas, small or large,
# anywhere. `sketch.card_from_sketch` crops it, scales it, and redraws it with a pen of the usual width, so
# that the model sees what it was trained on. Here is one seven, drawn small and drawn large.

# %%
import numpy as np
import PIL.Image
import PIL.ImageDraw

from fsdl_deploy.prototype.sketch import card_from_sketch


def draw_seven(scale):
    canvas = PIL.Image.new("RGBA", gradio_page.CANVAS)
    stroke = [(20 + scale * x, 20 + scale * y) for x, y in [(0, 0), (40, 0), (15, 60)]]
    PIL.ImageDraw.Draw(canvas).line(stroke, fill="black", width=10, joint="curve")
    return np.asarray(canvas)


sevens = [card_from_sketch(draw_seven(scale)) for scale in (0.5, 2.5)]
captions = [f"read as {reading.digits}" for reading in reader.read(sevens)]
figures.cards(sevens, captions, alt="the same seven from a small and a large drawing: they look alike")

# %% [markdown]
# ## The same in Streamlit
#
# Streamlit takes the other road: the page *is* a script, run from top to bottom at every click. It has more
# freedom in layout, needs a cache so that the model is not loaded at each click, and has no sketchpad of its
# own. This is the whole page.

# %%
import subprocess
import time

import psutil
from IPython.display import Code, IFrame, display

from fsdl_deploy import Server
from fsdl_deploy.measuring.table import Table

streamlit_app = ROOT / "infra" / "prototype" / "streamlit" / "app.py"
display(Code(streamlit_app.read_text(), language="python"))

# %% [markdown]
# It runs in an environment of its own, a *station* of the course, without torch: the same ONNX file, the
# same `Reader`. `Server` starts it as a process and ends it with this notebook. A station is built when it is
# first needed, which takes the network once. Where that fails, the cells that need it are skipped and the
# rest of the lesson runs. The course has a [notebook about Streamlit](tools/streamlit.ipynb).

# %% tags=["station:streamlit"]
from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations

command = [ensure("streamlit"), "-m", "streamlit", "run", streamlit_app, "--server.port", "{port}"]
command += ["--server.headless", "true", "--server.address", "127.0.0.1"]
command += ["--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
started = time.perf_counter()
streamlit_server = Server(command, ready="/_stcore/health", cwd=ROOT).start()
streamlit_seconds = time.perf_counter() - started
IFrame(streamlit_server.url + "?embed=true", width="100%", height=620)

# %% [markdown]
# ## Which one?
#
# Both are started the same way now, as programs of their own. The Gradio page stays up for the
# measurements below; `fsdl-deploy prototype` is the same page from the command line.

# %%
from fsdl_deploy import course_server

started = time.perf_counter()
web_server = course_server("prototype", cwd=ROOT).start()
gradio_seconds = time.perf_counter() - started
print(web_server)

# %% [markdown]
# A measurement must not measure its own tools. Gradio's client is convenient, and it spends more time on a
# call than our model does, so we ask as a browser does, with three requests: send the picture, ask for the
# reading, wait for the event that brings it.

# %%
from fsdl_deploy.prototype.visitors import Visitor

visitor = Visitor(web_server.url, card_file.read_bytes())
visitor.ask()["digits"]

# %% [markdown]
# Streamlit runs the script, and so loads the model, when the first visitor comes. Its test tool can be that
# visitor, in a process whose memory we look at while it waits.

# %% tags=["station:streamlit"]
first_visit = f"""
from streamlit.testing.v1 import AppTest
AppTest.from_file({str(streamlit_app)!r}, default_timeout=60).run()
print("seen", flush=True)
__import__("sys").stdin.read()
"""
command = [stations.python("streamlit"), "-c", first_visit]
elsewhere = {"stderr": subprocess.DEVNULL, "cwd": ROOT}
with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **elsewhere) as visitor_process:
    visitor_process.stdout.readline()
    streamlit_memory = psutil.Process(visitor_process.pid).memory_info().rss / 2**20

# %% [markdown]
# How much code is a page? Of Gradio's module those parts count that make the page and answer its buttons (not
# its command line, its style sheet and how it is started from a notebook), of Streamlit's script all.

# %%
page_parts = {"Desk", "answer", "note", "build", "_bar", "_uploaded", "_sentence", "_gradio"}
gradio_size = statements(ROOT / "fsdl_deploy" / "prototype" / "gradio_page.py", page_parts)
streamlit_size = statements(streamlit_app)
measured["page_sizes"] = {"Gradio": gradio_size, "Streamlit": streamlit_size}

# %% [markdown]
# Statements, seconds until it answers, memory with the model: small figures all, and the page with more code
# does more. So choose by what the page must *do*.

# %% tags=["station:streamlit"]
memory = [f"{mebibytes:.0f}" for mebibytes in (web_server.memory() / 2**20, streamlit_memory)]
seconds = [f"{gradio_seconds:.1f}", f"{streamlit_seconds:.1f}"]
Table(
    ["", "statements", "start (s)", "memory (MiB)", "sketchpad, API", "choose it for"],
    ["Gradio", gradio_size, seconds[0], memory[0], "both", "one model, tried by many"],
    ["Streamlit", streamlit_size, seconds[1], memory[1], "neither", "a small application around it"],
)

# %% [markdown]
# ## Behind a URL
#
# A link is easier to share than a notebook, and it makes you meet the questions of deployment early. Four
# ways, from fast to lasting:
#
# - **A share link.** `launch(share=True)`, or `fsdl-deploy prototype --share`, opens a tunnel through the
#   vendor's servers to *your* machine. The link dies with it, and whoever has the link reaches your
#   process. It needs the network, so it is not run here.
# - **Hosted inference.** The lecture's *playground*: a model on Hugging Face's hub gets a box on its page, in
#   which anybody can try it, and an address to ask. That works for models that the site can run, and needs an
#   account and a token, so it is not asked here. Ours is no such model: it gets a page of its own.
# - **A Hugging Face Space.** A git repository that the site builds and runs; its folder runs below.
# - **Streamlit Community Cloud.** The same idea, from a repository on GitHub: a script such as
#   `infra/prototype/streamlit/app.py` and a `requirements.txt`.
#
# A Space is a folder: a page, its requirements, its model, and a README whose header is the configuration.
# `assemble.py` puts it together.

# %%
import sys

space = Path(workplace.name) / "space"
assemble = [sys.executable, ROOT / "infra" / "prototype" / "huggingface-space" / "assemble.py", space]
subprocess.run(assemble, check=True, stdout=subprocess.DEVNULL)
print((space / "README.md").read_text().split("\n\n")[0])
space_rows = []
for path in sorted(space.iterdir()):
    files = [path] if path.is_file() else list(path.iterdir())
    space_rows.append([path.name, len(files), sum(file.stat().st_size for file in files) / 2**10])
Table(["in the folder", "files", "KiB"], *space_rows, formats=["", "", ".1f"])

# %% [markdown]
# The site starts `app.py` and tells it address and port in two variables. So do we, and the page answers
# from that folder alone.

# %%
host = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": "{port}"}
with Server([sys.executable, "app.py"], ready="/", cwd=space, env=host) as space_server:
    space_client = Client(space_server.url, verbose=False)
    measured["space_says"] = space_client.predict(handle_file(str(card_file)), api_name="/read")["digits"]
print(measured["space_says"], "says the Space")

# %% [markdown]
# ## Best practices
#
# The lecture has three, and they are all here:
#
# 1. **Have a basic UI.** Others try it and tell you; the feedback button is worth more than a nicer layout.
# 2. **Put it behind a URL.** A link, not an attachment.
# 3. **Do not stress it too much.** Not more than a day. The smallest page above is a few statements; the one
#    for the billing team is one module.
#
# And one of ours: show **which model version** answered. Feedback without it cannot be used later.
#
# ## The one pro of the pattern
#
# *You get to reuse your existing infrastructure. It does not require you as a model developer to set up new
# things from scratch.* What is there to keep alive: processes, and addresses at which they listen? We count
# them for the page with the model inside, and for the same page with a model service beside it, which is the
# pattern of [lesson 03](03_service.ipynb).

# %%
from fsdl_deploy.prototype.visitors import footprint

with (
    course_server("serve") as service,
    course_server("prototype", "--url", service.url, timeout=180) as apart,
):
    beside = footprint(service.pid, apart.pid)
inside = footprint(web_server.pid)
measured["inside"], measured["apart"] = inside._asdict(), beside._asdict()
Table(["", "processes", "addresses"], ["model in the page", *inside], ["model service", *beside])

# %% [markdown]
# That is the whole pro, and for an internal tool it is a strong one: what starts, watches and logs the page
# does the same for the model.
#
# ## When it fails
#
# A prototype is not the end. The lecture names two limits of prototypes, *limited frontend flexibility* and
# *they don't scale to many concurrent requests*, and five cons of the model-in-service pattern. We measure
# them. The figures are of your machine, now, with whatever else it is doing.
#
# ### Many users
#
# First: 1, 2, 4, 8 and 16 users who each wait for an answer and ask again at once (a *closed loop*). And for
# comparison the reader alone, without a page. `p50` is the *median*: half of the requests were faster. `p95`
# is the 95th *percentile*: of a hundred requests, ninety-five were faster, the rest waited longer.
#
# **Your turn:** With 16 users instead of one, how many times as long does each wait? Guess before you run it.

# %%
from fsdl_deploy import closed_loop

users = [1, 2, 4, 8, 16]
requests = 40 if FAST else 200
loads = [closed_loop(visitor.ask, users=count, requests=requests) for count in users]
alone = closed_loop(lambda: reader.read([card.image]), users=1, requests=50)
Table(
    ["users", "p50 (ms)", "p95 (ms)", "requests/s"],
    *([count, load.p50, load.p95, load.throughput] for count, load in zip(users, loads, strict=True)),
    formats=["", ".0f", ".0f", ".1f"],
)

# %% [markdown]
# Where throughput stops growing and latency goes on, requests stand in a queue: the users wait for each
# other.

# %%
from fsdl_deploy.prototype import page_figures

measured["slower"] = loads[-1].p50 / loads[0].p50
measured["more_requests"] = loads[-1].throughput / loads[0].throughput
page_figures.users(users, loads, alone)
print(
    f"16 users against one: latency × {measured['slower']:.1f}, throughput × {measured['more_requests']:.1f}"
)

# %% [markdown]
# The lecture says that *the model becomes the bottleneck*. Is it so here? Each answer carries the time that
# the model took, so one request can be split into model and web. The page reads one card at a time, so at its
# best rate we know which part of each second the model computes.

# %%
answers = []
single_user = closed_loop(lambda: answers.append(visitor.ask()), users=1, requests=30)
model_ms = float(np.median([answer["milliseconds"] for answer in answers]))
measured["request_ms"], measured["model_ms"] = single_user.p50, model_ms
measured["model_busy"] = model_busy = max(load.throughput for load in loads) * model_ms / 1000
print(f"one request: {single_user.p50:.1f} ms, of which the model takes {model_ms:.1f} ms")
print(f"at the best rate of 1 to 16 users the model computes {model_busy:.0%} of the time")
print("the bottleneck is", "the model" if model_busy > 0.5 else "the web: upload, queue, events")

# %% [markdown]
# Our model is small and quick. Gradio uploads the picture, queues the request and streams the answer back,
# and it works on one request of a kind at a time unless its `concurrency_limit` says otherwise. With a model
# of `100 ms` the lecture's sentence would be true as it stands. Either way the users wait for each other.
#
# ### Large models eat the web server's memory
#
# A small process loads what a web server with a model must load, and reports its memory after each step:
# `v2` in ONNX Runtime, the large model that `v2` was trained to imitate (the *teacher*; `v2` is its
# *student*) in torch, and 100 million weights that stand for a large model. The page alone is our running
# server without its student.

# %%
from fsdl_deploy.prototype.model_memory import added_by_models

steps = added_by_models()
page_mib = web_server.memory() / 2**20 - steps["student"]
measured["page_mib"], measured["added_mib"] = page_mib, steps
page_figures.memory(page_mib, steps)
print(f"page {page_mib:.0f} MiB,", ", ".join(f"{name} +{mib:.0f}" for name, mib in steps.items()))

# %% [markdown]
# Every replica of the web server pays this again, also for the users who never ask the model.
#
# ### Predictions slow down pages that have no model
#
# *That might affect the user experience for people using that web server, even if they are not interacting
# with the model*, says the lecture. One visitor opens the plain page, first alone, then while 8 users ask for
# readings.

# %%
from concurrent.futures import ThreadPoolExecutor

visits = 40 if FAST else 300
quiet = closed_loop(visitor.look, users=1, requests=visits)
with ThreadPoolExecutor() as background:
    readers = background.submit(closed_loop, visitor.ask, users=8, requests=60 if FAST else 600)
    busy = closed_loop(visitor.look, users=1, requests=visits)
    readers.result()
measured["quiet_ms"], measured["busy_ms"] = quiet.p50, busy.p50
rows = [["alone", quiet.p50, quiet.p95], ["beside 8 users", busy.p50, busy.p95]]
Table(["the plain page", "p50 (ms)", "p95 (ms)"], *rows, formats=["", ".0f", ".0f"])

# %% [markdown]
# ### A new model means a new deployment of the application
#
# A browser tab asks for the page again and again while we exchange the model: the process is stopped and
# started with another version, as a redeploy does.

# %%
from fsdl_deploy.prototype.visitors import away_while


def redeploy():
    web_server.stop()
    web_server.command += ["--version", "v1"]
    web_server.start()


versions = [visitor.ask()["model_version"]]
away = away_while(web_server.url, redeploy)
versions.append(visitor.ask()["model_version"])
measured["versions"], measured["away"] = versions, away.seconds
print(f"{' → '.join(versions)}: {away.refused} requests refused, {away.seconds:.1f} s without a page")

# %% [markdown]
# From the first request that failed to the last one, nobody had a page. With several model updates a
# day, this happens several times a day, to everybody.

# %% [markdown]
# ### Web servers' hardware is not made for models
#
# What this machine offers a model. A typical web server is like it: a few cores, shared with the pages, and
# no GPU, which would do thousands of a network's multiplications at once.

# %%
import onnxruntime

print("cores:       ", psutil.cpu_count(logical=False) or "?", "physical,", psutil.cpu_count(), "logical")
print("memory:      ", f"{psutil.virtual_memory().total / 2**30:.0f} GiB")
measured["gpu"] = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
print("ONNX Runtime:", ", ".join(onnxruntime.get_available_providers()))

# %% [markdown]
# How quickly does such a machine read one card? We ask the student and its teacher, first on one thread, then
# on a thread for each core that this process may use.

# %%
from functools import partial

from fsdl_deploy import OnnxReader
from fsdl_deploy.measuring.machine import usable_cores

cores, count = max(1, int(usable_cores())), 50 if FAST else 500
both = {}
for version in ("v2", "teacher"):
    ways = [OnnxReader(version, threads=threads) for threads in (1, cores)]
    both[version] = [closed_loop(partial(way.read, [card.image]), 1, count, warmup=5).p50 for way in ways]
measured["cores"], measured["one_card_ms"] = cores, both
rows = [[name, *times, 1000 / times[0]] for name, times in both.items()]
header = ["one card, median", "1 thread (ms)", f"{cores} threads (ms)", "cards a second, 1 thread"]
Table(header, *rows, formats=["", ".2f", ".2f", ".0f"])

# %% [markdown]
# Two things follow for a web server's machine. More cores do not make one reading faster by themselves: a
# card is little work, and sharing it among threads costs time too. Where more threads are no faster, that
# cost exceeds the gain; where they are, the gain is taken from the pages, which need the same cores. And a
# better model has nothing to run on but those cores: the teacher's last column is all that a core gives
# while it serves no page at all. A machine can be chosen for the model once the model has one of its own;
# [Optimization](05_optimization.ipynb) says what each kind costs.

# %% [markdown]
# ### Model and application scale differently
#
# How many pages can one server give out in a second, and how many readings? And what does the model do when
# it is asked for many cards in one call, which a page never does?

# %%
many = [item.image for item in cards(64, level="typical", split="test", seed=12)]
pages = closed_loop(visitor.look, users=2, requests=60 if FAST else 400)
reads = closed_loop(visitor.ask, users=2, requests=40 if FAST else 400)
batches = closed_loop(lambda: reader.read(many), users=1, requests=3 if FAST else 20)
measured["pages_rate"], measured["reads_rate"] = pages.throughput, reads.throughput
measured["batch_rate"] = 64 * batches.throughput
page_figures.rates(pages.throughput, reads.throughput, 64 * batches.throughput)

# %% [markdown]
# When twice as many people look at pages you want another cheap web server; when twice as many cards arrive
# you want more model. In one process you can only buy both.
#
# ### The web server may speak another language
#
# Our model is a program in Python: a shop whose server is written in JavaScript would have to write it again.
# How much is that? Only what turns a picture into digits counts here, and of the networks only the student:
# no training, no other reader, no file of weights, and none of torch's own operations on arrays.

# %%
to_port = {
    "preprocess": {"resize_weights", "Preprocess"},
    "models": {"steps", "_without_margin", "conv", "Separable", "Student"},
    "ctc": {"best_path"},
}
sources = ROOT / "fsdl_deploy"
ported = {module: statements(sources / f"{module}.py", names) for module, names in to_port.items()}
measured["to_port"] = sum(ported.values())
print("to write again, of", ", ".join(f"{module}.py {count}" for module, count in ported.items()))
print(measured["to_port"], "statements, besides the operations that torch has for them")

# %% [markdown]
# Not many, and each must give the same numbers, in every version of the model, in two languages. That is the
# price, more than the typing. Two ways out come later: the ONNX file, which holds all three parts and which
# Node.js runs in the lesson on [packaging](04_packaging.ipynb) without any of this code, and a
# [model service](03_service.ipynb) that every language can call.
#
# ### Limited frontend flexibility
#
# One example from our own page. Gradio's sketchpad waits for a click on its pen before it draws. Does the
# name of one of its options speak of the tool that is selected? If not, the page needs a script of its own,
# which reaches into names that the next release may change.

# %%
options = inspect.signature(gradio.Sketchpad).parameters
measured["sketch_options"] = len(options)
tool_words = {"tool", "tools", "active", "selected"}
measured["pen_options"] = [name for name in options if tool_words & set(name.split("_"))]
print(len(options), "options, of which speak of a tool:", measured["pen_options"])
print(gradio_page.PEN_IN_HAND)

# %% [markdown]
# A page written by hand has no such limit, and is more to write: the reader in the browser of
# [lesson 10](10_edge.ipynb) is one.
#
# ### The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed from what the cells above measured on your machine;
# the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("01", measured)

# %% [markdown]
# The measurements are over, so the server they needed is stopped. The pages above stay until you shut the
# kernel down.

# %%
visitor.close()
web_server.stop()
print(web_server)

# %% [markdown]
# ## Questions
#
# **Question:** The billing team loves the page, and you want to send the link to 400 meter readers. What
# happens at 8 o'clock?
#
# <details><summary>Answer</summary>
# They stand in one queue, from which Gradio takes one reading at a time. Throughput stays what it is, so
# latency grows in proportion to the number of people who wait. A prototype page is for trying, not for
# working.
# </details>
#
# **Question:** Your model takes `2 ms` and the page `40 ms` for an answer. Should you make the model faster?
#
# <details><summary>Answer</summary>
# No. Almost all of the time is not the model's. Measure where a request spends its time before you optimize
# anything; here it would be the upload, the queue and the web framework.
# </details>
#
# **Question:** Why is the pattern used at all, with five cons and one pro?
#
# <details><summary>Answer</summary>
# It re-uses what exists: one process, one deployment, one log, no network between page and model. For an
# internal tool with few users and a small model that is the right trade.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Only users show how a model really works: put it before them in a day, with a feedback button.
# - Gradio for one model with an API, Streamlit for a small application; the same `Reader` under both.
# - Model-in-service makes page and model share everything: queue, memory, cores, restarts.
# - Measure before you believe: the bottleneck is not always the model.
#
# **Cheat sheet.** `gradio.Interface(function, input, output)` is a page; `gradio.Blocks` one with a layout of
# your own. `streamlit run app.py` starts a script as a page; `st.cache_resource` keeps the model between
# clicks. `fsdl-deploy prototype` starts the billing team's page, `--share` gives it a public link, `--url`
# takes the model out of it. `closed_loop(call, users, requests)` measures p50, p95 and throughput.
#
# **Sources.** [Gradio's guide](https://www.gradio.app/guides/quickstart) and
# [how it queues](https://www.gradio.app/guides/queuing), [Streamlit's
# concepts](https://docs.streamlit.io/get-started/fundamentals/main-concepts),
# [Spaces](https://huggingface.co/docs/hub/spaces-overview).
#
# ## Where to go next
#
# - [Lab 01](../labs/lab01/lab01.ipynb): what the model costs inside the page.
# - [Batch prediction](02_batch.ipynb): the model apart from the page, with a table between them.
# - [The model service](03_service.ipynb): the same page, and the model in a process of its own.
# - [Streamlit](tools/streamlit.ipynb), the tool notebook.
