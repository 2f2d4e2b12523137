"""Figures of the models' records, each a named function, which prose quotes by a key: ``right(v2, typical)``.

How a record is laid out is known here alone, each record to one function, so that a changed record is a
change in one place. Knows nothing of notebooks, nor of how a figure is written.
"""

import inspect
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fsdl_deploy.measuring import records
from fsdl_deploy.measuring.accuracy import paired_p

FIGURES: dict[str, Callable] = {}
Row = dict[str, object]


class QuoteError(ValueError):
    """A figure that no record has; the message says which there are."""


@dataclass(frozen=True)
class Records:
    """The records in a folder, read when they are asked for."""

    folder: Path

    def read(self, name: str) -> dict:
        path = self.folder / f"{name}.json"
        try:
            return records.read(path)
        except FileNotFoundError:
            raise QuoteError(f"there is no record {path.name} in {self.folder.name}/") from None
        except ValueError as error:
            raise QuoteError(f"the record {path.name} cannot be read: {error}") from None


def figure(name: str, words: list[str], folder: Path):
    """The figure ``name(words)`` of the records in ``folder``: a number or a text; else QuoteError."""
    function = pick(FIGURES, name, "the course")
    try:
        inspect.signature(function).bind(Records(folder), *words)
    except TypeError:
        parameters = ", ".join(list(inspect.signature(function).parameters)[1:])
        raise QuoteError(f"{name} takes ({parameters}), not ({', '.join(words)})") from None
    value = function(Records(folder), *words)
    if value is None:
        raise QuoteError("the record has nothing there")
    return value


def pick(table: dict, key: str, place: str):
    """``table[key]``; QuoteError says what else there is in ``place``."""
    if key not in table:
        raise QuoteError(f"{place} has no {key!r}: it has {', '.join(map(str, table))}")
    return table[key]


def row_of(rows: list[Row], column: str, name: str) -> Row:
    """The row whose ``column`` is ``name``, or the only one that begins so; only letters and digits count."""
    words = _plain(name)
    exact = [row for row in rows if _plain(row[column]) == words]
    alike = exact or [row for row in rows if _plain(row[column]).startswith(words)]
    if not words or len(alike) != 1:
        names = ", ".join(repr(row[column]) for row in alike or rows)
        raise QuoteError(f"{column} {name!r} is {'none' if not alike else 'more than one'} of {names}")
    return alike[0]


def _plain(name: object) -> str:
    return " ".join(re.findall(r"\w+", str(name).lower()))


def named(function: Callable) -> Callable:
    """Make a function a figure that prose may quote, by the function's own name."""
    FIGURES[function.__name__] = function
    return function


# -- models/report.json: how good the models are


DIGITS = {
    "course": "measured",
    "mnist": "mnist",
}  # the cards' test digits: the course's 1,000, MNIST's 10,000


def _measured(known: Records, version: str, level: str, digits: str) -> Row:
    models = pick(known.read("report"), pick(DIGITS, digits, "the course"), "report.json")
    return pick(pick(models, version, "report.json"), level, f"report.json of {version}")


@named
def right(known: Records, version: str, level: str, digits: str = "course"):
    """The share of cards read right; ``digits``: whose test digits they are written with."""
    return _measured(known, version, level, digits)["exact_match"]


@named
def right_from(known: Records, version: str, level: str, digits: str = "course"):
    """The lower end of the 95 % interval of ``right``."""
    return _measured(known, version, level, digits)["interval"][0]


@named
def right_to(known: Records, version: str, level: str, digits: str = "course"):
    """The upper end of the 95 % interval of ``right``."""
    return _measured(known, version, level, digits)["interval"][1]


@named
def points(known: Records, version: str, other: str, level: str):
    """How many points of a hundred ``version`` reads right more than ``other``; below 0: fewer."""
    return 100 * (right(known, version, level) - right(known, other, level))


@named
def wrong_of(known: Records, version: str, level: str, cards: str):
    """How many of ``cards`` such cards ``version`` is to be expected to misread."""
    return (1 - right(known, version, level)) * int(cards.replace("_", ""))


# -- models/ladder.json: the ladder of optimization


def _rung(known: Records, name: str) -> Row:
    return row_of(known.read("ladder")["rungs"], "rung", name)


@named
def rung(known: Records, name: str, what: str):
    """What the ladder's record says of a rung: a field of it, or ``share``, the cards read right of all."""
    row = _rung(known, name)
    return pick({**row, "share": row["right"] / row["cards"]}, what, f"the rung {name}")


@named
def climb(known: Records, name: str, start: str):
    """How many times as many cards a second a rung reads as the rung ``start``."""
    return _rung(known, name)["per_second"] / _rung(known, start)["per_second"]


# -- models/sizes.json: students of several sizes


def _students(known: Records, size: str) -> list[Row]:
    """The student of a size, trained alone and taught."""
    rows = sorted(known.read("sizes")["students"], key=lambda row: (row["multiply_adds"], row["taught"]))
    pairs = [rows[place : place + 2] for place in range(0, len(rows), 2)]
    return pick(dict(zip(("smallest", "middle", "largest"), pairs, strict=True)), size, "sizes.json")


@named
def size_cards(known: Records):
    """How many cards each student of ``sizes.json`` has read."""
    (cards,) = {row["cards"] for row in known.read("sizes")["students"]}
    return cards


@named
def taught(known: Records, size: str):
    """How many cards more the student of a size reads right when it is taught; below 0: fewer."""
    alone, with_teacher = _students(known, size)
    return with_teacher["right"] - alone["right"]


@named
def chance(known: Records, size: str):
    """How likely a difference such as that of ``taught`` is between two independent samples of one reader."""
    alone, with_teacher = _students(known, size)
    both = (alone["right"] + with_teacher["right"]) / (alone["cards"] + with_teacher["cards"])
    spread = (both * (1 - both) * (1 / alone["cards"] + 1 / with_teacher["cards"])) ** 0.5
    return math.erfc(abs(taught(known, size)) / alone["cards"] / spread / 2**0.5)


# -- models/quantization.json: int8 and fewer bits, after training and in training


@named
def rounded(known: Records, name: str, what: str):
    """What the record says of a row: a field of it, or ``p``, of what it fixed and broke, or ``size``, the
    file's as a share of the float file's."""
    rows = known.read("quantization")["rows"]
    row, whole = row_of(rows, "name", name), row_of(rows, "name", "v2.onnx, float32")
    more = {"p": paired_p(row["fixed"], row["broken"])}
    if "bytes" in row:
        more["size"] = row["bytes"] / whole["bytes"]
    return pick(row | more, what, f"the row {name}")


@named
def rounding_steps(known: Records):
    """How many steps the networks of ``quantization.json`` were trained with the rounding in the loop."""
    return known.read("quantization")["steps"]


# -- models/serving.json: serving libraries, their batchers, the parts of our web server


def _served(known: Records, library: str, users: str) -> Row:
    rows = [row for row in known.read("serving")["rows"] if row["load"] == f"closed, {users}"]
    return row_of(rows, "library", library)


@named
def served(known: Records, library: str, users: str, what: str):
    """What the record says of a library with so many callers."""
    return pick(_served(known, library, users), what, "serving.json")


@named
def fastest(known: Records, users: str):
    """The library that answers most cards a second with so many callers."""
    rows = [row for row in known.read("serving")["rows"] if row["load"] == f"closed, {users}"]
    if not rows:
        raise QuoteError(f"serving.json has no run with {users} callers")
    return max(rows, key=lambda row: row["per_second"])["library"]


@named
def ahead(known: Records, library: str, other: str, users: str):
    """How many more cards a second one library answers than another, as a share."""
    rate, others = (_served(known, name, users)["per_second"] for name in (library, other))
    return rate / others - 1


def _batched(known: Records, library: str) -> Row:
    rows = known.read("serving")["batching"]["rows"]
    most = max(row["users"] for row in rows)
    return row_of([row for row in rows if row["users"] == most], "library", library)


@named
def batched(known: Records, library: str):
    """How many more cards a second a library answers in batches, with the most callers, as a share."""
    return _batched(known, library)["factor"] - 1


@named
def spared(known: Records, library: str):
    """The share of the processor time of a request that batches save, with the most callers."""
    row = _batched(known, library)
    return 1 - row["batched_cpu"] / row["single_cpu"]


def _web(known: Records, what: str, name: str, start: str):
    rows = partial(row_of, known.read("serving")["web"]["rows"], "rung")
    return rows(name)[what] / rows(start)[what]


@named
def web_spared(known: Records, name: str, start: str):
    """The share of the processor time of a card that a rung of the web server saves against ``start``."""
    return 1 - _web(known, "cpu_ms", name, start)


@named
def web_ahead(known: Records, name: str, start: str):
    """How many more cards a second a rung of the web server answers than ``start``, as a share."""
    return _web(known, "per_second", name, start) - 1
