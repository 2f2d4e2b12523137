"""Filling a deck: keys, tables, charts and diagrams in its source become figures, HTML tables and pictures.

In a source stand keys as in the notebooks, ``{{right(v2, typical):.1%}}``; blocks ```` ```table ```` that
name a table of a lesson's run; pictures ``![what it says](chart/ladder.svg)``, ``diagram/01_batch.svg`` for
a lesson's diagram; and diagrams of a deck's own, ```` ```mermaid What it says ````. Knows nothing of Marp.
"""

import html
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from fsdl_course.notebooks import quoting
from fsdl_course.notebooks.percent import NotebookError
from fsdl_course.notebooks.record_lookup import QuoteError, Records, row_of
from fsdl_course.notebooks.recorded_lessons import lecture, seen_of, table_of, verdict_of
from fsdl_course.slides.deck import Deck, DeckError

MODELS = "models"
PICTURE = re.compile(r"!\[([^\]]*)\]\((chart|diagram)/([\w-]+)\.svg\)")
OF_A_LESSON = re.compile(r"^```mermaid\n(.*?)^```", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"^```table\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OWN_DIAGRAM = re.compile(r"^```mermaid +(\S.*)\n((?:.*\n)*?)```$", re.MULTILINE)
ALT = re.compile(r"!\[([^\]]*)\]")
FIGURE = re.compile(r"[-+−<>]?\d[\d,.]*(?:e[-+]?\d+)?(?: ?(?:%|×|of \d[\d,]*))?|-?")
UNIT = re.compile(r"(?<=\d) (?=%</span>)|(?<=</span>) (?=(?:%|×|ms|s|MiB|KiB|kB|USD|points)\b|×|%)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
ASKED = ("lesson", "section", "rows", "columns", "names", "claims")


def fill(deck: Deck, root: Path, chart: Callable[[str], str], diagram: Callable[[str, str], str]) -> str:
    """The deck's body with all that stands for something else filled in.

    ``chart(NAME)`` draws a chart and returns its address; ``diagram(NAME, TEXT)`` draws Mermaid's text.
    DeckError names the deck, and what no record has.
    """

    def own_diagram(match: re.Match) -> str:
        name = f"{deck.name}-{deck.body[: deck.body.index(match[2])].count('```mermaid')}"
        return f"![{match[1]}]({diagram(name, match[2])})"

    def picture(match: re.Match) -> str:
        alt, kind, name = match.groups()
        address = chart(name) if kind == "chart" else diagram(name, first_diagram(root, name))
        return f"![{alt}]({address})"

    try:
        text = COMMENT.sub(lambda note: plain_keys(note[0], root), deck.body)
        text = OWN_DIAGRAM.sub(own_diagram, text)
        text = PICTURE.sub(picture, text)
        text = ALT.sub(lambda alt: plain_keys(alt[0], root), text)
        text = TABLE.sub(lambda block: table(block[1], root), text)
        return UNIT.sub("\N{NO-BREAK SPACE}", quoting.fill(text, root / MODELS))
    except (NotebookError, QuoteError, tomllib.TOMLDecodeError) as error:
        raise DeckError(f"{deck.name}: {error}") from None


def plain_keys(text: str, root: Path) -> str:
    """A text whose keys are replaced by their figures and nothing else: where no HTML may stand."""
    return quoting.WANTED.sub(lambda key: html.unescape(quoting.written(key[1], root / MODELS)), text)


def table(asked: str, root: Path) -> str:
    """A block's TOML -> the table of a lesson's run as HTML.

    ``lesson`` and ``section`` say which; ``rows`` which of its rows, by how they begin, and ``columns`` which
    columns (default: all); ``names`` what these columns are called here. ``claims`` alone: sentences of the
    lecture by their numbers, with what was measured and the verdict.
    """
    asked_for = tomllib.loads(asked)
    if unknown := sorted(asked_for.keys() - set(ASKED)):
        raise QuoteError(f"a table has {', '.join(ASKED)}, not {unknown[0]}")
    if "claims" in asked_for:
        return _claims(Records(root / MODELS), asked_for["claims"])
    if "names" in asked_for and "columns" not in asked_for:  # else a lesson's new column gets another's name
        raise QuoteError("names of a table's columns go with `columns`, which says what each one is")
    if missing := [name for name in ASKED[:2] if name not in asked_for]:
        raise QuoteError(f"a table names its {missing[0]}")
    source_table = table_of(Records(root / MODELS), asked_for["lesson"], asked_for["section"])
    places = [_place(source_table["header"], name) for name in asked_for.get("columns", ())]
    places = places or list(range(len(source_table["header"])))
    known = [{"name": cells[0], "cells": cells} for cells in source_table["rows"]]
    rows = (
        [row_of(known, "name", name)["cells"] for name in asked_for["rows"]]
        if "rows" in asked_for
        else source_table["rows"]
    )
    header = asked_for.get("names") or [source_table["header"][place] for place in places]
    if len(header) != len(places):
        raise QuoteError(f"{len(header)} names for {len(places)} columns of {asked_for['section']!r}")
    return _as_html(header, [[cells[place] for place in places] for cells in rows])


def first_diagram(root: Path, lesson: str) -> str:
    """The first diagram of a lesson's source, without the signs of a comment."""
    source = root / "notebooks" / "source" / f"{lesson}.py"
    if not source.is_file():
        raise QuoteError(f"there is no lesson {lesson} whose diagram could be drawn")
    prose = re.sub(r"^# ?", "", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    diagram = OF_A_LESSON.search(prose)
    if not diagram:
        raise QuoteError(f"the lesson {lesson} has no diagram")
    return diagram[1]


def _claims(known: Records, numbers: list[int]) -> str:
    asked = (lecture, seen_of, verdict_of)
    rows = [[figure(known, str(number)) for figure in asked] for number in numbers]
    return _as_html(["the lecture", "measured here", "verdict"], rows)


def _place(header: list[str], name: str) -> int:
    columns = [{"name": column, "place": place} for place, column in enumerate(header)]
    return header.index(name) if name in header else row_of(columns, "name", name)["place"]


def _as_html(header: list[str], rows: list[list[str]]) -> str:
    numbers = [all(_is_figure(row[place]) for row in rows) for place in range(len(header))]
    sides = ['class="right"' if number else "" for number in numbers]

    def line(tag: str, cells: list[str]) -> str:
        pairs = zip(cells, sides, strict=True)
        return (
            "<tr>"
            + "".join(f"<{tag} {side}>{_code(html.escape(cell))}</{tag}>" for cell, side in pairs)
            + "</tr>"
        )

    return "\n".join(["<table>", line("th", header), *(line("td", row) for row in rows), "</table>"])


def _code(cell: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", cell)


def _is_figure(cell: str) -> bool:
    return bool(FIGURE.fullmatch(cell))
