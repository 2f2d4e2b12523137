"""The server of a serving library, for the module that tests it: ``LIBRARY`` names it, with ``OPTIONS``."""

import httpx2
import pytest

from fsdl_course.serving import libraries
from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations


@pytest.fixture(scope="module")
def library(request):
    name = request.module.LIBRARY
    if lack := stations.station(name).lacks():
        pytest.skip(lack)
    ensure(name)
    return libraries.libraries()[name]


@pytest.fixture(scope="module")
def server(library, request):
    with library.server(**request.module.OPTIONS) as server:
        yield server


@pytest.fixture
def client(server):
    limits = httpx2.Limits(max_connections=None)
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=60, limits=limits) as client:
        yield client
