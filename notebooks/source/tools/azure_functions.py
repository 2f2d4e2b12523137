# %% [markdown]
# # Azure functions: bindings instead of code
#
# **Minutes:** 15 · **Prerequisites:** [AWS Lambda](aws_lambda.ipynb) · **Truth:** checked
#
# ## The need
#
# The utility's data scientists live in Microsoft's cloud, and ask for the function there. Azure has an idea
# of its own: a function does not fetch its input and does not store its output, it *declares* both. What does
# that save, and what can be tried without an account?
#
# ## You will learn
#
# - what a function app is: functions, their triggers and bindings, and `host.json`
# - what Azure's host finds in it, by Microsoft's own package
# - to call the functions with Microsoft's own classes
# - which slips are found before anything is deployed
# - what the same handler takes in three clouds, line by line

# %% [markdown]
# ## Where the model sits
#
# In Microsoft's *worker*, a Python process beside the *host*, a .NET program that takes requests, watches
# storage and starts workers. Neither can be had here: the host is in no index of Python packages, and the
# worker comes with it (its package of today wants Python `3.13`). The package `azure-functions`, in which an
# app is written, is real. In the place of host and worker stands a small program of the course's, `host.py`,
# which makes the same calls into that package.
#
# ```mermaid
# flowchart LR
#     client["any HTTP client"] --> host["host.py for Microsoft's<br/>host and worker"]
#     storage[("storage")] -.-> host
#     host -- "HttpRequest, InputStream" --> model(["function app:<br/>the Reader"])
#     model -- "HttpResponse, Out" --> host
#     style model fill:#d55e00,color:#fff
#     style host stroke-dasharray: 5 5
# ```
#
# All of it is the same on Linux, macOS and Windows.
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## One function app
#
# `function_app.py` has an app and its functions. The decorators are the *bindings*: `read_card` is called by
# a request, `arrived` by a picture that somebody puts into storage, and what it sets in `found` is stored for
# it.

# %%
from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy import open_reader
from fsdl_deploy.scaling import azure_function

ensure("azure_functions")
reader = open_reader()
program = (azure_function.folder() / "function_app.py").read_text()
Code(program[program.index("app = func") :], language="python")

# %% [markdown]
# `arrived` opens nothing and stores nothing. On Google's cloud the same function had to do both by itself,
# and to have the client for it.
#
# ## What the host finds
#
# Before the first request the app is *indexed*: imported, and asked for its functions. This is what the
# package says of ours. (For each function it makes what people had to write by hand once, a `function.json`.)

# %%
import json

from fsdl_deploy.measuring.table import Table

rows = []
for name, description in azure_function.index().items():
    for binding in description["bindings"]:
        where = binding.get("route") or binding.get("path", "")
        rows.append([name, binding["name"], binding["type"], binding["direction"], where])
Table(["function", "parameter", "binding", "direction", "where"], *rows)

# %% [markdown]
# ## Asked over HTTP
#
# `host.py` answers at the routes that it found. From the body of a request Microsoft's package makes an
# `HttpRequest`, and of the `HttpResponse` a status, headers and bytes. Twenty cards, beside the Reader in
# this process. A function with the level `FUNCTION` wants a key, which the host keeps, so the code has
# nothing to do with it.

# %% tags=["nbval-check-output"]
import base64
import secrets

import httpx2

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

key = secrets.token_hex(8)
server = azure_function.serve(key).start()
web = httpx2.Client(base_url=server.url, headers={azure_function.HEADER: key}, timeout=60, trust_env=False)
deck = list(cards(20, "typical", seed=8))
requests = [{"picture": base64.b64encode(encode(card.image)).decode()} for card in deck]
answers = [web.post("/api/read", json=request).json() for request in requests]
readings = [reader.read([card.image])[0] for card in deck]
equal = [(a["digits"], a["confidence"]) == (r.digits, r.confidence) for a, r in zip(answers, readings)]
print(f"{sum(equal)} of {len(deck)} answers are the Reader's, to the last bit")

# %% [markdown]
# What clients get wrong: first by the handler, then by the host, which never calls the function.

# %% tags=["nbval-check-output"]
wrong = {"no JSON": "{", "no picture": "{}", "no base64": '{"picture": "no base64!"}', "empty": ""}
for name, body in wrong.items():
    response = web.post("/api/read", content=body)
    print(f"{name:15}{response.status_code} {response.json()['error']['field']}")
print("no such route ", web.post("/api/reed", json=requests[0]).status_code)
print("another method", web.get("/api/read").status_code)
print("no key        ", httpx2.post(f"{server.url}/api/read", json=requests[0]).status_code)
server.stop()

# %% [markdown]
# ## A picture arrives in storage
#
# The host sees it, hands its bytes to `arrived` as an `InputStream`, and stores what the function sets under
# the path that the binding says: `{name}` is the same in both.

# %%
for number, card in enumerate(deck[:2]):
    stored = azure_function.deliver(f"cards/card-{number}.png", encode(card.image))
    print(stored, "and the truth is", card.truth)
print("a letter:", azure_function.deliver("cards/letter.png", b"Dear utility, ..."))
print("elsewhere:", azure_function.deliver("photos/card-0.png", encode(deck[0].image)))

# %% [markdown]
# ## Slips, found before anything is deployed
#
# An app that the host refuses is deployed all the same, and then nothing answers. So it pays to index it
# before. Each of these copies has one slip. Most are refused by Microsoft's package, some by the comparison
# of parameters with bindings that the worker makes, and those of `host.json` by a list of fields of our own,
# since no package that could be had knows the file.

# %%
mutants = azure_function.mutants()
refusals = {mutant.slip: azure_function.refusal(mutant) for mutant in mutants}
rows = [[mutant.slip, mutant.file, bool(refusals[mutant.slip])] for mutant in mutants]
Table(["slip", "in", "refused"], *rows)

# %% [markdown]
# In words, as a colleague would read it in the log of the build:

# %%
for slip in ("a parameter called otherwise than its binding", "a letter is missing"):
    print(f"{slip}:\n    {refusals[slip]}")

# %% [markdown]
# ## One handler, three clouds
#
# `respond` reads the card in all three. This is what each cloud wants around it.

# %%
from fsdl_deploy.scaling.entry_points import ENTRY_POINTS

Code("\n\n".join(f"# {point.cloud}\n{point.source}" for point in ENTRY_POINTS), language="python")

# %% [markdown]
# And do they answer the same? The card and a bad request, to each as it wants to be asked.

# %% tags=["station:cloud_functions"]
from fsdl_deploy.scaling import cloud_function, serverless

ensure("cloud_functions")
bodies = [json.dumps(requests[0]), "{}"]
responses = [serverless.handler({"body": body}) for body in bodies]
heard = {"AWS": [(response["statusCode"], json.loads(response["body"])) for response in responses]}
with cloud_function.serve("read_card") as google, azure_function.serve(key) as azure:
    for cloud, address in {"Google": google.url, "Azure": f"{azure.url}/api/read"}.items():
        responses = [web.post(address, content=body) for body in bodies]
        heard[cloud] = [(response.status_code, response.json()) for response in responses]
print("the same answers:", all(answer == heard["AWS"] for answer in heard.values()))

# %% [markdown]
# In a table:

# %%
lines = {point.cloud.split()[0]: point.lines for point in ENTRY_POINTS}
called_with = {"AWS": "an object", "Google": "a request of Flask's", "Azure": "an HttpRequest"}
packages = {"AWS": "in the zip, by us", "Google": "installed by Google", "Azure": "installed by Azure"}
rows = [[cloud, lines[cloud], called_with[cloud], packages[cloud]] for cloud in lines]
Table(["cloud", "lines around respond", "called with", "packages"], *rows)

# %% [markdown]
# The handler is the small part. What ties a function to its cloud is what it calls: storage, queues, rights.
# Keep the reader in a module that knows no cloud, and the tie stays in the file with the entry point.
#
# ## When it fails
#
# **An exception in the function.** For a request the caller gets a 500 without a word, and the reason is in
# the log. For a picture in storage Azure tries
# [five times](https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-blob-trigger),
# then writes its name into a queue for somebody to look at. Here is an app that calls what is no longer
# there:

# %%
import tempfile
from pathlib import Path

workplace = tempfile.TemporaryDirectory()
broken = azure_function.copy(Path(workplace.name))
text = (broken / "function_app.py").read_text()
(broken / "function_app.py").write_text(text.replace("serverless.respond(", "serverless.reader_of_old("))
with azure_function.serve(key, broken) as failing:
    response = web.post(f"{failing.url}/api/read", json=requests[0])
    print(response.status_code, response.content, "|", failing.log(1))
workplace.cleanup()
web.close()

# %% [markdown]
# Indexing did not see it: it imports the module and calls nothing. A card that is read in the build does.
#
# **What stays Microsoft's.** Nothing above needed an account, so nothing above shows these:
#
# | part | what it does | in this notebook |
# |---|---|---|
# | host | routes, keys, limits, watching storage | `host.py`, in small |
# | worker | starts Python, one request a thread | calls in `host.py` |
# | instances | started by load, down to none | one |
# | `functionTimeout` | ends a call | checked for its form |
# | storage | keeps pictures and readings | bytes that we hand over |
# | Core Tools (`func start`) | the real host on a laptop | it cannot be had from a package index |

# %% [markdown]
# ## Questions
#
# **Question:** One colleague renames `respond` in the shared package, another misspells a field in
# `host.json`. Which of the two does your build find if it only indexes the app?
#
# <details><summary>Answer</summary>
# The misspelt field, because the fields of that file are compared with a list. Indexing imports the app and
# calls nothing, and the app looks the function up only when it is called. So the first request would find
# the rename, with a 500. Let the build read one card as well.
# </details>
#
# **Question:** Somebody puts a letter into the storage for cards. Why does the function end normally
# instead of raising an exception?
#
# <details><summary>Answer</summary>
# An exception asks for another try, and Azure would hand over the same letter up to five times. A letter
# stays a letter. Keep exceptions for what can pass, such as storage that does not answer for a moment, and
# look through the log for the rest.
# </details>
#
# **Question:** Your customers' app is to call this function directly, with the function's key inside the
# app. What does the key protect then?
#
# <details><summary>Answer</summary>
# Little. All apps carry the same key, anybody can unpack one, and the code behind the host cannot tell who
# asked. A key like this is for programs that you run yourself. For customers you need a login of their own,
# or a service of yours between app and function.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Bindings move opening and storing out of the code: less to write, and more that only Azure can run.
# - Index the app in the build, and read a card there: it is the cheapest test of a deployment.
# - Key, route and method are the host's; the code sees requests that have passed.
# - In three clouds the handler is the same; the entry point is a few lines.
#
# ## Where to go next
#
# - [AWS Lambda](aws_lambda.ipynb): cold starts, packages and prices, measured.
# - [Google Cloud functions](cloud_functions.ipynb): a framework that runs here as it does there.
# - [Scaling](../07_scaling.ipynb): from which traffic on a server is cheaper.
