"""Lab 06: the questions, their cases, and how an answer is judged."""

import itertools
import math
from collections import Counter

from fsdl_course.labs.questions import Lab, OpenQuestion, Part, Question, as_text


def replica(name, under_way=0, weight=1, failed=None):
    return {"name": name, "open": under_way, "weight": weight, "failed": failed}


def draw_choice(generator):
    """Replicas of several sizes, all well, of which some are equal."""
    names = generator.sample("abcdef", generator.randint(3, 5))
    weights = generator.choice([[1, 2, 3], [1, 2, 4], [2, 3, 3], [1, 1, 2]])
    return [[replica(name, generator.randint(0, 6), generator.choice(weights)) for name in names], [], 100]


def draw_failures(generator):
    """Replicas of which some have failed, were tried, or are drained."""
    names = generator.sample("abcdef", generator.randint(2, 5))
    replicas = [
        replica(
            name,
            generator.randint(0, 4),
            generator.choice([0, 1, 1, 2, 3]),
            generator.choice([None, None, 89.5, 90, 90.5, 99]),
        )
        for name in names
    ]
    if generator.random() < 0.25:
        replicas = [row | {"failed": generator.choice([91, 95, 99])} for row in replicas]
    tried = [name for name in names if generator.random() < generator.choice([0, 0.25, 0.25, 1])]
    return [replicas, tried, 100]


RULES = {"target": 0.5, "least": 1, "most": 10, "hold": 60}


def draw_scaling(generator):
    """Measurements of which none lies at the edge of the tolerance."""
    rules = {
        "target": generator.choice([0.4, 0.5, 0.6]),
        "least": generator.choice([1, 2]),
        "most": generator.choice([5, 8, 20]),
        "hold": generator.choice([15, 45, 60]),
    }
    return [measurements(generator, rules, [15]), generator.randint(rules["least"], rules["most"]), rules]


def draw_irregular(generator):
    """As ``draw_scaling``, with measurements that do not come regularly, and more of them."""
    rules = {"target": generator.choice([0.3, 0.6, 0.7]), "least": 2, "most": 15, "hold": 40}
    return [measurements(generator, rules, [8, 15, 25, 40], 16), generator.randint(2, 15), rules]


def measurements(generator, rules, steps, count=10):
    busy = [0, 0.1, 0.2, 0.3, 0.35, 0.45, 0.5, 0.58, 0.62, 0.8, 0.95, 1.0]
    fitting = [share for share in busy if abs(abs(share / rules["target"] - 1) - 0.1) > 1e-3]
    fitting += [round(rules["target"] * ratio, 4) for ratio in (0.89, 0.91, 1.09, 1.11)]
    moments = itertools.accumulate(generator.choice(steps) for _ in range(count))
    return [[moment, generator.choice(fitting)] for moment in moments]


def late(rate, per_replica, seconds, servers):
    """The share of requests that wait for longer than ``seconds``, by Erlang's formula."""
    load, blocked = rate / per_replica, 1.0
    if load >= servers:
        return 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    waits = blocked / (1 - load / servers * (1 - blocked))
    return waits * math.exp(-(servers * per_replica - rate) * seconds)


def draw_promise(generator, zones=1):
    """A promise that no number of replicas keeps by a hair only."""
    while True:
        per_replica = generator.choice([2, 5, 8, 12.5])
        rate = round(per_replica * generator.choice([0.2, 0.9, 1.6, 3, 7.5, 20, 90]), 2)
        seconds, share = generator.choice([0, 0.05, 0.1, 0.5]), generator.choice([0.2, 0.05, 0.01, 0.001])
        count = max(1, math.floor(rate / per_replica))
        shares = [late(rate, per_replica, seconds, servers) for servers in range(count, count + 40)]
        if all(abs(value / share - 1) > 1e-3 for value in shares):
            return [rate, per_replica, seconds, share, zones]


def draw_zones(generator):
    return draw_promise(generator, generator.choice([2, 2, 3, 4, 7]))


def part(zipped, unpacked, *needs):
    return {"zipped": zipped, "unpacked": unpacked, "needs": [list(need) for need in needs]}


ROOMY = {"zipped": 50, "unpacked": 250}


def draw_parts(generator):
    """A handler, libraries that need each other, and things that nobody needs; room for all of them."""
    known = ["numpy", "scipy", "torch", "onnx", "pillow", "opencv", "tests", "docs"]
    names = generator.sample(known, generator.choice([2, 4, 6, 6]))
    parts = {"handler": part(1, 1, *[generator.sample(names, generator.randint(1, 2)) for _ in range(2)])}
    for name in names:
        needs = [
            [other for other in generator.sample([*names, "cuda"], generator.randint(1, 2)) if other != name]
            for _ in range(generator.choice([0, 0, 1, 2]))
        ]
        zipped = generator.randint(2, 30)
        parts[name] = part(zipped, zipped * generator.choice([2, 3, 8]), *filter(None, needs))
    return [parts, {"zipped": 200, "unpacked": 1500}]


def draw_tight(generator):
    """Parts of which the smallest zip is too large unpacked: a larger one is the answer, or none."""
    while True:
        parts, _ = draw_parts(generator)
        sizes = sorted(
            [sum(parts[name][limit] for name in kept) for limit in ROOMY] for kept in working(parts)
        )
        thinner = [size for size in sizes if size[1] < sizes[0][1]]
        if thinner:
            zipped, unpacked = generator.choice(thinner)
            most = generator.choice([zipped, zipped, zipped + 3, zipped - 1])
            return [parts, {"zipped": most, "unpacked": unpacked}]


def working(parts):
    """The packages in which all needs are met, whatever their size."""
    others = [name for name in parts if name != "handler"]
    for count in range(len(others) + 1):
        for chosen in itertools.combinations(others, count):
            kept = {"handler", *chosen}
            if all(kept & set(need) for name in kept for need in parts[name]["needs"]):
                yield kept


def packages(arguments, value, expected):
    """The names of the parts that are kept: all needs are met, and no package is smaller."""
    parts, limits = arguments
    if expected is None or value is None:
        sizes = "some packages keep the limits" if value is None else "no package keeps the limits"
        return "" if value is expected else f"it is {as_text(value)}, but {sizes}"
    if type(value) is not list or any(type(name) is not str for name in value):
        return f"it is {as_text(value)}, not a list of names"
    if len(set(value)) < len(value):
        return f"{as_text(value)} has a name twice"
    if unknown := [name for name in value if name not in parts]:
        return f"there is no part {unknown[0]!r}"
    if "handler" not in value:
        return f"{as_text(value)} has no handler"
    for name in value:
        for need in parts[name]["needs"]:
            if not set(need) & set(value):
                return f"in {as_text(value)} {name!r} fails: it needs {' or '.join(need)}"
    for limit, most in limits.items():
        if (total := sum(parts[name][limit] for name in value)) > most:
            return f"{as_text(value)} is too large: {total} MiB {limit}, and {most} are allowed"
    mine, best = (sum(parts[name]["zipped"] for name in names) for names in (value, expected))
    return "" if mine <= best else f"{as_text(value)} has {mine} MiB zipped; one of {best} MiB works, too"


PRICES = {
    **{"gb_second": 0.00002, "gb": 2.0, "million_requests": 0.2},
    **{"server_hour": 0.1, "cores": 4, "room": 0.5, "balancer_hour": 0.02},
}


def draw_curve(generator, prices=PRICES):
    """Some hours, with prices at which the places cost clearly different sums."""
    while True:
        quiet, peak = generator.choice([0, 200, 3_000, 20_000]), generator.choice([1, 1, 4, 40])
        curve = [quiet] * generator.randint(2, 8) + [quiet * peak or 900 * peak] * generator.randint(1, 3)
        generator.shuffle(curve)
        milliseconds = generator.choice([7.1, 20, 40.5, 125, 400])
        need = max(curve) / 3600 * milliseconds / 1000 / (prices["room"] * prices["cores"])
        function, servers = costs(curve, milliseconds, prices)
        near = max(function, servers) < 20 * min(function, servers)
        if near and abs(function / servers - 1) > 1e-3 and abs(need - round(need)) > 1e-6:
            return [curve, milliseconds, prices]


def draw_prices(generator):
    """Another cloud: each of its prices is another one."""
    prices = {
        "gb_second": generator.choice([0.00001, 0.00003, 0.00004]),
        "gb": generator.choice([0.5, 1.75, 4]),
        "million_requests": generator.choice([0.4, 5, 20]),
        "server_hour": generator.choice([0.03, 0.06, 0.4]),
        "cores": generator.choice([1, 2, 8]),
        "room": generator.choice([0.6, 0.75, 0.9]),
        "balancer_hour": generator.choice([0.05, 0.3]),
    }
    return draw_curve(generator, prices)


def costs(curve, milliseconds, prices):
    seconds = math.ceil(milliseconds) / 1000
    each = seconds * prices["gb"] * prices["gb_second"] + prices["million_requests"] / 1e6
    need = max(curve) / 3600 * milliseconds / 1000 / (prices["room"] * prices["cores"])
    count = max(1, math.ceil(need))
    hourly = count * prices["server_hour"] + (prices["balancer_hour"] if count > 1 else 0)
    return sum(curve) * each, len(curve) * hourly


def draw_calls(generator):
    """Loads of which some fail, then calls one by one for two instances."""
    gives = generator.choice([["v1", "v2"], ["", "v1", "v2"], ["v1", "", "v2"], ["", "", "", "v1"]])
    cards = generator.sample(["1", "2", "3", "4", "torn"], 5)
    return [gives, [[generator.choice([0, 0, 1]), [card]] for card in cards]]


def draw_rush(generator):
    """Several calls at the same time: at the first, or when the model is there."""
    gives = generator.choice([["v1", "v2"], ["", "v1", "v2"], ["", "", "v1"]])
    waves = [["9"], ["1", "2"], ["3", "4", "5"]]
    if "" not in gives:  # else whoever loads first would get another answer for a torn card
        waves += [["torn", "6", "7"], ["8", "torn"]]
    return [gives, [[generator.choice([0, 0, 1]), generator.choice(waves)] for _ in range(3)]]


def days(arguments, value, expected):
    """What was seen of the instances is what is seen of the solution's; what is worst comes first."""
    if type(value) is not dict or value.keys() != expected.keys():
        return f"it is {as_text(value)}, which `play` does not return: leave `played` as it was"
    if value["loads before a call"]:
        return "a model was loaded before the first call"
    if value["loads at once"] != expected["loads at once"]:
        return f"{value['loads at once']} calls loaded a model at the same time"
    if value["read in turns"] != expected["read in turns"]:
        return "a card was not read before another one was answered: they can be read side by side"
    for (instance, cards), mine, right in zip(
        arguments[1], value["answers"], expected["answers"], strict=False
    ):
        if mine != right:
            wave = f"instance {instance} answers the cards {', '.join(cards)}"
            return f"{wave} with {as_text(mine)}, and should with {as_text(right)}"
    problem = f"the model was loaded {value['loads']} times, and should be {expected['loads']}"
    return "" if value == expected else problem


def draw_log(generator):
    """Payments of one replica, with a quiet moment or more, one to lose something and one to pay twice."""
    most = generator.choice([1, 1, 5, 100])
    while True:
        now, log = 0, []
        for _ in range(generator.randint(2, 5)):
            after = max((answered for *_, answered in log), default=0)
            came = generator.choice([now + generator.randint(0, 60), after + 1])
            stored = came + generator.randint(5, 40)
            log.append([came, stored, stored + generator.randint(5, 40)])
            now = came + generator.randint(5, 90)
        kinds = Counter(outcome(log, moment) for moment in within(log))
        if len(kinds) == len(OUTCOMES) and kinds["quiet"] <= most:
            return [log]


OUTCOMES = ("quiet", "lost", "twice")


def within(log):
    """The moments from the first arrival to the last answer."""
    return range(min(came for came, _, _ in log), max(answered for _, _, answered in log))


def outcome(log, moment):
    """What a kill at that moment does: the worst of what it does to any request."""
    if any(stored <= moment < answered for _, stored, answered in log):
        return "twice"
    return "lost" if any(came <= moment < stored for came, stored, _ in log) else "quiet"


def breaks(arguments, value, expected):
    """A moment for each outcome."""
    (log,) = arguments
    if type(value) is not dict or set(value) != set(OUTCOMES):
        return f"it is {as_text(value)}, not a dictionary with quiet, lost and twice"
    for kind in OUTCOMES:
        moment = value[kind]
        first, last = within(log).start, within(log).stop
        if type(moment) is not int or not first <= moment < last:
            return f"{kind!r} is {as_text(moment)}, not a moment t of the log: {first} <= t < {last}"
        if (happens := outcome(log, moment)) != kind:
            return f"a kill at {as_text(moment)} is {happens!r}, not {kind!r}"
    return ""


LAB = Lab(
    [
        Question(
            "q1",
            "next_replica",
            "the replica that gets the next request",
            level=1,
            minutes=10,
            parts=[
                Part(
                    "the fewest open requests for its weight",
                    1,
                    [
                        [[replica("a", 3), replica("b", 1), replica("c", 2)], [], 100],
                        [[replica("a", 3, 1), replica("b", 5, 2), replica("c", 4, 2)], [], 100],
                        [[replica("a", 2, 1), replica("b", 5, 3)], [], 100],
                        [[replica("a", 0, 1), replica("b", 1, 3)], [], 100],
                    ],
                ),
                Part(
                    "equal: the greater weight, then the earlier",
                    1,
                    [
                        [[replica("a", 1, 1), replica("b", 2, 2), replica("c", 2, 2)], [], 100],
                        [[replica("c", 0, 1), replica("b", 0, 2), replica("a", 0, 3)], [], 100],
                        [[replica("b", 2, 2), replica("a", 2, 2)], [], 100],
                    ],
                ),
                Part(
                    "one that failed is left out for ten seconds",
                    1,
                    [
                        [[replica("a", 0, 1, 90.5), replica("b", 4)], [], 100],
                        [[replica("a", 0, 1, 90), replica("b", 4)], [], 100],
                        [[replica("a", 0, 1, 0), replica("b", 4)], [], 3],
                    ],
                ),
                Part(
                    "all have failed: then these are better than none",
                    1,
                    [
                        [[replica("a", 2, 1, 95), replica("b", 1, 1, 99)], [], 100],
                        [[replica("a", 2, 1, 95), replica("b", 1, 1), replica("c", 3, 1, 98)], ["b"], 100],
                    ],
                ),
                Part(
                    "never one that this request has tried, nor one of weight 0",
                    1,
                    [
                        [[replica("a", 1), replica("b", 2)], ["a"], 100],
                        [[replica("a", 1), replica("b", 2)], ["b", "a"], 100],
                        [[replica("a", 0, 0), replica("b", 2)], [], 100],
                        [[replica("a", 0, 0), replica("b", 2)], ["b"], 100],
                    ],
                ),
                Part("other replicas", 7, draw=draw_choice, count=14),
                Part("other replicas, some of them out of order", 6, draw=draw_failures, count=20),
            ],
        ),
        Question(
            "q2",
            "scaled",
            "the autoscaler's rule: up at once, down after a while",
            level=2,
            minutes=12,
            parts=[
                Part(
                    "up at once, within the limits",
                    1,
                    [
                        [[[0, 0.8]], 3, RULES],
                        [[[0, 0.7], [15, 0.56], [30, 1.0]], 3, RULES],
                        [[[0, 1.0], [15, 1.0], [30, 1.0]], 4, RULES],
                    ],
                ),
                Part(
                    "near the target nothing changes",
                    1,
                    [[[[0, 0.545], [15, 0.455]], 7, RULES], [[[0, 0.555], [15, 0.445]], 7, RULES]],
                ),
                Part(
                    "a whole number is not rounded up",
                    1,
                    [
                        [[[0, 0.65]], 6, RULES | {"target": 0.3, "most": 30}],
                        [[[0, 0.1]], 7, RULES | {"target": 0.7}],
                    ],
                ),
                Part(
                    "down once all wishes within the time agree",
                    1,
                    [
                        [[[0, 0.5], [15, 0.2], [30, 0.2], [45, 0.2], [60, 0.2], [75, 0.2]], 5, RULES],
                        [[[0, 0.5], [30, 0.2], [59, 0.3], [60, 0.2], [95, 0.2]], 5, RULES],
                    ],
                ),
                Part(
                    "the first wish to go down is obeyed if no other is remembered",
                    1,
                    [[[[0, 0.2]], 6, RULES], [[[0, 0.0]], 5, RULES | {"least": 2}]],
                ),
                Part(
                    "a wave in between keeps what it needed",
                    1,
                    [
                        [[[0, 0.2], [30, 0.9], [60, 0.1], [80, 0.1], [95, 0.1]], 4, RULES],
                        [[[0, 0.5], [20, 0.7], [40, 0.5], [60, 0.3], [90, 0.3]], 5, RULES],
                    ],
                ),
                Part("other hours", 9, draw=draw_scaling, count=12),
                Part("other hours, measured now and then", 6, draw=draw_irregular, count=8),
            ],
        ),
        Question(
            "q3",
            "replicas_for",
            "how many replicas a promise takes, by Erlang's formula",
            level=3,
            minutes=14,
            parts=[
                Part(
                    "one zone",
                    1,
                    [[20, 8, 0.1, 0.05, 1], [20, 8, 0.1, 0.2, 1], [3, 8, 0.5, 0.05, 1]],
                ),
                Part(
                    "a queue that grows is never short enough",
                    1,
                    [[24, 8, 60, 0.5, 1], [40, 8, 600, 0.9, 1]],
                ),
                Part(
                    "nobody may wait at all, or nearly half may",
                    1,
                    [[20, 8, 0, 0.01, 1], [4, 8, 0, 0.2, 1], [4, 8, 0, 0.49, 1]],
                ),
                Part("no requests", 1, [[0, 8, 0.1, 0.01, 1], [0, 8, 0, 0.01, 2]]),
                Part("hundreds of replicas", 1, [[4000, 8, 0.05, 0.01, 1], [1600, 2, 0.1, 0.001, 1]]),
                Part(
                    "the promise holds without the largest zone",
                    1,
                    [[20, 8, 0.1, 0.05, 2], [20, 8, 0.1, 0.05, 3], [1, 8, 0.5, 0.05, 3]],
                ),
                Part("other promises", 9, draw=draw_promise, count=14),
                Part("other promises in several zones", 6, draw=draw_zones, count=14),
            ],
        ),
        Question(
            "q4",
            "package",
            "the smallest package with which the handler still works",
            level=2,
            minutes=12,
            judge=packages,
            parts=[
                Part(
                    "what is needed stays, and nothing else",
                    1,
                    [
                        [
                            {
                                "handler": part(1, 1, ["runtime"], ["model"]),
                                "runtime": part(20, 70, ["numpy"]),
                                "numpy": part(15, 60),
                                "model": part(1, 1),
                                "docs": part(3, 9),
                            },
                            ROOMY,
                        ],
                        [{"docs": part(3, 9), "handler": part(1, 1)}, ROOMY],
                        [
                            {
                                "handler": part(1, 1, ["runtime"]),
                                "runtime": part(20, 70, ["numpy"]),
                                "numpy": part(15, 60),
                            },
                            ROOMY,
                        ],
                    ],
                ),
                Part(
                    "one of several that will do",
                    1,
                    [
                        [
                            {
                                "handler": part(1, 1, ["pillow", "opencv"]),
                                "pillow": part(8, 22),
                                "opencv": part(6, 30, ["numpy"]),
                                "numpy": part(15, 60),
                            },
                            ROOMY,
                        ],
                        [
                            {
                                "handler": part(1, 1, ["pillow", "opencv"], ["numpy"]),
                                "pillow": part(8, 22),
                                "opencv": part(6, 30, ["numpy"]),
                                "numpy": part(15, 60),
                            },
                            ROOMY,
                        ],
                    ],
                ),
                Part(
                    "parts that need each other",
                    1,
                    [
                        [
                            {
                                "handler": part(1, 1, ["torch"]),
                                "torch": part(20, 50, ["typing"]),
                                "typing": part(2, 3, ["torch"]),
                                "tests": part(2, 2, ["torch"]),
                            },
                            ROOMY,
                        ]
                    ],
                ),
                Part(
                    "both limits count; exactly the limit is within it",
                    1,
                    [
                        [
                            {
                                "handler": part(1, 1, ["onnx", "torch"]),
                                "onnx": part(20, 249),
                                "torch": part(15, 250),
                            },
                            ROOMY,
                        ],
                        [{"handler": part(1, 1, ["torch"]), "torch": part(49, 249)}, ROOMY],
                        [{"handler": part(1, 1, ["torch"]), "torch": part(49.5, 100)}, ROOMY],
                        [{"handler": part(1, 1, ["torch"]), "torch": part(40, 250)}, ROOMY],
                        [
                            {
                                "handler": part(1, 1, ["onnx", "torch"], ["pillow", "opencv"]),
                                "onnx": part(21, 150),
                                "torch": part(20, 180),
                                "pillow": part(9, 60),
                                "opencv": part(8, 110),
                            },
                            ROOMY,
                        ],
                    ],
                ),
                Part(
                    "what is needed and not there: no package works",
                    1,
                    [
                        [{"handler": part(1, 1, ["numpy"]), "docs": part(1, 1)}, ROOMY],
                        [
                            {"handler": part(1, 1, ["pillow", "opencv"]), "opencv": part(9, 9, ["numpy"])},
                            ROOMY,
                        ],
                    ],
                ),
                Part("other packages", 7, draw=draw_parts, count=12),
                Part("other packages, with little room", 6, draw=draw_tight, count=12),
            ],
        ),
        Question(
            "q5",
            "cheapest",
            "the cheapest place for a curve of requests",
            level=2,
            minutes=10,
            tolerance=1e-9,
            parts=[
                Part(
                    "little to do, and much to do",
                    1,
                    [[[0, 100, 0, 50], 20, PRICES], [[90_000, 120_000, 160_000], 20, PRICES]],
                ),
                Part(
                    "the busiest hour says how many servers",
                    1,
                    [
                        [[500_000, 100_000, 500_000, 300_000], 20, PRICES],
                        [[9_000, 9_000, 500_000, 9_000], 20, PRICES],
                    ],
                ),
                Part(
                    "servers exactly full, or just not",
                    1,
                    [
                        [[14_400, 14_400], 1000, PRICES],
                        [[14_401, 14_400], 1000, PRICES],
                        [[7_200, 7_200], 1000, PRICES],
                    ],
                ),
                Part(
                    "a function is billed by whole milliseconds, a server is not",
                    1,
                    [[[4000, 0, 0], 6.2, PRICES], [[6_800_000, 2_000_000], 1.05, PRICES]],
                ),
                Part(
                    "no requests, and sums that are equal",
                    1,
                    [
                        [[0, 0, 0], 20, PRICES],
                        [[1], 1000, PRICES | {"gb_second": 0.25, "million_requests": 0, "server_hour": 0.5}],
                    ],
                ),
                Part("other curves", 7, draw=draw_curve, count=12),
                Part("other clouds", 6, draw=draw_prices, count=16),
            ],
        ),
        Question(
            "q6",
            "played",
            "a handler that loads its model once and keeps it",
            level=3,
            minutes=14,
            seconds=3.0,
            judge=days,
            parts=[
                Part(
                    "loaded at the first call, kept for the next",
                    1,
                    [[["v1", "v2"], [[0, ["1"]], [0, ["2"]], [0, ["3"]]]]],
                ),
                Part(
                    "each instance has a model of its own",
                    1,
                    [[["v1", "v2"], [[0, ["1"]], [1, ["2"]], [0, ["3"]], [1, ["4"]]]]],
                ),
                Part(
                    "a load that failed is tried again by the next call",
                    1,
                    [[["", "", "", "v1", "v2"], [[0, [card]] for card in "12345"]]],
                ),
                Part(
                    "a card that cannot be read costs no model",
                    1,
                    [[["v1", "v2"], [[0, ["torn"]], [0, ["2"]], [0, ["torn"]], [0, ["3"]]]]],
                ),
                Part(
                    "calls at the same time: one loads, the others wait",
                    1,
                    [
                        [["v1", "v2"], [[0, ["1", "2", "3"]]]],
                        [["v1", "v2"], [[0, ["1"]], [0, ["2", "3"]]]],
                        [["v1", "v2"], [[0, ["1", "torn", "3"]]]],
                    ],
                ),
                Part(
                    "calls at the same time, and the load fails",
                    1,
                    [
                        [["", "v1", "v2"], [[0, ["1", "2", "3"]], [0, ["4"]]]],
                        [["", "", "v1", "v2"], [[0, ["1", "2", "3"]], [0, ["4"]]]],
                    ],
                ),
                Part("other days", 9, draw=draw_calls, count=6),
                Part("other rushes", 6, draw=draw_rush, count=6),
            ],
        ),
        Question(
            "q7",
            "moments",
            "break it: three moments to kill a replica",
            level=2,
            minutes=10,
            judge=breaks,
            parts=[
                Part(
                    "one payment after the other",
                    1,
                    [[[[10, 40, 70], [100, 130, 160]]], [[[0, 5, 10], [11, 20, 21], [50, 51, 90]]]],
                ),
                Part(
                    "payments that overlap",
                    1,
                    [
                        [[[0, 30, 60], [20, 50, 80], [110, 120, 130]]],
                        [[[5, 30, 60], [20, 50, 80], [30, 70, 75], [81, 95, 99]]],
                    ],
                ),
                Part("other logs", 5, draw=draw_log, count=12),
            ],
        ),
        OpenQuestion(
            "q8",
            "what scales, and what for?",
            level=2,
            minutes=8,
            rubric={
                0: "no position, or one without a reason",
                2: "a position with a reason that uses no figure measured in this lab",
                4: "a position that follows from at least two figures of this lab",
                6: "that, and a change of the figures that would turn it into another one",
            },
        ),
    ],
)
