# %% [markdown]
# # Lab 03: A service that says no in time
#
# **Minutes:** 65 · **Prerequisites:** [The model service](../../notebooks/03_service.ipynb)
#
# The reader is a service now, and other people's programs depend on it: an app that speaks Google's format,
# customers who all send their cards on the last day of the month, clients that ask again when they get no
# answer. You write the rules that decide who gets a reading, who gets a *no*, and when.
#
# The stars say how hard an exercise is. Fill in the functions, run the cell below each: it says at once what
# came out and what was expected. Hints unfold one by one. More than two thirds of the points go to cases
# that only the grader has: you earn them by the share that is right, less what one fixed answer would get.
# The minutes are for the exercises; running the measurements comes on top.

# %%
import json
import math
import re

from fsdl_course.labs import case, check, predict, reveal

# %% [markdown]
# ## Exercise 1: From one format to another ★ (12 minutes)
#
# The app was written for Google's cloud. Soon it shall ask another server, one that speaks the Open Inference
# Protocol only. Between them goes an *adapter*: it takes the text of Google's body and returns `[200,
# document]`, the same request in the standard, or `[status, field]` for a body that is wrong.
#
# The pictures are the items of `instances`. An item is the picture's text itself, or `{"b64": text}`, or an
# object whose `image` is one of these two: `{"image": text}`, `{"image": {"b64": text}}`. If an item has an
# `image`, that alone counts; other fields beside these do not matter. Whether the text is a picture is for
# the server to find out. The rules, in this order:
#
# 1. The body is not JSON: `[400, "body"]`. (`json.loads` raises `ValueError`, or `RecursionError` where lists
#    are nested too deeply.)
# 2. It is JSON, but not an object: `[422, "body"]`.
# 3. There are no `instances`, or they are not a list, or not 1 to 64 of them: `[422, "instances"]`.
# 4. An item is none of the above: `[422, "instances[2]"]`, with the place of the first such item, counted
#    from 0.
# 5. The body has `parameters`, and they are not an object (`null` is not one either): `[422, "parameters"]`.
#
# With two pictures the document is
#
# ```python
# {"inputs": [{"name": "pictures", "datatype": "BYTES", "shape": [2], "data": [text, text]}]}
# ```
#
# and if the body has `parameters`, the document has the same `parameters` beside `inputs`; else it has none.
#
# <details><summary>Hint: a nudge</summary>One check after the other, each with its own
# <code>return</code>.</details>
# <details><summary>Hint: the approach</summary>Unwrap an item in two steps: if it is a dictionary with
# <code>image</code>, take that; if what you have now is a dictionary, take its <code>b64</code>. Whatever is
# left must be text.</details>
# <details><summary>Hint: a sketch</summary><code>for place, item in enumerate(instances): ... if not
# isinstance(item, str): return [422, f"instances[{place}]"]</code></details>


# %% tags=["q1"]
def translate(text: str) -> list:
    """Google's body in the Open Inference Protocol: [200, document], or [status, field]."""
    ### BEGIN SOLUTION
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return [400, "body"]
    if not isinstance(body, dict):
        return [422, "body"]
    instances = body.get("instances")
    if not isinstance(instances, list) or not 1 <= len(instances) <= 64:
        return [422, "instances"]
    data = []
    for place, item in enumerate(instances):
        if isinstance(item, dict):
            item = item.get("image", item)
        if isinstance(item, dict):
            item = item.get("b64")
        if not isinstance(item, str):
            return [422, f"instances[{place}]"]
        data.append(item)
    tensor = {"name": "pictures", "datatype": "BYTES", "shape": [len(data)], "data": data}
    if "parameters" not in body:
        return [200, {"inputs": [tensor]}]
    if not isinstance(body["parameters"], dict):
        return [422, "parameters"]
    return [200, {"inputs": [tensor], "parameters": body["parameters"]}]
    ### END SOLUTION


# %% [markdown]
# The order of the rules matters where a body breaks two of them.

# %%
check("lab03.q1", translate)

# %% [markdown]
# Now the real thing. The other server is still to come, but our model service speaks both formats, so it can
# stand for both ends: the same card goes to Google's route as it is, and to the standard's through your
# adapter.

# %% tags=["measure"]
import base64

import httpx2

from fsdl_deploy import course_server
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

service = course_server("serve", "--threads", "1", "--max-waiting", "8").start()
google = service.url + "/v1/projects/utility/locations/europe-west4/endpoints/1:predict"
texts = [base64.b64encode(encode(card.image)).decode() for card in cards(32, seed=3, split="test")]
google_body = json.dumps({"instances": [{"b64": texts[0]}]})
theirs = httpx2.post(google, content=google_body, headers={"content-type": "application/json"}).json()
ours = httpx2.post(service.url + "/v2/models/meter-reader/infer", json=translate(google_body)[1]).json()
print("Google's route:", theirs["predictions"][0]["digits"], "- adapter:", ours["outputs"][0]["data"][0])

# %% [markdown]
# And bad bodies: does your adapter say the same as the service, which people have tried to break?

# %% tags=["measure"]
bad = ["{", "[]", "7", "{}", '{"instances": {}}', '{"instances": []}', '{"instances": [1]}', "[" * 100_000]
bad += ['{"instances": [{"b64": "eA==", "image": 3}]}']
bad += [json.dumps({"instances": [*texts[:2], {"b64": None}]}), json.dumps({"instances": ["eA=="] * 65})]
agree = 0
for text in bad:
    answer = httpx2.post(google, content=text, headers={"content-type": "application/json"})
    refusal = [answer.status_code, answer.json()["error"]["field"]]
    agree += refusal == translate(text)
    print(f"{text[:44]:46} {refusal}")
print(f"your adapter agrees on {agree} of {len(bad)}")

# %% [markdown]
# ## Exercise 2: A queue that ends ★★ (12 minutes)
#
# One worker reads one request after the other, in the order in which they came; request `i` arrives at
# `arrivals[i]` and takes `seconds[i]` to read. Beside the one that is being read at most `places` requests
# may wait. Whoever comes when all places are taken gets a 429 at once, and does not come back.
#
# Return for each request, in order, `[200, took]` with the seconds from its arrival to its answer, or `[429,
# after]`: the header `Retry-After`, the time until the request that is being read now is done, rounded up to
# whole seconds (an `int`). Arrivals never go down. A request that is done at the very moment when another
# arrives is gone by then; of two that arrive together the first in the list comes first.
#
# <details><summary>Hint: a nudge</summary>When a request comes in, all that you need to know is when each of
# those before it will be done.</details>
# <details><summary>Hint: the approach</summary>Keep a list of the ends of all accepted requests that are not
# done yet. On each arrival first drop the ends that have passed; the length of what is left decides. A new
# request begins when the last of them ends, or now if there is none.</details>
# <details><summary>Hint: a sketch</summary><code>ends = [end for end in ends if end > now]</code>, then
# <code>begin = ends[-1] if ends else now</code>; the one that is being read ends at <code>ends[0]</code>;
# <code>math.ceil</code> rounds up.</details>


# %% tags=["q2"]
def answers(arrivals: list[float], seconds: list[float], places: int) -> list[list]:
    """[200, seconds to the answer] or [429, Retry-After] for each request."""
    ### BEGIN SOLUTION
    ends, responses = [], []
    for now, needs in zip(arrivals, seconds, strict=True):
        ends = [end for end in ends if end > now]
        if len(ends) > places:
            responses.append([429, math.ceil(ends[0] - now)])
            continue
        ends.append((ends[-1] if ends else now) + needs)
        responses.append([200, ends[-1] - now])
    return responses
    ### END SOLUTION


# %% [markdown]
# With `places` 0 nobody may wait, but one request may still be read.

# %%
check("lab03.q2", answers)

# %% [markdown]
# The service above has one thread and eight places. Below it is measured how many requests of 32 cards it can
# read in a second. Predict: for two seconds it gets **twice** as many. How many per cent of them get a 429?

# %%
GUESS = 40  # SOLUTION: GUESS = None
predict("the share of requests that get a 429 when twice as many come as can be read, in percent", GUESS)

# %% [markdown]
# A second service has a thousand places instead of eight. Both get the same timetable.

# %% tags=["measure"]
from fsdl_deploy import closed_loop, open_loop
from fsdl_deploy.measuring.load import timetable

endless = course_server("serve", "--threads", "1", "--max-waiting", "1000").start()
web, crowd = httpx2.Client(timeout=30, limits=httpx2.Limits(max_connections=None)), {"pictures": texts}
body = web.build_request("POST", "http://127.0.0.1/read", json=crowd).read()


def ask(url):
    headers = {"content-type": "application/json"}
    return web.post(url + "/read", content=body, headers=headers).raise_for_status()


rate = closed_loop(lambda: ask(service.url), users=3, requests=24, warmup=3).throughput
loads = {
    places: open_loop(lambda url=server.url: ask(url), 2 * rate, 2)
    for places, server in ((8, service), (1000, endless))
}
print(f"it can read {rate:.1f} requests in a second")
reveal(GUESS, 100 * loads[8].errors / loads[8].requests, "%")

# %% [markdown]
# Your function, with the same timetable, beside what was measured. Who was helped by the longer queue? (The
# clients take processor time from the service on this machine; your function does not know that.)

# %% tags=["measure"]
from fsdl_deploy.measuring.table import Table

rows = []
for places, load in loads.items():
    due = timetable(2 * rate, 2).tolist()
    responses = answers(due, [1 / rate] * len(due), places)
    took = sorted(seconds for status, seconds in responses if status == 200)
    simulated = 1000 * took[int(0.95 * len(took))]
    rows.append([places, "measured", load.errors, load.p95])
    rows.append([places, "simulated", len(responses) - len(took), simulated])
Table(["places", "", "refused", "p95 of the others (ms)"], *rows, formats=["", "", "", ".0f"])

# %% [markdown]
# ## Exercise 3: Ask again, or give up ★★ (10 minutes)
#
# The other side of a *no*. The customer waits for at most some seconds: that is the client's *budget* for all
# its tries together. After a try that brought no reading the client asks this function what to do:
#
# - `met`: a status such as 429, or `"unreachable"` (nobody took the request), or `"timeout"` (it was sent,
#   but no answer came)
# - `tries`: how many it has made so far, 1 or more
# - `asked`: the header `Retry-After` as text, or `None` without one
# - `left`: the seconds that are left of the budget
#
# Return the pause before the next try in seconds, or `None` to give up. The rules:
#
# - Only `"unreachable"`, 429 and 503 are worth another try. Another answer would most likely be the same
#   again, and a service that is too slow gets slower by being asked twice.
# - At most four tries in all.
# - The pause is `0.25` seconds after the first try, `0.5` after the second, 1 after the third; or what the
#   service asked for, if that is longer. `Retry-After` may also hold a date: whatever is not made of the
#   digits 0 to 9 alone counts as if it were not there.
# - A pause that takes all that is left, or more, is in vain: give up at once.
#
# (A real client multiplies its own pause with a random number, so that forty clients that were refused
# together do not come back together.)
#
# <details><summary>Hint: a nudge</summary>Three reasons to give up; two of them are known before the pause
# is.</details>
# <details><summary>Hint: the approach</summary>Give up by <code>met</code> and <code>tries</code> first, then
# compute the pause, then compare it with <code>left</code>.</details>
# <details><summary>Hint: a sketch</summary><code>pause = 0.25 * 2 ** ...</code>, then
# <code>max(pause, int(asked))</code> if <code>asked</code> is text and <code>re.fullmatch("[0-9]+",
# asked)</code> finds something. (<code>int</code> alone takes more than digits, and
# <code>.isdecimal()</code> the digits of other scripts, too.)</details>


# %% tags=["q3"]
def pause_before_next(met: int | str, tries: int, asked: str | None, left: float) -> float | None:
    """Seconds to wait before the next try; None to give up."""
    ### BEGIN SOLUTION
    if met not in ("unreachable", 429, 503) or tries >= 4:
        return None
    pause = 0.25 * 2 ** (tries - 1)
    if asked is not None and re.fullmatch("[0-9]+", asked):
        pause = max(pause, float(asked))
    return pause if pause < left else None
    ### END SOLUTION


# %% [markdown]
# `None` is a value here: a function without a `return` always gives up.

# %%
check("lab03.q3", pause_before_next)

# %% [markdown]
# Forty clients send their cards at the same moment to the service with eight places, which asks for one
# second of patience. Three kinds: those that take the first *no* for an answer, those that follow your rules,
# and those that come back at once, again and again, until their budget is used.

# %% tags=["measure"]
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor


def client(decide, budget=4.0):
    end, tries = time.monotonic() + budget, 0
    while True:
        tries += 1
        answer = web.post(service.url + "/read", content=body, headers={"content-type": "application/json"})
        left = end - time.monotonic()
        pause = decide(answer.status_code, tries, answer.headers.get("retry-after"), left)
        if answer.status_code == 200 or pause is None:
            return answer.status_code, tries
        threading.Event().wait(pause)


# %% [markdown]
# The sum of all tries is what the service had to answer.

# %% tags=["measure"]
kinds = {
    "one try": lambda met, tries, asked, left: None,
    "your rules": pause_before_next,
    "at once, always": lambda met, tries, asked, left: 0.0 if left > 0 else None,
}
for name, decide in kinds.items():
    with ThreadPoolExecutor(40) as pool:
        outcomes = list(pool.map(lambda _, decide=decide: client(decide), range(40)))
    print(
        f"{name:16} {dict(Counter(status for status, _ in outcomes))}, tries: {sum(n for _, n in outcomes)}"
    )

# %% [markdown]
# ## Exercise 4: Who goes with whom ★★★ (15 minutes)
#
# A *dynamic batcher* reads the cards of several callers in one call of the model. One worker; a batch leaves
# as soon as the worker is free **and** one of these holds: `max_batch` cards wait, or the oldest card that
# waits has waited for `delay`. It takes the cards that wait, in their order, but not more than `max_batch`. A
# batch of `n` keeps the worker busy for `fixed + each * n`.
#
# Given the moments of arrival (never going down, all at 0 or later; the worker is free at 0), return for each
# batch `[when it leaves, how many cards]`. A card that arrives at the very moment when a batch leaves goes
# along if there is room. All times are milliseconds.
#
# <details><summary>Hint: a nudge</summary>Go from batch to batch, not from card to card. The first card that
# is left over opens the next batch.</details>
# <details><summary>Hint: the approach</summary>For the batch that card <code>first</code> opens there are two
# moments: its own deadline, and the arrival that fills the batch (if there is one). It leaves at the earlier
# of the two, or when the worker gets free, if that is later. Then count who is there by that
# moment.</details>
# <details><summary>Hint: a sketch</summary><code>full = arrivals[first + max_batch - 1]</code>, or
# <code>math.inf</code> if so many do not come.</details>


# %% tags=["q4"]
def batches(
    arrivals: list[float], max_batch: int, delay: float, fixed: float, each: float
) -> list[list[float]]:
    """[when it leaves, how many cards] of each batch."""
    ### BEGIN SOLUTION
    departures, first, free = [], 0, 0.0
    while first < len(arrivals):
        filling = first + max_batch - 1
        full = arrivals[filling] if filling < len(arrivals) else math.inf
        leaves = max(free, min(arrivals[first] + delay, full))
        count = sum(moment <= leaves for moment in arrivals[first : first + max_batch])
        departures.append([leaves, count])
        free = leaves + fixed + each * count
        first += count
    return departures
    ### END SOLUTION


# %% [markdown]
# While the worker is busy cards gather by themselves, so even a delay of 0 gives batches.

# %%
check("lab03.q4", batches)

# %% [markdown]
# Predict: 300 cards come in a second, at random moments; the batcher waits `10 ms` for company, and a batch
# may have 16. How many cards are in a batch, on average?

# %%
GUESS_CARDS = 4  # SOLUTION: GUESS_CARDS = None
predict("cards in a batch at 300 cards a second and a delay of 10 ms", GUESS_CARDS)

# %% [markdown]
# The course's own batcher around the real reader, for two seconds.

# %% tags=["measure"]
from fsdl_deploy import OnnxReader
from fsdl_deploy.service.batching import Batcher

reader, sizes = OnnxReader("v2"), []
deck = [card.image for card in cards(16, seed=3, split="test")]


def read_together(images):
    sizes.append(len(images))
    return reader.read(images)


batcher = Batcher(read_together, 16, 0.010)
open_loop(lambda: batcher.submit(deck[0]).result(), 300, 2, arrivals="poisson", warmup=3)
batcher.close()
formed = sum(sizes[3:]) / len(sizes[3:])
reveal(GUESS_CARDS, formed, "cards")

# %% [markdown]
# Your function needs to know what a call of the model costs; two measurements give both numbers.


# %% tags=["measure"]
def cost(count, repeats=25):
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        reader.read(deck[:1] * count)
        times.append(1000 * (time.perf_counter() - begin))
    return min(times)


alone, together = cost(1), cost(16)
each = (together - alone) / 15
fixed = max(0.0, alone - each)
print(f"a call costs {fixed:.2f} ms, and {each:.2f} ms for each card")

# %% [markdown]
# Now it tells for any delay what a card would wait, without a service and without a load. And it answers for
# models that you do not have: here one whose call costs `8 ms`, and each card `0.1 ms`.

# %% tags=["measure"]
due, rows = (1000 * timetable(300, 2, "poisson")).tolist(), []
for name, costs in {"ours": (fixed, each), "8 ms": (8.0, 0.1)}.items():
    for delay in (0, 2, 10, 50):
        starts = batches(due, 16, delay, *costs)
        ends = [leaves + costs[0] + costs[1] * count for leaves, count in starts for _ in range(count)]
        wait = sorted(end - came for end, came in zip(ends, due))[len(due) // 2]
        rows.append([name, delay, len(due) / len(starts), wait])
print(f"measured above, ours, delay 10: {formed:.1f} cards a batch")
Table(["model", "delay (ms)", "cards a batch", "half wait (ms)"], *rows, formats=["", "", ".1f", ".1f"])

# %% [markdown]
# ## Exercise 5: Break it ★★ (8 minutes)
#
# The team watches the service with a test client: it asks, waits for the answer, asks again. Of its answers
# `95 %` came within `10 ms`, so the dashboard is green. The customers are angry. Both are right.
# `monitor_says` is what the test client sees. `customers_wait` is the same service with the same reading
# times, but a customer comes every `10 ms`, whether the one before has got an answer or not.


# %%
def p95(times: list[float]) -> float:
    return sorted(times)[math.ceil(0.95 * len(times)) - 1]


def monitor_says(reading_ms: list[float]) -> float:
    return p95(reading_ms)


def customers_wait(reading_ms: list[float]) -> float:
    free, waits = 0.0, []
    for number, needs in enumerate(reading_ms):
        comes = 10.0 * number
        free = max(free, comes) + needs
        waits.append(free - comes)
    return p95(waits)


# %% [markdown]
# Find reading times for which `monitor_says` is **10 or less** and `customers_wait` is **1000 or more**: a
# list of 1 to 200 numbers, each `1` to `5000 ms`.
#
# <details><summary>Hint: a nudge</summary>What does a service do while it collects garbage, loads a new
# model, or is moved to another machine?</details>
# <details><summary>Hint: the approach</summary>One in twenty of the times may be anything up to 5000 without
# the monitor's noticing. How many customers come during one long one?</details>
# <details><summary>Hint: a sketch</summary><code>[a long one] + [short ones] * ...</code>: after a stall of
# <code>t</code> ms, <code>t / 10</code> customers stand in the queue.</details>


# %% tags=["q5"]
def reading_times() -> list[float]:
    """Reading times in ms that look good to the monitor, and bad to the customers."""
    ### BEGIN SOLUTION
    return [2000] + [1] * 199
    ### END SOLUTION


# %% [markdown]
# Does it break?

# %%
check("lab03.q5", reading_times)

# %% [markdown]
# The same with the real service, the one with a thousand places. It is suspended for one second, once while
# the test client asks (*closed loop*), once while requests come by a timetable (*open loop*).

# %% tags=["measure"]
import psutil


def with_a_stall(measure):
    process = psutil.Process(endless.pid)
    timers = [threading.Timer(0.5, process.suspend), threading.Timer(1.5, process.resume)]
    for timer in timers:
        timer.start()
    load = measure()
    for timer in timers:
        timer.join()
    return load


# %% [markdown]
# One card a request this time. Look at p95.

# %% tags=["measure"]
single = {"pictures": texts[:1]}


def ask_one():
    web.post(endless.url + "/read", json=single).raise_for_status()


print("test client:", with_a_stall(lambda: closed_loop(ask_one, users=1, requests=300)))
print("timetable:  ", with_a_stall(lambda: open_loop(ask_one, 100, 2.5)))
service.stop()
endless.stop()

# %% [markdown]
# ## Exercise 6: A new version on the last day of the month ★★ (8 minutes, graded by a person)
#
# It is the last day of the month, the queue is never empty, and a fix must go out now: two copies of the
# service stand behind a load balancer, and each of them gets a SIGTERM in turn. In six sentences or fewer:
# what must happen between the signal and the end of the process, so that no customer loses a reading? Say
# what the service answers on `/readyz` and on `/read` in that time, how long you would let it go on, and what
# the clients do. Use figures from above.
#
# | points | an answer with |
# |---|---|
# | 1 | the right order: first no new requests, then what waits is finished, then the end |
# | 2 | that, and a time to go on that follows from a figure: the length of the queue, the balancer's checks |
# | 3 | that, and what the remaining copy and the clients' tries do to each other meanwhile |

# %% [markdown] tags=["q6"]
# On SIGTERM `/readyz` says 503 at once, while `/read` goes on answering 200: the balancer needs two checks or
# so to notice, and until then it still sends customers here. After that nothing new comes, and what waits is
# finished: nine requests take about a second at the rate above. So I would let it go on for two of the
# balancer's intervals plus a second, and set the time until SIGKILL above that, or the kill takes what is
# left. Meanwhile the other copy gets everything, which at month end is twice what it can read: it refused a
# good part of them in the measurement above. Clients that obey Retry-After and a budget come back when the
# new copy is up; clients that come back at once would keep it busy saying no, so I would start a third copy
# first.
