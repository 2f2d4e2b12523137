"""MLServer: the reader behind its batches, bad pictures among good ones, the options, and bad input."""

import base64

import pytest
from served import ask_together

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader

LIBRARY = "mlserver"
OPTIONS = {"max_batch": 4, "delay_ms": 50}


def tensor(*pictures: bytes) -> dict:
    data = [base64.b64encode(picture).decode() for picture in pictures]
    return {"name": "pictures", "datatype": "BYTES", "shape": [len(data)], "data": data}


@pytest.mark.thorough
def test_a_bad_picture_does_not_hurt_its_neighbours(client, library):
    images = [card.image for card in cards(8, "hard", seed=8)]
    pictures = [encode(image) for image in images]
    pictures[3] = pictures[3][:-200]

    answers = ask_together(client, library, pictures)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400, 200, 200, 200, 200]
    assert "pictures[0]: the picture is damaged" in answers[3].json()["error"]
    readings = open_reader().read(images)
    del answers[3], readings[3]
    for answer, reading in zip(answers, readings, strict=True):
        outputs = {output["name"]: output["data"][0] for output in answer.json()["outputs"]}
        assert library.digits(answer.content) == reading.digits
        assert outputs["confidence"] == pytest.approx(reading.confidence, rel=1e-5)
    # The options arrived: 50 ms are enough for some to meet, and no batch is larger than four.
    assert 2 <= max(answer.json()["parameters"]["read_together"] for answer in answers) <= 4


@pytest.mark.thorough
def test_one_request_with_several_pictures_and_another_model(client):
    images = [card.image for card in cards(3, seed=9)]
    body = {"inputs": [tensor(*map(encode, images))]}
    for version in ("v2", "v1"):
        name = "meter-reader" if version == "v2" else "meter-reader-v1"
        outputs = client.post(f"/v2/models/{name}/infer", json=body).json()["outputs"]
        columns = {output["name"]: output["data"] for output in outputs}
        assert columns["digits"] == [reading.digits for reading in open_reader(version).read(images)]


@pytest.mark.thorough
def test_bad_input_is_the_callers_fault(client, library):
    good = tensor(encode(next(cards(1)).image))
    for wrong in ({"name": "image"}, {"datatype": "FP32"}, {"shape": [2]}, {"data": [7]}, {"data": ["?"]}):
        answer = client.post(library.path, json={"inputs": [good | wrong]})
        assert answer.status_code == 400 and answer.json()["error"], wrong
    assert client.post(library.path, json={"inputs": []}).status_code == 400
    assert client.post(library.path, json={}).status_code == 422
    assert client.post(library.path, content=b"{").status_code == 422
    assert client.post("/v2/models/other/infer", json={"inputs": [good]}).status_code == 404
