"""The Open Inference Protocol: what it promises, hostile tensors, and NVIDIA's client as it is."""

import json
import struct
import subprocess

import httpx2
import numpy as np
import pytest
from fake_service import fake_server

from fsdl_course.setup.stations import ensure
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import pad
from fsdl_deploy.service.answer import Answer, ReadingOut
from fsdl_deploy.service.open_inference import LENGTH, binary_request, json_request, write
from fsdl_deploy.service.tensors import ENCODED, PIXELS

IMAGES = [np.full((32, width), 200, np.uint8) for width in (101, 202, 99)]
DIGITS = ["101", "202", "99"]


def infer(client, model=ENCODED, **body):
    return client.post(f"/v2/models/{model}/infer", content=json.dumps(body))


def values(answer) -> dict:
    return {output["name"]: output["data"] for output in answer.json()["outputs"]}


def test_health_and_metadata(client):
    for path in ("/v2/health/live", "/v2/health/ready", f"/v2/models/{ENCODED}/ready"):
        assert client.get(path).status_code == 200
    assert client.get(f"/v2/models/{PIXELS}/versions/fake/ready").status_code == 200
    about = client.get("/v2").json()
    assert about == client.get("/v2/").json() and about["extensions"] == ["binary_tensor_data"]
    model = client.get(f"/v2/models/{PIXELS}").json()
    assert model == client.get(f"/v2/models/{PIXELS}/versions/fake").json()
    assert model["versions"] == ["fake"]
    assert [tensor["name"] for tensor in model["inputs"]] == ["pixels", "widths"]
    for path in ("/v2/models/other", "/v2/models/other/ready", f"/v2/models/{ENCODED}/versions/9"):
        answer = client.get(path)
        assert answer.status_code == 404 and isinstance(answer.json()["error"], str)


@pytest.mark.parametrize("pixels", [False, True])
def test_json_tensors(client, pixels):
    answer = infer(client, PIXELS if pixels else ENCODED, id="42", **json_request(IMAGES, pixels))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["model_version"], body["id"]) == ("fake", "42")
    assert values(answer)["digits"] == DIGITS
    assert body["outputs"][2]["shape"] == [3, 3]
    assert values(answer)["digit_confidence"][-1] == 0, "99 has two digits: the third is padding"


def test_metrics_count_by_route_and_by_batch_size(client):
    assert infer(client, **json_request(IMAGES)).status_code == 200
    metrics = client.get("/metrics").text
    assert 'reader_requests_total{path="/v2/models/{name}/infer",status="200"}' in metrics
    assert 'reader_batch_size_bucket{le="4.0"}' in metrics


def test_nested_data_and_one_output(client):
    padded, widths = pad(IMAGES)
    inputs = json_request(IMAGES, pixels=True)["inputs"]
    inputs[0]["data"], inputs[1]["data"] = padded.tolist(), widths.tolist()
    assert values(infer(client, PIXELS, inputs=inputs, outputs=[{"name": "digits"}])) == {"digits": DIGITS}


def binary(inputs: list[tuple[str, str, list[int], bytes]], **more) -> tuple[bytes, dict]:
    """A request with its tensors behind the JSON, and its headers."""
    described = [
        {"name": name, "datatype": kind, "shape": shape, "parameters": {"binary_data_size": len(data)}}
        for name, kind, shape, data in inputs
    ]
    text = json.dumps({"inputs": described, **more}).encode()
    return text + b"".join(data for *_, data in inputs), {LENGTH: str(len(text))}


def elements(*parts: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(part)) + part for part in parts)


def test_binary_tensors_both_ways(client):
    data = elements(*map(encode, IMAGES))
    body, headers = binary([("pictures", "BYTES", [3], data)], parameters={"binary_data_output": True})
    answer = client.post(f"/v2/models/{ENCODED}/infer", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    length = int(answer.headers[LENGTH])
    response, behind = json.loads(answer.content[:length]), answer.content[length:]
    sizes = [output["parameters"]["binary_data_size"] for output in response["outputs"]]
    assert sum(sizes) == len(behind) and behind[: sizes[0]] == elements(b"101", b"202", b"99")
    assert np.frombuffer(behind[sizes[0] : sizes[0] + sizes[1]], "<f4") == pytest.approx([0.9] * 3)
    for pixels, model in ((False, ENCODED), (True, PIXELS)):
        body, headers = binary_request(IMAGES, pixels)
        answer = client.post(f"/v2/models/{model}/infer", content=body, headers=headers)
        assert values(answer)["digits"] == DIGITS


def test_bytes_that_are_none_are_told_all_the_same():
    nothing = Answer(
        model_version="v2", readings=[ReadingOut(digits="", confidence=0.5, digit_confidence=[])]
    )
    output = {"name": "digit_confidence", "parameters": {"binary_data": True}}
    answer = write(nothing, ENCODED, {"outputs": [output]})
    assert int(answer.headers[LENGTH]) == len(answer.body)
    assert json.loads(answer.body)["outputs"][0]["parameters"] == {"binary_data_size": 0}


def pictures(**changed):
    request_input = {"name": "pictures", "datatype": "BYTES", "shape": [1], "data": ["x"], **changed}
    return {"inputs": [{name: value for name, value in request_input.items() if value is not ...}]}


def tensor(**changed):
    request_input = {"name": "pixels", "datatype": "UINT8", "shape": [1, 8, 8], "data": [7] * 64, **changed}
    return {"inputs": [request_input, {"name": "widths", "datatype": "INT64", "shape": [1], "data": [8]}]}


GOOD = json_request(IMAGES[:1])


@pytest.mark.parametrize(
    ("model", "body", "problem"),
    [
        (ENCODED, {}, "list of objects"),
        (ENCODED, {"inputs": [1]}, "list of objects"),
        (ENCODED, {"inputs": []}, "pictures is missing"),
        (ENCODED, {"inputs": GOOD["inputs"] * 2}, "each once"),
        (ENCODED, pictures(name=["pictures"]), "each once"),
        (ENCODED, pictures(), "base64"),
        (ENCODED, pictures(data=[5]), "must be a string"),
        (ENCODED, pictures(data=...), "data is missing"),
        (ENCODED, pictures(shape=[2]), "1 elements do not fill"),
        (ENCODED, pictures(shape=[1, 1]), "1 dimensions"),
        (ENCODED, pictures(shape=[-1]), "whole numbers"),
        (ENCODED, pictures(shape=[True]), "whole numbers"),
        (ENCODED, pictures(datatype="FP32"), "datatype is BYTES"),
        (ENCODED, pictures(shape=[0], data=[]), "empty"),
        (ENCODED, pictures(parameters={"binary_data_size": 9}), "0 to 0"),
        (ENCODED, pictures(parameters=[]), "must be an object"),
        (ENCODED, {**GOOD, "id": 5}, "id: must be a string"),
        (ENCODED, {**GOOD, "id": "\ud800"}, "id: must be a string"),
        (ENCODED, {**GOOD, "parameters": 5}, "must be an object"),
        (ENCODED, {**GOOD, "outputs": None}, "list of objects"),
        (ENCODED, {**GOOD, "outputs": [{"name": "logits"}]}, "there are digits"),
        (PIXELS, tensor(data=[256] * 64), "0 to 255"),
        (PIXELS, tensor(data=[0.5] * 64), "0 to 255"),
        (PIXELS, tensor(data=[None] * 64), "0 to 255"),
        (PIXELS, tensor(data=[[1], [1, 2]]), "different lengths"),
        (PIXELS, tensor(data=[7] * 63), "63 elements"),
        (PIXELS, tensor(data=[], shape=[0, 2**62, 2**62]), "too big"),
        (PIXELS, tensor(data=[], shape=[0, 8, 8]), "0 pictures"),
        (PIXELS, tensor(data=[7] * 72, shape=[9, 8, 1]), "9 pictures"),
        (PIXELS, tensor(data=[7] * 56, shape=[1, 8, 7]), "a width is 1 to 7"),
        (PIXELS, tensor(data=[7] * 32, shape=[1, 4, 8]), "smaller than 8"),
        (PIXELS, {"inputs": [{"name": "pixels"}] + [{"name": "x"}] * 3}, "datatype"),
        (PIXELS, {"inputs": [], "x": [[]] * 100_001}, "too many lists"),
    ],
)
def test_a_bad_request_is_a_400_with_a_sentence(client, model, body, problem):
    answer = infer(client, model, **body)
    assert answer.status_code == 400 and problem in answer.json()["error"]


@pytest.mark.parametrize(
    ("content", "headers", "problem"),
    [
        (b"{", {}, "not JSON"),
        (b"{}", {LENGTH: "3"}, "up to 2"),
        (b"{}", {LENGTH: "-1"}, "up to 2"),
        (b"{}", {LENGTH: "9" * 5000}, "up to 2"),
        (b"{}\x00", {LENGTH: "2"}, "list of objects"),
        (*binary([("pictures", "BYTES", [1], b"\xff\xff\xff\xff")]), "longer than its tensor"),
        (*binary([("pictures", "BYTES", [2], elements(b"x"))]), "1 elements"),
        (*binary([("pictures", "BYTES", [1], elements(b"no picture"))]), "not a picture"),
    ],
)
def test_a_bad_binary_request_is_a_400_with_a_sentence(client, content, headers, problem):
    answer = client.post(f"/v2/models/{ENCODED}/infer", content=content, headers=headers)
    assert answer.status_code == 400 and problem in answer.json()["error"]


def test_bytes_that_belong_to_nobody_are_said(client):
    body, headers = binary([("pictures", "BYTES", [1], elements(encode(IMAGES[0])))])
    answer = client.post(f"/v2/models/{ENCODED}/infer", content=body + b"more", headers=headers)
    assert answer.status_code == 400 and "4 bytes belong to no input" in answer.json()["error"]


NVIDIA = """
import base64, json, sys
import numpy as np
from tritonclient import http

client = http.InferenceServerClient(sys.argv[1].removeprefix("http://"))
answers = {"live": client.is_server_live(), "ready": client.is_server_ready(),
           "model": client.is_model_ready("meter-reader"), "other": client.is_model_ready("other"),
           "server": client.get_server_metadata()["name"],
           "inputs": [tensor["name"] for tensor in client.get_model_metadata("meter-reader")["inputs"]]}
pictures = np.array([open(path, "rb").read() for path in sys.argv[2:]], object)

def read(binary, packed=None):
    sent = pictures if binary else np.array([base64.b64encode(picture) for picture in pictures], object)
    request_input = http.InferInput("pictures", [len(sent)], "BYTES")
    request_input.set_data_from_numpy(sent, binary_data=binary)
    wanted = [http.InferRequestedOutput(name, binary_data=binary) for name in ("digits", "confidence")]
    answer = client.infer("meter-reader", [request_input], outputs=wanted,
                          request_compression_algorithm=packed, response_compression_algorithm=packed)
    digits = answer.as_numpy("digits").tolist()
    digits = [element.decode() if isinstance(element, bytes) else element for element in digits]
    return digits, answer.as_numpy("confidence").tolist()

answers["binary"], answers["json"] = read(True), read(False)
answers["gzip"], answers["deflate"] = read(True, "gzip"), read(False, "deflate")
answers["index"] = [model["name"] for model in client.get_model_repository_index()]
answers["config"] = client.get_model_config("meter-reader")["name"]
answers["stats"] = len(client.get_inference_statistics("meter-reader")["model_stats"])
try:
    wrong = http.InferInput("pictures", [1], "FP32").set_data_from_numpy(np.ones(1, np.float32))
    client.infer("meter-reader", [wrong])
except Exception as error:
    answers["refused"] = str(error)
print(json.dumps(answers))
"""


def test_nvidias_client_reads_and_is_refused(server, tmp_path):
    for place, image in enumerate(IMAGES):
        (tmp_path / f"{place}.png").write_bytes(encode(image))
    paths = sorted(map(str, tmp_path.glob("*.png")))
    python = ensure("grpc")
    process = subprocess.run(
        [python, "-c", NVIDIA, server.url, *paths], capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 0, process.stderr[-3000:]
    answers = json.loads(process.stdout)
    assert answers["live"] and answers["ready"] and answers["model"] and not answers["other"]
    assert answers["inputs"] == ["pictures"] and answers["server"] == "fsdl_deploy"
    assert answers["binary"] == answers["json"] and answers["binary"][0] == DIGITS
    assert answers["gzip"] == answers["deflate"] == answers["binary"]
    assert answers["index"] == [ENCODED, PIXELS] and answers["config"] == ENCODED and answers["stats"] == 1
    assert "the datatype is BYTES" in answers["refused"]


def test_what_tritons_clients_ask_beside_the_protocol(client):
    index = client.post("/v2/repository/index").json()
    assert index == client.post("/v2/repository/index", json={"ready": True}).json()
    assert [(model["name"], model["state"]) for model in index] == [(ENCODED, "READY"), (PIXELS, "READY")]
    config = client.get(f"/v2/models/{PIXELS}/config").json()
    assert config == client.get(f"/v2/models/{PIXELS}/versions/fake/config").json()
    assert [tensor["data_type"] for tensor in config["input"]] == ["TYPE_UINT8", "TYPE_INT64"]
    assert [tensor["data_type"] for tensor in config["output"]] == ["TYPE_STRING", "TYPE_FP32", "TYPE_FP32"]

    def counts():
        (stats,) = client.get(f"/v2/models/{ENCODED}/stats").json()["model_stats"]
        return (
            stats["inference_count"],
            stats["execution_count"],
            stats["inference_stats"]["success"]["count"],
        )

    before = counts()
    assert infer(client, **json_request(IMAGES)).status_code == 200
    assert [after - was for after, was in zip(counts(), before, strict=True)] == [3, 1, 1]
    assert len(client.get("/v2/models/stats").json()["model_stats"]) == 2
    for path in ("/v2/models/other/config", f"/v2/models/{ENCODED}/versions/9/stats"):
        answer = client.get(path)
        assert answer.status_code == 404 and isinstance(answer.json()["error"], str)
    for body, status in ((b"[]", 422), (b"{", 400)):
        assert client.post("/v2/repository/index", content=body).status_code == status


def test_the_index_tells_of_a_model_that_is_not_there_yet(tmp_path):
    with fake_server("--load-when", tmp_path / "now", ready="/healthz") as server:
        answer = httpx2.post(server.url + "/v2/repository/index")
        assert answer.status_code == 200 and answer.json()[0]["state"] == "UNAVAILABLE"
        assert httpx2.post(server.url + "/v2/repository/index", json={"ready": True}).json() == []
