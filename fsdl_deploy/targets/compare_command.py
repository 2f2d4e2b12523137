"""The command ``fsdl-deploy edge compare``: targets and ONNX Runtime asked the same cards"""

import json
import sys

from fsdl_deploy.running.stations import NotBuilt
from fsdl_deploy.targets import building, catalogue, comparing, record


def add_arguments(parser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="targets; by default all whose station is built"
    )
    parser.add_argument("--cards", type=int, default=200, metavar="N", help="how many cards are asked")
    parser.add_argument("--seed", type=int, default=comparing.SEED, help="other cards by another seed")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each card is read")
    parser.add_argument("--precision", action="append", default=[], help="of its variants, only this one")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--record", action="store_true", help="write the result into models/edge.json")


def main(args) -> int:
    """Status 1 where a target did not answer, or a float32 one reads over one card of 1,000 otherwise."""
    if args.record and args.precision:
        raise ValueError("--record writes all of a target: leave --precision out")
    if args.rounds < 1 or args.seed < 0:
        raise ValueError("--rounds is at least 1, and --seed a whole number from 0 up")
    names = list(dict.fromkeys(args.names)) or [
        name for name, target in catalogue.targets().items() if target.status == "runs"
    ]
    status, results = 0, []
    for name in names:
        try:
            target = catalogue.target(name)
            if (reason := building.outdated(target)) and not target.kept:
                building.build(target)
            elif reason:
                print(f"{name}: {reason}: these files may be of another model", file=sys.stderr)
            rows = comparing.compare(name, args.cards, args.precision, args.seed, args.rounds)
        except (NotBuilt, catalogue.TargetError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            status = max(status, bool(args.names) or not isinstance(error, NotBuilt))
            continue
        results += rows
        if args.record:
            record.write(rows)
        if not args.json:
            print(f"{comparing.table(rows)}\n", flush=True)
        bars = [row for row in rows if row.precision == "float32" and not row.passes]
        for row in bars if target.form != "bare" else ():
            print(f"{name}: {row.cards - row.same} of {row.cards} cards are read otherwise", file=sys.stderr)
            status = 1
    if args.json:
        print(json.dumps([comparing.as_dict(row) for row in results], indent=1))
    return status
