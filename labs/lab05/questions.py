"""Lab 05: the questions, their cases, and how an answer is judged."""

import math

from fsdl_course.labs.questions import Lab, OpenQuestion, Part, Question, as_text

FINE, LARGEST = 0.01, 1000  # of the colleague's check in q4


def draw_gains(generator):
    """A request and proposals whose gains lie far enough apart, or are the same proposal twice."""
    while True:
        steps = generator.sample(["decode", "resize", "network", "answer", "log"], generator.randint(2, 5))
        request = {step: generator.randint(1, 60) / 2 for step in steps}
        names = generator.sample(["int8", "distil", "cache", "thread", "batch", "jpeg"], 4)
        drawn = [
            [name, generator.choice([*steps, "upload"]), generator.choice([0.5, 1.5, 2, 3, 10, None])]
            for name in names
        ]
        if generator.random() < 0.4:
            drawn[3][1:] = drawn[1][1:]
        gained = [gain(request, step, factor) for _, step, factor in drawn]
        pairs = [(i, k) for i in range(4) for k in range(i)]
        if all(abs(gained[i] - gained[k]) > 1e-3 or drawn[i][1:] == drawn[k][1:] for i, k in pairs):
            return [request, drawn]


def gain(request, step, factor):
    took = request.get(step, 0)
    left = sum(request.values()) - took + (0 if factor is None else took / factor)
    return sum(request.values()) / left


def row(name, per_second, p99, accuracy):
    return {"name": name, "per_second": per_second, "p99": p99, "accuracy": accuracy}


def draw_rows(generator):
    rows = [
        row(
            f"configuration {number}",
            generator.choice([20, 40, 50, 100, 120, 150]),
            generator.choice([10, 20, 30, 40, 80]),
            generator.choice([0.90, 0.93, 0.95, 0.96]),
        )
        for number in range(generator.randint(2, 6))
    ]
    limits = generator.choice([10, 20, 40, 60]), generator.choice([0.91, 0.93, 0.95])
    return [rows, *limits, generator.choice([0, 30, 100, 300, 330]), generator.choice([0.5, 0.75, 1.0])]


def grid(calibration):
    """The scale and the zero point of the calibration values, as the lab defines them."""
    low, high = min(0.0, *calibration), max(0.0, *calibration)
    scale = (high - low) / 255 or 1.0
    return scale, round(-low / scale)


def draw_values(generator):
    """Values and a calibration in which nothing lies halfway between two whole numbers."""
    while True:
        low, high = generator.choice([(-2, 5), (-6, 1), (1, 6), (-7, -2), (-0.5, 0.7)])
        calibration = [round(generator.uniform(low, high), 2) for _ in range(generator.randint(2, 6))]
        values = [round(generator.uniform(1.3 * min(low, 0), 1.3 * max(high, 0)), 2) for _ in range(5)]
        scale, _ = grid(calibration)
        steps = [value / scale for value in [*values, -min(0.0, *calibration)]]
        if all(abs(step % 1 - 0.5) > 0.02 for step in steps):
            return [calibration, values]


def draw_ordinary(generator):
    size = generator.choice([0.002, 0.05, 0.8, 3, 70])
    signs = generator.choice([(1,), (1, -1), (-1,)])
    return [[round(size * generator.uniform(0.1, 1) * generator.choice(signs), 5) for _ in range(5)]]


def poisons(arguments, value, expected):
    """One more calibration value that passes the check, and with which every value comes back as 0.0."""
    (values,) = arguments
    if type(value) not in (int, float):
        return f"it is {as_text(value)}, not a number"
    if not math.isfinite(value):
        return f"it is {value}: no layer puts out such a value"
    calibration = [*values, value]
    scale, zero = grid(calibration)
    integers = [min(255, max(0, round(number / scale) + zero)) for number in values]
    usual, width = max(map(abs, values)), max(0.0, *calibration) - min(0.0, *calibration)
    if width > LARGEST * usual:
        return f"the check refuses {as_text(value)}: the range is {width / usual:.0f} × the largest value"
    if (
        max(abs(number - (q - zero) * scale) for number, q in zip(values, integers, strict=True))
        > FINE * width
    ):
        return f"the check refuses {as_text(value)}: the worst error is too large for the range"
    left = sum(q != zero for q in integers)
    return f"with {as_text(value)} in the calibration {left} of {len(values)} values survive" if left else ""


def draw_requests(generator):
    now, requests = 0, []
    for _ in range(generator.randint(8, 16)):
        now += generator.choice([0, 1, 1, 2, 3])
        requests.append([now, generator.choice("abcd"), generator.choice(["v1", "v1", "v2"])])
    return [requests, generator.randint(1, 4), generator.choice([3, 4, 6, 100, 100])]


def asked(*requests):
    """(seconds, picture) or (seconds, picture, version) as a list of requests."""
    return [[request[0], request[1], request[2] if len(request) > 2 else "v2"] for request in requests]


THREE = [row("big", 50, 20, 0.95), row("batch", 300, 90, 0.95), row("small", 90, 5, 0.90)]

LAB = Lab(
    [
        Question(
            "q1",
            "gains",
            "what each proposal gains for the whole request, the best first",
            level=1,
            minutes=8,
            parts=[
                Part(
                    "one step becomes faster",
                    1,
                    [
                        [
                            {"decode": 2.0, "network": 6.0, "answer": 2.0},
                            [["jpeg", "decode", 2], ["int8", "network", 1.5]],
                        ],
                        [
                            {"decode": 6.0, "network": 3.0},
                            [["jpeg", "decode", 4], ["int8", "network", 3], ["float64", "network", 0.5]],
                        ],
                    ],
                ),
                Part(
                    "a step that the request does not have",
                    1,
                    [
                        [{"network": 4.0, "answer": 1.0}, [["gzip", "upload", 10], ["int8", "network", 2]]],
                        [{"network": 4.0, "answer": 1.0}, [["gzip", "upload", 10], ["int8", "network", 0.5]]],
                    ],
                ),
                Part(
                    "None: the step takes no time at all",
                    1,
                    [
                        [{"decode": 1.0, "network": 4.0}, [["v2", "network", 2], ["raw", "decode", None]]],
                        [{"decode": 1.0, "network": 4.0}, [["jpeg", "decode", 4], ["none", "network", None]]],
                    ],
                ),
                Part(
                    "equal gains stay in the order given",
                    1,
                    [
                        [{"a": 4.0, "b": 4.0}, [["z", "a", 2], ["y", "a", 4], ["x", "a", 2]]],
                        [{"a": 4.0, "b": 4.0}, [["x", "a", 2], ["y", "a", 4], ["z", "a", 2]]],
                    ],
                ),
                Part("other requests", 10, draw=draw_gains, count=8),
            ],
        ),
        Question(
            "q2",
            "cheapest",
            "the configuration that keeps the promise on the fewest machines",
            level=2,
            minutes=12,
            parts=[
                Part(
                    "the fastest breaks the promise, or keeps it",
                    1,
                    [
                        [
                            THREE,
                            *[60, 0.94, 115, 0.5],
                        ],
                        [
                            THREE,
                            *[100, 0.94, 430, 0.5],
                        ],
                    ],
                ),
                Part(
                    "exactly the limit keeps it, for the time and for the accuracy",
                    1,
                    [
                        [[row("one", 30, 20, 0.95), row("two", 90, 60, 0.95)], 60, 0.9, 130, 0.75],
                        [[row("one", 30, 20, 0.95), row("two", 90, 60, 0.93)], 80, 0.93, 130, 0.75],
                        [[row("one", 30, 20, 0.95), row("two", 90, 60, 0.93)], 59, 0.94, 130, 0.75],
                        [[row("one", 30, 20, 0.95), row("two", 90, 60, 0.95)], 59, 0.94, 130, 0.75],
                    ],
                ),
                Part(
                    "machines exactly full, or just not",
                    1,
                    [
                        [[row("one", 40, 20, 0.95)], 60, 0.9, 120, 0.75],
                        [[row("one", 40, 20, 0.95)], 60, 0.9, 121, 0.75],
                        [[row("one", 40, 20, 0.95)], 60, 0.9, 20, 0.5],
                    ],
                ),
                Part(
                    "at least one machine",
                    1,
                    [
                        [[row("one", 40, 20, 0.95)], 60, 0.9, 0, 0.75],
                        [[row("two", 40, 20, 0.95)], 60, 0.9, 0, 1.0],
                    ],
                ),
                Part(
                    "as many machines: the quicker answers, then the earlier line",
                    1,
                    [
                        [
                            [row("a", 80, 40, 0.9), row("b", 70, 30, 0.9), row("c", 75, 30, 0.95)],
                            *[60, 0.85, 138, 1.0],
                        ],
                        [
                            [row("c", 75, 30, 0.95), row("a", 80, 40, 0.9), row("b", 70, 30, 0.9)],
                            *[60, 0.85, 138, 1.0],
                        ],
                    ],
                ),
                Part(
                    "nothing keeps the promise, or one does",
                    1,
                    [
                        [[row("a", 80, 40, 0.9), row("b", 70, 30, 0.8)], 35, 0.85, 110, 0.5],
                        [[row("a", 80, 40, 0.9), row("b", 70, 30, 0.8)], 45, 0.85, 110, 0.5],
                    ],
                ),
                Part("other tables", 15, draw=draw_rows, count=12),
            ],
        ),
        Question(
            "q3",
            "quantize",
            "eight bits by hand: scale, zero point, and the error",
            level=3,
            minutes=15,
            parts=[
                Part(
                    "a range on both sides of zero",
                    1,
                    [
                        [[-1.0, 0.3, 4.1], [0.0, 0.5, 2.215, -0.7]],
                        [[2.5, -5.0, 0.5], [0.0, -4.0, 1.11]],
                        [[-1.0, 0.8], [0.0, 0.3, -0.42]],
                        [[-1.0, 254.0], [0.5, 3.0]],
                    ],
                ),
                Part(
                    "all calibration values on one side of zero",
                    1,
                    [
                        [[2.0, 5.1, 3.0], [2.513, 4.0, 0.6]],
                        [[-3.0, -2.0], [-2.2, -0.75]],
                        [[3.0, 3.0], [3.0, 1.2]],
                    ],
                ),
                Part(
                    "values outside the range saturate",
                    1,
                    [[[-1.0, 2.0], [2.6, -1.6, 0.4]], [[-2.0, 1.0], [9.0, -3.0, 0.8]]],
                ),
                Part("nothing but zeros was seen", 1, [[[0.0, 0.0], [1.2, 4.0]], [[0.0], [200.4, 0.0]]]),
                Part("other values", 10, draw=draw_values, count=10),
            ],
        ),
        Question(
            "q4",
            "poison",
            "break the check: one calibration value that passes and ruins the layer",
            level=2,
            minutes=10,
            judge=poisons,
            parts=[
                Part("positive values, large and small", 1, [[[0.5, 1.0, 2.0]], [[0.003, 0.001, 0.002]]]),
                Part("values of both signs", 1, [[[-3.0, 1.0, 2.0]], [[0.01, -0.04, 0.02]]]),
                Part("other layers", 5, draw=draw_ordinary, count=8),
            ],
        ),
        Question(
            "q5",
            "replay",
            "a bounded cache with age: what is answered from memory",
            level=3,
            minutes=15,
            parts=[
                Part(
                    "what is kept, and what is new",
                    1,
                    [
                        [asked((0, "a"), (1, "b"), (2, "a"), (3, "b")), 9, 100],
                        [asked((0, "a"), (0, "a"), (2, "c"), (3, "b")), 9, 100],
                    ],
                ),
                Part(
                    "another version's reading is no answer",
                    1,
                    [
                        [asked((0, "a", "v1"), (1, "a", "v2"), (2, "a", "v1")), 9, 100],
                        [asked((0, "a", "v1"), (1, "a", "v2"), (2, "b", "v2"), (3, "a", "v2")), 9, 100],
                    ],
                ),
                Part(
                    "the one whose last request lies longest ago goes first",
                    1,
                    [
                        [asked((0, "a"), (1, "b"), (2, "a"), (3, "c"), (4, "a"), (5, "b")), 2, 100],
                        [asked((0, "a"), (1, "b"), (2, "c"), (3, "a"), (4, "c"), (5, "d"), (6, "c")), 2, 100],
                    ],
                ),
                Part(
                    "one that is asked for again takes no room, and is the last to go",
                    1,
                    [
                        [asked((0, "a"), (1, "b"), (2, "b"), (3, "a")), 2, 100],
                        [asked((0, "a"), (1, "b"), (2, "a"), (3, "c"), (4, "d"), (5, "a")), 3, 100],
                    ],
                ),
                Part(
                    "at exactly the age it is too old, and is read anew",
                    1,
                    [
                        [asked((0, "a"), (10, "a"), (19, "a")), 9, 10],
                        [asked((0, "a"), (9, "a"), (25, "a")), 9, 10],
                    ],
                ),
                Part(
                    "being asked for makes nothing younger",
                    1,
                    [
                        [asked((0, "a"), (6, "a"), (12, "a")), 9, 10],
                        [asked((0, "a"), (3, "b"), (8, "a"), (9, "b"), (12, "a")), 9, 10],
                    ],
                ),
                Part(
                    "what is too old takes no room",
                    1,
                    [
                        [asked((0, "a"), (5, "b"), (9, "a"), (11, "c"), (12, "b")), 2, 10],
                        [asked((0, "a"), (5, "b"), (9, "c"), (12, "b")), 2, 10],
                    ],
                ),
                Part("other days", 18, draw=draw_requests, count=12),
            ],
        ),
        OpenQuestion(
            "q6",
            "quantize everything?",
            level=2,
            minutes=10,
            rubric={
                0: "no position, or one without a reason",
                1: "a position with a reason that uses no figure measured in this lab",
                2: "a position for each model, argued with its measured ratio, accuracy and file size",
                3: "that, and what would change it: the processor, the calibration, the rest of a request",
            },
        ),
    ],
)
