"""The course as an image: its recipe by reading it; built, started and tried where an engine answers."""

import re
import subprocess
import sys
import tarfile

import httpx2
import pytest

from fsdl_course.setup import sources
from fsdl_deploy.measuring.machine import locked_versions
from fsdl_deploy.packaging.base_images import pinned, usable
from fsdl_deploy.packaging.containers import Container
from fsdl_deploy.paths import ROOT

FOLDER = ROOT / "infra" / "jupyterlab"
RECIPE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
WHEELS = "infra/jupyterlab/wheels"
TESTS = ("test_reader.py", "test_picture.py", "test_weights.py", "workspace/test_copies.py")


def test_it_stands_on_the_pinned_base_and_runs_as_a_user_without_rights():
    assert re.search(r"^ARG BASE=(\S+)", RECIPE, re.MULTILINE)[1] == pinned()["base"]
    assert re.findall(r"^FROM (\S+)", RECIPE, re.MULTILINE) == ["${BASE}"]
    assert re.findall(r"^USER (\S+)", RECIPE, re.MULTILINE) == ["1000:1000"]


def test_a_changed_lesson_leaves_the_packages_as_they_are():
    before = RECIPE.partition("\nRUN wheels")[0]
    copied = re.findall(r"^COPY --chown=\S+ (.+) \S+$", before, re.MULTILINE)
    assert len(copied) == before.count("\nCOPY")
    names = {name for line in copied for name in line.split()}
    assert not names & {".", "notebooks", "labs", "tests", "README.md"}
    assert {"requirements.lock", "requirements-torch.lock"} <= names


def test_the_guide_names_the_recipe_and_the_port_the_user_and_the_folder_of_the_image():
    guide = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "-f infra/jupyterlab/Dockerfile -" in guide
    port = re.search(r"^EXPOSE (\d+)", RECIPE, re.MULTILINE)[1]
    assert f"-p 127.0.0.1:{port}:{port}" in guide and f"--port={port}" in RECIPE
    folder = re.search(r"-v [\w-]+:(\S+)", guide)[1]
    assert folder == "/course/work" and f"-g student /course {folder}" in RECIPE


def tracked() -> list[str]:
    """What ``git archive`` would pack, as the working tree has it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a clone: git lists nothing here")
    return [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


def torch_wheel(folder, arch: str) -> list:
    """PyTorch's wheel from the sources of pip's configuration; none where the image fetches it by itself."""
    machine = {"arm64": "aarch64"}.get(arch, "x86_64")
    ways = sources.torch_ways({"find-links": "here"}, {}, (3, 11), "Linux", machine)
    (folder / "torch.txt").write_text(ways[0].lines())
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-qq",
        "--no-deps",
        "--require-hashes",
        "--dest",
        folder,
    ]
    command += [
        "--only-binary",
        ":all:",
        "--python-version",
        "3.11",
        "--platform",
        f"manylinux_2_28_{machine}",
    ]
    subprocess.run([*command, "-r", folder / "torch.txt"], capture_output=True, timeout=300)
    return list(folder.glob("torch-*.whl"))


@pytest.fixture(scope="module")
def image(engine, tmp_path_factory):
    """The image's name; built once, and gone at the end."""
    name, place = "fsdl-course:tests", tmp_path_factory.mktemp("context")
    with tarfile.open(place / "context.tar", "w") as archive:
        for path in tracked():
            archive.add(ROOT / path, path)
        for wheel in torch_wheel(place, engine.version()["Arch"]):
            archive.add(wheel, f"{WHEELS}/{wheel.name}")
    with (place / "context.tar").open("rb") as context:
        options = {"custom_context": True, "dockerfile": "infra/jupyterlab/Dockerfile", "rm": True}
        engine.images.build(
            fileobj=context, tag=name, buildargs={"BASE": usable(engine, "base")}, forcerm=True, **options
        )
    (place / "context.tar").unlink()
    yield name
    engine.images.remove(name, force=True)


@pytest.fixture(scope="module")
def lab(engine, image):
    """A container in which JupyterLab answers."""
    with Container(engine, image, ready="/api", mem_limit="3g", cap_drop=["ALL"]) as started:
        yield started


def inside(lab, *command: str) -> str:
    """What a command prints in the container; it has to end well."""
    status, output = lab.container.exec_run(list(command))
    text = output.decode(errors="replace")
    assert status == 0, text[-3000:]
    return text


@pytest.mark.thorough
@pytest.mark.timeout(1200)
def test_jupyterlab_opens_the_tour_for_whoever_has_the_token(lab):
    token = re.search(r"[?&]token=(\w+)", lab.container.logs().decode())[1]
    tour = "/api/contents/work/notebooks/00_tour.ipynb?content=0"
    with httpx2.Client(base_url=lab.url, trust_env=False, timeout=60) as client:
        assert client.get(tour).status_code == 403
        answer = client.get(tour, headers={"Authorization": f"token {token}"})
        assert answer.json()["type"] == "notebook" and answer.json()["writable"]
        page = client.get(f"/lab/workspaces/course/tree/work/notebooks/00_tour.ipynb?token={token}")
        assert page.status_code == 200 and "JupyterLab" in page.text


@pytest.mark.thorough
@pytest.mark.timeout(1200)
def test_the_doctor_a_lesson_and_tests_of_the_package_are_well_inside(engine, image, lab):
    assert inside(lab, "id", "-u").strip() == "1000"
    assert "problem" not in inside(lab, "fsdl-course", "doctor")
    packages = locked_versions(ROOT / "requirements.lock")
    asked = "import importlib.metadata as m; print(m.version('onnxruntime'), m.version('torch'))"
    assert inside(lab, "python", "-c", asked).split() == [
        packages["onnxruntime"],
        f"{sources.locked_torch()[0]}+cpu",
    ]
    lesson = ["notebooks/00_tour.ipynb", "--nbval-lax", "--nbval-sanitize-with", "tests/nbval_sanitize.cfg"]
    tests = [f"tests/{name}" for name in TESTS]
    printed = inside(lab, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *lesson, *tests)
    assert re.search(r"^\d+ passed", printed.splitlines()[-1])
    assert engine.images.get(image).attrs["Size"] < 2.7e9  # 2.2 GB on amd64


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_answers_outlive_the_container(engine, image):
    volume = engine.volumes.create()
    try:
        mounts = {volume.name: {"bind": "/course/work", "mode": "rw"}}
        for command in ("touch work/mine", "ls work/mine"):
            assert engine.containers.run(image, command, volumes=mounts, remove=True) is not None
    finally:
        volume.remove(force=True)
