"""Sockets as tests need them: a request by hand, and at which addresses a program listens."""

import socket
from contextlib import suppress

import psutil


def raw_post(port: int, body_length: int, sent: bytes) -> socket.socket:
    """A connection over which a POST of JSON to /read was begun: its head, and ``sent`` of its body."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    head = (
        "POST /read HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {body_length}\r\n\r\n"
    )
    connection.sendall(head.encode() + sent)
    return connection


def listening(pid: int) -> set[str]:
    """The IP addresses at which a process and its children listen."""
    first, addresses = psutil.Process(pid), set()
    for process in [first, *first.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # it has just ended
            addresses |= {
                connection.laddr.ip
                for connection in process.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN
            }
    return addresses
