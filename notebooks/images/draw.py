"""Draw the README's sheet of cards: ``python notebooks/images/draw.py``.

The other picture, of the prototype, is a screenshot that the browser test leaves under build/screenshots.
"""

from pathlib import Path

import matplotlib.pyplot as plt

from fsdl_deploy.cards import LEVELS, cards
from fsdl_deploy.reader import OnnxReader

reader = OnnxReader()
figure, grid = plt.subplots(3, 3, figsize=(9, 3.3), layout="constrained")
for row, level in zip(grid, LEVELS, strict=True):
    drawn = list(cards(3, level, seed=12))
    for axes, card, reading in zip(row, drawn, reader.read([c.image for c in drawn]), strict=True):
        axes.imshow(card.image, cmap="gray", vmin=0, vmax=255)
        axes.set_axis_off()
        right = reading.digits == card.truth
        note = "" if right else f", written {card.truth}"
        axes.set_title(f"read {reading.digits}{note}", fontsize=11, color="#333333" if right else "#d55e00")
figure.savefig(Path(__file__).with_name("cards.png"), dpi=100, facecolor="white")
