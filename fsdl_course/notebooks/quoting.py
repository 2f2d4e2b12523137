"""Figures in prose: a source names each by its key, and its notebook shows it filled in from the record.

``{{right(v2, typical):.1%}}`` in a source is ``<span title="right(v2, typical):.1%">94.4 %</span>`` in the
notebook: readers see the figure, and with the mouse on it its key. So an edited notebook still has the keys,
and importing it brings them back. In code spans and blocks nothing is filled in. What a key may name stands
in ``recorded``.
"""

import html
import re
from collections.abc import Callable
from pathlib import Path

from fsdl_course.notebooks import recorded
from fsdl_course.notebooks.percent import NotebookError
from fsdl_course.notebooks.record_lookup import QuoteError

KEY = r'\w+\([^(){}<>"\n]*\)(?::[^{}<>"\n]*)?'
WANTED = re.compile(r"\{\{(" + KEY + r")\}\}")
ALMOST = re.compile(r"\{\{\s*\w+\s*\(.*")  # what was meant as a key
FILLED = re.compile(r'<span title="(' + KEY + r')">([^<]*)</span>')
CODE = re.compile(r"^ *(```|~~~).*?^ *\1[`~]*\s*$|(?<!`)(`+)(?!`).+?(?<!`)\2(?!`)", re.MULTILINE | re.DOTALL)
PARTS = re.compile(r"(\w+)\(([^()]*)\)(?::(.*))?")


def fill(text: str, folder: Path) -> str:
    """Prose of a source with its keys filled in from the records in ``folder``.

    NotebookError names the key that is unknown, whose record is missing, or whose format does not fit.
    """
    return _outside_code(text, lambda prose: _fill(prose, folder))


def unfilled(text: str) -> str:
    """Prose of a notebook as its source has it: the keys in place of the figures."""
    return _outside_code(text, lambda prose: FILLED.sub(r"{{\1}}", prose))


def filled(text: str) -> list[tuple[str, str]]:
    """The figures in prose of a notebook: each one's key, and what stands there."""
    return FILLED.findall(outside_code(text))


def written(key: str, folder: Path) -> str:
    """What a key such as ``right(v2, typical):.1%`` stands for, as prose writes it: "94.4 %"."""
    name, inside, form = PARTS.fullmatch(key).groups()
    words = [word.strip() for word in inside.split(",")] if inside.strip() else []
    try:
        value = recorded.figure(name, words, folder)
        return _as_text(value, form)
    except QuoteError as error:
        raise NotebookError(f"{{{{{key}}}}}: {error}") from None


def outside_code(text: str) -> str:
    """Prose without its code."""
    return CODE.sub(" ", text)


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    result, end = "", 0
    for code in CODE.finditer(text):
        result += change(text[end : code.start()]) + code[0]
        end = code.end()
    return result + change(text[end:])


def _fill(prose: str, folder: Path) -> str:
    if filled := FILLED.search(prose):
        raise NotebookError(f"{filled[0]}: a source has the key alone, {{{{{filled[1]}}}}}")
    result = WANTED.sub(lambda key: f'<span title="{key[1]}">{written(key[1], folder)}</span>', prose)
    if wrong := ALMOST.search(WANTED.sub("", prose)):
        raise NotebookError(
            f"{wrong[0][:60]}: a key is {{{{name(word, word):format}}}}, on one line, without more spaces"
        )
    return result


def _as_text(value, form: str | None) -> str:
    if form is None and isinstance(value, float):
        raise QuoteError(f"{value!r} needs a format, for example ':.1f' or ':.0%'")
    try:
        text = format(value, form or "")
    except ValueError:
        raise QuoteError(f"the format {form!r} does not fit {value!r}") from None
    if not isinstance(value, str):
        text = text.replace("%", " %").replace("-", "−")
    return html.escape(text)
