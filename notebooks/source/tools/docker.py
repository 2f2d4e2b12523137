# %% [markdown]
# # Docker: code, weights and dependencies in one image
#
# **Minutes:** 30 · **Prerequisites:** [Packaging](../04_packaging.ipynb) · **Truth:** runs
#
# ## The need
#
# The reader answers on this laptop. The utility's servers have another Python, another onnxruntime, and an
# administrator who installs no packages: he runs containers.
#
# ## You will learn
#
# - the three components: client, host, registry
# - what a Dockerfile becomes: layers, and why their order decides how long you wait
# - how a container is started so that it can do no harm, and how its image travels
# - the four containers of a web application: web server, database, job queue, worker
# - what a container shares with the machine, and what a virtual machine does not

# %% [markdown]
# ## Where the model sits
#
# In an image, with everything it depends on. The **client** sends orders, the **host** builds images and runs
# containers, the **registry** keeps images for other hosts.
#
# ```mermaid
# flowchart LR
#     subgraph laptop ["Client"]
#         notebook["this notebook<br/>(docker SDK)"]
#         cli["docker build, run, push"]
#     end
#     subgraph host ["Docker host"]
#         engine["engine"] --> images[("images")]
#         images --> container["container"]
#         container --- model(["the Reader"])
#     end
#     registry[("Registry")]
#     notebook & cli --> engine
#     engine <-- "push, pull" --> registry
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## Is there an engine?
#
# A container needs a Linux kernel: on Linux the engine uses this machine's own, on Windows and macOS Docker
# Desktop brings a small virtual machine with one. Where no engine answers, this notebook shows what was
# recorded on another machine, and the cells that need one are skipped.

# %%
from fsdl_course.setup import images
from fsdl_deploy import figures
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.packaging import base_images
from fsdl_deploy.packaging.build_context import DOCKER, docker_context

figures.use()
recorded = records.read(DOCKER / "recorded.json")
engine = images.prepare()
if engine:
    host = engine.info()
    print(f"engine {host['ServerVersion']}, {host['OSType']} {host['Architecture']}, {host['NCPU']} cores")
    print("images are built on", base_images.usable(engine, "base"))
else:
    print(f"Recorded on {recorded['date']}: {recorded['machine']}")

# %% [markdown]
# ## The Dockerfile
#
# A sequence of steps; each leaves a **layer**, the files that it changed. Two stages: the first installs, the
# second takes only the result. Read the order of the second: weights change rarely, code changes daily. The
# long number behind `@` says exactly which base is meant; why the name alone cannot, comes with the registry.

# %%
from IPython.display import Code

Code((DOCKER / "Dockerfile").read_text(), language="docker")

# %% [markdown]
# The build gets a *context*: the files that it may copy. `rebuilds` makes a build, then three more: with
# nothing changed, with one more line in our code, and with one more comment in the requirements.

# %%
import tempfile
from pathlib import Path

from fsdl_deploy.packaging import layers

workplace = tempfile.TemporaryDirectory()  # removed when the kernel ends
context = docker_context(Path(workplace.name) / "context")
if engine:
    builds = layers.rebuilds(engine, context)
    tag = "meter-reader:after-requirements"
else:
    builds = {name: [layers.Step(*step) for step in steps] for name, steps in recorded["builds"].items()}
rows = []
for name, steps in builds.items():
    rows.append([name, sum(step.seconds for step in steps), sum(step.cached for step in steps), len(steps)])
measured = {"build_seconds": {name: seconds for name, seconds, *_ in rows}}  # for the end
Table(["what changed", "time (s)", "steps kept", "of"], *rows, formats=["", ".1f"])

# %% [markdown]
# The three as a picture: one bar a build, one piece a step; green ones were kept, orange ones made. A step is
# made again if it, or one before it in its stage, has changed; so what changes often stands last. A comment
# in the requirements costs a whole installation, because the engine compares files, not meanings. But the
# second stage copies the result, finds the same files as before, and keeps its layers.

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(8, 2.6))
longest = max(sum(step.seconds for step in steps) for steps in builds.values())
for row, steps in enumerate(builds.values()):
    start = 0.0
    for step in steps:
        color = figures.PALETTE[2] if step.cached else figures.PALETTE[1]
        axes.barh(row, step.seconds, left=start, color=color, edgecolor="white", linewidth=0.5)
        if step.seconds > longest / 8:
            axes.text(start + step.seconds / 2, row, step.instruction.split()[0], ha="center", va="center")
        start += step.seconds
axes.set(xlabel="seconds", ylabel="changed", xlim=(0, None))
axes.set_yticks(range(len(builds)), list(builds))
axes.invert_yaxis()
figures.show(figure, alt="Time of three builds by step: long only when the requirements changed")

# %% [markdown]
# What the image weighs, layer by layer. The reader's code and weights are the smallest part of it.

# %%
sizes = layers.layer_sizes(engine, tag) if engine else recorded["layers"]
rows = [
    [size, instruction.replace("/bin/sh -c #(nop) ", "")[:88] or "the base image"]
    for size, instruction in sizes
    if size > 0.1
]
Table(["MB", "layer"], *rows, formats=[".1f"], notes=[f"{sum(size for size, _ in sizes):.1f} MB in all"])

# %% [markdown]
# ## The Dockerfile on the slide
#
# The lecture shows one, too: `FROM python:2.7-slim`, then `ADD . /app`, then `pip install`, with the option
# `--trusted-host`, and `CMD ["python", "app.py"]`. It comes from Docker's first tutorial, and many still look
# like it. Here its lines stand on our base, because that Python has had
# [no update since 2020](https://www.python.org/doc/sunset-python-2/). The option, which switches off the
# check of the certificate, is left out.

# %%
print((DOCKER / "slide" / "Dockerfile").read_text())

# %% [markdown]
# It works. What is wrong with it shows later: when a line of code changes, when somebody looks into the
# image, when it must stop.

# %%
from fsdl_deploy.packaging import slide_image

slide = slide_image.tried(engine, Path(workplace.name)) if engine else recorded["slide"]
print(f"it answers {slide['answer']!r}")
slide_image.table(slide)

# %% [markdown]
# ## Run it, so that it can do no harm
#
# No root in the container: the Dockerfile's `USER` sees to that. The rest are options of the start: a file
# system that cannot be written but for scratch space, no rights of the kernel and no way to new ones, a limit
# of memory and of processes. The port is a free one of this machine, and listens on this machine only.

# %%
from fsdl_deploy.packaging.containers import SAFELY, Container

if engine:
    service = Container(engine, tag, **SAFELY).start()
    print(f"ready at {service.url} after {service.start_seconds:.1f} s")
Table(["option", "value"], *([option, str(value)] for option, value in SAFELY.items()))

# %% [markdown]
# Is it the same reader? The notebook's own in this process, and the one in the container, over the same
# cards.

# %%
from fsdl_deploy import OnnxReader, RemoteReader
from fsdl_deploy.cards import cards

deck = [card.image for card in cards(100 if FAST else 1000, seed=9)]
if engine:
    local, remote = OnnxReader().read(deck), RemoteReader(service.url).read(deck)
    digits = sum(a.digits == b.digits for a, b in zip(local, remote, strict=True))
    off = max(abs(a.confidence - b.confidence) for a, b in zip(local, remote, strict=True))
    print(f"{digits} of {len(deck)} readings have equal digits; confidences differ by at most {off:.1g}")
    measured["same_in_container"], measured["cards"] = digits, len(deck)

# %% [markdown]
# And what a burglar could do in it.

# %%
(scratch,) = SAFELY["tmpfs"]
tries = ["id -un", "touch evil", "apt-get update", f"touch {scratch}/notes && df {scratch} | tail -1"]
rows = []
if engine:
    for words in tries:
        result = service.container.exec_run(["sh", "-c", words])
        rows.append([words, result.exit_code, result.output.decode().strip()])
    used = service.container.stats(stream=False)["memory_stats"]["usage"] / 2**20
    print(f"memory in use: {used:.0f} MiB")
Table(["command", "exit status", "output"], *rows) if rows else None

# %% [markdown]
# `docker stop` sends SIGTERM to the service itself, because the Dockerfile starts it without a shell between.
# It finishes what it has begun and ends.

# %%
import time

if engine:
    began = time.monotonic()
    service.container.stop(timeout=30)
    service.container.reload()
    print(f"exit code {service.container.attrs['State']['ExitCode']} after {time.monotonic() - began:.1f} s")
    service.stop()

# %% [markdown]
# ## The registry
#
# A registry of our own, on this machine: it is a container too. The image goes there under its **tag**, and
# comes back with its **digest**, the hash of its content.

# %%
if engine:
    distribution = base_images.usable(engine, "registry")
    registry = Container(engine, distribution, ready="/v2/").start()
    place = registry.url.removeprefix("http://") + "/meter-reader"
    engine.images.get(tag).tag(place, "v2")
    answers = [line for line in engine.images.push(place, "v2", stream=True, decode=True) if "aux" in line]
    digest = answers[0]["aux"]["Digest"]
    print(f"{place}:v2 is {digest[:19]}…")

# %% [markdown]
# A tag is a label that anyone may stick elsewhere; a digest cannot lie. Somebody pushes another image under
# the same tag, with the best intentions.

# %%
if engine:
    other = engine.containers.create(tag, entrypoint=["true"])
    other.commit(place, "v2", changes="ENV GREETING=hello")
    other.remove()
    answers = [line for line in engine.images.push(place, "v2", stream=True, decode=True) if "aux" in line]
    print("the tag now means", answers[0]["aux"]["Digest"][:19] + "…")
    pulled = engine.images.pull(f"{place}@{digest}")
    measured["digest_is_ours"] = pulled.id == engine.images.get(tag).id
    print("the digest still means ours:", measured["digest_is_ours"])

# %% [markdown]
# So a server is told the digest, and our Dockerfile builds on one. Another host would pull the layers that it
# lacks; here, the host forgets the image and gets it back from the registry.

# %%
if engine:
    for name in (f"{place}:v2", f"{place}@{digest}"):
        engine.images.remove(name, force=True)
    engine.images.pull(f"{place}@{digest}")
    with Container(engine, f"{place}@{digest}", **SAFELY) as elsewhere:
        again = RemoteReader(elsewhere.url).read(deck[:20])
    measured["same_after_pull"] = [r.digits for r in again] == [r.digits for r in local[:20]]
    print("equal digits:", measured["same_after_pull"])
    engine.images.remove(f"{place}@{digest}", force=True)
    registry.stop()

# %% [markdown]
# The lecture's registry is **Docker Hub**. Python's image, PostgreSQL's and Redis's come from there, and
# anybody may put a changed one back: `docker login`, `docker tag meter-reader NAME/meter-reader:v2`,
# `docker push`. That needs an account, so it is not done here; the commands are the same as above, with
# another name before the slash. A private repository there, or in a cloud's registry, asks for a password
# when somebody pulls.
#
# ## A host that is not this machine
#
# The laptop need not build, and need not have room for images: the host may be a server.
# `docker context create server --docker host=ssh://me@server`, then `docker context use server`, and every
# command goes there. Here the host stays where it is, but the client reaches it through a wire that counts
# the bytes, as `ssh` would carry them. The client has our context built over there.

# %%
from fsdl_deploy.packaging import remote_host

if engine and remote_host.possible():
    remote = remote_host.built_from_afar(docker_context(Path(workplace.name) / "far"))
else:
    remote = recorded["remote"]
print(f"{remote['sent']:.1f} MB went there, {remote['received']:.3f} MB came back,", end=" ")
print(f"and an image of {remote['image']:.0f} MB lies there")

# %% [markdown]
# ## Four containers
#
# The lecture's web application: a web server, a database, a job queue and a worker, each in a container of
# its own. `compose.yaml` says what they are, who may talk to whom, and in which order they start. Here the
# batch job and the service meet: the web server takes a card at once, the worker reads it with the steps of
# the nightly job, and the answer comes from the table.
#
# ```mermaid
# flowchart LR
#     app["the app"] -- "PUT card" --> web["web server"]
#     app -- "GET reading" --> web
#     web -- "card" --> inbox[("inbox")]
#     web -- "name" --> queue[["job queue<br/>(Redis)"]]
#     queue --> worker["worker"]
#     inbox --> worker
#     worker --- model(["the Reader"])
#     worker -- "row" --> database[("database<br/>(PostgreSQL)")]
#     web -- "row" --- database
#     style model fill:#d55e00,color:#fff
# ```

# %%
text = (DOCKER / "compose.yaml").read_text()
Code(text[text.index("services:") : text.index("  database:\n    image")], language="yaml")

# %% [markdown]
# One command starts them and waits until all are healthy. The password exists only for this run.

# %%
from fsdl_deploy.packaging.compose import Compose

compose = Compose(engine, DOCKER / "compose.yaml", READER_IMAGE=tag) if engine else None
if compose and compose.possible():
    compose.start()
else:
    compose = None
parts = compose.containers() if compose else []
rows = [[part.labels["com.docker.compose.service"], part.status] for part in parts]
Table(["container", "status"], *rows) if rows else None

# %% [markdown]
# Twenty customers send their card; then we ask until all readings are there.

# %%
import httpx2

from fsdl_deploy import Customers
from fsdl_deploy.picture import encode

customers = Customers(20, seed=3)
names = [f"C{i:07d}" for i in range(20)]


def send(client, i):
    card = customers.card(i, "2026-10")
    return client.put(f"/cards/2026-10/{names[i]}", content=encode(card.image)).status_code


def wait_for_readings(client, customer_names, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answers = [client.get(f"/readings/2026-10/{name}") for name in customer_names]
        if all(answer.is_success for answer in answers):
            return [answer.json()["digits"] for answer in answers]
    raise TimeoutError(f"after {seconds} s there is no reading yet of some of {customer_names}")


# %% [markdown]
# The first ten with the worker at work. For the other ten the worker is killed: the web server still takes
# the cards, they wait in the queue, and the worker that is started again reads them.

# %%
if compose:
    with httpx2.Client(base_url=compose.url("web"), timeout=30) as client:
        print("taken:", {send(client, i) for i in range(10)})
        digits = wait_for_readings(client, names[:10])
        worker = compose.containers("worker")[0]
        worker.kill()
        print("taken without a worker:", {send(client, i) for i in range(10, 20)})
        print("not read yet:", client.get(f"/readings/2026-10/{names[15]}").status_code)
        worker.start()
        digits += wait_for_readings(client, names[10:])
    truth = [customers.card(i, "2026-10").truth for i in range(20)]
    measured["read_by_worker"] = sum(a == b for a, b in zip(digits, truth, strict=True))
    measured["sent"], measured["containers"] = len(truth), len(parts)
    print(f"{measured['read_by_worker']} of {len(truth)} read correctly")

# %% [markdown]
# The database is reached by the web server and the worker, and by nobody else: it has no port on this
# machine.

# %%
rows = []
if compose:
    for container in compose.containers():
        ports = [inside for inside, outside in container.ports.items() if outside]
        networks = sorted(container.attrs["NetworkSettings"]["Networks"])
        name = container.labels["com.docker.compose.service"]
        rows.append([name, ", ".join(networks), ", ".join(ports)])
    compose.stop()
Table(["container", "networks", "ports"], *rows) if rows else None

# %% [markdown]
# ## A virtual machine, for comparison
#
# It packs a whole operating system with a kernel of its own. The same service in both: what it takes until
# the first answer, in memory, and on disk. `infra/docker/vm.sh` makes a virtual machine from the image and
# measures it; this is the record of one run. Its processor was emulated (`tcg`), because that machine is a
# virtual one itself: with the processor's help it would start many times faster. Memory and disk do not
# depend on that; the virtual machine was given `1 GiB`, and keeps what it has touched once.

# %%
vm = recorded["vm"]
print(f"{vm['date']}, {vm['machine']}, {vm['accelerator']}")
units = ("seconds", "MiB", "disk MB")
rows = [[name, *(vm[name][unit] for unit in units)] for name in ("container", "virtual machine")]
Table(["", "start (s)", "memory (MiB)", "disk (MB)"], *rows, formats=["", ".1f", ".0f", ".0f"])

# %% [markdown]
# ## The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured, or from the
# record that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("04", measured, notebook="tools/docker")

# %% [markdown]
# ## When it fails
#
# **The kernel is shared.** A container is a process of the host, with its own view. It reports the host's
# kernel, and its processes are the host's processes.

# %%
if engine:
    ask = ["-c", "import os; print(os.uname().release)"]
    inside = engine.containers.run(tag, ask, entrypoint=["python"], remove=True)
    print("kernel of the host:     ", engine.info()["KernelVersion"])
    print("kernel in the container:", inside.decode().strip())

# %% [markdown]
# **Too little memory** ends it without a word: exit code 137, which is 128 + SIGKILL. Only the engine knows
# why.

# %%
if engine:
    tight = engine.containers.create(tag, mem_limit="32m", memswap_limit="32m")
    tight.start()
    code = tight.wait(timeout=120)["StatusCode"]
    tight.reload()
    print(f"exit code {code}, killed for memory: {tight.attrs['State']['OOMKilled']}")
    tight.remove(force=True)

# %% [markdown]
# **A secret in a layer stays.** The file is deleted in the next step, and the image still carries it.

# %%
leaky = """ARG BASE
FROM ${BASE}
RUN echo password-of-the-billing-system > /secret
RUN rm /secret
"""
if engine:
    (context / "Leaky").write_text(leaky)
    (context / ".dockerignore").unlink(missing_ok=True)
    layers.build(engine, "leaky:lesson", context, "Leaky")
    for layer in engine.images.get("leaky:lesson").history()[:2]:
        print(f"{layer['Size']:4} bytes  {layer['CreatedBy'][:70]}")

# %% [markdown]
# Anyone who has the image can look into each layer.

# %%
import io
import json
import tarfile

if engine:
    saved = io.BytesIO(b"".join(engine.images.get("leaky:lesson").save()))
    with tarfile.open(fileobj=saved) as image:
        manifest = json.load(image.extractfile("manifest.json"))[0]
        layer = io.BytesIO(image.extractfile(manifest["Layers"][-2]).read())
        with tarfile.open(fileobj=layer) as files:
            print("found:", files.extractfile("secret").read().decode().strip())
    for name in ("leaky:lesson", *(f"meter-reader:after-{change}" for change in builds)):
        engine.images.remove(name, force=True)

# %% [markdown]
# - **One architecture.** An image for `amd64` does not run on an `arm64` server, unless it is built for both.
# - **It is as old as its base.** A hole in the base image is in every image on it, until they are built
#   again; and a base by its digest gets newer only when somebody edits the digest.
# - **The GPU is outside.** Its driver belongs to the host; the image must fit to it.

# %% [markdown]
# ## Questions
#
# **Question:** Your code has settled and changes twice a year, but new weights come every week. Where do
# they belong in the Dockerfile?
#
# <details><summary>Answer</summary>
# Last, after the code. A step is made again if it, or one before it in its stage, has changed. Ours has the
# weights before the code because here it is the code that changes daily: the order follows your changes,
# not a rule.
# </details>
#
# **Question:** The worker dies on a Friday evening, and until Monday the web server answers each card as
# before. What does its answer tell the app, and what would you watch?
#
# <details><summary>Answer</summary>
# The 202 says that the card was taken, not that it was read: the app should promise a reading for later.
# The web server is well, so its own health check stays green. Watch how many cards wait and for how long,
# since only that shows a missing worker.
# </details>
#
# **Question:** Your container ends with exit code 137 again and again. Why is a higher memory limit not yet
# the answer?
#
# <details><summary>Answer</summary>
# The code says only that it was killed. The slide's container ended in the same way, because it did not
# stop when it was asked to. Ask the engine whether it was for memory. If so, find out whether the memory
# keeps growing: then a higher limit only delays the next end.
# </details>

# %% [markdown]
# ## Take-aways
#
# - An image fixes code, weights and dependencies; a container is a process started from it.
# - Layers are kept as long as nothing before them changed: requirements first, code last.
# - Not root: a line of the Dockerfile. Read-only but for scratch space, no capabilities, no new rights,
#   limited memory, few processes: six options of the start. The reader does not notice.
# - Deploy digests. Tags move.
# - One container for each task, and a file that says how they belong together.
#
# ## Where to go next
#
# - [Cog](cog.ipynb), [BentoML](bentoml.ipynb) and [Truss](truss.ipynb): images without a Dockerfile of your
#   own.
# - [Packaging](../04_packaging.ipynb): what an image does not fix.
