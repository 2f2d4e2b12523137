"""Lab 01: the questions, their cases, and how an answer is judged."""

from fsdl_course.labs.questions import Lab, OpenQuestion, Part, Question


def draw_budget(generator):
    web, model = generator.randint(20, 200), generator.randint(5, 900)
    budget = generator.choice([3 * (web + model), generator.randint(0, 4000)])
    return [budget, web, model, generator.randint(10, 150)]


def line(picture, says, confidence=0.9, read="0123", version="v2"):
    return {
        "picture": picture,
        "says": says,
        "read": read,
        "confidence": confidence,
        "model_version": version,
    }


def draw_lines(generator):
    def draw_line():
        says = generator.choice(["0123", " 0124 ", "0124", "0 124", "blurred", "", "77", "0124 or 0129"])
        confidence = generator.choice([0.5, 0.7, 0.9, 0.99])
        return line(generator.choice("abcdef") + ".png", says, confidence, "0123", generator.choice(VERSIONS))

    return [[draw_line() for _ in range(generator.randint(2, 10))], "v2"]


def draw_visits(generator):
    times = sorted(generator.randrange(300) for _ in range(generator.randint(1, 10)))
    kinds = [generator.choice(["page", "read"]) for _ in times]
    visits = [list(visit) for visit in zip(times, kinds, strict=True)]
    return [visits, generator.randint(1, 10), generator.randint(10, 60), generator.choice([True, False])]


def allowed_they_say(size, width, height):
    """The check of q4, as the lab shows it."""
    return size <= 8 * 2**20 and width <= 8192 and height <= 8192


def too_big(arguments, value, expected):
    """An upload that the check allows and whose pixels take more than 64 MB."""
    if not isinstance(value, list) or len(value) != 3 or not all(type(number) is int for number in value):
        return f"it is {value!r}, not three whole numbers such as [20000, 300, 64]"
    size, width, height = value
    if min(value) < 1:
        return "a file has at least one byte, a picture at least one pixel on a side"
    if width * height > 1000 * size:
        return f"{size} bytes are too few for {width} × {height} pixels: count on one byte for 1000 pixels"
    if not allowed_they_say(*value):
        return "the check refuses this upload: it is not broken by it"
    return (
        "" if width * height > 64_000_000 else f"its pixels take {width * height:,} bytes: that is bearable"
    )


VERSIONS = ["v2", "v2", "v2", "v1"]

LAB = Lab(
    [
        Question(
            "q1",
            "most_workers",
            "how many workers fit into memory",
            level=1,
            minutes=8,
            parts=[
                Part("a budget for both ways", 1, [[1000, 60, 90, 50], [1000, 60, 10, 50]]),
                Part("exactly the budget is enough", 1, [[300, 60, 90, 30], [299, 60, 90, 29]]),
                Part("too little memory: 0, not less", 1, [[100, 60, 900, 50], [100, 60, 20, 70]]),
                Part("other budgets", 8, draw=draw_budget, count=12),
            ],
        ),
        Question(
            "q2",
            "worth_labelling",
            "from the feedback to the list of pictures worth labelling",
            level=3,
            minutes=14,
            parts=[
                Part(
                    "the surest mistake first, then by name",
                    1,
                    [
                        [[line("a.png", "0124", 0.5), line("b.png", "7", 0.99)], "v2"],
                        [[line("b.png", "0124", 0.9), line("a.png", "7", 0.9)], "v2"],
                    ],
                ),
                Part(
                    "words that are no number, and spaces",
                    1,
                    [
                        [[line("a.png", "too dark")], "v2"],
                        [[line("a.png", "")], "v2"],
                        [[line("a.png", " 0 124 ")], "v2"],
                        [[line("a.png", "-124"), line("b.png", "١٢٤")], "v2"],
                        [[line("a.png", "0124?"), line("b.png", "0124 or 0129")], "v2"],
                    ],
                ),
                Part(
                    "who agrees with the model corrects nothing",
                    1,
                    [
                        [[line("a.png", "0123"), line("b.png", "0124")], "v2"],
                        [[line("a.png", " 0123 "), line("b.png", "123")], "v2"],
                    ],
                ),
                Part(
                    "the last word about a picture counts",
                    1,
                    [
                        [[line("a.png", "0124"), line("a.png", "0125")], "v2"],
                        [[line("a.png", "0124"), line("b.png", "7"), line("a.png", "0123")], "v2"],
                    ],
                ),
                Part(
                    "another model's mistakes are left out",
                    1,
                    [
                        [[line("a.png", "0124", version="v1"), line("b.png", "0124")], "v2"],
                        [[line("a.png", "0124", version="v1"), line("b.png", "0124")], "v1"],
                        [[line("a.png", "0124"), line("a.png", "0125", version="v1")], "v2"],
                    ],
                ),
                Part("other feedback", 13, draw=draw_lines, count=12),
            ],
        ),
        Question(
            "q3",
            "page_waits",
            "how long the visitors of a page wait behind readings",
            level=2,
            minutes=12,
            parts=[
                Part(
                    "a page behind readings, and the model elsewhere",
                    1,
                    [
                        [[[0, "read"], [0, "read"], [10, "page"]], 2, 50, True],
                        [[[5, "read"], [5, "page"]], 2, 50, True],
                        [[[0, "read"], [10, "page"]], 2, 50, True],
                        [[[0, "read"], [10, "page"]], 2, 50, False],
                    ],
                ),
                Part(
                    "pages wait for pages in both ways",
                    1,
                    [
                        [[[0, "page"], [0, "page"], [1, "page"]], 2, 50, True],
                        [[[0, "page"], [1, "page"], [3, "page"]], 2, 50, False],
                    ],
                ),
                Part(
                    "after a pause nobody waits; no page, no wait",
                    1,
                    [
                        [[[0, "page"], [100, "read"], [150, "page"], [160, "page"]], 2, 50, True],
                        [[[0, "read"]], 2, 50, True],
                        [[], 2, 50, False],
                    ],
                ),
                Part("other visits", 8, draw=draw_visits, count=12),
            ],
        ),
        Question(
            "q4",
            "upload_that_hurts",
            "break the check: a small file that takes much memory",
            level=2,
            minutes=6,
            judge=too_big,
            parts=[Part("allowed, and more than 64 MB of pixels", 2, [[]])],
        ),
        OpenQuestion(
            "q5",
            "model inside the web server, or apart",
            level=2,
            minutes=8,
            rubric={
                0: "no position, or one without a reason",
                1: "a position with a reason, but without the figures measured above",
                2: "a position argued with the figures: memory a worker, the wait of those who do not read",
                3: "that, and what would make you change your mind, with the figure at which you would",
            },
        ),
    ],
)
