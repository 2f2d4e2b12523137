# %% [markdown]
# # Rollouts in serving libraries: what each takes care of
#
# **Minutes:** 10 · **Prerequisites:** [Rollouts](../08_rollouts.ipynb) · **Truth:** runs
#
# ## The need
#
# The lesson has written a rollout by hand: a balancer, a controller, guardrails. *Your library may take care
# of some of this*, says the lecture. Which one takes care of what? The platform team has six of them on its
# list, and each of their pages says "canary" somewhere.
#
# ## You will learn
#
# - what Triton, TorchServe and Ray Serve do with two versions of a model
# - what the resources of KServe, Seldon and Argo Rollouts can say
# - to try what a page promises: also that a library has *no* word for something
# - what is left to you, whichever you choose

# %% [markdown]
# ## Where the model sits
#
# Twice in the server, in each of them. Five things may stand before it.
#
# ```mermaid
# flowchart LR
#     customer["Customer"] --> who{"a share?<br/>by customer?"}
#     who --> stable(["v2"])
#     who --> candidate(["v3"])
#     who -. "shadow" .-> candidate
#     guard["guardrails"] -. "back by itself,<br/>in how many seconds?" .-> who
#     style stable fill:#d55e00,color:#fff
#     style candidate fill:#d55e00,color:#fff
# ```
#
# Three of the six run here, on Linux; on macOS and Windows those whose station cannot be built there are
# skipped, with a sentence. Of the other three there are resources for a cluster, checked on all systems.
# `FAST = False` also starts Ray, and measures Triton's switch three times.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# Each library is tried by a function of `fsdl_course/serving/canaries.py`, and what came out is kept here:

# %%
import inspect

from IPython.display import Code

from fsdl_course.serving import canaries, libraries
from fsdl_course.setup.stations import ensure
from fsdl_deploy.measuring import records
from fsdl_deploy.running import stations

tried = {}

# %% [markdown]
# ## Triton: a version is a number
#
# Both versions are loaded when the policy says so, and the caller names one in the path. Whoever names none
# gets the latest that is loaded, so a switch is another policy. Then the words that a rollout would need are
# put into the policy. Triton checks its configuration and refuses what it does not know.

# %% tags=["station:triton"]
ensure("triton")
tried["Triton"] = canaries.triton()
source = inspect.getsource(canaries.triton)
Code(source[source.index("        both =") : source.index("    return row")], language="python")

# %% [markdown]
# The switch was measured from the order until the default answered as the other version. Here it loads that
# version's process anew.

# %% tags=["station:triton"]
switches = [tried["Triton"]["switch s"]]
for _ in range(0 if FAST else 2):
    switches.append(canaries.triton()["switch s"])
print("switched after", ", ".join(f"{seconds:.2f} s" for seconds in switches))

# %% [markdown]
# ## TorchServe: a version is a default
#
# Both versions have workers. A request to the management address makes one of them the default: nothing is
# loaded, so it is quick. Its interface describes itself; the description has no word for a share, for a
# customer, for a shadow.

# %% tags=["station:torchserve"]
ensure("torchserve")
if libraries.libraries()["torchserve"].possible():  # it needs Java
    tried["TorchServe"] = canaries.torchserve()
print(tried.get("TorchServe"))

# %% [markdown]
# ## Ray Serve: write the router yourself
#
# Ray has no word for a canary, either. But deployments call each other, and their settings change while they
# run. So the router is a class of ours, and Ray keeps it alive.

# %% tags=["station:rayserve"]
ensure("rayserve")
program = (stations.station("rayserve").folder / "canary_app.py").read_text()
Code(program[program.index("class Router") : program.index("app = ")], language="python")

# %% [markdown]
# Twenty customers ask twice. Each must get the same version both times, and both versions must occur. Ray
# takes half a minute to start, so with `FAST` its row is the recorded one.

# %% tags=["station:rayserve"]
if not FAST:
    tried["Ray Serve"] = canaries.ray_serve()
print(tried.get("Ray Serve") or records.read(canaries.FILE)["Ray Serve"])

# %% [markdown]
# ## KServe, Seldon and Argo Rollouts: a field in a resource
#
# These work in a cluster, as controllers, and none is packaged. What they can be told stands in the
# definitions of their resources. KServe divides calls between the newest revision and the one before:

# %%
resources = canaries.RESOURCES
Code((resources / "kserve.yaml").read_text(), language="yaml")

# %% [markdown]
# **Argo Rollouts** replaces the Deployment of *any* service, and it is the only one of the six that has the
# steps, and an analysis between them that takes the version back:

# %%
text = (resources / "argo-rollout.yaml").read_text()
Code(text[text.index("  strategy:") :], language="yaml")

# %% [markdown]
# The three resources must be accepted by their own classes or schemas. Then nonsense is written into one
# field after the other: a field that exists refuses it for its type; one that does not exist is unknown. (The
# schemas of Argo let unknown fields pass, so a misspelt step would, too. Seldon has no client: there it is
# our own list of its fields.)

# %% tags=["station:kubeflow_seldon", "station:node"]
ensure("kubeflow_seldon")
ensure("node")
tried |= {name: canaries.of_kubernetes(name) for name in canaries.CHECKED}
canaries.table({name: tried[name] for name in canaries.CHECKED})

# %% [markdown]
# ## All of them
#
# The table as it was recorded by `fsdl-course bench canaries --json infra/rollouts/libraries.json`.

# %%
record = records.read(canaries.FILE)
print("recorded from", min(part["date"] for part in record.values()))
canaries.table(record)

# %% [markdown]
# What was tried just now must say the same, the seconds aside.

# %%
for name, row in tried.items():
    for column, cell in row.items():
        assert column == "switch s" or record[name][column] == cell, (name, column, cell)
print("the same:", ", ".join(tried))

# %% [markdown]
# ## When it fails
#
# - **"Canary" is a word.** In the record one library of six goes back by itself, and that one has to be given
#   a question for Prometheus: nobody but you can say what harms your customers.
# - **By request is not by customer.** Where a share is divided by request, a customer who sends two cards may
#   meet two versions. Argo can send by a header; somebody has to set it.
# - **Two versions take two memories**, for as long as both are loaded. That is the price of a switch in
#   milliseconds.
# - **A resource that passes its check may do nothing.** Argo's weights need a router that it knows. Without
#   one it can only count pods: `5 %` of four pods is one pod.

# %% [markdown]
# ## Questions
#
# **Question:** Your contract says that a customer gets the same version for a whole month. The platform team
# offers KServe. Is that enough?
#
# <details><summary>Answer</summary>
# No. KServe divides calls by share, and its row says "no" under <em>by customer</em>. So something before it
# must choose by customer: a balancer, or a router of yours as in the section on Ray Serve.
# </details>
#
# **Question:** In the table TorchServe switches faster than Triton. You want a bad version gone as soon as
# possible. Does that decide?
#
# <details><summary>Answer</summary>
# Not alone. TorchServe moved a default between two versions that were both loaded; Triton loaded a process
# anew. And both say "no" under <em>rolls back by itself</em>, so first somebody has to notice the harm.
# Guardrails of your own, as in the lesson, may save more time than the switch.
# </details>
#
# **Question:** The schemas accept your resource for Argo Rollouts. What may still go wrong on the day, and
# how do you find out before?
#
# <details><summary>Answer</summary>
# A misspelt step passes, because these schemas allow unknown fields. The weights need a router that Argo
# knows. And the analysis needs a question that your Prometheus can answer. So rehearse: roll out a version
# that is bad on purpose, and see whether it comes back.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Model servers keep versions; who gets which is the caller's business, or that of a balancer before them.
# - Cluster frameworks divide traffic. Steps and analysis are in Argo Rollouts.
# - Try a promise before you plan with it, and try what the page does not say, too.
#
# ## Where to go next
#
# - [Triton](triton.ipynb), [TorchServe](torchserve.ipynb), [Ray Serve](ray_serve.ipynb): all that they do
#   besides.
# - [Kubeflow and Seldon](kubeflow_seldon.ipynb): resources that are checked without a cluster.
