# %% [markdown]
# # Load balancers: nginx, Envoy and HAProxy meet the same crash
#
# **Minutes:** 15 · **Prerequisites:** [Scaling](../07_scaling.ipynb) · **Truth:** runs
#
# ## The need
#
# The lesson put nginx in front of the replicas. Your company has Envoy already, another team swears by
# HAProxy, and each comes with defaults of its own. Which of them loses a customer's card when a replica dies,
# and what must be written into its file so that it does not?
#
# ## You will learn
#
# - to write the same policy in the words of three balancers
# - what each loses as it is installed when a replica is killed, and what with retries
# - what a balancer says when no replica is left, and when its file is wrong
# - which to choose for what

# %% [markdown]
# ## Where the model sits
#
# In each of three replicas of the course's service, held to a tenth of a core. The balancer in front of them
# is exchanged; the load and the crash stay the same.
#
# ```mermaid
# flowchart LR
#     load["cards, at random moments"] --> balancer{"nginx, Envoy<br/>or HAProxy"}
#     balancer --> one(["replica, killed"])
#     balancer --> two(["replica"])
#     balancer --> three(["replica"])
#     style one fill:#d55e00,color:#fff
#     style two fill:#d55e00,color:#fff
#     style three fill:#d55e00,color:#fff
# ```
#
# Where a balancer cannot be had, its cells say so in a sentence and are skipped: there are programs of nginx
# for all our systems, of Envoy for Linux and Windows, of HAProxy for Linux only. On Windows the replicas are
# not held to their share of a core. `FAST = False` repeats each crash five times.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The crash
#
# Three replicas, and the request that all callers send. How many a second? Somewhat more than one replica can
# read, so that two must be at work while the third is dead. As in the lesson, that is measured.

# %%
import json
from contextlib import ExitStack

from fsdl_course.setup.stations import ensure
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.failures import busy, card_body, kill_one_under_load
from fsdl_deploy.scaling.replicas import replicas

running = ExitStack()  # the last cell ends what it holds
fleet = running.enter_context(replicas(3, 0.1))
ports, body, rows = [replica.port for replica in fleet], card_body(), []
rate = 1.2 * busy(Asking(f"{fleet[0].url}/read", body), 4, 40).load.throughput
print(f"{rate:.0f} cards a second")

# %% [markdown]
# The same for each balancer: callers come at this rate, at random moments. One replica gets `SIGKILL` and is
# started again half a second later. First with the program as it is installed, told nothing but where the
# replicas are; then with our file, which repeats no request, those of which nothing was sent, or all.


# %%
def crash(balance):
    """Kill a replica behind this balancer: as installed, and with each way to repeat requests."""
    before = len(rows)
    for repeats in ("as installed", "none", "unsent", "all"):
        policy = {"defaults": True} if repeats == "as installed" else {"retry": repeats}
        for _ in range(1 if FAST else 5):
            with balance(ports, **policy) as balancer:
                trial = kill_one_under_load(Asking(f"{balancer.url}/read", body), fleet, rate, down=0.5)
                memory, load = balancer.mebibytes(), trial.load
            rows.append(
                [balancer.title, repeats, load.requests, trial.lost, trial.repeated, load.p99, memory]
            )
    return Table(HEADER, *rows[before:], formats=[*[""] * 5, ".0f", ".0f"])


HEADER = ["", "repeats", "requests", "lost", "answered at a later try", "p99 ms", "MiB of memory"]

# %% [markdown]
# ## nginx
#
# One line decides: `proxy_next_upstream`. Without it nginx repeats what was not sent yet; a POST that was
# sent is only repeated with `non_idempotent`. `max_fails` and `fail_timeout` leave a replica out after a
# failure. Our file, with which all are repeated:

# %% tags=["station:nginx"]
from fsdl_deploy.scaling.load_balancing import nginx

ensure("nginx")
with nginx(ports) as balancer:
    print(balancer.configuration)

# %% [markdown]
# The crash. The p99 is that of callers on a machine that also runs the replicas and starts one of them: read
# it as "how long did somebody wait for the second try", not as the speed of the balancer.

# %% tags=["station:nginx"]
crash(nginx)

# %% [markdown]
# ## Envoy
#
# Envoy was made for machines that write its file, so it is long. Two parts of it matter here: what the route
# repeats, and how the cluster finds out who is down. `retry_on` has `reset` for connections that break while
# the answer is awaited. The limit in `circuit_breakers` is ours: by default three requests at a time may be
# repeated, and a crash under load is exactly when more are.

# %% tags=["station:envoy"]
from IPython.display import Code

from fsdl_deploy.scaling.load_balancing import envoy

ensure("envoy")
with envoy(ports) as balancer:
    document = json.loads(balancer.configuration)["static_resources"]
manager = document["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
route = manager["route_config"]["virtual_hosts"][0]["routes"][1]["route"]
kept = ("lb_policy", "connect_timeout", "circuit_breakers", "outlier_detection")
shown_parts = {"route": route, "cluster": {name: document["clusters"][0].get(name) for name in kept}}
Code(json.dumps(shown_parts, indent=1), language="json")

# %% [markdown]
# The same crash.

# %% tags=["station:envoy"]
crash(envoy)

# %% [markdown]
# ## HAProxy
#
# HAProxy balances load and does little else. `retry-on` names what is repeated. Unlike nginx it does not ask
# whether a request is a POST: with the words below it would repeat payments, too. It can repeat what fits
# into its buffer, so that is large here. `observe layer7` takes a replica out after one failure of a real
# request; it comes back when `/readyz` says that it is ready.

# %% tags=["station:haproxy"]
from fsdl_deploy.scaling.load_balancing import haproxy

ensure("haproxy")
with haproxy(ports) as balancer:
    print(balancer.configuration)

# %% [markdown]
# The same crash once more.

# %% tags=["station:haproxy"]
crash(haproxy)

# %% [markdown]
# ## Beside each other
#
# All that ran, the lost requests of the same way added up.

# %%
lost = {}
for name, retry, requests, gone, *_ in rows:
    before = lost.setdefault((name, retry), [0, 0])
    lost[name, retry] = [before[0] + gone, before[1] + requests]
Table(
    ["", "repeats", "lost", "of"],
    *([name, retry, *counts] for (name, retry), counts in lost.items()),
)

# %% [markdown]
# Where all requests are repeated, no card is lost, whichever balancer it is. Repeating what was
# not sent saves those that meet a closed port; the rest is luck, and how soon each leaves the dead replica
# out. As installed, nginx repeats what was not sent and
# spares a replica that failed for ten seconds, HAProxy tries the same replica again, and Envoy does nothing
# of the kind.
#
# ## When it fails
#
# **No replica is left.** They do not all say so with the same status. A client that asks again after one of
# them only must know which balancer stands before it.

# %%
import urllib.error
import urllib.request

from fsdl_deploy.running.ports import free_port


def alone(balance, **policy):
    """What a balancer says whose only replica is not there."""
    with balance([free_port()], **policy) as balancer:
        request = urllib.request.Request(f"{balancer.url}/read", data=body)
        try:
            urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as error:
            return f"{balancer.title}: {error.code} {error.read(60).decode(errors='replace').strip()[:60]!r}"


# %% [markdown]
# nginx:

# %% tags=["station:nginx"]
print(alone(nginx))

# %% [markdown]
# Envoy:

# %% tags=["station:envoy"]
print(alone(envoy))

# %% [markdown]
# HAProxy:

# %% tags=["station:haproxy"]
print(alone(haproxy))

# %% [markdown]
# **The file is wrong.** A negative time-out, such as a template writes that lacks a value. Each program has
# its own words for it; the course shows the line that matters.

# %%
from fsdl_deploy.scaling.policy import BalancerError


def broken(balance):
    """Why it does not start with a time-out below zero."""
    try:
        with balance(ports, connect_timeout=-1):
            return "it runs"
    except BalancerError as error:
        return str(error)


# %% [markdown]
# nginx:

# %% tags=["station:nginx"]
print(broken(nginx))

# %% [markdown]
# Envoy:

# %% tags=["station:envoy"]
print(broken(envoy))

# %% [markdown]
# HAProxy:

# %% tags=["station:haproxy"]
print(broken(haproxy))

# %% [markdown]
# **Overload looks like a crash.** A machine that is too busy takes connections late, so a balancer that
# leaves a replica out after one failure may leave out all of them at once. Plain nginx then refuses
# everything for `fail_timeout` (its log says "no live upstreams"), so the course's file lists the replicas
# again as backups; Envoy by default asks replicas all the same when too many seem to be down.
#
# **A request is too large to be kept.** To send it again the balancer must have all of it. nginx writes large
# bodies to a file, Envoy and HAProxy keep them in memory up to a limit, and beyond it a request is sent once.
#
# The replicas end here.

# %%
running.close()
print([replica.running for replica in fleet])

# %% [markdown]
# ## Questions
#
# **Question:** Behind your balancer is a service that books payments. Do you let it repeat no request, those
# of which nothing was sent, or all?
#
# <details><summary>Answer</summary>
# Those of which nothing was sent: no replica has seen them, so repeating is harmless. A request that was
# under way when its replica died gets an error, and the client must find out whether it was booked. Repeat
# all only if the service recognises a payment that comes twice.
# </details>
#
# **Question:** No replica is dead, but each is twice as slow as usual. Why can a short time-out with repeats
# make that worse?
#
# <details><summary>Answer</summary>
# A request that runs out of time is sent to a second replica while the first may still work on it: more work
# for replicas that are full. The slow ones are also left out, and the rest get their share. Make the time-out
# longer than the service itself lets a request wait, so that a busy replica can refuse by itself.
# </details>
#
# **Question:** With the course's cards nothing was lost where all requests are repeated. Your customers send
# scans of several megabytes. What do you test again, and why?
#
# <details><summary>Answer</summary>
# The same crash with your largest scan. A balancer can only repeat what it has kept. Envoy and HAProxy keep a
# body up to a limit; beyond it a request is sent once, whatever the file says about repeats.
# </details>

# %% [markdown]
# ## Take-aways
#
# - All three lose nothing in a crash if they may repeat, and all three must be told to: as installed, none
#   sends a POST again that a replica had.
# - nginx guards a POST until you name the danger (`non_idempotent`). HAProxy and Envoy do what they are told.
# - Take nginx where it is there already, or where the file is to be read by people.
# - Take Envoy where programs change the replicas, or where weights, mirrors and statistics are needed:
#   service meshes and many Kubernetes networks are built on it.
# - Take HAProxy for load balancing alone, with active checks in the free edition and a page of figures.
#
# ## Where to go next
#
# - [Scaling](../07_scaling.ipynb): how many replicas, and when.
# - [Ray Serve](ray_serve.ipynb): a balancer and an autoscaler in one.
