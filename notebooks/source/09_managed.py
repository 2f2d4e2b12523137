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
# The lecture's *Managed options* are the big clouds, end-to-end platforms and start-ups. It opens up one of
# them, Amazon's SageMaker. We have no account, and need none: what can run here runs here. What a month costs
# is the subject of the next lesson, [Managed costs](09b_managed_costs.ipynb).
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
# In somebody else's container, on somebody else's machine. What is yours is the model, an **adapter** (the
# few lines that translate the service's requests for the model), and the bill.
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
# of whole cards. Each has been given to each service, in the fewest lines that work. Blank lines, comments
# and docstrings do not count; configuration does.
#
# **Your turn:** On how many of the eight services does the Hugging Face model need less than half of our
# reader's lines? And on how many does it need *more* lines than our reader? Write both numbers down, then run
# the cell.

# %%
from fsdl_deploy.managed import contracts

contracts.table()

# %% [markdown]
# The last column is for comparison: the adapters of the tool notebooks, which answer a bad picture with an
# error message instead of a bare 500 (and three of them leave unsure cards to a person). A cell below prints
# how many lines that care takes, and by how many the services differ.

# %%
figures.show(contracts.draw(), alt="Lines that each service wants for each of three models")

# %% [markdown]
# Two numbers for the lecture's sentence: the lines on SageMaker alone, and the median of all services (half
# of them need more lines than that, half need fewer).

# %%
measured["contract"] = contracts.counts()
measured["sagemaker_lines"] = {model: of["SageMaker"] for model, of in measured["contract"]["lines"].items()}
lines, count = measured["sagemaker_lines"], measured["contract"]
print("on SageMaker:", ", ".join(f"{model} {number}" for model, number in lines.items()), "lines")
print("median:", ", ".join(f"{model} {number:g}" for model, number in count["median"].items()))
print(f"behind our reader's adapter travel {count['own']:,} lines of our own package")
print(f"it takes more lines than both others in {count['most_for_reader']} of {count['services']} services")
print(f"services differ by {count['spread']} lines at most; error messages take {count['care']:g} more lines")

# %% [markdown]
# Is it the format that makes it easy? Your two numbers, counted: where a common format takes less than half
# of our reader's lines, and where it takes more.

# %%
for model in ("scikit-learn", "huggingface"):
    of, reader = count["lines"][model], count["lines"]["reader"]
    less = [name for name in of if of[name] < reader[name] / 2]
    more = [name for name in of if of[name] > reader[name]]
    print(f"{model}: less than half in {len(less)} of {count['services']}: {', '.join(less)}")
    print(f"    more lines than the reader in {len(more)}: {', '.join(more) or 'none'}")

# %% [markdown]
# It is short where the service has a wrapper for the library: the wrapper loads the file, and knows what
# comes in and goes out. Elsewhere a common format is one more class to write, as our reader is.
#
# The adapter is the small part. A library that the service knows is installed there already, or by one line
# of requirements. Our package has to travel, and we have to keep it working on each of them.
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
# They differ less than their names do. Each has a notebook of its own. What only an account could show was
# read in the makers' documents; it is *unknown* where nothing was found.

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
# *There are a number of startups offering solutions as well, like BentoML or Banana.* That was 2022. Here is
# what could be found in November 2026 of those that the lecture names; each row of the file has its source.

# %%
from fsdl_deploy.managed import platforms

measured["platforms"] = platforms.counts()
platforms.table()

# %% [markdown]
# A thin adapter protects you when the next one closes. The same reader, package and all, was put into the
# form of each of eight services, in a dozen or two lines each.

# %%
print(f"{measured['platforms']['undated']} of the sources have no date")

# %% [markdown]
# ## Double-click on SageMaker
#
# What does a managed service take off our hands, and what does it want for it? Here is SageMaker in one
# picture, with the versions of [lesson 08](08_rollouts.ipynb): `v2`, and `v3-bad`, which has a bug. You tell
# the **control plane** three things: a model (an image that answers `/ping` and `/invocations`), a
# configuration (which versions, on which machines, with which weights), and a name for it, the endpoint. The
# **data plane** starts the containers and sends them requests. Your application knows the name, and nothing
# else.
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
# plane. A small router of the course's, in front of our own service, plays the data plane. The clients are
# Amazon's own, with made-up keys: they use no account, and no **profile** of yours (a key that is kept under
# a name).

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
# The new version gets a tenth of the requests, then half, then none. A step is one call that changes the
# weights. Each request goes to a variant by chance, so the interval says how far chance may take the counts.

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
measuring.draw_steps(dict(zip(("a tenth", "half", "taken back"), shares.values())))
print(f"taken back in {moved:.2f} s; requests to it afterwards: {counts['green']}")

# %% [markdown]
# Taking back is one call, since both versions run all the time. (The time is that of our router. AWS takes
# longer, and moves nothing at once.) That readiness has a price: each variant has a machine, and a machine is
# paid by the hour, with or without requests.

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
# The lecture says that SageMaker *once had a reputation for being a difficult service to work with*, and that
# this is less so *for the clear-cut use case of model inference*. Four calls for two versions, and one call
# back: that agrees. The lecture's own lines of code no longer run, though. [SageMaker](tools/sagemaker.ipynb)
# goes all the way: shadow variants, serverless, AWS's own toolkit around our reader, and what has become of
# `estimator.deploy()`.

# %% [markdown]
# ## All of it, by one command
#
# The calls above made an endpoint and nothing around it. A real one also needs a **role** (what its container
# may do), a **bucket** (a folder in the cloud, for captured requests), a log, alarms, limits for its scaling,
# and a **budget** (a sum at which AWS sends a mail). Whoever makes these by hand forgets one, and whoever
# removes them by hand leaves another, which goes on costing.
#
# So the course has a command with three verbs: `fsdl-deploy managed aws deploy`, `status` and `destroy`. The
# settings, `infra/managed/aws/endpoint.toml`, say what it makes. An option says where:
#
# - `--endpoint-url ADDRESS`: in an emulator on this machine, as below. moto notes what it is asked to make
#   and runs none of it, so no request is answered here, and nothing costs money.
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
# | checkov, a security linter | what is open, unlogged or unencrypted | only what we leave out on purpose |
# | moto | makes a stack of the template | all but budget, alarms and scaling |
# | `terraform validate` | the other file | not run: it fetches AWS's provider first |
#
# A **linter** reads a file and runs nothing. What checkov still asks for is listed in
# `infra/managed/aws/checkov.yaml`, each line with the reason why this endpoint goes without.

# %% [markdown]
# ## Who may do that?
#
# Whoever deploys needs rights, and a model that runs needs others. A **policy** lists them: each statement
# allows (or denies) actions on resources, and what no statement allows is denied. This is the policy of the
# endpoint's own role, in `narrow`; an **ARN** is the full name of a resource, with its account.
#
# Read it with a question in mind: the container keeps some requests in its bucket. May it also read them
# back?

# %%
from fsdl_deploy.managed.infrastructure import bucket_of, role_policy, statements

account = "123456789012"
narrow = role_policy(plan, account)
statements(narrow)

# %% [markdown]
# It may put objects below `captured/` of one bucket, and read none: no statement allows `s3:GetObject`, and
# what is not allowed is denied. Now suppose that somebody breaks into the container. These are the calls that
# they try; beside the narrow policy stands one that allows everything.

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
# Perhaps you have an account, and AWS's client looks for its key in a dozen places. So we put a made-up
# profile into all of them, in a home folder made for this, and run the command there. Python reports each
# file below `.aws` that it opens, and each host that it connects to.

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
# Two things could have warned us: the alarm for a variant without requests, and the budget, which writes at
# `80 %` of the sum in the settings. (AWS computes costs some hours late, up to a day, so the budget's mail
# comes later still.)
#
# **Your turn:** It is Monday, eight o'clock. Which of the two has rung: both, one, neither? Write it down.

# %%
from fsdl_deploy.managed import cost_figures

hourly, monday_hour = plan.hourly(), 62
budget_hour = 0.8 * plan.budget / hourly
cost_figures.forgotten(plan, budget_hour, back=monday_hour)

# %% [markdown]
# In words: what it has cost when each of them rings. This is arithmetic with the settings: moto rings
# nothing, and without a `mail` in the settings, as here, AWS would have written to nobody.

# %%
print(f"the alarm rings after {plan.idle_hours} h, at {plan.idle_hours * hourly:.2f} USD")
print(f"the budget of {plan.budget:.0f} USD writes after {budget_hour:.0f} h,", end=" ")
print(f"at {budget_hour * hourly:.2f} USD, or a day later")
print(f"forgotten for a year: {24 * 365 * hourly:,.0f} USD")
measured["budget_hour"] = budget_hour
assert plan.idle_hours < monday_hour < budget_hour  # the weekend: the alarm rings, the budget stays silent

# %% [markdown]
# So a budget alone would have said nothing before Monday: it compares with a whole month, and one forgotten
# endpoint fills that slowly. The alarm asks about requests, and there were none from the first hour on. But a
# mail ends nothing; somebody has to. `destroy` names what is left and ends with status 1 if anything is.

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
# at a variant's requests: six hours without one, and it rings. Neither ends anything; <code>destroy</code>
# does.
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
# **Cheat sheet.**
#
# - SageMaker wants an image that answers `GET /ping` and `POST /invocations` on port 8080.
# - To make an endpoint: `create_model`, `create_endpoint_config`, `create_endpoint`. To ask it:
#   `invoke_endpoint`, of the client `sagemaker-runtime`.
# - A step of a rollout, and the way back: `update_endpoint_weights_and_capacities`.
# - To end it: `delete_endpoint`, then the configuration and the models. Look whether `list_endpoints` is
#   empty.
# - `fsdl-deploy managed aws deploy`, `status`, `destroy`, with `--endpoint-url` for an emulator or
#   `--profile` for your account.
# - A policy: what no statement allows is denied, and a `Deny` wins over every `Allow`.
#   `iam.decide([policy], AwsCall(action, resource))` tries it.
# - Before you go home: an alarm for no requests, a budget, and `destroy`.
#
# **Sources.** [Real-time endpoints](https://docs.aws.amazon.com/sagemaker/latest/dg/realtime-endpoints.html)
# and [containers of your
# own](https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html) in SageMaker, [how
# IAM decides](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html),
# [custom containers on Vertex
# AI](https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements), [Azure's online
# endpoints](https://learn.microsoft.com/azure/machine-learning/concept-endpoints-online),
# [moto](https://docs.getmoto.org/en/latest/).
#
# ## Where to go next
#
# - [Managed costs](09b_managed_costs.ipynb): what a month costs in each place, and which assumption decides.
# - [SageMaker](tools/sagemaker.ipynb): shadow variants, serverless, AWS's own toolkit, and its SDK of today.
# - [MLflow serving](tools/mlflow_serving.ipynb): what Databricks serves, on this machine.
# - [Vertex AI](tools/vertex.ipynb) and [Azure ML](tools/azure_ml.ipynb): the two other clouds' own servers.
# - [Lab 08](../labs/lab08/lab08.ipynb): an adapter, a bill, a break-even, a policy, and an endpoint left
#   running.
