"""What stands around the network, in NumPy: for targets whose artifact is the network alone

``preprocess.Preprocess`` and ``ctc.best_path`` again, for one card at a time: a device has no torch.
"""

from collections.abc import Sequence

import numpy as np

HEIGHT, STEP, MARGIN, BLANK = 32, 4, 36, 0  # those of ``preprocess`` and ``ctc``, which need torch


def columns(image: np.ndarray) -> int:
    """The columns of ink of a picture ``[H, W]``, without the margin."""
    return -(-image.shape[1] * HEIGHT // image.shape[0])


def ink(image: np.ndarray) -> tuple[np.ndarray, int]:
    """A picture uint8 ``[H, W]`` -> ink float32 ``[1, 1, 32, C + 36]``, and the card's own time steps."""
    height, width = image.shape
    own = columns(image)
    scale = np.float32(height / HEIGHT)
    rows = _resize_weights(height, HEIGHT, scale)
    across = _resize_weights(width, own + MARGIN, scale)
    grey = rows @ (image.astype(np.float32) / np.float32(255)) / rows.sum(1)[:, None]
    grey = (grey @ across.T) / np.maximum(across.sum(1), np.float32(1e-6))
    card = grey[:, :own]
    mean = card.mean(dtype=np.float32)
    deviation = np.sqrt(((card - mean) ** 2).mean(dtype=np.float32))
    result = np.zeros((1, 1, HEIGHT, own + MARGIN), np.float32)
    result[0, 0, :, :own] = (mean - card) / max(deviation, np.float32(0.02))
    return result, -(-own // STEP)


def decode(log_probabilities: np.ndarray, length: int) -> tuple[str, float]:
    """Log-probabilities ``[T, 11]`` of a card with so many steps: its digits, and their confidence 0 to 1.

    As ``ctc.best_path``: the highest probability of each digit's run, times the share of each step that
    agrees with the reading.
    """
    own = np.asarray(log_probabilities, np.float32)[:length]
    probabilities, symbols = np.exp(own), own.argmax(1)
    before = np.concatenate([[BLANK], symbols[:-1]])
    begun = np.cumsum((symbols != BLANK) & (symbols != before))  # the place of the digit of each step, from 1
    written = [int(symbols[np.argmax(begun == place)]) for place in range(1, begun[-1] + 1)]
    best = np.where(symbols == BLANK, 0, probabilities.max(1))
    doubt = sum(np.log(max(best[begun == place].max(), 1e-6)) for place in range(1, len(written) + 1))
    for step, place in enumerate(begun):
        agreeing = {BLANK, *written[max(place - 1, 0) : place + 1]}
        doubt += np.log(max(probabilities[step, sorted(agreeing)].sum(), 1e-6))
    return "".join(str(symbol - 1) for symbol in written), float(np.exp(min(doubt, 0.0)))


def bucket(width: int, buckets: Sequence[int]) -> int:
    """The narrowest of ``buckets``, in rising order, that has room. ValueError where none has."""
    for room in buckets:
        if width <= room:
            return room
    raise ValueError(f"a picture of {width} columns fits none of the buckets {', '.join(map(str, buckets))}")


def _resize_weights(size_in: int, size_out: int, scale: np.float32) -> np.ndarray:
    centre = (np.arange(size_out, dtype=np.float32) + np.float32(0.5)) * scale
    distance = np.abs(centre[:, None] - (np.arange(size_in, dtype=np.float32) + np.float32(0.5))[None])
    return np.maximum(1 - distance / max(scale, np.float32(1)), 0).astype(np.float32)
