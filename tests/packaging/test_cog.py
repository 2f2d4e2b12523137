"""Cog: the reader behind its server, bad input with the schema, and whether the two files say the same."""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx2
import pytest
import yaml
from packed import locked, read_without_the_course

from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.packaging.build_context import tool_context
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running.servers import Server

KEPT = Path("/tmp/coglet/predictions")  # Cog leaves an empty folder of each request there
INPUTS = """
import inspect, json, run
inputs = {name: parameter.default for name, parameter in inspect.signature(run.Runner.run).parameters.items()}
del inputs["self"]
print(json.dumps({name: [limits.default, limits.ge, limits.le] for name, limits in inputs.items()}))
"""


def data_uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Path:
    folder = tool_context("cog", tmp_path_factory.mktemp("cog"))
    (folder / ".cog").mkdir()  # as the Dockerfile does
    shutil.copyfile(folder / "openapi_schema.json", folder / ".cog" / "openapi_schema.json")
    return folder


@pytest.fixture(scope="module")
def ask(packed):
    python, names = ensure("cog"), []
    env = {"PORT": "{port}", "COG_PREDICT_TYPE_STUB": "run.py:Runner"}
    env["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    command = [python, "-m", "cog.server.http", "--host", "127.0.0.1"]
    with httpx2.Client(trust_env=False, timeout=30) as client:

        def ready(server) -> bool:
            return client.get(server.url + "/health-check").json()["status"] == "READY"

        def post(**given) -> httpx2.Response:
            # The worker is free a moment after its answer has left; until then it is 409.
            while (answer := client.post(f"{server.url}/predictions", json={"input": given})).is_error:
                if answer.status_code != 409:
                    return answer
            names.append(answer.json()["id"])
            return answer

        with Server(command, ready=ready, env=env, cwd=packed, timeout=120) as server:
            yield post
    for name in names:
        shutil.rmtree(KEPT / name, ignore_errors=True)


def test_the_answers_are_the_readers(ask):
    images = [card.image for card in cards(5, "hard", seed=8)]
    for image, reading in zip(images, open_reader().read(images), strict=True):
        answer = ask(picture=data_uri(encode(image)), threshold=reading.confidence + 1e-4).json()
        assert answer["status"] == "succeeded"
        assert answer["output"].pop("confidence") == pytest.approx(reading.confidence, rel=1e-5)
        assert answer["output"] == {"digits": reading.digits, "by_hand": True, "model_version": "v2"}


def test_bad_input_is_named(ask):
    card = data_uri(encode(next(cards(1)).image))
    for given, field in (
        ({"picture": card, "threshold": -0.1}, "threshold"),
        ({"picture": card, "threshold": None}, "threshold"),
        ({"threshold": 0.5}, "picture"),
        ({"picture": 7}, "picture"),
    ):
        answer = ask(**given)
        assert answer.status_code == 422 and answer.json()["detail"][0]["loc"][-1] == field, answer.text
    failed = ask(picture=data_uri(b"no picture")).json()
    assert failed["status"] == "failed" and "the bytes are not a picture" in failed["error"]


def test_schema_and_class_agree(packed):
    process = subprocess.run(
        [ensure("cog"), "-c", INPUTS], cwd=packed, capture_output=True, text=True, check=True
    )
    inputs = json.loads((packed / "openapi_schema.json").read_text())["components"]["schemas"]["Input"]
    limits = {
        name: [about.get("default"), about.get("minimum"), about.get("maximum")]
        for name, about in inputs["properties"].items()
    }
    assert json.loads(process.stdout) == limits
    assert inputs["required"] == [name for name, (default, *_) in limits.items() if default is None]


def test_the_image_holds_what_was_tried(packed, tmp_path):
    requirements = (packed / "requirements.txt").read_text().split()
    requirements += re.findall(r"cog==\S+", (packed / "Dockerfile").read_text())
    assert len(requirements) == 4 and set(requirements) <= locked("cog")
    assert yaml.safe_load((packed / "cog.yaml").read_text())["build"] == {
        "python_version": "3.11",
        "python_requirements": "requirements.txt",
    }
    card = next(cards(1, seed=5)).image
    (tmp_path / "card.png").write_bytes(encode(card))
    digits = read_without_the_course("cog", packed, tmp_path / "card.png")
    assert digits == open_reader().read([card])[0].digits
