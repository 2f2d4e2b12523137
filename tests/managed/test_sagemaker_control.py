"""What is said to SageMaker's control plane, against moto: what a removal takes away, and what it leaves."""

import pytest

from fsdl_deploy.managed import sagemaker_control as calls
from fsdl_deploy.managed.sagemaker_clients import client


@pytest.fixture
def control(empty):
    models = client("sagemaker", empty)
    for version in ("v1", "v2"):
        calls.create_model(models, version)
    return models


def there(control):
    """The names of all endpoints, configurations and models."""
    configs = [entry["EndpointConfigName"] for entry in control.list_endpoint_configs()["EndpointConfigs"]]
    models = [entry["ModelName"] for entry in control.list_models()["Models"]]
    return set(calls.endpoints(control)), set(configs), set(models)


def test_what_another_endpoint_has_too_stays(control):
    calls.create_endpoint(control, "one", [calls.variant("a", "reader-v1", 1)], config="both")
    control.create_endpoint(EndpointName="two", EndpointConfigName="both")
    calls.create_endpoint(control, "three", [calls.variant("a", "reader-v2", 1)])
    calls.remove(control, "one")
    assert there(control) == ({"two", "three"}, {"both", "three-1"}, {"reader-v1", "reader-v2"})
    calls.remove(control, "two")
    assert there(control) == ({"three"}, {"three-1"}, {"reader-v2"})
    calls.remove(control, "three")
    assert there(control) == (set(), set(), set())


def test_a_model_in_two_configurations_goes_with_the_last(control):
    for name in ("one", "two"):
        calls.create_endpoint(control, name, [calls.variant("a", "reader-v1", 1)])
    calls.remove(control, "one")
    assert there(control) == ({"two"}, {"two-1"}, {"reader-v1", "reader-v2"})


@pytest.mark.parametrize("missing", ["one", "two"])
def test_a_configuration_that_is_gone_already_stops_no_removal(control, missing):
    calls.create_endpoint(control, "one", [calls.variant("a", "reader-v1", 1)])
    calls.create_endpoint(control, "two", [calls.variant("a", "reader-v2", 1)])
    control.delete_endpoint_config(EndpointConfigName=f"{missing}-1")
    calls.remove(control, "one")
    assert calls.endpoints(control) == ["two"] and "one-1" not in there(control)[1]
    assert ("reader-v1" in there(control)[2]) == (missing == "one")  # what it had can no more be known


def test_a_model_that_is_gone_already_stops_no_removal(control):
    calls.create_endpoint(control, "one", [calls.variant(name, f"reader-{name}", 1) for name in ("v1", "v2")])
    control.delete_model(ModelName="reader-v1")
    calls.remove(control, "one")
    assert there(control) == (set(), set(), set())
