"""Figures of the record of the serving libraries, of their batchers, and of the parts of our web server.

Each public function is a figure that prose may quote by its name.
"""

from functools import partial

from fsdl_course.notebooks.record_lookup import QuoteError, Records, Row, pick, row_of

# -- models/serving.json: serving libraries, their batchers, the parts of our web server


def _served(known: Records, library: str, users: str) -> Row:
    rows = [row for row in known.read("serving")["rows"] if row["load"] == f"closed, {users}"]
    return row_of(rows, "library", library)


def served(known: Records, library: str, users: str, what: str):
    """What the record says of a library with so many callers."""
    return pick(_served(known, library, users), what, "serving.json")


def at_the_best(known: Records, library: str, what: str):
    """What the record says of a library asked at a share of the best one's rate, the same for all."""
    rows = [row for row in known.read("serving")["rows"] if row["load"].endswith("of the best's")]
    return pick(row_of(rows, "library", library), what, "serving.json")


def fastest(known: Records, users: str):
    """The library that answers most cards a second with so many callers."""
    rows = [row for row in known.read("serving")["rows"] if row["load"] == f"closed, {users}"]
    if not rows:
        raise QuoteError(f"serving.json has no run with {users} callers")
    return max(rows, key=lambda row: row["per_second"])["library"]


def ahead(known: Records, library: str, other: str, users: str):
    """How many more cards a second one library answers than another, as a share."""
    rate, others = (_served(known, name, users)["per_second"] for name in (library, other))
    return rate / others - 1


def _pair(known: Records, part: str, library: str) -> Row:
    rows = known.read("serving")[part]["rows"]
    most = max(row["users"] for row in rows)
    return row_of([row for row in rows if row["users"] == most], "library", library)


def batched(known: Records, library: str):
    """How many more cards a second a library answers in batches, with the most callers, as a share."""
    return _pair(known, "batching", library)["factor"] - 1


def spared(known: Records, library: str):
    """The share of the processor time of a request that batches save, with the most callers."""
    row = _pair(known, "batching", library)
    return 1 - row["second_cpu"] / row["first_cpu"]


def more_readers(known: Records, library: str):
    """How many more cards a second a library answers with two readers, with the most callers, as a share."""
    return _pair(known, "readers", library)["factor"] - 1


def _web(known: Records, what: str, name: str, start: str):
    rows = partial(row_of, known.read("serving")["web"]["rows"], "rung")
    return rows(name)[what] / rows(start)[what]


def web_spared(known: Records, name: str, start: str):
    """The share of the processor time of a card that a rung of the web server saves against ``start``."""
    return 1 - _web(known, "cpu_ms", name, start)


def web_ahead(known: Records, name: str, start: str):
    """How many more cards a second a rung of the web server answers than ``start``, as a share."""
    return _web(known, "per_second", name, start) - 1
