"""What a month of readings costs in each place to run them: instances, endpoints, functions, containers

Each place is a rule from a ``Month`` (what is read, how it comes, what is assumed) and the table of prices
to a ``Bill``, line by line. Places that are paid by the hour are counted for the busiest hour and paid for
all month. What is left out stands at the head of ``infra/managed/prices.toml``.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fsdl_deploy.managed.costs import HOURS
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import Price, prices
from fsdl_deploy.measuring.table import Table

GIB, GB = 1024, 1e9  # MB of a GB of memory; bytes of a GB of data
NEW_CONNECTIONS = 25  # a second, of a balancer's unit


@dataclass(frozen=True)
class Bill:
    """What a month costs at a ``place``, by ``lines``; ``count`` instances, 0 where nobody counts them.

    ``busy``: the share of the month in which their cores, or the GPU, have work; None without instances.
    """

    place: str
    count: int
    lines: Mapping[str, float] = field(default_factory=dict)
    busy: float | None = None

    @property
    def total(self) -> float:
        return math.fsum(self.lines.values())

    def per_million(self, readings: float) -> float | None:
        """For a million readings; None where there are none."""
        return self.total / readings * 1e6 if readings else None


Known = Mapping[str, Price]


def _everywhere(month: Month, known: Known) -> dict[str, float]:
    """What each place charges alike: the answers' way to the Internet, and the log."""
    logs = month.readings * month.log_bytes / GB
    return {
        "to the Internet": month.readings * month.bytes_out / GB * known["internet_gb"].value,
        "logs": logs * (known["log_gb"].value + month.kept * known["log_gb_month"].value),
    }


def _balancer(month: Month, count: int, known: Known) -> float:
    """A balancer before more than one instance. Each request counts as a new connection: an upper bound."""
    if count < 2:
        return 0.0
    gigabytes = month.readings * (month.bytes_in + month.bytes_out) / GB / HOURS
    units = max(month.readings / (HOURS * 3600) / NEW_CONNECTIONS, gigabytes)
    return HOURS * (known["balancer_hour"].value + units * known["balancer_unit_hour"].value)


def _instances(
    place: str, price: str, month: Month, known: Known, gpu: bool = False, size: str = "xlarge_cores"
) -> Bill:
    """Instances of one size; those that are EC2's stand behind a balancer, an endpoint's have theirs inside.

    ``gpu``: its rate counts, and what the cores beside it must do anyway. ``size``: the limit with the cores.
    """
    cores = int(known[size].value)
    seconds = (month.around if gpu else month.seconds) / month.speed
    count = month.count(cores, seconds, month.least) if seconds else month.least
    if gpu:
        count = max(count, month.count(1, 1 / month.gpu_rate, month.least))
        seconds, cores = 1 / month.gpu_rate, 1
    lines = {"instances": count * HOURS * known[price].value}
    if price.startswith("endpoint"):
        lines["data through the endpoint"] = _through(month, known)
    else:
        lines["balancer"] = _balancer(month, count, known)
    return Bill(place, count, lines | _everywhere(month, known), _busy(month, seconds, cores * count))


def _busy(month: Month, seconds: float, cores: int) -> float:
    return month.readings * seconds / (HOURS * 3600 * cores)


def _through(month: Month, known: Known) -> float:
    return month.readings * (month.bytes_in + month.bytes_out) / GB * known["endpoint_gb"].value


def _fargate(place: str, month: Month, known: Known) -> Bill:
    """Tasks of one vCPU and 2 GB, the least that such a task has."""
    count = month.count(1, month.seconds / month.speed, month.least)
    hour = known["fargate_core_hour"].value + 2 * known["fargate_gb_hour"].value
    lines = {"tasks": count * HOURS * hour, "balancer": _balancer(month, count, known)}
    return Bill(
        place, count, lines | _everywhere(month, known), _busy(month, month.seconds / month.speed, count)
    )


def _called(month: Month, memory: float) -> float:
    """Seconds that a call is billed for on average, those that start an instance among them."""
    return month.billed(memory) + month.cold * month.cold_seconds


def _function(place: str, month: Month, known: Known) -> Bill:
    """Lambda at a URL of its own; the requests as such are charged, too."""
    compute = _called(month, month.memory) * month.memory / GIB * known["function_gb_second"].value
    fee = known["function_million_requests"].value / 1e6
    lines = {"compute": month.readings * compute, "requests": month.readings * fee}
    return Bill(place, 0, lines | _everywhere(month, known))


def _provisioned(place: str, month: Month, known: Known) -> Bill:
    """Lambda with instances that are kept ready for the busiest hour, so that none starts cold."""
    count = month.count(1, month.billed(month.memory), 1)
    ready = count * HOURS * 3600 * month.memory / GIB * known["function_provisioned_gb_second"].value
    rate = known["function_provisioned_compute_gb_second"].value
    compute = month.billed(month.memory) * month.memory / GIB * rate
    fee = known["function_million_requests"].value / 1e6
    lines = {"kept ready": ready, "compute": month.readings * compute, "requests": month.readings * fee}
    return Bill(
        place, count, lines | _everywhere(month, known), _busy(month, month.billed(month.memory), count)
    )


def _serverless_endpoint(place: str, month: Month, known: Known) -> Bill:
    """SageMaker's serverless endpoint: memory in steps, no fee for a request, but for its data."""
    step = known["endpoint_serverless_memory_step"].value
    memory = min(math.ceil(month.memory / step) * step, known["endpoint_serverless_most_memory"].value)
    compute = _called(month, memory) * memory / GIB * known["endpoint_serverless_gb_second"].value
    lines = {"compute": month.readings * compute, "data through the endpoint": _through(month, known)}
    return Bill(place, 0, lines | _everywhere(month, known))


def _priced(price: str, size: str = "xlarge_cores") -> Callable:
    return lambda place, month, known: _instances(place, price, month, known, size=size)


def _gpu(price: str) -> Callable:
    return lambda place, month, known: (
        _instances(place, price, month, known, gpu=True) if month.gpu_rate else None
    )


LAMBDA, PROVISIONED, SERVERLESS, FARGATE = "Lambda", "Lambda, provisioned", "SageMaker serverless", "Fargate"
EC2, ENDPOINT = "EC2 c5.xlarge", "SageMaker ml.c5.xlarge"
PLACES: dict[str, Callable[[str, Month, Known], Bill | None]] = {
    LAMBDA: _function,
    PROVISIONED: _provisioned,
    SERVERLESS: _serverless_endpoint,
    FARGATE: _fargate,
    "EC2 m7g.large": _priced("server_hour", "server_cores"),
    "EC2 m5.xlarge": _priced("ec2_m5_xlarge_hour"),
    EC2: _priced("ec2_c5_xlarge_hour"),
    "SageMaker ml.m5.xlarge": _priced("endpoint_m5_xlarge_hour"),
    ENDPOINT: _priced("endpoint_c5_xlarge_hour"),
}
GPUS: dict[str, Callable[[str, Month, Known], Bill | None]] = {
    "EC2 g4dn.xlarge": _gpu("ec2_g4dn_xlarge_hour"),
    "EC2 g5.xlarge": _gpu("ec2_g5_xlarge_hour"),
    "SageMaker ml.g4dn.xlarge": _gpu("endpoint_g4dn_xlarge_hour"),
    "SageMaker ml.g5.xlarge": _gpu("endpoint_g5_xlarge_hour"),
}
"""Only where the month says how fast a GPU is."""


def bill(place: str, month: Month, known: Known | None = None) -> Bill | None:
    """What the month costs there; None for a GPU whose rate is not known. Raises ValueError for no place."""
    rules = PLACES | GPUS
    if place not in rules:
        raise ValueError(f"there is no place {place!r}; the places are {', '.join(rules)}")
    return rules[place](place, month, prices() if known is None else known)


def bills(month: Month, known: Known | None = None) -> list[Bill]:
    """All places, the cheapest first; those with a GPU where its rate is known."""
    each = [bill(place, month, known) for place in PLACES | GPUS]
    return sorted((bill for bill in each if bill is not None), key=lambda bill: bill.total)


def table(month: Month, known: Known | None = None) -> Table:
    """Each place: instances, what the month costs, a million readings, and where the money goes."""
    rows = []
    for each in bills(month, known):
        lines = sorted(each.lines.items(), key=lambda line: -line[1])
        first = f"{lines[0][0]} {lines[0][1] / each.total:.0%}" if each.total else ""
        counted = [each.count or None, each.busy]
        rows.append([each.place, *counted, each.total, each.per_million(month.readings), first])
    header = ["place", "instances", "busy", "USD a month", "USD a million readings", "most of it for"]
    return Table(header, *rows, formats=["", "d", ".1%", ",.2f", ",.2f"])
