"""The brief of lab 10: what a customer wants, drawn for each student from a seed."""

import hashlib
from dataclasses import dataclass

import numpy as np

LINKS = ("wire", "mobile")
PRIVACY = ("no picture is kept", "pictures may be kept for 30 days")
NOBODY = "This is the brief of nobody: --name draws yours."
NIGHTS = ("nobody is called at night", "you are called at night")


@dataclass(frozen=True)
class Brief:
    """What is asked for. Rates are cards a second, times s or ms as the names say, ``budget`` USD a month.

    ``p99_ms`` and ``start_s`` hold on a machine that reads a card in ``points.NOMINAL_MS``; on another they
    are scaled. ``replicas``: the fewest that run, so that a night without anybody is survived.
    """

    seed: int
    cards_a_month: int
    peak_rate: float
    p99_ms: int
    start_s: int
    budget: int
    link: str
    privacy: str
    night: str

    @property
    def replicas(self) -> int:
        """The fewest replicas: two where nobody is called when one dies."""
        return 2 if self.night == NIGHTS[0] else 1

    def text(self) -> str:
        """The brief as a paragraph, as a customer would say it."""
        senders = "over a wire" if self.link == "wire" else "from phones, some over very slow links"
        return (
            f"We read {self.cards_a_month:,} meter cards a month, most of them in its last days: then up "
            f"to {self.peak_rate:g} a second. They come {senders}. Of a hundred cards, 99 are to be answered "
            f"within {self.p99_ms:,} ms, and a service that is started is to read within "
            f"{self.start_s} seconds. As for privacy: {self.privacy}. When something breaks, {self.night}. "
            f"All of it may cost {self.budget:,} USD a month."
        )


def seed_of(name: str) -> int:
    """The seed of a student: 32 bits of a hash of the name, the same on every machine."""
    return int.from_bytes(hashlib.sha256(name.strip().casefold().encode()).digest()[:4], "big")


def brief_of(seed: int) -> Brief:
    """The brief that belongs to a seed, 0 or above. Raises ValueError for another."""
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"a seed is a whole number from 0 up, not {seed!r}")
    rng = np.random.default_rng((seed, 10))
    link = LINKS[int(rng.integers(2))]
    night = NIGHTS[int(rng.integers(2))]
    return Brief(
        seed=seed,
        cards_a_month=int(rng.integers(2, 13)) * 500_000,
        peak_rate=float(rng.integers(6, 13) * 5),
        p99_ms=int(rng.choice([500, 750, 1000])),
        start_s=int(rng.choice([10, 15, 20])),
        budget=int(rng.choice([140, 180, 220])) if night == NIGHTS[0] else int(rng.choice([100, 130, 160])),
        link=link,
        privacy=PRIVACY[int(rng.integers(2))],
        night=night,
    )
