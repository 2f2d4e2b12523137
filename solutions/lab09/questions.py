"""Lab 09: the questions, their cases, and how an answer is judged."""

import functools
import hashlib
import itertools
import json

from fsdl_course.labs import conversions
from fsdl_course.labs.ed25519 import public_key, sign
from fsdl_course.labs.questions import Lab, OpenQuestion, Part, Question, as_text

# Exercise 1: a budget


def measured(files=None, milliseconds=(8, 9, 10, 30), peak=40_000, right=960, cards=1000):
    files = {"v2.onnx": 358_000, "runtime.wasm": 3_600_000} if files is None else files
    times = list(milliseconds)
    return {"files": files, "milliseconds": times, "peak_kib": peak, "right": right, "cards": cards}


BUDGET = {"kilobytes": 4000, "milliseconds": 30, "megabytes": 48, "accuracy": 0.95}
TWENTY = [*range(1, 20), 500]
TIMES = ([5.0] * 20, TWENTY, [*TWENTY[:19], 31, 32], [31.5], list(range(60, 40, -1)), [25] * 18 + [40] * 2)


def draw_budget(generator):
    sizes = {f"part{place}": generator.randrange(1, 3_000_000) for place in range(generator.randint(1, 4))}
    if generator.random() < 0.3:
        sizes["another"] = sizes["part0"]  # two files of one size
    times = [round(generator.lognormvariate(2.5, 0.7), 2) for _ in range(generator.randint(1, 60))]
    cards = generator.choice([200, 1000, 2000])
    model = measured(
        sizes, times, generator.randrange(8000, 80_000), generator.randint(cards * 9 // 10, cards), cards
    )
    for name, nothing in (("files", {}), ("milliseconds", []), ("peak_kib", None), ("cards", 0)):
        if generator.random() < 0.1:
            model[name] = nothing
    budget = {
        "accuracy": generator.choice([0.92, 0.95, 0.99]),
        "kilobytes": generator.choice([500, 1500, 4000]),
        "megabytes": generator.choice([16, 32, 64]),
        "milliseconds": generator.choice([10, 20, 50]),
    }
    kept = generator.sample(list(budget), generator.randint(1, 4))
    return [model, {name: budget[name] for name in kept}]


BUDGETS = [
    Part(
        "all files together, in kilobytes",
        1,
        [[measured(), {"kilobytes": bound}] for bound in (3957.999, 3958, 3866)]
        + [
            [measured({"a": 1001, "b": 999}), {"kilobytes": 1.9}],
            [measured({"a": 1000, "b": 1000}), {"kilobytes": 1.9}],  # two files of one size
            [measured({"a": 1_946_619}), BUDGET | {"kilobytes": 1900}],
        ],
    ),
    Part("the p95 of the times", 1, [[measured(milliseconds=times), BUDGET] for times in TIMES]),
    Part(
        "the peak in megabytes",
        1,
        [[measured(peak=peak), BUDGET] for peak in (46_875, 46_876, 47_900, 48_500)],
    ),
    Part(
        "the share that is right",
        1,
        [
            [measured(right=right, cards=cards), BUDGET]
            for right, cards in ((950, 1000), (949, 1000), (190, 200), (189, 200))
        ],
    ),
    Part(
        "not measured is no excuse",
        1,
        [
            [measured(peak=None), BUDGET],
            [measured(files={}, milliseconds=[]), BUDGET],
            [measured(right=0, cards=0), BUDGET],
            [measured(right=0, cards=100), BUDGET],
            [measured(peak=None), {"kilobytes": 4000}],
        ],
    ),
    Part(
        "every reason, in the order of the text",
        1,
        [
            [measured({"a": 9_000_000}, [70], 90_000, 1, 2), dict(reversed(BUDGET.items()))],
            [measured({"a": 9_000_000}, [70], 90_000, 1, 2), {"accuracy": 0.9, "kilobytes": 1000}],
            [measured(), BUDGET],
            [measured(), {}],
        ],
    ),
    Part("other budgets", 15, draw=draw_budget, count=30),
]

# Exercise 2: buckets


def columns(widths, sizes, graph):
    """What cards of these widths cost with buckets of these sizes; None if the widest does not fit."""
    if any(width > max(sizes, default=0) for width in widths):
        return None
    return graph * len(sizes) + sum(min(size for size in sizes if size >= width) for width in widths)


def cheapest(arguments, value, expected):
    """Buckets that every card fits into, and no set of buckets is cheaper."""
    widths, step, graph = arguments
    if type(value) is not list or not all(type(size) is int and size > 0 for size in value):
        return f"it is {as_text(value)}, not a list of whole columns"
    if value != sorted(set(value)):
        return f"it is {as_text(value)}: the buckets ascend, and none comes twice"
    if odd := next((size for size in value if size % step), None):
        return f"a bucket has {odd} columns, not a multiple of {step}"
    cost, best = columns(widths, value, graph), columns(widths, expected, graph)
    if cost is None:
        return f"the card of {max(widths)} columns fits into none of {as_text(value)}"
    return "" if cost == best else f"{as_text(value)} cost {cost:,} columns, and {best:,} are possible"


def draw_widths(generator):
    centres = [generator.randint(40, 220) for _ in range(generator.randint(1, 5))]
    spread = generator.choice([1, 6, 25])
    widths = [
        max(8, round(generator.gauss(generator.choice(centres), spread)))
        for _ in range(generator.choice([1, 12, 80, 400]))
    ]
    return [widths, generator.choice([1, 4, 8, 16]), generator.choice([0, 30, 300, 3000, 30_000])]


def draw_many_widths(generator):
    widths = [generator.randint(60, 320) for _ in range(generator.randint(150, 400))]
    return [widths, generator.choice([1, 4]), generator.choice([100, 400, 1600])]


TWO_KINDS = [64] * 50 + [68] * 3 + [160] * 40 + [172] * 2
UNEVEN = [10] * 9 + [11] + [20] * 9 + [21] + [30] * 9 + [90]
BUCKETS = [
    Part("graphs that cost nothing", 1, [[[64, 80, 96, 80], 4, 0], [[12, 64], 4, 0], [TWO_KINDS, 4, 0]]),
    Part("graphs so expensive that one must do", 1, [[[64, 80, 96], 4, 10**6], [TWO_KINDS, 4, 10**6]]),
    Part("multiples of the step", 1, [[[61, 62, 90], 8, 5], [[64, 65], 16, 7], [[100], 32, 3], [[33], 1, 3]]),
    Part(
        "how many cards there are counts",
        1,
        [
            [TWO_KINDS, 4, 100],
            [TWO_KINDS[-5:], 4, 100],
            [[64] * 9 + [160], 4, 800],
            [[64] * 9 + [160], 4, 900],
        ],
    ),
    Part("the best of all sets", 1, [[UNEVEN, 1, graph] for graph in (5, 12, 60, 95, 130)]),
    Part(
        "sixty different widths",
        1,
        [[[*range(60, 300, 4), 180, 180, 181], 4, graph] for graph in (50, 200, 900)],
    ),
    Part("no cards, no buckets", 1, [[[], 4, 100], [[], 8, 0], [[7], 8, 100]]),
    Part("other widths", 11, draw=draw_widths, count=24),
    Part("many other widths", 7, draw=draw_many_widths, count=6),
]

# Exercise 3: the range of int8


def clear_of_ties(values, keep, symmetric):
    """Whether no value lies so near the middle of two codes that the order of the sums decides."""
    ordered, rank = sorted(values), -(-keep * len(values) // 1000)
    low, high = min(0.0, ordered[-rank]), max(0.0, ordered[rank - 1])
    bound = sorted(map(abs, values))[rank - 1]
    scale = bound / 127 if symmetric else (high - low) / 255
    codes = [value / scale for value in [*values, low]] if scale else []
    return all(abs(code % 1 - 0.5) > 1e-4 for code in codes)


def draw_values(generator):
    while True:
        centre, spread = generator.choice([0, 0, 1.5, -3, 40]), generator.choice([0.5, 2, 20])
        values = [round(generator.gauss(centre, spread), 3) for _ in range(generator.choice([1, 7, 40, 300]))]
        if generator.random() < 0.5:
            values = [max(0.0, value) for value in values]
        if generator.random() < 0.5:
            values.append(round(generator.choice([-1, 1]) * spread * generator.uniform(8, 60), 3))
        arguments = [values, generator.choice([1000, 1000, 995, 990, 900]), generator.random() < 0.5]
        if clear_of_ties(*arguments):
            return arguments


EVEN = [-2.0, -1.01, 0.0, 0.52, 1.03, 3.0]
INK = [0.0] * 90 + [round(0.1 * place + 0.003, 3) for place in range(100)] + [73.1]
INT8 = [
    Part(
        "symmetric, nothing cut off",
        1,
        [[EVEN, 1000, True], [[0.3, -7.01], 1000, True], [[-0.2], 1000, True]],
    ),
    Part(
        "asymmetric, nothing cut off",
        1,
        [[EVEN, 1000, False], [[-0.31, 7.01], 1000, False], [INK, 1000, False]],
    ),
    Part(
        "zero is always in the range",
        1,
        [[[5.02, 7.013], 1000, False], [[-5.02, -7.013], 1000, False], [[2.017, 3.011, 9.0], 900, False]],
    ),
    Part("outliers are cut off", 1, [[INK, keep, how] for keep in (995, 990, 900) for how in (True, False)]),
    Part(
        "the rank is rounded up",
        1,
        [[[1.0, 2.03, 3.01], 700, True], [[1.0, 2.03, 3.01, -9.07], 700, False], [[4.0, -8.03], 500, True]],
    ),
    Part(
        "nothing but zeros", 1, [[[0.0, 0.0], 1000, True], [[0.0], 1000, False], [[0.0, 1.02], 1000, False]]
    ),
    Part("other activations", 15, draw=draw_values, count=30),
]

# Exercise 4: an update

SECRET, OTHER_SECRET = (hashlib.sha256(text).digest() for text in (b"of the utility", b"of somebody"))


@functools.cache
def signature(secret, text):
    return sign(secret, text.encode())


@functools.cache
def key_of(secret):
    return public_key(secret)


def offer(
    at=10, version=4, expires=100, name="meter-reader", model=None, secret=SECRET, signed_as=(), **changed
):
    """An offer that is in order, or with one thing changed after it was signed, or wrongly ``signed_as``."""
    model = f"weights {version}" if model is None else model
    signed = {"name": name, "version": version, "expires": expires, "bytes": len(model.encode())}
    signed["sha256"] = hashlib.sha256(model.encode()).hexdigest()
    signed |= dict(signed_as)
    # Written so that whoever signs another spelling of the same JSON signs other bytes.
    text = json.dumps(signed, separators=(" ,", ":  "), sort_keys=version % 2 == 0, ensure_ascii=False)
    return {
        "at": at,
        "manifest": text,
        "signature": signature(secret, text),
        "key": key_of(secret),
        "model": model,
    } | changed


def device(version=3, name="meter-reader"):
    return {"name": name, "version": version, "key": key_of(SECRET)}


def edited(offer, old, new):
    return offer | {"manifest": offer["manifest"].replace(old, new)}


def nearly(digest):
    """Other hashes, each of which is the same in a part."""
    other = digest.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    return [digest[:8] + other[8:], other[:-8] + digest[-8:], digest[:-1] + other[-1]]


def draw_offer(generator, number, at, kinds):
    """An offer of some kind: in order, expired, older, from elsewhere, changed on the way."""
    kind = generator.choice(kinds)
    version = max(1, number + generator.choice([1, 1, 2, 10]))
    expires = at + generator.choice([1, 50, 400])
    model = f"weights {version} {generator.randrange(1000)}"
    if kind == "install":
        return offer(at, version, expires, model=model)
    if kind == "signature":
        good = offer(at, version, expires, model=model)
        return generator.choice(
            [
                offer(at, version, expires, model=model, secret=OTHER_SECRET),
                edited(good, f'"version":  {version}', f'"version":  {version + 1}'),
                good
                | {"signature": good["signature"][:-2] + ("00" if good["signature"][-2:] != "00" else "01")},
                good | {"signature": ""},
                good | {"manifest": good["manifest"] + " "},
                good | {"manifest": "<html>log in first</html>"},
                good | {"signature": generator.choice(["none", "0" * 128, good["key"]])},
            ]
        )
    if kind == "expired":
        return offer(at, version, at - generator.choice([0, 0, 1, 30]), model=model)
    if kind == "name":
        return offer(
            at,
            version,
            expires,
            name=generator.choice(["thermostat", "meter-reader-2", "", "Meter-Reader"]),
            model=model,
        )
    if kind == "older":
        return offer(at, generator.randint(max(0, number - 3), number), expires, model=model)
    good, length = offer(at, version, expires, model=model), len(model.encode())
    if generator.random() < 0.5:
        wrong = [{"bytes": length + 1}, {"bytes": length - 1}]
        wrong += [{"sha256": digest} for digest in nearly(hashlib.sha256(model.encode()).hexdigest())]
        return offer(at, version, expires, model=model, signed_as=generator.choice(wrong))
    return good | {
        "model": generator.choice([model + " ", model[:-1], "", model.replace("weights", "weighty")])
    }


def draw_offers(generator, kinds=("install", "signature", "expired", "name", "older", "older", "model")):
    number = generator.randint(1, 12)
    own, at, offers = device(number), generator.randint(0, 500), []
    for _ in range(generator.randint(3, 5)):
        at += generator.choice([-40, -3, 0, 1, 20, 200])
        offers.append(draw_offer(generator, number, at, kinds))
        if '"expires"' in offers[-1]["manifest"] and generator.random() < 0.4:
            number = max(number, json.loads(offers[-1]["manifest"])["version"])
    return [own, offers]


def draw_attack(generator):
    """Offers of which more are forged than in order."""
    return draw_offers(generator, ("install", "signature", "signature", "model"))


GOOD, ABROAD = offer(), offer(name="Zähler")
NEARLY = nearly(hashlib.sha256(b"weights 4").hexdigest())
UPDATES = [
    Part("a good one is installed", 1, [[device(), [GOOD]], [device(7), [offer(version=9), offer(12, 10)]]]),
    Part(
        "a signature of the utility, over these very bytes",
        1,
        [
            [device(), [edited(GOOD, '"version":  4', '"version":  5'), GOOD]],
            [device(), [GOOD | {"signature": "00" * 64}, GOOD | {"signature": "none"}, GOOD]],
            [device(), [GOOD | {"manifest": "<html>log in first</html>"}, GOOD | {"manifest": ""}, GOOD]],
            [device(name="Zähler"), [ABROAD | {"manifest": ABROAD["manifest"].replace("ä", "?")}, ABROAD]],
            [device(), [GOOD | {"manifest": json.dumps(json.loads(GOOD["manifest"]))}, GOOD]],
        ],
    ),
    Part(
        "another key, whatever the offer says",
        1,
        [
            [device(), [offer(secret=OTHER_SECRET), GOOD]],
            [device(), [GOOD, offer(12, 5, secret=OTHER_SECRET), offer(13, 6)]],
            [device(2), [offer(secret=OTHER_SECRET), offer(9, 3)]],
        ],
    ),
    Part(
        "another product's manifest",
        1,
        [
            [device(), [offer(name="thermostat"), offer(name="Meter-Reader"), GOOD]],
            [device(name="thermostat"), [offer(name="thermostat"), GOOD]],
        ],
    ),
    Part(
        "no older version, and the same is nothing new",
        1,
        [
            [device(4), [offer(version=3), GOOD, offer(version=5)]],
            [device(3), [offer(version=5), GOOD, offer(11, 5, model="weights 5, changed")]],
            [device(3), [offer(version=10), offer(version=9), offer(version=11)]],
        ],
    ),
    Part(
        "nothing that has expired, even by a clock set back",
        1,
        [
            [device(), [offer(at) for at in (100, 99)]],
            [device(), [offer(0, 4, 0), offer(0, 4, 1)]],
            [device(), [offer(at, 4, 90) for at in (120, 30)] + [offer(20, 4, 130)]],
            [device(4), [offer(100), offer(99), offer(99, 5, 101)]],
            [device(), [offer(99, secret=OTHER_SECRET), offer(30, 4, 99), offer(20, 4, 101)]],
        ],
    ),
    Part(
        "the model that was signed for",
        1,
        [
            [device(), [GOOD | {"model": "weights 5"}, GOOD]],
            [device(), [GOOD | {"model": ""}, GOOD | {"model": "weights 4 "}, GOOD]],
            [device(), [offer(model="Gewichte für Zähler 4"), offer(12, 4), offer(13, 5)]],
            [device(), [*(offer(signed_as={"bytes": length}) for length in (8, 10, 0)), GOOD]],
            [device(), [*(offer(signed_as={"sha256": wrong}) for wrong in NEARLY), GOOD]],
        ],
    ),
    Part("other offers", 10, draw=draw_offers, count=14),
    Part("other forgeries", 8, draw=draw_attack, count=10),
]

# Exercise 5: fallbacks

COSTS = {"wrong": 12.0, "call": 0.004, "person": 0.5, "late": 1.5}
SERVICE = {"right": 0.99, "milliseconds": 30}


def card(confidence=0.9, milliseconds=20, round_trip=80, deadline=1000):
    return {
        "confidence": confidence,
        "milliseconds": milliseconds,
        "round_trip": round_trip,
        "deadline": deadline,
    }


def rules(patience=200, **costs):
    return {"patience": patience, "service": SERVICE, "costs": COSTS | costs}


def draw_fallbacks(generator):
    while True:
        costs = {
            "wrong": generator.choice([2.0, 12.0, 60.0]),
            "call": generator.choice([0.001, 0.03, 0.4]),
            "person": generator.choice([0.3, 0.9, 4.0]),
            "late": generator.choice([0.0, 0.2, 3.0]),
        }
        service = {
            "right": generator.choice([0.93, 0.985, 0.999]),
            "milliseconds": generator.choice([5, 40, 300]),
        }
        rule = {"patience": generator.choice([50, 200, 500]), "service": service, "costs": costs}
        cards = [
            card(
                round(generator.choice([generator.random(), generator.uniform(0.95, 1)]), 4),
                generator.choice([8, 45, 180, 220, 900]),
                generator.choice([None, None, 0, 20, 90, 400, 2500]),
                generator.choice([None, 0, 100, 300, 1000]),
            )
            for _ in range(generator.randint(1, 8))
        ]
        if not any(near_tie(card, rule) for card in cards):
            return [cards, rule]


def near_tie(card, rule):
    """Whether two ways cost nearly the same: then the order of the sums would decide."""
    costs, sure = rule["costs"], rule["service"]["right"]
    ways = [
        wrong * costs["wrong"] + call
        for wrong, call in ((1 - card["confidence"], 0), (1 - sure, costs["call"]))
    ]
    sums = sorted(way + late for way in [*ways, costs["person"]] for late in (0, costs["late"]))
    return any(0 < more - less < 1e-6 for less, more in itertools.pairwise(sums))


FALLBACKS = [
    Part(
        "sure enough: on the device",
        1,
        [[[card(0.999), card(0.98), card(0.9895)], rules()], [[card(1.0), card(0.997)], rules()]],
    ),
    Part(
        "unsure: the service or a person, whichever is cheaper",
        1,
        [
            [[card(0.7), card(0.999)], rules()],
            [[card(0.7), card(0.999)], rules(call=0.6, late=0.0)],
            [[card(0.7, deadline=None), card(0.999)], rules(call=0.6)],
        ],
    ),
    Part(
        "no link",
        1,
        [
            [[card(0.7, round_trip=None), card(0.9, round_trip=None), card(0.1, round_trip=None)], rules()],
            [[card(0.6, round_trip=None), card(0.999, round_trip=None)], rules(person=0.11)],
            [[card(0.7, round_trip=0), card(0.7, 9000, 0, None)], rules()],  # a round trip of 0 is a link
        ],
    ),
    Part(
        "late for the deadline",
        1,
        [
            [[card(0.7, 20, trip) for trip in (950, 951, 3000)], rules()],
            [[card(0.95, 100, 10, deadline) for deadline in (99, 100, 140, None)], rules(late=0.4)],
            [[card(sure, 100, 10, deadline) for sure in (0.95, 0.999) for deadline in (0, None)], rules()],
        ],
    ),
    Part(
        "a person is late for every deadline",
        1,
        [
            [[card(0.9, 20, None, deadline) for deadline in (None, 10**9, 1)], rules(late=late)]
            for late in (0.6, 0.9)
        ],
    ),
    Part(
        "too slow: its answer is not waited for",
        1,
        [
            [[card(0.999, slow, 100, None) for slow in (199, 200, 201, 9000)], rules()],
            [[card(0.999, 9000, trip, 400) for trip in (170, 171, None)], rules()],
            [[card(0.6, 9000, trip, 400) for trip in (170, 171)], rules(person=0.11, late=0.012)],
        ],
    ),
    Part(
        "equally cheap: the earlier in the list",
        1,
        [
            [cards, rules(wrong=0.0, call=0.0, person=0.0, late=0.0)]
            for cards in ([card(0.5), card(0.5, 9000), card(1.0)], [card(0.3, 9000), card(0.7)])
        ],
    ),
    Part("other cards", 18, draw=draw_fallbacks, count=30),
]

# Exercise 6: parity


def conversion(broken="", rounding="float32", at=0):
    return [rounding, broken, at]


def counterexample(arguments, value, expected):
    """None for a conversion that is in order, a batch on which it is really wrong for another."""
    rounding, broken, at = arguments
    if not broken:
        return (
            "" if value is None else f"it is {as_text(value)}, and this conversion is in order: a false alarm"
        )
    if value is None:
        return f"it is None, and this conversion is broken: {conversions.BROKEN[broken].format(at=at)}"
    if type(value) is not list or not 1 <= len(value) <= conversions.MOST:
        return f"it is {as_text(value)}, not the list of a batch"
    if not all(type(card) is list and 2 <= len(card) <= 5 and type(card[0]) is str for card in value):
        return (
            'return the arguments of draw, such as ["0420", 18, 1.0, 0.1, 7] for each card, not drawn cards'
        )
    try:
        batch = [conversions.draw(*card) for card in value]
    except (TypeError, ValueError) as error:
        return f"{as_text(value)} cannot be drawn: {error}"
    pairs = zip(
        conversions.Conversion()(batch), conversions.Conversion(rounding, broken, at)(batch), strict=True
    )
    return (
        "" if any(conversions.differs(*pair) for pair in pairs) else "on this batch the conversion is right"
    )


def at_of(broken, generator):
    return {"bucket": generator.choice([24, 36, 48, 56]), "class": generator.randrange(10)}.get(
        broken,
        generator.randrange(1000),  # which the others do not look at: no case is one of the public
    )


def draw_conversion(generator):
    """Every second one is in order."""
    broken = generator.choice(["", *conversions.BROKEN]) if generator.random() < 0.6 else ""
    rounding = generator.choice(["float32", "float16", "int8"])
    return conversion(broken, rounding, at_of(broken, generator))


def draw_broken(generator):
    broken = generator.choice([*conversions.BROKEN, *conversions.BROKEN, ""])
    return conversion(broken, generator.choice(["float16", "int8"]), at_of(broken, generator))


SOUND = [conversion(rounding=rounding) for rounding in ("float32", "float16", "int8")]
PARITY = [
    Part("no false alarm", 1, [*SOUND, conversion("light")]),
    Part(
        "another width",
        1,
        [conversion("width"), conversion("bucket", at=40), conversion("bucket", at=60), SOUND[0]],
    ),
    Part("another light", 1, [conversion("light"), conversion("light", "int8"), SOUND[2]]),
    Part(
        "a digit that is never read, or read once",
        1,
        [*(conversion("class", at=digit) for digit in (9, 3, 0)), conversion("repeats"), SOUND[1]],
    ),
    Part("a number where text should be", 1, [conversion("number"), conversion("number", "int8"), SOUND[2]]),
    Part("cards in a batch", 1, [conversion("axes"), conversion("padding"), SOUND[2]]),
    Part("other conversions", 9, draw=draw_conversion, count=14),
    Part("other broken conversions", 6, draw=draw_broken, count=14),
]

# Exercise 7: a device held back


def manifest(version, published, expires):
    return {"version": version, "published": published, "expires": expires}


def held(manifests, polls, patience, version=3):
    return [{"version": version, "manifests": manifests, "polls": polls, "patience": patience}]


def draw_held(generator):
    """A utility that signs each version anew from time to time, until a newer one takes its place."""
    while True:
        version, hour, manifests = generator.randint(1, 9), 0, [manifest(1, 0, generator.choice([90, 2000]))]
        life, every = generator.choice([60, 168, 400]), generator.choice([24, 50, 150])
        for number in (version, version + 1, version + 2):
            for _ in range(generator.randint(1, 4)):
                manifests.append(manifest(number, hour, hour + life))
                hour += every
        generator.shuffle(manifests)
        # The first and the last hour at which a manifest is good are polls more often than by chance.
        edges = [edge for item in manifests for edge in (item["published"], item["expires"] - 1) if edge > 0]
        chosen = generator.sample(range(1, hour + 200), generator.randint(4, 12))
        polls = sorted({*chosen, *generator.sample(edges, 3)})
        case = {
            "version": version,
            "manifests": manifests,
            "polls": polls,
            "patience": generator.choice([30, 72, 150]),
        }
        while case["polls"] and problem_of(case, replayed(case)):
            case["polls"] = case["polls"][:-1]
        if len(case["polls"]) >= 2 and problem_of(case, [None] * len(case["polls"])):
            return [case]


def replayed(case):
    """A manifest of the device's own version wherever one is good."""
    own = [
        (place, item) for place, item in enumerate(case["manifests"]) if item["version"] == case["version"]
    ]
    return [
        next((place for place, item in own if item["published"] <= poll < item["expires"]), None)
        for poll in case["polls"]
    ]


def problem_of(case, places):
    """What the device notices, or that it is not held back; "" if all went as the attacker wants."""
    last = 0
    for poll, place in zip(case["polls"], places, strict=True):
        if place is not None:
            item = case["manifests"][place]
            if item["published"] > poll:
                return f"at hour {poll} manifest {place} is not published yet"
            if item["expires"] <= poll:
                return f"at hour {poll} manifest {place} has expired: the device reports it"
            if item["version"] < case["version"]:
                return f"at hour {poll} manifest {place} is a rollback: the device reports it"
            if item["version"] > case["version"]:
                return f"at hour {poll} the device installs version {item['version']}"
            last = poll
        elif poll - last > case["patience"]:
            return f"at hour {poll} the device has heard nothing good for {poll - last} hours, and reports it"
    return ""


def unnoticed(arguments, value, expected):
    """What the device is shown keeps it where it is, and it notices nothing."""
    (case,) = arguments
    count, places = len(case["polls"]), len(case["manifests"])
    if type(value) is not list or len(value) != count:
        return f"it is {as_text(value)}, not a list with an item for each of {count} polls"
    if not all(item is None or (type(item) is int and 0 <= item < places) for item in value):
        return f"it is {as_text(value)}: each item is None or a place from 0 to {places - 1}"
    return problem_of(case, value)


WEEKLY = [manifest(3, 0, 168), manifest(3, 100, 268), manifest(4, 120, 288), manifest(4, 220, 388)]
HELD = [
    Part(
        "while the old manifest is good",
        1,
        [held(WEEKLY, [24, 110, 130, 200, 260], 48), held(WEEKLY[::-1], [130, 180], 48)],
    ),
    Part(
        "silence, for a while",
        1,
        [
            held(WEEKLY, [24, 260, 300, 308], 48),
            held(WEEKLY, [24, 268, 300], 300),
            held(WEEKLY, [150, 280, 300], 150),
        ],
    ),
    Part(
        "no rollback, and nothing from the future",
        1,
        [
            held([manifest(2, 0, 900), *WEEKLY], [20, 90, 150, 250], 60),
            held([manifest(3, 50, 200), manifest(3, 0, 60)], [10, 55, 190], 48),
            held([manifest(3, 50, 100), manifest(4, 60, 200)], [50, 99], 48),  # its first hour, and its last
        ],
    ),
    Part("other devices", 8, draw=draw_held, count=20),
]

RUBRIC = {
    0: "no decision, or one without a reason",
    2: "where the model runs for the phones and for the meters, with a reason for each",
    4: "reasons that follow from at least two figures of this lab, and what the test before a release reads",
    6: "that, and how a bad or withheld update is noticed, with the gap that remains",
}
LAB = Lab(
    [
        Question("q1", "over_budget", "a budget and every reason", 1, 8, BUDGETS, tolerance=1e-9),
        Question("q2", "buckets", "widths of compiled graphs", 3, 14, BUCKETS, judge=cheapest),
        Question("q3", "calibrated", "the range of int8", 2, 12, INT8, tolerance=1e-8),
        Question("q4", "decisions", "verify an update", 3, 12, UPDATES),
        Question("q5", "fallbacks", "device, service or person", 2, 12, FALLBACKS),
        Question(
            "q6",
            "parity",
            "find the broken conversion",
            2,
            14,
            PARITY,
            judge=counterexample,
            seconds=4.0,
            around="fsdl_course.labs.conversions.searched",
        ),
        Question("q7", "held_back", "break it: a device held back", 1, 8, HELD, judge=unnoticed),
        OpenQuestion("q8", "ship it?", level=2, minutes=8, rubric=RUBRIC),
    ]
)
