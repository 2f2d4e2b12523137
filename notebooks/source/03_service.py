# %% [markdown]
# # The model service
#
# **Minutes:** 45 · **Prerequisites:** [The prototype](01_prototype.ipynb) · **Truth:** runs
#
# ## The need
#
# The customers' app wants the reading *while the customer is still looking*: last night's batch is too
# late. The billing page wants the same model, and nobody wants to redeploy two applications when the model
# changes. So the model moves out, onto its own web server.
#
# ## You will learn
#
# - to serve a model over HTTP, in a format of one's own, in those of three clouds, and in the standard's
# - to move an application from a model inside to a model service by changing one argument
# - what *dependability*, *scalability* and *flexibility* mean, each measured
# - to refuse bad input in a sentence, to stay alive, and to end without losing a request
# - what the pattern costs: latency, and one more thing to run

# %% [markdown]
# ## Where the model sits
#
# The lecture calls this pattern **model-as-service**: the application's back end (or the client itself)
# sends a request to the model service and gets a response back.
#
# ```mermaid
# flowchart LR
#     client["Client<br/>browser, phone"] <--> page["Application<br/>the prototype's page"]
#     second["Second application<br/>billing"] --> service
#     page -- "POST /read<br/>pictures" --> service
#     service -- "readings" --> page
#     subgraph service["Model service: own process, own machine"]
#         web["Web server<br/>FastAPI"] --> model(["Model<br/>the Reader"])
#     end
#     page <--> database[("Database")]
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = True` keeps the measurements short; set `FAST = False` for longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# What the figures and files of this lesson need.

# %%
import os
import tempfile
from pathlib import Path

from fsdl_deploy import figures
from fsdl_deploy.measuring.table import Table

os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1")
figures.use()
workplace = tempfile.TemporaryDirectory()  # removed when the kernel ends
measured = {}  # what the lecture's claims are judged by at the end

# %% [markdown]
# Some cards to read; here are four of them, each with what its customer wrote. Our model gets no more than
# such a picture.

# %%
from fsdl_deploy.cards import cards

deck = list(cards(64, level="typical", split="test", seed=3))
images = [card.image for card in deck]
figures.cards(images[:4], [f"truth: {card.truth}" for card in deck[:4]], alt="four handwritten meter cards")

# %% [markdown]
# ## The model on its own web server
#
# `fsdl-deploy serve` is one command. `course_server` runs it as a process of its own on a free port, waits
# until `/readyz` says that the model is loaded *and has read a test picture*, and ends it with this notebook.

# %%
from fsdl_deploy import course_server

service = course_server("serve").start()
print(service.log().strip(), "- process", service.pid, "- this notebook is process", os.getpid())

# %% [markdown]
# ## One request
#
# A **REST** API takes a plain HTTP request and gives a plain HTTP response: every language has a client for
# it. There is no standard for what the request contains. Google expects a list called `instances`, Azure
# `data`, and ours expects `pictures`. JSON is text, so each picture is sent as *base64*: its bytes, written
# with letters, digits and two signs.

# %%
import base64

import httpx2

from fsdl_deploy.picture import encode

web = httpx2.Client()
body = {"pictures": [base64.b64encode(encode(images[0])).decode()]}
request = web.build_request("POST", service.url + "/read", json=body)

# %% [markdown]
# This is the request as it goes over the wire.

# %% tags=["nbval-check-output"]
print(request.method, request.url.path)
print("content-type:", request.headers["content-type"])
print()
print(request.content.decode()[:36] + '…"]}')

# %% [markdown]
# The answer is a status, and JSON with one reading for each picture. It names the version of the model,
# because feedback without a version is useless later.

# %% tags=["nbval-check-output"]
response = web.send(request)
print(response.status_code, response.reason_phrase, response.headers["content-type"])
answer = response.json()
print(list(answer), list(answer["readings"][0]))
measured["service_reads"] = answer["readings"][0]["digits"] == deck[0].truth and service.pid != os.getpid()
print("version", answer["model_version"], "reads", answer["readings"][0]["digits"], "truth", deck[0].truth)

# %% [markdown]
# A form (*multipart*) is what browsers and `curl` send when they upload files: no base64, just the bytes.
# If this machine has `curl`, here is the whole client.

# %%
from fsdl_course.service.curl import curl

card_file = Path(workplace.name) / "card.png"
card_file.write_bytes(encode(images[0]))
plain = {str(card_file): "card.png", service.url: "$URL"}
answer = curl("--form", f"pictures=@{card_file}", service.url + "/read", names=plain)

# %% [markdown]
# The lecture's slide sends JSON: `curl -X POST --url …/predict -d '{…}'`. With `-d`, curl declares the body
# to be a web form. Our service reads it as the JSON that it is, and has `/predict` as another name for
# `/read`.

# %%
import json

answer = curl("-X", "POST", "--url", service.url + "/predict", "-d", json.dumps(body), names=plain)
if answer:
    measured["curl_status"], measured["curl_reads"] = answer.status, deck[0].truth in answer.text

# %% [markdown]
# ## Many pictures
#
# One request may carry many pictures, as a form or as JSON.

# %%
files = [("pictures", (f"{place}.png", encode(image), "image/png")) for place, image in enumerate(images)]
texts = [base64.b64encode(encode(image)).decode() for image in images]
address = service.url + "/read"
as_form = web.build_request("POST", address, files=files)
as_json = web.build_request("POST", address, json={"pictures": texts})

# %% [markdown]
# Both give the same readings, in the order of the pictures.

# %% tags=["nbval-check-output"]
form_answer, json_answer = web.send(as_form).json(), web.send(as_json).json()
measured["json_is_form"] = form_answer == json_answer
print("pictures sent:     ", len(images))
print("readings received: ", len(form_answer["readings"]))
print("JSON equals form:  ", form_answer == json_answer)
print(f"JSON has {len(as_json.read()) / len(as_form.read()):.1f} times the bytes of the form")

# %% [markdown]
# Is one request with many pictures better than many requests with one? The time *for each picture* tells.
# The requests take turns, so that whatever else this machine does disturbs them all alike.

# %%
from functools import partial

from fsdl_deploy.measuring.turns import in_turns

counts = [1, 4, 16, 64]
posts = {("JSON, base64", n): partial(web.post, address, json={"pictures": texts[:n]}) for n in counts}
posts |= {("form (multipart)", n): partial(web.post, address, files=files[:n]) for n in counts}
post_ms = in_turns(posts, 3 if FAST else 30, warmup=1)

# %% [markdown]
# What a request costs by itself (the network, HTTP, the queue) is shared by its pictures; what a picture
# costs stays.

# %%
from fsdl_course.service import service_figures

service_figures.many_pictures(post_ms)

# %% [markdown]
# ## No standard, then one
#
# Each cloud wants the same picture in its own wrapping: Google a list of `instances`, Azure `data`, SageMaker
# again `instances`, with keys of its own, or the picture as it is. *Sadly, no standard yet*, said the lecture
# in 2022. Our service takes them all: each is a few lines of `fsdl_deploy/service/cloud_formats.py`.

# %%
in_clouds = {
    "Google": {"instances": [{"b64": texts[0]}]},
    "Azure": {"data": texts[:1]},
    "SageMaker": {"instances": [{"in0": texts[0]}]},
}

# %% [markdown]
# Then a standard came: the **Open Inference Protocol** (V2), which KServe, Triton, MLServer and others speak.
# It says how to ask for health, metadata and inference, and it sends *tensors*: a name, a datatype, a shape
# and the data. Here the data is an encoded picture, or its pixels; as JSON, or as bytes behind the JSON.

# %%
from fsdl_deploy.service import open_inference

print(json.dumps(open_inference.json_request(images[:1]))[:120] + '…"]}]}')

# %% [markdown]
# Here is the same card in each: twice ours, the clouds', SageMaker's picture as it is, and the standard's
# four. All must give the same digits; only where the digits stand in the answer differs.

# %%
from fsdl_course.service import formats

requests = formats.requests(web, service.url, images[0], in_clouds)
agree = formats.agreeing(web, requests)
measured["agreeing"] = agree
measured["standard_reads"] = sum(name.startswith("Open Inference") for name in agree)
print(f"{len(agree)} of {len(requests)} formats answer with the same digits")

# %% [markdown]
# How long does each take until its answer is there?

# %%
sends = {name: partial(web.send, request) for name, request in requests.items()}
answer_ms = in_turns(sends, 20 if FAST else 200)

# %% [markdown]
# How much of that time is *parsing*, from the bytes of the body to the pixels of the card? We call the
# service's own functions for it, without the network, HTTP and the model, again in turns.

# %%
parse_ms = in_turns(formats.parsings(requests), 20 if FAST else 200)

# %% [markdown]
# Base64 takes a third more bytes than a form. Pixels written as numbers in JSON take several times the bytes
# of the pixels themselves, and time to parse: this is why the standard has a binary form. An encoded card is
# smaller than its pixels, but has to be decoded.

# %%
kilobytes = {name: len(request.read()) / 1000 for name, request in requests.items()}
service_figures.formats(kilobytes, parse_ms, answer_ms)

# %% [markdown]
# A format is real when somebody else's program speaks it. **boto3** is Amazon's own client: with another
# address it asks our service and cannot tell the difference. No account is needed: this session of it signs
# with made-up keys, and reads nothing of what you may have set for AWS.

# %% tags=["nbval-check-output"]
from fsdl_deploy.managed.aws_session import nobody

aws = nobody("eu-central-1").client("sagemaker-runtime", endpoint_url=service.url)
reply = aws.invoke_endpoint(EndpointName="reader", ContentType="image/png", Body=encode(images[0]))
digits = json.load(reply["Body"])["predictions"][0]["digits"]
measured["aws_reads"] = digits == deck[0].truth
print("variant", reply["InvokedProductionVariant"], "reads", digits)

# %% [markdown]
# NVIDIA's client of the standard was written for Triton. This is a program around it.

# %%
ask_as_triton = """
import sys, numpy, tritonclient.http as http
client = http.InferenceServerClient(sys.argv[1])
print("ready:", client.is_model_ready("meter-reader"), client.get_server_metadata()["extensions"])
card = http.InferInput("pictures", [1], "BYTES")
card.set_data_from_numpy(numpy.array([open(sys.argv[2], "rb").read()], object))
print("reads", client.infer("meter-reader", [card]).as_numpy("digits")[0].decode())
"""

# %% [markdown]
# The client lives in a station of its own, so it runs as a program beside this notebook.

# %% tags=["nbval-check-output", "station:grpc"]
import subprocess

from fsdl_course.setup.stations import ensure

command = [ensure("grpc"), "-c", ask_as_triton, service.url.removeprefix("http://"), card_file]
print(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

# %% [markdown]
# ## What the service says about itself
#
# A service that other programs depend on answers three more questions. *Are you alive?* (`/healthz`: if
# not, start me again.) *Are you ready?* (`/readyz`: if not, send me no requests yet.) *What is the
# contract?* (`/openapi.json`, and as a page under `/docs`.)

# %% tags=["nbval-check-output"]
from fsdl_course.service.contract import routes

for path in ("/healthz", "/readyz"):
    print(path, web.get(service.url + path).text)
contract = web.get(service.url + "/openapi.json").json()
print(routes(contract))
print("POST /read answers:", ", ".join(contract["paths"]["/read"]["post"]["responses"]))

# %% [markdown]
# The page under `/docs` is made from that contract. **Try it:** Open it, unfold `POST /read` and press
# *Execute*: it works without a network, because the service brings the page's files itself.

# %%
from IPython.display import IFrame

IFrame(service.url + "/docs", width="100%", height=420)

# %% [markdown]
# *How are you doing?* is the fourth question. `/metrics` answers in the text format of Prometheus: how many
# requests with which status, how long they took, and how sure the model was. When the pictures change,
# the last one often shows it first. Counters that are still zero are left out here.

# %%
prefixes = ("reader_requests_total", "reader_pictures_total", "reader_model_info", "reader_confidence_bucket")
metrics = web.get(service.url + "/metrics").text.splitlines()
counted = [line for line in metrics if line.startswith(prefixes) and not line.endswith(" 0.0")]
print("\n".join(counted))

# %% [markdown]
# ## The application moves by changing one argument
#
# `RemoteReader` has the same interface as the reader in this process: pictures in, readings out. Behind it
# are a timeout, retries with growing pauses, and a check of every answer.

# %% tags=["nbval-check-output"]
from fsdl_deploy import open_reader

local = open_reader("v2")
remote = open_reader(url=service.url)
same = sum(mine == theirs for mine, theirs in zip(local.read(images), remote.read(images), strict=True))
print(f"{type(local).__name__} and {type(remote).__name__} agree on {same} of {len(images)} cards")

# %% [markdown]
# So the prototype's page needs no new code. `gradio_page.build(local)` becomes `gradio_page.build(remote)`;
# on the command line, `fsdl-deploy prototype` gets `--url`. It runs as a process of its own, as it would on
# a web server.

# %%
from gradio_client import Client, handle_file

page = course_server("prototype", "--url", service.url, timeout=180).start()
predict = Client(page.url, verbose=False).predict
ask_page = partial(predict, handle_file(str(card_file)), api_name="/read")
print(ask_page()["digits"], "from version", ask_page()["model_version"])

# %% [markdown]
# ## Dependability
#
# *Model bugs are less likely to crash the web app*, says the lecture. A fault in native code ends a process
# at once, and so does the system when memory runs out. We do the same to the model service. Meanwhile we keep
# asking for three things: the page, a reading through the page, and, to compare, a page that lives in the
# model's own process (`/docs`), which is what **model-in-service** means.

# %%
from fsdl_deploy.measuring.lookout import Lookout

PAGE, READING, INSIDE = "page of the application", "reading through the page", "page in the model's process"
watch = Lookout(
    {
        PAGE: lambda: web.get(page.url, timeout=5).raise_for_status(),
        READING: ask_page,
        INSIDE: lambda: web.get(service.url + "/docs", timeout=5).raise_for_status(),
    }
)

# %% [markdown]
# After some good answers the service is killed (SIGKILL: the process gets no time for a last word). When
# readings have failed it is started again, and when readings succeed again the watch is over.

# %%
with watch:
    watch.wait_for(READING, 5)
    service.kill()
    killed = watch.seconds
    watch.wait_for(READING, 3, failed=True, since=killed)
    service.start()
    started = watch.seconds
    watch.wait_for(READING, 5, since=started)
print("the page said:", watch.problems(READING)[0])

# %% [markdown]
# The application never went away. It said in a sentence that the model was not there, and it recovered by
# itself.

# %%
watch.show(killed, started, grey="from the kill until the service is ready again")

# %% [markdown]
# The same in numbers: requests that failed, of all.

# %%
failures = watch.counts()
measured["page_failures"], measured["inside_failures"] = failures[PAGE][1], failures[INSIDE][1]
Table(["asked", "requests", "failed"], *[[name, *counted] for name, counted in failures.items()])

# %% [markdown]
# ### Two workers on one port
#
# The page survived, but for a while nobody got a reading. `fsdl-deploy serve --workers 2` shortens that
# while: two *workers*, each with a model of its own, take requests from one port, and a *master*, which reads
# no request, starts again whichever dies. Four callers now ask without a pause, each over a connection that
# stays open, and we kill the worker that has more of them. Windows has no such way to share a port: there the
# cell says what to do instead.
#
# **Question:** How many requests can be lost?
#
# <details><summary>Answer</summary>
# At most one for each caller who was connected to that worker: the request that it had in its hands. The
# other worker's callers notice nothing, and a caller who connects again reaches a worker that lives.
# </details>

# %%
from fsdl_course.service import killed_worker

pair = course_server("serve", "--workers", "2", "--threads", "1")
death = killed_worker.under_load(pair, {"pictures": texts[:1]}, callers=4)
if death:
    print(death.log)
    death.show()

# %% [markdown]
# The same in numbers. The last row was asked of the new process itself, over connections that were opened
# until the system gave one to it.

# %%
death and death.table()

# %% [markdown]
# Who sums up what two processes have counted? Whichever worker is asked for `/metrics` asks the master, which
# adds up the pages of all, also of the dead. Six requests over new connections get one and the same page.
# (What a worker counts in its last five seconds before a SIGKILL dies with it.)

# %%
if death:
    print(len(set(death.pages)), "different of", len(death.pages), "pages")
    print(dict(zip(killed_worker.COUNTERS, death.pages[0], strict=True)))

# %% [markdown]
# ## Flexibility
#
# *Easily reuse a model across multiple apps.* The second application is the billing program. It is plain
# Python: no torch, no onnxruntime, no numpy, not even our package. It could as well be in another language.

# %%
from IPython.display import Code

from fsdl_course.service import billing

Code(filename=billing.__file__)

# %% [markdown]
# After its answer the program waits for input, so that its memory can be measured before it ends.

# %%
from fsdl_course.service.weighing import run_and_weigh

last_reading = int(deck[0].truth) - 214
bill, thin_mib = run_and_weigh(billing.__file__, service.url, card_file, last_reading)
measured["bill"], measured["billing_mib"] = int(bill.split()[0]), thin_mib
print(f"the billing program says: {bill}, and takes {thin_mib:.0f} MiB")

# %% [markdown]
# To compare, the same program with the model inside, in two ways: the small *student*, from an ONNX file (a
# network in a file that needs no torch, see [Packaging](04_packaging.ipynb)), and the large *teacher* in
# torch, from which the student learned. This program imports our package, and reads the card itself.

# %%
from fsdl_course.service import billing_inside

program = billing_inside.__file__
fat_mib = {name: run_and_weigh(program, name, card_file, 0).mebibytes for name in ("student", "teacher")}
service_mib = service.memory() / 2**20
measured["inside_mib"] = fat_mib["student"]
print({name: f"{mib:.0f} MiB" for name, mib in fat_mib.items()}, f"service: {service_mib:.0f} MiB")

# %% [markdown]
# One model in every application, or one service for all of them? A service brings a web server along, so it
# saves memory only from some number of applications on. The larger the model, the sooner.

# %%
service_figures.applications(fat_mib, service_mib, thin_mib)
print(f"two applications: {2 * fat_mib['student']:.0f} MiB with the student inside each,")
print(f"{service_mib + 2 * thin_mib:.0f} MiB with one service (teacher's: student's plus the difference)")

# %% [markdown]
# ## Scalability
#
# *Choose optimal hardware for the model and scale it appropriately.* The service can grow while the page
# stays as it is. Three ways to run the service, eight users who each send 8 cards at a time: one thread,
# two threads, and two processes that share the users.

# %%
one_thread = [course_server("serve", "--threads", "1").start() for _ in range(2)]
two_threads = course_server("serve", "--threads", "2").start()
settings = {"1 thread": one_thread[:1], "2 threads": [two_threads], "2 processes": one_thread}

# %% [markdown]
# While this goes on, a visitor opens the page again and again. Before and after, we note the page's process
# and its memory.

# %%
from fsdl_course.service.scaling_up import readings_per_second
from fsdl_deploy import closed_loop

page_before, count = (page.pid, page.memory()), 40 if FAST else 400
quiet = closed_loop(lambda: web.get(page.url), 1, 20)
with Lookout({"page": lambda: web.get(page.url)}, pause=0) as visits:
    rates = {name: readings_per_second(servers, images[:8], count) for name, servers in settings.items()}
page_after = (page.pid, page.memory())

# %% [markdown]
# **Your turn:** How many times the readings of one thread do two threads give, and how many do two processes?
# Write down both guesses before you run the cell.

# %%
service_figures.rates(rates)
best = max(rates, key=rates.get)
measured["best_way"], measured["best_rate"], measured["one_rate"] = best, rates[best], rates["1 thread"]

# %% [markdown]
# And the page meanwhile? The services have answered, and end here.

# %%
import numpy as np

for server in (*one_thread, two_threads):
    server.stop()
measured["page_same"] = page_before[0] == page_after[0]
print("the page's process:", "the same" if page_before[0] == page_after[0] else "another one")
print(f"its memory: {page_before[1] / 2**20:.0f} → {page_after[1] / 2**20:.0f} MiB")
busy_ms = np.median([visit.ms for visit in visits.outcomes])
print(f"a visitor waits {quiet.p50:.0f} ms, and {busy_ms:.0f} ms while the services are busy")

# %% [markdown]
# Twice the workers are twice the readings only where a free core waits for each. Here the users of this
# measurement and the visitor run on the same cores and compete with the service. Two threads also share one
# Python, which runs its own part of a request in one thread at a time. On a machine of its own, perhaps with
# a graphics card, the service would compete with nobody.

# %% [markdown]
# ## Bad input gets a sentence
#
# A service on a network is sent everything: by mistake, by other programs, by people who attack it. Each of
# these requests is refused with a status of the 4xx kind, which says *it is your request, not me*, and with
# the field that is at fault. The worst of the pictures is a *decompression bomb*: small on the wire, huge in
# memory.

# %%
from fsdl_course.service import hostile

bomb = hostile.picture_bomb(side=12_000)
print(f"a picture of {12_000**2 / 1e6:.0f} million pixels in {len(bomb) / 1000:.0f} kB")

# %% [markdown]
# Its limit is checked on its header, before a pixel is decoded. The `100 MB` come without saying so
# beforehand: the service counts while it receives. This is all that we send.

# %%
import inspect

Code(inspect.getsource(hostile.requests), language="python")

# %% [markdown]
# All of them go to the same process, one after the other.

# %% tags=["nbval-check-output"]
process_before, bodies = service.pid, hostile.requests(encode(images[0]), bomb)
refusals = hostile.refusals(web, service.url + "/read", bodies)
print(Table(["sent", "status", "field", "problem"], *refusals), end="\n\n")
statuses = [refusal.status for refusal in refusals]
print("server errors:", sum(status >= 500 for status in statuses), "of", len(statuses), "requests")
print("same process: ", process_before == service.pid and web.get(service.url + "/readyz").status_code == 200)

# %% [markdown]
# ## When others depend on it
#
# Four things turn a demo into a service. A **key**: whoever wants a reading must send it. A **request id** in
# the answer and in the log, so that one request can be followed through many services. A **limit of the
# queue**: requests beyond it are refused at once. And an **end that loses nothing**. Here is a service with
# all of them. The key is set in an environment variable, because the list of processes shows a command's
# arguments.

# %%
words = ["--threads", "1", "--max-waiting", "8", "--access-log", "--drain", "2"]
hardened = course_server("serve", *words, env={"FSDL_API_KEY": "sesame"}).start()

# %% [markdown]
# Three requests: without a key, with a wrong one, and with the right one and an id.

# %%
one_card, key = {"pictures": texts[:1]}, {"Authorization": "Bearer sesame"}
for sent in ({}, {"Authorization": "Bearer sesam"}, key | {"X-Request-Id": "billing-7"}):
    answer = web.post(hardened.url + "/read", json=one_card, headers=sent)
    print(answer.status_code, answer.json().get("error", {}).get("problem", "a reading"))
print(hardened.log().strip().splitlines()[-1])

# %% [markdown]
# Now forty requests of 64 pictures arrive at the same moment. One runs, eight wait, and the others get a 429
# with `Retry-After`: *come again*. A queue without a limit would have answered everybody too late.

# %%
from collections import Counter

from fsdl_course.service.callers import together

ask = partial(web.post, hardened.url + "/read", json={"pictures": texts}, headers=key, timeout=60)
answers = together(40, ask)
print(Counter(answer.status_code for answer in answers))
refused = next(answer for answer in answers if answer.status_code == 429)
print(refused.headers["retry-after"], refused.json()["error"]["problem"])

# %% [markdown]
# The end: SIGTERM, the signal that asks a process to stop, while two clients ask without a pause. For two
# more seconds `/readyz` says 503, and everything else goes on: time for a load balancer to send new requests
# elsewhere. Our clients look at `/readyz` before each request, as a balancer would.

# %%
import signal

from fsdl_course.service.callers import PoliteCallers

with PoliteCallers(hardened.url, one_card, key, count=2) as callers:
    callers.wait_for(150)
    os.kill(hardened.pid, signal.SIGTERM)
hardened.stop()
print(Counter(callers.statuses), "lost:", sum(status != 200 for status in callers.statuses))

# %% [markdown]
# Requests that it had accepted by then are still answered, for as long as `--grace` says (`30` seconds).
# Whatever stops the service must wait as long: `docker stop` waits only ten seconds unless you set more
# (`-t 40`), and Kubernetes thirty. No request waits longer than `--patience` (`20` seconds) for its turn;
# then it gets a 503, which also says *come again*. A request whose client has left gives up its place.
#
# The tests of this course go further: a *fuzzer* reads `/openapi.json` and invents requests, good and bad
# ones, and checks each answer against the contract (`tests/service/test_app_fuzz.py`).
#
# ## When it fails
#
# The lecture names two cons. Both are real.
#
# ### It adds latency
#
# The same card, read in this process and through the service, in turns. *p50* and *p95* are percentiles: half
# of the calls took less than p50 (the median), all but one in twenty less than p95.
#
# **Your turn:** Both are on this machine, with no network between them. How many times as long does a card
# take through the service? Write down your guess before you run the cell.

# %%
from itertools import cycle

ways = {"in this process": (local, cycle(images)), "through the service": (remote, cycle(images))}
calls = {name: lambda way=way, deck=deck: way.read([next(deck)]) for name, (way, deck) in ways.items()}
latencies = in_turns(calls, 100 if FAST else 1000)
rows = [[name, *np.percentile(times, [50, 95])] for name, times in latencies.items()]
Table(["reader", "p50 (ms)", "p95 (ms)"], *rows, formats=["", ".1f", ".1f"])

# %% [markdown]
# How many times as long is that for half of the cards?

# %%
model_ms, service_ms = (float(np.median(times)) for times in latencies.values())
measured["latency_ratio"], measured["model_ms"] = service_ms / model_ms, model_ms
print(f"ratio of the medians: {service_ms / model_ms:.1f}")

# %% [markdown]
# The model is the same in both rows. What is added is the way from one process to another and back, and a
# model that takes so little time makes it look large. Where does the time go? The parts can be timed alone:
# encoding the picture as PNG and base64, an HTTP request that does nothing (`/healthz`), decoding, and the
# model. What is left over is JSON, checks, and threads waiting for each other.

# %%
from fsdl_deploy.picture import decode

steps = {
    "encode": lambda: base64.b64encode(encode(images[0])),
    "HTTP": lambda: web.get(service.url + "/healthz"),
    "decode": lambda: decode(base64.b64decode(texts[0])),
}

# %% [markdown]
# The price does not depend on the model. For a model that takes a millisecond it is most of the time; for one
# that takes a second nobody would notice it. A real network adds its own round trip.

# %%
parts = {"model": model_ms} | {name: float(np.median(ms)) for name, ms in in_turns(steps, 50).items()}
parts["the rest"] = max(0.0, service_ms - sum(parts.values()))
print(", ".join(f"{name} {ms:.1f} ms" for name, ms in parts.items()))
service_figures.latency(parts)

# %% [markdown]
# ### It adds infrastructure
#
# *Now you have to run a model service.* A network call can fail in ways in which a function call cannot. We
# provoke three of them, and see what `RemoteReader` tells the user: an address where nobody listens, one
# where nobody answers, and one where another program does. Each failure is explained in a sentence, and none
# takes much longer than the timeout.

# %%
from fsdl_course.service.failing_addresses import failing_addresses, failure

with failing_addresses() as failing:
    sentences = [[name, *failure(url, images[0], timeout=1)] for name, url in failing.items()]
Table(["what happens", "after", "the sentence"], *sentences)

# %% [markdown]
# And what is there now to run and to watch, counted from what this lesson started.

# %%
from fsdl_course.service.contract import metric_families

families = metric_families(web.get(service.url + "/metrics").text)
measured["metrics"], measured["failures_in_words"] = len(families), len(sentences)
page_alone, with_service = page.memory() / 2**20, (page.memory() + service.memory()) / 2**20
with_model = page_alone + fat_mib["student"] - thin_mib

# %% [markdown]
# With the model inside, the page is as large as it is now and what the model adds to an application.

# %%
Table(
    ["", "model-in-service", "model-as-service"],
    ["processes to keep alive", 1, 2],
    ["addresses to configure", 1, 2],
    ["memory (MiB)", f"about {with_model:.0f}", f"{with_service:.0f}"],
    ["kinds of answers to handle", 1, 1 + len(set(statuses)) + len(failing)],
    ["metrics to look at", 0, len(families)],
)

# %% [markdown]
# ### The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed from what the cells above measured on your machine;
# the rules stand in `notebooks/claims.toml`.

# %%
import onnxruntime

from fsdl_course.claims import claims

measured["gpu"] = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
claims("03", measured)

# %% [markdown]
# *A sweet spot for most products* is a judgement that no run can decide. One case, in its owner's own
# figures: Uber's platform serves `10 million` predictions a second at peak, by more than `5,000` models
# ([Uber, 2024](https://www.uber.com/blog/from-predictive-to-generative-ai/)). One word on **streaming**:
# some answers come piece by piece, as a language model's do, over server-sent events or a WebSocket. A
# reading is short and comes at once, so our service does not stream.

# %% [markdown]
# The measurements are over: page and service are stopped, the service last.

# %%
remote.close()
page.stop()
service.stop()
print(page, service)

# %% [markdown]
# ## Questions
#
# **Question:** `/healthz` answers while the model is still loading, `/readyz` does not. Why two?
#
# <details><summary>Answer</summary>
# They lead to different actions. A process that is not alive is started again; a process that is not ready
# is only sent no requests. With one answer for both, a model that takes a minute to load would be restarted
# for ever.
# </details>
#
# **Question:** `RemoteReader` tries again when the service is busy (429) or unreachable. Why not when it
# answers 422, and why not after a timeout?
#
# <details><summary>Answer</summary>
# A bad picture stays bad: the second answer would be the same. And a service that is too slow for its
# requests gets slower when every client sends them three times.
# </details>
#
# **Question:** Your model takes `800 ms`. A colleague is against a service, because of the latency. What do
# you say?
#
# <details><summary>Answer</summary>
# The service adds about the same few milliseconds to every model: look at the bar above. On <code>800
# ms</code> nobody can notice it. Latency is an argument when the model is small and each page needs many
# answers one after another.
# </details>

# %% [markdown]
# ## Take-aways
#
# - Model-as-service: the model on its own web server, asked over HTTP. `RemoteReader` is the same `Reader`.
# - The application outlives the model, many applications share it, and each side grows by itself.
# - The price: some milliseconds for each call, and one more thing that can fail, so every call has a timeout,
#   and every failure a sentence.
# - Whatever comes in from a network is hostile until it is checked: sizes first, then shape, then content.
#
# **Cheat sheet.**
#
# - `fsdl-deploy serve` starts the service. `--threads` and `--workers` set how much runs at once,
#   `--max-waiting` and `--patience` limit the queue, `--drain` and `--grace` make the end lose nothing.
# - `curl --form pictures=@card.png $URL/read` asks it. JSON is `{"pictures": ["base64 …"]}`.
# - `/healthz`: is it alive? `/readyz`: may I send requests? `/metrics`: how is it doing? `/docs`: the
#   contract.
# - `open_reader(url=…)` gives a `RemoteReader`: timeout, retries, checked answers.
#   `fsdl-deploy prototype --url …` is the page with the model elsewhere.
# - Statuses: no key `401`, too large `413`, wrong type `415`, wrong content `422`: repair the request. Full
#   `429`, not ready or too late `503`: come again.
# - `in_turns(calls, times)` compares calls fairly; `closed_loop(call, users, requests)` loads a server.
# - Rules of thumb: a timeout on every call; many pictures in one request; bytes rather than numbers in JSON;
#   check sizes before you decode.
#
# **Sources.** [HTTP semantics, with every status](https://www.rfc-editor.org/rfc/rfc9110.html),
# [OpenAPI](https://spec.openapis.org/oas/latest.html), [FastAPI](https://fastapi.tiangolo.com/), the [Open
# Inference Protocol](https://github.com/kserve/open-inference-protocol),
# [base64](https://www.rfc-editor.org/rfc/rfc4648.html), [Prometheus' text
# format](https://prometheus.io/docs/instrumenting/exposition_formats/), [probes in
# Kubernetes](https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/).
#
# ## Where to go next
#
# - [Lab 03](../labs/lab03/lab03.ipynb): an adapter, a queue that ends, a batcher.
# - [The prototype](01_prototype.ipynb) again, now with `--url`: which of its five cons are gone?
# - [gRPC](tools/grpc.ipynb): the standard again, as calls instead of requests.
# - [Packaging](04_packaging.ipynb): the same answer on the server as in the notebook.
# - The lessons to come make this service cheaper, and wider (replicas behind a load balancer).
