"""Meter cards: pictures of handwritten meter readings, drawn from real MNIST digits.

A card is seeded: the same arguments give the same pixels. ``DRIFTS`` are the ways in which the pictures of
tomorrow differ from those of today. Knows nothing about models.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import PIL.Image

from fsdl_deploy.digits import Digits, Split, digits
from fsdl_deploy.drawing import LEVELS, Hand, Level, draw, hand, level_named
from fsdl_deploy.picture import Image, encode


@dataclass(frozen=True, eq=False)
class Card:
    """A picture uint8 ``[64, W]`` with what is written on it, by whom, and for which month (YYYY-MM)."""

    image: Image
    truth: str
    customer: str
    month: str

    def _repr_png_(self) -> bytes:
        return encode(self.image)


def _rotate(image: Image, rng: np.random.Generator) -> Image:
    angle = float(rng.uniform(8, 14) * rng.choice([-1, 1]))
    turned = PIL.Image.fromarray(image).rotate(
        angle, PIL.Image.BICUBIC, expand=True, fillcolor=int(np.percentile(image, 90))
    )
    return np.array(turned)


def _darken(image: Image, rng: np.random.Generator) -> Image:
    dark = image * rng.uniform(0.12, 0.25) + rng.normal(0, 4, image.shape)
    return dark.clip(0, 255).astype(np.uint8)


def _crop(image: Image, rng: np.random.Generator) -> Image:
    cut = int(image.shape[0] * rng.uniform(0.25, 0.35))
    return image[cut:].copy() if rng.random() < 0.5 else image[:-cut].copy()


DRIFTS: dict[str, Callable[[Image, np.random.Generator], Image] | None] = {
    "inverted": lambda image, rng: 255 - image,
    "rotated": _rotate,
    "dark": _darken,
    "cropped": _crop,
    "new pen": None,  # changes how the card is written, not how it is photographed: see ``picture_of``
}


def picture_of(
    text: str, level: Level, writer: Hand, rng: np.random.Generator, source: Digits, drift: str | None = None
) -> Image:
    """``draw`` with an optional ``drift``, one of ``DRIFTS``: what changed since the model was trained."""
    if drift is not None and drift not in DRIFTS:
        raise ValueError(f"drift is one of {', '.join(DRIFTS)}, not {drift!r}")
    if drift == "new pen":  # a broad felt pen, half dried out
        level = replace(level, ink=(100, 150))
        writer = replace(writer, pen=0.95)
    image = draw(text, level, writer, rng, source)
    change = DRIFTS.get(drift)
    return change(image, rng) if change else image


def cards(
    n: int,
    level: str | Level = "typical",
    split: Split | Digits = "test",
    seed: int = 0,
    drift: str | None = None,
    lengths: tuple[int, int] | None = None,
) -> Iterator[Card]:
    """Yield ``n`` cards of random readings, each by another writer.

    ``split`` names the digits to write with, or is a set of Digits. ``lengths`` overrides the
    level's range of digits on a card. Card ``i`` does not depend on ``n``.
    """
    level = level_named(level)
    if lengths is not None:
        low, high = lengths
        if not 1 <= low <= high:
            raise ValueError(f"lengths is a range of at least one digit, not {lengths}")
        level = replace(level, lengths=(low, high))
    source = split if isinstance(split, Digits) else digits(split)
    make = partial(picture_of, level=level, source=source, drift=drift)
    for i in range(n):
        rng = np.random.default_rng((seed, i))
        text = "".join(map(str, rng.integers(0, 10, rng.integers(level.lengths[0], level.lengths[1] + 1))))
        yield Card(make(text, writer=hand(level, rng), rng=rng), text, f"walk-in-{i:06d}", "2026-10")


@dataclass(frozen=True, eq=False)
class _Noting(Digits):
    """Digits that note which were drawn since the list was last emptied, by their places."""

    drawn: list[int] = field(default_factory=list)

    def choose(self, digit: int, rng: np.random.Generator) -> int:
        self.drawn.append(super().choose(digit, rng))
        return self.drawn[-1]


def cards_and_digits(
    n: int, level: str | Level = "typical", split: Split | Digits = "test", seed: int = 0
) -> Iterator[tuple[Card, list[int]]]:
    """The same ``cards``, each with the handwritten digits on it, by their places in ``split``.

    Cards share digits, so they are not independent: ``measuring.accuracy.clustered`` wants to know which.
    """
    source = split if isinstance(split, Digits) else digits(split)
    noting = _Noting(source.images, source.labels)
    for card in cards(n, level, noting, seed):
        yield card, noting.drawn.copy()
        noting.drawn.clear()


def add_arguments(parser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="where to write NUMBER_TRUTH.png files")
    parser.add_argument("-n", type=int, default=20, metavar="COUNT", help="how many")
    parser.add_argument("--level", default="typical", choices=LEVELS, help="how hard they are to read")
    parser.add_argument("--drift", choices=DRIFTS, help="change the cards as the world does (default: none)")
    parser.add_argument("--seed", type=int, default=0, help="other cards by another seed")


def main(args) -> int:
    from pathlib import Path

    if args.n < 1:
        raise ValueError(f"-n is the number of cards, at least 1, not {args.n}")
    if args.seed < 0:
        raise ValueError(f"--seed is a whole number from 0 up, not {args.seed}")
    folder = Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for i, card in enumerate(cards(args.n, args.level, seed=args.seed, drift=args.drift)):
        (folder / f"{i:05d}_{card.truth}.png").write_bytes(encode(card.image))
    print(f"{args.n} cards in {folder}")
    return 0
