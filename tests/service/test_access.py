"""The key, the request id, the log, who waits in the queue, and an end that loses nothing."""

import base64
import json
import os
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import numpy as np
import pytest
from fake_service import WidthReader, fake_server
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from polling import until

from fsdl_deploy import cli
from fsdl_deploy.picture import PictureError, encode
from fsdl_deploy.remote import RemoteError, RemoteReader
from fsdl_deploy.service.app import create_app
from fsdl_deploy.service.model import Model

CARD = np.full((32, 100), 200, np.uint8)
RAW = {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def locked():
    with fake_server("--api-key", "sesame") as server:
        yield server


def ask(server, path="/invocations", **headers) -> httpx2.Response:
    return httpx2.post(server.url + path, content=encode(CARD), headers=RAW | headers, trust_env=False)


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer sesam"}, {"Authorization": "Basic sesame"}])
def test_without_the_key_nothing_is_read(locked, sent):
    answer = ask(locked, **sent)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["error"]["field"] == "Authorization"
    answer = ask(locked, "/v2/models/meter-reader/infer", **sent)
    assert answer.status_code == 401 and "Bearer KEY" in answer.json()["error"]


def test_with_the_key_everything_is(locked):
    assert ask(locked, Authorization="Bearer sesame").status_code == 200
    with RemoteReader(locked.url, api_key="sesame") as reader:
        assert reader.read([CARD])[0].digits == "100"
    with (
        RemoteReader(locked.url) as reader,
        pytest.raises((RemoteError, PictureError), match=r"Authorization|401"),
    ):
        reader.read([CARD])
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/ping", "/v2"):
        assert httpx2.get(locked.url + path, trust_env=False).status_code == 200


def line_of(server, request_id: str) -> dict:
    """The log's line about a request; it is written after the answer, so perhaps not yet."""

    def line():
        lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
        return next((line for line in lines if line["request_id"] == request_id), None)

    return until(line, what=f"a line about {request_id}")


def test_a_request_can_be_followed_by_its_id(locked):
    given = ask(locked, **{"X-Request-Id": "billing-7", "Authorization": "Bearer sesame"})
    assert given.headers["x-request-id"] == "billing-7"
    forged = ask(locked, **{"X-Request-Id": 'x" or a lie', "Authorization": "Bearer wrong"})
    assert len(forged.headers["x-request-id"]) == 32
    kept = line_of(locked, "billing-7")
    assert (kept["status"], kept["path"]) == (200, "/invocations") and kept["ms"] > 0
    assert line_of(locked, forged.headers["x-request-id"])["status"] == 401


def test_a_service_that_ends_under_load_answers_every_request():
    """Four clients as a balancer would have them: they ask elsewhere as soon as readiness is gone."""
    failed, answered = [], []
    with fake_server("--drain", "300") as server:
        stopped = threading.Event()

        def client():
            with httpx2.Client(base_url=server.url, trust_env=False, timeout=20) as web:
                while not stopped.is_set():
                    try:
                        answered.append(
                            web.post("/invocations", content=encode(CARD), headers=RAW).status_code
                        )
                    except httpx2.HTTPError as error:
                        failed.append(error)

        clients = [threading.Thread(target=client) for _ in range(4)]
        for thread in clients:
            thread.start()
        until(lambda: len(answered) >= 100)
        os.kill(server.pid, signal.SIGTERM)
        until(lambda: httpx2.get(server.url + "/readyz", trust_env=False).status_code == 503)
        for path in ("/ping", "/v2/health/ready", "/v2/models/meter-reader/ready"):
            assert httpx2.get(server.url + path, trust_env=False).status_code == 503
        asked = len(answered)
        until(lambda: len(answered) >= asked + 20, what="twenty more answers")
        stopped.set()
        for thread in clients:
            thread.join()
        os.kill(server.pid, signal.SIGTERM)  # the second ends it at once
        until(lambda: not server.running)
    assert not failed and set(answered) == {200} and len(answered) > 100


def test_what_nobody_foresaw_is_a_500_with_the_id_of_its_traceback(caplog):
    app = create_app(WidthReader())

    def broken():
        raise ZeroDivisionError("secret detail")

    def half():
        yield b"half an answer"
        broken()

    app.post("/v2/broken")(broken)
    app.get("/half")(lambda: StreamingResponse(half()))
    with TestClient(app) as client:  # which raises what the service lets through, as uvicorn does
        answer = client.post("/v2/broken", headers={"X-Request-Id": "billing-8"})
        assert (answer.status_code, answer.headers["x-request-id"]) == (500, "billing-8")
        assert answer.json() == {"error": "service: the service failed; its log says why at billing-8"}
        assert "billing-8" in caplog.text and "ZeroDivisionError: secret detail" in caplog.text
        assert 'reader_requests_total{path="/v2/broken",status="500"} 1.0' in client.get("/metrics").text
        with pytest.raises(ZeroDivisionError):  # nothing else can tell the client that it got half
            client.get("/half")


def test_a_parser_that_fails_spoils_no_other_request():
    """What a parser raises beside a Refusal belongs to one request, also when it waits among others."""
    model = Model(WidthReader(), threads=1, max_waiting=8, max_batch=8)
    model.reader = WidthReader()
    calls = []

    def good():
        calls.append("good")
        return [CARD]

    first, second, third = model._read([good, lambda: 1 / 0, good])
    model.close()
    assert first.readings[0].digits == third.readings[0].digits == "100"
    assert isinstance(second, ZeroDivisionError) and len(calls) == 2


def queued(server, count: int) -> tuple[list[int], list[threading.Thread]]:
    """``count`` clients whose pictures wait for the server's gate; returns when all of them run or wait."""
    statuses: list[int] = []

    def read():
        content = encode(np.full((32, 665), 200, np.uint8))
        answer = httpx2.post(server.url + "/invocations", content=content, headers=RAW, timeout=60)
        statuses.append(answer.status_code)

    clients = [threading.Thread(target=read) for _ in range(count)]
    for client in clients:
        client.start()
    in_progress = f"reader_requests_in_progress {count}.0"
    until(lambda: in_progress in httpx2.get(server.url + "/metrics").text, what=in_progress)
    return statuses, clients


@pytest.mark.parametrize(("grace", "fate"), [("30", {200}), ("0.1", {200, 500})])
def test_what_waits_when_the_end_comes_is_answered_within_the_grace(grace, fate, tmp_path):
    gate = tmp_path / "open"
    with fake_server("--threads", "1", "--grace", grace, "--gate", gate) as server:
        statuses, clients = queued(server, 8)
        os.kill(server.pid, signal.SIGTERM)
        if grace == "30":
            gate.touch()
        for client in clients:
            client.join()
        gate.touch()
        until(lambda: not server.running)
    assert len(statuses) == 8 and set(statuses) <= fate and (grace == "30" or 500 in statuses)


def count(server, name: str) -> float:
    text = httpx2.get(server.url + "/metrics").text
    return float(re.search(rf"^{name} ([0-9.e+]+)$", text, re.MULTILINE)[1])


def test_clients_that_left_keep_no_place_and_are_not_read(tmp_path):
    text = base64.b64encode(encode(CARD)).decode()
    inputs = [{"name": "pictures", "datatype": "BYTES", "shape": [1], "data": [text]}]
    bodies = {
        "/invocations": {"instances": [{"in0": text}]},
        "/read": {"pictures": [text]},
        "/v2/models/meter-reader/infer": {"inputs": inputs},
        "/v1/models/meter-reader:predict": {"instances": [{"b64": text}]},
    }
    with fake_server("--threads", "1", "--max-waiting", "4", "--gate", tmp_path / "open") as server:
        statuses, clients = queued(server, 1)
        leaving = []
        for path, document in bodies.items():
            body = json.dumps(document).encode()
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            leaving.append(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            leaving[-1].sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        until(lambda: count(server, "reader_requests_in_progress") == 5)
        assert ask(server).status_code == 429
        for connection in leaving:
            connection.close()
        until(lambda: count(server, "reader_requests_in_progress") == 1)
        (tmp_path / "open").touch()
        assert ask(server).status_code == 200
        clients[0].join()
        assert statuses == [200] and count(server, "reader_pictures_total") == 2
        assert "Traceback" not in server.log()


def test_who_waits_longer_than_the_patience_is_told_to_come_again(tmp_path):
    with fake_server("--threads", "1", "--patience", "0.2", "--gate", tmp_path / "open") as server:
        statuses, clients = queued(server, 1)
        with ThreadPoolExecutor() as pool:
            asked = pool.submit(ask, server)
            until(lambda: count(server, "reader_requests_in_progress") == 2)
            time.sleep(0.3)  # longer than its patience
            (tmp_path / "open").touch()
            late = asked.result()
        assert (late.status_code, late.headers["retry-after"]) == (503, "1")
        assert re.fullmatch(
            r"busy: not run in time: it had waited for .* s, try again", late.json()["error"]["problem"]
        )
        clients[0].join()
        assert statuses == [200] and ask(server).status_code == 200


@pytest.mark.parametrize("key", ["schlüssel", "sesame\n", " sesame", "ses\x00ame", "キー"])
def test_a_key_that_can_never_match_is_refused_at_the_start(key, monkeypatch, capsys):
    with pytest.raises(ValueError, match="API key can never match"):
        RemoteReader("http://127.0.0.1:8000", api_key=key)
    if "\x00" not in key:
        monkeypatch.setenv("FSDL_API_KEY", key)
        for command in (["serve"], ["read", "--url", "http://127.0.0.1:9", "no.png"]):
            assert cli.main(command) == 1
            problem = capsys.readouterr().err
            assert problem.count("\n") == 1 and "can never match" in problem
