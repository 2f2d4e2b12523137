"""Google's framework around our function: the reader's answers, clear refusals, events, its folder alone."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import ServerError
from fsdl_deploy.scaling import cloud_function

station = stations.station(cloud_function.STATION)
needs_station = pytest.mark.skipif(not station.built, reason=station.not_built())
CARDS = list(cards(4, "typical", seed=8))
REQUESTS = [{"picture": base64.b64encode(encode(card.image)).decode()} for card in CARDS]


@pytest.fixture(scope="module")
def web():
    with httpx2.Client(timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def server():
    with cloud_function.serve("read_card") as running:
        yield running


@pytest.fixture
def buckets(tmp_path):
    for name in ("cards", "readings"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def listener(buckets):
    with cloud_function.serve("arrived", BUCKETS=buckets) as running:
        yield running


@needs_station
def test_the_framework_gives_the_readers_answers(server, web):
    answers = [web.post(server.url, json=request) for request in REQUESTS]
    assert {answer.status_code for answer in answers} == {200}
    read = open_reader().read  # a card at a time, as they were asked
    readings = [read([card.image])[0] for card in CARDS]
    expected = [(reading.digits, reading.confidence) for reading in readings]
    assert [(answer.json()["digits"], answer.json()["confidence"]) for answer in answers] == expected


@needs_station
def test_a_bad_request_is_refused_and_its_field_named(server, web, bad_request):
    body, status, field = bad_request
    answer = web.post(server.url, content=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (status, field) and len(error["problem"]) > 8


@needs_station
@pytest.mark.parametrize("threads", [1, 3])
def test_an_instance_answers_as_many_at_once_as_it_has_threads(web, threads):
    patience = 0.5 if threads == 1 else 60  # alone nobody comes
    serving = cloud_function.serve("meet", THREADS=threads, PATIENCE=patience)
    with serving as instance, ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(lambda _: web.post(instance.url, content="3").json()["here"], range(3)))
    assert max(counts) == threads


def send(web, listener, name, bucket="cards") -> int:
    headers, event = cloud_function.arrival(bucket, name)
    return web.post(listener.url, headers=headers, json=event).status_code


@needs_station
def test_a_picture_that_arrives_is_read_once_however_often_its_event_comes(listener, buckets, web):
    (buckets / "cards" / "one.png").write_bytes(encode(CARDS[0].image))
    assert [send(web, listener, "one.png") for _ in range(2)] == [200, 200]
    (stored,) = (buckets / "readings").iterdir()
    (reading,) = open_reader().read([CARDS[0].image])
    assert stored.name == "one.png.json"
    assert json.loads(stored.read_text()) == {"digits": reading.digits, "confidence": reading.confidence}
    lines = [json.loads(line) for line in listener.log().splitlines() if line.startswith("{")]
    assert [(line["severity"], line["digits"]) for line in lines] == [("INFO", reading.digits)] * 2


@needs_station
def test_what_another_try_cannot_cure_is_logged_and_the_rest_is_an_error(listener, buckets, web):
    (buckets / "cards" / "letter.png").write_text("Dear utility")
    assert send(web, listener, "letter.png") == 200
    assert '"severity": "ERROR"' in listener.log() and not list((buckets / "readings").iterdir())
    assert send(web, listener, "not there.png") == 500
    (buckets / "secret").write_bytes(encode(CARDS[0].image))
    assert send(web, listener, "../secret") == 500, "an object is in its bucket"
    assert not list((buckets / "readings").iterdir())
    assert web.post(listener.url, json={"name": "one.png"}).status_code == 400, "no event"


@needs_station
def test_the_uploaded_folder_has_all_that_the_function_needs_and_no_more(tmp_path, web):
    folder = cloud_function.source(tmp_path)
    names = {path.name for path in folder.iterdir()}
    assert names == {"main.py", "requirements.txt", "fsdl_deploy", "models"}
    with cloud_function.serve("read_card", folder) as own:
        assert web.post(own.url, json=REQUESTS[0]).status_code == 200
    (folder / "models" / "v2.onnx").unlink()
    with pytest.raises(ServerError, match=r"v2\.onnx"):
        cloud_function.serve("read_card", folder).start()


def test_the_folders_requirements_are_locked(tmp_path):
    lines = (cloud_function.source(tmp_path) / "requirements.txt").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith(("#", " "))]
    assert all("==" in line for line in packages) and sum("--hash=sha256:" in line for line in lines) >= len(
        packages
    )
    assert any(line.startswith("functions-framework==") for line in packages)


def test_an_event_has_what_a_cloud_event_must_have():
    headers, body = cloud_function.arrival("cards", "one.png")
    again, _ = cloud_function.arrival("cards", "one.png")
    assert {"ce-specversion", "ce-id", "ce-type", "ce-source"} <= headers.keys()
    assert headers["ce-id"] != again["ce-id"] and body == {"bucket": "cards", "name": "one.png"}
