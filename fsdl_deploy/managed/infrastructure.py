"""An endpoint on AWS and all that belongs to it, as data: what is made, in which order, with which settings

A resource has the type and the properties that CloudFormation gives it, with everything filled in. The script
(``aws_endpoint``), the template and Terraform's configuration in ``infra/managed/aws`` all make these.
"""

from dataclasses import dataclass

from fsdl_deploy.managed.infrastructure_settings import EndpointSettings

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


def resources(wanted: EndpointSettings, account: str) -> list[AwsResource]:
    """All resources in the order in which they are made: what warns comes before what costs."""
    name, role = wanted.name, f"arn:aws:iam::{account}:role/{wanted.name}"
    topic = f"arn:aws:sns:{wanted.region}:{account}:{name}"
    registry = f"{account}.dkr.ecr.{wanted.region}.amazonaws.com/{wanted.image}"
    bucket = f"{name}-{account}"
    rest = [
        AwsResource("AWS::SageMaker::Model", f"{name}-{variant}", {
            "ModelName": f"{name}-{variant}",
            "PrimaryContainer": {"Image": f"{registry}:{variant}"},
            "ExecutionRoleArn": role,
            "EnableNetworkIsolation": True,
        }) for variant in wanted.variants
    ]  # fmt: skip
    rest += [
        AwsResource("AWS::SageMaker::EndpointConfig", name, _config(wanted, bucket)),
        AwsResource("AWS::SageMaker::Endpoint", name, {"EndpointName": name, "EndpointConfigName": name}),
    ]
    alarms = [alarm for variant in wanted.variants for alarm in _alarms(wanted, variant, topic)]
    scaling = [part for variant in wanted.variants for part in _scaling(wanted, variant)]
    return [_budget(wanted), _topic(wanted), *_around(wanted, account, bucket), *alarms, *rest, *scaling]


def _config(wanted: EndpointSettings, bucket: str) -> dict:
    variants = [
        {
            "VariantName": variant,
            "ModelName": f"{wanted.name}-{variant}",
            "InstanceType": wanted.instance,
            "InitialInstanceCount": wanted.instances_least,
            "InitialVariantWeight": share,
        }
        for variant, share in wanted.variants.items()
    ]
    captured = {
        "EnableCapture": True,
        "InitialSamplingPercentage": wanted.captured,
        "DestinationS3Uri": f"s3://{bucket}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    return {"EndpointConfigName": wanted.name, "ProductionVariants": variants, "DataCaptureConfig": captured}


def _budget(wanted: EndpointSettings) -> AwsResource:
    """Budgets see costs hours late, and only those of a tag that is activated for billing."""
    budget = {
        "BudgetName": wanted.name,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": wanted.budget, "Unit": "USD"},
        "CostFilters": {"TagKeyValue": [f"user:{TAG}${wanted.name}"]},
    }
    when = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN",
            "Threshold": 80, "ThresholdType": "PERCENTAGE"}  # fmt: skip
    whom = [{"SubscriptionType": "EMAIL", "Address": wanted.mail}]
    mails = (
        {"NotificationsWithSubscribers": [{"Notification": when, "Subscribers": whom}]} if wanted.mail else {}
    )
    return AwsResource("AWS::Budgets::Budget", wanted.name, {"Budget": budget} | mails)


def _topic(wanted: EndpointSettings) -> AwsResource:
    mails = [{"Protocol": "email", "Endpoint": wanted.mail}] if wanted.mail else []
    return AwsResource("AWS::SNS::Topic", wanted.name, {"TopicName": wanted.name, "Subscription": mails})


def _around(wanted: EndpointSettings, account: str, bucket: str) -> list[AwsResource]:
    """The bucket, the log and the role of the endpoint."""
    closed = dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    expire = {
        "Rules": [
            {"Id": "captured", "Status": "Enabled", "Prefix": "captured/", "ExpirationInDays": KEPT_DAYS}
        ]
    }
    log = f"/aws/sagemaker/Endpoints/{wanted.name}"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    policy = {"PolicyName": "endpoint", "PolicyDocument": role_policy(wanted, account)}
    return [
        AwsResource("AWS::S3::Bucket", bucket, {
            "BucketName": bucket, "PublicAccessBlockConfiguration": closed, "LifecycleConfiguration": expire,
        }),
        AwsResource("AWS::Logs::LogGroup", log, {"LogGroupName": log, "RetentionInDays": LOG_DAYS}),
        AwsResource("AWS::IAM::Role", wanted.name, {
            "RoleName": wanted.name,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [policy],
        }),
    ]  # fmt: skip


def role_policy(wanted: EndpointSettings, account: str) -> dict:
    """What the endpoint itself may do: fetch its images, write its log, its metrics and captured requests."""
    here = f"{wanted.region}:{account}"
    log = f"arn:aws:logs:{here}:log-group:/aws/sagemaker/Endpoints/{wanted.name}"
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    metrics = {"StringEquals": {"cloudwatch:namespace": ["/aws/sagemaker/Endpoints", "AWS/SageMaker"]}}
    allowed = [
        {"Action": pull, "Resource": f"arn:aws:ecr:{here}:repository/{wanted.image}"},
        {"Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
         "Resource": [log, f"{log}:*"]},
        {"Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": metrics},
        {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{wanted.name}-{account}/captured/*"},
    ]  # fmt: skip
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | statement for statement in allowed]}


def _scaling(wanted: EndpointSettings, variant: str) -> list[AwsResource]:
    part = f"endpoint/{wanted.name}/variant/{variant}"
    which = {"ServiceNamespace": SERVICE, "ResourceId": part, "ScalableDimension": DIMENSION}
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    tracking = {"TargetValue": wanted.calls_a_minute, "PredefinedMetricSpecification": metric,
                "ScaleOutCooldown": 60, "ScaleInCooldown": 300}  # fmt: skip
    policy = {"PolicyName": f"{wanted.name}-{variant}", "PolicyType": "TargetTrackingScaling"}
    limits = {"MinCapacity": wanted.instances_least, "MaxCapacity": wanted.instances_most}
    return [
        AwsResource("AWS::ApplicationAutoScaling::ScalableTarget", part, which | limits),
        AwsResource("AWS::ApplicationAutoScaling::ScalingPolicy", policy["PolicyName"],
                 policy | which | {"TargetTrackingScalingPolicyConfiguration": tracking}),
    ]  # fmt: skip


def _alarms(wanted: EndpointSettings, variant: str, topic: str) -> list[AwsResource]:
    """One rings for errors, one because nobody asks: then the endpoint costs what it costs for nothing."""
    which = [{"Name": "EndpointName", "Value": wanted.name}, {"Name": "VariantName", "Value": variant}]
    about = {"Namespace": "AWS/SageMaker", "Statistic": "Sum", "Dimensions": which, "AlarmActions": [topic]}
    errors = {"MetricName": "Invocation5XXErrors", "Period": 300, "EvaluationPeriods": 1,
              "Threshold": wanted.errors, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
              "TreatMissingData": "notBreaching"}  # fmt: skip
    idle = {"MetricName": "Invocations", "Period": 3600, "EvaluationPeriods": wanted.idle_hours,
            "Threshold": 1, "ComparisonOperator": "LessThanThreshold",
            "TreatMissingData": "breaching"}  # fmt: skip
    return [
        AwsResource("AWS::CloudWatch::Alarm", name, {"AlarmName": name} | about | rule)
        for name, rule in (
            (f"{wanted.name}-{variant}-errors", errors),
            (f"{wanted.name}-{variant}-idle", idle),
        )
    ]
