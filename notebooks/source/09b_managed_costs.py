# %% [markdown]
# # Managed costs: what a month costs in each place
#
# **Minutes:** 25 · **Prerequisites:** [Managed options](09_managed.ipynb) · **Truth:** runs
#
# ## The need
#
# The utility's board asks for three figures: what a month costs in each place, from how many cards on the
# answer changes, and how sure we are. The salesman has a leaflet. The lecture has two claims about prices and
# some takeaways. We have price lists, and what the earlier lessons measured.
#
# ## You will learn
#
# - to read a price with its unit, region, date and source, and to refuse one that lacks any of these
# - to compare places by a month's whole bill, not by the price of an hour
# - to find where two bills meet, and why that can happen more than once
# - to say which assumption decides, and how wrong a guess would have to be

# %% [markdown]
# ## Where the model sits
#
# In one of four kinds of place. What differs is what the bill counts.
#
# ```mermaid
# flowchart LR
#     app["Application"] --> function & container & server & endpoint
#     function(["Model in a function:<br/>paid by call and second"])
#     container(["Model in a container:<br/>paid by the hour"])
#     server(["Model on a server:<br/>paid by the hour"])
#     endpoint(["Model on an endpoint:<br/>paid by the hour, for more"])
#     function & container & server & endpoint --> bill["Bill of the month"]
#     style function fill:#d55e00,color:#fff
#     style container fill:#d55e00,color:#fff
#     style server fill:#d55e00,color:#fff
#     style endpoint fill:#d55e00,color:#fff
# ```
#
# No account is needed, and nothing here asks a network; it runs alike on Linux, Windows and macOS. All of it
# is arithmetic with prices and records, so `FAST` (elsewhere the choice of a quick run) changes nothing here.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# What all parts of this lesson use:

# %%
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from IPython.display import display

from fsdl_deploy import figures
from fsdl_deploy.measuring.table import Table

figures.use()
measured = {}  # what the claims are judged by

# %% [markdown]
# ## Prices, each with its date
#
# Prices change, so the course keeps them in a file. Each has its currency, unit, region, date and source, and
# says what kind of source that is: the provider's own list, a dated copy of it, or somebody else's table. A
# row that lacks one of these is refused. (A **SKU** is the number that an item has in such a list.)

# %%
from fsdl_deploy.managed import prices

known = prices.prices()
origins = [price.origin for price in known.values() if not price.limit]
read_on = [price.date for price in known.values() if not price.limit]
print(f"{len(origins)} prices, read from {min(read_on)} to {max(read_on)};", end=" ")
print({words: origins.count(origin) for origin, words in prices.ORIGINS.items()})
prices.table([name for name in known if name.startswith(("endpoint", "ec2", "function_million"))])

# %% [markdown]
# ## More expensive than EC2?
#
# **EC2** is Amazon's rented server. In a name such as `c5.xlarge` the first part is the kind of machine
# (`m7g` has Arm cores, `g4dn` and `g5` a GPU, a T4 or an A10G), the second its size; `ml.` before it means
# the same machine inside an endpoint.
#
# The lecture: SageMaker is *~50-100% more expensive than raw EC2, depending on instance type*. The same
# machine has two prices, so a division tests it. The last two lines are older: a price that texts of 2025
# still quote, and a bill of December 2023.
#
# **Your turn:** How many of today's lines will reach the lecture's `50 %`: all, half, none? Guess before you
# run it.

# %%
from fsdl_deploy.managed import premiums

today = [premium.more for premium in premiums.premiums(premiums.ENDPOINTS)]
older = [premium.more for premium in premiums.premiums(premiums.EARLIER)]
measured["premium"] = {"least": min(today), "most": max(today), "older": max(older)}
print(f"by the table {min(today):+.0%} to {max(today):+.0%}; at older prices up to {max(older):+.0%}")
premiums.table(premiums.ENDPOINTS | premiums.EARLIER)

# %% [markdown]
# At list price no line reaches the lecture's `50 %`. The older prices do not either: none that we have a
# source for explains the lecture's upper end. But an hour's price is not the bill. An endpoint has its load
# balancer included, for which EC2 charges. It charges for each gigabyte that goes through, and EC2 does not.
# Which weighs more depends on the month: the bills come further below.
#
# ## More expensive than Lambda?
#
# *Serverless is a better deal: ~20% more expensive than Lambda.* **Lambda** is Amazon's service for
# functions: code that is started for a call, and paid by the call. SageMaker has an endpoint that is paid in
# the same way. First we compare the price of a **GB-second**, a gigabyte of memory for a second, and then the
# whole bill of a million calls. Lambda has a fee for each request. The endpoint has one for its data, and its
# memory comes in steps of `1024 MB`.
#
# Our month is that of lesson 07: five million customers, most of whom send their card in the last two days
# (`spiky`). In `office` cards come evenly from Monday to Friday, 8 to 18 h, in `steady` always.

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
# The price of a second agrees with the lecture to the digit. The bill's premium is higher than that, because
# a function can have exactly the memory of one core, and the endpoint must take the next step. (A call is
# billed for more than its reading: it also unpacks an event and writes an answer.)
#
# ## What a reading takes
#
# Prices are only half of it; the other half was measured in earlier lessons. A row with one run has no
# spread. `teacher, padded` is the large model, which one would deploy first. The three rows below it are
# steps of the ladder of [lesson 05](05_optimization.ipynb), the last two with the small model, `v2`. The
# service's row is the whole way of a card: HTTP, JSON, the picture's file, the model.
#
# The function was called again and again in AWS's own emulator of an instance, and what counts is the time
# that would be billed. A call is **cold** if the function must be started for it, **warm** otherwise.

# %%
from fsdl_deploy.managed import measured_rates

call = measured_rates.function_call()
print(f"{call.calls} warm calls of the function, billed: median {1000 * call.median:.0f} ms", end=", ")
print(f"99 % at most {1000 * call.p99:.0f}; a cold one {1000 * call.cold:.0f} ({call.date})")
measured_rates.table()

# %% [markdown]
# ## A month, in each place
#
# Some words of the price lists first:
#
# - **vCPU**: what a cloud sells as a core. Usually it is a thread, two of which share a physical core; on Arm
#   (`m7g`) it is a core. Here each counts as one core of the machine that measured. That is an assumption,
#   which is varied further below.
# - **Fargate**: AWS runs your container and you see no machine. Paid by vCPU, memory and second, with or
#   without requests. A task (one running copy of the container) has one vCPU here; an `m7g.large` has two,
#   each `xlarge` four.
# - **Provisioned**: a function some of whose instances are kept ready, so that none starts cold. Their
#   waiting is paid, too. One may be enough: AWS replaces it if it dies.
# - **Without servers** are, in this lesson, Lambda, provisioned or not, and SageMaker's serverless endpoint.
#   Fargate is not: you choose the number of tasks.
# - **Zone**: one of a region's separate data centres. Instances in two zones do not fail together.
#
# And this goes into the bill besides prices. What is assumed is a guess of ours, for you to change:

# %%
month.table()

# %% [markdown]
# Places that are paid by the hour need enough cores for the busiest hour, and two instances at least, in two
# zones. The answers' way to the Internet, the log's lines and the balancer are in the bill. `busy` is the
# share of the month in which these cores have work.

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
# with a price of yours; below it stands what follows here.
#
# The table leaves out what AWS gives each account for nothing each month, since a colleague's functions may
# use it up. If nothing else does, our month costs still less:

# %%
free = hosting.less_the_free(month)
for line in ("requests", "compute"):
    print(f"{line}: {bills[hosting.LAMBDA].lines[line]:.2f} USD, less what is free {free.lines[line]:.2f}")

# %% [markdown]
# ## Break-even
#
# The same places for larger months. The cards come in office hours now: with our spiky ones, nothing that is
# paid by the hour becomes cheaper in any month of this figure. Both axes are logarithmic. A dot, in the
# colour of its place, marks where that place becomes cheaper than Lambda for the first time; its number is
# millions of readings.

# %%
from fsdl_deploy.managed import break_even, cost_figures

office = Month.recorded(CARDS, shapes()["office"].peak)
cost_figures.bills(office, span=(5e7, 3e9))

# %% [markdown]
# Where exactly do they meet?
#
# **Your turn:** The figure has one dot for Fargate. How many times, then, does the cheaper of Lambda and
# Fargate change as the month grows? Write down a number. The cell lists, for each place, all readings a month
# at which the cheaper one changes.

# %%
meetings = {}
for place in (hosting.FARGATE, "EC2 m7g.large", hosting.EC2, hosting.ENDPOINT):
    meetings[place] = break_even.crossings(hosting.LAMBDA, place, office)
    points = [f"{meeting.readings / 1e6:,.0f} M: {meeting.above}" for meeting in meetings[place]]
    print(f"{place:22}", ", ".join(points) or "never cheaper than Lambda")
measured["break_even"] = meetings[hosting.FARGATE][0].readings
measured["crossings"] = len(meetings[hosting.FARGATE])

# %% [markdown]
# Fargate has more than one point; the figure below shows why. Its first one is more cards than most countries
# have meters. How busy are the cores there?

# %%
at_first = replace(office, readings=measured["break_even"])
measured["busy_at_break_even"] = hosting.bill(hosting.FARGATE, at_first).busy
print(f"Fargate's vCPUs are busy for {measured['busy_at_break_even']:.0%} of the month")

# %% [markdown]
# Now the several points. Tasks come whole, so their bill is a staircase. Lambda's bill is a straight line,
# and a straight line may cross a staircase many times. The same figure close up, with linear axes:

# %%
pair = (hosting.LAMBDA, hosting.FARGATE)
ends = meetings[hosting.FARGATE][0].readings, meetings[hosting.FARGATE][-1].readings
cost_figures.bills(office, None, pair, (0.8 * ends[0], 1.2 * ends[1]), log=False)

# %% [markdown]
# So "the break-even" is a region, not a number. A bisection over the whole range (halve it, keep the half
# where the bills change places, repeat) would report one of these points and be silent about the others. The
# course's code looks for the steps first.
#
# ## Which assumption decides?
#
# Some inputs are measured, some are guesses. We move each from its low to its high end while the others stay.
# That gives a bar for each, and a bar that crosses the line at 1 can change the choice (a *tornado*: the
# longest bars are on top). The month has `100` million cards in office hours, well below the break-even.

# %%
from fsdl_deploy.managed import sensitivity

PAIR = (hosting.LAMBDA, hosting.FARGATE)
rows = sensitivity.turned(*PAIR, replace(office, readings=1e8))
measured["deciding"] = [row.range.name for row in rows if row.decides]
print("these decide:", ", ".join(sensitivity.NAMES[name] for name in measured["deciding"]))
cost_figures.tornado(rows, PAIR)

# %% [markdown]
# The same as a table, with the value of each at which the choice would flip while the others stay:

# %%
sensitivity.table(rows, PAIR)

# %% [markdown]
# The model's own bar is among the shortest, since it was moved only as far as its measurements lie apart.
# What decides is how many cards come, what a call is billed for *besides* reading, and how many machines
# stand by. The last column says how wrong a guess would have to be. (The model that was deployed first takes
# many times as long, as the table of readings shows: with that one every bill is different.)
#
# That is so in this month. Which assumptions decide just above the break-even?

# %%
close = sensitivity.turned(*PAIR, replace(office, readings=1.01 * measured["break_even"]))
deciding = [sensitivity.NAMES[row.range.name] for row in close if row.decides]
print(f"{len(deciding)} of {len(close)}:", ", ".join(deciding))

# %% [markdown]
# Nearly all that move the bills at all, even the share of a core that we leave free. So close to the
# break-even no bill can tell the two places apart.
#
# ## The shape of the traffic
#
# *Serverless makes sense if you can get away with CPUs and traffic is spiky or low-volume.* Three shapes and
# four sizes of month, from a small utility to two hundred of ours:

# %%
from fsdl_deploy.managed import shapes as traffic_shapes
from fsdl_deploy.managed import takeaways

measured |= takeaways.by_shape(month)
print("without servers,", measured["spiky_says"])
traffic_shapes.table(month, takeaways.MILLIONS)

# %% [markdown]
# Twelve months of our own choice are a small jury. So ask without a grid: up to how many readings a month is
# one of the places without servers the cheapest, in each shape? And how far does that number fall if one
# assumption moves to its worst end for them, while the others stay?

# %%
until = takeaways.serverless_until(month)
worst = takeaways.serverless_at_worst(month)
turned = sensitivity.NAMES[worst.assumption]
measured["serverless_least"] = min(until.values()) // 1e6
measured["serverless_worst"] = {"millions": worst.readings // 1e6, "assumption": turned}
measured["our_month"] = month.readings / 1e6
for name, readings in until.items():
    print(f"{name:7}", f"{readings // 1e6:,.0f} M" if readings < 1e9 else "in all months up to 1,000 M")
print(f"at worst {worst.readings // 1e6:,.0f} M ({worst.shape}, {turned}: {worst.value:g})")

# %% [markdown]
# Steady cards allow a larger month than office hours do: one provisioned instance is then enough for all of
# them, and costs less than the calls.
#
# So far instances stood ready for the busiest hour all month. How much could an autoscaler save? At most what
# one saves that follows each hour at once, which none does. Here that is in a month of a thousand million
# cards.

# %%
traffic_shapes.followed_table(replace(month, readings=1e9), (hosting.FARGATE, hosting.EC2))

# %% [markdown]
# For the spiky month a perfect autoscaler of Fargate's small tasks would beat the function, where ready tasks
# do not. (EC2's larger instances would not even then.) So the lecture's sentence is also one about how slowly
# instances come and go, which lesson 07 measured.
#
# ## A GPU?
#
# No run of the course was on a machine with one, unless a line below says so. So we ask the other way round:
# how many readings a second must a GPU make to be the cheapest place, in a month so large (`5e9` readings)
# that whole machines no longer matter?

# %%
print("on record:", measured_rates.gpu() or "no GPU")
many = takeaways.by_model(replace(month, readings=takeaways.HUGE, peak=1.0))
measured["gpu_must"] = takeaways.gpu_must(month)
measured["gpu_says"] = takeaways.gpu_says(measured["gpu_must"])
around, cores = measured_rates.around_the_model(), known["xlarge_cores"].value
print(f"the {cores:.0f} cores beside a GPU decode and answer {cores / around:,.0f} a second at best")
break_even.rates_table(many)

# %% [markdown]
# For `v2` even an infinitely fast GPU would not pay: what remains for the cores beside it, HTTP and the
# picture's file, costs more on that machine than the whole reading does elsewhere. For the model as one would
# deploy it first, many small GPUs would be fast enough; but so is the ladder of lesson 05, which took the
# same model's reading down on cores instead.
#
# ## Your prices
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
# ## The takeaways, tried
#
# The lecture closes with takeaways. Each is computed here from the records and the prices, for the meter
# reader: where does it hold, and where not?

# %%
measured |= takeaways.figures_of(month)
takeaways.table(month)

# %% [markdown]
# ## The lecture's claims beside ours
#
# Each sentence is the lecture's. Each verdict is computed from the prices and records that the cells above
# show; the rules stand in `notebooks/claims.toml`. Where a verdict depends on an assumption of ours, the
# middle column says so.

# %%
from fsdl_course.claims import claims

claims("09b", measured)

# %% [markdown]
# ## When it fails
#
# *An endpoint left running.* No card is read, and two places charge nothing for that. The others charge for
# the month. *A price without its date* would be a number that nobody can check, so the table is refused.

# %%
display(Table(["place", "USD for a month without a card"], *measured["idle"].items(), formats=["", ",.0f"]))
with TemporaryDirectory() as folder:
    undated = Path(folder) / "prices.toml"
    undated.write_text(prices.FILE.read_text(encoding="utf-8").replace("date =", "# date ="), "utf-8")
    try:
        prices.prices(undated)
    except prices.PriceError as error:
        print(error)

# %% [markdown]
# *A place that cannot take the load.* A month of scanned pages instead of cards: an image of `5` MB takes a
# minute and a half. The rules for a bill would still give a price for each place, so the limits are checked
# first: the longest call, the largest body, the most memory, each with its date and source.

# %%
pages = replace(month, readings=1000, seconds=90.0, bytes_in=5 * 2**20)
for place, why in hosting.not_had(pages).items():
    print(f"{place:22} {why}")

# %% [markdown]
# Not in the sums: people. A place that costs a few hundred dollars more a month and saves a day of work is
# the cheaper one. The sums say what that day may cost.

# %% [markdown]
# ## Questions
#
# **Question:** An endpoint costs a fifth more an hour than the same machine without it. When is it cheaper?
#
# <details><summary>Answer</summary>
# When what it includes would cost you more: a balancer, two zones, the updates of a machine, the night in
# which somebody is woken. The first of these are in the bill above, and are not enough. The last is not, and
# often decides.
# </details>
#
# **Question:** A colleague computes the break-even of function and container at 350 million readings a month.
# Your traffic is at 400. Do you move?
#
# <details><summary>Answer</summary>
# Not for that. Whole instances make a staircase, so there may be several such points. And so close to them
# nearly every assumption decides, such as how many cards come in the busiest hour; each is less certain than
# the distance of the two numbers.
# </details>
#
# ## Take-aways
#
# - Read the price list yourself, and note the day: claims about prices age fast.
# - Compare whole bills. An hour's price leaves out data, balancers, logs, and the machines that wait.
# - Serverless wins while machines would mostly wait.
# - A break-even without its assumptions is a rumour: say which one decides.
#
# **Cheat sheet.**
#
# - A price is a number with a currency, a unit, a region, a date and a source.
# - Paid by the hour: instances for the busiest hour, two at least, requests or not. Paid by the call: a fee,
#   and memory × seconds, with the seconds rounded as the list says.
# - In the bill besides the machine: load balancer, data that goes out, log lines, disks, a second zone.
# - Break-even: list *every* point where the cheaper one changes, then see how busy the machines are there.
#   `break_even.crossings(first, second, month)` does.
# - Move each assumption to both of its ends while the others stay: `sensitivity.turned(first, second,
#   month)`.
# - `fsdl-deploy managed costs --readings 5e6 --shape office` prints all of it. `--price NAME=VALUE` takes
#   your price, `--ms` your model's milliseconds, `--gpu-rate` adds the places with a GPU.
# - First ask what a place refuses: longest call, largest body, most memory. `hosting.not_had(month)` says so.
#
# **Sources.** AWS's prices for [SageMaker](https://aws.amazon.com/sagemaker/pricing/),
# [Lambda](https://aws.amazon.com/lambda/pricing/), [Fargate](https://aws.amazon.com/fargate/pricing/) and
# [EC2](https://aws.amazon.com/ec2/pricing/on-demand/), [Lambda's
# limits](https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), [serverless endpoints and
# their memory](https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html). The rows of
# `infra/managed/prices.toml` each have their own.
#
# ## Where to go next
#
# - [Lab 08](../labs/lab08/lab08.ipynb): an adapter, a bill, a break-even, a policy, and an endpoint left
#   running.
# - [Scaling](07_scaling.ipynb): how quickly instances come, which these bills take for granted.
# - [AWS Lambda](tools/aws_lambda.ipynb): the function whose calls are billed here.
