"""TensorFlow Serving's REST API: equal answers by row and by column, what a client asks first, bad bodies."""

import base64
import json

import httpx2
import numpy as np
import pytest

from fsdl_deploy.picture import encode
from fsdl_deploy.service.tensorflow_serving import number

MODEL = "/v1/models/meter-reader"


def b64(width=101):
    return {"b64": base64.b64encode(encode(np.full((32, width), 200, np.uint8))).decode()}


@pytest.fixture(scope="module")
def outputs(client):
    """What the service says of two pictures in the standard protocol: the outputs by their names."""
    data = [b64(101)["b64"], b64(88)["b64"]]
    body = {"inputs": [{"name": "pictures", "datatype": "BYTES", "shape": [2], "data": data}]}
    outputs = client.post("/v2/models/meter-reader/infer", json=body).json()["outputs"]
    values = {output["name"]: np.reshape(output["data"], output["shape"]).tolist() for output in outputs}
    assert values["digits"] == ["101", "88"] and len(values["digit_confidence"][1]) == 3
    return values


@pytest.mark.parametrize("path", [MODEL, MODEL + "/versions/1"])
@pytest.mark.parametrize("instances", [[b64(101), b64(88)], [{"pictures": b64(101)}, {"pictures": b64(88)}]])
def test_by_row(client, outputs, path, instances):
    answer = client.post(path + ":predict", json={"instances": instances})
    rows = [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]
    assert (answer.status_code, answer.json()) == (200, {"predictions": rows})


@pytest.mark.parametrize("inputs", [[b64(101), b64(88)], {"pictures": [b64(101), b64(88)]}])
def test_by_column(client, outputs, inputs):
    body = {"signature_name": "serving_default", "inputs": inputs}
    answer = client.post(MODEL + ":predict", json=body)
    assert (answer.status_code, answer.json()) == (200, {"outputs": outputs})


def test_as_curl_sends_it(server):
    """curl -d, as in TensorFlow Serving's documentation: the body is JSON, whatever its type is called."""
    body, kind = json.dumps({"instances": [b64()]}), {"Content-Type": "application/x-www-form-urlencoded"}
    answer = httpx2.post(server.url + MODEL + ":predict", content=body, headers=kind, trust_env=False)
    assert answer.json()["predictions"][0]["digits"] == "101"


def test_status_and_metadata(client):
    (status,) = client.get(MODEL).json()["model_version_status"]
    assert (status["version"], status["state"], status["status"]["error_code"]) == ("1", "AVAILABLE", "OK")
    assert client.get(MODEL + "/versions/1").json()["model_version_status"] == [status]
    metadata = client.get(MODEL + "/metadata").json()
    assert metadata["model_spec"] == {"name": "meter-reader", "signature_name": "", "version": "1"}
    signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["pictures"]["dtype"] == "DT_STRING"
    dimensions = {name: len(output["tensor_shape"]["dim"]) for name, output in signature["outputs"].items()}
    assert dimensions == {"digits": 1, "confidence": 1, "digit_confidence": 2}


@pytest.mark.parametrize(("ours", "theirs"), [("v2", "2"), ("v3-bad", "3"), ("teacher", "1")])
def test_a_version_is_a_number(ours, theirs):
    assert number(ours) == theirs


@pytest.mark.parametrize("path", ["/v1/models/other", "/v1/models/other/metadata", MODEL + "/versions/7"])
def test_what_is_not_here_is_a_404(client, path):
    answer = client.get(path)
    assert answer.status_code == 404 and answer.json()["error"].startswith(("path: ", "version: "))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "instances: send instances or inputs"),
        ({"instances": [b64()], "inputs": [b64()]}, "instances: send instances or inputs"),
        ({"instances": b64()}, "instances: must be a list"),
        ({"instances": []}, "instances: the list is empty"),
        ({"instances": [b64(), "text"]}, "instances[1]: a picture is bytes"),
        ({"instances": [{"b64": 5}]}, "instances[0]: a picture is bytes"),
        ({"instances": [{"image": b64()}]}, "instances[0]: the only input is pictures"),
        ({"instances": [{"pictures": {"pictures": b64()}}]}, "instances[0]: a picture is bytes"),
        ({"instances": [{"b64": "not base64!"}]}, "instances[0]: not base64"),
        ({"instances": [b64()] * 9}, "instances: 9 pictures: at most 8"),
        ({"inputs": b64()}, "inputs: must be a list"),
        ({"inputs": {"image": [b64()]}}, "inputs: the only input is pictures"),
        ({"inputs": {"pictures": [b64(), {"b64": ""}]}}, "inputs[1]: "),
        ({"inputs": [[b64()]]}, "inputs[0]: a picture is bytes"),
        ({"signature_name": "classify", "instances": [b64()]}, "signature_name: the only signature"),
        ({"signature_name": [], "instances": [b64()]}, "signature_name: the only signature"),
        ([b64()], "body: the JSON must be an object"),
    ],
)
def test_bad_bodies_name_their_field(client, body, problem):
    answer = client.post(MODEL + ":predict", json=body)
    assert answer.status_code == 400 and answer.json()["error"].startswith(problem)


def test_a_sick_model_and_half_a_body(client):
    for body, status in (({"instances": [b64(666)]}, 500), ({"instances": [b64(667)]}, 400)):
        answer = client.post(MODEL + ":predict", json=body)
        assert answer.status_code == status and set(answer.json()) == {"error"}
    assert client.post(MODEL + ":predict", content=b"{").json()["error"].startswith("body: not JSON")
