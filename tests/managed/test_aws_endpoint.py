"""The endpoint on AWS, against moto: deployed, looked at, destroyed, and killed between any two calls."""

import datetime
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from botocore.exceptions import ClientError

from fsdl_deploy import cli
from fsdl_deploy.managed import aws_endpoint
from fsdl_deploy.managed.aws_emulator import forget
from fsdl_deploy.managed.aws_profile import watched
from fsdl_deploy.managed.aws_session import NOBODY, AwsSession, SessionError
from fsdl_deploy.managed.infrastructure import TAG
from fsdl_deploy.managed.infrastructure_settings import InfrastructureError, settings

BOTH, SINGLE = {"v1": 9, "v2": 1}, {"v2": 1}
READS = ("Get", "Describe", "List", "Head")


def changes_something(action):
    return not action.partition(":")[2].startswith(READS)


class Killed(BaseException):
    """The program ends here, without a word."""


def quiet(text):
    pass


SESSIONS: dict = {}  # by address: AWS's clients take long to make
WATCHERS: dict = {}


def session(address, look=None):
    """A session of an address; each of its calls is shown to ``look`` before it is sent."""
    if (address, bool(look)) not in SESSIONS:
        SESSIONS[address, bool(look)] = AwsSession("us-east-1", address)
        if look:
            SESSIONS[address, True].before_each_call(lambda action: WATCHERS[address](action))
    WATCHERS[address] = look
    return SESSIONS[address, bool(look)]


def killed_after(changes):
    """What kills the program at its change number ``changes`` (from 0), before that is sent."""
    sent = []

    def look(action):
        if changes_something(action):
            if len(sent) == changes:
                raise Killed
            sent.append(action)

    return look


def names(address, name="meter-reader"):
    return list(aws_endpoint.present(session(address), name))


@pytest.mark.parametrize("variants", [BOTH, SINGLE])
def test_deployed_twice_and_destroyed_twice(empty, variants):
    plan = settings(variants=variants, mail="somebody@example.org")
    for _ in range(2):
        aws_endpoint.deploy(session(empty), plan, quiet)
    state = aws_endpoint.status(session(empty), plan)
    assert len(state.parts) == 8 + 5 * len(variants) - 1
    assert state.instances == dict.fromkeys(variants, 1)
    assert state.hourly == pytest.approx(0.23 * len(variants))
    for _ in range(2):
        assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []
    assert names(empty) == []
    everything = session(empty).client("resourcegroupstaggingapi").get_resources()
    assert everything["ResourceTagMappingList"] == []


def all_changes(address):
    """The changes that a deployment makes, in their order."""
    seen = []
    aws_endpoint.deploy(session(address, seen.append), settings(), quiet)
    return list(filter(changes_something, seen))


def check_cut(address, changes, then):
    forget(address)
    with pytest.raises(Killed):
        aws_endpoint.deploy(session(address, killed_after(changes)), settings(), quiet)
    if then == "deploy":
        aws_endpoint.deploy(session(address), settings(), quiet)
        assert aws_endpoint.status(session(address), settings()).state == "InService"
    assert aws_endpoint.destroy(session(address), "meter-reader", quiet) == []
    left = session(address).client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"]
    assert left == [] and session(address).client("s3").list_buckets()["Buckets"] == []


def test_killed_between_any_two_changes_of_a_deployment(empty):
    count = len(all_changes(empty))
    assert count >= 20
    for changes in range(count):
        check_cut(empty, changes, "destroy")


@pytest.mark.thorough
def test_killed_deployed_again_and_destroyed(empty):
    for changes in range(len(all_changes(empty))):
        check_cut(empty, changes, "deploy")


def test_killed_between_any_two_changes_of_a_destruction(empty):
    for changes in range(100):
        aws_endpoint.deploy(session(empty), settings(variants=SINGLE), quiet)
        try:
            aws_endpoint.destroy(session(empty, killed_after(changes)), "meter-reader", quiet)
            break
        except Killed:
            assert names(empty), "nothing was left to do"
            assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []
    assert changes >= 12 and names(empty) == []


def test_what_cannot_be_removed_is_named_and_stops_nothing(empty):
    aws_endpoint.deploy(session(empty), settings(), quiet)
    denied = {"Error": {"Code": "AccessDenied", "Message": "you may not"}}

    def look(action):
        if action in ("sagemaker:DeleteModel", "s3:DeleteBucket"):
            raise ClientError(denied, action)

    lines = []
    left = aws_endpoint.destroy(session(empty, look), "meter-reader", lines.append)
    kinds = {kind for kind, _ in left}
    assert kinds == {"AWS::SageMaker::Model", "AWS::S3::Bucket", "AWS::SNS::Topic"}
    assert any("NOT removed" in line and "you may not" in line for line in lines)
    assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []


def refusing(*actions):
    """Refuses these calls, as AWS does without the right."""

    def look(action):
        if action in actions:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "you may not"}}, action)

    return look


SCALING = "application-autoscaling:"


@pytest.mark.parametrize(
    ("refused", "kind"),
    [
        ("DeregisterScalableTarget", "ScalableTarget"),
        ("DeleteScalingPolicy", "ScalingPolicy"),
        ("DescribeScalableTargets", "ScalableTarget"),
        ("DescribeScalingPolicies", "ScalingPolicy"),
    ],
)
def test_scaling_that_cannot_be_removed_is_left_until_it_is_gone(empty, refused, kind, capsys):
    """It has no tag: it may neither be forgotten, nor be taken for somebody else's later."""
    aws_endpoint.deploy(session(empty), settings(variants=SINGLE), quiet)
    left = aws_endpoint.destroy(session(empty, refusing(SCALING + refused)), "meter-reader", quiet)
    expected = {f"AWS::ApplicationAutoScaling::{kind}", "AWS::SNS::Topic"}
    assert {there for there, _ in left} == expected
    aws_endpoint.deploy(session(empty), settings(variants=SINGLE), quiet)
    aws_endpoint.destroy(session(empty, refusing(SCALING + refused)), "meter-reader", quiet)
    again = aws_endpoint.destroy(session(empty, refusing(SCALING + refused)), "meter-reader", quiet)
    assert {there for there, _ in again} == expected
    assert cli.main(["managed", "aws", "destroy", "--endpoint-url", empty]) == 0
    assert "Nothing of meter-reader is left" in capsys.readouterr().out
    scaling = session(empty).client("application-autoscaling")
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []


def test_a_bucket_without_its_tag_that_cannot_be_removed_is_left_until_it_is_gone(empty):
    def look(action):
        if action == "s3:PutBucketTagging":
            raise Killed

    with pytest.raises(Killed):
        aws_endpoint.deploy(session(empty, look), settings(), quiet)
    for _ in range(2):
        left = aws_endpoint.destroy(session(empty, refusing("s3:DeleteBucket")), "meter-reader", quiet)
        assert {kind for kind, _ in left} == {"AWS::S3::Bucket", "AWS::SNS::Topic"}
    assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []
    assert session(empty).client("s3").list_buckets()["Buckets"] == []


def test_as_long_as_the_endpoint_is_there_what_warns_of_it_is_too(empty):
    aws_endpoint.deploy(session(empty), settings(), quiet)

    def look(action):
        if action == "sagemaker:DeleteEndpoint":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "you may not"}}, action)

    left = {kind for kind, _ in aws_endpoint.destroy(session(empty, look), "meter-reader", quiet)}
    assert {"AWS::SageMaker::Endpoint", "AWS::CloudWatch::Alarm", "AWS::Budgets::Budget"} <= left
    assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []


def test_what_begins_alike_or_is_somebody_elses_stays(empty):
    aws_endpoint.deploy(session(empty), settings(), quiet)
    sagemaker = session(empty).client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName="meter-reader")["EndpointConfigName"]
    tags = [{"Key": TAG, "Value": "meter-reader"}]
    sagemaker.create_endpoint(EndpointName="meter-reader-prod", EndpointConfigName=config, Tags=tags)
    sagemaker.create_endpoint(EndpointName="prod", EndpointConfigName=config)
    with pytest.raises(InfrastructureError, match="somebody else's"):
        aws_endpoint.destroy(session(empty), "prod", quiet)
    assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []
    names_left = {item["EndpointName"] for item in sagemaker.list_endpoints()["Endpoints"]}
    assert names_left == {"meter-reader-prod", "prod"}


def test_an_empty_name_is_no_name(empty, capsys):
    assert cli.main(["managed", "aws", "destroy", "--name", "", "--endpoint-url", empty]) != 0
    assert "name" in capsys.readouterr().err


def test_what_cannot_be_looked_at_counts_as_left(empty):
    denied = {"Error": {"Code": "AccessDenied", "Message": "you may not"}}

    def look(action):
        if action == "sagemaker:ListEndpoints":
            raise ClientError(denied, action)

    assert [kind for kind, _ in aws_endpoint.destroy(session(empty, look), "meter-reader", quiet)] == [
        "AWS::SageMaker::Endpoint"
    ]


def test_a_bucket_with_captured_cards_is_emptied_and_removed(empty):
    aws_endpoint.deploy(session(empty), settings(), quiet)
    store = session(empty).client("s3")
    for number in range(3):
        store.put_object(Bucket="meter-reader-123456789012-us-east-1", Key=f"captured/{number}", Body=b"card")
    assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []


ACCOUNT, ROLE = "123456789012", "arn:aws:iam::123456789012:role/other"
IMAGE = {"Image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/other:1"}
OTHERS = [{"Key": TAG, "Value": "payroll"}]
VARIANT = {
    "VariantName": "v1",
    "ModelName": "other",
    "InstanceType": "ml.m5.xlarge",
    "InitialInstanceCount": 1,
}
SCALED = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/meter-reader/variant/v1",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


def foreign_budget(client):
    limit = {"Amount": "9", "Unit": "USD"}
    budget = {"BudgetName": "meter-reader-us-east-1", "BudgetType": "COST", "TimeUnit": "MONTHLY",
              "BudgetLimit": limit, "CostFilters": {"TagKeyValue": ["user:project$payroll"]}}  # fmt: skip
    client("budgets").create_budget(AccountId=ACCOUNT, Budget=budget)


def foreign_bucket(client, card=True):
    bucket = f"meter-reader-{ACCOUNT}-us-east-1"
    client("s3").create_bucket(Bucket=bucket)
    if card:
        client("s3").put_object(Bucket=bucket, Key="payroll", Body=b"salaries")


def foreign_endpoint(client, config="other", name="meter-reader"):
    sagemaker = client("sagemaker")
    sagemaker.create_model(ModelName="other", PrimaryContainer=IMAGE, ExecutionRoleArn=ROLE)
    sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[VARIANT])
    if name:
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)


def foreign_alarm(client):
    client("cloudwatch").put_metric_alarm(
        AlarmName="meter-reader--v1-idle", Namespace="payroll", MetricName="late", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=7, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip


NAMESAKES = {
    "Budget meter-reader-us-east-1": foreign_budget,
    "Topic meter-reader": lambda client: client("sns").create_topic(Name="meter-reader", Tags=OTHERS),
    "Bucket meter-reader-123456789012-us-east-1": foreign_bucket,
    "Bucket meter-reader-123456789012-us-east-1 ": lambda client: foreign_bucket(client, card=False),
    "LogGroup /aws/sagemaker/Endpoints/meter-reader": lambda client: client("logs").create_log_group(
        logGroupName="/aws/sagemaker/Endpoints/meter-reader"
    ),
    "Role meter-reader-us-east-1": lambda client: client("iam").create_role(
        RoleName="meter-reader-us-east-1", AssumeRolePolicyDocument="{}", Tags=OTHERS
    ),
    "Alarm meter-reader--v1-idle": foreign_alarm,
    "Model meter-reader--v1": lambda client: client("sagemaker").create_model(
        ModelName="meter-reader--v1", PrimaryContainer=IMAGE, ExecutionRoleArn=ROLE
    ),
    "EndpointConfig meter-reader": lambda client: foreign_endpoint(client, "meter-reader", ""),
    "ScalableTarget endpoint/meter-reader/variant/v1": lambda client: (
        foreign_endpoint(client),
        client("application-autoscaling").register_scalable_target(**SCALED, MinCapacity=7, MaxCapacity=9),
    ),
}


@pytest.mark.parametrize("namesake", NAMESAKES)
def test_a_namesake_of_somebody_else_stops_a_deployment_before_its_first_change(empty, namesake):
    NAMESAKES[namesake](session(empty).client)
    seen = []
    with pytest.raises(InfrastructureError, match=f"Nothing was made: .*{namesake.strip()}"):
        aws_endpoint.deploy(session(empty, seen.append), settings(), quiet)
    assert list(filter(changes_something, seen)) == []


@pytest.mark.parametrize("namesake", NAMESAKES)
def test_a_namesake_of_somebody_else_is_no_part_of_ours_to_be_removed(empty, namesake):
    NAMESAKES[namesake](session(empty).client)
    seen = []
    try:
        assert aws_endpoint.destroy(session(empty, seen.append), "meter-reader", quiet) == []
    except InfrastructureError as error:  # the endpoint itself is a namesake
        assert "somebody else's" in str(error) and "ScalableTarget" in namesake
    assert list(filter(changes_something, seen)) == [] and names(empty) == []


def test_all_namesakes_are_named_at_once_in_one_sentence(empty, capsys):
    for kind in ("Budget meter-reader-us-east-1", "Topic meter-reader"):
        NAMESAKES[kind](session(empty).client)
    assert cli.main(["managed", "aws", "deploy", "--yes", "--endpoint-url", empty]) == 1
    (sentence,) = capsys.readouterr().err.strip().splitlines()
    assert "Budget meter-reader-us-east-1, Topic meter-reader" in sentence and "--name" in sentence


def test_the_log_that_our_endpoint_made_anew_is_removed_with_it(empty):
    aws_endpoint.deploy(session(empty), settings(variants=SINGLE), quiet)
    logs = session(empty).client("logs")
    logs.delete_log_group(logGroupName="/aws/sagemaker/Endpoints/meter-reader")
    logs.create_log_group(logGroupName="/aws/sagemaker/Endpoints/meter-reader")
    aws_endpoint.deploy(session(empty), settings(variants=SINGLE), quiet)
    assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []
    assert logs.describe_log_groups()["logGroups"] == []


def test_two_regions_share_nothing(empty):
    far = AwsSession("eu-west-1", empty)
    plan = settings(variants=SINGLE)
    aws_endpoint.deploy(session(empty), plan, quiet)
    aws_endpoint.deploy(far, settings(variants=SINGLE, region="eu-west-1", budget=7), quiet)
    near = names(empty)
    assert len(near) == 12 and len(list(aws_endpoint.present(far, "meter-reader"))) == 12
    assert aws_endpoint.destroy(far, "meter-reader", quiet) == []
    assert names(empty) == near
    budgets = session(empty).client("budgets").describe_budgets(AccountId=ACCOUNT)["Budgets"]
    assert [(budget["BudgetName"], float(budget["BudgetLimit"]["Amount"])) for budget in budgets] == [
        ("meter-reader-us-east-1", plan.budget)
    ]
    assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []


def test_another_address_takes_the_place_of_the_old_one(empty):
    def addresses():
        mails = session(empty).client("sns").list_subscriptions()["Subscriptions"]
        return sorted(mail["Endpoint"] for mail in mails)

    for mail, expected in (("old@example.org", ["old@example.org"]), ("new@example.org", ["new@example.org"]),
                           ("new@example.org", ["new@example.org"]), ("", [])):  # fmt: skip
        aws_endpoint.deploy(session(empty), settings(variants=SINGLE, mail=mail), quiet)
        assert addresses() == expected


def test_two_endpoints_do_not_touch_each_other(empty):
    for name in ("meter-reader", "meter-reader-two"):
        aws_endpoint.deploy(session(empty), settings(name=name, variants=SINGLE), quiet)
    before = names(empty, "meter-reader-two")
    assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []
    assert names(empty, "meter-reader-two") == before and len(before) == 12


def test_other_variants_need_a_destruction_first(empty):
    aws_endpoint.deploy(session(empty), settings(), quiet)
    with pytest.raises(InfrastructureError, match=r"another ProductionVariants.*destroy first"):
        aws_endpoint.deploy(session(empty), settings(variants=SINGLE), quiet)
    assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []


def test_an_endpoint_that_was_left_running(empty):
    aws_endpoint.deploy(session(empty), settings(), quiet)
    created = (
        session(empty).client("sagemaker").describe_endpoint(EndpointName="meter-reader")["CreationTime"]
    )
    state = aws_endpoint.status(session(empty), settings(), now=created + datetime.timedelta(hours=62))
    assert state.cost == pytest.approx(62 * 2 * 0.23)
    assert "62.0 h old, with v1: 1, v2: 1: 0.46 USD an hour, about 28.52 USD so far" in str(state)


def test_the_price_is_that_of_the_instances_that_run(empty):
    """Not that of the settings, which may have changed since; one without a price can be destroyed."""
    aws_endpoint.deploy(session(empty), settings(instance="ml.c5.xlarge"), quiet)
    assert aws_endpoint.status(session(empty), settings()).hourly == pytest.approx(2 * 0.204)
    assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []
    aws_endpoint.deploy(session(empty), settings(instance="ml.p2.8xlarge"), quiet)
    state = aws_endpoint.status(session(empty), settings())
    assert "at a price that is not in the table" in str(state)
    assert aws_endpoint.destroy(session(empty), "meter-reader", quiet) == []


def test_another_region_than_that_of_the_price_is_named():
    assert "In eu-west-1 prices differ." in aws_endpoint.price_said(settings(region="eu-west-1"))
    assert "differ" not in aws_endpoint.price_said(settings())


class _Recorder(BaseHTTPRequestHandler):
    """Passes requests on to moto, and keeps their headers."""

    seen: list
    target: str

    def _pass(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        type(self).seen.append(str(self.headers))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
        answer = httpx2.request(self.command, type(self).target + self.path, content=body, headers=headers,
                                trust_env=False)  # fmt: skip
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "content-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _pass

    def log_message(self, *words):
        pass


@pytest.fixture
def recorded(empty):
    kind = type("Kind", (_Recorder,), {"seen": [], "target": empty})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", kind.seen
    server.shutdown()
    server.server_close()


def test_a_profile_in_the_environment_and_at_home_is_untouched(recorded):
    address, seen = recorded
    for action in ("deploy", "status", "destroy"):
        run = watched("managed", "aws", action, "--yes", "--endpoint-url", address)
        assert run.status == 0, run.output + run.errors
        assert (run.opened, run.connected, run.kept) == (set(), {"127.0.0.1"}, True)
    assert "Nothing of meter-reader is left" in run.output
    signed = [text for text in seen if "Credential=" in text]
    assert len(seen) > 50 and len(signed) == len(seen)
    assert all(f"Credential={NOBODY}/" in text and "REAL" not in text for text in seen)
    assert not any("eu-west-1" in text or "oken" in text for text in seen)


def test_the_watch_sees_a_profile_that_is_read(empty):
    """So its silence above means something."""
    run = watched("managed", "aws", "status", "--profile", "default")
    assert {"config", "credentials"} <= run.opened and "127.0.0.1" not in run.connected
    assert run.status == 1 and "192.0.2" in run.errors, run.errors


def test_without_an_address_no_profile_is_taken_from_the_environment():
    run = watched("managed", "aws", "deploy", "--yes")
    assert run.status == 1 and "--profile NAME" in run.errors and run.output == ""
    assert (run.opened, run.connected) == (set(), set())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "Say where"),
        ({"endpoint_url": "http://127.0.0.1:1", "profile": "mine"}, "not both"),
        ({"endpoint_url": "127.0.0.1:5000"}, "no address"),
        ({"endpoint_url": "http://127.0.0.1:port"}, "no address"),
    ],
)
def test_a_session_says_where(options, problem):
    with pytest.raises(SessionError, match=problem):
        AwsSession("us-east-1", **options)


def test_nothing_is_deployed_before_somebody_agrees(empty):
    run = watched("managed", "aws", "deploy", "--endpoint-url", empty)
    assert run.status == 1 and "0.46 USD an hour" in run.output and "--yes" in run.errors
    assert names(empty) == []


def test_left_overs_end_with_a_status_of_one(empty, monkeypatch, capsys):
    from fsdl_deploy import cli

    aws_endpoint.deploy(session(empty), settings(), quiet)
    monkeypatch.setattr(aws_endpoint.PARTS["AWS::S3::Bucket"], "remove", lambda self, name: None)
    assert cli.main(["managed", "aws", "destroy", "--endpoint-url", empty]) == 1
    assert "LEFT" in (text := capsys.readouterr().out) and "AWS::S3::Bucket" in text


def test_an_emulator_that_is_not_there_is_a_sentence():
    run = watched("managed", "aws", "status", "--endpoint-url", "http://127.0.0.1:1")
    assert run.status == 1 and "Could not connect" in run.errors and "Traceback" not in run.errors
