"""Loopback ports: one that is free, and whether a server answers at one.

Knows sockets and the status of an HTTP answer; knows nothing about processes.
"""

import re
import secrets
import socket
from collections import deque
from contextlib import suppress

HOST = "127.0.0.1"
_TAKEN = re.compile(
    r"address (is )?already in use|EADDRINUSE|errno (98|48)\b|WinError 100(48|13)\b|one usage of each socket"
    r"|port \d+ is (already in use|in use|not available)|cannot find empty port|failed to bind to address",
    re.IGNORECASE,
)
# What this process was given. A UDP socket at a port disturbs no TCP server there, only one process can have
# it, and it goes when the process dies. The oldest are let go: open files are limited.
_promised: deque[socket.socket] = deque(maxlen=64)


class NoFreePort(RuntimeError):
    """Every port that was tried is in use."""


def free_port() -> int:
    """A loopback port that nobody uses now, and that is given to no other process. Raises NoFreePort.

    A server needs seconds until it has its port. Meanwhile another process of the course that asks here is
    given another one: else two servers would start for the same port.

    It lies below the ports that systems hand to clients. From those, a client that keeps calling a
    dead server can by chance be given the server's own port, and so keep the server from coming back.
    """
    for _ in range(100):
        port = 20_000 + secrets.randbelow(12_000)  # not ``random``, which a notebook may have seeded
        promise = socket.socket(type=socket.SOCK_DGRAM)
        with socket.socket() as probe, suppress(OSError):
            promise.bind((HOST, port))
            probe.bind((HOST, port))
            _promised.append(promise)
            return port
        promise.close()
    raise NoFreePort("found no free loopback port from 20000 to 31999: stop some servers")


def names_a_taken_port(log: str) -> bool:
    """Whether a server's log says that its port is in use, in the words of the usual servers."""
    return _TAKEN.search(log) is not None


def problem_at(port: int, path: str | None = None) -> str | None:
    """Why nothing is ready at the loopback ``port``, None if it is: it accepts, or answers GET ``path``."""
    try:
        return _accepting(port) if path is None else _answering(port, path)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _accepting(port: int) -> str | None:
    with socket.create_connection((HOST, port), timeout=2) as probe:
        # A client that calls a port without a server may be connected with itself.
        return None if probe.getsockname() != probe.getpeername() else "nobody listens"


def _answering(port: int, path: str) -> str | None:
    status, _ = _get(port, path)
    return None if status < 400 else f"{path} answered {status}"


def answer_at(port: int, path: str) -> bytes:
    """The body that GET ``path`` gives at the loopback ``port``; OSError where nothing answers."""
    return _get(port, path)[1]


def _get(port: int, path: str) -> tuple[int, bytes]:
    from http.client import HTTPConnection  # unlike urllib it takes no proxy

    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
