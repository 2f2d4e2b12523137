"""Instant rollback: how long after the alarm does the last bad answer come, and how many until then?

Three ways back from a candidate that answers everybody: start the old version in its place, switch to it in
the same process, or move the balancer. Each under the same load.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fsdl_deploy import files
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.rollouts.callers import CustomerCalls
from fsdl_deploy.rollouts.stage import MakeServer, RolloutStage, logging_service, staged
from fsdl_deploy.rollouts.switching import switching_service
from fsdl_deploy.rollouts.utility import Sent
from fsdl_deploy.running.own_folder import own_folder
from fsdl_deploy.running.servers import Server
from fsdl_deploy.scaling.failures import Trial, under_load
from fsdl_deploy.scaling.load_balancing import BALANCERS
from fsdl_deploy.scaling.replicas import Replica

Way = tuple[str, Callable[[], object]]
"""The URL to ask at, and the function that rolls back."""


@dataclass(frozen=True)
class Rollback:
    """One way back, from the alarm on: ``seconds`` until the rollback was through and until the last answer
    of the bad version (``last_bad``), how many of its answers came meanwhile, wrong ones, requests lost."""

    way: str
    seconds: float
    last_bad: float
    answers: int
    wrong: int
    lost: int


def restarting(make: MakeServer = logging_service):
    """The bad version is ended, and the good one is started in its place."""

    @contextmanager
    def way() -> Iterator[Way]:
        home = own_folder("rollback")
        bad = Replica(make("v3-bad", Path(home.name) / "bad.jsonl"))
        good = make("v2", Path(home.name) / "good.jsonl")
        restart = None
        try:
            bad.start()
            restart = Replica(_at(good, bad.port))

            def back() -> None:
                bad.stop()
                restart.start()

            yield bad.url, back
        finally:
            for replica in filter(None, (bad, restart)):
                replica.stop()
            home.cleanup()

    return way


def starting_first(balancer: str = "nginx", make: MakeServer = logging_service):
    """The good version is started beside the bad one, and gets the traffic when it is ready."""

    @contextmanager
    def way() -> Iterator[Way]:
        home = own_folder("rollback")
        good = Replica(make("v2", Path(home.name) / "good.jsonl"))
        try:
            with (
                Replica(make("v3-bad", Path(home.name) / "bad.jsonl")) as bad,
                BALANCERS[balancer]([bad.port]) as front,
            ):
                yield front.url, lambda: front.reload([good.start().port])
        finally:
            good.stop()
            home.cleanup()

    return way


def _at(server: Server, port: int) -> Server:
    """The same server at this port."""
    settings = {"name": server.name, "env": server.env, "timeout": server.timeout, "port": port}
    return Server(server.command, server.ready, **settings)


def switching():
    """Both versions are loaded in one process, and a file says which reads."""

    @contextmanager
    def way() -> Iterator[Way]:
        home = own_folder("rollback")
        switch = Path(home.name) / "active"
        files.write(switch, "v3-bad")
        try:
            with Replica(switching_service(switch, "v2", "v3-bad")) as both:
                yield both.url, lambda: files.write(switch, "v2")
        finally:
            home.cleanup()

    return way


def moving_back(stage: RolloutStage):
    """The two versions of a stage that runs, at whose proxy the candidate loses everybody."""

    @contextmanager
    def way() -> Iterator[Way]:
        stage.front.move(share=1.0, shadow=0.0, reread=False)
        yield stage.front.url, lambda: stage.front.move(share=0.0)
        stage.front.move(reread=True)

    return way


def moving(proxy: str, make: MakeServer = logging_service):
    """Both versions run, and ``proxy`` sends nobody to the bad one any more."""

    @contextmanager
    def way() -> Iterator[Way]:
        with staged(proxy, make=make) as stage, moving_back(stage)() as back:
            yield back

    return way


WAYS = {
    "restart": restarting(),
    "start, then move": starting_first(),
    "two loaded, a switch": switching(),
    "nginx, weights and reload": moving("nginx"),
    "Envoy, weights live": moving("envoy"),
}


class VersionCalls(CustomerCalls):
    """Callers who note which version answered, in place of the port: one port may have had both."""

    def answered(self, sent, response, text) -> None:
        super().answered(sent, response, text)
        self.versions.append(response.headers.get("x-model-version", ""))

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.versions: list[str] = []


def measured(
    name: str, way, sent: Sequence[Sent], rate: float = 20, around: float = 1.5, bad: str = "v3-bad"
) -> Rollback:
    """Roll back under load, ``around`` seconds after it began. ``way``: one of WAYS; ``bad``: bad version."""
    with way() as place:
        return _measured(name, place, sent, rate, around, bad)


def compared(
    ways: Mapping, sent: Sequence[Sent], rate: float = 20, around: float = 1.5, bad: str = "v3-bad"
) -> list[Rollback]:
    """``measured`` for each of ``ways``, one after the other; what they need starts before, all at once."""
    with ExitStack() as opened, ThreadPoolExecutor(len(ways)) as together:
        places = list(together.map(lambda way: opened.enter_context(way()), ways.values()))
        return [_measured(*each, sent, rate, around, bad) for each in zip(ways, places, strict=True)]


def _measured(name: str, place: Way, sent: Sequence[Sent], rate: float, around: float, bad: str) -> Rollback:
    url, back = place
    moments: list[float] = []
    calls = VersionCalls(url, list(sent))

    def alarm() -> None:
        moments.append(time.monotonic())
        back()
        moments.append(time.monotonic())

    trial: Trial = under_load(calls, rate, alarm, around=around)
    begin, end = moments
    late = [
        each for each, version in zip(calls.answered_all, calls.versions, strict=True)
        if version == bad and each.moment > begin
    ]  # fmt: skip
    last = max((each.moment - begin for each in late), default=0.0)
    return Rollback(name, end - begin, last, len(late), sum(not each.right for each in late), trial.lost)


def table(rollbacks: Sequence[Rollback]) -> Table:
    """One way a row."""
    header = [
        "rollback by",
        "through after s",
        "last bad answer after s",
        "bad version's answers",
        "wrong",
        "lost",
    ]
    rows = [
        [each.way, each.seconds, each.last_bad, each.answers, each.wrong, each.lost] for each in rollbacks
    ]
    return Table(header, *rows, formats=["", ".2f", ".2f", "", "", ""])
