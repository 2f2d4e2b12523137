"""The table: aligned text, HTML that is escaped, Markdown, formats."""

from html.parser import HTMLParser

import numpy as np
import pytest

from fsdl_deploy.measuring.table import WIDE, Table

FORMATS = ["", ",.1f", ".0%"]
RUNGS = Table(
    ["rung", "cards/s", "hits"], ["a <b>", 1234.5, None], ["c|d", np.int64(7), 0.5], formats=FORMATS
)


class Cells(HTMLParser):
    """The text and the style of each cell, row by row."""

    def __init__(self, page: str):
        super().__init__()
        self.rows, self.styles, self.inside = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th")
        if self.inside:
            self.rows[-1].append("")
            self.styles.append(dict(attributes)["style"])

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, text):
        if self.inside:
            self.rows[-1][-1] += text


def test_text_is_aligned_numbers_to_the_right_and_nothing_trails():
    assert str(RUNGS) == repr(RUNGS) == (
        "rung   cards/s  hits\n"
        "a <b>  1,234.5\n"
        "c|d        7.0   50%"
    )  # fmt: skip


def test_html_has_the_same_cells_escaped_and_names_rows_and_columns():
    page = RUNGS._repr_html_()
    cells = Cells(page)
    assert cells.rows == [["rung", "cards/s", "hits"], ["a <b>", "1,234.5", ""], ["c|d", "7.0", "50%"]]
    assert cells.styles == ["text-align: left", "text-align: right", "text-align: right"] * 3
    assert page.count('scope="col"') == 3 and page.count('scope="row"') == 2 and "a &lt;b&gt;" in page


def test_markdown_keeps_its_columns():
    assert RUNGS.markdown().splitlines() == [
        "| rung | cards/s | hits |",
        "|---|---:|---:|",
        "| a <b> | 1,234.5 |  |",
        r"| c\|d | 7.0 | 50% |",
    ]


def test_numbers_are_to_the_right_without_a_format_too_and_text_is_not():
    table = Table(["", "seconds", "picture"], ["one", 1, "x"], ["two", None, "yy"])
    assert str(table).splitlines()[1:] == ["one        1  x", "two           yy"]


def test_a_caption_is_above_and_notes_are_below():
    table = Table(["a"], ["b"], caption="<prices>", notes=["one", "two & three"])
    assert str(table).splitlines() == ["<prices>", "a", "b", "one", "two & three"]
    page = table._repr_html_()
    assert "<caption>&lt;prices&gt;</caption>" in page and page.endswith("<p>one</p><p>two &amp; three</p>")


def test_a_wide_table_stands_closer():
    narrow, wide = (Table(["a", "b"], ["x" * count, "y"]) for count in (8, WIDE))
    assert str(narrow).splitlines()[1] == f"{'x' * 8}  y" and str(wide).splitlines()[1] == f"{'x' * WIDE} y"


def test_a_table_may_be_empty_and_a_row_may_not_be_short():
    assert str(Table(["a", "b"])) == "a  b"
    with pytest.raises(ValueError, match="a row of 1 cells under 2 columns"):
        Table(["a", "b"], ["c"])
