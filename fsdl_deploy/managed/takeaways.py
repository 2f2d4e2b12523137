"""The lecture's takeaways on model services, each tried on the meter reader: where they hold, where not

Each row is computed from records and prices. Knows no verdict: whoever reads the figures may find another.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fsdl_deploy.managed import break_even, hosting, measured_rates, sensitivity, serverless_gpus, shapes
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import Price, changed, prices
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.scaling import function_bursts

MILLIONS = (0.05, 5, 100, 1000)
"""Readings a month, from a small utility to two hundred of ours."""
WITHOUT_SERVERS = (hosting.LAMBDA, hosting.PROVISIONED, hosting.SERVERLESS)
PAID_BY_THE_HOUR = tuple(place for place in hosting.PLACES if place not in WITHOUT_SERVERS)
FIRST_MODEL = "teacher, padded"
"""The rung of the ladder that one would deploy first, and the most expensive reading of all records."""
HUGE = 5e9  # readings a month: so many that whole instances no longer matter


def cheapest(month: Month, known: Mapping[str, Price] | None = None) -> dict[tuple[str, float], str]:
    """The cheapest place for each shape and size of month: ``{("spiky", 5): "Lambda", …}``."""
    return {
        (shape.name, million): hosting.bills(replace(month, readings=1e6 * million, peak=shape.peak), known)[
            0
        ].place
        for shape in shapes.shapes().values()
        for million in MILLIONS
    }


def by_shape(month: Month, known: Mapping[str, Price] | None = None) -> dict[str, object]:
    """Where a place without servers is the cheapest: what the claims about the shape are judged by.

    ``spiky_or_low``: in every spiky month and each of our size or below. ``steady_and_many``: also in the
    largest steady one. ``spiky_says``: both in words.
    """
    without = {cell for cell, place in cheapest(month, known).items() if place in WITHOUT_SERVERS}
    asked = [(name, million) for name in shapes.shapes() for million in MILLIONS]
    spiky = all(cell in without for cell in asked if cell[0] == "spiky" or cell[1] <= 5)
    many = ("steady", max(MILLIONS)) in without
    first, second = ("is" if good else "is not" for good in (spiky, many))
    says = f"it {first} cheapest in every spiky or small month, and {second} in the largest steady one"
    return {"spiky_or_low": spiky, "steady_and_many": many, "spiky_says": says}


@dataclass(frozen=True)
class WorstEnd:
    """Up to how many ``readings`` a month a place without servers is cheapest, an assumption against it.

    ``assumption``: the name of a Month's field or of a price, ``value``: what it was turned to.
    """

    readings: float
    shape: str
    assumption: str
    value: float


def serverless_until(month: Month, known: Mapping[str, Price] | None = None) -> dict[str, float]:
    """Up to how many readings a month, from this month's up, a place without servers is cheapest, by shape.

    Infinity where it is in all months up to the largest of MILLIONS, 0 where it is not even in this month.
    Beyond the number it may be cheapest again: bills have steps.
    """
    return {shape.name: _until(replace(month, peak=shape.peak), known) for shape in shapes.shapes().values()}


def serverless_at_worst(month: Month, known: Mapping[str, Price] | None = None) -> WorstEnd:
    """The least of ``serverless_until`` over both ends of each assumption, turned while the others stay."""
    known, ends = prices() if known is None else known, []
    for shape in shapes.shapes().values():
        there = replace(month, peak=shape.peak)
        for turned in sensitivity.ranges(there, known):
            if turned.name in ("readings", "peak"):  # what is looked for, and the shape itself
                continue
            for value in (turned.low, turned.high):
                is_price = turned.name in known
                here = there if is_price else replace(there, **{turned.name: value})
                readings = _until(here, changed({turned.name: value}, known) if is_price else known)
                ends.append(WorstEnd(readings, shape.name, turned.name, value))
    return min(ends, key=lambda end: end.readings)


def _until(month: Month, known: Mapping[str, Price] | None) -> float:
    """The largest month, from ``month.readings`` up, before the first in which one by the hour is cheaper.

    The cheapest of each kind costs no less when more is read, so ``break_even.changes`` finds all turns.
    """

    @functools.cache
    def bills(readings: float) -> tuple[float, float]:
        here = replace(month, readings=readings)
        without, hourly = (
            min(
                (bill.own for place in places if (bill := hosting.bill(place, here, known)) is not None),
                default=math.inf,
            )
            for places in (WITHOUT_SERVERS, PAID_BY_THE_HOUR)
        )
        return without, hourly

    least, most = month.readings, 1e6 * max(MILLIONS)
    without, hourly = bills(least)
    if hourly < without:
        return 0.0
    return next((before for before, _ in break_even.changes(bills, least, most)), math.inf)


def crowd() -> dict[str, float]:
    """The recorded crowd at a function: calls at once, how many failed, instances, the median in seconds."""
    phases = {phase["name"]: phase for phase in records.read(function_bursts.RECORD)["phases"]}
    at_once = phases["a crowd"]
    counted = {"calls": at_once["calls"], "failed": at_once["failed"], "instances": at_once["after"]}
    return counted | {"seconds": at_once["median"] / 1000}


def by_model(month: Month) -> dict[str, Month]:
    """The month as v2 reads it in our service, and as the model that one would deploy first."""
    return {"v2": month, FIRST_MODEL: replace(month, seconds=measured_rates.rung(FIRST_MODEL).seconds)}


def on_servers(month: Month) -> dict[str, int]:
    """How many servers of four cores the month takes, by the model that reads."""
    return {name: hosting.bill(hosting.EC2, each).count for name, each in by_model(month).items()}


def outgrown(month: Month, servers: int = 20) -> dict[str, float]:
    """The readings a month, coming as they do now, from which on it takes more ``servers``, by model."""

    def more(each: Month, readings: float) -> bool:
        return hosting.bill(hosting.EC2, replace(each, readings=readings)).count > servers

    return {
        name: break_even.turning(
            lambda readings, each=each: more(each, readings), break_even.LEAST, break_even.MOST
        )[1]
        for name, each in by_model(month).items()
    }


def gpu_must(month: Month, known: Mapping[str, Price] | None = None) -> dict[str, float | None]:
    """Readings a second that a T4 must make to be the cheapest place for very many readings, by model."""
    many = by_model(replace(month, readings=HUGE, peak=1.0))
    return {name: break_even.rate_to_win("EC2 g4dn.xlarge", each, known) for name, each in many.items()}


def gpu_says(must: Mapping[str, float | None]) -> dict[str, str]:
    """The answers of ``gpu_must`` in words."""
    return {
        name: "no T4 pays, however fast" if rate is None else f"a T4 pays from {rate:,.0f} cards a second on"
        for name, rate in must.items()
    }


def figures_of(month: Month, known: Mapping[str, Price] | None = None) -> dict[str, object]:
    """The figures by which the claims of the takeaways are judged, by the names that their rules use."""
    large = replace(month, readings=HUGE, peak=1.0)
    ours, huge = ({bill.place: bill.total for bill in hosting.bills(each, known)} for each in (month, large))
    return {
        "servers": on_servers(month),
        "crowd": crowd(),
        "tools": tools(),
        "offers": serverless_gpus.counts(),
        "idle": {bill.place: bill.total for bill in hosting.bills(replace(month, readings=0), known)},
        "endpoint_times": ours[hosting.ENDPOINT] / ours[hosting.SERVERLESS],
        "endpoint_over_ec2_large": huge[hosting.ENDPOINT] / huge[hosting.EC2] - 1,
    }


def tools() -> dict[str, float]:
    """Milliseconds of a core for a reading, on processors: our service, and two tools of the lecture."""
    return {
        name: 1000 * measured_rates.service(name).seconds
        for name in (measured_rates.SERVICE, "Triton", "TorchServe")
    }


def table(month: Month, known: Mapping[str, Price] | None = None) -> Table:
    """Each takeaway, where it holds for the meter reader, and where it does not."""
    places, servers, must = cheapest(month, known), on_servers(month), gpu_must(month, known)
    used = [cell for cell, place in places.items() if place in WITHOUT_SERVERS]
    hourly = [cell for cell in places if cell not in used]
    totals = {bill.place: bill.total for bill in hosting.bills(month, known)}
    figures, limits = figures_of(month, known), outgrown(month)
    took, offers = figures["tools"], figures["offers"]
    rows = [
        [
            "CPU inference scales by more servers",
            f"our month: {servers['v2']} servers, {servers[FIRST_MODEL]} for the model deployed first",
            f"more than 20 servers from {limits['v2'] / 1e6:,.0f} million readings a month on, "
            f"with the model deployed first from {limits[FIRST_MODEL] / 1e6:,.0f} million",
        ],
        [
            "serverless if spiky or low-volume",
            _cells(used),
            _cells(hourly) or "nowhere in the table",
        ],
        [
            "serverless is probably the way to go",
            f"cheapest in {len(used)} of {len(places)} months",
            f"in {len(hourly)} not",
        ],
        [
            "you probably need no GPU",
            "v2: no T4 pays, however fast" if must["v2"] is None else f"v2: until {must['v2']:,.0f} a second",
            _gpu_pays(must[FIRST_MODEL]),
        ],
        [
            "SageMaker: a good start, can get expensive",
            f"serverless: {totals[hosting.SERVERLESS] / totals[hosting.LAMBDA] - 1:+.0%} over Lambda",
            f"endpoint: {figures['endpoint_times']:,.0f} times serverless in our month; "
            f"{figures['endpoint_over_ec2_large']:+.0%} over EC2 in a huge one",
        ],
        [
            "serving tools save time on a GPU",
            f"ms of a core: Triton {took['Triton']:.2f}, our service {took[measured_rates.SERVICE]:.2f}",
            f"TorchServe {took['TorchServe']:.2f}; no GPU is on record"
            if measured_rates.gpu() is None
            else f"TorchServe {took['TorchServe']:.2f}",
        ],
        [
            "watch startups for GPU inference",
            f"{offers['others_alive']} of {offers['others']} others still release",
            f"{offers['named_alive']} of the {offers['named']} that the lecture names",
        ],
    ]
    return Table(["takeaway", "where it holds", "where it does not"], *rows)


def _gpu_pays(rate: float | None) -> str:
    if rate is None:
        return "nowhere"
    return f"the model deployed first, in a huge month: a T4 pays from {rate:,.0f} readings a second on"


def _cells(cells: list[tuple[str, float]]) -> str:
    """``steady 0.05, 5; spiky 5 million``."""
    by_shape: dict[str, list[str]] = {}
    for shape, million in cells:
        by_shape.setdefault(shape, []).append(f"{million:g}")
    text = "; ".join(f"{shape} {', '.join(sizes)}" for shape, sizes in by_shape.items())
    return f"{text} million" if text else ""
