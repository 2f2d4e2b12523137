"""What a service counts about itself, as Prometheus reads it: the numbers behind ``/metrics``.

Knows the names of the counters; what raises them is in ``model`` and in ``counting``.
"""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from fsdl_deploy.picture import Image
from fsdl_deploy.reading import Reading

LATENCIES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
CONFIDENCES = (*(tenth / 10 for tenth in range(1, 10)), 0.95, 0.99, 1)
EXPECTED = (200, 429, 500, 503)  # statuses of a reading that alerts look at
GREYS = (*range(16, 256, 16), 255)
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
CONTENT_TYPE = CONTENT_TYPE_LATEST  # of the text that Metrics.page gives


class Metrics:
    """The counters of one service. ``in_progress`` says how many readings run or wait."""

    def __init__(self, in_progress: Callable[[], int]):
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = Counter(
            "reader_requests", "requests answered", ["path", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "reader_request_seconds", "time to read a POST", buckets=LATENCIES, registry=self._registry
        )
        self.pictures = Counter("reader_pictures", "pictures read", registry=self._registry)
        self.batch = Histogram(
            "reader_batch_size",
            "pictures in one call of the model",
            buckets=BATCH_SIZES,
            registry=self._registry,
        )
        self.confidence = Histogram(
            "reader_confidence", "confidence of the readings", buckets=CONFIDENCES, registry=self._registry
        )
        self.grey = Histogram(
            "reader_picture_grey",
            "mean grey of the pictures, 0 black to 255 white",
            buckets=GREYS,
            registry=self._registry,
        )
        self.version = Info("reader_model", "the model that answers", registry=self._registry)
        taken = Gauge("reader_requests_in_progress", "readings run or waiting", registry=self._registry)
        taken.set_function(in_progress)

    def also(self, reader: object) -> None:
        """Show what a reader counts itself, where it is a collector of Prometheus (as ``shortcuts`` are)."""
        if hasattr(reader, "collect"):
            self._registry.register(reader)

    def expect(self, paths: Iterable[str]) -> None:
        """Begin the counters of requests for these paths at zero, with each status that alerts look at.

        Prometheus sees a counter rise from its second look on. One that is born with the first error shows no
        rise at all.
        """
        for path in paths:
            for status in EXPECTED:
                self.requests.labels(path, status)

    def count_readings(self, images: Sequence[Image], readings: Sequence[Reading]) -> None:
        """One call of the model made these readings of these images."""
        self.pictures.inc(len(readings))
        self.batch.observe(len(readings))
        for reading in readings:
            self.confidence.observe(reading.confidence)
        for image in images:
            self.grey.observe(float(image.mean()))

    def value(self, name: str) -> float:
        """A number without labels, by Prometheus' name for it, such as ``reader_pictures_total``."""
        return self._registry.get_sample_value(name) or 0.0

    async def of_service(self) -> bytes:
        """The page of the whole service: this process's, unless it is one of several (``worker``)."""
        return self.page()

    def page(self) -> bytes:
        """All of them, in the text format of Prometheus (CONTENT_TYPE)."""
        return generate_latest(self._registry)
