"""The Hugging Face Space: its header is what the site expects, and its folder runs on its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode
from fsdl_deploy.running.servers import Server

SPACE = ROOT / "infra" / "prototype" / "huggingface-space"
ASSEMBLE = [sys.executable, SPACE / "assemble.py"]
# https://huggingface.co/docs/hub/spaces-config-reference
COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@pytest.fixture(scope="module")
def space(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("huggingface") / "space"
    process = subprocess.run([*ASSEMBLE, out], capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stderr
    return out


def locked(package: str) -> str:
    """The version that the course's lock holds for Python 3.11."""
    versions = re.findall(
        rf"^{package}==([\w.]+)(.*)$", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    )
    return next(version for version, marker in versions if ">= '3.12'" not in marker)


def header() -> dict:
    _, front, _ = (SPACE / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front)


def test_header_is_a_spaces_configuration():
    settings = header()
    assert settings["sdk"] == "gradio" and settings["title"] and len(settings["short_description"]) <= 60
    assert {settings["colorFrom"], settings["colorTo"]} <= COLORS
    assert (SPACE / settings["app_file"]).is_file()
    assert settings["python_version"] == "3.11" and isinstance(settings["python_version"], str)
    assert len(settings["emoji"]) <= 2 and not settings["emoji"].isascii()


def test_space_uses_the_versions_of_the_lock():
    assert header()["sdk_version"] == locked("gradio")
    lines = [
        line for line in (SPACE / "requirements.txt").read_text().splitlines() if not line.startswith("#")
    ]
    assert lines and all(line == f"{line.split('==')[0]}=={locked(line.split('==')[0])}" for line in lines)


def test_space_asks_for_every_package_its_modules_import(space):
    """Imports are followed from app.py, those at the top of a module and those inside its functions."""
    script = """
import sys
sys.path[:0] = [sys.argv[1]]
sys.modules["torch"] = sys.modules["mlxtend"] = None  # as on the Space: importing them fails
import runpy
runpy.run_path(sys.argv[1] + "/app.py")
from fsdl_deploy.prototype import gradio_page
from fsdl_deploy.picture import decode
from fsdl_deploy.reader import open_reader
from pathlib import Path
images = [decode(path.read_bytes()) for path in sorted(Path(sys.argv[1]).glob("examples/*.png"))]
assert len(images) == 4
print(gradio_page.__file__, *[reading.digits for reading in open_reader().read(images)])
"""
    process = subprocess.run(
        [sys.executable, "-c", script, space], cwd=space, capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 0, process.stderr
    home, *digits = process.stdout.split()
    assert Path(home).is_relative_to(space) and len(digits) == 4


def test_space_answers_as_the_host_starts_it(space, tmp_path):
    from gradio_client import Client, handle_file

    from fsdl_deploy.cards import cards
    from fsdl_deploy.reader import open_reader

    card = next(iter(cards(1, level="clean", split="test", seed=3)))
    (tmp_path / "card.png").write_bytes(encode(card.image))
    host = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": "{port}", "FSDL_MODELS": ""}
    host["GRADIO_TEMP_DIR"] = str(tmp_path / "uploads")
    with Server([sys.executable, "app.py"], ready="/", env=host, cwd=space, name="space") as server:
        answer = Client(server.url, verbose=False).predict(
            handle_file(str(tmp_path / "card.png")), api_name="/read"
        )
    assert answer["model_version"] == "v2"
    assert answer["digits"] == open_reader().read([card.image])[0].digits


def test_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    process = subprocess.run([*ASSEMBLE, tmp_path], capture_output=True, text=True, timeout=60)
    assert process.returncode == 1 and "is not empty" in process.stderr
    assert os.listdir(tmp_path) == ["thesis.txt"]
