# %% [markdown]
# # Kubeflow and Seldon: Kubernetes for models
#
# **Minutes:** 15 · **Prerequisites:** [Kubernetes](kubernetes.ipynb) · **Truth:** checked
#
# ## The need
#
# The platform team has written a Deployment, a Service and an autoscaler for the meter reader. Now there are
# eleven models, and each has its own copy of the same lines. The lecture names the way out: frameworks on top
# of Kubernetes, in which a model is *one* resource.
#
# ## You will learn
#
# - how a model binary, or a class of ours, becomes a service with KServe and with Seldon
# - what Kubeflow adds: pipelines and trainings as resources
# - to check such resources without a cluster, and where that check has no client to lean on
# - to run a Kubeflow pipeline on a laptop

# %% [markdown]
# ## Where the model sits
#
# In a server's process, in a pod, as before. New is who writes the Deployment: a **controller**, out of one
# resource.
#
# ```mermaid
# flowchart LR
#     you["you"] -- "one resource" --> api[("API server")]
#     api --> kserve["controller:<br/>KServe, Seldon, Kubeflow"]
#     kserve -- "Deployment, Service,<br/>autoscaler, route" --> api
#     api --> pod
#     subgraph pod ["pod"]
#         server["MLServer, Triton,<br/>KServe's server"] --> model(["the Reader"])
#     end
#     style model fill:#d55e00,color:#fff
# ```
#
# None of the controllers is here, and none is packaged: they are images on a hub. What runs here is what
# they leave to you: the resources, checked; a pipeline, compiled and run step by step; and the server that
# Seldon puts around a class. All of it runs on Linux and macOS; on Windows the pipeline is compiled and
# checked, and run only where there is a `sh`, in which its steps start. `FAST = False` means more cards.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## From a model binary to a service
#
# The lecture says of Seldon that it converts *model binaries or language wrappers* into microservices. First
# the binary: an ONNX file, somewhere in the cloud's storage. The platform has a server that reads such files.
# First KServe's resource, then Seldon's.

# %%
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from IPython.display import Code

from fsdl_course.setup.stations import ensure
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.running import stations

station_python = ensure("kubeflow_seldon")
folder = stations.station("kubeflow_seldon").folder
texts = {file.stem: file.read_text(encoding="utf-8") for file in sorted((folder / "resources").iterdir())}
Code(texts["inference-service"] + "\n" + texts["seldon-binary"], language="yaml")

# %% [markdown]
# How much is that beside what Kubernetes alone wants? Lines that say something, without comments:

# %% tags=["nbval-check-output"]
from fsdl_deploy.scaling import manifests

own = sum(map(manifests.lines, manifests.sources("laptop").values()))
measured = {}  # what the claim at the end is judged by
measured["kubernetes_alone"] = own
measured["binary_lines"] = manifests.lines(texts["seldon-binary"])
rows = [["Kubernetes: four resources and Kustomize", own]]
rows += [[f"{name}.yaml", manifests.lines(texts[name])] for name in ("inference-service", "seldon-binary")]
Table(["", "lines"], *rows)

# %% [markdown]
# The price: the reader's preprocessing has to be inside the binary, since no code of ours runs beside it.
# Ours is ([Packaging](../04_packaging.ipynb) exported it so). A model whose decoding is Python cannot go
# this way.
#
# ## From a language wrapper to a service
#
# Then the class. Seldon's first wrapper was the package `seldon-core`; its last version asks for packages of
# 2022 (`jaeger-client`, which has no wheel, and `numpy` before 2) under a licence that is no longer free,
# and it is not used here. **MLServer** is what Seldon starts today for protocol `v2`, and has a
# [notebook](mlserver.ipynb) of its own. The wrapper is a class with `load` and `predict`:

# %%
Code(filename=stations.station("mlserver").folder / "models" / "reader.py")

# %% [markdown]
# Started as Seldon would start it in the pod, asked once, and ended.

# %% tags=["station:mlserver"]
import httpx2

from fsdl_course.serving import libraries
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

ensure("mlserver")
card, library = next(iter(cards(1, "typical", seed=11))), libraries.libraries()["mlserver"]
with library.server() as server:
    content, headers = library.request(encode(card.image))
    answer = httpx2.post(server.url + library.path, content=content, headers=headers, timeout=30)
print("MLServer reads", library.digits(answer.content), "and the truth is", card.truth)
measured["wrapper_reads"] = library.digits(answer.content) == card.truth

# %% [markdown]
# As a resource: the image with that class, twice, and the traffic divided between today's model and
# tomorrow's.

# %%
measured["wrapper_lines"] = manifests.lines(texts["seldon-wrapper"])
Code(texts["seldon-wrapper"], language="yaml")

# %% [markdown]
# ## A training, too
#
# Kubeflow began with trainings. `numNodes` is all that tells this one to use two machines.

# %%
Code(texts["train-job"], language="yaml")

# %% [markdown]
# ## Checked without a cluster
#
# A cluster would check each resource against its definition. Clients for Python carry classes that were made
# from these definitions: `kserve`, `kubernetes`, and Kubeflow's for trainings. `check.py` compares with
# them, field by field. For **Seldon's resource there is no such client**. What it is compared with is a list
# of fields that we wrote from Seldon's source (`seldon.toml`): it finds a slip, and it may be out of date.

# %% tags=["nbval-check-output"]


def check(*yamls):
    result = subprocess.run(
        [station_python, folder / "check.py"], input=json.dumps(yamls), capture_output=True, text=True
    )
    return json.loads(result.stdout) if result.returncode == 0 else result.stderr[-2000:]


answers = zip(texts, check(*texts.values()), strict=True)
Table(["resource", "what is wrong"], *([name, "; ".join(wrong) or "nothing"] for name, wrong in answers))

# %% [markdown]
# Broken copies, two of each. Every one must be refused.

# %% tags=["nbval-check-output"]
slips = [
    ("inference-service", "minReplicas: 3", "minReplicas: three"),
    ("inference-service", "storageUri:", "storageUrl:"),
    ("seldon-binary", "implementation:", "implementaton:"),
    ("seldon-binary", "      graph:", "      graf:"),
    ("seldon-wrapper", "traffic: 90", 'traffic: "90"'),
    ("seldon-wrapper", "image: registry", "picture: registry"),
    ("train-job", "numNodes: 2", "numNodes: many"),
    ("train-job", "runtimeRef:", "runtime:"),
]
copies = [texts[name].replace(before, after, 1) for name, before, after in slips]
faults = check(*copies)
print(sum(map(bool, faults)), "of", len(slips), "are refused")
rows = [[name, after, wrong[0][:72]] for (name, _, after), wrong in zip(slips, faults, strict=True)]
Table(["resource", "slip", "what is wrong"], *rows)

# %% [markdown]
# ## A pipeline
#
# Is this version good enough to be released? Three steps: unpack the cards, read them, decide. How many of a
# few cards are right is partly luck, so the rule allows for it: the *lower end* of the `95 %` interval must
# reach `85 %`. It knows that cards share handwritten digits, of which a hard one spoils several. For
# **Kubeflow Pipelines** each step is a function that imports what it needs, because in a cluster each is
# alone in a container.

# %%
source = (folder / "pipeline.py").read_text(encoding="utf-8")
Code(source[source.index("@step\ndef read") : source.index("def run")], language="python")

# %% [markdown]
# `kfp` compiles this into what a cluster gets: which step needs whose output, which image, which limits.

# %% tags=["nbval-check-output"]
import yaml

workplace = tempfile.TemporaryDirectory()
compiled = Path(workplace.name) / "pipeline.yaml"
subprocess.run([station_python, folder / "pipeline.py", "compile", compiled], check=True)
specification = yaml.safe_load(compiled.read_text(encoding="utf-8"))
tasks = specification["root"]["dag"]["tasks"]
print(
    f"{manifests.lines(compiled.read_text(encoding='utf-8'))} lines, schema {specification['schemaVersion']}"
)
Table(["step", "after"], *([name, ", ".join(task.get("dependentTasks", []))] for name, task in tasks.items()))

# %% [markdown]
# And it runs here, each step a process of its own, on cards that this notebook draws: once for v2, once for
# v1.

# %%
import base64

from fsdl_deploy.cards import cards_and_digits
from fsdl_deploy.picture import encode

rows = [
    {"truth": card.truth, "digits": places, "picture": base64.b64encode(encode(card.image)).decode()}
    for card, places in cards_and_digits(200 if FAST else 2000, "typical", seed=11)
]
drawn, answer = Path(workplace.name) / "cards.json", Path(workplace.name) / "answer.json"
drawn.write_text(json.dumps(rows), encoding="utf-8")
words, verdicts = [station_python, folder / "pipeline.py", "run", drawn, answer], {}
if shutil.which("sh"):
    subprocess.run(words, check=True, capture_output=True, text=True)
    verdicts = json.loads(answer.read_text(encoding="utf-8"))
Table(["version", "the pipeline says"], *verdicts.items())

# %% [markdown]
# The compiler knows the types of what goes from step to step. Here `decide` is given the text `least` where
# a number belongs, and a step is asked for an output that it does not have.

# %% tags=["nbval-check-output"]
rows = []
for before, after in (
    ("least: float = 0.85", "least: str = 'most'"),
    ('("pixels", "truth")', '("pixels", "truths")'),
):
    wrong = Path(workplace.name) / "wrong.py"
    wrong.write_text(source.replace(before, after), encoding="utf-8")
    result = subprocess.run([station_python, wrong, "compile", compiled], capture_output=True, text=True)
    rows.append([after, result.returncode, result.stderr.strip().splitlines()[-1][:96]])
workplace.cleanup()
Table(["slip", "exit status", "what kfp says"], *rows)

# %% [markdown]
# ## The lecture's claim beside ours
#
# Of the slide's three lines on Seldon: what a binary and a class took, and whether the class answered.

# %%
from fsdl_course.claims import claims

claims("07", measured, notebook="tools/kubeflow_seldon")

# %% [markdown]
# ## When it fails
#
# - **A parameter becomes a word of a command line.** The pictures of many cards as a parameter are refused:
#   *argument list too long*. What is large is an artifact, a file that the platform carries.
# - **A gate on few cards opens and closes by luck.** With twenty cards, one card more or less is five per
#   cent: look at the interval before you set the limit.
# - **The check knows fields, not meaning.** A `storageUri` where nothing lies, traffic that adds up to
#   ninety, an image that nobody pushed: all of that passes here, and fails in the cluster.
# - **One more layer breaks, too.** When a pod does not start, the reason is now two controllers away from
#   what you wrote.
# - **A framework moves.** Seldon has changed its licence, its wrapper and its resource (`SeldonDeployment`
#   has become `Model`, `Server` and `Pipeline` in its second edition); Kubeflow's trainings have had three
#   resources in five years.

# %% [markdown]
# ## Questions
#
# **Question:** A new version reads `45 of 50` cards correctly, which is `90 %`. The gate asks for `85 %` and
# holds it back. Is the gate broken, and what do you do?
#
# <details><summary>Answer</summary>
# It is not. It looks at the lower end of the interval, and with fifty cards that end lies below the limit,
# although the share is above it. Draw more cards: the interval gets narrower, and then the same share may
# pass. A lower limit would let worse versions through as well.
# </details>
#
# **Question:** Your model cleans its pictures with a Python library before the network sees them. Which of
# the two ways to a service is open to you, and what does it cost?
#
# <details><summary>Answer</summary>
# The language wrapper, because beside a binary no code of yours runs. You pay with an image that you build,
# keep and update. To go the other way, the cleaning must first become a part of the exported graph.
# </details>
#
# **Question:** The platform team upgrades Seldon. The check still finds nothing wrong with your two resources
# for it. What is that worth?
#
# <details><summary>Answer</summary>
# Little, until somebody compares the list of fields with the new version. It was written by hand, so it still
# describes the old one: a removed field passes, a new one is refused. For KServe you would install the client
# of the new version, which brings its classes along.
# </details>

# %% [markdown]
# ## Take-aways
#
# - With such a framework a model is one resource; the rest is written by a controller.
# - A binary needs no image, if all of the model is in it.
# - Clients' classes check resources without a cluster; where there is none, say what you compared with.
# - Choose one where Kubernetes is there and models are many. For one model the framework is more than the
#   model.
#
# ## Where to go next
#
# - [KServe](kserve.ipynb) and [MLServer](mlserver.ipynb): the servers inside.
# - [Metaflow](metaflow.ipynb) and [Airflow](airflow.ipynb): pipelines without Kubernetes.
