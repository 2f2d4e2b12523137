"""The environment of 2024 gives the core's answers with the core's models; where it does not, it is known."""

import json
import os
import subprocess
import sys

import onnx
import pytest

from fsdl_deploy import stations, weights
from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader

PROGRAM = stations.station("older").folder / "read_cards.py"
READ_ALL = """
import json, sys
from pathlib import Path
from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader

images = [decode(path.read_bytes()) for path in sorted(Path(sys.argv[1]).glob("*.png"))]
read = {version: OnnxReader(version).read(images) for version in sys.argv[2:]}
print(json.dumps({version: [[one.digits, one.confidence] for one in said] for version, said in read.items()}))
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The course's models, each in the lowest version of the format that holds it."""
    folder = tmp_path_factory.mktemp("models")
    for version in weights.VERSIONS:
        graph = onnx.load_from_string(weights.verified(f"{version}.onnx"))
        graph.ir_version = onnx.helper.find_min_ir_version_for(graph.opset_import)
        onnx.checker.check_model(graph, full_check=True)
        (folder / f"{version}.onnx").write_bytes(graph.SerializeToString())
    weights.write_sums(folder)
    return folder


@pytest.fixture
def run(models):
    def call(python, *words):
        environ = os.environ | {"FSDL_MODELS": str(models)}
        return subprocess.run(
            [python, *map(str, words)], capture_output=True, text=True, env=environ, timeout=120
        )

    return call


def test_every_model_reads_the_same_in_the_older_runtime(run, tmp_path):
    images = [card.image for level in ("typical", "hard") for card in cards(8, level, seed=2)]
    for place, image in enumerate(images):
        (tmp_path / f"{place:02}.png").write_bytes(encode(image))
    done = run(stations.ensure("older"), "-c", READ_ALL, tmp_path, *weights.VERSIONS)
    assert done.returncode == 0, done.stderr[-3000:]
    for version, readings in json.loads(done.stdout).items():
        for (digits, confidence), ours in zip(readings, open_reader(version).read(images), strict=True):
            assert digits == ours.digits
            assert confidence == pytest.approx(ours.confidence, abs=1e-4)


def test_whiten_means_something_else_since_numpy_2(run, tmp_path):
    deck = list(cards(40, seed=6))
    for place, card in enumerate(deck):
        (tmp_path / f"{place:02}.jpg").write_bytes(encode(card.image, quality=85))
    right = {}
    for name, python in (("core", sys.executable), ("older", stations.ensure("older"))):
        done = run(python, PROGRAM, tmp_path, "v2", "--whiten")
        said = json.loads(done.stdout)
        right[name] = sum(one == card.truth for one, card in zip(said["digits"], deck, strict=True))
        assert ("overflow" in done.stderr) == (name == "core")
    assert right["older"] >= 32 and right["older"] - right["core"] >= 8, right


def test_a_folder_without_pictures_is_refused_in_a_sentence(run, tmp_path):
    done = run(sys.executable, PROGRAM, tmp_path, "v2")
    assert done.returncode == 1 and done.stderr.strip() == f"there are no .jpg files in {tmp_path}"
