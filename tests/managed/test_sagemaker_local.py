"""SageMaker on this machine: moto's real server, the real service behind the router, Amazon's clients."""

import json
from collections import Counter
from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.managed import sagemaker_control as calls
from fsdl_deploy.managed import sagemaker_measuring as measuring
from fsdl_deploy.managed.sagemaker_local import EndpointError, local_cloud
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running import waiting

CARDS = list(cards(6, "hard", seed=8))
PICTURES = [encode(card.image) for card in CARDS]


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A machine with a profile that breaks whoever reads it: nothing below may notice."""
    home = tmp_path_factory.mktemp("home")
    (home / ".aws").mkdir()
    for name in ("config", "credentials"):
        (home / ".aws" / name).write_text("[broken\nthis is no configuration\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "USERPROFILE"):
            patch.setenv(name, str(home))
        patch.setenv("AWS_PROFILE", "company")
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.2:1")
        yield home


@pytest.fixture(scope="module")
def cloud(company):
    ensure("moto")
    with local_cloud(idle=1) as running:
        for version in ("v2", "v3-bad"):
            calls.create_model(running.control, version)
        yield running


@pytest.fixture(scope="module")
def meter(cloud):
    variants = [calls.variant("blue", "reader-v2", 0.9), calls.variant("green", "reader-v3-bad", 0.1)]
    calls.create_endpoint(cloud.control, "meter", variants)
    cloud.wait("meter")
    return "meter"


def digits(cloud, endpoint, picture, **options):
    asked = {"EndpointName": endpoint, "Body": picture, "ContentType": "image/png"} | options
    answer = cloud.runtime.invoke_endpoint(**asked)
    return json.loads(answer["Body"].read())["predictions"][0]["digits"]


@pytest.mark.parametrize("name, version", [("blue", "v2"), ("green", "v3-bad")])
def test_each_variant_is_the_version_that_its_model_names(cloud, meter, name, version):
    expected = [reading.digits for reading in open_reader(version).read([card.image for card in CARDS])]
    assert [digits(cloud, meter, picture, TargetVariant=name) for picture in PICTURES] == expected


def test_a_split_by_weights_and_the_way_back(cloud, meter):
    counts = measuring.invoked(cloud.runtime, meter, PICTURES, 200)
    assert 5 <= counts["green"] <= 45  # of 200 with a tenth: outside in one run of ten thousand
    calls.shift(cloud.control, meter, {"blue": 1.0, "green": 0.0})
    cloud.wait(meter, weights={"blue": 1.0, "green": 0.0}, seconds=10)
    assert calls.weights(cloud.control, meter) == {"blue": 1.0, "green": 0.0}
    assert measuring.invoked(cloud.runtime, meter, PICTURES, 30) == Counter(blue=30)


def test_a_killed_instance_comes_back(cloud, meter):
    """Its port is kept, so what comes meanwhile is refused as AWS refuses it, and then answered again."""
    import psutil

    below = psutil.Process(cloud.router.pid).children(recursive=True)
    serving = [child for child in below if "--version" in child.cmdline() and "v2" in child.cmdline()]
    starts = cloud.state(meter)["variants"]["blue"]["starts"]
    for child in serving:
        with suppress(psutil.NoSuchProcess):  # one of them ends with the other
            child.kill()
    waiting.until(
        lambda: cloud.state(meter)["variants"]["blue"]["starts"] > starts, 30, TimeoutError, "the new start"
    )
    cloud.wait(meter)
    assert digits(cloud, meter, PICTURES[0], TargetVariant="blue")


def test_what_moto_cannot_is_as_the_notebook_says(cloud, meter):
    """Once one of these changes, the notebook says something that is not so any more."""
    config = calls.create_endpoint(
        cloud.control,
        "watched",
        [calls.variant("blue", "reader-v2", 1.0)],
        shadow=calls.variant("dark", "reader-v3-bad", 1.0),
    )
    described = cloud.control.describe_endpoint_config(EndpointConfigName=config)
    assert "ShadowProductionVariants" not in described
    assert calls.shadow_of(cloud.control, config)["ModelName"] == "reader-v3-bad"
    with pytest.raises(ClientError) as caught:
        cloud.control.update_endpoint(EndpointName=meter, EndpointConfigName=config)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    calls.follow_load(cloud.scaling, meter, "nobody", most=4, requests_a_minute=60)
    assert cloud.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    cloud.wait("watched")
    calls.remove(cloud.control, "watched")


def test_serverless_starts_with_its_first_request_and_ends_after_a_while(cloud):
    calls.create_endpoint(cloud.control, "quiet", [calls.serverless_variant("only", "reader-v2")])
    assert not cloud.wait("quiet")["variants"]["only"]["running"]
    assert digits(cloud, "quiet", PICTURES[0])
    now = cloud.state("quiet")["variants"]["only"]
    assert now["running"] and now["serverless"] and now["starts"] == 1 and not now["problem"]
    waiting.until(
        lambda: not cloud.state("quiet")["variants"]["only"]["running"], 20, TimeoutError, "the end of it"
    )
    calls.remove(cloud.control, "quiet")


def test_a_model_of_no_version_says_so_and_the_rest_goes_on(cloud, meter):
    container = {"Image": calls.IMAGE, "Environment": {calls.VERSION: "v99"}}
    cloud.control.create_model(
        ModelName="reader-odd", ExecutionRoleArn=calls.ROLE, PrimaryContainer=container
    )
    calls.create_endpoint(cloud.control, "odd", [calls.variant("only", "reader-odd", 1.0)])
    waiting.until(
        lambda: cloud.state("odd").get("variants", {}).get("only", {}).get("problem"), 30, TimeoutError, "it"
    )
    with pytest.raises(EndpointError, match="Creating"):
        cloud.wait("odd", seconds=0.2)
    with pytest.raises(cloud.runtime.exceptions.ServiceUnavailable):
        digits(cloud, "odd", PICTURES[0])
    assert digits(cloud, meter, PICTURES[0], TargetVariant="blue")
    calls.remove(cloud.control, "odd")


def test_removed_is_gone_and_leaves_nothing(cloud):
    for name in calls.endpoints(cloud.control):
        calls.remove(cloud.control, name)
    assert calls.endpoints(cloud.control) == []
    assert cloud.control.list_models()["Models"] == []
    waiting.until(lambda: cloud.state("meter")["status"] == "not here", 10, TimeoutError, "its end")
    with pytest.raises(cloud.runtime.exceptions.ValidationError, match="Endpoint meter of account"):
        digits(cloud, "meter", PICTURES[0])


def test_an_endpoint_removed_and_made_again_at_once_serves_its_new_model(cloud):
    for version, name in (("v2", "again"), ("v3-bad", "again")):
        with suppress(ClientError):
            calls.create_model(cloud.control, version)
        calls.create_endpoint(cloud.control, name, [calls.variant("blue", f"reader-{version}", 1.0)])
        cloud.wait(name)
        expected = [reading.digits for reading in open_reader(version).read([card.image for card in CARDS])]
        assert [digits(cloud, name, picture) for picture in PICTURES] == expected
        cloud.control.delete_endpoint(EndpointName=name)
        cloud.control.delete_endpoint_config(EndpointConfigName=f"{name}-1")
