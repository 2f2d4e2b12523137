"""Figures in prose: filled in from records by their keys, which survive an edit and its import."""

import json

import nbformat
import pytest

from fsdl_course import cli
from fsdl_course.notebooks import conversion, quoting, record_lookup, recorded
from fsdl_course.notebooks.percent import NotebookError

KEY = "{{right(v2, typical):.1%}}"
SOURCE = f"""# %% [markdown]
# # A title
#
# It reads {KEY} of the cards right, {{{{rung(small, fixed)}}}} more than before.

# %%
print("hello")
"""


@pytest.fixture
def course(tmp_path):
    folder = tmp_path / "notebooks" / "source"
    folder.mkdir(parents=True)
    (folder / "01_demo.py").write_text(SOURCE, encoding="utf-8")
    record(tmp_path, 0.9435)
    return tmp_path


def record(root, share):
    content = {
        "report": {"measured": {"v2": {"typical": {"exact_match": share}}}},
        "ladder": {
            "rungs": [{"rung": "small, fast", "fixed": 38, "right": 9, "cards": 10, "hit_rate": None}]
        },
    }
    (root / "models").mkdir(exist_ok=True)
    for each in content:
        (root / "models" / f"{each}.json").write_text(json.dumps(content[each]), encoding="utf-8")


def run(root, *words):
    return cli.main(["notebooks", *map(str, words), "--root", str(root)])


def prose(root):
    return conversion.read(root / "notebooks" / "01_demo.ipynb").cells[0].source


def edit(root, change):
    path = root / "notebooks" / "01_demo.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def test_a_notebook_shows_the_figure_and_says_its_key(course):
    assert run(course, "build") == 0
    assert '<span title="right(v2, typical):.1%">94.3 %</span> of the cards right, ' in prose(course)
    assert '<span title="rung(small, fixed)">38</span> more' in prose(course)


def test_a_new_record_is_filled_in_and_is_no_edit_and_changes_no_id(course, capsys):
    run(course, "build")
    before = [cell.id for cell in conversion.read(course / "notebooks" / "01_demo.ipynb").cells]
    record(course, 0.975)
    assert run(course, "build", "--check") == 1
    assert "97.5" in capsys.readouterr().out
    assert run(course, "build") == 0
    assert "97.5 %" in prose(course)
    assert "94.3" not in prose(course)
    assert [cell.id for cell in conversion.read(course / "notebooks" / "01_demo.ipynb").cells] == before
    assert run(course, "build", "--check") == 0


def test_an_edit_in_jupyterlab_is_imported_with_the_key(course):
    run(course, "build")

    def change(notebook):
        notebook.cells[0].source = notebook.cells[0].source.replace("It reads", "Today it reads")

    edit(course, change)
    assert run(course, "import", course / "notebooks" / "01_demo.ipynb") == 0
    source = (course / "notebooks" / "source" / "01_demo.py").read_text(encoding="utf-8")
    assert source == SOURCE.replace("It reads", "Today it reads")
    assert run(course, "build", "--check") == 0


def test_a_figure_that_somebody_changed_by_hand_is_said_and_filled_in_anew(course, capsys):
    run(course, "build")

    def change(notebook):
        notebook.cells[0].source = notebook.cells[0].source.replace("94.3 %", "99.9 %")

    edit(course, change)
    assert run(course, "build", "--check") == 1
    capsys.readouterr()
    assert run(course, "import", course / "notebooks" / "01_demo.ipynb") == 0
    assert "the record says '94.3 %' for right(v2, typical):.1%, so '99.9 %'" in capsys.readouterr().out
    assert "94.3 %" in prose(course)
    assert (course / "notebooks" / "source" / "01_demo.py").read_text(encoding="utf-8") == SOURCE


def test_a_key_that_is_typed_in_jupyterlab_is_filled_in_or_nothing_is_imported(course, capsys):
    run(course, "build")

    def add(text):
        def change(notebook):
            notebook.cells[0].source += text

        return change

    edit(course, add("\n\nAnd {{right(v9, typical):.1%}}."))
    assert run(course, "import", course / "notebooks" / "01_demo.ipynb") == 1
    assert (
        "01_demo.ipynb: cell 1: {{right(v9, typical):.1%}}: report.json has no 'v9'"
        in capsys.readouterr().err
    )
    assert (course / "notebooks" / "source" / "01_demo.py").read_text(encoding="utf-8") == SOURCE
    edit(
        course, lambda notebook: notebook.cells[0].update(source=notebook.cells[0].source.replace("v9", "v2"))
    )
    assert run(course, "import", course / "notebooks" / "01_demo.ipynb") == 0
    assert prose(course).endswith('And <span title="right(v2, typical):.1%">94.3 %</span>.')


@pytest.mark.parametrize(
    "key, words",
    [
        ("{{wright(v2, typical):.1%}}", "the course has no 'wright'"),
        ("{{right(v2):.1%}}", "right takes (version, level, digits), not (v2)"),
        ("{{right(v2, odd):.1%}}", "report.json of v2 has no 'odd': it has typical"),
        ("{{right(v2, typical):d}}", "the format 'd' does not fit 0.9435"),
        ("{{right(v2, typical)}}", "0.9435 needs a format"),
        ("{{taught(smallest, fixed)}}", "there is no record sizes.json in models/"),
        ("{{rung(large, fixed)}}", "rung 'large' is none of 'small, fast'"),
        ("{{rung(small, hit_rate)}}", "the record has nothing there"),
        ("{{rung(small, speed)}}", "has no 'speed'"),
        ("{{ right(v2, typical):.1%}}", "a key is {{name(word, word):format}}"),
        ("{{right(v2,\n# typical):.1%}}", "a key is {{name(word, word):format}}"),
        ('<span title="right(v2, typical):.1%">94.3 %</span>', "a source has the key alone"),
    ],
)
def test_a_key_that_cannot_be_filled_in_is_one_sentence_with_cell_and_key(course, key, words, capsys):
    source = course / "notebooks" / "source" / "01_demo.py"
    source.write_text(SOURCE.replace(KEY, key), encoding="utf-8")
    assert run(course, "build") == 1
    error = capsys.readouterr().err
    assert "cell 1: " in error
    assert words in error
    assert error.count("\n") == 1


def test_a_broken_record_is_one_sentence(course, capsys):
    (course / "models" / "report.json").write_text("{", encoding="utf-8")
    assert run(course, "build") == 1
    assert "the record report.json cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "`{{right(v2, typical):.1%}}`",
        "``a ` {{right(v9, x)}} b``",
        "```yaml\nkey: {{ right(v9, x) }}\n```",
        "```mermaid\nflowchart LR\n    a{{hexagon}}\n```",
        "$x^{{2}}$ and ${{a}}_{{b}}$",
        '<span title="a word">94 %</span>',
        "f'{value:.1%}' and {a: {b}}",
    ],
)
def test_code_mathematics_and_other_marks_stay_as_they_are(course, text):
    assert quoting.fill(text, course / "models") == text
    assert quoting.unfilled(text) == text


@pytest.mark.parametrize(
    "text", ["a {{rung(small, fixed)}}", "**{{right(v2, typical):.0%}}** `x` {{rung(small, cards):,}}"]
)
def test_what_is_filled_in_comes_back(course, text):
    filled = quoting.fill(text, course / "models")
    assert filled != text
    assert quoting.unfilled(filled) == text


def test_the_other_test_digits_are_the_records_second_part(course):
    path = course / "models" / "report.json"
    content = json.loads(path.read_text()) | {"mnist": {"v2": {"typical": {"exact_match": 0.98}}}}
    path.write_text(json.dumps(content))
    assert quoting.written("right(v2, typical, mnist):.0%", path.parent) == "98 %"
    with pytest.raises(NotebookError, match="the course has no 'svhn'"):
        quoting.written("right(v2, typical, svhn):.0%", path.parent)


def test_every_figure_says_what_it_is():
    assert [name for name, function in recorded.FIGURES.items() if not function.__doc__] == []


def test_a_row_is_the_exact_one_or_the_only_one_that_begins_so():
    rows = [{"rung": "int8"}, {"rung": "int8, static"}, {"rung": "cascade: unsure cards"}]
    assert record_lookup.row_of(rows, "rung", "int8") is rows[0]
    assert record_lookup.row_of(rows, "rung", "int8 static") is rows[1]
    assert record_lookup.row_of(rows, "rung", "cascade") is rows[2]
    with pytest.raises(record_lookup.QuoteError, match="more than one"):
        record_lookup.row_of([*rows, {"rung": "cascade: others"}], "rung", "cascade")


def test_percent_signs_and_minus_are_written_as_prose_has_them(course):
    record(course, 0.5)
    assert quoting.written("points(v2, v2, typical):+.1f", course / "models") == "+0.0"
    with pytest.raises(NotebookError):
        quoting.written("points(v2, v1, typical):+.1f", course / "models")
