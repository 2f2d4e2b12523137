"""Lab 03: the questions, their cases, and how an answer is judged."""

import json
import math

from fsdl_course.labs.questions import Lab, OpenQuestion, Part, Question


def picture(generator):
    """A short text that stands for a picture in base64."""
    return "".join(generator.choice("ABCDabcd0123+/") for _ in range(8))


def wrapped(generator):
    text = picture(generator)
    return generator.choice(
        [
            text,
            {"b64": text},
            {"image": text},
            {"image": {"b64": text}, "key": "a"},
            {"b64": 7, "image": {"b64": text}},
        ]
    )


def draw_body(generator):
    instances = [wrapped(generator) for _ in range(generator.randint(1, 6))]
    if generator.random() < 0.4:
        wrong = generator.choice(
            [{"b64": 7}, {}, None, 12, ["eA=="], {"image": {}}, {"in0": "eA=="}, {"b64": "eA==", "image": 3}]
        )
        instances.insert(generator.randint(0, len(instances)), wrong)
    body = {"instances": instances}
    if generator.random() < 0.5:
        body["parameters"] = generator.choice(
            [{"threshold": 0.5}, {}, {"top": 2, "all": True}, [], "fast", None]
        )
    if generator.random() < 0.2:
        body["instances"] = generator.choice([[], {"b64": "eA=="}, "eA==", None, ["eA=="] * 70])
    return [json.dumps(body)]


def body(instances, **more):
    return [json.dumps({"instances": instances, **more})]


def queue(arrivals, seconds, places):
    return [[float(moment) for moment in arrivals], [float(duration) for duration in seconds], places]


def crowd(arrivals, max_batch, delay, fixed, each):
    return [[float(moment) for moment in arrivals], max_batch, float(delay), float(fixed), float(each)]


def draw_queue(generator):
    count, now, arrivals = generator.randint(3, 14), 0, []
    for _ in range(count):
        arrivals.append(now)
        now += generator.choice([0, 0, 0.25, 0.5, 1, 2])
    seconds = [generator.choice([0.25, 0.5, 1, 1.5, 3]) for _ in range(count)]
    return queue(arrivals, seconds, generator.randint(0, 4))


def draw_pause(generator):
    met = generator.choice([429, 503, "unreachable"])
    if generator.random() < 0.2:
        met = generator.choice(["timeout", 400, 404, 422, 500])
    asked = generator.choice(
        [None, None, "1", "2", "3", "0", "08", "", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "+3", "1_0"]
    )
    left = generator.choice([0.25, 0.5, 1.0, 2.0]) if generator.random() < 0.3 else 10.0
    return [met, generator.choice([1, 1, 2, 2, 3, 3, 4, 5]), asked, left]


def draw_arrivals(generator):
    now, arrivals = 0, []
    for _ in range(generator.randint(4, 20)):
        now += generator.choice([0, 0, 1, 2, 3, 8, 30])
        arrivals.append(now)
    max_batch, delay = generator.choice([1, 2, 4, 8]), generator.choice([0, 2, 5, 10])
    return crowd(arrivals, max_batch, delay, generator.randint(0, 12), generator.randint(0, 3))


def p95(times):
    """The percentile of q5, as the lab shows it."""
    return sorted(times)[math.ceil(0.95 * len(times)) - 1]


def customers_wait(reading_ms):
    """How long 95 % of the customers of q5 wait, as the lab shows it."""
    free, waits = 0.0, []
    for number, needs in enumerate(reading_ms):
        comes = 10.0 * number
        free = max(free, comes) + needs
        waits.append(free - comes)
    return p95(waits)


def hides_the_tail(arguments, value, expected):
    """Reading times that are good for the monitor and bad for the customers."""
    if not isinstance(value, list) or not value or not all(type(time) in (int, float) for time in value):
        return "it is not a list of numbers such as [3, 5, 4.5]"
    if len(value) > 200:
        return f"it has {len(value)} requests: at most 200"
    if not all(1 <= time <= 5000 for time in value):
        return "each request takes 1 to 5000 ms"
    if p95(value) > 10:
        return f"the monitor says {p95(value):g} ms: it notices"
    waits = customers_wait(value)
    return "" if waits >= 1000 else f"the customers wait up to {waits:g} ms: they do not notice"


LAB = Lab(
    [
        Question(
            "q1",
            "translate",
            "from Google's format to the Open Inference Protocol",
            level=1,
            minutes=12,
            parts=[
                Part(
                    "the ways to send a picture",
                    1,
                    [
                        body(["aaaa"]),
                        body(["bbbb", {"b64": "cccc"}, {"image": {"b64": "dddd"}, "key": "meter 7"}]),
                        body([{"image": "eeee"}]),
                    ],
                ),
                Part(
                    "not JSON, or not an object",
                    1,
                    [['{"instances": ["aaaa"'], ['["aaaa"]'], ["null"], ["[" * 100_000]],
                ),
                Part(
                    "1 to 64 instances, in a list",
                    1,
                    [
                        ['{"pictures": ["aaaa"]}'],
                        body({"b64": "aaaa"}),
                        body([]),
                        body(["aaaa"] * 64),
                        body(["aaaa"] * 65),
                    ],
                ),
                Part(
                    "which item is wrong",
                    1,
                    [
                        body([{"b64": None}, "aaaa"]),
                        body(["aaaa", {"b64": "bbbb"}, {"image": {}}, 7]),
                        body(["aaaa", ["bbbb"]], parameters=3),
                        body(["aaaa", {"b64": "bbbb", "image": 3}]),
                    ],
                ),
                Part(
                    "parameters go along",
                    1,
                    [
                        body(["aaaa"], parameters={"threshold": 0.5}),
                        body(["aaaa"], parameters={}),
                        body(["aaaa"], parameters=["threshold"]),
                        body(["aaaa"], parameters=None),
                    ],
                ),
                Part("other bodies", 13, draw=draw_body, count=20),
            ],
        ),
        Question(
            "q2",
            "answers",
            "a queue of bounded length: who gets a 200, who a 429",
            level=2,
            minutes=12,
            parts=[
                Part(
                    "nobody is refused",
                    1,
                    [queue([0, 5, 10], [1, 2, 1.5], 0), queue([0, 0.5, 2], [1, 2, 0.5], 2), queue([], [], 3)],
                ),
                Part(
                    "one is read, some wait, the rest is refused",
                    1,
                    [
                        queue([0, 0, 0, 0, 0], [0.75, 0.125, 0.125, 1, 1], 2),
                        queue([0, 0, 0], [0.75, 1, 1], 0),
                    ],
                ),
                Part(
                    "who is refused takes no time",
                    1,
                    [
                        queue([0, 0.25, 0.25, 0.25, 1.5], [1, 0.25, 100, 100, 1], 1),
                        queue([0, 0.25, 1.25], [1, 100, 0.25], 0),
                    ],
                ),
                Part(
                    "at the very moment when a place gets free",
                    1,
                    [queue([0, 1, 2], [1, 1, 1], 0), queue([0, 0, 1, 2], [1, 1, 1, 1], 1)],
                ),
                Part(
                    "Retry-After: whole seconds, rounded up",
                    1,
                    [
                        queue([0, 0.5, 1.75, 1.75], [4.5, 9, 1, 1], 1),
                        queue([0, 0, 1, 1.75], [3, 1, 1, 1], 1),
                        queue([0, 0, 1.75], [2, 1, 1], 1),
                        queue([0, 0, 0.75], [3, 1, 1], 1),
                    ],
                ),
                Part("other crowds", 13, draw=draw_queue, count=10),
            ],
        ),
        Question(
            "q3",
            "pause_before_next",
            "ask again, or give up",
            level=2,
            minutes=10,
            parts=[
                Part(
                    "what is worth another try",
                    1,
                    [
                        *([met, 1, None, 10.0] for met in (429, 503, "unreachable")),
                        *([met, 1, None, 10.0] for met in ("timeout", 400, 422, 500)),
                    ],
                ),
                Part(
                    "the pause doubles; four tries in all",
                    1,
                    [[503, tries, None, 10.0] for tries in (1, 2, 3, 4, 5)],
                ),
                Part(
                    "what the service asks for",
                    1,
                    [
                        [429, 1, "2", 10.0],
                        [429, 2, "0", 10.0],
                        [503, 2, "Wed, 21 Oct 2026 07:28:00 GMT", 10.0],
                        [422, 1, "2", 10.0],
                        [429, 1, "+3", 10.0],
                        [429, 1, "1.5", 10.0],
                        [429, 1, "٣", 10.0],
                        [429, 1, "", 10.0],
                        [503, 1, "12", 30.0],
                    ],
                ),
                Part(
                    "nothing left of the budget",
                    1,
                    [[429, 1, "2", 2.0], [429, 1, None, 0.25], [429, 1, None, 0.5], [503, 2, None, 0.5]],
                ),
                Part("other failures", 10, draw=draw_pause, count=36),
            ],
        ),
        Question(
            "q4",
            "batches",
            "which cards a dynamic batcher reads together",
            level=3,
            minutes=15,
            parts=[
                Part(
                    "the deadline of the oldest",
                    1,
                    [crowd([0], 4, 10, 5, 1), crowd([3, 7, 40], 4, 10, 5, 1)],
                ),
                Part(
                    "full before the deadline",
                    1,
                    [
                        crowd([0, 1, 2, 3], 2, 10, 0, 0),
                        crowd([0, 4, 6, 90], 3, 10, 2, 1),
                        crowd([0, 10, 20], 1, 10, 5, 1),
                    ],
                ),
                Part(
                    "while the worker is busy",
                    1,
                    [crowd([0, 1, 2, 3, 30], 4, 0, 10, 0), crowd([0, 2, 4, 6, 8, 70], 8, 3, 20, 5)],
                ),
                Part(
                    "at the very moment when it leaves",
                    1,
                    [crowd([0, 10, 11], 4, 10, 1, 0), crowd([0, 5, 5, 6], 8, 5, 1, 0)],
                ),
                Part(
                    "more wait than fit; no cards",
                    1,
                    [crowd([0, 1, 2, 3, 4, 5, 6], 3, 0, 10, 0), crowd([], 4, 10, 5, 1)],
                ),
                Part("other crowds", 13, draw=draw_arrivals, count=12),
            ],
        ),
        Question(
            "q5",
            "reading_times",
            "break it: reading times that the monitor likes and the customers do not",
            level=2,
            minutes=8,
            judge=hides_the_tail,
            parts=[Part("green dashboard, angry customers", 2, [[]])],
        ),
        OpenQuestion(
            "q6",
            "a new version on the last day of the month",
            level=2,
            minutes=8,
            rubric={
                0: "no order of events, or one in which requests are lost",
                1: "the right order: first no new requests, then what waits is finished, then the end",
                2: "that, and a time to go on that follows from a figure: the queue, the balancer's checks",
                3: "that, and what the remaining copy and the clients' tries do to each other meanwhile",
            },
        ),
    ],
)
