"""The service with a cascade and a memory: who reads, what is counted, what cannot be."""

import base64

import numpy as np
import pytest
from starlette.testclient import TestClient

from fsdl_deploy import cli
from fsdl_deploy.picture import encode
from fsdl_deploy.reading import Reading
from fsdl_deploy.service.app import create_app
from fsdl_deploy.service.shortcuts import ShortReader

SURE, UNSURE = (np.full((32, width), 255, np.uint8) for width in (96, 97))


class ByWidth:
    """Is not sure of a picture 97 pixels wide; notes how many pictures came."""

    def __init__(self, version):
        self.model_version, self.pictures = version, 0

    def read(self, images):
        self.pictures += len(images)
        return [
            Reading(str(image.shape[1]), 0.1 if image.shape[1] == 97 else 0.9, (0.9,), self.model_version)
            for image in images
        ]


def asked(client, *images):
    pictures = [base64.b64encode(encode(image)).decode() for image in images]
    answer = client.post("/read", json={"pictures": pictures})
    assert answer.status_code == 200
    return answer


def counts(client):
    lines = client.get("/metrics").text.splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines)
        if name.startswith(("reader_cascade", "reader_cache")) and "_created" not in name
    }


def test_the_cascade_hands_on_what_the_first_is_not_sure_of_and_counts_it():
    first, second = ByWidth("v2"), ByWidth("teacher")
    with TestClient(create_app(lambda: ShortReader(first, second))) as client:
        while client.get("/readyz").status_code != 200:
            pass
        before = counts(client)
        answer = asked(client, SURE, UNSURE, SURE)
        assert [reading["digits"] for reading in answer.json()["readings"]] == ["96", "97", "96"]
        assert answer.headers["x-model-version"] == "v2-cascade"
        assert second.pictures == 1
        rise = {name: value - before[name] for name, value in counts(client).items()}
        assert rise == {"reader_cascade_pictures_total": 3, "reader_cascade_handed_on_total": 1}


def test_the_memory_answers_the_second_time_and_forgets_the_oldest():
    reader = ByWidth("v2")
    with TestClient(create_app(lambda: ShortReader(reader, kept=1))) as client:
        while client.get("/readyz").status_code != 200:
            pass
        asked(client, UNSURE)
        read = reader.pictures
        before = counts(client)
        asked(client, UNSURE)
        assert reader.pictures == read
        asked(client, np.full((32, 98), 255, np.uint8))  # takes the only place
        asked(client, UNSURE)
        assert reader.pictures == read + 2
        after = counts(client)
        rise = {name: after[name] - before[name] for name in after}
        assert rise['reader_cache_pictures_total{answer="hits"}'] == 1
        assert rise['reader_cache_pictures_total{answer="misses"}'] == 2
        assert after["reader_cache_kept"] == 1


def test_with_both_what_is_remembered_is_the_second_models_reading():
    first, second = ByWidth("v2"), ByWidth("teacher")
    reader = ShortReader(first, second, kept=10)
    assert reader.read([UNSURE])[0].model_version == reader.read([UNSURE])[0].model_version == "teacher"
    assert (first.pictures, second.pictures) == (1, 1)


@pytest.mark.parametrize(
    ("options", "problem"),
    [(["--cache", "-1"], "--cache must be 0 to"), (["--cascade", "v9"], "v9.onnx")],
)
def test_command_refuses_what_cannot_be_in_one_sentence(options, problem, capsys):
    assert cli.main(["serve", "--port", "0", *options]) != 0
    message = capsys.readouterr().err
    assert problem in message and "Traceback" not in message and message.count("\n") == 1
