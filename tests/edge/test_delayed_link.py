"""The link: its round trip is waited for, a cut one delivers nothing, a mended one delivers again."""

import socket
import socketserver
import sys
import threading
import time

import httpx2
import pytest

from fsdl_deploy.edge.delayed_link import DelayedLink
from fsdl_deploy.running.servers import Server


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "a").write_bytes(bytes(range(256)) * 4000)
    command = [sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1", "-d", folder]
    with Server(command, ready="/a") as server:
        yield server


def get(link, timeout=5.0):
    return httpx2.get(f"{link.url}/a", trust_env=False, timeout=timeout).content


def test_all_bytes_arrive_and_each_new_connection_waits_two_round_trips(files):
    with DelayedLink(files.port) as near, DelayedLink(files.port, round_trip=0.2) as far:
        assert get(near) == get(far) == bytes(range(256)) * 4000
        begin = time.perf_counter()
        get(far)
        assert time.perf_counter() - begin >= 0.4  # the handshake, then request and answer
        assert far.passed > 2 * 1_024_000


def test_a_cut_link_refuses_and_a_mended_one_delivers(files):
    with DelayedLink(files.port) as link:
        link.cut()
        with pytest.raises(httpx2.TransportError):
            get(link)
        link.mend()
        assert len(get(link)) == 1_024_000


def test_a_silent_link_lets_the_client_wait_for_its_own_deadline(files):
    with DelayedLink(files.port, silent=True) as link:
        link.cut()
        begin = time.perf_counter()
        with pytest.raises(httpx2.TimeoutException):
            get(link, timeout=0.3)
        assert time.perf_counter() - begin >= 0.3


def test_a_cut_breaks_what_is_on_its_way(files):
    with DelayedLink(files.port, round_trip=1.0) as link:
        timer = threading.Timer(0.3, link.cut)
        timer.start()
        with pytest.raises(httpx2.TransportError):
            get(link)
        timer.join()


def test_a_server_that_is_not_there_is_not_there(files):
    from fsdl_deploy.running.ports import free_port

    with DelayedLink(free_port()) as link, pytest.raises(httpx2.TransportError):
        get(link)


def test_a_round_trip_below_zero_is_refused():
    with pytest.raises(ValueError, match="0 seconds or more"):
        DelayedLink(1, -0.1)


@pytest.fixture
def echo():
    """The port of a server that sends back what comes."""

    class Echo(socketserver.BaseRequestHandler):
        def handle(self):
            while data := self.request.recv(65536):
                self.request.sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def exchange(connection, data, count):
    """Send it, and return so many bytes of what comes back."""
    connection.sendall(data)
    received = b""
    while len(received) < count and (more := connection.recv(65536)):
        received += more
    return received


def test_what_is_sent_first_arrives_first_from_the_first_moment_on(echo):
    parts = [f"{number:04} ".encode() for number in range(60)]
    with DelayedLink(echo) as link:
        for _ in range(60):
            with socket.create_connection(("127.0.0.1", link.port), timeout=5) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for part in parts[:-1]:
                    connection.sendall(part)
                assert exchange(connection, parts[-1], 5 * len(parts)) == b"".join(parts)


def test_a_stream_that_has_lost_bytes_has_no_gap_but_an_end(echo):
    with (
        DelayedLink(echo, silent=True) as link,
        socket.create_connection(("127.0.0.1", link.port), timeout=5) as connection,
    ):
        assert exchange(connection, b"before", 6) == b"before"
        link.cut()
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            exchange(connection, b"lost", 4)
        link.mend()
        with pytest.raises(TimeoutError):
            exchange(connection, b"after", 5)
        with socket.create_connection(("127.0.0.1", link.port), timeout=5) as new:
            assert exchange(new, b"new", 3) == b"new"
