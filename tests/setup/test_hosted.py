"""Where others host the course: Binder finishes its environment, a dev container starts what it names."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import venv

import pytest

from fsdl_course.setup import environment
from fsdl_deploy.paths import ROOT


@pytest.mark.thorough
def test_binder_finishes_the_environment_that_it_made(tmp_path):
    course, prefix = tmp_path / "course", tmp_path / "srv" / "notebook"
    shutil.copytree(ROOT, course, ignore=shutil.ignore_patterns(".git", ".venv", "build", "work", "wheels"))
    venv.create(prefix, with_pip=True)  # as conda's: a Python without the course's packages
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("CONDA", "VIRTUAL"))}
    environ |= {"NB_PYTHON_PREFIX": str(prefix), "PATH": f"{prefix / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.run(["./postBuild"], cwd=course, env=environ, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout[-2000:] + process.stderr[-2000:]
    asks = (
        "import fsdl_course, fsdl_deploy, jupyterlab; from fsdl_deploy import TorchReader; TorchReader('v2')"
    )
    subprocess.run([prefix / "bin" / "python", "-c", asks], check=True, cwd=tmp_path)
    assert not (course / ".venv").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Binder is Linux")
def test_what_is_for_binder_says_so_elsewhere(tmp_path):
    environ = {name: value for name, value in os.environ.items() if name != "NB_PYTHON_PREFIX"}
    process = subprocess.run(
        ["bash", ROOT / "postBuild"], cwd=tmp_path, env=environ, capture_output=True, text=True
    )
    assert process.returncode != 0 and "make lab" in process.stderr and not list(tmp_path.iterdir())


def test_a_dev_container_starts_what_it_forwards():
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    settings = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    version = re.fullmatch(r"python:(\d+)\.(\d+)-\w+", settings["image"])
    assert tuple(map(int, version.groups())) in environment.SUPPORTED
    assert shlex.split(settings["onCreateCommand"]) == ["python3", "tasks.py", "setup"]
    lab = shlex.split(settings["postAttachCommand"])
    assert lab[:3] == ["python3", "tasks.py", "lab"]
    assert settings["forwardPorts"] == [int(lab[lab.index("--port") + 1])]
    assert list(settings["portsAttributes"]) == [lab[-1]]
