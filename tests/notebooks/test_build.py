"""Notebooks from sources and back: the same bytes each time, nothing lost, nbval finds what changed."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from fsdl_course import cli
from fsdl_course.notebooks import build, conversion, outputs
from fsdl_course.setup.stations import SETTING_UP
from fsdl_deploy.paths import ROOT

SOURCE = """# %% [markdown]
# # A notebook
#
# ```mermaid
# flowchart LR
# ```
#
# <details><summary>Why?</summary>Because.</details>

# %% tags=["parameters"]
FAST = True

# %%
# %time number = 1
print("only while it runs")
"""
COMPARED = """
# %% [markdown]
# The kernel.

# %% tags=["nbval-check-output"]
import os
import sys

print("a warning", file=sys.stderr)
print(os.path.basename(os.getcwd()), flush=True)
print(sys.executable, flush=True)
FAST
"""


@pytest.fixture
def course(tmp_path):
    (tmp_path / "notebooks" / "source" / "tools").mkdir(parents=True)
    return tmp_path


def put(course, text=SOURCE, name="01_demo") -> Path:
    source = course / "notebooks" / "source" / f"{name}.py"
    source.write_text(text, encoding="utf-8")
    return source


def run(course, *words) -> int:
    return cli.main(["notebooks", words[0], "--root", str(course), *words[1:]])


def test_build_gives_the_same_bytes_and_keeps_only_the_compared_outputs(course):
    source = put(course, SOURCE + COMPARED, "tools/demo")
    path = build.build(source, course)
    assert path == course / "notebooks" / "tools" / "demo.ipynb"
    first = path.read_bytes()
    assert build.build(source, course).read_bytes() == first
    assert [file.name for file in path.parent.iterdir()] == ["demo.ipynb"]
    assert first.endswith(b"}\n") and b"\r" not in first

    cells = conversion.read(path).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert [len(cell.outputs) for cell in code] == [0, 0, 2]
    assert [cell.execution_count for cell in code] == [None, None, 1]  # nbval skips cells without one
    printed, value = code[-1].outputs
    # In its own folder, by this interpreter, and no stderr.
    assert printed.text == f"tools\n{sys.executable}\n"
    assert value.data["text/plain"] == "True"
    assert build.differences(course) == []


def test_building_on_another_day_changes_nothing_but_what_nbval_compares(course):
    cell = '\n# %% tags=["nbval-check-output"]\nimport time\n\nprint("at", time.strftime("%Y-%m-%d %H:%M"))\n'
    source = put(course, cell + cell.replace('"at"', '"then", 6'))
    path = build.build(source, course)
    stored = re.sub(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}", "2020-01-02 03:04", path.read_text())
    path.write_text(stored)
    assert build.build(source, course, again=True).read_text() == stored
    path.write_text(stored.replace("then 6", "then 5"))
    built = build.build(source, course).read_text()
    assert "at 2020-01-02 03:04" in built and "then 6 20" in built and "then 6 2020-01-02" not in built


def test_failing_notebook_is_named_with_its_cell_and_does_not_stop_the_others(course, capsys):
    put(course, SOURCE + COMPARED.replace("FAST\n", "1 / 0\n"), "01_broken")
    put(course, name="02_good")
    assert run(course, "build") == 1
    printed = capsys.readouterr()
    assert "01_broken.py: cell 5 failed" in printed.err and "ZeroDivisionError" in printed.err
    assert printed.out == "notebooks/02_good.ipynb\n"
    assert not (course / "notebooks" / "01_broken.ipynb").exists()


def test_what_a_station_s_set_up_prints_is_never_kept(course, capsys):
    line = f'print("{SETTING_UP} demo, once")'
    put(course, SOURCE + COMPARED.replace("FAST\n", f"{line}\n"), "01_kept")
    put(course, SOURCE.replace('print("only while it runs")', line) + COMPARED, "02_not_kept")
    assert run(course, "build") == 1
    printed = capsys.readouterr()
    assert "a station was set up while it ran" in printed.err
    assert printed.out == "notebooks/02_not_kept.ipynb\n"


def test_templates_are_not_built_and_lessons_come_before_tools(course, capsys):
    for name in ("tools/_template", "tools/demo", "02_b", "01_a"):
        put(course, name=name)
    assert run(course, "build") == 0
    assert capsys.readouterr().out.split() == [
        f"notebooks/{name}.ipynb" for name in ("01_a", "02_b", "tools/demo")
    ]


def test_check_finds_changed_source_missing_notebook_and_notebook_without_source(course, capsys):
    source = put(course)
    put(course, name="02_other")
    assert run(course, "build") == 0
    assert run(course, "build", "--check") == 0
    capsys.readouterr()

    source.write_text(SOURCE.replace("FAST = True", "FAST = False"), encoding="utf-8")
    (course / "notebooks" / "02_other.ipynb").rename(course / "notebooks" / "03_extra.ipynb")
    before = {file: file.read_bytes() for file in course.rglob("*.*") if file.is_file()}
    assert run(course, "build", "--check") == 1
    printed = capsys.readouterr()
    assert "--- committed/notebooks/01_demo.ipynb" in printed.out
    assert '-    "FAST = True"' in printed.out and '+    "FAST = False"' in printed.out
    assert "--- committed/notebooks/02_other.ipynb" in printed.out
    assert "notebooks/03_extra.ipynb has no source: add notebooks/source/03_extra.py" in printed.out
    assert "3 notebooks differ from their sources: make notebooks" in printed.err
    assert {file: file.read_bytes() for file in course.rglob("*.*") if file.is_file()} == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace('"execution_count": null', '"execution_count": 1', 1),
        lambda text: text.replace(
            '"outputs": []', '"outputs": [{"name": "stdout", "output_type": "stream", "text": "x"}]', 1
        ),
        lambda text: text.replace('"name": "python3"', '"name": "conda-env"'),
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", "\r\n"),
    ],
    ids=["execution count", "output", "kernel", "last line break", "line breaks"],
)
def test_check_finds_what_running_or_saving_leaves_behind(course, spoil):
    path = build.build(put(course), course)
    assert build.differences(course) == []
    text = path.read_text(encoding="utf-8")
    assert spoil(text) != text
    path.write_text(spoil(text), encoding="utf-8", newline="")
    assert len(build.differences(course)) == 1


def edit(path, change):
    """What JupyterLab does: change cells, run them, save with metadata of its own."""
    notebook = nbformat.read(path, as_version=4)
    change(notebook.cells)
    notebook.metadata["language_info"]["codemirror_mode"] = {"name": "ipython", "version": 3}
    for cell in notebook.cells:
        cell.metadata["trusted"] = True
        if cell.cell_type == "code":
            cell.execution_count = 7
            cell.outputs = [nbformat.v4.new_output("stream", text="ran\n")]
    nbformat.write(notebook, path)


def test_import_carries_edits_back_and_building_then_agrees(course):
    source = put(course)
    path = build.build(source, course)

    def change(cells):
        cells[1].source = "FAST = True\nCARDS = 20"
        cells.insert(2, nbformat.v4.new_markdown_cell("Why:\n\n- a # b\n- `%%`"))
        cells.append(nbformat.v4.new_code_cell("%time cards = 1\n!ls", metadata={"tags": ["nbval-skip"]}))

    edit(path, change)
    expected = [
        (cell.cell_type, cell.source, cell.metadata.get("tags")) for cell in conversion.read(path).cells
    ]
    assert run(course, "import", str(path)) == 0
    assert run(course, "build") == 0  # the way that the README shows, without --force
    built = path
    cells = [
        (cell.cell_type, cell.source, cell.metadata.get("tags")) for cell in conversion.read(built).cells
    ]
    assert cells == expected
    text = source.read_text(encoding="utf-8")
    assert (
        "jupyter" not in text
        and "trusted" not in text
        and text.startswith("# %% [markdown]\n# # A notebook\n")
    )
    assert build.differences(course) == []


def test_import_leaves_the_source_of_a_notebook_that_was_only_run(course, capsys):
    source = put(course, SOURCE.replace("print(", "print(   "))  # no normal form is forced on the author
    path = build.build(source, course)
    before = source.read_bytes()
    edit(path, lambda cells: None)
    assert run(course, "import", str(path)) == 0
    assert source.read_bytes() == before and "says the same already" in capsys.readouterr().out
    assert run(course, "build") == 0  # running it was no edit: nothing to protect
    assert conversion.read(path).cells[1].execution_count is None


@pytest.mark.parametrize(
    "change",
    [
        lambda cells: cells[1].update(source="FAST = False"),
        lambda cells: cells[1].metadata.update(tags=["parameters", "nbval-skip"]),
        lambda cells: cells.append(nbformat.v4.new_markdown_cell("More.")),
    ],
    ids=["text", "tags", "new cell"],
)
def test_build_does_not_overwrite_edits_unless_forced(course, capsys, change):
    source = put(course)
    path = build.build(source, course)
    edit(path, change)
    before = path.read_bytes()
    assert run(course, "build") == 1
    assert "import notebooks/01_demo.ipynb" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert run(course, "build", "--force") == 0
    assert build.differences(course) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda cells: None,
            "was run or saved by hand: 'git checkout -- notebooks/01_demo.ipynb' drops that",
        ),
        (
            lambda cells: cells[1].update(source="FAST = False"),
            "was edited by hand: 'git checkout -- notebooks/01_demo.ipynb' drops that, "
            "'fsdl-course notebooks import notebooks/01_demo.ipynb' keeps it",
        ),
    ],
    ids=["run", "edited"],
)
def test_check_says_of_a_notebook_changed_by_hand_what_to_do_and_shows_no_output(
    course, capsys, change, message
):
    def show_a_picture(cells):
        change(cells)
        cells[1].outputs.append(nbformat.v4.new_output("display_data", {"image/png": "iVBORw0KGgo" * 99}))

    path = build.build(put(course), course)
    edit(path, lambda cells: None)
    notebook = nbformat.read(path, as_version=4)
    show_a_picture(notebook.cells)
    nbformat.write(notebook, path)
    assert run(course, "build", "--check") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"notebooks/01_demo.ipynb {message}\n1 notebooks differ from their sources\n"


def test_a_changed_source_shows_no_output_of_a_notebook_that_was_run(course, capsys):
    source = put(course)
    path = build.build(source, course)
    edit(path, lambda cells: None)
    source.write_text(SOURCE.replace("FAST = True", "FAST = False"), encoding="utf-8")
    assert run(course, "build", "--check") == 1
    printed = capsys.readouterr()
    assert '+    "FAST = False"' in printed.out and "ran" not in printed.out
    assert printed.out.endswith("\n") and "No newline" not in printed.out
    assert "make notebooks" in printed.err


def test_ids_are_unique_and_stay_when_a_cell_is_inserted(course):
    source = put(course, SOURCE + "\n# %% [markdown]\n# Same.\n\n# %% [markdown]\n# Same.\n")
    before = conversion.read_source(source, "01_demo")
    ids = [cell.id for cell in before.cells]
    assert len(set(ids)) == len(ids)
    assert ids != [cell.id for cell in conversion.read_source(source, "02_demo").cells]
    source.write_text("# %% [markdown]\n# First.\n\n" + source.read_text(encoding="utf-8"), encoding="utf-8")
    assert [cell.id for cell in conversion.read_source(source, "01_demo").cells][1:] == ids


def test_new_starts_from_the_template_and_overwrites_nothing(course, capsys):
    template = (ROOT / "notebooks" / "source" / "tools" / "_template.py").read_text(encoding="utf-8")
    put(course, template, "tools/_template")
    assert run(course, "new", "tools/triton") == 0
    source = course / "notebooks" / "source" / "tools" / "triton.py"
    assert source.read_text(encoding="utf-8") == template
    source.write_text("mine", encoding="utf-8")
    assert run(course, "new", "tools/triton") == 1
    assert source.read_text(encoding="utf-8") == "mine"
    for name in ("triton", "tools/../x", "tools/Triton", "tools/_x"):
        assert run(course, "new", name) == 1
    assert "name a tool notebook like tools/triton" in capsys.readouterr().err


def test_paths_that_are_no_notebooks_get_a_sentence(course, capsys):
    for words in (["build", str(course / "x.py")], ["import", str(course / "x.ipynb")], ["build", "x.ipynb"]):
        assert run(course, *words) == 1
        printed = capsys.readouterr().err
        assert "of the course" in printed or "no source" in printed


# --- nbval -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nbval_results(tmp_path_factory):
    """Run nbval as ``make test`` does, on notebooks whose stored outputs differ in known ways."""
    folder = tmp_path_factory.mktemp("nbval")
    printing = (
        'import os\n\nprint(f"http://127.0.0.1:{os.getpid()} took {os.getpid() / 7:.3f} ms for 5 cards")'
    )
    stored = "http://127.0.0.1:1 took 0.1 ms for 5 cards\n"
    cases = {
        "same": (printing, stored, ["nbval-check-output"]),
        "changed": (printing, stored.replace("5 cards", "6 cards"), ["nbval-check-output"]),
        "untagged": (printing, "something else\n", []),
        "failing": ("1 / 0", "", []),
    }
    cells = []
    for name, (source, text, tags) in cases.items():
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": tags}, id=name, execution_count=1)
        cell.outputs = [nbformat.v4.new_output("stream", text=text)] if text else []
        cells.append(cell)
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    (folder / "cases.ipynb").write_text(conversion.write(notebook), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval-lax",
        "--nbval-sanitize-with",
        str(outputs.SANITIZERS),
    ]
    command += [
        "--nbval-cell-timeout",
        "120",
        "-p",
        "no:cacheprovider",
        "-rA",
        "--rootdir",
        str(folder),
        str(folder),
    ]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280)
    results = re.findall(r"^(PASSED|FAILED) cases\.ipynb::Cell (\d)", process.stdout, re.MULTILINE)
    return {list(cases)[int(number)]: word for word, number in results}


@pytest.mark.parametrize(
    ("name", "result"),
    [("same", "PASSED"), ("changed", "FAILED"), ("untagged", "PASSED"), ("failing", "FAILED")],
)
def test_nbval_compares_tagged_cells_and_runs_the_rest(nbval_results, name, result):
    assert nbval_results[name] == result


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("http://127.0.0.1:8001/read", "http://localhost:54321/read"),
        ("p95 12.3 ms", "p95 4 ms"),
        ("12 µs, 3s, 45.1it/s", "1.5 µs, 2.25s, 9 it/s"),
        ("2026-11-21T10:20:30.5Z", "2026-12-01 00:00"),
        ("<Reader at 0x7f12ab34cd56>", "<Reader at 0x1024cafe0>"),
        ("wrote /tmp/tmpab12/cards.png", "wrote /private/var/folders/x1/T/tmp9/cards.png"),
        ("killed pid 12", "killed pid 31337"),
    ],
)
def test_sanitizers_hide_what_differs_by_run(text, other):
    assert text != other and outputs.sanitized(text) == outputs.sanitized(other)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("04213", "04218"),
        ("96.5 %", "96.4 %"),
        ("month 2026-10", "month 2026-11"),
        ("5 cards", "6 cards"),
        ("status 200", "status 422"),
        ("float32 [1, 1, 32, 128]", "float32 [1, 1, 32, 160]"),
        ("3 servers", "4 servers"),
    ],
)
def test_sanitizers_leave_what_matters(text, other):
    assert outputs.sanitized(text) != outputs.sanitized(other)
