# %% [markdown]
# # Monitoring: notice when it is wrong
#
# **Minutes:** 30 · **Prerequisites:** [Rollouts](08_rollouts.ipynb) · **Truth:** runs
#
# ## The need
#
# No version changes, and the world does: the app's next update sends darker pictures, customers buy another
# pen, a thousand more send their cards at month end. Nobody tells us. Readings get worse, and each of them
# looks like an answer.
#
# The lecture leaves monitoring out, *a challenge in its own right*, and names a student project that took it
# up with Prometheus and Grafana. We take it up, too.
#
# ## You will learn
#
# - how many errors are too many, and to be woken for those only
# - to write alerts that fire when they should, and to prove that they do
# - which signal sees which change of the pictures, and which change does harm
# - what labels say that come weeks too late, and only from those who complain

# %% [markdown]
# ## Where the model sits
#
# In a service, as before. Prometheus watches from the side. Billing knows what became of the readings.
#
# ```mermaid
# flowchart LR
#     app["Application"] --> service
#     subgraph service["Model service"]
#         model(["Model"])
#     end
#     app --> billing["Billing"]
#     service & billing -. "metrics" .-> prometheus["Prometheus"]
#     prometheus -. "alerts" .-> manager["Alertmanager"] -.-> person["Whoever is on call"]
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures. Prometheus comes from Debian's archive. On macOS and
# Windows the cells that need it are skipped; drift and labels, the other half, run everywhere.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# What all parts of this lesson use:

# %%
import inspect
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import httpx2
import numpy as np
from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy import Customers, closed_loop, course_server, figures, open_reader
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table

figures.use()
measured = {}  # what the claims are judged by

# %% [markdown]
# ## A Prometheus beside the service
#
# **Prometheus** asks each service every few seconds what it counts, at `/metrics`, and keeps the answers as
# series over time. **Alert rules** are questions that it asks these series by itself. **Alertmanager**
# decides who hears of an answer. All three files are in `infra/monitoring/prometheus`.
#
# Another utility had no rollout controller: on Monday `v3-bad` went to all of its customers, and the people
# who tried it saw nothing wrong. Two things are watched there, this service, and billing, which counts what
# became of each reading. Prometheus begins to ask while you read on.

# %% tags=["station:prometheus"]
from fsdl_deploy.monitoring import billing
from fsdl_deploy.monitoring.prometheus import Prometheus

ensure("prometheus")
watched, SPEED = ExitStack(), 240  # an hour of the rules is a quarter of a minute here
customers = Customers(60, seed=4)
service = watched.enter_context(course_server("serve", "--version", "v3-bad", "--max-waiting", "4"))
bills = watched.enter_context(billing.Billing(billing.last_month(customers, "2026-09")))
targets = {"reader": [service.port], "billing": [bills.port]}

# %% [markdown]
# Its messages go to a pager of ours, which writes each into a file.

# %% tags=["station:prometheus"]
from fsdl_deploy.monitoring.alertmanager import Alertmanager
from fsdl_deploy.monitoring.pager import Pager

folder = watched.enter_context(TemporaryDirectory())
pager = watched.enter_context(Pager(Path(folder) / "pager.jsonl"))
manager = watched.enter_context(Alertmanager(pager, speed=SPEED))
prometheus = Prometheus(targets, speed=SPEED, alertmanager=manager.port)
watched.callback(prometheus.close)
print(prometheus.start().configuration)

# %% [markdown]
# ### How many errors are too many?
#
# *Wake me when requests fail* wakes somebody every night. So a team promises something: of 1,000 readings,
# 999 are answered, over 30 days. That is a **service level objective**. One in a thousand may fail: the
# **error budget**. What matters is how fast it is spent. A **burn rate** of 1 spends it in exactly 30 days.

# %%
from fsdl_deploy.monitoring import burn_rate

Code(inspect.getsource(burn_rate.minutes_to_fire), language="python")

# %% [markdown]
# The four alerts that Google's engineers recommend, and ours. Each looks at two windows: the long one says
# that it matters, the short one that it still goes on, so that the alert ends when the errors do. The two
# quick ones wake somebody, the slow ones can wait until morning.

# %%
burn_rate.table()

# %% [markdown]
# Against the rule that everybody writes first, *more than a thousandth failed within the last ten minutes*:
# a month in which the promise was kept, with half of the errors that it allows, at random.

# %%
rng = np.random.default_rng(8)
asked = rng.poisson(1200, burn_rate.PERIOD)
failed = rng.binomial(asked, 0.0005)

# %% [markdown]
# **Your turn:** How many times does that first rule wake somebody in such a month, and how many times do the
# four others? Write your guesses down.

# %%
woken = {"naive": burn_rate.times_woken(burn_rate.naive(failed, asked))}
woken |= {f"{w.rate:g}": burn_rate.times_woken(burn_rate.fires(failed, asked, w)) for w in burn_rate.WINDOWS}
print("times woken in a month that kept the promise, by rule:", woken)
assert woken.pop("naive") > 30 and not any(woken.values())

# %% [markdown]
# Ten minutes have few errors, so chance alone often doubles them. In an hour or a day chance evens out, and
# the four rules stay silent. But how long does a real outage go unnoticed?

# %%
from fsdl_deploy.monitoring import monitoring_figures

monitoring_figures.outages()

# %% [markdown]
# Two of the lines lie on each other: three times the rate, seen for a third of the time, is as quick. They
# differ in the least share that they see, where a line begins.
#
# ### Do the rules do what they should?
#
# An alert is tried least where it is needed most. `promtool` is Prometheus' own program for checking rules.
# Its `test rules` gives them made-up series, and days take a second. Three days without an error, then five
# in a hundred requests fail. Which alerts fire when? (The figures of the table above, for `5 %`, should come
# out.)

# %% tags=["station:prometheus"]
from fsdl_deploy.monitoring import alerts, promtool

(slo,) = (file for file in alerts.files() if file.stem == "slo")
counted = 'reader_requests_total{path="/read", status="%s"}'
days = 3 * 24 * 60
series = {counted % 200: f"0+600x{days} {600 * days + 570}+570x120", counted % 500: f"0x{days} 0+30x120"}
fired = promtool.firing(series, [f"{days + minute}m" for minute in (0, 5, 50, 100)], [slo], every="5m")
rows = [[int(time[:-1]) - days, ", ".join(names) or "none"] for time, names in fired.items()]
Table(["minutes since", "alerts that fire"], *rows)

# %% [markdown]
# The tests in `infra/monitoring/prometheus/tests` are such series, with what is expected: counters that begin
# anew after an update, one request of three failing at night, strangers who ask for pages that are not there,
# nobody asking at all.
#
# promtool does not see the worst fault. A rule that asks for a series which nobody sends is correct, and
# silent for ever. So the course looks up what each rule asks for in what the services really export:

# %% tags=["station:prometheus"]
exported = alerts.exported(*(httpx2.get(f"http://127.0.0.1:{p}/metrics").text for (p,) in targets.values()))
broken = Path(folder) / "broken.yml"
broken.write_text(slo.read_text().replace('status=~"5..|429"', 'code=~"5..|429"'))
print("promtool:", "content" if promtool.check_rules(broken) else "not content")
print("\n".join(alerts.problems(alerts.rules([broken]), exported)[:2]))
assert alerts.problems(alerts.rules(), exported) == []

# %% [markdown]
# ### A morning with Prometheus
#
# Now live, with one change: all times in the rules are divided by `SPEED`. Customers send their cards, and
# nothing happens. Only the *watchdog* fires, an alert that always does: if you stop hearing it, the alarm
# itself is broken.

# %% tags=["station:prometheus"]
prometheus.settle()
remote = open_reader(url=service.url)


def send(deck, seconds, enough=lambda firing: False):
    """Cards, again and again, until the alerts are enough: how long it took, and the last alerts."""
    begin, firing = perf_counter(), prometheus.alerts()
    while perf_counter() < begin + seconds and not enough(firing.keys()):
        for card, reading in zip(deck, remote.read([card.image for card in deck])):
            bills.take(card.customer, reading)
        firing = prometheus.alerts()
    return perf_counter() - begin, firing


# %% [markdown]
# Two seconds of an ordinary morning, and what Prometheus knows of it. (A service on a busy machine may miss a
# question of Prometheus: an hour of the rules is short here. `ReaderDown` fires then and ends by itself, and
# the cell goes on until it has.)

# %% tags=["station:prometheus"]
started = prometheus.query("time()")[0].value
usual = list(customers.cards("2026-10"))[:20]
send(usual, 2)
_, quiet = send(usual, 60, enough=lambda firing: firing == {"Watchdog"})
for question in ("sum(rate(reader_pictures_total[1s]))", "reader:confidence:mean15m", "reader:grey:mean15m"):
    print(f"{question}: {prometheus.wait(partial(prometheus.query, question))[0].value:.2f}")
print("firing:", *quiet)
assert quiet.keys() == {"Watchdog"}

# %% [markdown]
# The app is updated: its pictures are darker from now on. No request fails.
#
# **Your turn:** Five things are watched: failed requests, slow ones, how sure the model is, what the pictures
# are like, and readings that cannot be true. Which of them will raise an alert? And will the model be more or
# less sure than before?

# %% tags=["station:prometheus"]
dark = list(customers.cards("2026-10", drift="dark"))[:20]
misread = sum(r.digits != card.truth for card, r in zip(dark, remote.read([card.image for card in dark])))
both = {"PicturesLookDifferent", "ReadingsImplausible"}
seconds, pictures = send(dark, 60, enough=lambda firing: firing >= both)
sure, failed = (
    prometheus.wait(partial(prometheus.query, question))[0].value
    for question in ("reader:confidence:mean15m", "reader:bad_ratio:rate5m")
)
print(f"{misread} of {len(dark)} are misread; after {seconds:.1f} s the mean confidence is {sure:.2f}")
print("share that failed:", failed)
Table(["alert", "its sentence"], *pictures.items())

# %% [markdown]
# `v3-bad` misreads dark pictures, nearly all of them, and is no less sure of itself: no alert on errors,
# times or confidence fires. What notices is the statistics of the pictures, and billing: meters only rise,
# and many of these readings do not. Many, not all: about every second wrong reading is one that the meter
# could show. (`v2` reads the same dark pictures well. Then the first alarm is right about the pictures and
# wrong about the harm; the second stays silent.) None of this needed a label: those come weeks later, with
# the customers' letters.

# %% tags=["station:prometheus"]
assert both <= pictures.keys() and "ReaderUnsure" not in pictures

# %% [markdown]
# Month end: 16 callers at once ask a service that lets four wait. Those turned away get the status 429, *too
# many requests*, and to a customer that is an error. The crowd comes again until the pager has heard of it.

# %% tags=["station:prometheus"]
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.failures import card_body

crowds = []


def burns():
    """Ask as a crowd; whether the pager has heard of it."""
    crowds.append(closed_loop(Asking(f"{service.url}/read", card_body()), 16, 400 if FAST else 4000))
    return "ReaderBurnsFast" in [line["alert"] for line in pager.lines("pager")]


prometheus.wait(burns)
print(f"turned away: {sum(crowd.errors for crowd in crowds)} of {sum(crowd.requests for crowd in crowds)}")
rows = [[line["receiver"], line["status"], line["alert"], line["summary"]] for line in pager.lines()]
Table(["to", "status", "alert", "its sentence"], *(row for row in rows if row[0] != "heartbeat"))

# %% [markdown]
# This is the file that the pager wrote; each sentence has the figure of the moment when its alert fired.
# Pages and tickets went to different addresses, and what `ReaderBurnsFast` explains was kept back: nobody
# needs four messages for one fire. (Is `ReaderDown` among them? Then the crowd kept the service from
# answering Prometheus, too, within a fifth of a second.)
#
# ### The dashboard
#
# A **dashboard** is for the person who was woken. **Grafana** is the program that draws most of them; its
# server is in no package that we can install here. Its dashboards are JSON, and Grafana has classes in Python
# that write it (`infra/monitoring/grafana/dashboard.py`). Here are six of its panels, asked of the same
# Prometheus with the same questions and drawn by matplotlib: the seconds of this morning, of which each
# stands for four minutes of the rules. Red is where an alert begins. `infra/monitoring/compose.yaml` starts
# the real one where images can be pulled.

# %% tags=["station:prometheus"]
from fsdl_deploy.monitoring import dashboard

now = prometheus.query("time()")[0].value
figure = dashboard.draw(prometheus, started, now, dashboard.panels()[:6])
figures.show(
    figure,
    alt="Six panels of the dashboard, of this morning: requests, errors, times, what the pictures are like",
)
measured["alerts"] = {"dark": sorted(pictures), "quiet": sorted(quiet)}
watched.close()

# %% [markdown]
# ## Drift: other pictures arrive
#
# An update of the app inverts the picture, or customers take another pen. Labels would show it, and labels
# come weeks later. What can be measured of a card without knowing what is written on it? Something of the
# *picture* (mean grey, contrast, aspect, which is width against height, sharpness), something of the *answer*
# (number of digits, confidence, whether a person has to read it, whether the meter could have risen so), and
# when it came and how long it took.
#
# First the usual cards, as a reference, and some of each change of the tour.

# %%
from fsdl_deploy import OnnxReader
from fsdl_deploy.cards import DRIFTS, cards
from fsdl_deploy.monitoring.card_statistics import measure

reader = OnnxReader("v2")


def watched_cards(count, seed, drift=None):
    """The statistics of typical cards, as a monitor would note them."""
    pictures = [card.image for card in cards(count, "typical", seed=seed, drift=drift)]
    return measure(pictures, reader.read(pictures))


usual = watched_cards(400 if FAST else 4000, seed=41)
changed = {drift: watched_cards(40, seed=42, drift=drift) for drift in DRIFTS}

# %% [markdown]
# A card is compared with the reference by its *rank* there: darker than nine in ten, as sure as half of them.
# Ranks have no units, and a single odd card cannot count for much. Small differences add up: that is the
# **cumulative sum**. As long as cards are usual it falls back to zero; a change lets it grow with each card.

# %%
from fsdl_deploy.monitoring import drift

Code(inspect.getsource(drift.cumulative_sum), language="python")

# %% [markdown]
# When is it high enough for an alarm? Any threshold is crossed by chance some day. So we say how often that
# may happen, `10` weeks in `1,000` for all detectors together, and draw usual weeks from the reference to see
# how high the sums get. (The second detector is Kolmogorov and Smirnov's distance, of `200` cards at a time,
# for changes of the shape.) The dashed line is the threshold; from so few drawn weeks it is a rough one.

# %%
watch = drift.DriftWatch(drift.Reference(usual), week=400, weeks=48 if FAST else 400)
monitoring_figures.sums(watch, changed, ("grey", "confidence"))

# %% [markdown]
# That was one go with few cards. `fsdl-deploy monitoring drift` does it with the utility's whole pattern:
# cards by day and by night (darker, harder), three times as many at the end of the month; a card is compared
# with reference cards of the same time. Each change is met a hundred times. `points lost` is the harm:
# accuracy that the change costs, and no signal knows it. The last rows are not of the tour; nothing was set
# by them.

# %%
from fsdl_deploy.monitoring import drift_table

record = records.read(drift_table.FILE)
drift_table.table(record)

# %% [markdown]
# Read it by columns. **Rate** (cards that come) and **p99** (the slowest answer of a hundred) see none of the
# changed pictures: they watch the service, and the service is well. **Confidence**, the **share handed on**
# (to a person) and **plausibility** see what does harm: inverted, rotated and cropped cards and the new pen,
# and the more harm, the sooner. The **input** sees all changes of the pictures; that more cards come, only
# the rate.
#
# *Dark* is the case to remember. After {{alarm_after(dark, input):.0f}} cards the input raises an alarm, and
# it is right: the pictures have changed. But they cost {{drifted(dark, lost):.1f}} points (`95 %` interval
# {{drifted(dark, lost_from):.1f}} to {{drifted(dark, lost_to):.1f}}), and `v2` is only a little less sure: by
# its confidence {{alarm_share(dark, confidence):.0%}} of the weeks have an alarm, after
# {{alarm_after(dark, confidence):.0f}} cards. People who are woken for that will mute it. Inverted cards cost
# {{drifted(inverted, lost):.0f}} points, and all signals of the answers see it. So: alarms of the input go
# into a report that somebody reads in the morning; a page needs a signal of the answer beside it.
#
# A picture *on its side* never meets the model: the service refuses it, with a sentence that says so. It is a
# change that shows as refusals. Inverted ones are not refused: they are read, wrongly, with a confidence of
# {{drifted(inverted, median_confidence):.2f}}, so nearly all go to a person. That spares the customers, and
# floods the people: `points lost` is before anybody else reads.
#
# False alarms: in {{usual_weeks(any)}} of {{usual_weeks(weeks):,}} usual weeks, weekly pattern, month ends
# and all. What each signal sees:

# %%
tour = [row for row in record["rows"] if row["drift"] in DRIFTS]
seen_by = {
    signal: [row["drift"] for row in tour if row["signals"][signal]["share"] >= drift_table.SEEN]
    for signal in drift.SIGNALS
}
measured["drifts_seen"] = {signal: len(names) for signal, names in seen_by.items()}
measured["false_alarms"] = record["false_alarms"]["any"] / record["false_alarms"]["weeks"]
for signal, names in seen_by.items():
    print(f"{signal:12} sees {len(names)} of {len(tour)}:", ", ".join(names) or "none")

# %% [markdown]
# ## Labels that come late
#
# The prototype has a button, *this is wrong*. What it collects are labels, of a peculiar kind: they come
# days after the answer, when the bill does; only some press, and more of those whose bill is too high than
# of those whose bill is too low. Count them as they are, and the model is nearly perfect.

# %%
from fsdl_deploy.monitoring.delayed_labels import complaints
from fsdl_deploy.prototype.feedback import save_feedback

with TemporaryDirectory() as folder:
    card = next(cards(1, seed=43))
    save_feedback(Path(folder), card.image, reader.read([card.image])[0], "that is not what I wrote")
    print(complaints(Path(folder))[0])

# %% [markdown]
# Two things put that right. Old complaints show how long people wait, so we know how many are still to come.
# And an **audit**, cards drawn by lot and read by a person, shows how many wrong readings anybody ever
# complains about. To see whether it works, we need a world whose truth is known: `230` cards a day, a
# twentieth of them read wrongly, and three times as many from day `110` on, as the new pen does.

# %%
from fsdl_deploy.monitoring import unhappy_customers
from fsdl_deploy.monitoring.unhappy_customers import World, estimates

world = World()
monitoring_figures.estimates(list(estimates(world, seed=5)))

# %% [markdown]
# And many such worlds: how far off each is before the change, how often its interval contains the truth, and
# after how many days it shows that the promised `92 %` are no longer reached. In the second world people
# misread differently after the change: four of five wrong readings are too low, and few complain of those.

# %%
low = unhappy_customers.other(world, too_high=(0.5, 0.2))
rows = []
for name, place in {"errors of the same kind": world, "more of them too low": low}.items():
    for row in unhappy_customers.compared(place, promise=0.92, runs=10 if FAST else 200):
        late = row["late"] if row["late"] is not None else "never"
        rows.append([name, row["way"], row["error"], row["inside"], late])
header = ["after the change", "estimate", "points off before", "truth in its interval", "days late"]
measured["audit_late"] = next(row[4] for row in rows if row[1] == "audit")
Table(header, *rows, formats=["", "", "+.1f", ".0%", ".0f"])

# %% [markdown]
# As they come, complaints promise too much for ever. Put right, they are right as long as people go on
# complaining as they did when somebody looked; in the second world they miss the fall or see it late, since
# what nobody complains of cannot be counted. The audit needs no such assumption. It costs a person `20` cards
# a day, and it is the first to know, though still more than a week late. Most alarms above came within a
# hundred cards: they know *that* something changed, and labels know *what it cost*. A monitor needs both.

# %% [markdown]
# ## The lecture's claims beside ours
#
# The sentence is the lecture's. The verdict is computed, from what the cells above measured on your machine
# or from a record that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("08b", measured)

# %% [markdown]
# ## When it fails
#
# *A signal of its own making.* A threshold that was set on some cards is always right on these cards. How
# often would this watch be wrong on usual cards that it has not seen?

# %%
weeks = 20 if FAST else 200
unseen = watched_cards(400 if FAST else 4000, seed=44)
rows = []
for name in ("grey", "confidence"):
    ranks = watch.reference.ranks(unseen)[name]
    highest = drift.cumulative_sum(watch.reference.scores(name, ranks)).max()
    rows.append([name, highest, watch.thresholds[name, "sum"]])
Table(["usual cards, not seen before", "highest sum", "threshold"], *rows, formats=["", ".1f", ".1f"])

# %% [markdown]
# - **The watcher dies.** Prometheus down is a quiet night. That is what the watchdog is for: it always fires,
#   and people who stop hearing it go and look.
# - **An alert for everything.** People who are woken for nothing mute the pager, and the one that matters
#   with it.
# - **Feedback that feeds itself.** Where labels come only from complaints, a model that errs in the
#   customer's favour looks perfect.
#
# ## Questions
#
# **Question:** Your monitoring says that the pictures have changed, and nothing else moves. Do you wake
# somebody?
#
# <details><summary>Answer</summary>
# No: a note for the morning. The input alarm is right about the input; it does not know what that means for
# the answers. Wake somebody when a signal of the answers moves too: confidence, plausibility, people who
# complain.
# </details>
#
# **Question:** A rule asks for a series that no service sends. What do promtool, Prometheus and the pager
# say?
#
# <details><summary>Answer</summary>
# Nothing, all three. The rule is correct, the answer is empty, and an empty answer is no alert. So compare
# what rules ask for with what is exported, and let one alert fire always.
# </details>
#
# ## Take-aways
#
# - Promise something, and be woken when the promise is in danger, not when something fails.
# - Test your alerts as you test your code; most of all that they fire.
# - An alarm of the input belongs in a report, one of the answers on a pager.
# - Alarms know that something changed, labels what it cost. Draw some cards by lot and have them read.
#
# **Cheat sheet.** A promise of `99.9 %` over 30 days has a budget of one failure in a thousand; a burn rate
# of `14.4` spends a fiftieth of it in an hour. Two windows for each alert: the long one says that it matters,
# the short one that it goes on. `promtool check rules FILE` finds what is written wrong, `promtool test rules
# FILE` tries alerts on made-up series, and neither sees a series that nobody sends. Let one alert fire
# always. In Python: `drift.DriftWatch(reference, week, weeks)` sets thresholds by the false alarms that you
# allow, `watch.alarms(statistics)` raises them; `fsdl-deploy monitoring drift` fills the whole table. Page
# for errors and for answers that cannot be true; report what changed in the input. Audit a few cards a day,
# drawn by lot.
#
# **Sources.** Google's engineers on [alerting on
# objectives](https://sre.google/workbook/alerting-on-slos/). Prometheus' [alerting
# rules](https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/) and [their
# tests](https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/),
# [Alertmanager](https://prometheus.io/docs/alerting/latest/alertmanager/),
# [Grafana](https://grafana.com/docs/grafana/latest/). The cumulative sum:
# [Page, 1954](https://doi.org/10.1093/biomet/41.1-2.100). Detectors of drift compared: [Rabanser and
# others](https://arxiv.org/abs/1810.11953).
#
# ## Where to go next
#
# - [Prometheus and Grafana](tools/prometheus_grafana.ipynb): one place that knows how all services are.
# - [OpenTelemetry](tools/opentelemetry.ipynb): one picture's way through every program.
# - [Drift libraries](tools/drift_libraries.ipynb): what five libraries say of the same pictures.
# - [Lab 07](../labs/lab07/lab07.ipynb): steps, guardrails, a burn-rate alert, and an alarm that never rings.
