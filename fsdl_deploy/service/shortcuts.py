"""Shortcuts around the service's reader: a cascade of two models, and a memory of what was read

Each is a Reader around a Reader of the lecture's optimization step. What they save is on ``/metrics``. Knows
Readers and counters; knows nothing about requests.
"""

import threading
from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from fsdl_deploy.picture import Image
from fsdl_deploy.reading import Reader, Reading


class ShortReader:
    """A Reader that asks ``second`` only where ``reader`` is not sure, and remembers ``kept`` readings.

    ``second`` None: no cascade; ``kept`` 0: no memory. With a cascade the version is that of the reader and
    ``-cascade``; each reading still says who read it. Threads may share one. It is a collector of Prometheus
    too: register it to have ``reader_cascade_*`` and ``reader_cache_*``.
    Raises RuntimeError when the package that remembers is not installed.
    """

    def __init__(self, reader: Reader, second: Reader | None = None, kept: int = 0):
        self._cascade = self._cache = None
        if second is not None:
            self._cascade = reader = _CountedCascade(reader, second)
        if kept:
            try:
                from fsdl_deploy.optimization.caching import CachedReader
            except ImportError as error:
                raise RuntimeError(f"--cache needs the package {error.name}: install it") from None
            self._cache = reader = CachedReader(reader, kept)
        self._reader, self.model_version = reader, reader.model_version

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Read pictures uint8 ``[H, W]`` of any sizes; one Reading each, in order."""
        return self._reader.read(images)

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """What was saved until now, as Prometheus' registry asks for it."""
        if self._cascade:
            yield _counter("reader_cascade_pictures", "pictures that the cascade's first model read",
                           self._cascade.asked)  # fmt: skip
            yield _counter("reader_cascade_handed_on", "of them read again by the second model",
                           self._cascade.handed_on)  # fmt: skip
        if self._cache:
            counts = self._cache.counts
            family = CounterMetricFamily(
                "reader_cache_pictures", "pictures by how the memory answered", labels=["answer"]
            )
            for answer in ("hits", "shared", "misses"):
                family.add_metric([answer], getattr(counts, answer))
            yield family
            yield GaugeMetricFamily("reader_cache_kept", "readings in memory", len(self._cache))


class _CountedCascade:
    """A cascade for several threads at a time, whose own counts are for one thread."""

    def __init__(self, first: Reader, second: Reader):
        self._first, self._second, self.model_version = first, second, f"{first.model_version}-cascade"
        self._lock, self.asked, self.handed_on = threading.Lock(), 0, 0

    def read(self, images: Sequence[Image]) -> list[Reading]:
        from fsdl_deploy.optimization.cascade import CascadeReader

        once = CascadeReader(self._first, self._second)
        readings = once.read(images)
        with self._lock:
            self.asked, self.handed_on = self.asked + once.asked, self.handed_on + once.handed_on
        return readings


def _counter(name: str, about: str, value: int) -> CounterMetricFamily:
    return CounterMetricFamily(name, about, value=value)
