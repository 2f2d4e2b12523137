"""Tariffs: what calls, hours and bytes are charged in a month, by the rules of a table of prices

One rule for each way to pay: a function by the call, instances and a balancer by the hour, traffic and logs
by the byte. Each price is read in the unit that its rule counts in, and all prices of a bill are of one
region. Knows no month and no place.
"""

import math
from collections.abc import Mapping

from fsdl_deploy.managed.prices import ALL, Price, PriceError, prices

HOURS = 730  # of a month
GIB, GB = 1024, 1e9  # MB of a GB of memory; bytes of a GB of data
NEW_CONNECTIONS = 25  # a second, of a balancer's unit


class Tariff:
    """The rules over one table of prices. One for each bill: it keeps the first region."""

    def __init__(self, known: Mapping[str, Price] | None = None):
        self.known = prices() if known is None else known
        self.first: Price | None = None

    def price(self, name: str, unit: str) -> float:
        """A price, or a limit, in this unit. Raises PriceError for another unit or region."""
        price = self.known[name]
        if price.unit != unit:
            raise PriceError(f"{name} is for a {price.unit}; what is computed here needs it for a {unit}")
        if not price.limit and price.region != ALL:
            self.first = self.first or price
            if price.region != self.first.region:
                raise PriceError(
                    f"{name} is a price of {price.region}, {self.first.item!r} one of {self.first.region}: "
                    "a bill adds up prices of one region"
                )
        return price.value

    def gb_seconds(self, seconds: float, memory: float, name: str) -> float:
        """So many seconds of a function's ``memory`` in MB."""
        return seconds * self.gigabytes(memory) * self.price(name, "GB-second")

    @staticmethod
    def gigabytes(memory: float) -> float:
        """MB of a function as its price counts them: 1024 are one."""
        return memory / GIB

    def function(
        self, calls: float, seconds: float, memory: float, rate: str = "function_gb_second"
    ) -> dict[str, float]:
        """Calls of a function, each billed for ``seconds`` of ``memory`` in MB; the requests as such, too."""
        fee = self.price("function_million_requests", "million requests")
        return {"compute": calls * self.gb_seconds(seconds, memory, rate), "requests": calls * fee / 1e6}

    def instances(self, count: int, name: str) -> float:
        """So many instances, all month."""
        return count * HOURS * self.price(name, "hour")

    def balancer(self, count: int, requests: float, transferred: float = 0.0) -> float:
        """A balancer before more than one instance; ``transferred``: bytes of all requests and answers.

        Each request counts as a new connection: an upper bound.
        """
        if count < 2:
            return 0.0
        units = max(requests / (HOURS * 3600) / NEW_CONNECTIONS, transferred / GB / HOURS)
        unit = units * self.price("balancer_unit_hour", "unit and hour")
        return HOURS * (self.price("balancer_hour", "hour") + unit)

    def internet(self, sent: float) -> float:
        """So many bytes to the Internet."""
        return sent / GB * self.price("internet_gb", "GB")

    def logs(self, written: float, months: float) -> float:
        """So many bytes of logs taken in, and kept for ``months``."""
        kept = months * self.price("log_gb_month", "GB and month")
        return written / GB * (self.price("log_gb", "GB") + kept)


def whole_milliseconds(seconds: float) -> float:
    """Seconds as a function bills them: each millisecond that has begun."""
    return math.ceil(round(1000 * seconds, 6)) / 1000


def billed(
    seconds: float, memory: float, besides: float = 0.0, known: Mapping[str, Price] | None = None
) -> float:
    """Seconds that a warm call is billed for, which needs ``seconds`` of a whole core.

    With less ``memory`` (MB) a function gets less of a core, and takes longer; ``besides`` stays as it is.
    """
    core = min(1.0, memory / Tariff(known).price("function_memory_of_a_core", "MB"))
    return whole_milliseconds(seconds / core + besides)


def fewest(busy: float, cores: float, room: float, least: int = 1) -> int:
    """The fewest instances of ``cores`` for so many ``busy`` ones, where cores may be busy up to ``room``."""
    needed = round(busy / room, 9)  # exactly full is not one more, whatever the size of an instance
    return max(least, math.ceil(needed / cores))
