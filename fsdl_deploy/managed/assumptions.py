"""Assumptions behind a month's bill: their names, and how far each may be from what it is taken for

Those that the records know have the records' spread; the others are guesses, and say so. Computes no bill.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fsdl_deploy.managed import measured_rates
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import Price, prices

HOURLY = ("fargate_core_hour", "ec2_c5_xlarge_hour", "endpoint_c5_xlarge_hour")
NAMES = {
    "readings": "readings a month",
    "peak": "busiest hour / mean",
    "seconds": "seconds of a core",
    "overhead": "a call besides (s)",
    "cold": "share of cold starts",
    "memory": "memory (MB)",
    "speed": "vCPU / our core",
    "room": "how busy cores may be",
    "patience": "longest wait (s)",
    "least": "instances at least",
    "log_bytes": "bytes of log",
    "bytes_in": "bytes of a picture",
    "function_gb_second": "a GB-second (USD)",
    "function_million_requests": "a million requests (USD)",
    "fargate_core_hour": "hour of a Fargate vCPU (USD)",
    "ec2_c5_xlarge_hour": "hour of a c5.xlarge (USD)",
    "endpoint_c5_xlarge_hour": "hour of an ml.c5.xlarge (USD)",
}


@dataclass(frozen=True)
class Range:
    """An assumption from ``low`` to ``high``, and ``why`` so far. ``name``: of a Month's field or of a price.

    ``end``: how far it may be turned in search of the value at which the decision flips. With
    whole numbers there, only whole values are tried.
    """

    name: str
    low: float
    high: float
    why: str
    end: tuple[float, float]


def ranges(month: Month, known: Mapping[str, Price] | None = None) -> list[Range]:
    """The assumptions of the lesson. Those that records know have their spread, the others a guess."""
    known = prices() if known is None else known
    rate, call = measured_rates.service(), measured_rates.function_call()
    prices_turned = [
        Range(name, 0.7 * price, 1.3 * price, "a price, 30 % either way", (price / 100, 100 * price))
        for name in ("function_gb_second", "function_million_requests", *HOURLY)
        for price in [known[name].value]
    ]
    return [
        Range("readings", month.readings / 10, month.readings * 10, "ten times either way", (1.0, 1e10)),
        Range("peak", 1.0, 20.0, "steady to month end", (1.0, 1000.0)),
        Range("seconds", rate.least, rate.most, f"{rate.runs} recorded loads", (1e-5, 10.0)),
        Range("overhead", max(0.0, call.quickest - rate.seconds), 0.05, "recorded, to a gateway", (0.0, 1.0)),
        Range("cold", 0.0, 0.1, "none to a tenth", (0.0, 1.0)),
        Range("memory", 1024, 3008, "MB", (128, 10240)),
        Range("speed", 0.5, 2.0, "a vCPU: half to twice our core", (0.05, 20.0)),
        Range("room", 0.3, 0.9, "how busy cores may be", (0.02, 1.0)),
        Range("patience", 0.01, 1.0, "for 99 % in the busiest hour", (1e-3, 10.0)),
        Range("least", 1, 3, "instances at least", (1, 30)),
        Range("log_bytes", 0.0, 2000.0, "none to a long line", (0.0, 1e6)),
        Range("bytes_in", 2000.0, 100_000.0, "a small picture to a photo", (0.0, 1e7)),
        *prices_turned,
    ]
