"""The endpoint three times: script, CloudFormation and Terraform name the same resources and settings."""

import json
import subprocess

import cloudformation_values
import pytest
from terraform_values import Terraform, camel, parsed

from fsdl_course.setup.stations import ensure
from fsdl_deploy.managed import aws_endpoint
from fsdl_deploy.managed.aws_emulator import emulator
from fsdl_deploy.managed.aws_session import AwsSession
from fsdl_deploy.managed.infrastructure import resources
from fsdl_deploy.managed.infrastructure_settings import FOLDER, settings

ACCOUNT, MAIL = "123456789012", "somebody@example.org"
TEMPLATE, CONFIGURATION = FOLDER / "template.yaml", FOLDER / "main.tf"
LINT = "from cfnlint.runner import main; main()"
CASES = {  # settings of ours, which are Terraform's variables, too; and CloudFormation's parameters
    "as they are": ({}, {}),
    "one variant": ({"variants": {"v1": 9}}, {"Second": ""}),
    "all others": (
        {
            "name": "trial",
            "image": "reader/two",
            "instance": "ml.c5.xlarge",
            "instances_least": 2,
            "mail": MAIL,
            "instances_most": 5,
            "calls_a_minute": 90,
            "captured": 25,
            "errors": 9,
            "idle_hours": 3,
            "budget": 7,
            "variants": {"a": 3, "b": 4},
        },
        {
            "Name": "trial",
            "Image": "reader/two",
            "Instance": "ml.c5.xlarge",
            "InstancesLeast": 2,
            "Mail": MAIL,
            "InstancesMost": 5,
            "CallsAMinute": 90,
            "Captured": 25,
            "Errors": 9,
            "IdleHours": 3,
            "Budget": 7,
            "First": "a",
            "FirstShare": 3,
            "Second": "b",
            "SecondShare": 4,
        },
    ),
}


def sorted_texts(pairs) -> list[str]:
    """Resources in an order that does not matter."""
    return sorted(json.dumps([kind, entry], sort_keys=True) for kind, entry in pairs)


def of_the_script(changed) -> list[str]:
    created = resources(settings(**changed), ACCOUNT)
    pairs = [(resource.type, dict(resource.properties)) for resource in created]
    for kind, entry in pairs:
        if kind == "AWS::SNS::Topic" and not entry["Subscription"]:
            del entry["Subscription"]  # an empty list and none are the same
    return sorted_texts(pairs)


@pytest.mark.parametrize("case", CASES)
def test_cloudformation_makes_what_the_script_makes(case):
    ours, parameters = CASES[case]
    created = cloudformation_values.resources(TEMPLATE, **parameters)
    for kind, entry in created:
        tags = entry.pop("ResourceTags" if kind == "AWS::Budgets::Budget" else "Tags", None)
        untagged = kind.startswith("AWS::ApplicationAutoScaling::")  # which takes none here
        assert untagged or tags == [{"Key": "project", "Value": ours.get("name", "meter-reader")}], kind
    assert sorted_texts(created) == of_the_script(ours)


def of_terraform(configuration: Terraform) -> list[tuple[str, dict]]:
    """Terraform's resources as CloudFormation writes them."""

    def every(type_):
        return configuration.all(f"aws_{type_}")

    pairs = []
    for entry in every("budgets_budget"):
        mails = [
            {
                "Notification": {
                    name: value for name, value in camel(part).items() if name[:10] != "Subscriber"
                },
                "Subscribers": [
                    {"SubscriptionType": "EMAIL", "Address": mail}
                    for mail in part["subscriber_email_addresses"]
                ],
            }
            for part in entry["notification"]
        ]
        budget = {
            "BudgetName": entry["name"],
            "BudgetType": entry["budget_type"],
            "TimeUnit": entry["time_unit"],
            "BudgetLimit": {"Amount": entry["limit_amount"], "Unit": entry["limit_unit"]},
            "CostFilters": {part["name"]: part["values"] for part in entry["cost_filter"]},
        }
        pairs.append(
            (
                "AWS::Budgets::Budget",
                {"Budget": budget} | ({"NotificationsWithSubscribers": mails} if mails else {}),
            )
        )
    for entry in every("sns_topic"):
        mails = [
            {"Protocol": part["protocol"], "Endpoint": part["endpoint"]}
            for part in every("sns_topic_subscription")
        ]
        pairs.append(
            ("AWS::SNS::Topic", {"TopicName": entry["name"]} | ({"Subscription": mails} if mails else {}))
        )
    (bucket,), (closed,), (rules,) = (
        every("s3_bucket"),
        every("s3_bucket_public_access_block"),
        every("s3_bucket_lifecycle_configuration"),
    )
    assert closed.pop("bucket") == rules.pop("bucket") == bucket["bucket"]
    expire = [
        {
            "Id": rule["id"],
            "Status": rule["status"],
            "Prefix": rule["filter"][0]["prefix"],
            "ExpirationInDays": rule["expiration"][0]["days"],
        }
        for rule in rules["rule"]
    ]
    pairs.append(
        (
            "AWS::S3::Bucket",
            {
                "BucketName": bucket["bucket"],
                "PublicAccessBlockConfiguration": camel(closed),
                "LifecycleConfiguration": {"Rules": expire},
            },
        )
    )
    for entry in every("cloudwatch_log_group"):
        pairs.append(
            (
                "AWS::Logs::LogGroup",
                {"LogGroupName": entry["name"], "RetentionInDays": entry["retention_in_days"]},
            )
        )
    (role,), (own,) = every("iam_role"), every("iam_role_policy")
    assert own["role"] == role["name"]
    pairs.append(
        (
            "AWS::IAM::Role",
            {
                "RoleName": role["name"],
                "AssumeRolePolicyDocument": role["assume_role_policy"],
                "Policies": [{"PolicyName": own["name"], "PolicyDocument": own["policy"]}],
            },
        )
    )
    for entry in every("cloudwatch_metric_alarm"):
        which = [{"Name": name, "Value": value} for name, value in entry.pop("dimensions").items()]
        pairs.append(("AWS::CloudWatch::Alarm", camel(entry) | {"Dimensions": which}))
    for entry in every("sagemaker_model"):
        pairs.append(
            (
                "AWS::SageMaker::Model",
                {
                    "ModelName": entry["name"],
                    "ExecutionRoleArn": entry["execution_role_arn"],
                    "PrimaryContainer": camel(entry["primary_container"][0]),
                    "EnableNetworkIsolation": entry["enable_network_isolation"],
                },
            )
        )
    for entry in every("sagemaker_endpoint_configuration"):
        captured = camel(entry["data_capture_config"][0])
        captured["DestinationS3Uri"] = captured.pop("DestinationS3Uri")
        pairs.append(
            (
                "AWS::SageMaker::EndpointConfig",
                {
                    "EndpointConfigName": entry["name"],
                    "ProductionVariants": camel(entry["production_variants"]),
                    "DataCaptureConfig": captured,
                },
            )
        )
    for entry in every("sagemaker_endpoint"):
        pairs.append(
            (
                "AWS::SageMaker::Endpoint",
                {"EndpointName": entry["name"], "EndpointConfigName": entry["endpoint_config_name"]},
            )
        )
    pairs += [
        ("AWS::ApplicationAutoScaling::ScalableTarget", camel(entry))
        for entry in every("appautoscaling_target")
    ]
    for entry in every("appautoscaling_policy"):
        new = camel(entry) | {"PolicyName": entry["name"]}
        tracking = new["TargetTrackingScalingPolicyConfiguration"][0]
        tracking["PredefinedMetricSpecification"] = tracking["PredefinedMetricSpecification"][0]
        new["TargetTrackingScalingPolicyConfiguration"] = tracking
        del new["Name"]
        pairs.append(("AWS::ApplicationAutoScaling::ScalingPolicy", new))
    return pairs


@pytest.fixture(scope="module")
def document():
    return parsed(ensure("checkov"), CONFIGURATION)


@pytest.mark.parametrize("case", CASES)
def test_terraform_makes_what_the_script_makes(case, document):
    ours, _ = CASES[case]
    assert sorted_texts(of_terraform(Terraform(document, **ours))) == of_the_script(ours)


def test_terraforms_provider_tags_everything(document):
    (provider,) = document["provider"]
    assert provider["aws"]["default_tags"][0]["tags"] == [{"project": "${var.name}"}]
    assert provider["aws"]["region"] == ["${var.region}"]
    types = {type_ for type_, _ in Terraform(document).blocks["resource"]}
    known = {
        "aws_budgets_budget",
        "aws_sns_topic",
        "aws_sns_topic_subscription",
        "aws_s3_bucket",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_cloudwatch_log_group",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_cloudwatch_metric_alarm",
        "aws_sagemaker_model",
        "aws_sagemaker_endpoint_configuration",
        "aws_sagemaker_endpoint",
        "aws_appautoscaling_target",
        "aws_appautoscaling_policy",
    }
    assert types == known, "a resource that the comparison does not look at"


def test_the_linter_of_cloudformation_has_nothing_to_say():
    python = ensure("moto")
    run = subprocess.run([python, "-c", LINT, TEMPLATE], capture_output=True, text=True, timeout=180)
    assert run.returncode == 0 and run.stdout.strip() == "", run.stdout + run.stderr


def test_the_linter_of_cloudformation_finds_a_mistake(tmp_path):
    python, broken = ensure("moto"), tmp_path / "template.yaml"
    broken.write_text(TEMPLATE.read_text().replace("InitialInstanceCount", "InitialInstances"))
    run = subprocess.run([python, "-c", LINT, broken], capture_output=True, text=True, timeout=180)
    assert run.returncode != 0 and "InitialInstances" in run.stdout


@pytest.mark.thorough
def test_checkov_passes_all_but_what_is_left_out_on_purpose():
    run = checkov(FOLDER)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    assert "prismacloud" not in run.stderr, "it asked its maker"


@pytest.mark.thorough
def test_checkov_finds_an_open_bucket(tmp_path):
    (tmp_path / "main.tf").write_text(CONFIGURATION.read_text().replace("block_public_acls       = true", ""))
    run = checkov(tmp_path)
    assert run.returncode == 1 and "CKV_AWS_53" in run.stdout, run.stdout


def checkov(folder):
    program = [ensure("checkov"), "-m", "checkov.main", "--directory", folder]
    return subprocess.run(
        [*program, "--config-file", FOLDER / "checkov.yaml"], capture_output=True, text=True, timeout=300
    )


BY_MOTO = {
    "AWS::S3::Bucket",
    "AWS::Logs::LogGroup",
    "AWS::IAM::Role",
    "AWS::SageMaker::Model",
    "AWS::SageMaker::EndpointConfig",
    "AWS::SageMaker::Endpoint",
}


def test_moto_makes_a_stack_of_the_template_and_removes_it():
    """moto's CloudFormation knows neither budgets nor alarms nor scaling, and gives its own names."""
    ensure("moto")
    with emulator() as server:
        session = AwsSession("us-east-1", server.url)
        stacks = session.client("cloudformation")
        stacks.create_stack(
            StackName="meter-reader",
            TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        (stack,) = stacks.describe_stacks()["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        # What the script calls its own, by tag and name: so `destroy` also ends a stack that was forgotten.
        own = {
            kind for kind in BY_MOTO if "SageMaker" not in kind
        }  # to these moto gives other names than AWS
        assert {kind for kind, _ in aws_endpoint.present(session, "meter-reader")} == own
        sagemaker = session.client("sagemaker")
        assert len(sagemaker.list_models()["Models"]) == 2
        assert len(sagemaker.list_endpoint_configs()["EndpointConfigs"]) == 1
        assert len(sagemaker.list_endpoints()["Endpoints"]) == 1
        stacks.delete_stack(StackName="meter-reader")
        assert list(aws_endpoint.present(session, "meter-reader")) == []
