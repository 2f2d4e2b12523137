"""Removes what the commands made; the working tree of git and a student's copies stay as they are."""

import os
import shutil
from pathlib import Path

from fsdl_course.setup.turns import LOCK, empty, locked
from fsdl_deploy.paths import ROOT

CACHES = ("__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", ".ipynb_checkpoints")
KEPT = (".git", ".venv", "build")  # not looked into
STUDENTS = "work"  # nor the student's copies


def clean(environments: bool = False, root: Path = ROOT) -> None:
    """Remove ``build/`` and caches, and the ``environments`` of core and stations too if asked."""
    own = root / ".venv"
    if environments and own.is_dir() and not own.is_symlink():
        with locked(own):  # not under the feet of a set-up
            empty(own, keep={LOCK})
    doomed = [root / "build", *([own] if environments else [])]
    for folder, names, _ in os.walk(root):
        if Path(folder) == root and STUDENTS in names:
            names.remove(STUDENTS)
        doomed += [Path(folder) / name for name in names if name in CACHES]
        names[:] = [name for name in names if name not in (*CACHES, *KEPT)]
    for path in doomed:
        remove(path)


def remove(path: Path) -> None:
    """Remove a folder; of a link to one the link only, since what it leads to is somebody else's."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
