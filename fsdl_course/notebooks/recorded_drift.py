"""Figures of the record of drifts: what each costs, which signal sees it, and how often one is wrong.

Each public function is a figure that prose may quote by its name.
"""

from fsdl_course.notebooks.record_lookup import Records, Row, pick, row_of

SEEN = 0.5  # share of the weeks from which on a signal sees a drift, as in the table


def _drift(known: Records, name: str) -> Row:
    return row_of(known.read("drift")["rows"], "drift", name)


def drifted(known: Records, name: str, what: str):
    """What the record says of a drift: a field of its row, such as ``right`` or ``lost`` (points)."""
    return pick(_drift(known, name), what, f"the drift {name}")


def alarm_after(known: Records, name: str, signal: str):
    """After how many cards half of the weeks with this drift have an alarm by the signal."""
    return _signal(known, name, signal)["cards"]


def alarm_share(known: Records, name: str, signal: str):
    """In which share of the weeks with this drift the signal raises an alarm."""
    return _signal(known, name, signal)["share"]


def _signal(known: Records, name: str, signal: str) -> Row:
    return pick(_drift(known, name)["signals"], signal, f"the drift {name}")


def sees(known: Records, name: str):
    """The signals that see a drift in at least half of the weeks, the quickest first, as text."""
    signals = _drift(known, name)["signals"]
    seen = {signal: row["cards"] for signal, row in signals.items() if row["share"] >= SEEN}
    return ", ".join(sorted(seen, key=seen.get)) or "none"


def usual_weeks(known: Records, what: str):
    """Of the usual weeks: in how many ``any`` signal, or this one, raised a false alarm; ``weeks``, how many
    there were; ``allowed``, of 1,000; ``cards_a_week``."""
    return pick(known.read("drift")["false_alarms"], what, "the usual weeks")
