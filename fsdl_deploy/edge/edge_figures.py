"""Figures of the edge: where a device wins, what is worth choosing, outages, versions, what a threshold costs

Knows how to draw, and measures nothing. What a figure shows is said in its alternative text, from its values.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from fsdl_deploy import figures
from fsdl_deploy.edge import frontier, when
from fsdl_deploy.edge.basement import CardsOfAWay

TRIPS = np.linspace(1, 300, 100)


def wins(models: Mapping[str, float], overhead: float, slower: Sequence[float] = (4, 16)) -> None:
    """Display the line below which the edge wins, for devices so many times slower than the server.

    ``models``: ms on the server, by name, each a dotted line. ``overhead``: ms of HTTP and the service.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.4))
    for times, style in zip(slower, ("-", "--", "-."), strict=False):
        line = [when.wins_below(trip, overhead, times) for trip in TRIPS]
        axes.plot(TRIPS, line, style, label=f"device {times} × slower: below the line it wins")
    for name, ms in models.items():
        axes.axhline(ms, color="black", linewidth=1, linestyle=":")
        axes.text(1.01, ms, name, va="center", transform=axes.get_yaxis_transform())
    axes.set(yscale="log", xlabel="round trip (ms)", ylabel="model on the server (ms)", ylim=(0.5, 300))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))
    most = max(slower)
    begins = {name: when.here(ms, most) - when.there(0, ms, overhead) for name, ms in models.items()}
    froms = (f"{name} wins from a round trip of {max(0, trip):.0f} ms on" for name, trip in begins.items())
    figures.show(figure, alt=f"On a device {most} times slower {', '.join(froms)}")


def choices(
    milliseconds: Mapping[str, float],
    right: Mapping[str, float],
    overhead: float,
    round_trips: Sequence[float],
    slower: float,
) -> None:
    """Display every model, here and there, by ms and by the share it reads right; a panel a round trip.

    ``milliseconds`` and ``right``: by name. A dotted line joins the choices that are worth making.
    """
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(round_trips), figsize=(8, 3), sharey=True)
    rows, places = sorted(right, key=right.get), []
    for axes, trip in zip(panels, round_trips, strict=True):
        among = frontier.choices(milliseconds, right, trip, overhead, slower)
        for choice in among:
            color = figures.PALETTE[("here", "there").index(choice.place)]
            axes.plot(choice.ms, rows.index(choice.model), "o", color=color)
        best = frontier.worth_choosing(among)
        axes.plot([c.ms for c in best], [rows.index(c.model) for c in best], "k:", label="worth choosing")
        axes.set(xscale="log", xlabel="answer after (ms)", title=f"round trip {trip} ms")
        places.append(f"{best[-1].place} with a round trip of {trip} ms")
    panels[0].set_yticks(range(len(rows)), [f"{model}: {right[model]:.1%}" for model in rows])
    panels[0].set_ylabel("model: cards read right")
    panels[0].legend(loc="lower right")
    figures.show(figure, alt=f"The most accurate model answers sooner {' and '.join(places)}")


def link(
    deliveries: Sequence[CardsOfAWay], gone: Sequence[tuple[float, float]], seconds: float, deadline: float
) -> None:
    """Display when each customer saw a reading, a colour for each way; grey where the link was down.

    ``gone``: (begin, end) of each outage, ``seconds``: in which the pictures were taken, ``deadline``: in s.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3))
    for of, mark, color in zip(deliveries, "ox+", figures.PALETTE, strict=False):
        waits = [(card * seconds / of.count, after) for card, after in sorted(of.seen.items())]
        moments, after = zip(*waits, strict=True) if waits else ((), ())
        axes.plot(moments, after, mark, color=color, label=of.way, markersize=5)
    for down, up in gone:
        axes.axvspan(down, up, color="#dddddd", zorder=0)
    axes.axhline(deadline, color="black", linestyle=":", linewidth=1)
    axes.set(xlabel="picture taken after (s); grey: no link", ylabel="reading seen after (s)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3)
    counts = "; ".join(f"{of.way}, {of.in_time(deadline)} of {of.count}" for of in deliveries)
    figures.show(figure, alt=f"Readings seen before the deadline, with the model {counts}")


def versions(shares: np.ndarray) -> None:
    """Display which version the devices have on each day: ``shares`` is ``in_the_field.shares``.

    A band for each version, float64 ``[days, versions]``, its number where it is widest; the first has a
    colour, the others are grey.
    """
    import matplotlib.pyplot as plt

    days, count = shares.shape
    figure, axes = plt.subplots(figsize=(7, 3))
    grey = [0.85 - 0.06 * (number % 13) for number in range(count)]
    axes.stackplot(range(1, days + 1), shares.T, colors=[figures.PALETTE[1], *map(str, grey[1:])])
    for number, share in enumerate(shares.T):
        day = int(
            share[: days - min(10, days // 2)].argmax()
        )  # not so near the edge that its number is cut off
        middle = shares[day, :number].sum() + share[day] / 2
        color = "white" if number and grey[number] < 0.5 else "black"
        axes.text(day + 3, middle, f"{number + 1}", va="center", fontsize=8, color=color)
    axes.set(xlabel="days", ylabel="share of the devices", xlim=(1, days), ylim=(0, 1))
    first = f"the first one is still on {shares[-1, 0]:.0%} of the devices"
    figures.show(figure, alt=f"Each new version replaces the others over weeks; after {days} days {first}")


def thresholds(values: Sequence[float], costs: Sequence[float], best: float) -> None:
    """Display what a card costs, in euros, for each confidence below which a person reads; mark ``best``."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 2.8))
    axes.plot(values, costs, label="without a link")
    axes.axvline(best, color="black", linestyle=":", label=f"cheapest: {best:.2f}")
    axes.set(xlabel="a person reads below this confidence", ylabel="cost (€ a card)")
    axes.legend()
    ends = f"{costs[0]:.2f} € at {values[0]:g}, {costs[-1]:.2f} € at {values[-1]:g}"
    figures.show(
        figure, alt=f"A card costs least, {min(costs):.2f} €, near a threshold of {best:.2f}; {ends}"
    )
