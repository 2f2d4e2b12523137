"""Wrong solutions of lab 08: each is refused, in the part that names its mistake."""

import json
import re

import pytest
from wrong_solutions import refused, solution

from fsdl_course.labs.questions import load
from fsdl_deploy.paths import ROOT

LAB = "lab08"
KIND = 'content_type.partition(";")[0].strip().lower()'
DECODED = 'base64.b64decode(item["in0"], validate=True)'
MILLISECONDS = '-(-work["microseconds"] // 1000) / 1000'
COMPUTE = 'max(0, used - prices["free_gb_seconds"]) * prices["gb_second"]'
PAID = 'max(0, work["requests"] - prices["free_requests"])'
PER_READING = 'month / (work["requests"] * work["readings"]) * 1_000_000'
TOO_MUCH = "    if function_cost(tiers, most) < server:\n        return None\n"
ENOUGH = "function_cost(tiers, middle) >= server"
NEEDED = 'math.ceil(round(demand["busiest"] / (0.6 * offer["rate"]), 9))'
GOOD = 'offer["p99"] <= demand["p99"] and cost <= demand["budget"]'
CHEAPEST = "min(good, key=lambda offer: offer[:2])"
TIDY = '["sagemaker:DescribeEndpoint", "sagemaker:DeleteEndpoint"]'
HOURS = '(rule["now"] - endpoint["made"])'
SORTED = "sorted(rows, key=lambda row: (-row[1], row[0]))"
IDLE = 'rule["now"] - since >= rule["idle"]'
MISTAKES = [
    ("q1", KIND, "content_type", "a picture as it is"),
    ("q1", KIND, 'content_type.partition(";")[0].strip()', "a picture as it is"),
    ("q1", KIND, "content_type.lower()", "a picture as it is"),
    ("q1", KIND, 'content_type.partition(";")[0].lower()', "other requests"),
    ("q1", 'kind == "image/png"', 'kind.startswith("image/")', "another type"),
    ("q1", 'kind == "image/png"', 'kind.startswith("image/png")', "another type"),
    ("q1", 'kind != "application/json"', '"json" not in kind', "another type"),
    ("q1", "[415,", "[400,", "another type"),
    ("q1", '[415, {"error": "Content-Type"}]', '[415, {"error": kind}]', "another type"),
    ("q1", 'return [400, {"error": "body"}]', 'return [500, {"error": "body"}]', "a body that is neither"),
    ("q1", "        document = None", "        document = {}", "a body that is neither"),
    ("q1", "if not isinstance(document, dict)", "if document is None", "a body that is neither"),
    (
        "q1",
        "except (ValueError, RecursionError):",
        "except TypeError:",
        "a body that is neither",
    ),
    ("q1", "if not isinstance(instances, list) or not instances", "if not instances", "no instances"),
    ("q1", " or not instances:", ":", "no instances"),
    ("q1", "if not isinstance(instances, list) or not instances", "if instances is None", "no instances"),
    ("q1", ", validate=True", "", "the first bad item"),
    ("q1", "(KeyError, TypeError, ValueError)", "(KeyError, ValueError)", "the first bad item"),
    ("q1", "(KeyError, TypeError, ValueError)", "(TypeError, ValueError)", "the first bad item"),
    ("q1", "(KeyError, TypeError, ValueError)", "(KeyError, TypeError)", "the first bad item"),
    ("q1", 'f"instances[{place}]"', '"instances"', "the first bad item"),
    ("q1", "enumerate(instances)", "enumerate(instances, 1)", "the first bad item"),
    ("q1", f"read({DECODED})", DECODED + ".decode('latin-1')", "pictures in JSON"),
    ("q1", "enumerate(instances):", "reversed(list(enumerate(instances))):", "in their order"),
    ("q1", f"read({DECODED})", 'read(item["in0"].encode())', "pictures in JSON"),
    ("q2", MILLISECONDS, 'work["microseconds"] / 1_000_000', "whole milliseconds"),
    ("q2", MILLISECONDS, 'work["microseconds"] // 1000 / 1000', "whole milliseconds"),
    ("q2", MILLISECONDS, 'round(work["microseconds"] / 1000) / 1000', "whole milliseconds"),
    ("q2", MILLISECONDS, '-(-work["microseconds"] // 1000)', "memory and time"),
    ("q2", MILLISECONDS, 'max(0.1, work["microseconds"] / 1e6)', "memory and time"),
    (
        "q2",
        MILLISECONDS,
        'math.ceil(work["microseconds"] * work["requests"] / 1000) / 1000 / work["requests"]',
        "whole milliseconds",
    ),
    ("q2", '["megabytes"] / 1024', '["megabytes"] / 1000', "1024 megabytes"),
    ("q2", '["megabytes"] / 1024', '["megabytes"]', "memory and time"),
    ("q2", '["megabytes"] / 1024', '["megabytes"] // 1024', "1024 megabytes"),
    ("q2", "month = compute + paid", "month = compute + 0 * paid", "requests cost, too"),
    ("q2", "paid / 1_000_000 *", "paid *", "requests cost, too"),
    ("q2", "paid / 1_000_000 *", "-(-paid // 1_000_000) *", "what is free"),
    ("q2", COMPUTE, 'used * prices["gb_second"]', "what is free"),
    ("q2", COMPUTE, COMPUTE.replace("max(0, used", "(used"), "what is free"),
    ("q2", COMPUTE, 'max(0, used * prices["gb_second"] - prices["free_gb_seconds"])', "what is free"),
    ("q2", PAID, 'work["requests"]', "what is free"),
    ("q2", PAID, f"{PAID} * (compute > 0)", "what is free"),
    ("q2", PAID, PAID.replace("max(0, ", "("), "what is free"),
    (
        "q2",
        PAID,
        'max(0, work["requests"] * work["readings"] - prices["free_requests"])',
        "requests cost, too",
    ),
    ("q2", PER_READING, 'month / work["requests"] * 1_000_000', "per reading"),
    ("q2", PER_READING, 'month / work["requests"] * work["readings"] * 1_000_000', "per reading"),
    ("q2", PER_READING, f"round({PER_READING}, 2)", "other months"),
    ("q2", PER_READING, "month", "memory and time"),
    ("q2", '    if not work["requests"]:\n        return 0.0\n', "", "a month without"),
    ("q3", ENOUGH, "function_cost(tiers, middle) > server", "exactly as much"),
    ("q3", ENOUGH, "function_cost(tiers, middle) <= server", "one price"),
    ("q3", TOO_MUCH, "", "not even at most"),
    ("q3", "tiers, most) < server", "tiers, most) <= server", "not even at most"),
    ("q3", "        return None\n", "        return most\n", "not even at most"),
    ("q3", "        return None\n", "        return -1\n", "not even at most"),
    ("q3", "low, high = 0, most", "low, high = 1, most", "a server for nothing"),
    ("q3", "low, high = 0, most", "low, high = 0, most - 1", "not even at most"),
    ("q3", "low, high = 0, most", "low, high = 0, 10**9", "a million millions"),
    ("q3", "    return low\n", "    return low - 1\n", "one price"),
    ("q3", "    return low\n", "    return low + 1\n", "one price"),
    ("q3", "    return low\n", "    return low / 1_000_000\n", "one price"),
    ("q3", "    return low\n", "    return round(low, -3)\n", "one price"),
    ("q3", ENOUGH, "middle * tiers[0][1] >= server", "free at first"),
    ("q3", ENOUGH, "middle * tiers[-1][1] >= server", "free at first"),
    ("q3", ENOUGH, "function_cost(tiers[-1:], middle) >= server", "free at first"),
    ("q3", "while low < high:", "while high - low > 1000:", "one price"),
    ("q3", "while low < high:", "for _ in range(30):", "a million millions"),
    ("q4", NEEDED, 'math.ceil(demand["busiest"] / (0.6 * offer["rate"]))', "not one too many"),
    ("q4", NEEDED, 'math.ceil(round(demand["busiest"] / offer["rate"], 9))', "instances enough"),
    ("q4", NEEDED, 'round(demand["busiest"] / (0.6 * offer["rate"]))', "instances enough"),
    ("q4", NEEDED, 'int(demand["busiest"] / (0.6 * offer["rate"])) + 1', "not one too many"),
    (
        "q4",
        'max(1, needed) + offer["spare"]',
        'needed + offer["spare"] if demand["busiest"] > 1 else 0',
        "enough",
    ),
    ("q4", 'max(1, needed) + offer["spare"]', "max(1, needed)", "spare ones"),
    ("q4", 'max(1, needed) + offer["spare"]', 'max(1, needed, offer["spare"])', "spare ones"),
    ("q4", 'count * offer["hour"] * 730', 'count * offer["hour"]', "for the whole month"),
    ("q4", 'count * offer["hour"] * 730', 'count * offer["hour"] * 720', "for the whole month"),
    ("q4", 'count * offer["hour"] * 730', 'offer["hour"] * 730', "spare ones"),
    ("q4", 'demand["readings"] / 1_000_000 * offer["million"]', 'offer["million"]', "for the whole month"),
    ("q4", GOOD, 'offer["p99"] < demand["p99"] and cost <= demand["budget"]', "quick enough"),
    ("q4", GOOD, 'offer["p99"] <= demand["p99"] and cost < demand["budget"]', "for the whole month"),
    ("q4", GOOD, 'cost <= demand["budget"]', "quick enough"),
    ("q4", GOOD, 'offer["p99"] <= demand["p99"]', "for the whole month"),
    ("q4", GOOD, GOOD.replace(" and ", " or "), "nothing is good enough"),
    ("q4", CHEAPEST, "min(good)", "then the first"),
    ("q4", CHEAPEST, "min(good, key=lambda offer: offer[0])", "the quicker one"),
    ("q4", CHEAPEST, "min(good, key=lambda offer: offer[1])", "the cheapest"),
    ("q4", CHEAPEST, "max(good, key=lambda offer: offer[:2])", "the cheapest"),
    ("q4", CHEAPEST, "good[0]", "the cheapest"),
    ("q4", "return [name, count, cost]", "return [name, cost]", "the cheapest"),
    (
        "q4",
        "    if not good:\n        return None\n",
        "    if not good:\n        return []\n",
        "nothing is good enough",
    ),
    (
        "q5",
        'allow("sagemaker:InvokeEndpoint", endpoints + name)',
        'allow("sagemaker:*", endpoints + name)',
        "invoke",
    ),
    (
        "q5",
        'allow("sagemaker:InvokeEndpoint", endpoints + name)',
        'allow("sagemaker:Invoke*", endpoints + name)',
        "invoke",
    ),
    (
        "q5",
        '"sagemaker:InvokeEndpoint", endpoints + name',
        '"sagemaker:InvokeEndpoint", endpoints + "*"',
        "invoke",
    ),
    (
        "q5",
        '"sagemaker:InvokeEndpoint", endpoints + name',
        '"sagemaker:InvokeEndpoint", f"{endpoints}{name}*"',
        "invoke",
    ),
    ("q5", '"sagemaker:InvokeEndpoint", endpoints + name', '"sagemaker:InvokeEndpoint", "*"', "invoke"),
    ("q5", "sagemaker:{job['region']}", "sagemaker:*", "invoke"),
    ("q5", "{job['account']}", "*", "invoke"),
    ("q5", "sagemaker:{job['region']}", "sagemaker:eu-west-1", "invoke"),
    ("q5", '"s3:GetObject"', '"s3:Get*"', "read below"),
    ("q5", '"s3:GetObject"', '["s3:GetObject", "s3:PutObject"]', "read below"),
    ("q5", '{bucket}/{prefix}*"', '{bucket}/*"', "read below"),
    ("q5", '{bucket}/{prefix}*"', '{bucket}/{prefix}"', "read below"),
    ("q5", '{bucket}/{prefix}*"', '{bucket}*"', "read below"),
    ("q5", 'allow("s3:ListBucket", bucket)', 'allow("s3:ListBucket", f"{bucket}/*")', "list a bucket"),
    ("q5", 'allow("s3:ListBucket", bucket)', 'allow("s3:ListBucket", f"{bucket}*")', "list a bucket"),
    ("q5", 'allow("s3:ListBucket", bucket)', 'allow("s3:*", bucket)', "list a bucket"),
    ("q5", ' | {"Condition": tagged}', "", "tidy up by tag"),
    ("q5", '{"StringEquals": {"aws', '{"StringEqualsIfExists": {"aws', "tidy up by tag"),
    (
        "q5",
        '{"StringEquals": {"aws:ResourceTag/project": name}}',
        '{"StringLike": {"aws:ResourceTag/project": name + "*"}}',
        "tidy up by tag",
    ),
    (
        "q5",
        '{"StringEquals": {"aws:ResourceTag/project"',
        '{"StringEquals": {"aws:RequestTag/project"',
        "tidy up",
    ),
    (
        "q5",
        '["sagemaker:DescribeEndpoint", "sagemaker:DeleteEndpoint"]',
        '["sagemaker:DeleteEndpoint"]',
        "tidy up",
    ),
    ("q5", ' | {"Effect": "Deny"}', "", "never delete"),
    ("q5", ' | {"Effect": "Deny"}', ' | {"Effect": "deny"}', "never delete"),
    ("q5", 'allow(actions, [bucket, f"{bucket}/*"])', 'allow(actions, f"{bucket}/*")', "never delete"),
    ("q5", 'allow(actions, [bucket, f"{bucket}/*"])', "allow(actions, bucket)", "never delete"),
    ("q5", 'allow(actions, [bucket, f"{bucket}/*"])', 'allow(actions, "*")', "never delete"),
    (
        "q5",
        'allow(actions, [bucket, f"{bucket}/*"])',
        'allow(["s3:*"], [bucket, f"{bucket}/*"])',
        "never delete",
    ),
    ("q5", '"s3:DeleteObject", "s3:DeleteObjectVersion", ', '"s3:DeleteObject", ', "never delete"),
    ("q5", 'for need in job["needs"]]', 'for need in job["needs"][:1]]', "several needs"),
    ("q5", '"Version": "2012-10-17", ', "", "invoke"),
    ("q5", TIDY, '"sagemaker:De*"', "tidy up"),
    ("q5", TIDY, TIDY[:-1] + ', "sagemaker:UpdateEndpoint"]', "tidy up"),
    ("q5", TIDY, TIDY[:-1] + ', "sagemaker:AddTags"]', "tidy up"),
    ("q5", '"s3:GetObject"', '["s3:GetObject", "s3:GetObjectTagging"]', "read below"),
    ("q5", '"s3:GetObject"', '["s3:GetObject", "s3:GetObjectVersion"]', "read below"),
    ("q5", '"s3:GetObject"', '"s3:GetObject*"', "read below"),
    ("q6", HOURS, '(rule["now"] - since)', "since it was made"),
    ("q6", HOURS, '(since - endpoint["made"])', "since it was made"),
    ("q6", "* count for", "for", "since it was made"),
    ("q6", 'in endpoint["variants"])', 'in endpoint["variants"][:1])', "since it was made"),
    ("q6", f"round({HOURS} * hourly, 2)", f"round({HOURS} * hourly)", "since it was made"),
    ("q6", f"round({HOURS} * hourly, 2)", f"round(round({HOURS}) * hourly, 2)", "since it was made"),
    ("q6", f"round({HOURS} * hourly, 2)", f"round({HOURS} * round(hourly, 1), 2)", "since it was made"),
    ("q6", IDLE, IDLE.replace(">=", ">"), "or more"),
    ("q6", IDLE, "True", "idle for so many hours"),
    ("q6", IDLE, IDLE.replace(">=", "<"), "since it was made"),
    ("q6", 'endpoint["made"] if called is None else called', 'endpoint["made"]', "idle for so many"),
    ("q6", 'endpoint["made"] if called is None else called', 'called or rule["now"]', "never called"),
    ("q6", 'endpoint["made"] if called is None else called', "called or 0", "never called"),
    ("q6", 'endpoint["made"] if called is None else called', 'called or endpoint["made"]', "never called"),
    ("q6", 'endpoint["tags"], endpoint', 'endpoint["tags"] or {"project": "meters"}, endpoint', "only ours"),
    ("q6", 'tags.get("project") == rule["project"]', "True", "only ours"),
    ("q6", 'tags.get("project") == rule["project"]', 'tags["project"] == rule["project"]', "only ours"),
    (
        "q6",
        'tags.get("project") == rule["project"]',
        'tags.get("project") in (None, rule["project"])',
        "only ours",
    ),
    ("q6", 'tags.get("project") == rule["project"]', 'tags.get("project") == "meters"', "only ours"),
    ("q6", ' and tags.get("keep") != "true"', "", "some are kept"),
    ("q6", 'tags.get("keep") != "true"', '"keep" not in tags', "some are kept"),
    ("q6", ' and endpoint["status"] == "InService"', "", "cost nothing"),
    ("q6", 'endpoint["status"] == "InService"', 'endpoint["status"] != "Failed"', "cost nothing"),
    ("q6", SORTED, "sorted(rows)", "the most expensive first"),
    ("q6", SORTED, "sorted(rows, key=lambda row: row[1])", "the most expensive first"),
    ("q6", SORTED, "sorted(rows, key=lambda row: -row[1])", "then by name"),
    ("q6", SORTED, "rows", "the most expensive first"),
    ("q7", "return calls", "return []", "a call a day"),
    ("q7", 'if look - last >= rule["idle"]', 'if look - last > rule["idle"]', "one call for several"),
    ("q7", 'if look - last >= rule["idle"]', "if True", "several looks"),
    ("q7", "            last = look\n", "", "several looks"),
    ("q7", "calls.append(look)", 'calls.append(look - rule["idle"])', "a call a day"),
    ("q7", "calls.append(look)", "calls.append(look + 1)", "a call a day"),
    ("q7", "calls.append(look)", "calls.append(float(look))", "a call a day"),
    ("q7", "calls.append(look)", "calls.append([look])", "a call a day"),
    ("q7", 'rule["hours"] + 1, ', 'rule["hours"], ', "a call a day"),
    (
        "q7",
        'range(rule["every"], rule["hours"] + 1, rule["every"])',
        'range(0, rule["hours"] + 1, 6)',
        "a call a day",
    ),
    (
        "q7",
        'range(rule["every"], rule["hours"] + 1, rule["every"])',
        'range(24, rule["hours"] + 1, 24)',
        "a call a day",
    ),
    ("q7", 'rule["hours"] + 1, ', 'rule["hours"] + 1 + rule["every"], ', "nobody looks"),
]


@pytest.mark.parametrize("question", ["q1", "q2", "q3", "q4", "q5", "q6", "q7"])
def test_the_solution_earns_every_part(question):
    assert refused(LAB, question, solution(LAB, question)) == {}


@pytest.mark.parametrize(("question", "old", "new", "part"), MISTAKES)
def test_a_mistake_is_refused_where_it_is_named(question, old, new, part):
    problems = refused(LAB, question, solution(LAB, question, old, new))
    assert any(part in name for name in problems), problems


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
