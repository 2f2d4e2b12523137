"""The answer log: what was read, by request, for whoever compares two versions."""

import base64
import io
import json

import pytest
from starlette.testclient import TestClient

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reading import Reading
from fsdl_deploy.service.app import create_app


class Fixed:
    model_version = "fixed"

    def read(self, images):
        if len(images) == 3:
            raise RuntimeError("three are too many")
        return [Reading("123", 0.5, (0.5,) * 3, "fixed") for _ in images]


@pytest.fixture
def log():
    return io.StringIO()


@pytest.fixture
def client(log):
    with TestClient(create_app(Fixed(), answer_log=log), raise_server_exceptions=False) as client:
        yield client


def ask(client, count=1, request_id="r1", path="/read"):
    picture = base64.b64encode(encode(next(cards(1)).image)).decode()
    headers = {"X-Request-Id": request_id} if request_id else {}
    return client.post(path, json={"pictures": [picture] * count}, headers=headers)


def test_each_request_is_a_line_with_its_readings(client, log):
    assert ask(client, 2).status_code == 200 and ask(client, 1, "r2", "/predict").status_code == 200
    first, second = map(json.loads, log.getvalue().splitlines())
    assert (first["id"], first["status"], first["version"]) == ("r1", 200, "fixed")
    assert first["digits"] == ["123", "123"] and first["confidence"] == [0.5, 0.5] and first["seconds"] > 0
    assert second["id"] == "r2" and second["digits"] == ["123"]


def test_an_error_is_a_line_too_and_the_answer_stays_as_it_was(client, log):
    assert ask(client, 3).status_code == 500
    assert client.post("/read", json={}, headers={"X-Request-Id": "r2"}).status_code == 422
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["status"] for line in lines] == [500, 422] and not any("digits" in line for line in lines)


def test_what_has_no_id_or_reads_nothing_is_not_noted(client, log):
    ask(client, request_id=None)
    client.get("/healthz", headers={"X-Request-Id": "r1"})
    assert log.getvalue() == ""


def test_the_command_writes_it_to_a_file(tmp_path):
    from fsdl_deploy.running.course_servers import course_server

    file = tmp_path / "answers.jsonl"
    with course_server("serve", "--answer-log", file, timeout=120) as server:
        import httpx2

        picture = base64.b64encode(encode(next(cards(1)).image)).decode()
        headers = {"X-Request-Id": "r1"}
        httpx2.post(f"{server.url}/read", json={"pictures": [picture]}, headers=headers).raise_for_status()
    assert json.loads(file.read_text())["version"] == "v2"
