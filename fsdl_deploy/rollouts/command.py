"""``fsdl-deploy rollouts run FOLDER``: roll a candidate out, or go on where a killed controller was

The proxy and both versions run already; the proxy's folder has its handle and its log.
"""

import argparse
from decimal import Decimal
from pathlib import Path

from fsdl_deploy.rollouts.canary import CanaryHandle
from fsdl_deploy.rollouts.controller import STEPS, RolloutController, RolloutStep, alone
from fsdl_deploy.rollouts.evidence import LogEvidence
from fsdl_deploy.rollouts.state import DONE
from fsdl_deploy.rollouts.utility import Utility

LONGEST_TICK = 3600  # seconds


def steps_of(words: list[str]) -> tuple[RolloutStep, ...]:
    """From words such as ``5:200``: 5 % of the traffic until there are 200 pairs. Raises ValueError."""
    steps = []
    for word in words:
        share, _, pairs = word.partition(":")
        try:
            steps.append(RolloutStep(float(Decimal(share) / 100), int(pairs)))
        except (ValueError, ArithmeticError):
            raise ValueError(f"--steps: {word!r} is no step: write PERCENT:PAIRS, such as 5:200") from None
    if [step.share for step in steps] != sorted({step.share for step in steps}):
        raise ValueError("--steps: each step has a larger share than the one before")
    return tuple(steps)


def command_line(stage, folder: Path, steps: tuple[RolloutStep, ...], tick: float = 0.2) -> list[str]:
    """The words after ``fsdl-deploy`` that roll out the candidate of a ``RolloutStage``."""
    words = ["rollouts", "run", folder, "--canary", stage.front.folder, "--customers", stage.customers.n]
    words += ["--stable-log", stage.stable_log, "--candidate-log", stage.candidate_log, "--tick", tick]
    words += ["--steps", *(f"{100 * step.share:g}:{step.pairs}" for step in steps)]
    return [str(word) for word in words]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the state of this rollout is kept")
    parser.add_argument("--canary", type=Path, required=True, metavar="FOLDER", help="the proxy's folder")
    parser.add_argument("--stable-log", type=Path, nargs="+", required=True, metavar="FILE",
                        help="answer logs of the stable version's replicas")  # fmt: skip
    parser.add_argument("--candidate-log", type=Path, nargs="+", required=True, metavar="FILE",
                        help="answer logs of the candidate's")  # fmt: skip
    parser.add_argument("--labels", type=Path, metavar="FILE", help="what was on cards, once that is known")
    parser.add_argument("--customers", type=int, default=1_000_000, help="whose meters are known")
    parser.add_argument("--utility", type=int, default=0, metavar="SEED", help="which utility it is")
    parser.add_argument("--steps", nargs="+", metavar="PERCENT:PAIRS",
                        help="shares of the traffic, and the pairs of answers each waits for")  # fmt: skip
    parser.add_argument("--tick", type=float, default=5, help="seconds from look to look")


def main(arguments: argparse.Namespace) -> int:
    """0 when the candidate has all the traffic, 1 when it has none or nobody watches it any more."""
    if not 0 < arguments.tick <= LONGEST_TICK:
        raise ValueError(f"--tick is above 0 and at most {LONGEST_TICK} seconds, not {arguments.tick:g}")
    steps = steps_of(arguments.steps) if arguments.steps else STEPS
    handle = CanaryHandle.load(arguments.canary)
    for file in (*arguments.stable_log, *arguments.candidate_log, *filter(None, [arguments.labels])):
        if not file.is_file():
            raise ValueError(f"there is no file {file}: without it nothing would be compared")
    meters = Utility(arguments.customers, arguments.utility).meter
    evidence = LogEvidence(
        arguments.canary,
        arguments.stable_log,
        arguments.candidate_log,
        meters,
        arguments.labels,
        tell=_print,
    )
    rollout = RolloutController(arguments.folder, handle, evidence, steps, tick=arguments.tick, tell=_print)
    with alone(arguments.canary):  # two rollouts cannot share a proxy
        return 0 if rollout.run().status == DONE else 1


def _print(text: str) -> None:
    print(text, flush=True)
