"""A value as it stands in a sentence about an answer: short, and whatever its type."""

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
