"""A rollout controller: the candidate gets more traffic step by step, or at the first alarm none

It may be killed at any moment and started again: what was decided is on disk, what was seen is in the logs.
A human's order comes first. Knows no proxy and no log: a ``handle`` moves the traffic, ``evidence`` gives
pairs of answers.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from fsdl_deploy import files
from fsdl_deploy.rollouts import state as on_disk
from fsdl_deploy.rollouts.guardrails import Watch
from fsdl_deploy.rollouts.state import DONE, PAUSED, ROLLED_BACK, RUNNING, RolloutState
from fsdl_deploy.scaling.policy import BalancerError

ORDERS = ("pause", "resume", "rollback", "stop")
_ORDER, _PID = "order", "controller.pid"


@dataclass(frozen=True)
class RolloutStep:
    """``share`` of the traffic (0 to 1) for the candidate, until there are so many ``pairs`` of answers.

    ``shadow``: the share of the rest that it reads unseen.
    """

    share: float
    pairs: int
    shadow: float = 0.0

    def __post_init__(self):
        if not 0 <= self.share <= 1 or not 0 <= self.shadow <= 1 or not self.pairs > 0:
            raise ValueError(f"{self}: shares are from 0 to 1, and a step waits for one pair at least")


STEPS = (
    RolloutStep(0.01, 3_000),
    RolloutStep(0.05, 12_000),
    RolloutStep(0.25, 25_000),
    RolloutStep(1.0, 10_000),
)
"""Five million cards a month are a million and a half on its last days: 1 % has 3,000 within five hours."""


def decide(
    state: RolloutState, steps: tuple[RolloutStep, ...], pairs: int, alarms: list[str]
) -> RolloutState:
    """What to do now: roll back, take the next step, be done, or (the same state) wait."""
    if state.over:
        return state
    if alarms:
        return state.changed(alarms[0], status=ROLLED_BACK, share=0.0, shadow=0.0)
    if state.status == PAUSED or pairs - state.pairs < steps[state.step].pairs:
        return state
    if state.step + 1 == len(steps):
        return state.changed("all steps taken, no alarm", status=DONE, shadow=0.0)
    return enter(state, steps, state.step + 1, pairs)


def enter(state: RolloutState, steps: tuple[RolloutStep, ...], number: int, pairs: int) -> RolloutState:
    """The state at the begin of a step."""
    step = steps[number]
    why = f"step {number + 1} of {len(steps)}: {100 * step.share:g} %"
    return state.changed(why, step=number, share=step.share, shadow=step.shadow, pairs=pairs)


class RolloutController:
    """``RolloutController(folder, handle, evidence).run()`` begins a rollout, or goes on with it.

    ``tell`` gets a line for each change. Raises StateError for a damaged state, RuntimeError if another
    controller is at it.
    """

    def __init__(
        self,
        folder: Path,
        handle,
        evidence,
        steps: tuple[RolloutStep, ...] = STEPS,
        watch: Watch | None = None,
        tick: float = 0.5,
        tell: Callable[[str], object] = print,
    ):
        if not steps:
            raise ValueError("a rollout has at least one step")
        self.folder, self.handle, self.evidence, self.steps = folder, handle, evidence, tuple(steps)
        self.watch, self.tick, self.tell = watch or Watch(), tick, tell
        self.ended = threading.Event()
        self.state: RolloutState | None = None

    def run(self) -> RolloutState:
        """Until the rollout is over, or the order "stop": the state then."""
        self._alone()
        self.state = on_disk.load(self.folder)
        if self.state is None:
            self.become(enter(RolloutState(offset=self.evidence.offset), self.steps, 0, 0))
        self.state = replace(self.state, step=min(self.state.step, len(self.steps) - 1))
        self.evidence.offset = self.state.offset
        self._move()  # whoever died between a decision and the move makes it now
        while not self.state.over and not self.ended.is_set():
            self.look()
            if not self.state.over:
                self.ended.wait(self.tick)
        (self.folder / _PID).unlink(missing_ok=True)
        return self.state

    def look(self) -> None:
        """Obey an order, read what is new, decide, and do it."""
        if self._obey():
            return
        for pair in self.evidence.read():
            self.watch.add(pair)
        for pair in self.evidence.labelled():
            self.watch.label(pair)
        self.become(decide(self.state, self.steps, self.watch.pairs, self.watch.alarms()))

    def become(self, state: RolloutState) -> None:
        """Move the traffic and save the state. Less comes to the candidate at once, more once that is saved.

        Where the proxy does not take it, nothing has changed, and the next look tries again.
        """
        if state == self.state:
            return
        before, less = self.state, self.state is not None and state.share <= self.state.share
        try:
            for action in (self._move, on_disk.save) if less else (on_disk.save, self._move):
                self.state = state
                action(*([self.folder, state] if action is on_disk.save else []))
        except BalancerError as problem:
            self.tell(f"the traffic was not moved, and that is tried again: {problem}")
            if before is not None:
                self.state = before
                on_disk.save(self.folder, before)
            return
        self.tell(state.why)

    def _move(self) -> None:
        self.handle.move(share=self.state.share, shadow=self.state.shadow)

    def _obey(self) -> bool:
        """Do what a human has ordered; whether there was an order."""
        file = self.folder / _ORDER
        order = file.read_text(encoding="utf-8").strip() if file.exists() else ""
        if order == "rollback":
            self.become(self.state.changed("rolled back by order", status=ROLLED_BACK, share=0.0, shadow=0.0))
            if not self.state.over:
                return True  # the order stays until it is carried out
        elif order in ("pause", "resume"):
            status = PAUSED if order == "pause" else RUNNING
            if status != self.state.status:
                self.become(self.state.changed(f"{status} by order", status=status))
        elif order == "stop":
            self.tell("stopped by order: the traffic stays as it is, and nobody watches it")
            self.ended.set()
        elif order:
            self.tell(f"{order!r} is no order: {', '.join(ORDERS)}")
        file.unlink(missing_ok=True)
        return bool(order)

    def _alone(self) -> None:
        """Raises RuntimeError if another process is this rollout's controller."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if (pid := running(self.folder)) not in (None, os.getpid()):
            raise RuntimeError(f"process {pid} is the controller of {self.folder} already")
        files.write(self.folder / _PID, f"{os.getpid()} {psutil.Process().create_time()}")


def running(folder: Path) -> int | None:
    """The process id of the controller that runs in ``folder``, None where none does."""
    with suppress(OSError, ValueError, psutil.Error):
        pid, born = map(float, (folder / _PID).read_text().split())
        if psutil.Process(int(pid)).create_time() == born:
            return int(pid)
    return None


def order(folder: Path, word: str) -> None:
    """Leave an order for the controller of ``folder``; it obeys within a tick. ValueError for another."""
    if word not in ORDERS:
        raise ValueError(f"{word!r} is no order: give one of {', '.join(ORDERS)}")
    files.write(folder / _ORDER, word)
