"""Billing: takes the readings, and can tell at once that some are not true, because meters only rise

Whether a reading is right, nobody knows before the customer writes. That it is lower than last month's, or so
much higher that nobody uses as much, is known at once. Counts for Prometheus what became of each reading.
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, start_http_server

from fsdl_deploy.reading import Reading

SURE = 0.5  # confidence below which a person reads the card
VERDICTS = ("taken", "unsure", "implausible")


def verdict(reading: Reading, before: int, most: int, sure: float = SURE) -> str:
    """One of VERDICTS, for a customer whose meter showed ``before`` and who never uses more than ``most``."""
    if reading.confidence < sure:
        return "unsure"
    if not reading.digits.isdecimal():
        return "implausible"
    return "taken" if 0 <= int(reading.digits) - before <= most else "implausible"


class Billing:
    """``with Billing(before) as billing: billing.take("C0000001", reading)``; metrics at ``billing.port``.

    ``before``: what each customer's meter showed last month. ``most``: the most units in a month.
    """

    def __init__(self, before: Mapping[str, int], most: int = 5000):
        self.before, self.most = before, most
        self._registry = CollectorRegistry()
        self._readings = Counter(
            "billing_readings", "readings, by what became of them", ["verdict"], registry=self._registry
        )
        for name in VERDICTS:  # from zero on, so that Prometheus sees the first one as a rise
            self._readings.labels(name)

    def __enter__(self) -> "Billing":
        self._server, self._thread = start_http_server(0, "127.0.0.1", self._registry)
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return self._server.server_port

    def take(self, customer: str, reading: Reading) -> str:
        """Judge and count one reading. KeyError for a customer who is not known."""
        result = verdict(reading, self.before[customer], self.most)
        self._readings.labels(result).inc()
        return result
