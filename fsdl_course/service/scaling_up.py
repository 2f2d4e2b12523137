"""Readings per second of one service or of several that share the users: what a larger service gives"""

import itertools
from collections.abc import Sequence

from fsdl_deploy.measuring.load import closed_loop
from fsdl_deploy.picture import Image
from fsdl_deploy.remote import RemoteReader
from fsdl_deploy.running.servers import Server

USERS = 8


def readings_per_second(servers: Sequence[Server], images: Sequence[Image], requests: int) -> float:
    """USERS users send ``requests`` requests, each with all ``images``, to the servers in turn.

    Raises RuntimeError with the losses if a request fails: a rate of refusals would be none.
    """
    readers = [RemoteReader(server.url, timeout=30) for server in servers]
    turn = itertools.count()
    try:
        load = closed_loop(lambda: readers[next(turn) % len(readers)].read(images), USERS, requests)
    finally:
        for reader in readers:
            reader.close()
    if load.errors:
        raise RuntimeError(f"the service lost requests: {'; '.join(load.losses)}")
    return len(images) * load.throughput
