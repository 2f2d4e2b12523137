"""Figures of batch prediction: where time goes, what fits into a night, how fast and how old an answer is

Knows how to draw; nothing is measured here.
"""

from collections.abc import Mapping, Sequence

from fsdl_deploy import figures


def card_steps(seconds: Mapping[str, float]) -> None:
    """Display the share that each step has of a card's time on a core; ``seconds``: of each step, in order.

    Raises ValueError where the steps take no time at all.
    """
    import matplotlib.pyplot as plt

    total = sum(seconds.values())
    if not total > 0:
        raise ValueError("no step takes any time: measure at least one card")
    figure, axes = plt.subplots(figsize=(8, 1.8))
    shares = {step: 100 * part / total for step, part in seconds.items()}
    start = 0.0
    for (step, share), color in zip(shares.items(), (6, 0, 2, 3, 4), strict=False):
        axes.barh("one", share, left=start, color=figures.PALETTE[color], label=f"{step} {share:.0f} %")
        start += share
    axes.set(xlabel="share of a core's time (%)", ylabel="card", xlim=(0, 100))
    figure.legend(ncols=5, loc="outside upper center", fontsize="small")
    most, second = sorted(shares, key=shares.__getitem__, reverse=True)[:2]
    figures.show(figure, alt=f"Most of a core's time goes to {most}, then to {second}")


def possible_inputs(powers: Mapping[str, float], night: float) -> None:
    """Display how many inputs each question has, beside what one night can read; all as powers of ten."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 2.8))
    axes.barh(list(powers), list(powers.values()), color=figures.PALETTE[0])
    axes.axvline(night, color=figures.PALETTE[1], label="one night, this machine")
    axes.set(xscale="log", xlabel="number of possible inputs (power of ten)", ylabel="question")
    axes.legend()
    fit = [question for question, power in powers.items() if power <= night]
    figures.show(figure, alt=f"What one night can read: {'; '.join(fit) or 'none of these'}")


def rates(cards_per_second: Mapping[str, float]) -> None:
    """A bar for each way to read cards, the job's first; the last ones, plain loops, in grey."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 2.4))
    ways, colors = list(cards_per_second), [figures.PALETTE[i] for i in (1, 2, 6, 6)]
    axes.barh(ways, list(cards_per_second.values()), color=colors[: len(ways)])
    axes.set(xlabel="cards per second", ylabel="way")
    figures.show(figure, alt="Cards per second of the batch job, of inference alone, and of two plain loops")


def latencies(milliseconds: Mapping[str, Sequence[float]]) -> None:
    """For each way to get a reading, the share of requests that were answered by then."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 2.6))
    for way, times in milliseconds.items():
        axes.ecdf(times, label=way)
    axes.set(xlabel="latency (ms)", ylabel="share of requests", xscale="log")
    axes.legend()
    figures.show(figure, alt="Latency of looking a reading up and of asking the model, as cumulative shares")


def ages(hours: Mapping[int, Mapping[str, float]]) -> None:
    """How old an answer is by the hours between two runs; ``hours``: of each kind (worst, median …)."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.2))
    schedules = list(hours)
    for kind in hours[schedules[0]]:
        axes.plot(schedules, [hours[every][kind] for every in schedules], "o-", label=kind)
    axes.set(xlabel="the job runs every … hours", ylabel="age of the answer (hours)")
    axes.set_xticks(schedules)
    axes.legend()
    figures.show(figure, alt="The age of an answer grows in proportion to the time between two runs")
