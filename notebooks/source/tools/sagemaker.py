# %% [markdown]
# # SageMaker: an endpoint from the first call to the last, without an account
#
# **Minutes:** 30 · **Prerequisites:** [Service](../03_service.ipynb) · **Truth:** runs against an emulator
#
# ## The need
#
# The utility's other programs run at Amazon, and its two administrators would rather not look after a model
# server as well. *Double-click on SageMaker*, says the lecture. What do we have to say to it, what do we get
# back, and how does a new version come in, and a bad one go out?
#
# ## You will learn
#
# - what makes an endpoint: a model, a configuration with variants, a name
# - to send a share of the requests to a new version by its weight, to take it back, and to let it read unseen
# - what comes of the lecture's own lines (`HuggingFace(...)`, `deploy`, `predict`) in today's SDK
# - what AWS's toolkit around a model of our own asks for, and what it adds
# - which parts an emulator plays, which it only nods at, and which cannot be tried at home

# %% [markdown]
# ## Where the model sits
#
# SageMaker has two halves. The **control plane** keeps what you want: models, endpoints, weights. The **data
# plane** runs it: it starts containers and sends them requests. Here *moto*, a stand-in for AWS's API, is the
# control plane. The data plane is the course's: a small router that asks moto for the weights, and our real
# service as a process for each variant. The clients are Amazon's own.
#
# ```mermaid
# flowchart LR
#     you["boto3: sagemaker"] -- "create, update" --> plane["control plane: moto"]
#     app["boto3: sagemaker-runtime"] -- "invoke_endpoint" --> router["data plane: our router"]
#     router -. "which weights?" .-> plane
#     router -- "0.9" --> blue(["v2"])
#     router -- "0.1" --> green(["v3-bad"])
#     router -. "a copy" .-> shadow(["shadow"])
#     style blue fill:#d55e00,color:#fff
#     style green fill:#d55e00,color:#fff
#     style shadow fill:#d55e00,color:#fff
# ```
#
# All of it runs on Linux, macOS and Windows alike, except for AWS's toolkit, which needs Java and is skipped
# in one sentence without it. `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## Two planes on this machine
#
# First what all sections use: some hard cards, a folder, and a place for what must be ended.

# %%
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

measured, running = {}, ExitStack()  # what the claim at the end is judged by; what the last cell ends
captured = Path(running.enter_context(TemporaryDirectory()))
deck = list(cards(60 if FAST else 800, "hard", seed=9))
pictures = [encode(card.image) for card in deck]

# %% [markdown]
# `local_cloud()` starts both planes and ends them with this notebook. The clients that it gives are "nobody":
# they read no profile, no credentials and no setting of yours, and they ask no other machine than this one.

# %% tags=["station:moto"]
from fsdl_deploy.managed.sagemaker_local import local_cloud

ensure("moto")
cloud = running.enter_context(local_cloud(capture=captured, idle=2))
control, runtime = cloud.control, cloud.runtime
print(cloud.plane, cloud.router)

# %% [markdown]
# SageMaker's SDK takes its time, so its part of this notebook starts now, beside the rest. It is read further
# below.

# %% tags=["station:moto", "station:sagemaker_sdk"]
from fsdl_deploy.managed import sagemaker_sdk

ensure("sagemaker_sdk")
sdk = sagemaker_sdk.SdkFlow(cloud, pictures[0])
running.callback(sdk.stop)
print("SageMaker's SDK has been started")

# %% [markdown]
# ## A model, a configuration, an endpoint
#
# Three calls lead to an endpoint, and they are the same on AWS. A *model* is an image with its weights. Ours
# names the version of the reader in its environment. The role is what the container may do.
# We note what the client calls.

# %% tags=["station:moto"]
operations = []
control.meta.events.register("before-call.sagemaker", lambda model, **_: operations.append(model.name))
role = "arn:aws:iam::123456789012:role/meter-reader"
image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/meter-reader:1"
for version in ("v2", "v3-bad"):
    container = {"Image": image, "Environment": {"FSDL_VERSION": version}}
    control.create_model(ModelName=f"reader-{version}", ExecutionRoleArn=role, PrimaryContainer=container)
print([model["ModelName"] for model in control.list_models()["Models"]])

# %% [markdown]
# A *configuration* lists the variants: which model, on which machines, how many of them, with which weight.
# The *endpoint* is a name for it that callers know.

# %% tags=["station:moto"]
machine = {"InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
blue = {"VariantName": "blue", "ModelName": "reader-v2", "InitialVariantWeight": 0.9, **machine}
green = {"VariantName": "green", "ModelName": "reader-v3-bad", "InitialVariantWeight": 0.1, **machine}
control.create_endpoint_config(EndpointConfigName="meter-1", ProductionVariants=[blue, green])
control.create_endpoint(EndpointName="meter", EndpointConfigName="meter-1")
measured["calls"] = len({name for name in operations if name.startswith("Create")})
print("moto:", control.describe_endpoint(EndpointName="meter")["EndpointStatus"])
print("the router, after the instances have started:", cloud.wait("meter")["status"])

# %% [markdown]
# moto says *InService* at once, since it starts nothing. On AWS the same takes minutes. Our router has
# started a process for each variant.
#
# ## Asked by Amazon's own client
#
# `invoke_endpoint` sends bytes and gets bytes; what they mean is between the caller and the model. The answer
# also says who gave it.

# %% tags=["station:moto"]
import json

from fsdl_deploy import open_reader


def digits_of(answer):
    return json.loads(answer["Body"].read())["predictions"][0]["digits"]


answer = runtime.invoke_endpoint(
    EndpointName="meter", Body=pictures[0], ContentType="image/png", TargetVariant="blue"
)
direct = open_reader("v2").read([deck[0].image])[0].digits
print("variant", answer["InvokedProductionVariant"], "reads", digits_of(answer))
print("the Reader in this process:", direct)

# %% [markdown]
# ## Two variants by weight
#
# Without `TargetVariant` the weights decide, for each request anew. Not the customer counts: the same
# customer may meet both versions. (The proxies of [lesson 08](../08_rollouts.ipynb) choose by customer.) So
# the counts are binomial, and an interval says how far chance may take them.

# %% tags=["station:moto"]
from fsdl_deploy.managed import sagemaker_measuring as measuring

requests = 200 if FAST else 3000
counts = measuring.invoked(runtime, "meter", pictures, requests)
split = measuring.intervals(counts, {"blue": 0.9, "green": 0.1})
measuring.split_table(counts, {"blue": 0.9, "green": 0.1})

# %% [markdown]
# In one run of twenty the interval misses the weight, by its own definition.
#
# `v3-bad` is a version with a bug. Its owner asks both variants about the same hard cards, by name. How
# likely are counts this uneven if fixing and breaking were equally likely?

# %% tags=["station:moto"]
from fsdl_deploy.measuring.accuracy import fixed_and_broken, paired_p
from fsdl_deploy.measuring.table import Table

right = {}
for name in ("blue", "green"):
    options = {"EndpointName": "meter", "ContentType": "image/png", "TargetVariant": name}
    readings = [digits_of(runtime.invoke_endpoint(Body=picture, **options)) for picture in pictures]
    right[name] = [card.truth == digits for card, digits in zip(deck, readings, strict=True)]
fixed, broken = fixed_and_broken(right["blue"], right["green"])
note = f"green fixes {fixed} and breaks {broken}: p = {paired_p(fixed, broken):.2g}"
rows = [[name, sum(cards_right), len(deck)] for name, cards_right in right.items()]
Table(["variant", "right", "of"], *rows, notes=[note])

# %% [markdown]
# ## Back by one call
#
# Both versions run, so the way back is a change of weights, and no start. How long until nobody gets the bad
# version any more?

# %% tags=["station:moto"]
weights = [
    {"VariantName": "blue", "DesiredWeight": 1.0},
    {"VariantName": "green", "DesiredWeight": 0.0},
]
begin = perf_counter()
control.update_endpoint_weights_and_capacities(EndpointName="meter", DesiredWeightsAndCapacities=weights)
cloud.wait("meter", weights={"blue": 1.0, "green": 0.0})
measured["back_seconds"] = perf_counter() - begin
after = measuring.invoked(runtime, "meter", pictures, requests // 3)
measured["bad_after"] = after["green"]
print(f"{measured['back_seconds']:.2f} s; then {dict(after)}")

# %% [markdown]
# That time is our router's, which asks moto once a second. AWS sets the endpoint to *Updating*
# meanwhile, and takes longer. What holds for both: the bad version costs its machine's hour until it is
# removed.
#
# ## By a new configuration
#
# Weights move traffic between versions that are there. A new version needs a new configuration, and on AWS
# `update_endpoint` exchanges it behind the same name. moto cannot:

# %% tags=["station:moto"]
from botocore.exceptions import ClientError

new = {**blue, "VariantName": "next", "InitialVariantWeight": 1.0}
control.create_endpoint_config(EndpointConfigName="meter-2", ProductionVariants=[new])
try:
    control.update_endpoint(EndpointName="meter", EndpointConfigName="meter-2")
    status = 200
except ClientError as error:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
causes = [line for line in cloud.plane.log().splitlines() if "Error:" in line]
print("update_endpoint:", status, "by moto's log:", *causes[-1:])

# %% [markdown]
# What works on both is a second endpoint with the new configuration. The callers change the name, and the old
# endpoint stays until nobody asks it: blue and green, by name. Twice the machines meanwhile.

# %% tags=["station:moto"]
control.create_endpoint(EndpointName="meter-next", EndpointConfigName="meter-2")
cloud.wait("meter-next")
answers = {
    name: runtime.invoke_endpoint(EndpointName=name, Body=pictures[0], ContentType="image/png")
    for name in ("meter", "meter-next")
}
for name, answer in answers.items():
    print(f"{name:11} {answer['InvokedProductionVariant']:5} {digits_of(answer)}")

# %% [markdown]
# ## A shadow reads along
#
# A *shadow variant* gets a copy of the requests and answers none of them. What it reads is captured: AWS
# writes it to S3, our router to a folder, in the same format. The caller's `InferenceId` joins both answers
# to one request. moto takes `ShadowProductionVariants` and then forgets it, so the course says it a second
# time, in a tag, for the router to read.

# %% tags=["station:moto"]
from fsdl_deploy.managed import sagemaker_control as calls

shadow = calls.variant("dark", "reader-v3-bad", 1.0)
calls.create_endpoint(control, "watched", [calls.variant("blue", "reader-v2", 1.0)], shadow=shadow)
known = control.describe_endpoint_config(EndpointConfigName="watched-1")
print("moto remembers the shadow:", "ShadowProductionVariants" in known)
cloud.wait("watched")
answered_by = set()
for number, picture in enumerate(pictures):
    options = {"ContentType": "image/png", "InferenceId": f"card-{number}"}
    answer = runtime.invoke_endpoint(EndpointName="watched", Body=picture, **options)
    answered_by.add(answer["InvokedProductionVariant"])

# %% [markdown]
# Who answered the callers, and how often did the shadow read something else? The shadow may be late: we wait
# until it has read all.

# %% tags=["station:moto"]
from fsdl_deploy.managed.sagemaker_capture import answers as captured_answers
from fsdl_deploy.running import waiting


def read_by(variant):
    lines = captured_answers(captured, "watched", variant)
    return {key: json.loads(text)["predictions"][0]["digits"] for key, text in lines.items()}


waiting.until(lambda: len(read_by("dark")) == len(deck), 20, TimeoutError, "the shadow's reading")
seen, unseen = read_by("blue"), read_by("dark")
differ = sum(seen[key] != unseen[key] for key in seen)
print(f"answered by {sorted(answered_by)}; the shadow reads {differ} of {len(seen)} cards otherwise")

# %% [markdown]
# So a shadow finds out what `TargetVariant` found out above, on real requests and without harm. It costs
# another machine, and it says nothing of which reading is right.
#
# ## Without machines
#
# A *serverless* variant has a memory size and a bound of requests at a time, and no machine: AWS starts one
# when a request comes. What do client and emulator accept?

# %% tags=["station:moto"]
from botocore.exceptions import ParamValidationError

rows = []
for megabytes, at_once in ((2048, 5), (1500, 5), (1, 5), (2048, 201)):
    variant = calls.serverless_variant("only", "reader-v2", megabytes, at_once)
    try:
        name = f"quiet-{megabytes}-{at_once}"
        control.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        rows.append([megabytes, at_once, "accepted"])
    except ParamValidationError as error:
        rows.append([megabytes, at_once, f"the client: {str(error).splitlines()[-1][-30:]}"])
    except ClientError as error:
        rows.append([megabytes, at_once, f"moto: {error.response['Error']['Message'][:80]}"])
Table(["MB", "at a time", "answer"], *rows)

# %% [markdown]
# AWS sells memory in steps of `1024 MB` from `1024` to `6144`, and takes up to `200` requests at a time. What
# is too little Amazon's client does not even send. moto knows the steps. Too many requests at a time pass
# both, and AWS would refuse them: accepted by an emulator is not accepted.
#
# The router imitates two things: the process starts with the first request and ends when nobody asks (here
# after two seconds, on AWS after minutes), and requests beyond the bound are refused. It imitates neither the
# memory nor a second instance.

# %% tags=["station:moto"]
variant = calls.serverless_variant("only", "reader-v2", 2048, 2)
calls.create_endpoint(control, "quiet", [variant])
cloud.wait("quiet")


def ask_quiet(_=None):
    begin = perf_counter()
    try:
        runtime.invoke_endpoint(EndpointName="quiet", Body=pictures[0], ContentType="image/png")
        return perf_counter() - begin, ""
    except ClientError as error:
        return perf_counter() - begin, error.response["Error"]["Code"]


# %% [markdown]
# The first request, ten more one after the other, then eight at the same time:

# %% tags=["station:moto"]
from concurrent.futures import ThreadPoolExecutor

cold, _ = ask_quiet()
warm = median(ask_quiet()[0] for _ in range(10))
with ThreadPoolExecutor(8) as pool:
    codes = [code for _, code in pool.map(ask_quiet, range(8 if FAST else 80))]
print(f"cold {cold:.1f} s, warm {1000 * warm:.0f} ms; at once: {codes.count('')} answered,", end=" ")
print(f"{len(codes) - codes.count('')} refused {sorted(set(filter(None, codes)))}")

# %% [markdown]
# ## More machines by themselves
#
# A *scaling policy* belongs to another service of AWS's: so many requests a minute for each machine, from one
# machine to four. On AWS this makes two alarms, and these change the number of machines.

# %% tags=["station:moto"]
scaling = cloud.scaling
calls.follow_load(scaling, "meter", "blue", most=4, requests_a_minute=600)
policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
tracking = policies[0]["TargetTrackingScalingPolicyConfiguration"]
print(policies[0]["ResourceId"], tracking["TargetValue"], "a minute;", len(alarms), "alarms")
calls.follow_load(scaling, "meter", "nobody", most=4, requests_a_minute=600)
print("a policy for a variant that is not there: accepted")

# %% [markdown]
# moto keeps the policy, makes no alarm and scales nothing, and it takes policies for variants that do not
# exist. That the numbers are *right* cannot be tested here. [Scaling](../07_scaling.ipynb) simulates such a
# rule.
#
# ## A container as AWS ships it
#
# So far the container was our own service, and a container is all that SageMaker wants: `/ping`,
# `/invocations`, port 8080. AWS's own images have more in them: the *inference toolkit*, around Amazon's
# *multi-model-server*. It calls four functions of ours, in turn.

# %%
from IPython.display import Code

from fsdl_deploy.managed import sagemaker_toolkit

program = sagemaker_toolkit.handler().read_text()
Code(program[program.index("def model_fn") :], language="python")

# %% [markdown]
# It is started as in an image of AWS's, only with a folder of its own and on the loopback. Its server is
# written in Java. When does it say that it is well, and when does it answer?

# %% tags=["station:sagemaker_inference"]
import httpx2

ensure("sagemaker_inference")
if sentence := sagemaker_toolkit.lacks():
    print(f"Skipped. {sentence}")
else:
    begin = perf_counter()
    toolkit = running.enter_context(sagemaker_toolkit.toolkit())
    pinged = perf_counter() - begin
    asked = {"content": pictures[0], "headers": {"content-type": "image/png"}, "timeout": 60}
    reply = httpx2.post(f"{toolkit.url}/invocations", **asked)
    print(f"/ping after {pinged:.1f} s, the first answer after {perf_counter() - begin:.1f} s")
    print(reply.json(), f"{toolkit.memory() / 2**20:.0f} MiB")

# %% [markdown]
# `/ping` does not wait for the model: the first caller does.
#
# ## The lecture's own lines, today
#
# The slide trains with `HuggingFace(...)`, calls `deploy` and then `predict`. Here is how far that goes in
# version 3 of SageMaker's SDK: on its own, and with the two planes of this notebook in AWS's place. The SDK
# would report to AWS what it is used for; it is told not to, and its proxy leads nowhere.

# %% tags=["station:moto", "station:sagemaker_sdk"]
steps = sdk.steps()
went = {step.name: step.went for step in steps}
measured["slide_runs"] = went["the slide's import"]
measured["sdk_deploys"] = went["deploy, invoke"]
sagemaker_sdk.table(steps)

# %% [markdown]
# Step by step:
#
# - The slide's import is gone: version 3 has removed estimators, models and predictors. `ModelTrainer` takes
#   the place of `fit`. It needs an account and a bill, so training ends here.
# - `ModelBuilder` takes the place of `deploy`. Without an account it stops at the credentials.
# - *In this process* runs at home: the SDK puts our reader behind a small server of its own. It asks for a
#   bucket all the same, which moto gives.
# - `build` creates the model, and then trips over moto: moto answers `{}` for a network that was never set,
#   where AWS says nothing.
# - With such empty answers taken out of moto's words, `deploy` runs to its end. The router sees the endpoint
#   and starts it, and `invoke`, which was `predict`, reads the card.
#
# ## What the way through it costs
#
# The same card, the same client, in turns: asked of the service itself, and through the router. The service
# speaks SageMaker's format (`/ping`, `/invocations`), since lesson 03.

# %% tags=["station:moto"]
from fsdl_deploy.managed.sagemaker_clients import client

service = cloud.state("meter")["variants"]["blue"]["url"]
ways = {"the service": client("sagemaker-runtime", service), "through the router": runtime}
options = {"EndpointName": "meter", "Body": pictures[0], "ContentType": "image/png"}
asked = {name: lambda way=way: way.invoke_endpoint(**options)["Body"].read() for name, way in ways.items()}
taken = measuring.in_turns(asked, 40 if FAST else 600)
times, low, high = measuring.ratio(taken["through the router"], taken["the service"])
for name, spent in taken.items():
    print(f"{name:19} {median(spent):.1f} ms")
print(f"ratio of the medians: {times:.2f} (95 % interval {low:.2f} to {high:.2f})")

# %% [markdown]
# This is the price of *our* router on one machine. AWS's is on another machine, with TLS, a signature to
# check and rights to look up; it cannot be measured here.
#
# ## The lecture's claim beside ours
#
# How much of it is ours: the lines of the four functions, without blank ones.

# %%
from fsdl_course.claims import claims

own = program[program.index("def model_fn") :].splitlines()
measured["handler_lines"] = sum(bool(line.strip()) for line in own)
claims("09", measured, notebook="tools/sagemaker")

# %% [markdown]
# ## When it fails
#
# **Whose fault is it?** Amazon's client turns each refusal into an exception of its own. What the *model*
# refused is a `ModelError`, with the model's own status and words inside.


# %% tags=["station:moto"]
def refusal(**asked):
    options = {"EndpointName": "meter", "Body": pictures[0], "ContentType": "image/png"} | asked
    try:
        runtime.invoke_endpoint(**options)
        return "answered", 200, ""
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return error.response["Error"]["Code"], status, error.response.get("OriginalStatusCode", "")


wrong = {
    "another endpoint": {"EndpointName": "gone"},
    "another variant": {"TargetVariant": "red"},
    "no picture": {"Body": b"no picture"},
    "more than 25 MB": {"Body": b"0" * (25 * 2**20 + 1)},
}

# %% [markdown]
# The statuses are those of Amazon's description of its API (`424` for the model's own refusal), and the
# exceptions are the client's:

# %% tags=["station:moto", "nbval-check-output"]
rows = [[name, *refusal(**asked)] for name, asked in wrong.items()]
Table(["request", "exception", "status", "the model's own"], *rows)

# %% [markdown]
# **The control plane is away.** Killed, moto changes nothing for the callers: the data plane goes on with
# what it was told last. Only nothing can be changed any more.

# %% tags=["station:moto"]
cloud.plane.kill()
waiting.until(lambda: cloud.state("meter")["plane"], 30, TimeoutError, "the router's notice of it")
print("invocations:", refusal()[0])
try:
    control.describe_endpoint(EndpointName="meter")
except Exception as error:
    print("the control plane:", type(error).__name__)

# %% [markdown]
# **It costs while nobody asks.** An endpoint on machines is paid by the hour until it is deleted: machines
# times hours, whatever comes. Each variant that ran in this notebook had one or more, and on AWS they would
# go on after it. Deleting the endpoint ends the bill; its configuration and its models cost nothing, and are
# litter.

# %% tags=["station:moto"]
import inspect

Code(inspect.getsource(calls.remove), language="python")

# %% [markdown]
# Here everything ends with the notebook.

# %%
running.close()

# %% [markdown]
# **Where this is not the cloud.**
#
# | part | on AWS | here |
# |---|---|---|
# | model, configuration, endpoint, weights | kept and checked | moto keeps them, and checks little |
# | containers | from an image, replaced when unwell | our service as a process, replaced when it dies |
# | number of machines | as many as wished for | one process a variant, whatever is wished for |
# | `update_endpoint` | a new configuration, and back by itself on an alarm | fails in moto |
# | shadow variant | read from the configuration | from a tag, since moto forgets it |
# | scaling policy | makes alarms, changes the number | kept, does nothing |
# | serverless | as many instances as needed, bounded in memory | one process, no bound of memory |
# | IAM, signatures, TLS | each call | nobody is asked |
# | metrics, logs | CloudWatch, and they cost | none |
# | the bill | by the hour, also while idle | none |

# %% [markdown]
# ## Questions
#
# **Question:** A customer sends the same card twice and gets two readings. Is one of the servers broken?
#
# <details><summary>Answer</summary>
# Perhaps not: the weights choose for each request anew, so she may have met both versions. If a customer
# must stay with one version, choose it by her number and name it as the target variant. Or let the new
# version read as a shadow, so that only one of them answers.
# </details>
#
# **Question:** Your shadow differs from the version that answers on a few cards in a hundred. How many
# cards does a person have to read before you decide?
#
# <details><summary>Answer</summary>
# Only those on which the two differ. Where they agree, both are right or both are wrong, and that favours
# neither. Of the others, count which the new version fixes and which it breaks, and ask how likely counts
# so uneven are by chance.
# </details>
#
# **Question:** Ten percent of the requests go to a bad version, and just now the control plane is away. Who
# can still help?
#
# <details><summary>Answer</summary>
# Not you with the weights: the data plane goes on with what it was told last. But a caller may name the
# good variant, and that request needs no control plane. So an app in which the target variant is a setting
# has a way back of its own.
# </details>

# %% [markdown]
# ## Take-aways
#
# - A model, a configuration and an endpoint: three calls, and three more to take them away again.
# - Weights split requests, not customers. A way back by weights is one call, as long as both versions run.
# - A shadow finds what a split would find, at nobody's cost but the machine's.
# - SageMaker wants `/ping` and `/invocations`. AWS's toolkit adds a server in Java and asks for four
#   functions.
# - The lecture's SDK calls are gone; `ModelBuilder` takes their place, and the API below has stayed. What
#   must last is written against boto3.
# - An emulator is for the calls and their order. What it accepts AWS may refuse.
#
# ## Where to go next
#
# - [Vertex AI](vertex.ipynb) and [Azure ML](azure_ml.ipynb): the same question to Google and Microsoft.
# - [Rollouts](../08_rollouts.ipynb): how to decide whether the new version is better.
# - [AWS Lambda](aws_lambda.ipynb): what serverless inference is made of, without SageMaker around it.
