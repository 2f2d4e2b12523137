"""The client ends whatever the other side does, and reads what HTTP allows."""

import socket
import threading
import time

from fsdl_course.capstone import client


def served(answer: bytes, hold: threading.Event) -> int:
    """A port that sends ``answer`` to one client and keeps the connection until ``hold`` is set."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listening, listening.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(answer)
            hold.wait(10)

    threading.Thread(target=serve, daemon=True).start()
    return listening.getsockname()[1]


def test_a_service_that_never_ends_its_answer_costs_the_deadline_only():
    hold, begun = threading.Event(), time.monotonic()
    answer = client.ask(
        served(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1", hold), "GET", "/", seconds=0.3
    )
    hold.set()
    assert (answer.status, answer.problem) == (0, "no answer in time")
    assert time.monotonic() - begun < 8


def test_an_answer_without_end_is_cut_off():
    hold = threading.Event()
    answer = client.ask(served(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000, hold), "GET", "/", seconds=5)
    hold.set()
    assert answer.status == 200 and answer.fields == {}


def test_chunks_and_retry_after_are_read():
    text = b'HTTP/1.1 429 X\r\nRetry-After: 2\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\n\r\n'
    answer = client.parsed(text)
    assert (answer.status, answer.retry_after, answer.fields) == (429, 2.0, {"a": 1})
    assert client.parsed(b"HTTP/1.1 200 OK\r\n\r\n[1]").fields == {}
