"""``fsdl-deploy managed costs``: a month of readings in each place to run them, by the table of prices

What a reading takes is what the course's records say, unless it is given. ``--price`` replaces a price for
this run; the table itself is infra/managed/prices.toml.
"""

import argparse
import dataclasses
import json
import sys

from fsdl_deploy.managed import hosting
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import changed, parsed
from fsdl_deploy.managed.shapes import shapes

SHAPES = ("steady", "office", "spiky")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--readings", type=float, default=5e6, help="readings a month, such as 5e6")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--shape", choices=SHAPES, default="spiky", help="how they come over the month")
    how.add_argument("--peak", type=float, help="busiest hour over the mean, instead of a shape")
    parser.add_argument(
        "--ms", type=float, help="milliseconds of a core for a reading, instead of the record's"
    )
    parser.add_argument("--gpu-rate", type=float, help="readings a second of a GPU: adds the places with one")
    parser.add_argument("--least", type=int, default=2, help="instances at least, so that one may die")
    parser.add_argument(
        "--price",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="replace a price of infra/managed/prices.toml; may be given again",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    changes: dict[str, object] = {"least": arguments.least}
    if arguments.ms is not None:
        changes["seconds"] = arguments.ms / 1000
    if arguments.gpu_rate is not None:
        changes["gpu_rate"] = arguments.gpu_rate
    peak = shapes()[arguments.shape].peak if arguments.peak is None else arguments.peak
    month = Month.recorded(arguments.readings, peak, **changes)
    known = changed(parsed(arguments.price))
    if arguments.json:
        places = [
            dataclasses.asdict(bill) | {"total": bill.total, "per_million": bill.per_million(month.readings)}
            for bill in hosting.bills(month, known)
        ]
        json.dump({"month": dataclasses.asdict(month), "places": places}, sys.stdout, indent=1)
        print()
        return 0
    print(hosting.table(month, known))
    print(f"{month.readings:,.0f} readings a month, the busiest hour {peak:.1f} times the mean,", end=" ")
    print(f"{1000 * month.seconds:.2f} ms of a core each; prices and their dates: infra/managed/prices.toml")
    return 0
