"""Billing: takes the readings, and can tell at once that some are not true, because meters only rise

Whether a reading is right, nobody knows before the customer writes. That it is lower than last month's, or so
much higher that nobody uses as much, is known at once. Counts for Prometheus what became of each reading.
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, start_http_server

from fsdl_deploy.customers import Customers
from fsdl_deploy.reading import Reading
from fsdl_deploy.rollouts.meters import Meter

SURE = 0.5  # confidence below which a person reads the card
MOST = 0.03  # of all that a meter can show: nobody uses more in a month
VERDICTS = ("taken", "unsure", "implausible")


def verdict(reading: Reading, before: str, sure: float = SURE, most: float = MOST) -> str:
    """One of VERDICTS, for a customer whose meter showed ``before`` last month, with its leading zeros."""
    if reading.confidence < sure:
        return "unsure"
    return "implausible" if Meter(len(before), int(before)).problem(reading.digits, most) else "taken"


def last_month(customers: Customers, month: str) -> dict[str, str]:
    """What each customer's meter showed at the end of ``month`` (YYYY-MM), as Billing wants it."""
    meters = map(customers.customer, range(customers.n))
    return {m.name: str(customers.reading(i, month)).zfill(m.register) for i, m in enumerate(meters)}


class Billing:
    """``with Billing(before) as billing: billing.take("C0000001", reading)``; metrics at ``billing.port``.

    ``before``: what each customer's meter showed last month, with its leading zeros.
    """

    def __init__(self, before: Mapping[str, str]):
        self.before = before
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
        result = verdict(reading, self.before[customer])
        self._readings.labels(result).inc()
        return result
