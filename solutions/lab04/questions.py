"""Lab 04: the questions, their cases, and how an answer is judged."""

import hashlib
import itertools

from fsdl_course.labs.questions import Lab, OpenQuestion, Part, Question, as_text

NAN = float("nan")


def draw_parity(generator):
    count, tolerance = generator.randint(1, 10), generator.choice([0.125, 0.25])
    first = [
        ["".join(generator.choice("0123456789") for _ in range(4)), generator.choice([0.5, 0.75])]
        for _ in range(count)
    ]
    other = [[digits, confidence - generator.choice([0.0, tolerance / 2])] for digits, confidence in first]
    for _ in range(generator.randint(0, 2)):
        place = generator.randrange(count)
        other[place] = generator.choice([["", 0.5], [first[place][0], 0.0], [first[place][0], NAN]])
    cut = generator.choice([count, count, generator.randint(0, count)])
    return [first, other[:cut], tolerance] if generator.random() < 0.5 else [other[:cut], first, tolerance]


def sha256(content):
    return hashlib.sha256(bytes.fromhex(content)).hexdigest()


CONTENT, OTHER = "00ff10", "00ff11"
RIGHT, LAST_YEAR = sha256(CONTENT), sha256("c0ffee")


def draw_list(generator):
    contents = {name: bytes(generator.randrange(256) for _ in range(4)).hex() for name in "abcd"}
    names = [f"v{n} {name}.onnx" if n % 2 else f"{name}.onnx" for n, name in enumerate(contents)]
    lines = []
    for name, content in zip(names, contents.values(), strict=True):
        digits = sha256(content)
        digits = digits.upper() if generator.random() < 0.3 else digits
        lines.append(f"{digits} {generator.choice(' *')}{name}")
    if generator.random() < 0.4:
        place = generator.randrange(4)
        lines[place] = generator.choice([lines[place][1:], lines[place] + "x", lines[place - 1], "# sums"])
    if generator.random() < 0.3:
        lines.insert(generator.randrange(4), "")
    name = generator.choice([*names, "e.onnx"])
    content = dict(zip(names, contents.values(), strict=True)).get(name, "00")
    content = generator.choice([content, content, content[::-1]])
    return [generator.choice(["\n", "\r\n"]).join(lines), name, content]


def step(stage, *reads, builds_on=None):
    return {"stage": stage, "reads": list(reads), "builds_on": builds_on}


SMALL = [step("run"), step("run", "requirements.txt"), step("run"), step("run", "app"), step("run")]
STAGED = [
    step("install", "requirements.txt"),
    step("install"),
    step("page", "page"),
    step("run", "models/v2.onnx"),
    step("run", builds_on="install"),
    step("run", "app"),
    step("test", "tests", builds_on="run"),
]


def draw_build(generator):
    files = ["app/main.py", "app/web/page.py", "application.py", "lock.txt", "models/v2.onnx", "models/v2"]
    paths = ["app", "app/web", "lock.txt", "models", "models/v2", "application.py", "tests"]
    steps, stages = [], generator.sample(["install", "page", "run", "test"], generator.randint(1, 3))
    for number, stage in enumerate(stages):
        for _ in range(generator.randint(1, 4)):
            reads = generator.sample(paths, generator.choice([0, 0, 1, 1, 2]))
            on = generator.choice(stages[:number]) if number and generator.random() < 0.4 else None
            steps.append(step(stage, *([] if on else reads), builds_on=on))
    return [steps, generator.sample(files, generator.choice([0, 1, 1, 2, 2, 3]))]


def work(seconds, changes, *needs):
    return {"seconds": seconds, "changes": changes, "needs": list(needs)}


def draw_image(generator):
    names = generator.sample(["base", "tools", "install", "weights", "code", "page", "settings"], 5)
    steps = {}
    for number, name in enumerate(names):
        needs = [earlier for earlier in names[:number] if generator.random() < 0.25]
        steps[name] = work(generator.randint(1, 60), generator.choice([0, 1, 2, 5, 20]), *needs)
    return [{name: steps[name] for name in generator.sample(names, 5)}]


def week(steps, order):
    """Seconds of building in a week."""
    total = after = 0
    for name in reversed(order):
        after += steps[name]["seconds"]
        total += steps[name]["changes"] * after
    return total


def missing_before(steps, order):
    """A pair (step, what it needs) that stands the wrong way round, or None."""
    pairs = ((name, need) for name in order for need in steps[name]["needs"])
    return next((pair for pair in pairs if order.index(pair[0]) < order.index(pair[1])), None)


def order_is_cheapest(arguments, value, expected):
    """Any order that is allowed and costs no more than the best."""
    (steps,) = arguments
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return f"it is {as_text(value)}, not a list of names such as {as_text(list(steps))}"
    if sorted(value) != sorted(steps):
        return f"it is {as_text(value)}; the steps are {as_text(sorted(steps))}, each once"
    if pair := missing_before(steps, value):
        return f"{pair[0]!r} stands before {pair[1]!r}, which it needs"
    orders = (list(order) for order in itertools.permutations(steps))
    best = min(week(steps, order) for order in orders if not missing_before(steps, order))
    cost = week(steps, value)
    return "" if cost <= best + 1e-9 else f"this order costs {cost:g} s a week, and {best:g} s is possible"


FAULTS = ("if", "length", "bytes")


def strokes(row, fault=""):
    """The tiny model of q5, as the lab shows it."""
    if fault == "length":
        row = row[:8]
    if fault != "if" and sum(row) < 128 * len(row):
        row = [255 - pixel for pixel in row]
    limit = min(row) + 2 * max(row)
    if fault == "bytes":
        limit = limit % 256
    dark = [pixel < limit // 3 for pixel in row]
    return sum(now and not before for before, now in zip([False, *dark], dark, strict=False))


def tells_apart(arguments, value, expected):
    """A row that only the translation with the given fault gets wrong."""
    (fault,) = arguments
    if not isinstance(value, list) or not all(type(pixel) is int for pixel in value):
        return f"it is {as_text(value)}, not a list of whole numbers such as [250, 20, 250]"
    if not 1 <= len(value) <= 40 or not all(0 <= pixel <= 255 for pixel in value):
        return "a row has 1 to 40 pixels, each 0 to 255"
    right, outputs = strokes(value), {name: strokes(value, name) for name in FAULTS}
    if outputs[fault] == right:
        return f"the translation with the fault {fault!r} answers {right}, and that is right"
    others = [name for name in FAULTS if name != fault and outputs[name] != right]
    return f"the translation with the fault {others[0]!r} is wrong on it, too" if others else ""


LAB = Lab(
    [
        Question(
            "q1",
            "first_difference",
            "a parity test: the first card on which two forms of a model differ",
            level=1,
            minutes=8,
            parts=[
                Part(
                    "digits that differ",
                    1,
                    [
                        [[["012", 0.9], ["34", 0.8]], [["012", 0.9], ["35", 0.8]], 0.1],
                        [[["012", 0.9], ["34", 0.8]], [["012", 0.9], ["34", 0.8]], 0.1],
                        [[["012", 0.9]], [["12", 0.9]], 1.0],
                    ],
                ),
                Part(
                    "confidences that differ",
                    1,
                    [
                        [[["1", 0.75], ["2", 0.5], ["3", 0.5]], [["1", 0.5], ["2", 0.75], ["3", 0.0]], 0.25],
                        [[["1", 0.75], ["2", 0.5]], [["1", 0.5], ["2", 0.5]], 0.125],
                        [[["1", 0.5]], [["1", 0.5]], 0.0],
                    ],
                ),
                Part(
                    "no number",
                    1,
                    [
                        [[["1", 0.5], ["2", NAN]], [["1", 0.5], ["2", 0.5]], 0.5],
                        [[["1", NAN]], [["1", NAN]], 1.0],
                    ],
                ),
                Part(
                    "fewer readings",
                    1,
                    [
                        [[["1", 0.5], ["2", 0.5]], [["1", 0.5]], 0.5],
                        [[], [["1", 0.5]], 0.5],
                        [[], [], 0.5],
                        [[["1", 0.5], ["2", 0.5]], [["7", 0.5]], 0.5],
                    ],
                ),
                Part("other models", 10, draw=draw_parity, count=16),
            ],
        ),
        Question(
            "q2",
            "verdict",
            "what a list of checksums says about a file",
            level=2,
            minutes=12,
            parts=[
                Part(
                    "right, wrong, unlisted",
                    1,
                    [
                        [f"{LAST_YEAR}  v1.onnx\n{RIGHT}  v2.onnx\n", "v2.onnx", CONTENT],
                        [f"{LAST_YEAR}  v1.onnx\n{RIGHT}  v2.onnx\n", "v2.onnx", OTHER],
                        [f"{RIGHT}  v2.onnx\n{LAST_YEAR}  v1.onnx\n", "v1.onnx", CONTENT],
                        [f"{RIGHT}  old/v2.onnx\n", "v2.onnx", CONTENT],
                        ["", "v2.onnx", CONTENT],
                    ],
                ),
                Part(
                    "as other systems write it",
                    1,
                    [
                        [f"{RIGHT.upper()}  v2.onnx\n", "v2.onnx", CONTENT],
                        [f"{LAST_YEAR} *v1.onnx\n{RIGHT} *v2.onnx", "v2.onnx", CONTENT],
                        [f"{LAST_YEAR} *v1.onnx\r\n{RIGHT} *v2.onnx\r\n", "v2.onnx", OTHER],
                        [f"{LAST_YEAR}  v1.onnx\r\n{RIGHT}  v2.onnx\r\n", "v1.onnx", "c0ffee"],
                    ],
                ),
                Part(
                    "a name with spaces, or stranger characters",
                    1,
                    [
                        [f"{RIGHT}  v2 (copy).onnx\n", "v2 (copy).onnx", CONTENT],
                        [f"{RIGHT}  v2 (copy).onnx\n", "v2", CONTENT],
                        [f"{RIGHT}  new  v2.onnx\n", "new  v2.onnx", OTHER],
                        [f"{RIGHT}  new\u2028v2.onnx\n", "new\u2028v2.onnx", CONTENT],
                    ],
                ),
                Part(
                    "the first line that is wrong",
                    1,
                    [
                        [f"{RIGHT}  v2.onnx\n{LAST_YEAR[1:]}  v1.onnx\n", "v2.onnx", CONTENT],
                        [f"{RIGHT} v2.onnx\n", "v2.onnx", CONTENT],
                        [f"{RIGHT}  a\n{RIGHT}  b\n{RIGHT}\tc\nsums\n", "v2.onnx", CONTENT],
                        [f"{RIGHT}0  v2.onnx\n", "v2.onnx", CONTENT],
                        [f"{RIGHT[1:]}g  v2.onnx\n", "v2.onnx", CONTENT],
                        [f"{RIGHT}  \n", "v2.onnx", CONTENT],
                    ],
                ),
                Part(
                    "lines with nothing in them",
                    1,
                    [
                        [f"\n{RIGHT}  v2.onnx\n\n", "v2.onnx", CONTENT],
                        [f"\n{RIGHT}  v2.onnx\n\nsums\n", "v2.onnx", CONTENT],
                        [f"{RIGHT}  v2.onnx\n \n", "v2.onnx", CONTENT],
                    ],
                ),
                Part(
                    "a name that is there twice",
                    1,
                    [
                        [f"{RIGHT}  v2.onnx\n{LAST_YEAR}  v2.onnx\n", "v2.onnx", CONTENT],
                        [f"{RIGHT}  v2.onnx\n{RIGHT}  v1.onnx\n{RIGHT} *v1.onnx\n", "v2.onnx", CONTENT],
                        [f"{RIGHT}  v2.onnx\n{RIGHT}  v1.onnx\n", "v2.onnx", CONTENT],
                    ],
                ),
                Part("other lists", 15, draw=draw_list, count=20),
            ],
        ),
        Question(
            "q3",
            "rebuilt",
            "which steps of a Dockerfile are built again",
            level=2,
            minutes=12,
            parts=[
                Part(
                    "that step and all after it",
                    1,
                    [[SMALL, ["app/main.py"]], [SMALL, ["requirements.txt"]], [SMALL, ["app/web/page.py"]]],
                ),
                Part(
                    "a name that only begins alike",
                    1,
                    [
                        [SMALL, ["application.py"]],
                        [SMALL, ["requirements.txt.old", "old/app/main.py"]],
                        [[step("run"), step("run", "app")], ["apple.py", "app/main.py"]],
                    ],
                ),
                Part(
                    "everything, nothing",
                    1,
                    [
                        [[step("run"), step("run", ".")], ["notes/todo.txt"]],
                        [[step("run"), step("run", ".")], []],
                        [[], ["app/main.py"]],
                    ],
                ),
                Part(
                    "another stage is not touched",
                    1,
                    [[STAGED, ["page/index.html"]], [STAGED, ["tests/test_app.py", "page/index.html"]]],
                ),
                Part(
                    "what builds on a stage",
                    1,
                    [[STAGED, ["requirements.txt"]], [STAGED, ["app/main.py"]]],
                ),
                Part("other files", 13, draw=draw_build, count=20),
            ],
        ),
        Question(
            "q4",
            "cheapest_order",
            "the order of steps that is built again least",
            level=3,
            minutes=15,
            judge=order_is_cheapest,
            parts=[
                Part(
                    "what changes often stands last",
                    1,
                    [
                        [{"code": work(2, 30), "install": work(20, 1)}],
                        [{"base": work(5, 0), "code": work(5, 20), "weights": work(5, 1)}],
                        [{"code": work(2, 30)}],
                    ],
                ),
                Part(
                    "but a slow step counts for more",
                    1,
                    [
                        [{"settings": work(1, 1), "compile": work(60, 2)}],
                        [{"download": work(10, 1), "code": work(30, 20)}],
                    ],
                ),
                Part(
                    "after what it needs",
                    1,
                    [
                        [{"install": work(60, 1, "lock"), "lock": work(1, 10)}],
                        [{"keys": work(20, 2, "tools"), "tools": work(10, 3), "page": work(30, 1, "keys")}],
                    ],
                ),
                Part(
                    "a cheap step that opens the way for another",
                    1,
                    [
                        [
                            {
                                "code": work(10, 2),
                                "lock": work(1, 1),
                                "install": work(100, 0.125, "lock"),
                            }
                        ],
                        [
                            {
                                "page": work(3, 4),
                                "code": work(8, 12),
                                "keys": work(2, 3),
                                "tools": work(90, 0.5, "keys"),
                                "install": work(60, 1, "tools"),
                            }
                        ],
                    ],
                ),
                Part("other images", 10, draw=draw_image, count=8),
            ],
        ),
        Question(
            "q5",
            "row_that_shows",
            "break it: a row of pixels for each of three silent faults",
            level=2,
            minutes=10,
            judge=tells_apart,
            parts=[
                Part("the branch that was not traced", 1, [["if"]]),
                Part("the length that became a constant", 1, [["length"]]),
                Part("numbers of 8 bits", 1, [["bytes"]]),
            ],
        ),
        OpenQuestion(
            "q6",
            "a reader in somebody else's program",
            level=2,
            minutes=8,
            rubric={
                0: "the file or the container is said to be enough",
                1: "what each of the three guarantees on the phone; the halving is outside all of them",
                2: "that, and a test with a tolerance from a figure and inputs unlike the exporter's example",
                3: "that, and how a change after the release would be noticed, when nobody runs the test",
            },
        ),
    ],
)
