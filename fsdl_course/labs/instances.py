"""Instances of a function: a lab's handler is started, gets cards at the same time, and is watched

``play`` says how each card was answered, how often the model was loaded, and who waited for whom. It does not
know what is right. Runs inside the sandbox, too: standard library only.
"""

import threading
from collections.abc import Callable
from functools import partial

WATCH = 0.3  # seconds for which a load looks out for a second one, if other calls are under way
TOGETHER = 2.0  # seconds for which a reading waits for the others of its wave
PATIENCE = 5.0  # seconds after which a wave that is not answered is given up
TORN = "torn"  # the card that no model can read
FAILURES = (OSError("no disk"), ValueError("half a file"), RuntimeError("no memory"))  # of loads, in turn


class Instances:
    """Gives models to handlers, and counts. ``gives``: what each load gives, a version or "" for an error.

    After the last of ``gives`` it is given again and again.
    """

    def __init__(self, gives: list[str]):
        self.gives, self.changed = gives, threading.Condition()
        self.loads = self.failed = self.loading = self.most_loading = 0
        self.expected = self.reading = self.alone = 0

    def expect(self, cards: int) -> None:
        """So many calls come now, at the same time."""
        self.expected, self.reading = cards, 0

    def load(self) -> Callable[[str], str]:
        """A model, after a look around whether another call loads one at the same time."""
        with self.changed:
            version = self.gives[min(self.loads, len(self.gives) - 1)]
            self.loads, self.loading = self.loads + 1, self.loading + 1
            self.most_loading = max(self.most_loading, self.loading)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.loading > 1, WATCH if self.expected > 1 else 0)
            self.loading -= 1
            if version:
                return partial(self.read, version)
            self.failed += 1
            self._one_less()
            raise FAILURES[(self.failed - 1) % len(FAILURES)]

    def read(self, version: str, card: str) -> str:
        """The reading, once all cards of the wave are being read. ValueError for a card that is torn."""
        with self.changed:
            if card == TORN:
                self._one_less()
                raise ValueError("it cannot be read")
            self.reading += 1
            self.changed.notify_all()
            self.alone += not self.changed.wait_for(lambda: self.reading >= self.expected, TOGETHER)
        return f"{version} {card}"

    def _one_less(self) -> None:
        """A call of this wave will read nothing: nobody waits for it."""
        self.expected -= 1
        self.changed.notify_all()


def play(make_handler: Callable, gives: list[str], waves: list[list]) -> dict:
    """What was seen of the handlers of ``make_handler``, one for each instance, until a wave had no answer.

    ``waves`` are ``[instance, cards]``; the cards of a wave come at the same time, each in a thread. In the
    "answers" of a wave, sorted, "200 v1" stands for a reading by the model of the version v1.
    """
    platform, handlers, answers, early = Instances(gives), {}, [], 0
    for instance, cards in waves:
        if instance not in handlers:
            before = platform.loads
            handlers[instance] = make_handler(platform.load)
            early += platform.loads - before
        platform.expect(len(cards))
        answers.append(_wave(handlers[instance], cards))
        if "no answer" in answers[-1]:
            break
    loads = {"loads": platform.loads, "loads at once": platform.most_loading, "loads before a call": early}
    return {"answers": answers, **loads, "read in turns": platform.alone}


def _wave(handler: Callable, cards: list[str]) -> list[str]:
    answers, start = ["no answer"] * len(cards), threading.Barrier(len(cards))

    def call(place: int) -> None:
        start.wait(PATIENCE)
        answers[place] = _answer(handler, cards[place])

    threads = [threading.Thread(target=call, args=[place], daemon=True) for place in range(len(cards))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE / len(threads))
    return sorted(answers)


def _answer(handler: Callable, card: str) -> str:
    try:
        status, text = handler(card)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    version, _, own = str(text).partition(" ")
    if status != 200:
        return f"{status!r} {text}"
    return f"200 {version}" if own == card else f"200 {text}, which is no reading of this card"
