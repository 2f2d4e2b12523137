"""Shapes of traffic: the same month of readings, spread evenly, over office hours, or into two days

Each is an assumption. What the bill of instances depends on is how many times the mean the busiest hour has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fsdl_deploy.managed import hosting
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import Price
from fsdl_deploy.managed.tariffs import HOURS
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.scaling import traffic


@dataclass(frozen=True, eq=False)
class Shape:
    """``hours``: the share of a month's readings in each of its hours; they sum to 1."""

    name: str
    hours: np.ndarray

    @property
    def peak(self) -> float:
        """How many times the mean the busiest hour has."""
        return float(self.hours.max() / self.hours.mean())

    @property
    def empty(self) -> float:
        """The share of the hours in which nothing comes."""
        return float(np.mean(self.hours == 0))


def shapes() -> dict[str, Shape]:
    """``steady``: each hour the same; ``office``: Monday to Friday, 8 to 18; ``spiky``: our month end."""
    hour = np.arange(HOURS)
    office = (hour % 168 < 120) & (hour % 24 >= 8) & (hour % 24 < 18)
    minutes = traffic.month(1).reshape(-1, 60).sum(axis=1)
    curves = {"steady": np.ones(HOURS), "office": office.astype(float), "spiky": minutes}
    return {name: Shape(name, curve / curve.sum()) for name, curve in curves.items()}


def followed(month: Month, shape: Shape, place: str, known: Mapping[str, Price] | None = None) -> float:
    """The month's bill if the instances followed each hour at once: the least that an autoscaler can reach.

    Each hour is a month of that rate, of which an hour is paid.
    """
    costs = {}
    for share in shape.hours:
        if share not in costs:
            hourly = replace(month, readings=month.readings * share * len(shape.hours), peak=1.0)
            costs[share] = hosting.total(place, hourly, known) / len(shape.hours)
    return float(sum(costs[share] for share in shape.hours))


def table(
    month: Month, millions: Iterable[float], known: Mapping[str, Price] | None = None, places=hosting.PLACES
) -> Table:
    """Each shape and size of month: its peak, the cheapest place, its bill, and that of the next one."""
    rows = []
    for shape in shapes().values():
        for million in millions:
            here = replace(month, readings=1e6 * million, peak=shape.peak)
            first, second, *_ = (bill for bill in hosting.bills(here, known) if bill.place in places)
            more = second.total / first.total - 1 if first.total else None
            row = [shape.name, million, shape.peak, first.place, first.count or None, first.total]
            rows.append([*row, second.place, more])
    header = [
        "shape",
        "million a month",
        "peak / mean",
        "cheapest",
        "instances",
        "USD a month",
        "next",
        "more",
    ]
    return Table(header, *rows, formats=["", ",g", ".1f", "", "d", ",.2f", "", "+.0%"])


def followed_table(month: Month, places: Sequence[str], known: Mapping[str, Price] | None = None) -> Table:
    """The month's bill by shape and place: instances ready all month, following each hour; and Lambda's."""
    rows = []
    for shape in shapes().values():
        here = replace(month, peak=shape.peak)
        function = hosting.total(hosting.LAMBDA, here, known)
        for place in places:
            ready, least = hosting.total(place, here, known), followed(here, shape, place, known)
            rows.append([shape.name, place, ready, least, function])
    header = ["shape", "place", "ready all month (USD)", "following each hour (USD)", "Lambda (USD)"]
    return Table(header, *rows, formats=["", "", ",.0f", ",.0f", ",.0f"])
