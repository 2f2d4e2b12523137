"""``fsdl-deploy scaling rounds``: whatever happens to the replicas, is no request lost? Round after round

Six events, each under load through the recommended configuration, which is what ``Policy`` has by default: a
kill, a drain, one replica more, one fewer, a rolling update, a reload of the balancer. Requests that found
their kept-alive connection closed, and went over a new one, are counted apart: no balancer can repeat those.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from fsdl_deploy import files
from fsdl_deploy.measuring.load import Load
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.running.servers import Server
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.failures import Trial, card_body, roll, under_load
from fsdl_deploy.scaling.load_balancing import BALANCERS, Balancer
from fsdl_deploy.scaling.replicas import Replica, replicas, service

AROUND = 1.0  # seconds of load before and after an event


class Stage:
    """Three replicas behind a ``balancer``, and a ``spare`` one that is not running."""

    def __init__(self, fleet: Sequence[Replica], spare: Replica, balancer: Balancer):
        self.fleet, self.spare, self.balancer = list(fleet), spare, balancer

    @property
    def ports(self) -> list[int]:
        return [replica.port for replica in self.fleet]

    def as_before(self, spare: bool = False) -> None:
        """All replicas run and are in the balancer's list; ``spare``: that one too."""
        for replica in [*self.fleet, *[self.spare] * spare]:
            replica.start()
        self.balancer.reload([*self.ports, *[self.spare.port] * spare])
        if not spare:
            self.spare.stop()

    def kill(self) -> None:
        self.fleet[0].kill()
        time.sleep(1)
        self.fleet[0].start()

    def drain(self) -> None:
        roll(self.balancer, self.fleet[:1])

    def scale_up(self) -> None:
        self.spare.start()
        self.balancer.reload([*self.ports, self.spare.port])

    def scale_down(self) -> None:
        self.balancer.reload(self.ports)
        self.spare.stop()

    def update(self) -> None:
        roll(self.balancer, self.fleet)

    def reload(self) -> None:
        for _ in range(3):
            self.balancer.reload(self.ports)


EVENTS: dict[str, Callable[[Stage], None]] = {
    "kill -9": Stage.kill,
    "drain": Stage.drain,
    "scale up": Stage.scale_up,
    "scale down": Stage.scale_down,
    "rolling update": Stage.update,
    "balancer reload": Stage.reload,
}


@dataclass(frozen=True)
class Round:
    """One event under load: what callers saw, and what the balancer wrote of what failed meanwhile."""

    event: str
    trial: Trial
    log: str

    def explained(self) -> str:
        """Whether the meter stood still, what was lost, what the balancer says of that; "" if all is well."""
        load = self.trial.load
        log = [f"  balancer: {line}" for line in self.log.splitlines()[-12:]] if self.trial.lost else []
        return "\n".join([*([load.standstill] if load.standstill else []), *load.losses, *log])

    def show(self, number: int) -> None:
        """Print it as the round of this number, counted from 0."""
        load = self.trial.load
        print(f"round {number + 1}, {self.event}: {self.trial.lost} of {load.requests} lost", flush=True)
        if text := self.explained():
            print(text, flush=True)


def one_round(stage: Stage, name: str, body: bytes, rate: float, seconds: float, seed: int) -> Round:
    """One event, ``AROUND`` seconds after the load began, which lasts ``seconds`` or until it is over."""
    stage.as_before(spare=name == "scale down")
    balancer, begin = stage.balancer, len(stage.balancer.failures())
    settings = {"around": AROUND, "at_least": seconds, "longest": seconds + 120, "seed": seed}
    trial = under_load(Asking(f"{balancer.url}/read", body), rate, partial(EVENTS[name], stage), **settings)
    return Round(name, trial, "\n".join(balancer.failures()[begin:]) or balancer.log())


def play(
    count: int,
    rate: float = 20,
    seconds: float = 10,
    balancer: str = "nginx",
    events: Sequence[str] = tuple(EVENTS),
    server: Callable[[], Server] = service,
    **policy,
) -> list[Round]:
    """``count`` rounds of each event; each is printed when it is over. ``policy``: what differs from ours.

    Raises ValueError for numbers that are not above 0 and finite, BalancerError where it is not here.
    """
    positive(rounds=count, rate=rate, seconds=seconds)
    with ExitStack() as running:
        fleet = running.enter_context(replicas(3, None, server))
        spare = Replica(server())
        running.callback(spare.stop)
        ports = [replica.port for replica in fleet]
        stage = Stage(fleet, spare, running.enter_context(BALANCERS[balancer](ports, **policy)))
        played = []
        for number in range(count):
            for name in events:
                played.append(one_round(stage, name, card_body(), rate, seconds, number))
                played[-1].show(number)
        return played


def positive(**numbers: float) -> None:
    """Raises ValueError for a number that is not above 0, or has no end."""
    for name, number in numbers.items():
        if not 0 < number < math.inf:
            raise ValueError(f"{name} must be above 0 and finite, not {number:g}")


def summary(played: Sequence[Round]) -> Table:
    """A row for each event."""
    rows = []
    for name in dict.fromkeys(each.event for each in played):
        trials = [each.trial for each in played if each.event == name]
        sums = [sum(values) for values in zip(*map(_counts, trials), strict=True)]
        rows.append([name, len(trials), *sums, max(trial.load.p99 for trial in trials)])
    header = ["event", "rounds", "requests", "lost", "repeated", "new connection", "worst p99 ms"]
    stops = [f"{each.event}: {text}" for each in played if (text := each.trial.load.standstill)]
    return Table(header, *rows, formats=[*[""] * 6, ".0f"], notes=stops)


def still(load: Load) -> dict:
    """For a record: how long the meter stood still, and how many requests it has never sent for that."""
    return {"never_sent": load.never_sent, "stood_still": round(load.stood_still, 1)}


def _counts(trial: Trial) -> tuple[int, int, int, int]:
    return trial.load.requests, trial.lost, trial.repeated, trial.reopened


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_round_arguments(parser, EVENTS)
    parser.add_argument("--balancer", choices=BALANCERS, default="nginx", help="who stands in front")


def add_round_arguments(parser: argparse.ArgumentParser, events: Iterable[str]) -> None:
    """The options of every command that plays rounds under load."""
    parser.add_argument("--rounds", type=int, default=20, help="of each event")
    parser.add_argument("--seconds", type=float, default=10, help="of load in a round, at least")
    parser.add_argument("--rate", type=float, default=20, help="requests a second")
    parser.add_argument("--events", nargs="+", choices=events, default=list(events), help="which of them")
    parser.add_argument("--json", type=files.output, metavar="FILE", help="write what came out as JSON, too")


def main(arguments: argparse.Namespace) -> int:
    """1 if a request was lost."""
    settings = (arguments.rounds, arguments.rate, arguments.seconds, arguments.balancer, arguments.events)
    played = play(*settings)
    print(summary(played))
    if arguments.json:
        rows = [{"event": each.event, **_record(each)} for each in played]
        files.write(arguments.json, json.dumps(rows, indent=1) + "\n")
    return 1 if any(each.trial.lost for each in played) else 0


def _record(each: Round) -> dict:
    names = ("requests", "lost", "repeated", "reopened")
    load = each.trial.load
    return dict(zip(names, _counts(each.trial), strict=True)) | {"p99": round(load.p99, 1)} | still(load)
