# %% [markdown]
# # Google Cloud functions: a framework in each instance
#
# **Minutes:** 15 · **Prerequisites:** [AWS Lambda](aws_lambda.ipynb) · **Truth:** runs
#
# ## The need
#
# The second utility has its data in Google's cloud: customers' apps put the pictures into a bucket there.
# Nobody wants to write a second reader for a second cloud. What changes when the same handler moves from AWS
# to Google?
#
# ## You will learn
#
# - what Google calls, and what its framework does around it
# - how many requests one instance answers at once, and what more of them bring
# - to read a picture when it arrives in a bucket, without anybody who asks
# - what is uploaded, and what is not in it
# - why an exception is a message to the platform

# %% [markdown]
# ## Where the model sits
#
# In an **instance**, as with Lambda. But inside it is a web server: Google's *Functions Framework* on
# gunicorn, which runs here as it does there. The dashed part is the cloud, and it is missing: we ask the
# server directly. (The product's name moves: *Cloud Functions* are *Cloud Run functions* today.)
#
# ```mermaid
# flowchart LR
#     client["any HTTP client"] -.-> cloud["Google: address, rights,<br/>instances, image, bucket"]
#     bucket[("bucket")] -.-> cloud
#     cloud -. "request" .-> framework
#     cloud -. "event" .-> framework
#     subgraph instance ["instance"]
#         framework["Google's framework"] --> model(["our function:<br/>the Reader"])
#     end
#     style model fill:#d55e00,color:#fff
#     style cloud stroke-dasharray: 5 5
# ```
#
# On macOS all of it is the same as on Linux. On Windows there is no gunicorn, so the framework answers by
# Flask's own server, and the section on requests at once shows that server.
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## What Google calls
#
# A function of `main.py` with a decorator. `request` is a request of Flask's; a dictionary and a status
# become the response. All that reads cards is `respond`, the same as on AWS.

# %%
from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy import open_reader
from fsdl_deploy.running import stations
from fsdl_deploy.scaling.entry_points import ENTRY_POINTS

ensure("cloud_functions")
reader = open_reader()
station = stations.station("cloud_functions")
aws, google, _ = ENTRY_POINTS
Code(google.source, language="python")

# %% [markdown]
# For comparison, AWS's. There the request comes as an object that we have to take apart, and there is no web
# server in the instance.

# %%
Code(aws.source, language="python")

# %% [markdown]
# One more line of `main.py` matters: `serverless.reader()`, while the module is imported. An instance of
# Google's may get several requests at once, and the first two would load the model twice.
#
# ## Started, and asked
#
# `serve` starts Google's framework on a free port of this machine (`functions-framework --target read_card`)
# and ends it with the notebook. Twenty cards, beside the Reader in this process: digits and confidence have
# to be equal.

# %% tags=["nbval-check-output"]
import base64

import httpx2

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.scaling import cloud_function

server = cloud_function.serve("read_card").start()
web = httpx2.Client(timeout=60, trust_env=False)
deck = list(cards(20, "typical", seed=8))
requests = [{"picture": base64.b64encode(encode(card.image)).decode()} for card in deck]
answers = [web.post(server.url, json=request).json() for request in requests]
readings = [reader.read([card.image])[0] for card in deck]
equal = [(a["digits"], a["confidence"]) == (r.digits, r.confidence) for a, r in zip(answers, readings)]
print(answers[0]["digits"], "and the truth is", deck[0].truth)
print(f"{sum(equal)} of {len(deck)} answers are the Reader's, to the last bit")

# %% [markdown]
# What clients get wrong. Each is a 4xx that names the field, since `respond` says so.

# %% tags=["nbval-check-output"]
wrong = {"no JSON": "{", "no picture": "{}", "no base64": '{"picture": "no base64!"}', "empty": ""}
for name, body in wrong.items():
    response = web.post(server.url, content=body)
    print(f"{name:11}{response.status_code} {response.json()['error']['field']}")

# %% [markdown]
# ## One instance, several requests
#
# An instance of Lambda's has one request at a time. One of Google's may have more: as many as it has
# *threads* (the variable `THREADS`) and as the function's *concurrency* allows, which is [one if you say
# nothing](https://cloud.google.com/functions/docs/configuring/concurrency). How many are inside at once?
# `meet` is a function that waits until all eight callers are there, half a second at most, and counts.

# %%
from concurrent.futures import ThreadPoolExecutor

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.failures import busy

callers, together = 8, {}
for threads in (1, 4, 8):
    with cloud_function.serve("meet", THREADS=threads) as meeting, ThreadPoolExecutor(callers) as pool:
        counts = list(pool.map(lambda _: web.post(meeting.url, content=str(callers)).json(), range(callers)))
    together[threads] = max(count["here"] for count in counts)
print(together)

# %% [markdown]
# As many as there are threads. Does the instance also read more cards with them? Eight callers who wait for
# their answers, and one card a request:

# %%
import json

rows, body = [], json.dumps(requests[0]).encode()
for threads, workers in ((1, 1), (8, 1), (8, 2)):
    with cloud_function.serve("read_card", THREADS=threads, WORKERS=workers) as instance:
        load = busy(Asking(instance.url, body), callers, 200 if FAST else 4000).load
        rows.append([threads, workers, load.throughput, load.p50, load.p99, instance.memory() / 2**20])
header = ["threads", "processes", "cards a second", "p50 ms", "p99 ms", "memory MiB"]
Table(header, *rows, formats=["", "", ".0f", ".0f", ".0f", ".0f"])

# %% [markdown]
# Threads let requests in; the cores decide how many cards are read (a second process brings little where the
# callers need the other core, as here). For a model that computes, room for more
# requests than cores only moves the queue into the instance, where the platform does not count it.
# For a function that waits, for a database or another service, it is the other way round: eight waits in one
# instance cost as much as one.
#
# ## A picture arrives in a bucket
#
# Nobody has to ask. Google sends an **event** when an object has arrived: who, what, when, in the form of a
# *CloudEvent*, a standard that other clouds know, too. The function gets the name of the object and fetches
# it. `main.py` knows the bucket as a folder, since there is no cloud here; the event and its way through the
# framework are real.

# %%
import tempfile
from pathlib import Path

buckets = tempfile.TemporaryDirectory()
for name in ("cards", "readings"):
    Path(buckets.name, name).mkdir()
program = (station.folder / "main.py").read_text()
begin = program.index("@functions_framework.cloud_event")
Code(program[begin : program.index("_here, _changed")].rstrip(), language="python")

# %% [markdown]
# Three pictures arrive, and the event of the second comes twice: a platform promises *at least once*, not
# once.

# %%
listener = cloud_function.serve("arrived", BUCKETS=buckets.name).start()
arrivals = [f"card-{number}.png" for number in (0, 1, 1, 2)]
for number, card in enumerate(deck[:3]):
    Path(buckets.name, "cards", f"card-{number}.png").write_bytes(encode(card.image))
for name in arrivals:
    headers, event = cloud_function.arrival("cards", name)
    print(name, web.post(listener.url, headers=headers, json=event).status_code)
stored = {file.name: json.loads(file.read_text()) for file in Path(buckets.name, "readings").iterdir()}
print({name: stored[name]["digits"] for name in sorted(stored)})

# %% [markdown]
# Four events, three readings: the reading of an object has a name that is made from the object's, so the
# second delivery wrote the same file again. A function that would *add* a row to a table, or send a letter,
# must remember the event's number (`ce-id`).
#
# ## What is uploaded
#
# A folder: `main.py`, `requirements.txt`, and what no index has, our package and the model. Google installs
# the requirements and makes an image of it, so nothing has to fit into a zip; the lock of the station, with
# its hashes, is the `requirements.txt`. Does the folder have all that the function needs? It is started from
# there.

# %%
from fsdl_deploy.scaling import package_size

workplace = tempfile.TemporaryDirectory()
folder = cloud_function.source(Path(workplace.name))
size = package_size.size(folder)
packages = [line for line in (folder / "requirements.txt").read_text().splitlines() if "==" in line]
with cloud_function.serve("read_card", folder) as own:
    print(web.post(own.url, json=requests[0]).json()["digits"], "by the uploaded folder")
files = sum(path.is_file() for path in folder.rglob("*"))
print(f"uploaded: {files} files, {size.zipped / 2**20:.1f} MB zipped")
print(f"installed by Google: {len(packages)} packages, {station.mebibytes():.0f} MiB here")

# %% [markdown]
# (In some lines the list has the same package for two Pythons, so a few are counted twice.) On AWS the
# packages were in the zip, and the zip was the limit. Here the limit is the image, and the price is a build
# of a minute or so for each version, with an image that somebody has to keep and to clean up.
#
# ## Logs
#
# A line of JSON that the function prints becomes an entry whose fields can be searched and counted. That is
# all there is to it.

# %%
for line in listener.log().splitlines():
    if line.startswith("{"):
        print(line)

# %% [markdown]
# ## When it fails
#
# **An exception means "again".** A request that fails is a 500, and the client decides. For an event there is
# no client: Google delivers it again, for hours, if retries are on. So what will never work must not be an
# exception. `arrived` writes a picture that nobody can read to the log and is content. An object that is not
# there (yet) is worth another try, so that is an exception.

# %% tags=["nbval-check-output"]
Path(buckets.name, "cards", "letter.png").write_text("Dear utility, …")
for name in ("letter.png", "not-there-yet.png"):
    headers, event = cloud_function.arrival("cards", name)
    status = web.post(listener.url, headers=headers, json=event).status_code
    print(f"{name:18} {status}", "delivered again" if status >= 500 else "done")
print("no event at all    ", web.post(listener.url, json={"name": "card-0.png"}).status_code)

# %% [markdown]
# The log has both: a line of ours, and a traceback.

# %%
lines = listener.log().splitlines()
print(*[line for line in lines if '"ERROR"' in line or "Error:" in line], sep="\n")

# %% [markdown]
# **A folder that lacks something** fails when the instance starts, not when it is built.

# %%
from fsdl_deploy.running.servers import ServerError

(folder / "models" / "v2.onnx").unlink()
try:
    cloud_function.serve("read_card", folder).start()
except ServerError as error:
    print(str(error).splitlines()[0])
    print(str(error).splitlines()[-1][:150])

# %% [markdown]
# Everything ends here.

# %%
for running in (server, listener):
    running.stop()
web.close()
buckets.cleanup()
workplace.cleanup()
print(server, listener)

# %% [markdown]
# **What stays Google's.** Nothing above needed an account, so nothing above shows these:
#
# | part | what it does | in this notebook |
# |---|---|---|
# | instances | started by load, down to none | one, started by us |
# | concurrency | how many requests an instance is sent | as many as we send |
# | processor between requests | taken away, unless it is paid for | always there |
# | bucket and events | sends the event, again and again | one request each |
# | build | an image of the folder | the station's packages |
# | rights | who may call, what the function may do | nobody is asked |

# %% [markdown]
# ## Questions
#
# **Question:** Your function adds each reading to the customer's total of the year. To be safe, it
# remembers the numbers of its events in a variable. Is that enough?
#
# <details><summary>Answer</summary>
# No. The second delivery may reach another instance, or the same one after a restart, and neither knows the
# variable. Keep the number where all instances look, and write it together with the total. Or store one
# reading for each picture, as here, and add them up when somebody asks.
# </details>
#
# **Question:** A new version of the app sends pictures in a format that your reader learns only next week.
# What becomes of them with `arrived` as it is, and would an exception be better?
#
# <details><summary>Answer</summary>
# They stay in the bucket unread, each with a line in the log, and nobody delivers them again. An exception
# would repeat them for hours, in vain, and hide the errors that matter. Take their names from the log, and
# deliver those pictures once more when the new reader is there.
# </details>
#
# **Question:** `meet` shows eight requests inside one instance, so a colleague wants eight threads for the
# reader. What has `meet` not measured?
#
# <details><summary>Answer</summary>
# Any computing. It only waits, and many waits fit beside each other on one core. Reading needs the core
# itself. So look at cards a second and at p99 in the table that follows, on as many cores as your instances
# have.
# </details>

# %% [markdown]
# ## Take-aways
#
# - The handler moves in a few lines; what is around it (packages, events, rights) does not.
# - An instance of Google's is a web server. Load the model before its first request.
# - Threads are for functions that wait; for a model take as many as cores.
# - An event may come twice: name the result after its cause.
# - Raise for what another try can cure, log what it cannot.
#
# ## Where to go next
#
# - [AWS Lambda](aws_lambda.ipynb): cold starts, packages and prices, measured.
# - [Azure functions](azure_functions.ipynb): the same handler once more, and all three side by side.
# - [Scaling](../07_scaling.ipynb): from which traffic on a server is cheaper.
