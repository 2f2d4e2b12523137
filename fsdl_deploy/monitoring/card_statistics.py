"""What can be measured of each card without its truth: of the picture, of the answer, of the moment

A statistic is an array with a number for each card, in the order of arrival; NaN where it cannot be known.
Knows nothing of what is usual.
"""

from collections.abc import Sequence

import numpy as np

from fsdl_deploy.picture import Image, PictureError
from fsdl_deploy.reading import Reading

Statistics = dict[str, np.ndarray]

UNSURE = 0.6  # confidence below which a reading goes to a person
MOST_USED = 0.1  # share of a meter's register that nobody uses in a month
PICTURE = ("grey", "contrast", "aspect", "sharpness")
ANSWER = ("digits", "confidence", "handed on", "implausible")


def measure(
    images: Sequence[Image],
    answers: Sequence[Reading | PictureError | None],
    previous: Sequence[int] | None = None,
    latency: Sequence[float] | None = None,
    gap: Sequence[float] | None = None,
) -> Statistics:
    """The statistics of cards: pictures uint8 ``[H, W]`` and what the service answered: None or a
    PictureError where it refused one.

    ``previous``: last month's reading of each card's meter. ``latency``: seconds for each answer. ``gap``:
    seconds since the card before. What is not given is not among the statistics. Raises ValueError for
    lists of different lengths.
    """
    readings = [answer if isinstance(answer, Reading) else None for answer in answers]
    given = {"answers": readings, "previous": previous, "latency": latency, "gap": gap}
    for name, values in given.items():
        if values is not None and len(values) != len(images):
            raise ValueError(f"{len(images)} pictures, but {len(values)} {name}: give one for each picture")
    statistics = {name: np.empty(len(images)) for name in PICTURE}
    for place, image in enumerate(images):
        for name, value in zip(PICTURE, of_picture(image), strict=True):
            statistics[name][place] = value
    statistics["refused"] = np.array([float(reading is None) for reading in readings])
    statistics["digits"] = np.array([np.nan if r is None else len(r.digits) for r in readings])
    confidence = np.array([np.nan if r is None else r.confidence for r in readings])
    statistics["confidence"] = confidence
    statistics["handed on"] = np.where(np.isnan(confidence), np.nan, confidence < UNSURE)
    if previous is not None:
        pairs = zip(readings, previous, strict=True)
        statistics["implausible"] = np.array(
            [np.nan if r is None else float(not plausible(r.digits, before)) for r, before in pairs]
        )
    for name, values in (("latency", latency), ("gap", gap)):
        if values is not None:
            statistics[name] = np.asarray(values, float)
    return statistics


def of_picture(image: Image) -> tuple[float, float, float, float]:
    """Mean grey and contrast (0 to 1), width over height, and sharpness: steps between neighbours, as a share
    of the contrast."""
    pixels = image.astype(np.float32) / 255
    contrast = float(pixels.std())
    steps = np.abs(np.diff(pixels, axis=0)).mean() + np.abs(np.diff(pixels, axis=1)).mean()
    return float(pixels.mean()), contrast, image.shape[1] / image.shape[0], float(steps) / max(contrast, 1e-3)


def plausible(digits: str, previous: int) -> bool:
    """Whether a meter that showed ``previous`` can show ``digits`` a month later: meters only rise,
    and not by a tenth of what their register can count."""
    return bool(digits) and 0 <= int(digits) - previous < MOST_USED * 10 ** len(digits)


def joined(*parts: Statistics) -> Statistics:
    """Several stretches of cards as one, by the statistics that all of them have."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def chosen(statistics: Statistics, places: np.ndarray | slice) -> Statistics:
    """The same statistics of these cards only."""
    return {name: values[places] for name, values in statistics.items()}
