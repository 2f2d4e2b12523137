"""A notebook that nbval ran is kept, with what it said, how long it took, and its first problem."""

import subprocess
import sys

import nbformat
import pytest

from fsdl_course.notebooks import pages


@pytest.fixture
def root(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "notebooks").mkdir()
    cells = {
        "good": ["print('first')", "2 + 2"],
        "wrong": ["print('before')", "raise ValueError('here')"],
        "skipped": ['ensure("nobody has it")'],
    }
    for name, sources in cells.items():
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        nbformat.write(book, tmp_path / "notebooks" / f"{name}.ipynb")
    return tmp_path


def test_the_copies_become_pages(root):
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "-p", "no:cacheprovider"]
    command += ["-p", "fsdl_course.testing.executed", "--executed", str(root / pages.FOLDER)]
    command += ["notebooks/good.ipynb", "notebooks/wrong.ipynb"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)
    assert result.returncode == 1, result.stdout
    copy = nbformat.read(root / pages.FOLDER / "good.ipynb", 4)
    assert copy.cells[0].outputs[0].text == "first\n"
    assert copy.cells[1].outputs[0].data["text/plain"] == "4"
    assert copy.metadata[pages.RECORD]["problem"] == "" and copy.metadata[pages.RECORD]["seconds"] > 0

    outcomes = {outcome.name: outcome for outcome in pages.of_copies(root)}
    assert outcomes.keys() == {"good", "wrong"}
    assert not outcomes["good"].problem and "ValueError" in outcomes["wrong"].problem
    assert "first" in (root / pages.FOLDER / "good.html").read_text(encoding="utf-8")
    assert pages.report(list(outcomes.values()), root, 3) == 1
    assert "2 of 3 notebooks executed, 1 failed" in (root / pages.FOLDER / "index.html").read_text()
    untouched = nbformat.read(root / "notebooks" / "good.ipynb", 4)
    assert untouched.cells[0].outputs == []
