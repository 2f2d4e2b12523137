"""What the tests of replicas and balancers share: replicas that start at once and answer slowly."""

import sys
from pathlib import Path

import pytest

from fsdl_deploy.running import stations
from fsdl_deploy.running.ports import answer_at
from fsdl_deploy.running.servers import Server
from fsdl_deploy.scaling.load_balancing import BALANCERS
from fsdl_deploy.scaling.replicas import replicas

PROGRAM = Path(__file__).with_name("fake_replica.py")


def fake(seconds: float = 0.2):
    """Makes servers that answer after so long."""
    command = [sys.executable, "-I", "-S", PROGRAM, "{port}", str(seconds)]
    return lambda: Server(command, "/readyz", name="replica")


def posts(replica) -> list[int]:
    """The POSTs of a fake replica: under way now, at most at the same time, all."""
    return [int(number) for number in answer_at(replica.port, "/posts").split()]


@pytest.fixture
def make_fake():
    return fake


@pytest.fixture
def posts_of():
    return posts


@pytest.fixture
def fleet():
    """Three replicas."""
    with replicas(3, None, fake()) as running:
        yield running


@pytest.fixture(params=BALANCERS)
def balance(request):
    """``nginx``, ``envoy`` and ``haproxy`` in turn; left out where its station is not built."""
    station = stations.station(request.param)
    if not station.built:
        pytest.skip(station.not_built())
    return BALANCERS[request.param]


@pytest.fixture(
    params=[
        (b"", 400, "body"),
        (b"{", 400, "body"),
        (b"\xff\xfe", 400, "body"),
        (b"[]", 422, "body"),
        (b"{}", 422, "picture"),
        (b'{"picture": "AAAA"}', 422, "picture"),
        (b'{"image": ""}', 422, "'image'"),
    ],
    ids=lambda case: repr(case[0]),
)
def bad_request(request):
    """``(body, status, field)``: what no cloud's function reads, and how each has to refuse it."""
    return request.param
