"""Mistakes in the solution of lab 06: question, code, code with the mistake, the part that names it."""

BLOCKED = """        blocked = 1.0
        for count in range(1, servers + 1):
            blocked = load * blocked / (count + load * blocked)
"""
FACTORIALS = """        terms = [load**count / math.factorial(count) for count in range(servers + 1)]
        blocked = terms[-1] / sum(terms)
"""
READING = """        try:
            return [200, model(card)]
        except ValueError:
            return [422, "no reading"]

    return handler"""
INSIDE = READING.replace("\n    ", "\n        ").replace("        try", "            try", 1)
LOADING = 'return [503, "no model"]'
ALLOWED = "allowed = [kept for kept in packages if works(kept) and fits(kept)]"
CARELESS = """smallest = sorted(filter(works, packages), key=lambda kept: size(kept, "zipped"))[:1]
    allowed = list(filter(fits, smallest))"""
KEPT_ERROR = 'model = lambda card: {}["broken"]\n                    return [503, "no model"]'
FROM_ARRIVAL = (
    "stored <= moment < answered for _, stored, answered",
    "came <= moment < answered for came, _, answered",
)
MISTAKES = [
    ("q1", 'row["open"] / row["weight"]', 'row["open"]', "fewest open requests for its weight"),
    ("q1", 'row["open"] / row["weight"]', '(row["open"] + 1) / row["weight"]', "fewest open requests"),
    ("q1", 'row["open"] / row["weight"]', 'row["open"] // row["weight"]', "fewest open requests"),
    ("q1", ', -row["weight"])', ", 0)", "equal: the greater weight"),
    ("q1", ', -row["weight"])', ', row["weight"])', "equal: the greater weight"),
    ("q1", ', -row["weight"])', ', -row["weight"], row["name"])', "then the earlier"),
    ("q1", ">= 10", "> 10", "left out for ten seconds"),
    ("q1", 'row["failed"] is None or', 'not row["failed"] or', "left out for ten seconds"),
    ("q1", "if not possible", "if not healthy", "better than none"),
    ("q1", "healthy or possible", "healthy or replicas", "better than none"),
    ("q1", "healthy or possible", "possible", "left out for ten seconds"),
    ("q1", ' and row["name"] not in tried', "", "has tried"),
    ("q1", 'row["weight"] > 0 and ', "", "nor one of weight 0"),
    ("q2", "<= 0.1", "<= 0", "near the target"),
    ("q2", "round(replicas * ratio, 9)", "replicas * ratio", "a whole number is not rounded up"),
    ("q2", "math.ceil(round(replicas * ratio, 9))", "round(replicas * ratio)", "up at once"),
    ("q2", "moment > now", "moment >= now", "down once all wishes"),
    ("q2", "if wish < replicas:", "if False:", "down once all wishes"),
    ("q2", "wish = max(earlier", "wish = min(earlier", "down once all wishes"),
    ("q2", "wish = max(earlier for", "wish = replicas or max(earlier for", "the first wish to go down"),
    ("q2", "        replicas = wish\n", "", "up at once"),
    ("q2", 'if moment > now - rules["hold"]', "", "down once all wishes"),
    ("q2", "wishes.append", "if wish < replicas: wishes.append", "a wave in between"),
    ("q2", 'max(rules["least"], wish)', "wish", "the first wish to go down"),
    ("q2", 'min(rules["most"], ', "max(0, ", "within the limits"),
    ("q3", " * math.exp(-(servers * per_replica - rate) * seconds)", "", "one zone"),
    ("q3", "return 1.0", "return 0.0", "a queue that grows"),
    ("q3", "range(1, servers + 1)", "range(1, servers)", "one zone"),
    ("q3", "return waits * ", "return blocked * ", "nobody may wait at all"),
    ("q3", BLOCKED, FACTORIALS, "hundreds of replicas"),
    ("q3", "math.ceil(count / zones)", "count // zones", "without the largest zone"),
    ("q3", "late(left)", "late(count)", "without the largest zone"),
    ("q4", "for name in kept for need", 'for name in ["handler"] for need', "what is needed stays"),
    ("q4", 'size(kept, "zipped"), default', "len(kept), default", "one of several"),
    ("q4", "set(need) & set(kept)", "set(need) <= set(kept)", "one of several"),
    ("q4", "<= most", "< most", "exactly the limit"),
    ("q4", "in limits.items()", 'in [("zipped", limits["zipped"])]', "both limits count"),
    ("q4", ", default=None", "", "no package works"),
    ("q4", 'size(kept, "zipped"), default', 'size(kept, "unpacked"), default', "one of several"),
    ("q4", ALLOWED, CARELESS, "both limits count"),
    ("q4", ALLOWED, CARELESS, "with little room"),
    ("q4", "len(others) + 1", "len(others)", "what is needed stays"),
    ("q5", "max(curve) / 3600", "sum(curve) / len(curve) / 3600", "the busiest hour"),
    ("q5", "math.ceil(milliseconds) / 1000", "milliseconds / 1000", "whole milliseconds"),
    ("q5", "3600 * milliseconds", "3600 * math.ceil(milliseconds)", "whole milliseconds"),
    ("q5", " if count > 1 else 0", "", "servers exactly full"),
    ("q5", "max(1, math.ceil(cores", "(1 + math.floor(cores", "servers exactly full"),
    ("q5", "function <= servers", "function < servers", "sums that are equal"),
    ("q5", 'prices["cores"] * prices["room"]', "1", "the busiest hour"),
    ("q5", 'prices["cores"] * prices["room"]', 'prices["cores"]', "the busiest hour"),
    ("q5", ' * prices["gb"]', "", "little to do"),
    ("q5", 'prices["million_requests"] / 1e6', 'prices["million_requests"]', "little to do"),
    (
        "q5",
        'sum(curve) * (compute + prices["million_requests"] / 1e6)',
        'sum(curve) * compute + math.ceil(sum(curve) / 1e6) * prices["million_requests"]',
        "little to do",
    ),
    ("q5", 'count * prices["server_hour"] + (', 'count * (prices["server_hour"] + ', "the busiest hour"),
    ("q5", "len(curve) * hour", "hour", "much to do"),
    ("q6", "with lock:", "if True:", "one loads, the others wait"),
    ("q6", "if model is None:", "if True:", "kept for the next"),
    ("q6", "nonlocal model", "global model", "of its own"),
    ("q6", 'return [503, "no model"]', KEPT_ERROR, "is tried again"),
    ("q6", "except Exception:", "except OSError:", "is tried again"),
    ("q6", "threading.Lock(), None", "threading.Lock(), load()", "loaded at the first call"),
    ("q6", LOADING, LOADING.replace("503", "422"), "is tried again"),
    ("q6", '"no model"', '"no"', "is tried again"),
    ("q6", "model(card)]", 'model("1")]', "kept for the next"),
    (
        "q6",
        'return [422, "no reading"]',
        'model = None\n            return [422, "no reading"]',
        "costs no model",
    ),
    ("q6", READING, INSIDE, "at the same time"),
    ("q7", *FROM_ARRIVAL, "one payment after the other"),
    ("q7", "stored <= moment < answered", "stored < moment < answered", "one payment after the other"),
    ("q7", "came <= moment < stored", "came < moment < stored", "payments that overlap"),
    ("q7", "moment < answered", "moment <= answered", "payments that overlap"),
    ("q7", 'return "lost" if any', 'return "quiet" if any', "one payment after the other"),
    ("q7", '("quiet", "lost", "twice")', '("quiet", "lost")', "one payment after the other"),
    (
        "q7",
        "if any(came <= moment < stored for",
        "if all(came <= moment < stored for",
        "one payment after the other",
    ),
    (
        "q7",
        "stored <= moment < answered for _",
        "stored <= moment < answered - 15 for _",
        "payments that overlap",
    ),
]
