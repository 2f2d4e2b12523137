"""What a month of readings costs in each place to run them: instances, endpoints, functions, containers

Each place is a rule from a ``Month`` (what is read, how it comes, what is assumed) and the table of prices
to a ``Bill``, line by line. Places that are paid by the hour are counted for the busiest hour and paid for
all month. What is left out stands at the head of ``infra/managed/prices.toml``.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fsdl_deploy.managed import place_limits
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import Price
from fsdl_deploy.managed.tariffs import GB, HOURS, Tariff
from fsdl_deploy.measuring.table import Table

ALIKE = ("to the Internet", "logs")
"""The lines that are the same in each place."""


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

    @property
    def own(self) -> float:
        """The sum without what every place charges alike: by it, two places compare as by their totals."""
        return math.fsum(cost for name, cost in self.lines.items() if name not in ALIKE)

    def per_million(self, readings: float) -> float | None:
        """For a million readings; None where there are none."""
        return self.total / readings * 1e6 if readings else None


Known = Mapping[str, Price]


def _everywhere(month: Month, tariff: Tariff) -> dict[str, float]:
    """What each place charges alike: the answers' way to the Internet, and the log."""
    sent = tariff.internet(month.readings * month.bytes_out)
    return dict(zip(ALIKE, (sent, tariff.logs(month.readings * month.log_bytes, month.kept)), strict=True))


def _transferred(month: Month) -> float:
    return month.readings * (month.bytes_in + month.bytes_out)


def _through(month: Month, tariff: Tariff) -> float:
    return _transferred(month) / GB * tariff.price("endpoint_gb", "GB")


def _instances(
    place: str, price: str, month: Month, tariff: Tariff, gpu: bool = False, size: str = "xlarge_cores"
) -> Bill:
    """Instances of one size; those that are EC2's stand behind a balancer, an endpoint's have theirs inside.

    ``gpu``: its rate counts, and what the cores beside it must do anyway. ``size``: the limit with the cores.
    """
    cores = int(tariff.price(size, "vCPU"))
    seconds = (month.around if gpu else month.seconds) / month.speed
    count = month.count(cores, seconds, month.least) if seconds else month.least
    if gpu:
        count = max(count, month.count(1, 1 / month.gpu_rate, month.least))
        seconds, cores = 1 / month.gpu_rate, 1
    lines = {"instances": tariff.instances(count, price)}
    if price.startswith("endpoint"):
        lines["data through the endpoint"] = _through(month, tariff)
    else:
        lines["balancer"] = tariff.balancer(count, month.readings, _transferred(month))
    return Bill(place, count, lines | _everywhere(month, tariff), _busy(month, seconds, cores * count))


def _busy(month: Month, seconds: float, cores: int) -> float:
    return month.readings * seconds / (HOURS * 3600 * cores)


def _fargate(place: str, month: Month, tariff: Tariff) -> Bill:
    """Tasks of one vCPU and 2 GB, the least that such a task has."""
    seconds = month.seconds / month.speed
    count = month.count(1, seconds, month.least)
    memory = 2 * tariff.price("fargate_gb_hour", "GB and hour")
    lines = {
        "tasks": tariff.instances(count, "fargate_core_hour") + count * HOURS * memory,
        "balancer": tariff.balancer(count, month.readings, _transferred(month)),
    }
    return Bill(place, count, lines | _everywhere(month, tariff), _busy(month, seconds, count))


def _function(place: str, month: Month, tariff: Tariff) -> Bill:
    """Lambda at a URL of its own; the requests as such are charged, too."""
    seconds = month.billed_on_average(month.memory, tariff.known)
    lines = tariff.function(month.readings, seconds, month.memory)
    return Bill(place, 0, lines | _everywhere(month, tariff))


def _provisioned(place: str, month: Month, tariff: Tariff) -> Bill:
    """Lambda with instances that are kept ready for the busiest hour, so that none starts cold."""
    seconds, rate = month.billed(month.memory, tariff.known), "function_provisioned_compute_gb_second"
    count = month.count(1, seconds, 1)
    ready = tariff.gb_seconds(count * HOURS * 3600, month.memory, "function_provisioned_gb_second")
    lines = {"kept ready": ready} | tariff.function(month.readings, seconds, month.memory, rate)
    return Bill(place, count, lines | _everywhere(month, tariff), _busy(month, seconds, count))


def _serverless_endpoint(place: str, month: Month, tariff: Tariff) -> Bill:
    """SageMaker's serverless endpoint: memory in steps up to a limit; its data is charged, a request not."""
    memory = place_limits.in_steps(month.memory, tariff)
    seconds = month.billed_on_average(memory, tariff.known)
    each = tariff.gb_seconds(seconds, memory, "endpoint_serverless_gb_second")
    lines = {"compute": month.readings * each, "data through the endpoint": _through(month, tariff)}
    return Bill(place, 0, lines | _everywhere(month, tariff))


def _priced(price: str, size: str = "xlarge_cores") -> Callable:
    return lambda place, month, tariff: _instances(place, price, month, tariff, size=size)


def _gpu(price: str) -> Callable:
    return lambda place, month, tariff: _instances(place, price, month, tariff, gpu=True)


LAMBDA, PROVISIONED, SERVERLESS, FARGATE = "Lambda", "Lambda, provisioned", "SageMaker serverless", "Fargate"
EC2, ENDPOINT = "EC2 c5.xlarge", "SageMaker ml.c5.xlarge"
PLACES: dict[str, Callable[[str, Month, Tariff], Bill]] = {
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
GPUS: dict[str, Callable[[str, Month, Tariff], Bill]] = {
    "EC2 g4dn.xlarge": _gpu("ec2_g4dn_xlarge_hour"),
    "EC2 g5.xlarge": _gpu("ec2_g5_xlarge_hour"),
    "SageMaker ml.g4dn.xlarge": _gpu("endpoint_g4dn_xlarge_hour"),
    "SageMaker ml.g5.xlarge": _gpu("endpoint_g5_xlarge_hour"),
}
"""Only where the month says how fast a GPU is."""


def why_not(place: str, month: Month, known: Known | None = None) -> str:
    """Why the place cannot be had for such a month, as words that follow its name; "" where it can.

    A GPU whose rate is not known, or more memory, a longer call or a larger body than the provider allows.
    """
    if place not in PLACES | GPUS:
        raise ValueError(f"there is no place {place!r}; the places are {', '.join(PLACES | GPUS)}")
    if place in GPUS and not month.gpu_rate:
        return "has no GPU whose rate is known (gpu_rate)"
    tariff = Tariff(known)
    if place in (LAMBDA, PROVISIONED):
        return place_limits.of_a_function(month, tariff)
    if place == SERVERLESS:
        return place_limits.of_a_serverless_endpoint(month, tariff)
    return place_limits.of_an_endpoint(month, tariff, place in GPUS) if place.startswith("SageMaker") else ""


def bill(place: str, month: Month, known: Known | None = None) -> Bill | None:
    """What the month costs there, None where the place cannot be had (``why_not``).

    Raises ValueError for no place, PriceError for prices that do not add up.
    """
    if why_not(place, month, known):
        return None
    return (PLACES | GPUS)[place](place, month, Tariff(known))


def had(place: str, month: Month, known: Known | None = None) -> Bill:
    """The bill, of a place that can be had. Raises ValueError where it cannot."""
    whole = bill(place, month, known)
    if whole is None:
        raise ValueError(f"{place} {why_not(place, month, known)}: take another place, or change that")
    return whole


def total(place: str, month: Month, known: Known | None = None) -> float:
    """The sum of the bill of a place that can be had. Raises ValueError where it cannot."""
    return had(place, month, known).total


def bills(month: Month, known: Known | None = None) -> list[Bill]:
    """All places that can be had, the cheapest first; those with a GPU where its rate is known."""
    each = [bill(place, month, known) for place in PLACES | GPUS]
    return sorted((bill for bill in each if bill is not None), key=lambda bill: bill.total)


def not_had(month: Month, known: Known | None = None) -> dict[str, str]:
    """The places that cannot take such a month, and why; no GPU where its rate is not known."""
    places = PLACES | GPUS if month.gpu_rate else PLACES
    return {place: why for place in places if (why := why_not(place, month, known))}


def less_the_free(month: Month, known: Known | None = None) -> Bill:
    """Lambda's bill without what an account has free each month, if nothing else of the account uses it."""
    tariff, whole = Tariff(known), had(LAMBDA, month, known)
    used = (
        month.readings * tariff.gigabytes(month.memory) * month.billed_on_average(month.memory, tariff.known)
    )
    free = {
        "requests": (month.readings, tariff.price("function_free_requests", "requests")),
        "compute": (used, tariff.price("function_free_gb_seconds", "GB-second")),
    }
    lines = dict(whole.lines)
    for name, (taken, given) in free.items():
        lines[name] *= max(0.0, 1 - given / taken) if taken else 0.0
    return Bill(whole.place, whole.count, lines)


def table(month: Month, known: Known | None = None) -> Table:
    """Each place: instances, what the month costs, a million readings, and where the money goes.

    Below stands which place cannot take such a month, and why.
    """
    rows = []
    for each in bills(month, known):
        lines = sorted(each.lines.items(), key=lambda line: -line[1])
        first = f"{lines[0][0]} {lines[0][1] / each.total:.0%}" if each.total else ""
        counted = [each.count or None, each.busy]
        rows.append([each.place, *counted, each.total, each.per_million(month.readings), first])
    header = ["place", "instances", "busy", "USD a month", "USD a million readings", "most of it for"]
    notes = [f"No bill for {place}: it {why}." for place, why in not_had(month, known).items()]
    return Table(header, *rows, formats=["", "d", ".1%", ",.2f", ",.2f"], notes=notes)
