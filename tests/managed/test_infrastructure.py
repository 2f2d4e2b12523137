"""The settings of the endpoint on AWS: what cannot be is refused with a sentence."""

import pytest

from fsdl_deploy import cli
from fsdl_deploy.managed.aws_command import variants_of
from fsdl_deploy.managed.infrastructure import resources, role_policy, statements
from fsdl_deploy.managed.infrastructure_settings import FILE, InfrastructureError, settings


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"name": "Meter Reader"}, "name: 'Meter Reader' is not 3 to 32"),
        ({"name": 7}, "name: this must be a text"),
        ({"region": "Frankfurt"}, "a region such as"),
        ({"image": "meter-reader:v1"}, "without a tag"),
        ({"instance": "m5.xlarge"}, "one like ml.m5.xlarge"),
        ({"instances_least": 0}, "instances_least or more"),
        ({"instances_most": 0}, "instances_least or more"),
        ({"instances_least": 1.5}, "instances_least: this must be a whole number"),
        ({"calls_a_minute": True}, "whole number"),
        ({"captured": 0}, "1 to 100"),
        ({"idle_hours": 25}, "looks back a day"),
        ({"budget": -5}, "budget: -5 is not 1 to a million"),
        ({"budget": 10**400}, "budget: 1000.*… is not 1 to a million"),
        ({"errors": 10**400}, "errors: 1000"),
        ({"calls_a_minute": 1 << 60_000}, "calls_a_minute: a number of thousands of digits is not"),
        ({"instances_most": 10**400}, "instances_most: 1000"),
        *(
            ({"budget": value}, "budget: this must be a whole number")
            for value in (float("nan"), float("inf"), "50", [50], None, {})
        ),
        ({"variants": {"v1": 10**400}}, "one or two names"),
        ({"mail": "somebody"}, "an address, or empty"),
        ({"variants": {}}, "one or two names"),
        ({"variants": {"v1": 0, "v2": 0}}, "not all 0"),
        ({"variants": {"v1": -1, "v2": 2}}, "one or two names"),
        ({"variants": {"v1": 1, "v2": 1, "v3": 1}}, "one or two names"),
        ({"variants": {"v 1": 1}}, "one or two names"),
        ({"variants": {"v1": "all"}}, "one or two names"),
        ({"variants": {"v1": float("inf")}}, "one or two names"),
        ({"variants": {"v1": float("nan")}}, "one or two names"),
        ({"variants": {"v1": 1e300, "v2": 1e300}}, "one or two names"),
        ({"name": "meter--reader"}, "single hyphens"),
        ({"name": "meter-"}, "single hyphens"),
        ({"name": "a" * 33}, "3 to 32"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_settings_that_cannot_be(changed, problem):
    with pytest.raises(InfrastructureError, match=problem):
        settings(**changed)


def test_a_missing_setting_is_named(tmp_path):
    file = tmp_path / "endpoint.toml"
    file.write_text("\n".join(line for line in FILE.read_text().splitlines() if "budget =" not in line))
    with pytest.raises(InfrastructureError, match="budget"):
        settings(file)
    file.write_text("name = ")
    with pytest.raises(InfrastructureError, match="cannot be read"):
        settings(file)


def test_an_instance_without_a_price_is_not_free():
    with pytest.raises(InfrastructureError, match=r"no price for ml\.x9\.large: add endpoint_x9_large_hour"):
        settings(instance="ml.x9.large").hourly()


def test_what_warns_is_made_before_what_costs():
    kinds = [resource.type for resource in resources(settings(), "123456789012")]
    costs = kinds.index("AWS::SageMaker::Endpoint")
    assert all(kinds.index(f"AWS::{kind}") < costs for kind in ("Budgets::Budget", "SNS::Topic"))
    assert max(place for place, kind in enumerate(kinds) if kind == "AWS::CloudWatch::Alarm") < costs


@pytest.mark.parametrize(("words", "problem"), [(["v1"], "not NAME=SHARE"), (["v1=x"], "not NAME=SHARE"),
                                                (["v1=1", "v1=2"], "twice")])  # fmt: skip
def test_variants_on_the_command_line(words, problem):
    with pytest.raises(InfrastructureError, match=problem):
        variants_of(words)
    assert variants_of(["v1=9", "v2=1"]) == {"v1": 9, "v2": 1}


@pytest.mark.parametrize("words", ["v1=inf", "v1=nan", "v1=-1 v2=3", "v1=1 v1=2", "=1", "v1=0", "v1"])
def test_variants_that_cannot_be_get_one_sentence(capsys, words):
    options = [
        "managed",
        "aws",
        "status",
        "--endpoint-url",
        "http://127.0.0.1:9",
        "--variants",
        *words.split(),
    ]
    assert cli.main(options) == 1
    (sentence,) = capsys.readouterr().err.strip().splitlines()
    assert "variants" in sentence


def test_no_name_of_one_deployment_is_or_begins_like_one_of_another():
    """Whatever their names and regions; an alarm or a model begins with NAME--, which no other's does."""
    others = [("meter-reader", "eu-west-1"), ("meter", "us-east-1"), ("meter-reader-v1", "us-east-1"),
              ("meter-reader-us-east-1", "us-east-1")]  # fmt: skip
    ours = {(each.type, each.name) for each in resources(settings(), "123456789012")}
    of_all_regions = ("AWS::S3::Bucket", "AWS::IAM::Role", "AWS::Budgets::Budget")
    for name, region in others:
        theirs = resources(settings(name=name, region=region), "123456789012")
        for each in theirs:
            if region == "us-east-1" or each.type in of_all_regions:
                assert (each.type, each.name) not in ours
                assert not each.name.startswith("meter-reader--")


def test_each_statement_of_a_policy_is_a_row_with_all_its_parts():
    policy = role_policy(settings(), "123456789012")
    rows = statements(policy).rows
    assert len(rows) == len(policy["Statement"]) and {row[0] for row in rows} == {"Allow"}
    log = next(row for row in rows if row[1].startswith("logs:"))
    assert log[1] == "logs:CreateLogStream, logs:DescribeLogStreams, logs:PutLogEvents"
    assert log[2].count("arn:aws:logs:") == 2 and log[3] == ""
    conditions = [row[3] for row in rows if row[3]]
    assert len(conditions) == 1 and "cloudwatch:namespace" in conditions[0]
