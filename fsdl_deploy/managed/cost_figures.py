"""Figures of costs: bills against readings, which assumption decides, an endpoint that is left running"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fsdl_deploy import figures
from fsdl_deploy.managed import break_even, costs, hosting
from fsdl_deploy.managed.infrastructure_settings import EndpointSettings
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import Price
from fsdl_deploy.managed.sensitivity import NAMES, Turned, short

SHOWN = (
    hosting.LAMBDA,
    hosting.PROVISIONED,
    hosting.SERVERLESS,
    hosting.FARGATE,
    "EC2 m7g.large",
    hosting.EC2,
    hosting.ENDPOINT,
)
KINDS = ("function", "one server", "two behind a balancer", "more behind a balancer")
"""The places of ``cheapest_places``, as they stand in its legend."""


def bills(
    month: Month,
    known: Mapping[str, Price] | None = None,
    places: Sequence[str] = SHOWN,
    span: tuple[float, float] = (1e4, 1e10),
    log: bool = True,
    alt: str = "Bills of a month against readings: straight for functions, flat, then in steps for instances",
) -> None:
    """Display the bill of each place against the readings of a month; dots where the first meets another.

    A dot has the colour of the place that the first meets.

    ``log``: both axes logarithmic, for many sizes of month at once; a dot then stands only where another
    place is cheaper for the first time. Each dot has its millions of readings beside it. Places that cannot
    take such a month are left out.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patheffects import withStroke

    places = [places[0], *(place for place in places[1:] if not hosting.why_not(place, month, known))]
    readings = np.geomspace(*span, 500) if log else np.linspace(*span, 1500)
    figure, axes = plt.subplots(figsize=(8, 4.4))
    for place, color in zip(places, figures.PALETTE, strict=False):
        totals = [_total(place, month, each, known) for each in readings]
        axes.plot(readings, totals, color=color, label=place)
    meetings = sorted(
        (crossing.readings, color)
        for place, color in zip(places[1:], figures.PALETTE[1:], strict=False)
        for crossing in break_even.crossings(places[0], place, month, known, *span)[: 1 if log else None]
    )
    dots = [dot for dot, _ in meetings]
    axes.scatter(dots, [_total(places[0], month, dot, known) for dot in dots], 36, edgecolors="black",
                 color=[color for _, color in meetings], zorder=3,
                 label=f"{places[0]} is passed" if log else "the cheaper one changes")  # fmt: skip
    for number, dot in enumerate(dots):
        # Beside the line, in turns above and below it, since dots may be close to each other.
        across, down, shift = ("left", "top", (4, -6)) if number % 2 else ("right", "bottom", (-4, 6))
        axes.annotate(
            f"{dot / 1e6:,.0f} M", (dot, _total(places[0], month, dot, known)), xytext=shift, fontsize=9,
            ha=across, va=down, textcoords="offset points",
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )  # fmt: skip
    here = month.readings
    if span[0] < here < span[1]:
        axes.axvline(here, color="black", linestyle=":", label="this month")
    axes.set(xlabel="readings a month", ylabel="USD a month")
    if log:
        axes.set(xscale="log", yscale="log")
        axes.minorticks_off()
    else:
        axes.xaxis.set_major_formatter(lambda readings, _: f"{readings / 1e6:,.0f} M")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    figures.show(figure, alt=alt)


def _total(place: str, month: Month, readings: float, known: Mapping[str, Price] | None) -> float:
    return hosting.total(place, replace(month, readings=readings), known)


def tornado(rows: Sequence[Turned], names: tuple[str, str]) -> None:
    """Display how the ratio of two bills moves with each assumption; above 1 the second place is cheaper.

    Assumptions that do not move it have no bar. Raises ValueError where none does, as in a month without
    readings where one place costs nothing.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, NullLocator

    rows = [row for row in rows if row.moves]
    if not rows:
        raise ValueError(f"nothing moves the bill of {names[0]} over that of {names[1]}: take another month")
    figure, axes = plt.subplots(figsize=(8, 0.34 * len(rows) + 1.4))
    for height, row in enumerate(reversed(rows)):
        low, high = sorted((row.at_low, row.at_high))
        color = figures.PALETTE[1] if row.decides else figures.PALETTE[0]
        axes.barh(height, high - low, left=low, color=color, height=0.6)
        if row.decides and not low <= 1 <= high:  # it passes 1 on the way, and comes back
            axes.plot([1, low if low > 1 else high], [height, height], color=color, linestyle=":")
        for value, ratio in ((row.range.low, row.at_low), (row.range.high, row.at_high)):
            side = ("right", -4) if ratio == low else ("left", 4)
            axes.annotate(
                short(value), (ratio, height), (side[1], 0), textcoords="offset points", ha=side[0],
                va="center", fontsize=9, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )  # fmt: skip
    axes.axvline(1, color="black", linewidth=1, zorder=0)
    for text, color in (("decides", figures.PALETTE[1]), ("does not", figures.PALETTE[0])):
        axes.barh(0, 0, left=1, color=color, label=text)
    axes.set_yticks(range(len(rows)), [NAMES.get(row.range.name, row.range.name) for row in reversed(rows)])
    axes.set(xscale="log", xlabel=f"bill of {names[0]} / bill of {names[1]}", ylabel="assumption")
    ends = [ratio for row in rows for ratio in (row.at_low, row.at_high)]
    axes.set_xlim(min(ends) / 1.7, max(*ends, 1) * 1.7)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(visible=False, axis="y")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    figures.show(figure, alt=f"How far each assumption moves the bill of {names[0]} over that of {names[1]}")


def cheapest_places(work: costs.Work, traffics: Mapping[str, tuple[float, float]]) -> None:
    """Display which place is the cheapest, by requests a day and burstiness, with ``traffics`` as stars.

    ``work``: what a request takes. ``traffics``: by name, requests a day and how many times the mean the
    busiest minute has. The axis above says for which share of its time one server would have work.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import ListedColormap

    days, bursts = np.logspace(3, 8, 61), np.logspace(0, 2, 41)
    place = np.array([[_kind(costs.cheapest(day, burst, work).place) for day in days] for burst in bursts])
    share = (
        100 * work.seconds / (86_400 * costs.prices()["server_cores"].value)
    )  # % of a server, of a request
    figure, axes = plt.subplots(figsize=(7, 4))
    axes.pcolormesh(days, bursts, place, cmap=ListedColormap(figures.PALETTE[:4]), vmin=0, vmax=3)
    for name, color in zip(KINDS, figures.PALETTE, strict=False):
        axes.plot([], [], "s", color=color, markeredgecolor="white", label=name)
    for name, (sent, at_once) in traffics.items():
        axes.plot(sent, at_once, "*", color="white", markersize=14, markeredgecolor="black", clip_on=False)
        side = "right" if sent > 1e6 else "left"  # away from the edge of the figure
        axes.annotate(f"{name}: busy {sent * share:.2g} %", (sent, at_once), (0, 10), ha=side, color="white",
                      textcoords="offset points")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="requests a day", ylabel="busiest minute / mean")
    above = axes.secondary_xaxis("top", functions=(lambda x: x * share, lambda y: y / share))
    above.set_xlabel("one server would have work (% of its time)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    cheapest = [
        f"{costs.cheapest(*kind, work).place} for the {name} month" for name, kind in traffics.items()
    ]
    figures.show(figure, alt=f"The cheapest place by requests a day and burstiness: {', '.join(cheapest)}")


def _kind(place: str) -> int:
    known = {costs.FUNCTION: 0, costs.SERVER: 1, "2 servers behind a balancer": 2}
    return known.get(place, 3)


def forgotten(plan: EndpointSettings, budget_hour: float, back: float) -> None:
    """Display what an endpoint that nobody ends has cost, USD against hours since it was deployed.

    With a dot where its alarm for no requests rings, one where the budget writes (``budget_hour``, in hours),
    and a line at ``back``, the hour at which somebody looks again.
    """
    import matplotlib.pyplot as plt

    hourly, last = plan.hourly(), 1.2 * max(budget_hour, back)
    figure, axes = plt.subplots(figsize=(7, 2.8))
    axes.plot([0, last], [0, last * hourly], label="what it has cost")
    for hour, what in ((plan.idle_hours, "alarm: no requests"), (budget_hour, "the budget's mail")):
        axes.plot(hour, hour * hourly, "o", label=what)
    axes.axvline(back, color="black", linestyle=":", label="somebody looks again")
    axes.set(xlabel="hours since it was deployed", ylabel="USD")
    axes.legend()
    silent = "after" if budget_hour > back else "before"
    words = f"the alarm rings near the start, the budget writes {silent} somebody looks again"
    figures.show(figure, alt=f"Cost rises with the hours; {words}")
