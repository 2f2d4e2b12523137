# %% [markdown]
# # Managed options: let somebody else run it
#
# **Minutes:** 30 · **Prerequisites:** [Rollouts](08_rollouts.ipynb) · **Truth:** runs against an emulator
#
# ## The need
#
# The utility has one engineer who understands nginx, and she is on holiday. A salesman says: give us the
# model, and never think of servers again. What would we have to give, what would we get, and how do we get
# out again?
#
# The lecture's *Managed options* are the big clouds, end-to-end platforms and start-ups. It opens one of
# them up, SageMaker. We have no account, and need none: what can run here runs here. What a month costs is
# the next lesson, [Managed costs](09b_managed_costs.ipynb).
#
# ## You will learn
#
# - what each managed service wants from a model, and why a common format helps
# - SageMaker's calls from a model to an endpoint, a rollout by weights, and the way out
# - to write an endpoint down as code, and to end it so that nothing is left to pay
# - to give a program no more rights than it needs, and to test that it has no more

# %% [markdown]
# ## Where the model sits
#
# In somebody else's container, on somebody else's machine. What is yours is the model, an adapter, and the
# bill.
#
# ```mermaid
# flowchart LR
#     app["Application"] --> endpoint["Managed endpoint"]
#     subgraph service["Somebody else's machines"]
#         endpoint --> adapter["your adapter"] --> model(["Model"])
#     end
#     service -- "each month" --> bill["Bill"]
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` means more requests and steadier figures. All of it runs on Linux, macOS and Windows alike:
# the stand-in for AWS is a Python program.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# What all parts of this lesson use:

# %%
import json
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import matplotlib.pyplot as plt

from fsdl_course.setup.stations import ensure
from fsdl_deploy import figures
from fsdl_deploy.measuring.table import Table

figures.use()
running, measured = ExitStack(), {}  # what ends at the end of a part; what the claims are judged by

# %% [markdown]
# ## What each service wants from a model
#
# The utility has contracts with three clouds, and every team has a favourite start-up. Each wants the model
# in a form of its own: a class, two functions, a container, a folder. *Working with SageMaker is easier if
# your model is already in a common format*, says the lecture. How much easier, and is that SageMaker alone?
#
# Three models, for eight services. Two tell one digit: a **scikit-learn** pipeline, and a classifier of the
# **Hugging Face** kind (`config.json`, `model.safetensors`, `from_pretrained`). The third is our **reader**
# of whole cards. Each has been given to each service, in the fewest lines that work, and the lines are
# counted: those that are neither blank nor comment nor docstring; configuration counts like code.

# %%
from fsdl_deploy.managed import contracts

contracts.table()

# %% [markdown]
# The last column is for comparison: the adapters of the tool notebooks, in which a bad picture is answered by
# a sentence instead of a 500 (and, in three of them, a threshold says what a person reads). A
# cell below prints how many lines that care takes, and by how many the services differ.

# %%
figures.show(contracts.draw(), alt="Lines that each service wants for each of three models")

# %% [markdown]
# Two numbers for the lecture's sentence: the lines on SageMaker alone, and the median of all services.

# %%
measured["contract"] = contracts.counts()
measured["sagemaker_lines"] = {model: of["SageMaker"] for model, of in measured["contract"]["lines"].items()}
lines, count = measured["sagemaker_lines"], measured["contract"]
print("on SageMaker:", ", ".join(f"{model} {number}" for model, number in lines.items()), "lines")
print("median:", ", ".join(f"{model} {number:g}" for model, number in count["median"].items()))
print(f"behind our reader's adapter travel {count['own']:,} lines of our own package")
print(f"it takes more lines than both others in {count['most_for_reader']} of {count['services']} services")
print(f"services differ by {count['spread']} lines at most; errors that are worded take {count['care']:g}")

# %% [markdown]
# Is it the format that makes it easy? Where does a model in a common format take less than half of the lines
# that our reader takes?

# %%
for model in ("scikit-learn", "huggingface"):
    of, reader = count["lines"][model], count["lines"]["reader"]
    less = [name for name in of if of[name] < reader[name] / 2]
    print(f"{model}: in {len(less)} of {count['services']}: {', '.join(less)}")

# %% [markdown]
# Those are the services that have a wrapper for the library: it loads the file, and knows what comes in and
# goes out. Elsewhere a common format is one more class to write, as ours is.
#
# The adapter is the small part. A library that the service knows is installed there already or by one line of
# requirements; our package has to travel, and is ours to keep working on each of them.
#
# Do they answer as the model itself does? Each service's own server was started around each model and asked
# twenty times, where there is a server to be had without an account. Starting all of them takes minutes, so
# this is a record; `python infra/managed/contracts/record.py` makes it again.

# %%
measured["parity"] = contracts.parity()
contracts.trials_table()

# %% [markdown]
# *Not here*: the two containers that take a Hugging Face model as it is. They are the shortest of all, one
# setting or nothing, and can only be counted. *Server* is the service's own; where there is none without an
# account, the adapter's functions were *called*. One of them runs here and now: our reader as a container of
# one's own, as SageMaker wants it, asked for five cards.

# %%
from fsdl_deploy.managed.contract_servers import trial

sagemaker = next(entry for entry in contracts.contracts() if entry.name == "SageMaker")
with TemporaryDirectory() as folder:
    measured["own_container"] = trial(sagemaker, "reader", Path(folder), 5)
print(f"{measured['own_container'].same} of {measured['own_container'].count} answers are the reader's own")

# %% [markdown]
# ## Four services beside each other
#
# They differ less than their names. Each is shown in a notebook of its own; what only an account could show
# was read in the makers' documents, and is *unknown* where nothing was found.

# %%
from fsdl_deploy.managed import side_by_side

measured["side_by_side"] = side_by_side.counts()
side_by_side.table()

# %% [markdown]
# *All of the major cloud providers offer their managed service options*, says the lecture. Of the three
# clouds, how many read our card, with a server of their own or a container made to their contract?

# %%
clouds = ("Vertex AI", "Azure ML", "SageMaker")
tried = [entry for entry in contracts.trials() if entry["service"] in clouds and entry["model"] == "reader"]
right = sum(entry["same"] == entry["count"] for entry in tried)
measured["clouds"] = {"of": len(clouds), "read": right}
print(f"{measured['clouds']['read']} of {measured['clouds']['of']}")

# %% [markdown]
# ## What became of the platforms and start-ups
#
# *There are a number of startups offering solutions as well, like BentoML or Banana.* That was 2022. A list
# of those that the lecture names, as they could be found in November 2026; each row of the file has its
# source.

# %%
from fsdl_deploy.managed import platforms

measured["platforms"] = platforms.counts()
platforms.table()

# %% [markdown]
# What protects from the next end is the thin adapter: the same reader, package and all, was put into the form
# of each of eight services, in a dozen or two lines each.

# %%
print(f"{measured['platforms']['undated']} of the sources have no date")

# %% [markdown]
# ## Double-click on SageMaker
#
# What does a managed service take off our hands, and what does it want for it? Amazon's, which the lecture
# opens up, in one picture. You tell the **control plane** three things: a model (an image that answers
# `/ping` and `/invocations`), a configuration (which versions, on which machines, with which weights), and a
# name for it, the endpoint. The **data plane** starts the containers and sends them requests. Your
# application knows the name, and nothing else.
#
# ```mermaid
# flowchart LR
#     you["you: model, configuration, endpoint"] --> plane["control plane"]
#     app["application: invoke_endpoint"] --> data["data plane"]
#     data -. "weights" .-> plane
#     data -- "0.9" --> blue(["v2: /ping, /invocations"])
#     data -- "0.1" --> green(["v3-bad: /ping, /invocations"])
#     style blue fill:#d55e00,color:#fff
#     style green fill:#d55e00,color:#fff
# ```
#
# Here *moto*, a program that answers AWS's calls and only notes what it is asked to make, plays the control
# plane, and a small router of the course's, in front of our own service, plays the data plane. The clients
# are Amazon's, and belong to nobody: no account, no **profile** of yours (a key that is kept under a name).

# %% tags=["station:moto"]
from fsdl_deploy.managed import sagemaker_control as calls
from fsdl_deploy.managed.sagemaker_local import local_cloud

ensure("moto")
cloud = running.enter_context(local_cloud())
control, runtime = cloud.control, cloud.runtime
print(type(control), control.meta.endpoint_url)

# %% [markdown]
# On AWS it would be `control = boto3.client("sagemaker")`; that is the only difference. These are the calls
# that make an endpoint: a model for each version, a configuration, and the endpoint. `PrimaryContainer` names
# the image, and a variable in it says which version it is.

# %% tags=["station:moto"]
variants = []
for name, version, weight in (("blue", "v2", 0.9), ("green", "v3-bad", 0.1)):
    container = {"Image": calls.IMAGE, "Environment": {calls.VERSION: version}}
    control.create_model(
        ModelName=f"reader-{version}", ExecutionRoleArn=calls.ROLE, PrimaryContainer=container
    )
    machines = {"InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    names = {"VariantName": name, "ModelName": f"reader-{version}"}
    variants.append(names | machines | {"InitialVariantWeight": weight})
control.create_endpoint_config(EndpointConfigName="meter-1", ProductionVariants=variants)
control.create_endpoint(EndpointName="meter", EndpointConfigName="meter-1")
cloud.wait("meter")["weights"]

# %% [markdown]
# Your application needs one call, of the other client. Here it asks with a picture; which variant answered
# stands beside the reading.

# %% tags=["station:moto"]
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

pictures = [encode(card.image) for card in cards(10, "typical", seed=7)]
answer = runtime.invoke_endpoint(EndpointName="meter", ContentType="image/png", Body=pictures[0])
print(answer["InvokedProductionVariant"], json.load(answer["Body"])["predictions"][0]["digits"])

# %% [markdown]
# A new version gets a tenth of the requests, then half, then none: a step is one call that changes the
# weights. Each request is sent by chance, so the interval says how far chance may take the counts.

# %% tags=["station:moto"]
from fsdl_deploy.managed import sagemaker_measuring as measuring

shares = {}
for weight in (0.1, 0.5, 0.0):
    weights = {"blue": 1 - weight, "green": weight}
    begin = perf_counter()
    calls.shift(control, "meter", weights)
    cloud.wait("meter", weights=weights)
    moved = perf_counter() - begin
    counts = measuring.invoked(runtime, "meter", pictures, 120 if FAST else 1200)
    shares[weight] = measuring.intervals(counts, weights)["green"]
measured["managed_back"], measured["managed_bad_after"] = moved, counts["green"]

# %% [markdown]
# What the weights ask for (dots), and what `v3-bad` got (bars: the `95 %` interval of the counts):

# %% tags=["station:moto"]
figure, axes = plt.subplots(figsize=(6, 2.6))
for place, (_, (share, low, high)) in enumerate(shares.items()):
    axes.plot([low, high], [place, place], linewidth=6, color=figures.PALETTE[0], solid_capstyle="butt")
    axes.plot(share, place, "o", color="black")
axes.set(yticks=range(3), yticklabels=["a tenth", "half", "taken back"], xlim=(-0.02, 0.7))
axes.set(ylabel="step", xlabel="share of the requests")
axes.invert_yaxis()
figures.show(figure, alt="Three steps: the bars of what was counted lie around the dots of the weights")
print(f"taken back in {moved:.2f} s; requests to it afterwards: {counts['green']}")

# %% [markdown]
# Taking back is one call, since both versions run all the time. (The time is that of our router. AWS takes
# longer, and moves nothing at once.) That is also the price of it: each variant has a machine, and a machine
# is paid by the hour, with or without requests.

# %% tags=["station:moto"]
from fsdl_deploy.managed import prices

hour = prices.prices()["endpoint_m5_xlarge_hour"]
variants = control.describe_endpoint_config(EndpointConfigName="meter-1")["ProductionVariants"]
machines = sum(variant["InitialInstanceCount"] for variant in variants)
measured["idle_month"] = machines * hour.value * 730
print(f"{machines} machines × {hour.value:g} {hour.currency} an hour ({hour.date}) × 730 hours:", end=" ")
print(f"{measured['idle_month']:,.0f} {hour.currency} a month without a request")

# %% [markdown]
# And this is how it ends. Nothing else ends the bill:

# %% tags=["station:moto"]
calls.remove(control, "meter")
print(calls.endpoints(control), control.list_models()["Models"])

# %% [markdown]
# The lecture says that SageMaker *once had a reputation for being a difficult service to work with*, and
# that this is less so *for the clear-cut use case of model inference*. Four calls for two versions, a
# way back in one: that holds. Its own lines of code do not run any more, though.
# [SageMaker](tools/sagemaker.ipynb) goes all the way: shadow variants, serverless, AWS's own toolkit around
# our reader, and what has become of `estimator.deploy()`.

# %% [markdown]
# ## All of it, by one command
#
# The calls above made an endpoint and nothing around it. A real one also needs a **role** (what its container
# may do), a **bucket** (a folder in the cloud, for captured requests), a log, alarms, limits for its scaling,
# and a **budget** (a sum at which AWS sends a mail). Made by hand, one of these is forgotten; ended by hand,
# another is left and goes on costing.
#
# So the course has a command with three verbs: `fsdl-deploy managed aws deploy`, `status` and `destroy`. What
# it makes is in the settings, `infra/managed/aws/endpoint.toml`. Where it makes it is an option:
#
# - `--endpoint-url ADDRESS`: in an emulator on this machine, as below. moto keeps what it is asked to make
#   and runs nothing, so no request is answered here, and nothing costs anything.
# - `--profile NAME`: in your account on AWS, by the same calls, and for money.
#
# Before anything is made, the command prints what it will cost, and asks:

# %%
from fsdl_deploy.managed import aws_endpoint
from fsdl_deploy.managed.infrastructure_settings import settings

plan = settings()
print(aws_endpoint.price_said(plan))

# %% [markdown]
# With `--yes` it does not ask. The order matters: budget, log and alarms come before the endpoint,
# so that a deployment that breaks off costs nothing yet, or is watched already.

# %% tags=["station:moto"]
from fsdl_deploy.managed.aws_session import AwsSession

ensure("moto")
address = cloud.plane.url
session = AwsSession(plan.region, endpoint_url=address)
aws_endpoint.deploy(session, plan)

# %% [markdown]
# ## Infrastructure as code
#
# A command is one way. Others *describe* what there should be, and a program makes it so: CloudFormation is
# AWS's own, and makes a **stack** of all that one file describes; Terraform works with many clouds, through a
# **provider** (a plugin) for each. The same alarm in both: it rings when a variant has had no request for six
# hours. So it also rings for one that a rollout has taken back to weight 0, whose machine is still paid.

# %%
from fsdl_deploy.managed.infrastructure_settings import FOLDER

template, terraform = ((FOLDER / name).read_text().splitlines() for name in ("template.yaml", "main.tf"))
begin = template.index("  FirstIdleAlarm:")
print(*template[begin : begin + 14], sep="\n")
begin = terraform.index('resource "aws_cloudwatch_metric_alarm" "idle" {')
print("", *terraform[begin : begin + 17], sep="\n")

# %% [markdown]
# Three ways to the same endpoint must not drift apart. Each is checked by a program:
#
# | the check | what it looks at | what came out |
# |---|---|---|
# | a test of the course | both files against the command: each resource and each setting | the same |
# | `cfn-lint`, AWS's own linter | whether AWS would understand the template | no complaint |
# | checkov | what is open, unlogged or unencrypted | only what we leave out on purpose |
# | moto | makes a stack of the template | all but budget, alarms and scaling |
# | `terraform validate` | the other file | not run: it fetches AWS's provider first |
#
# A **linter** reads a file and runs nothing. What checkov would still like to see, and why this endpoint goes
# without, is a list in `infra/managed/aws/checkov.yaml`, a reason in each line.

# %% [markdown]
# ## Who may do that?
#
# Whoever deploys needs rights, and a model that runs needs others. A **policy** lists them: each statement
# allows (or denies) actions on resources, and what no statement allows is denied. This is the policy of the
# endpoint's own role, in `narrow`; an **ARN** is the full name of a resource, with its account. Read it
# first, and say for yourself what the container may do with its bucket.

# %%
from fsdl_deploy.managed.infrastructure import bucket_of, role_policy, statements

account = "123456789012"
narrow = role_policy(plan, account)
statements(narrow)

# %% [markdown]
# It may put objects below `captured/` of one bucket, and read none. Now suppose that somebody breaks into the
# container. These are the calls that they try; beside the narrow policy stands one that allows everything.

# %%
from fsdl_deploy.managed.iam import AwsCall, decide

everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
wide = {"Version": "2012-10-17", "Statement": [everything]}
bucket = f"arn:aws:s3:::{bucket_of(plan.name, account, plan.region)}"
tries = [
    AwsCall("s3:PutObject", f"{bucket}/captured/card.json"),
    AwsCall("s3:GetObject", f"{bucket}/captured/card.json"),
    AwsCall("s3:DeleteBucket", bucket),
    AwsCall("iam:CreateUser", f"arn:aws:iam::{account}:user/eve"),
]

# %% [markdown]
# `decide` applies AWS's rules to a call:

# %%
rows = [[call.action, decide([narrow], call), decide([wide], call)] for call in tries]
Table(["call", "the endpoint's own policy", 'a policy with "*"'], *rows)

# %% [markdown]
# ## Is your own profile safe from this notebook?
#
# Perhaps you have an account, and AWS's client looks for its key in a dozen places. So we set a made-up
# profile in all of them, in a home of its own, run the command there, and let Python report each file below
# `.aws` that it opens, and each host that it connects to.

# %% tags=["station:moto"]
from fsdl_deploy.managed.aws_profile import watched

run = watched("managed", "aws", "status", "--endpoint-url", address)
print(f"opened below .aws: {sorted(run.opened) or 'nothing'}; connected to: {sorted(run.connected)}")
measured["profile_files_opened"] = len(run.opened)
assert run.status == 0 and not run.opened and run.connected == {"127.0.0.1"} and run.kept

# %% [markdown]
# And without an address it does not guess: it asks you to name a profile.

# %%
from fsdl_deploy.managed.aws_profile import watched

run = watched("managed", "aws", "deploy", "--yes")
print(run.errors)
assert run.status == 1 and not run.opened and not run.connected

# %% [markdown]
# ## The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured on your machine
# or from a record that they show; the rules stand in `notebooks/claims.toml`. Its claims about prices are in
# the next lesson.

# %%
from fsdl_course.claims import claims

claims("09", measured)

# %% [markdown]
# ## When it fails
#
# ### Killed half-way
#
# Programs die, and an afternoon's experiment ends when the laptop is closed. Here a deployment is killed at
# the worst moment: the endpoint runs, and nothing after it is made. Does `destroy` find all that is there?
# (The tests kill it between any two changes.)

# %% tags=["station:moto"]
aws_endpoint.destroy(session, plan.name, tell=lambda line: None)
killed = AwsSession(plan.region, endpoint_url=address)


def pull_the_plug(action):
    if action == "application-autoscaling:RegisterScalableTarget":
        raise KeyboardInterrupt(f"killed before {action}")


killed.before_each_call(pull_the_plug)

# %% [markdown]
# `destroy` finds what is there by name and **tag** (a label on a resource), not by what was planned.

# %% tags=["station:moto"]
try:
    aws_endpoint.deploy(killed, plan, tell=lambda line: None)
except KeyboardInterrupt as interrupt:
    print(interrupt)
half = list(aws_endpoint.present(session, plan.name))
left = aws_endpoint.destroy(session, plan.name, tell=lambda line: None)
print(f"{len(half)} resources were there; after `destroy` {len(left)} are left")
measured["left_after_a_kill"] = len(left)

# %% [markdown]
# ### The endpoint left running
#
# Friday, six in the evening: somebody deploys it for a trial and goes home. The bill does not ask whether
# anybody uses it. We deploy it, and look at it as if it were Monday, eight o'clock.

# %% tags=["station:moto"]
from datetime import UTC, datetime, timedelta

aws_endpoint.deploy(session, plan, tell=lambda line: None)
weekend = timedelta(hours=62)
monday = aws_endpoint.status(session, plan, now=datetime.now(UTC) + weekend)
print(str(monday).splitlines()[-1])
measured["weekend_usd"] = monday.cost

# %% [markdown]
# What would have told us, and when? The alarm for a variant without requests, and the budget. (AWS computes
# costs some hours late, up to a day, so the budget's mail comes later still.)

# %%
hours, hourly = list(range(121)), plan.hourly()
budget_hour = 0.8 * plan.budget / hourly
figure, axes = plt.subplots(figsize=(7, 2.8))
axes.plot(hours, [hour * hourly for hour in hours], label="what it has cost")
for hour, what in ((plan.idle_hours, "alarm: no requests"), (budget_hour, "budget: a mail at 80 %")):
    axes.plot(hour, hour * hourly, "o", label=what)
axes.axvline(62, color="black", linestyle=":", label="Monday, eight o'clock")
axes.set(xlabel="hours since it was deployed", ylabel="USD")
axes.legend()
figures.show(figure, alt="Cost rises with the hours; the alarm rings near its start, the budget days later")

# %% [markdown]
# In words: what either of them lets pass. This is arithmetic with the settings: moto rings nothing, and
# without a `mail` in the settings, as above, AWS would have told nobody.

# %%
print(f"the alarm rings after {plan.idle_hours} h, at {plan.idle_hours * hourly:.2f} USD")
print(f"the budget of {plan.budget:.0f} USD writes after {budget_hour:.0f} h,", end=" ")
print(f"at {budget_hour * hourly:.2f} USD, or a day later")
print(f"forgotten for a year: {24 * 365 * hourly:,.0f} USD")
measured["budget_hour"] = budget_hour
assert plan.idle_hours < 62 < budget_hour  # the weekend: the alarm rings, the budget stays silent

# %% [markdown]
# So a budget alone would have said nothing before Monday. And an alarm that is a mail ends nothing: somebody
# has to. `destroy` names what is left and ends with status 1 if anything is.

# %% tags=["station:moto"]
left = aws_endpoint.destroy(session, plan.name)
print("left:", left or "nothing")

# %% [markdown]
# moto ends with the notebook, or here.

# %% tags=["station:moto"]
running.close()

# %% [markdown]
# ## Questions
#
# **Question:** Your model is one file that a library knows, and a cloud has a container for that library.
# What do you still have to write, and what would change with a model of your own?
#
# <details><summary>Answer</summary>
# Nearly nothing, or nothing: a setting that says where the file is. A model of your own needs the lines that
# load it and translate a request into its input, and its package has to travel. Most of those lines are the
# same on every service, so keep them in one place.
# </details>
#
# **Question:** Taking `v3-bad` back was one call. What did that convenience cost while `v3-bad` got no
# request at all?
#
# <details><summary>Answer</summary>
# Its machine. A variant with weight 0 keeps its instances, and they are paid by the hour. That is the price
# of a quick way back, and the reason to end a variant once nobody wants to go back to it.
# </details>
#
# **Question:** The budget of the settings sends a mail at `80 %`. Why did it stay silent over the weekend,
# and what did not?
#
# <details><summary>Answer</summary>
# A budget looks at the sum of a month, and a weekend of one endpoint is a small part of that. The alarm looks
# at a variant's requests: six hours without one, and it rings. Neither ends anything; `destroy` does.
# </details>
#
# ## Take-aways
#
# - Keep the adapter thin, and the model in a common format: then the next move costs a few lines.
# - A managed endpoint is a model, a configuration and a name. A rollout changes weights, and so does the way
#   back.
# - What you start by a script, end by the script, and look whether it is gone.
# - A policy is tested like code: with calls that must be allowed, and calls that must not.
#
# ## Where to go next
#
# - [Managed costs](09b_managed_costs.ipynb): what a month costs in each place, and which assumption decides.
# - [SageMaker](tools/sagemaker.ipynb): shadow variants, serverless, AWS's own toolkit, and its SDK of today.
# - [MLflow serving](tools/mlflow_serving.ipynb): what Databricks serves, on this machine.
# - [Vertex AI](tools/vertex.ipynb) and [Azure ML](tools/azure_ml.ipynb): the two other clouds' own servers.
# - [Lab 08](../labs/lab08/lab08.ipynb): an adapter, a bill, a break-even, a policy, and an endpoint left
#   running.
