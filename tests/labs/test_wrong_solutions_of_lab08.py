"""Wrong solutions of lab 08: each is refused, in the part that names its mistake."""

import json
import re

import pytest
from wrong_solutions import refused, solution

from fsdl_course.labs.questions import load
from fsdl_deploy.paths import ROOT

LAB = "lab08"


CONSTANTS = {
    "q1": [
        [200, {"predictions": []}],
        [415, {"error": "Content-Type"}],
        [400, {"error": "body"}],
        [400, {"error": "instances"}],
        [400, {"error": "instances[1]"}],
    ],
    "q2": [0.0, 1.0],
    "q3": [None, 0, 1, 10**6],
    "q4": [None, ["endpoint", 1, 73.0]],
    "q5": [
        {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": "*", "Resource": "*"}]}
        for effect in ("Allow", "Deny")
    ],
    "q6": [[], [["trial", 18.28]]],
    "q7": [[], list(range(0, 60, 6))],
}


@pytest.mark.parametrize(
    ("question", "constant"), [(q, c) for q, values in CONSTANTS.items() for c in values]
)
def test_a_constant_answer_earns_nothing(question, constant):
    parts = {part.name for part in load(ROOT / "solutions" / LAB).question(question).parts}
    assert parts - refused(LAB, question, lambda *arguments: constant).keys() == set()


def allow(action, resource="*", **rest):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


BACKUP = "arn:aws:s3:::company-backup/*"
TOO_WIDE = {
    "all, with a second factor": allow("*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
    "all, from anywhere": allow("*", Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
    "all but": {"Effect": "Allow", "NotAction": ["s3:*", "sagemaker:*", "iam:*"], "Resource": "*"},
    "another service": allow("dynamodb:*"),
    "what becomes an administrator": allow(["iam:CreateAccessKey", "iam:PutUserPolicy"]),
    "writes elsewhere": allow(["s3:PutObject", "s3:DeleteObject"], BACKUP),
    "a policy of a bucket": allow("s3:DeleteBucketPolicy"),
    "more of SageMaker": allow(["sagemaker:DeleteEndpointConfig", "sagemaker:CreateModel"]),
    "reads elsewhere": allow("s3:GetObject", BACKUP),
    "reads elsewhere with a second factor": allow(
        "s3:GetObject", BACKUP, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    ),
    "reads all that begins alike": allow("s3:GetObject", "arn:aws:s3:::c*"),
    "reads what is one letter longer": allow("s3:GetObject", "arn:aws:s3:::cards?/*"),
    "reads by a variable": allow("s3:GetObject", "arn:aws:s3:::${aws:PrincipalTag/team}/*"),
    "reads all but": {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::payroll/*"},
}


@pytest.mark.parametrize("wide", TOO_WIDE)
def test_a_policy_that_allows_more_besides_earns_nothing(wide):
    right = solution(LAB, "q5")

    def policy(job):
        whole = right(job)
        return whole | {"Statement": [*whole["Statement"], TOO_WIDE[wide]]}

    parts = {part.name for part in load(ROOT / "solutions" / LAB).question("q5").parts}
    assert parts - refused(LAB, "q5", policy).keys() == set()


def test_a_deny_that_only_seems_to_narrow_a_wide_allow_earns_nothing():
    right = solution(LAB, "q5")

    def policy(job):
        whole = right(job)
        reads = [entry["Resource"] for entry in whole["Statement"] if entry["Action"] == "s3:GetObject"]
        narrowed = {"Effect": "Deny", "Action": "s3:GetObject", "NotResource": [*reads, BACKUP],
                    "Condition": {"StringNotEquals": {"aws:username": "eve"}}}  # fmt: skip
        return whole | {"Statement": [*whole["Statement"], allow("s3:GetObject"), narrowed]}

    assert any("read below" in part for part in refused(LAB, "q5", policy))


RIGHT_TOO = {
    "a list with one resource": lambda text: text.replace('"s3:ListBucket"', '["S3:listbucket"]'),
    "a value in a list": lambda text: re.sub('"aws:ResourceTag/project": ("[^"]+")',
                                             r'"AWS:resourcetag/project": [\1]', text),
    "a pattern without a mark": lambda text: text.replace("StringEquals", "StringLike"),
    "all deletions denied": lambda text: text.replace('"s3:DeleteObject", "s3:DeleteObjectVersion", '
                                                      '"s3:DeleteBucket"', '"s3:Delete*"'),
    "denied without a tag": lambda text: re.sub(
        r'"Condition": {"StringEquals": {"aws:ResourceTag/project": ("[^"]+")}}',
        r'"Condition": {"StringEquals": {"aws:ResourceTag/project": \1}, '
        r'"Null": {"aws:ResourceTag/project": "false"}}', text),
}  # fmt: skip


@pytest.mark.parametrize("other", RIGHT_TOO)
def test_another_right_policy_earns_every_part(other):
    right = solution(LAB, "q5")
    changed = [0]

    def policy(job):
        text = json.dumps(right(job))
        changed[0] += RIGHT_TOO[other](text) != text
        return json.loads(RIGHT_TOO[other](text))

    assert refused(LAB, "q5", policy) == {} and changed[0] > 0


def test_the_adapter_bears_brackets_without_end():
    assert solution(LAB, "q1")("application/json", "[" * 200_000) == [400, {"error": "body"}]


def test_the_order_of_the_sums_decides_no_account():
    """Hours by the price of each variant, or by all prices together: both are right, and round alike."""
    asked, right = load(ROOT / "solutions" / LAB).question("q6"), solution(LAB, "q6")
    parts = [part for part in asked.parts if not part.public]
    assert len(parts) == 1

    def other(endpoints, rule):
        rows = {name: cost for name, cost in right(endpoints, rule)}
        for entry in endpoints:
            if entry["name"] in rows:
                hours = rule["now"] - entry["made"]
                costs = (hours * rule["prices"][kind] * count for kind, count in entry["variants"])
                rows[entry["name"]] = round(sum(costs), 2)
        return sorted(([name, cost] for name, cost in rows.items()), key=lambda row: (-row[1], row[0]))

    for seed in range(300):
        for arguments in parts[0].drawn(f"x{seed}"):
            assert other(*arguments) == right(*arguments), seed
