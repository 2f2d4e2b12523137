# %% [markdown]
# # AWS Lambda: a function that is there when it is called
#
# **Minutes:** 30 · **Prerequisites:** [Scaling](../07_scaling.ipynb) · **Truth:** runs against an emulator
#
# ## The need
#
# The second utility sends a few hundred cards on most days, and thousands in one hour when its newsletter
# appears. A server would idle through the month. *Start with serverless!* says the lecture, and names what is
# difficult: the package, cold starts, pipelines, memory, tools, time. Which of these hurt a reader of cards?
#
# ## You will learn
#
# - what a function is made of: a handler, a package, a memory size, a time limit
# - to shrink a package until it fits a direct upload, and to see that it still reads
# - how instances come and go, and what a cold start, a small memory and a pipeline cost
# - what happens to memory between calls, and to work that takes longer than it may
# - to check a template and to give a new version a tenth of the calls

# %% [markdown]
# ## Where the model sits
#
# In an **instance**: a small machine that AWS starts when a call comes and ends when none comes. Inside it
# run two programs of AWS's own, which run here as well: the *Runtime Interface Emulator*, and the client that
# imports our handler. What is around the instances (the dashed part) is a small platform of the course's.
#
# ```mermaid
# flowchart LR
#     caller["caller"] -- "event" --> platform["platform: starts, ends,<br/>counts, bills"]
#     subgraph instance ["instance"]
#         emulator["AWS's emulator"] --> client["AWS's client"] --> model(["handler:<br/>the Reader"])
#     end
#     platform --> emulator
#     style model fill:#d55e00,color:#fff
#     style platform stroke-dasharray: 5 5
# ```
#
# The emulator is a program for Linux. On Windows and macOS the sections on the handler, the package and the
# parts of a cold start run; the others say in a sentence that they do not.
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## One handler
#
# A function is called with an *event* and answers with an object. Behind an address on the web the event is
# the request, and the answer becomes the response. `respond` knows no cloud, so that Google's and Microsoft's
# functions can wrap it, too. The model is loaded by the first call and kept.

# %%
import inspect
import json

from IPython.display import Code

from fsdl_deploy.scaling import serverless

parts = (serverless.reader, serverless.respond, serverless.handler)
Code("\n\n".join(inspect.getsource(part) for part in parts), language="python")

# %% [markdown]
# Called as AWS calls it, with a card and with events that a client got wrong.

# %% tags=["nbval-check-output"]
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

card = next(iter(cards(1, "typical", seed=7)))
event = serverless.event(encode(card.image))
for sent in (event, {"body": '{"image": ""}'}, {"body": '{"picture": "AAAA"}'}, {}):
    response = serverless.handler(sent)
    answer = json.loads(response["body"])
    print(response["statusCode"], answer.get("digits") or answer["error"])

# %% [markdown]
# ## One package
#
# All that the handler imports travels with it, in a zip. AWS takes one of `50 MB` by a direct upload, and it
# may unpack to `250 MB`. On each rung below the package loses something, and then its handler must still read
# our card, with nothing but the package and Python's own library. (A megabyte is `2**20` bytes here, as in
# AWS's documentation.)

# %%
import tempfile
from pathlib import Path

from fsdl_deploy.managed import costs
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.scaling import package_size

measured, rows, workplace = {}, [], tempfile.TemporaryDirectory()
package = package_size.build(Path(workplace.name) / "package")
for rung, size, response in package_size.climb(package, event):
    digits = json.loads(response["body"])["digits"]
    rows.append([rung, size.zipped / 2**20, size.unpacked / 2**20, digits])
limits = [costs.prices()[f"function_package_{name}"].value for name in ("zipped", "unpacked")]
rows.append(["the limits", *limits, None])
Table(["rung", "zip MB", "unpacked MB", "digits"], *rows, formats=["", ".1f", ".0f"])

# %% [markdown]
# What pip installs is just too large; leaving out the byte-code is enough. The last rung gives some back on
# purpose: byte-code, without which each cold start would compile all modules anew, since the folder is
# read-only in the cloud. `strip` would break one of numpy's libraries, which was altered when its wheel was
# made; so it leaves those alone. Without a reading after each rung, customers find that first.
#
# And with torch? It needs no zip to say:

# %%
with_torch = package_size.unpacked_bytes([*package_size.NEEDS, "torch"]) / 2**20
print(f"with torch {with_torch:,.0f} MB unpacked, {with_torch / limits[1]:.1f} times the limit")
print(f"as an image of a container: at most {costs.prices()['function_image'].value:,.0f} MB")

# %% [markdown]
# ## A cold start, taken apart
#
# Where does the time of a first call go? The same steps in a fresh process: by ONNX Runtime as installed
# here, by ONNX Runtime from the package with its byte-code, and by torch.

# %%
from fsdl_deploy.scaling import cold_start

starts = {
    "ONNX Runtime": cold_start.take_apart("onnx"),
    "ONNX Runtime, from the package": cold_start.take_apart("onnx", package=package),
    "torch": cold_start.take_apart("torch"),
}
header = ["seconds", *cold_start.STEPS, "until the first answer"]
rows = [
    [name, *(getattr(start, step) for step in cold_start.STEPS), start.total]
    for name, start in starts.items()
]
Table(header, *rows, formats=["", *[".3f"] * 6])

# %% [markdown]
# Clouds sell a cure: instances that are kept ready (*provisioned concurrency*) are paid for by the hour, as
# servers are.
#
# A start is imports, most of it. The model itself is a third of a megabyte. (The machine's file cache
# is warm here; an instance on a new machine also fetches the package first.)

# %%
import matplotlib.pyplot as plt

from fsdl_deploy import figures

figures.use()
figure, axes = plt.subplots(figsize=(8, 2.4))
begins = [0.0] * len(starts)
for step in cold_start.STEPS[:-1]:
    widths = [getattr(start, step) for start in starts.values()]
    axes.barh(list(starts), widths, left=begins, label=step)
    begins = [begin + width for begin, width in zip(begins, widths, strict=True)]
axes.set(xlabel="seconds until the first answer", ylabel="start by")
axes.invert_yaxis()
axes.legend(ncols=4)
figures.show(figure, alt="Parts of a cold start, stacked: imports take most of it, and torch's take longest")

# %% [markdown]
# ## Instances come and go
#
# Now as a function: the package, a handler's name, and the platform. One caller asks three times, then a
# crowd asks at the same moment, twice. Then nobody asks for a second, which is this platform's patience (AWS
# does not say what its own is; people measure minutes).

# %% tags=["station:aws_lambda"]
from fsdl_course.setup.stations import ensure
from fsdl_deploy.scaling import function_bursts
from fsdl_deploy.scaling.serverless_platform import Function

ensure("aws_lambda")
crowd = 10 if FAST else 50
with Function(package, package_size.HANDLER, most=crowd, idle=1, timeout=60) as function:
    phases = function_bursts.burst(function, event, crowd)
lines, metrics, history = function.log().splitlines(), function.metrics, function.history

# %% [markdown]
# Nobody told the platform how many instances to start.

# %% tags=["station:aws_lambda"]
function_bursts.table(phases)

# %% [markdown]
# The same as a picture: how many instances there were.

# %% tags=["station:aws_lambda"]
figure, axes = plt.subplots(figsize=(7, 2.6))
seconds = [moment - history[0][0] for moment, _ in history]
axes.step(seconds, [count for _, count in history], where="post")
axes.set(xlabel="seconds since the first call", ylabel="instances", ylim=(0, None))
figures.show(figure, alt="Instances over time: one, then as many as callers, then none, then one again")

# %% [markdown]
# The crowd's first calls are slower than a single cold start: here all instances start on the cores of one
# machine. In the cloud each has its own, and the crowd may be as large as the account's limit. A crowd of
# fifty takes too long for a quick run, so it is recorded (`python infra/scaling/aws_lambda/record.py`):

# %%
from fsdl_deploy.scaling import function_bursts

function_bursts.recorded()

# %% [markdown]
# The lecture says that a function *winds down to zero* and then *takes time to start again*:

# %% tags=["station:aws_lambda"]
measured["left_when_quiet"] = phases[-1].before
measured["wake_up"] = phases[-1].median / phases[0].median
print(f"instances after the quiet while: {measured['left_when_quiet']}")
print(f"the next call took {measured['wake_up']:.0f} times the median of the first three")

# %% [markdown]
# ## Memory, processor, price
#
# Memory is all that one chooses, and the processor comes with it: `1769 MB` bring one whole core, half of it
# brings half a core. The price is per gigabyte and second. For this it takes a call that works for a while:
# `night` of `steps.py` reads our card `64` times.

# %% tags=["station:aws_lambda"]
import shutil

from fsdl_deploy.running import stations

station = stations.station("aws_lambda")
shutil.copy(station.folder / "steps.py", package)
core = costs.prices()["function_memory_of_a_core"].value


def warm_calls(memory, count):
    with Function(package, "steps.night", memory=memory, timeout=60) as sized:
        sized(event | {"cards": 32})
        return [sized(event | {"cards": 64}) for _ in range(count)]


# %% [markdown]
# The same call at several sizes, warm:

# %% tags=["station:aws_lambda"]
import statistics

rows, by_memory = [], {}
for memory in (3538, 1769, 884, 442, 221):
    calls = warm_calls(memory, 3 if FAST else 100)
    billed = statistics.mean(call.billed for call in calls)
    million = 1e6 * billed * memory / 1024 * costs.prices()["function_gb_second"].value
    million += costs.prices()["function_million_requests"].value
    by_memory[memory] = 1000 * statistics.median(call.seconds for call in calls), million
    rows.append([memory, memory / core, *by_memory[memory]])
header = ["memory MB", "cores that come with it", "median ms", "USD for a million calls"]
Table(header, *rows, formats=["", ".2f", ".0f", ".2f"])

# %% [markdown]
# As a picture: time falls with memory as long as there is less than a whole core, and the price hardly moves.
# Above one core time stays, and the price doubles.

# %% tags=["station:aws_lambda"]
figure, (above, below) = plt.subplots(2, figsize=(7, 4), sharex=True)
sizes = list(by_memory)
above.plot(sizes, [wait for wait, _ in by_memory.values()], "o-")
below.plot(sizes, [price for _, price in by_memory.values()], "o-")
above.set(ylabel="median ms", ylim=(0, None), xscale="log")
below.set(ylabel="USD a million calls", ylim=(0, None), xlabel="memory (MB)")
below.set_xticks(sizes, sizes, minor=False)
below.minorticks_off()
figures.show(figure, alt="Time against memory falls up to one core; the price rises only beyond it")

# %% [markdown]
# Less memory is slower and costs about the same: the same work at half the speed and half the price a second.
# Above one core a function with one thread gets nothing for its money. So take a whole core while customers
# wait, and less where nobody does. (A share is given in slices of `20 ms`, here as in the cloud, so a call of
# a few milliseconds may fit into one slice, or just not; that is why this one works for longer.)
#
# ## What else the platform takes care of
#
# *Logs*: what the handler prints, and a line of the emulator's for each call. *Metrics*: calls, errors,
# refusals, cold starts, memory. *The bill*, from the same figures. (The emulator does not know how much
# memory was used and says the limit; the platform looks.)

# %% tags=["station:aws_lambda"]
report = next(line for line in reversed(lines) if line.startswith("REPORT"))
print(report.partition("\t")[2].replace("\t", " · "))
print(metrics)
print(f"the bill so far: {function.cost:.7f} USD; memory used at most: {metrics.peak / 2**20:.0f} MB")

# %% [markdown]
# The slide's list is longer: *instances, scaling, memory allocation, security, logging, monitoring*. Which of
# these did the platform, our stand-in, do without us? For memory the question is whether the size that we
# choose matters; what a function sees of the machine comes after this.

# %% tags=["station:aws_lambda"]
asked, taken_care = sum(phase.calls for phase in phases), measured.setdefault("taken_care", {})
taken_care["instances"] = metrics.cold >= metrics.most and phases[-1].before == 0
taken_care["scaling"] = metrics.most > 1 and not any(phase.failed for phase in phases)
waits = [wait for wait, _ in by_memory.values()]
taken_care["memory allocation"] = max(waits) < 1.5 * min(waits)
taken_care["logging"] = sum(line.startswith("REPORT") for line in lines) == asked
taken_care["monitoring"] = metrics.calls == asked
print(taken_care)

# %% [markdown]
# *Security* has two sides. *Rights* are ours to choose: a function may do what its role allows. Ours reads
# pictures and needs none, so its template says `Policies: []`. *Isolation* is the platform's, and only that
# is counted here. Of this machine the function sees neither variables nor credentials nor packages:

# %% tags=["station:aws_lambda"]
import os

with Function(package, "steps.surroundings", timeout=60) as function:
    seen = function({}).answer
shared = {"PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}  # the platform sets these itself
leaked = sorted(seen["variables"].keys() & os.environ.keys() - shared)
leaked = [name for name in leaked if seen["variables"][name] == os.environ[name]]
foreign = [path for path in seen["path"] if "site-packages" in path]
taken_care["security"] = not leaked and not foreign
print(f"{len(seen['variables'])} variables, of this machine: {leaked}; packages of this machine: {foreign}")
taken_care_of = [name for name, by_platform in taken_care.items() if by_platform]
measured["taken_care_of"] = len(taken_care_of)
measured["to_take_care_of"] = len(taken_care)
print("left to us:", ", ".join(sorted(taken_care.keys() - set(taken_care_of))) or "nothing")

# %% [markdown]
# ## Pipelines of functions
#
# Pipelines of models *can be challenging to build*, says the slide. Unpack the picture, read it, decide
# whether a person should look at it: as one function, and as three that call each other.

# %% tags=["station:aws_lambda"]
from contextlib import ExitStack


def in_turn(functions, passed_on):
    waited = 0
    for function in functions:
        call = function(passed_on)
        passed_on, waited = call.answer, waited + call.seconds
    return passed_on, waited


# %% [markdown]
# Each function has a handler, instances and cold starts of its own, and what one hands to the next must fit
# into an event: pixels become text again.

# %% tags=["station:aws_lambda"]
rows, medians = [], {}
pipelines = {"one": ["all_steps"], "three": ["unpack", "read", "decide"]}
for name, steps in pipelines.items():
    with ExitStack() as running:
        chain = [running.enter_context(Function(package, f"steps.{step}", timeout=60)) for step in steps]
        decision, cold = in_turn(chain, event)
        warm = statistics.median(in_turn(chain, event)[1] for _ in range(20 if FAST else 200))
    medians[name] = cold, warm
    rows.append([name, cold, 1000 * warm, decision["digits"], decision["accepted"]])
header = ["functions", "cold s", "warm ms", "digits", "accepted"]
Table(header, *rows, formats=["", ".2f", ".1f"])

# %% [markdown]
# How many times as long do three functions take as one?

# %% tags=["station:aws_lambda"]
(cold, warm), (cold_of_three, warm_of_three) = medians["one"], medians["three"]
measured["cold_ratio"] = cold_of_three / cold
measured["warm_calls"] = 20 if FAST else 200
measured["warm_ratio"] = warm_of_three / warm
print(f"cold × {measured['cold_ratio']:.1f}, warm × {measured['warm_ratio']:.1f}")

# %% [markdown]
# ## Memory between calls
#
# Customers send the same card again: the app tries twice, people press twice. A cache answers at once, if it
# is still there. Here uploads of the month end come from four callers, with a quiet hour in the middle, in
# which the instances end. Once each instance remembers for itself, once all share a database.

# %% tags=["station:aws_lambda"]
from fsdl_deploy.optimization.month_end import marked, month_end

order = month_end(30 if FAST else 300)
uploads = [serverless.event(encode(marked(card.image, number))) for number in order]
middle, hits, rows = len(uploads) // 2, {}, []
for name, variables in {"own": {}, "shared": {"SHARED": f"{workplace.name}/readings.db"}}.items():
    with Function(package, "steps.remembered", most=4, timeout=60, variables=variables) as function:
        calls = function.at_once(uploads[:middle], callers=4)
        function.end_idle(0)
        calls += function.at_once(uploads[middle:], callers=4)
    hits[name] = sum(call.answer["hit"] for call in calls) / len(calls)
    rows.append([name, len(calls), hits[name]])
measured["hits"] = hits
rows.append(["all that could be", len(order), 1 - len(set(order)) / len(order)])
Table(["memory", "uploads", "answered from it"], *rows, formats=["", "", ".0%"])

# %% [markdown]
# A function may keep what it can lose: the model, a connection, a cache that helps when it is there. What
# must be there next time belongs in a database, which is one more thing to run, or to pay for by request.
#
# ## Tools
#
# A *template* says what belongs to the function: memory, time, rights, its versions and how a new one comes
# in. AWS's own linter checks it without an account.

# %% tags=["station:aws_lambda"]
template = (station.folder / "template.yaml").read_text()
Code(template[template.index("Resources:") : template.index("  ReaderErrors:")], language="yaml")

# %% [markdown]
# The linter is a command, `sam validate --lint`. Here are six faults, each of which can be known from the
# files and AWS's documentation alone. Will it refuse them?

# %% tags=["station:aws_lambda"]
broken = {
    "a misspelt word": ("Runtime:", "Runtme:"),
    "a Python that AWS has ended": ("python3.11", "python3.6"),
    "less memory than the least": ("MemorySize: 1769", "MemorySize: 64"),
    "more time than the most": ("Timeout: 30", "Timeout: 3000"),
    "a handler that is in no file": ("serverless.handler", "serverless.handle"),
    "an alarm that is not there": ("!Ref ReaderErrors", "Gone"),
}
texts = {"as it is": template}
texts |= {name: template.replace(*change) for name, change in broken.items()}

# %% [markdown]
# It runs with a home of its own and sends no usage report.

# %% tags=["station:aws_lambda"]
import subprocess
from concurrent.futures import ThreadPoolExecutor

settings = {"PATH": os.environ["PATH"], "HOME": workplace.name, "SAM_CLI_TELEMETRY": "0"}
settings["AWS_DEFAULT_REGION"] = "us-east-1"


def lint(name):
    file = Path(workplace.name) / f"{name}.yaml"
    file.write_text(texts[name])
    command = [station.python.with_name("sam"), "validate", "--lint", "--template", file]
    return subprocess.run(command, capture_output=True, text=True, env=settings)


with ThreadPoolExecutor(2) as pool:
    verdicts = dict(zip(texts, pool.map(lint, texts), strict=True))
for name, verdict in verdicts.items():
    print(name, "is accepted" if verdict.returncode == 0 else "is refused")

# %% [markdown]
# It does not see everything: the alarm is the one that would take a new version back. What it says of the
# misspelt word:

# %% tags=["station:aws_lambda"]
complaint = verdicts["a misspelt word"].stderr + verdicts["a misspelt word"].stdout
measured["broken"] = len(broken)
measured["refused"] = sum(verdicts[name].returncode != 0 for name in broken)
print("\n".join(line[:200] for line in complaint.splitlines() if "Runtme" in line))

# %% [markdown]
# An *alias* is a name for versions. `deploy.py` publishes two versions and gives the new one a tenth of the
# calls, then takes it back, all by AWS's API; *moto* stands in for the cloud and keeps what it is told. The
# credentials say "nobody", and no profile of this machine is read.

# %% tags=["station:aws_lambda"]
from fsdl_deploy import Server

command = [station.python, "-m", "moto.server", "-H", "127.0.0.1", "-p", "{port}"]
with Server(command, ready="/moto-api/", name="moto", timeout=180) as cloud:
    words = [station.python, station.folder / "deploy.py", cloud.url]
    report = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
weights = report["canary"]["RoutingConfig"]["AdditionalVersionWeights"]
measured["canary"] = sum(weights.values())
measured["rolled_back"] = not report["rolled_back"]["RoutingConfig"].get("AdditionalVersionWeights")
print(report["canary"])
print("rolled back:", report["rolled_back"])

# %% [markdown]
# moto runs no function, so the course's platform sends the calls by that weight: the old version is `v1`, the
# new one `v2`.

# %% tags=["station:aws_lambda"]
from collections import Counter

from fsdl_deploy import weights as model_files
from fsdl_deploy.scaling.serverless_platform import Alias

shutil.copy(model_files.folder() / "v1.onnx", package / "models")
with ExitStack() as running:
    versions = [{serverless.VERSION: version} for version in ("v1", "v2")]
    options = {"handler": package_size.HANDLER, "timeout": 60}
    functions = [Function(package, variables=chosen, **options) for chosen in versions]
    old, new = map(running.enter_context, functions)
    alias = Alias(old, {new: weights[report["versions"][1]]})
    calls = [alias(event) for _ in range(200 if FAST else 2000)]
answered = Counter(json.loads(call.answer["body"])["model_version"] for call in calls)
print(f"{answered['v2'] / len(calls):.0%} of the calls by the new version")

# %% [markdown]
# ## The time limit
#
# AWS ends a call after `900 s` at the latest. Here a function may take four seconds. It reads one card again
# and again, in place of an inbox: first as many as a small part of it, then more than it has time for.

# %% tags=["station:aws_lambda"]
from fsdl_deploy.scaling import traffic

with Function(package, "steps.night", timeout=4) as night:
    night(event | {"cards": 32})
    part = night(event | {"cards": 640})
    per_second = 640 / part.seconds
    late = night(event | {"cards": int(12 * per_second)})
print(f"{per_second:,.0f} cards a second")
print(f"all of them: {late.answer}, {late.error!r}, billed {late.billed:.1f} s")
most = costs.prices()["function_most_seconds"].value
measured["timed_out"] = "timed out" in late.error
measured["cards_in_limit"] = most * per_second
measured["busiest_day"] = traffic.month(5_000_000)[-traffic.DAY :].sum()
print(f"in {most:.0f} s: {measured['cards_in_limit']:,.0f} cards; {measured['busiest_day']:,.0f} come")

# %% [markdown]
# All the work of the late call is lost, and billed. So a long night is cut into events: a call for each
# thousand cards, each stored before it returns, many at the same time. A batch job with its own table
# (lesson 02) needs no such cutting.
#
# ## The lecture's claims beside ours
#
# The sentences of the lecture that this notebook decides; the others are decided in the
# [lesson](../07_scaling.ipynb).

# %%
from fsdl_course.claims import claims

claims("07", measured, notebook="tools/aws_lambda")

# %% [markdown]
# ## When it fails
#
# A call that takes more memory than the function has is killed with its instance:

# %% tags=["station:aws_lambda"]
with Function(package, "steps.greedy", memory=256, timeout=60) as greedy:
    for megabytes in (10, 400):
        call = greedy({"megabytes": megabytes})
        print(megabytes, "MB:", call.answer or call.error)
workplace.cleanup()

# %% [markdown]
# *Where this platform is not the cloud.* Its instances share the cores of one machine, so a burst is slower
# here. A package is on the disk already, while a cloud fetches it to a new machine. There is no network, no
# queue of events and no certificate, and no rights are checked.

# %% [markdown]
# ## Questions
#
# **Question:** A colleague imports pandas in the handler, for the date of a reading. The function still
# works. Which two prices do you pay, and who notices?
#
# <details><summary>Answer</summary>
# The package grows towards the limits in <em>One package</em>. And every cold start now imports pandas: in
# the bars above, imports are most of a start. Only callers who meet a new instance wait for it, so a test
# with warm calls notices nothing.
# </details>
#
# **Question:** The bill is too high, so a colleague halves the function's memory. What changes?
#
# <details><summary>Answer</summary>
# Below one core hardly the bill: half the memory brings half the processor, so a call takes about twice as
# long at half the price a second. Above one core halving does save money, because this function works with
# one thread. If the new size is too small, calls are killed, as in <em>When it fails</em>.
# </details>
#
# **Question:** Your function allows each customer ten uploads a day, and counts them in a variable of its
# module. All tests pass. What happens at the month end?
#
# <details><summary>Answer</summary>
# The tests met one instance. A crowd meets many, each with a count of its own, and a quiet hour ends the
# instances and their counts. So customers get past the limit, and nobody sees an error. A count that must be
# right belongs in a database that all instances share.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Choose a function for calls that come rarely or all at once, whose work is short and needs nothing
#   remembered.
# - What you import is what a cold start costs and what the package weighs: ONNX Runtime fits, torch does not.
# - Shrink the package by a script that reads a card after each step. Add the byte-code.
# - One whole core while somebody waits; less memory is slower at about the same price.
# - Keep steps that belong together in one function. Keep state elsewhere.
# - Give a new version a tenth of the calls, with an alarm that takes it back.
#
# ## Where to go next
#
# - [Scaling](../07_scaling.ipynb): from which traffic on a server is cheaper.
# - [Google Cloud functions](cloud_functions.ipynb) and [Azure functions](azure_functions.ipynb): the same
#   handler in two other clouds.
# - [Docker](docker.ipynb): the image that takes what no zip can.
