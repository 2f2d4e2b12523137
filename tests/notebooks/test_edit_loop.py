"""Edit in JupyterLab, import, build: nothing is lost on the way, and no step sends the author in a circle."""

import base64
import copy
import io
import json

import nbformat
import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsdl_course import cli
from fsdl_course.notebooks import build, conversion, edits, percent

SOURCE = """# %% [markdown]
# # A notebook

# %%
number = 1

# %% [markdown]
# What it is:

# %% tags=["nbval-check-output"]
print(number)
"""


def picture(color: int = 0) -> str:
    file = io.BytesIO()
    PIL.Image.new("L", (2, 2), color).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture
def executed(monkeypatch):
    """How often notebooks were executed; each code cell then says "1"."""
    runs = []

    def execute(notebook, folder):
        runs.append(folder)
        notebook = copy.deepcopy(notebook)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [nbformat.v4.new_output("stream", text="1\n")]
        return notebook

    monkeypatch.setattr(build, "execute", execute)
    return runs


@pytest.fixture
def course(tmp_path, executed):
    """A course of one notebook, built; the notebook's path."""
    (tmp_path / "notebooks" / "source" / "tools").mkdir(parents=True)
    put(tmp_path)
    assert run(tmp_path, "build") == 0
    executed.clear()
    return tmp_path


def put(root, text=SOURCE, name="01_demo"):
    source = root / "notebooks" / "source" / f"{name}.py"
    source.write_text(text, encoding="utf-8")
    return source


def run(root, *words) -> int:
    return cli.main(["notebooks", words[0], "--root", str(root), *map(str, words[1:])])


def path_of(root, name="01_demo"):
    return root / "notebooks" / f"{name}.ipynb"


def edit(path, change) -> None:
    """Change a notebook as JupyterLab does: ids stay, new cells get ids of their own."""
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def ran(notebook) -> None:
    for number, cell in enumerate(notebook.cells, 1):
        cell.metadata["scrolled"] = True
        if cell.cell_type == "code":
            cell.execution_count = number
            cell.outputs = [nbformat.v4.new_output("stream", text="1\n")]


CHANGES = {
    "prose": lambda notebook: notebook.cells[0].update(source="# Another title"),
    "code": lambda notebook: notebook.cells[1].update(source="number = 2"),
    "new cell": lambda notebook: notebook.cells.append(nbformat.v4.new_markdown_cell("More.")),
    "removed cell": lambda notebook: notebook.cells.pop(0),
    "moved cell": lambda notebook: notebook.cells.insert(0, notebook.cells.pop(2)),
    "tags": lambda notebook: notebook.cells[3].metadata.update(tags=["nbval-skip"]),
    "code, and run": lambda notebook: (notebook.cells[1].update(source="number = 2"), ran(notebook)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_edit_is_kept_by_build_and_carried_by_import_and_building_then_agrees(course, change, capsys):
    path = path_of(course)
    edit(path, change)
    before, cells = path.read_bytes(), edits.cells_of(conversion.read(path))
    assert run(course, "build") == 1 and path.read_bytes() == before
    assert "import notebooks/01_demo.ipynb" in capsys.readouterr().err
    assert run(course, "build", "--check") == 1
    assert "import notebooks/01_demo.ipynb" in capsys.readouterr().err  # not only "make notebooks"
    assert run(course, "import", path) == 0
    assert "written" in capsys.readouterr().out
    read = conversion.read(path)
    assert [cell.id for cell in read.cells] == conversion.cell_ids(read.cells, "01_demo")
    assert run(course, "import", path) == 0 and "says the same" in capsys.readouterr().out
    assert run(course, "build") == 0
    assert run(course, "build", "--check") == 0
    assert edits.cells_of(conversion.read(path)) == cells
    assert edits.cells_of(conversion.read(path)) == percent.cells(
        (course / "notebooks" / "source" / "01_demo.py").read_text(encoding="utf-8")
    )


def test_the_same_edit_in_both_is_no_edit_to_lose(course):
    path = path_of(course)
    edit(path, CHANGES["code"])
    put(course, SOURCE.replace("number = 1", "number = 2"))
    assert run(course, "build") == 0 and run(course, "build", "--check") == 0


def test_import_writes_only_the_edited_cell_anew(course):
    source = put(course, SOURCE.replace("\n\n# %%\nnumber", "\n\n\n\n# %%   tags=[]\nnumber") + "\n\n")
    text = source.read_text(encoding="utf-8")
    assert run(course, "build") == 0
    edit(path_of(course), lambda notebook: notebook.cells[3].update(source="print(number, 2)"))
    assert run(course, "import", path_of(course)) == 0
    assert (
        source.read_text(encoding="utf-8")
        == text.replace("print(number)", "print(number, 2)").rstrip() + "\n"
    )


def test_a_source_that_is_newer_than_its_notebook_is_not_overwritten(course, capsys):
    source = put(course, SOURCE + "\n# %% [markdown]\n# New in the source.\n")
    text = source.read_text(encoding="utf-8")
    assert run(course, "import", path_of(course)) == 0
    assert source.read_text(encoding="utf-8") == text and "its source is newer" in capsys.readouterr().out
    edit(path_of(course), CHANGES["prose"])
    assert run(course, "import", path_of(course)) == 1
    assert source.read_text(encoding="utf-8") == text
    refusal = capsys.readouterr().err
    assert "01_demo.ipynb and its source were changed since" in refusal and "--force" in refusal
    for words in (["build"], ["build", "--check"]):  # they advise what import does not refuse
        assert run(course, *words) == 1
        printed = capsys.readouterr().err
        assert "01_demo.ipynb and its source were changed since" in printed
        assert "notebooks import notebooks/01_demo.ipynb --force'" in printed
    assert run(course, "import", "--force", path_of(course)) == 0
    assert "Another title" in source.read_text(encoding="utf-8")
    assert run(course, "build") == 0 and run(course, "build", "--check") == 0


# --- pictures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["01_demo", "tools/demo"])
@pytest.mark.parametrize(
    ("link", "attachment"),
    [
        ("![A card](attachment:image.png)", "image.png"),
        ('<img src="attachment:image.png" alt="A card">', "image.png"),
        ("![A card](<attachment:my card (1).png> 'title')", "my card (1).png"),
        ("![A card](attachment:my%20card%20%281%29.png)", "my card (1).png"),
        ("![A card][it]\n\n[it]: attachment:image.png", "image.png"),
    ],
)
def test_a_pasted_picture_becomes_a_file_and_its_link_leads_there(course, name, link, attachment, capsys):
    put(course, name=name)
    assert run(course, "build") == 0

    def paste(notebook):
        notebook.cells[2].source = f"See:\n\n{link}"
        notebook.cells[2].attachments = {attachment: {"image/png": picture()}}

    path = path_of(course, name)
    edit(path, paste)
    assert run(course, "build") == 1
    assert run(course, "import", path) == 0
    (file,) = (course / "notebooks" / "images").iterdir()
    assert file.read_bytes() == base64.b64decode(picture()) and file.suffix == ".png"
    assert str(file) in capsys.readouterr().out
    assert run(course, "build") == 0 and run(course, "build", "--check") == 0
    cell = conversion.read(path).cells[2]
    address = ("" if name == "01_demo" else "../") + f"images/{file.name}"
    assert "attachment" not in cell.source and address in cell.source and "attachments" not in cell
    assert (path.parent / address).resolve() == file.resolve()


def attach(**attachments):
    def change(notebook):
        notebook.cells[2].source = "![A card](attachment:image.png)"
        notebook.cells[2].attachments = attachments

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (attach(), "attachment:image.png leads to no picture"),
        (attach(**{"image.png": {"text/plain": "x"}}), "is no picture (text/plain)"),
        (attach(**{"image.png": {"image/png": "no base64!"}}), "is damaged"),
    ],
)
def test_what_is_no_picture_is_refused_and_nothing_is_written(course, change, message, capsys):
    edit(path_of(course), change)
    before = {file: file.read_bytes() for file in course.rglob("*.*") if file.is_file()}
    assert run(course, "import", path_of(course)) == 1
    assert message in capsys.readouterr().err
    assert {file: file.read_bytes() for file in course.rglob("*.*") if file.is_file()} == before


def test_a_picture_that_no_link_shows_is_left_out_and_said(course, capsys):
    edit(
        path_of(course),
        attach(**{"image.png": {"image/png": picture()}, "old.png": {"image/png": picture(9)}}),
    )
    assert run(course, "import", path_of(course)) == 0
    assert "the attachment old.png, which no link shows, is left out" in capsys.readouterr().out
    assert len(list((course / "notebooks" / "images").iterdir())) == 1


# --- what a source cannot hold ---------------------------------------------------------------------

STRANGE = {
    "slideshow": lambda notebook: notebook.cells[1].metadata.update(slideshow={"slide_type": "slide"}),
    "format": lambda notebook: notebook.cells.append(
        nbformat.v4.new_raw_cell("<b>", metadata={"format": "text/html"})
    ),
    "nbgrader": lambda notebook: notebook.cells[1].metadata.update(nbgrader={"points": 1}),
    "authors": lambda notebook: notebook.metadata.update(authors=[{"name": "A"}]),
    "julia": lambda notebook: notebook.metadata.update(language_info={"name": "julia"}),
    "carriage return": lambda notebook: notebook.cells[1].update(source="x = 'a\rb'"),
    "attachments": lambda notebook: notebook.cells.append(
        nbformat.v4.new_raw_cell("x", attachments={"image.png": {"image/png": picture()}})
    ),
}


@pytest.mark.parametrize("word", STRANGE)
def test_what_a_source_cannot_hold_is_refused_by_import_and_kept_by_build(course, word, capsys):
    path = path_of(course)
    edit(path, STRANGE[word])
    before = path.read_bytes()
    assert run(course, "import", path) == 1
    message = capsys.readouterr().err
    assert word in message and message.count("\n") == 1
    assert run(course, "build") == 1
    assert path.read_bytes() == before
    assert (course / "notebooks" / "source" / "01_demo.py").read_text(encoding="utf-8") == SOURCE


def test_what_programs_write_beside_is_left_out_and_said(course, capsys):
    def change(notebook):
        ran(notebook)
        notebook.cells[0].source = "# Another"
        notebook.cells[1].source = "number = 2\n\n"
        notebook.cells[1].metadata.update(editable=True, slideshow={"slide_type": ""}, tags=[])
        notebook.metadata["widgets"] = {}

    edit(path_of(course), change)
    assert run(course, "import", path_of(course)) == 0
    printed = capsys.readouterr().out
    assert "scrolled (4)" in printed and "widgets (1)" in printed and "slideshow" not in printed
    assert "cell 2: blank lines at its end are left out" in printed
    assert "outputs are not imported" in printed
    assert run(course, "build") == 0 and run(course, "build", "--check") == 0


def test_running_a_notebook_is_no_edit(course, executed, capsys):
    edit(path_of(course), ran)
    assert run(course, "build") == 0 and run(course, "build", "--check") == 0
    assert executed == []  # its code is what it was, and it says what it said


# --- odd files -------------------------------------------------------------------------------------

CELL = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [], "execution_count": None, "id": "a"}


def notebook_json(**changed):
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [CELL]} | changed)


ODD = {
    "no source": notebook_json(cells=[{name: CELL[name] for name in CELL if name != "source"}]),
    "no metadata": notebook_json(metadata=None),
    "a cell's metadata": notebook_json(cells=[CELL | {"metadata": None}]),
    "no cells": notebook_json(cells=None),
    "a cell that is a list": notebook_json(cells=[[]]),
    "format 3": json.dumps(
        {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}
    ),
    "format 3 without worksheets": json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}}),
    "format in words": notebook_json(nbformat="4"),
    "minor in words": notebook_json(nbformat_minor="5"),
    "half a character": notebook_json(cells=[CELL | {"source": "'\ud800'"}]),
    "no notebook": "[1]",
    "null": "null",
    "no JSON": "<<<<<<< ours\n{}",
    "empty": "",
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_an_odd_notebook_is_one_sentence_and_stays(course, text, capsys):
    path = path_of(course)
    path.write_text(text, encoding="utf-8")
    for words in (["import", path], ["build"], ["build", "--check"], ["check", path]):
        assert run(course, *words) == 1
        printed = capsys.readouterr()
        sentences = [line for line in (printed.err + printed.out).splitlines() if "is no notebook" in line]
        assert len(sentences) == 1 and len(sentences[0]) < 600
    assert path.read_text(encoding="utf-8") == text
    assert run(course, "build", "--force") == 0 and run(course, "build", "--check") == 0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_notebook_in_another_encoding_is_read_and_written_in_utf_8(course, encoding, capsys):
    path = path_of(course)
    text = path.read_text(encoding="utf-8")
    path.write_text(text, encoding=encoding)
    assert run(course, "build", "--check") == 1
    assert "is not in UTF-8" in capsys.readouterr().out
    assert run(course, "build") == 0 and path.read_text(encoding="utf-8") == text
    path.write_text(text.replace("A notebook", "Été"), encoding=encoding)
    assert run(course, "import", path) == 0 and run(course, "build") == 0
    assert "# # Été" in (course / "notebooks" / "source" / "01_demo.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_source_with_a_mark_of_its_encoding_says_the_same(course, encoding):
    before = path_of(course).read_bytes()
    (course / "notebooks" / "source" / "01_demo.py").write_text(SOURCE, encoding=encoding)
    assert run(course, "build", "--again") == 0
    assert path_of(course).read_bytes() == before


def test_a_source_that_is_no_text_gets_a_sentence(course, capsys):
    (course / "notebooks" / "source" / "01_demo.py").write_bytes(
        SOURCE.replace("A", "\xc4").encode("latin-1")
    )
    for words in (["build"], ["build", "--check"], ["import", path_of(course)]):
        assert run(course, *words) == 1
        assert "01_demo" in (printed := "".join(capsys.readouterr())) and "not text in UTF-8" in printed


# --- any cells at all ------------------------------------------------------------------------------

PIECES = [
    "# %% x",
    "#%%",
    "%%python\n",
    "%time 1",
    "!ls",
    "\n",
    "# ",
    "\u2028",
    "\u0085",
    "\r",
    "\x0c",
    '"""',
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=5).map("".join)
MAKE = st.sampled_from([nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell, nbformat.v4.new_raw_cell])
TAGS = st.lists(st.sampled_from(["a", "b c", "é"]), max_size=2, unique=True)
CELLS = st.lists(st.tuples(MAKE, TEXTS, TAGS), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CELLS)
def test_any_cells_come_through_import_and_build_or_are_refused(course, parts):
    source, path = put(course), path_of(course)
    assert run(course, "build", "--force") == 0
    cells = [make(text, metadata={"tags": tags}) for make, text, tags in parts]
    text = json.dumps(nbformat.v4.new_notebook(cells=cells))
    path.write_text(text, encoding="utf-8")
    if run(course, "import", path):
        assert source.read_text(encoding="utf-8") == SOURCE and path.read_text(encoding="utf-8") == text
        return
    written = source.read_bytes()
    assert run(course, "build") == 0 and run(course, "build", "--check") == 0
    built = conversion.read(path).cells
    for cell, expected in zip(built, cells, strict=True):
        assert (cell.cell_type, cell.metadata.get("tags", [])) == (expected.cell_type, expected.metadata.tags)
        assert cell.source == percent.kept(expected.cell_type, expected.source)
    assert run(course, "import", path) == 0 and source.read_bytes() == written


# --- what is built ---------------------------------------------------------------------------------


def test_only_what_changed_is_executed(course, executed, capsys):
    for name in ("02_b", "03_c", "04_d"):
        put(course, name=name)
    assert run(course, "build") == 0 and len(executed) == 3
    capsys.readouterr()
    assert run(course, "build") == 0 and len(executed) == 3
    assert capsys.readouterr().out.startswith("4 up to date")
    put(course, SOURCE.replace("number = 1", "number = 2"), "03_c")
    assert run(course, "build") == 0 and len(executed) == 4
    assert capsys.readouterr().out.startswith("notebooks/03_c.ipynb\n3 up to date")
    put(course, SOURCE.replace("What it is", "What it was"), "02_b")
    assert run(course, "build") == 0 and len(executed) == 4  # prose says nothing to a kernel
    assert "What it was" in path_of(course, "02_b").read_text(encoding="utf-8")
    assert run(course, "build", "--again") == 0 and len(executed) == 8


def test_kept_outputs_that_were_changed_are_made_again(course, executed):
    edit(path_of(course), lambda notebook: notebook.cells[3].outputs[0].update(text="2\n"))
    assert run(course, "build", "--check") == 1
    assert run(course, "build") == 0 and len(executed) == 1
    assert conversion.read(path_of(course)).cells[3].outputs[0].text == "1\n"


def test_outputs_of_other_code_are_made_again_after_an_import(course, executed):
    edit(path_of(course), CHANGES["code"])
    assert run(course, "import", path_of(course)) == 0 and executed == []
    assert run(course, "build", "--check") == 1
    assert run(course, "build") == 0 and len(executed) == 1


def test_check_of_one_source_looks_at_no_other(course):
    put(course, name="02_b")
    source = course / "notebooks" / "source" / "01_demo.py"
    assert run(course, "build", "--check", source) == 0
    assert run(course, "build", "--check") == 1
