"""The clouds' formats over one service: the same readings, each cloud's errors, and boto3 as it is."""

import base64
import json

import boto3
import httpx2
import numpy as np
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from fake_service import fake_server

from fsdl_deploy.picture import encode

VERTEX = "/v1/projects/p/locations/europe-west4/endpoints/1:predict"


def png(width=100):
    return encode(np.full((32, width), 200, np.uint8))


def text(width=100):
    return base64.b64encode(png(width)).decode()


@pytest.fixture(scope="module")
def locked():
    with fake_server("--api-key", "sesame") as server:
        yield server


@pytest.fixture(scope="module")
def readings(client):
    """What the service says in its own format."""
    return client.post("/read", json={"pictures": [text(101), text(202)]}).json()["readings"]


@pytest.mark.parametrize(
    "instances",
    [
        [text(101), text(202)],
        [{"b64": text(101)}, {"b64": text(202)}],
        [{"image": {"b64": text(101)}}, {"b64": text(202), "image": None}],
    ],
)
def test_google(client, readings, instances):
    answer = client.post(VERTEX, json={"instances": instances, "parameters": {}})
    assert answer.status_code == 200
    assert answer.json() == {"predictions": readings, "modelVersionId": "fake"}


def test_googles_keys_come_back_with_their_predictions(client):
    instances = [{"b64": text(w), "key": key} for w, key in ((101, "a"), (99, 7))] + [{"b64": text(88)}]
    predictions = client.post(VERTEX, json={"instances": instances}).json()["predictions"]
    assert [(prediction["digits"], prediction.get("key")) for prediction in predictions] == [
        ("101", "a"),
        ("99", 7),
        ("88", None),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"data": [text(101), text(202)]},
        {"input_data": [text(101), text(202)]},
        {"input_data": {"columns": ["picture"], "index": [0, 1], "data": [[text(101)], [text(202)]]}},
    ],
)
def test_azure(client, readings, body):
    answer = client.post("/score", json=body)
    assert (answer.status_code, answer.json()) == (200, {"model_version": "fake", "readings": readings})


def test_sagemaker(client, readings):
    assert client.get("/ping").status_code == 200
    answer = client.post("/invocations", json={"instances": [{"in0": text(101)}, {"in0": text(202)}]})
    assert (answer.status_code, answer.json()) == (200, {"predictions": readings, "model_version": "fake"})
    for kind in ("image/png", "application/x-image", "application/octet-stream", "binary/octet-stream"):
        raw = client.post("/invocations", content=png(101), headers={"Content-Type": kind})
        assert raw.json()["predictions"] == readings[:1]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (VERTEX, {"instances": [text(101), text(202)]}),
        ("/score", {"data": [text(101), text(202)]}),
        ("/invocations", {"instances": [{"in0": text(101)}, {"in0": text(202)}]}),
    ],
)
def test_json_as_curl_sends_it(client, readings, path, body):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post(path, content=json.dumps(body), headers=headers).json()
    assert (answer.get("predictions") or answer["readings"]) == readings


def runtime(server):
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 0}, proxies={})
    return boto3.client("sagemaker-runtime", "eu-west-1", endpoint_url=server.url, config=config)


def test_boto3_invokes_the_endpoint_and_raises_its_errors(server, readings):
    ask = runtime(server).invoke_endpoint
    answer = ask(EndpointName="reader", ContentType="image/png", Body=png(101))
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert httpx2.Response(200, content=answer["Body"].read()).json()["predictions"] == readings[:1]
    with pytest.raises(ClientError, match="not a picture"):
        ask(EndpointName="reader", ContentType="image/png", Body=b"no picture")


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        (VERTEX, {}, 422, "instances"),
        (VERTEX, {"instances": {"b64": ""}}, 422, "instances"),
        (VERTEX, {"instances": []}, 422, "instances"),
        (VERTEX, {"instances": [text(), {"b64": 5}]}, 422, "instances[1]"),
        (VERTEX, {"instances": [{"image": "x"}]}, 422, "instances[0]"),
        (VERTEX, {"instances": [{"b64": "not base64!"}]}, 422, "instances[0]"),
        (VERTEX, {"instances": [{"b64": text()}] * 9}, 422, "instances"),
        (VERTEX, {"instances": [{"b64": text(667)}]}, 422, "pictures"),
        (VERTEX, {"instances": [{"b64": text(666)}]}, 500, "model"),
        ("/score", [], 422, "body"),
        ("/score", {}, 422, "data"),
        ("/score", {"input_data": {"data": [[text(), text()]]}}, 422, "data[0]"),
        ("/score", {"input_data": {"rows": []}}, 422, "data"),
        ("/invocations", {"instances": [text()]}, 422, "instances[0]"),
    ],
)
def test_bad_bodies_name_their_field(client, path, body, status, field):
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)


@pytest.mark.parametrize("key", [r'"\ud800"', "1e999", "[" * 900 + "]" * 900, "[" * 970 + "]" * 970, "{}"])
def test_a_key_that_cannot_come_back_is_refused(client, key):
    body = f'{{"instances": ["{text()}", {{"b64": "{text()}", "key": {key}}}]}}'
    answer = client.post(VERTEX, content=body, headers={"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (422, "instances[1].key")
    assert "a string or a number" in error["message"]


def test_googles_errors_are_as_googles_clients_want_them(client):
    error = client.post(VERTEX, json={}).json()["error"]
    assert error["code"] == 422 and error["status"] == "INVALID_ARGUMENT" and "instances" in error["message"]


@pytest.mark.parametrize("path", [VERTEX, "/score", "/invocations"])
def test_other_content_is_refused(client, path):
    answer = client.post(path, content=b"x", headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (415, "Content-Type")
    answer = client.post(
        path, content=b"data=x", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert (answer.status_code, answer.json()["error"]["field"]) == (415, "Content-Type")
    answer = client.post(path, content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "body")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (VERTEX, lambda body: body["error"]["status"] == "UNAUTHENTICATED" and body["error"]["message"]),
        ("/score", lambda body: body["message"]),
        ("/invocations", lambda body: body["message"]),
        ("/v2/models/meter-reader/infer", lambda body: body["error"]),
        ("/v1/models/meter-reader:predict", lambda body: body["error"]),
        ("/read", lambda body: body["error"]["problem"]),
    ],
)
def test_a_refusal_before_the_route_speaks_the_routes_format(locked, path, sentence):
    answer = httpx2.post(locked.url + path, content=png(), headers={"Content-Type": "image/png"})
    assert answer.status_code == 401 and "Authorization: Bearer KEY" in sentence(answer.json())


def test_boto3_prints_why_it_was_not_let_in(locked):
    with pytest.raises(ClientError, match=r"\(401\).*Authorization: Bearer KEY"):
        runtime(locked).invoke_endpoint(EndpointName="reader", ContentType="image/png", Body=png())


def test_google_names_what_is_too_large_and_what_is_not_there(client):
    headers = {"Content-Type": "application/json"}
    error = client.post(VERTEX, content=b" " * 13 * 2**20, headers=headers).json()["error"]
    assert (error["code"], error["status"]) == (413, "INVALID_ARGUMENT") and "bytes" in error["message"]
    error = client.post(VERTEX.replace(":predict", ":explain"), json={}).json()["error"]
    assert (error["code"], error["status"]) == (404, "NOT_FOUND")
