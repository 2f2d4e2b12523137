"""Lab 07: the questions, their cases, and how an answer is judged."""

import hashlib
import itertools
import math

from fsdl_course.labs.questions import Lab, OpenQuestion, Part, Question, as_text


def customers(*numbers):
    return [f"C{number:07d}" for number in numbers]


def place_of(text):
    """From 0 to 1, as the lab defines it."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


def draw_customers(generator):
    """Some customers, a share that is no round one, and a salt."""
    some = customers(*generator.sample(range(10**6), 24))
    share = generator.choice([0.07, 0.18, 0.33, 0.5, 0.81])
    return [some, share, generator.choice(["november", "v3", "2026-12"])]


PLAN = {"steps": [1, 5, 25, 100], "enough": 200}


def draw_looks(generator):
    """A rollout in which a person may stop the plan, and something may go wrong."""
    steps = generator.choice([[1, 5, 25, 100], [2, 10, 50, 100], [5, 100]])
    plan = {"steps": steps, "enough": generator.choice([100, 150, 300])}
    words = ["good"] * 6 + ["unclear"] * 2 + ["stop", "go"] + ["bad"] * (generator.random() < 0.3)
    return [plan, [[generator.choice(words), generator.choice([0, 50, 100, 150, 300])] for _ in range(12)]]


def draw_stops(generator):
    """A rollout that is stopped and goes on."""
    looks = [["good", generator.choice([100, 200])] for _ in range(generator.randint(1, 3))]
    looks += [["stop", generator.choice([50, 150])]] * generator.randint(1, 2)
    looks += [["good", generator.choice([0, 200])]] * generator.randint(0, 2)
    looks += generator.choice([[["go", 0]], [["go", 60]], [["bad", 10]], [["unclear", 200], ["go", 0]]])
    return [PLAN, looks + [["good", generator.choice([0, 0, 200])] for _ in range(3)]]


RULES = {
    "least": 100,
    "at_once": 10,
    "slower": 1.5,
    "worse": {"errors": 0.01, "implausible": 0.02, "unsure": 0.05},
}


UNSORTED = {"implausible": 0.02, "errors": 0.01}


def version(cards=400, errors=0, implausible=0, unsure=0, times=()):
    counts = {"cards": cards, "errors": errors, "implausible": implausible, "unsure": unsure}
    return counts | {"times": list(times)}


def draw_times(generator, slow=1.0):
    return [
        round(slow * generator.uniform(8, 20), 1) for _ in range(generator.choice([7, 100, 101, 130, 250]))
    ]


def draw_guardrails(generator):
    """Two versions and rules of which none is decided by a hair, but some exactly at the limit."""
    rules = {
        "least": generator.choice([50, 100]),
        "at_once": generator.choice([5, 12]),
        "slower": generator.choice([1.2, 1.5, 2.0]),
        "worse": {"implausible": 0.02, "errors": 0.01, "unsure": generator.choice([0.04, 0.1])},
    }
    stable, candidate = (
        version(
            generator.choice([60, 200, 200, 1000]),
            generator.choice([0, 1, 3, 4]),
            generator.choice([0, 2, 6, 10]),
            generator.choice([0, 8, 20]),
            draw_times(generator, slow),
        )
        for slow in (1.0, generator.choice([0.8, 1.0, 1.3, 1.7, 2.5]))
    )
    return [stable, candidate, rules]


def draw_early(generator):
    """Few cards, many errors, or no times."""
    stable, candidate, rules = draw_guardrails(generator)
    candidate["cards"] = generator.choice([rules["least"] - 1, rules["least"], 20])
    candidate["errors"] = generator.choice([0, rules["at_once"] - 1, rules["at_once"], 18])
    if generator.random() < 0.4:
        generator.choice([stable, candidate])["times"] = []
    if generator.random() < 0.2:
        stable["cards"] = rules["least"] - 1
    if generator.random() < 0.4:
        stable["errors"] = rules["at_once"] + 3
    return [stable, candidate, rules]


def evidence(pairs, tolerance):
    """What the three gamblers own on average after each pair."""
    bets, owned, means = (0.1, 0.3, 0.9), [1.0] * 3, []
    for stable, candidate in pairs:
        owned = [m * (1 + b * (stable - candidate - tolerance)) for m, b in zip(owned, bets, strict=True)]
        means.append(sum(owned) / 3)
    return means


def draw_pairs(generator, rates=((0.95, 0.75), (0.95, 0.5), (0.9, 0.7)), count=120):
    """Pairs of which no mean comes near the alarm's limit without crossing it clearly."""
    while True:
        rate = generator.choice(rates)
        pairs = [[int(generator.random() < part) for part in rate] for _ in range(count)]
        tolerance, alpha = generator.choice([0, 0.01, 0.05]), generator.choice([0.05, 0.1, 0.01])
        if all(abs(mean * alpha - 1) > 1e-6 for mean in evidence(pairs, tolerance)):
            return [pairs, tolerance, alpha]


def draw_good_version(generator):
    return draw_pairs(generator, ((0.9, 0.9), (0.6, 0.8), (0.9, 0.86)))


BURN = {"objective": 0.999, "factor": 14.4, "short": 5, "long": 60}


def expanded(series):
    for part in series.split():
        start, times = part.split("x")
        first, _, step = start.partition("+")
        yield from (int(first) + int(step or 0) * number for number in range(int(times) + 1))


def ratios(good, bad, window):
    """The error ratio over a window at each minute."""
    counters = []
    for series in (good, bad):
        counter = list(expanded(series))
        pairs = itertools.pairwise(counter)
        counters.append([0, *(now - before if now >= before else now for before, now in pairs)])
    served, failed = counters
    pieces = [slice(max(0, minute - window + 1), minute + 1) for minute in range(len(served))]
    return [sum(failed[p]) / ((sum(failed[p]) + sum(served[p])) or 1) for p in pieces]


def draw_outage(generator, restart=False):
    """Two counters of the same length, in promtool's words, with an outage of some size and length."""
    while True:
        before, during, after = (generator.randint(*span) for span in ((5, 40), (2, 25), (5, 40)))
        rate, errors = generator.choice([60, 600]), generator.choice([1, 2, 5, 10, 30, 60])
        total = before + during + after
        good = f"0+{rate}x{total + 1}"
        if restart:
            first = generator.randint(3, total - 3)
            good = f"0+{rate}x{first} {generator.choice([0, rate])}+{rate}x{total - first}"
        bad = f"0x{before} {errors}+{errors}x{during - 1} {during * errors}x{after}"
        if restart and generator.random() < 0.5:
            bad = f"0x{before} {errors}+{errors}x{during - 1} 0x{after}"
        rule = {
            "objective": generator.choice([0.99, 0.999]),
            "factor": generator.choice([6, 14.4]),
            "short": generator.choice([1, 3, 5]),
            "long": generator.choice([10, 30, 60]),
        }
        limit = rule["factor"] * (1 - rule["objective"])
        near = (
            abs(ratio / limit - 1) < 1e-6
            for window in (rule["short"], rule["long"])
            for ratio in ratios(good, bad, window)
        )
        if len(list(expanded(good))) == len(list(expanded(bad))) and not any(near):
            return [good, bad, rule]


def draw_restart(generator):
    return draw_outage(generator, restart=True)


def distance(before, now):
    def share(values, most):
        return sum(value <= most for value in values) / len(values)

    return max(abs(share(before, value) - share(now, value)) for value in {*before, *now})


def draw_statistics(generator, ties=False):
    """Statistics of which some drift, none by a hair."""
    while True:
        names = generator.sample(
            ["grey", "contrast", "aspect", "confidence", "width"], generator.randint(1, 4)
        )
        reference, new = {}, {}
        for name in names:
            move, spread = generator.choice([(0, 1), (0, 1), (1.5, 1), (0, 4), (-2, 1)])
            digits = 0 if ties else 3
            reference[name] = [
                round(generator.gauss(0, 1), digits) for _ in range(generator.choice([20, 40]))
            ]
            new[name] = [
                round(generator.gauss(move, spread), digits) for _ in range(generator.choice([15, 30]))
            ]
        alpha = generator.choice([0.01, 0.05])
        chance = alpha / len(names)
        if all(
            abs(
                distance(reference[name], new[name])
                / math.sqrt(-math.log(chance / 2) / 2 * (1 / len(reference[name]) + 1 / len(new[name])))
                - 1
            )
            > 1e-3
            for name in names
        ):
            return [reference, new, alpha]


def draw_ties(generator):
    return draw_statistics(generator, ties=True)


def draw_rule(generator):
    """A colleague's rule, and the errors of its outage: some that only pauses of one kind allow."""
    rule = {
        "limit": generator.choice([1, 5, 20]),
        "hold": generator.choice([1, 2, 3, 5, 10]),
        "least": generator.choice([1, 5, 10, 30]),
        "minutes": generator.choice([10, 30, 60]),
        "most": generator.choice([20, 100]),
    }
    pause = max(rule["most"] * rule["limit"] // 100, min(rule["least"] - 1, rule["most"]))
    rows = rule["minutes"] // rule["hold"]
    possible = rows * pause + (rule["minutes"] - rows) * rule["most"]
    return [rule | {"lost": int(possible * generator.choice([0.7, 0.9, 1.0]))}]


def outages(arguments, value, expected):
    """The right number of minutes, errors enough, and an alert that never fires."""
    (rule,) = arguments
    if type(value) is not list or len(value) != rule["minutes"]:
        return f"it is {as_text(value)}, not a list of {rule['minutes']} minutes"
    row = errors_in_all = 0
    for number, minute in enumerate(value):
        numbers = type(minute) is list and len(minute) == 2 and all(type(count) is int for count in minute)
        if not numbers or not 0 <= minute[1] <= minute[0] <= rule["most"]:
            most = rule["most"]
            return (
                f"minute {number} is {as_text(minute)}, not [requests, errors] with at most {most} requests"
            )
        requests, errors = minute
        errors_in_all += errors
        row = row + 1 if requests >= rule["least"] and 100 * errors > rule["limit"] * requests else 0
        if row == rule["hold"]:
            return f"the alert fires at minute {number}"
    lost = rule["lost"]
    return (
        ""
        if errors_in_all >= lost
        else f"there are {errors_in_all} errors, and there should be at least {lost}"
    )


SAME = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
COLLEAGUE = {"limit": 5, "hold": 5, "least": 10, "minutes": 30, "most": 100, "lost": 600}
LAB = Lab(
    [
        Question(
            "q1",
            "candidates",
            "the customers who get the new version, by a hash",
            level=1,
            minutes=8,
            parts=[
                Part(
                    "the hash decides",
                    1,
                    [[customers(*range(20)), 0.3, "november"], [customers(*range(300, 320)), 0.4, "v3"]],
                ),
                Part(
                    "nobody, and everybody",
                    1,
                    [[customers(*range(9)), 0, "a"], [customers(*range(9)), 1, "a"], [[], 0.5, "a"]],
                ),
                Part(
                    "less than the share, and not as much",
                    1,
                    [
                        [customers(*range(60, 80)), place_of("may/C0000065") + more, "may"]
                        for more in (0, 1e-9)
                    ],
                ),
                Part(
                    "a greater share keeps who was in",
                    1,
                    [[customers(*range(40, 70)), share, "v3"] for share in (0.05, 0.25, 0.6)],
                ),
                Part(
                    "another salt, other customers",
                    1,
                    [[customers(*range(20)), 0.3, salt] for salt in ("december", "may")],
                ),
                Part(
                    "names in other letters",
                    1,
                    [[["Zoë", "Łukasz", "李", "zoë", "Zoe"], 0.5, salt] for salt in ("mai", "juni")],
                ),
                Part("other customers", 15, draw=draw_customers, count=10),
            ],
        ),
        Question(
            "q2",
            "shares",
            "the share of the new version, look by look",
            level=1,
            minutes=10,
            parts=[
                Part(
                    "good, with cards enough: the next step",
                    1,
                    [
                        [PLAN, [["good", 200], ["good", 250], ["good", 200]]],
                        [PLAN, [["good", 120], ["good", 80], ["good", 199], ["good", 1]]],
                    ],
                ),
                Part(
                    "each step counts its own cards",
                    1,
                    [
                        [PLAN, [["good", 390], ["good", 20], ["good", 180], ["good", 0]]],
                        [PLAN, [["good", 199], ["good", 1], ["good", 199], ["good", 1]]],
                    ],
                ),
                Part(
                    "behind the last step there is none",
                    1,
                    [
                        [PLAN | {"steps": [50, 100]}, [["good", 200], ["good", 200], ["good", 900]]],
                        [PLAN | {"steps": [20]}, [["good", 200], ["good", 900]]],
                    ],
                ),
                Part(
                    "unclear: the cards count, and nothing changes",
                    1,
                    [
                        [PLAN, [["unclear", 500], ["good", 0], ["unclear", 150], ["good", 60]]],
                        [PLAN, [["unclear", 150], ["unclear", 150], ["good", 0], ["good", 0]]],
                    ],
                ),
                Part(
                    "bad is for ever",
                    1,
                    [
                        [PLAN, [["good", 200], ["bad", 10], ["good", 900], ["unclear", 9], ["good", 900]]],
                        [PLAN, [["bad", 0], ["go", 0], ["good", 500]]],
                    ],
                ),
                Part(
                    "stopped by a person, until they say go",
                    1,
                    [
                        [PLAN, [["good", 200], ["stop", 0], ["good", 900], ["go", 0], ["good", 0]]],
                        [PLAN, [["stop", 150], ["good", 100], ["good", 100], ["go", 900], ["good", 0]]],
                        [PLAN, [["stop", 0], ["unclear", 300], ["good", 0], ["go", 0], ["good", 0]]],
                        [PLAN, [["stop", 0], ["bad", 3], ["go", 0], ["good", 400]]],
                        [PLAN, [["stop", 150], ["go", 60], ["good", 0]]],
                        [PLAN, [["stop", 0], ["stop", 0], ["good", 900], ["go", 0], ["good", 0]]],
                    ],
                ),
                Part("other rollouts", 9, draw=draw_looks, count=20),
                Part("other rollouts that a person stops", 6, draw=draw_stops, count=20),
            ],
        ),
        Question(
            "q3",
            "broken",
            "the guardrails that a new version breaks",
            level=2,
            minutes=12,
            parts=[
                Part(
                    "a share that is worse by more than allowed",
                    1,
                    [
                        [version(400, 2, 8, 20), version(200, 4, 4, 10), RULES],
                        [version(400, 0, 8, 20), version(400, 0, 20, 20), RULES],
                        [version(1000, 0, 8, 20), version(100, 0, 1, 12), RULES],
                        [version(400, 0, 80, 20), version(400, 0, 8, 20), RULES],
                        [
                            version(),
                            version(400, 8, 12),
                            RULES | {"worse": {"implausible": 0.02, "errors": 0.01}},
                        ],
                    ],
                ),
                Part(
                    "exactly what is allowed is allowed",
                    1,
                    [
                        [version(100, 0, 7, 3), version(100, 1, 9, 8), RULES],
                        [version(100, 3, 5, 9), version(100, 4, 7, 14), RULES],
                        [version(1000, 0, 29, 30), version(100, 1, 4, 8), RULES],
                        [version(100, 3, 5, 9), version(100, 5, 7, 14), RULES],
                    ],
                ),
                Part(
                    "too early to say is not that all is well",
                    1,
                    [
                        [version(400), version(99, 9, 50), RULES],
                        [version(99), version(400, 9, 50), RULES],
                        [version(100), version(100), RULES],
                    ],
                ),
                Part(
                    "so many errors that it is never too early",
                    1,
                    [
                        [version(400), version(12, 10, 2), RULES],
                        [version(400), version(12, 9, 2), RULES],
                        [version(0), version(10, 10), RULES],
                        [version(400, 40), version(400, 10, 300, 300), RULES],
                        [version(400, 40), version(400, 2), RULES],
                    ],
                ),
                Part(
                    "p99 is one of the times",
                    1,
                    [
                        [version(times=[10] * 100), version(times=[10] * 99 + [900]), RULES],
                        [version(times=[10] * 100), version(times=[10] * 98 + [900, 900]), RULES],
                        [version(times=[10] * 100), version(times=[15] * 100), RULES],
                        [version(times=[10] * 100), version(times=[10] * 148 + [900, 900]), RULES],
                        [version(times=[10] * 100), version(times=[900, 10, 10]), RULES],
                        [version(times=[30] + [10] * 100), version(times=[16] * 101), RULES],
                    ],
                ),
                Part(
                    "no times, no p99",
                    1,
                    [
                        [version(), version(times=[900] * 100), RULES],
                        [version(times=[9] * 100), version(implausible=40), RULES],
                    ],
                ),
                Part("other versions", 9, draw=draw_guardrails, count=24),
                Part("other versions, early or in trouble", 6, draw=draw_early, count=16),
            ],
        ),
        Question(
            "q4",
            "alarm",
            "a test that may be looked at after every card",
            level=3,
            minutes=14,
            parts=[
                Part(
                    "worse each time",
                    1,
                    [[[[1, 0]] * 12, *limits] for limits in ((0, 0.05), (0.05, 0.05), (0, 0.2), (0, 0.18))],
                ),
                Part(
                    "both right, both wrong: nothing to learn",
                    1,
                    [
                        [[[1, 1], [0, 0]] * 30, 0, 0.05],
                        [[[1, 0], [1, 1], [0, 0], [1, 0]] * 4, 0.02, 0.05],
                        [[], 0, 0.05],
                    ],
                ),
                Part(
                    "a better version raises no alarm",
                    1,
                    [
                        [[[0, 1]] * 40, 0, 0.05],
                        [[[0, 1], [0, 1], [1, 0]] * 20, 0, 0.05],
                        [[[1, 0], [1, 0], [0, 1]] * 40, 0, 0.05],
                    ],
                ),
                Part(
                    "what was lost must be won back",
                    1,
                    [
                        [[[0, 1]] * 4 + [[1, 0]] * 20, 0, 0.05],
                        [([[1, 0]] * 4 + [[0, 1]]) * 8, 0, 0.05],
                        [[[0, 1]] * 2 + [[1, 0]] * 20, 0, 0.05],
                    ],
                ),
                Part(
                    "it rings once, though later the mean falls again",
                    1,
                    [[[[1, 0]] * 8 + [[0, 1]] * 30, 0, 0.05], [[[1, 0]] * 12 + [[0, 1]] * 30, 0, 0.01]],
                ),
                Part(
                    "worse, but not by more than is tolerated",
                    1,
                    [
                        [([[1, 1]] * 15 + [[1, 0]]) * 12, 0.1, 0.05],
                        [([[1, 1]] * 5 + [[1, 0]]) * 20, 0.01, 0.05],
                    ],
                ),
                Part("other versions", 9, draw=draw_pairs, count=12),
                Part("other versions that are no worse, or hardly", 6, draw=draw_good_version, count=12),
            ],
        ),
        Question(
            "q5",
            "alerts",
            "a burn-rate alert over two windows",
            level=3,
            minutes=12,
            parts=[
                Part(
                    "an outage that goes on, and one that is short",
                    1,
                    [
                        ["0+600x120", "0x59 0+30x60", BURN],
                        ["0+600x120", "0x59 0+30x3 90x56", BURN],
                        ["0+600x90", "0x90", BURN],
                    ],
                ),
                Part(
                    "both windows must burn",
                    1,
                    [
                        ["0+600x120", "0x59 0+300x2 600x57", BURN],
                        ["0+600x100", "0x20 100+100x9 1000x69", BURN | {"long": 30}],
                    ],
                ),
                Part(
                    "what bad is divided by has the bad in it",
                    1,
                    [
                        [
                            "0+90x30",
                            "0+10x30",
                            BURN | {"objective": 0.9, "factor": 1.05, "short": 2, "long": 9},
                        ],
                        [
                            "0+80x30",
                            "0+20x30",
                            BURN | {"objective": 0.9, "factor": 1.05, "short": 2, "long": 9},
                        ],
                    ],
                ),
                Part(
                    "exactly at the limit it does not fire",
                    1,
                    [
                        ["0+90x20", bad, {"objective": 0.98, "factor": 5, "short": 2, "long": 5}]
                        for bad in ("0+10x20", "0+11x20")
                    ]
                    + [["0+50x20", "0+50x20", {"objective": 0.9, "factor": 5, "short": 2, "long": 5}]],
                ),
                Part(
                    "no requests, no errors",
                    1,
                    [
                        ["0x30", "0x30", BURN],
                        ["0+600x9 5400x20", "0x9 0x20", BURN],
                        ["0x30 0+600x40", "0x30 0+60x40", BURN | {"long": 20}],
                    ],
                ),
                Part(
                    "a counter that begins again",
                    1,
                    [
                        ["0+600x40 0+600x40", "0x60 0+30x20", BURN | {"long": 20}],
                        ["0+600x81", "0x20 30+30x20 0+30x39", BURN | {"long": 20}],
                        ["0+600x40 90+600x40", "3x40 2x40", BURN | {"short": 1, "long": 2, "factor": 2}],
                    ],
                ),
                Part("other outages", 9, draw=draw_outage, count=14),
                Part("other outages, with a restart", 6, draw=draw_restart, count=14),
            ],
        ),
        Question(
            "q6",
            "drifted",
            "the statistics that have drifted",
            level=2,
            minutes=12,
            parts=[
                Part(
                    "the same, and all of it moved",
                    1,
                    [
                        [{"grey": SAME * 3}, {"grey": SAME * 2}, 0.05],
                        [{"grey": SAME * 3}, {"grey": [v + 2 for v in SAME] * 2}, 0.05],
                        [{"grey": SAME * 3}, {"grey": [v - 2 for v in SAME] * 2}, 0.05],
                    ],
                ),
                Part(
                    "the spread alone is a drift, too",
                    1,
                    [
                        [
                            {"grey": [0.45, 0.5, 0.55] * 10},
                            {"grey": [0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9] * 4},
                            0.05,
                        ],
                        [{"grey": [0.45, 0.5, 0.55] * 10}, {"grey": [0.45, 0.5, 0.55] * 9}, 0.05],
                    ],
                ),
                Part(
                    "equal values count together",
                    1,
                    [
                        [{"length": [4, 5, 5, 6] * 8}, {"length": [4, 5, 6, 6] * 8}, 0.05],
                        [{"length": [5] * 30}, {"length": [5] * 30}, 0.05],
                        [{"length": [5] * 20 + [6] * 10}, {"length": [5] * 2 + [6] * 28}, 0.05],
                    ],
                ),
                Part(
                    "few pictures are no proof",
                    1,
                    [
                        [{"grey": [1, 2, 3, 4]}, {"grey": [4, 5, 6, 7]}, 0.05],
                        [{"grey": [1, 2, 3, 4] * 9}, {"grey": [3, 4, 5, 6] * 9}, 0.05],
                        [{"grey": [*range(10)]}, {"grey": [*range(6, 16)]}, 0.06],
                        [{"grey": [*range(10)]}, {"grey": [*range(6, 16)]}, 0.05],
                    ],
                ),
                Part(
                    "more statistics, a stricter limit for each",
                    1,
                    [
                        [{"a": SAME * 2}, {"a": [v + 0.4 for v in SAME] * 2}, 0.1],
                        [
                            {name: SAME * 2 for name in "abcdefgh"},
                            {name: [v + 0.4 * (name == "a") for v in SAME] * 2 for name in "abcdefgh"},
                            0.1,
                        ],
                    ],
                ),
                Part("other pictures", 7, draw=draw_statistics, count=12),
                Part("other pictures, with equal values", 6, draw=draw_ties, count=12),
            ],
        ),
        Question(
            "q7",
            "silent",
            "break it: an outage that nobody is paged for",
            level=2,
            minutes=10,
            judge=outages,
            parts=[
                Part(
                    "a good minute now and then",
                    1,
                    [
                        [COLLEAGUE],
                        [COLLEAGUE | {"least": 2, "limit": 30, "lost": 2580}],
                        [COLLEAGUE | {"minutes": 33, "lost": 2754}],
                        [COLLEAGUE | {"least": 2, "limit": 50, "most": 200, "lost": 5400}],
                        [COLLEAGUE | {"least": 2, "limit": 7, "most": 30, "hold": 2, "lost": 480}],
                    ],
                ),
                Part(
                    "a minute with few requests",
                    1,
                    [
                        [COLLEAGUE | {"limit": 1, "hold": 3, "least": 60, "lost": 2500}],
                        [COLLEAGUE | {"least": 150, "lost": 3000}],
                    ],
                ),
                Part(
                    "each bad minute fires",
                    1,
                    [
                        [COLLEAGUE | {"hold": 1, "lost": 150}],
                        [COLLEAGUE | {"hold": 1, "least": 30, "lost": 800}],
                    ],
                ),
                Part("other rules", 8, draw=draw_rule, count=16),
            ],
        ),
        OpenQuestion(
            "q8",
            "who is paged?",
            level=2,
            minutes=8,
            rubric={
                0: "no decision, or one without a reason",
                2: "a decision for each of the three, and a reason",
                4: "reasons that follow from what harms customers now, and from two figures of this lab",
                6: "that, and what the message tells the person to do, and which alert would be deleted",
            },
        ),
    ],
)
