"""An endpoint measured: which variant answered how many requests, and what asking through the cloud costs

Knows nothing of what is asked: its calls are functions.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from fsdl_deploy import figures
from fsdl_deploy.measuring.accuracy import wilson
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.measuring.turns import in_turns

__all__ = ["in_turns", "intervals", "invoked", "ratio", "split_table"]


def invoked(runtime, endpoint: str, pictures: list[bytes], requests: int, **options) -> Counter:
    """Which variant answered each of so many requests; the pictures are taken in turn."""
    counts: Counter = Counter()
    for number in range(requests):
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint,
            Body=pictures[number % len(pictures)],
            ContentType="image/png",
            **options,
        )
        answer["Body"].read()
        counts[answer["InvokedProductionVariant"]] += 1
    return counts


def intervals(
    counts: Mapping[str, int], weights: Mapping[str, float]
) -> dict[str, tuple[float, float, float]]:
    """For each variant: the share that its weight asks for, and the 95 % interval of what it got.

    Each request is sent by chance and independently, so counts are binomial (Wilson's interval).
    """
    total, requests = sum(weights.values()), sum(counts.values())
    return {
        name: (weight / total, *wilson(counts.get(name, 0), requests)) for name, weight in weights.items()
    }


def draw_steps(shares: Mapping[str, tuple[float, float, float]]) -> None:
    """Display the steps of a rollout, by name: a dot for what the weight asks for, a bar for what came.

    Each step is ``(share, low, high)``, as ``intervals`` has it for one variant.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 2.6))
    for place, (share, low, high) in enumerate(shares.values()):
        axes.plot([low, high], [place, place], linewidth=6, color=figures.PALETTE[0], solid_capstyle="butt")
        axes.plot(share, place, "o", color="black")
    axes.set(yticks=range(len(shares)), yticklabels=list(shares), ylabel="step")
    axes.set(xlabel="share of the requests", xlim=(-0.02, None))
    axes.invert_yaxis()
    around = sum(low - 1e-9 <= share <= high + 1e-9 for share, low, high in shares.values())
    figures.show(
        figure, alt=f"In {around} of {len(shares)} steps the bar of what was counted has the dot in it"
    )


def split_table(counts: Mapping[str, int], weights: Mapping[str, float]) -> Table:
    """The same, for a notebook to show."""
    requests = sum(counts.values())
    rows = [
        [name, share, counts.get(name, 0), counts.get(name, 0) / requests, f"{low:.0%} to {high:.0%}"]
        for name, (share, low, high) in intervals(counts, weights).items()
    ]
    header = ["variant", "by its weight", "answered", "share", "95 % interval"]
    return Table(header, *rows, formats=["", ".0%", "", ".0%"])


def ratio(taken: np.ndarray, other: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """How many times as long, by the medians, and the 95 % interval of that (bootstrap over the turns)."""
    chosen = np.random.default_rng(seed).integers(0, len(taken), (2000, len(taken)))
    ratios = np.median(taken[chosen], axis=1) / np.median(other[chosen], axis=1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(np.median(taken) / np.median(other)), float(low), float(high)
