"""Evidence: what proxy and replicas have logged, joined by request into pairs of answers to the same card

Knows the logs of ``canary`` and of ``service.answer_log``. Nothing is kept but in those logs, so a controller
that was started anew reads them once more and knows what it knew.
"""

import time
from collections.abc import Callable, Sequence
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
    which come late.
    """

    def __init__(
        self,
        canary: Path,
        stable: Sequence[Path],
        candidate: Sequence[Path],
        meter: Callable[[str], Meter | None] = lambda customer: None,
        labels: Path | None = None,
        offset: int | None = None,
    ):
        self.canary, self.meter = canary, meter
        self.offset = offset if offset is not None else log_end(canary)
        self._logs = {
            STABLE: [_Tail(file) for file in stable],
            CANDIDATE: [_Tail(file) for file in candidate],
        }
        self._labels = _Tail(labels) if labels else None
        self._answers: dict[str, dict[str, Seen]] = {STABLE: {}, CANDIDATE: {}}
        self._waiting: dict[str, tuple[float, dict]] = {}
        self._unlabelled: dict[str, list[AnswerPair]] = {}

    def read(self) -> list[AnswerPair]:
        """Pairs whose second answer has come, or is given up, since the last call."""
        lines, self.offset = answered(self.canary, self.offset)
        for line in lines:
            if line["arm"] == CANDIDATE or line["other"] == CANDIDATE:
                self._waiting[line["id"]] = (time.monotonic(), line)
        for arm, tails in self._logs.items():
            for line in (line for tail in tails for line in tail.lines()):
                self._answers[arm][line["id"]] = _seen(line)
        pairs = []
        for request, (since, line) in list(self._waiting.items()):
            pair = self._pair(request, line, time.monotonic() - since > PATIENCE)
            if pair is not None:
                del self._waiting[request]
                pairs.append(pair)
                if self._labels:
                    self._unlabelled.setdefault(line["customer"], []).append(pair)
        for answers in self._answers.values():
            for request in list(answers)[:-KEPT]:  # most are of cards that the other version never sees
                if request not in self._waiting:
                    del answers[request]
        return pairs

    def labelled(self) -> list[AnswerPair]:
        """Pairs of which the truth has come since the last call, with it."""
        late = []
        for line in self._labels.lines() if self._labels else []:
            for pair in self._unlabelled.pop(line["customer"], []):
                late.append(AnswerPair(pair.candidate, pair.stable, pair.segment, pair.meter, line["truth"]))
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
    """An answer of the log; several pictures of one request count as one reading, as sure as the least."""
    if line["status"] == 429 or line["status"] >= 500 or (line["status"] == 200 and "digits" not in line):
        return Seen(seconds=line["seconds"], failed=True)
    confidence = min(line.get("confidence") or [0.0])
    return Seen(" ".join(line.get("digits", [])), confidence, line["seconds"])
