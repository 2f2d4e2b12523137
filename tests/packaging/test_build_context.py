"""What reaches an image: a change in fsdl_course, a lesson or a test leaves files and layers alone."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from docker.utils import build as docker_build

from fsdl_deploy.packaging.build_context import DOCKER, PLACES, tool_context
from fsdl_deploy.packaging.layers import build
from fsdl_deploy.paths import ROOT
from fsdl_deploy.running.stations import station

SPACE = "infra/prototype/huggingface-space"
CODE = "fsdl_deploy/service/app.py"
PACK = """
import sys
from pathlib import Path
import fsdl_deploy
from fsdl_deploy.packaging.build_context import PLACES, docker_context, tool_context

course, out = map(Path, sys.argv[1:])
assert Path(fsdl_deploy.__file__).is_relative_to(course)
for tool in PLACES:
    tool_context(tool, out / tool)
docker_context(out / "lesson on Docker")
"""
COURSE = ("README.md", "fsdl_course", "labs", "notebooks", "solutions", "tests")
SHIPPED = (".dockerignore", "fsdl_deploy", "infra", "models")


@pytest.fixture
def course(tmp_path) -> Path:
    """A copy of the course that a test may change; without the wheels of the image."""
    copy = tmp_path / "course"
    ignore = shutil.ignore_patterns("__pycache__", "*.whl", "*.ipynb", "node_modules")
    for name in (*COURSE, *SHIPPED):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=ignore)
        else:
            copy.mkdir(exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    return copy


def change_the_course(course: Path) -> None:
    """One more line in a file of each part that is not shipped, and one more file."""
    for name in COURSE:
        files = [course / name] if (course / name).is_file() else sorted((course / name).rglob("*.py"))
        with files[0].open("a", encoding="utf-8") as file:
            file.write("\n# changed\n")
        if (course / name).is_dir():
            (course / name / "one_more.py").write_text("import fsdl_deploy\n")


def sent_to_engine(course: Path) -> dict[str, Path]:
    """All files that the engine gets, as ``.dockerignore`` says, by their names."""
    lines = (course / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    names = docker_build.exclude_paths(str(course), patterns)
    return {Path(name).as_posix(): course / name for name in names if (course / name).is_file()}


def contents(course: Path, out: Path) -> dict[str, dict[str, str]]:
    """By who gets them: the names of the files and their sums."""
    environ = os.environ | {"PYTHONPATH": str(course), "PYTHONDONTWRITEBYTECODE": "1"}
    for program in (["-c", PACK, course, out], [course / SPACE / "assemble.py", out / "Space"]):
        command = [sys.executable, *program]
        subprocess.run(command, env=environ, cwd=out.parent, check=True, stdout=subprocess.DEVNULL)
    files = {"engine": sent_to_engine(course)}
    for folder in out.iterdir():
        paths = [path for path in folder.rglob("*") if path.is_file()]
        files[folder.name] = {path.relative_to(folder).as_posix(): path for path in paths}
    return {
        place: {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in named.items()}
        for place, named in files.items()
    }


def test_only_what_the_image_needs_is_sent_to_the_engine():
    files = set(map(Path, sent_to_engine(ROOT)))
    assert {Path("fsdl_deploy/service/app.py"), Path("models/v2.onnx")} <= files
    allowed = ("fsdl_deploy", "infra/docker", "models/SHA256SUMS", "models/v2.onnx")
    outside = {name for name in files if not name.as_posix().startswith(allowed)}
    assert {name.name for name in outside} <= {".dockerignore", "Dockerfile"}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DOCKER / "Dockerfile").read_text(), re.M)
    for name in " ".join(copied).split():
        assert any(file == Path(name) or Path(name) in file.parents for file in files), name


def test_a_change_in_the_course_reaches_no_image_and_one_in_fsdl_deploy_each(course, tmp_path):
    before = contents(course, tmp_path / "before")
    assert set(before) == {*PLACES, "engine", "lesson on Docker", "Space"}
    for place, files in before.items():
        assert {"fsdl_course", "notebooks", "solutions", "labs", "tests"}.isdisjoint(
            part for name in files for part in Path(name).parts
        ), place
    change_the_course(course)
    assert contents(course, tmp_path / "same") == before
    with (course / CODE).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    after = contents(course, tmp_path / "after")
    for place, files in before.items():
        changed = {name for name, _ in files.items() ^ after[place].items()}
        assert changed == {("packages/" if place == "truss" else "") + CODE}, place


def test_the_cluster_gets_the_package_the_models_and_its_own_folder():
    folder = station("ray").folder
    mounts = yaml.safe_load((folder / "cluster.yaml").read_text())["file_mounts"]
    assert set(mounts.values()) == {"fsdl_deploy", "models", folder.relative_to(ROOT).as_posix()}


def test_only_a_tool_that_is_known_packs_and_only_into_an_empty_folder(tmp_path):
    with pytest.raises(ValueError, match="the tools are cog, bentoml, truss"):
        tool_context("docker", tmp_path)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not empty"):
        tool_context("cog", tmp_path)
    assert os.listdir(tmp_path) == ["thesis.txt"]


@pytest.mark.timeout(900)
def test_a_change_in_the_course_keeps_every_layer(engine, course):
    shutil.copytree(DOCKER / "wheels", course / "infra" / "docker" / "wheels", dirs_exist_ok=True)

    def rebuilt() -> list[str]:
        """The instructions whose layers the engine had to make; ARG and FROM make none."""
        steps = build(engine, "meter-reader:context", course)
        instructions = [step.instruction for step in steps if not step.cached]
        return [instruction for instruction in instructions if not instruction.startswith(("ARG", "FROM"))]

    try:
        rebuilt()
        change_the_course(course)
        assert rebuilt() == []
        with (course / CODE).open("a", encoding="utf-8") as file:
            file.write(f"# changed in {course}\n")  # else the engine may know it from last time
        assert rebuilt()[0] == "COPY fsdl_deploy fsdl_deploy"
    finally:
        engine.images.remove("meter-reader:context", force=True)
