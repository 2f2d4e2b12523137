"""Figures of the model service: what a request, a format, a second application and a larger service cost

Knows how to draw; nothing is measured here.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from fsdl_deploy import figures


def many_pictures(post_ms: Mapping[tuple[str, int], Sequence[float]]) -> None:
    """Time for one picture against the pictures in a request, a line for each way to send them.

    ``post_ms``: milliseconds of requests, by the way and the number of pictures.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.4))
    for way, style in zip(dict.fromkeys(way for way, _ in post_ms), ("o-", "s--", "^:"), strict=False):
        counts = [count for each, count in post_ms if each == way]
        axes.plot(counts, [np.median(post_ms[way, count]) / count for count in counts], style, label=way)
    axes.set(
        xlabel="pictures in one request", ylabel="time for one picture (ms)", xscale="log", ylim=(0, None)
    )
    counts = sorted({count for _, count in post_ms})
    axes.set_xticks(counts, counts)
    axes.legend()
    figures.show(figure, alt="Time for one picture falls as more pictures share a request")


def formats(
    kilobytes: Mapping[str, float],
    parse_ms: Mapping[str, Sequence[float]],
    answer_ms: Mapping[str, Sequence[float]],
) -> None:
    """Three panels of bars by format: the request's size, the medians of parsing it and of its answer."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 3, figsize=(10.5, 3.8), sharey=True)
    bars = {
        "request (kB)": kilobytes,
        "parsing it, median (ms)": {name: np.median(times) for name, times in parse_ms.items()},
        "time to the answer, median (ms)": {name: np.median(times) for name, times in answer_ms.items()},
    }
    for axes, color, (label, values) in zip(panels, figures.PALETTE, bars.items(), strict=False):
        axes.barh(list(values), list(values.values()), color=color)
        axes.set(xlabel=label)
    panels[0].set(ylabel="format")
    panels[0].invert_yaxis()
    figures.show(figure, alt="Bytes of a request, time to parse it and time to its answer for each format")


def applications(inside: Mapping[str, float], service: float, thin: float, most: int = 8) -> None:
    """Memory of 1 to ``most`` applications with a model inside each, and around one service; all in MiB.

    ``inside``: an application with each model, the smallest first, which is the one in ``service``; a service
    with another model is larger by as much as its application is. ``thin``: an application without a model.
    """
    import matplotlib.pyplot as plt

    counts, smallest = np.arange(1, most + 1), next(iter(inside.values()))
    figure, axes = plt.subplots(figsize=(7, 3.6))
    for (name, own), color in zip(inside.items(), figures.PALETTE, strict=False):
        shared = service + own - smallest
        axes.plot(counts, counts * own, "o-", color=color, label=f"{name} in every application")
        axes.plot(counts, shared + counts * thin, "s--", color=color, label=f"{name} in one service")
    axes.set(xlabel="applications that use the model", ylabel="memory (MiB)", ylim=(0, None))
    axes.legend()
    figures.show(
        figure, alt="Memory grows steeply with a model in every application, slowly with one service"
    )


def rates(readings_per_second: Mapping[str, float]) -> None:
    """A bar for each way to run the service."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 2.4))
    ways = list(readings_per_second)
    axes.barh(ways, list(readings_per_second.values()), color=figures.PALETTE[: len(ways)])
    axes.set(xlabel="readings per second", xlim=(0, None))
    axes.set_ylabel("the model service")
    figures.show(figure, alt="Readings per second with one thread, two threads and two processes")


def latency(parts: Mapping[str, float]) -> None:
    """A card's time in this process beside its time through the service, which is the sum of ``parts`` (ms).

    ``parts``: of what the time goes to; the part ``model`` is the whole time in this process.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 2.4))
    axes.barh("in this process", parts["model"], color=figures.PALETTE[0])
    left = 0.0
    for (name, ms), color in zip(parts.items(), figures.PALETTE, strict=False):
        axes.barh("through the service", ms, left=left, color=color, label=name)
        left += ms
    axes.set(xlabel="time for one card, median (ms)")
    axes.set_ylabel("the model is")
    axes.legend(ncols=5, loc="upper center", bbox_to_anchor=(0.5, 1.3))
    alt = "A reading through the service takes the model's time plus encoding, HTTP and decoding"
    figures.show(figure, alt=alt)
