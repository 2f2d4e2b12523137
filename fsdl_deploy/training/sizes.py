"""``fsdl-deploy sizes``: students of several sizes, each trained alone and taught by the teacher.

The curve of size against accuracy: what is the cheapest network that reads well enough, and how much of it is
due to distillation? All get the same few steps, so the figures are below those of the published models. It
resumes after a kill; the result is ``models/sizes.json``. Taught students have what they ``fixed`` and
``broken`` against the one of their size that was trained alone, on the same cards. The intervals know that
cards share digits.
"""

from functools import partial

from fsdl_deploy import weights
from fsdl_deploy.cards import Card, cards_and_digits
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.accuracy import clustered, fixed_and_broken, paired_p
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.models import MeterReader, Student, multiply_adds
from fsdl_deploy.paths import BUILD
from fsdl_deploy.reader import TorchReader
from fsdl_deploy.training.evaluation import read_right
from fsdl_deploy.training.loop import alone_in, train
from fsdl_deploy.training.recipes import POOL, Phase, Recipe
from fsdl_deploy.training.training_cards import Pool

FILE = "sizes.json"
Deck = list[tuple[Card, list[int]]]  # cards, each with the digits on it
WIDTHS = ((4, 8, 16, 32), (8, 16, 32, 64), (16, 32, 64, 128))
PHASES = (Phase(250, 4e-3, 0.5), Phase(750, 4e-3, 0.35))


def measure(widths: tuple[int, ...], taught: bool, pool: Pool, deck: Deck) -> tuple[dict, list[bool]]:
    """Train one student and read ``deck`` with it: its row of the result, and whether each card is right."""
    name = f"student-{widths[-1]}-{'taught' if taught else 'alone'}"
    folder = BUILD / "sizes"
    folder.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(partial(Student, widths), PHASES, seed=5, taught=taught)
    teacher = weights.load("teacher").network if taught else None
    network = train(name, recipe, pool, folder, teacher)
    reader = TorchReader(name, MeterReader(network).eval())
    pile, written = zip(*deck, strict=True)
    each = read_right(reader, pile, len(pile))
    row = {
        "widths": widths, "taught": taught, "steps": recipe.steps, "cards": len(deck), "right": sum(each),
        "parameters": sum(p.numel() for p in network.parameters()),
        "multiply_adds": multiply_adds(network),
        "interval": [round(end, 4) for end in clustered(each, written)],
    }  # fmt: skip
    return row, each


def both(widths: tuple[int, ...], pool: Pool, deck: Deck) -> list[dict]:
    """The rows of one size: trained alone, then taught, with ``fixed`` and ``broken`` against alone."""
    (alone, before), (taught, now) = (measure(widths, taught, pool, deck) for taught in (False, True))
    fixed, broken = fixed_and_broken(before, now)
    return [alone, taught | {"fixed": fixed, "broken": broken}]


def table(rows: list[dict]) -> Table:
    """The rows: the size and how it was trained, cards read right; taught against alone."""
    cells = []
    for row in rows:
        how, changed = "alone", [None] * 3
        if row["taught"]:
            how, changed = "taught", [row["fixed"], row["broken"], paired_p(row["fixed"], row["broken"])]
        cells.append([row["multiply_adds"] / 1e6, how, row["right"] / row["cards"], *changed])
    header = ["million multiply-adds", "trained", "right", "fixed", "broken", "p"]
    return Table(header, *cells, formats=[".1f", "", ".1%", "d", "d", ".3f"])


def add_arguments(parser) -> None:
    parser.add_argument("--cards", type=int, default=2000, help="typical cards to read")


def main(args) -> int:
    with alone_in(BUILD / "sizes"):
        pool = Pool.drawn(POOL, BUILD / "training")
        deck = list(cards_and_digits(args.cards, "typical", seed=21))
        rows = [row for widths in WIDTHS for row in both(widths, pool, deck)]
    records.write(weights.folder() / FILE, students=rows)
    print(table(rows))
    return 0
