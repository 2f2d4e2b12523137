"""The basement: the same cards where the link drops, with the model there, there with an outbox, and here

One customer app each, on the same timetable, through one link that comes and goes. A card is *in time* if the
customer sees its reading within the deadline, *late* if after it, *lost* if never. An outbox keeps what could
not be sent and sends it when the link is back (store and forward). With the model here the customer needs no
link; the utility still does, so its readings wait in an outbox, too.
"""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from fsdl_deploy.cards import cards
from fsdl_deploy.edge.delayed_link import DelayedLink
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.remote import RemoteError, RemoteReader
from fsdl_deploy.running.course_servers import course_server

WAYS = ("there", "there, with an outbox", "here, with an outbox")


@dataclass
class CardsOfAWay:
    """What became of the cards of one way: seconds until the customer, and the utility, had each reading.

    ``seen`` and ``billed``: by card, without those that never came.
    """

    way: str
    count: int
    seen: dict[int, float] = field(default_factory=dict)
    billed: dict[int, float] = field(default_factory=dict)

    def in_time(self, deadline: float) -> int:
        return sum(seconds <= deadline for seconds in self.seen.values())

    def late(self, deadline: float) -> int:
        return len(self.seen) - self.in_time(deadline)

    @property
    def lost(self) -> int:
        return self.count - len(self.seen)


def outages(seconds: float, up: float, down: float, seed: int = 0) -> list[tuple[float, float]]:
    """When the link is down, as (begin, end) in seconds: it is up and down by chance for so long on average.

    It begins up, and is up again at the end, so that outboxes can be emptied.
    """
    rng, moment, gone = np.random.default_rng(seed), 0.0, []
    while True:
        begin = moment + rng.exponential(up)
        moment = begin + rng.exponential(down)
        if begin >= seconds:
            return gone
        gone.append((begin, min(moment, seconds)))


def _drive(
    link: DelayedLink, gone: Sequence[tuple[float, float]], begin: float, ended: threading.Event
) -> None:
    for down, up in gone:
        if ended.wait(max(0.0, begin + down - time.perf_counter())):
            break
        link.cut()
        if ended.wait(max(0.0, begin + up - time.perf_counter())):
            break
        link.mend()
    link.mend()


class _App:
    """One app: it reads or asks when a card is due, whatever became of the cards before."""

    def __init__(self, way: str, images: Sequence, every: float, url: str, patience: float):
        self.delivery, self.images, self.every, self.begin = CardsOfAWay(way, len(images)), images, every, 0.0
        self.reader = OnnxReader("v2") if way.startswith("here") else None
        self.remote, self.outbox = RemoteReader(url, timeout=patience, retries=0), []
        self.all_read = False

    def run(self, begin: float, end: float) -> CardsOfAWay:
        """All cards on their timetable from ``begin`` on; what is in the outbox then is tried until
        ``end``.
        """
        self.begin, kept = begin, self.delivery.way != WAYS[0]
        with self.remote, ThreadPoolExecutor(16) as pool:
            sender = pool.submit(self._empty_outbox, end) if kept else None
            for card in range(len(self.images)):
                time.sleep(max(0.0, begin + card * self.every - time.perf_counter()))
                if self.reader:
                    self.reader.read([self.images[card]])
                    self.delivery.seen[card] = self._since(card)
                self.outbox.append(card) if kept else pool.submit(self._send, [card])
            self.all_read = True
        if sender:
            sender.result()
        return self.delivery

    def _since(self, card: int) -> float:
        return time.perf_counter() - self.begin - card * self.every

    def _send(self, waiting: list[int]) -> bool:
        try:
            self.remote.read([self.images[card] for card in waiting])
        except RemoteError:
            return False
        for card in waiting:
            self.delivery.billed[card] = self._since(card)
            self.delivery.seen.setdefault(card, self.delivery.billed[card])
        return True

    def _empty_outbox(self, end: float) -> None:
        """All that waits goes in one request, until every card has arrived or ``end`` is over."""
        while self.outbox or not self.all_read:
            waiting = list(self.outbox)  # more may come meanwhile, behind these
            if waiting and self._send(waiting):
                del self.outbox[: len(waiting)]
            elif time.perf_counter() > end:
                return
            time.sleep(0.005)


def trial(
    count: int = 60,
    seconds: float = 6.0,
    deadline: float = 0.5,
    up: float = 0.7,
    down: float = 0.7,
    round_trip: float = 0.04,
    seed: int = 2,
) -> tuple[list[CardsOfAWay], list[tuple[float, float]]]:
    """``count`` cards each, over ``seconds``; what became of them, and when the link was down.

    ``deadline``: seconds within which an answer is in time; without an outbox a customer gives up after
    twice as long.
    """
    images = [card.image for card in cards(count, "typical", seed=7)]
    gone, ended = outages(seconds, up, down, seed), threading.Event()
    with course_server("serve", "--threads", "1") as server, DelayedLink(server.port, round_trip) as link:
        with RemoteReader(link.url) as patient:  # the first reading takes longest, and an app gives up soon
            patient.read(images[:1])
        apps = [_App(way, images, seconds / count, link.url, 2 * deadline) for way in WAYS]
        for app in apps:
            with suppress(RemoteError):
                app.remote.read(images[:1])  # its connection is there
        begin = time.perf_counter() + 0.1
        with ThreadPoolExecutor(len(apps) + 1) as pool:
            driver = pool.submit(_drive, link, gone, begin, ended)
            running = [pool.submit(app.run, begin, begin + seconds + 10 * deadline) for app in apps]
            wait(running)
            ended.set()
        driver.result()
        return [app.result() for app in running], gone


def table(deliveries: Sequence[CardsOfAWay], deadline: float) -> Table:
    """What the customer saw in time, late or never, and how many readings the utility has."""
    rows = [
        [d.way, d.count, d.in_time(deadline), d.late(deadline), d.lost, len(d.billed)] for d in deliveries
    ]
    return Table(["model", "cards", "seen in time", "seen late", "never seen", "billed"], *rows)
