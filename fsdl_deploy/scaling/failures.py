"""Failures under load: what callers see while a replica is killed, hangs, or is replaced by a new version

Requests come by a timetable (``measuring.load``), whatever happens to the replicas meanwhile. A request is
lost when its caller gets no answer, or another than 200.
"""

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fsdl_deploy.cards import cards
from fsdl_deploy.measuring.load import Load, closed_loop, open_loop
from fsdl_deploy.measuring.timetable import timetable
from fsdl_deploy.picture import encode
from fsdl_deploy.scaling.asking import Asking
from fsdl_deploy.scaling.load_balancing import Balancer
from fsdl_deploy.scaling.replicas import Replica


def card_body() -> bytes:
    """A request of the service: one card."""
    picture = base64.b64encode(encode(next(cards(1, "typical", seed=7)).image)).decode()
    return json.dumps({"pictures": [picture]}).encode()


@dataclass(frozen=True)
class Trial:
    """What callers saw: the ``load``, and what ``Asking`` counted."""

    load: Load
    answers: Counter[int]
    repeated: int
    reopened: int

    @classmethod
    def of(cls, load: Load, asking: Asking) -> "Trial":
        """What this load and these callers have seen."""
        return cls(load, asking.answers, asking.repeated, asking.reopened)

    @property
    def lost(self) -> int:
        return self.load.errors

    def least_share(self, ports: Sequence[int]) -> float:
        """The share of the answers that came from the one of these replicas with the fewest."""
        return min(self.answers[port] for port in ports) / max(1, self.answers.total())


def busy(asking: Asking, users: int, requests: int) -> Trial:
    """``users`` callers who ask again as soon as they are answered: how much the replicas can do."""
    return Trial.of(closed_loop(asking, users, requests, warmup=users), asking)


def under_load(
    asking: Asking,
    rate: float,
    event: Callable[[], object],
    *,
    around: float = 0.3,
    at_least: float = 0,
    longest: float = 120,
    seed: int = 0,
    stop: threading.Event | None = None,
) -> Trial:
    """Requests at ``rate`` a second while ``event()`` runs, and for ``around`` seconds before and after it.

    ``at_least``: seconds that the load lasts, however short the event is. What the event raises is raised
    here. The load ends after ``longest`` seconds, however long that takes. ``stop`` is set then: give one
    that the event looks at, where it could last for ever without requests; this waits for its end.
    ``seed`` draws the moments of the requests.
    """
    timetable(rate, longest)  # where no load can begin, nothing happens to the replicas either
    problems: list[BaseException] = []
    stop = threading.Event() if stop is None else stop

    def play() -> None:
        begin = time.monotonic()
        try:
            stop.wait(around)
            event()
            stop.wait(max(around, at_least - (time.monotonic() - begin)))
        except BaseException as problem:
            problems.append(problem)
        finally:
            stop.set()

    player = threading.Thread(target=play, name="event", daemon=True)
    player.start()
    try:
        load = open_loop(asking, rate, longest, arrivals="poisson", seed=seed, max_in_flight=64, stop=stop)
    finally:
        stop.set()
        player.join()
    if problems:
        raise problems[0]
    return Trial.of(load, asking)


def kill_one_under_load(asking: Asking, replicas: Sequence[Replica], rate: float, down: float = 1) -> Trial:
    """SIGKILL the first replica under load; ``down`` seconds later it is started again."""
    return under_load(asking, rate, _for_a_while(replicas[0].kill, down, replicas[0].start))


def hang_one_under_load(asking: Asking, replicas: Sequence[Replica], rate: float, hung: float = 2) -> Trial:
    """Stop the first replica for ``hung`` seconds under load: it takes connections and does not answer."""
    return under_load(asking, rate, _for_a_while(replicas[0].hang, hung, replicas[0].resume))


def _for_a_while(
    begin: Callable[[], object], seconds: float, end: Callable[[], object]
) -> Callable[[], None]:
    def event() -> None:
        begin()
        time.sleep(seconds)
        end()

    return event


def update_under_load(
    asking: Asking,
    balancer: Balancer,
    replicas: Sequence[Replica],
    rate: float,
    change: Callable[[Replica], object],
    *,
    drain: bool = True,
) -> Trial:
    """A rolling update under load: each of these replicas is stopped, changed and started, one after another.

    ``drain``: the balancer takes a replica out before it is stopped, and back when it is ready. Without it,
    the balancer has to notice.
    """

    def update() -> None:
        if drain:
            roll(balancer, replicas, change)
        else:
            for replica in replicas:
                _renew(replica, change)

    return under_load(asking, rate, update)


def roll(
    balancer: Balancer, replicas: Sequence[Replica], change: Callable[[Replica], object] | None = None
) -> None:
    """One after another: taken out of the balancer's list, stopped, changed, started, and put back."""
    ports = list(balancer.ports)
    for replica in replicas:
        balancer.reload([port for port in ports if port != replica.port])
        _renew(replica, change)
        balancer.reload(ports)


def _renew(replica: Replica, change: Callable[[Replica], object] | None) -> None:
    replica.stop()
    if change is not None:
        change(replica)
    replica.start()
