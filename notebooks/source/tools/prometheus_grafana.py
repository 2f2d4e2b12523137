# %% [markdown]
# # Prometheus and Grafana: one place that knows how all services are
#
# **Minutes:** 20 · **Prerequisites:** [Triton](triton.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility has our service, and since last month a Triton beside it. Each counts what it does, at an
# address of its own, since it was started, and forgets it when it ends. Whoever is called at night wants one
# page with both, and the last hour of each.
#
# ## You will learn
#
# - to ask Prometheus: counters, rates, sums, quantiles
# - what our metrics and Triton's have in common, and what only we know
# - who notices a broken alert: promtool, its tests, or a look at what is really exported
# - to build a Grafana dashboard in Python, and to draw it without Grafana
# - what one careless label costs

# %% [markdown]
# ## Where the model sits
#
# In two servers. **Prometheus** asks both every few seconds, and keeps the answers as series over time.
# **Grafana** draws what it asks Prometheus. Nothing sends anything by itself.
#
# ```mermaid
# flowchart LR
#     prometheus[("Prometheus")] -- "GET /metrics" --> ours(["our service"])
#     prometheus -- "GET /metrics" --> triton(["Triton"])
#     grafana["Grafana"] -- "PromQL" --> prometheus
#     prometheus -- "alerts" --> manager["Alertmanager"]
#     style ours fill:#d55e00,color:#fff
#     style triton fill:#d55e00,color:#fff
# ```
#
# Prometheus comes from Debian's archive, and Triton's program is for Linux on x86-64. On macOS and Windows
# the cells that need them are skipped; the dashboard is built everywhere. `FAST = False` means longer runs
# and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## Two servers, and who asks them
#
# What the cells below use, on all systems:

# %%
import re
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import httpx2

from fsdl_course.serving import libraries
from fsdl_course.setup.stations import ensure
from fsdl_deploy import course_server, figures
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.monitoring import alerts, dashboard, promtool
from fsdl_deploy.monitoring.billing import Billing
from fsdl_deploy.running import stations

# %% [markdown]
# Triton's metrics have a port of their own, which its log tells.

# %% tags=["station:triton"]
ensure("triton")
triton = libraries.libraries()["triton"].server(max_batch=8, delay_ms=2).start()
triton_metrics = int(re.search(r"Started Metrics Service at [\d.]+:(\d+)", triton.log())[1])
print(f"Triton is ready, {triton.memory() / 2**20:.0f} MiB")

# %% [markdown]
# Prometheus, told about both. It begins to ask some five seconds after its start. All times of its rules are
# shortened by `SPEED`, so that five minutes pass in a second.

# %% tags=["station:triton", "station:prometheus"]
from fsdl_deploy.monitoring.prometheus import Prometheus

ensure("prometheus")
running, SPEED = ExitStack(), 240
running.callback(triton.stop)
service = running.enter_context(course_server("serve"))
billing = running.enter_context(Billing({}))
targets = {"reader": [service.port], "triton": [triton_metrics], "billing": [billing.port]}
prometheus = running.enter_context(Prometheus(targets, speed=SPEED))
print(prometheus.health())

# %% [markdown]
# Each gets forty cards a second: ours for two seconds, then Triton.

# %% tags=["station:triton", "station:prometheus"]
from fsdl_deploy import open_loop
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

picture, web = encode(next(cards(1, "typical", seed=7)).image), httpx2.Client(timeout=30)
started, loads = prometheus.query("time()")[0].value, {}
for name, server in (("course", service), ("triton", triton)):
    library = libraries.libraries()[name]
    body, headers = library.request(picture)
    where = f"{server.url}{library.path}"
    call = lambda: web.post(where, content=body, headers=headers).raise_for_status()  # noqa: E731, B023
    loads[name] = open_loop(call, 40, 2 if FAST else 20, warmup=3)
ended = prometheus.query("time()")[0].value

# %% [markdown]
# ## PromQL: a counter, a rate, a sum
#
# A counter only rises, and nobody cares how far it has come. `rate` says how fast, `sum by` adds up what
# labels tell apart. Three questions, asked for the moment when our service had its two seconds (`> 0`
# leaves out the routes that nobody has asked for):

# %% tags=["station:triton", "station:prometheus"]
middle = started + 0.4 * (ended - started)
rows = []
for question in (
    'reader_requests_total{status="200"} > 0',
    'rate(reader_requests_total{status="200"}[1500ms]) > 0',
    "sum by (status) (rate(reader_requests_total[1500ms]))",
):
    for series in prometheus.query(question, middle):
        labels = ", ".join(
            f"{name}={series.labels[name]}" for name in ("path", "status") if name in series.labels
        )
        rows.append([question, labels, series.value])
Table(["question", "series", "answer"], *rows, formats=["", "", ".2f"])

# %% [markdown]
# Of `/metrics` a few come each second as well: that is Prometheus itself. A share of errors that counts them
# would be too small, which is why our rules leave them out.
#
# ## The same question to both
#
# The names differ, and so does what is counted. Both servers have requests, errors and times.

# %% tags=["station:triton", "station:prometheus"]
OURS, TRITON = "reader_request_seconds", 'nv_inference_%s{model="reader"}'
QUESTIONS = {
    "cards read": ("sum(reader_pictures_total)", TRITON % "count"),
    "calls of the model": ("sum(reader_batch_size_count)", TRITON % "exec_count"),
    "that failed": (
        'sum(reader_requests_total{status=~"5..", path!="/readyz"})',
        f"sum({TRITON % 'request_failure'})",
    ),
    "mean time (ms)": (
        f"1000 * {OURS}_sum / {OURS}_count",
        f"{TRITON % 'request_duration_us'} / {TRITON % 'request_success'} / 1000",
    ),
    "mean confidence": ("reader_confidence_sum / reader_confidence_count", "nv_confidence"),
    "mean grey": ("reader_picture_grey_sum / reader_picture_grey_count", "nv_grey"),
}

# %% [markdown]
# Their answers, as of a moment at which all three targets had answered: a busy one may miss a question.

# %% tags=["station:triton", "station:prometheus"]
whole = f"sum(up) == 3 and min(timestamp(up)) > {ended}"
(up,) = prometheus.wait(lambda: prometheus.query(whole))
moment = up.times[-1]


def answer(question):
    """The number that Prometheus gave at that moment, or a word."""
    series = prometheus.query(question, moment)
    return f"{series[0].value:.2f}" if series else "not there"


both = {name: [answer(question) for question in asked] for name, asked in QUESTIONS.items()}
Table(["", "our service", "Triton"], *([name, *answers] for name, answers in both.items()))

# %% [markdown]
# What a server of any model can know, Triton knows: requests, times, batches, queues. How sure the model was
# and what the pictures looked like is not there: a question for a name that nobody exports has an empty
# answer and is no error. Whoever serves with Triton counts these in the model's own code, or behind it.

# %% tags=["station:triton", "station:prometheus"]
assert both["mean confidence"][1] == "not there" and float(both["cards read"][1]) >= 80
assert both["that failed"] == ["0.00", "0.00"]

# %% [markdown]
# ## A quantile is a guess
#
# Our times are a **histogram**: counters of how many took at most `2 ms`, at most `5 ms` and so on. What lies
# between two bounds is not known, so Prometheus assumes that it is spread evenly. Beside it, what the callers
# themselves measured:

# %% tags=["station:triton", "station:prometheus"]
rows = []
for quantile, measured_by_caller in ((0.5, loads["course"].p50), (0.99, loads["course"].p99)):
    question = f"1000 * histogram_quantile({quantile}, reader_request_seconds_bucket)"
    (guess,) = prometheus.query(question, moment)
    rows.append([f"{quantile:.0%} wait at most", guess.value, measured_by_caller])
Table(["", "ms, by Prometheus", "ms, by the caller"], *rows, formats=["", ".1f", ".1f"])

# %% [markdown]
# The two differ by the bounds, and by where the clock stands: the service does not see the network, nor the
# wait before its own door. Put a bound where your promise is. Ours has one at half a second, and the alert
# asks for the share below it, which is no guess.
#
# ## An update, and a counter that begins again
#
# The service is restarted. The counter falls to zero, and `rate` takes a fall for what it is.

# %% tags=["station:triton", "station:prometheus"]
ours = libraries.libraries()["course"]
body, headers = ours.request(picture)
before = prometheus.wait(lambda: prometheus.query("sum(reader_pictures_total)"))[0].value
service.stop()
service.start()
for _ in range(20):
    web.post(f"{service.url}{ours.path}", content=body, headers=headers).raise_for_status()
prometheus.wait(lambda: prometheus.query("sum(reader_pictures_total) == 20"))
(rise,) = prometheus.query("sum(increase(reader_pictures_total[30s]))")
print(f"the counter was {before:.0f}, then 20; by `increase` it rose by about {rise.value:.0f} in all")
assert before > 20 and rise.value > 20

# %% [markdown]
# ## Who notices a broken alert?
#
# Five ways to break a rule of ours, and three to notice: promtool reads the file; promtool runs the tests of
# the rules on made-up series; our own look at what is really exported.

# %% tags=["station:prometheus"]
ensure("prometheus")
files = {file.stem: file for file in alerts.files()}
tests = {file.stem: file for file in promtool.tests()}
BREAKS = {
    "a bracket is missing": ("rate(reader_confidence_sum[15m])", "rate((reader_confidence_sum[15m])"),
    "a label that is not there": ('verdict="unsure"', 'status="unsure"'),
    "a value that never comes": ('verdict="implausible"', 'verdict="Implausible"'),
    "a metric misspelled": ("reader_confidence_sum", "reader_confidance_sum"),
    "per cent for a share": ("< 0.8", "< 80"),
}

# %% [markdown]
# The file of rules is broken in one place, in a copy beside a copy of its tests.


# %% tags=["station:prometheus"]
def noticed(right, wrong):
    """Who notices this change: promtool check, promtool test, the look at the exports."""
    with tempfile.TemporaryDirectory() as folder:
        rules, test = (Path(folder) / part / "model.yml" for part in ("rules", "tests"))
        for copy, original in ((rules, files["model"]), (test, tests["model"])):
            copy.parent.mkdir()
            copy.write_text(
                original.read_text().replace(right, wrong) if copy == rules else original.read_text()
            )
        if not promtool.check_rules(rules):
            return True, True, True
        problems = alerts.problems(alerts.rules([rules]), exported)
        return False, not promtool.test_rules(test), bool(problems)


# %% [markdown]
# What is exported comes from the running service and from billing.

# %% tags=["station:prometheus"]
with course_server("serve") as asked, Billing({}) as counted:
    pages = [httpx2.get(f"http://127.0.0.1:{port}/metrics").text for port in (asked.port, counted.port)]
exported = alerts.exported(*pages)
who = {name: noticed(*change) for name, change in BREAKS.items()}
words = ["promtool check rules", "promtool test rules", "what is exported"]
Table(["broken", *words], *([name, *("noticed" if by else "" for by in line)] for name, line in who.items()))

# %% [markdown]
# Reading the file finds one of five. Tests find all that change what is expected of them, as long as somebody
# wrote the tests for the metrics as they are: with the misspelled name in rule *and* test, they are content.
# Only the look at the exports asks the service itself.

# %% tags=["station:prometheus"]
assert [line[0] for line in who.values()] == [True, False, False, False, False]
assert all(line[1] for line in who.values()) and who["a metric misspelled"][2]
assert not who["per cent for a share"][2]

# %% [markdown]
# ## A dashboard in Python
#
# Grafana's dashboards are JSON of many hundred lines. Its makers generate classes from their own definitions,
# in several languages: a misspelled option is an error in Python, not an empty panel. The heart of
# `infra/monitoring/grafana/dashboard.py`:

# %%
import ast

from IPython.display import Code

grafana_python = ensure("grafana")
program = stations.station("grafana").folder / "dashboard.py"
(panel,) = [part for part in ast.parse(program.read_text()).body if getattr(part, "name", "") == "panel"]
Code(ast.get_source_segment(program.read_text(), panel), language="python")

# %% [markdown]
# Is the JSON in the repository what this program builds, and which panels has it?

# %%
import subprocess

checked = subprocess.run([grafana_python, program, "--check"], capture_output=True, text=True)
print("the same" if checked.returncode == 0 else checked.stderr)
assert checked.returncode == 0
print(*(panel.title for panel in dashboard.panels()), sep=", ")

# %% [markdown]
# Grafana's server is in no package that we can install, so its panels are drawn here: the same questions, to
# the same Prometheus, for the time since the first card. (`infra/monitoring/compose.yaml` starts Prometheus,
# Alertmanager and Grafana with this dashboard where images can be pulled.)

# %% tags=["station:triton", "station:prometheus"]
figures.use()
figure = dashboard.draw(prometheus, started, prometheus.query("time()")[0].value)
figures.show(figure, alt="The dashboard's panels: requests, errors, times, confidence, grey, alerts, memory")

# %% [markdown]
# ## When it fails
#
# **One careless label.** *Which customer sends so many cards?* asks a colleague, and gives a counter the
# label `customer`. Each value of a label is a series of its own, in the service and in Prometheus, for as
# long as it is kept. A counter for 20,000 customers:

# %%
from prometheus_client import CollectorRegistry, Counter, generate_latest

sizes = {}
for labels in ([], ["customer"]):
    registry = CollectorRegistry()
    counter = Counter("cards", "cards", labels, registry=registry)
    for number in range(20_000):
        (counter.labels(f"C{number:07d}") if labels else counter).inc()
    begin = perf_counter()
    page = generate_latest(registry)
    sizes["customer" if labels else "none"] = len(page), perf_counter() - begin
rows = [[label, size / 1000, 1000 * seconds] for label, (size, seconds) in sizes.items()]
Table(["label", "kB of /metrics", "ms to write it"], *rows, formats=["", ",.1f", ".1f"])

# %% [markdown]
# That page is written and read at every question, every few seconds, and our five million customers would
# make it two hundred and fifty times as long. Labels have few values: a route, a status, a version. Who sent
# what belongs into a log. (This is also why our service counts the *route* of a request and not its path: a
# stranger could invent paths without end.)

# %%
assert sizes["customer"][0] > 5000 * sizes["none"][0]

# %% [markdown]
# **What is between two looks is not seen.** A gauge that was high for a second is asked every fifteen. So
# what matters is a counter or a histogram: they remember.
#
# **What is down says nothing.** A service that is dead has no errors. `up` is what Prometheus knows about the
# asking itself; our rules in `presence.yml` look at that, at names that have gone, and at
# work that stops while everything is up.

# %% tags=["station:triton", "station:prometheus"]
triton.stop()
prometheus.wait(lambda: prometheus.query('up{job="triton"} == 0'))
print(prometheus.health())
print("Triton's failures:", prometheus.query("sum(nv_inference_request_failure)") or "not there")

# %% [markdown]
# All of it ends here.

# %% tags=["station:triton", "station:prometheus"]
web.close()
running.close()
print(service)

# %% [markdown]
# ## Questions
#
# **Question:** You promise an answer within `300 ms`. Your histogram has bounds at `250 ms` and `500 ms`,
# and the quantile that Prometheus computes is `310 ms`. Is the promise broken?
#
# <details><summary>Answer</summary>
# These counters cannot tell. Between two bounds Prometheus assumes an even spread, so the true value may lie
# on either side of your promise. Put a bound at <code>300 ms</code> and ask for the share of answers below
# it: that is counted, not guessed.
# </details>
#
# **Question:** Triton is down. The panel of its failures is empty, and a manager takes that for good news.
# What do you put beside it?
#
# <details><summary>Answer</summary>
# The series <code>up</code>, which Prometheus writes about its own asking. A dead server exports nothing, so
# the question about its failures has an empty answer: the last look at Triton says "not there". An alert on
# <code>up</code> fires just then.
# </details>
#
# **Question:** Two wishes for labels on the counter of cards: the model version with the region, and the
# serial number of the meter. Which do you allow?
#
# <details><summary>Answer</summary>
# Ask how many values a label will ever have, and multiply. A few versions in a few regions make some dozens
# of series. A serial number makes one for each meter, in the service and in Prometheus, and the table above
# shows what 20,000 of them cost. It belongs in a log.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Prometheus asks; services only count. Counters that begin again do no harm, names that change do.
# - A server library counts requests. What your model sees and says, you count yourself.
# - An empty answer passes no threshold, whatever happens: look up what your rules ask for.
# - Labels with few values; bounds of histograms where your promises are.
# - A dashboard is code: built, compared, tested.
#
# ## Where to go next
#
# - [OpenTelemetry](opentelemetry.ipynb): where one request's time went.
# - [Triton](triton.ipynb): what else it counts.
