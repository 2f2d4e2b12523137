"""Truss: the reader behind the server of its context, bad input, and what the context holds."""

import base64
import os
import re
import subprocess
from pathlib import Path

import httpx2
import pytest
from packed import locked, read_without_the_course

from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.packaging.build_context import tool_context
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running.no_reports import truss_settings
from fsdl_deploy.running.servers import Server
from fsdl_deploy.running.stations import station

PREDICT = "/v1/models/model:predict"


@pytest.fixture(scope="module")
def context(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("truss")
    packed = tool_context("truss", folder / "packed")
    command = [ensure("truss").with_name("truss"), "--non-interactive", "image", "build-context"]
    process = subprocess.run(
        [*command, folder / "context", packed],
        env=os.environ | truss_settings(folder), capture_output=True, text=True,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]
    return folder / "context"


@pytest.fixture(scope="module")
def client(context):
    command = [ensure("truss"), station("truss").folder / "local.py", context, "{port}"]
    with (
        Server(command, ready="/v1/models/model", name="Truss", timeout=120) as server,
        httpx2.Client(base_url=server.url, trust_env=False, timeout=30) as client,
    ):
        yield client


def text_of(image) -> str:
    return base64.b64encode(encode(image)).decode()


@pytest.mark.thorough
def test_the_answers_are_the_readers(client):
    images = [card.image for card in cards(5, "hard", seed=8)]
    for image, reading in zip(images, open_reader().read(images), strict=True):
        question = {"picture": text_of(image), "threshold": reading.confidence + 1e-4}
        answer = client.post(PREDICT, json=question).json()
        assert answer.pop("confidence") == pytest.approx(reading.confidence, rel=1e-5)
        assert answer == {"digits": reading.digits, "by_hand": True, "model_version": "v2"}


@pytest.mark.thorough
def test_bad_input_is_the_callers_fault(client):
    card = text_of(next(cards(1)).image)
    for status, field, question in (
        (400, "threshold", {"picture": card, "threshold": -0.1}),
        (400, "threshold", {"picture": card, "threshold": None}),
        (400, "picture", {"threshold": 0.5}),
        (400, "picture", {"picture": 7}),
        (422, "picture", {"picture": ""}),
        (422, "picture", {"picture": card[:-200]}),
        (422, "picture", {"picture": card + "!"}),
        (400, "", []),
    ):
        answer = client.post(PREDICT, json=question)
        assert answer.status_code == status and field in answer.text, (question, answer.text)
    assert client.post(PREDICT, content=b"{").status_code == 400


@pytest.mark.thorough
def test_the_context_holds_what_was_tried(context, tmp_path):
    lines = (context / "requirements.txt").read_text().splitlines()
    assert len(set(lines[-3:])) == 3 and set(lines[-3:]) <= locked("truss")
    names = {pin.partition("==")[0] for pin in locked("truss")}
    # The server was tried here without these: it does not import them.
    unused = {"aiocontextvars", "aiohttp", "cython", "joblib"}
    required = {re.match(r"[\w-]+", line)[0] for line in lines if re.match(r"\w", line)}
    assert required - unused <= names
    assert {path.name for path in (context / "packages").iterdir()} == {"fsdl_deploy", "models"}
    card = next(cards(1, seed=5)).image
    (tmp_path / "card.png").write_bytes(encode(card))
    digits = read_without_the_course("truss", context / "packages", tmp_path / "card.png")
    assert digits == open_reader().read([card])[0].digits
