"""Shadow: the stable version answers, the candidate reads the same pictures unseen; its findings, its cost"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from fsdl_deploy.measuring.load import open_loop
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.rollouts.guardrails import AnswerPair, Watch
from fsdl_deploy.rollouts.stage import RolloutStage
from fsdl_deploy.rollouts.utility import Sent


@dataclass(frozen=True)
class Shadowed:
    """What a shadow has shown.

    ``pairs`` of answers, the ``alarms`` of the guardrails, answers that customers got from the candidate
    (``met``), ``lost`` requests, and milliseconds of processor time for a request, by part.
    """

    pairs: list[AnswerPair]
    alarms: list[str]
    requests: int
    met: int
    lost: int
    milliseconds: dict[str, float]

    @property
    def disagreements(self) -> list[AnswerPair]:
        """Pairs whose readings differ."""
        return [
            pair for pair in self.pairs
            if pair.stable and not pair.candidate.failed and pair.candidate.digits != pair.stable.digits
        ]  # fmt: skip


def shadowed(
    stage: RolloutStage, sent: Sequence[Sent], rate: float, seconds: float, share: float = 1
) -> Shadowed:
    """Let the customers ask for so long while the candidate reads a ``share`` of their cards unseen."""
    stage.front.move(share=0.0, shadow=share)
    evidence, watch, calls = stage.evidence(), Watch(), stage.calls(list(sent))
    before = stage.processor_seconds()
    load = open_loop(calls, rate, seconds, arrivals="poisson", max_in_flight=32)
    pairs, due = [], share * load.requests
    deadline = time.monotonic() + 10  # the last copies are read after the customers have their answers
    while share and time.monotonic() < deadline and (not pairs or len(pairs) < 0.98 * due):
        pairs += evidence.read()
        threading.Event().wait(0.05)
    after = stage.processor_seconds()
    for pair in pairs:
        watch.add(pair)
    milliseconds = {part: 1000 * (after[part] - before[part]) / load.requests for part in after}
    met = len(calls.of(stage.candidate.port))
    return Shadowed(pairs, watch.alarms(), load.requests, met, load.errors, milliseconds)


def cost(without: Shadowed, with_shadow: Shadowed) -> Table:
    """Milliseconds of processor time for a request, by part, without the shadow and with it."""
    rows = [
        [part, without.milliseconds[part], with_shadow.milliseconds[part]] for part in without.milliseconds
    ]
    rows.append(["together", *(sum(each.milliseconds.values()) for each in (without, with_shadow))])
    header = ["processor time a request", "without shadow, ms", "with shadow, ms"]
    return Table(header, *rows, formats=["", ".1f", ".1f"])
