"""How a card is drawn: digits in the hand of their writer, on paper, then photographed.

How hard a card is to read is its ``Level``; how its writer writes is a ``Hand``. Knows nothing of what is
written on which card, or for whom.
"""

import io
from dataclasses import dataclass

import numpy as np
import PIL.Image
import PIL.ImageFilter

from fsdl_deploy.digits import Digits
from fsdl_deploy.picture import Image

HEIGHT = 64
CORNERS = np.array(
    [[-1, -1], [-1, 1], [1, 1], [1, -1]]
)  # north-west and on counter-clockwise, as Pillow wants


@dataclass(frozen=True)
class Level:
    """How hard the cards are: each pair is the range from which a card draws one value.

    Lengths are digits; ``paper``, ``ink``, ``texture``, ``noise`` grey levels of 255; ``blur`` pixels
    of radius; ``light`` the share of light lost at the darker edge; ``jpeg`` the quality factor;
    ``rules`` and ``boxes`` the probability that lines or box frames are printed on the paper.
    """

    lengths: tuple[int, int] = (4, 7)
    slant: tuple[float, float] = (-0.08, 0.15)
    wobble: float = 1.0
    bend: float = 0.8
    pen: tuple[float, float] = (0.35, 0.55)
    gap: tuple[float, float] = (4, 12)
    paper: tuple[float, float] = (244, 255)
    ink: tuple[float, float] = (5, 45)
    texture: tuple[float, float] = (0, 2)
    light: tuple[float, float] = (0, 0.03)
    blur: tuple[float, float] = (0, 0.4)
    noise: tuple[float, float] = (0, 2)
    jpeg: tuple[int, int] = (88, 96)
    rules: float = 0
    boxes: float = 0


CLEAN = Level()
TYPICAL = Level(
    slant=(-0.15, 0.3), wobble=2.0, bend=1.1, pen=(0.27, 0.65), gap=(2, 14), paper=(175, 250), ink=(10, 95),
    texture=(1, 7), light=(0, 0.2), blur=(0.2, 1.1), noise=(1, 7), jpeg=(55, 92), rules=0.35, boxes=0.3,
)  # fmt: skip
HARD = Level(
    lengths=(4, 9), slant=(-0.35, 0.5), wobble=3.5, bend=1.6, pen=(0.2, 0.78), gap=(-2, 18), paper=(130, 250),
    ink=(10, 120), texture=(2, 14), light=(0.1, 0.5), blur=(0.4, 2.0), noise=(2, 14), jpeg=(25, 80),
    rules=0.5, boxes=0.4,
)  # fmt: skip
LEVELS = {"clean": CLEAN, "typical": TYPICAL, "hard": HARD}


@dataclass(frozen=True)
class Hand:
    """How one person writes: lean, pen and digit size stay the same from card to card.

    ``slant`` pixels sideways per pixel up; ``pen`` 0 thin to 1 thick; ``size`` pixels of height of
    a digit; ``gap`` pixels between digits.
    """

    slant: float
    pen: float
    size: float
    gap: float


def level_named(level: str | Level) -> Level:
    """The Level called ``level``; a Level passes through. Raises ValueError with the names there are."""
    if isinstance(level, Level):
        return level
    if level not in LEVELS:
        raise ValueError(f"level is one of {', '.join(LEVELS)}, not {level!r}")
    return LEVELS[level]


def hand(level: Level, rng: np.random.Generator) -> Hand:
    """Draw a writer who suits ``level``."""
    return Hand(
        slant=rng.uniform(*level.slant),
        pen=rng.uniform(*level.pen),
        size=rng.uniform(36, 45),
        gap=rng.uniform(*level.gap),
    )


def draw(text: str, level: Level, writer: Hand, rng: np.random.Generator, source: Digits) -> Image:
    """Draw the digits ``text`` as uint8 ``[64, W]``; W follows from the writing.

    ``source`` holds the handwritten examples. Raises ValueError when ``text`` is not all digits.
    """
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"a card holds one or more of the digits 0 to 9, not {text!r}")
    shapes = [_write(source.draw_one(int(c), rng), level, writer, rng) for c in text]
    boxed = rng.random() < level.boxes
    pitch = max(s.shape[1] for s in shapes) + rng.uniform(4, 10)
    margin = rng.uniform(6, 22, size=2)
    places, x = [], margin[0]
    for shape in shapes:
        places.append(x + (pitch - shape.shape[1]) / 2 + rng.normal(0, 1) if boxed else x)
        x += pitch if boxed else shape.shape[1] + max(writer.gap + rng.normal(0, 2), -3)
    width = max(int(x + margin[1]), HEIGHT // 2)  # a lone 1 is no card that stands on its side
    ink = np.zeros((HEIGHT, width), np.uint8)
    baseline, drift = rng.uniform(-4, 4), rng.normal(0, level.wobble)
    for place, shape in zip(places, shapes, strict=True):
        height, w = shape.shape
        rise = drift * (place / width - 0.5) * 2 + rng.normal(0, level.wobble)
        top = int(np.clip((HEIGHT - height) / 2 + baseline + rise, 0, HEIGHT - height))
        left = int(np.clip(place, 0, width - w))
        region = ink[top : top + height, left : left + w]
        np.maximum(region, shape, out=region)
    frame = (margin[0], pitch, len(text)) if boxed else None
    return _photograph(ink, level, frame, rng)


def _write(shape: np.ndarray, level: Level, writer: Hand, rng: np.random.Generator) -> np.ndarray:
    """One digit in the writer's hand: leaned, bent, scaled, its stroke set by the pen; uint8 ``[h, w]``."""
    scale = writer.size * rng.uniform(0.92, 1.08) / 20  # the ink of an MNIST digit is 20 pixels high
    side = int(28 * scale * 1.15)
    angle, slant = rng.normal(0, 0.05 * level.wobble**0.5), writer.slant + rng.normal(0, 0.03)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    lean = np.array([[rng.uniform(0.9, 1.12), slant], [0, 1]])
    # Where the four corners of the new digit lie on the scanned one, each a little off its place.
    corners = CORNERS * (side / 2 / scale) @ lean.T @ turn.T + 14 + rng.normal(0, level.bend, (4, 2))
    bent = PIL.Image.fromarray(shape).transform(
        (side, side), PIL.Image.QUAD, corners.ravel(), PIL.Image.BICUBIC
    )
    # The scaled strokes are blurred hills: where we cut them decides how wide the pen is.
    pen = np.clip(writer.pen + rng.normal(0, 0.03), 0.1, 0.9)
    if pen > 0.55:
        bent = bent.filter(PIL.ImageFilter.GaussianBlur(float(pen - 0.5) * 5))
    hill = np.asarray(bent, np.float32) / 255
    cut = max(0.75 * (1 - pen), 0.16)  # never so low that bare paper counts as ink
    stroke = np.clip((hill - cut + 0.15) / 0.3, 0, 1)
    rows, columns = (np.flatnonzero((stroke > 0.3).any(axis=axis)) for axis in (1, 0))
    if not len(rows):  # too thin a pen for too faint a digit: keep the digit as it was scanned
        stroke, rows, columns = hill, np.arange(side), np.arange(side)
    stroke = stroke[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return (stroke[:HEIGHT] * 255).astype(np.uint8)


def _photograph(ink: np.ndarray, level: Level, frame: tuple | None, rng: np.random.Generator) -> Image:
    """Put ink uint8 ``[64, W]`` on paper and take the picture: print, texture, light, blur, noise, JPEG."""
    height, width = ink.shape
    paper_grey, ink_grey = rng.uniform(*level.paper), rng.uniform(*level.ink)
    coarse = rng.normal(128, 40, (3 + height // 16, 3 + width // 16)).clip(0, 255).astype(np.uint8)
    cloud = np.asarray(PIL.Image.fromarray(coarse).resize((width, height), PIL.Image.BICUBIC), np.float32)
    paper = paper_grey + (cloud - 128) / 40 * rng.uniform(*level.texture)
    print_grey = paper_grey - rng.uniform(0.15, 0.6) * (paper_grey - ink_grey)
    thick = int(rng.integers(1, 3))
    if frame is not None:
        left, pitch, count = frame
        top, bottom = int(rng.integers(1, 7)), height - int(rng.integers(2, 8))
        end = min(int(left + pitch * count), width - thick)
        paper[top : top + thick, int(left) : end] = print_grey
        paper[bottom : bottom + thick, int(left) : end + thick] = print_grey
        for i in range(count + 1):
            x = min(int(left + pitch * i), end)
            paper[top:bottom, x : x + thick] = print_grey
    elif rng.random() < level.rules:
        y, step = rng.uniform(44, 60), rng.uniform(26, 48)
        while y > 0:
            paper[int(y) : int(y) + thick] = print_grey
            y -= step
    alpha = ink.astype(np.float32) / 255
    picture = paper * (1 - alpha) + np.minimum(ink_grey, paper) * alpha
    angle, loss = rng.uniform(0, 2 * np.pi), rng.uniform(*level.light)
    down, right = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    picture *= 1 - loss * (np.cos(angle) * right + np.sin(angle) * down + 1.42) / 2.84
    blurred = PIL.Image.fromarray(picture.clip(0, 255).astype(np.uint8)).filter(
        PIL.ImageFilter.GaussianBlur(float(rng.uniform(*level.blur)))
    )
    noisy = np.asarray(blurred, np.float32) + rng.standard_normal((height, width), np.float32) * rng.uniform(
        *level.noise
    )
    return _jpeg(noisy.clip(0, 255).astype(np.uint8), int(rng.integers(*level.jpeg)))


def _jpeg(image: Image, quality: int) -> Image:
    file = io.BytesIO()
    PIL.Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.array(PIL.Image.open(file))
