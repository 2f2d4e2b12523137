"""The policy of whoever deploys allows the calls that the command makes, on its own resources, and no more"""

import json

import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.managed import aws_endpoint
from fsdl_deploy.managed.aws_emulator import emulator
from fsdl_deploy.managed.aws_session import AwsSession
from fsdl_deploy.managed.iam import ALLOWED, AwsCall, decide
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
            "Model": f"model/{name}-v1",
        }[kind],
        "application-autoscaling": "scalable-target/0ec5",
        "iam": f"role/{name}",
        "s3": f"{name}-{ACCOUNT}" + "/captured/card" * (action == "s3:DeleteObject"),
        "logs": f"log-group:/aws/sagemaker/Endpoints/{name}",
        "cloudwatch": f"alarm:{name}-v1-idle",
        "sns": name,
        "budgets": f"budget/{name}",
    }[service]
    region = "" if service in ("iam", "s3", "budgets") else "us-east-1"
    account = "" if service == "s3" else ACCOUNT
    context = PASSED if action == "iam:PassRole" else {}
    return AwsCall(action, f"arn:aws:{service}:{region}:{account}:{resource}", context)


@pytest.fixture(scope="module")
def actions():
    """The action of each call that deploys, looks, and destroys."""
    ensure("moto")
    seen = set()
    with emulator() as server:
        session = AwsSession("us-east-1", server.url)
        session.before_each_call(seen.add)
        plan = settings(mail="somebody@example.org")
        aws_endpoint.deploy(session, plan, lambda line: None)
        aws_endpoint.status(session, plan)
        session.client("s3").put_object(Bucket=f"{NAME}-{ACCOUNT}", Key="captured/card", Body=b"card")
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


def test_another_endpoint_is_out_of_reach(actions):
    general = {action for action in actions if about(action).resource == "*"}
    by_account = {"iam:CreateServiceLinkedRole"} | {
        a for a in actions if a.startswith("application-autoscaling:")
    }
    for action in sorted(actions - general - by_account):
        assert decide([POLICY], about(action, "payroll")) != ALLOWED, action


@pytest.mark.parametrize(
    "call",
    [
        AwsCall("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/eve"),
        AwsCall("iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/{NAME}"),
        AwsCall(
            "iam:PassRole",
            f"arn:aws:iam::{ACCOUNT}:role/{NAME}",
            {"iam:PassedToService": "ec2.amazonaws.com"},
        ),
        AwsCall("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/admin", PASSED),
        AwsCall("s3:GetObject", f"arn:aws:s3:::{NAME}-{ACCOUNT}/captured/card"),
        AwsCall("sagemaker:InvokeEndpoint", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/{NAME}"),
        AwsCall("sagemaker:CreateEndpoint", f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/{NAME}"),
        AwsCall("sagemaker:CreateTrainingJob", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/{NAME}"),
    ],
)
def test_what_a_deployer_may_not_do(call):
    assert decide([POLICY], call) != ALLOWED
