"""Figures of the serving libraries: latency against rate, beyond the limit, and the rungs of our web server.

Knows how to draw; nothing is measured here.
"""

from collections.abc import Sequence

from fsdl_course.serving.compare import ServingRow
from fsdl_course.serving.web import WebRung
from fsdl_deploy import figures

MARKERS = "os^vDPX*"
COLORS = (*figures.PALETTE, "gray")


def latency_against_rate(rows: Sequence[ServingRow]) -> None:
    """Display p99 against cards a second in each library's closed loops, and the last's processor time."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
    for title in dict.fromkeys(row.library for row in rows):
        closed = [row for row in rows if row.library == title and row.load.startswith("closed")]
        left.plot([row.per_second for row in closed], [row.p99 for row in closed], "o-", label=title)
        right.bar(title, closed[-1].cpu_ms)
    left.set(xlabel="cards a second", ylabel="99 % of the answers below (ms)", yscale="log")
    left.legend()
    right.set(xlabel="library", ylabel="processor time of a card (ms)")
    right.tick_params(axis="x", rotation=30)
    figures.show(figure, alt="Latency against throughput of each library, and its processor time for a card")


def beyond_the_limit(rows: Sequence[ServingRow]) -> None:
    """Display p99 and the share of refusals of each library's open loops, by the share of its best rate."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
    opened = [row for row in rows if row.load.startswith("open")]
    for place, title in enumerate(dict.fromkeys(row.library for row in rows)):
        own = [row for row in opened if row.library == title]
        shares = [row.load[6:] for row in own]
        look = {"marker": MARKERS[place % len(MARKERS)], "color": COLORS[place % len(COLORS)]}
        left.plot(shares, [row.p99 for row in own], label=title, **look)
        right.plot(shares, [100 * row.refused / max(1, row.requests) for row in own], label=title, **look)
    left.set(xlabel="rate asked for, of its best", ylabel="99 % of the answers below (ms)", yscale="log")
    right.set(xlabel="rate asked for, of its best", ylabel="refused (% of the requests)", ylim=(-2, 60))
    right.legend(fontsize=8, ncols=2)
    figures.show(
        figure, alt="Latency of the slowest answers and share of refusals, by share of the best rate"
    )


def web_rungs(steps: Sequence[WebRung]) -> None:
    """Display cards a second and processor time a card on each rung, the first on top."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True)
    labels = [step.rung for step in steps]
    axes[0].barh(labels, [step.per_second for step in steps], color=figures.PALETTE[0])
    axes[1].barh(labels, [step.cpu_ms for step in steps], color=figures.PALETTE[1])
    axes[0].set(xlabel="cards a second", ylabel="rung")
    axes[0].invert_yaxis()
    axes[1].set(xlabel="processor time of a card (ms)")
    figures.show(figure, alt="Cards a second and processor time of a card on each rung of the web server")
