"""The client ends whatever the other side does, and reads what HTTP allows."""

import socket
import threading
import time

import pytest

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


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 9000,
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3000,
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 99999999999 OK\r\n\r\n",
        b"",
    ],
)
def test_no_answer_breaks_the_client(answer):
    """A card whose client broke would be missing in the history, and nobody would count it as lost."""
    hold = threading.Event()
    hold.set()
    got = client.ask(served(answer, hold), "GET", "/", seconds=5)
    assert got.fields == {} and (got.status == 200 or got.problem)


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"a":' * 9000, b"9" * 60_000, b'"' + b"\xff" * 9])
def test_a_body_that_no_parser_takes_is_an_answer_without_fields(body):
    text = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    assert client.parsed(text) == client.ServiceAnswer(200)


def test_fields_are_short_and_a_number_is_no_text():
    fields = {"id": "c" * 5000, "digits": 123, "version": None, "pad": "x", "error": {"field": ["id"]}}
    assert client.short(fields) == {
        "id": "c" * 100, "digits": "(int)", "version": "(NoneType)", "field": "(list)",
    }  # fmt: skip


def test_a_refusal_that_names_no_time_is_known_from_one_that_says_now():
    text = "HTTP/1.1 503 X\r\n{}Content-Length: 0\r\n\r\n"
    assert client.parsed(text.format("Retry-After: 0\r\n").encode()).retry_after == 0.0
    assert client.parsed(text.format("").encode()).retry_after is None
    assert client.parsed(text.format("Retry-After: soon\r\n").encode()).retry_after is None
