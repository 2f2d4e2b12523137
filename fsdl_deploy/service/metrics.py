"""What a service counts about itself, as Prometheus reads it: the numbers behind ``/metrics``.

Knows the names of the counters; what raises them is in ``model`` and in ``counting``.
"""

from collections.abc import Callable, Sequence

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

from fsdl_deploy.reading import Reading

LATENCIES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
CONFIDENCES = (*(tenth / 10 for tenth in range(1, 10)), 0.95, 0.99, 1)
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
        self.version = Info("reader_model", "the model that answers", registry=self._registry)
        taken = Gauge("reader_requests_in_progress", "readings run or waiting", registry=self._registry)
        taken.set_function(in_progress)

    def count_readings(self, readings: Sequence[Reading]) -> None:
        """One call of the model gave these."""
        self.pictures.inc(len(readings))
        self.batch.observe(len(readings))
        for reading in readings:
            self.confidence.observe(reading.confidence)

    def page(self) -> bytes:
        """All of them, in the text format of Prometheus (CONTENT_TYPE)."""
        return generate_latest(self._registry)
