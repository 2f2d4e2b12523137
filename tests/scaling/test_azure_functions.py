"""The function app: indexed by Microsoft's package, called with its classes, refused when it has a slip."""

import base64
import json

import httpx2
import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running import stations
from fsdl_deploy.running.servers import ServerError
from fsdl_deploy.scaling import azure_function
from fsdl_deploy.scaling.azure_function import HEADER, RefusedApp

station = stations.station(azure_function.STATION)
needs_station = pytest.mark.skipif(not station.built, reason=station.not_built())
CARDS = list(cards(4, "typical", seed=8))
REQUESTS = [{"picture": base64.b64encode(encode(card.image)).decode()} for card in CARDS]
KEY = "a key"


@pytest.fixture(scope="module")
def server():
    with azure_function.serve(KEY) as running:
        yield running


@pytest.fixture(scope="module")
def web(server):
    with httpx2.Client(base_url=server.url, headers={HEADER: KEY}, timeout=60, trust_env=False) as client:
        yield client


@needs_station
def test_the_host_finds_both_functions_with_their_bindings():
    known = azure_function.index()
    bindings = {
        name: [(binding["type"], binding["direction"]) for binding in description["bindings"]]
        for name, description in known.items()
    }
    assert {name: sorted(values) for name, values in bindings.items()} == {
        "read_card": [("http", "OUT"), ("httpTrigger", "IN")],
        "arrived": [("blob", "OUT"), ("blobTrigger", "IN")],
    }
    trigger = next(binding for binding in known["read_card"]["bindings"] if binding["type"] == "httpTrigger")
    assert (trigger["route"], trigger["methods"], trigger["authLevel"]) == ("read", ["POST"], "FUNCTION")


@needs_station
def test_the_app_gives_the_readers_answers(web):
    answers = [web.post("/api/read", json=request) for request in REQUESTS]
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
    read = open_reader().read  # a card at a time, as they were asked
    readings = [read([card.image])[0] for card in CARDS]
    expected = [(reading.digits, reading.confidence) for reading in readings]
    assert [(answer.json()["digits"], answer.json()["confidence"]) for answer in answers] == expected


@needs_station
def test_a_bad_request_is_refused_and_its_field_named(web, bad_request):
    body, status, field = bad_request
    answer = web.post("/api/read", content=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (status, field) and len(error["problem"]) > 8


@needs_station
def test_route_method_and_key_are_the_hosts(server, web):
    assert web.post("/api/reed", json=REQUESTS[0]).status_code == 404
    assert web.post("/read", json=REQUESTS[0]).status_code == 404
    assert web.get("/api/read").status_code == 405
    for headers in ({}, {HEADER: "another"}):
        answer = httpx2.post(f"{server.url}/api/read", json=REQUESTS[0], headers=headers, trust_env=False)
        assert answer.status_code == 401 and not answer.content


@needs_station
def test_a_picture_that_arrives_is_stored_where_the_binding_says():
    (reading,) = open_reader().read([CARDS[0].image])
    stored = azure_function.deliver("cards/one.png", encode(CARDS[0].image))
    assert {path: json.loads(text) for path, text in stored.items()} == {
        "readings/one.png.json": {"digits": reading.digits, "confidence": reading.confidence}
    }
    assert azure_function.deliver("cards/letter.png", b"Dear utility") == {}
    assert azure_function.deliver("photos/one.png", encode(CARDS[0].image)) == {}
    assert azure_function.deliver("cards/deep/one.png", encode(CARDS[0].image)) == {}


@needs_station
@pytest.mark.parametrize("mutant", azure_function.mutants(), ids=lambda mutant: mutant.slip)
def test_a_broken_copy_is_refused_with_a_reason(mutant):
    assert len(azure_function.refusal(mutant) or "") > 20


@needs_station
def test_an_app_without_a_slip_is_taken_and_one_that_is_refused_does_not_start(tmp_path):
    assert azure_function.index(azure_function.copy(tmp_path / "whole"))
    broken = next(mutant for mutant in azure_function.mutants() if mutant.file == "host.json")
    app = broken.write(tmp_path / "broken")
    with pytest.raises(RefusedApp, match=r"host\.json"):
        azure_function.index(app)
    with pytest.raises(ServerError, match=r"host\.json"):
        azure_function.serve(KEY, app).start()


@needs_station
def test_an_exception_of_the_function_is_a_500_and_in_the_log(tmp_path):
    app = azure_function.copy(tmp_path)
    text = (app / "function_app.py").read_text()
    (app / "function_app.py").write_text(text.replace("serverless.respond(", "serverless.gone("))
    with azure_function.serve(KEY, app) as failing:
        answer = httpx2.post(
            f"{failing.url}/api/read", json=REQUESTS[0], headers={HEADER: KEY}, trust_env=False
        )
        assert answer.status_code == 500 and not answer.content and "gone" in failing.log()


def test_a_mutant_that_fits_nowhere_is_an_error(tmp_path):
    mutant = azure_function.BrokenApp("nothing", "host.json", "not there", "")
    with pytest.raises(ValueError, match=r"host\.json holds .* not once"):
        mutant.write(tmp_path)


def test_each_mutant_changes_its_file(tmp_path):
    whole = azure_function.copy(tmp_path / "whole")
    for number, mutant in enumerate(azure_function.mutants()):
        changed = mutant.write(tmp_path / str(number))
        assert (changed / mutant.file).read_text() != (whole / mutant.file).read_text()
