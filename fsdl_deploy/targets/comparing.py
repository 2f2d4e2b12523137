"""Comparing targets with the reference: the same cards, both answers, sizes and times

The reference is ``OnnxReader("v2")``. Both read card by card in processes of their own, in turns, so that a
busy moment of the machine falls on both; a time is the shortest of all rounds. Knows nothing of runtimes.
"""

import gzip
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from fsdl_deploy.cards import Card, cards_and_digits
from fsdl_deploy.measuring.accuracy import clustered
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.paths import ROOT
from fsdl_deploy.reader import LATEST
from fsdl_deploy.targets import building, card_files, programs, reference
from fsdl_deploy.targets.catalogue import PrecisionVariant, Target, TargetError, target

SEED = 77
LEVEL = "typical"
SECONDS = 900.0  # that one reading of all cards may take


@dataclass(frozen=True)
class OtherReading:
    """A card that the two read otherwise: its place, what is written on it, and both readings."""

    card: int
    truth: str
    reference: str
    target: str


@dataclass(frozen=True)
class Comparison:
    """One precision of a target beside the reference.

    ``same``: cards with the same reading, of ``cards``, and the 95 % interval of their share (cards share
    handwritten digits: ``accuracy.clustered``). ``right`` and ``reference_right``: read as written.
    ``confidence_apart``: the largest difference of the confidence on a card. ``size`` and ``gzip_size``: of
    its files, in bytes. ``latency_ratio``: the median over the cards of target's time / reference's time;
    ``milliseconds``: the median over the cards, on the machine that measured.
    """

    target: str
    precision: str
    cards: int
    same: int
    same_interval: tuple[float, float]
    right: int
    right_interval: tuple[float, float]
    reference_right: int
    confidence_apart: float
    size: int
    gzip_size: int
    latency_ratio: float
    milliseconds: float
    differences: tuple[OtherReading, ...]
    versions: dict[str, str]

    @property
    def passes(self) -> bool:
        """Whether at most one card of 1,000 is read otherwise: the bar of a float32 target."""
        return self.cards - self.same <= self.cards / 1000


def compare(
    name: str,
    cards: int = 200,
    precisions: Sequence[str] = (),
    seed: int = SEED,
    rounds: int = 3,
    turns: int = 2,
    folder: Path | None = None,
    root: Path = ROOT,
    seconds: float = SECONDS,
) -> list[Comparison]:
    """Ask the target ``name`` and the reference the same ``cards``; one Comparison for each precision.

    ``precisions``: those of its variants, by default all that can be read here. ``rounds`` of each of
    ``turns`` processes. ``folder``: where its artifacts are, if not in their own place. A wrong reading is a
    finding; TargetError says where the target did not answer, and why.
    """
    if cards < 1:
        raise ValueError(f"the number of cards is at least 1, not {cards}")
    chosen = target(name, root)
    variants = [chosen.variant(word) for word in precisions] or [*chosen.variants.values()]
    unread = ", ".join(variant.precision for variant in variants if not variant.reads)
    if unread and (precisions or len(unread.split(", ")) == len(variants)):
        raise TargetError(f"{name} {unread} is checked, not run: nothing here can read cards with it")
    variants = [variant for variant in variants if variant.reads]
    files = {variant: building.artifact(chosen, variant, folder) for variant in variants}
    deck, written = zip(*cards_and_digits(cards, LEVEL, seed=seed), strict=True)
    here = target_of_reference(root)
    with tempfile.TemporaryDirectory(prefix="edge-") as temporary:
        place = Path(temporary)
        card_files.write_cards(place / "cards.npz", [card.image for card in deck])
        answers: dict[PrecisionVariant | None, list[dict]] = {None: []} | {
            variant: [] for variant in variants
        }
        for turn in range(turns):
            for variant, rows in answers.items():
                asked = chosen if variant else here
                program = chosen.folder / "read.py" if variant else Path(reference.__file__)
                words = [asked.python(), program, files[variant] if variant else Path(LATEST)]
                out = place / f"{turn}-{variant.precision if variant else 'reference'}.json"
                command = [*words, place / "cards.npz", out, "--rounds", rounds]
                rows.append(_readings(command, asked, out, cards, seconds))
    return [
        _comparison(chosen, variant, files[variant].parent, deck, written, answers[None], answers[variant])
        for variant in variants
    ]


def target_of_reference(root: Path = ROOT) -> Target:
    """The reference in a target's clothes: no station, for this Python runs it."""
    texts = dict.fromkeys(("licence", "state", "source"), "")
    return Target("the reference", root, root, "ONNX Runtime", "whole", "any", "runs", **texts, variants={})


def table(comparisons: Sequence[Comparison]) -> Table:
    """One row a precision, below the reference's."""
    first = comparisons[0]
    rows = [["v2 in ONNX Runtime", "float32", first.cards, first.reference_right, 0.0, None, None, 1.0]]
    for row in comparisons:
        sizes = row.size / 1000, row.gzip_size / 1000
        rows.append(
            [row.target, row.precision, row.same, row.right, row.confidence_apart, *sizes, row.latency_ratio]
        )
    header = ["", "", "same reading", "right", "confidence apart", "kB", "kB, gzip", "time"]
    low = [f"{row.precision}: {row.same_interval[0]:.1%} – {row.same_interval[1]:.1%}" for row in comparisons]
    notes = [f"of {first.cards} cards; 95 % interval of the same reading, {'; '.join(low)}"]
    return Table(header, *rows, formats=["", "", "d", "d", ".1g", ",.0f", ",.0f", ".2f"], notes=notes)


def _readings(command: list, asked: Target, out: Path, cards: int, seconds: float) -> dict:
    programs.run(command, asked, seconds, programs.ONE_THREAD)
    try:
        return card_files.read_readings(out, cards)
    except ValueError as problem:
        raise TargetError(f"read.py of {asked.name} ended well, but {problem}") from None


def _comparison(
    chosen: Target, variant: PrecisionVariant, folder: Path, deck: Sequence[Card],
    written: Sequence[list[int]], expected: list[dict], given: list[dict],
) -> Comparison:  # fmt: skip
    pairs = list(zip(expected[0]["readings"], given[0]["readings"], strict=True))
    same = [right["digits"] == other["digits"] for right, other in pairs]
    right = [other["digits"] == card.truth for (_, other), card in zip(pairs, deck, strict=True)]
    times = [np.min([answer["seconds"] for answer in answers], axis=0) for answers in (expected, given)]
    contents = [(folder / name).read_bytes() for name in variant.files]
    differences = (
        OtherReading(place, card.truth, before["digits"], now["digits"])
        for place, (card, (before, now), equal) in enumerate(zip(deck, pairs, same, strict=True))
        if not equal
    )
    return Comparison(
        chosen.name, variant.precision, len(deck),
        same=sum(same), same_interval=clustered(same, written),
        right=sum(right), right_interval=clustered(right, written),
        reference_right=sum(row["digits"] == card.truth for (row, _), card in zip(pairs, deck, strict=True)),
        confidence_apart=max(abs(before["confidence"] - now["confidence"]) for before, now in pairs),
        size=sum(map(len, contents)), gzip_size=sum(len(gzip.compress(content)) for content in contents),
        latency_ratio=float(np.median(times[1] / times[0])), milliseconds=float(np.median(times[1]) * 1000),
        differences=tuple(differences), versions=given[0]["versions"],
    )  # fmt: skip


def as_dict(comparison: Comparison) -> dict:
    """A Comparison as JSON has it."""
    return asdict(comparison) | {"differences": [asdict(row) for row in comparison.differences]}
