"""Build contexts: the files that reach an image, a bento or a Space.

A container has nothing but what is copied into it. That is the package ``fsdl_deploy``, a model with its
checksum, and the files of the tool: nothing of ``fsdl_course``, of lessons or of tests, so that a change
there leaves every layer as it was.
"""

import shutil
from pathlib import Path

from fsdl_deploy import weights
from fsdl_deploy.paths import ROOT
from fsdl_deploy.reader import LATEST

DOCKER = ROOT / "infra" / "docker"
PACKAGE = "fsdl_deploy"
PLACES = {"cog": ".", "bentoml": ".", "truss": "packages"}  # where a tool's container looks for packages


def copy_reader(to: Path, version: str = LATEST) -> None:
    """Copy the package and the model ``version`` with the checksums to the folder ``to``."""
    shutil.copytree(ROOT / PACKAGE, to / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    (to / "models").mkdir()
    for name in (f"{version}.onnx", weights.SUMS):
        shutil.copyfile(weights.folder() / name, to / "models" / name)


def docker_context(to: Path) -> Path:
    """Copy what the Dockerfile of ``infra/docker`` needs to ``to``, so that a lesson may change it."""
    copy_reader(to)
    shutil.copytree(DOCKER, to / "infra" / "docker", ignore=shutil.ignore_patterns("__pycache__"))
    return to


def tool_context(tool: str, to: Path, version: str = LATEST) -> Path:
    """Copy what ``tool`` (cog, bentoml or truss) packs to ``to``: its own files beside the reader.

    Raises ValueError for another tool, or a folder that is not empty.
    """
    if tool not in PLACES:
        raise ValueError(f"the tools are {', '.join(PLACES)}, not {tool!r}")
    if to.exists() and any(to.iterdir()):
        raise ValueError(f"{to} is not empty: give a new folder")
    project = ROOT / "infra" / "packaging" / tool / "project"
    shutil.copytree(project, to, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    copy_reader(to / PLACES[tool], version)
    return to
