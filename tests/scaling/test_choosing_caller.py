"""A caller that chooses: it asks the function, counts what is open, and repeats only what broke."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from fsdl_deploy.scaling.choosing_caller import ChoosingCaller, NoAnswer
from fsdl_deploy.scaling.replicas import replicas


def first(replicas, tried, now):
    """The first that was not tried."""
    return next((replica["name"] for replica in replicas if replica["name"] not in tried), None)


@pytest.fixture
def pair(make_fake):
    with replicas(2, None, make_fake(0)) as running:
        yield running


class Refusing(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_error(503)

    def log_message(self, *_):
        pass


@pytest.fixture
def refusing():
    """The ports of two servers that refuse every POST."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Refusing) for _ in range(2)]
    threads = [threading.Thread(target=server.serve_forever, args=[0.02]) for server in servers]
    for thread in threads:
        thread.start()
    yield [server.server_port for server in servers]
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


def caller_of(pair, choose=first, tries=2, **sent):
    ports = [replica.port for replica in pair]
    return ChoosingCaller(choose, dict(zip(ports, (3, 1), strict=True)), tries, **({"content": b"x"} | sent))


def test_the_function_sees_the_replicas_and_names_one(pair):
    asked = []

    def choose(replicas, tried, now):
        asked.append(([dict(replica) for replica in replicas], tried))
        return first(replicas, tried, now)

    with caller_of(pair, choose) as caller:
        caller()
    names = [str(replica.port) for replica in pair]
    well = [
        {"name": name, "open": 0, "weight": 3 - 2 * turn, "failed": None} for turn, name in enumerate(names)
    ]
    assert asked == [(well, [])]
    assert [replica["open"] for replica in caller.replicas] == [0, 0]


def test_what_broke_is_repeated_elsewhere_and_the_broken_one_is_known(pair):
    pair[0].kill()
    try:
        with caller_of(pair) as caller:
            caller()
        with caller_of(pair, tries=1) as single, pytest.raises(NoAnswer, match="after 1 tries"):
            single()
    finally:
        pair[0].start()
    failed = [replica["failed"] for replica in caller.replicas]
    assert failed[0] is not None and failed[1] is None
    assert all(replica["open"] == 0 for replica in caller.replicas + single.replicas)


def test_nobody_is_named_or_nobody_known(pair):
    for name in (None, "nobody"):
        with caller_of(pair, lambda *_, name=name: name) as caller, pytest.raises(NoAnswer, match="0 tries"):
            caller()


def test_an_answer_that_says_no_is_not_repeated(refusing):
    with (
        ChoosingCaller(first, dict.fromkeys(refusing, 1), 2, content=b"x") as caller,
        pytest.raises(httpx2.HTTPStatusError, match="503"),
    ):
        caller()
    assert [replica["failed"] for replica in caller.replicas] == [None, None]
