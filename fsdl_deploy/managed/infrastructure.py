"""An endpoint on AWS and all that belongs to it, as data: what is made, in which order, with which settings

A resource has the type and the properties that CloudFormation gives it, with everything filled in. The script
(``aws_endpoint``), the template and Terraform's configuration in ``infra/managed/aws`` all make these. No
name is that of another deployment: what an account has once for all regions ends in the region, and what
there is of each variant is NAME--VARIANT, while no deployment's own name has two hyphens in a row.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fsdl_deploy.managed.infrastructure_settings import EndpointSettings
from fsdl_deploy.measuring.table import Table

TAG = "project"
SERVICE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
KEPT_DAYS = 7  # of captured requests
LOG_DAYS = 14


@dataclass(frozen=True)
class AwsResource:
    """One resource: CloudFormation's type, the name, CloudFormation's properties."""

    type: str
    name: str
    properties: dict


def regional(name: str, region: str) -> str:
    """The name of the role and the budget, which an account has once for all regions."""
    return f"{name}-{region}"


def bucket_of(name: str, account: str, region: str) -> str:
    """The name of the bucket, which no two accounts may share."""
    return f"{name}-{account}-{region}"


def resources(plan: EndpointSettings, account: str) -> list[AwsResource]:
    """All resources in the order in which they are made: what warns comes before what costs."""
    name, role = plan.name, f"arn:aws:iam::{account}:role/{regional(plan.name, plan.region)}"
    topic = f"arn:aws:sns:{plan.region}:{account}:{name}"
    registry = f"{account}.dkr.ecr.{plan.region}.amazonaws.com/{plan.image}"
    bucket = bucket_of(name, account, plan.region)
    rest = [
        AwsResource("AWS::SageMaker::Model", f"{name}--{variant}", {
            "ModelName": f"{name}--{variant}",
            "PrimaryContainer": {"Image": f"{registry}:{variant}"},
            "ExecutionRoleArn": role,
            "EnableNetworkIsolation": True,
        }) for variant in plan.variants
    ]  # fmt: skip
    rest += [
        AwsResource("AWS::SageMaker::EndpointConfig", name, _config(plan, bucket)),
        AwsResource("AWS::SageMaker::Endpoint", name, {"EndpointName": name, "EndpointConfigName": name}),
    ]
    alarms = [alarm for variant in plan.variants for alarm in _alarms(plan, variant, topic)]
    scaling = [part for variant in plan.variants for part in _scaling(plan, variant)]
    return [_budget(plan), _topic(plan), *_around(plan, account, bucket), *alarms, *rest, *scaling]


def _config(plan: EndpointSettings, bucket: str) -> dict:
    variants = [
        {
            "VariantName": variant,
            "ModelName": f"{plan.name}--{variant}",
            "InstanceType": plan.instance,
            "InitialInstanceCount": plan.instances_least,
            "InitialVariantWeight": share,
        }
        for variant, share in plan.variants.items()
    ]
    captured = {
        "EnableCapture": True,
        "InitialSamplingPercentage": plan.captured,
        "DestinationS3Uri": f"s3://{bucket}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    return {"EndpointConfigName": plan.name, "ProductionVariants": variants, "DataCaptureConfig": captured}


def _budget(plan: EndpointSettings) -> AwsResource:
    """Budgets see costs hours late, and only those of a tag that is activated for billing."""
    budget = {
        "BudgetName": regional(plan.name, plan.region),
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": plan.budget, "Unit": "USD"},
        "CostFilters": {"TagKeyValue": [f"user:{TAG}${plan.name}"], "Region": [plan.region]},
    }
    when = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN",
            "Threshold": 80, "ThresholdType": "PERCENTAGE"}  # fmt: skip
    whom = [{"SubscriptionType": "EMAIL", "Address": plan.mail}]
    mails = (
        {"NotificationsWithSubscribers": [{"Notification": when, "Subscribers": whom}]} if plan.mail else {}
    )
    return AwsResource("AWS::Budgets::Budget", budget["BudgetName"], {"Budget": budget} | mails)


def _topic(plan: EndpointSettings) -> AwsResource:
    mails = [{"Protocol": "email", "Endpoint": plan.mail}] if plan.mail else []
    return AwsResource("AWS::SNS::Topic", plan.name, {"TopicName": plan.name, "Subscription": mails})


def _around(plan: EndpointSettings, account: str, bucket: str) -> list[AwsResource]:
    """The bucket, the log and the role of the endpoint."""
    closed = dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    expire = {
        "Rules": [
            {"Id": "captured", "Status": "Enabled", "Prefix": "captured/", "ExpirationInDays": KEPT_DAYS}
        ]
    }
    log = f"/aws/sagemaker/Endpoints/{plan.name}"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    policy = {"PolicyName": "endpoint", "PolicyDocument": role_policy(plan, account)}
    return [
        AwsResource("AWS::S3::Bucket", bucket, {
            "BucketName": bucket, "PublicAccessBlockConfiguration": closed, "LifecycleConfiguration": expire,
        }),
        AwsResource("AWS::Logs::LogGroup", log, {"LogGroupName": log, "RetentionInDays": LOG_DAYS}),
        AwsResource("AWS::IAM::Role", regional(plan.name, plan.region), {
            "RoleName": regional(plan.name, plan.region),
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [policy],
        }),
    ]  # fmt: skip


def role_policy(plan: EndpointSettings, account: str) -> dict:
    """What the endpoint itself may do: fetch its images, write its log, its metrics and captured requests."""
    here = f"{plan.region}:{account}"
    log = f"arn:aws:logs:{here}:log-group:/aws/sagemaker/Endpoints/{plan.name}"
    bucket = bucket_of(plan.name, account, plan.region)
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    metrics = {"StringEquals": {"cloudwatch:namespace": ["/aws/sagemaker/Endpoints", "AWS/SageMaker"]}}
    allowed = [
        {"Action": pull, "Resource": f"arn:aws:ecr:{here}:repository/{plan.image}"},
        {"Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
         "Resource": [log, f"{log}:*"]},
        {"Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": metrics},
        {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/captured/*"},
    ]  # fmt: skip
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | statement for statement in allowed]}


def statements(policy: Mapping) -> Table:
    """A policy's statements, a row each: effect, actions, resources, and the condition as JSON or nothing."""
    rows = [
        [
            statement["Effect"],
            *(_in_a_line(statement[part]) for part in ("Action", "Resource")),
            json.dumps(statement["Condition"]) if "Condition" in statement else "",
        ]
        for statement in policy["Statement"]
    ]
    return Table(["effect", "actions", "resources", "condition"], *rows)


def _in_a_line(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _scaling(plan: EndpointSettings, variant: str) -> list[AwsResource]:
    part = f"endpoint/{plan.name}/variant/{variant}"
    which = {"ServiceNamespace": SERVICE, "ResourceId": part, "ScalableDimension": DIMENSION}
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    tracking = {"TargetValue": plan.calls_a_minute, "PredefinedMetricSpecification": metric,
                "ScaleOutCooldown": 60, "ScaleInCooldown": 300}  # fmt: skip
    policy = {"PolicyName": f"{plan.name}--{variant}", "PolicyType": "TargetTrackingScaling"}
    limits = {"MinCapacity": plan.instances_least, "MaxCapacity": plan.instances_most}
    return [
        AwsResource("AWS::ApplicationAutoScaling::ScalableTarget", part, which | limits),
        AwsResource("AWS::ApplicationAutoScaling::ScalingPolicy", policy["PolicyName"],
                 policy | which | {"TargetTrackingScalingPolicyConfiguration": tracking}),
    ]  # fmt: skip


def _alarms(plan: EndpointSettings, variant: str, topic: str) -> list[AwsResource]:
    """One rings for errors, one because nobody asks: then the variant costs what it costs for nothing.

    Also a variant of weight 0, in an endpoint that is asked: its machines are paid.
    """
    which = [{"Name": "EndpointName", "Value": plan.name}, {"Name": "VariantName", "Value": variant}]
    about = {"Namespace": "AWS/SageMaker", "Statistic": "Sum", "Dimensions": which, "AlarmActions": [topic]}
    errors = {"MetricName": "Invocation5XXErrors", "Period": 300, "EvaluationPeriods": 1,
              "Threshold": plan.errors, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
              "TreatMissingData": "notBreaching"}  # fmt: skip
    idle = {"MetricName": "Invocations", "Period": 3600, "EvaluationPeriods": plan.idle_hours,
            "Threshold": 1, "ComparisonOperator": "LessThanThreshold",
            "TreatMissingData": "breaching"}  # fmt: skip
    return [
        AwsResource("AWS::CloudWatch::Alarm", name, {"AlarmName": name} | about | rule)
        for name, rule in (
            (f"{plan.name}--{variant}-errors", errors),
            (f"{plan.name}--{variant}-idle", idle),
        )
    ]
