"""A course of four notebooks in a repository of its own."""

import json
import os
import subprocess
from pathlib import Path

import pytest

NAMES = (
    "notebooks/01_start.ipynb",
    "notebooks/02_batch.ipynb",
    "notebooks/tools/triton.ipynb",
    "labs/lab00/lab00.ipynb",
)


def notebook(*texts: str) -> dict:
    """One code cell, then a Markdown cell for each text, as the course's notebooks are."""
    code = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": []}
    cells = [{**code, "source": ["x = 1\n", "x"]}]
    for number, text in enumerate(texts):
        prose = {"cell_type": "markdown", "id": f"b{number}", "metadata": {}}
        cells.append({**prose, "source": text.splitlines(True)})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


class TinyCourse:
    """A course's folder, with git around it."""

    def __init__(self, root: Path):
        self.root = root

    def put(self, name: str, content: dict) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def copy(self, name: str) -> Path:
        return self.root / "work" / name

    def edit(self, path: Path, change) -> bytes:
        """Change a notebook's cells in place; return what the file has then."""
        content = json.loads(path.read_text(encoding="utf-8"))
        change(content["cells"])
        path.write_text(json.dumps(content), encoding="utf-8")
        return path.read_bytes()

    def git(self, *words: str) -> str:
        command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words]
        return subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True).stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "The course")


@pytest.fixture
def course(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)  # a hook's: they name another repository
    course = TinyCourse(tmp_path)
    for name in NAMES:
        course.put(name, notebook("Text.", "See [v2](../models/v2.md)."))
    (tmp_path / "models").mkdir()
    (tmp_path / "models/v2.md").write_text("# v2\n")
    (tmp_path / ".gitignore").write_text("/work\n")
    course.git("init", "-q")
    course.commit()
    return course
