"""Ray Serve: the reader's answers from a batch, bad input, and what a stop leaves behind."""

import psutil
import pytest
from packed import locked
from served import ask_together

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader

LIBRARY = "rayserve"
OPTIONS = {"max_batch": 8, "delay_ms": 20}
pytestmark = pytest.mark.timeout(600)  # a dozen Pythons start on a busy machine


@pytest.mark.thorough
def test_a_batch_gives_each_caller_their_own_answer_and_a_stop_leaves_nobody(server, client, library):
    images = [card.image for card in cards(20, "hard", seed=8)]
    pictures = [encode(image) for image in images]
    bad = {3: b"no picture", 11: pictures[0][:-200], 12: b""}
    for place, data in bad.items():
        pictures.insert(place, data)

    answers = ask_together(client, library, pictures)
    assert {place for place, answer in enumerate(answers) if answer.status_code == 422} == set(bad)
    assert "not a picture" in answers[3].json()["detail"] and "0 bytes" in answers[12].json()["detail"]
    documents = [answer.json() for answer in answers if answer.status_code == 200]
    assert 1 < max(document["batch"] for document in documents) <= 8
    for document, reading in zip(documents, open_reader().read(images), strict=True):
        assert document["digits"] == reading.digits
        assert document["confidence"] == pytest.approx(reading.confidence, rel=1e-5)

    everybody = psutil.Process(server.pid).children(recursive=True)
    psutil.Process(server.pid).terminate()
    assert not psutil.wait_procs(everybody, timeout=30)[1]


def test_the_station_needs_no_torch():
    assert not any(package.startswith("torch=") for package in locked("rayserve"))
