"""``fsdl-deploy evaluate``: read cards of unseen digits with every model and say how good each is.

All models read the same cards, so two of them are compared by the cards that one fixed and the other broke,
not by two rounded shares. The cards of a test share its digits, which its intervals take into account
(``accuracy.clustered``): on the course's 1,000 test digits they are wide, on MNIST's 10,000 narrower.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from tqdm.auto import tqdm

from fsdl_deploy import files
from fsdl_deploy.cards import Card, cards, cards_and_digits
from fsdl_deploy.digits import Digits, digits
from fsdl_deploy.drawing import CLEAN, LEVELS, draw, hand
from fsdl_deploy.measuring import accuracy, records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.reading import Reader
from fsdl_deploy.training import mnist
from fsdl_deploy.weights import VERSIONS

SEED = 5
MNIST = "mnist"
WHY_CARDS = 1000
TURNED_CARDS = 1000
SURELY = 0.9  # a confidence that no threshold of the course would send to a person


def deck(count: int, level: str, source: Digits) -> tuple[list[Card], list[list[int]]]:
    """``count`` cards written with ``source``, the same at each call; and the digits on each, by place."""
    pairs = cards_and_digits(count, level, source, SEED)
    pile, written = zip(*tqdm(pairs, f"draw {level} cards", count, unit="card"), strict=True)
    return list(pile), list(written)


def evaluate(readers: Sequence[Reader], count: int = 2000, source: Digits | None = None) -> dict:
    """Measure ``readers`` on ``count`` cards of each level, written with ``source`` (else the course's).

    Returns ``{version: {level: {exact_match, interval, cer, confusion, cards, digits}}}`` and, under
    ``"compared"``, what each model fixed and broke against the one before on typical cards.
    """
    source = source or digits("test")
    report = {reader.model_version: {} for reader in readers}
    right_typical = {}
    for level in LEVELS:
        drawn, written = deck(count, level, source)
        truths = [card.truth for card in drawn]
        for reader in readers:
            readings = [reading.digits for reading in reader.read([card.image for card in drawn])]
            right = [t == s for t, s in zip(truths, readings, strict=True)]
            report[reader.model_version][level] = {
                "cards": count,
                "digits": len(source.labels),
                "exact_match": sum(right) / count,
                "interval": [round(edge, 4) for edge in accuracy.clustered(right, written)],
                "cer": round(accuracy.character_error_rate(truths, readings), 5),
                "confusion": accuracy.confusion(truths, readings).tolist(),
            }
            if level == "typical":
                right_typical[reader.model_version] = right
    names, compared = list(report), {}
    for old, new in pairwise(names):
        fixed, broken = accuracy.fixed_and_broken(right_typical[old], right_typical[new])
        compared[f"{new} against {old}"] = {"fixed": fixed, "broken": broken}
    return report | {"compared": compared}


def read_right(reader: Reader, deck: Sequence[Card], batch: int) -> list[bool]:
    """Whether each card is read right, in calls of ``batch``."""
    images = [card.image for card in deck]
    calls = (images[start : start + batch] for start in range(0, len(images), batch))
    readings = [reading for call in calls for reading in reader.read(call)]
    return [reading.digits == card.truth for reading, card in zip(readings, deck, strict=True)]


def stubborn(reader: Reader, source: Digits, rounds: int = 3) -> np.ndarray:
    """How often, of ``rounds``, each digit of ``source`` is misread on a clean card, int ``[n]``.

    The card holds the digit three times and nothing else, so that the fault is the digit's own.
    """
    misread = np.zeros(len(source.labels), int)
    for turn in tqdm(range(rounds), "each digit by itself"):
        images, truths = [], [str(label) * 3 for label in source.labels]
        for i, truth in enumerate(truths):
            rng = np.random.default_rng((SEED, turn, i))
            only = _Only(source.images[i])
            images.append(draw(truth, CLEAN, hand(CLEAN, rng), rng, only))
        readings = [reading.digits for reading in reader.read(images)]
        misread += [t != s for t, s in zip(truths, readings, strict=True)]
    return misread


class _Only:
    """A source of digits that knows one."""

    def __init__(self, image: np.ndarray):
        self.image = image

    def draw_one(self, digit: int, rng: np.random.Generator) -> np.ndarray:
        return self.image


def why(
    reader: Reader, source: Digits, count: int = WHY_CARDS, removed: Sequence[int] = (0, 5, 10, 20, 40)
) -> dict:
    """What keeps the exact match down: single digits that are always misread, or everything else?

    Returns ``{"misread": {place of the digit: times of 3}, "exact_match": {digits removed: share}}`` and the
    number of ``"cards"``: the exact match on typical cards once the most stubborn digits are taken out of
    ``source``. An explanation, no score: the digits to remove are chosen by looking at the errors.
    """
    misread = stubborn(reader, source)
    order = np.argsort(misread, kind="stable")
    shares = {}
    for k in removed:
        kept = np.sort(order[: len(order) - k])
        drawn = list(cards(count, "typical", Digits(source.images[kept], source.labels[kept]), SEED))
        readings = [reading.digits for reading in reader.read([card.image for card in drawn])]
        shares[k] = accuracy.exact_match([card.truth for card in drawn], readings)
    faults = {int(i): int(misread[i]) for i in np.flatnonzero(misread)}
    return {"misread": faults, "exact_match": shares, "cards": count}


def upside_down(reader: Reader, source: Digits, count: int = TURNED_CARDS) -> dict:
    """Of ``count`` typical cards turned by 180 degrees: how many are misread, and how surely.

    Returns ``{"cards", "misread", "sure"}``: the shares misread, and misread with a confidence of ``SURELY``
    or more.
    """
    drawn = list(cards(count, "typical", source, SEED))
    readings = [r for card in drawn for r in reader.read([np.ascontiguousarray(card.image[::-1, ::-1])])]
    wrong = [r for r, card in zip(readings, drawn, strict=True) if r.digits != card.truth]
    sure = sum(reading.confidence >= SURELY for reading in wrong)
    return {"cards": count, "misread": len(wrong) / count, "sure": sure / count}


def table(report: dict) -> Table:
    """Of each model: exact match with its 95 % interval for each level, and CER."""
    rows = []
    for version, levels in report.items():
        if "typical" not in levels:
            continue
        measured = [levels[level] for level in LEVELS]
        shares = ["{:.1%} ({:.1%}–{:.1%})".format(m["exact_match"], *m["interval"]) for m in measured]
        rows.append([version, *shares, f"{levels['typical']['cer']:.2%}"])
    return Table(["model", *LEVELS, "CER, typical"], *rows)


def add_arguments(parser) -> None:
    parser.add_argument("-n", type=int, default=2000, metavar="COUNT", help="cards of each level")
    parser.add_argument(
        "--versions", nargs="+", default=list(VERSIONS), metavar="VERSION", help="models (default: all)"
    )
    parser.add_argument(
        "--digits",
        metavar="FILE",
        help="an .npz file with images uint8 [n, 28, 28] and labels [n] to write with, or "
        f"'{MNIST}': the test part of MNIST (else the course's 1,000 test digits)",
    )
    parser.add_argument(
        "--json",
        type=files.output,
        metavar="FILE",
        help="write the whole report, confusions included, to this file",
    )


def main(args) -> int:
    if args.n < 1:
        raise ValueError("-n is the number of cards, at least 1")
    source = mnist.test() if args.digits == MNIST else None
    if args.digits and source is None:
        with np.load(args.digits) as file:
            source = Digits(file["images"], file["labels"])
    report = evaluate([OnnxReader(version, threads=2) for version in args.versions], args.n, source)
    print(table(report))
    for pair, counts in report["compared"].items():
        print(f"{pair}: {counts['fixed']} cards fixed, {counts['broken']} broken")
    if args.json:
        records.write(args.json, **report)
    return 0
