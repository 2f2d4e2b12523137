"""KServe's server: the reader behind V1 and V2, bad input, where it listens, and the manifest's check."""

import base64
import re
import subprocess

import psutil
import pytest
import yaml
from served import ask_together

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader
from fsdl_deploy.running import stations

LIBRARY = "kserve"
OPTIONS = {}
V1 = "/v1/models/meter-reader:predict"


def row(picture: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(picture).decode()}


@pytest.mark.thorough
def test_the_answers_are_the_readers_and_a_bad_picture_hurts_nobody_else(client, library):
    images = [card.image for card in cards(5, "hard", seed=8)]
    pictures = [encode(image) for image in images]
    pictures[3] = pictures[3][:-200]

    answers = ask_together(client, library, pictures)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400, 200]
    assert "pictures[0]: the picture is damaged" in answers[3].json()["error"]
    readings = open_reader().read(images)
    del answers[3], readings[3], pictures[3]
    assert [library.digits(answer.content) for answer in answers] == [reading.digits for reading in readings]
    predictions = client.post(V1, json={"instances": list(map(row, pictures))}).json()["predictions"]
    for prediction, reading in zip(predictions, readings, strict=True):
        assert prediction == {
            "digits": reading.digits,
            "confidence": pytest.approx(reading.confidence, rel=1e-5),
        }


@pytest.mark.thorough
def test_bad_input_is_the_callers_fault(client, library):
    good = row(encode(next(cards(1)).image))
    for body in ({}, [], {"instances": 7}, {"instances": [good, 7]}, {"instances": [{"b64": 7}]}):
        assert client.post(V1, json=body).status_code == 400, body
    tensor = {"name": "pictures", "datatype": "BYTES", "shape": [1], "data": [good["b64"]]}
    for wrong in ({"name": "image"}, {"datatype": "FP32", "data": [1.0]}, {"shape": [2]}, {"data": [7]}):
        answer = client.post(library.path, json={"inputs": [tensor | wrong]})
        assert answer.status_code == 400 and answer.json()["error"], wrong
    assert client.post(library.path, json={"inputs": []}).status_code == 400
    assert client.post("/v2/models/other/infer", json={"inputs": [tensor]}).status_code == 404


@pytest.mark.thorough
def test_it_listens_on_this_machine_only(server):
    sockets = psutil.Process(server.pid).net_connections()
    ports = [socket.laddr for socket in sockets if socket.status == "LISTEN"]
    grpc = int(re.search(r"gRPC at .*:(\d+)", server.log())[1])
    assert {address.port for address in ports} == {server.port, grpc}
    assert {address.ip.removeprefix("::ffff:") for address in ports} == {"127.0.0.1"}


def test_the_check_finds_what_a_cluster_would_refuse(library, tmp_path):
    folder = stations.station("kserve").folder
    manifest = yaml.safe_load((folder / "inference-service.yaml").read_text())
    predictor = manifest["spec"]["predictor"]
    predictor["replicas"] = 2
    predictor["batcher"]["maxLatency"] = True
    predictor["containers"][0]["ports"] = {"containerPort": 8080}
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(manifest))
    command = [stations.python("kserve"), folder / "check.py", tmp_path / "wrong.yaml"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 1 and process.stderr == ""
    where = "InferenceService.spec.predictor."
    first, *messages = map(str.strip, process.stdout.splitlines())
    assert first == "wrong.yaml:" and sorted(messages) == [
        f"{where}batcher.maxLatency: must be int",
        f"{where}containers.0.ports: must be List[V1ContainerPort]",
        f"{where}replicas: V1beta1PredictorSpec has no such field",
    ]
