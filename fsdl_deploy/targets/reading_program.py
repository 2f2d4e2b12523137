"""What the ``read.py`` of all targets share: arguments, rounds, a clock, and the file of readings

NumPy and the standard library only: it runs in every station. A target gives ``main`` a function that opens
its artifact, and gets a program ``read.py ARTIFACT CARDS.npz OUT.json [--rounds N]``.
"""

import argparse
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

from fsdl_deploy.targets import card_files, plain

ReadCard = Callable[[np.ndarray], tuple[str, float]]
"""Reads one picture uint8 ``[H, W]``: digits, and the confidence 0 to 1 of the whole reading."""


def main(
    about: str,
    open_artifact: Callable[[Path], ReadCard],
    packages: Sequence[str] = (),
    clock: Callable[[], float] | None = None,
) -> None:
    """The program: read all cards one by one, so often, and write the readings and the shortest times.

    ``packages``: whose versions are noted. ``clock``: seconds, for a target with which not all the time that
    passes counts. One more card is read before the clock is started, of the first card's picture: what a
    runtime does only once belongs to its start.
    """
    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    parser.add_argument("artifact", type=Path)
    parser.add_argument("cards", type=Path, help="pictures in an .npz file")
    parser.add_argument("out", type=Path, help="the readings, as JSON")
    parser.add_argument("--rounds", type=int, default=1, help="how often each card is read")
    args = parser.parse_args()
    images, read = card_files.read_cards(args.cards), open_artifact(args.artifact)
    read(images[0])
    readings, seconds = rounds(read, images, max(1, args.rounds), clock)
    versions = {"Python": platform.python_version(), "NumPy": np.__version__}
    versions |= {name: metadata.version(name) for name in packages}
    card_files.write_readings(args.out, readings, seconds, versions)


def rounds(
    read: ReadCard, images: Sequence[np.ndarray], count: int, clock: Callable[[], float] | None = None
) -> tuple[list, list[float]]:
    """The readings of the last round, and for each card the shortest of ``count`` times, in seconds."""
    clock = clock or time.perf_counter
    seconds = [float("inf")] * len(images)
    readings: list[tuple[str, float]] = []
    for _ in range(count):
        readings = []
        for place, image in enumerate(images):
            begin = clock()
            readings.append(read(image))
            seconds[place] = min(seconds[place], clock() - begin)
    return readings, seconds


def in_turns(
    reads: Mapping[str, ReadCard], images: Sequence[np.ndarray], count: int
) -> dict[str, np.ndarray]:
    """For each of several ReadCards the shortest of ``count`` times a card, seconds ``[len(images)]``.

    They read in turns, so that a busy moment of the machine falls on all.
    """
    shortest = {name: np.full(len(images), np.inf) for name in reads}
    for _ in range(count):
        for name, read in reads.items():
            shortest[name] = np.minimum(shortest[name], rounds(read, images, 1)[1])
    return shortest


def whole(
    run: Callable[[np.ndarray, np.ndarray], Sequence[np.ndarray]], buckets: Sequence[int] = ()
) -> ReadCard:
    """A whole reader as a ReadCard.

    ``run``: pictures uint8 ``[1, H, W]`` and widths int64 ``[1]`` to ``digits``, ``digit_confidence`` and
    ``confidence``, as ``ctc.best_path`` gives them. ``buckets``: the widths that ``run`` takes, in pixels and
    rising order; without any, every width. A narrower picture gets white columns on its right.
    """

    def read(image: np.ndarray) -> tuple[str, float]:
        width = image.shape[1]
        pictures = image[None]
        if buckets:
            pictures = np.full((1, image.shape[0], plain.bucket(width, buckets)), 255, np.uint8)
            pictures[0, :, :width] = image
        digits, _, confidence = run(pictures, np.array([width], np.int64))
        return "".join(str(digit) for digit in np.ravel(digits).tolist() if digit >= 0), float(
            np.ravel(confidence)[0]
        )

    return read


def bare(run: Callable[[np.ndarray], np.ndarray], buckets: Sequence[int] = (), multiple: int = 1) -> ReadCard:
    """A network alone as a ReadCard: what comes before and after it is that of ``plain``.

    ``run``: ink float32 ``[1, 1, 32, C]`` to log-probabilities ``[1, T, 11]``. Ink is filled up with empty
    columns to the next of ``buckets``, or to a ``multiple``; the network's margin makes that no other answer.
    """

    def read(image: np.ndarray) -> tuple[str, float]:
        ink, length = plain.ink(image)
        columns = plain.bucket(ink.shape[3], buckets) if buckets else -(-ink.shape[3] // multiple) * multiple
        ink = np.pad(ink, ((0, 0), (0, 0), (0, 0), (0, columns - ink.shape[3])))
        return plain.decode(np.asarray(run(ink))[0], length)

    return read


def masked(
    run: Callable[[np.ndarray, np.ndarray], Sequence[np.ndarray]],
    buckets: Sequence[int] = (),
    multiple: int = 1,
) -> ReadCard:
    """``bare`` for a network that takes the card's width as well, int64 ``[1]``, and gives the length too."""

    def read(image: np.ndarray) -> tuple[str, float]:
        own = np.array([plain.columns(image)], np.int64)
        return bare(lambda ink: run(ink, own)[0], buckets, multiple)(image)

    return read
