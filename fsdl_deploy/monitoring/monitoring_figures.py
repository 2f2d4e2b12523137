"""Figures of monitoring: minutes until an alert, sums that grow with a drift, estimates beside the truth

Knows how to draw; nothing is measured here.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from fsdl_deploy import figures
from fsdl_deploy.monitoring import burn_rate
from fsdl_deploy.monitoring.drift import DriftWatch, cumulative_sum
from fsdl_deploy.monitoring.unhappy_customers import Day


def outages(windows: Sequence[burn_rate.Window] = burn_rate.WINDOWS) -> None:
    """Display minutes until each alert fires, against the share of requests that fail; both logarithmic.

    The last alert has a dashed line, since it may lie upon another one's.
    """
    import matplotlib.pyplot as plt

    errors = np.geomspace(0.001, 1, 200)
    figure, axes = plt.subplots(figsize=(7, 3.2))
    for window in windows:
        minutes = [burn_rate.minutes_to_fire(share, window) for share in errors]
        style = "--" if window is windows[-1] else "-"
        axes.plot(100 * errors, minutes, style, label=f"burn rate {window.rate:g}: {window.severity}")
    axes.set(xscale="log", yscale="log", xlabel="requests that fail (%)", ylabel="until it fires (min)")
    axes.legend()
    quickest = min(burn_rate.minutes_to_fire(1, window) for window in windows)
    fall = "Minutes until each alert fires fall with the share that fails"
    figures.show(figure, alt=f"{fall}; where all fail, the first fires after {60 * quickest:.0f} s")


def sums(watch: DriftWatch, changed: Mapping[str, Mapping[str, np.ndarray]], names: Sequence[str]) -> None:
    """Display how the cumulative sum of each statistic grows with the cards of each change.

    ``changed``: by the name of the change, what ``card_statistics.measure`` says of its cards. ``names``:
    statistics, a part of the figure for each, with the watch's threshold as a dashed black line.
    """
    import matplotlib.pyplot as plt

    figure, parts = plt.subplots(1, len(names), figsize=(5 * len(names), 3.4), sharey=True, squeeze=False)
    alarms = []
    for axes, name in zip(parts[0], names, strict=True):
        threshold = watch.thresholds[name, "sum"]
        for label, statistics in changed.items():
            ranks = watch.reference.ranks(statistics)[name]
            height = cumulative_sum(watch.reference.scores(name, ranks))
            axes.plot(height, "--" if label == "dark" else "-", label=label)
            if height.max() > threshold:
                alarms.append(f"{label} by {name}")
        axes.axhline(threshold, linestyle="--", color="black")
        axes.set(xlabel="cards since the change", ylabel="cumulative sum (deviations)", title=name)
        axes.set(ylim=(0, 80))
    parts[0][-1].legend(fontsize=9)
    figures.show(figure, alt=f"Sums against cards; above the threshold: {', '.join(alarms) or 'none'}")


def estimates(days: Sequence[Day]) -> None:
    """Display what each way says of the accuracy day by day, with its 95 % interval, beside the truth."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 3.6))
    ways = dict.fromkeys(day.way for day in days)  # in the order in which they come
    ends = []
    for way, color in zip(ways, figures.PALETTE, strict=False):
        part = [day for day in days if day.way == way]
        number, estimate = [day.day for day in part], [day.estimate for day in part]
        axes.plot(number, [100 * each.accuracy for each in estimate], color=color, label=way)
        edges = [100 * each.low for each in estimate], [100 * each.high for each in estimate]
        axes.fill_between(number, *edges, color=color, alpha=0.15)
        ends.append(f"{way} {100 * estimate[-1].accuracy:.0f} %")
    axes.plot(number, [100 * day.truth for day in part], "k--", label="truth")
    axes.set(xlabel="day", ylabel="accuracy of the last two weeks (%)")
    axes.legend(loc="lower left")
    truth = f"the truth is {100 * part[-1].truth:.0f} %"
    figures.show(figure, alt=f"Estimates of the accuracy; on the last day {truth}: {', '.join(ends)}")
