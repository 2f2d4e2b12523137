"""Edits made in a notebook of a lab: building never loses them, import carries those of the solutions."""

import shutil

import nbformat
import pytest

from fsdl_course import cli
from fsdl_course.labs import build, convert
from fsdl_course.notebooks.percent import NotebookError
from fsdl_deploy.paths import ROOT


def edit(path, change) -> None:
    """Change a notebook as JupyterLab does: ids and nbgrader's marks stay."""
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def run_all(notebook) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = 1, [nbformat.v4.new_output("stream", text="1\n")]


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A course with lab00 alone, built."""
    shutil.copytree(ROOT / "solutions" / "lab00", tmp_path / "solutions" / "lab00")
    (tmp_path / "models").symlink_to(ROOT / "models")  # whose records the answers quote
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(convert, "solution_values", lambda name, cases, *_: [0 for _ in cases])
    build.build("lab00", tmp_path)
    return tmp_path


def test_an_edit_in_a_labs_solutions_is_kept_and_can_be_imported(lab):
    path = lab / "solutions" / "lab00" / "lab00.ipynb"
    build.build("lab00", lab)
    edit(path, lambda notebook: notebook.cells[0].update(source=notebook.cells[0].source + "\n\nAn edit."))
    before = path.read_bytes()
    with pytest.raises(NotebookError, match=r"import solutions/lab00/lab00\.ipynb"):
        build.build("lab00", lab)
    assert path.read_bytes() == before
    assert cli.main(["notebooks", "import", "--root", str(lab), str(path)]) == 0
    assert "# An edit." in (lab / "solutions" / "lab00" / "lab00.py").read_text(encoding="utf-8")
    build.build("lab00", lab)
    assert "An edit." in (lab / "labs" / "lab00" / "lab00.ipynb").read_text(encoding="utf-8")
    assert not (lab / "notebooks" / "lab00.ipynb").exists()


def test_what_a_student_wrote_into_a_lab_is_not_built_over(lab, capsys):
    path = lab / "labs" / "lab00" / "lab00.ipynb"
    edit(path, run_all)
    build.build("lab00", lab)  # running it was no edit
    edit(path, lambda notebook: notebook.cells[4].update(source="my = 'answer'"))
    with pytest.raises(NotebookError, match=r"labs/lab00/lab00\.ipynb was edited"):
        build.build("lab00", lab)
    assert cli.main(["notebooks", "import", "--root", str(lab), str(path)]) == 1
    assert "has no solutions to import" in capsys.readouterr().err
    build.build("lab00", lab, force=True)
    assert "my = 'answer'" not in path.read_text(encoding="utf-8")
