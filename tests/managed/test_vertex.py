"""Google's own two programs: its model server runs our reader, its REST client asks that and our service."""

import json
import subprocess
from pathlib import Path

import httpx2
import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running import stations
from fsdl_deploy.running.course_servers import course_server
from fsdl_deploy.running.servers import Server

FOLDER = ROOT / "infra" / "managed" / "vertex"
SETTINGS = stations.settings(FOLDER / "local.env")
ENDPOINT = SETTINGS["AIP_PREDICT_ROUTE"].removeprefix("/v1/").removesuffix(":predict")


@pytest.fixture(scope="module")
def python() -> Path:
    return ensure("vertex")


@pytest.fixture(scope="module")
def googles_server(python):
    app = "google.cloud.aiplatform.prediction.model_server:CprModelServer"
    command = [python, "-m", "uvicorn", "--factory", app, "--host", "127.0.0.1", "--port", "{port}"]
    ready = SETTINGS["AIP_HEALTH_ROUTE"]
    with Server(command, ready=ready, env=SETTINGS, cwd=FOLDER, timeout=180) as server:
        yield server


@pytest.fixture(scope="module")
def our_service():
    with course_server("serve") as server:
        yield server


@pytest.mark.thorough
def test_googles_client_gets_the_readers_answers(googles_server, our_service, python, tmp_path):
    images = [card.image for card in cards(5, seed=8)]
    for place, image in enumerate(images):
        (tmp_path / f"{place}.png").write_bytes(encode(image))
    theirs, ours = (server.url.removeprefix("http://") for server in (googles_server, our_service))
    process = subprocess.run(
        [python, FOLDER / "client.py", tmp_path, "0", ENDPOINT, theirs, ours],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    answers = json.loads(process.stdout)
    expected = [[reading.digits, reading.confidence] for reading in open_reader().read(images)]
    assert answers["readings"] == {theirs: expected, ours: expected}
    refused = {host: refusal["no picture"] for host, refusal in answers["refused"].items()}
    assert all(refusal.startswith("422") for refusal in refused.values())
    # Google's server words an error as its web framework does, and Google's client cannot read that.
    assert "unknown error" in refused[theirs] and "unknown error" not in refused[ours]
    assert "instances[0]: the bytes are not a picture" in refused[ours]


@pytest.mark.thorough
@pytest.mark.parametrize("body", [{}, [], {"instances": []}, {"instances": "abc"}, {"instances": ["abc"]}])
def test_a_bad_body_is_not_the_servers_fault(googles_server, body):
    answer = httpx2.post(googles_server.url + SETTINGS["AIP_PREDICT_ROUTE"], json=body, trust_env=False)
    assert answer.status_code == 422 and "instances" in answer.text, answer.text
