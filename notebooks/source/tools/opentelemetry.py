# %% [markdown]
# # OpenTelemetry: one picture's way through every program
#
# **Minutes:** 15 · **Prerequisites:** [Scaling](../07_scaling.ipynb) · **Truth:** runs
#
# ## The need
#
# A customer complains that her card took two seconds this morning. The balancer's log says so too, the
# service's metrics say that most cards take ten milliseconds, and neither says where *her* two seconds went.
# A **trace** follows one request through all programs, and notes when each step began and ended.
#
# ## You will learn
#
# - what a trace and a span are, and how a header carries them from program to program
# - to get a trace of the balancer, the service, the batcher and the model
# - why one call of the model belongs to several traces
# - what becomes of a trace when somebody sends a broken header
# - what tracing costs

# %% [markdown]
# ## Where the model sits
#
# At the end of the way. Envoy and our service each send their **spans** (a step, with its beginning and end)
# to a receiver; who belongs to whom stands in the header `traceparent`.
#
# ```mermaid
# flowchart LR
#     customer["customer"] -- "POST /read" --> envoy["Envoy"]
#     envoy -- "traceparent" --> service["service"]
#     service --> batcher["batcher"] --> model(["model"])
#     envoy -. "spans" .-> receiver[("receiver")]
#     service -. "spans" .-> receiver
#     style model fill:#d55e00,color:#fff
# ```
#
# OpenTelemetry is Python and runs on all our systems. For Envoy there are programs for Linux and Windows: on
# macOS the cells with it are skipped. `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## Spans in the service
#
# **OpenTelemetry** is the standard for traces, with libraries for most languages. Its instrumentation of
# FastAPI makes a span of each request without a line of ours. It cannot know our batcher: that runs in other
# threads, which know nothing of the request. So `infra/monitoring/opentelemetry/service.py` hands the context
# of the request over, with the function that decodes its picture.

# %%
import ast

from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.running import stations

ensure("opentelemetry")
figures.use()
program = (stations.station("opentelemetry").folder / "service.py").read_text(encoding="utf-8")
parts = {part.name: part for part in ast.parse(program).body if hasattr(part, "name")}
Code(ast.get_source_segment(program, parts["traced"]), language="python")

# %% [markdown]
# And the model. A batch belongs to several requests at once: each trace gets a span with the same times, and
# **links** to the others.

# %%
Code(ast.get_source_segment(program, parts["TracedReader"]), language="python")

# %% [markdown]
# The receiver takes spans as OpenTelemetry's own collectors do (`OTLP`, over HTTP) and keeps them in memory.
# A batch waits up to `20 ms` for more requests, so that there is something to see.

# %%
from contextlib import ExitStack

from fsdl_deploy.monitoring import tracing

running = ExitStack()
receiver = running.enter_context(tracing.Receiver())
service = running.enter_context(tracing.traced_service(receiver.url, delay_ms=20))
print(service, receiver.server)

# %% [markdown]
# ## One picture, asked directly
#
# A caller may begin the trace itself. It sends a header of four parts: a version, the number of the trace,
# the number of its own span, and whether to record it.

# %%
import secrets
from statistics import median

import httpx2

from fsdl_deploy.scaling.failures import card_body

card, headers = card_body(), {"content-type": "application/json"}


def ask(url, traceparent=None):
    """Send one card; the status, and the number of the trace that was asked for."""
    trace_id = secrets.token_hex(16)
    parent = traceparent or f"00-{trace_id}-{secrets.token_hex(8)}-01"
    answer = httpx2.post(f"{url}/read", content=card, headers=headers | {"traceparent": parent}, timeout=30)
    return answer.status_code, trace_id


# %% [markdown]
# Fifteen cards one after the other, and the spans of one trace, each after the one that called it.

# %%
OURS = ("POST /read", "batcher", "wait", "decode", "model")
ask(service.url)  # the first request of a program is slow in every respect
traces = receiver.traces([ask(service.url)[1] for _ in range(15)], OURS)
spans = traces[-1]
print([span.name for span in spans])

# %% [markdown]
# The **waterfall** of that trace: time runs to the right, each step stands below the one that called it.

# %%
figures.show(tracing.draw(spans), alt="Waterfall of one request: most of its time is the wait for a batch")
steps = [{span.name: span.milliseconds for span in spans} for spans in traces]
share = median(step["wait"] / step["POST /read"] for step in steps)
model = median(step["model"] for step in steps)
print(f"{share:.0%} of the time is the wait for a batch, {model:.1f} ms the model: the middle of fifteen")
assert share > 0.3

# %% [markdown]
# So the way to make this card quicker is the batcher's `delay`, not a smaller model. No average says that.
#
# ## With Envoy in front
#
# Envoy needs a few lines in its file (`infra/monitoring/opentelemetry/envoy.yaml`): who takes the spans, and
# that each try at a replica is a span of its own. These are the lines:

# %% tags=["station:envoy"]
ensure("envoy")
file = stations.station("opentelemetry").folder / "envoy.yaml"
lines = file.read_text(encoding="utf-8").splitlines()
first = next(number for number, line in enumerate(lines) if line.strip() == "tracing:")
print("\n".join(line[16:] for line in lines[first : first + 9]))

# %% [markdown]
# The same card through Envoy. The two programs have never heard of each other; the header is all they share.

# %% tags=["station:envoy"]
envoy = running.enter_context(tracing.TracingEnvoy(service.port, receiver.server.port))
ask(envoy.url)
status, trace_id = ask(envoy.url)
spans = receiver.trace(trace_id, ("ingress", "router reader egress", *OURS))
figures.show(tracing.draw(spans), alt="Waterfall of one request through Envoy, the service and the model")
assert [span.program for span in spans[:3]] == ["envoy", "envoy", "reader"]

# %% [markdown]
# ## Whose time is it, under load?
#
# Sixteen callers at once. The slowest card and the quickest, step by step:

# %%
from concurrent.futures import ThreadPoolExecutor

from fsdl_deploy.measuring.table import Table

with ThreadPoolExecutor(16) as callers:
    asked = [trace_id for _, trace_id in callers.map(ask, [service.url] * (64 if FAST else 640))]
traces = [{span.name: span for span in spans} for spans in receiver.traces(asked, OURS)]
traces.sort(key=lambda trace: trace["POST /read"].milliseconds)
rows = []
for name, trace in (("quickest", traces[0]), ("median", traces[len(traces) // 2]), ("slowest", traces[-1])):
    times = [trace[step].milliseconds for step in OURS]
    rows.append([name, *times, int(trace["model"].attributes["requests in the batch"])])
Table(["card", *(f"{step}, ms" for step in OURS), "requests in its batch"], *rows, formats=["", *[".1f"] * 5])

# %% [markdown]
# The columns are not a sum: `batcher` holds the three to its right, and `POST /read` holds the batcher.
# What is left of `POST /read` is the web server's own work and the wait for it.
#
# Cards of one batch share one call of the model. The links say with whom:

# %%
together = [trace["model"] for trace in traces if trace["model"].links]
print(f"{len(together)} of {len(traces)} cards shared the model with others")
assert all(span.links == int(span.attributes["requests in the batch"]) - 1 for span in together)

# %% [markdown]
# ## What it costs
#
# The same service without any tracing, beside it, asked in turns so that both meet the same machine. Nobody
# waits for a batch here.

# %%
import numpy as np

from fsdl_deploy import closed_loop
from fsdl_deploy.scaling.asking import Asking

plain = running.enter_context(tracing.traced_service(None))
recorded = running.enter_context(tracing.traced_service(receiver.url))
callers = {name: Asking(f"{server.url}/read", card) for name, server in (("off", plain), ("on", recorded))}
times = {"off": [], "on": []}
for _ in range(7 if FAST else 40):
    for name, caller in callers.items():
        times[name].append(closed_loop(caller, 1, 30, warmup=3).p50)
low, ratio, high = np.percentile(np.array(times["on"]) / times["off"], [25, 50, 75])
print(f"median of a request: {np.median(times['off']):.1f} ms without, {np.median(times['on']):.1f} ms with")
print(f"with / without, turn by turn: {ratio:.2f} (half of the turns: {low:.2f} to {high:.2f})")

# %% [markdown]
# A ratio of 1 would be free. Is 1 between the two ends? Then so few turns cannot tell it from nothing, and
# `FAST = False` asks more. Five spans for one card, written, packed and sent by the same Python that serves.
# A share of the requests is enough for most questions (`OTEL_TRACES_SAMPLER=parentbased_traceidratio`), as
# long as all programs agree which: that is what the last two digits of the header are for.

# %% [markdown]
# ## When it fails
#
# **A broken header.** It comes from outside, so anything can stand in it. Each of these, directly to
# the service: is the card read, and in which trace?

# %%
good = f"{secrets.token_hex(16)}-{secrets.token_hex(8)}"
parents = {
    "well formed": f"00-{good}-01",
    "a word": "garbage",
    "too short": "00-abc-def-01",
    "number zero": f"00-{'0' * 32}-{'0' * 16}-01",
    "version ff": f"ff-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
    "do not record": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00",
}


def roots():
    """The spans of requests that the service has recorded, by their trace."""
    return {span["trace"] for span in receiver.spans() if span["name"] == "POST /read"}


# %% [markdown]
# The receiver hears of a trace some tenths of a second later; a card with a good header, sent last, says when
# all before it have come.


# %%
def fate(url, parent):
    """What became of a card with this header: its status, and its trace."""
    before = roots()
    status, _ = ask(url, parent)
    receiver.trace(marker := ask(service.url)[1], OURS)
    new = roots() - before - {marker}
    own = parent.split("-")[1] in new if "-" in parent else False
    return status, "the caller's" if own else "a new one" if new else "none"


fates = {name: fate(service.url, parent) for name, parent in parents.items()}
Table(["traceparent", "status", "trace"], *([name, *what] for name, what in fates.items()))

# %% [markdown]
# Every card is read: tracing must never be a reason to refuse. A broken header begins a new trace, and
# the link to the caller is lost. And a stranger decides what is recorded: with `00` at the end nothing is,
# with `01` everything, at your cost. At the border of a company the header is taken off.

# %%
assert {status for status, _ in fates.values()} == {200}
assert fates["well formed"][1] == "the caller's" and fates["do not record"][1] == "none"
assert all(fates[name][1] == "a new one" for name in ("a word", "too short", "number zero"))

# %% [markdown]
# Through Envoy, one thing is different:


# %% tags=["station:envoy"]
def programs(parent):
    """The programs that recorded something of a card with this header, sent through Envoy."""
    before = {span["span"] for span in receiver.spans()}
    status, _ = ask(envoy.url, parent)
    marker = ask(envoy.url)[1]
    receiver.trace(marker, ("ingress", *OURS))
    new = [span for span in receiver.spans() if span["span"] not in before and span["trace"] != marker]
    return status, ", ".join(sorted({span["program"] for span in new})) or "none"


heard = {name: programs(parents[name]) for name in ("well formed", "a word", "do not record")}
Table(["traceparent", "status", "who recorded it"], *([name, *what] for name, what in heard.items()))

# %% [markdown]
# Where the header is a word, Envoy records nothing and passes it on as it is; the service begins a trace of
# its own. Whoever looks for this card in Envoy's traces finds nothing, and that is no proof that it did not
# come through.

# %% tags=["station:envoy"]
assert heard["well formed"][1] == "envoy, reader" and heard["a word"][1] == "reader"

# %% [markdown]
# **The receiver dies.** Nobody may wait for it.

# %%
receiver.server.stop()
statuses = {ask(service.url)[0] for _ in range(10)}
receiver.server.start()
print("answers while nobody took the spans:", statuses)
assert statuses == {200}

# %% [markdown]
# All of it ends here.

# %%
running.close()
print(service, receiver.server)

# %% [markdown]
# ## Questions
#
# **Question:** Under load, the longest step of your slowest card is `wait`. Would you shorten the batcher's
# delay, as for the single card?
#
# <details><summary>Answer</summary>
# Compare the wait with the delay first. What goes beyond it is the time in which the model was busy with
# earlier cards. A shorter delay cannot help there: a faster model can, or another replica.
# </details>
#
# **Question:** To save costs you record one request in a hundred. A customer complains about her card of
# this morning. What can your traces tell you?
#
# <details><summary>Answer</summary>
# About her card most likely nothing. A sample answers questions about many cards, such as which step is
# slow in general. To find a single card, send all spans to a collector, and let that keep the traces that
# were slow or failed.
# </details>
#
# **Question:** A partner sends `traceparent` with each card. You take it off at the border. What do you
# gain, and what do you lose?
#
# <details><summary>Answer</summary>
# You decide again what is recorded, and nobody can make you store everything or nothing. You lose the way
# from the partner's trace to yours. If you want to talk about single cards, write the partner's number into
# your own trace or log, as a text that you do not trust.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Metrics say that something is slow, a trace says where. Neither replaces the other.
# - One header joins programs of different makers. Whoever does not pass it on breaks the trace.
# - Threads and batches break it too: hand the context over with the work.
# - A batch belongs to several traces: links.
# - The header comes from outside: take it off at the border.
#
# ## Where to go next
#
# - [Prometheus and Grafana](prometheus_grafana.ipynb): what all requests have in common.
# - [Load balancers](load_balancers.ipynb): what Envoy does besides.
