"""The container engine, where one answers; a test that needs one is skipped without."""

import pytest

from fsdl_deploy.packaging.engine import NO_ENGINE, find_engine


@pytest.fixture(scope="package")
def engine():
    client = find_engine(lambda _: None)
    if client is None:
        pytest.skip(NO_ENGINE)
    yield client
    client.close()
