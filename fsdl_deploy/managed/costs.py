"""What a month of requests costs as a function, on one server, or on several behind a balancer

The prices are those of ``infra/managed/prices.toml``, each with its date and source. What a request takes is
measured elsewhere and given as a ``Work``. A function is paid by what it computes, a server by the hour; what
decides is how many requests there are, and how much room the busiest minute needs.
"""

from dataclasses import dataclass

from fsdl_deploy.managed import prices as rows
from fsdl_deploy.managed import tariffs
from fsdl_deploy.managed.prices import FILE, Price, PriceError, prices
from fsdl_deploy.managed.tariffs import HOURS, Tariff
from fsdl_deploy.measuring.table import Table

__all__ = ["FILE", "HOURS", "Price", "PriceError", "prices"]  # lessons and labs have them from here
FUNCTION, SERVER = "function", "one server"


def used() -> list[str]:
    """The names of the prices and limits of functions, this server and its balancer: those of this module."""
    kinds = ("function_", "server_", "balancer_")
    return [name for name in prices() if name.startswith(kinds) and "provisioned" not in name]


def table() -> Table:
    """The prices and limits of ``used`` with their dates, for a lesson to show."""
    return rows.table(used())


@dataclass(frozen=True)
class Work:
    """What one request takes: ``seconds`` of one core. ``room``: how busy a server may be at its busiest.

    ``billed``: seconds that a call of the function is billed for, where that was measured; cold starts are
    left out. ``memory``: MB of the function. With half the memory of a whole core it gets half of one, so the
    request takes twice as long and costs as much; with more than that it is not quicker, only more expensive.
    """

    seconds: float
    memory: float = 1769
    room: float = 0.6
    billed: float | None = None

    @property
    def call(self) -> float:
        """Seconds that a call of the function is billed for, in whole milliseconds."""
        if self.billed is None:
            return tariffs.billed(self.seconds, self.memory)
        return tariffs.whole_milliseconds(self.billed)

    def __post_init__(self):
        if not self.seconds > 0 or not self.memory >= 128 or not 0 < self.room <= 1:
            raise ValueError("seconds must be above 0, memory at least 128 MB, room above 0 and at most 1")
        if self.billed is not None and not self.billed > 0:
            raise ValueError("billed must be above 0")


def function_month(requests: float, work: Work) -> float:
    """What so many requests a month cost as a function, in the prices' currency."""
    return sum(Tariff().function(requests, work.call, work.memory).values())


def servers_month(count: int, requests: float) -> float:
    """What ``count`` servers cost a month, with a balancer in front of them if they are more than one.

    The balancer's capacity is counted as if each request opened a connection: an upper bound.
    """
    tariff = Tariff()
    return tariff.instances(count, "server_hour") + tariff.balancer(count, requests)


def servers_for(rate: float, work: Work) -> int:
    """The fewest servers that have room for ``rate`` requests a second."""
    return tariffs.fewest(rate * work.seconds, Tariff().price("server_cores", "vCPU"), work.room)


@dataclass(frozen=True)
class Choice:
    """A place to run, and what it costs a month."""

    place: str
    cost: float


def choices(requests_a_day: float, burstiness: float, work: Work) -> list[Choice]:
    """The places for this traffic, the cheapest first: the function, and as many servers as it needs.

    No function where a call takes longer, or more memory, than the provider's limits allow.
    ``burstiness``: how many times the mean rate the busiest minute has (``scaling.traffic.burstiness``).
    """
    if not requests_a_day >= 0 or not burstiness >= 1:
        raise ValueError("requests_a_day must not be below 0, and burstiness not below 1")
    requests = requests_a_day * HOURS / 24
    count = servers_for(requests_a_day / 86_400 * burstiness, work)
    place = SERVER if count == 1 else f"{count} servers behind a balancer"
    both = [
        Choice(FUNCTION, function_month(requests, work)),
        Choice(place, servers_month(count, requests)),
    ]
    tariff = Tariff()
    too_long = work.call > tariff.price("function_most_seconds", "s")
    too_large = work.memory > tariff.price("function_most_memory", "MB")
    return sorted(both[1:] if too_long or too_large else both, key=lambda choice: choice.cost)


def cheapest(requests_a_day: float, burstiness: float, work: Work) -> Choice:
    """The cheapest place for this traffic."""
    return choices(requests_a_day, burstiness, work)[0]
