# %% [markdown]
# # Lab 06: More machines than one
#
# **Minutes:** 90 · **Prerequisites:** [Scaling](../../notebooks/07_scaling.ipynb)
#
# Month end no longer fits on one machine. You write what a balancer, an autoscaler and a function in the
# cloud decide by, you say how many replicas a promise takes and what they cost, and you kill a replica under
# load to see who notices.
#
# The stars say how hard an exercise is. Fill in the functions, run the cell below each: it says at once what
# came out and what was expected. Hints unfold one by one. More than two thirds of the points go to cases
# that only the grader has: you earn them by the share that is right, less what one fixed answer would get.
# The minutes are for the exercises; running the measurements comes on top. Nothing here needs nginx, a cloud
# or an account, and it is the same on Linux, macOS and Windows.

# %%
import itertools
import math
import threading
from functools import partial

from fsdl_course.labs import case, check, predict, reveal
from fsdl_course.labs.instances import play

# %% [markdown]
# ## Exercise 1: The balancer's choice ★ (10 minutes)
#
# A balancer has to send each request to one of its replicas. It knows of each its name, how many of its
# requests are `open` (sent and not yet answered), its `weight` (a machine twice as large has twice the
# weight), and the moment at which it last `failed`, in seconds. `None` means that it never did.
#
# ```python
# {"name": "a", "open": 3, "weight": 2, "failed": None}
# ```
#
# Return the name of the replica that gets a request at the moment `now`. `tried` are the names of those that
# this request has been sent to before, without an answer.
#
# - A replica that was tried never gets it, nor does one of weight `0`, which is being drained. If no other is
#   there, return `None`.
# - Of the others, those that failed less than `10` seconds before `now` are left out. If that would leave
#   none, they all stay: a doubtful replica is better than a certain error.
# - Of those that remain, the one with the fewest open requests *for its weight* gets it, which is `open /
#   weight`: `5` at weight `3` are fewer than `2` at weight `1`. If that is equal, the one with the greater
#   weight; if that is equal too, the earlier in the list.
#
# <details><summary>Hint: a nudge</summary>Three steps: who may get it at all, who has not failed just now,
# who has the most room.</details>
# <details><summary>Hint: the approach</summary>Two lists, the second made from the first; if the second is
# empty, take the first. <code>min</code> with a key that is a tuple settles ties and takes the earlier of
# equals.</details>
# <details><summary>Hint: a sketch</summary><code>healthy = [... if row["failed"] is None or now -
# row["failed"] &gt;= 10]</code>; <code>min(healthy or possible, key=lambda row: (row["open"] /
# row["weight"], -row["weight"]))</code>. A failure at second 0 is a failure, too.</details>


# %% tags=["q1"]
def next_replica(replicas: list[dict], tried: list[str], now: float) -> str | None:
    """The name of the replica that gets the next request; None if there is none for it."""
    ### BEGIN SOLUTION
    possible = [row for row in replicas if row["weight"] > 0 and row["name"] not in tried]
    healthy = [row for row in possible if row["failed"] is None or now - row["failed"] >= 10]
    if not possible:
        return None
    return min(healthy or possible, key=lambda row: (row["open"] / row["weight"], -row["weight"]))["name"]
    ### END SOLUTION


# %% [markdown]
# Run this after every change.

# %%
check("lab06.q1", next_replica)

# %% [markdown]
# Now predict, then play it through. Three replicas: `a` and `b` answer a card in `100 ms`, `c` is an old
# machine and takes `300 ms`. `8` cards a second come, at random moments. First the replicas get them in turn,
# so that each has a third. Then your function chooses, with weights 3, 3 and 1. Compare the time within which
# `99 %` of the cards are answered, their p99: how many times as long is it in turn?

# %%
GUESS = 3  # SOLUTION: GUESS = None
predict("how many times as long the p99 is in turn as by your function", GUESS)

# %% [markdown]
# `queue_times` plays the replicas. Each answers one card after the other; `choose` gets the number of the
# card and how many are open at each replica, and names one.

# %% tags=["measure"]
import random


def queue_times(choose, takes, rate, count=6000):
    """[(seconds until a replica begins with a card, seconds until it is answered), ...]"""
    generator, now, times = random.Random(6), 0.0, []
    ends = {name: [] for name in takes}
    for turn in range(count):
        now += generator.expovariate(rate)
        ends = {name: [end for end in queue if end > now] for name, queue in ends.items()}
        name = choose(turn, {name: len(queue) for name, queue in ends.items()})
        begin = max([now, *ends[name][-1:]])
        ends[name].append(begin + takes[name])
        times.append((begin - now, ends[name][-1] - now))
    return times


# %% [markdown]
# The replicas in turn, then by your function, first with equal weights and then with 3, 3 and 1.

# %% tags=["measure"]
takes = {"a": 0.1, "b": 0.1, "c": 0.3}


def by_connections(weights, turn, waiting):
    rows = [{"name": n, "open": waiting[n], "weight": weights[n], "failed": None} for n in waiting]
    return next_replica(rows, [], 0)


def p99(times):
    return sorted(answered for _, answered in times)[int(0.99 * len(times))]


ways = {
    "in turn": lambda turn, _: "abc"[turn % 3],
    "connections": partial(by_connections, dict.fromkeys("abc", 1)),
    "weighted": partial(by_connections, {"a": 3, "b": 3, "c": 1}),
}
slowest = {name: p99(queue_times(way, takes, 8)) for name, way in ways.items()}
print({name: f"99 % within {seconds:.2f} s" for name, seconds in slowest.items()})
reveal(GUESS, slowest["in turn"] / slowest["weighted"], "times as long")

# %% [markdown]
# In turn the old machine gets as many cards as a new one, and a queue of them. With equal weights nobody has
# said that it is slow: its open requests say it. The weights say so while the queues are still short.
#
# ## Exercise 2: The autoscaler's rule ★★ (12 minutes)
#
# Month end comes and goes; nobody wants to start replicas by hand. An autoscaler looks at them again and
# again. You get all of its `measurements` in order: `[now, busy]`, the moment in seconds and how busy a
# replica was on average, from 0 to 1. It begins with a number of `replicas` within the limits of its rules:
#
# ```python
# {"target": 0.5, "least": 1, "most": 10, "hold": 300}
# ```
#
# At each measurement it makes a *wish*, and remembers it with its moment. Then it sets the number of
# replicas:
#
# - The ratio is `busy / target`. If it is at most `0.1` away from 1, the wish is the present number. (No case
#   lies just at that edge.)
# - Else the wish is the present number times the ratio, rounded **up** to a whole number. Round to `9` digits
#   before that: `6 * 0.65 / 0.3` is a hair more than 13 in floating point, and must not become 14.
# - A wish below `least` becomes `least`, one above `most` becomes `most`.
# - If the wish is the present number or more, the number becomes the wish at once.
# - If it is less, the number becomes the **greatest of the wishes of the last** `hold` **seconds**, this one
#   among them. All wishes count, also those that went up or changed nothing. One that was made exactly `hold`
#   seconds ago is forgotten.
#
# Return the number of replicas after each measurement. The next measurement begins with that number.
#
# <details><summary>Hint: a nudge</summary>The number of replicas changes from measurement to measurement: the
# ratio is always of the present one.</details>
# <details><summary>Hint: the approach</summary>Keep every wish with its moment, also those that change
# nothing or go up. On the way down take the greatest of those that are young enough.</details>
# <details><summary>Hint: a sketch</summary><code>wish = math.ceil(round(replicas * busy / target, 9))</code>,
# then <code>min(most, max(least, wish))</code>; <code>max(w for moment, w in wishes if moment &gt; now -
# hold)</code></details>


# %% tags=["q2"]
def scaled(measurements: list[list[float]], replicas: int, rules: dict) -> list[int]:
    """The number of replicas after each measurement [now, busy]."""
    ### BEGIN SOLUTION
    wishes, numbers = [], []
    for now, busy in measurements:
        ratio = busy / rules["target"]
        wish = replicas if abs(ratio - 1) <= 0.1 else math.ceil(round(replicas * ratio, 9))
        wish = min(rules["most"], max(rules["least"], wish))
        wishes.append((now, wish))
        if wish < replicas:
            wish = max(earlier for moment, earlier in wishes if moment > now - rules["hold"])
        replicas = wish
        numbers.append(replicas)
    return numbers
    ### END SOLUTION


# %% [markdown]
# The parts of the check follow the rules in their order.

# %%
check("lab06.q2", scaled)

# %% [markdown]
# Your rule at month end: it meets the lesson's curve, in which a reminder goes out at noon. Here the load
# also swings by half around that curve, up and down once in two minutes. A replica reads `8` cards a second
# and is ready `20` seconds after it was ordered. The autoscaler measures every `15` seconds, first with a
# `hold` of `300` seconds, then with `15`, so that it goes down at once. For how many seconds more are there
# too few replicas with `15`? (A negative number, if they are fewer.)

# %%
GUESS_SECONDS = 30  # SOLUTION: GUESS_SECONDS = None
predict("seconds more with too few replicas, if the autoscaler goes down at once", GUESS_SECONDS)

# %% [markdown]
# `simulate` plays the service, second by second, and asks the rule every fifteen seconds.


# %% tags=["measure"]
import numpy as np

from fsdl_deploy.scaling import autoscaling, traffic


class Yours:
    """Your rule in the place of the lesson's autoscaler."""

    least = 1

    def __init__(self, hold, target=0.6):
        self.rules = {"target": target, "least": self.least, "most": 60, "hold": hold}
        self.measured = []

    def __call__(self, now, replicas, busy):
        self.measured.append([now, busy])
        return scaled(self.measured, self.least, self.rules)[-1]


# %% [markdown]
# An hour and a half around noon. Each line is a `hold`: for how long replicas were too few, what was paid,
# and how often the number changed.

# %% tags=["measure"]
minutes = traffic.month_end(5_000_000)[-traffic.DAY :][11 * 60 + 30 : 13 * 60].copy()
minutes[30:50] *= 3
rates = np.repeat(minutes / 60, 60)
rates *= 1 + 0.5 * np.sin(np.arange(len(rates)) * 2 * np.pi / 120)
late = {}
for hold in (300, 60, 15):
    moments_of_day = autoscaling.simulate(rates, 8, Yours(hold), start=20)
    late[hold] = autoscaling.lag(moments_of_day, 8)
    hours = sum(moment.replicas for moment in moments_of_day) / 3600
    changes = sum(a.replicas != b.replicas for a, b in itertools.pairwise(moments_of_day))
    print(f"hold {hold:3}: {late[hold]:4} s too few, {hours:.1f} replica hours, {changes} changes")
reveal(GUESS_SECONDS, late[15] - late[300], "s more")

# %% [markdown]
# Each swing sends replicas away that the next one needs, and a new one is late by its start. A longer memory
# pays for some that have nothing to do for a while, which is what the promise costs.
#
# ## Exercise 3: How many replicas keep the promise? ★★★ (14 minutes)
#
# An autoscaler comes late, so how many replicas should there be before month end? The promise is: of all
# requests at most a `share`, such as `0.01`, waits for longer than `seconds` before a replica begins with it.
# `rate` requests come a second, and one replica answers `per_replica` a second. The lesson's formula of
# Erlang says which share waits for longer than that with `n` replicas:
#
# - The *load* is `rate / per_replica`. If it is `n` or more, the queue grows for ever: the share is 1.
# - Else first the share that would be turned away if nobody could wait. Begin with `blocked = 1`; then, for
#   `k` from 1 up to and with `n`, `blocked` becomes `load * blocked / (k + load * blocked)`. (The textbook's
#   formula with factorials gives the same, until its numbers become too large for a `float`.)
# - The share that must wait is `blocked / (1 - load / n * (1 - blocked))`.
# - The share that waits for longer than `seconds` is that, times `exp(-(n * per_replica - rate) * seconds)`.
#
# The replicas run in so many `zones`, which are buildings with a power supply each, spread as evenly as whole
# numbers allow. With two zones or more the promise must also hold while the **largest** zone is dead, by
# those that are left: `5` replicas in `2` zones are 3 and 2, so `2` are left. With one zone no failure is
# planned for, and all count.
#
# Return the smallest number of replicas, in all zones together, that keeps the promise. At least one must be
# left, also if no requests come at all.
#
# <details><summary>Hint: a nudge</summary>Three small functions, or three steps: the share for
# <code>n</code> replicas; how many are left of <code>n</code>; try 1, 2, 3, … until it is enough.</details>
# <details><summary>Hint: the approach</summary>The largest zone has <code>math.ceil(n / zones)</code>.
# Of one replica in two zones none is left, and none is too few, even without requests. With one zone nothing
# is taken away: else your search never ends.</details>
# <details><summary>Hint: a sketch</summary><code>left = n if zones == 1 else n - math.ceil(n /
# zones)</code>; <code>next(n for n in itertools.count(1) if left(n) &gt;= 1 and late(left(n)) &lt;=
# share)</code></details>


# %% tags=["q3"]
def replicas_for(rate: float, per_replica: float, seconds: float, share: float, zones: int) -> int:
    """The fewest replicas with which at most ``share`` waits for longer than ``seconds``, a zone down."""
    ### BEGIN SOLUTION
    load = rate / per_replica

    def late(servers):
        if load >= servers:
            return 1.0
        blocked = 1.0
        for count in range(1, servers + 1):
            blocked = load * blocked / (count + load * blocked)
        waits = blocked / (1 - load / servers * (1 - blocked))
        return waits * math.exp(-(servers * per_replica - rate) * seconds)

    for count in itertools.count(1):
        left = count if zones == 1 else count - math.ceil(count / zones)
        if left >= 1 and late(left) <= share:
            return count
    ### END SOLUTION


# %% [markdown]
# Some of the cases have hundreds of replicas.

# %%
check("lab06.q3", replicas_for)

# %% [markdown]
# At `6` cards a second, with replicas that read `8` a second, some replicas keep this promise: at most `1 %`
# wait for longer than `50 ms`. Predict: ten times as many cards come. How many times as many replicas does
# the same promise take?

# %%
GUESS_TIMES = 6  # SOLUTION: GUESS_TIMES = None
predict("how many times as many replicas ten times as many cards take", GUESS_TIMES)

# %% [markdown]
# What the formula says for three rates. Beside it the queues of exercise 1 are played with as many equal
# replicas, chosen by your balancer: which share waited for longer than `50 ms` there?

# %% tags=["measure"]
counts = {}
for rate in (6, 60, 600):
    counts[rate] = replicas_for(rate, 8, 0.05, 0.01, 1)
    equal = {f"replica {number}": 1 / 8 for number in range(counts[rate])}
    by_yours = partial(by_connections, dict.fromkeys(equal, 1))
    waits = [wait for wait, _ in queue_times(by_yours, equal, rate)]
    busy = rate / 8 / counts[rate]
    waited = sum(wait > 0.05 for wait in waits) / len(waits)
    print(f"{rate:3} cards a second: {counts[rate]:2} replicas, {busy:.0%} busy, {waited:.1%} waited longer")
reveal(GUESS_TIMES, counts[60] / counts[6], "times as many")

# %% [markdown]
# Where more wait than the promise allows, it is because the formula knows one queue for all, and here each
# replica has its own. But it shows why large fleets are cheap: many replicas share their reserve. One of them
# is nearly always free, so each may be busier.
#
# And what does it cost to survive the death of a zone? The table has a line for each number of zones, and a
# column for each rate; in it stand the replicas that keep the promise. The line of one zone plans for no
# failure.

# %% tags=["measure"]
from fsdl_deploy.measuring.table import Table

rows = [[zones, *(replicas_for(rate, 8, 0.05, 0.01, zones) for rate in counts)] for zones in (1, 2, 3, 6)]
Table(["zones", *(f"replicas for {rate} cards a second" for rate in counts)], *rows)

# %% [markdown]
# Of many replicas in two zones about half are the reserve, in six zones about a sixth.
#
# ## Exercise 4: The smallest package ★★ (12 minutes)
#
# The other way is to have no replicas, and give the cloud a function. It is a package: one zip file with the
# handler and everything that it needs. Two sizes are limited: that of the zip, and that of its files once
# they are unpacked, such as `{"zipped": 50, "unpacked": 250}`. They are in MiB, `1024 * 1024` bytes; AWS's
# pages call these MB. The parts that could go in are a dictionary:
#
# ```python
# {
#     "handler": {"zipped": 1, "unpacked": 1, "needs": [["onnx"], ["pillow", "opencv"]]},
#     "onnx": {"zipped": 20, "unpacked": 70, "needs": [["numpy"]]},
#     ...
# }
# ```
#
# Each of the `needs` is a list of parts of which **at least one** must be in the package: this handler needs
# `onnx`, and it needs `pillow` or `opencv`. Every part in the package has its needs, and two parts may need
# each other. A name that is not a key of the dictionary is a part that cannot be had.
#
# A package is allowed if it has the `"handler"`, if the needs of all its parts are met, and if neither sum of
# sizes is above its limit. Of all allowed packages return the one with the smallest sum of `zipped`, as a
# list of names in any order; `None` if none is allowed. There are at most eight parts besides the handler. If
# several are equally small, any of them is right.
#
# <details><summary>Hint: a nudge</summary>The smaller of <code>pillow</code> and <code>opencv</code> need not
# give the smaller package, and the smallest zip may be too large unpacked. How many packages can be made of
# eight parts?</details>
# <details><summary>Hint: the approach</summary>Write two small functions: whether the needs of a package are
# met, and whether it keeps the limits. Then take the smallest of all packages for which both say
# so.</details>
# <details><summary>Hint: a sketch</summary><code>for count in range(len(others) + 1): for chosen in
# itertools.combinations(others, count)</code>; <code>all(set(need) &amp; set(kept) for name in kept for need
# in parts[name]["needs"])</code>; <code>min(..., key=..., default=None)</code></details>


# %% tags=["q4"]
def package(parts: dict[str, dict], limits: dict[str, float]) -> list[str] | None:
    """The parts of the smallest package that works within the limits; None if there is none."""

    ### BEGIN SOLUTION
    def size(kept, kind):
        return sum(parts[name][kind] for name in kept)

    def works(kept):
        return all(set(need) & set(kept) for name in kept for need in parts[name]["needs"])

    def fits(kept):
        return all(size(kept, kind) <= most for kind, most in limits.items())

    others = [name for name in parts if name != "handler"]
    packages = [
        ["handler", *chosen]
        for count in range(len(others) + 1)
        for chosen in itertools.combinations(others, count)
    ]
    allowed = [kept for kept in packages if works(kept) and fits(kept)]
    return min(allowed, key=lambda kept: size(kept, "zipped"), default=None)
    ### END SOLUTION


# %% [markdown]
# In some cases the smallest zip breaks the other limit, and a larger one is the answer.

# %%
check("lab06.q4", package)

# %% [markdown]
# Now a real one: the reader `v2` in ONNX Runtime, out of what is installed here. `files_of` finds the files
# of a library; some are only for its tests or its own tools.

# %% tags=["measure"]
from importlib.metadata import files as installed_files

ASIDE = {"tests", "transformers", "quantization", "tools", "datasets", "f2py", "include"}


def files_of(name, aside):
    """Where the files of a library are and where they go: those in folders of ASIDE, or all others."""
    inside = [path for path in installed_files(name) if ".." not in path.parts]
    return {str(path): path.locate() for path in inside if bool(ASIDE & set(path.parts)) == aside}


LIBRARIES, DECLARED = ("numpy", "pillow", "onnxruntime"), ("protobuf", "flatbuffers", "packaging")


pieces = {name: files_of(name, False) for name in (*LIBRARIES, *DECLARED)}
pieces["extras"] = files_of("numpy", True) | files_of("onnxruntime", True)
print({name: f"{len(places)} files" for name, places in pieces.items()})

# %% [markdown]
# The handler: it reads one card, with nothing but Python's own library and what lies beside it.

# %% tags=["measure"]
from pathlib import Path
from tempfile import TemporaryDirectory

from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

HANDLER = """import sys
sys.path.insert(0, ".")
import numpy, onnxruntime, PIL.Image
picture = numpy.asarray(PIL.Image.open("card.png").convert("L"))[None]
session = onnxruntime.InferenceSession("v2.onnx")
answer = session.run(None, {"pictures": picture, "widths": numpy.array([picture.shape[2]])})[0][0]
print("".join(str(digit) for digit in answer if digit >= 0))
"""
card = next(iter(cards(1, "clean", seed=6)))

# %% [markdown]
# With the model and a card it lies in a folder of its own.

# %% tags=["measure"]
workplace = TemporaryDirectory()
contents = {"handler.py": HANDLER.encode(), "card.png": encode(card.image)}
for name, content in (contents | {"v2.onnx": weights.verified("v2.onnx")}).items():
    (Path(workplace.name) / name).write_bytes(content)
pieces["handler"] = {path.name: path for path in Path(workplace.name).iterdir()}

# %% [markdown]
# The sizes of the parts. What ONNX Runtime needs is what its authors declared; does the handler need all of
# that?

# %% tags=["measure"]
import zlib
from concurrent.futures import ThreadPoolExecutor

declared = {"handler": [["onnxruntime"], ["pillow"]]}
declared["onnxruntime"] = [["numpy"], *([name] for name in DECLARED)]
sizes = {}
for name, places in pieces.items():
    contents = [Path(place).read_bytes() for place in places.values() if Path(place).is_file()]
    with ThreadPoolExecutor() as pool:
        zipped = sum(map(len, pool.map(zlib.compress, contents))) / 2**20
    unpacked = sum(map(len, contents)) / 2**20
    sizes[name] = {"zipped": zipped, "unpacked": unpacked, "needs": declared.get(name, [])}
    print(f"{name:12} {zipped:5.1f} MiB zipped, {unpacked:6.1f} MiB unpacked")

# %% [markdown]
# Does a package work? Its parts go into a folder of their own, and the handler is started there.

# %% tags=["measure"]
import shutil
import subprocess
import sys


def tried(kept, folder):
    """What the handler of a package says when it is started: its output, or the last line of its error."""
    for name in kept:
        for place, source in pieces[name].items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / place)
    command = [sys.executable, "-I", "-S", "-B", "handler.py"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    return (run.stdout or run.stderr).strip().splitlines()[-1]


# %% [markdown]
# Three packages within AWS's limits: all parts, your choice by what is declared, and your choice if ONNX
# Runtime needed nothing but numpy. The last one leaves out what no line of the handler needs.

# %% tags=["measure"]
from fsdl_deploy.managed import costs

kinds = ("zipped", "unpacked")
limits = {kind: costs.prices()[f"function_package_{kind}"].value for kind in kinds}
lean = sizes | {"onnxruntime": sizes["onnxruntime"] | {"needs": [["numpy"]]}}
choices = {"all parts": list(sizes), "declared": package(sizes, limits), "needed": package(lean, limits)}
for name, kept in choices.items():
    if kept is None:
        print(f"{name:10} no package within the limits")
        continue
    with TemporaryDirectory() as folder:
        reading = tried(kept, Path(folder))
    zipped, unpacked = (sum(sizes[part][kind] for part in kept) for kind in kinds)
    print(f"{name:10} {len(kept)} parts, {zipped:.1f} MiB zipped, {unpacked:.1f} MiB unpacked:", end=" ")
    print(f"it says {reading[:60]}, the card {card.truth}")
workplace.cleanup()

# %% [markdown]
# A limit with room to spare decides nothing. Each line has a lower one for the zip than the line before: do
# all parts fit, and what is the smallest package that does?

# %% tags=["measure"]
everything = sum(size["zipped"] for size in sizes.values())
for most in (50, 45, 40):
    kept = package(sizes, limits | {"zipped": most})
    smallest = "no package fits" if kept is None else f"the smallest has {len(kept)} of {len(sizes)} parts"
    print(f"{most} MiB: all parts {'fit' if everything <= most else 'do not fit'}, {smallest}")

# %% [markdown]
# ## Exercise 5: The cheapest place ★★ (10 minutes)
#
# A function, or servers? A `curve` has the number of requests in each hour: `[200, 9000, 200]`. A request
# takes so many `milliseconds` of one core. The prices are a dictionary:
#
# ```python
# {"gb_second": 0.00002, "gb": 2.0, "million_requests": 0.2,
#  "server_hour": 0.1, "cores": 4, "room": 0.5, "balancer_hour": 0.02}
# ```
#
# - As a **function** each request is billed by itself. Its milliseconds are first rounded *up* to a whole
#   number (`6.2` to `7`, `20` stays). It costs these milliseconds in *seconds*, times `gb`, times
#   `gb_second`; and, on top, a millionth of `million_requests`.
# - On **servers** you pay for all of them in every hour of the curve, `server_hour` each. There are as many
#   as the *busiest* hour needs. Its requests a second (`3600` seconds are an hour), times the seconds of a
#   request (here not rounded), are the cores that work. A server has `cores` of them, and only the share
#   `room` of these may work. The number is rounded up, and is at least 1. If it is 2 or more, one balancer
#   stands before them, for `balancer_hour` in every hour.
#
# The curve above at `20` milliseconds, by these prices: a request costs `0.02 * 2.0 * 0.00002 + 0.2 /
# 1000000`, which is `0.000001`, so the function costs `0.0094`. The busiest hour has `9000 / 3600 * 0.02 =
# 0.05` cores at work, and a server has room for `4 * 0.5 = 2`: one server, for three hours, costs `0.3`.
#
# Return `{"servers": n, "cost": c}` of the cheaper place, with its cost for the whole curve, not rounded. For
# the function `n` is 0. If both cost the same, the function wins.
#
# <details><summary>Hint: a nudge</summary>Two sums. One depends on all requests together, the other on the
# busiest hour and on how many hours there are.</details>
# <details><summary>Hint: the approach</summary>Compute cores first, then servers by <code>math.ceil</code>,
# then the price of one hour of all of it.</details>
# <details><summary>Hint: a sketch</summary><code>cores = max(curve) / 3600 * milliseconds / 1000</code>;
# <code>max(1, math.ceil(cores / (prices["cores"] * prices["room"])))</code>; the function's seconds are
# <code>math.ceil(milliseconds) / 1000</code></details>


# %% tags=["q5"]
def cheapest(curve: list[float], milliseconds: float, prices: dict[str, float]) -> dict:
    """{"servers": how many, 0 for a function, "cost": of the whole curve} of the cheaper place."""
    ### BEGIN SOLUTION
    compute = math.ceil(milliseconds) / 1000 * prices["gb"] * prices["gb_second"]
    function = sum(curve) * (compute + prices["million_requests"] / 1e6)
    cores = max(curve) / 3600 * milliseconds / 1000
    count = max(1, math.ceil(cores / (prices["cores"] * prices["room"])))
    hour = count * prices["server_hour"] + (prices["balancer_hour"] if count > 1 else 0)
    servers = len(curve) * hour
    return {"servers": 0, "cost": function} if function <= servers else {"servers": count, "cost": servers}
    ### END SOLUTION


# %% [markdown]
# The curves of the check are a few hours long; the one below is a month.

# %%
check("lab06.q5", cheapest)

# %% [markdown]
# Now with real prices; each has its date and source in `infra/managed/prices.toml`. A card takes what it
# takes on your machine. Predict: if the cards came evenly over the month, from how many million a month on
# would servers be cheaper than the function?

# %%
GUESS_MILLIONS = 100  # SOLUTION: GUESS_MILLIONS = None
predict("million cards a month, spread evenly, from which on servers are cheaper", GUESS_MILLIONS)

# %% [markdown]
# What a card takes: decode the PNG file, read it. Then the prices as your function wants them.

# %% tags=["measure"]
from statistics import median
from time import perf_counter

from fsdl_deploy import OnnxReader
from fsdl_deploy.picture import decode

reader, took = OnnxReader("v2"), []
for picture in [encode(card.image) for card in cards(60, "typical", seed=61)]:
    begin = perf_counter()
    reader.read([decode(picture)])
    took.append(1000 * (perf_counter() - begin))
dated = {name: price.value for name, price in costs.prices().items()}
prices = {name: dated[name] for name in ("server_hour", "balancer_hour")}
prices |= {"gb_second": dated["function_gb_second"], "million_requests": dated["function_million_requests"]}
prices |= {"gb": dated["function_memory_of_a_core"] / 1024, "cores": dated["server_cores"], "room": 0.6}
print(f"a card takes {median(took):.1f} ms;", prices)

# %% [markdown]
# Each line has so many million cards a month, once in the lesson's month with its two busy days and once
# spread evenly over all hours, with the cheapest place for them and its bill. The last line is the first
# number of million cards, spread evenly, for which that place is servers.

# %% tags=["measure"]
shape = np.add.reduceat(traffic.month(1_000_000), range(0, traffic.DAYS * traffic.DAY, 60)) / 1_000_000
flat = np.full(len(shape), 1 / len(shape))


def place(millions, hours=shape):
    return cheapest((1e6 * millions * hours).tolist(), median(took), prices)


for millions in (0.05, 1, 5, 20, 100, 1000):
    for name, hours in (("with its end", shape), ("evenly", flat)):
        best = place(millions, hours)
        where = f"servers: {best['servers']}" if best["servers"] else "a function"
        print(f"{millions:7} million {name:12} {where:12} {best['cost']:9.2f} USD")
turning = next((millions for millions in range(1, 3000) if place(millions, flat)["servers"]), 3000)
reveal(GUESS_MILLIONS, turning, "million cards")

# %% [markdown]
# For the month with its end there must be servers enough for two days, and they are paid for thirty. More
# cards make both bills larger, so the function may stay cheaper at any size. A service whose work comes now
# and then is what functions are made for.
#
# ## Exercise 6: A handler that keeps its model ★★★ (14 minutes)
#
# A platform for functions starts an **instance** of yours when a request comes, and keeps it for the next
# ones. What it loads at its first call it can keep. AWS Lambda by default sends an instance one request at a
# time; Google and Azure may send it several at once, each in a thread of its own. Write
#
# `make_handler(load)`, which returns a function `handler(card)`. A card is a text here. `load()` takes
# long and returns a model, which is a function: `model(card)` is the reading, a text too.
#
# - The handler returns `[200, reading]`.
# - The model is loaded in the first call of the handler, not before, and kept. Each handler that
#   `make_handler` returns is an instance, with a model of its own: so no `global`.
# - If `load` raises an error of any kind, this call returns `[503, "no model"]`, and the next call tries to
#   load again.
# - If `model(card)` raises a `ValueError`, the call returns `[422, "no reading"]`; the model stays.
# - Calls may come at the same time. Then **one** loads, and the others wait for it. If its load fails, only
#   that call gets a `503`, and one of those that wait tries next. But cards are *read* side by side: no call
#   waits because another one is reading.
#
# The check calls `played`, which stands below your function already, and `played` lets the course's `play`
# send cards to your handlers. `loads` says what each load gives: a version such as `"v1"`, or `""` for an
# error. `waves` are `[instance, cards]`; the cards of a wave come at the same time. `play` reports how each
# wave was answered (`"200 v1"` stands for a reading by the model `v1`), how many loads there were, how many
# of them at once, how many before the first call, and how many cards were read while another one of their
# wave had to wait.
#
# <details><summary>Hint: a nudge</summary>The handler is a function in a function: what the outer one has in
# its variables, the inner one keeps from call to call.</details>
# <details><summary>Hint: the approach</summary>A <code>threading.Lock</code> around the question whether
# there is a model and the load; the reading outside of it. <code>with lock:</code> gives the lock back after
# an error, too.</details>
# <details><summary>Hint: a sketch</summary><code>nonlocal model</code> in the handler; <code>with lock: if
# model is None: try: model = load() except Exception: return [503, ...]</code>; then, without the lock,
# <code>try: return [200, model(card)] except ValueError: ...</code></details>


# %% tags=["q6"]
def make_handler(load):
    """A handler of one instance, which loads the model when it is first needed and keeps it."""
    ### BEGIN SOLUTION
    lock, model = threading.Lock(), None

    def handler(card):
        nonlocal model
        with lock:
            if model is None:
                try:
                    model = load()
                except Exception:
                    return [503, "no model"]
        try:
            return [200, model(card)]
        except ValueError:
            return [422, "no reading"]

    return handler
    ### END SOLUTION


def played(loads: list[str], waves: list[list]) -> dict:
    """What the platform sees of your handlers; leave it as it is."""
    return play(make_handler, loads, waves)


# %% [markdown]
# A handler that waits for itself takes a few seconds here, and is then given up: its cards have no answer.

# %%
check("lab06.q6", played)

# %% [markdown]
# What is it worth to keep the model? The first call of a new instance also waits for the start of Python, the
# imports and the load. Predict: how many times as long as each of the next calls does it take?

# %%
GUESS_COLD = 100  # SOLUTION: GUESS_COLD = None
predict("how many times as long the first call of an instance takes", GUESS_COLD)

# %% [markdown]
# The instance is a Python process of its own. The same program reads one card, or sixty-one.

# %% tags=["measure"]
PROGRAM = """
import sys
from fsdl_deploy import OnnxReader
from fsdl_deploy.cards import cards
card = next(iter(cards(1, "clean", seed=6))).image
reader = OnnxReader("v2")
for _ in range(int(sys.argv[1])):
    reader.read([card])
"""

# %% [markdown]
# Each twice, of which the shorter counts. What sixty cards more take is the time of sixty next calls.

# %% tags=["measure"]
spent = {}
for _ in range(2):
    for count in (1, 61):
        begin = perf_counter()
        subprocess.run([sys.executable, "-c", PROGRAM, str(count)], check=True, timeout=120)
        spent.setdefault(count, []).append(1000 * (perf_counter() - begin))
first, many = min(spent[1]), min(spent[61])
print(f"the first call takes {first:.0f} ms, each of the next {(many - first) / 60:.1f} ms")
reveal(GUESS_COLD, first / max(0.1, (many - first) / 60), "times as long")

# %% [markdown]
# A handler that loads its model in each call pays for imports once, but for the load each time.
#
# ## Exercise 7: Break it ★★ (10 minutes)
#
# "We killed a replica, and nobody noticed", says a colleague, and switches retries on for everything,
# payments too. Show what that test did not see. Here is the `log` of a replica that takes payments. Each is
# `[came, stored, answered]`: the milliseconds at which it came, was stored, and was answered, whole numbers,
# each larger than the one before. Several payments may be under way at once. A kill at the moment `t` meets
# each payment in one of these states:
#
# - `t < came` or `answered <= t`: nothing happens to it.
# - `came <= t < stored`: it is not stored yet. Without retries it is lost; a retry at another replica saves
#   it.
# - `stored <= t < answered`: it is stored, but its caller got no answer. A retry stores it **again**.
#
# Return `{"quiet": t, "lost": t, "twice": t}`, three moments to kill at. Each is a whole number with `first
# <= t < last`, where `first` is the smallest `came` of the log and `last` the largest `answered`:
#
# - `quiet`: nothing happens to any payment, so the colleague's test passes, with and without retries.
# - `lost`: without retries at least one payment is lost, and with retries none is stored twice.
# - `twice`: with retries at least one payment is stored twice, whatever happens to the others.
#
# Each log has at least one such moment of each kind. If there are several, any of them is right.
#
# <details><summary>Hint: a nudge</summary>What does a kill at one moment do to all payments together? Say it
# in one word.</details>
# <details><summary>Hint: the approach</summary>Write that function: "twice" if any payment is stored and not
# answered; else "lost" if any has come and is not stored; else "quiet". Then try all moments from
# <code>first</code> to <code>last - 1</code>.</details>
# <details><summary>Hint: a sketch</summary><code>{kind: next(t for t in range(first, last) if happens(t) ==
# kind) for kind in ("quiet", "lost", "twice")}</code></details>


# %% tags=["q7"]
def moments(log: list[list[int]]) -> dict[str, int]:
    """Three moments to kill the replica at: one that is quiet, one that loses, one that stores twice."""

    ### BEGIN SOLUTION
    def happens(moment):
        if any(stored <= moment < answered for _, stored, answered in log):
            return "twice"
        return "lost" if any(came <= moment < stored for came, stored, _ in log) else "quiet"

    span = range(min(came for came, _, _ in log), max(answered for _, _, answered in log))
    kinds = ("quiet", "lost", "twice")
    return {kind: next(moment for moment in span if happens(moment) == kind) for kind in kinds}
    ### END SOLUTION


# %% [markdown]
# If a moment is wrong, the check says what a kill does then.

# %%
check("lab06.q7", moments)

# %% [markdown]
# Now real processes: two replicas of the course's service. `ChoosingCaller` asks your function of exercise 1
# for each card, and sends the card there; if the connection breaks, it asks again for another replica, up to
# so many `tries` in all. `20` cards a second come for two seconds; after one second the first replica gets
# `SIGKILL`, without retries and then with one.

# %% tags=["measure"]
import base64

from fsdl_deploy import open_loop
from fsdl_deploy.scaling.choosing_caller import ChoosingCaller
from fsdl_deploy.scaling.replicas import replicas

picture = {"pictures": [base64.b64encode(encode(card.image)).decode()]}
with replicas(2) as fleet:
    for tries in (1, 2):
        fleet[0].start()
        ports = dict.fromkeys((replica.port for replica in fleet), 1)
        with ChoosingCaller(next_replica, ports, tries, json=picture) as caller:
            killer = threading.Timer(1, fleet[0].kill)
            killer.start()
            load = open_loop(caller, 20, 2)
            killer.join()
        print(f"{tries} tries: {load.errors} of {load.requests} cards lost, p99 {load.p99:.0f} ms")

# %% [markdown]
# Without a retry a card or two may be lost, or none: it depends on what was under way just then. With one
# nobody notices, and for cards that is right: a card may be read twice. Now a desk that takes payments. It
# writes each into a ledger after `300` milliseconds, and answers after `300` more.

# %% tags=["measure"]
DESK = """
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Desk(BaseHTTPRequestHandler):
    def do_POST(self):
        time.sleep(0.3)
        open(sys.argv[2], "a").write(self.path + "\\n")
        time.sleep(0.3)
        self.do_GET()
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Desk).serve_forever()
"""

# %% [markdown]
# Payments come at `0` and `900` milliseconds, and the desk that gets them is killed at the moments that your
# function finds in such a log. Processes are not punctual to the millisecond: at a moment at which a payment
# is just being stored, either may come first. So `middle` moves each of your moments to the middle between
# the two events of the log around it, where a kill does the same.

# %% tags=["measure"]
from contextlib import suppress

from fsdl_deploy import Server
from fsdl_deploy.scaling.choosing_caller import NoAnswer

log = [[0, 300, 600], [900, 1200, 1500]]
events = sorted(itertools.chain(*log))


def middle(moment):
    before, after = (event for event in events if event <= moment), (e for e in events if e > moment)
    return (max(before) + min(after)) / 2


# %% [markdown]
# One trial: the payments that come before the kill, each when it is due, and how many of them are answered.


# %% tags=["measure"]
def pay(caller, kill, moment):
    """How many payments that come before a ``kill`` at that moment are answered."""
    killer, begin, answered = threading.Timer(moment / 1000, kill), perf_counter(), 0
    killer.start()
    for came, _, _ in log:
        if came > moment:
            break
        threading.Event().wait(max(0, begin + came / 1000 - perf_counter()))
        with suppress(NoAnswer):
            caller()
            answered += 1
    killer.join()
    return answered


# %% [markdown]
# The second desk has hardly any weight: it is only for what the first cannot answer. Each line has how many
# payments were asked for, how many of the callers got an answer, and how many payments the ledger has.

# %% tags=["measure"]
for kind, moment in moments(log).items():
    asked = sum(came <= moment for came, _, _ in log)
    for tries in (1, 2):
        with TemporaryDirectory() as folder:
            ledger = Path(folder) / "ledger"
            ledger.touch()
            command = [sys.executable, "-c", DESK, "{port}", ledger]
            with Server(command, "/") as desk, Server(command, "/") as spare:
                weights = {desk.port: 1000, spare.port: 1}
                with ChoosingCaller(next_replica, weights, tries, "/pay") as caller:
                    got = pay(caller, desk.kill, middle(moment))
            stored = len(ledger.read_text().split())
        print(f"{kind:6} {tries} tries: {asked} asked, {got} answered, {stored} stored")

# %% [markdown]
# A kill while nothing is under way shows nothing. A retry saves what was not stored, and doubles what was. A
# payment needs a number of its own, by which the second desk sees that it is stored already.
#
# ## Exercise 8: What scales, and what for? ★★ (8 minutes, graded by a person)
#
# Three colleagues, three proposals for the meter reader: a function in the cloud; two servers behind a
# balancer; Kubernetes with an autoscaler, "because one day we will be large". The utility has `50,000`
# customers today, who send a card a month each, and may buy a utility with five million. In six sentences or
# fewer: which would you run today, what do you say to each of the two others, and at which figure would you
# change? Use figures of this lab.
#
# | points | an answer with |
# |---|---|
# | 2 | a position and a reason |
# | 4 | a position that follows from at least two figures of this lab |
# | 6 | that, and a change of the figures that would turn it into another one |

# %% [markdown] tags=["q8"]
# Today the function: for the cards of 50,000 customers exercise 5 gives a cent or two, where one server costs
# its full month and has nothing to do on most days. Its first call takes many times as long as the next, as
# exercise 6 shows, but a customer who sends a card a month can wait for a second; and the package of exercise
# 4 is small enough for a direct upload. Two servers I would run where the sums of exercise 5 turn, or where a
# promise about waits must hold while a zone is dead, for which exercise 3 asks for twice as many replicas in
# two zones. To the third I say that an autoscaler comes late for the reminder, as exercise 2 shows, and that
# a known month end needs a timetable, not a cluster. I would change my mind if many services shared the
# cluster, or if the cards came evenly and in such numbers that exercise 5 chooses servers.
