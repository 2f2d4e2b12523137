"""The model service as its users see it, over real HTTP, with a reader that needs no weights."""

import base64
import io
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

import httpx2
import numpy as np
import PIL.Image
import pytest
from fake_service import WidthReader, fake_server
from fastapi.testclient import TestClient
from polling import until

from fsdl_deploy import cli
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode
from fsdl_deploy.running.ports import free_port
from fsdl_deploy.service.app import create_app
from fsdl_deploy.service.h11_connection import WholeH11
from fsdl_deploy.service.header_limit import MAX_HEAD, BoundedHead
from fsdl_deploy.service.open_inference import json_request
from fsdl_deploy.service.process import http_protocol, listen

FAKE = ROOT / "tests" / "fake_service.py"


def on_its_side():
    file = io.BytesIO()
    PIL.Image.new("L", (64, 200), 255).save(file, "PNG")
    return file.getvalue()


def png(width=100, height=32, value=200):
    return encode(np.full((height, width), value, np.uint8))


def as_json(*pictures):
    return {"pictures": [base64.b64encode(data).decode() for data in pictures]}


@pytest.fixture(scope="module")
def server():
    with fake_server("--threads", "1", "--max-waiting", "2") as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=20) as client:
        yield client


def test_json_and_multipart_give_the_same_readings_in_order(client):
    pictures = [png(101), png(202), png(99)]
    expected = {
        "model_version": "fake",
        "readings": [
            {"digits": digits, "confidence": 0.9, "digit_confidence": [0.9] * len(digits)}
            for digits in ("101", "202", "99")
        ],
    }
    answer = client.post("/read", json=as_json(*pictures))
    assert (answer.status_code, answer.json()) == (200, expected)
    answer = client.post("/read", files=[("pictures", ("card.png", data, "image/png")) for data in pictures])
    assert (answer.status_code, answer.json()) == (200, expected)


@pytest.mark.parametrize("prefix", ["data:image/png;base64,", "DATA:image/png;charset=x;BASE64,", "\n "])
def test_data_url_and_line_breaks_are_taken(client, prefix):
    text = prefix + base64.encodebytes(png(123)).decode()
    answer = client.post("/read", json={"pictures": [text]})
    assert answer.json()["readings"][0]["digits"] == "123"


@pytest.mark.parametrize("path", ["/predict", "/read"])
def test_a_request_as_on_the_lectures_slide(client, path):
    """curl -X POST --url …/predict -d '{…}': JSON, that curl calls a web form."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = client.post(path, content="\n " + json.dumps(as_json(png(101))), headers=headers)
    assert (answer.status_code, answer.json()["readings"][0]["digits"]) == (200, "101")


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on PATH")
def test_curl_of_the_lectures_slide(server):
    asked = ["-X", "POST", "--url", server.url + "/predict", "-d", json.dumps(as_json(png(99)))]
    command = ["curl", "-s", "--noproxy", "*", *asked]
    answer = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    assert json.loads(answer)["readings"][0]["digits"] == "99"


def test_part_without_a_filename_is_a_picture_too(client):
    answer = client.post("/read", files=[("pictures", (None, png(87), "image/png"))])
    assert answer.json()["readings"][0]["digits"] == "87"


def test_one_bad_picture_among_many_is_named(client):
    answer = client.post("/read", json=as_json(png(), png(), b"GIF89a broken", png()))
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "pictures[2]"


def test_a_card_on_its_side_is_422_and_says_what_to_do(client):
    answer = client.post("/read", json=as_json(on_its_side()))
    assert answer.status_code == 422
    assert answer.json()["error"]["problem"].endswith("taller than wide: turn it, or crop it to the digits")


def test_reader_that_refuses_is_422_and_reader_that_fails_is_500_without_its_secrets(client, server):
    refused = client.post("/read", json=as_json(png(667)))
    assert (refused.status_code, refused.json()["error"]["problem"]) == (
        422,
        "the picture is not a meter card",
    )
    failed = client.post("/read", json=as_json(png(666)))
    assert failed.status_code == 500
    assert "secret" not in failed.text and "Traceback" not in failed.text
    assert "ZeroDivisionError: secret detail" in server.log()
    assert client.post("/read", json=as_json(png(50))).status_code == 200


def test_health_answers_while_a_long_reading_runs_and_the_queue_has_an_end(client):
    statuses = []

    def read_slowly():
        answer = client.post("/read", json=as_json(png(668)))
        statuses.append((answer.status_code, answer.headers.get("retry-after")))

    threads = [threading.Thread(target=read_slowly) for _ in range(5)]
    for thread in threads:
        thread.start()
    # One reading runs (a second each), two wait, and two were sent away at once.
    until(lambda: len(statuses) == 2)
    assert statuses == [(429, "1"), (429, "1")]
    assert client.get("/healthz").json() == {"status": "alive"}
    assert "reader_requests_in_progress 3.0" in client.get("/metrics").text
    assert len(statuses) == 2  # so both answers came before the first reading was done
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in statuses) == [200, 200, 200, 429, 429]


def test_every_answer_that_alerts_wait_for_begins_at_zero():
    app = create_app(WidthReader())
    reading = [route.path for route in app.routes if "POST" in (getattr(route, "methods", None) or ())]
    text = TestClient(app).get("/metrics").text
    assert len(reading) > 8
    for path in (*reading, "other"):
        for status in (200, 429, 500, 503):
            assert f'reader_requests_total{{path="{path}",status="{status}"}} 0.0' in text


def test_metrics_count_requests_pictures_and_confidence(server):
    def metric(name):
        text = httpx2.get(server.url + "/metrics", trust_env=False).text
        match = re.search(rf"^{re.escape(name)} ([0-9.e+]+)$", text, re.MULTILINE)
        return float(match[1]) if match else 0

    names = [
        'reader_requests_total{path="/read",status="200"}',
        'reader_requests_total{path="/read",status="422"}',
        'reader_requests_total{path="other",status="404"}',
        "reader_pictures_total",
        'reader_confidence_bucket{le="0.8"}',
        'reader_confidence_bucket{le="0.9"}',
        "reader_request_seconds_count",
        "reader_picture_grey_count",
    ]
    before = [metric(name) for name in names]
    httpx2.post(server.url + "/read", json=as_json(png(), png()))
    httpx2.post(server.url + "/read", json={"pictures": []})
    httpx2.get(server.url + "/a/stranger's/path")
    assert [metric(name) - old for name, old in zip(names, before, strict=True)] == [1, 1, 1, 2, 0, 2, 1, 2]
    assert metric('reader_model_info{version="fake"}') == 1
    assert metric("process_resident_memory_bytes") > 10**6


def test_errors_are_counted_from_zero_and_pictures_by_their_grey():
    with TestClient(create_app(WidthReader())) as client:
        text = client.get("/metrics").text
        for status in (200, 429, 500, 503):
            assert f'reader_requests_total{{path="/read",status="{status}"}} 0.0' in text
        client.post("/read", json=as_json(png(value=40), png(value=200)))
        text = client.get("/metrics").text
        assert 'reader_picture_grey_bucket{le="48.0"} 1.0' in text
        assert "reader_picture_grey_sum 240.0" in text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/read", as_json(png())),
        ("/predict", as_json(png())),
        ("/v1/projects/p/locations/l/endpoints/1:predict", {"instances": as_json(png())["pictures"]}),
        ("/score", {"data": as_json(png())["pictures"]}),
        ("/invocations", {"instances": [{"in0": as_json(png())["pictures"][0]}]}),
        ("/v2/models/meter-reader/infer", json_request([np.full((32, 96), 255, np.uint8)])),
        ("/v1/models/meter-reader:predict", {"instances": [{"b64": as_json(png())["pictures"][0]}]}),
    ],
)
def test_every_answer_of_the_model_says_its_version(client, path, body):
    assert client.post(path, json=body).headers["x-model-version"] == "fake"
    refused = client.post(path, json={})
    assert refused.status_code in (400, 422) and "x-model-version" not in refused.headers


def test_unknown_path_wrong_method_head_and_options_speak_one_language(client):
    unknown = client.get("/reed")
    assert (unknown.status_code, unknown.json()["error"]["field"]) == (404, "path")
    wrong = client.get("/read")
    assert (wrong.status_code, wrong.json()["error"]["field"], wrong.headers["allow"]) == (
        405,
        "method",
        "POST",
    )
    assert client.post("/metrics").headers["allow"] == "GET, HEAD"
    assert client.post("/read/").status_code == 404
    head = client.head("/readyz")
    assert (head.status_code, head.content) == (200, b"")
    options = client.options("/read")
    assert (options.status_code, options.headers["allow"]) == (204, "POST")
    assert client.get("/").headers["location"] == "docs"


def test_ready_only_after_the_model_has_loaded_and_alive_before(tmp_path):
    with fake_server("--load-when", tmp_path / "now", ready="/healthz") as server:
        loading = httpx2.get(server.url + "/readyz")
        assert (loading.status_code, loading.headers["retry-after"]) == (503, "1")
        assert loading.json()["error"]["problem"] == "the model is still loading"
        assert httpx2.post(server.url + "/read", json=as_json(png())).status_code == 503
        (tmp_path / "now").touch()
        ready = until(lambda: (r := httpx2.get(server.url + "/readyz")).status_code == 200 and r)
        assert ready.json() == {"model_version": "fake", "max_pictures": 64, "max_bytes": 12 * 2**20}


def test_model_that_does_not_load_or_fails_its_first_reading_is_never_ready():
    class Silent(WidthReader):
        def read(self, images):
            return []

    def broken():
        raise OSError("the weights are not the ones that were signed")

    for source, problem in (
        (broken, "not the ones that were signed"),
        (Silent(), "one reading for one picture"),
    ):
        failed = threading.Event()
        with TestClient(create_app(source, on_failure=failed.set)) as client:
            assert failed.wait(10)
            answer = client.get("/readyz")
            assert answer.status_code == 503
            assert problem in answer.json()["error"]["problem"]


def test_two_apps_in_one_process_count_apart():
    with (
        TestClient(create_app(WidthReader("a"))) as a,
        TestClient(create_app(WidthReader("b"))) as b,
    ):
        for client in (a, b):
            until(lambda client=client: client.get("/readyz").status_code == 200)
        a.post("/read", json=as_json(png()))
        assert "reader_pictures_total 1.0" in a.get("/metrics").text
        assert "reader_pictures_total 0.0" in b.get("/metrics").text
        assert 'version="b"' in b.get("/metrics").text


def test_openapi_document_describes_both_bodies_and_all_answers(client):
    document = client.get("/openapi.json").json()
    read = document["paths"]["/read"]["post"]
    assert set(read["requestBody"]["content"]) == {"application/json", "multipart/form-data"}
    assert set(read["responses"]) == {"200", "400", "401", "408", "413", "415", "422", "429", "500", "503"}
    assert set(document["paths"]) == {
        "/read", "/predict", "/healthz", "/readyz", "/metrics",
        "/v1/projects/{project}/locations/{location}/endpoints/{endpoint}:predict", "/score",
        "/ping", "/invocations", "/v2", "/v2/health/live", "/v2/health/ready",
        "/v2/models/{name}", "/v2/models/{name}/ready", "/v2/models/{name}/infer",
        "/v1/models/meter-reader", "/v1/models/meter-reader/metadata", "/v1/models/meter-reader:predict",
    }  # fmt: skip
    example = read["requestBody"]["content"]["application/json"]["example"]
    assert client.post("/read", json=example).status_code == 200


def test_docs_page_asks_nobody_else(client):
    page = client.get("/docs").text
    links = re.findall(r"""(?:src|href|url:)\s*[=:]?\s*["']([^"']+)""", page)
    assert len(links) >= 3
    for link in links:
        assert link.startswith("/"), link
        assert client.get(link).status_code == 200
    assert '"validatorUrl": null' in page


def test_command_names_a_taken_port_in_one_sentence(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main(["serve", "--port", str(port)]) == 1
    problem = capsys.readouterr().err
    assert problem.count("\n") == 1
    assert f"127.0.0.1:{port}" in problem and "--port" in problem


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--port", "70000"], "port 70000 does not exist"),
        (["--grace", "-1"], "--grace must be 0 to 3600 seconds"),
        (["--patience", "0"], "--patience must be above 0, up to 3600 seconds"),
        (["--threads", "0"], "--threads must be at least 1"),
        (["--max-pictures", "-1"], "--max-pictures must be at least 1"),
        (["--host", "no.such.host.invalid"], "no.such.host.invalid"),
    ],
)
def test_command_refuses_bad_options_in_one_sentence(arguments, problem, capsys):
    assert cli.main(["serve", *arguments]) == 1
    output = capsys.readouterr().err
    assert output.count("\n") == 1 and problem in output


def test_model_that_does_not_load_ends_the_command():
    command = [
        sys.executable,
        "-m",
        "fsdl_deploy.cli",
        "serve",
        "--port",
        "0",
        "--version",
        "no-such-version",
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert "the model did not load" in result.stderr
    assert "Traceback" not in result.stderr


def test_port_0_prints_the_real_address_and_sigterm_ends_the_process():
    process = subprocess.Popen(
        [sys.executable, FAKE, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = process.stdout.readline().split()[-1]
        until(lambda: httpx2.get(url + "/readyz").status_code == 200)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_answer_is_what_the_document_promises_to_a_raw_socket(server):
    body = json.dumps(as_json(png(64))).encode()
    head = (
        f"POST /read HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200") and b'"digits":"64"' in answer


def test_without_httptools_the_parser_is_the_one_with_a_limit_of_its_own(monkeypatch):
    assert http_protocol() is BoundedHead
    monkeypatch.setitem(
        sys.modules, "fsdl_deploy.service.header_limit", None
    )  # as where it cannot be imported
    assert http_protocol() is WholeH11


@pytest.mark.parametrize("endless", [b"X-Long: " + b"a" * 2**17, b"X-Many: a\r\n" * 2**14])
def test_headers_without_an_end_are_refused_and_a_long_body_is_not(server, endless):
    body = as_json(*[png(64)] * 8)
    with httpx2.Client(base_url=server.url) as client:  # one connection: a head after a body is counted anew
        for _ in range(3):
            padded = json.dumps(body).encode() + b" " * 3 * 2**20
            answer = client.post("/read", content=padded, headers={"Content-Type": "application/json"})
            assert answer.status_code == 200
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        for start in range(0, MAX_HEAD, 2**12):  # with the first line just too much
            raw.sendall(endless[start : start + 2**12])
        assert b"".join(iter(lambda: raw.recv(4096), b"")).startswith(b"HTTP/1.1 431 ")
    assert httpx2.get(server.url + "/healthz").status_code == 200


def test_free_port_is_served_where_it_was_asked_for():
    port = free_port()
    with fake_server(port=port) as server:
        assert server.url == f"http://127.0.0.1:{port}"
        assert f"serving at {server.url}" in server.log()


def test_answers_do_not_wait_for_acknowledgements():
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP  # by this asyncio decides on TCP_NODELAY
