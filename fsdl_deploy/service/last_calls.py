"""The end of a socket that listens, without a reset: first nobody new, then let in who has knocked

A socket that is closed resets the connections that the system has opened and the process has not accepted. So
the system is first asked to leave the first packet of new ones unanswered: their clients try again, and are
refused or meet the next process. Knows sockets; knows nothing about HTTP.

Source: Linux, Documentation/networking/filter.rst (classic BPF on a socket).
"""

import asyncio
import ctypes
import socket
import struct
import sys
from collections.abc import Iterable

SO_ATTACH_FILTER = 26
KNOCKING = 0.02
"""Seconds for connections that are half open at that moment."""
ONLY_KNOWN = (  # code, jump if true, jump if false, operand
    (0x30, 0, 0, 13),  # load the TCP header's byte of flags
    (0x54, 0, 0, 0x12),  # of them SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone opens a connection:
    (0x06, 0, 0, 0),  # dropped
    (0x06, 0, 0, 0xFFFFFFFF),  # anything else: kept
)


def open_no_more(listener: socket.socket) -> bool:
    """Have the system drop what would open a new connection; False where it cannot (not Linux)."""
    if not sys.platform.startswith("linux"):
        return False
    program = b"".join(struct.pack("HBBI", *step) for step in ONLY_KNOWN)
    steps = ctypes.create_string_buffer(program)
    try:
        listener.setsockopt(
            socket.SOL_SOCKET,
            SO_ATTACH_FILTER,
            struct.pack("HP", len(ONLY_KNOWN), ctypes.addressof(steps)),
        )
    except OSError:
        return False
    return True


async def let_in(listeners: Iterable[socket.socket]) -> None:
    """Return when the event loop, which still accepts, has let in every client of ``listeners``."""
    for listener in listeners:
        open_no_more(listener)
    await asyncio.sleep(KNOCKING)
    for _ in range(8):  # each round of the loop accepts what waits then
        await asyncio.sleep(0)
