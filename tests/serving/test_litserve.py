"""LitServe: the reader behind its hooks, bad input beside good in one batch, what a stop leaves behind."""

from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from packed import locked

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import open_reader

LIBRARY = "litserve"
OPTIONS = {"max_batch": 8, "delay_ms": 20}


@pytest.fixture
def post(client, library):
    def send(picture: bytes, **headers):
        body, usual = library.request(picture)
        return client.post(library.path, content=body, headers=usual | headers)

    return send


@pytest.mark.thorough
def test_a_batch_gives_each_caller_their_own_answer(post):
    images = [card.image for card in cards(20, "hard", seed=8)]
    pictures = [encode(image) for image in images]
    pictures[3:3] = [b"no picture"]
    pictures[11:11] = [pictures[0][:-200]]
    with ThreadPoolExecutor(len(pictures)) as pool:
        answers = list(pool.map(post, pictures))
    assert [place for place, answer in enumerate(answers) if answer.status_code == 422] == [3, 11]
    assert "not a picture" in answers[3].json()["detail"] and "damaged" in answers[11].json()["detail"]
    documents = [answer.json() for answer in answers if answer.status_code == 200]
    assert max(document["batch"] for document in documents) > 1
    for document, reading in zip(documents, open_reader().read(images), strict=True):
        assert document["digits"] == reading.digits
        assert document["confidence"] == pytest.approx(reading.confidence, rel=1e-5)


@pytest.mark.thorough
def test_bad_input_is_the_callers_fault(post):
    for body, kind in ((b"", "image/png"), (b"{}", "application/json"), (b"[", "application/json")):
        assert post(body, **{"Content-Type": kind}).status_code == 422


@pytest.mark.thorough
def test_a_dead_worker_is_replaced_and_a_stop_leaves_nobody(server, post):
    first = psutil.Process(server.pid)
    children = first.children(recursive=True)
    (worker,) = [child for child in children if "--multiprocessing-fork" in child.cmdline()]
    worker.kill()
    card = next(cards(1)).image
    assert post(encode(card)).json()["digits"] == open_reader().read([card])[0].digits
    everybody = [first, *first.children(recursive=True)]
    first.terminate()
    assert not psutil.wait_procs(everybody, timeout=20)[1]


def test_the_station_needs_no_torch():
    assert not any(package.startswith("torch=") for package in locked("litserve"))
