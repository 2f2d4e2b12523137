"""The command ``fsdl-deploy edge build``: build targets' artifacts, or say which are outdated"""

import sys

from fsdl_deploy.running.stations import NotBuilt
from fsdl_deploy.targets import building, catalogue


def add_arguments(parser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="targets; by default those that are outdated"
    )
    parser.add_argument(
        "--check", action="store_true", help="only say which are outdated: status 1 if any is"
    )


def main(args) -> int:
    """Build the targets that are named, or all that are outdated; one line each."""
    known = catalogue.targets()
    chosen = [catalogue.target(name) for name in dict.fromkeys(args.names)] or list(known.values())
    status = 0
    for target in chosen:
        reason = building.outdated(target)
        if args.check or (not args.names and not reason):
            print(f"{target.name}: {reason or 'up to date'}")
            status = max(status, bool(reason and args.check))
            continue
        try:
            folder = building.build(target)
        except (NotBuilt, catalogue.TargetError) as error:
            print(f"{target.name}: {error}", file=sys.stderr)
            status = 1
            continue
        sizes = sum(path.stat().st_size for path in folder.iterdir() if path.name != building.BUILT)
        print(f"{target.name}: built, {sizes / 1000:,.0f} kB in {folder}", flush=True)
    return status
