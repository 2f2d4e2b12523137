"""Fallbacks: the device reads; if it is unsure or too slow, the service; if that is late, too, a person

*It's a good idea to build fallback mechanisms into the application in case the model fails or is too slow*,
says the lecture. One deadline holds for the whole answer. Whatever happens, the customer has an answer when
it is over: a reading, or the sentence that a person will read the card.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass

from fsdl_deploy.measuring.table import Table
from fsdl_deploy.optimization.cascade import SURE
from fsdl_deploy.picture import Image
from fsdl_deploy.reading import Reader, Reading

PLACES = ("device", "service", "person")
WRONG, PERSON, LATE = 5.0, 0.5, 0.1  # what a wrong bill, a person's minute, a wait cost: euros, assumed


@dataclass(frozen=True)
class Settled:
    """One card: by whom it is read, one of PLACES, and after how many seconds the customer knew.

    ``reading``: None where a person reads it. ``why``: what went wrong on the way, "" where nothing did.
    """

    by: str
    reading: Reading | None
    seconds: float
    why: str = ""


class FallbackReader:
    """``with FallbackReader(device, service, sure=0.6, deadline=0.5) as reader: reader.settle(image)``.

    ``sure``: confidence from which the device's reading stands; the service's stands from there, too.
    ``deadline``: seconds from the picture to the answer. ``patience``: the share of it after which a device
    that has not answered is no longer waited for. A call that came too late goes on in its thread, and its
    answer is dropped: give ``service`` a time-out of its own.
    """

    def __init__(
        self,
        device: Reader,
        service: Reader | None,
        sure: float = SURE,
        deadline: float = 0.5,
        patience: float = 0.4,
    ):
        if not (deadline > 0 and 0 < patience <= 1):
            raise ValueError(
                f"a deadline above 0 s and a patience from 0 to 1, not {deadline} and {patience}"
            )
        self.device, self.service, self.sure = device, service, sure
        self.deadline, self.patience = deadline, patience
        # Two places for each: a call that hangs must not keep the next card waiting.
        self._pools = {name: ThreadPoolExecutor(2, thread_name_prefix=name) for name in PLACES[:2]}

    def __enter__(self) -> "FallbackReader":
        return self

    def __exit__(self, *exception) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def settle(self, image: Image) -> Settled:
        """Who reads one picture uint8 ``[H, W]``, what, and when the customer knew; never raises for a
        reader.
        """
        begin, reasons = time.perf_counter(), []
        readers = (("device", self.device, self.patience), ("service", self.service, 1.0))
        for name, reader, share in readers:
            if reader is None:
                reasons.append(f"no {name}")
                continue
            left = begin + share * self.deadline - time.perf_counter()
            reading = self._asked(name, reader, image, left, reasons)
            if reading is not None:
                return Settled(name, reading, time.perf_counter() - begin, "; ".join(reasons))
        return Settled("person", None, time.perf_counter() - begin, "; ".join(reasons))

    def _asked(self, name: str, reader: Reader, image: Image, left: float, reasons: list) -> Reading | None:
        if left <= 0:
            reasons.append(f"no time for the {name}")
            return None
        future: Future = self._pools[name].submit(lambda: reader.read([image])[0])
        try:
            reading = future.result(timeout=left)
        except TooLate:
            future.cancel()
            reasons.append(f"{name} too slow")
        except Exception as error:  # whatever a reader fails with, the next one is asked
            reasons.append(f"{name} failed: {type(error).__name__}")
        else:
            if reading.confidence >= self.sure:
                return reading
            reasons.append(f"{name} unsure")
        return None


class SlowReader:
    """A stand-in for a slow device: a reader that takes ``seconds`` longer, or fails if that is None."""

    def __init__(self, reader: Reader, seconds: float | None):
        self.reader, self.seconds, self.model_version = reader, seconds, reader.model_version

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Read after the wait. Raises RuntimeError where there is none to wait for."""
        if self.seconds is None:
            raise RuntimeError("the model on the device does not load")
        time.sleep(self.seconds)
        return self.reader.read(images)


@dataclass(frozen=True)
class Outcomes:
    """Of so many cards under one condition: who settled them, and how."""

    condition: str
    settled: tuple[Settled, ...]
    truths: tuple[str, ...]
    deadline: float

    def by(self, place: str) -> int:
        return sum(card.by == place for card in self.settled)

    @property
    def wrong(self) -> int:
        """Cards that were read, and wrongly: nobody looks at these again."""
        pairs = zip(self.settled, self.truths, strict=True)
        return sum(card.reading is not None and card.reading.digits != truth for card, truth in pairs)

    @property
    def late(self) -> int:
        """Answers after the deadline, with a tenth of it for the machine's own delays."""
        return sum(card.seconds > 1.1 * self.deadline for card in self.settled)

    @property
    def right(self) -> int:
        return len(self.truths) - self.wrong - self.by("person")


def outcomes(condition: str, reader: FallbackReader, deck: Sequence) -> Outcomes:
    """Settle every card of ``deck``, one after the other."""
    settled = tuple(reader.settle(card.image) for card in deck)
    return Outcomes(condition, settled, tuple(card.truth for card in deck), reader.deadline)


def table(rows: Sequence[Outcomes]) -> Table:
    """Who answered, how many wrongly, how many late, and what that costs."""
    header = ["condition", "cards", *(f"by {p}" for p in PLACES), "right", "wrong", "late", "€ a card"]
    cells = [
        [row.condition, len(row.truths), *map(row.by, PLACES), row.right, row.wrong, row.late, cost(row)]
        for row in rows
    ]
    note = f"cost (assumed): {WRONG:.2f} € for a wrong bill, {PERSON:.2f} for a person, {LATE:.2f} for a wait"
    return Table(header, *cells, formats=[*[""] * (len(header) - 1), ".2f"], notes=[note])


def cost(row: Outcomes, wrong: float = WRONG, person: float = PERSON, late: float = LATE) -> float:
    """What a card costs on average: wrong bills, people's minutes, customers who waited, in euros."""
    return (wrong * row.wrong + person * row.by("person") + late * row.late) / len(row.truths)


def costs(readings: Sequence[Reading], truths: Sequence[str], thresholds: Sequence[float]) -> list[float]:
    """What a card costs on a device without a link, in euros, for each ``sure`` of ``thresholds``."""
    pairs = [(r.confidence, r.digits != t) for r, t in zip(readings, truths, strict=True)]
    return [
        sum(PERSON if confidence < sure else WRONG * wrong for confidence, wrong in pairs) / len(pairs)
        for sure in thresholds
    ]


def cheapest(readings: Sequence[Reading], truths: Sequence[str], price: Callable[[int, int], float]) -> float:
    """The ``sure`` that costs least for a device without a link: what is unsure goes to a person.

    ``price``: of so many wrong ones and so many for a person. Every confidence that occurs is tried.
    """
    pairs = sorted(
        zip(
            (r.confidence for r in readings),
            (r.digits == t for r, t in zip(readings, truths, strict=True)),
            strict=True,
        )
    )
    wrong, best = sum(not right for _, right in pairs), (float("inf"), 0.0)
    for place, (confidence, right) in enumerate(pairs):
        best = min(best, (price(wrong, place), confidence))
        wrong -= not right
    return min(best, (price(0, len(pairs)), 1.01))[1]
