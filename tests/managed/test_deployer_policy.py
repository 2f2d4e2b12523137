"""The policy of whoever deploys allows the calls that the command makes, on its own resources, and no more"""

import json
import re

import pytest

from fsdl_deploy.managed import aws_endpoint
from fsdl_deploy.managed.aws_emulator import forget
from fsdl_deploy.managed.aws_session import AwsSession
from fsdl_deploy.managed.iam import ALLOWED, AwsCall, decide
from fsdl_deploy.managed.infrastructure import resources
from fsdl_deploy.managed.infrastructure_settings import FOLDER, settings

ACCOUNT, NAME = "123456789012", "meter-reader"
POLICY = json.loads((FOLDER / "deployer_policy.json").read_text(encoding="utf-8"))
# Calls whose action has another name. AWS: Service Authorization Reference.
ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "budgets:CreateBudget": "budgets:ModifyBudget",
    "budgets:DeleteBudget": "budgets:ModifyBudget",
    "budgets:DescribeBudget": "budgets:ViewBudget",
}
# What a call that brings tags, a role or a first scaling needs beside its own action.
BESIDE = {
    "sagemaker:AddTags",
    "iam:TagRole",
    "iam:PassRole",
    "logs:TagResource",
    "cloudwatch:TagResource",
    "sns:TagResource",
    "budgets:TagResource",
    "application-autoscaling:TagResource",
    "iam:CreateServiceLinkedRole",
}
PASSED = {"iam:PassedToService": "sagemaker.amazonaws.com"}
NEW_SCALING = ("application-autoscaling:RegisterScalableTarget", "application-autoscaling:TagResource")
PRINCIPAL = {"aws:PrincipalAccount": ACCOUNT}
SCALING = "sagemaker.application-autoscaling.amazonaws.com"


def about(action, name=NAME):
    """The call of an action on the resource of the endpoint ``name``."""
    service, _, verb = action.partition(":")
    if verb.startswith(
        ("ListE", "ListM", "ListTopics", "DescribeSca", "DescribeAlarms", "DescribeLogGroups")
    ):
        return AwsCall(action)
    if action == "iam:CreateServiceLinkedRole":
        role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{SCALING}/AWSServiceRoleForIt"
        return AwsCall(action, role, {"iam:AWSServiceName": SCALING})
    kind = next((kind for kind in ("EndpointConfig", "Endpoint") if verb.endswith(kind)), "Model")
    resource = {
        "sagemaker": {
            "EndpointConfig": f"endpoint-config/{name}",
            "Endpoint": f"endpoint/{name}",
            "Model": f"model/{name}--v1",
        }[kind],
        "application-autoscaling": "scalable-target/0ec5",
        "iam": f"role/{name}-us-east-1",
        "s3": f"{name}-{ACCOUNT}-us-east-1" + "/captured/card" * (action == "s3:DeleteObject"),
        "logs": f"log-group:/aws/sagemaker/Endpoints/{name}",
        "cloudwatch": f"alarm:{name}--v1-idle",
        "sns": name,
        "budgets": f"budget/{name}-us-east-1",
    }[service]
    region = "" if service in ("iam", "s3", "budgets") else "us-east-1"
    account = "" if service == "s3" else ACCOUNT
    context = dict(PRINCIPAL)
    if action == "iam:PassRole":
        context |= PASSED
    if action in NEW_SCALING:  # the call brings the tag, and what is scaled has none yet
        context["aws:RequestTag/project"] = name
    elif service == "application-autoscaling":
        context["aws:ResourceTag/project"] = name
    return AwsCall(action, f"arn:aws:{service}:{region}:{account}:{resource}", context)


@pytest.fixture(scope="module")
def actions(aws):
    """The action of each call that deploys, looks, and destroys."""
    forget(aws)
    seen, session = set(), AwsSession("us-east-1", aws)
    session.before_each_call(seen.add)
    plan = settings(mail="somebody@example.org")
    aws_endpoint.deploy(session, plan, lambda line: None)
    aws_endpoint.status(session, plan)
    session.client("s3").put_object(Bucket=f"{NAME}-{ACCOUNT}-us-east-1", Key="captured/card", Body=b"card")
    assert aws_endpoint.destroy(session, NAME, lambda line: None) == []
    seen -= {"s3:PutObject", "sts:GetCallerIdentity"}  # ours here, and one that nobody can be denied
    return {ACTIONS.get(action, action).replace("monitoring:", "cloudwatch:") for action in seen} | BESIDE


def test_each_call_is_allowed_and_nothing_else_is_listed(actions):
    refused = [action for action in sorted(actions) if decide([POLICY], about(action)) != ALLOWED]
    assert refused == []
    listed = {
        action
        for statement in POLICY["Statement"]
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    }
    assert listed == actions, "the policy lists what no call needs, or the other way round"


OTHERS = (
    "payroll", "meter", "meter-reader-two", "meter-reader-v1", "meter-readers", "meter-reader-us-east-1"
)  # fmt: skip


@pytest.mark.parametrize("other", OTHERS)
def test_another_endpoint_is_out_of_reach(actions, other):
    general = {action for action in actions if about(action).resource == "*"}
    for action in sorted(actions - general - {"iam:CreateServiceLinkedRole"}):
        assert decide([POLICY], about(action, other)) != ALLOWED, action


SERVICES = {
    "AWS::Budgets::Budget": "budgets::{account}:budget/{name}",
    "AWS::SNS::Topic": "sns:us-east-1:{account}:{name}",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::Logs::LogGroup": "logs:us-east-1:{account}:log-group:{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::CloudWatch::Alarm": "cloudwatch:us-east-1:{account}:alarm:{name}",
    "AWS::SageMaker::Model": "sagemaker:us-east-1:{account}:model/{name}",
    "AWS::SageMaker::EndpointConfig": "sagemaker:us-east-1:{account}:endpoint-config/{name}",
    "AWS::SageMaker::Endpoint": "sagemaker:us-east-1:{account}:endpoint/{name}",
}


def reached(deployment):
    """The resources of a deployment, as the script names them, and those that the policy lets one change."""
    arns = {
        "arn:aws:" + SERVICES[each.type].format(account=ACCOUNT, name=each.name)
        for each in resources(settings(name=deployment), ACCOUNT)
        if each.type in SERVICES
    }
    listed = [action for statement in POLICY["Statement"] for action in _list(statement["Action"])]
    changes = [action for action in listed if not re.search(":(Get|Describe|List)", action)]
    calls = [AwsCall(action, arn, PRINCIPAL) for arn in arns for action in changes]
    return arns, {call.resource for call in calls if decide([POLICY], call) == ALLOWED}


def _list(value):
    return value if isinstance(value, list) else [value]


def test_of_two_deployments_the_policy_reaches_one():
    own, within = reached(NAME)
    assert within == own and len(own) == 13
    for other in OTHERS:
        assert reached(other)[1] == set(), other


def test_scaling_of_another_endpoint_is_out_of_reach_by_its_tag():
    target = f"arn:aws:application-autoscaling:us-east-1:{ACCOUNT}:scalable-target/0ec5"
    register, ours = "application-autoscaling:RegisterScalableTarget", {"aws:RequestTag/project": NAME}
    theirs = {"aws:ResourceTag/project": "payroll"}
    for context, allowed in ((ours, True), ({}, False), (theirs, False), (ours | theirs, False),
                             ({"aws:ResourceTag/project": NAME}, True)):  # fmt: skip
        assert (decide([POLICY], AwsCall(register, target, context)) == ALLOWED) is allowed, context


@pytest.mark.parametrize(
    "call",
    [
        AwsCall("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/eve"),
        AwsCall("iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/{NAME}-us-east-1"),
        AwsCall(
            "iam:PassRole",
            f"arn:aws:iam::{ACCOUNT}:role/{NAME}-us-east-1",
            {"iam:PassedToService": "ec2.amazonaws.com"},
        ),
        AwsCall("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/admin", PASSED),
        AwsCall("s3:GetObject", f"arn:aws:s3:::{NAME}-{ACCOUNT}-us-east-1/captured/card", PRINCIPAL),
        AwsCall("s3:DeleteBucket", f"arn:aws:s3:::{NAME}-999999999999-us-east-1", PRINCIPAL),
        AwsCall("s3:DeleteBucket", f"arn:aws:s3:::{NAME}-{ACCOUNT}-us-east-1"),
        AwsCall("sagemaker:InvokeEndpoint", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/{NAME}"),
        AwsCall("sagemaker:CreateEndpoint", f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/{NAME}"),
        AwsCall("sagemaker:CreateTrainingJob", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/{NAME}"),
    ],
)
def test_what_a_deployer_may_not_do(call):
    assert decide([POLICY], call) != ALLOWED
