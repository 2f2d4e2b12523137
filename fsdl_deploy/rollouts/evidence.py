"""Evidence: what proxy and replicas have logged, joined by request into pairs of answers to the same card

Knows the logs of ``canary`` and of ``service.answer_log``. Nothing is kept but in those logs, so a controller
that was started anew reads them once more and knows what it knew.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from fsdl_deploy.rollouts.canary import answered, json_lines, log_end
from fsdl_deploy.rollouts.guardrails import AnswerPair, Seen
from fsdl_deploy.rollouts.meters import Meter
from fsdl_deploy.rollouts.split import CANDIDATE, STABLE

KEPT = 10_000  # answers whose request has not come up in the log of the proxy
PATIENCE = 3.0
"""Seconds that an answer may stay away, after its request is over, until it counts as failed."""


class LogEvidence:
    """``read()`` gives the pairs that are new.

    ``canary``: the proxy's folder, whose log is read from ``offset`` on; None: from its end. ``stable``,
    ``candidate``: the answer logs of their replicas. ``meter`` gives the meter of a customer, None for one
    that nobody knows. ``labels``: a file with lines such as ``{"customer": "C0000001", "truth": "01234"}``,
    which come late; one with the request's "id" is sure to find its card, the others are for a customer's
    cards in their order. ``tell`` hears of lines that cannot be used.
    """

    def __init__(
        self,
        canary: Path,
        stable: Sequence[Path],
        candidate: Sequence[Path],
        meter: Callable[[str], Meter | None] = lambda customer: None,
        labels: Path | None = None,
        offset: int | None = None,
        tell: Callable[[str], object] = lambda text: None,
    ):
        self.canary, self.meter, self.tell = canary, meter, tell
        self.offset = offset if offset is not None else log_end(canary)
        self._logs = {
            STABLE: [_Tail(file) for file in stable],
            CANDIDATE: [_Tail(file) for file in candidate],
        }
        self._labels = _Tail(labels) if labels else None
        self._answers: dict[str, dict[str, Seen]] = {STABLE: {}, CANDIDATE: {}}
        self._waiting: dict[str, tuple[float, dict]] = {}
        self._unlabelled: dict[str, dict[str, AnswerPair]] = {}  # by customer, by request
        self._early: dict[tuple[str, str], list[str]] = {}  # truths whose pair has not come

    def read(self) -> list[AnswerPair]:
        """Pairs whose second answer has come, or is given up, since the last call."""
        lines, self.offset = answered(self.canary, self.offset)
        for line in lines:
            if line["arm"] == CANDIDATE or line["other"] == CANDIDATE:
                self._waiting[line["id"]] = (time.monotonic(), line)
        for arm, tails in self._logs.items():
            for tail in tails:
                lines = tail.lines()
                named = [line for line in lines if isinstance(line.get("id"), str)]
                self._answers[arm] |= {line["id"]: _seen(line) for line in named}
                if len(named) < len(lines):
                    self.tell(
                        f"{len(lines) - len(named)} lines without a request's id are left out: {tail.file}"
                    )
        pairs = []
        for request, (since, line) in list(self._waiting.items()):
            pair = self._pair(request, line, time.monotonic() - since > PATIENCE)
            if pair is not None:
                del self._waiting[request]
                pairs.append(pair)
                if self._labels:
                    self._unlabelled.setdefault(line["customer"], {})[request] = pair
        for answers in self._answers.values():
            for request in list(answers)[:-KEPT]:  # most are of cards that the other version never sees
                if request not in self._waiting:
                    del answers[request]
        return pairs

    def labelled(self) -> list[AnswerPair]:
        """Pairs of which the truth has come since the last call, with it."""
        for line in self._labels.lines() if self._labels else []:
            named = (line.get("customer"), line.get("id", ""), line.get("truth"))
            if all(isinstance(word, str) for word in named):
                self._early.setdefault(named[:2], []).append(named[2])
        late = []
        for (customer, request), truths in list(self._early.items()):
            pairs = self._unlabelled.get(customer, {})
            while truths and (request in pairs if request else pairs):
                pair = pairs.pop(request or next(iter(pairs)))
                late.append(replace(pair, truth=truths.pop(0)))
            if not truths:
                del self._early[customer, request]
        for label in list(self._early)[:-KEPT]:
            del self._early[label]
        return late

    def _pair(self, request: str, line: dict, given_up: bool) -> AnswerPair | None:
        """The pair, once both answers are there; an answer that stays away has failed, if it was due."""
        both = {arm: self._answers[arm].get(request) for arm in (CANDIDATE, STABLE)}
        due = {line["arm"], line["other"]}
        if not given_up and any(both[arm] is None and arm in due for arm in both):
            return None
        for arm in both:
            self._answers[arm].pop(request, None)
        candidate = both[CANDIDATE] or Seen(failed=True)
        stable = both[STABLE]
        if line["arm"] == STABLE and stable is None:
            stable = Seen(failed=True)
        customer = line["customer"] or ""
        return AnswerPair(candidate, stable, line["camera"] or "", self.meter(customer) if customer else None)


class _Tail:
    """The lines that were added to a file of JSON lines; one that is still being written waits."""

    def __init__(self, file: Path):
        self.file, self.offset = file, 0

    def lines(self) -> list[dict]:
        lines, self.offset = json_lines(self.file, self.offset)
        return lines


def _seen(line: dict) -> Seen:
    """An answer of the log; several pictures of one request count as one reading, as sure as the least.

    A refused picture (4xx) is an empty reading. Whatever is not as the service writes it has failed.
    """
    status, digits, sure = line.get("status"), line.get("digits", []), line.get("confidence", [])
    seconds = line.get("seconds")
    if not _number(seconds):
        return Seen(failed=True)
    refused = isinstance(status, int) and 400 <= status < 500 and status != 429
    if refused:
        return Seen(seconds=seconds)
    lists = isinstance(digits, list) and isinstance(sure, list) and "digits" in line
    if status != 200 or not lists or not all(isinstance(each, str) for each in digits):
        return Seen(seconds=seconds, failed=True)
    if len(digits) != len(sure) or not all(_number(each) and each <= 1 for each in sure):
        return Seen(seconds=seconds, failed=True)
    return Seen(" ".join(digits), min(sure, default=0.0), seconds)


def _number(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value < math.inf
