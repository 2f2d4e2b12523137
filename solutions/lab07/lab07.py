# %% [markdown]
# # Lab 07: Change the model, and notice
#
# **Minutes:** 86 · **Prerequisites:** [Rollouts](../../notebooks/08_rollouts.ipynb)
#
# A new model goes to a few customers first, and a program watches what it does to them. You write what such a
# program decides by: who gets the new version, when there may be more of them, what takes it back. Then you
# write two alarms for all that labels cannot tell in time, and you make one that never rings.
#
# The stars say how hard an exercise is. Fill in the functions, run the cell below each: it says at once what
# came out and what was expected. Hints unfold one by one. More than two thirds of the points go to cases
# that only the grader has: you earn them by the share that is right, less what one fixed answer would get.
# The minutes are for the exercises; running the measurements comes on top. Nothing here needs nginx,
# Prometheus or an account, and it is the same on Linux, macOS and Windows. To hand in, save this notebook:
# the file is your answer.

# %%
import hashlib
import itertools
import math

from fsdl_course.labs import case, check, predict, reveal

# %% [markdown]
# ## Exercise 1: The same customer, the same version ★ (8 minutes)
#
# A `share` of the customers gets the new version, such as `0.05`. A customer who sends three cards must not
# meet two versions, and no table of customers is kept. So the name decides. Of the text `salt/customer`, such
# as `november/C0000017`, take the SHA-256 of it in UTF-8. The first `8` hexadecimal digits of it are a
# number; divided by `2**32` it lies from 0 to 1. A customer is in if it is **less than** the `share`.
#
# Return those of the `customers` who are in, in the order in which they come.
#
# <details><summary>Hint: a nudge</summary>Python's own <code>hash</code> of a text is another one in each
# process: three servers would disagree.</details>
# <details><summary>Hint: the approach</summary>A small function from a customer to a number from 0 to 1, then
# one list.</details>
# <details><summary>Hint: a sketch</summary><code>digest =
# hashlib.sha256(f"{salt}/{customer}".encode()).hexdigest()</code>; <code>int(digest[:8], 16) /
# 2**32</code></details>


# %% tags=["q1"]
def candidates(customers: list[str], share: float, salt: str) -> list[str]:
    """The customers who get the new version."""

    ### BEGIN SOLUTION
    def place(customer):
        return int(hashlib.sha256(f"{salt}/{customer}".encode()).hexdigest()[:8], 16) / 2**32

    return [customer for customer in customers if place(customer) < share]
    ### END SOLUTION


# %% [markdown]
# Run this after every change.

# %%
check("lab07.q1", candidates)

# %% [markdown]
# What does it matter? Split by request instead: each card goes to the new version with a chance of `0.1`,
# whoever sent it. Predict: of the customers who send `3` cards, how many per cent meet both versions?

# %%
GUESS_BOTH = 50  # SOLUTION: GUESS_BOTH = None
predict("per cent of the customers who meet both versions", GUESS_BOTH)

# %% [markdown]
# Two thousand customers, three cards each, by request and by your function. The last line raises the share
# from `0.05` to `0.25`: everybody who was in must still be.

# %% tags=["measure"]
import random

names, generator = [f"C{number:07d}" for number in range(2000)], random.Random(7)
both = sum(len({generator.random() < 0.1 for _ in range(3)}) == 2 for _ in names)
few, more = (candidates(names, share, "november") for share in (0.05, 0.25))
print(f"by request {both / 20:.0f} % meet both versions; by your function nobody can")
print(f"at 0.05: {len(few)} customers, at 0.25: {len(more)}, and {len(set(few) - set(more))} have left")
reveal(GUESS_BOTH, both / 20, "%")

# %% [markdown]
# Two readings of one card that differ are a call to the help desk. The salt changes who comes first: without
# one the same few customers would meet every bug first, month after month.
#
# ## Exercise 2: Steps of a rollout ★ (10 minutes)
#
# The share grows by a plan, in per cent:
#
# ```python
# {"steps": [1, 5, 25, 100], "enough": 200}
# ```
#
# A rollout begins with the first step. At each of the `looks` somebody says a word, and how many cards the
# new version has read since the look before: `["good", 80]`. These cards count for the present step.
#
# - `"good"`: if the cards of this step, with those of this look, are `enough` or more, the next step begins,
#   with no cards yet. Otherwise nothing changes. Behind the last step there is none.
# - `"unclear"`: nothing changes; the cards count.
# - `"bad"`: the share is `0` from now on, for ever, whatever comes later.
# - `"stop"`: a person stops the plan. The share stays where it is, and its cards go on counting, but no next
#   step begins before somebody says `"go"`. A `"bad"` is obeyed all the same.
# - `"go"`: the plan goes on. That alone begins no step: the next `"good"` may.
#
# Return the share after each look, in per cent.
#
# <details><summary>Hint: a nudge</summary>Four things change from look to look: at which step it is, how many
# cards that has, whether it is stopped, whether it is over.</details>
# <details><summary>Hint: the approach</summary>Add the cards first, at every look. Then ask for the word. A
# share of 0 is easiest as a mark of its own, not as a step.</details>
# <details><summary>Hint: a sketch</summary><code>if word == "good" and cards &gt;= plan["enough"] and not
# stopped and step + 1 &lt; len(plan["steps"]): step, cards = step + 1, 0</code></details>


# %% tags=["q2"]
def shares(plan: dict, looks: list[list]) -> list[int]:
    """The share of the new version after each look [word, cards], in per cent."""
    ### BEGIN SOLUTION
    steps, step, cards, stopped, over, after = plan["steps"], 0, 0, False, False, []
    for word, count in looks:
        cards += count
        over = over or word == "bad"
        stopped = word == "stop" or (stopped and word != "go")
        if word == "good" and cards >= plan["enough"] and not stopped and step + 1 < len(steps):
            step, cards = step + 1, 0
        after.append(0 if over else steps[step])
    return after
    ### END SOLUTION


# %% [markdown]
# The parts of the check follow the rules in their order.

# %%
check("lab07.q2", shares)

# %% [markdown]
# ## Exercise 3: The guardrail rule ★★ (12 minutes)
#
# Who says `"good"` or `"bad"`? Not labels: they come weeks later. You get counts of both versions from the
# same hours, and the milliseconds of the answers that came:
#
# ```python
# {"cards": 400, "errors": 2, "implausible": 8, "unsure": 20, "times": [12, 15, 11, ...]}
# ```
#
# and the rules:
#
# ```python
# {"least": 100, "at_once": 10, "slower": 1.5,
#  "worse": {"errors": 0.01, "implausible": 0.02, "unsure": 0.05}}
# ```
#
# - If the candidate has `at_once` errors or more, return `["errors"]`, however few cards there are.
# - Otherwise, if either version has fewer than `least` cards, nothing can be said: return `None`.
# - For each name in `worse`: its count divided by `cards` is a share. The guardrail is broken if the
#   candidate's share is greater than the stable version's by **more than** the number in `worse`. Round the
#   difference to `9` digits first.
# - The p99 of some times is the smallest of them that is at least as large as `99 %` of all, itself among
#   them: of `n` sorted times that of number `ceil(0.99 * n)`, counted from 1. Compute it as `-(-99 * n //
#   100)`, in whole numbers. The guardrail `"p99"` is broken if the candidate's p99 is more than `slower`
#   times that of the stable version. If either has no times, it is not broken.
#
# Return the names of the broken guardrails, those of `worse` in their order, `"p99"` last; `[]` if all hold.
#
# <details><summary>Hint: a nudge</summary>Three questions, in this order: is it a disaster, is it too early,
# what is broken?</details>
# <details><summary>Hint: the approach</summary><code>None</code> and <code>[]</code> are two answers: "I
# cannot say" and "nothing is wrong". A small function for p99 saves a line.</details>
# <details><summary>Hint: a sketch</summary><code>sorted(times)[-(-99 * len(times) // 100) - 1]</code>;
# <code>round(candidate[name] / candidate["cards"] - stable[name] / stable["cards"], 9) &gt;
# allowed</code></details>


# %% tags=["q3"]
def broken(stable: dict, candidate: dict, rules: dict) -> list[str] | None:
    """The names of the broken guardrails; None if it is too early to say."""

    ### BEGIN SOLUTION
    def p99(times):
        return sorted(times)[-(-99 * len(times) // 100) - 1]

    if candidate["errors"] >= rules["at_once"]:
        return ["errors"]
    if min(stable["cards"], candidate["cards"]) < rules["least"]:
        return None
    names = []
    for name, allowed in rules["worse"].items():
        more = candidate[name] / candidate["cards"] - stable[name] / stable["cards"]
        names += [name] * (round(more, 9) > allowed)
    both = stable["times"] and candidate["times"]
    names += ["p99"] * bool(both and p99(candidate["times"]) > rules["slower"] * p99(stable["times"]))
    return names
    ### END SOLUTION


# %% [markdown]
# In some cases more than one guardrail is broken.

# %%
check("lab07.q3", broken)

# %% [markdown]
# ## Exercise 4: Look as often as you like ★★★ (14 minutes)
#
# A limit such as `0.02` is crossed by luck, too, and who looks after every card is lucky often. This test may
# be looked at after every card. Both versions read the same cards. Each of the `pairs` is `[stable,
# candidate]`, 1 for a reading that passes and 0 for one that does not. Its value `x` is `stable - candidate`:
# 1 if the candidate is worse, -1 if it is better, 0 if there is no difference.
#
# Three gamblers bet that the candidate is worse by more than a `tolerance`. Each begins with 1 and always
# bets the same part of what it owns: the bets are `0.1`, `0.3` and `0.9`. A pair multiplies what a gambler of
# bet `b` owns by `1 + b * (x - tolerance)`. If the candidate is *not* worse than tolerated, nobody wins on
# average, and the **mean** of what the three own reaches `1 / alpha` with a chance of at most `alpha`, ever.
# That is the alarm: the mean is `1 / alpha` or more.
#
# Return the number of the pair at which it first rings, counted from 1; `None` if it never does. (No case is
# decided by a hair.)
#
# <details><summary>Hint: a nudge</summary>Three numbers that are multiplied, pair after pair. Look at their
# mean after each.</details>
# <details><summary>Hint: the approach</summary>The mean is of what they own, not of their bets: three
# gamblers are not one who bets the average.</details>
# <details><summary>Hint: a sketch</summary><code>for number, (stable, candidate) in enumerate(pairs, 1):
# owned = [money * (1 + bet * (stable - candidate - tolerance)) for money, bet in zip(owned, bets)]</code>;
# then <code>if sum(owned) / 3 &gt;= 1 / alpha: return number</code></details>


# %% tags=["q4"]
def alarm(pairs: list[list[int]], tolerance: float, alpha: float) -> int | None:
    """The number of the pair [stable, candidate] at which the alarm rings, from 1; None if it never does."""
    ### BEGIN SOLUTION
    bets, owned = (0.1, 0.3, 0.9), [1.0, 1.0, 1.0]
    for number, (stable, candidate) in enumerate(pairs, 1):
        value = stable - candidate - tolerance
        owned = [money * (1 + bet * value) for money, bet in zip(owned, bets, strict=True)]
        if sum(owned) / len(owned) >= 1 / alpha:
            return number
    return None
    ### END SOLUTION


# %% [markdown]
# One candidate in the check is better; the alarm must not ring for it.

# %%
check("lab07.q4", alarm)

# %% [markdown]
# The usual way is a z-test, looked at now and then. Two versions that are **equally good**, a thousand
# cards, the first look at card `100`, then one after every `20`: a hundred such rollouts. At `alpha = 0.05`,
# how many of them does the z-test stop?

# %%
GUESS_STOPPED = 5  # SOLUTION: GUESS_STOPPED = None
predict("of a hundred good versions, how many the z-test takes back", GUESS_STOPPED)

# %% [markdown]
# Both versions fail on one card in twenty, each on cards of its own. `z` is the difference in standard
# deviations; `1.645` is exceeded by chance in one look of twenty.

# %% tags=["measure"]
import numpy as np

numbers, stopped = np.random.default_rng(7), {"z-test": 0, "yours": 0}
for _ in range(100):
    pairs = (numbers.random((1000, 2)) > 0.05).astype(int)
    values = pairs[:, 0] - pairs[:, 1]
    looks = np.arange(100, 1001, 20)
    totals, squares = (np.cumsum(part)[looks - 1] for part in (values, values**2))
    stopped["z-test"] += bool((totals / np.sqrt(squares) > 1.645).any())
    stopped["yours"] += alarm(pairs.tolist(), 0, 0.05) is not None
print(stopped)
reveal(GUESS_STOPPED, stopped["z-test"], "of a hundred")

# %% [markdown]
# Each look is a chance to be wrong, and the z-test pays for one of them only. (The lesson looked more often,
# and the z-test was wrong more often.)
#
# ## Exercise 5: A burn-rate alert ★★★ (12 minutes)
#
# The service promises that all but a thousandth of its answers are good: its *objective* is `0.999`. The
# other thousandth is its budget for a month. An alarm that rings at each error is soon ignored, and one that
# looks at the month rings too late. So one looks at how fast the budget *burns*: errors over a short window
# and over a long one, and both must burn.
#
# `good` and `bad` are counters, with a sample each minute, the first at minute 0. A counter only rises, but
# when the service starts again it begins at 0: **a sample that is less than the one before is itself the
# increase**. The increase over a window of `w` minutes at minute `t` is the sum of the increases of the
# minutes `t - w + 1` to `t`, those that exist: minute 0 has none, since there is no sample before.
#
# The error ratio over a window is the increase of `bad` divided by that of both; `0` if both are 0. The rule:
#
# ```python
# {"objective": 0.999, "factor": 14.4, "short": 5, "long": 60}
# ```
#
# The alert fires at a minute if the ratios over both windows are **greater than** `factor * (1 -
# objective)`, which you round to `9` digits first. Return the minutes at which it fires.
#
# The check calls `alerts`, which stands below your function already. It writes series as Prometheus'
# `promtool` does for its tests of rules: `0+600x3` is 0, 600, 1200, 1800, and `5x2` is 5, 5, 5.
#
# <details><summary>Hint: a nudge</summary>First the increase of each minute, as a list. A window is then a
# sum over a piece of it.</details>
# <details><summary>Hint: the approach</summary>Give minute 0 an increase of 0. The piece of <code>w</code>
# minutes that ends at <code>t</code> is <code>steps[max(0, t - w + 1) : t + 1]</code>.</details>
# <details><summary>Hint: a sketch</summary><code>[0] + [now - before if now &gt;= before else now for before,
# now in itertools.pairwise(counter)]</code>; then a function <code>ratio(t, w)</code></details>


# %% tags=["q5"]
def burning(good: list[float], bad: list[float], rule: dict) -> list[int]:
    """The minutes at which the alert fires."""

    ### BEGIN SOLUTION
    def increases(counter):
        pairs = itertools.pairwise(counter)
        return [0, *(now - before if now >= before else now for before, now in pairs)]

    served, failed = increases(good), increases(bad)

    def ratio(minute, window):
        piece = slice(max(0, minute - window + 1), minute + 1)
        errors, total = sum(failed[piece]), sum(failed[piece]) + sum(served[piece])
        return errors / total if total else 0

    limit = round(rule["factor"] * (1 - rule["objective"]), 9)
    windows = (rule["short"], rule["long"])
    return [t for t in range(len(good)) if all(ratio(t, window) > limit for window in windows)]
    ### END SOLUTION


def alerts(good: str, bad: str, rule: dict) -> list[int]:
    """Your alert on two series in promtool's words; leave it as it is."""

    def expanded(series):
        for part in series.split():
            start, times = part.split("x")
            first, _, step = start.partition("+")
            yield from (int(first) + int(step or 0) * number for number in range(int(times) + 1))

    return burning(list(expanded(good)), list(expanded(bad)), rule)


# %% [markdown]
# In one case the service starts again in the middle.

# %%
check("lab07.q5", alerts)

# %% [markdown]
# Two outages, each beginning at minute `60`, beside ten good answers a second: in one a third of all requests
# fails for two minutes, in the other a twentieth for half an hour. Each line has other windows: how many
# minutes after the beginning it rings, and for how long after the end it goes on.

# %% tags=["measure"]
normal, hour = {"objective": 0.999, "factor": 14.4}, "0+600x120"
outages = {"two minutes": ("0x59 0+300x2 600x57", 62), "half an hour": ("0x59 0+30x30 900x29", 90)}
for name, (series, end) in outages.items():
    for short, long in ((5, 60), (1, 60), (60, 60), (5, 5)):
        minutes = alerts(hour, series, normal | {"short": short, "long": long})
        rang = (
            f"rings after {minutes[0] - 60}, until {minutes[-1] - end} after the end" if minutes else "silent"
        )
        print(f"{name:12} short {short:2}, long {long:2}: {rang}")

# %% [markdown]
# The short window ends the ringing. The long one decides whether it is worth a call: without it, as in the
# last line of each outage, the alert rings at once, and for less.
#
# ## Exercise 6: A drift detector ★★ (12 minutes)
#
# Errors are not the only thing that changes: in spring the new app takes darker pictures. Each picture has
# some *statistics*, such as its mean grey. You get the values of `reference` pictures and of `new` ones, by
# the name of the statistic:
#
# ```python
# {"grey": [176.0, 171.5, ...], "confidence": [0.93, 0.88, ...]}
# ```
#
# How far two lists are apart says **Kolmogorov and Smirnov's distance**: for a value `v` take the share of
# the reference that is `v` or less, and the share of the new ones that is `v` or less. The distance is the
# greatest difference of the two, whichever is larger, over all values `v` of both lists.
#
# By chance it exceeds `sqrt(-log(a / 2) / 2) * sqrt((n + m) / (n * m))` in about `a` of all cases, with `n`
# and `m` the lengths of the lists and the natural logarithm. You look at `k` statistics, and at least one
# false alarm among them should be as rare as `alpha`: so take `a = alpha / k`.
#
# Return `{name: distance}` of those statistics whose distance is greater. (No case is decided by a hair.)
#
# <details><summary>Hint: a nudge</summary>The distance of one statistic is a function of two lists; write it
# first.</details>
# <details><summary>Hint: the approach</summary>The greatest difference lies at a value of one of the lists:
# try them all. Many pictures may have the same value, and all of these count as "or less".</details>
# <details><summary>Hint: a sketch</summary><code>max(abs(sum(x &lt;= v for x in before) / len(before) - sum(x
# &lt;= v for x in now) / len(now)) for v in {*before, *now})</code></details>


# %% tags=["q6"]
def drifted(reference: dict[str, list], new: dict[str, list], alpha: float) -> dict[str, float]:
    """The statistics that have drifted, with their distances."""

    ### BEGIN SOLUTION
    def share(values, most):
        return sum(value <= most for value in values) / len(values)

    distances = {}
    for name, before in reference.items():
        now = new[name]
        distance = max(abs(share(before, value) - share(now, value)) for value in {*before, *now})
        chance = alpha / len(reference)
        sizes = (len(before) + len(now)) / (len(before) * len(now))
        if distance > math.sqrt(-math.log(chance / 2) / 2) * math.sqrt(sizes):
            distances[name] = distance
    return distances
    ### END SOLUTION


# %% [markdown]
# The statistics of one case differ in their spread and not in their mean.

# %%
check("lab07.q6", drifted)

# %% [markdown]
# Now the pictures themselves: `60` cards as before, dark ones, and inverted ones. Predict for the dark ones:
# how many of the three statistics below drift?

# %%
GUESS_DARK = 3  # SOLUTION: GUESS_DARK = None
predict("of three statistics, how many drift when the pictures are dark", GUESS_DARK)

# %% [markdown]
# Mean grey, contrast and the reader's own confidence, with the share of cards that were read right: what a
# monitor does not know.

# %% tags=["measure"]
from fsdl_deploy import OnnxReader
from fsdl_deploy.cards import cards

reader = OnnxReader("v2")


def statistics(seed, drift=None):
    """The statistics of some cards, and the share of them that is read right."""
    deck = list(cards(60, "typical", seed=seed, drift=drift))
    readings = reader.read([card.image for card in deck])
    rows = {"grey": [float(card.image.mean()) for card in deck]}
    rows["contrast"] = [float(card.image.std()) for card in deck]
    rows["confidence"] = [reading.confidence for reading in readings]
    return rows, sum(card.truth == r.digits for card, r in zip(deck, readings, strict=True)) / len(deck)


# %% [markdown]
# Each line: what drifts, and what it did to the readings.

# %% tags=["measure"]
before, _ = statistics(1)
for drift in (None, "dark", "inverted"):
    now, right = statistics(2, drift)
    moved = drifted(before, now, 0.01)
    print(f"{drift or 'the same':9} drifts: {', '.join(moved) or 'nothing'}; read right: {right:.0%}")
    if drift == "dark":
        reveal(GUESS_DARK, len(moved), "of three")

# %% [markdown]
# An alarm about the input is right about the input. Whether it does harm is another question.
#
# ## Exercise 7: Break it ★★ (10 minutes)
#
# "We would have been paged", says a colleague, and shows this rule:
#
# ```python
# {"limit": 5, "hold": 5, "least": 10, "minutes": 30, "most": 100, "lost": 600}
# ```
#
# A minute has some requests, of which some are errors. It is *bad* if it has `least` requests or more **and**
# more than `limit` per cent of them are errors. The alert fires as soon as `hold` minutes in a row are bad.
#
# Show an outage that nobody is paged for: a list of `minutes` minutes `[requests, errors]`, whole numbers
# with `0 <= errors <= requests <= most`. In all of it there must be at least `lost` errors, which may be as
# many as are possible at all, and the alert never fires. For every rule of the check there is such an outage;
# any of them is right.
#
# <details><summary>Hint: a nudge</summary>Two things bring the row to its end: a good minute, and a minute in
# which too few requests came.</details>
# <details><summary>Hint: the approach</summary>All fails for as long as the rule allows; then one minute that
# is not bad, and again. Which minute that is not bad has the most errors?</details>
# <details><summary>Hint: a sketch</summary>Not bad are <code>[most, most * limit // 100]</code> and
# <code>[least - 1, least - 1]</code>, which may be more than <code>most</code>. Minute number <code>n</code>
# is such a one if <code>n % hold == hold - 1</code>, else <code>[most, most]</code>.</details>


# %% tags=["q7"]
def silent(rule: dict) -> list[list[int]]:
    """Minutes [requests, errors] of an outage for which the alert never fires."""
    ### BEGIN SOLUTION
    most, few = rule["most"], min(rule["least"] - 1, rule["most"])
    pauses = [[most, most * rule["limit"] // 100], [few, few]]
    pause = max(pauses, key=lambda minute: minute[1])
    hold = rule["hold"]
    return [pause if n % hold == hold - 1 else [most, most] for n in range(rule["minutes"])]
    ### END SOLUTION


# %% [markdown]
# If it fires, the check says at which minute.

# %%
check("lab07.q7", silent)

# %% [markdown]
# Does the alert of exercise 5 see this outage? It has no row that could be broken.

# %% tags=["measure"]
colleague = {"limit": 5, "hold": 5, "least": 10, "minutes": 30, "most": 100, "lost": 600}
outage, counters = silent(colleague), [[0], [0]]
for requests, errors in outage:
    for counter, count in zip(counters, (requests - errors, errors), strict=True):
        counter.append(counter[-1] + count)
rule = {"objective": 0.999, "factor": 14.4, "short": 5, "long": 60}
minutes, wrong = burning(*counters, rule), sum(errors for _, errors in outage)
print(f"{wrong} errors; the colleague's alert is silent, yours rings at minute {minutes[0]}")

# %% [markdown]
# And if no request comes at all, because the balancer is dead? Then both are silent. An alert needs another
# one, which rings when nothing is heard.
#
# ## Exercise 8: Who is paged? ★★ (8 minutes, graded by a person)
#
# Three things happen in one night: the burn-rate alert of exercise 5 fires; the drift detector of exercise 6
# says that the pictures have become dark; the guardrails of exercise 3 have taken a new version back at
# `5 %`. One person is on call. In six sentences or fewer: for which of the three is somebody woken, who
# hears of the others and when, and what must the message say? And which alert of this lab would you delete?
# Use figures of this lab.
#
# | points | an answer with |
# |---|---|
# | 2 | a decision for each of the three, and a reason |
# | 4 | reasons that follow from what harms customers now, and from at least two figures of this lab |
# | 6 | that, and what the message tells the person to do, and which alert would be deleted |

# %% [markdown] tags=["q8"]
# Woken is whoever is on call, for the burn-rate alert only: customers lose answers now, and at `14.4` times
# the budget's pace a month of it is gone in two days. The message names the service, since when, and
# the first thing to do: take back the newest change. The version that was taken back harms nobody any more,
# because the rule acted by itself: its team reads of it in the morning, with the guardrail that was broken
# and the cards. Dark pictures are a ticket: the detector is right about the input, and exercise 6 shows that
# they are read nearly as well as others, so a person looks at some of them by day. I would delete the alert
# of exercise 7, which was silent for hundreds of errors, and add one that rings when no requests come at all.
