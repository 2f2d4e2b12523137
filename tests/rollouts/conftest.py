"""What the tests of rollouts share: versions that start at once, behind nginx and Envoy, and callers."""

import http.client
import itertools
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fsdl_deploy.rollouts.canary import PROXIES
from fsdl_deploy.rollouts.stage import staged
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import Server

PROGRAM = Path(__file__).with_name("fake_version.py")


def make_version(kind: str, log: Path) -> Server:
    """A fake version; the models of the course are called "good" here."""
    kind = {"v2": "good", "teacher": "good", "v3-bad": "bad"}.get(kind, kind)
    command = [sys.executable, "-I", "-S", PROGRAM, "{port}", log, kind]
    return Server(command, "/readyz", name=f"{kind} version")


def built(name: str) -> str:
    station = stations.station(name)
    if not station.built:
        pytest.skip(station.not_built())
    return name


@pytest.fixture
def fake():
    return make_version


@pytest.fixture(params=PROXIES)
def proxy(request):
    """nginx and Envoy in turn; left out where its station is not built."""
    return built(request.param)


@pytest.fixture
def nginx():
    return built("nginx")


@pytest.fixture
def stage(proxy):
    """A good version and a bad one behind a proxy."""
    with staged(proxy, "bad", "good", make=make_version) as stage:
        yield stage


class Customers:
    """Calls of a stage's customers, whose cards show their number, four digits long."""

    def __init__(self, stage):
        self.stage, self.numbers = stage, itertools.count()

    def __call__(self, customer: str | None = None, **headers) -> SimpleNamespace:
        number = next(self.numbers)
        port = int(self.stage.front.url.rpartition(":")[2])
        sent = {
            "X-Customer": customer or f"C{number % 200:07d}",
            "X-Camera": "app",
            "X-Truth": f"{number:04d}",
        }
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", "/read", b"card", sent | headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        version = response.headers.get("X-Model-Version")
        return SimpleNamespace(status=response.status, version=version, body=body)


@pytest.fixture
def ask(stage):
    return Customers(stage)


@pytest.fixture
def callers():
    return Customers
