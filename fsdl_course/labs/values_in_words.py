"""A value in a sentence about an answer, and what is wrong with it beside the expected one."""

import math
from typing import Any


def as_text(value: Any, most: int = 200) -> str:
    """A value as text of at most ``most`` characters."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of more digits than Python prints, a list in itself
        text = f"a {type(value).__name__}"
    return text if len(text) <= most else text[: most - 1] + "…"


def kind(value: Any) -> str:
    """A value's type as it is added to the value in a sentence."""
    names = {"dict": " (dictionary)", "NoneType": ""}
    return names.get(type(value).__name__, f" ({type(value).__name__})")


def compare(value: Any, expected: Any, tolerance: float = 1e-6, place: str = "") -> str:
    """What is wrong with ``value``, "" if nothing is: types, lengths, keys, numbers to ``tolerance``.

    JSON has one kind of list, so a tuple is one. A whole number stands for a float, never the other way
    round; a bool is no number. ``nan`` is equal to ``nan`` only. ``place`` is where in a larger value it is.
    """
    it = f"item {place}" if place else "it"
    if isinstance(expected, float) and type(value) in (int, float):
        if _near(value, expected, tolerance):
            return ""
        return f"{it} is {as_text(value)}, and should be {as_text(expected)}"
    if type(value) is not type(expected):
        return f"{it} is {as_text(value)}{kind(value)}, and should be {as_text(expected)}{kind(expected)}"
    if isinstance(expected, list):
        if len(value) != len(expected):
            both = f"it is {as_text(value)}, and should be {as_text(expected)}"
            return f"{it} has {_items(value)}, and should have {len(expected)}: {both}"
        pairs = enumerate(zip(value, expected, strict=True))
        return next(filter(None, (compare(*pair, tolerance, f"{place}[{n}]") for n, pair in pairs)), "")
    if isinstance(expected, dict):
        if value.keys() != expected.keys():
            missing = ", ".join(sorted(map(as_text, expected.keys() - value.keys())))
            extra = ", ".join(sorted(map(as_text, value.keys() - expected.keys())))
            problems = [f"{it} lacks {missing}"] * bool(missing) + [f"{it} has {extra} too much"] * bool(
                extra
            )
            return "; ".join(problems)
        pairs = ((key, (value[key], expected[key])) for key in expected)
        return next(filter(None, (compare(*pair, tolerance, f"{place}[{key!r}]") for key, pair in pairs)), "")
    return "" if value == expected else f"{it} is {as_text(value)}, and should be {as_text(expected)}"


def _items(value: list) -> str:
    return "1 item" if len(value) == 1 else f"{len(value)} items"


def _near(value: float, expected: float, tolerance: float) -> bool:
    try:
        both_nan = math.isnan(expected) and math.isnan(value)
        return both_nan or math.isclose(value, expected, rel_tol=tolerance, abs_tol=tolerance)
    except OverflowError:  # a whole number that no float can hold
        return False
