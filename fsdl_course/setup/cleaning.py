"""Removes what the commands made; the working tree of git and a student's copies stay as they are."""

import os
from pathlib import Path

from fsdl_course.setup.turns import remove, remove_environment
from fsdl_deploy.paths import ROOT

CACHES = ("__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", ".ipynb_checkpoints")
KEPT = (".git", ".venv", "build")  # not looked into
STUDENTS = "work"  # nor the student's copies


def clean(environments: bool = False, root: Path = ROOT) -> None:
    """Remove ``build/`` and caches, and the ``environments`` of core and stations too if asked."""
    own = root / ".venv"
    if environments:
        remove_environment(own)
    doomed = [root / "build"]
    for folder, names, _ in os.walk(root):
        if Path(folder) == root and STUDENTS in names:
            names.remove(STUDENTS)
        doomed += [Path(folder) / name for name in names if name in CACHES]
        names[:] = [name for name in names if name not in (*CACHES, *KEPT)]
    for path in doomed:
        remove(path)
