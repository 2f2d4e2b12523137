import sys

import numpy as np
import pytest

from fsdl_course.packaging.environments import Environments, read_in_node
from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.packaging.onnx_versions import write_lowest_ir
from fsdl_deploy.picture import encode


@pytest.fixture
def environments(tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for place, card in enumerate(cards(3, seed=6)):
        (inbox / f"{place:04}.jpg").write_bytes(encode(card.image, quality=85))
    return Environments(inbox)


def test_a_program_gets_its_settings_and_its_folder_is_left_out(environments):
    folder = environments.program.parent
    words = "import os, sys; sys.exit(os.environ['WORD'] + ' ' + sys.argv[1])"
    process = environments.call("core", "-c", words, environments.program, WORD="hello")
    assert process.returncode == 1 and process.stderr == "hello read_cards.py\n"
    assert environments.pythons == {"core": sys.executable} and folder.name == "older"


def test_the_cards_are_read_with_the_models_that_are_named(environments, tmp_path):
    usual = environments.read("core", "v2", save=tmp_path / "a" / "seen")
    assert len(usual["digits"]) == len(usual["confidence"]) == 3 and usual["log"] == ""
    assert [path.name for path in sorted((tmp_path / "a" / "seen").iterdir())] == [
        "0000.png", "0001.png", "0002.png"]  # fmt: skip
    environments.models = write_lowest_ir(["v1"], tmp_path / "models")
    with pytest.raises(RuntimeError, match=r"failed in the environment core: .*no model file v2\.onnx"):
        environments.read("core", "v2")
    assert environments.read("core", "v1")["confidence"] != usual["confidence"]


def test_node_that_fails_says_why_in_a_sentence(environments, tmp_path):
    node, images = ensure("node"), [np.full((8, 8), 200, np.uint8)]
    with pytest.raises(RuntimeError, match=r"failed in Node\.js: .*no such file.*"):
        read_in_node(node, images, tmp_path / "v9.onnx")
