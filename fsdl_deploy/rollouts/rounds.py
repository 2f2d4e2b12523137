"""``fsdl-deploy rollouts rounds``: whatever a rollout does to the traffic, is no request lost?

Five events, each under load: a whole rollout, a rollback, the shadow on and off, changes of the share, and a
controller that is killed and started again. Both versions are good, so that nothing but the moves can harm.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.measuring import records
from fsdl_deploy.rollouts import state as on_disk
from fsdl_deploy.rollouts.canary import PROXIES
from fsdl_deploy.rollouts.command import command_line
from fsdl_deploy.rollouts.controller import RolloutController, RolloutStep, order
from fsdl_deploy.rollouts.stage import MakeServer, RolloutStage, logging_service, staged
from fsdl_deploy.rollouts.state import RolloutState
from fsdl_deploy.rollouts.utility import Sent
from fsdl_deploy.running.watched import Watched
from fsdl_deploy.scaling.failures import Trial, under_load
from fsdl_deploy.scaling.rounds import Round, add_round_arguments, positive, still, summary

STEPS = (RolloutStep(0.05, 1), RolloutStep(0.25, 10), RolloutStep(1.0, 30))
LONGEST = 60  # seconds that a controller may take


@dataclass(frozen=True)
class Pause:
    """``pause(seconds)`` waits, in a round of ten seconds for so long, in a shorter one for less.

    ``over`` is set when the load has ended: no pause is any longer then, and no controller goes on.
    """

    seconds: float
    over: threading.Event

    def __call__(self, seconds: float) -> None:
        self.over.wait(self.seconds / 10 * seconds)


def _controller(
    stage: RolloutStage, folder: Path, pause: Pause, steps: tuple[RolloutStep, ...]
) -> RolloutController:
    controller = RolloutController(
        folder, stage.front.handle, stage.evidence(), steps, tick=0.2, tell=_nobody
    )
    controller.ended = pause.over
    return controller


def _ended(state: RolloutState | None, log: str = "") -> None:
    if state is None or not state.over:
        raise RuntimeError(
            "the load ended before the rollout: play longer rounds, or with more requests a second"
            + (f"; the controller wrote: {log}" if log else "")
        )


def _rollout(stage: RolloutStage, folder: Path, pause: Pause) -> None:
    _ended(_controller(stage, folder, pause, STEPS).run())


def _rollback(stage: RolloutStage, folder: Path, pause: Pause) -> None:
    controller = _controller(stage, folder, pause, (RolloutStep(0.25, 10**6),))
    running = threading.Thread(target=controller.run, daemon=True)
    running.start()
    pause(3)
    order(folder, "rollback")
    running.join(LONGEST)
    if running.is_alive():
        pause.over.set()
        running.join()
    _ended(controller.state)


def _shadow(stage: RolloutStage, folder: Path, pause: Pause) -> None:
    for share in (1.0, 0.0, 0.5, 0.0):
        stage.front.move(shadow=share)
        pause(1.5)


def _weights(stage: RolloutStage, folder: Path, pause: Pause) -> None:
    for share in (0.05, 0.5, 1.0, 0.25, 0.0):
        stage.front.move(share=share)
        pause(1)


def _killed(stage: RolloutStage, folder: Path, pause: Pause) -> None:
    """The controller, a process of its own, is killed three times at odd moments, and then ends its work."""
    words = [sys.executable, "-m", "fsdl_deploy.cli", *command_line(stage, folder, STEPS)]
    for seconds in (1.1, 1.7, 2.3, None):
        controller = Watched(words, None, None, grace=2)
        deadline = time.monotonic() + LONGEST
        if seconds:
            pause(seconds)
        while not seconds and controller.running and time.monotonic() < deadline:
            if pause.over.wait(0.05):
                break
        controller.kill()
    _ended(on_disk.load(folder), controller.log())


EVENTS: dict[str, Callable] = {
    "rollout": _rollout,
    "rollback": _rollback,
    "shadow on and off": _shadow,
    "change of the share": _weights,
    "controller killed": _killed,
}


def one_round(
    stage: RolloutStage, name: str, sent: Sequence[Sent], rate: float, seconds: float, seed: int
) -> Round:
    """One event under a load that lasts ``seconds``, or until the event is over."""
    stage.front.move(share=0.0, shadow=0.0)
    over = threading.Event()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        event = partial(EVENTS[name], stage, Path(folder), Pause(seconds, over))
        calls = stage.calls(list(sent))
        trial: Trial = under_load(
            calls,
            rate,
            event,
            around=min(1.0, seconds / 10),
            at_least=seconds,
            longest=seconds + 120,
            seed=seed,
            stop=over,
        )
    return Round(name, trial, stage.front.log())


def play(
    count: int,
    rate: float = 20,
    seconds: float = 10,
    proxy: str = "nginx",
    events: Sequence[str] = tuple(EVENTS),
    make: MakeServer = logging_service,
) -> list[Round]:
    """``count`` rounds of each event; each is printed when it is over.

    Raises ValueError for numbers that are not above 0 and finite, BalancerError where the proxy is not here.
    """
    positive(rounds=count, rate=rate, seconds=seconds)
    played = []
    with staged(proxy, "teacher", "v2", make=make) as stage:
        sent = list(stage.customers)
        for number in range(count):
            for name in events:
                played.append(one_round(stage, name, sent, rate, seconds, number))
                played[-1].show(number)
    return played


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_round_arguments(parser, EVENTS)
    parser.add_argument("--proxy", choices=PROXIES, default="nginx", help="who moves the traffic")


def main(arguments: argparse.Namespace) -> int:
    """1 if a request was lost."""
    played = play(arguments.rounds, arguments.rate, arguments.seconds, arguments.proxy, arguments.events)
    print(summary(played))
    if arguments.json:
        rows = [
            {"event": each.event, "requests": each.trial.load.requests, "lost": each.trial.lost}
            | still(each.trial.load)
            for each in played
        ]
        settings = {"proxy": arguments.proxy, "rate": arguments.rate, "seconds": arguments.seconds}
        files.write(
            arguments.json, json.dumps(records.stamp() | settings | {"rounds": rows}, indent=1) + "\n"
        )
    return 1 if any(each.trial.lost for each in played) else 0


def _nobody(text: str) -> None:
    """Whoever plays rounds need not read what a controller says."""
