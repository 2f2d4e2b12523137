"""What the managed name costs more: endpoints over the machines inside, serverless endpoints over functions

The lecture's two claims about price, from the table of prices, with the dates of both sides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fsdl_deploy.managed import hosting
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import ORIGINS, Price, PriceError, prices
from fsdl_deploy.measuring.table import Table

ENDPOINTS = {
    "m5.xlarge": ("endpoint_m5_xlarge_hour", "ec2_m5_xlarge_hour"),
    "c5.xlarge": ("endpoint_c5_xlarge_hour", "ec2_c5_xlarge_hour"),
    "g4dn.xlarge": ("endpoint_g4dn_xlarge_hour", "ec2_g4dn_xlarge_hour"),
    "g5.xlarge": ("endpoint_g5_xlarge_hour", "ec2_g5_xlarge_hour"),
}
EARLIER = {
    "m5.xlarge, an older price": ("endpoint_m5_xlarge_hour_before", "ec2_m5_xlarge_hour"),
    "g4dn.xlarge, on a bill": ("endpoint_g4dn_xlarge_hour_2023", "ec2_g4dn_xlarge_hour_ireland"),
}
MEMORY = {"memory, a second": ("endpoint_serverless_gb_second", "function_gb_second")}


@dataclass(frozen=True)
class Premium:
    """``managed`` over ``plain``, of the same thing."""

    of: str
    managed: Price
    plain: Price

    @property
    def more(self) -> float:
        """The share that it costs more: 0.2 is 20 %."""
        return self.managed.value / self.plain.value - 1


def premiums(pairs: Mapping[str, tuple[str, str]], known: Mapping[str, Price] | None = None) -> list[Premium]:
    """Each pair of prices. Raises PriceError for two that are of different regions, units or currencies."""
    known = prices() if known is None else known
    result = []
    for of, names in pairs.items():
        managed, plain = (known[name] for name in names)
        for field in ("region", "unit", "currency"):
            if getattr(managed, field) != getattr(plain, field):
                raise PriceError(
                    f"{names[0]} and {names[1]} are not of the same {field}: they do not compare"
                )
        result.append(Premium(of, managed, plain))
    return result


def table(pairs: Mapping[str, tuple[str, str]], known: Mapping[str, Price] | None = None) -> Table:
    """The premiums with both prices, their dates, and where each was read."""
    rows = [
        [
            premium.of,
            premium.plain.value,
            premium.managed.value,
            premium.more,
            premium.managed.region,
            premium.managed.date.isoformat(),
            " / ".join(ORIGINS.get(side.origin, side.origin) for side in (premium.plain, premium.managed)),
        ]
        for premium in premiums(pairs, known)
    ]
    header = ["of", "plain", "managed", "more", "region", "managed price of", "read in"]
    return Table(header, *rows, formats=["", ".7g", ".7g", "+.1%"])


def of_a_call(month: Month, seconds: Sequence[float], known: Mapping[str, Price] | None = None) -> Table:
    """A million calls of each length in a function and in a serverless endpoint: the whole bill.

    A serverless endpoint has no fee for a request, but one for its data, and its memory comes in steps. Both
    are billed for the same seconds and the same memory, or the next step of it.
    """
    rows = []
    for each in seconds:
        million = replace(month, readings=1e6, seconds=each)
        function, endpoint = (
            hosting.total(place, million, known) for place in (hosting.LAMBDA, hosting.SERVERLESS)
        )
        rows.append(
            [
                1000 * each,
                1000 * million.billed(month.memory, known),
                function,
                endpoint,
                endpoint / function - 1,
            ]
        )
    header = [
        "a reading takes ms",
        "its call is billed ms",
        "Lambda, USD a million",
        "SageMaker serverless",
        "more",
    ]
    return Table(header, *rows, formats=[",.0f", ",.0f", ",.2f", ",.2f", "+.0%"])
