"""A small reader and conversions of it, some of them broken: what a lab's parity test is tried on

The reader has the parts of the large one: a card's own light, a step for every few columns, a winner among
11 symbols, batches of different widths. So a conversion can go wrong in the same places. Runs inside the
sandbox, too: standard library only.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

GLYPHS = (
    "111101101101111", "010110010010111", "111001111100111", "111001111001111", "101101111001001",
    "111100111001111", "111100111101111", "111001001010010", "111101111101111", "111101111001111",
)  # fmt: skip
MARKS = [[place for place, mark in enumerate(glyph) if mark == "1"] for glyph in (*GLYPHS, "")]
ROWS, STEP, WIDEST, MOST = 5, 4, 64, 160
BLANK = 10
SURE, NEAR = 0.9, 0.05
SHARPNESS = 10.0  # of the softmax over the squared distances
BROKEN = {
    "width": "it needs cards whose width is no multiple of its steps",
    "bucket": "it shows on cards with digits beyond column {at}",
    "light": "it shows on dark cards",
    "class": "it never reads the digit {at}",
    "number": "it shows on numbers that begin with 0",
    "axes": "it shows on several cards in a batch",
    "padding": "it shows on cards beside a wider one in a batch",
    "repeats": "it shows where a digit stands twice in a row",
}

Card = list[list[int]]
"""Grey pixels, 5 rows of as many columns as the card is wide: 0 is black, 255 white."""


def draw(digits: str, width: int, light: float = 1.0, noise: float = 0.1, seed: int = 0) -> Card:
    """A card of ``width`` columns with 1 to 16 ``digits``, 3 columns each and a gap of one between.

    ``light`` is from 0.3 (a basement) to 1 (daylight), ``noise`` from 0 to 1, ``seed`` draws the noise.
    ValueError if they do not fit.
    """
    if not digits or any(digit not in "0123456789" for digit in digits):
        raise ValueError(f"digits are a text like '0420', not {digits!r}")
    if not STEP * len(digits) - 1 <= width <= WIDEST:
        raise ValueError(
            f"{len(digits)} digits need {STEP * len(digits) - 1} to {WIDEST} columns, not {width}"
        )
    if not (0.3 <= light <= 1 and 0 <= noise <= 1):
        raise ValueError(f"light is from 0.3 to 1 and noise from 0 to 1, not {light} and {noise}")
    generator, rows = random.Random(seed), []
    for row in range(ROWS):
        ink = "".join(GLYPHS[int(digit)][3 * row : 3 * row + 3] + "0" for digit in digits).ljust(width, "0")
        grey = (230 - 170 * (mark == "1") + 170 * noise * generator.uniform(-1, 1) for mark in ink[:width])
        rows.append([min(255, max(0, round(light * value))) for value in grey])
    return rows


@dataclass(frozen=True)
class Conversion:
    """The reader in another form: ``rounding`` float32, float16 or int8, and what is ``broken`` ("": nothing)

    ``at`` is the widest column of a "bucket", or the digit that a broken "class" never reads.
    """

    rounding: str = "float32"
    broken: str = ""
    at: int = 0

    def __call__(self, cards: list[Card]) -> list[list]:
        """A reading ``[digits, confidence]`` for each card of a batch."""
        widest = max((len(card[0]) for card in cards), default=0)
        read = [self._steps(card, widest) for card in cards]
        if self.broken == "axes":
            read = _step_by_step(read)
        return [self._reading(steps) for steps in read]

    def _steps(self, card: Card, widest: int) -> list[tuple[int, float]]:
        """The symbol of each step and its probability."""
        width = len(card[0])
        if self.broken == "width":
            width -= width % STEP
        if self.broken == "bucket":
            width = min(width, self.at)
        pixels = [value for row in card for value in row]
        if self.broken == "padding" and len(card[0]) < widest:
            pixels.append(0)
        light, dark = (230, 60) if self.broken == "light" else (max(pixels), min(pixels))
        ink = [
            [self._rounded((light - value) / max(1, light - dark)) for value in row[:width]] for row in card
        ]
        return [self._symbol([row[at : at + 3] for row in ink]) for at in range(0, width, STEP)]

    def _rounded(self, ink: float) -> float:
        if self.rounding == "int8":
            return round(127 * min(1.0, max(-1.0, ink))) / 127
        return float(f"{ink:.3g}") if self.rounding == "float16" else ink

    def _symbol(self, window: list[list[float]]) -> tuple[int, float]:
        flat = [value for row in window for value in [*row, 0.0, 0.0][:3]]
        # The squared distance to each glyph, less what all have in common.
        distances = [len(glyph) - 2 * sum(map(flat.__getitem__, glyph)) for glyph in MARKS]
        weights = [math.exp(SHARPNESS * (min(distances) - distance)) for distance in distances]
        if self.broken == "class":
            weights[self.at] = 0.0
        best = max(range(len(weights)), key=weights.__getitem__)
        return best, weights[best] / sum(weights)

    def _reading(self, steps: list[tuple[int, float]]) -> list:
        symbols = [symbol for symbol, _ in steps]
        if self.broken == "repeats":
            symbols = [
                symbol for place, symbol in enumerate(symbols) if symbols[place - 1 : place] != [symbol]
            ]
        digits = "".join(str(symbol) for symbol in symbols if symbol != BLANK)
        if self.broken == "number" and digits:
            digits = str(int(digits))
        return [digits, math.prod(probability for _, probability in steps)]


def _step_by_step(read: list[list]) -> list[list]:
    """The steps of a batch, listed step by step and taken for lists card by card; the same for one card."""
    longest = max((len(steps) for steps in read), default=0)
    turned = iter([steps[place] for place in range(longest) for steps in read if place < len(steps)])
    return [[next(turned) for _ in steps] for steps in read]


def differs(reading: list, other: list) -> bool:
    """Whether it is wrong: the reference is SURE, and digits differ, or confidences by more than NEAR."""
    return reading[1] >= SURE and (reading[0] != other[0] or abs(reading[1] - other[1]) > NEAR)


def searched(search: Callable, rounding: str, broken: str, at: int):
    """What ``search(reference, target, draw)`` returns, for a conversion that reads at most MOST cards."""
    convert, left = Conversion(rounding, broken, at), [MOST]

    def target(cards: list[Card]) -> list[list]:
        left[0] -= len(cards)
        if left[0] < 0:
            raise RuntimeError(f"the conversion has read {MOST} cards, and reads no more")
        return convert(cards)

    return search(Conversion(), target, draw)
