"""Today's SageMaker SDK in its station: how far the flow goes, and that nothing leaves this machine."""

import os

import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.managed.sagemaker_local import local_cloud
from fsdl_deploy.managed.sagemaker_sdk import NOWHERE, STATION, SdkFlow, surroundings
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader

CARD = next(iter(cards(1, "typical", seed=7)))


class FakeCloud:
    class plane:
        url = "http://127.0.0.1:1"

    class router:
        url = "http://127.0.0.1:2"


def test_the_sdk_gets_nothing_of_this_machine(monkeypatch, tmp_path):
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "real")
    monkeypatch.setenv("HOME", "/home/somebody")
    given = surroundings(tmp_path, str(tmp_path), FakeCloud)
    assert "real" not in given.values() and given["HOME"] == str(tmp_path)
    assert given["AWS_CONFIG_FILE"] == given["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert given["HTTPS_PROXY"] == NOWHERE and given["AWS_ENDPOINT_URL"] == FakeCloud.plane.url


@pytest.mark.thorough
def test_the_lectures_flow_goes_as_far_as_the_notebook_says():
    ensure("moto")
    ensure(STATION)
    with local_cloud() as cloud:
        flow = SdkFlow(cloud, encode(CARD.image))
        try:
            steps = {step.name: step for step in flow.steps()}
        finally:
            flow.stop()
    expected = open_reader().read([CARD.image])[0].digits
    gone = steps[
        "the slide's import"
    ]  # several packages bring sagemaker/__init__.py: which is last, has the words
    assert not gone.went and ("removed" in gone.words or "No module named" in gone.words)
    assert not steps["no account"].went and "NoCredentialsError" in steps["no account"].words
    assert steps["in this process"].went and expected in steps["in this process"].words
    assert not steps["build"].went and "vpc_config" in steps["build"].words
    assert steps["deploy, invoke"].went and steps["deploy, invoke"].words == expected
