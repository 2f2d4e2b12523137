"""The month-end mix: how often the same card is sent, in which order, and to which worker.

An assumption, see UPLOADS. Knows nothing of readers or caches.
"""

from collections.abc import Iterator
from itertools import count as nights

import numpy as np

from fsdl_deploy.picture import Image

UPLOADS = {1: 0.4, 2: 0.3, 4: 0.2, 10: 0.1}
"""Of so many customers' cards in a hundred, how often each is sent.

The app tries again when an answer is late, people press twice, and the call centre opens the card again.
"""
NIGHT = 5000  # different cards of a night: so many that its share of repeats is that of the mix


def month_end(count: int, seed: int = 0) -> np.ndarray:
    """Which of ``count`` different cards comes when, int ``[uploads]``: each as often as UPLOADS says."""
    rng = np.random.default_rng(seed)
    times = rng.choice(list(UPLOADS), count, p=list(UPLOADS.values()))
    which = np.repeat(np.arange(count), times)
    when = which + rng.exponential(count / 20, len(which))  # soon after each other
    return which[np.argsort(when)]


def arriving(worker: int, workers: int, sticky: bool = False) -> Iterator[int]:
    """The cards that one of ``workers`` is sent, night after night without end; each night's are new ones.

    A plain load balancer sends each upload to any worker, so a card's repeats are spread. ``sticky``: all
    uploads of a card go to the same worker, as where one routes by a digest of the picture.
    """
    for night in nights():
        cards = month_end(NIGHT, seed=night)
        to = (
            cards % workers
            if sticky
            else np.random.default_rng((night, 1)).integers(workers, size=len(cards))
        )
        yield from (night * NIGHT + cards[to == worker]).tolist()


def marked(image: Image, number: int) -> Image:
    """A copy of ``image`` that is another picture to a cache, by the lowest bits of its first 32 pixels.

    So a few drawn cards stand for any number of them: no reader sees a 255th of a grey step.
    """
    copy = image.copy()
    copy.flat[:32] = (copy.flat[:32] & 254) | np.unpackbits(np.array([number], ">u4").view(np.uint8))
    return copy
