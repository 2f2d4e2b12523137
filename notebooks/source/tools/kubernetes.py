# %% [markdown]
# # Kubernetes: copies that are looked after
#
# **Minutes:** 15 · **Prerequisites:** [Scaling](../07_scaling.ipynb) · **Truth:** runs
#
# ## The need
#
# Lesson 07 started three replicas by hand, drained them by hand, and brought a dead one back by hand. At
# three in the morning nobody is there. The utility wants to write down *what should run*, and leave it to a
# program to keep that running, on whichever machine has room.
#
# ## You will learn
#
# - to describe the reader's copies, their address, their scaling and their protection in four resources
# - to check these against Kubernetes' own schemas before any cluster sees them
# - what Kubernetes does by itself when a copy is lost, a version is new, and a version is broken
# - how its autoscaler follows real load

# %% [markdown]
# ## Where the model sits
#
# In a container, in a **pod**: the smallest thing that Kubernetes starts. A **Deployment** keeps as many
# pods as it was told. A **Service** is one address for those that are ready. Every part writes what it knows
# and wants to the **API server**, and all others watch it there.
#
# ```mermaid
# flowchart LR
#     kubectl["kubectl"] -- "manifests" --> api[("API server")]
#     api <--> controllers["controllers:<br/>how many pods?"]
#     api <--> scheduler["scheduler:<br/>on which machine?"]
#     subgraph node ["each machine"]
#         kubelet["kubelet:<br/>starts and asks them"] --> one & two
#         proxy["kube-proxy:<br/>the Service's address"] --> one & two
#         one["pod"] --- model(["the Reader"])
#         two["pod"]
#     end
#     api <--> kubelet
#     customer["requests"] --> proxy
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means the autoscaler is tried on your cluster, too, which takes three minutes. `CONTEXT`
# names a cluster that this notebook would not deploy to by itself. `OVERLAY = "cloud"` is for one that takes
# its images from a registry: write its name into `infra/scaling/kubernetes/overlays/cloud`.

# %% tags=["parameters"]
FAST = True
CONTEXT = ""
OVERLAY = ""

# %% [markdown]
# ## Is there a cluster?
#
# On Windows and macOS, Docker Desktop has one in its settings; on all three systems `kind create cluster`,
# `minikube start` and `k3d cluster create` make one. These are taken by themselves. Any other that kubectl
# is set to may be your company's, and is not asked for anything unless `CONTEXT` names it. Where there is
# none, this notebook shows the recorded run of another machine.

# %%
from fsdl_course.setup import images
from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.scaling import cluster_trial
from fsdl_deploy.scaling.kubernetes import find_cluster

station_python = ensure("kubernetes")
figures.use()
recorded = cluster_trial.recorded()
cluster = find_cluster(CONTEXT)
if cluster is None:
    print(f"Recorded on {recorded['date']} with Kubernetes {recorded['kubernetes']}: {recorded['machine']}")

# %% [markdown]
# ## What should run
#
# The **Deployment** describes a copy and says how many there are. Three questions are asked of each copy, at
# the paths that our service has had since lesson 03: has it started, may it be sent requests (`readiness`),
# should it be ended and started again (`liveness`)?

# %%
from IPython.display import Code

from fsdl_deploy.scaling import manifests

files = manifests.sources("laptop")
Code(files["base/deployment.yaml"], language="yaml")

# %% [markdown]
# One line is easy to miss. When a pod is to end, two things start *at the same time*: the pod gets its
# signal, and its address is taken out of everybody's lists. For a moment it is still sent requests.
# `preStop` lets it go on until the lists are up to date.
#
# The other three: the address, the scaling, and how many copies must stay when somebody empties a machine.

# %%
Code(
    "\n".join(files[f"base/{name}.yaml"] for name in ("service", "autoscaler", "disruption")), language="yaml"
)

# %% [markdown]
# A laptop and a cloud differ in a few places only. **Kustomize**, which is inside kubectl, keeps one base
# and lays an **overlay** on it for each. This one is the cloud's.

# %%
Code((manifests.overlay_folder("cloud") / "kustomization.yaml").read_text(), language="yaml")

# %% [markdown]
# ## Checked without a cluster
#
# Kubernetes publishes the schema of each of its resources. `kubernetes-validate` carries them for all
# versions since `1.25`. The overlay `old` is for clusters from before 2022, which called two resources by
# other names: today's schema does not know them, and that must be seen.

# %% tags=["nbval-check-output"]
rows = []
for overlay, version in (("laptop", "1.37"), ("cloud", "1.37"), ("old", "1.37")):
    text = manifests.render(overlay)
    (faults,) = manifests.problems([text], version)
    rows.append([overlay, version, manifests.lines(text), "; ".join(faults) or "nothing"])
Table(["overlay", "Kubernetes", "lines", "what is wrong"], *rows)

# %% [markdown]
# Is the check worth anything? Twelve broken copies, each with a slip that somebody has made before. All must
# be refused.

# %% tags=["nbval-check-output"]
broken = manifests.mutants()
faults = manifests.problems(mutant.text for mutant in broken)
print(sum(map(bool, faults)), "of", len(broken), "are refused")
Table(["slip", "what is wrong"], *([mutant.slip, each[0][:88]] for mutant, each in zip(broken, faults)))

# %% [markdown]
# A schema knows names and types, of each resource alone. A negative number, a misspelt `Utilization`, a limit
# below what is asked for: this only a cluster can say (`kubectl apply --dry-run=server`). A Service whose
# label no pod has is right for both of them; it has no endpoints.
#
# ## Run it
#
# The images are built here and brought to the cluster. Everything goes into a **namespace** of its own, a
# part of the cluster with a name, which is removed at the end with all that is in it.

# %%
from dataclasses import asdict

from fsdl_deploy.scaling.cluster_images import GOOD, OTHER, bring_images
from fsdl_deploy.scaling.deployment import Deployment

reader, run = None, dict(recorded)
if cluster and (engine := images.prepare()):
    if OVERLAY != "cloud":
        bring_images(engine, cluster.context)
    reader = Deployment(cluster, OVERLAY).start()
    run |= {"start_seconds": reader.start_seconds, "pods": [asdict(pod) for pod in reader.pods()]}
print(f"three copies were ready after {run['start_seconds']:.0f} s")
Table(["pod", "image", "state", "restarts"], *(pod.values() for pod in run["pods"]))

# %% [markdown]
# ## A copy is lost
#
# Six requests a second come. One pod is removed at once, as if its machine had burned down. Nobody does
# anything.

# %%
if reader:
    run["lost"] = cluster_trial.lose_one(reader)
lost = run["lost"]
print(f"three copies again after {lost['seconds']:.0f} s")
print(f"{lost['lost']} of {lost['requests']} requests were lost, p99 {lost['p99_ms']:.0f} ms")
print(*lost["problems"], sep="\n")

# %% [markdown]
# Three copies should run and two did: a controller needs to know no more. If requests were lost with the pod,
# the lines above say how many and how. A proxy in front, as in lesson 07, would repeat them.
#
# ## A new version
#
# `kubectl set image` changes one word of what should run. Kubernetes starts a pod of the new version, waits
# until it is ready, ends an old one, and so on. Callers of two kinds ask meanwhile: those that keep their
# connection for the next request, and those that open one for each.

# %%
if reader:
    run["kept"] = cluster_trial.update(reader, OTHER, keep_alive=True)
    run["new"] = cluster_trial.update(reader, GOOD, keep_alive=False)
rows = []
for name, callers in (("kept", "keep their connection"), ("new", "open one for each request")):
    each = run[name]
    rows.append([callers, *(each[key] for key in ("seconds", "requests", "lost", "reopened", "p99_ms"))])
header = ["callers", "seconds", "requests", "lost", "connected again", "p99 ms"]
Table(header, *rows, formats=["", ".0f", "", "", "", ".0f"])

# %% [markdown]
# *Connected again* is the price of kept connections: kube-proxy divides *connections*, and one that is open
# stays with its pod until that ends. A caller that does not send such a request again loses it.
#
# ## A broken version
#
# This image ends as soon as it starts. Kubernetes waits for it to get ready, and waits. After a quarter of a
# minute somebody looks, and undoes it.

# %%
if reader:
    run["broken"] = cluster_trial.break_and_undo(reader)
step = run["broken"]
print(f"kubectl: {step['message']}")
print(f"{step['lost']} of {step['requests']} requests were lost, p99 {step['p99_ms']:.0f} ms")
print(f"undone in {step['undo']['seconds']:.0f} s")
Table(["pod", "image", "state", "restarts"], *(pod.values() for pod in step["pods"]))

# %% [markdown]
# (More than three by now? New copies are busy while they start, so the autoscaler has added some. An update
# of more copies takes longer.) One pod was tried, and no old one was touched, because `maxUnavailable` is
# `0`. But nothing went back by itself: Kubernetes reports a failed update and leaves it at that. Docker Swarm
# does go back, as the table in lesson 07 shows. On Kubernetes a tool on top of it decides, or whoever reads
# the message.
#
# ## More requests than three copies can read
#
# The autoscaler gets the pods' processor time from a metrics server (`minikube addons enable
# metrics-server`; kind and Docker Desktop need its manifest applied). Its rule is the one of lesson 07.

# %%
import matplotlib.pyplot as plt

if reader and not FAST and cluster.measures():
    run["autoscaler"] = cluster_trial.autoscale(reader)
scaled = run["autoscaler"]
seconds, busy, copies = zip(*scaled["moments"])
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2))
left.plot(seconds, [share if share is not None else float("nan") for share in busy])
left.axhline(60, linestyle="--", color="black")
left.set(xlabel="seconds", ylabel="processor time, % of what is asked for", ylim=(0, None))
right.step(seconds, copies, where="post", color=figures.PALETTE[1])
right.axvline(scaled["load_until"], linestyle=":", color="black")
right.set(xlabel="seconds", ylabel="copies", ylim=(0, None))
figures.show(
    figure, alt="Processor time of the copies, and their number, against time under load and after it"
)

# %% [markdown]
# Left, what it sees: the dashed line is its goal. Right, what it does: the load ends at the dotted line, and
# copies that it has added go after a while.

# %%
busiest = max(share for share in busy if share is not None)
print(f"{scaled['rate']} requests a second: {scaled['lost']} of {scaled['requests']} were lost,")
print(f"p99 {scaled['p99_ms']:.0f} ms; copies were busy to {busiest} % at most, the goal is 60 %")
print(f"{copies[0]} copies at first, {max(copies)} at most, {copies[-1]} at the end")
if max(copies) == copies[0]:
    print("It has not scaled: within its tolerance of a tenth, the load was not too much for these copies.")

# %% [markdown]
# The recorded run had a quick autoscaler (a look every `5 s`, half a minute before it scales down); a cluster
# of your own has Kubernetes' defaults of `15 s` and five minutes.
#
# ## From a program
#
# kubectl is one client of the API. Programs have others; this is Python's.

# %%
Code(filename=manifests.FOLDER / "pods.py")

# %% [markdown]
# Then all of it is removed, with the namespace.

# %%
import subprocess

if reader:
    words = [station_python, manifests.FOLDER / "pods.py", cluster.context, reader.namespace]
    print(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    reader.stop()
    left = reader.namespace in cluster.run("get", "namespaces")
    print("the namespace", reader.namespace, "is still there" if left else "is gone")

# %% [markdown]
# ## When it fails
#
# - **A probe that lies.** `readiness` that answers before the model is loaded sends customers to a pod that
#   cannot read. `liveness` that waits for a busy model restarts pods that only work hard, and makes it
#   worse.
# - **A tag that moves.** `image: meter-reader:v2` is whatever has that name on the machine. Two machines may
#   run two models under it. Name the digest, as in [Docker](docker.ipynb).
# - **An update that stops half way** runs two versions at once, for as long as nobody looks. Watch the
#   Deployment, not the command's exit status.
# - **Memory is a wall, processor time is not.** Above its limit of memory a pod is killed; above its share
#   of the processor it is only slow, and its probes time out.
# - **What is recorded here** ran on one machine with Kubernetes of 2021, which Debian has the source of
#   (`infra/scaling/kubernetes/cluster.sh`). The words are the same today but for two `apiVersion`s; several
#   machines, and what happens when one of them dies, it cannot show.

# %% [markdown]
# ## Questions
#
# **Question:** Your machines have no room for a fourth copy, so somebody sets `maxUnavailable: 1` and
# `maxSurge: 0`. What would the image of *A broken version* do now?
#
# <details><summary>Answer</summary>
# Kubernetes would end an old copy first, to make room. The broken one never gets ready, so the update stops
# with two copies, and nothing goes back by itself. Those two carry all requests until somebody undoes the
# update.
# </details>
#
# **Question:** All files pass the check of schemas, all pods are ready, and the Service's address answers
# nobody. What do you suspect first, and why did the check pass?
#
# <details><summary>Answer</summary>
# The Service's selector: perhaps no pod has its label. A schema knows one resource at a time, and each of
# them is right by itself. Ask the cluster: <code>kubectl get endpointslices</code> lists the pods that the
# Service has found.
# </details>
#
# **Question:** Your callers keep their connections open for hours. Under load the autoscaler adds two
# copies. Why may slow answers stay slow?
#
# <details><summary>Answer</summary>
# kube-proxy divides connections, and an open one stays with its pod. The new copies get only the connections
# that are opened from now on. Let callers connect again from time to time, or put a proxy in front that
# divides requests.
# </details>

# %% [markdown]
# ## Take-aways
#
# - You write down what should be; controllers compare it with what is, for ever.
# - Readiness, `preStop` and `maxUnavailable: 0` together make an update that no new connection notices.
# - Schemas find slips in a second; only a cluster finds that two resources do not fit.
# - A broken version stops and does not go back by itself: that takes something on top.
#
# ## Where to go next
#
# - [Kubeflow and Seldon](kubeflow_seldon.ipynb): resources on top of these, for models.
# - [KServe](kserve.ipynb): a model as one resource.
# - [Scaling](../07_scaling.ipynb): what this costs beside plain processes, counted.
