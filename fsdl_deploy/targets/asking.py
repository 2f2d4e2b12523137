"""Asking a target's program for readings of any pictures, with an artifact of its own or another

For what a comparison with the reference is too much: cards of another kind, an artifact just made.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fsdl_deploy.paths import ROOT
from fsdl_deploy.targets import card_files, programs
from fsdl_deploy.targets.catalogue import target


def digits_of(
    name: str, artifact: Path, images: Sequence[np.ndarray], root: Path = ROOT, seconds: float = 300.0
) -> list[str]:
    """The digits that the target ``name`` reads with ``artifact`` on pictures uint8 ``[H, W]``, in order.

    Raises TargetError where it does not answer within ``seconds``.
    """
    chosen = target(name, root)
    with tempfile.TemporaryDirectory(prefix="edge-") as temporary:
        deck, out = Path(temporary) / "cards.npz", Path(temporary) / "readings.json"
        card_files.write_cards(deck, list(images))
        programs.run([chosen.python(), chosen.folder / "read.py", artifact, deck, out], chosen, seconds)
        return [reading["digits"] for reading in card_files.read_readings(out, len(images))["readings"]]


def right(name: str, artifact: Path, images: Sequence[np.ndarray], truths: Sequence[str]) -> int:
    """How many of the pictures are read as ``truths`` say; errors as in ``digits_of``."""
    digits = digits_of(name, artifact, images)
    return sum(read == truth for read, truth in zip(digits, truths, strict=True))
