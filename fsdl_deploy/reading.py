"""One ``Reader``, many places to put it: pictures in, readings out.

The lecture's central lesson, separate the model from the UI, as a type. Whoever holds a Reader cannot tell
whether the model is in this process (``reader``) or behind a URL (``remote``). Knows nothing about how
pictures arrive or who asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fsdl_deploy.picture import Image


@dataclass(frozen=True)
class Reading:
    """What a reader says of one picture.

    ``digits``: the digits from left to right, perhaps none. ``confidence``: 0 to 1, for the whole
    reading. ``digit_confidence``: 0 to 1, one for each digit. ``model_version``: who read it.
    """

    digits: str
    confidence: float
    digit_confidence: tuple[float, ...]
    model_version: str


class Reader(Protocol):
    """Reads meter cards. Every reader of the course keeps to this."""

    model_version: str

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Read pictures uint8 ``[H, W]`` of any sizes; one Reading each, in order.

        Raises PictureError for a picture that cannot be read, naming its place in ``images``.
        """
        ...
