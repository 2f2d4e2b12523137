"""A reader that remembers: the same picture, read by the same model, is not read twice.

Bounded in number (the least recently used goes first) and in age. Two callers that bring the same picture at
the same time share one reading (*single flight*). Knows nothing of how the reader works.
"""

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from cachetools import TTLCache

from fsdl_deploy.picture import Image, check_all
from fsdl_deploy.reader import Reader, Reading


@dataclass
class Counts:
    """``hits``: from memory. ``shared``: from a reading that somebody else had begun. ``misses``: read."""

    hits: int = 0
    shared: int = 0
    misses: int = 0

    @property
    def hit_rate(self) -> float:
        """Share of the pictures that the model did not have to read."""
        asked = self.hits + self.shared + self.misses
        return (self.hits + self.shared) / asked if asked else 0.0


def key(image: Image, version: str) -> bytes:
    """What a picture uint8 ``[H, W]`` is remembered by: its content, its shape, and the model's version."""
    digest = hashlib.blake2b(f"{version} {image.shape}".encode(), digest_size=16)
    digest.update(image.tobytes())
    return digest.digest()


class CachedReader:
    """``CachedReader(OnnxReader(), size=10_000)``: a Reader that keeps the last ``size`` readings.

    ``seconds``: how long a reading is kept. A picture that cannot be read is an error for everyone who waits
    for it, and is not remembered. Threads may share one CachedReader.
    """

    def __init__(self, reader: Reader, size: int = 10_000, seconds: float = 24 * 3600):
        if size < 1 or seconds <= 0:
            raise ValueError("size must be at least 1, seconds above 0")
        self.reader, self.counts = reader, Counts()
        self._kept: TTLCache[bytes, Reading] = TTLCache(size, seconds)
        self._under_way: dict[bytes, Future[Reading]] = {}
        self._lock = threading.Lock()

    @property
    def model_version(self) -> str:
        return self.reader.model_version

    def __len__(self) -> int:
        with self._lock:
            return len(self._kept)

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Read pictures uint8 ``[H, W]``; one Reading each, in order. Raises what the reader raises."""
        check_all(images)
        version, found, mine = self.model_version, [], {}
        with self._lock:
            for image in images:
                name = key(image, version)
                if (reading := self._kept.get(name)) is not None:
                    self.counts.hits += 1
                    found.append(reading)
                elif name in self._under_way:
                    self.counts.shared += 1
                    found.append(self._under_way[name])
                else:
                    self.counts.misses += 1
                    self._under_way[name] = Future()
                    mine[name] = image
                    found.append(self._under_way[name])
        if mine:
            self._read(mine)
        return [one.result() if isinstance(one, Future) else one for one in found]

    def _read(self, mine: dict[bytes, Image]) -> None:
        """Read what nobody else reads, and tell those who wait."""
        error, readings = None, []
        try:
            readings = self.reader.read(list(mine.values()))
        except BaseException as problem:  # also an interrupt: nobody may wait for ever
            error = problem
        with self._lock:
            futures = [self._under_way.pop(name) for name in mine]
            self._kept.update(zip(mine, readings, strict=False))
        for place, future in enumerate(futures):
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(readings[place])
