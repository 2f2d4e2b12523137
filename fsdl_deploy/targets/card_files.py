"""Cards in one file, as a target's program is given them, and its readings, as it gives them back

NumPy and the standard library only: it runs in every station.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

CALIBRATION = "FSDL_CALIBRATION_CARDS"  # the variable that names the file with them, where a build runs


def write_cards(file: Path, images: Sequence[np.ndarray]) -> None:
    """Pictures uint8 ``[H, W]`` into an ``.npz`` file, in their order."""
    np.savez_compressed(file, **{f"card{place:05d}": image for place, image in enumerate(images)})


def read_cards(file: Path) -> list[np.ndarray]:
    """The pictures uint8 ``[H, W]`` of a file, in their order."""
    with np.load(file, allow_pickle=False) as arrays:
        return [arrays[name] for name in sorted(arrays.files)]


def calibration() -> list[np.ndarray]:
    """Cards of training digits, uint8 ``[H, W]``, for ``build.py``: they show an int8 quantizer the ranges.

    The build hands them over in a file, since a station may have nothing to draw cards with. Raises KeyError
    outside of a build.
    """
    return read_cards(Path(os.environ[CALIBRATION]))


def write_readings(
    file: Path, readings: Sequence[tuple[str, float]], seconds: Sequence[float], versions: dict[str, str]
) -> None:
    """``readings``: digits and confidence of each card; ``seconds``: of each, the least of all rounds."""
    rows = [{"digits": digits, "confidence": float(confidence)} for digits, confidence in readings]
    answer = {"readings": rows, "seconds": [float(value) for value in seconds], "versions": versions}
    file.write_text(json.dumps(answer), encoding="utf-8")


def read_readings(file: Path, cards: int) -> dict:
    """What a program wrote of so many cards. ValueError says in one sentence what is wrong with it."""
    try:
        answer = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise ValueError("it wrote no readings") from None
    except ValueError:
        raise ValueError("what it wrote is not JSON") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("versions"), dict):
        raise ValueError("what it wrote has no readings, seconds and versions")
    for name in ("readings", "seconds"):
        values = answer.get(name)
        if not isinstance(values, list) or len(values) != cards:
            count = len(values) if isinstance(values, list) else "no"
            raise ValueError(f"it wrote {count} {name} of {cards} cards")
    if not all(isinstance(row, dict) and _is_reading(row) for row in answer["readings"]):
        raise ValueError("a reading of it has no digits with a confidence from 0 to 1")
    if not all(isinstance(value, int | float) and value >= 0 for value in answer["seconds"]):
        raise ValueError("a duration of it is not a number of seconds")
    return answer


def _is_reading(row: dict) -> bool:
    digits, confidence = row.get("digits"), row.get("confidence")
    known = isinstance(digits, str) and set(digits) <= set("0123456789")
    return known and isinstance(confidence, int | float) and 0 <= confidence <= 1 + 1e-6
