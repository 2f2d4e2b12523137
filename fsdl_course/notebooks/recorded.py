"""Figures of the records by the names that prose quotes them by, such as ``right(v2, typical)``.

Knows nothing of notebooks, nor of how a figure is written.
"""

import inspect
from collections.abc import Callable
from pathlib import Path

from fsdl_course.notebooks import recorded_drift, recorded_lessons, recorded_models, recorded_serving
from fsdl_course.notebooks.record_lookup import QuoteError, Records, pick

FIGURES: dict[str, Callable] = {
    name: function
    for module in (recorded_models, recorded_serving, recorded_drift, recorded_lessons)
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
}


def figure(name: str, words: list[str], folder: Path):
    """The figure ``name(words)`` of the records in ``folder``: a number or a text; else QuoteError."""
    function = pick(FIGURES, name, "the course")
    try:
        asked = inspect.signature(function).bind(Records(folder), *words)
    except TypeError:
        parameters = ", ".join(list(inspect.signature(function).parameters)[1:])
        raise QuoteError(f"{name} takes ({parameters}), not ({', '.join(words)})") from None
    value = function(*asked.args)
    if value is None:
        raise QuoteError("the record has nothing there")
    return value
