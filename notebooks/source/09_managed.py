# %% [markdown]
# # Managed options: let somebody else run it, and know what that costs
#
# **Minutes:** 100 · **Prerequisites:** [Rollouts](08_rollouts.ipynb) · **Truth:** runs against an emulator
#
# ## The need
#
# The utility has one engineer who understands nginx, and she is on holiday. A salesman says: give us the
# model, and never think of servers again. What would we have to give, what would we get, and what would a
# month cost?
#
# The lecture's *Managed options* are the big clouds, end-to-end platforms and start-ups. It opens one of
# them up, SageMaker, and makes two claims about prices. We have no account, and need none: what can run here
# runs here.
#
# ## You will learn
#
# - what each managed service wants from a model, and why a common format helps
# - SageMaker's calls from a model to an endpoint, a rollout by weights, and the way out
# - to write an endpoint down as code, and to end it so that nothing is left to pay
# - to compare places by a month's bill, find where two of them meet, and say which assumption decides

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
import inspect
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import matplotlib.pyplot as plt
from IPython.display import Code, display

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
# a sentence instead of a 500 (and, in three of them, a threshold says what a person reads). What that care
# takes is printed below, beside the difference between services.

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
print(f"it takes the most lines in {count['most_for_reader']} of {count['services']} services")
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
# setting or nothing, and can only be counted. One of them all runs now, in this environment: our reader as a
# container of one's own, as SageMaker wants it, asked for five cards.

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
# Here *moto* plays the control plane, and a small router of the course's, in front of our own service, plays
# the data plane. The clients are Amazon's, and belong to nobody: no account, no profile of yours.

# %% tags=["station:moto"]
from fsdl_deploy.managed import sagemaker_control as calls
from fsdl_deploy.managed.sagemaker_local import local_cloud

ensure("moto")
cloud = running.enter_context(local_cloud())
models = [calls.create_model(cloud.control, version) for version in ("v2", "v3-bad")]
variants = [calls.variant("blue", models[0], 0.9), calls.variant("green", models[1], 0.1)]
calls.create_endpoint(cloud.control, "meter", variants)
cloud.wait("meter")["weights"]

# %% [markdown]
# These are the calls, the same as on AWS:

# %% tags=["station:moto"]
Code(inspect.getsource(calls.create_endpoint), language="python")

# %% [markdown]
# A new version gets a tenth of the requests, then half, then none: a step is one call that changes the
# weights. Each request is sent by chance, so the interval says how far chance may take the counts.

# %% tags=["station:moto"]
from fsdl_deploy.cards import cards
from fsdl_deploy.managed import sagemaker_measuring as measuring
from fsdl_deploy.picture import encode

pictures = [encode(card.image) for card in cards(10, "typical", seed=7)]
shares = {}
for weight in (0.1, 0.5, 0.0):
    weights = {"blue": 1 - weight, "green": weight}
    begin = perf_counter()
    calls.shift(cloud.control, "meter", weights)
    cloud.wait("meter", weights=weights)
    moved = perf_counter() - begin
    counts = measuring.invoked(cloud.runtime, "meter", pictures, 120 if FAST else 1200)
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
variants = cloud.control.describe_endpoint_config(EndpointConfigName="meter-1")["ProductionVariants"]
machines = sum(variant["InitialInstanceCount"] for variant in variants)
measured["idle_month"] = machines * hour.value * 730
print(f"{machines} machines × {hour.value:g} {hour.currency} an hour ({hour.date}) × 730 hours:", end=" ")
print(f"{measured['idle_month']:,.0f} {hour.currency} a month without a request")

# %% [markdown]
# And this is how it ends. Nothing else ends the bill:

# %% tags=["station:moto"]
calls.remove(cloud.control, "meter")
print(calls.endpoints(cloud.control), cloud.control.list_models()["Models"])

# %% [markdown]
# The lecture says that SageMaker *once had a reputation for being a difficult service to work with*, and
# that this is less so *for the clear-cut use case of model inference*. Three calls, a way back in one: that
# holds. Its own lines of code do not run any more, though. [SageMaker](tools/sagemaker.ipynb) goes all the
# way: shadow variants, serverless, AWS's own toolkit around our reader, and what has become of
# `estimator.deploy()`.

# %% [markdown]
# ## All of it, by one command
#
# An endpoint is more than a model: a role, a bucket, a log, alarms, limits for its scaling, a budget.
# Whoever makes these by hand forgets one, and whoever ends them by hand forgets another. So a command makes
# them: `fsdl-deploy managed aws deploy`, from the settings in `infra/managed/aws/endpoint.toml`. It runs the
# same against AWS (`--profile NAME`) and against *moto* (`--endpoint-url ADDRESS`), a program that keeps
# what AWS's client tells it and runs nothing. Here it is moto, on any system; what a real endpoint answers
# is in the tool notebook on SageMaker.
#
# Before anything is made, the command says what it will cost, and asks:

# %%
from fsdl_deploy.managed import aws_endpoint
from fsdl_deploy.managed.infrastructure_settings import settings

plan = settings()
print(aws_endpoint.price_said(plan))

# %% [markdown]
# With `--yes` it does not ask. What warns is made before what costs.

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
# AWS's own, Terraform works with many clouds. The same alarm in both: it rings when nobody has asked for six
# hours.

# %%
from fsdl_deploy.managed.infrastructure_settings import FOLDER

template, terraform = ((FOLDER / name).read_text().splitlines() for name in ("template.yaml", "main.tf"))
begin = template.index("  FirstIdleAlarm:")
print(*template[begin : begin + 14], sep="\n")
begin = terraform.index('resource "aws_cloudwatch_metric_alarm" "idle" {')
print("", *terraform[begin : begin + 17], sep="\n")

# %% [markdown]
# The course's tests work out both files and hold them against the command: the same resources with the same
# settings, name by name. AWS's linter (`cfn-lint`) has nothing to say about the template, and checkov, which
# looks for what is open or unlogged, only what `infra/managed/aws/checkov.yaml` leaves out on purpose. moto
# makes a stack of the template, except for budget, alarms and scaling. What nobody has checked here is
# `terraform validate`: it fetches AWS's provider first.
#
# ## Killed half-way
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
# `destroy` finds what is there by tag and name, not by what was planned.

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
# ## The endpoint left running
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
# What would have told us, and when? The alarm that nobody asks, and the budget. (AWS computes costs some
# hours late, up to a day, so the budget's mail comes later still.)

# %%
hours, hourly = list(range(121)), plan.hourly()
budget_hour = 0.8 * plan.budget / hourly
figure, axes = plt.subplots(figsize=(7, 2.8))
axes.plot(hours, [hour * hourly for hour in hours], label="what it has cost")
for hour, what in ((plan.idle_hours, "alarm: nobody asks"), (budget_hour, "budget: a mail at 80 %")):
    axes.plot(hour, hour * hourly, "o", label=what)
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
# ## Who may do that?
#
# Whoever deploys needs rights, and a model that runs needs others. A policy says which. This is the role of
# the endpoint itself; `decide` applies AWS's rules to a call.

# %%
from fsdl_deploy.managed.iam import AwsCall, decide
from fsdl_deploy.managed.infrastructure import bucket_of, role_policy

account = "123456789012"
narrow, everything = role_policy(plan, account), {"Effect": "Allow", "Action": "*", "Resource": "*"}
wide = {"Version": "2012-10-17", "Statement": [everything]}
bucket = f"arn:aws:s3:::{bucket_of(plan.name, account, plan.region)}"
calls = [
    AwsCall("s3:PutObject", f"{bucket}/captured/card.json"),
    AwsCall("s3:GetObject", f"{bucket}/captured/card.json"),
    AwsCall("s3:DeleteBucket", bucket),
    AwsCall("iam:CreateUser", f"arn:aws:iam::{account}:user/eve"),
]

# %% [markdown]
# If somebody breaks into the container, these are the calls that they try:

# %%
rows = [[call.action, decide([narrow], call), decide([wide], call)] for call in calls]
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
# moto ends with the notebook, or here.

# %% tags=["station:moto"]
running.close()

# %% [markdown]
# ## What it costs
#
# The utility's board asks for three figures: what a month costs in each place, from how many cards on the
# answer changes, and how sure we are. Prices change, so the course keeps them in a file, each with its
# currency, unit, region, date and source, and with a word on the source: the provider's own list, a dated
# copy of it, or somebody else's table. A row that lacks one of these is refused.
#
# No account is needed, and nothing here asks a network; it runs alike on Linux, Windows and macOS.

# %%
from fsdl_deploy.managed import prices

known = prices.prices()
origins = [price.origin for price in known.values() if not price.limit]
read_on = [price.date for price in known.values() if not price.limit]
print(f"{len(origins)} prices, read from {min(read_on)} to {max(read_on)};", end=" ")
print({words: origins.count(origin) for origin, words in prices.ORIGINS.items()})
prices.table([name for name in known if name.startswith(("endpoint", "ec2", "function_million"))])

# %% [markdown]
# ### More expensive than EC2?
#
# The lecture: SageMaker is *~50-100% more expensive than raw EC2, depending on instance type*. The same
# machine has two prices, so a division tests it. The last two lines are older: a price that texts of 2025
# still quote, and a bill of December 2023.

# %%
from fsdl_deploy.managed import premiums

today = [premium.more for premium in premiums.premiums(premiums.ENDPOINTS)]
older = [premium.more for premium in premiums.premiums(premiums.EARLIER)]
measured["premium"] = {"least": min(today), "most": max(today), "older": max(older)}
print(f"by the table {min(today):+.0%} to {max(today):+.0%}; at older prices up to {max(older):+.0%}")
premiums.table(premiums.ENDPOINTS | premiums.EARLIER)

# %% [markdown]
# At list price no line reaches the lecture's `50 %`. The older prices do not either: none that we have a
# source for explains the lecture's upper end. But an hour's price is not the bill. An endpoint brings its
# balancer along, which EC2 charges for, and charges for each gigabyte that goes through, which EC2 does not.
# Which weighs more depends on the month, as the next tables show.
#
# ### More expensive than Lambda?
#
# *Serverless is a better deal: ~20% more expensive than Lambda.* First a second of a gigabyte, and then the
# whole bill of a million calls: Lambda has a fee for each request, the endpoint one for its data, and its
# memory comes in steps of `1024 MB`.

# %%
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.shapes import shapes

(memory,) = premiums.premiums(premiums.MEMORY)
measured["serverless_premium"] = memory.more
display(premiums.table(premiums.MEMORY))
CARDS, SHAPE = 5_000_000, "spiky"  # a month, and how they come: "steady", "office", "spiky"
month = Month.recorded(CARDS, shapes()[SHAPE].peak)
premiums.of_a_call(month, (0.001, 0.01, 0.1, 1.0))

# %% [markdown]
# The price of a second agrees with the lecture to the digit. The bill is higher than that, because a function
# can have exactly the memory of one core and the endpoint must take the next step.
#
# ### What a reading takes
#
# Prices are only half of it; the other half was measured in earlier lessons. A row with one run has no
# spread. The service's row is the whole way of a card: HTTP, JSON, the picture's file, the model.

# %%
from fsdl_deploy.managed import measured_rates

call = measured_rates.function_call()
print(f"the recorded function's two warm calls: {1000 * call.quickest:.1f} ms", end=" ")
print(f"and {1000 * call.median:.1f}; a cold one {1000 * call.cold:.0f}")
measured_rates.table()

# %% [markdown]
# ### A month, in each place
#
# Places that are paid by the hour need enough cores for the busiest hour: no more than `60 %` busy, `99 %`
# of the cards waiting for less than `0.1 s`, and two instances at least, in two zones, so that one may die.
# The answers' way to the Internet, the log's lines and the balancer are in the bill. A vCPU counts as one
# core of the machine that measured, also an Arm one (`m7g`): an assumption, which is turned further below.
# `busy` is the share of the month in which these cores have work.

# %%
from fsdl_deploy.managed import hosting

bills = {bill.place: bill for bill in hosting.bills(month)}
measured["month"] = {place: bill.total for place, bill in bills.items()}
measured["serverless_bill"] = bills[hosting.SERVERLESS].total / bills[hosting.LAMBDA].total - 1
first, last = min(bills.values(), key=lambda bill: bill.total), bills[hosting.ENDPOINT]
print(f"{first.place} {first.total:,.2f} USD, {last.place} {last.total:,.2f}")
print({line: round(dollars, 2) for line, dollars in last.lines.items()})
hosting.table(month)

# %% [markdown]
# In our month the cheapest place costs next to nothing, and most of what the others cost is for machines
# that wait. `fsdl-deploy managed costs --readings 5e6` prints this table in a terminal, `--price NAME=VALUE`
# with a price of yours.
#
# ### Break-even
#
# The same places for all sizes of month, if the cards come in office hours. Both axes are logarithmic.

# %%
from fsdl_deploy.managed import break_even, cost_figures

office = Month.recorded(CARDS, shapes()["office"].peak)
cost_figures.bills(office)

# %% [markdown]
# Where exactly do instances become cheaper than the function, and how busy are they there?

# %%
meetings = break_even.crossings(hosting.LAMBDA, hosting.EC2, office)
measured["break_even"] = meetings[0].readings
for place in (hosting.FARGATE, "EC2 m7g.large", hosting.EC2, hosting.ENDPOINT):
    (meeting,) = break_even.crossings(hosting.LAMBDA, place, office)
    print(f"{place} is cheaper than Lambda from {meeting.readings / 1e6:,.0f} million readings a month on")
busy = hosting.bill(hosting.EC2, replace(office, readings=meetings[0].readings)).busy
print(f"where it meets two c5.xlarge, their eight cores are busy for {busy:.0%} of the month")
measured["busy_at_break_even"] = busy

# %% [markdown]
# That is more cards than most countries have meters. Is there always one such number? Instances come whole,
# so their bill is a staircase, and a straight line may cross it many times. Here the busiest hour has `6`
# times the mean:

# %%
evenings = Month.recorded(CARDS, 6.0)
several = break_even.crossings(hosting.LAMBDA, hosting.FARGATE, evenings)
print([f"{crossing.readings / 1e6:,.0f} M: {crossing.above}" for crossing in several])
measured["crossings"] = len(several)
cost_figures.bills(evenings, None, (hosting.LAMBDA, hosting.FARGATE), (1.5e8, 5e8), log=False)

# %% [markdown]
# So "the break-even" is a region, not a number: a bisection over the whole range would report one of these
# points and keep silent about the others. The course's code looks the steps up first.
#
# ### Which assumption decides?
#
# Some inputs are measured, some are guesses. Turn each, while the others stay, from its low to its high end:
# a bar that crosses the line at 1 can change the choice. The month has `100` million cards in office hours.

# %%
from fsdl_deploy.managed import sensitivity

PAIR = (hosting.LAMBDA, hosting.FARGATE)
rows = sensitivity.turned(*PAIR, replace(office, readings=1e8))
measured["deciding"] = [row.range.name for row in rows if row.decides]
print("these decide:", ", ".join(measured["deciding"]))
cost_figures.tornado(rows, PAIR)

# %% [markdown]
# The same as a table, with the value of each at which the choice would flip while the others stay:

# %%
sensitivity.table(rows, PAIR)

# %% [markdown]
# The model's own bar is among the shortest, since it was turned only as far as its measurements lie apart.
# Within that, what decides is how many cards come, what a call is billed for *besides* reading, how often an
# instance starts cold, and how many machines stand by. The last column says how wrong a guess would have to
# be. (The model that was deployed first takes seventy times as long: with that one every bill is another.)
#
# ### The shape of the traffic
#
# *Serverless makes sense if you can get away with CPUs and traffic is spiky or low-volume.* Three shapes and
# four sizes of month, from our first utility to two hundred of ours:

# %%
from fsdl_deploy.managed import shapes as traffic_shapes
from fsdl_deploy.managed import takeaways

places = takeaways.cheapest(month)
serverless = {cell for cell, place in places.items() if place in takeaways.WITHOUT_SERVERS}
measured["spiky_or_low"] = all(cell in serverless for cell in places if cell[0] == "spiky" or cell[1] <= 5)
measured["steady_and_many"] = ("steady", max(takeaways.MILLIONS)) in serverless
spiky, steady = ("is" if measured[n] else "is not" for n in ("spiky_or_low", "steady_and_many"))
measured["spiky_says"] = (
    f"it {spiky} cheapest in every spiky or small month, and {steady} in the largest steady one"
)
measured["serverless_share"] = len(serverless) / len(places)
traffic_shapes.table(month, takeaways.MILLIONS)

# %% [markdown]
# Instances stood ready for the busiest hour all month. An autoscaler that follows each hour at once, which
# none does, shows what there is to save: here in a month of a thousand million cards.

# %%
rows = []
for shape in shapes().values():
    many = replace(month, readings=1e9, peak=shape.peak)
    for place in (hosting.FARGATE, hosting.EC2):
        ready, least = hosting.bill(place, many).total, traffic_shapes.followed(many, shape, place)
        rows.append([shape.name, place, ready, least, hosting.bill(hosting.LAMBDA, many).total])
header = ["shape", "place", "ready all month", "following each hour", "Lambda"]
Table(header, *rows, formats=["", "", ",.0f", ",.0f", ",.0f"])

# %% [markdown]
# For the spiky month a perfect autoscaler would beat the function where ready instances do not: the lecture's
# sentence is also one about how slowly instances come and go (lesson 07 measured that).
#
# ### A GPU?
#
# No run of the course was on a machine with one, unless a line says so below. So the question is turned
# round: how many readings a second must a GPU make to be the cheapest place, in a month so large
# (`5e9` readings) that whole machines no longer matter?

# %%
print("on record:", measured_rates.gpu() or "no GPU")
many = takeaways.by_model(replace(month, readings=takeaways.HUGE, peak=1.0))
measured["gpu_must"] = takeaways.gpu_must(month)
measured["gpu_says"] = {
    name: "no T4 pays, however fast" if rate is None else f"a T4 pays from {rate:,.0f} cards a second on"
    for name, rate in measured["gpu_must"].items()
}
for name, each in many.items():
    for place in hosting.GPUS:
        must = break_even.rate_to_win(place, each)
        print(f"{name:16} {place:25}", "no rate is enough" if must is None else f"{must:,.0f} a second")
around, cores = measured_rates.around_the_model(), known["xlarge_cores"].value
print(f"the {cores:.0f} cores beside a GPU decode and answer {cores / around:,.0f} a second at best")

# %% [markdown]
# For `v2` even an infinitely fast GPU would not pay: what remains for the cores beside it, HTTP and the
# picture's file, costs more on that machine than the whole reading does elsewhere. For the model as one would
# deploy it first, many small GPUs would be fast enough; but so is the ladder of lesson 05, which took the
# same model's reading down on cores instead.
#
# ### Your prices
#
# Change a price, a rate or the traffic, and run the two cells: does the decision move?

# %%
MINE = {"function_gb_second": 0.0000166667, "fargate_core_hour": 0.04048, "ec2_c5_xlarge_hour": 0.17}
MILLIONS_A_MONTH, PEAK, MILLISECONDS, INSTANCES = 100, 3.3, 2.4, 2

# %% [markdown]
# The prices of `MINE` replace those of the file for these cells only.


# %%
def decide(millions=MILLIONS_A_MONTH, peak=PEAK, milliseconds=MILLISECONDS, least=INSTANCES):
    """The table for these values and the prices of MINE."""
    mine = Month.recorded(1e6 * millions, peak, seconds=milliseconds / 1000, least=least)
    return hosting.table(mine, prices.changed(MINE))


table_of_mine = decide()
measured["cheapest_of_mine"] = table_of_mine.rows[0][0]
display(table_of_mine)

# %% [markdown]
# With a kernel that runs, move the sliders below and press the button: the curves are drawn again. On the
# page nothing moves; its figure is that of the values above.

# %%
import ipywidgets


def redraw(peak=PEAK, milliseconds=MILLISECONDS, instances=INSTANCES):
    mine = Month.recorded(1e6 * MILLIONS_A_MONTH, peak, seconds=milliseconds / 1000, least=instances)
    cost_figures.bills(mine, prices.changed(MINE))


ranges = {"peak": (1.0, 20.0, 0.1), "milliseconds": (0.5, 50.0), "instances": (1, 4)}
redraw()
display(ipywidgets.interactive(redraw, {"manual": True, "manual_name": "draw"}, **ranges))

# %% [markdown]
# ### The takeaways, tried
#
# The lecture closes with takeaways. Each is computed here from the records and the prices, for the meter
# reader: where does it hold, and where not?

# %%
from fsdl_deploy.managed import serverless_gpus

idle = {bill.place: bill.total for bill in hosting.bills(replace(month, readings=0))}
measured["idle"] = idle

measured["servers"] = takeaways.on_servers(month)
measured["tools"] = takeaways.tools()
measured["endpoint_times"] = bills[hosting.ENDPOINT].total / bills[hosting.SERVERLESS].total
large = replace(month, readings=takeaways.HUGE, peak=1.0)
over = hosting.bill(hosting.ENDPOINT, large).total / hosting.bill(hosting.EC2, large).total - 1
measured["endpoint_over_ec2_large"] = over
measured["offers"] = serverless_gpus.counts()
takeaways.table(month)

# %% [markdown]
# ## The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed, from what the cells above measured on your machine
# or from a record that they show; the rules stand in `notebooks/claims.toml`.

# %%
from fsdl_course.claims import claims

claims("09", measured)

# %% [markdown]
# ## When it fails
#
# *An endpoint left running.* Nobody reads a card, and two places charge nothing for that. The others charge
# the month. *A price without its date* would be a number that nobody can check, so the table is refused.

# %%
display(Table(["place", "USD for a month without a card"], *idle.items(), formats=["", ",.0f"]))
with TemporaryDirectory() as folder:
    undated = Path(folder) / "prices.toml"
    undated.write_text(prices.FILE.read_text(encoding="utf-8").replace("date =", "# date ="), "utf-8")
    try:
        prices.prices(undated)
    except prices.PriceError as error:
        print(error)

# %% [markdown]
# Not in the sums: people. A place that costs a few hundred dollars more a month and saves a day of work is
# the cheaper one. The sums say what that day may cost.

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
# **Question:** An endpoint costs a fifth more an hour than the same machine without it. When is it cheaper?
#
# <details><summary>Answer</summary>
# When what it brings along would cost more: a balancer, two zones, the updates of a machine, the night in
# which somebody is woken. The first of these are in the bill above, and do not reach. The last is not, and
# often decides.
# </details>
#
# **Question:** A colleague computes the break-even of function and instance at 210 million readings a month.
# Your traffic is at 230. Do you move?
#
# <details><summary>Answer</summary>
# Not for that. Whole instances make a staircase, so there may be several such points; and the assumption
# that decides, such as how many cards come in the busiest hour, is less certain than the distance of the two
# numbers.
# </details>
#
# ## Take-aways
#
# - Keep the adapter thin, and the model in a common format: then the next move costs a few lines.
# - Read the price list yourself, and note the day: claims about prices age fast.
# - Serverless wins while machines would mostly wait.
# - What you start by a script, end by the script, and look whether it is gone.
#
# ## Where to go next
#
# - [SageMaker](tools/sagemaker.ipynb): shadow variants, serverless, AWS's own toolkit, and its SDK of today.
# - [MLflow serving](tools/mlflow_serving.ipynb): what Databricks serves, on this machine.
# - [Vertex AI](tools/vertex.ipynb) and [Azure ML](tools/azure_ml.ipynb): the two other clouds' own servers.
# - [Lab 08](../labs/lab08/lab08.ipynb): an adapter, a bill, a break-even, a policy, and an endpoint left
#   running.
