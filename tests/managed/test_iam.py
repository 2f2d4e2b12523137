"""Decisions on calls: by AWS's rules, case by case, and held against moto, which enforces actions."""

import functools
import json
import random

import httpx2
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from fsdl_course.setup.stations import ensure
from fsdl_deploy.managed.aws_emulator import emulator
from fsdl_deploy.managed.aws_session import nobody
from fsdl_deploy.managed.iam import ALLOWED, DENIED, NOT_ALLOWED, AwsCall, PolicyError, decide

ENDPOINT = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/meter-reader"
OTHER = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/other"
MODEL = "arn:aws:sagemaker:us-east-1:123456789012:model/meter-reader-v1"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action, resource="*", **more):
    return allow(action, resource, **more) | {"Effect": "Deny"}


INVOKE = AwsCall("sagemaker:InvokeEndpoint", ENDPOINT)


@pytest.mark.parametrize(
    ("statements", "decision"),
    [
        ([allow("sagemaker:InvokeEndpoint", ENDPOINT)], ALLOWED),
        ([allow("sagemaker:invokeendpoint", ENDPOINT)], ALLOWED),  # the case of an action does not matter
        ([allow("sagemaker:InvokeEndpoint", ENDPOINT.upper().replace("ARN:AWS", "arn:aws"))], NOT_ALLOWED),
        ([allow("sagemaker:InvokeEndpoint", OTHER)], NOT_ALLOWED),
        ([allow("sagemaker:Invoke*", OTHER[:-5] + "*")], ALLOWED),
        ([allow("sagemaker:InvokeEndpoin?", ENDPOINT)], ALLOWED),
        ([allow("sagemaker:InvokeEndpoint?", ENDPOINT)], NOT_ALLOWED),
        ([allow("*")], ALLOWED),
        ([allow("s3:*")], NOT_ALLOWED),
        ([allow(["s3:GetObject", "sagemaker:*"], [OTHER, ENDPOINT])], ALLOWED),
        ([allow("*"), deny("sagemaker:*", ENDPOINT)], DENIED),
        ([deny("sagemaker:*", ENDPOINT), allow("*")], DENIED),
        ([allow("*"), deny("sagemaker:*", OTHER)], ALLOWED),
        ([deny("sagemaker:*")], DENIED),
        ([allow("sagemaker:*", "arn:aws:sagemaker:us-east-1:*")], ALLOWED),
        ([allow("sagemaker:*", "arn:aws:sagemaker:*:123456789012:endpoint/*")], ALLOWED),
        ([allow("sagemaker:*", "arn:aws:sagemaker:eu-*:123456789012:endpoint/*")], NOT_ALLOWED),
        ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], ALLOWED),
        ([{"Effect": "Allow", "NotAction": "sagemaker:Invoke*", "Resource": "*"}], NOT_ALLOWED),
        ([{"Effect": "Deny", "NotAction": "sagemaker:*", "Resource": "*"}, allow("*")], ALLOWED),
        ([{"Effect": "Allow", "Action": "*", "NotResource": OTHER}], ALLOWED),
        ([{"Effect": "Deny", "Action": "*", "NotResource": [OTHER, MODEL]}, allow("*")], DENIED),
    ],
)
def test_actions_and_resources(statements, decision):
    assert decide([policy(*statements)], INVOKE) == decision


def test_a_deny_of_one_policy_beats_the_allow_of_another():
    policies = [policy(allow("*")), policy(deny("sagemaker:InvokeEndpoint"))]
    assert decide(policies, INVOKE) == DENIED
    assert decide(policies[:1], INVOKE) == ALLOWED
    assert decide([], INVOKE) == NOT_ALLOWED


def test_an_action_without_resources_needs_an_asterisk():
    call = AwsCall("ecr:GetAuthorizationToken")
    assert decide([policy(allow("ecr:GetAuthorizationToken"))], call) == ALLOWED
    assert decide([policy(allow("ecr:*", "arn:aws:ecr:*:*:*"))], call) == NOT_ALLOWED


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringEquals": {"aws:ResourceTag/project": "ab"}}, {"aws:ResourceTag/project": "ab"}, 1),
        ({"StringEquals": {"aws:ResourceTag/project": "ab"}}, {"aws:ResourceTag/project": "Ab"}, 0),
        ({"StringEquals": {"AWS:resourcetag/project": "a"}}, {"aws:ResourceTag/project": "a"}, 1),
        ({"StringEquals": {"aws:ResourceTag/project": ["a", "b"]}}, {"aws:ResourceTag/project": "b"}, 1),
        ({"StringEquals": {"aws:ResourceTag/project": "a"}}, {}, 0),
        ({"StringEqualsIfExists": {"aws:ResourceTag/project": "a"}}, {}, 1),
        ({"StringNotEquals": {"aws:ResourceTag/project": "a"}}, {}, 1),
        ({"StringNotEquals": {"aws:ResourceTag/project": ["a", "b"]}}, {"aws:ResourceTag/project": "b"}, 0),
        ({"StringLike": {"aws:userid": "*:utility-?"}}, {"aws:userid": "AROA:utility-7"}, 1),
        ({"StringNotLike": {"aws:userid": "*:utility-?"}}, {"aws:userid": "AROA:utility-7"}, 0),
        ({"StringEqualsIgnoreCase": {"aws:userid": "ABC"}}, {"aws:userid": "abc"}, 1),
        ({"Bool": {"aws:SecureTransport": "true"}}, {"aws:SecureTransport": True}, 1),
        ({"Bool": {"aws:SecureTransport": True}}, {"aws:SecureTransport": "false"}, 0),
        ({"Null": {"aws:ResourceTag/project": "true"}}, {}, 1),
        ({"Null": {"aws:ResourceTag/project": "false"}}, {}, 0),
        ({"NumericLessThanEquals": {"sagemaker:Count": "2"}}, {"sagemaker:Count": 2}, 1),
        ({"NumericLessThan": {"sagemaker:Count": "2"}}, {"sagemaker:Count": 2}, 0),
        ({"NumericGreaterThan": {"sagemaker:Count": "2"}}, {"sagemaker:Count": "ten"}, 0),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {"aws:SourceIp": "192.0.2.9"}, 1),
        ({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {"aws:SourceIp": "192.0.2.9"}, 0),
        ({"ArnLike": {"a:arn": "arn:aws:iam::*:role/x*"}}, {"a:arn": "arn:aws:iam::1:role/xy"}, 1),
        ({"StringEquals": {"a:b": "${aws:username}"}}, {"a:b": "eve", "aws:username": "eve"}, 1),
        ({"StringEquals": {"a:b": "1", "a:c": "1"}}, {"a:b": "1"}, 0),
        ({"StringEquals": {"a:b": "1"}, "Bool": {"a:c": "true"}}, {"a:b": "1", "a:c": "false"}, 0),
    ],
)
def test_conditions(condition, context, holds):
    call = AwsCall("sagemaker:InvokeEndpoint", ENDPOINT, context)
    assert (decide([policy(allow("*", Condition=condition))], call) == ALLOWED) == bool(holds)
    both = policy(allow("*"), deny("*", Condition=condition))
    assert (decide([both], call) == DENIED) == bool(holds)


def test_a_variable_in_a_resource():
    own = [policy(allow("s3:GetObject", "arn:aws:s3:::cards/${aws:username}/*"))]
    call = AwsCall("s3:GetObject", "arn:aws:s3:::cards/eve/1", {"aws:username": "eve"})
    assert decide(own, call) == ALLOWED
    assert (
        decide(own, AwsCall("s3:GetObject", "arn:aws:s3:::cards/eve/1", {"aws:username": "bob"}))
        == NOT_ALLOWED
    )
    assert decide(own, AwsCall("s3:GetObject", "arn:aws:s3:::cards/eve/1")) == NOT_ALLOWED


CARDS = "arn:aws:s3:::cards/"


@pytest.mark.parametrize(
    ("pattern", "resource", "context", "matches"),
    [
        ("${aws:username}/*", "eve/1", {"AWS:UserName": "eve"}, 1),  # the case of a key does not matter
        ("${AWS:USERNAME}/*", "eve/1", {"aws:username": "eve"}, 1),
        ("${aws:username, 'all'}/*", "eve/1", {"aws:username": "eve"}, 1),
        ("${aws:username, 'all'}/*", "all/1", {}, 1),
        ("${aws:username, 'all'}/*", "all/1", {"aws:username": "eve"}, 0),
        ("${aws:username, 'a*'}", "all", {}, 0),  # a default has no asterisks
        ("${aws:username}", "${aws:username}", {}, 0),
        ("a${*}b", "a*b", {}, 1),
        ("a${*}b", "axb", {}, 0),
        ("a${?}b", "a?b", {}, 1),
        ("a${?}b", "axb", {}, 0),
        ("${$}{x}", "${x}", {}, 1),
        ("${aws:userid}/*", "AROA:eve/1", {"aws:userid": "AROA:eve"}, 1),
        ("${aws:userid}", "axb", {"aws:userid": "a.b"}, 0),
    ],
)
def test_variables(pattern, resource, context, matches):
    call = AwsCall("s3:GetObject", CARDS + resource, context)
    assert (decide([policy(allow("s3:GetObject", CARDS + pattern))], call) == ALLOWED) == bool(matches)
    text = {"StringLike": {"a:b": pattern}}
    call = AwsCall("s3:GetObject", CARDS, context | {"a:b": resource})
    assert (decide([policy(allow("*", Condition=text))], call) == ALLOWED) == bool(matches)


def test_a_variable_in_stringequals_is_compared_letter_by_letter():
    for pattern, text, same in (("${*}", "*", 1), ("${*}", "x", 0), ("a${$}b", "a$b", 1), ("*", "x", 0)):
        call = AwsCall("s3:GetObject", CARDS, {"a:b": text})
        both = [policy(allow("*", Condition={"StringEquals": {"a:b": pattern}}))]
        assert (decide(both, call) == ALLOWED) == bool(same), pattern


@pytest.mark.parametrize(
    ("context", "problem"),
    [
        ({"aws:username": "*"}, "is not known here"),
        ({"aws:username": "ev?"}, "is not known here"),
        ({"aws:username": ["eve"]}, "is not known here"),
        ({"aws:username": "eve", "AWS:username": "bob"}, "twice"),
    ],
)
def test_a_value_that_would_be_a_pattern_is_refused(context, problem):
    with pytest.raises(PolicyError, match=problem):
        decide([policy(allow("*", CARDS + "${aws:username}"))], AwsCall("s3:GetObject", CARDS, context))


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": "yes"}},
        {"Bool": {"aws:SecureTransport": 1}},
        {"Null": {"aws:username": "none"}},
        {"NumericEquals": {"a:b": "two"}},
        {"NumericLessThan": {"a:b": "nan"}},
        {"NumericLessThan": {"a:b": "1_000"}},
        {"NumericLessThanIfExists": {"a:b": "${a:c}"}},
        {"IpAddress": {"aws:SourceIp": "192.0.2.0/33"}},
        {"NotIpAddress": {"aws:SourceIp": "home"}},
        {"IpAddress": {"aws:SourceIp": "192.0.2.0/255.255.255.0"}},
        {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "192.0.2"]}},
        {"ArnLike": {"a:b": "role/x"}},
        {"StringLike": {"a:b": "${aws:username"}},
        {"StringLike": {"a:b": "${}"}},
        {"StringLike": {"a:b": "${aws:username, all}"}},
        {"StringLike": {"a:b": "${username}"}},
        {"StringEquals": {"a:b": []}},
        {"StringEquals": {"a:b": None}},
        {"StringEquals": {"a:b": {"c": "d"}}},
        {"StringEquals": {"username": "eve"}},
    ],
)
def test_a_condition_that_aws_would_not_take_is_refused(condition):
    """Also where another statement already decides, and where the call lacks the key."""
    with pytest.raises(PolicyError, match=r"^Condition: "):
        decide([policy(allow("*"), deny("*", Condition=condition))], INVOKE)


@pytest.mark.parametrize(
    ("names", "problem"),
    [(["a b"], "letters and digits"), (["a", "a"], "a is there twice"), ([7], "letters"), (["é"], "letters")],
)
def test_the_names_of_statements(names, problem):
    with pytest.raises(PolicyError, match=problem):
        decide([policy(*(allow("*", Sid=name) for name in names))], INVOKE)
    assert decide([policy(allow("*", Sid="A1"), allow("*", Sid="A2"), allow("*", Sid=""))], INVOKE) == ALLOWED


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ([], "an object"),
        ({"Statement": [allow("*")]}, "2012-10-17"),
        (policy(), "at least one statement"),
        (policy("all"), "a statement is an object"),
        (policy({"Effect": "allow", "Action": "*", "Resource": "*"}), "Effect"),
        (policy({"Effect": "Allow", "Resource": "*"}), "either Action or NotAction"),
        (policy({"Effect": "Allow", "Action": "*"}), "either Resource or NotResource"),
        (policy(allow("*", NotResource="*")), "either Resource or NotResource"),
        (policy(allow("*", Principal="*")), "no Principal"),
        (policy(allow([])), "Action must be"),
        (policy(allow(7)), "Action must be"),
        (policy(allow("InvokeEndpoint")), "not SERVICE:NAME"),
        (policy(allow("*:InvokeEndpoint")), "not SERVICE:NAME"),
        (policy(allow("*", "meter-reader")), "neither"),
        (policy(allow("*", "arn:aws:s*:::x")), "neither"),
        (policy(allow("*", "arn:aws:${aws:service}:::x")), "neither"),
        (policy(allow("*", "arn:aws:s3:${aws:username}:x")), "six parts"),
        (policy(allow("*", "arn:aws:s3:::${cards}")), "is no variable"),
        (policy(allow("*", "arn:${aws:x}:s3:::cards")), "before the fifth colon"),
        (policy(allow("*", "arn:aws:s3:${aws:RequestedRegion}::cards")), "before the fifth colon"),
        (policy(allow("*", "arn:aws:sqs:us-east-1:${aws:PrincipalAccount}:q")), "before the fifth colon"),
        (policy(allow("*", ["*", "arn:aws:sqs:us-east-1:${aws:a, '1'}:${aws:b}"])), "before the fifth colon"),
        (
            policy({"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:sqs:us-east-1:1${*}:q"}),
            "before the fifth colon",
        ),
        (policy(allow("*", NotResource=None)), "either Resource or NotResource"),
        (policy(allow("*", "arn:aws:sagemaker:us-east-1:meter-reader")), "six parts"),
        (policy(allow("*", "arn:aws:sagemaker:us*endpoint/meter-reader")), "six parts"),
        (policy(allow("*", Condition={"StringIs": {"a": "b"}})), "operator StringIs"),
        (policy(allow("*", Condition={"ForAnyValue:StringLike": {"a": "b"}})), "is not known here"),
        (policy(allow("*", Condition={"StringEquals": "a"})), "Condition is an object"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(wrong, problem):
    with pytest.raises(PolicyError, match=problem):
        decide([wrong], INVOKE)


CALLS = {  # what moto checks before it answers: the action of each
    "iam:ListUsers": lambda client: client("iam").list_users(),
    "iam:ListRoles": lambda client: client("iam").list_roles(),
    "sns:ListTopics": lambda client: client("sns").list_topics(),
    "sagemaker:ListModels": lambda client: client("sagemaker").list_models(),
    "sagemaker:ListEndpoints": lambda client: client("sagemaker").list_endpoints(),
    "logs:DescribeLogGroups": lambda client: client("logs").describe_log_groups(),
}
PATTERNS = [
    "*",
    "iam:*",
    "iam:ListUsers",
    "iam:List?sers",
    "sagemaker:List*",
    "sagemaker:ListModels",
    "sns:*",
    "logs:Describe*",
    "logs:DescribeLogGroup",
]


def random_policy(generator):
    return policy(
        *(
            {
                "Effect": generator.choice(["Allow", "Allow", "Deny"]),
                "Action": generator.sample(PATTERNS, generator.randint(1, 3)),
                "Resource": "*",
            }
            for _ in range(generator.randint(1, 3))
        )
    )


def test_moto_decides_the_same():
    """moto enforces actions only, neither resources nor conditions (5.2)."""
    ensure("moto")
    generator, counts = random.Random(22), {ALLOWED: 0, "refused": 0}
    # The first calls are free: they make the user that the rules are for.
    with emulator(INITIAL_NO_AUTH_ACTION_COUNT="2") as server:

        def clients(*key):
            session = nobody("us-east-1", *key)
            config = Config(retries={"total_max_attempts": 1}, proxies={})

            @functools.cache
            def client(service):
                return session.client(service, endpoint_url=server.url, config=config)

            return client

        free = clients()("iam")
        free.create_user(UserName="student")
        key = free.create_access_key(UserName="student")["AccessKey"]
        student = clients(key["AccessKeyId"], key["SecretAccessKey"])
        for _ in range(12):
            current = random_policy(generator)
            put_policy(server.url, student, current)
            for action, call in CALLS.items():
                try:
                    call(student)
                    answer = ALLOWED
                except ClientError as error:
                    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
                    answer = "refused"
                counts[answer] += 1
                assert (decide([current], AwsCall(action)) == ALLOWED) == (answer == ALLOWED), (
                    current,
                    action,
                )
    assert min(counts.values()) >= 10


def put_policy(address, student, current):
    """Give the student a policy; moto's own door for that counts again which calls are free."""
    httpx2.post(f"{address}/moto-api/reset-auth", content=b"1", trust_env=False).raise_for_status()
    student("iam").put_user_policy(UserName="student", PolicyName="now", PolicyDocument=json.dumps(current))
