"""A wire to a host passes on what is said, counts it, and leaves nothing open."""

import socket
import threading

import pytest

from fsdl_deploy.packaging import remote_host


@pytest.fixture
def host(tmp_path):
    """An engine of one answer: whatever comes, it says it twice."""
    place = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        listening.listen()

        def serve():
            try:
                while True:
                    client, _ = listening.accept()
                    with client:
                        client.sendall(2 * client.recv(100))
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"unix://{place}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def asked(address: str, words: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(address.removeprefix("unix://"))
        client.sendall(words)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(100), b""))


def test_what_is_said_arrives_and_is_counted_each_way(host):
    with remote_host.wire(host) as way:
        assert [asked(way.address, words) for words in (b"build", b"run")] == [b"buildbuild", b"runrun"]
        assert (way.sent, way.received) == (8, 16)


def test_the_wire_ends_with_its_block(host):
    with remote_host.wire(host) as way:
        asked(way.address, b"ps")
    with pytest.raises(OSError):
        asked(way.address, b"ps")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wire")]


def test_a_host_that_does_not_answer_ends_the_call_and_not_the_wire(tmp_path):
    with remote_host.wire(f"unix://{tmp_path}/nobody.sock") as way:
        for _ in range(2):
            assert asked(way.address, b"") == b""


def test_an_address_without_a_socket_is_refused():
    with pytest.raises(ValueError, match="no socket of this machine"), remote_host.wire("tcp://far:2375"):
        pass
