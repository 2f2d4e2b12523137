"""A cascade: a small model reads every card, and a large one reads again what the small one is not sure of.

It keeps nearly the large model's accuracy at nearly the small one's price, as long as the small one's
confidence is honest. A Reader around two Readers; knows nothing of what they are.
"""

from collections.abc import Sequence

import numpy as np

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import Image
from fsdl_deploy.reading import Reader, Reading

ESCALATED = 0.06  # share of the cards that a cascade hands on
SURE = 0.59  # below this confidence the first reader hands a card on, see ``threshold``


class CascadeReader:
    """A cheap reader first; what it is not sure of, an expensive one.

    ``sure``: confidence from which the first answer stands. Of the ``asked`` cards so far ``handed_on`` went
    to the second reader, which is a ``share`` of 0 to 1.
    """

    def __init__(self, first: Reader, second: Reader, sure: float = SURE):
        self.first, self.second, self.sure = first, second, sure
        self.model_version = f"{first.model_version}, then {second.model_version}"
        self.asked, self.handed_on = 0, 0

    @property
    def share(self) -> float:
        return self.handed_on / self.asked if self.asked else 0.0

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Read pictures uint8 ``[H, W]`` of any sizes; one Reading each, in order."""
        readings = list(self.first.read(images))
        unsure = [place for place, reading in enumerate(readings) if reading.confidence < self.sure]
        if unsure:
            for place, reading in zip(unsure, self.second.read([images[i] for i in unsure]), strict=True):
                readings[place] = reading
        self.asked, self.handed_on = self.asked + len(images), self.handed_on + len(unsure)
        return readings


def threshold(reader: Reader, count: int = 2000) -> float:
    """The confidence below which lies ESCALATED of typical cards: no truth is needed to choose it."""
    readings = reader.read([card.image for card in cards(count, "typical", seed=31)])
    return float(np.quantile([reading.confidence for reading in readings], ESCALATED))
