"""Triton: the reader behind its server, bad pictures among good ones, the options, and a clean end."""

import json
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from served import ask_together

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader

LIBRARY = "triton"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("triton")


@pytest.fixture(scope="module")
def server(library, folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))  # of the server
        with library.server(max_batch=4, delay_ms=50) as server:
            yield server


@pytest.mark.thorough
def test_the_options_arrive(client):
    config = client.get("/v2/models/reader/config").json()
    assert config["max_batch_size"] == 4
    assert config["dynamic_batching"]["max_queue_delay_microseconds"] == 50_000


@pytest.mark.thorough
def test_a_bad_picture_does_not_hurt_its_neighbours(client, library):
    images = [card.image for card in cards(8, "hard", seed=8)]
    pictures = [encode(image) for image in images]
    pictures[3] = pictures[3][:-200]

    ensemble = replace(library, path="/v2/models/meter-reader/infer", format="oip-binary")
    answers = ask_together(client, ensemble, pictures)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400, 200, 200, 200, 200]
    assert "pictures: the picture is damaged" in answers[3].json()["error"]
    readings = open_reader().read(images)
    del answers[3], readings[3]
    for answer, reading in zip(answers, readings, strict=True):
        outputs = {output["name"]: output["data"][0] for output in answer.json()["outputs"]}
        assert library.digits(answer.content) == reading.digits
        assert outputs["confidence"] == pytest.approx(reading.confidence, rel=1e-5)
        assert outputs["by_hand"] == (reading.confidence < 0.9)
    batches = client.get("/v2/models/reader/stats").json()["model_stats"][0]["batch_stats"]
    assert 2 <= max(batch["batch_size"] for batch in batches) <= 4


def test_the_library_asks_the_reader_alone(client, library):
    image = next(iter(cards(1, seed=3))).image
    body, headers = library.request(encode(image))
    digits, confidence = library.reading(client.post(library.path, content=body, headers=headers).content)
    (reading,) = open_reader().read([image])
    assert digits == reading.digits and confidence == pytest.approx(reading.confidence, rel=1e-5)
    counted = client.get("/v2/models/decide/stats").json()["model_stats"][0]["inference_count"]
    asked = client.get("/v2/models/reader/stats").json()["model_stats"][0]["inference_count"]
    assert asked > counted  # the second model of the ensemble was not asked


@pytest.mark.thorough
def test_one_request_with_several_pictures(client):
    images = [card.image for card in cards(3, seed=9)]

    def ask(pictures):
        data = b"".join(len(picture).to_bytes(4, "little") + picture for picture in pictures)
        tensor = {"name": "pictures", "datatype": "BYTES", "shape": [len(pictures), 1]}
        tensor["parameters"] = {"binary_data_size": len(data)}
        head = json.dumps({"inputs": [tensor]}).encode()
        headers = {"Inference-Header-Content-Length": str(len(head))}
        return client.post("/v2/models/reader/infer", content=head + data, headers=headers)

    answer = ask([encode(image) for image in images]).json()
    columns = {output["name"]: output["data"] for output in answer["outputs"]}
    assert columns["digits"] == [reading.digits for reading in open_reader().read(images)]
    assert ask([encode(images[0]), b""]).status_code == 400
    assert ask([encode(images[0])] * 5).status_code == 400  # more than a batch holds


@pytest.mark.thorough
def test_it_ends_with_all_its_processes_and_files(server, folder):
    children = psutil.Process(server.pid).children(recursive=True)
    assert len(children) == 3  # tritonserver and a process for each model
    name = next(folder.iterdir()).name
    shared = Path("/dev/shm")
    assert list(shared.glob(f"{name}*"))
    next(child for child in children if "stub" in child.name()).kill()  # it cannot clean up
    server.stop()
    assert not any(child.is_running() for child in children)
    assert not list(folder.iterdir()) and not list(shared.glob(f"{name}*"))
