# %% [markdown]
# # Scaling: more machines than one
#
# **Minutes:** 60 · **Prerequisites:** [Optimization](05_optimization.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility has bought another one, and five million customers send their card now, most of them in the
# last two days of the month. The service is as cheap as it gets, but it is one machine: on those days it may
# be too small, and if it dies, nobody's card is read. On the other twenty-eight it has nothing to do.
#
# Our machines here are small on purpose, a fifth of a core each. What real ones do with this month, and for
# how much, is computed at the end.
#
# ## You will learn
#
# - to put copies of a service behind a load balancer, nginx or Envoy, and to measure what each copy adds
# - what a crash, a copy that hangs and an update cost, by the balancer's settings, in lost requests
# - to say how many copies a promise such as "99 % wait for less than half a second" takes
# - how late an autoscaler comes, and what shortens that
# - what a function in the cloud is, what a cold start costs, and from which traffic on a server is cheaper

# %% [markdown]
# ## Where the model sits
#
# There are two common ways to run more than one copy: an orchestrator, such as Kubernetes, or serverless
# functions. First we build by hand what an orchestrator does; then come both. The model sits in each of the
# **replicas**: copies of the service, on machines of their own. Clients know one address,
# that of the **load balancer**, which sends each request to one of them.
#
# ```mermaid
# flowchart LR
#     app["Application"] -- "POST /read" --> balancer{"Load balancer"}
#     balancer --> one(["replica"])
#     balancer --> two(["replica"])
#     balancer --> three(["replica"])
#     scaler["Autoscaler"] -. "how many?" .-> balancer
#     style one fill:#d55e00,color:#fff
#     style two fill:#d55e00,color:#fff
#     style three fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True
SHARE = 0.2  # of a core for each replica
CARDS = 5_000_000  # a month

# %% [markdown]
# ## One replica
#
# Your laptop is one machine, so it plays several: each replica is the course's service as a process that
# gets a fifth of a core and no more. Where you are root on Linux, a **control group** of the kernel sees to
# that, as it does for containers. Otherwise the process is stopped and continued fifty times a second. Where
# neither is possible, as on Windows, the cell says what that means for what follows. On macOS there is no
# Envoy from here, and the cell on replicas that hang is skipped.

# %%
from contextlib import ExitStack
from time import perf_counter

from fsdl_deploy.scaling.replicas import replicas

measured, running = {}, ExitStack()  # what the claims at the end are judged by; what the last cell ends
begin = perf_counter()
fleet = running.enter_context(replicas(3, SHARE))
start_up = perf_counter() - begin
print(f"three replicas ready after {start_up:.1f} s")

# %% [markdown]
# What holds each of them to its share here?

# %%
from fsdl_deploy.scaling import shares

ports = [replica.port for replica in fleet]
print(fleet[0].held_by or f"nothing. {shares.UNLIMITED}")

# %% [markdown]
# How many cards a second does one of them read, asked without a balancer by four callers who wait for their
# answers? The picture travels inside JSON, which knows only text, so it is written in *base64*: any bytes as
# letters, digits and a few signs.

# %%
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.failures import busy, card_body

body, requests = card_body(), 60 if FAST else 400
alone = busy(Asking(f"{fleet[0].url}/read", body), 4, requests)
measured["one_rate"] = alone.load.throughput
print(f"{body[:60].decode()}…")
print(f"{measured['one_rate']:.0f} cards a second")

# %% [markdown]
# ## One, two, three replicas
#
# **nginx** is the web server of a good part of the Internet, and a load balancer. A file tells it where the
# replicas are. `nginx(ports)` writes that file into a temporary folder, starts nginx on a free port of this
# machine and ends it with the `with`. This is the file:

# %% tags=["station:nginx"]
from fsdl_course.setup.stations import ensure
from fsdl_deploy.scaling.load_balancing import nginx

ensure("nginx")
with nginx(ports) as balancer:
    print(balancer.configuration)

# %% [markdown]
# `upstream` lists the replicas, and `least_conn` says how one is chosen. A replica that has failed once
# (`max_fails`) is left out for two seconds (`fail_timeout`). They stand there a second time as a `backup`,
# for the moment in which all have failed. `proxy_pass` sends a request on; `proxy_next_upstream` says after
# which failures it goes to another replica, `tries` how often.
#
# Now the same load on one, two and three replicas behind it. `p50` is the median time to an answer, and
# within `p99` ninety-nine of a hundred requests had theirs.

# %% tags=["station:nginx"]
from fsdl_course.scaling import balancer_tables

trials = {}
for count in (1, 2, 3):
    with nginx(ports[:count]) as balancer:
        trials[count] = busy(Asking(f"{balancer.url}/read", body), 4 * count, requests * count)
measured["one_rate"], measured["three_rate"] = (trials[count].load.throughput for count in (1, 3))
measured["least_share"] = trials[3].least_share(ports)
balancer_tables.by_count(trials, ports)

# %% [markdown]
# Our load meter is a few threads in this notebook. Teams load a service from outside. **Locust** is a program
# for that; its users are written in Python (`infra/scaling/locust/users.py`), and it ends with a report. The
# same callers, as its users: first its report on three replicas, then one and three beside each other.

# %% tags=["station:nginx", "station:locust"]
from fsdl_deploy.scaling.locust_load import locust

ensure("locust")
reports = {}
for count in (1, 3) if FAST else (1, 2, 3):
    with nginx(ports[:count]) as balancer:
        reports[count] = locust(f"{balancer.url}/read", body, users=4 * count, seconds=2 if FAST else 10)
print(reports[3])
balancer_tables.by_locust(reports)

# %% [markdown]
# Three replicas cannot answer more than three times as much as one. Where a table says so, one of its rows
# was measured too short: compare it with the other table (`FAST` lets Locust measure for two seconds). The
# two may differ somewhat, since our callers share a process with this notebook, and Locust's users have one
# of their own. In both, copies add up, as long as each has its own processor time: they know nothing of each
# other. What they share is what ends the climb, see [When it fails](#When-it-fails).
#
# ## How many replicas?
#
# A service at its best rate is a bad service: then every request waits. How long requests wait for one of
# several servers is an old question. Agner Erlang answered it in 1917, for calls that wait for one of
# several telephone lines: his *formula C* gives the share of calls that find all lines busy. It needs two
# figures: how many requests come a second, and how many one server answers.

# %%
import inspect

from IPython.display import Code

from fsdl_deploy.scaling import queueing

Code(inspect.getsource(queueing.chance_to_wait), language="python")

# %% [markdown]
# What it predicts for one to ten replicas at three loads. The dashed line is a promise: `99 %` of the
# requests wait for a fifth of a second at most before a replica begins with them.

# %%
from fsdl_course.scaling import waits
from fsdl_deploy import figures

figures.use()
waits.by_erlang(measured["one_rate"], loads=(0.9, 1.9, 4.9), promise=0.2)

# %% [markdown]
# With too few replicas the queue grows for ever: there is no point in the figure. With the first that keep up
# waits are still long; one more keeps the promise for each of the three loads. Where a line falls to the
# bottom, `99 %` wait for nobody.
#
# Does this hold for our service? Its requests at `70 %` of what two and three replicas can do, at moments of
# their own choosing (a *Poisson process*), as independent customers come. What we measure is the whole time
# until the answer, so Erlang's wait has the time of reading added to it.

# %% tags=["station:nginx"]
from fsdl_deploy import open_loop

loads = {}
for count in (2, 3):
    rate = 0.7 * count * measured["one_rate"]
    with nginx(ports[:count]) as balancer:
        asking = Asking(f"{balancer.url}/read", body)
        loads[count] = rate, open_loop(asking, rate, 2 if FAST else 30, arrivals="poisson", warmup=2)
waits.beside_erlang(loads, measured["one_rate"])

# %% [markdown]
# Erlang's calls last very differently: one in a hundred takes nearly five times the mean. Our cards all take
# about the same time, which is better; our replicas have a queue each, which is worse. As a first answer to
# "how many?" the formula is good enough, and it needs no load test. Where you measured much more, look for
# what it does not know: those separate queues, the way through the balancer, other programs on this machine.
# (In `FAST` the p99 is the second or third slowest of one or two hundred requests.) Three promises about the
# wait, for the busiest minute of our own month, and for ten times what one replica does.
#
# **Your turn:** Ten replicas would just do that work, without a pause. How many does it take until `99 %`
# wait for less than a twentieth of a second? Write your guess down.

# %%
from fsdl_deploy.scaling import traffic

seconds, best = (5, 0.5, 0.05), measured["one_rate"]
rates = {"our busiest minute": traffic.month(CARDS).max() / 60, "ten replicas' best": 10 * best}
needed = {name: [queueing.replicas_for(rate, best, wait) for wait in seconds] for name, rate in rates.items()}
waits.promises(rates, needed, seconds)

# %% [markdown]
# Ten replicas would be busy all the time, and their queue would grow for ever. The eleventh makes the wait
# short, one more very short: of many replicas, one is nearly always about to be free. Twice as many would be
# paid for nothing. Our own busiest minute needs few: we take more because one may die, and because of a day
# that comes further below.

# %% [markdown]
# ## Who gets the next request?
#
# *Round robin* takes the replicas in turn. *Least connections* takes the one with the fewest requests under
# way. With equal replicas the difference is small. One replica now gets a third of the others' processor
# time, as on an older machine, or beside a noisy neighbour.
#
# **Your turn:** Together the three have two and a third times the processor time of one healthy replica. How
# many times one replica's rate will they give in turn, and how many times by connections? (Its rate is in the
# first row of the first table.)

# %% tags=["station:nginx"]
trials = {}
fleet[0].hold(SHARE / 3)
for choose in ("round robin", "least connections"):
    with nginx(ports, choose=choose) as balancer:
        trials[choose] = busy(Asking(f"{balancer.url}/read", body), 9, 2 * requests)
fleet[0].hold(SHARE)
balancer_tables.by_choice(trials, slow=ports[0])

# %% [markdown]
# In turn, the slow replica gets a third of the requests and collects a queue of them, and every third card
# waits in it. Our callers wait for their answers, so soon all of them stand in that queue: three replicas
# give three times what the *slow* one can, about as much as one healthy replica alone. By connections the
# slow one gets fewer, since it keeps those that it has for longer.
#
# ## A replica dies
#
# More machines fail more often. Customers send cards, and meanwhile one of the replicas is killed
# (`SIGKILL`, as when the kernel runs out of memory) and started again half a second later. nginx can repeat a
# request at the next replica. It can do so for none, for those of which nothing has been *sent* yet, which
# is its default for a POST, or for all: that is the word `non_idempotent` in the file above.

# %% tags=["station:nginx"]
from fsdl_deploy.scaling.failures import kill_one_under_load

rate, crashes = 1.2 * measured["one_rate"], []
for retry in ("none", "all") if FAST else ("none", "unsent", "all") * 10:
    with nginx(ports, retry=retry) as balancer:
        asking = Asking(f"{balancer.url}/read", body)
        crashes.append((retry, kill_one_under_load(asking, fleet, rate, down=0.5)))
balancer_tables.crashes(crashes)

# %% [markdown]
# With "all" nothing is lost. A dead replica refuses at once, so a second try costs too little to be seen in
# the p99, which differs by chance. Without, what is lost depends on the moment: requests that the dead
# replica had taken, and those that came before nginx left it out. `FAST = False` repeats the crash ten times.
# (The load ends when the replica is back, so the numbers of requests differ, too.)
#
# One death no balancer hides: between the head of an answer, which it has passed on, and the body. Our
# service writes both together.
#
# Why does nginx not repeat a POST by itself? Because a POST may *do* something: order, pay, write a line
# into a table. The replica may have done it before it died, and the second replica would do it again. A
# request that can be repeated without harm is called **idempotent**. Reading a picture is: two readings of a
# card are one reading. If the same request also stored the reading, it would need a number by which the
# second is recognised.
#
# ## A replica hangs
#
# A dead replica refuses connections. One that hangs takes them and never answers, which is worse: the
# balancer learns of it by waiting. **Passive** checks learn from real requests. **Active** checks ask each
# replica's `/readyz`, the address at which a service says whether it can answer, by themselves, so that
# customers need not find out. nginx has those in its commercial
# edition only; **Envoy**, the balancer under many Kubernetes networks, has them for all. Here a replica is
# stopped for `1.2 s` (`FAST = False`: for ten). How long may an answer take before the request is
# repeated elsewhere, and does it help to ask `/readyz`?

# %% tags=["station:nginx", "station:envoy"]
from fsdl_deploy.scaling.failures import hang_one_under_load
from fsdl_deploy.scaling.load_balancing import envoy

ensure("envoy")
trials = {}
for health, timeout in [("passive", 1), ("active", 1), ("passive", 0.4)]:
    with envoy(ports, health=health, read_timeout=timeout) as balancer:
        asking = Asking(f"{balancer.url}/read", body)
        trials[health, timeout] = hang_one_under_load(asking, fleet, rate, hung=1.2 if FAST else 10)
balancer_tables.hangs(trials)

# %% [markdown]
# The first requests sent to it wait for the whole time-out, whatever the checks; a shorter one helps them at
# once. In so short a time the checks make little difference. They do when a replica hangs for longer, as with
# `FAST = False`: passive checks let it back in every two seconds, and other customers wait again; active ones
# leave it out until `/readyz` answers. A time-out should be a few times the slowest honest answer: a shorter
# one also repeats requests that a busy replica would have answered.
#
# ## A new version, and no request lost
#
# The most frequent failure is one's own: a new version. In a **rolling update** replicas are replaced one
# after another. First each is just stopped and started, and the balancer has to notice. Then each is
# **drained**: taken out of the balancer's list, which nginx reads again, stopped once it has answered what it
# had, started as the new version, and put back. Nothing is repeated here, so that draining alone has to save
# the requests; and where replicas are drained, nginx does not look for failures either. Clients keep their
# connection for the next request. (`FAST` updates one of the three, from `v2` to `v1` and back;
# `FAST = False` all of them, and also for clients that open a new connection for each request.)

# %% tags=["station:nginx"]
from fsdl_deploy.scaling.failures import update_under_load

trials, some = {}, fleet[: 1 if FAST else 3]
ways = [(False, True, "v1"), (True, True, "v2"), (True, False, "v2")]
for drain, kept, version in ways[: 2 if FAST else 3]:
    change = balancer_tables.to_version(version)
    with nginx(ports, retry="none", health="none" if drain else "passive") as balancer:
        asking = Asking(f"{balancer.url}/read", body, keep_alive=kept)
        trials[drain, kept] = update_under_load(asking, balancer, some, rate, change, drain=drain)
balancer_tables.updates(trials)

# %% [markdown]
# Without draining, a request is lost if it was under way, or came before nginx noticed: some or none, by
# chance. With draining there is no such request. No balancer can prevent what the last column counts. When
# nginx reads its file again, its old worker closes the connections that clients keep. A client that sends
# just then must open another: browsers and most HTTP libraries do, as our callers here. One that does not
# loses that request, and no log on the server's side shows it. Kubernetes, which comes next, does the same to
# clients when it replaces a copy. Recorded there:

# %%
from fsdl_course.scaling import balancer_tables
from fsdl_deploy.scaling import cluster_trial

balancer_tables.recorded_updates(cluster_trial.recorded())

# %% [markdown]
# The same two steps make the service smaller and larger while requests come: a replica is taken from the list
# and stopped once it has answered what it had, and later started and put back. This time nginx repeats
# requests, as we recommend.

# %% tags=["station:nginx"]
from fsdl_deploy.scaling.failures import under_load
from fsdl_deploy.scaling.rounds import Stage

trials = {}
with nginx(ports) as balancer:
    stage = Stage(fleet[:2], fleet[2], balancer)
    for name, event in (("from three to two", stage.scale_down), ("from two to three", stage.scale_up)):
        trials[name] = under_load(Asking(f"{balancer.url}/read", body), rate, event)
balancer_tables.resized(trials, third=ports[2])

# %% [markdown]
# The third answered before it went and after it came back, and nobody noticed.
#
# ## Who does this at three in the morning?
#
# Replicas were started, drained and brought back by hand here, or by a loop of ours. An **orchestrator** gets
# a description of what should run, and keeps it running. **Kubernetes** is the one that everybody means. It
# really runs in its [notebook](tools/kubernetes.ipynb), on a cluster of yours or as a recorded run: a copy
# that is lost, a rolling update, a broken version, its autoscaler. The lecture warns that it is *probably
# overkilled to learn too much about it* if all you want is to deploy. What it takes to learn cannot be
# counted. What one has to write and to run can, as a hint: three copies of our service in four ways.
# **Compose** starts several containers of one machine from a file; **Docker Swarm** keeps them running, on
# several machines. In Kubernetes a *Deployment* says how many copies run, and a *Service* is their common
# address. Counted is what somebody had to write, what runs *beside* the copies and how much memory that takes
# while nobody asks anything. `python infra/scaling/orchestrators/record.py FOLDER` counts; it needs a machine
# of its own, so this is a record. (The first line counts nginx's file; the loop that starts and drains the
# processes is ours, and not counted. The memory of the last three includes Docker's, which stands below the
# table.)

# %%
from fsdl_course.scaling import orchestrator_tables
from fsdl_deploy.measuring import records
from fsdl_deploy.scaling import orchestrators

counted = records.read(orchestrators.RECORD)
orchestrator_tables.beside_the_copies(counted)

# %% [markdown]
# What does one get for it? Each way gets a new version while requests come, and then one that does not start.
# Requests reach the processes through nginx, compose at one of its three ports, Kubernetes at its Service. A
# Swarm's copies are looked up for each new connection, as the Swarm's own names would give them.

# %%
orchestrator_tables.new_and_broken(counted)

# %% [markdown]
# Our loop stops at the first copy that does not start, and one is missing until somebody looks. Compose
# replaces all copies at once, and nobody divides the requests: a broken version leaves none. Docker Swarm,
# which every Docker has in it, replaces one after another and goes *back by itself*. Kubernetes stops and
# keeps the old copies, until somebody says `rollout undo`. What it adds for its price is an autoscaler,
# checks of three kinds, room for many machines and teams, and everything that others have built on top.
#
# Two of these are **KServe**, which began as a part of Kubeflow, a collection of tools for machine learning
# on Kubernetes, and **Seldon**. They make a model *one* resource, out of which a *controller*, a program that
# runs in the cluster, writes the Deployment, the Service and the autoscaler
# ([notebook](tools/kubeflow_seldon.ipynb)). How much shorter is that? (Kubernetes' lines are more than those
# counted above: also of the autoscaler, of limits for memory and processor, and of how many copies
# maintenance may take away at once. Seldon's have none of these, KServe's have limits and a scaler.)

# %%
from fsdl_deploy.scaling import manifests

resources = manifests.FOLDER.parent / "kubeflow_seldon" / "resources"
measured["kubernetes_lines"] = sum(map(manifests.lines, manifests.sources("laptop").values()))
measured["kserve_lines"] = manifests.lines((resources / "inference-service.yaml").read_text(encoding="utf-8"))
measured["seldon_lines"] = manifests.lines((resources / "seldon-binary.yaml").read_text(encoding="utf-8"))
for name in ("kubernetes", "kserve", "seldon"):
    print(f"{name}: {measured[name + '_lines']} lines")

# %% [markdown]
# ## The autoscaler's rule
#
# Nobody wants to watch the load at month end. Kubernetes' **horizontal autoscaler** looks every fifteen
# seconds at how busy the replicas were, on average of the last thirty. So the first look after a jump sees
# little of it. Its rule fits on a few lines:

# %%
from fsdl_deploy.scaling import autoscaling
from fsdl_deploy.scaling.autoscaling import Autoscaler, simulate

Code(inspect.getsource(autoscaling.desired), language="python")

# %% [markdown]
# The *tolerance* keeps it from changing its mind at every breath. On the way down it also waits: it goes only
# as far as all recommendations of the last five minutes agree. Our month is an assumption: `60 %` of the
# cards come in the last two days, most at four in the afternoon. Here are four hours of the last day. At noon
# a reminder goes out to all who have not sent a card yet, and for twenty minutes three times as many come;
# where your replicas are quick, even more come, so that two and a half replicas have work.

# %%
from fsdl_course.scaling import reminder
from fsdl_deploy.scaling import scaling_figures

rates = reminder.cards_a_second(CARDS, times=3, least=2.5 * measured["one_rate"])
moments = simulate(rates, measured["one_rate"], Autoscaler(0.6, most=30), start=max(1, start_up))
scaling_figures.autoscaled(moments, measured["one_rate"], reminder.BEGIN, close_up=(11.98, 12.08))

# %% [markdown]
# A target of `60 %` leaves room for the day's slow rise. For the reminder the rule comes late: it waits for a
# look that sees the jump, and then for the start of the replicas. And it overshoots: while the queue is
# worked off every replica is busy to `100 %`, whatever their number, and the average still shows that when
# the queue is gone. (Kubernetes also has a limit, which we leave out: in fifteen seconds it adds at most as
# many replicas as there are, or four if that is more. At a target of `60 %` the rule never asks for that
# many. At `30 %`, below, it may, and Kubernetes would overshoot less.) How late, and what helps:

# %%
settings = {
    "as above": (0.6, 1, start_up),
    "a replica takes a minute to start": (0.6, 1, 60),
    "30 % busy instead of 60 %": (0.3, 1, start_up),
    "never fewer than four": (0.6, 4, start_up),
}
runs = {
    name: simulate(rates, measured["one_rate"], Autoscaler(target, least, most=60), start=max(1, start))
    for name, (target, least, start) in settings.items()
}
reminder.table(runs, measured["one_rate"])

# %% [markdown]
# Everything that shortens the wait is paid for, except a quick start: one more reason for a small model and
# ONNX instead of torch. At `30 %` there may be more replicas before noon, and whether they are enough is
# luck: the rule looks no earlier. If you know when the reminder goes out, a timetable starts the replicas
# before: the sure way, not simulated here. Ray Serve's autoscaler is a real one to try, in its
# [notebook](tools/ray_serve.ipynb).
#
# ## Serverless: a function, and nobody's machine
#
# All of the above is work: replicas, checks, updates, an autoscaler, a balancer. **Serverless** leaves it to
# the cloud. We hand over a *function* and its package; the cloud starts **instances** of it when requests
# come, and ends them when none come. Amazon's is called **AWS Lambda**; what a caller sends arrives there as
# an **event**, a dictionary. These are the main parts of our function. `respond` knows no cloud; `handler` is
# what AWS calls:

# %%
from fsdl_deploy.scaling import cold_start, package_size, serverless

parts = (serverless.reader, serverless.respond, serverless.handler)
Code("\n\n".join(inspect.getsource(part) for part in parts), language="python")

# %% [markdown]
# What it imports travels with it, in a *package*. Does it read a card with nothing but its package? And is
# the package small enough: AWS takes `250 MB` unpacked, so what about torch?

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

card = next(cards(1, "typical", seed=7))
event, folder = serverless.event(encode(card.image)), running.enter_context(TemporaryDirectory())
package = package_size.build(Path(folder))
response = package_size.read_by(package, event, compiling=True)
print(response["statusCode"], response["body"])

# %% [markdown]
# It does. How large is it, and how large would it be with torch?

# %%
import json

from fsdl_course.scaling import functions
from fsdl_deploy.managed import costs

measured["package_reads"] = json.loads(response["body"]).get("digits") == card.truth
with_torch = package_size.unpacked_bytes([*package_size.NEEDS, "torch"])
measured["megabytes"] = {"ONNX Runtime": package_size.unpacked(package) / 2**20, "torch": with_torch / 2**20}
measured["unpacked_limit"] = costs.prices()["function_package_unpacked"].value
measured["image_limit"] = costs.prices()["function_image"].value
functions.packages(measured["megabytes"], measured["unpacked_limit"], measured["image_limit"])

# %% [markdown]
# With ONNX Runtime the reader fits a zip, with torch it does not. Both fit the other kind of package, an
# image of a container, so only models far larger than ours are shut out.
#
# The first call of an instance is a **cold start**. Where does its time go?

# %%
starts = {"ONNX Runtime": cold_start.take_apart("onnx"), "torch": cold_start.take_apart("torch")}
measured["cold_seconds"] = {name: start.total for name, start in starts.items()}
functions.cold_starts(starts)

# %% [markdown]
# Most of it goes to imports: what you import is what your customers wait for. The second reading takes
# milliseconds.
# (The machine's file cache is warm here; an instance on a new machine fetches the package first.)
#
# Now a small cloud on this machine: instances are processes, each with AWS's own **Runtime Interface
# Emulator** in it, which hands events to the handler as in Lambda. It is a program for Linux; on Windows and
# macOS this part is skipped, and it says so. One caller, ten at once, then a quiet second, after which this
# cloud ends its instances.

# %% tags=["station:aws_lambda"]
from fsdl_course.setup.stations import ensure
from fsdl_deploy.scaling import function_bursts
from fsdl_deploy.scaling.serverless_platform import Function

ensure("aws_lambda")
steps = [("one caller", 10, 1), ("ten at once", 10, 10), ("ten again", 10 if FAST else 1000, 10)]
with Function(package, package_size.HANDLER, most=10, idle=1, timeout=60) as function:
    calls, phases = functions.played(function, event, steps)
    function.wait_for_none()
function_bursts.table(phases)

# %% [markdown]
# Nobody said how many instances to start. (A first call may be quicker than the cold start above: that was in
# the course's own environment, this is a small package in the file cache. Those that start at once share the
# cores of one machine; in a cloud each has its own. Fifty at once are recorded in the [notebook on AWS
# Lambda](tools/aws_lambda.ipynb).) And the bill? It counts seconds of calls, cold starts included, times the
# memory that was *configured*: `1769 MB`, with which one whole core comes.

# %% tags=["station:aws_lambda"]
measured |= functions.results(function, calls)
lived, billed = function_bursts.lived(function.history), function.metrics.seconds
print(f"instances lived for {lived:.1f} s in all; billed {billed:.1f} s, {function.cost:.7f} USD")
print(f"memory used: {measured['memory_used']:.0%} of what is paid; instances left: {measured['left']}")

# %% [markdown]
# The time in which instances only waited is not billed. Memory is, as it was configured, and most of it was
# not used.

# %% [markdown]
# The lecture lists drawbacks of such functions. Two were above: the size of the package, and the cold start.
# The [notebook on AWS Lambda](tools/aws_lambda.ipynb) goes on with the others: the package shrinks until its
# zip fits a direct upload, memory is weighed against speed and price, a pipeline is three functions instead
# of one, a cache dies with its instance, a long night meets the time limit, a new version gets a tenth of the
# calls. The same handler runs in [Google's](tools/cloud_functions.ipynb) and
# [Microsoft's](tools/azure_functions.ipynb) functions.
#
# None of these has a GPU. The lecture named two *new offerings like Banana and Pipeline* that rent GPUs by
# the call. Which of these offers still release a client? (A list of the package index, in
# `infra/managed/serverless_gpus.toml`. No client works without an account, so none was tried here.)

# %%
from fsdl_deploy.managed import serverless_gpus

measured["gpus"] = serverless_gpus.counts()
serverless_gpus.table()

# %% [markdown]
# A client without new releases is a sign that an offer has ended, not a proof. What protects you is a reader
# that knows no provider: the handler above could move.
#
# ## What it costs
#
# The lecture advises to *start with serverless*: paid by the time that a function computes, not by the hour.
# Prices change, so each stands in a file with its date and source.

# %%
costs.table()

# %% [markdown]
# Our month at these prices, with the time that a replica takes for a card, and with what a warm call of one
# caller was billed where that was measured above: its way through the platform takes time, too. (Ten at once
# shared the cores of this machine, which in a cloud they do not.) Left out: the calls and the
# computing that an account has for nothing each month, and a gateway before the function, which is priced by
# the request (a function's own URL is not). The *quiet* month is that of our first utility, with a hundredth
# of the cards.

# %%
core_seconds = (SHARE if fleet[0].held_by else 1) / measured["one_rate"]
work = costs.Work(core_seconds, billed=measured.get("billed"))
print(f"a card takes {1000 * core_seconds:.1f} ms of a core; a call is billed {1000 * work.call:.0f} ms")

# %% [markdown]
# So the month costs:

# %%
measured["function_cost"] = costs.function_month(CARDS, work)
measured["quiet_function_cost"] = costs.function_month(CARDS / 100, work)
measured["one_server_cost"] = costs.servers_month(1, CARDS)
fees = CARDS / 1e6 * costs.prices()["function_million_requests"].value
print(f"function {measured['function_cost']:.2f} USD a month, of which {fees:.2f} for the requests as such")
print(f"one server {measured['one_server_cost']:.2f} USD")
print(f"two behind a balancer {costs.servers_month(2, CARDS):.2f} USD")

# %% [markdown]
# How busy would one server be, and is it enough for the busiest minute?

# %%
cores = costs.prices()["server_cores"].value
measured["busy_share"] = CARDS * core_seconds / (costs.HOURS * 3600 * cores)
print(f"one server would be busy for {measured['busy_share']:.2%} of the month")

# %% [markdown]
# That is the mean. The busiest minute has several times as many cards:

# %%
burst = traffic.burstiness(traffic.month(CARDS))
measured["cards"] = CARDS
measured["servers_needed"] = costs.servers_for(CARDS / (costs.HOURS * 3600) * burst, work)
measured["enough_for"] = work.room * cores * costs.HOURS * 3600 / (core_seconds * burst)
print(f"the busiest minute has {burst:.0f} times the mean: it needs {measured['servers_needed']} server(s)")

# %% [markdown]
# By the rate alone one server of this kind is enough for our month. The second is for the day on which the
# first one dies; a function needs no such reserve.
#
# The lecture says that *model services tend to run discretely and not continuously*. In which share of all
# spans of five minutes does no card come at all? (Our months are assumed, see above; independent customers
# leave a span empty with the probability `exp(-cards)`.)

# %%
import numpy as np

measured["empty"] = {}
for name, cards_of_month in (("ours", CARDS), ("first", CARDS / 100)):
    measured["empty"][name] = float(np.mean(np.exp(-5 * traffic.month(cards_of_month))))
    print(f"{name}: {measured['empty'][name]:.1%}")

# %% [markdown]
# *Start with serverless!*, says the lecture. From which traffic on is a server cheaper?

# %%
read_on = [costs.prices()[name].date for name in costs.used()]
border = costs.servers_month(1, 0) / costs.function_month(1, work) * 24 / costs.HOURS
print(f"prices read from {min(read_on)} to {max(read_on)}")
print(f"a server is cheaper from {border / 1e6:.1f} million requests a day on, if they come evenly")

# %% [markdown]
# The slide says that serverless makes sense *if traffic is spiky or low-volume*. So three months: a hundredth
# of ours, ours, and fifty times as many cards that come evenly.

# %%
a_day = CARDS / (costs.HOURS / 24)
traffics = {"low": (a_day / 100, burst), "spiky": (a_day, burst), "steady": (50 * a_day, 1)}
measured["places"] = {name: costs.cheapest(*kind, work).place for name, kind in traffics.items()}
print(measured["places"])

# %% [markdown]
# They are the stars in the figure. To the right, more requests; upwards, more of them at once. The axis above
# is the **duty cycle**: for which share of its time one server would have work; above `100 %` it takes more
# than one. Servers are counted for the busiest minute, all month: an autoscaler would need fewer on most
# days.

# %%
from fsdl_deploy.managed import cost_figures

cost_figures.cheapest_places(work, traffics)

# %% [markdown]
# The function wins wherever there is little to do, and wherever it comes at once: a server is paid for the
# night, too. With much and steady traffic the servers win. Where a second server is needed, the function is
# cheaper once more for a while: two come with a balancer. (The smallest server whose price we have a source
# for is this one, with Arm cores where the function has x86 ones; a smaller one moves the border to the
# left.) The bill is not everything. A function saves the work of everything above it: replicas, checks,
# updates, autoscaling. What it asks for in return is a small package, a quick start, and no memory between
# requests.

# %% [markdown]
# ## The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured on your machine
# or from a record or a list that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("07", measured)

# %% [markdown]
# ## When it fails
#
# *Copies that share something.* The replicas above had a fifth of a core each, and there were cores enough.
# Now three share what one had, as on a machine that is full:

# %% tags=["station:nginx"]
for replica in fleet:
    replica.hold(SHARE / 3)
with nginx(ports) as balancer:
    trial = busy(Asking(f"{balancer.url}/read", body), 12, requests)
print(f"three with a machine each: {measured['three_rate'] / measured['one_rate']:.1f} times one replica")
print(f"three that share one: {trial.load.throughput / measured['one_rate']:.1f} times")

# %% [markdown]
# Copies scale what is copied. Here the cores are shared; elsewhere it is the database behind all replicas,
# the network, or the balancer itself.
#
# - **A request that kills** its replica, by a bug, is repeated at the next one and kills that, too. `tries`
#   bounds the harm, and a request that failed everywhere must be refused.
# - **Retries multiply load.** When all replicas are too busy, three tries each make it three times as much.
#   Our service says 429 when its queue is full, and the balancer does not repeat that; it says 503 to those
#   that waited too long, and these are repeated.
# - **The balancer is one machine again.** If it dies, all replicas are out of reach: there are two of them,
#   or it is the cloud's.
#
# The replicas end here.

# %%
running.close()
print([replica.running for replica in fleet])

# %% [markdown]
# ## Questions
#
# **Question:** A colleague turns on retries for all requests, and next month some customers pay twice. What
# happened, and what would you change?
#
# <details><summary>Answer</summary>
# A replica took the payment and died before it answered; the balancer sent the request to another one.
# Either payments are not repeated, or each carries a number of its own by which the second is recognised as
# the same.
# </details>
#
# **Question:** Your service needs `20 s` to load its model. Which setting of the autoscaler do you
# change first?
#
# <details><summary>Answer</summary>
# None: first shorten the <code>20 s</code> (a smaller file, another runtime, an image that is there already).
# What is left is bought with room: a lower target, or a higher least number of replicas before a known peak.
# </details>
#
# **Question:** Eight million requests come a day, evenly. Function or server? And if half of them come within
# one hour?
#
# <details><summary>Answer</summary>
# A server: evenly, that is beyond the border that the lesson computed. Half of them in one hour make the
# busiest minute twelve times the mean. Look the two up in the figure: there the function wins, since servers
# must be enough for that minute.
# </details>
#
# ## Take-aways
#
# - Copies of a service that shares nothing add up; look for what is shared.
# - Requests that may be repeated make crashes invisible. Say for each route whether it may.
# - Drain before you stop, and let the new replica be ready before customers come.
# - A service needs room: near its best rate the waits grow without bound.
# - An autoscaler is late by what it averages and by what a start takes; known peaks belong in a timetable.
# - A function is the cheapest where there is little to do or all at once, a server where there is steady
#   work.
#
# **Cheat sheet.** nginx: `upstream` lists the replicas, `least_conn` chooses the one with the fewest
# requests, `proxy_next_upstream error timeout http_503` says what is repeated, `non_idempotent` repeats a
# POST too. Repeat only what may happen twice. An update: take it from the list, let it finish, stop it, start
# the new one, wait for `/readyz`, put it back. `queueing.replicas_for(rate, per_replica, wait)` says how many
# replicas a promise takes; `open_loop(call, rate, seconds, arrivals="poisson")` tries it, and Locust does so
# from outside. The autoscaler's rule: replicas × (how busy they are / how busy they should be), rounded up.
# It is late by its average and by a start. In a function, import little: imports are most of a cold start.
# `fsdl-deploy scaling rounds` kills, drains and updates under load, and counts what is lost.
#
# **Sources.** nginx's [upstream](https://nginx.org/en/docs/http/ngx_http_upstream_module.html) and
# [proxy](https://nginx.org/en/docs/http/ngx_http_proxy_module.html) modules, Envoy's [health
# checks](https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/health_checking), which
# methods are [idempotent](https://www.rfc-editor.org/rfc/rfc9110#name-idempotent-methods), Kubernetes'
# [autoscaler](https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/), AWS
# Lambda's [environments](https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html),
# [Locust](https://docs.locust.io/).
#
# ## Where to go next
#
# - [AWS Lambda](tools/aws_lambda.ipynb): the function, with all that is difficult about functions.
# - [Google Cloud functions](tools/cloud_functions.ipynb) and [Azure functions](tools/azure_functions.ipynb):
#   the same handler in two other clouds.
# - [Load balancers](tools/load_balancers.ipynb): nginx, Envoy and HAProxy in the same crash.
# - [Lab 06](../labs/lab06/lab06.ipynb): a balancer's choice, an autoscaler, the smallest package.
# - [Kubernetes](tools/kubernetes.ipynb): copies that are looked after, on a real cluster.
# - [Ray Serve](tools/ray_serve.ipynb): replicas that come and go with the load.
# - [KServe](tools/kserve.ipynb) and [MLServer](tools/mlserver.ipynb): servers that Kubernetes' frameworks
#   start.
