"""``fsdl-deploy evaluate``: read cards of unseen digits with every model and say how good each is.

All models read the same cards, so two of them are compared by the cards that one fixed and the
other broke, not by two rounded shares. The cards share 1,000 test digits: how much the figure owes
to just these digits is measured too, on cards of resampled digits.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from fsdl_deploy.cards import Card, cards
from fsdl_deploy.digits import Digits, digits
from fsdl_deploy.drawing import CLEAN, LEVELS, draw, hand
from fsdl_deploy.measuring import accuracy, records
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.reading import Reader
from fsdl_deploy.weights import VERSIONS

SEED = 5
RESAMPLES, RESAMPLE_CARDS = 20, 200


def evaluate(
    readers: Sequence[Reader], count: int = 2000, source: Digits | None = None, resamples: int | None = None
) -> dict:
    """Measure ``readers`` on ``count`` cards of each level, written with ``source`` (the test digits),
    and on typical cards of ``resamples`` resampled digit sets.

    Returns ``{version: {level: {exact_match, interval, cer, confusion, cards}, "resampled": [...]}}``
    and, under ``"compared"``, what each model fixed and broke against the one before on typical cards.
    """
    source = source or digits("test")
    resamples = RESAMPLES if resamples is None else resamples
    report = {reader.model_version: {} for reader in readers}
    right_typical = {}
    for level in LEVELS:
        drawn = list(tqdm(cards(count, level, source, SEED), f"draw {level} cards", count, unit="card"))
        truths, images = [card.truth for card in drawn], [card.image for card in drawn]
        for reader in readers:
            readings = [reading.digits for reading in reader.read(images)]
            right = sum(t == s for t, s in zip(truths, readings, strict=True))
            report[reader.model_version][level] = {
                "cards": count,
                "exact_match": right / count,
                "interval": [round(edge, 4) for edge in accuracy.wilson(right, count)],
                "cer": round(accuracy.character_error_rate(truths, readings), 5),
                "confusion": accuracy.confusion(truths, readings).tolist(),
            }
            if level == "typical":
                right_typical[reader.model_version] = [t == s for t, s in zip(truths, readings, strict=True)]
    for reader in readers:
        report[reader.model_version]["resampled"] = []
    for resample in tqdm(range(resamples), "cards of resampled digits"):
        chosen = np.random.default_rng((SEED, resample)).integers(0, len(source.labels), len(source.labels))
        some = Digits(source.images[chosen], source.labels[chosen])
        drawn = list(cards(RESAMPLE_CARDS, "typical", some, seed=100 + resample))
        for reader in readers:
            readings = [reading.digits for reading in reader.read([card.image for card in drawn])]
            report[reader.model_version]["resampled"].append(
                accuracy.exact_match([c.truth for c in drawn], readings)
            )
    names = list(report)
    report["compared"] = {
        f"{new} against {old}": {
            "fixed": sum(b and not a for a, b in zip(right_typical[old], right_typical[new], strict=True)),
            "broken": sum(a and not b for a, b in zip(right_typical[old], right_typical[new], strict=True)),
        }
        for old, new in pairwise(names)
    }
    return report


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
    reader: Reader, source: Digits, count: int = 1000, removed: Sequence[int] = (0, 5, 10, 20, 40)
) -> dict:
    """What keeps the exact match down: single digits that are always misread, or everything else?

    Returns ``{"misread": {place of the digit: times of 3}, "exact_match": {digits removed: share}}``:
    the exact match on typical cards once the most stubborn digits are taken out of ``source``. An
    explanation, no score: the digits to remove are chosen by looking at the errors.
    """
    misread = stubborn(reader, source)
    order = np.argsort(misread, kind="stable")
    shares = {}
    for k in removed:
        kept = np.sort(order[: len(order) - k])
        drawn = list(cards(count, "typical", Digits(source.images[kept], source.labels[kept]), SEED))
        readings = [reading.digits for reading in reader.read([card.image for card in drawn])]
        shares[k] = accuracy.exact_match([card.truth for card in drawn], readings)
    return {"misread": {int(i): int(misread[i]) for i in np.flatnonzero(misread)}, "exact_match": shares}


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
        help="an .npz file with images uint8 [n, 28, 28] and labels [n] to write with",
    )
    parser.add_argument(
        "--json", metavar="FILE", help="write the whole report, confusions included, to this file"
    )


def main(args) -> int:
    if args.n < 1:
        raise ValueError("-n is the number of cards, at least 1")
    source = None
    if args.digits:
        with np.load(args.digits) as file:
            source = Digits(file["images"], file["labels"])
    report = evaluate([OnnxReader(version, threads=2) for version in args.versions], args.n, source)
    print(table(report))
    for pair, counts in report["compared"].items():
        print(f"{pair}: {counts['fixed']} cards fixed, {counts['broken']} broken")
    for version in args.versions:
        resampled = report[version]["resampled"]
        print(f"{version} on cards of {RESAMPLES} digit sets: {min(resampled):.1%} to {max(resampled):.1%}")
    if args.json:
        records.write(Path(args.json), **report)
    return 0
