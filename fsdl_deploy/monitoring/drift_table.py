"""`fsdl-deploy monitoring drift`: which signal sees which drift, how soon, with how many false alarms

The cards are drawn and read once (``drift_weeks``); a thousand usual weeks and many weeks of each drift are
then drawn again from them. Harm is another matter than change: how much accuracy a drift costs stands beside
what the signals see, and only truth can say it.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from fsdl_deploy import files
from fsdl_deploy.cards import DRIFTS
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.progress import bar
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.monitoring.card_statistics import Statistics
from fsdl_deploy.monitoring.drift import FALSE_ALARMS, SIGNALS, DriftWatch
from fsdl_deploy.monitoring.drift_weeks import OTHERS, Measured, bank, week
from fsdl_deploy.monitoring.usual_cards import Reference, drawn
from fsdl_deploy.paths import ROOT
from fsdl_deploy.reader import LATEST, OnnxReader

FILE = ROOT / "models" / "drift.json"
START = date(2026, 11, 2)  # a Monday: the weeks of the simulation follow each other from here
WEEK = 1600  # cards, some more than a plain week has
SEEN = 0.5  # of the runs with an alarm: from here on a signal sees a drift


@dataclass(frozen=True)
class Scenario:
    """What happens from some card on: ``share`` (a function of 0 to 1, how much of a week has passed) of the
    cards are those of ``drift``, and ``volume`` times as many come as usual."""

    name: str
    drift: str | None = None
    share: Callable[[np.ndarray], np.ndarray] = np.ones_like
    volume: float = 1.0


SCENARIOS = (
    *(Scenario(name, name) for name in (*DRIFTS, *OTHERS)),
    Scenario("a tenth inverted", "inverted", lambda passed: 0.1 * np.ones_like(passed)),
    Scenario("dark, more each day", "dark", lambda passed: passed),
    Scenario("twice as many cards", volume=2.0),
)


def happened(cards: dict[str, Measured], scenario: Scenario, rng: np.random.Generator):
    """A week from a moment drawn by lot, in which the scenario holds: statistics, kinds, and which cards are
    changed."""
    monday = START + timedelta(7 * int(rng.integers(1000)))
    kinds, gaps = week(monday, rng, scenario.volume)
    start = rng.integers(len(kinds))
    kinds, gaps = np.roll(kinds, -start), np.roll(gaps, -start)
    seen = drawn_again(cards["usual"], kinds, gaps, rng)
    changed = np.zeros(len(kinds), bool)
    if scenario.drift:
        changed = rng.random(len(kinds)) < scenario.share(np.arange(len(kinds)) / len(kinds))
        other = drawn_again(cards[scenario.drift], kinds, gaps, rng)
        seen = {name: np.where(changed, other[name], values) for name, values in seen.items()}
    return seen, kinds, changed


def drawn_again(pile: Measured, kinds: np.ndarray, gaps: np.ndarray, rng: np.random.Generator) -> Statistics:
    """Cards of these kinds from a pile, come with these gaps."""
    places = drawn(pile.kinds, kinds, rng)
    return {name: values[places] for name, values in pile.statistics.items()} | {"gap": gaps}


def false_alarms(watch: DriftWatch, usual: Measured, weeks: int, seed: int = 1) -> dict:
    """Usual weeks, one after the other: in how many of them each signal raised an alarm, and any of them."""
    rng, counts = np.random.default_rng(seed), dict.fromkeys((*SIGNALS, "any"), 0)
    sizes = []
    with bar(weeks, "usual weeks", "week") as progress:
        for number in range(weeks):
            kinds, gaps = week(START + timedelta(7 * number), rng)
            alarms = watch.alarms(drawn_again(usual, kinds, gaps, rng), kinds)
            for signal in {alarm.signal for alarm in alarms} | ({"any"} if alarms else set()):
                counts[signal] += 1
            sizes.append(len(kinds))
            progress.update(1)
    return {"weeks": weeks, "cards_a_week": statistics.mean(sizes), "allowed": FALSE_ALARMS} | counts


def seen(watch: DriftWatch, cards: dict[str, Measured], scenario: Scenario, runs: int, seed: int = 2) -> dict:
    """By signal: in which share of the runs there was an alarm within a week, and after how many cards
    (``cards``: half of these came sooner, ``late``: nine of ten)."""
    rng = np.random.default_rng((seed, len(scenario.name)))
    first: dict[str, list[int]] = {signal: [] for signal in SIGNALS}
    for _ in range(runs):
        values, kinds, _ = happened(cards, scenario, rng)
        earliest = {}
        for alarm in watch.alarms(values, kinds):
            earliest.setdefault(alarm.signal, alarm.card)
        for signal, card in earliest.items():
            first[signal].append(card)
    return {
        signal: {
            "share": len(after) / runs,
            "cards": float(np.median(after)) if after else None,
            "late": float(np.quantile(after, 0.9)) if after else None,
        }
        for signal, after in first.items()
    }


def harm(cards: dict[str, Measured], scenario: Scenario) -> dict:
    """What it costs in a week: accuracy on the same customers' cards without and with it, points lost with
    their 95 % interval, which share of the wrong readings is too high, and the mean of some statistics."""
    changed, share = cards[scenario.drift or "usual"], float(scenario.share(np.linspace(0, 1, 1001)).mean())
    usual = cards["usual"].errors[: len(changed.errors)]
    lost = (usual == 0).astype(float) - changed.right
    middle, spread = lost.mean(), 1.96 * lost.std() / np.sqrt(len(lost))
    before = float((usual == 0).mean())
    return {
        "cards": len(lost),
        "share": share,
        "right_before": before,
        "right": before - share * float(middle),
        "lost": 100 * share * float(middle),
        "lost_from": 100 * share * float(middle - spread),
        "lost_to": 100 * share * float(middle + spread),
        "too_high": float((changed.errors == 1).sum() / max((changed.errors != 0).sum(), 1)),
        "median_confidence": _known(np.median, changed.statistics["confidence"]),
        "mean": {name: _known(np.mean, changed.statistics[name]) for name in ("grey", "confidence")},
    }


def _known(average: Callable, values: np.ndarray) -> float | None:
    """The average of what is known; None where nothing is."""
    known = values[~np.isnan(values)]
    return float(average(known)) if len(known) else None


def record(version: str, weeks: int, runs: int, usual_weeks: int, drifted: int, seed: int) -> dict:
    """Measure all of it; what stands in the record."""
    cards = bank(OnnxReader(version), usual_weeks, drifted, seed)
    reference = Reference(cards["reference"].statistics, cards["reference"].kinds)
    watch = DriftWatch(reference, WEEK, weeks=max(weeks // 2, 40), seed=seed)
    usual = false_alarms(watch, cards["usual"], weeks)
    rows = []
    with bar(len(SCENARIOS), "drifts", "drift") as progress:
        for scenario in SCENARIOS:
            row = {"drift": scenario.name, **harm(cards, scenario)}
            rows.append(row | {"signals": seen(watch, cards, scenario, runs)})
            progress.update(1)
    return {
        "version": version,
        "reference_cards": len(reference.kinds),
        "runs": runs,
        "false_alarms": usual,
        "rows": rows,
    }


def table(content: dict) -> Table:
    """The record as a table: cards until half of the runs have an alarm; empty where fewer than half have."""
    usual = content["false_alarms"]
    rows = []
    for row in content["rows"]:
        cells = [row["signals"][signal] for signal in SIGNALS]
        after = [cell["cards"] if cell["share"] >= SEEN else None for cell in cells]
        rows.append([row["drift"], row["right"], row["lost"], *after])
    rows.append(["weeks with a false alarm", None, None, *(usual[signal] for signal in SIGNALS)])
    return Table(
        ["cards until an alarm", "right", "points lost", *SIGNALS],
        *rows,
        formats=["", ".1%", ".1f", *[",.0f"] * len(SIGNALS)],
        notes=[
            f"Of {usual['weeks']:,} usual weeks of {usual['cards_a_week']:,.0f} cards, {usual['any']} had a "
            f"false alarm; allowed were {usual['allowed'] * usual['weeks'] / 1000:.0f}. Each drift was met "
            f"in {content['runs']} weeks, from a moment drawn by lot."
        ],
    )


def add_arguments(parser) -> None:
    parser.add_argument("--version", default=LATEST, help="which model reads")
    parser.add_argument("--weeks", type=int, default=1000, help="usual weeks, in which each alarm is false")
    parser.add_argument("--runs", type=int, default=100, help="weeks of each drift")
    parser.add_argument("--reference", type=int, default=4, help="weeks of cards that say what is usual")
    parser.add_argument("--cards", type=int, default=1000, help="cards drawn and read of each drift")
    parser.add_argument("--seed", type=int, default=0, help="other cards by another seed")
    parser.add_argument(
        "--json",
        type=files.output,
        metavar="FILE",
        help=f"write the record there, as {FILE.name} in models/ is",
    )


def main(args) -> int:
    if min(args.weeks, args.runs, args.reference) < 1 or args.cards < 100:
        raise ValueError("--weeks, --runs and --reference are at least 1, --cards at least 100")
    content = record(args.version, args.weeks, args.runs, args.reference, args.cards, args.seed)
    if args.json:
        records.write(args.json, **content)
    print(table(content))
    return 0
