"""When the edge wins: what a customer waits for an answer from there, and from the device itself

There: the round trip, the model on a server, and what HTTP costs around it. Here: the same model on a device
that is slower. A few points are measured through a link that really delays (``measure``); the grid is
computed from them (``there``, ``here``), which is said beside it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from fsdl_deploy.cards import cards
from fsdl_deploy.edge.delayed_link import DelayedLink
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.reading import Reader
from fsdl_deploy.remote import RemoteReader
from fsdl_deploy.running.course_servers import course_server

ROUND_TRIPS = (0, 20, 100, 300)  # ms: the same room, a town, a bad mobile network, a satellite or a basement
MODELS = (1, 2, 5, 10, 20, 50, 100, 200)  # ms of one card on the server
SLOWER = (1, 4, 16)  # how much slower a device computes than the server: a laptop, a phone, a cheap phone


def there(round_trip: float, model: float, overhead: float) -> float:
    """Milliseconds until the answer of a service is there, over a connection that is open already."""
    return round_trip + model + overhead


def here(model: float, slower: float) -> float:
    """Milliseconds until a device has read by itself that is ``slower`` times as slow as the server."""
    return slower * model


def wins_below(round_trip: float, overhead: float, slower: float) -> float:
    """The edge wins with models that take the server less than this many milliseconds; inf: with any."""
    return (round_trip + overhead) / (slower - 1) if slower > 1 else float("inf")


@dataclass(frozen=True)
class Waited:
    """What one card takes, in ms: the least of some calls here and there, and what the formula says of
    there.
    """

    version: str
    round_trip: float
    here: float
    there: float
    computed: float


def measure(
    versions: Sequence[str] = ("v2", "teacher"),
    round_trips: Sequence[float] = ROUND_TRIPS,
    calls: int = 5,
) -> list[Waited]:
    """Each version here, and behind a link of each round trip (ms), in turns.

    ``computed`` uses what HTTP and the service cost without a link (round trip 0), measured in the same
    turns: so for 0 ms it is right by construction, and for the others it is a test.
    """
    image = next(cards(1, "typical", seed=7)).image
    rows = []
    for version in versions:
        local = OnnxReader(version)
        with (
            course_server("serve", "--version", version, "--threads", "1") as server,
            DelayedLink(server.port) as link,
            RemoteReader(link.url, retries=0) as remote,
        ):
            remote.read([image])
            readers = {None: local} | dict.fromkeys(round_trips, remote)
            least = _least(readers, image, link, calls)
        overhead = least[round_trips[0]] - round_trips[0] - least[None]
        rows += [
            Waited(version, trip, least[None], least[trip], there(trip, least[None], overhead))
            for trip in round_trips
        ]
    return rows


def _least(
    readers: dict[float | None, Reader], image, link: DelayedLink, calls: int
) -> dict[float | None, float]:
    took: dict[float | None, list[float]] = {trip: [] for trip in readers}
    for _ in range(calls):
        for trip, reader in readers.items():
            link.round_trip = (trip or 0) / 1000
            begin = time.perf_counter()
            reader.read([image])
            took[trip].append(1000 * (time.perf_counter() - begin))
    return {trip: min(times) for trip, times in took.items()}
