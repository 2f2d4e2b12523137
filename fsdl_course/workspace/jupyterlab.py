"""How JupyterLab is started on the working copy. Standard library only: ``tasks.py`` imports it."""

import os
from collections.abc import Mapping
from pathlib import Path

from fsdl_course.workspace.copies import WORK

TOUR = f"{WORK}/notebooks/00_tour.ipynb"


def options(root: Path) -> list[str]:
    """Options of ``jupyter lab``: the tour is open, with the other lessons beside it.

    The course's folder is the root, so that links lead out of ``work/`` to its other files. Tabs are
    remembered under a name of the course's own: those of other projects stay away. No news, no updates.
    """
    words = [f"--ServerApp.root_dir={root}", "--LabApp.news_url=None"]
    words.append("--ServerApp.answer_yes=True")  # one Ctrl-C ends it
    words.append("--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")
    if (root / TOUR).exists():
        words.append(f"--LabApp.default_url={opening(TOUR)}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        words.append("--allow-root")
    return words


def environ(root: Path, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables that JupyterLab is started with: a student's has nothing of nbgrader.

    Who starts ``jupyter lab`` without them, as instructors do in the folder of results, has its formgrader.
    """
    folders = [str(root / "infra" / "jupyterlab" / "students"), given.get("JUPYTER_CONFIG_PATH", "")]
    return {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, folders))}


def opening(notebook: str) -> str:
    """The address of a notebook, relative to the root.

    Without a query: the server puts ``?token=…`` behind it in what it prints.
    """
    return f"/lab/workspaces/course/tree/{notebook}"
