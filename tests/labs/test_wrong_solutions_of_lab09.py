"""Wrong solutions of lab 09: each is refused, in the part that names its mistake."""

from collections import Counter

import pytest
from wrong_solutions import refused, solution

from fsdl_course.labs.questions import load
from fsdl_deploy.paths import ROOT

LAB = "lab09"
P95 = "sorted(times)[-(-95 * len(times) // 100) - 1]"
OVER = 'value < bound if name == "accuracy" else value > bound'
DECIDED = "best.append("
PADDED = "size * (below[end] - below[start])"
RANK = "-(-keep * len(values) // 1000)"
ENDS = "min(0.0, ordered[-rank]), max(0.0, ordered[rank - 1])"
CODES = "[min(127, max(lowest, code)) for code in raw]"
SIGNED = 'signed_by(device["key"], offer["signature"], offer["manifest"].encode())'
UNSIGNED = f'        if not {SIGNED}:\n            return "signature"\n'
NAMED = '        if manifest["name"] != device["name"]:\n            return "name"\n'
EXPIRED = 'manifest["expires"] <= latest'
OLDER = 'return "rollback" if manifest["version"] < version else "current"'
MODEL = "(len(loaded), hashlib.sha256(loaded).hexdigest()) != signed_for"
UPDATED = 'version = json.loads(offer["manifest"])["version"]'
IN_TIME = "deadline is not None and at > deadline"
CHEAPEST = "min(ways, key=lambda way: way[1])"
WRONG = "if sure >= 0.9 and (digits != other or abs(sure - confidence) > 0.05):"
WIDTH = "generator.randint(4 * len(digits) - 1, min(64, 4 * len(digits) + 12))"
DIGITS = '"".join(generator.choices("00123456789", k=generator.randint(1, 16)))'
LIGHT = "generator.choice([1, 0.3, 0.6])"
GOOD = 'item["version"] == case["version"] and item["published"] <= poll < item["expires"]'
MISTAKES = [
    ("q1", "sum(files.values()) / 1000", "sum(files.values()) / 1024", "in kilobytes"),
    ("q1", "sum(files.values()) / 1000", "max(files.values()) / 1000", "all files together"),
    ("q1", "sum(files.values()) / 1000", "sum(files.values()) // 1000", "in kilobytes"),
    ("q1", "sum(files.values()) / 1000", "sum(files.values())", "in kilobytes"),
    ("q1", P95, "sorted(times)[-(-99 * len(times) // 100) - 1]", "the p95"),
    ("q1", P95, "max(times)", "the p95"),
    ("q1", P95, "sum(times) / len(times)", "the p95"),
    ("q1", P95, "sorted(times)[95 * len(times) // 100 - 1]", "the p95"),
    ("q1", P95, "sorted(times)[min(95 * len(times) // 100, len(times) - 1)]", "the p95"),
    ("q1", P95, "times[-(-95 * len(times) // 100) - 1]", "the p95"),
    ("q1", "peak * 1024 / 1_000_000", "peak / 1000", "in megabytes"),
    ("q1", "peak * 1024 / 1_000_000", "peak / 1024", "in megabytes"),
    ("q1", 'measured["right"] / measured["cards"]', 'measured["right"] / 1000', "the share"),
    (
        "q1",
        'measured["right"] / measured["cards"] if measured["cards"]',
        'measured["right"] / measured["cards"] if measured["right"]',
        "no excuse",
    ),
    ("q1", OVER, "value > bound", "the share"),
    ("q1", OVER, 'value <= bound if name == "accuracy" else value > bound', "the share"),
    ("q1", OVER, 'value < bound if name == "accuracy" else value >= bound', "in kilobytes"),
    ("q1", f"value is None or ({OVER})", f"value is not None and ({OVER})", "no excuse"),
    (
        "q1",
        "        if name in budget:\n            bound = budget[name]",
        "        if True:\n            bound = budget.get(name, 0)",
        "in kilobytes",
    ),
    (
        "q1",
        "for name, value in values.items():",
        "for name, value in ((name, values[name]) for name in budget):",
        "in the order of the text",
    ),
    ("q1", "return reasons", "return reasons[:1]", "every reason"),
    ("q1", "[[name, value, bound]]", "[[name, value and round(value, 1), bound]]", "in kilobytes"),
    ("q2", "-(-width // step) * step", "width // step * step", "multiples of the step"),
    ("q2", "-(-width // step) * step", "width", "multiples of the step"),
    ("q2", "-(-width // step) * step", "(width // step + 1) * step", "cost nothing"),
    ("q2", " + graph + ", " + ", "so expensive"),
    ("q2", PADDED, "size * (end - start)", "how many cards there are"),
    ("q2", PADDED, "0", "multiples of the step"),
    ("q2", "for start in range(end)", "for start in range(max(0, end - 2), end)", "so expensive"),
    ("q2", "for start in range(end)", "for start in range(end - 1, end)", "so expensive"),
    ("q2", "for start in range(end)", "for start in range(1)", "cost nothing"),
    ("q2", "return best[-1][1]", "return best[-1][1][::-1]", "cost nothing"),
    ("q2", "return best[-1][1]", "return best[-1][1] or [step]", "no cards"),
    ("q2", "return best[-1][1]", "return best[-1][1][:1]", "cost nothing"),
    ("q2", "return best[-1][1]", "return best[-1][1][:-1]", "cost nothing"),
    ("q2", "return best[-1][1]", "return sizes", "so expensive"),
    ("q2", "return best[-1][1]", "return [float(size) for size in best[-1][1]]", "cost nothing"),
    ("q2", "return best[-1][1]", "return [*best[-1][1], best[-1][1][-1] + step]", "so expensive"),
    ("q3", RANK, "keep * len(values) // 1000", "the rank"),
    ("q3", RANK, "round(keep * len(values) / 1000)", "the rank"),
    ("q3", RANK, "len(values)", "outliers"),
    ("q3", "abs(value) for value", "value for value", "symmetric, nothing"),
    ("q3", "[rank - 1] / 127", "[rank - 1] / 128", "symmetric, nothing"),
    ("q3", "[rank - 1] / 127", "[rank - 1] / 255", "symmetric, nothing"),
    ("q3", "zero, lowest = 0, -127", "zero, lowest = 0, -128", "the rank"),
    ("q3", ENDS, "ordered[-rank], ordered[rank - 1]", "zero is always"),
    ("q3", ENDS, "min(0.0, ordered[-rank]), ordered[rank - 1]", "zero is always"),
    ("q3", ENDS, "min(0.0, ordered[0]), max(0.0, ordered[rank - 1])", "the rank"),
    ("q3", ENDS, "0.0, max(0.0, ordered[rank - 1])", "asymmetric"),
    ("q3", "(high - low) / 255", "(high - low) / 256", "asymmetric"),
    ("q3", "round(-128 - low / scale)", "round(-low / scale)", "asymmetric"),
    ("q3", "round(-128 - low / scale)", "round(-128 + low / scale)", "asymmetric"),
    ("q3", "round(-128 - low / scale)", "int(-128 - low / scale)", "other activations"),
    (
        "q3",
        "round(-128 - low / scale) if scale else 0",
        "round(-128 - low / (scale or 1))",
        "nothing but zeros",
    ),
    ("q3", "scale = scale or 1.0", "scale = scale or 0.0", "nothing but zeros"),
    ("q3", "round(value / scale) + zero for", "int(value / scale) + zero for", "nothing cut off"),
    ("q3", "round(value / scale) + zero for", "round(value / scale) for", "asymmetric"),
    ("q3", CODES, "raw", "outliers"),
    ("q3", "(code - zero) * scale - value) ** 2", "(code - zero) * scale - value)", "nothing cut off"),
    ("q3", "(code - zero) * scale - value) ** 2", "code * scale - value) ** 2", "asymmetric"),
    ("q3", "sum(errors) / len(errors)", "sum(errors)", "nothing cut off"),
    ("q3", "sum(errors) / len(errors)", "max(errors)", "nothing cut off"),
    ("q3", '"saturated": saturated', '"saturated": 0', "outliers"),
    ("q3", "code != clipped for", "clipped in (127, lowest) for", "nothing cut off"),
    ("q4", UNSIGNED, "", "over these very bytes"),
    ("q4", SIGNED, SIGNED.replace('device["key"]', 'offer["key"]'), "another key"),
    ("q4", SIGNED, 'device["key"] == offer["key"]', "over these very bytes"),
    (
        "q4",
        SIGNED,
        SIGNED.replace('offer["manifest"].encode()', 'json.dumps(json.loads(offer["manifest"])).encode()'),
        "a good one",
    ),
    ("q4", SIGNED, SIGNED.replace('offer["manifest"].encode()', 'offer["model"].encode()'), "a good one"),
    (
        "q4",
        SIGNED,
        SIGNED.replace('offer["manifest"].encode()', 'offer["manifest"].strip().encode()'),
        "forgeries",
    ),
    ("q4", NAMED, "", "another product"),
    ("q4", 'manifest["name"] != device["name"]', 'manifest["name"] != "meter-reader"', "another product"),
    (
        "q4",
        'manifest["name"] != device["name"]',
        'not manifest["name"].startswith(device["name"])',
        "other offers",
    ),
    ("q4", EXPIRED, 'manifest["expires"] < latest', "has expired"),
    ("q4", EXPIRED, "False", "has expired"),
    ("q4", EXPIRED, 'manifest["expires"] <= offer["at"]', "a clock set back"),
    (
        "q4",
        "latest = max(latest, offer",
        "latest = max(latest if answers[-1:] == ['install'] else 0, offer",
        "a clock set back",
    ),
    ("q4", 'manifest["version"] <= version', 'manifest["version"] < version', "no older version"),
    ("q4", 'manifest["version"] <= version', 'manifest["version"] == version', "no older version"),
    ("q4", OLDER, 'return "rollback"', "the same is nothing new"),
    ("q4", OLDER, 'return "current"', "no older version"),
    ("q4", 'manifest["version"] <= version', 'str(manifest["version"]) <= str(version)', "no older version"),
    ("q4", UPDATED, "pass", "no older version"),
    ("q4", UPDATED, 'version = device["version"] + 1', "no older version"),
    ("q4", 'if answers[-1] == "install":', 'if answers[-1] != "signature":', "another product"),
    ("q4", MODEL, "len(loaded) != signed_for[0]", "the model that was signed for"),
    ("q4", MODEL, "False", "the model that was signed for"),
    (
        "q4",
        MODEL,
        '(len(offer["model"]), hashlib.sha256(loaded).hexdigest()) != signed_for',
        "the model that was signed for",
    ),
    ("q4", 'return "model"', 'return "hash"', "the model that was signed for"),
    ("q5", '* (1 - card["confidence"])', '* card["confidence"]', "sure enough"),
    ("q5", 'costs["wrong"] * (1 - card["confidence"])', '1 - card["confidence"]', "sure enough"),
    ("q5", 'costs["call"] + costs["wrong"]', 'costs["wrong"]', "unsure"),
    ("q5", ' + costs["wrong"] * (1 - service["right"])', "", "sure enough"),
    ("q5", 'took <= rule["patience"]', "True", "too slow"),
    ("q5", 'took <= rule["patience"]', 'took < rule["patience"]', "too slow"),
    ("q5", 'took <= rule["patience"]', "deadline is None or took <= deadline", "too slow"),
    ("q5", 'card["round_trip"] is not None', "True", "no link"),
    ("q5", 'min(took, rule["patience"])', "took", "too slow"),
    ("q5", 'min(took, rule["patience"])', "0", "late for the deadline"),
    ("q5", ' + service["milliseconds"]', "", "late for the deadline"),
    ("q5", 'asked_at + card["round_trip"]', 'asked_at + card["round_trip"] / 2', "late for the deadline"),
    ("q5", IN_TIME, "deadline is not None and at >= deadline", "late for the deadline"),
    ("q5", IN_TIME, "False", "late for the deadline"),
    ("q5", IN_TIME, "at > (deadline or 1000)", "a person is late for every"),
    ("q5", 'float("inf")', "86_400_000", "a person is late for every"),
    ("q5", CHEAPEST, "max(ways, key=lambda way: way[1])", "sure enough"),
    ("q5", CHEAPEST, "ways[0]", "unsure"),
    ("q5", CHEAPEST, "min(reversed(ways), key=lambda way: way[1])", "equally cheap"),
    ("q5", CHEAPEST, "[min(ways, key=lambda way: way[1])[0], 0.0]", "sure enough"),
    ("q6", WRONG, "if digits != other:", "in a batch"),
    ("q6", WRONG, "if sure >= 0.9 and digits != other:", "in a batch"),
    ("q6", WRONG, "if sure != confidence:", "no false alarm"),
    ("q6", "return drawn", "return drawn[:1]", "in a batch"),
    ("q6", WIDTH, "4 * len(digits)", "another width"),
    ("q6", WIDTH, "4 * 16 - 1", "in a batch"),
    ("q6", DIGITS, '"".join(generator.choices("00123456789", k=4))', "another width"),
    ("q6", DIGITS, '"".join(generator.choices("12345678", k=generator.randint(1, 16)))', "never read"),
    ("q6", DIGITS, '"".join(generator.sample("0123456789", k=generator.randint(1, 10)))', "read once"),
    ("q6", DIGITS, '"9" + "".join(generator.choices("00123456789", k=generator.randint(0, 15)))', "a number"),
    ("q6", LIGHT, "1", "another light"),
    ("q6", "for _ in range(4)", "for _ in range(1)", "in a batch"),
    ("q6", "for _ in range(40)", "for _ in range(41)", "no false alarm"),
    ("q6", "for _ in range(40)", "for _ in range(1)", "another width"),
    ("q7", GOOD, GOOD.replace("poll < item", "poll <= item"), "silence"),
    ("q7", GOOD, 'item["published"] <= poll < item["expires"]', "while the old"),
    ("q7", GOOD, 'item["version"] == case["version"]', "silence"),
    ("q7", GOOD, 'item["version"] == case["version"] and poll < item["expires"]', "from the future"),
    ("q7", GOOD, GOOD.replace("==", "<=", 1), "no rollback"),
    ("q7", "good[0] if good else None", "good[0] if good else 0", "silence"),
    ("q7", "good[0] if good else None", "None", "while the old"),
    ("q5", 'card["round_trip"] is not None', 'card["round_trip"]', "no link"),
    ("q7", "return places", "return places[:-1]", "while the old"),
    ("q1", "sum(files.values())", "sum(set(files.values()))", "in kilobytes"),
    (
        "q4",
        UNSIGNED,
        '        json.loads(offer["manifest"])\n' + UNSIGNED,
        "over these very bytes",
    ),
    ("q4", MODEL, "hashlib.sha256(loaded).hexdigest() != signed_for[1]", "the model that was signed for"),
    (
        "q4",
        MODEL,
        "hashlib.sha256(loaded).hexdigest()[:8] != signed_for[1][:8]",
        "the model that was signed for",
    ),
    (
        "q4",
        SIGNED,
        SIGNED.replace('offer["manifest"].encode()', 'offer["manifest"].encode("ascii", "replace")'),
        "over these very bytes",
    ),
    (
        "q4",
        'manifest["name"] != device["name"]',
        'manifest["name"].lower() != device["name"].lower()',
        "another product",
    ),
    ("q5", 'card["round_trip"] is not None', 'card["round_trip"]', "no link"),
    ("q5", IN_TIME, "bool(deadline) and at > deadline", "late for the deadline"),
    ("q7", GOOD, GOOD.replace("<= poll", "< poll"), "from the future"),
    ("q7", GOOD, GOOD.replace('item["expires"]', 'item["expires"] - 1'), "from the future"),
]


@pytest.mark.parametrize("question", ["q1", "q2", "q3", "q4", "q5", "q6", "q7"])
def test_the_solution_earns_every_part(question):
    assert refused(LAB, question, solution(LAB, question)) == {}


@pytest.mark.parametrize(("question", "old", "new", "part"), MISTAKES)
def test_a_mistake_is_refused_where_it_is_named(question, old, new, part):
    problems = refused(LAB, question, solution(LAB, question, old, new))
    assert any(part in name for name in problems), problems


def total(counts, chosen, graph):
    return graph * len(chosen) + sum(
        count * next(size for size in chosen if size >= needed) for needed, count in counts.items()
    )


def greedy(widths, step, graph):
    """Give up the bucket whose loss saves most, as long as that saves."""
    counts = Counter(-(-width // step) * step for width in widths)
    sizes = sorted(counts)
    while len(sizes) > 1:
        without = (sizes[:place] + sizes[place + 1 :] for place in range(len(sizes) - 1))
        fewer = min(without, key=lambda chosen: total(counts, chosen, graph))
        if total(counts, fewer, graph) > total(counts, sizes, graph):
            break
        sizes = fewer
    return sizes


def quantiles(widths, step, graph):
    """Equally many cards to a bucket, whichever number of buckets is best."""
    counts = Counter(-(-width // step) * step for width in widths)
    sizes, best = sorted(counts.elements()), []
    for count in range(1, min(12, len(sizes)) + 1):
        chosen = sorted({sizes[-(-len(sizes) * part // count) - 1] for part in range(1, count + 1)})
        best.append((total(counts, chosen, graph), chosen))
    return min(best, default=(0, []))[1]


@pytest.mark.parametrize("rule_of_thumb", [greedy, quantiles])
def test_a_rule_of_thumb_for_buckets_is_refused(rule_of_thumb):
    problems = refused(LAB, "q2", rule_of_thumb)
    assert "other widths" in problems or "many other widths" in problems, problems


CONSTANTS = {
    "q1": [[], [["kilobytes", 3958.0, 3900]]],
    "q2": [[], [96], [1024]],
    "q3": [{"scale": 1.0, "zero": 0, "saturated": 0, "error": 0.0}],
    "q4": [["install"], ["signature", "install"], ["install", "install"], ["install", "rollback", "install"]],
    "q5": [[["device", 0.0]], [["service", 0.124]], [["person", 0.5]]],
    "q6": [None, [["0420", 18, 1.0, 0.1, 7]], [["0011223345566789", 63, 0.3, 0, 1], ["9", 3, 1, 0, 1]]],
    "q7": [[], [0] * 5, [None] * 5],
}


@pytest.mark.parametrize(
    ("question", "constant"), [(q, c) for q, values in CONSTANTS.items() for c in values]
)
def test_a_constant_answer_earns_nothing(question, constant):
    parts = {part.name for part in load(ROOT / "solutions" / LAB).question(question).parts}
    assert parts - refused(LAB, question, lambda *arguments: constant).keys() == set()


def test_a_broken_conversion_that_is_missed_is_described():
    (problem,) = {
        problem for part, problem in refused(LAB, "q6", lambda *arguments: None).items() if "width" in part
    }
    assert "it is None, and this conversion is broken: it needs cards whose width" in problem


def test_drawn_cards_are_not_what_is_asked_for():
    from fsdl_course.labs.conversions import draw

    problems = refused(LAB, "q6", lambda *arguments: [draw("0420", 18)])
    assert any("return the arguments of draw" in problem for problem in problems.values()), problems
