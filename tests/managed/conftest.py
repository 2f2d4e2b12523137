"""What the tests of the managed options share: moto as AWS, which a test may find empty."""

import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.managed.aws_emulator import emulator, forget


@pytest.fixture(scope="package")
def aws():
    """The address of one emulator for all tests of this folder in a process."""
    ensure("moto")
    with emulator() as server:
        yield server.url


@pytest.fixture
def empty(aws):
    """The address of an emulator in which there is nothing."""
    forget(aws)
    return aws
