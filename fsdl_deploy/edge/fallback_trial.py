"""Fallbacks tried: the same cards with a good, a slow and a silent link, and with a slow device

The device has a small model, the service behind the link a large one. A link that is *down* says nothing and
swallows the bytes, the worst kind.
"""

from collections.abc import Sequence
from contextlib import suppress

from fsdl_deploy.edge import fallback
from fsdl_deploy.edge.delayed_link import DelayedLink
from fsdl_deploy.edge.fallback import FallbackReader, Outcomes
from fsdl_deploy.reading import Reader
from fsdl_deploy.remote import RemoteError, RemoteReader
from fsdl_deploy.running.course_servers import course_server

SLOWER = 0.3  # seconds that the slow device takes longer for a card
# Condition: the link's round trip in seconds, whether it is down, whether the device is slow.
CONDITIONS = {
    "good link": (0.02, False, False),
    "slow link": (0.6, False, False),
    "no link": (0.02, True, False),
    "slow device": (0.02, False, True),
}


def measure(
    reader: Reader, deck: Sequence, deadline: float = 0.5, version: str = "teacher"
) -> list[Outcomes]:
    """Settle ``deck`` on ``reader`` under each of CONDITIONS, and first without any fallback.

    ``deadline``: seconds from the picture to the answer. ``version``: the model behind the link.
    """
    rows = []
    with FallbackReader(reader, None, sure=0.0, deadline=10 * deadline) as alone:
        rows.append(fallback.outcomes("no fallback", alone, deck))
    slow = fallback.SlowReader(reader, SLOWER)
    with (
        course_server("serve", "--version", version, "--threads", "1") as server,
        DelayedLink(server.port, silent=True) as link,
        RemoteReader(link.url, timeout=deadline, retries=0) as service,
    ):
        with RemoteReader(link.url) as patient:
            patient.read([deck[0].image])  # the first reading of a program takes longer than the deadline
        with suppress(RemoteError):
            service.read([deck[0].image])  # the connection stands before the first card
        for condition, (round_trip, down, slow_device) in CONDITIONS.items():
            link.round_trip, link.down = round_trip, down
            with FallbackReader(slow if slow_device else reader, service, deadline=deadline) as settled:
                rows.append(fallback.outcomes(condition, settled, deck))
    return rows
