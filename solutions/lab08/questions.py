"""Lab 08: the questions, their cases, and how an answer is judged."""

import base64
import hashlib
import itertools
import json
import math
import re

from fsdl_course.labs.questions import Lab, OpenQuestion, Part, Question, as_text
from fsdl_deploy.managed.iam import ALLOWED, AwsCall, PolicyError, decide, statements

PNG = "\x89PNG\r\n\x1a\n"


def picture(number):
    return f"{PNG}card {number}"


def item(text):
    return {"in0": base64.b64encode(text.encode("latin-1")).decode()}


def body(*texts):
    return json.dumps({"instances": [item(text) for text in texts]})


def draw_request(generator):
    """A good request: one picture, or several as JSON, under some spelling of the type."""
    texts = [picture(generator.randrange(10**6)) for _ in range(generator.randint(1, 5))]
    if generator.random() < 0.4:
        return [generator.choice(["image/png", "Image/PNG", "image/png; q=1", " image/png "]), texts[0]]
    kind = generator.choice(["application/json", "Application/JSON", "application/json; charset=utf-8"])
    return [kind, body(*texts)]


def draw_refused(generator):
    """A request with something wrong, in one of many places."""
    number = generator.randrange(10**6)
    items = [item(picture(number + place)) for place in range(generator.randint(1, 4))]
    wrong = generator.choice(
        [{}, {"in1": item(picture(1))["in0"]}, item("GIF89a"), "text", None, 7, {"in0": None}, {"in0": 5},
         {"in0": ""}, {"in0": item(picture(number))["in0"].rstrip("=") + "!!"}, {"in0": "Zählerstand"},
         {"in0": "\n" + item(picture(number))["in0"]}, [item(picture(number))["in0"]], {"in0": [1]}]
    )  # fmt: skip
    items.insert(generator.randrange(len(items) + 1), wrong)
    return generator.choice(
        [["application/json", json.dumps({"instances": items})]] * 6
        + [
            [
                generator.choice(["image/jpeg", "text/csv", "", "json", "image/png2", "application/jsonl"]),
                picture(1),
            ],
            ["image/png", generator.choice(["", "GIF89a", picture(1)[1:], body(picture(1))])],
            [
                "application/json",
                generator.choice(["", "{", "[]", "7", "null", "\xff\xfe", picture(1), '"instances"']),
            ],
            ["application/json", json.dumps({"instances": generator.choice([[], {}, None, "text", 3])})],
            ["application/json", json.dumps({"instance": items})],
        ]
    )


WORK = {"requests": 3_000_000, "readings": 4, "microseconds": 23_100, "megabytes": 2048}
PRICES = {"gb_second": 0.00002, "million_requests": 0.3, "free_gb_seconds": 0, "free_requests": 0}
FREE = PRICES | {"free_gb_seconds": 50_000, "free_requests": 1_000_000}


def draw_month(generator):
    work = {
        "requests": generator.choice([0, 40_000, 900_000, 1_000_000, 7_000_000, 250_000_000]),
        "readings": generator.choice([1, 2, 5, 64]),
        "microseconds": generator.choice([300, 1000, 4001, 15_000, 23_499, 87_654, 1_200_500]),
        "megabytes": generator.choice([128, 512, 1024, 1769, 3008, 10240]),
    }
    prices = {
        "gb_second": round(generator.uniform(0.00001, 0.00004), 9),
        "million_requests": round(generator.uniform(0.1, 0.9), 2),
        "free_gb_seconds": generator.choice([0, 1000, 400_000]),
        "free_requests": generator.choice([0, 500_000, 2_000_000]),
    }
    return [work, prices]


TIERS = [[1_000_000, 0], [9_000_000, 600], [None, 450]]


def draw_break_even(generator):
    count, tiers = generator.randint(1, 4), []
    price = generator.randint(200, 2000)
    for place in range(count):
        size = None if place == count - 1 else generator.randrange(1, 5 * 10**7)
        tiers.append([size, 0 if place == 0 and generator.random() < 0.3 else price])
        price = max(1, int(price * generator.uniform(0.5, 1.0)))
    most = generator.choice([10**6, 10**8, 10**10, 10**12])
    return [tiers, generator.randrange(1, 10 ** generator.randint(6, 13)), most]


DEMAND = {"readings": 3_000_000, "busiest": 12.5, "p99": 200, "budget": 400}


def instance(name="endpoint", hour=0.1, rate=40, spare=0, p99=90):
    return {"name": name, "hour": hour, "rate": rate, "spare": spare, "p99": p99}


def function(name="function", million=35.0, p99=150):
    return {"name": name, "million": million, "p99": p99}


def draw_choice(generator):
    """Offers of which none misses the budget by a hair."""
    while True:
        demand = {
            "readings": generator.choice([100_000, 2_000_000, 40_000_000]),
            "busiest": generator.choice([0.4, 6.0, 24.0, 90.0, 333.0]),
            "p99": generator.choice([60, 120, 300]),
            "budget": generator.choice([50, 200, 600, 4000]),
        }
        offers, costs = [], []
        for place in range(generator.randint(1, 5)):
            p99 = generator.choice([40, 60, 90, 120, 250, 400])
            if generator.random() < 0.35:
                offers.append(function(f"f{place}", round(generator.uniform(1, 60), 2), p99))
                costs.append(demand["readings"] / 1e6 * offers[-1]["million"])
            else:
                rate, spare = generator.choice([5, 10, 40, 150]), generator.choice([0, 1, 2])
                offers.append(instance(f"i{place}", round(generator.uniform(0.03, 1.2), 3), rate, spare, p99))
                count = max(1, -(-round(1e9 * demand["busiest"] / (0.6 * rate)) // 10**9)) + spare
                costs.append(count * offers[-1]["hour"] * 730)
        if all(abs(cost - demand["budget"]) > 0.02 and abs(cost * 100 % 1 - 0.5) > 1e-4 for cost in costs):
            return [offers, demand]


ACCOUNT, REGION, EVIL = "123456789012", "eu-west-1", "999999999999"


def job(*needs, account=ACCOUNT, region=REGION):
    return {"account": account, "region": region, "needs": [list(need) for need in needs]}


NAMES = ["meter-reader", "reader", "cards", "november", "trial-7", "utility-cards"]


def draw_need(generator, kind):
    name = generator.choice(NAMES) + generator.choice(["", "-2", "-eu"])
    return [
        kind,
        name,
        *([generator.choice(["inbox/", "2026/11/", "a", "cards/new-"])] if kind == "read" else []),
    ]


def draw_job(generator):
    kinds = ["invoke", "read", "list", "tidy up", "never delete"]
    needs = [draw_need(generator, kind) for kind in generator.choices(kinds, k=generator.randint(1, 6))]
    account = "".join(generator.choices("0123456789", k=12))
    return [
        job(*needs, account=account, region=generator.choice(["us-east-1", "eu-central-1", "ap-south-1"]))
    ]


def draw_denied_job(generator):
    """Jobs in which something must never be deleted."""
    kinds = ["never delete", *generator.choices(["read", "list", "never delete"], k=generator.randint(0, 3))]
    return [job(*[draw_need(generator, kind) for kind in kinds])]


def endpoint_arn(job, name):
    return f"arn:aws:sagemaker:{job['region']}:{job['account']}:endpoint/{name}"


def calls(job):
    """Calls that a job needs, and calls next to them that it does not need: (call, what they are about)."""
    elsewhere = {"account": EVIL, "region": "sa-east-1"}
    for kind, name, *rest in job["needs"]:
        bucket, endpoint = f"arn:aws:s3:::{name}", endpoint_arn(job, name)
        tag = {"aws:ResourceTag/project": name}
        if kind == "invoke":
            yield AwsCall("sagemaker:InvokeEndpoint", endpoint)
            for other in (f"{endpoint}-two", f"{endpoint[:-1]}", endpoint_arn(job, "other")):
                yield AwsCall("sagemaker:InvokeEndpoint", other)
            for field in elsewhere:
                yield AwsCall("sagemaker:InvokeEndpoint", endpoint_arn(job | {field: elsewhere[field]}, name))
            for verb in ("Delete", "Update", "Create"):
                yield AwsCall(f"sagemaker:{verb}Endpoint", endpoint)
            yield AwsCall("sagemaker:InvokeEndpointAsync", endpoint)
        elif kind == "read":
            for key in (rest[0], f"{rest[0]}card.png", f"{rest[0]}a/b", f"x{rest[0]}card.png", "card.png"):
                yield AwsCall("s3:GetObject", f"{bucket}/{key}")
            yield AwsCall("s3:GetObject", f"{bucket}2/{rest[0]}card.png")
            yield AwsCall("s3:GetObject", f"{bucket}/{rest[0].rstrip('/')}-old/card.png")
            for action in ("PutObject", "DeleteObject", "GetObjectAcl"):
                yield AwsCall(f"s3:{action}", f"{bucket}/{rest[0]}card.png")
            yield AwsCall("s3:ListBucket", bucket)
        elif kind == "list":
            yield from (
                AwsCall("s3:ListBucket", arn) for arn in (bucket, f"{bucket}-2", "arn:aws:s3:::other")
            )
            yield AwsCall("s3:GetObject", f"{bucket}/card.png")
            yield AwsCall("s3:DeleteBucket", bucket)
        elif kind == "tidy up":
            for action in (
                "sagemaker:DescribeEndpoint",
                "sagemaker:DeleteEndpoint",
                "sagemaker:InvokeEndpoint",
            ):
                for context in (
                    tag,
                    {},
                    {"aws:ResourceTag/project": f"{name}x"},
                    {"aws:ResourceTag/owner": name},
                ):
                    yield AwsCall(action, endpoint_arn(job, "any"), context)
            for field in elsewhere:
                there = endpoint_arn(job | {field: elsewhere[field]}, "any")
                yield AwsCall("sagemaker:DeleteEndpoint", there, tag)
            yield AwsCall("sagemaker:DeleteModel", endpoint_arn(job, "any").replace("endpoint", "model"), tag)
    yield AwsCall("s3:GetObject", "arn:aws:s3:::somebody-elses/cards")
    account = "arn:aws:iam::123456789012"
    yield AwsCall("iam:CreateUser", f"{account}:user/eve")
    yield AwsCall("iam:PassRole", f"{account}:role/admin")
    yield AwsCall("iam:AttachRolePolicy", f"{account}:role/admin")
    for bucket in (f"arn:aws:s3:::{name}" for kind, name, *_ in job["needs"] if kind in ("read", "list")):
        yield AwsCall("s3:PutBucketPolicy", bucket)
        yield AwsCall("s3:ListBucketVersions", bucket)
        yield AwsCall("s3:GetObjectVersion", f"{bucket}/card.png")
    for action in ("ec2:RunInstances", "kms:Decrypt", "sts:AssumeRole", "lambda:InvokeFunction"):
        yield AwsCall(action, f"arn:aws:{action.partition(':')[0]}:eu-west-1:123456789012:thing/any")
    yield AwsCall("sagemaker:CreateTrainingJob", "arn:aws:sagemaker:eu-west-1:123456789012:training-job/any")


def denials(job):
    """Calls that are tried with another policy beside this one, which allows all of S3."""
    for kind, name, *_ in job["needs"]:
        if kind == "never delete":
            bucket = f"arn:aws:s3:::{name}"
            for arn in (f"{bucket}/card.png", f"{bucket}/a/b", bucket, f"{bucket}-3/card.png"):
                for action in ("DeleteObject", "DeleteObjectVersion", "GetObject", "PutObject"):
                    if arn != bucket:
                        yield AwsCall(f"s3:{action}", arn)
            yield from (AwsCall("s3:DeleteBucket", arn) for arn in (bucket, f"{bucket}-3"))
            yield AwsCall("s3:ListBucket", bucket)


BROAD = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def narrow(arguments, value, expected):
    """The policy decides on each call as the right one does: alone, and beside one that allows all of S3."""
    (job,) = arguments
    try:
        decide([value], AwsCall("s3:GetObject"))
    except PolicyError as error:
        return f"the policy is refused: {error}"
    for beside, which in (([], calls(job)), ([BROAD], denials(job))):
        for call in which:
            right = decide([expected, *beside], call) == ALLOWED
            if (decide([value, *beside], call) == ALLOWED) != right:
                must = "must be allowed" if right else "must not be allowed"
                also = ", also beside a policy that allows s3:*" if beside else ""
                tags = f" with the tags {as_text(call.context)}" if call.context else ""
                return f"{call.action} on {call.resource}{tags} {must}{also}"
    try:
        return too_wide(value, expected)
    except PolicyError as error:
        return f"the policy is refused: {error}"


TAG = "aws:resourcetag/project"


def too_wide(value, expected):
    """What a policy allows and the right one does not, asked with its own actions, resources, conditions."""
    allowed = [statement for statement in statements(value) if statement["Effect"] == "Allow"]
    right = [statement for statement in statements(expected) if statement["Effect"] == "Allow"]
    needed = {action.lower() for statement in right for action in statement["Action"]}
    for statement in allowed:
        if "NotAction" in statement or "NotResource" in statement:
            return "an Allow with NotAction or NotResource allows all that it does not name"
        for action in statement["Action"]:
            if action.lower() not in needed:
                return f"{action} is allowed, and no need asks for just that: write out each action"
        if "${" in json.dumps(statement):
            return "an Allow has a variable, ${...}, and no need of the job asks for one"
        operators = {key.lower(): [] for keys in statement["Condition"].values() for key in keys}
        for operator, keys in statement["Condition"].items():
            for key in keys:
                operators[key.lower()].append(operator)
        for key, names in operators.items():
            names = [name for name in names if name != "Null"]
            if key != TAG or len(names) > 1 or any("Not" in name for name in names):
                return f"an Allow has another condition on {key} than that a tag has a value"
    for call in probes(value, allowed):
        if decide([value], call) == ALLOWED and decide([expected], call) != ALLOWED:
            tags = f" with {as_text(call.context)}" if call.context else ""
            return f"{call.action} on {call.resource}{tags} must not be allowed"
    return ""


def probes(policy, allowed):
    """Calls that a policy's own Allows name, each ``*`` filled with what nobody can have foreseen."""
    mark = hashlib.sha256(json.dumps(policy, sort_keys=True).encode()).hexdigest()[:8]
    denied = [statement for statement in statements(policy) if statement["Effect"] == "Deny"]
    for statement in allowed:
        known = {TAG: {None, mark}}
        for entry in (statement, *denied):
            for key, value in (pair for keys in entry["Condition"].values() for pair in keys.items()):
                texts = {text for pattern in value for text in filled(pattern.partition("/")[0], mark)}
                texts |= {text for pattern in value for text in filled(pattern, mark)}
                texts |= {text.upper() for text in texts}
                known.setdefault(key.lower(), {None, mark}).update(texts)
        arns = {arn for pattern in statement["Resource"] for arn in filled(whole(pattern), mark)}
        choices = [sorted(values, key=str) for values in known.values()]
        if math.prod(map(len, choices)) > 500:
            raise PolicyError("its conditions have more values than can be tried: leave some out")
        for action, arn in itertools.product(statement["Action"], sorted(arns)):
            for values in itertools.product(*choices):
                context = dict(zip(known, values, strict=True))
                yield AwsCall(action, arn, {key: text for key, text in context.items() if text is not None})


def whole(pattern):
    """The pattern of an ARN with all six parts: a ``*`` at its end stands for those that are missing."""
    parts = ("arn:aws:s3:*" if pattern == "*" else pattern).split(":", 5)
    return ":".join(parts + ["*"] * (6 - len(parts)))


def filled(pattern, mark):
    """Texts that a pattern matches."""
    texts = [re.sub(r"[?]", "q", pattern), re.sub(r"[?]", "Z", pattern)]
    for text in texts:
        stars = text.count("*")
        choices = ("", mark, f"{mark}/{mark}")
        fills = (
            itertools.product(choices, repeat=stars) if stars < 3 else ([fill] * stars for fill in choices)
        )
        for fill in fills:
            fills_left = iter(fill)
            yield re.sub(r"[*]", lambda _, rest=fills_left: next(rest), text)


RULE = {"project": "meters", "now": 420.0, "idle": 6, "prices": {"ml.m5.xlarge": 0.23, "ml.c5.xlarge": 0.204}}


def endpoint(name="trial", created=340.5, last_call=352.0, status="InService", tags=None, variants=None):
    tags = {"project": "meters"} if tags is None else tags
    variants = variants or [["ml.m5.xlarge", 1]]
    return {
        "name": name,
        "status": status,
        "made": created,
        "last_call": last_call,
        "tags": tags,
        "variants": variants,
    }


def draw_account(generator):
    """An account in which no cost is at half a cent, where the order of the sums would decide."""
    while True:
        endpoints, rule = draw_endpoints(generator)
        costs = [
            (rule["now"] - each["made"])
            * sum(rule["prices"][kind] * count for kind, count in each["variants"])
            for each in endpoints
        ]
        if all(abs(cost * 100 % 1 - 0.5) > 1e-4 for cost in costs):
            return [endpoints, rule]


def draw_endpoints(generator):
    project = generator.choice(["meters", "billing"])
    now = generator.choice([200.0, 512.25, 8760.0])
    prices = {f"ml.{name}.xlarge": round(generator.uniform(0.1, 2), 4) for name in ("m5", "c5", "g5")}
    rule = {"project": project, "now": now, "idle": generator.choice([1, 6, 24]), "prices": prices}
    endpoints = []
    for name in generator.sample(["trial", "demo", "november", "reader", "old", "zebra", "x"], 6):
        created = round(generator.uniform(-30, now - 30), 2)
        called = generator.choice(
            [None, max(0.0, created), now, now - rule["idle"], now - rule["idle"] - 0.5, now - 0.5]
        )
        tags = generator.choice([{}, {"project": "meters"}, {"project": project}, {"project": project},
                                 {"project": project, "keep": "true"}, {"project": project, "keep": "no"},
                                 {"owner": project}])  # fmt: skip
        kinds = generator.sample(list(prices), generator.randint(1, 2))
        variants = [[kind, generator.randint(1, 3)] for kind in kinds]
        status = generator.choice(["InService"] * 5 + ["Failed", "Creating"])
        endpoints.append(endpoint(name, created, called, status, tags, variants))
    return [endpoints, rule]


def fewest(rule):
    calls, last = 0, 0
    for look in range(rule["every"], rule["hours"] + 1, rule["every"]):
        if look - last >= rule["idle"]:
            calls, last = calls + 1, look
    return calls


def draw_rule(generator):
    every, idle = generator.choice([(24, 6), (6, 24), (1, 5), (4, 4), (7, 20), (12, 13)])
    rule = {"every": every, "idle": idle, "hours": generator.randint(60, 400)}
    return [rule | {"calls": fewest(rule)}]


def outlives(arguments, value, expected):
    """Few enough calls, and an endpoint that is still there at the end."""
    (rule,) = arguments
    hours = rule["hours"]
    if type(value) is not list or not all(type(hour) is int and 0 <= hour <= hours for hour in value):
        return f"it is {as_text(value)}, not a list of whole hours from 0 to {hours}"
    if len(value) > rule["calls"]:
        return f"there are {len(value)} calls, and at most {rule['calls']} are allowed"
    for look in range(rule["every"], hours + 1, rule["every"]):
        last = max([hour for hour in value if hour <= look], default=0)
        if look - last >= rule["idle"]:
            return f"the endpoint is ended at hour {look}"
    return ""


GOOD = ["application/json", body(picture(5), picture(6))]
ADAPTER = [
    Part(
        "a picture as it is",
        1,
        [
            ["image/png", picture(7)],
            ["Image/PNG", picture(8)],
            ["image/png; q=1", picture(9)],
            [" image/png ;q=1", picture(6)],
        ],
    ),
    Part(
        "pictures in JSON, in their order",
        1,
        [
            ["application/json", body(picture(1))],
            ["application/json; charset=utf-8", body(picture(3), picture(1), picture(2))],
        ],
    ),
    Part(
        "another type is a 415",
        1,
        [
            ["image/jpeg", picture(1)],
            ["", picture(1)],
            ["text/plain", body(picture(1))],
            ["application/jsonl", body(picture(1))],
            ["image/png2", picture(1)],
            GOOD,
        ],
    ),
    Part(
        "a body that is neither",
        1,
        [
            ["image/png", "GIF89a"],
            ["image/png", body(picture(1))],
            ["application/json", picture(1)],
            ["application/json", "[1, 2]"],
            ["application/json", "\xff\xfe"],
            ["application/json", "[" * 100_000],
            GOOD,
        ],
    ),
    Part(
        "no instances",
        1,
        [
            *(
                ["application/json", text]
                for text in ("{}", '{"instances": []}', '{"instances": {"in0": "x"}}', '{"instances": null}')
            ),
            GOOD,
        ],
    ),
    Part(
        "the first bad item is named",
        1,
        [
            ["application/json", json.dumps({"instances": [item(picture(1))] * place + [wrong, {"in1": 1}]})]
            for place, wrong in enumerate(
                (item("GIF89a"), {}, "text", {"in0": 5}, {"in0": item(picture(4))["in0"] + "\n"})
            )
        ],
    ),
    Part("other requests", 6, draw=draw_request, count=16),
    Part("other requests that are refused", 9, draw=draw_refused, count=40),
]
COST = [
    Part("memory and time", 1, [[WORK | {"microseconds": ms * 1000}, PRICES] for ms in (1, 24, 900)]),
    Part(
        "whole milliseconds, upwards", 1, [[WORK | {"microseconds": us}, PRICES] for us in (1, 2001, 23_999)]
    ),
    Part(
        "a gigabyte has 1024 megabytes, and requests cost, too",
        1,
        [[WORK | {"megabytes": size}, PRICES | {"million_requests": 4.5}] for size in (128, 1769)],
    ),
    Part("per reading, not per request", 1, [[WORK | {"readings": count}, PRICES] for count in (1, 3, 64)]),
    Part(
        "what is free is taken off, once a month",
        1,
        [
            [WORK, FREE],
            [WORK | {"requests": 500_000}, FREE],
            [WORK | {"requests": 1_000_001}, FREE],
            [WORK | {"requests": 30_000_000, "microseconds": 300, "megabytes": 128}, FREE],
        ],
    ),
    Part(
        "a month without requests",
        1,
        [[WORK | {"requests": 0}, PRICES], [WORK | {"requests": 0}, FREE], [WORK, PRICES]],
    ),
    Part("other months", 15, draw=draw_month, count=24),
]
EVEN = [
    Part("one price", 1, [[[[None, 500]], server, 10**9] for server in (10**9, 1_250_250_001, 7)]),
    Part("exactly as much counts", 1, [[[[None, 500]], 500 * count, 10**9] for count in (1, 77, 10**6)]),
    Part("free at first, cheaper later", 1, [[TIERS, 10**9, 10**9], [TIERS, 54 * 10**8 + 1, 10**9]]),
    Part("a server for nothing", 1, [[TIERS, 0, 10**9], [[[None, 1]], 0, 10**9], [TIERS, 1, 10**9]]),
    Part(
        "not even at most",
        1,
        [[TIERS, 10**12, 10**6], [[[None, 500]], 501, 1], [[[None, 500]], 500, 1], [[[None, 0]], 1, 10**12]],
    ),
    Part("a million millions", 1, [[[[None, 1]], 10**12, 10**12], [TIERS, 3 * 10**14 + 11, 10**12]]),
    Part("other prices", 15, draw=draw_break_even, count=24),
]
CHOICE = [
    Part(
        "the cheapest that is quick enough",
        1,
        [
            [[instance(), function()], DEMAND],
            [[instance(hour=0.4), function()], DEMAND],
            [[instance(p99=201), function(million=90)], DEMAND],
            [[instance(hour=0.4), function(p99=200)], DEMAND | {"p99": 200}],
        ],
    ),
    Part(
        "instances enough, and not one too many",
        1,
        [
            [[instance(rate=rate)], DEMAND | {"busiest": busiest, "budget": 9999}]
            for rate, busiest in ((40, 24.0), (40, 24.1), (40, 96.0), (10, 0.1), (10, 0), (3, 5.4), (7, 12.6))
        ],
    ),
    Part("spare ones", 1, [[[instance(spare=spare, hour=0.05)], DEMAND] for spare in (0, 1, 3)]),
    Part(
        "the budget is for the whole month",
        1,
        [
            [[instance(hour=0.5)], DEMAND | {"budget": 365}],
            [[instance(hour=0.5)], DEMAND | {"budget": 364}],
            [[function(million=20)], DEMAND | {"budget": 60}],
            [[function(million=20)], DEMAND | {"budget": 59}],
            [[function(million=20)], DEMAND | {"readings": 10**10, "budget": 200_000}],
        ],
    ),
    Part(
        "nothing is good enough",
        1,
        [[[], DEMAND], [[instance(p99=500), function(million=900)], DEMAND], [[function()], DEMAND]],
    ),
    Part(
        "equally cheap: the quicker one, then the first",
        1,
        [
            [[instance("a", p99=90), instance("b", p99=80), instance("c", p99=80)], DEMAND],
            [[instance("z", p99=80), instance("b", p99=80)], DEMAND],
        ],
    ),
    Part("other offers", 15, draw=draw_choice, count=30),
]
POLICY = [
    Part(
        "invoke one endpoint",
        1,
        [[job(["invoke", "meter-reader"])], [job(["invoke", "x1"], region="us-east-1")]],
    ),
    Part(
        "read below a prefix", 1, [[job(["read", "cards", "inbox/"])], [job(["read", "november", "2026/"])]]
    ),
    Part("list a bucket", 1, [[job(["list", "cards"])], [job(["list", "november"])]]),
    Part(
        "tidy up by tag",
        1,
        [[job(["tidy up", "billing"])], [job(["tidy up", "meters"], account="210987654321")]],
    ),
    Part(
        "never delete",
        1,
        [[job(["never delete", "cards"], ["list", "other"])], [job(["never delete", "november"])]],
    ),
    Part(
        "several needs",
        1,
        [[job(["invoke", "a-1"], ["invoke", "b-1"])], [job(["read", "cards", "a/"], ["list", "cards"])]],
    ),
    Part("other jobs", 9, draw=draw_job, count=20),
    Part("other jobs in which something is never deleted", 6, draw=draw_denied_job, count=10),
]
TWO = [["ml.m5.xlarge", 2], ["ml.c5.xlarge", 1]]
FORGOTTEN = [
    Part(
        "what it has cost since it was made",
        1,
        [[[endpoint()], RULE], [[endpoint(variants=TWO)], RULE], [[endpoint(created=1.0)], RULE]],
    ),
    Part(
        "idle for so many hours or more",
        1,
        [
            [[endpoint("a", last_call=414.0), endpoint("b", last_call=414.5)], RULE | {"idle": idle}]
            for idle in (6, 5.5)
        ],
    ),
    Part(
        "never called: from when it was made",
        1,
        [
            [[endpoint("a", last_call=None), endpoint("b", created=416.0, last_call=None)], RULE],
            [[endpoint("c", created=390.0, last_call=None), endpoint("d", last_call=None)], RULE],
            [
                [endpoint("e", created=-3.5, last_call=0.0), endpoint("f", created=-3.5, last_call=None)],
                RULE | {"now": 4.0},
            ],
        ],
    ),
    Part(
        "only ours, by the tag",
        1,
        [
            [
                [endpoint("a", tags={}), endpoint("b", tags={"project": "billing"}), endpoint("c")],
                RULE | {"project": project},
            ]
            for project in ("meters", "billing")
        ],
    ),
    Part(
        "some are kept, and some cost nothing",
        1,
        [
            [
                [
                    endpoint("a", tags={"project": "meters", "keep": "true"}),
                    endpoint("b", tags={"project": "meters", "keep": "false"}),
                    endpoint("c", status="Failed"),
                    endpoint("d", status="Creating"),
                ],
                RULE,
            ],
            [[endpoint("e", tags={"project": "meters", "keep": "true"}), endpoint("f"), endpoint("g")], RULE],
        ],
    ),
    Part(
        "the most expensive first, then by name",
        1,
        [
            [
                [
                    endpoint("z"),
                    endpoint("b", variants=TWO),
                    endpoint("a"),
                    endpoint("c", created=400.0, last_call=None),
                ],
                RULE,
            ],
            [[endpoint("y"), endpoint("q"), endpoint("x", variants=TWO)], RULE],
        ],
    ),
    Part("other accounts", 15, draw=draw_account, count=20),
]
TIDY = {"every": 24, "idle": 6, "hours": 240, "calls": 10}
KEPT = [
    Part(
        "a call a day",
        1,
        [[TIDY], [TIDY | {"hours": 1000, "calls": 41}], [TIDY | {"every": 10, "calls": 24}]],
    ),
    Part("one call for several looks", 1, [[{"every": 1, "idle": 5, "hours": 100, "calls": 20}]]),
    Part(
        "nobody looks before the end",
        1,
        [[{"every": 100, "idle": 1, "hours": hours, "calls": hours // 100}] for hours in (99, 100)],
    ),
    Part("other rules", 8, draw=draw_rule, count=16),
]
RUBRIC = {
    0: "no decision, or one without a reason",
    2: "a decision, and a reason",
    4: "a reason that follows from two figures of this lab, and what would change the decision",
    6: "that, and what is set up on the first day, with the gap that each of these leaves",
}
LAB = Lab(
    [
        Question("q1", "asked", "the adapter for /invocations", 2, 12, ADAPTER),
        Question("q2", "per_million", "what a million readings cost", 1, 10, COST, tolerance=1e-9),
        Question("q3", "break_even", "break-even by bisection", 2, 12, EVEN),
        Question("q4", "choose", "the cheapest that is good enough", 2, 12, CHOICE, tolerance=1e-9),
        Question("q5", "policy", "a policy of least privilege", 3, 14, POLICY, judge=narrow),
        Question("q6", "forgotten", "endpoints left running", 2, 10, FORGOTTEN),
        Question("q7", "kept_alive", "break it: an endpoint that nobody ends", 2, 10, KEPT, judge=outlives),
        OpenQuestion("q8", "buy it?", level=2, minutes=8, rubric=RUBRIC),
    ]
)
