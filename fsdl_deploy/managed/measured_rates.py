"""What a reading takes, as the course's records have it: seconds of a core, with their spread if there is one

Reads ``models/*.json`` and the record of the function in ``infra/scaling/aws_lambda``. Knows no price.
"""

import re
import statistics
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT

SERVICE = "our service"
FUNCTION_RECORD = ROOT / "infra" / "scaling" / "aws_lambda" / "warm.json"

FEWEST_CALLS = 100  # warm ones, for a median of whole milliseconds that a second run confirms


class RateError(ValueError):
    """A record lacks what is asked for; the message names the record."""


@dataclass(frozen=True)
class Rate:
    """Seconds of a core for a reading: the median of ``runs``, the least and the most of them.

    ``record``: the file, ``date`` when it was measured. With one run there is no spread: all three are equal.
    """

    name: str
    seconds: float
    least: float
    most: float
    runs: int
    record: str
    date: str


def service(library: str = SERVICE, models: Path = ROOT / "models") -> Rate:
    """A reading through a whole HTTP service, from ``models/serving.json``: what its processes computed.

    A run for each load that was answered in full; where requests were refused, a request was not a reading.
    """
    record = _read(models / "serving.json")
    took = [
        row["cpu_ms"] / 1000
        for row in record["rows"]
        if row["library"] == library and not row["refused"] and not row["errors"]
    ]
    if not took:
        names = ", ".join(sorted({row["library"] for row in record["rows"]}))
        raise RateError(f"models/serving.json has no {library!r}: its libraries are {names}")
    middle = statistics.median(took)
    return Rate(library, middle, min(took), max(took), len(took), "models/serving.json", record["date"])


def rung(name: str, models: Path = ROOT / "models") -> Rate:
    """A reading by a rung of the ladder, in a process and without HTTP, from ``models/ladder.json``."""
    record = _read(models / "ladder.json")
    cores = re.search(r"(\d+) cores?\b", record["machine"])
    rates = {row["rung"]: row["per_second"] for row in record["rungs"]}
    if name not in rates or cores is None:
        raise RateError(f"models/ladder.json has no rung {name!r}: it has {', '.join(rates)}")
    seconds = int(cores[1]) / rates[name]
    return Rate(name, seconds, seconds, seconds, 1, "models/ladder.json", record["date"])


def around_the_model(models: Path = ROOT / "models") -> float:
    """Seconds of a core that the service takes besides reading: HTTP, JSON, the picture's file.

    The service's reading without that of the same model in a process of its own.
    """
    return service(models=models).seconds - rung("distilled", models).seconds


@dataclass(frozen=True)
class FunctionCall:
    """What is billed for the recorded function's ``calls`` warm calls and for its cold ones, in seconds."""

    quickest: float
    median: float
    p99: float
    cold: float
    calls: int
    date: str


def function_call(file: Path = FUNCTION_RECORD) -> FunctionCall:
    """What the calls of one caller in turn were billed for; a cold one: the median of its starts."""
    record = _read(file)
    if record.get("calls", 0) < FEWEST_CALLS:
        raise RateError(f"{file} has fewer than {FEWEST_CALLS} warm calls: record them anew")
    times = {name: record[name] / 1000 for name in ("quickest", "median", "p99", "cold")}
    return FunctionCall(**times, calls=record["calls"], date=record["date"])


def gpu(model: str = "v2", models: Path = ROOT / "models") -> tuple[str, float] | None:
    """The GPU of ``models/gpu.json`` and its best rate a second for ``model``; None without one."""
    file = models / "gpu.json"
    record = _read(file) if file.exists() else {}
    rates = [
        row["per_second"]
        for row in record.get("rows", [])
        if row["device"] == "cuda" and row["model"] == model
    ]
    return (record["gpu"], max(rates)) if record.get("gpu") and rates else None


def rates(models: Path = ROOT / "models") -> list[Rate]:
    """The readings that the lesson compares, the cheapest last but for the service's."""
    rungs = ("teacher, padded", "graph optimisations", "distilled", "batches of 64")
    return [*(rung(name, models) for name in rungs), service(models=models)]


def table(models: Path = ROOT / "models") -> Table:
    """The rates with their spread and their records."""
    rows = [
        [
            rate.name,
            1000 * rate.seconds,
            f"{1000 * rate.least:.2f} to {1000 * rate.most:.2f}" if rate.runs > 1 else "one run",
            1 / rate.seconds,
            rate.record,
            rate.date,
        ]
        for rate in rates(models)
    ]
    header = ["what reads", "ms of a core", "spread", "readings a second and core", "record", "of"]
    return Table(header, *rows, formats=["", ".2f", "", ",.0f"])


def _read(file: Path) -> dict:
    try:
        return records.read(file)
    except FileNotFoundError:
        raise RateError(f"there is no record {file}: it belongs to the repository") from None
