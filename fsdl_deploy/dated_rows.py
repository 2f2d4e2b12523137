"""Rows of a table in TOML, checked: each whole, with a date that has come and a source with an address

A table says for each field of its rows what its value must be, by a rule of this module or one of its own.
Knows no table.
"""

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

Rule = Callable[[object], str]
"""What a value must be, as words that follow "must be"; "" for one that is."""
UNKNOWN = "unknown"
LONGEST = 60  # characters of a value in a message
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", re.IGNORECASE)


class DatedRowError(ValueError):
    """A table or one of its rows is wrong; the message names the row and the field, and says what to do."""


def text(value: object) -> str:
    """Rule: a text that is not empty."""
    return "" if isinstance(value, str) and value.strip() else "a text"


def address(value: object) -> str:
    """Rule: a whole address of the web, ``https://HOST/…``."""
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        whole = parts.scheme == "https" and _HOST.fullmatch(parts.hostname or "") and parts.port != 0
    except ValueError:
        whole = False
    good = whole and not re.search(r"\s", str(value))
    return "" if good else "an address that begins with https:// and names a host"


def day(value: object) -> str:
    """Rule: a date without a time, which has come (somewhere it is tomorrow already)."""
    if type(value) is not date:
        return "a date such as 2026-11-29"
    return "" if value <= date.today() + timedelta(days=1) else "a date that is not still to come"


def month(value: object) -> str:
    """Rule: a month as text, ``2026-11``, which has begun."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", value):
        return "a month, written as 2026-11"
    begun = value <= f"{date.today() + timedelta(days=1):%Y-%m}"
    return "" if begun else "a month that is not still to come"


def months(value: str) -> int:
    """A ``month`` as a number, to count with."""
    return 12 * int(value[:4]) + int(value[5:])


SMALLEST, LARGEST = 1e-12, 1e12
"""Between these lies each number of a table: products of a few of them can still be computed with."""


def positive(value: object) -> str:
    """Rule: a number above 0, neither so small nor so large that sums would come to nothing or to no end."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:
        return "a number above 0"
    return "" if SMALLEST <= value <= LARGEST else f"a number above 0, from {SMALLEST:g} to {LARGEST:g}"


def quoted(value: object) -> str:
    """A value for a message: not more of it than a line, and of a huge number that it is one."""
    try:
        text_of_it = repr(value)
    except ValueError:  # a whole number with more digits than Python writes
        return "a number of thousands of digits"
    return text_of_it if len(text_of_it) <= LONGEST else f"{text_of_it[:LONGEST]}…"


def flag(value: object) -> str:
    """Rule: true or false."""
    return "" if isinstance(value, bool) else "true or false"


def choice(allowed: Iterable[str]) -> Rule:
    """Rule: one of these words."""
    words = tuple(allowed)
    return lambda value: "" if isinstance(value, str) and value in words else f"one of {', '.join(words)}"


def or_unknown(rule: Rule) -> Rule:
    """Rule: what another rule takes, or the word ``unknown``."""
    return lambda value: "" if value == UNKNOWN or not (must := rule(value)) else f'{must}, or "{UNKNOWN}"'


def each(rule: Rule) -> Rule:
    """Rule: a list, every item of which another rule takes."""

    def listed(value: object) -> str:
        if not isinstance(value, list):
            return "a list"
        return next((f"a list, each {must}" for must in map(rule, value) if must), "")

    return listed


def check(
    name: str,
    row: object,
    required: Mapping[str, Rule],
    optional: Mapping[str, Rule] | None = None,
    error: type[ValueError] = DatedRowError,
    why: str = "each row stands with its date and source",
) -> None:
    """Raise ``error`` for a row that lacks a field, has an unknown one, or a value that a rule refuses.

    ``why``: the end of the sentence about a missing field.
    """
    rules = {**required, **(optional or {})}
    if not isinstance(row, Mapping):
        raise error(f"{name} is no row: write its fields ({', '.join(required)}) under its name")
    if missing := [field for field in required if row.get(field) in (None, "", [], {})]:
        raise error(f"{name} has no {missing[0]}: {why}")
    if unknown := sorted(map(str, row.keys() - rules.keys())):
        raise error(f"{name}: unknown {unknown[0]}; the fields are {', '.join(rules)}")
    for field, value in row.items():
        if must := rules[field](value):
            raise error(f"{name}: {field} must be {must}, not {quoted(value)}")


def document(file: Path, error: type[ValueError] = DatedRowError) -> dict:
    """What the file says. Raises ``error`` where it cannot be read."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except RecursionError:
        raise error(f"{file} cannot be read: lists or tables in it are nested too deeply") from None
    except (
        OSError,
        ValueError,
    ) as problem:  # also a number of too many digits
        raise error(f"{file} cannot be read: {problem}") from None


def listed(
    content: Mapping, key: str, name: str, error: type[ValueError] = DatedRowError
) -> list[tuple[str, dict]]:
    """The rows ``[[key]]`` of a document, each with what its field ``name`` says.

    Raises ``error`` where there is none, and for a name that is no text or stands there twice.
    """
    rows = content.get(key)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise error(f"there is no row: write [[{key}]] and its fields under it")
    names = []
    for number, row in enumerate(rows, 1):
        if text(row.get(name)):
            raise error(f"row {number} of [[{key}]] has no {name}: it must be a text")
        if row[name] in names:
            raise error(f"{row[name]} is there twice")
        names.append(row[name])
    return list(zip(names, rows, strict=True))
