"""Readers around readers, in figures: how often a cache of some size helps, where a cascade's cards go"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from fsdl_deploy import figures
from fsdl_deploy.cards import Card
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.optimization.cascade import CascadeReader
from fsdl_deploy.picture import Image


def hit_rate(uploads: Sequence[int], size: int) -> float:
    """The share of the uploads that a cache of ``size`` entries answers; no card is read.

    ``uploads``: which card comes when. A full cache forgets what was unused for longest.
    """
    from cachetools import LRUCache

    cache, hits = LRUCache(size), 0
    for upload in uploads:
        hits += upload in cache
        cache[upload] = True
    return hits / len(uploads)


def hit_rates(rates: Mapping[int, float]) -> None:
    """Display the share of uploads that are answered from memory, by the number of readings kept."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.2))
    axes.plot(list(rates), list(rates.values()), "o-")
    axes.set(xscale="log", xlabel="readings kept", ylabel="uploads from memory (share)", ylim=(0, 1))
    figures.show(figure, alt="Hit rate against size: it rises until the repeats of a card fit in")


def handed_on(
    cascade: CascadeReader, some: Iterable[Card], changes: Mapping[str, Callable[[Image], Image]]
) -> Table:
    """The cards as each of ``changes`` makes them: how many are read right, how many go to the second reader.

    Both are shares. A change gets a picture uint8 ``[H, W]`` and gives another.
    """
    deck, rows = list(some), []
    for name, change in changes.items():
        before = cascade.handed_on
        readings = cascade.read([change(card.image) for card in deck])
        right = np.mean([reading.digits == card.truth for reading, card in zip(readings, deck, strict=True)])
        rows.append([name, right, (cascade.handed_on - before) / len(deck)])
    return Table(["pictures", "right", "handed on to the teacher"], *rows, formats=["", ".1%", ".1%"])
