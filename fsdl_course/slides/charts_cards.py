"""Pictures of meter cards for the slides, drawn from their seeds, with what the model reads on them"""

from collections.abc import Sequence

from fsdl_course.notebooks.record_lookup import Records
from fsdl_course.slides.charts_form import WIDE

VERSION = "v2"


def levels(known: Records):
    """Three cards of each level: clean, typical, hard."""
    from fsdl_deploy.cards import cards
    from fsdl_deploy.drawing import LEVELS

    pictures = {level: list(cards(3, level, seed=22)) for level in LEVELS}
    return _grid(
        [card.image for row in pictures.values() for card in row],
        [f"{level}: {card.truth}" for level, row in pictures.items() for card in row],
        columns=3,
    )


def drifted(known: Records):
    """One card, changed in the ways of the course, with what the model reads on each."""
    from fsdl_deploy.cards import DRIFTS, cards
    from fsdl_deploy.reader import OnnxReader

    changed = [next(cards(1, "typical", seed=4, drift=drift)) for drift in (None, *DRIFTS)]
    readings = OnnxReader(VERSION).read([card.image for card in changed])
    captions = [
        f"{drift or 'as usual'}: {card.truth}\nread {reading.digits or 'nothing'}"
        for drift, card, reading in zip((None, *DRIFTS), changed, readings, strict=True)
    ]
    return _grid([card.image for card in changed], captions, columns=3)


def _grid(images: Sequence, captions: Sequence[str], columns: int):
    import matplotlib.pyplot as plt

    rows = -(-len(images) // columns)
    figure, places = plt.subplots(rows, columns, figsize=(WIDE, 4.5), squeeze=False)
    for place in places.flat:
        place.axis("off")
    for place, image, caption in zip(places.flat, images, captions, strict=False):
        place.imshow(image, cmap="gray", vmin=0, vmax=255)
        place.set_title(caption, fontsize=18, pad=6)
    return figure


CHARTS = {function.__name__: function for function in (levels, drifted)}
