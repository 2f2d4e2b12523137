"""Figures of batch prediction: where a card's time goes, and which questions fit into a night

Knows how to draw; nothing is measured here.
"""

from collections.abc import Mapping

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
