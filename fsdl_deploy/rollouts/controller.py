"""A rollout controller: the candidate gets more traffic step by step, or at the first alarm none

It may be killed at any moment and started again: what was decided is on disk, what was seen is in the logs.
A human's order comes first. While it runs it never leaves the candidate unwatched: what it cannot do it tries
again, and if it cannot see any more it rolls back. Knows no proxy and no log: a ``handle`` moves the
traffic, ``evidence`` gives pairs of answers.
"""

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from fsdl_deploy import files
from fsdl_deploy.rollouts import state as on_disk
from fsdl_deploy.rollouts.guardrails import Watch
from fsdl_deploy.rollouts.split import buckets
from fsdl_deploy.rollouts.state import DONE, PAUSED, ROLLED_BACK, RUNNING, RolloutState
from fsdl_deploy.running import locks

ORDERS = ("pause", "resume", "rollback", "stop")
_ORDER, _TAKEN, _LOCK = "order", "order.taken", "controller.lock"
BLIND = 5  # looks in a row that may fail
_MOMENT = 1  # second, that another process may have a lock to look whether anybody has it


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
        for share in (self.share, self.shadow):
            buckets(share)


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
        self._saved: RolloutState | None = None
        self._at: tuple[float, float] | None = None  # where the proxy is; None: nobody knows
        self._blind = 0

    def run(self) -> RolloutState:
        """Until the rollout is over, or the order "stop": the state then."""
        with alone(self.folder):
            self._begin()
            while not self.ended.is_set():
                self._try(self._move, self._save)  # whoever died before a move, or could not make it
                if self.state.over and self._at and self._saved == self.state:
                    break
                self.ended.wait(self.tick)
                self.look()
            if self.state.over:
                (self.folder / _TAKEN).unlink(missing_ok=True)
        return self.state

    def _begin(self) -> None:
        """Where an earlier controller was: orders and evidence come before the share that it had given."""
        self.state = self._saved = on_disk.load(self.folder)
        if self.state is None:
            self.state = enter(RolloutState(offset=self.evidence.offset), self.steps, 0, 0)
            self._save()
            self._obey()
        else:
            self.state = replace(self.state, step=min(self.state.step, len(self.steps) - 1))
            self.evidence.offset = self.state.offset
            self.look()

    def look(self) -> None:
        """Obey an order, read what is new, decide, and do it. Whoever cannot see rolls back."""
        try:
            if self.state.over or self._obey():
                return
            for pair in self.evidence.read():
                self.watch.add(pair)
            for pair in self.evidence.labelled():
                self.watch.label(pair)
            self.become(decide(self.state, self.steps, self.watch.pairs, self.watch.alarms()))
            self._blind = 0
        except Exception as problem:
            self._blind += 1
            self.tell(f"nothing was seen: {problem!r}")
            if not isinstance(problem, OSError) or self._blind >= BLIND:
                self.become(self._back(f"rolled back, since nothing is seen any more: {problem!r}"))

    def become(self, state: RolloutState) -> None:
        """Move the traffic and save the state. Less comes to the candidate at once, more once that is saved.

        Where that fails, less is tried until it is so, and more is decided anew at the next look.
        """
        if state == self.state:
            return
        before, self.state = self.state, state
        less = before is not None and state.share <= before.share
        so = self._try(*((self._move, self._save) if less else (self._save, self._move)))
        if so or less:
            self.tell(state.why)
        elif before is not None:
            self.state = before
            self._try(self._save)

    def _try(self, *actions: Callable[[], None]) -> bool:
        try:
            for action in actions:
                action()
        except Exception as problem:  # the proxy starts anew, the disk is full
            self.tell(f"that could not be done, and is tried again: {problem}")
            return False
        return True

    def _move(self) -> None:
        if self._at != (share := (self.state.share, self.state.shadow)):
            self._at = None  # half way through nobody knows
            self.handle.move(share=share[0], shadow=share[1])
            self._at = share

    def _save(self) -> None:
        if self._saved != self.state:
            on_disk.save(self.folder, self.state)
            self._saved = self.state

    def _back(self, why: str) -> RolloutState:
        return self.state.changed(why, status=ROLLED_BACK, share=0.0, shadow=0.0)

    def _obey(self) -> bool:
        """Do what a human has ordered; whether there was an order. A rollback stays until it is on disk."""
        taken = self.folder / _TAKEN
        with suppress(FileNotFoundError):
            os.replace(self.folder / _ORDER, taken)  # one that comes meanwhile is another
        order = taken.read_text(encoding="utf-8", errors="replace").strip() if taken.exists() else ""
        if order == "rollback":
            self.become(self._back("rolled back by order"))
        elif order in ("pause", "resume"):
            status = PAUSED if order == "pause" else RUNNING
            if status != self.state.status:
                self.become(self.state.changed(f"{status} by order", status=status))
        elif order == "stop":
            self.tell("stopped by order: the traffic stays as it is, and nobody watches it")
            self.ended.set()
        elif order:
            self.tell(f"{order!r} is no order: {', '.join(ORDERS)}")
        if order != "rollback" or self._saved == self.state:
            taken.unlink(missing_ok=True)
        return bool(order)


def alone(folder: Path) -> AbstractContextManager:
    """``with alone(folder):`` nobody else is its controller; the system takes the lock back with the process.

    Raises RuntimeError if another one is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    refusal = RuntimeError(f"another controller is at work in {folder} already")
    return locks.alone(folder / _LOCK, refusal, _MOMENT)


def running(folder: Path) -> bool:
    """Whether a controller runs in ``folder``."""
    if not (folder / _LOCK).exists():
        return False
    try:
        FileLock(folder / _LOCK, timeout=0).acquire().lock.release()
    except Timeout:
        return True
    return False


def order(folder: Path, word: str) -> None:
    """Leave an order for the controller of ``folder``; it obeys within a tick. ValueError for another."""
    if word not in ORDERS:
        raise ValueError(f"{word!r} is no order: give one of {', '.join(ORDERS)}")
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder of a rollout")
    files.write(folder / _ORDER, word)
