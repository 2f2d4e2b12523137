"""``fsdl-deploy rollouts replay``: the same controller, on recorded answers, over and over

Cards come as on the last days of a month, a million and a half a day, from customers with the cameras of
``utility``. The controller looks every five minutes. What is really on a card is known after LABEL_DELAY
days, which is later than the last step, so it has to decide without.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fsdl_deploy import files
from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.accuracy import wilson
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.rollouts.answers import RECORD, STABLE, Answers, load
from fsdl_deploy.rollouts.controller import STEPS, RolloutStep, decide, enter
from fsdl_deploy.rollouts.guardrails import GUARDRAILS, AnswerPair, Watch, slow_from
from fsdl_deploy.rollouts.spoiled import spoiled
from fsdl_deploy.rollouts.state import ROLLED_BACK, RolloutState

A_DAY, LABEL_DELAY = 1_500_000, 3  # cards; days
LOOK = 300  # seconds from look to look
GOOD = ("v2-int8", "teacher")
"""As good as v2, or better; whoever replays other versions says which are good."""


@dataclass(frozen=True)
class Outcome:
    """How one rollout ended: its ``status``, at which ``share``, after how many ``cards`` of all customers.

    ``harmed``: cards that the candidate answered wrongly or not at all, and the stable version would have
    read right; ``helped``: the other way round. ``pairs``: answers compared until then.
    """

    status: str
    share: float
    pairs: int
    cards: float
    harmed: int
    helped: int
    why: str


class Recorded:
    """A candidate's recorded pairs, looked at once by each guardrail, from which rollouts are drawn."""

    def __init__(self, pairs: Sequence[AnswerPair]):
        slow = slow_from([pair.stable.seconds for pair in pairs])
        self.segments = sorted({pair.segment for pair in pairs})
        self._segment = np.array([self.segments.index(pair.segment) for pair in pairs])
        self.looks = {
            name: np.array([_coded(guardrail.look(pair, slow)) for pair in pairs])
            for name, guardrail in GUARDRAILS.items()
        }
        self.compared = np.array([pair.compared for pair in pairs])
        right = [(pair.candidate.digits == pair.truth, pair.stable.digits == pair.truth) for pair in pairs]
        self.wrong = tuple(1 - np.mean(right, axis=0)[::-1])  # of the stable version, of the candidate
        self.harm = np.array([not candidate and stable for candidate, stable in right])
        self.help = np.array([candidate and not stable for candidate, stable in right])

    def __len__(self) -> int:
        return len(self.harm)

    def harmed_and_helped(self, drawn: np.ndarray) -> np.ndarray:
        """How many of these customers the candidate has harmed, and helped; int64 ``[2]``."""
        return np.array([self.harm[drawn].sum(), self.help[drawn].sum()])

    def differences(self, name: str) -> np.ndarray:
        """What a guardrail says of each pair, -1, 0 or 1; pairs of which it says nothing are left out."""
        codes = self.looks[name]
        return codes[codes < 3] - 1

    def count(self, watch: Watch, drawn: np.ndarray, labels: bool = False) -> None:
        """Let the controller's watch count these pairs, as if it had seen them."""
        watch.pairs += int(self.compared[drawn].sum())
        for name, codes in self.looks.items():
            if name == "labels" and not labels:
                continue
            counted = np.bincount(4 * self._segment[drawn] + codes[drawn], minlength=4 * len(self.segments))
            for place, segment in enumerate(self.segments):
                worse, same, better = counted[4 * place + 2], counted[4 * place + 1], counted[4 * place]
                watch.count(name, segment, Counter({1: int(worse), 0: int(same), -1: int(better)}))


def _coded(difference: int | None) -> int:
    return 3 if difference is None else difference + 1


def rollout(recorded: Recorded, seed: int, steps: tuple[RolloutStep, ...] = STEPS) -> Outcome:
    """One rollout: cards drawn from the recorded ones, until the controller ends it."""
    rng, watch = np.random.default_rng(seed), Watch()
    state, cards, share = enter(RolloutState(), steps, 0, 0), 0.0, 0.0
    customers = np.zeros(2, int)
    while not state.over:
        share = state.share
        seen = share + state.shadow * (1 - share)
        fresh = A_DAY * LOOK / 86_400  # cards of all customers since the last look
        drawn = rng.integers(len(recorded), size=max(1, round(fresh * seen)))
        recorded.count(watch, drawn)
        answered = drawn[: round(len(drawn) * share / seen)]
        customers, cards = customers + recorded.harmed_and_helped(answered), cards + len(drawn) / seen
        state = decide(state, steps, watch.pairs, watch.alarms())
    return Outcome(state.status, share, watch.pairs, cards, *map(int, customers), state.why)


def replay(
    answers: Answers,
    candidate: str,
    seeds: int = 200,
    steps: tuple[RolloutStep, ...] = STEPS,
    stable: str = STABLE,
) -> list[Outcome]:
    """``seeds`` rollouts of a candidate whose answers are recorded. Raises AnswersError if they are not."""
    recorded = Recorded(answers.pairs(candidate, stable))
    return [rollout(recorded, seed, steps) for seed in range(seeds)]


def rolled_back(outcomes: Sequence[Outcome], at_most: float = 1.0) -> float:
    """The share of rollouts that were rolled back while the candidate had ``at_most`` this share."""
    return sum(each.status == ROLLED_BACK and each.share <= at_most for each in outcomes) / len(outcomes)


def summary(answers: Answers, played: dict[str, list[Outcome]], stable: str = STABLE) -> Table:
    """A row for each candidate: how good it is, and how its rollouts ended."""
    rows = []
    for name, outcomes in played.items():
        pairs = answers.pairs(name, stable)
        right = sum(pair.candidate.digits == pair.truth for pair in pairs) / len(pairs)
        early = rolled_back(outcomes, 0.05)
        low, high = wilson(early * len(outcomes), len(outcomes))
        guards = Counter(each.why.partition(":")[0] for each in outcomes if each.status == ROLLED_BACK)
        rows.append(
            [name, right, early, f"{max(0, low):.0%}–{high:.0%}", rolled_back(outcomes),
             float(np.median([each.pairs for each in outcomes])),
             *(float(np.mean(counted)) for counted in zip(*((each.harmed, each.helped) for each in outcomes),
                                                          strict=True)),
             ", ".join(f"{guard} {count}" for guard, count in guards.most_common(2))]
        )  # fmt: skip
    header = ["candidate", "right", "back at ≤ 5 %", "95 % interval", "ever back", "pairs (median)", "harmed",
              "helped", "first alarms"]  # fmt: skip
    return Table(header, *rows, formats=["", ".1%", ".1%", "", ".1%", ",.0f", ",.0f", ",.0f", ""])


PLANS = {
    "everybody at once": (RolloutStep(1.0, 50_000),),
    "25, 100 %": STEPS[2:],
    "1, 5, 25, 100 %": STEPS,
    "shadow of 5 %, then 1, 5, 25, 100 %": (RolloutStep(0.0, 3_000, 0.05), *STEPS),
}


def harm_by_plan(answers: Answers, candidate: str, seeds: int = 50, plans=PLANS) -> Table:
    """Customers harmed until the rollback, for each plan of steps: by guardrails that need no labels, and by
    labels that come after LABEL_DELAY days, which is computed from the share of the first step."""
    recorded = Recorded(answers.pairs(candidate))
    rows = []
    for name, steps in plans.items():
        outcomes = [rollout(recorded, seed, steps) for seed in range(seeds)]
        minutes = float(np.median([each.cards for each in outcomes])) / A_DAY * 24 * 60
        late = steps[0].share * A_DAY * LABEL_DELAY * float(recorded.harm.mean())
        rows.append([name, minutes, float(np.mean([each.harmed for each in outcomes])), late])
    header = [
        "plan",
        "minutes to the alarm",
        "customers harmed",
        f"harmed if labels decided, {LABEL_DELAY} days later",
    ]
    return Table(header, *rows, formats=["", ",.0f", ",.0f", ",.0f"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--answers", type=Path, default=RECORD, metavar="FILE", help="the recorded answers")
    parser.add_argument(
        "--candidates",
        nargs="+",
        metavar="NAME",
        help="which of the recorded and synthetic ones; without it all",
    )
    parser.add_argument(
        "--good",
        nargs="*",
        default=GOOD,
        metavar="NAME",
        help="which of them are as good as the stable version",
    )
    parser.add_argument("--json", type=files.output, metavar="FILE", help="write what came out as JSON, too")
    parser.add_argument("--seeds", type=int, default=200, help="rollouts of each candidate")


def main(arguments: argparse.Namespace) -> int:
    """1 if the bar is missed: 95 % of bad ones back at 5 % of traffic or less, at most 5 % of good ones."""
    if arguments.seeds < 1:
        raise ValueError(f"--seeds must be at least 1, not {arguments.seeds}")
    answers = spoiled(load(arguments.answers))
    names = arguments.candidates or [name for name in answers.versions if name != STABLE]
    played = {name: replay(answers, name, arguments.seeds) for name in names}
    print(summary(answers, played))
    if arguments.json:
        parts = {name: _record(outcomes) for name, outcomes in played.items()}
        records.write(arguments.json, seeds=arguments.seeds, label_delay_days=LABEL_DELAY, candidates=parts)
    missed = [
        name
        for name, outcomes in played.items()
        if (rolled_back(outcomes) > 0.05 if name in arguments.good else rolled_back(outcomes, 0.05) < 0.95)
    ]
    for name in missed:
        print(f"{name}: the bar is missed", file=sys.stderr)
    return 1 if missed else 0


def _record(outcomes: Sequence[Outcome]) -> dict:
    means = {
        name: float(np.mean([getattr(each, name) for each in outcomes])) for name in ("harmed", "helped")
    }
    backs = {"back_at_5_percent": rolled_back(outcomes, 0.05), "back": rolled_back(outcomes)}
    return backs | {"pairs": float(np.median([each.pairs for each in outcomes]))} | means
