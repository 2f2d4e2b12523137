"""SageMaker's own toolkit and model server around our four functions."""

import base64
import json
import tempfile
from pathlib import Path

import httpx2
import pytest
from sockets import listening

from fsdl_course.setup.stations import ensure
from fsdl_deploy.cards import cards
from fsdl_deploy.managed.sagemaker_toolkit import STATION, lacks, toolkit
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running import stations

CARDS = list(cards(3, seed=8))
PICTURES = [encode(card.image) for card in CARDS]


@pytest.fixture(scope="module")
def server():
    ensure(STATION)
    if sentence := lacks():
        pytest.skip(sentence)
    with toolkit() as running:
        yield running


def ask(server, body, kind):
    head = {"Content-Type": kind}
    return httpx2.post(f"{server.url}/invocations", content=body, headers=head, timeout=60, trust_env=False)


def test_the_toolkits_answers_are_the_readers(server):
    expected = [reading.digits for reading in open_reader().read([card.image for card in CARDS])]
    alone = ask(server, PICTURES[0], "image/png")
    assert alone.status_code == 200 and alone.json()["predictions"][0]["digits"] == expected[0]
    several = {"instances": [{"in0": base64.b64encode(picture).decode()} for picture in PICTURES]}
    answer = ask(server, json.dumps(several), "application/json")
    assert [reading["digits"] for reading in answer.json()["predictions"]] == expected
    assert httpx2.get(f"{server.url}/ping", trust_env=False).status_code == 200


@pytest.mark.parametrize(
    "body, kind",
    [
        (b"no picture", "image/png"),
        (b"", "application/octet-stream"),
        (b"{}", "application/json"),
        (b"[1]", "application/json"),
        (b'{"instances": [{"in0": 5}]}', "application/json"),
        (b"not JSON", "application/json"),
    ],
)
def test_what_is_no_picture_is_the_callers_fault(server, body, kind):
    answer = ask(server, body, kind)
    assert answer.status_code == 422 and answer.text.startswith("no picture"), answer.text


def test_it_listens_on_the_loopback_only_and_leaves_nothing(server):
    open_at = listening(server.pid)
    assert open_at and open_at <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert not Path("/etc/sagemaker-mms.properties").exists()
    assert not (Path(tempfile.gettempdir()) / ".model_server.pid").exists()


def test_without_java_it_says_so(monkeypatch, tmp_path):
    ensure(STATION)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert lacks() == stations.NO_JAVA
    with pytest.raises(stations.StationError, match="No Java"), toolkit():
        pass
