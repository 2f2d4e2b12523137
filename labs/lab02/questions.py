"""Lab 02: the questions, their cases, and how an answer is judged."""

import re

from fsdl_course.labs.questions import Lab, OpenQuestion, Part, Question

DAY = 1440  # minutes


def draw_age(generator):
    first, every = generator.randint(0, 600), generator.choice([60, 180, 360, 720, DAY])
    sent = first + every * generator.randint(-2, 4) + generator.choice([0, 1, -1, generator.randrange(60)])
    return [sent, first, every, generator.randint(1, 50)]


def draw_nights(generator):
    def row():
        digits = None if generator.random() < 0.05 else str(generator.randrange(10000)).zfill(4)
        keys = generator.choice(["C1", "C2", "C3"]), generator.choice(["2026-10", "2026-11"])
        return [*keys, generator.choice(["v1", "v2"]), digits]

    nights = [[row() for _ in range(generator.randint(0, 5))] for _ in range(generator.randint(1, 4))]
    return [[*nights, nights[0]]]


def picture(customer, ending="jpg"):
    name = f"C{customer:07d}"
    return f"{name[:-3]}/{name}.{ending}"


def draw_resume(generator):
    customers = generator.sample(range(1, 3000), generator.randint(5, 14))
    pictures = [picture(customer) for customer in customers]
    pictures += [picture(customer, "png") for customer in customers if generator.random() < 0.2]
    generator.shuffle(pictures)
    # Not each night has all that can go wrong, so that one mistake does not lose them all.
    months = generator.choice([["2026-10"], ["2026-10"], ["2026-09", "2026-10", "2026-10"]])
    versions = generator.choice([["v2"], ["v2"], ["v1", "v2"]])
    set_aside = generator.choice([0, 0.3])
    stored = [
        [f"C{customer:07d}", generator.choice(months), generator.choice(versions)]
        for customer in customers
        if generator.random() < 0.6
    ]
    aside = [name for name in pictures if generator.random() < set_aside]
    return [pictures, stored, aside, "2026-10", "v2", generator.choice([1, 2, 3, 4])]


def run(started, finished=None, version="v2", cards=1000, stored=1000):
    return {
        "started": started,
        "finished": finished,
        "model_version": version,
        "found": cards,
        "done": stored,
    }


def draw_runs(generator):
    now, customers = 5 * DAY, 100
    starts = {generator.randrange(now - 2 * DAY, now - 60) for _ in range(generator.randint(0, 3))}
    starts = sorted(starts | {now - DAY - generator.choice([0, 1, 60, -700])})
    runs, left, often = [], customers, generator.choice(["v1", "v2", "v2"])
    for started in starts:
        stored = generator.choice([left, left, left, 0, generator.randint(0, left)])
        finished = started + 30 if generator.random() < 0.85 else None
        version = often if generator.random() < 0.85 else "v1"
        runs.append(run(started, finished, version, generator.choice([stored, customers]), stored))
        left = left - stored or customers
    generator.shuffle(runs)
    return [runs, now, DAY, "v2", customers]


def after_last_they_say(pictures, stored):
    """The check of q3, as the lab shows it."""
    return [name for name in sorted(pictures) if name > max(stored)]


def loses_a_card(arguments, value, expected):
    """A right breaking input: after the kill and the second run, a card is read by neither."""
    example = "[['C0000001.jpg', 'C0000002.jpg'], ['C0000003.jpg']]"
    lists = isinstance(value, list) and len(value) == 2 and all(isinstance(part, list) for part in value)
    if not lists or not all(isinstance(name, str) for part in value for name in part):
        return f"it is {value!r}, not two lists of pictures such as {example}"
    first, late = value
    everything = sorted(first + late)
    if not all(re.fullmatch(r"C[0-9]{7}\.jpg", name) for name in everything):
        return "a picture is named as in C0000007.jpg: a C, seven digits, .jpg"
    if len(set(everything)) < len(everything):
        return "a picture is in the lists twice; a folder holds a name once"
    if len(first) < 2:
        return "the first run stored one chunk of 2 before it was killed: it found at least 2 pictures"
    stored = sorted(first)[:2]
    lost = set(everything) - set(stored) - set(after_last_they_say(everything, stored))
    return "" if lost else f"no card is lost: the first run stored {stored}, the second reads all the others"


OCTOBER = ["2026-10", "v2", 2]
FOUR = [picture(1), picture(2), picture(3), picture(4)]

LAB = Lab(
    [
        Question(
            "q1",
            "age",
            "how old a card is when its answer is there",
            level=1,
            minutes=8,
            parts=[
                Part("sent between two runs", 1, [[200, 120, DAY, 30], [500, 120, 360, 30]]),
                Part(
                    "in the minute of a start, and one later", 1, [[480, 120, 360, 30], [481, 120, 360, 30]]
                ),
                Part("before the first run", 1, [[100, 120, 360, 30], [-700, 120, 360, 30]]),
                Part("other schedules", 8, draw=draw_age, count=12),
            ],
        ),
        Question(
            "q2",
            "table_after",
            "a table that may be written twice",
            level=2,
            minutes=12,
            parts=[
                Part(
                    "the same night again, and the same row twice in a night",
                    1,
                    [
                        [[[["C1", "2026-10", "v2", "0123"], ["C2", "2026-10", "v2", "4567"]]] * 2],
                        [[[["C1", "2026-10", "v2", "0123"]] * 2]],
                    ],
                ),
                Part(
                    "another month, another customer, another model are other rows",
                    1,
                    [
                        [[[["C1", "2026-10", "v2", "0123"], ["C1", "2026-11", "v2", "0456"]]]],
                        [[[["C1", "2026-10", "v2", "0123"], ["C2", "2026-10", "v2", "0456"]]]],
                        [[[["C1", "2026-10", "v1", "0128"]], [["C1", "2026-10", "v2", "0123"]]]],
                    ],
                ),
                Part(
                    "the same key with other digits: what is there stays",
                    1,
                    [
                        [[[["C1", "2026-10", "v2", "0123"]], [["C1", "2026-10", "v2", "0128"]]]],
                        [[[["C1", "2026-10", "v2", "0128"], ["C1", "2026-10", "v2", "0123"]]]],
                    ],
                ),
                Part(
                    "a row without digits: the night is refused as a whole, and stored once it is repaired",
                    1,
                    [
                        [
                            [
                                [["C1", "2026-10", "v2", "0123"], ["C2", "2026-10", "v2", None]],
                                [["C3", "2026-10", "v2", "0789"]],
                            ]
                        ],
                        [
                            [
                                [["C1", "2026-10", "v2", "0123"], ["C2", "2026-10", "v2", None]],
                                [["C1", "2026-10", "v2", "0123"], ["C2", "2026-10", "v2", "0456"]],
                            ]
                        ],
                    ],
                ),
                Part("other nights", 10, draw=draw_nights, count=10),
            ],
        ),
        Question(
            "q3",
            "night_that_loses_a_card",
            "break the check: a night after which a card is read by nobody",
            level=2,
            minutes=5,
            judge=loses_a_card,
            parts=[Part("a card that neither run reads", 2, [[]])],
        ),
        Question(
            "q4",
            "left_to_read",
            "what a second run reads after a kill",
            level=3,
            minutes=15,
            parts=[
                Part(
                    "nothing stored, one chunk stored, all stored",
                    1,
                    [
                        [FOUR, [], [], *OCTOBER],
                        [FOUR, [["C0000001", *OCTOBER[:2]], ["C0000002", *OCTOBER[:2]]], [], *OCTOBER],
                        [FOUR[:1], [["C0000001", *OCTOBER[:2]]], [], *OCTOBER],
                    ],
                ),
                Part(
                    "another month or another model is not this one",
                    1,
                    [
                        [FOUR[:2], [["C0000001", "2026-09", "v2"]], [], *OCTOBER],
                        [FOUR[:2], [["C0000001", "2026-10", "v1"]], [], *OCTOBER],
                        [
                            FOUR[:2],
                            [["C0000001", "2026-11", "v1"], ["C0000002", "2026-10", "v3"]],
                            [],
                            *OCTOBER,
                        ],
                        [
                            FOUR[:2],
                            [["C0000001", "2026-10", "v1"], ["C0000001", "2026-09", "v2"]],
                            [],
                            *OCTOBER,
                        ],
                        [FOUR[:2], [["C0000001", "2026-09", "v1"], ["C0000002", *OCTOBER[:2]]], [], *OCTOBER],
                    ],
                ),
                Part(
                    "a late card; the inbox in any order",
                    1,
                    [
                        [
                            [FOUR[3], FOUR[1], FOUR[2], FOUR[0]],
                            [["C0000002", *OCTOBER[:2]], ["C0000003", *OCTOBER[:2]]],
                            [],
                            *OCTOBER,
                        ],
                        [FOUR[::-1], [], [], "2026-10", "v2", 3],
                    ],
                ),
                Part(
                    "the customer is in the file's name, whatever the folder",
                    1,
                    [
                        [["late/C0000/C0000001.jpg", "C0000002.jpg"], [], [], *OCTOBER],
                        [
                            ["late/C0000/C0000001.jpg", "C0000002.jpg", picture(3)],
                            [["C0000001", *OCTOBER[:2]], ["C0000002", *OCTOBER[:2]]],
                            [],
                            *OCTOBER,
                        ],
                    ],
                ),
                Part(
                    "a picture that is set aside, a customer who is not",
                    1,
                    [
                        [FOUR, [["C0000001", *OCTOBER[:2]]], [picture(3)], *OCTOBER],
                        [FOUR[:2], [["C0000001", *OCTOBER[:2]]], [picture(2)], *OCTOBER],
                        [FOUR[:2], [], [picture(2), picture(9)], *OCTOBER],
                        [[picture(1), picture(1, "png"), picture(2)], [], [picture(1)], *OCTOBER],
                    ],
                ),
                Part(
                    "a customer with two pictures",
                    1,
                    [
                        [[picture(1), picture(1, "png"), picture(2)], [], [], *OCTOBER],
                        [[picture(1), picture(3), picture(3, "png")], [], [], *OCTOBER],
                        [[picture(1, "png"), picture(1), picture(2)], [], [], *OCTOBER],
                    ],
                ),
                Part("other nights", 15, draw=draw_resume, count=10),
            ],
        ),
        Question(
            "q5",
            "verdict",
            "was last night's batch fresh",
            level=3,
            minutes=17,
            parts=[
                Part(
                    "one run of each kind",
                    1,
                    [
                        [[run(3000, 3030)], 3500, DAY, "v2", 1000],
                        [[run(1000, 1030)], 3500, DAY, "v2", 1000],
                        [[run(3000, None, stored=400)], 3500, DAY, "v2", 1000],
                        [[run(3000, 3030, "v1")], 3500, DAY, "v2", 1000],
                        [[run(3000, 3030, "v3")], 3500, DAY, "v2", 1000],
                    ],
                ),
                Part(
                    "no run at all; a start just within the time, and one minute too early",
                    1,
                    [
                        [[], 3500, DAY, "v2", 1000],
                        [[run(2060, 2090)], 3500, DAY, "v2", 1000],
                        [[run(2059, 2089)], 3500, DAY, "v2", 1000],
                    ],
                ),
                Part(
                    "the inbox was not where it should be",
                    1,
                    [
                        [[run(3000, 3001, cards=0, stored=0)], 3500, DAY, "v2", 1000],
                        [[run(3000, 3030, cards=900, stored=900)], 3500, DAY, "v2", 1000],
                        [[run(3000, 3030, cards=900, stored=900)], 3500, DAY, "v2", 900],
                        [[run(3000, 3030, cards=999, stored=999)], 3500, DAY, "v2", 1000],
                    ],
                ),
                Part(
                    "killed, and run again",
                    1,
                    [
                        [[run(3000, None, stored=600), run(3100, 3110, stored=400)], 3500, DAY, "v2", 1000],
                        [[run(3100, 3110, stored=400), run(3000, None, stored=600)], 3500, DAY, "v2", 1000],
                        [[run(3000, None, stored=600), run(3100, None, stored=400)], 3500, DAY, "v2", 1000],
                        [[run(3000, 3030), run(3100, None, stored=0)], 3500, DAY, "v2", 1000],
                        [[run(3000, 3030), run(3100, 3130)], 3500, DAY, "v2", 1000],
                    ],
                ),
                Part(
                    "what another night, or another model, did does not count",
                    1,
                    [
                        [[run(1000, None, stored=600), run(3100, 3110, stored=400)], 3500, DAY, "v2", 1000],
                        [
                            [run(3000, None, "v1", stored=600), run(3100, 3110, stored=400)],
                            3500,
                            DAY,
                            "v2",
                            1000,
                        ],
                        [[run(2500, 2530, "v1"), run(3100, 3130)], 3500, DAY, "v2", 1000],
                    ],
                ),
                Part(
                    "two things are wrong: the worse one is said",
                    1,
                    [
                        [[run(1000, 1030, "v1")], 3500, DAY, "v2", 1000],
                        [[run(1000, None, stored=400)], 3500, DAY, "v2", 1000],
                        [[run(3000, None, "v1", stored=400)], 3500, DAY, "v2", 1000],
                    ],
                ),
                Part("other records", 15, draw=draw_runs, count=16),
            ],
        ),
        OpenQuestion(
            "q6",
            "batch, or a service",
            level=2,
            minutes=8,
            rubric={
                0: "no position, or one without a reason",
                1: "a position with a reason, but without the figures measured above",
                2: "a position for each of the two uses, argued with figures: rate, age, what a failure does",
                3: "that, and what the chosen way does badly here, with what will notice it",
            },
        ),
    ],
)
