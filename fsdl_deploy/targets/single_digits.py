"""Cards with one digit, as a square: what an image classifier of a phone's library takes

Knows nothing of classifiers.
"""

import numpy as np

from fsdl_deploy.cards import cards

SIDE = 64  # pixels


def square(image: np.ndarray, side: int = SIDE) -> np.ndarray:
    """A picture uint8 ``[side, W]`` as uint8 ``[side, side]``: its middle, or more paper."""
    extra = side - image.shape[1]
    if extra < 0:
        return image[:, -extra // 2 : -extra // 2 + side]
    return np.pad(image, ((0, 0), (extra // 2, extra - extra // 2)), mode="edge")


def single_digits(count: int, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Typical cards of one test digit each, uint8 ``[count, SIDE, SIDE]``, and what is written on them."""
    deck = list(cards(count, "typical", seed=seed, lengths=(1, 1)))
    return np.stack([square(card.image) for card in deck]), [card.truth for card in deck]
