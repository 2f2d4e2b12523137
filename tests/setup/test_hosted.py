"""Where others host the course: Binder, a dev container, Colab: each gets what the lessons need."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from fsdl_course.notebooks import colab
from fsdl_course.notebooks.conversion import read
from fsdl_course.setup import environment, hosted, installer, store
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


# -- Colab: a Python of the host's, with packages of its own

LOCK = """
a==1.0 \\
    --hash=sha256:aa
    # via -r requirements.in
b==2.0 ; python_full_version >= '3.0' \\
    --hash=sha256:bb
    # via
    #   a
    #   c-d
b==1.0 ; python_full_version < '3.0' \\
    --hash=sha256:b0
    # via a
C_d==3.0 \\
    --hash=sha256:cc
    # via b
numpy==2.5 \\
    --hash=sha256:dd
    # via -r requirements.in
lab==1.0 \\
    --hash=sha256:ee
    # via -r requirements.in
"""


def test_only_what_the_lessons_need_is_taken_from_the_lock_with_its_sums():
    chosen = hosted.roots("# -- Notebooks\nlab  # JupyterLab\n# -- Data and model\na ; x\nnumpy\n")
    assert chosen - set(hosted.BUT) == {"a", "numpy"}
    entries = hosted.needed(hosted.lock_of(LOCK), {"a", "numpy"})
    assert [(entry.name, entry.version) for entry in entries] == [
        ("a", "1.0"),
        ("b", "2.0"),
        ("c-d", "3.0"),
        ("numpy", "2.5"),
    ]
    assert "--hash=sha256:bb" in entries[1].text and "via" not in entries[1].text


@pytest.mark.parametrize(
    ("here", "loaded", "names"),
    [
        ({}, (), ["a", "b", "c-d", "numpy"]),
        ({"a": "0.9", "b": "1.5", "c-d": "3.0", "numpy": "2.0"}, (), ["a"]),  # numpy and b stay as they are
        ({"a": "0.9", "b": "1.5", "c-d": "3.0", "numpy": "2.0"}, ("a",), []),  # the kernel has a loaded
    ],
)
def test_what_the_host_has_stays_unless_lessons_use_another_version(here, loaded, names):
    entries = hosted.needed(hosted.lock_of(LOCK), {"a", "numpy"})
    assert [e.name for e in hosted.to_install(entries, here, {"a", "numpy"}, loaded)] == names


@pytest.mark.parametrize(
    ("torch", "kept"),
    [("2.13.0+cu128", True), ("2.9.1", True), ("2.6.0", False), ("3.0.0", False), (None, False)],
)
def test_the_hosts_torch_is_kept_where_it_fits(torch, kept):
    assert hosted.keeps_torch({"torch": torch} if torch else {}) is kept


def test_the_kernels_own_packages_are_no_part_of_what_a_host_gets():
    lock = hosted.lock_of((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    chosen = hosted.roots((ROOT / "requirements.in").read_text(encoding="utf-8"))
    names = {entry.name for entry in hosted.needed(lock, chosen)}
    assert {"onnxruntime", "gradio", "sqlalchemy", "starlette", "mlxtend"} <= names
    assert not names & {"jupyterlab", "ipykernel", "ipython", "notebook", "jupyter-server", "nbgrader"}
    assert hosted.lacking() == []  # in the core, which has all of them


PREINSTALLED = (
    *("numpy==2.0.2", "pandas==2.2.2", "ipykernel==6.17.1", "ipython==7.34.0", "requests==2.32.4"),
    *("matplotlib==3.10.0", "pillow==11.3.0", "fastapi==0.118.0", "protobuf==5.29.5", "packaging==25.0"),
    *("mlxtend==0.23.4", "scipy==1.16.3", "scikit-learn==1.6.1", "python-dateutil==2.9.0.post0"),
)  # of Colab's; torch is the course's, since Colab's is made for CUDA


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A folder to work in and a kernel as Colab's: a Python of its own, packages of its own, no course."""
    place = tmp_path_factory.mktemp("colab")
    (place / "modules" / "google" / "colab").mkdir(parents=True)
    (place / "modules" / "google" / "colab" / "__init__.py").touch()
    venv.create(place / "python", with_pip=True)
    python = place / "python" / "bin" / "python"
    with (place / "log").open("w") as log:
        tool = installer.Installer("a host", python, log, log.fileno(), builder=Path(sys.executable))
        tool.choose(ROOT / "requirements.lock")
        tool.store = store.ready(store.place(ROOT))
        tool.install("what Colab has", "\n".join(PREINSTALLED), "--quiet")
        tool.torch()
    kernel = place / "jupyter" / "kernels" / "host" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    settings = {"argv": command, "display_name": "host", "language": "python"}
    kernel.write_text(json.dumps(settings | {"env": {"PYTHONPATH": str(place / "modules")}}))
    (place / "content").mkdir()
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, place / "course.git"], check=True)
    return place


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", ["notebooks/00_tour.ipynb", "solutions/lab00/lab00.ipynb"])
def test_a_notebook_opened_on_colab_fetches_the_course_and_runs(host, path, monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.setenv("JUPYTER_PATH", str(host / "jupyter"))
    notebook = read(ROOT / path)
    branch = subprocess.check_output(["git", "branch", "--show-current"], cwd=ROOT, text=True).strip()
    (cell,) = filter(colab.is_cell, notebook.cells)
    cell.source = colab.CELL.format(address=(host / "course.git").as_uri(), version=branch or "main")
    resources = {"metadata": {"path": str(host / "content")}}
    NotebookClient(notebook, kernel_name="host", timeout=300, resources=resources).execute()
    text = "".join(output.get("text", "") for output in cell.outputs)
    assert "The course is in" in text, text
    printed = "".join(o.get("text", "") for c in notebook.cells if c.cell_type == "code" for o in c.outputs)
    if path.startswith("notebooks/"):
        assert "ok      packages   this host's own" in printed, printed[-3000:]
    asked = "import fsdl_deploy, IPython, numpy; print(IPython.__version__, numpy.__version__)"
    python = host / "python" / "bin" / "python"
    process = subprocess.run([python, "-c", asked], capture_output=True, text=True, cwd=host)
    assert process.stdout.split() == ["7.34.0", "2.0.2"], process.stderr
