# %% [markdown]
# # GraphQL: the client chooses
#
# **Minutes:** 10 · **Prerequisites:** [The model service](../03_service.ipynb) · **Truth:** runs
#
# ## The need
#
# The customer's page shows a name, and what we read on the cards of the last months. Over REST that is one
# request a month. The page's author would like to ask once, and only for what the page shows.
#
# ## You will learn
#
# - what a schema and a query are
# - where GraphQL saves requests and bytes, counted
# - what it costs a model: base64, no status codes, no caches, queries that nobody foresaw
# - why it stands in front of a model service, hardly ever in its place

# %% [markdown]
# ## Where the model sits
#
# Behind the graph. Most fields come from the table that the nightly job has filled; one asks the model.
#
# ```mermaid
# flowchart LR
#     page["customer's page"] -- "one query" --> graph_["GraphQL server<br/>(strawberry)"]
#     graph_ --> table[("table of readings")]
#     graph_ --> model(["the Reader"])
#     job["nightly job"] --> table
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The schema
#
# `infra/service/graphql/server.py` is all of it: the types are Python classes, and a field that needs work
# is a function. This is a customer.

# %%
from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations

station_python = ensure("graphql")
station = stations.station("graphql")
program = (station.folder / "server.py").read_text()
Code("@strawberry.type" + program.split("@strawberry.type")[2], language="python")

# %% [markdown]
# Three months of ten customers, read by the batch job; then the server over that table.

# %%
import tempfile
from contextlib import closing
from pathlib import Path

from fsdl_deploy import Customers, open_reader
from fsdl_deploy.batch import inbox
from fsdl_deploy.batch.job import Batch
from fsdl_deploy.batch.store import Store

workplace = tempfile.TemporaryDirectory()  # removed in the last cell
folder, table = Path(workplace.name), Path(workplace.name) / "readings.db"

# %% [markdown]
# The inbox of each month is filled, and the job of the batch lesson reads it.

# %%
months = ["2026-08", "2026-09", "2026-10"]
with closing(Store(table)) as store:
    for month in months:
        inbox.fill(folder, Customers(10), month)
        with Batch(folder, month, store, open_reader()) as batch:
            batch.score(progress=False)

# %% [markdown]
# Beside it run the two REST services of earlier lessons: the one over the same table, and the model's own.

# %%

from fsdl_deploy import Server, course_server

command = [station_python, station.folder / "server.py", "--store", table, "--port", "{port}"]
graph = Server(command, ready="/healthz", name="GraphQL").start()
rest_table = course_server("lookup", "--store", table, name="REST, table").start()
rest_model = course_server("serve", name="REST, model").start()

# %% [markdown]
# ## One query
#
# The query has the shape of the answer. The page wants months and digits, and gets nothing else.

# %% tags=["nbval-check-output"]
import json

import httpx2

page = """query Page($name: String!, $months: [String!]!) {
  customer(name: $name) { name readings(months: $months) { month digits } }
}"""


def ask(query, **variables):
    return httpx2.post(f"{graph.url}/graphql", json={"query": query, "variables": variables}, timeout=30)


answer = ask(page, name="C0000003", months=months)
print(json.dumps(answer.json(), indent=1))

# %% [markdown]
# The same page over REST: three requests, and fields that the page does not show.

# %%
over_rest = [httpx2.get(f"{rest_table.url}/readings/{month}/C0000003") for month in months]
rest_bytes = sum(len(response.content) for response in over_rest)
print(f"REST:    {len(over_rest)} requests, {rest_bytes} bytes of answers")
print(f"GraphQL: 1 request, {len(answer.content)} bytes; the query itself has {len(page)}")

# %% [markdown]
# ## The model behind a field
#
# A picture is no JSON, so it travels as base64 inside the query. The digits are the same; is the time? Both
# are asked in turns.

# %%
import base64
import time

import numpy as np

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

card = encode(next(cards(1, seed=4)).image)
read_query = "query ($picture: String!) { read(picture: $picture) { digits confidence } }"
text = base64.b64encode(card).decode()

# %% [markdown]
# The clock runs around each call; what was said last is kept.

# %%
spent, answers = {"REST": [], "GraphQL": []}, {}
with httpx2.Client() as client:
    for _ in range(50 if FAST else 500):
        began = time.perf_counter()
        answers["REST"] = client.post(f"{rest_model.url}/read", json={"pictures": [text]})
        middle = time.perf_counter()
        body = {"query": read_query, "variables": {"picture": text}}
        answers["GraphQL"] = client.post(f"{graph.url}/graphql", json=body)
        spent["REST"].append(middle - began)
        spent["GraphQL"].append(time.perf_counter() - middle)

# %% [markdown]
# The ratio of the medians, and whether the digits are equal.

# %%
digits = answers["REST"].json()["readings"][0]["digits"]
print("equal digits:", digits == answers["GraphQL"].json()["data"]["read"]["digits"])
for name, seconds in spent.items():
    print(f"{name:8} {1000 * np.median(seconds):5.1f} ms")
print(f"GraphQL takes {np.median(spent['GraphQL']) / np.median(spent['REST']):.2f} times as long")

# %% [markdown]
# ## When it fails
#
# **Every answer is 200.** The error is in the body: a balancer, a cache and a monitor that count status codes
# see a healthy service.

# %% tags=["nbval-check-output"]
nonsense = base64.b64encode(b"no picture").decode()
broken = ask(read_query, picture=nonsense)
print(broken.status_code, broken.json()["errors"][0]["message"][:70])
refused = httpx2.post(f"{rest_model.url}/read", json={"pictures": [nonsense]})
print(refused.status_code, refused.json()["error"]["problem"][:70])

# %% [markdown]
# **Nobody can cache it.** Each query is a POST to one path. REST says how old its answer is, in a header that
# every proxy understands.

# %% tags=["nbval-check-output"]
print("REST:   ", "age" in over_rest[0].headers, over_rest[0].request.method)
print("GraphQL:", "age" in answer.headers, answer.request.method)

# %% [markdown]
# **The client decides what it costs.** With aliases one small request asks for many pictures. So the server
# must count before it works: here eight are allowed, and a thousand words in a query. At most 64 queries run
# at a time: one more gets a status after all, 429.

# %% tags=["nbval-check-output"]
for times in (8, 100):
    fields = " ".join(f"r{i}: read(picture: $picture) {{ digits }}" for i in range(times))
    many = ask(f"query ($picture: String!) {{ {fields} }}", picture=text).json()
    print(
        times, "->", many["errors"][0]["message"] if many.get("errors") else f"{len(many['data'])} readings"
    )

# %% [markdown]
# All three servers end here.

# %%
for server in (graph, rest_table, rest_model):
    server.stop()
workplace.cleanup()

# %% [markdown]
# ## Questions
#
# **Question:** Your monitor counts statuses from `500` up. One night the field `read` fails for every
# picture. What does the monitor show, and what do you count instead?
#
# <details><summary>Answer</summary>
# It shows nothing: each answer is a 200 with the error in its body. Let the GraphQL server itself count the
# answers that have <code>errors</code>, because a proxy would have to read bodies. If a model service stands
# behind the graph, its statuses can be counted as before.
# </details>
#
# **Question:** The utility's front page should show how many cards of this month are read: one number, the
# same for all visitors. REST or GraphQL?
#
# <details><summary>Answer</summary>
# REST. The page needs one request either way, so there is nothing to save. Any cache on the way can answer a
# GET that says how old its answer is. The POST of a query reaches the server each time.
# </details>
#
# **Question:** A query may ask for eight pictures. A client opens a hundred connections and sends such a
# query on each, all at once. Which limit helps, and what must the client be ready for?
#
# <details><summary>Answer</summary>
# The limit on queries at a time: 64 run, and the others get a 429. A limit inside a query knows nothing of
# other queries. So the client must handle two kinds of refusal: a status, and an error inside a 200.
# </details>

# %% [markdown]
# ## Take-aways
#
# - One query of the client's own shape, instead of several requests with fixed fields.
# - It pays where a page collects things that hang together: customers, meters, readings.
# - A reading has three fields: there is nothing to choose, and a picture has to become text.
# - So the graph is for the page, and the model service stands behind it, over REST or gRPC.
#
# ## Where to go next
#
# - [gRPC](grpc.ipynb): the other choice that the lecture names.
# - [The model service](../03_service.ipynb): status codes, limits, formats.
