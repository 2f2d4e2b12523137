"""A rollout under load: the controller moves real customers, and what each of them got is kept"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.rollouts.callers import Answered, CustomerCalls
from fsdl_deploy.rollouts.controller import RolloutController, RolloutStep
from fsdl_deploy.rollouts.guardrails import Watch
from fsdl_deploy.rollouts.stage import RolloutStage
from fsdl_deploy.rollouts.state import RolloutState
from fsdl_deploy.rollouts.utility import Sent
from fsdl_deploy.scaling.failures import Trial, under_load

LONGEST = 1200  # seconds


@dataclass(frozen=True)
class LiveRollout:
    """How it ended (``state``), what the controller had seen (``watch``), what customers saw (``trial``).

    ``changes``: seconds from the begin, the candidate's share from then on, and why. ``bad``: seconds at
    which the candidate gave a wrong answer, ``good``: at which it gave a right one.
    """

    state: RolloutState
    watch: Watch
    trial: Trial
    changes: list[tuple[float, float, str]]
    good: list[float]
    bad: list[float]

    def table(self) -> Table:
        """A row for each change of the share; below it what was lost, and whether the meter stood still."""
        load = self.trial.load
        notes = [f"lost: {loss}" for loss in load.losses] + [load.standstill] * bool(load.standstill)
        return Table(["after s", "share", "why"], *self.changes, formats=[".1f", ".0%", ""], notes=notes)


def live(
    stage: RolloutStage,
    sent: Sequence[Sent],
    steps: tuple[RolloutStep, ...],
    rate: float = 20,
    tick: float = 0.2,
    tell: Callable[[str], object] = lambda text: None,
) -> LiveRollout:
    """Roll the candidate of a stage out while its customers ask at ``rate`` a second.

    After LONGEST seconds the load ends, and the rollout with it, however far it is.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        controller = RolloutController(
            Path(folder), stage.front.handle, stage.evidence(), steps, tick=tick, tell=tell
        )
        calls: CustomerCalls = stage.calls(list(sent))
        begin, clock = time.time(), time.monotonic()
        trial = under_load(calls, rate, controller.run, around=0.5, longest=LONGEST, stop=controller.ended)
    state = controller.state
    changes = [(moment - begin, share, why) for moment, share, why in state.history]
    answers: list[Answered] = calls.of(stage.candidate.port)
    good, bad = ([each.moment - clock for each in answers if each.right is right] for right in (True, False))
    return LiveRollout(state, controller.watch, trial, changes, good, bad)
