"""A canary in one process: growing shares of the customers, whose cards both releases read, without truth

Whether a reading can be, last month's says (``meters``). After each step the cards are counted that
only one of the two releases reads implausibly; a candidate that has broken more than chance explains goes
back. The live rollout, with balancers and servers, is the controller's.
"""

import functools
from pathlib import Path

from fsdl_deploy.cards import Card
from fsdl_deploy.customers import Customers
from fsdl_deploy.delivery.released_reader import ReleasedReader
from fsdl_deploy.measuring.accuracy import fixed_and_broken, paired_p
from fsdl_deploy.rollouts.meters import Meter

STEPS = (0.01, 0.05, 0.25)
CUSTOMERS, BEFORE, MONTH = 600, "2026-09", "2026-10"
LEVEL = "hard"  # of the customers' cards: what an evaluation on easy cards has not seen
ALPHA = 0.05


def customers_canary(champion: Path, candidate: Path, key: bytes) -> str:
    """Why the candidate is rolled back, "" if it is not. Both are release folders."""
    readers = [ReleasedReader(folder, key) for folder in (champion, candidate)]
    plausible, begin = ([], []), 0
    for share in STEPS:
        end = round(share * CUSTOMERS)
        drawn, meters = zip(*(_customer(i) for i in range(begin, end)), strict=True)
        for reader, results in zip(readers, plausible, strict=True):
            readings = reader.read([card.image for card in drawn])
            results += [m.plausible(r.digits) for r, m in zip(readings, meters, strict=True)]
        fixed, broken = fixed_and_broken(*plausible)
        if broken > fixed and paired_p(fixed, broken) < ALPHA / len(STEPS):  # it is looked at once a step
            return (
                f"at {share:.0%} of the customers {broken} of {end} readings are implausible where the "
                f"champion's are not, {fixed} the other way round"
            )
        begin = end
    return ""


@functools.cache
def _customer(i: int) -> tuple[Card, Meter]:
    """The card of a customer, and what the utility knew of the meter before it came."""
    utility = Customers(CUSTOMERS, seed=8, level=LEVEL)
    meter = Meter(utility.customer(i).register, utility.reading(i, BEFORE))
    return utility.card(i, MONTH), meter
