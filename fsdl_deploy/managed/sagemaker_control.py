"""SageMaker's control plane, asked as AWS is asked: models, endpoints and their variants, weights, scaling

What is said here is valid for AWS too. Two things are not AWS's. The model's environment names a version of
the reader (``FSDL_VERSION``), where a cloud would take an image's. And the shadow variant stands in a tag a
second time, since moto takes ``ShadowProductionVariants`` and forgets it. Knows nothing of who answers.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

from botocore.exceptions import ClientError

from fsdl_deploy.managed.sagemaker_clients import ACCOUNT, REGION

ROLE = f"arn:aws:iam::{ACCOUNT}:role/meter-reader"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/meter-reader:1"
VERSION = "FSDL_VERSION"
SHADOW = "fsdl:shadow"  # the tag: MODEL:NAME:WEIGHT
INSTANCE = "ml.m5.xlarge"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
NAME = re.compile("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")  # as AWS has it; moto takes any


def must_be_name(name: object) -> str:
    """The name. Raises ValueError for one that AWS would refuse."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name: take up to 63 letters, digits and hyphens, none at its ends")
    return name


def create_model(control, version: str) -> str:
    """A model for a version of the reader; returns its name."""
    name = must_be_name(f"reader-{version}")
    container = {"Image": IMAGE, "Environment": {VERSION: version}}
    control.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    return name


def variant(name: str, model: str, weight: float, count: int = 1, instance: str = INSTANCE) -> dict:
    """A production variant: a model on machines by the hour, with a weight in the traffic."""
    return {
        "VariantName": name,
        "ModelName": model,
        "InitialInstanceCount": count,
        "InstanceType": instance,
        "InitialVariantWeight": weight,
    }


def serverless_variant(name: str, model: str, megabytes: int = 2048, at_once: int = 5) -> dict:
    """A production variant without machines of its own: it takes ``at_once`` requests at a time."""
    config = {"MemorySizeInMB": megabytes, "MaxConcurrency": at_once}
    return {"VariantName": name, "ModelName": model, "ServerlessConfig": config}


def create_endpoint(
    control, endpoint: str, variants: Sequence[Mapping], shadow: Mapping | None = None, config: str = ""
) -> str:
    """A configuration with these variants, and an endpoint that has it; returns the configuration's name.

    Raises ValueError for a name that AWS would refuse.
    """
    config = config or f"{endpoint}-1"
    every = [*variants, shadow] if shadow is not None else variants
    names = [entry["VariantName"] for entry in every]
    for name in (endpoint, config, *names, *(entry["ModelName"] for entry in every)):
        must_be_name(name)
    if len(set(names)) < len(names):
        raise ValueError(f"two variants have one name: {', '.join(names)}")
    wishes = {"EndpointConfigName": config, "ProductionVariants": list(variants)}
    if shadow is not None:
        words = (shadow["ModelName"], shadow["VariantName"], shadow["InitialVariantWeight"])
        wishes["ShadowProductionVariants"] = [shadow]
        wishes["Tags"] = [{"Key": SHADOW, "Value": ":".join(map(str, words))}]
    control.create_endpoint_config(**wishes)
    control.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    return config


def shift(control, endpoint: str, weights: Mapping[str, float]) -> None:
    """Give the variants of a running endpoint other weights: a step of a rollout, or the way back."""
    wishes = [{"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()]
    control.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=wishes)


def weights(control, endpoint: str) -> dict[str, float]:
    """The weight of each variant, as the control plane has it."""
    variants = control.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    return {entry["VariantName"]: entry.get("CurrentWeight", 1.0) for entry in variants}


def follow_load(scaling, endpoint: str, name: str, most: int, requests_a_minute: float) -> None:
    """From one to ``most`` machines for a variant, each with about so many requests a minute."""
    about = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{name}",
        "ScalableDimension": DIMENSION,
    }
    scaling.register_scalable_target(**about, MinCapacity=1, MaxCapacity=most)
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    tracking = {
        "TargetValue": float(requests_a_minute),
        "PredefinedMetricSpecification": metric,
        "ScaleOutCooldown": 60,
        "ScaleInCooldown": 300,
    }
    scaling.put_scaling_policy(
        **about,
        PolicyName=f"{endpoint}-{name}",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )


def remove(control, endpoint: str) -> None:
    """Take away an endpoint with its configuration and models: after this it costs nothing.

    What another endpoint has, too, stays. What is gone already, also of another endpoint, is borne.
    """
    config = config_of(control, endpoint)
    others = {config_of(control, other) for other in endpoints(control) if other != endpoint}
    elsewhere = {model for other in others for model in _models(control, other)}
    models = _models(control, config) - elsewhere
    control.delete_endpoint(EndpointName=endpoint)
    if config in others:
        return
    _gone(control.delete_endpoint_config, EndpointConfigName=config)
    for model in sorted(models):
        _gone(control.delete_model, ModelName=model)


def config_of(control, endpoint: str) -> str:
    """The name of an endpoint's configuration."""
    return control.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]


def _gone(call, **name: str) -> dict:
    """Call for what may not be there any more: {} then."""
    try:
        return call(**name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException" or not re.search(
            "could not find|not found|does not exist", str(error), re.IGNORECASE
        ):
            raise
        return {}


def endpoints(control) -> list[str]:
    """The names of all endpoints."""
    pages = control.get_paginator("list_endpoints").paginate()
    return [entry["EndpointName"] for page in pages for entry in page["Endpoints"]]


def shadow_of(control, config: str) -> dict | None:
    """The shadow variant of a configuration; None without. Raises ValueError for a wrong tag."""
    described = control.describe_endpoint_config(EndpointConfigName=config)
    if known := described.get("ShadowProductionVariants"):  # what AWS answers, and moto does not
        return known[0]
    tags = {
        tag["Key"]: tag["Value"]
        for tag in control.list_tags(ResourceArn=described["EndpointConfigArn"])["Tags"]
    }
    if SHADOW not in tags:
        return None
    try:
        model, name, weight = tags[SHADOW].split(":")
        return variant(must_be_name(name), must_be_name(model), float(weight))
    except ValueError:
        raise ValueError(
            f"the tag {SHADOW} of {config} is {tags[SHADOW]!r}, not MODEL:NAME:WEIGHT: mend it"
        ) from None


def _models(control, config: str) -> set[str]:
    described = _gone(control.describe_endpoint_config, EndpointConfigName=config)
    if not described:
        return set()
    variants = list(described["ProductionVariants"])
    with suppress(ValueError):  # a shadow that is not readable has no model
        variants += filter(None, [shadow_of(control, config)])
    return {entry["ModelName"] for entry in variants}
