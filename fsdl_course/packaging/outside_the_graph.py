"""Preprocessing written again outside the graph: resizing and standardising, and the network that reads it.

*Ink* is what the network takes: float32, 32 pixels high, of mean 0 and deviation 1, dark as positive.
"""

from collections.abc import Sequence

import numpy as np

from fsdl_deploy.ctc import best_path
from fsdl_deploy.packaging.parity import Call
from fsdl_deploy.picture import Image
from fsdl_deploy.preprocess import MARGIN
from fsdl_deploy.reader import pad

HEIGHT = 32
LEAST = 0.02  # deviation of a card without ink


def resized(image: Image, how, width: int | None = None) -> np.ndarray:
    """The picture uint8 ``[H, W]``, 32 pixels high, by one of Pillow's filters ``how``.

    ``width``: in pixels; None keeps the picture's proportions.
    """
    import PIL.Image

    width = width or -(-image.shape[1] * HEIGHT // image.shape[0])
    return np.asarray(PIL.Image.fromarray(image).resize((width, HEIGHT), how))


def standardised(image: Image) -> np.ndarray:
    """Ink float32 of a picture uint8, with the picture's own mean and deviation."""
    light = np.asarray(image, np.float32) / 255
    return (light.mean() - light) / max(light.std(), LEAST)


def scaled(image: Image, mean: float, deviation: float) -> np.ndarray:
    """Ink float32 of a picture uint8, with a mean and a deviation that are the same for every card."""
    return (mean - np.asarray(image, np.float32) / 255) / deviation


def by_the_graph(preprocess, images: Sequence[Image]) -> tuple[np.ndarray, np.ndarray]:
    """Ink float32 ``[N, 1, 32, W]`` and widths int64 ``[N]`` of pictures of one height, by torch's module."""
    import torch

    with torch.inference_mode():
        ink, widths = preprocess(*map(torch.from_numpy, pad(images)))
    return ink.numpy(), widths.numpy()


def stacked(inks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Ink float32 ``[32, W]`` of cards as float32 ``[N, 1, 32, W]`` with the network's margin, and widths."""
    widths = np.array([ink.shape[1] for ink in inks], np.int64)
    batch = np.zeros((len(inks), 1, HEIGHT, widths.max() + MARGIN), np.float32)
    for row, ink in zip(batch, inks, strict=True):
        row[0, :, : ink.shape[1]] = ink
    return batch, widths


def read_ink(network: Call, ink: np.ndarray, widths: np.ndarray) -> list[str]:
    """The digits of each card: what ``network`` answers to the ink, decoded by the best path."""
    import torch

    digits, _, _ = best_path(*map(torch.from_numpy, network(ink, widths)))
    return ["".join(map(str, row[row >= 0].tolist())) for row in digits]
