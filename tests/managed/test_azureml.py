"""Azure Machine Learning's own server runs our reader, and gives the answers of our service."""

import base64

import httpx2
import pytest

from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running.servers import Server

FOLDER = ROOT / "infra" / "managed" / "azureml"
APP = "azureml_inference_server_http.server.entry:app"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    # Its own command listens on every interface; this is the same application under the same gunicorn.
    words = ["--bind", "127.0.0.1:{port}", "--no-control-socket", APP]
    command = [ensure("azureml"), "-m", "gunicorn", *words]
    settings = {
        "AML_APP_ROOT": str(FOLDER),
        "AZUREML_ENTRY_SCRIPT": "score.py",
    }
    folder = tmp_path_factory.mktemp("azureml")
    with Server(command, ready="/", env=settings, timeout=120, cwd=folder) as server:
        yield server


def score(server, body) -> httpx2.Response:
    return httpx2.post(server.url + "/score", json=body, trust_env=False, timeout=60)


def test_azures_server_gives_the_readers_answers(server):
    images = [card.image for card in cards(5, seed=8)]
    answer = score(server, {"data": [base64.b64encode(encode(image)).decode() for image in images]})
    assert answer.status_code == 200, answer.text
    expected = [(reading.digits, reading.confidence) for reading in open_reader().read(images)]
    assert [(reading["digits"], reading["confidence"]) for reading in answer.json()["readings"]] == expected
    assert answer.json()["model_version"] == "v2"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "data"),
        ([], "data"),
        ({"data": "abc"}, "data"),
        ({"data": []}, "data"),
        ({"data": ["bm8gcGljdHVyZQ=="]}, "data[0]"),
        ({"data": [5]}, "data[0]"),
    ],
)
def test_a_bad_request_is_not_the_servers_fault(server, body, field):
    answer = score(server, body)
    assert answer.status_code == 422 and answer.json()["error"]["field"] == field
