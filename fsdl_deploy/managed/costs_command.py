"""``fsdl-deploy managed costs``: a month of readings in each place to run them, by the table of prices

What a reading takes is what the course's records say, unless it is given. ``--price`` replaces a price for
this run; the table itself is infra/managed/prices.toml. Below the table stands what Lambda costs less what
an account has free each month, and which place cannot take such a month.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping

from fsdl_deploy.managed import hosting
from fsdl_deploy.managed.month import Month
from fsdl_deploy.managed.prices import Price, changed, parsed
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
    parser.add_argument("--memory", type=float, help="MB of a function, instead of those of a whole core")
    parser.add_argument("--request-bytes", type=float, help="bytes of a request, instead of a card's")
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
    options = {"gpu_rate": "gpu_rate", "memory": "memory", "request_bytes": "bytes_in"}
    for option, name in options.items():
        if (value := getattr(arguments, option)) is not None:
            changes[name] = value
    peak = shapes()[arguments.shape].peak if arguments.peak is None else arguments.peak
    month = Month.recorded(arguments.readings, peak, **changes)
    known = changed(parsed(arguments.price))
    if arguments.json:
        json.dump(_as_json(month, known), sys.stdout, indent=1)
        print()
        return 0
    print(hosting.table(month, known))
    print(f"{month.readings:,.0f} readings a month, the busiest hour {peak:.1f} times the mean,", end=" ")
    print(f"{1000 * month.seconds:.2f} ms of a core each; prices and their dates: infra/managed/prices.toml")
    if free := _free(month, known):
        print(
            f"Left out is what an account has free each month. If nothing else uses it, Lambda costs "
            f"{free.total:,.2f} USD, not {hosting.total(hosting.LAMBDA, month, known):,.2f}."
        )
    return 0


def _free(month: Month, known: Mapping[str, Price]) -> hosting.Bill | None:
    """Lambda's bill less what is free; None where Lambda cannot take the month."""
    return None if hosting.why_not(hosting.LAMBDA, month, known) else hosting.less_the_free(month, known)


def _as_json(month: Month, known: Mapping[str, Price]) -> dict:
    def counted(bill: hosting.Bill) -> dict:
        sums = {"total": bill.total, "per_million": bill.per_million(month.readings)}
        return dataclasses.asdict(bill) | sums

    free = _free(month, known)
    return {
        "month": dataclasses.asdict(month),
        "places": [counted(bill) for bill in hosting.bills(month, known)],
        "lambda_less_the_free": counted(free) if free else None,
        "not_had": hosting.not_had(month, known),
    }
