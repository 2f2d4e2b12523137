"""Lab 00: the questions, their cases, and how an answer is judged."""

from fsdl_course.labs.questions import Lab, OpenQuestion, Part, Question, compare


def digits(generator, length):
    return "".join(generator.choice("0123456789") for _ in range(length))


def draw_readings(generator):
    truths = [digits(generator, generator.randint(4, 7)) for _ in range(generator.randint(1, 12))]
    read = [truth if generator.random() < 0.6 else digits(generator, len(truth)) for truth in truths]
    return [read, truths]


def draw_queue(generator):
    places = generator.choice([1, 2])  # with one, many are equally sure
    sure = [round(generator.uniform(0.3, 1.0), places) for _ in range(generator.randint(1, 15))]
    return [sure, generator.choice([0.5, 0.8, 0.9, *sure])]


def draw_target(generator):
    count = generator.randint(3, 20)
    sure = [round(generator.uniform(0.5, 1.0), generator.choice([1, 2])) for _ in range(count)]
    right = [generator.random() < value for value in sure]
    return [sure, right, generator.choice([0.0, 0.05, 0.1, 0.25])]


def draw_pair(generator):
    length = generator.randint(4, 7)
    most = generator.choice([200, 500, 1000])
    used = generator.choice([generator.randrange(10**3), most, most + 1])
    before = generator.choice([generator.randrange(10**length), 10**length - generator.randint(1, 300)])
    now = (before + used) % 10**length if generator.random() < 0.7 else generator.randrange(10**length)
    return [str(before).zfill(length), str(now).zfill(length), most]


def naive(before, now, most):
    """The check of q4, as the lab shows it."""
    return 0 <= int(now) - int(before) <= most


def breaks_the_check(arguments, value, expected):
    """A right breaking input: five digits each, 120 units used, refused by the naive check."""
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(text, str) for text in value):
        return f"it is {value!r}, not a pair of strings such as ['00400', '00520']"
    before, now = value
    if not all(len(text) == 5 and text.isascii() and text.isdigit() for text in value):
        return "both readings have exactly five digits"
    if (int(now) - int(before)) % 100_000 != 120:
        return f"from {before} to {now} the customer did not use 120 units"
    return "the check accepts this pair: it is not broken by it" if naive(before, now, 500) else ""


def threshold(arguments, value, expected):
    """Any threshold that accepts the same cards is as good as the solution's."""
    sure = arguments[0]
    if type(value) not in (int, float) or value != value:
        return compare(value, expected)
    accepted, best = [s >= value for s in sure], [s >= expected for s in sure]
    return "" if accepted == best else f"it accepts {sum(accepted)} cards; the best accepts {sum(best)}"


LAB = Lab(
    [
        Question(
            "q1",
            "exact_match",
            "the share of readings that are right as a whole",
            level=1,
            minutes=5,
            parts=[
                Part(
                    "two of three are right, then one of four",
                    1,
                    [
                        [["0123", "45", "678"], ["0123", "46", "678"]],
                        [["1", "2", "3", "4"], ["1", "1", "1", "1"]],
                    ],
                ),
                Part("a leading zero counts", 1, [[["123", "045"], ["0123", "045"]], [["00"], ["0"]]]),
                Part("no readings: 0.0, not an error", 1, [[[], []], [["7"], ["7"]]]),
                Part("other readings", 8, draw=draw_readings),
            ],
        ),
        Question(
            "q2",
            "review_queue",
            "which cards a person should look at, least sure first",
            level=1,
            minutes=8,
            parts=[
                Part("some are unsure", 1, [[[0.99, 0.4, 0.95, 0.7], 0.9], [[0.7, 0.99, 0.4], 0.9]]),
                Part("exactly the threshold is sure enough", 1, [[[0.9, 0.89], 0.9], [[0.5, 0.5, 0.4], 0.5]]),
                Part(
                    "of equally sure ones the earlier first",
                    1,
                    [[[0.7, 0.4, 0.4, 0.7], 0.9], [[0.5, 0.5, 0.95, 0.5], 0.9]],
                ),
                Part("all are sure, or none is", 1, [[[0.99, 0.95], 0.9], [[], 0.9], [[0.3, 0.2], 0.9]]),
                Part("other queues", 10, draw=draw_queue),
            ],
        ),
        Question(
            "q3",
            "threshold_for",
            "the lowest threshold that keeps a promise",
            level=3,
            minutes=15,
            judge=threshold,
            parts=[
                Part(
                    "one mistake among the unsure",
                    1,
                    [
                        [[0.99, 0.9, 0.6, 0.5], [True, True, False, True], 0.0],
                        [[0.9, 0.99, 0.5, 0.6], [False, True, True, True], 0.0],
                    ],
                ),
                Part(
                    "a mistake that the target allows, or just not",
                    1,
                    [
                        [[0.9, 0.8, 0.7, 0.6], [True, True, True, False], 0.25],
                        [[0.9, 0.8, 0.7, 0.6], [True, True, False, False], 0.34],
                        [[0.9, 0.8, 0.7], [True, True, False], 0.25],
                    ],
                ),
                Part(
                    "the surest of all is wrong, or right",
                    1,
                    [[[0.99, 0.5], [False, True], 0.1], [[0.99, 0.5], [True, False], 0.1]],
                ),
                Part(
                    "even a confidence of 1.0 may be wrong",
                    1,
                    [[[1.0, 0.5], [False, True], 0.1], [[1.0, 1.0, 0.5], [False, True, True], 0.4]],
                ),
                Part("other promises", 10, draw=draw_target),
            ],
        ),
        Question(
            "q4",
            "pair_that_is_refused",
            "break the check: a right pair of readings that it refuses",
            level=2,
            minutes=5,
            judge=breaks_the_check,
            parts=[Part("a right pair, refused", 2, [[]])],
        ),
        Question(
            "q5",
            "plausible",
            "the check, repaired",
            level=2,
            minutes=10,
            parts=[
                Part("an ordinary month, or too much", 1, [["00400", "00520", 500], ["00400", "01000", 500]]),
                Part("nothing used, or backwards", 1, [["00400", "00400", 500], ["00400", "00399", 500]]),
                Part(
                    "exactly the most, and one more",
                    1,
                    [["00400", "00900", 500], ["00400", "00901", 500], ["99800", "00300", 500]],
                ),
                Part("past all nines", 1, [["99950", "00070", 500], ["99950", "00600", 500]]),
                Part("other pairs", 10, draw=draw_pair, count=12),
            ],
        ),
        OpenQuestion(
            "q6",
            "would you show it today",
            level=2,
            minutes=7,
            rubric={
                0: "no position, or one without a reason",
                1: "a position with a reason that does not use the figures measured above",
                2: "a position argued with the figures: errors a month, their cost, what the queue catches",
                3: "that, and what would be learned from real users that no test set shows",
            },
        ),
    ],
)
