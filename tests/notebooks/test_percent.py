"""The percent format: cells written and read again are the same, or a sentence says which line is wrong."""

import jupytext
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsdl_course.labs import convert
from fsdl_course.notebooks import conversion, percent
from fsdl_course.notebooks.percent import Cell
from fsdl_deploy.paths import ROOT

SOURCES = [*conversion.sources(), *(convert.source_of(name) for name in convert.names())]
# What may be mistaken for something else, in any order, besides any text at all.
PIECES = st.sampled_from(
    [
        *(
            "# %% x",
            "# %%",
            "#%%",
            "%%",
            "%%python",
            "%time x",
            "!ls",
            "# !ls",
            "y = !ls",
            "# ",
            "#",
            "'",
            '"""',
        ),
        *(
            "\n",
            " ",
            "    ",
            "\u2028",
            "\u0085",
            "\x0c",
            "\ufeff",
            "[markdown]",
            'tags=["a"]',
            "def f():",
            "x = 1",
        ),
    ]
)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=20)
TEXTS = st.lists(PIECES | ANY_TEXT, max_size=6).map("".join)
TAGS = st.lists(ANY_TEXT, max_size=2).map(tuple)
KINDS = st.sampled_from(["code", "markdown", "raw"])
CELLS = st.builds(lambda kind, text, tags: Cell(kind, percent.kept(kind, text), tags), KINDS, TEXTS, TAGS)


@given(st.lists(CELLS, max_size=4))
@example([Cell("code", "x = '''\n# %% x\n%time\n'''")])
@example([Cell("code", "%%python\nprint(1)"), Cell("code", "# %%python"), Cell("code", "%% x\n# # %% y")])
@example([Cell("markdown", "```mermaid\n%% a comment\n %% more\n```\n")])
@example([Cell("code", 'x = "a\u2028b\u0085c\x0cd"')])
def test_cells_come_back_from_their_text(cells):
    text = percent.text_of(cells)
    read = percent.cells(text)
    assert read == cells
    assert percent.text_of(read) == text


@given(st.lists(PIECES | ANY_TEXT, max_size=12).map("".join))
@example("# %%\n\nx = 1\n\n\n\n# %%   tags=[]\n\n   \n# %%\n# %time x\n")
def test_text_is_refused_or_read_without_a_loss(text):
    try:
        cells = percent.cells(text)
    except percent.NotebookError as error:
        assert str(error).startswith("line ") and "\n" not in str(error)
        return
    plain = [Cell(cell.kind, cell.source, cell.tags) for cell in cells]
    assert percent.cells(percent.text_of(plain)) == cells
    assert percent.cells(percent.text_of(cells)) == cells
    lines = [line.strip(" \t") for line in text.split("\n") if line.strip(" \t")]
    written = percent.text_of(cells).split("\n")
    assert [line.strip(" \t") for line in written if line.strip(" \t")] == lines


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_courses_sources_are_read_as_jupytext_reads_them_and_written_as_they_are(path):
    text = path.read_text(encoding="utf-8")
    cells = percent.cells(text)
    known = jupytext.reads(text, fmt="py:percent").cells
    assert cells == [
        Cell(cell.cell_type, cell.source, tuple(cell.metadata.get("tags", ()))) for cell in known
    ]
    assert percent.text_of(cells) == text


def test_functions_and_classes_get_two_blank_lines_as_formatters_want_it():
    cells = [Cell("code", "x = 1"), Cell("code", "def f():\n    return 1"), Cell("markdown", "Why.")]
    cells += [Cell("code", "if x:\n    x = 2"), Cell("code", "y = 3")]
    assert percent.text_of(cells) == (
        "# %%\nx = 1\n\n\n# %%\ndef f():\n    return 1\n\n\n# %% [markdown]\n# Why.\n\n"
        "# %%\nif x:\n    x = 2\n\n# %%\ny = 3\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os\n\n# %%\nx = 1\n", "line 1: nothing may stand before"),
        ("# ---\n# jupyter: {}\n# ---\n\n# %%\nx = 1\n", "line 1: nothing may stand before"),
        ("import os\n", "line 1: nothing may stand before"),
        ("# %% A title\nx = 1\n", "line 1: after '# %%' may stand"),
        ('# %%\nx = 1\n\n# %% id="a"\n', "line 4: after '# %%' may stand"),
        ("# %% tags=[1]\n", "line 1: after '# %%' may stand"),
        ('# %% tags=["a"\n', "line 1: after '# %%' may stand"),
        ("# %% [markdown]\n# Why.\nnot prose\n", "line 3: in a cell of prose"),
        ("# %% [markdown]\n# Why.\n\n# More.\n", "line 3: in a cell of prose"),
        ("# %%\nx = 1\n\n#%%\ny = 2\n", "line 4: a cell starts with '# %%' at the very left"),
        ("# %%\nif x:\n    # %% part\n    y = 2\n", "line 3: a cell starts with '# %%' at the very left"),
        ("# %%\nx = 'a\rb'\n", "line 2: there is a carriage return"),
    ],
)
def test_what_would_be_lost_is_refused_with_its_line(text, message):
    with pytest.raises(percent.NotebookError) as error:
        percent.cells(text)
    assert message in str(error.value) and ROOT.name not in str(error.value)


def test_line_ends_of_windows_are_read_as_such():
    assert percent.cells("# %%\r\nx = 1\r\ny = 2\r\n") == [Cell("code", "x = 1\ny = 2")]
