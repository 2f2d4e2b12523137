"""BentoML: the reader behind its server, bad input, and whether the bento can do without the course."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
import yaml
from packed import locked, read_without_the_course

from fsdl_course.serving.libraries import libraries
from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.packaging.build_context import tool_context
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running.servers import Server


@pytest.fixture(scope="module")
def environ(tmp_path_factory) -> dict[str, str]:
    return {"BENTOML_HOME": str(tmp_path_factory.mktemp("store")), "BENTOML_DO_NOT_TRACK": "True"}


@pytest.fixture(scope="module")
def bento(tmp_path_factory, environ) -> Path:
    folder = tool_context("bentoml", tmp_path_factory.mktemp("bentoml"))
    command = [ensure("bentoml"), "-m", "bentoml", "build", "--version", "v2"]
    process = subprocess.run(command, cwd=folder, env=os.environ | environ, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr[-3000:]
    return Path(environ["BENTOML_HOME"]) / "bentos" / "meter-reader" / "v2"


@pytest.fixture(scope="module")
def client(bento, environ):
    # The bento by its name, as the container serves it; the notebook serves the folder it was made from.
    command = [ensure("bentoml"), "-m", "bentoml", "serve", "meter-reader:v2", "--host", "127.0.0.1"]
    with (
        Server([*command, "--port", "{port}"], ready="/readyz", env=environ, timeout=180) as server,
        httpx2.Client(base_url=server.url, trust_env=False, timeout=30) as client,
    ):
        yield client


@pytest.mark.thorough
def test_the_answers_are_the_readers(client):
    images = [card.image for card in cards(5, "hard", seed=8)]
    for image, reading in zip(images, open_reader().read(images), strict=True):
        fields = {"threshold": reading.confidence + 1e-4}
        answer = client.post("/read", files={"picture": encode(image)}, data=fields).json()
        assert answer.pop("confidence") == pytest.approx(reading.confidence, rel=1e-5)
        assert answer == {"digits": reading.digits, "by_hand": True, "model_version": "v2"}


@pytest.mark.thorough
def test_bad_input_is_the_callers_fault(client):
    card = encode(next(cards(1)).image)
    for what in (
        {"files": {"picture": card}, "data": {"threshold": -0.1}},
        {"files": {"picture": card}, "data": {"threshold": "nan"}},
        {"files": {"picture": b""}},
        {"files": {"picture": card[:-200]}},
        {"data": {"threshold": 0.5}},
        {"json": {"picture": 7}},
        {"json": []},
        {"content": b"\xff", "headers": {"content-type": "application/json"}},
    ):
        answer = client.post("/read", **what)
        assert answer.status_code == 400 and "error" in answer.text, (what, answer.text)


@pytest.mark.thorough
def test_the_bento_holds_what_was_tried(bento, tmp_path):
    named = (bento / "env" / "python" / "requirements.txt").read_text().split()
    assert len(named) == 4 and set(named) <= locked("bentoml")
    assert yaml.safe_load((bento / "bento.yaml").read_text())["image"]["base_image"] == "python:3.11-slim"
    assert {path.name for path in (bento / "src").iterdir()} == {
        "bentofile.yaml",
        "fsdl_deploy",
        "models",
        "service.py",
    }
    card = next(cards(1, seed=5)).image
    (tmp_path / "card.png").write_bytes(encode(card))
    digits = read_without_the_course("bentoml", bento / "src", tmp_path / "card.png")
    assert digits == open_reader().read([card])[0].digits


@pytest.mark.thorough
def test_a_batch_gives_each_caller_their_own_answer():
    images = [card.image for card in cards(12, "hard", seed=8)]
    pictures = [encode(image) for image in images]
    pictures[5:5] = [b"no picture"]
    library = libraries()["bentoml"]

    def ask(picture):
        body, headers = library.request(picture)
        return web.post(library.path, content=body, headers=headers)

    with (
        library.server(max_batch=8) as server,
        httpx2.Client(base_url=server.url, timeout=30) as web,
        ThreadPoolExecutor(len(pictures)) as pool,
    ):
        for _ in range(3):  # it learns from the first few how long to wait
            answers = list(pool.map(ask, pictures))
        assert [answer.status_code for answer in answers] == [200] * 5 + [400] + [200] * 7
        assert "not a picture" in answers[5].text
        good = [answer for answer in answers if answer.status_code == 200]
        assert 1 < max(answer.json()[0]["batch"] for answer in good) <= 8
        assert [library.digits(answer.content) for answer in good] == [
            reading.digits for reading in open_reader().read(images)
        ]
    assert not server.running
