"""Wrong solutions of lab 07: each is refused, in the part that names its mistake."""

import pytest
from wrong_solutions import refused, solution

LAB = "lab07"
HASHED = 'int(hashlib.sha256(f"{salt}/{customer}".encode()).hexdigest()[:8], 16) / 2**32'
COUNTED = "        cards += count\n"
LATE = "        after.append(0 if over else steps[step])\n"
BOUGHT = "owned = [money * (1 + bet * value) for money, bet in zip(owned, bets, strict=True)]"
RATIO = "return errors / total if total else 0"
PAUSE = "pause if n % hold == hold - 1 else [most, most]"
MISTAKES = [
    ("q1", HASHED, 'hash(f"{salt}/{customer}") % 2**32 / 2**32', "the hash decides"),
    ("q1", '{salt}/{customer}"', '{customer}/{salt}"', "the hash decides"),
    ("q1", '{salt}/{customer}"', '{customer}"', "another salt"),
    ("q1", "sha256", "md5", "the hash decides"),
    ("q1", "[:8]", "[-8:]", "the hash decides"),
    ("q1", "< share", "> share", "nobody, and everybody"),
    ("q1", "2**32", "10**10", "the hash decides"),
    (
        "q1",
        "place(customer) < share]",
        "place(customer) < share][: round(share * len(customers))]",
        "a greater share",
    ),
    ("q1", "if place(customer) < share]", "if place(customer) < 0.25]", "a greater share"),
    ("q1", ".encode())", '.encode("ascii", "ignore"))', "names in other letters"),
    ("q1", "{customer}", "{customer.lower()}", "the hash decides"),
    ("q1", "for customer in customers if", "for customer in sorted(customers) if", "names in other letters"),
    ("q2", COUNTED, "        cards = count\n", "cards enough"),
    ("q2", ">= plan", "> plan", "cards enough"),
    ("q2", "step, cards = step + 1, 0", "step = step + 1", "each step counts its own"),
    ("q2", "step, cards = step + 1, 0", 'step, cards = step + 1, cards - plan["enough"]', "its own"),
    ("q2", " and step + 1 < len(steps)", "", "behind the last step"),
    ("q2", COUNTED, '        cards += count * (word == "good")\n', "unclear: the cards count"),
    ("q2", 'word == "good" and', 'word in ("good", "unclear") and', "unclear: the cards count"),
    ("q2", 'over = over or word == "bad"', 'over = word == "bad"', "bad is for ever"),
    ("q2", 'over = over or word == "bad"', 'over = (over and word != "go") or word == "bad"', "for ever"),
    ("q2", 'word == "good" and', 'word in ("good", "go") and', "until they say go"),
    ("q2", '(stopped and word != "go")', "False", "until they say go"),
    ("q2", '(stopped and word != "go")', "stopped", "until they say go"),
    ("q2", COUNTED, "        cards += 0 if stopped else count\n", "until they say go"),
    ("q2", COUNTED, '        cards += count * (word not in ("stop", "go"))\n', "until they say go"),
    ("q2", 'word == "stop" or (stopped and', '(word == "stop") != (stopped and', "until they say go"),
    ("q2", 'over or word == "bad"', 'over or (word == "bad" and not stopped)', "until they say go"),
    ("q2", COUNTED + "        over", "        over", "cards enough"),
    ("q2", LATE, LATE.replace("steps[step]", "step"), "cards enough"),
    ("q3", 'candidate["errors"] >= ', 'candidate["errors"] > ', "never too early"),
    ("q3", 'candidate["errors"] >= ', 'stable["errors"] >= ', "never too early"),
    ("q3", 'candidate["errors"] >= ', 'max(stable["errors"], candidate["errors"]) >= ', "too early"),
    ("q3", "return names", "return sorted(names)", "worse by more"),
    ("q3", "min(stable", "max(stable", "too early to say"),
    ("q3", 'min(stable["cards"], candidate["cards"])', 'candidate["cards"]', "too early to say"),
    ("q3", '< rules["least"]', '<= rules["least"]', "too early to say"),
    ("q3", "return None", "return []", "too early to say"),
    ("q3", "round(more, 9)", "more", "exactly what is allowed"),
    ("q3", "round(more, 9) > allowed", "round(more, 9) >= allowed", "exactly what is allowed"),
    ("q3", "round(more, 9)", "abs(round(more, 9))", "worse by more"),
    ("q3", ' - stable[name] / stable["cards"]', "", "exactly what is allowed"),
    ("q3", 'candidate[name] / candidate["cards"] -', 'candidate[name] / stable["cards"] -', "worse by more"),
    ("q3", "-(-99 * len(times) // 100) - 1", "99 * len(times) // 100", "p99 is one of the times"),
    ("q3", "-(-99 * len(times) // 100) - 1", "-1", "p99 is one of the times"),
    ("q3", "sorted(times)", "times", "p99 is one of the times"),
    ("q3", '> rules["slower"] *', '>= rules["slower"] *', "p99 is one of the times"),
    ("q3", 'stable["times"] and candidate["times"]', 'candidate["times"]', "no times, no p99"),
    ("q3", 'stable["times"] and candidate["times"]', "True", "no times, no p99"),
    ("q3", 'names += ["p99"]', 'names = ["p99"] + names * 0', "other versions"),
    ("q4", "stable - candidate - tolerance", "candidate - stable - tolerance", "worse each time"),
    ("q4", "stable - candidate - tolerance", "stable - candidate", "not by more than is tolerated"),
    ("q4", "stable - candidate - tolerance", "stable - candidate + tolerance", "more than is tolerated"),
    ("q4", "stable - candidate - tolerance", "abs(stable - candidate) - tolerance", "a better version"),
    ("q4", "stable - candidate - tolerance", "max(0, stable - candidate) - tolerance", "must be won back"),
    ("q4", "sum(owned) / len(owned)", "max(owned)", "worse each time"),
    ("q4", "sum(owned) / len(owned)", "sum(owned)", "worse each time"),
    (
        "q4",
        "(0.1, 0.3, 0.9), [1.0, 1.0, 1.0]",
        "(0.4333, 0.4333, 0.4333), [1.0, 1.0, 1.0]",
        "worse each time",
    ),
    ("q4", "1 / alpha", "1 / 0.05", "worse each time"),
    ("q4", "return number", "return number - 1", "worse each time"),
    ("q4", "pairs, 1)", "pairs, 0)", "worse each time"),
    ("q4", BOUGHT, BOUGHT.replace("money * (1", "1 * (1"), "worse each time"),
    ("q4", BOUGHT, BOUGHT.replace("money * (1", "max(1, money) * (1"), "must be won back"),
    (
        "q4",
        "            return number\n    return None",
        "            ring = number\n        else:\n            ring = None\n    return ring",
        "it rings once",
    ),
    ("q5", "now - before if now >= before else now", "now - before", "begins again"),
    ("q5", "now - before if now >= before else now", "max(0, now - before)", "begins again"),
    ("q5", "else now for", "else 0 for", "begins again"),
    ("q5", "sum(failed[piece]) + sum(served[piece])", "sum(served[piece])", "has the bad in it"),
    ("q5", RATIO, "return errors / total", "no requests"),
    ("q5", RATIO, "return errors / total if total else 1", "no requests"),
    ("q5", "> limit for window", ">= limit for window", "exactly at the limit"),
    ("q5", 'round(rule["factor"] * (1 - rule["objective"]), 9)', '1 - rule["objective"]', "an outage"),
    (
        "q5",
        'round(rule["factor"] * (1 - rule["objective"]), 9)',
        'rule["factor"] * rule["objective"]',
        "outage",
    ),
    ("q5", "all(ratio", "any(ratio", "both windows"),
    ("q5", '(rule["short"], rule["long"])', '(rule["long"],)', "both windows"),
    ("q5", '(rule["short"], rule["long"])', '(rule["short"],)', "an outage that goes on"),
    ("q5", "max(0, minute - window + 1)", "max(0, minute - window)", "both windows"),
    ("q5", "max(0, minute - window + 1)", "minute - window + 1", "other outages"),
    ("q5", "minute + 1)", "minute)", "an outage that goes on"),
    ("q5", "return [0, *(", "return [counter[0], *(", "begins again"),
    ("q6", "{*before, *now}", "{*before}", "all of it moved"),
    (
        "q6",
        "max(abs(share(before, value) - share(now, value))",
        "max(share(before, value) - share(now, value)",
        "",
    ),
    ("q6", "alpha / len(reference)", "alpha", "a stricter limit"),
    (
        "q6",
        "share(before, value) - share(now, value)",
        "sum(before) / len(before) - sum(now) / len(now)",
        "spread",
    ),
    ("q6", "-math.log(chance / 2) / 2", "-math.log(chance / 2)", "a stricter limit"),
    ("q6", "-math.log(chance / 2) / 2", "-math.log(chance) / 2", "other pictures"),
    ("q6", "math.log(", "math.log10(", "few pictures"),
    ("q6", "(len(before) + len(now)) / (len(before) * len(now))", "1 / len(before)", "few pictures"),
    ("q6", "distances[name] = distance", "distances[name] = True", "all of it moved"),
    ("q6", "        if distance > math.sqrt", "        if True or distance > math.sqrt", "few pictures"),
    ("q7", PAUSE, "[most, most]", "a good minute"),
    ("q7", PAUSE, "[most, most * rule['limit'] // 100]", "a good minute"),
    ("q7", "hold == hold - 1", "(hold + 1) == hold", "a good minute"),
    ("q7", "hold == hold - 1", "max(2, hold - 1) == 0", "a good minute"),
    ("q7", "pause = max(pauses, key=lambda minute: minute[1])", "pause = pauses[0]", "few requests"),
    ("q7", "pause = max(pauses, key=lambda minute: minute[1])", "pause = pauses[1]", "a good minute"),
    ("q7", "pause = max(pauses, key=lambda minute: minute[1])", "pause = [0, 0]", "each bad minute"),
    ("q7", "for n in range(rule", "for n in range(5 + rule", "a good minute"),
    ("q7", "else [most, most]", "else [most, 2 * most]", "a good minute"),
    ("q7", "most * rule[", "1 + most * rule[", "a good minute"),
    ("q7", '["limit"] // 100', '["limit"] / 100', "a good minute"),
    ("q7", "hold == hold - 1", "hold == 0", "a good minute"),
]


@pytest.mark.parametrize("question", ["q1", "q2", "q3", "q4", "q5", "q6", "q7"])
def test_the_solution_earns_every_part(question):
    assert refused(LAB, question, solution(LAB, question)) == {}


@pytest.mark.parametrize(("question", "old", "new", "part"), MISTAKES)
def test_a_mistake_is_refused_where_it_is_named(question, old, new, part):
    problems = refused(LAB, question, solution(LAB, question, old, new))
    assert any(part in name for name in problems), problems
