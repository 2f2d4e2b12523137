"""A month end in half a minute, from a seed: which request is sent when, and by what kind of client.

Knows nothing of faults and of answers. The same brief, seed and length give the same load, byte for byte.
"""

import base64
import json
from dataclasses import dataclass

import numpy as np

from fsdl_course.capstone import wrong_pictures
from fsdl_course.capstone.brief import Brief
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode

RATE = 8.0  # cards a second between bursts: what one core has room for on a slow machine, too
BURST = 30
PROBES = 2**40  # added to a seed: no replay has these pictures
CARD, WRONG, AGAIN, CLASH = "card", "wrong", "again", "clash"


@dataclass(frozen=True)
class Request:
    """One request: ``at`` seconds after the load begins, ``body`` what is sent.

    ``kind``: CARD, WRONG (``wrong`` says how), AGAIN (``of`` once more), or CLASH (``of``'s id,
    another picture).
    ``client``: "plain", "slow reader" or "slow sender". ``card``: the number of the picture.
    """

    number: int
    at: float
    kind: str
    client: str
    id: str
    card: int
    body: bytes
    wrong: str = ""
    of: int = -1


def pictures(seed: int, count: int) -> list[bytes]:
    """The replay's pictures as PNG; handwriting of the test digits."""
    return [encode(card.image) for card in cards(count, seed=seed)]


def probes(seed: int) -> list[tuple[str, bytes]]:
    """The id and the PNG of the card that is sent at once after each start: like any other card."""
    rng = np.random.default_rng((seed, 4))
    return [(_identity(rng), png) for png in pictures(seed + PROBES, 3)]


def _identity(rng: np.random.Generator) -> str:
    return f"c{rng.integers(16**10):010x}"


def _arrivals(seconds: float, rng: np.random.Generator) -> list[float]:
    """Poisson arrivals at RATE, and two bursts: times in seconds, in order."""
    steady = np.cumsum(rng.exponential(1 / RATE, int(seconds * RATE * 2)))
    bursts = [
        start + rng.uniform(0, 0.5, BURST) for start in (seconds * rng.uniform(0.08, 0.2), seconds * 0.9)
    ]
    return sorted(float(at) for at in np.concatenate([steady[steady < seconds], *bursts]))


def valid(identity: str, png: bytes) -> bytes:
    """The body of a right request."""
    return json.dumps({"id": identity, "picture": base64.b64encode(png).decode()}).encode()


def load(brief: Brief, seed: int, seconds: float) -> list[Request]:
    """All requests of a replay of ``seconds``, in order of their times."""
    rng = np.random.default_rng((seed, 1))
    times = _arrivals(seconds, rng)
    images = pictures(seed, len(times))
    kinds = list(wrong_pictures.KINDS)
    rng.shuffle(kinds)
    requests: list[Request] = []
    wrong = 0
    for number, at in enumerate(times):
        identity = _identity(rng)
        chance, client = rng.random(), "plain"
        slow = rng.random()
        if slow < 0.05:
            client = "slow reader"
        elif slow < 0.12 and brief.link == "mobile":
            client = "slow sender"
        earlier = [r for r in requests[-60:] if r.kind == CARD and r.at < at - 1]
        if chance < 0.12 and at > 1:
            kind = kinds[wrong % len(kinds)]
            wrong += 1
            body = wrong_pictures.body(kind, identity, images[number], rng)
            requests.append(Request(number, at, WRONG, "plain", identity, number, body, kind))
        elif chance < 0.20 and earlier:
            first = earlier[int(rng.integers(len(earlier)))]
            clash = chance > 0.18
            body = valid(first.id, images[number]) if clash else first.body
            card = number if clash else first.card
            kind = CLASH if clash else AGAIN
            requests.append(Request(number, at, kind, "plain", first.id, card, body, of=first.number))
        else:
            requests.append(
                Request(number, at, CARD, client, identity, number, valid(identity, images[number]))
            )
    return requests
