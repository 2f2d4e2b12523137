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
from fsdl_deploy.reading import Reader, Reading


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
    for it, and is not remembered. ``reader`` may be replaced at any time. A reader behind a URL learns of a
    new version from the next picture that it reads: until then memory answers with the old one. Threads may
    share one CachedReader.
    """

    def __init__(self, reader: Reader, size: int = 10_000, seconds: float = 24 * 3600):
        if size < 1 or seconds <= 0:
            raise ValueError("size must be at least 1, seconds above 0")
        self.reader, self.counts = reader, Counts()
        self._kept: TTLCache[bytes, Reading] = TTLCache(size, seconds)
        self._under_way: dict[bytes, Future[Reading | None]] = {}
        self._lock = threading.Lock()

    @property
    def model_version(self) -> str:
        return self.reader.model_version

    def __len__(self) -> int:
        with self._lock:
            return len(self._kept)

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Read pictures uint8 ``[H, W]``; one Reading each, in order. Raises what the reader raises.

        RuntimeError when the reader does not give one reading for each picture.
        """
        check_all(images)
        reader = self.reader  # the one that is asked for its version is the one that reads
        version, answers, mine = reader.model_version, [], {}
        names = [key(image, version) for image in images]
        with self._lock:
            for name, image in zip(names, images, strict=True):
                if (reading := self._kept.get(name)) is not None:
                    self.counts.hits += 1
                    answers.append(reading)
                elif name in self._under_way:
                    self.counts.shared += 1
                    answers.append(self._under_way[name])
                else:
                    self.counts.misses += 1
                    self._under_way[name] = Future()
                    mine[name] = image
                    answers.append(self._under_way[name])
        if mine:
            self._read(reader, version, mine)
        return [
            self._wait(answer, image) if isinstance(answer, Future) else answer
            for answer, image in zip(answers, images, strict=True)
        ]

    def _read(self, reader: Reader, version: str, mine: dict[bytes, Image]) -> None:
        """Read what nobody else reads, and answer those who wait: a Reading, the error, or None."""
        kept, answers, error = {}, [None] * len(mine), None
        try:
            readings = list(reader.read(list(mine.values())))
            if len(readings) != len(mine):
                raise RuntimeError(f"{len(readings)} readings for {len(mine)} pictures")
            if reader.model_version == version:  # or they may come from another model than they are kept for
                kept = dict(zip(mine, readings, strict=True))
            answers = readings
        except Exception as problem:
            if len(mine) == 1:  # of several pictures another may be at fault
                error = problem
            raise
        finally:  # also after an interrupt: nobody may wait for ever
            with self._lock:
                futures = [self._under_way.pop(name) for name in mine]
                self._kept.update(kept)
            for future, reading in zip(futures, answers, strict=True):
                if error is not None:
                    future.set_exception(error)
                else:
                    future.set_result(reading)

    def _wait(self, future: "Future[Reading | None]", image: Image) -> Reading:
        """The reading that somebody else has begun; read anew when it came to nothing."""
        if (reading := future.result()) is not None:
            return reading
        with self._lock:
            self.counts.shared -= 1
        return self.read([image])[0]
