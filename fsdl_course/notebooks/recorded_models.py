"""Figures of the records of the models: how good they are, the ladder, students' sizes, quantization.

Each public function is a figure that prose may quote by its name. How a record is laid out is known to its
functions here alone, so that a changed record is a change in one place.
"""

from fsdl_course.notebooks.record_lookup import Records, Row, pick, row_of
from fsdl_deploy.measuring.accuracy import paired_p

# -- models/report.json: how good the models are


DIGITS = {
    "course": "measured",
    "mnist": "mnist",
}  # the cards' test digits: the course's 1,000, MNIST's 10,000


def _measured(known: Records, version: str, level: str, digits: str) -> Row:
    models = pick(known.read("report"), pick(DIGITS, digits, "the course"), "report.json")
    return pick(pick(models, version, "report.json"), level, f"report.json of {version}")


def right(known: Records, version: str, level: str, digits: str = "course"):
    """The share of cards read right; ``digits``: whose test digits they are written with."""
    return _measured(known, version, level, digits)["exact_match"]


def right_from(known: Records, version: str, level: str, digits: str = "course"):
    """The lower end of the 95 % interval of ``right``."""
    return _measured(known, version, level, digits)["interval"][0]


def right_to(known: Records, version: str, level: str, digits: str = "course"):
    """The upper end of the 95 % interval of ``right``."""
    return _measured(known, version, level, digits)["interval"][1]


def points(known: Records, version: str, other: str, level: str):
    """How many points of a hundred ``version`` reads right more than ``other``; below 0: fewer."""
    return 100 * (right(known, version, level) - right(known, other, level))


def wrong_of(known: Records, version: str, level: str, cards: str):
    """How many of ``cards`` such cards ``version`` is to be expected to misread."""
    return (1 - right(known, version, level)) * int(cards.replace("_", ""))


# -- models/ladder.json: the ladder of optimization


def _rung(known: Records, name: str) -> Row:
    return row_of(known.read("ladder")["rungs"], "rung", name)


def rung(known: Records, name: str, what: str):
    """What the ladder's record says of a rung: a field of it, or ``share``, the cards read right of all."""
    row = _rung(known, name)
    return pick({**row, "share": row["right"] / row["cards"]}, what, f"the rung {name}")


def climb(known: Records, name: str, start: str):
    """How many times as many cards a second a rung reads as the rung ``start``."""
    return _rung(known, name)["per_second"] / _rung(known, start)["per_second"]


# -- models/sizes.json: students of several sizes


def _students(known: Records, size: str) -> list[Row]:
    """The student of a size, trained alone and taught."""
    rows = sorted(known.read("sizes")["students"], key=lambda row: (row["multiply_adds"], row["taught"]))
    pairs = [rows[place : place + 2] for place in range(0, len(rows), 2)]
    return pick(dict(zip(("smallest", "middle", "largest"), pairs, strict=True)), size, "sizes.json")


def size_cards(known: Records):
    """How many cards each student of ``sizes.json`` has read."""
    (cards,) = {row["cards"] for row in known.read("sizes")["students"]}
    return cards


def taught(known: Records, size: str, what: str):
    """What teaching did to the student of a size, on the same cards: a field of its row, or ``p`` of what it
    fixed and broke, or ``points`` of a hundred that it reads right more; below 0: fewer."""
    alone, row = _students(known, size)
    points = 100 * (row["right"] - alone["right"]) / row["cards"]
    return pick(row | {"p": paired_p(row["fixed"], row["broken"]), "points": points}, what, f"the {size}")


# -- models/quantization.json: int8 and fewer bits, after training and in training


def rounded(known: Records, name: str, what: str):
    """What the record says of a row: a field of it, or ``p``, of what it fixed and broke, or ``size``, the
    file's as a share of the float file's."""
    rows = known.read("quantization")["rows"]
    row, whole = row_of(rows, "name", name), row_of(rows, "name", "v2.onnx, float32")
    more = {"p": paired_p(row["fixed"], row["broken"])}
    if "bytes" in row:
        more["size"] = row["bytes"] / whole["bytes"]
    return pick(row | more, what, f"the row {name}")


def rounding_steps(known: Records):
    """How many steps the networks of ``quantization.json`` were trained with the rounding in the loop."""
    return known.read("quantization")["steps"]
