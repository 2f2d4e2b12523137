"""The command ``fsdl-deploy edge app-rounds``: all scenes of the app, over and over, in a real browser

One green run says that the app can do it, twenty that it does: what depends on timing shows in the rest.
"""

import argparse
import itertools
import time

from tqdm import tqdm

from fsdl_deploy.browser.scenes import SCENES
from fsdl_deploy.browser.stage import AppStage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``fsdl-deploy edge app-rounds``."""
    names = [scene.__name__ for scene in SCENES]
    parser.add_argument("--rounds", type=int, default=20, help="how often all scenes are played")
    parser.add_argument("--only", nargs="+", choices=names, metavar="SCENE", help=f"of {', '.join(names)}")


def main(args: argparse.Namespace) -> int:
    """Print each failure and how many there were; 1 if there was one. Raises NoBrowser, StationError."""
    if args.rounds < 1:
        raise ValueError("--rounds must be at least 1")
    chosen = [scene for scene in SCENES if not args.only or scene.__name__ in args.only]
    failures, begin = dict.fromkeys((scene.__name__ for scene in chosen), 0), time.monotonic()
    with AppStage() as stage:
        plays = [*itertools.product(range(1, args.rounds + 1), chosen)]
        for number, scene in tqdm(plays, "scenes", unit="scene"):
            try:
                scene(stage)
            except Exception as error:  # Playwright's are of many kinds: each is a round that failed
                failures[scene.__name__] += 1
                tqdm.write(f"round {number}, {scene.__name__}: {type(error).__name__}: {error}")
    for name, count in failures.items():
        print(f"{name}: {args.rounds - count} of {args.rounds} rounds")
    print(f"{time.monotonic() - begin:.0f} s")
    return 1 if any(failures.values()) else 0
