"""The kept CoreML files hold the network's own weights, in as many bits as they say."""

import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.targets import programs
from fsdl_deploy.targets.catalogue import target


@pytest.fixture(scope="module")
def ask():
    ensure("coreml")
    return lambda step: programs.ask(target("coreml"), "lesson/steps.py", [], step)


def test_weights(ask):
    apart = {name: share for name, _, share, _ in ask("weights")["rows"]}
    # Rounding to so many bits moves a weight by half a step at most: of 2^11 in float16, 127 in int8, and of
    # a table's 15 steps from the least weight to the largest.
    assert apart["v2"] < 1e-3 < apart["v2-int8"] < 0.5 / 127 + 1e-3 < apart["v2-4bit"] < 2 * 0.5 / 15 + 1e-3


def test_an_app_finds_the_width_open(ask):
    specification = ask("specification")
    assert specification["input"] == ["ink", [[1, 1], [1, 1], [32, 32], [44, 1060]]]
    assert specification["outputs"] == ["log_probabilities"]
