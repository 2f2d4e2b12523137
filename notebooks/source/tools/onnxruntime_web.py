# %% [markdown]
# # Tool: ONNX Runtime Web: the reader in the browser, without a server that reads
#
# **Minutes:** 15 · **Prerequisites:** [Packaging](../04_packaging.ipynb) · **Truth:** runs
#
# ## The need
#
# Customers read their meters in basements without a signal, and few of them install an app for one number a
# month. Every phone has a browser. Can the page itself read the card, and go on doing so when the link is
# gone?
#
# ## You will learn
#
# - what a page must download before it can read, and what compression makes of that
# - to run `v2.onnx` unchanged in WebAssembly, and to show that it gives the same readings
# - what a browser costs in time: against ONNX Runtime outside of it, with one thread and with several
# - how a service worker and signed releases keep a page working without a link, and up to date with one

# %% [markdown]
# ## Where the model sits
#
# The server sends files, and computes nothing. The model reads on the customer's device.
#
# ```mermaid
# flowchart LR
#     server["Server of files"] -- "once" --> worker["Service worker<br/>and its caches"]
#     subgraph device["Customer's device"]
#         worker --> page[Page] --> model(["v2.onnx in<br/>WebAssembly"])
#     end
#     page -. "unsure" .-> service["Model service"]
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The station
#
# Besides a Chromium or Chrome on this machine, which `CHROME_PATH` may name, there is one station: `node`
# has ONNX Runtime's web form as npm delivers it, and Node.js, which signs what we publish. The page itself
# needs no build step: it is a few JavaScript modules.

# %%
from fsdl_course.setup.stations import ensure
from fsdl_deploy import OnnxReader, figures
from fsdl_deploy.browser import app_files

figures.use()
ensure("node")
modules = sorted(path.name for path in app_files.SOURCES.glob("*.js"))
print(f"{len(modules)} modules: {', '.join(modules)}")

# %% [markdown]
# This is all that has to do with the model. The whole reader is in the file, its preprocessing and its
# decoding too, so JavaScript only makes two tensors and joins the digits.

# %%
from IPython.display import Code

program = (app_files.SOURCES / "reader.js").read_text()
Code(program[program.index("export async function openReader") :], language="javascript")

# %% [markdown]
# ## A site, and a first visit
#
# A **site** is a folder of signed releases. We make one with a key, publish `v2` as its first release, and
# serve it with the page. `fsdl-deploy edge app` does the same from a terminal.

# %%
import tempfile
from pathlib import Path

from fsdl_deploy.browser.serving import ServedApp
from fsdl_deploy.browser.site import Site

folder = tempfile.TemporaryDirectory()
site = Site(Path(folder.name) / "site").make()
site.publish("v2")
served = ServedApp(site).start()

# %% [markdown]
# Now a real browser, with an empty profile and the size of a phone, opens the page and waits until it can
# read.

# %%
from fsdl_deploy.browser.app_page import AppPage
from fsdl_deploy.browser.chromium import Chromium

browser = Chromium(viewport={"width": 390, "height": 700}).__enter__()
page = AppPage(browser, served.url).open()
first_start = page.run("async () => (await import('./main.js')).app.now().reader.milliseconds")
page.screenshot("The page on a phone: a sheet to write on, two buttons for a picture, and the budget")

# %% [markdown]
# What went over the wire for that? The server compresses its files once, and counts what it sends.

# %%
from fsdl_deploy.measuring.table import Table

files = app_files.app_files(site.public)
model = f"releases/{site.current().files['model']['path']}"
sizes = {name: len(file.body) for name, file in files.items()}
sizes[model] = site.current().files["model"]["bytes"]
rows = [[name, sizes[name], sent] for name, sent in served.link.sent.most_common(4) if name in sizes]
rows = [["the model" if name == model else name, *counts] for name, *counts in rows]
runtime = sum(sent for name, sent in served.link.sent.items() if name.endswith(".wasm"))
print(f"the runtime's WebAssembly is {runtime / served.sent:.0%} of what was sent")
Table(["file", "bytes", "sent"], *rows, ["all", None, served.sent], formats=["", ",d", ",d"])

# %% [markdown]
# Most of it is the runtime: the WebAssembly file holds every operator. The model is sent as it lies on the
# server; gzip would make that smaller. On the next visit nothing is sent but
# the question whether there is something newer.
#
# ## The same cards
#
# A conversion that passes proves nothing. Here nothing was even converted, and still: other instructions,
# another compiler, another order of sums. So the page gets 200 cards, and we compare.

# %%
from fsdl_deploy.cards import cards

pictures = [card.image for card in cards(200, seed=77)]
here, there = OnnxReader("v2").read(pictures), page.read_all(pictures)
same = sum(own.digits == other["digits"] for own, other in zip(here, there))
apart = max(abs(own.confidence - other["confidence"]) for own, other in zip(here, there))
print(f"{same} of {len(pictures)} readings are the same, the confidence differs by {apart:.0e} at most")

# %% [markdown]
# The width of a card is free, as in ONNX Runtime itself: no buckets, no padding.
#
# **Pictures.** A file that somebody chooses is decoded in the page. A canvas would round what is half
# transparent, so PNG has a decoder of its own there, which gives the same bytes as Python's. A JPEG in colour
# is left to the browser, whose rounding may differ from Pillow's by a grey level or two.
#
# ## What a browser costs in time
#
# WebAssembly knows vectors of 128 bits and no instruction of a newer processor. Page and Python read the same
# cards in turns, and of each card the shortest time counts. Then threads: a browser gives a page several only
# if it is *isolated*, by two headers that our server sends.

# %%
from fsdl_deploy.browser import timing

few, rounds = (pictures[:40], 3) if FAST else (pictures, 10)
slower = timing.ratio(page, few, rounds=rounds)
single, double = (timing.threads(page, few, count, rounds) for count in (1, 2))
print(f"a card takes {slower:.1f} times as long as in ONNX Runtime outside the browser")
print(f"with two threads it takes {double['card'] / single['card']:.2f} of the time with one")

# %% [markdown]
# A reading remains a matter of milliseconds, and there is no round trip. Two threads do not halve it, if
# they save anything at all: the network is so small that threads spend much of their time waiting for each
# other. On a phone they cost battery as well. So the app takes one, and would not need the two headers.
#
# **WebGPU** is the other way to be faster. That the object is there says little; ask for an adapter.

# %%
able = timing.abilities(page)
print(f"isolated: {able['isolated']}; WebGPU: object {able['object']}, adapter {able['adapter']}")

# %% [markdown]
# Where it says `adapter False`, as in a browser without a screen or a graphics card, a page that counts on
# WebGPU does not work. Ours does not ask for it.
#
# ## Without a link
#
# The first start compiled the runtime and stored everything. Stop the server, reload the page, and upload a
# card.

# %%
from fsdl_deploy.picture import encode

served.stop()
page.reload()
later_start = page.run("async () => (await import('./main.js')).app.now().reader.milliseconds")
card = next(cards(1, "clean", seed=3))
page_text = page.upload({"name": "card.png", "mimeType": "image/png", "buffer": encode(card.image)})
print(f"written {card.truth}, read {page_text['digits']}: {page_text['how']}")
print(f"the reader started in {later_start / first_start:.2f} of the first start's time")

# %% [markdown]
# The service worker answers from its cache. It keeps **one cache for each version** of the app, checks each
# file's hash, and fills it before the old one goes: a link that breaks in between leaves what was there.
#
# ## A newer model
#
# The page looks for a newer release when it starts, when the link is back, each hour and on demand. It takes
# one only if the pinned key signed it, if it is newer than all before, in time and whole. Then a worker tries
# it on built-in cards, and only then does it read.

# %%
served.start()
site.publish("v1")
answers = [page.look(), page.look()]
print(answers, page.shows()["release"])

# %% [markdown]
# Back to `v2`: a rollback is the old model in a *new* release. Serving the old manifest would be an attack.

# %%
site.publish("v2")
print(page.look(), page.shows()["release"])

# %% [markdown]
# ## When it fails
#
# **Somebody between the server and the device.** Each attack has a name in [The Update Framework's
# specification](https://theupdateframework.github.io/specification/latest/). Each is played here, on a
# release that is really newer, and the page must refuse it and go on with the model that it has. After each
# attack the same release comes unspoiled, and the page takes it: so versions `v1` and `v2` come in turns.

# %%
from fsdl_deploy.browser.attacks import attack_app

outcomes = list(attack_app(served, page))
rows = [[outcome.attack.name, outcome.attack.does, outcome.answer, outcome.refused] for outcome in outcomes]
Table(["attack", "the attacker", "the page says", "refused"], *rows)

# %% [markdown]
# **A publisher who errs.** A rightly signed file that is no model, and then the model of before: the first is
# tried, taken back and not tried again.

# %%
site.publish(b"not a model" * 1000, "broken")
print(page.look(), "|", page.shows()["news"], "|", page.shows()["release"])

# %% [markdown]
# The release that the last attack left is reading again. Whichever it was, the next one is `v2`.

# %%
site.publish("v2")
print(page.look(), "|", page.shows()["release"])

# %% [markdown]
# **What a signature cannot do.** The page itself comes from the server. Whoever controls the server, or the
# first visit, can send another page with another key. Against that help https, and an app from a store.
#
# **What leaves the page.** All requests since the first visit, and a try to send something elsewhere: the
# policy that came with the page blocks it.

# %%
outside = [url for url in page.asked if not url.startswith(served.url)]
other = ServedApp(site).start()  # another server, which would answer
attempt = "(url) => fetch(url, {mode: 'no-cors'}).then(() => 'sent', () => 'blocked')"
print(f"{len(page.asked)} requests, {len(outside)} of them elsewhere")
print(f"a try: {page.run(attempt, other.url)}; the other server was asked {other.link.asked.total()} times")
other.stop()

# %% [markdown]
# **A budget.** The lecture says of the edge: *Often limited hardware resources available*. The page shows
# what it takes beside what it may take, on the device of whoever looks. (This budget comes with the release
# and is for the user to see. The one that refuses a commit is stricter: [The model in the
# field](../10b_field.ipynb).)

# %%
page.upload({"name": "card.png", "mimeType": "image/png", "buffer": encode(card.image)})
page.screenshot("The page after a reading: the digits, how sure it is, and size and time beside their budget")

# %% [markdown]
# Everything that was started is stopped.

# %%
browser.__exit__(None, None, None)
served.stop()
folder.cleanup()

# %% [markdown]
# ## Questions
#
# **Question:** Why does the page refuse a release that the right key signed, only because its time is over?
#
# <details><summary>Answer</summary>
# Somebody who cannot sign may still hold back what is new, and serve the last good release for ever. With
# an end to each release the page notices that no news came, and says so.
# </details>
#
# **Question:** The model is replaced each month. How much does a returning customer download?
#
# <details><summary>Answer</summary>
# The manifest and the model. The runtime, most of the first visit, stays in its cache until the app itself
# changes.
# </details>
#
# **Question:** The first visit is too slow for customers with a weak signal. A colleague offers a model of
# half the size. What do you look at first?
#
# <details><summary>Answer</summary>
# At the table of what was sent: most of it is the runtime, so half a model saves little. A runtime with
# only the operators that this model needs would save more. Or let the page load at home, since later it
# reads without a link.
# </details>

# %% [markdown]
# ## Take-aways
#
# - The same ONNX file reads in a browser, and gives the same readings: measured, not assumed.
# - The runtime is most of the download, and the first visit pays for it. Compress it, and cache it.
# - Threads help a small model little: measure before you add two headers for them. A GPU may not be there.
# - Updates need a signature, a version that only grows, an end, and a way back.
#
# ## Where to go next
#
# - [TensorFlow.js](tensorflow_js.ipynb): the browser runtime that the lecture names.
# - [Move to the edge](../10_edge.ipynb): when it is worth it, and what to do when the model is unsure.
