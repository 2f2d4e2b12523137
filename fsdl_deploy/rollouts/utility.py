"""The utility's traffic in a rollout: customers, each with a camera, and how hard its pictures are to read

The mix is an assumption: CAMERAS. Knows nothing of models or servers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fsdl_deploy.cards import Card
from fsdl_deploy.customers import Customers
from fsdl_deploy.rollouts.meters import Meter, meter
from fsdl_deploy.rollouts.split import bucket

CAMERAS = {"scanner": ("clean", 0.1), "app": ("typical", 0.6), "old phone": ("hard", 0.3)}
"""Camera -> (level of its pictures, share of the customers who have it)."""
MONTH = "2026-10"
LONGEST = 12  # digits of a customer's number: a header may bring thousands


@dataclass(frozen=True, eq=False)
class Sent:
    """A card as it arrives: from which camera, and what is known of the customer's meter."""

    card: Card
    camera: str
    meter: Meter


class Utility:
    """``n`` customers with cameras; the same (n, seed) is the same utility."""

    def __init__(self, n: int, seed: int = 0, month: str = MONTH):
        self.n, self.month = n, month
        self._levels = {camera: Customers(n, seed, level, "test") for camera, (level, _) in CAMERAS.items()}

    def camera(self, i: int) -> str:
        """The camera of customer ``i``: by a hash of their name, so that it stays."""
        place, end = bucket(f"camera of {i}"), 0.0
        for camera, (_, share) in CAMERAS.items():
            end += 10_000 * share
            if place < end:
                return camera
        return next(reversed(CAMERAS))  # where the shares add up to less than 1

    def sent(self, i: int) -> Sent:
        """The card of customer ``i`` for the month."""
        camera = self.camera(i)
        customers = self._levels[camera]
        return Sent(customers.card(i, self.month), camera, meter(customers, i, self.month))

    def meter(self, name: str) -> Meter | None:
        """What is known of the meter of the customer with this name; None: nobody has it."""
        number = name.removeprefix("C")
        if not number.isdecimal() or len(number) > LONGEST or int(number) >= self.n:
            return None
        return meter(self._levels["app"], int(number), self.month)

    def __iter__(self) -> Iterator[Sent]:
        return (self.sent(i) for i in range(self.n))
