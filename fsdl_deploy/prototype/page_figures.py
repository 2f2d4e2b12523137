"""Figures of the prototype under load: its users, the memory of its models, what it gives in a second

Knows how to draw; nothing is measured here.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from fsdl_deploy import figures
from fsdl_deploy.measuring.load_result import Load


def users(counts: Sequence[int], loads: Sequence[Load], alone: Load) -> None:
    """Latency and throughput of a page against its number of users; ``alone``: the reader without a page."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    left.plot(counts, [load.p50 for load in loads], "o-", label="page, p50")
    left.plot(counts, [load.p95 for load in loads], "o-", label="page, p95")
    left.axhline(alone.p50, color="gray", linestyle="--", label="reader alone, p50")
    left.set(xlabel="users", ylabel="latency (ms)", yscale="log", xticks=counts, ylim=(alone.p50 / 2, None))
    left.legend()
    right.plot(counts, [load.throughput for load in loads], "o-", color=figures.PALETTE[2])
    right.set(xlabel="users", ylabel="throughput (requests/s)", xticks=counts, ylim=(0, None))
    slower, more = loads[-1].p50 / loads[0].p50, loads[-1].throughput / loads[0].throughput
    times = f"{counts[-1]} users wait {slower:.1f} times as long as {counts[0]}"
    figures.show(figure, alt=f"{times}, and get {more:.1f} times as many answers in a second.")


def memory(page: float, added: Mapping[str, float]) -> None:
    """MiB of a web server's process: the page alone, and with each model on top."""
    import matplotlib.pyplot as plt

    parts = np.array([page, *added.values()])
    names = ["page alone", *(f"+ {name}" for name in added)]
    figure, axes = plt.subplots(figsize=(7, 3.4))
    axes.bar(names, parts.cumsum(), color="#dddddd")
    axes.bar(names, parts, bottom=parts.cumsum() - parts, color=figures.PALETTE[0])
    for place, top in enumerate(parts.cumsum()):
        axes.text(place, top + 10, f"+{parts[place]:.0f}" if place else f"{top:.0f}", ha="center")
    axes.set(xlabel="what the web server's process holds", ylabel="memory (MiB)")
    axes.set(ylim=(0, 1.12 * parts.sum()))
    times = parts.sum() / page
    figures.show(figure, alt=f"With all models the process takes {times:.1f} times the memory of the page.")


def rates(pages: float, readings: float, in_batches: float) -> None:
    """What one process gives in a second: pages, readings one by one, readings in batches of 64."""
    import matplotlib.pyplot as plt

    given = {"pages": pages, "readings, one by one": readings, "readings, 64 in one call": in_batches}
    figure, axes = plt.subplots(figsize=(7, 2.6))
    axes.barh(list(given), list(given.values()), color=figures.PALETTE[0])
    for place, rate in enumerate(given.values()):
        axes.text(rate, place, f" {rate:.0f}", va="center")
    axes.set(xlabel="per second", ylabel="what is asked for", xlim=(0, 1.12 * max(given.values())))
    axes.invert_yaxis()
    times = in_batches / readings
    figures.show(
        figure, alt=f"In batches the model reads {times:.0f} times as many cards as the page asks for."
    )
