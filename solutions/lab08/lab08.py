# %% [markdown]
# # Lab 08: Bought, and what it costs
#
# **Minutes:** 88 · **Prerequisites:** [Managed costs](../../notebooks/09b_managed_costs.ipynb)
#
# The utility buys an endpoint instead of running servers. Somebody must write the adapter that the cloud asks
# for, compute what a million readings cost, say from when on a server is cheaper, and write down who may do
# what. And somebody must find the endpoint that was forgotten. Here that is you.
#
# The stars say how hard an exercise is. Fill in the functions, run the cell below each: it says at once what
# came out and what was expected. Hints unfold one by one. More than two thirds of the points go to cases
# that only the grader has: you earn them by the share that is right, less what one fixed answer would get.
# All prices in the cases are made up; only those of the measurements are real. The minutes are for the
# exercises. Nothing here needs an account, an emulator or a key, and it is the same on Linux, macOS and
# Windows.

# %%
import base64
import json
import math
import zlib

from fsdl_course.labs import case, check, predict, reveal

# %% [markdown]
# ## Exercise 1: The adapter ★★ (12 minutes)
#
# SageMaker sends each request to `POST /invocations` of your container, with the client's `Content-Type` and
# its body in bytes. Your adapter takes two kinds:
#
# - `image/png`: the body is one picture.
# - `application/json`: the body is `{"instances": [{"in0": "<base64>"}, ...]}`, a picture each.
#
# In a content type neither the case matters, nor spaces around it, nor what follows a `;`. Return the status
# and the document:
#
# - `[200, {"predictions": ["04711", ...]}]`, a reading for each picture, in order
# - `[415, {"error": "Content-Type"}]` for any other type
# - `[400, {"error": "body"}]` if the body is neither a picture (of `image/png`) nor a JSON object (of
#   `application/json`)
# - `[400, {"error": "instances"}]` if that is missing, no list, or empty
# - `[400, {"error": "instances[2]"}]` for the first item that is not an object with a picture in base64, with
#   its place, counted from 0. Characters that base64 has not are an error, too.
#
# The adapter never raises: what it raises becomes a 500, and the client sends the same again. `read` stands
# in for the model.

# %%


def read(picture: bytes) -> str:
    """Digits that depend on the picture; ValueError if it is no PNG."""
    if not picture.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError("this is no PNG")
    return f"{zlib.crc32(picture) % 100_000:05d}"


# %% [markdown]
# The check calls `asked`, which stands below your function already: the body is text there, a character for
# each byte.
#
# <details><summary>Hint: a nudge</summary>First the type, then the body, then its field, then each item. Each
# step has one answer of its own if it fails.</details>
# <details><summary>Hint: the approach</summary><code>json.loads</code> takes bytes, and raises a ValueError
# also for bytes that are no UTF-8. <code>base64.b64decode(text, validate=True)</code> refuses what a plain
# one would skip.</details>
# <details><summary>Hint: a sketch</summary><code>kind =
# content_type.partition(";")[0].strip().lower()</code>; for each item: <code>try:
# read(base64.b64decode(item["in0"], validate=True))</code> <code>except (KeyError, TypeError,
# ValueError)</code></details>


# %% tags=["q1"]
def invocations(content_type: str, body: bytes) -> list:
    """[status, document] for one request."""
    ### BEGIN SOLUTION
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "image/png":
        try:
            return [200, {"predictions": [read(body)]}]
        except ValueError:
            return [400, {"error": "body"}]
    if kind != "application/json":
        return [415, {"error": "Content-Type"}]
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):  # brackets in brackets in brackets
        document = None
    if not isinstance(document, dict):
        return [400, {"error": "body"}]
    instances = document.get("instances")
    if not isinstance(instances, list) or not instances:
        return [400, {"error": "instances"}]
    predictions = []
    for place, item in enumerate(instances):
        try:
            predictions.append(read(base64.b64decode(item["in0"], validate=True)))
        except (KeyError, TypeError, ValueError):
            return [400, {"error": f"instances[{place}]"}]
    return [200, {"predictions": predictions}]
    ### END SOLUTION


def asked(content_type: str, body: str) -> list:
    """Your adapter, for a body whose characters are its bytes; leave it as it is."""
    return invocations(content_type, body.encode("latin-1"))


# %% [markdown]
# Run this after every change.

# %%
check("lab08.q1", asked)

# %% [markdown]
# ## Exercise 2: What a million readings cost ★ (10 minutes)
#
# A function in the cloud is paid by the request, and by memory and time. You get the `work` of a month:
#
# ```python
# {"requests": 3000000, "readings": 4, "microseconds": 23100, "megabytes": 1769}
# ```
#
# `readings` is how many cards one request brings; `microseconds` is what one request takes, with all its
# cards; `megabytes` is the memory. And the prices:
#
# ```python
# {"gb_second": 0.0000166667, "million_requests": 0.20,
#  "free_gb_seconds": 400000, "free_requests": 1000000}
# ```
#
# - The time of each request is **rounded up** to whole milliseconds.
# - A gigabyte has `1024` megabytes. Gigabytes times seconds, summed over the month, cost `gb_second` each.
# - Each million requests costs `million_requests`, in proportion.
# - From both, what is free in a month is taken off first; neither becomes less than 0. They are counted
#   apart: a month of many short requests may pay for its requests and not for its seconds.
#
# Return what a million **readings** cost on average in this month, in dollars; `0` for a month without
# requests. Do not round.
#
# <details><summary>Hint: a nudge</summary>Write down the unit of each number that you compute: milliseconds,
# gigabyte-seconds of the month, dollars of the month, dollars for a million readings.</details>
# <details><summary>Hint: the approach</summary>First what the whole month costs. Divide by the readings of
# the month at the very end.</details>
# <details><summary>Hint: a sketch</summary><code>milliseconds = -(-work["microseconds"] // 1000)</code>;
# <code>max(0, used - prices["free_gb_seconds"]) * prices["gb_second"]</code></details>


# %% tags=["q2"]
def per_million(work: dict, prices: dict) -> float:
    """Dollars for a million readings."""
    ### BEGIN SOLUTION
    if not work["requests"]:
        return 0.0
    seconds = -(-work["microseconds"] // 1000) / 1000
    used = work["requests"] * seconds * work["megabytes"] / 1024
    compute = max(0, used - prices["free_gb_seconds"]) * prices["gb_second"]
    paid = max(0, work["requests"] - prices["free_requests"])
    month = compute + paid / 1_000_000 * prices["million_requests"]
    return month / (work["requests"] * work["readings"]) * 1_000_000
    ### END SOLUTION


# %% [markdown]
# The prices differ from case to case.

# %%
check("lab08.q2", per_million)

# %% [markdown]
# And the meter reader, with a card in each request? Predict: what do a million readings cost as a function on
# AWS, without what is free, in dollars?

# %%
GUESS_MILLION = 1.0  # SOLUTION: GUESS_MILLION = None
predict("dollars for a million readings as a function", GUESS_MILLION)

# %% [markdown]
# A call takes longer than its reading: an event comes as JSON, a picture is decoded, an answer is written.
# Both are on record (lesson 09b), from machines of the same kind. The prices stand with date and source in
# `infra/managed/prices.toml`.

# %% tags=["measure"]
from fsdl_deploy.managed import costs, measured_rates

alone, served = measured_rates.rung("distilled").seconds, measured_rates.service().seconds
real = {"free_gb_seconds": 0, "free_requests": 0}
for name in ("gb_second", "million_requests"):
    real[name] = costs.prices()[f"function_{name}"].value
call = measured_rates.function_call()
month = {"requests": 10**6, "readings": 1, "microseconds": round(1e6 * call.median), "megabytes": 1769}
million = per_million(month, real)
reveal(GUESS_MILLION, million, "USD")
print(f"billed for a call: {1000 * call.median:.0f} ms ({call.date})")
print(f"a reading alone: {1000 * alone:.1f} ms; in our service, HTTP included: {1000 * served:.1f} ms")

# %% [markdown]
# Of this the requests alone are a large part, and of a call the reading is one part: a quicker model would
# save less than it seems. The bill of lesson 09b is higher, since it adds cold starts, the log and the
# data.
#
# ## Exercise 3: Break-even, by bisection ★★ (12 minutes)
#
# A server costs the same each month, a function costs by the request. From how many requests on is the server
# the better bargain? Functions have *tiers*: the first requests are free, many are cheaper.
#
# ```python
# tiers = [[1000000, 0], [9000000, 600], [None, 450]]
# ```
#
# The first million of a month costs nothing, the next nine million cost `600` each, all others `450` each.
# All prices are whole billionths of a dollar, so that all sums are exact. `function_cost` computes a month.

# %%


def function_cost(tiers: list[list], requests: int) -> int:
    """What so many requests of a month cost, in billionths of a dollar."""
    cost = 0
    for size, price in tiers:
        part = requests if size is None else min(size, requests)
        cost, requests = cost + part * price, requests - part
    return cost


# %% [markdown]
# Return the smallest whole number of requests, from 0 to `most`, at which the function costs `server` **or
# more**; `None` if it does not even at `most`. `most` may be a million millions: who tries each number is
# still at it tomorrow.
#
# <details><summary>Hint: a nudge</summary>The cost never falls when there are more requests. So one look in
# the middle rules out a half.</details>
# <details><summary>Hint: the approach</summary>Keep two numbers: below <code>low</code> the function is
# certainly cheaper, at <code>high</code> it certainly is not. Ask for <code>None</code> first.</details>
# <details><summary>Hint: a sketch</summary><code>middle = (low + high) // 2</code>; if it costs enough there,
# <code>high = middle</code>, else <code>low = middle + 1</code>; until both are equal</details>


# %% tags=["q3"]
def break_even(tiers: list[list], server: int, most: int) -> int | None:
    """The fewest requests at which the function costs as much as the server."""
    ### BEGIN SOLUTION
    if function_cost(tiers, most) < server:
        return None
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        if function_cost(tiers, middle) >= server:
            high = middle
        else:
            low = middle + 1
    return low
    ### END SOLUTION


# %% [markdown]
# In one case the function costs exactly as much as the server.

# %%
check("lab08.q3", break_even)

# %% [markdown]
# Now with real prices: the function of exercise 2 against one SageMaker instance that is always there. It has
# four virtual cores. How many of them would the readings keep busy, day and night, at the break-even?

# %% tags=["measure"]
endpoint = costs.prices()["endpoint_m5_xlarge_hour"]
single, server = round(1000 * million), round(endpoint.value * costs.HOURS * 1e9)
requests = break_even([[None, single]], server, 10**12)
busy = requests * served / (costs.HOURS * 3600)
print(f"{endpoint.item}: {endpoint.value} {endpoint.currency} an hour ({endpoint.date})")
print(f"break-even at {requests / 1e6:.0f} million requests a month, {busy:.1f} cores always busy")

# %% [markdown]
# An endpoint that idles is paid all the same; that is where the break-even comes from. (Lesson 09b says that
# an endpoint is never cheaper in office hours: there several instances stand by for the busiest one, and data
# through the endpoint is in the bill. Here it is one instance, and nothing else.)
#
# ## Exercise 4: Choose under a budget and a p99 ★★ (12 minutes)
#
# The product owner says what is needed, and several offers are on the table:
#
# ```python
# demand = {"readings": 3000000, "busiest": 12.5, "p99": 200, "budget": 400}
# offers = [
#     {"name": "endpoint", "hour": 0.23, "rate": 40, "spare": 1, "p99": 90},
#     {"name": "function", "million": 35.0, "p99": 350},
# ]
# ```
#
# In the demand, `readings` are cards a month, `busiest` is cards a second in the busiest second, `p99` is
# milliseconds, and `budget` is dollars a month. In an offer, `hour` is dollars for an instance and hour,
# `million` dollars for a million readings, `rate` cards a second and instance, `p99` milliseconds.
#
# - An offer with `hour` is paid by the instance and hour. An instance is at most `60 %` busy in the busiest
#   second: so take as few instances as can do that, at least one, and `spare` more. To be safe from binary
#   fractions, round `busiest / (0.6 * rate)` to `9` digits before you round up. A month has `730` hours.
# - An offer with `million` is paid by the reading and has no instances: their number is `0`.
# - An offer is good enough if its `p99` is at most that of the demand, and its month costs at most `budget`,
#   before anything is rounded.
#
# Return `[name, instances, cost]` of the cheapest that is good enough, with the cost of the month in dollars,
# rounded to cents. Compare the rounded costs: if two are the same, take the one with the lower `p99`; if that
# is the same, too, the one that comes first. `None` if none is good enough.
#
# <details><summary>Hint: a nudge</summary>First a list of those that are good enough. Then one
# <code>min</code>.</details>
# <details><summary>Hint: the approach</summary>Compare tuples: the cost in cents, then the p99. Python's
# <code>min</code> takes the first of equals.</details>
# <details><summary>Hint: a sketch</summary><code>count = max(1, math.ceil(round(demand["busiest"] / (0.6 *
# offer["rate"]), 9))) + offer["spare"]</code></details>


# %% tags=["q4"]
def choose(offers: list[dict], demand: dict) -> list | None:
    """[name, instances, dollars a month] of the cheapest offer that is good enough."""
    ### BEGIN SOLUTION
    good = []
    for offer in offers:
        if "hour" in offer:
            needed = math.ceil(round(demand["busiest"] / (0.6 * offer["rate"]), 9))
            count = max(1, needed) + offer["spare"]
            cost = count * offer["hour"] * 730
        else:
            count, cost = 0, demand["readings"] / 1_000_000 * offer["million"]
        if offer["p99"] <= demand["p99"] and cost <= demand["budget"]:
            good.append((round(cost, 2), offer["p99"], offer["name"], count))
    if not good:
        return None
    cost, _, name, count = min(good, key=lambda offer: offer[:2])
    return [name, count, cost]
    ### END SOLUTION


# %% [markdown]
# In some cases nothing is good enough.

# %%
check("lab08.q4", choose)

# %% [markdown]
# ## Exercise 5: A policy of least privilege ★★★ (14 minutes)
#
# A program gets a role, and the role a policy: what it may do, and nothing else. You write it as data. A
# `job` says what the program needs:
#
# ```python
# {"account": "123456789012", "region": "eu-west-1", "needs": [
#     ["invoke", "meter-reader"],
#     ["read", "utility-cards", "inbox/"],
#     ["list", "utility-cards"],
#     ["tidy up", "billing"],
#     ["never delete", "utility-cards"]]}
# ```
#
# Return a policy, `{"Version": "2012-10-17", "Statement": [...]}`, in which each need has a statement:
#
# - `invoke`: `sagemaker:InvokeEndpoint` on this endpoint, in this account and region, and no other. Its ARN
#   is `arn:aws:sagemaker:REGION:ACCOUNT:endpoint/NAME`.
# - `read`: `s3:GetObject` on all objects of the bucket whose key begins with the prefix. An object's ARN is
#   `arn:aws:s3:::BUCKET/KEY`.
# - `list`: `s3:ListBucket` on the bucket itself, `arn:aws:s3:::BUCKET`.
# - `tidy up`: `sagemaker:DescribeEndpoint` and `sagemaker:DeleteEndpoint` on every endpoint of this account
#   and region, but only those with the tag: `"Condition": {"StringEquals": {"aws:ResourceTag/project":
#   "billing"}}`.
# - `never delete`: nothing in this bucket and not the bucket either, even if the role has another policy that
#   allows `s3:*`: a `"Deny"` of `s3:DeleteObject`, `s3:DeleteObjectVersion` and `s3:DeleteBucket`.
#
# Many policies are right. The check asks what yours decides on calls, by AWS's rules: some must be allowed,
# and those next to them must not. Some it takes from your policy: it fills each `*` with another text.
# Nothing may be allowed that no need asks for, so write out each action of an `"Allow"`, without a `*`. No
# need asks for a variable, or for a condition on anything but the tag. A job may have several needs of a
# kind, or just one.
#
# <details><summary>Hint: a nudge</summary>One statement for each need: a function from a need to a statement,
# then a list. A <code>*</code> stands for any characters, so it says more than it seems to.</details>
# <details><summary>Hint: the approach</summary>All objects that begin with a prefix are
# <code>arn:aws:s3:::BUCKET/PREFIX*</code>. A deny of objects and of the bucket needs two resources in a
# list.</details>
# <details><summary>Hint: a sketch</summary><code>{"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint",
# "Resource": f"arn:aws:sagemaker:{region}:{account}:endpoint/{name}"}</code>, and so on with
# <code>match kind:</code></details>


# %% tags=["q5"]
def policy(job: dict) -> dict:
    """What the program may do, as a policy of AWS."""

    ### BEGIN SOLUTION
    def statement(kind, name, prefix=""):
        endpoints = f"arn:aws:sagemaker:{job['region']}:{job['account']}:endpoint/"
        bucket = f"arn:aws:s3:::{name}"
        if kind == "invoke":
            return allow("sagemaker:InvokeEndpoint", endpoints + name)
        if kind == "read":
            return allow("s3:GetObject", f"{bucket}/{prefix}*")
        if kind == "list":
            return allow("s3:ListBucket", bucket)
        if kind == "tidy up":
            tagged = {"StringEquals": {"aws:ResourceTag/project": name}}
            actions = ["sagemaker:DescribeEndpoint", "sagemaker:DeleteEndpoint"]
            return allow(actions, endpoints + "*") | {"Condition": tagged}
        actions = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:DeleteBucket"]
        return allow(actions, [bucket, f"{bucket}/*"]) | {"Effect": "Deny"}

    def allow(action, resource):
        return {"Effect": "Allow", "Action": action, "Resource": resource}

    return {"Version": "2012-10-17", "Statement": [statement(*need) for need in job["needs"]]}
    ### END SOLUTION


# %% [markdown]
# If a call is decided the wrong way, the check names it.

# %%
check("lab08.q5", policy)

# %% [markdown]
# `"Action": "*", "Resource": "*"` would have worked on the first day, and on every day after that, for
# whoever finds the key.
#
# ## Exercise 6: The endpoint left running ★★ (10 minutes)
#
# Monday morning. The list of all `endpoints` of the account, as the cloud tells it; all times are hours since
# the month began, below 0 for what was before:
#
# ```python
# {"name": "trial", "status": "InService", "made": 340.5, "last_call": 352.0,
#  "tags": {"project": "meters"}, "variants": [["ml.m5.xlarge", 2], ["ml.c5.xlarge", 1]]}
# ```
#
# and a rule:
#
# ```python
# {"project": "meters", "now": 420.0, "idle": 6,
#  "prices": {"ml.m5.xlarge": 0.23, "ml.c5.xlarge": 0.204}}
# ```
#
# An endpoint is *forgotten* if it has the tag `project` of the rule, its status is `"InService"`, nobody has
# called it for `idle` hours **or more** (`last_call` is `None` if nobody ever has: then count from `made`),
# and it has no tag `keep` with the value `"true"`. An endpoint without tags has `"tags": {}`. A `last_call`
# of `0.0` is a call like any other, at the stroke of the month.
#
# What it has cost: the hours since it was made, times the price of each instance of each variant (a variant
# is `[instance, how many]`). Return `[name, dollars]` of each forgotten endpoint, rounded to cents at the
# very end, the most expensive first; those that cost the same by name.
#
# <details><summary>Hint: a nudge</summary>Two questions that have nothing to do with each other: is it
# forgotten, and what has it cost?</details>
# <details><summary>Hint: the approach</summary>It costs from the moment in which it was made, not from the
# last call. <code>tags.get("project")</code> also works where there are no tags.</details>
# <details><summary>Hint: a sketch</summary><code>since = endpoint["made"] if endpoint["last_call"] is None
# else endpoint["last_call"]</code>; <code>sorted(forgotten, key=lambda row: (-row[1],
# row[0]))</code></details>


# %% tags=["q6"]
def forgotten(endpoints: list[dict], rule: dict) -> list[list]:
    """[name, dollars so far] of each endpoint that should be ended."""
    ### BEGIN SOLUTION
    rows = []
    for endpoint in endpoints:
        tags, called = endpoint["tags"], endpoint["last_call"]
        since = endpoint["made"] if called is None else called
        ours = tags.get("project") == rule["project"] and tags.get("keep") != "true"
        if ours and endpoint["status"] == "InService" and rule["now"] - since >= rule["idle"]:
            hourly = sum(rule["prices"][instance] * count for instance, count in endpoint["variants"])
            rows.append([endpoint["name"], round((rule["now"] - endpoint["made"]) * hourly, 2)])
    return sorted(rows, key=lambda row: (-row[1], row[0]))
    ### END SOLUTION


# %% [markdown]
# An endpoint without the tag is somebody else's: it stays.

# %%
check("lab08.q6", forgotten)

# %% [markdown]
# ## Exercise 7: Break it ★★ (10 minutes)
#
# "Nothing is left running here", says a colleague, "a program ends what is idle":
#
# ```python
# {"every": 24, "idle": 6, "hours": 240, "calls": 10}
# ```
#
# It looks `every` so many hours after the endpoint was made (at 0): at hours 24, 48 and so on, up to and
# including `hours`. It ends the endpoint if the last call is `idle` hours or more ago. A call in the very
# hour of the look is 0 hours ago; before the first call the making counts as one, at hour 0.
#
# Show how the endpoint outlives all that with as good as no use: a list of the whole hours, from 0 to
# `hours`, at which somebody calls, **at most** `calls` of them. For every rule of the check there is such a
# list; any of them is right.
#
# <details><summary>Hint: a nudge</summary>Between two looks nobody looks.</details>
# <details><summary>Hint: the approach</summary>Walk from look to look. Call only if the program would end the
# endpoint now.</details>
# <details><summary>Hint: a sketch</summary><code>for look in range(every, hours + 1, every): if look - last
# &gt;= idle: calls.append(look)</code>, and remember that as the last</details>


# %% tags=["q7"]
def kept_alive(rule: dict) -> list[int]:
    """The hours of the calls that keep the endpoint running."""
    ### BEGIN SOLUTION
    calls, last = [], 0
    for look in range(rule["every"], rule["hours"] + 1, rule["every"]):
        if look - last >= rule["idle"]:
            calls.append(look)
            last = look
    return calls
    ### END SOLUTION


# %% [markdown]
# If the endpoint is ended, the check says at which hour.

# %%
check("lab08.q7", kept_alive)

# %% [markdown]
# A health check that somebody set up for the launch does just that. A year of it, at the price of today:

# %% tags=["measure"]
year = kept_alive({"every": 24, "idle": 6, "hours": 8760, "calls": 365})
spent = 8760 * endpoint.value
print(f"{len(year)} calls in a year keep one instance running for {spent:,.0f} USD")
print(f"{spent / len(year):.2f} USD a call")

# %% [markdown]
# So a rule about idleness needs a second one beside it: a budget, or an end date in a tag.
#
# ## Exercise 8: Buy it? ★★ (8 minutes, graded by a person)
#
# A smaller utility reads `200,000` cards a month, half of them on the last two days, and wants an answer
# within a second. Three people who know Python work there, and nobody at night. A managed endpoint, a
# function, or a server of its own? In eight sentences or fewer: decide, with figures of this lab, and say
# what would change your mind. Say also what you set up on the first day so that the bill surprises nobody,
# and which gap each of these leaves.
#
# | points | an answer with |
# |---|---|
# | 2 | a decision, and a reason |
# | 4 | a reason that follows from at least two figures of this lab, and what would change the decision |
# | 6 | that, and what is set up on the first day, with the gap that each of these leaves |

# %% [markdown] tags=["q8"]
# A function: exercise 2 says that a million readings cost little more than their requests, while one
# instance of an endpoint costs what exercise 3 prints for each hour, used or not. The break-even lies at
# many millions of requests, so the month end does not change that, and nobody needs to be awake. What would
# change my mind is a p99 that cold starts break (exercise 4 refuses the function then), or a hundred times
# the cards. On the first day: a tag on everything, a budget with a mail, which is a day late, a limit on
# concurrent calls, a program that ends idle endpoints, which a health check fools as in exercise 7, and a
# policy like that of exercise 5, which a `*` would undo.
