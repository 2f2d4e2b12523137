"""Draw the README's sheet of cards and the curves of the models: ``python notebooks/images/draw.py``.

The third picture, of the prototype, is a screenshot that the browser test leaves under build/screenshots.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from fsdl_deploy import OnnxReader, figures, weights
from fsdl_deploy.cards import cards
from fsdl_deploy.drawing import LEVELS
from fsdl_deploy.measuring import records

HERE = Path(__file__).parent


def sheet() -> None:
    """Nine cards, three of each level, with what v2 reads."""
    reader = OnnxReader()
    figure, grid = plt.subplots(3, 3, figsize=(9, 3.3), layout="constrained")
    for row, level in zip(grid, LEVELS, strict=True):
        drawn = list(cards(3, level, seed=12))
        for axes, card, reading in zip(row, drawn, reader.read([c.image for c in drawn]), strict=True):
            axes.imshow(card.image, cmap="gray", vmin=0, vmax=255)
            axes.set_axis_off()
            right = reading.digits == card.truth
            note = "" if right else f", written {card.truth}"
            axes.set_title(
                f"read {reading.digits}{note}", fontsize=11, color="#333333" if right else "#d55e00"
            )
    figure.savefig(HERE / "cards.png", dpi=100, facecolor="white")


def why() -> None:
    """Why the models read no better: their training has flattened, and a few test digits cost most."""
    report = records.read(weights.folder() / "report.json")
    figures.use()
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for number, version in enumerate(("teacher", "v2")):
        color = figures.PALETTE[number]
        rows = report["curves"][version]
        steps, losses = [row["step"] for row in rows], [row["loss"] for row in rows]
        level = [np.median(losses[max(0, k - 3) : k + 4]) for k in range(len(losses))]
        left.plot(steps, losses, ".", color=color, alpha=0.35)
        left.plot(steps, level, color=color, label=version)
        shares = report["measured"]["why"][version]["exact_match"]
        right.plot([int(k) for k in shares], [100 * share for share in shares.values()], "o-", color=color)
    left.set(xlabel="steps of 32 cards", ylabel="loss on a batch (CTC)", yscale="log")
    left.legend()
    right.set(xlabel="most stubborn test digits left out, of 1,000", ylabel="typical cards read right (%)")
    figure.savefig(HERE / "why.png", dpi=100, facecolor="white")


if __name__ == "__main__":
    sheet()
    why()
