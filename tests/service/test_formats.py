"""One card in every format: all are read alike, a wrong answer is noticed, and parsing really parses."""

import json

import httpx2
import numpy as np
import pytest

from fsdl_course.service import formats
from fsdl_deploy.service.refusal import Refusal

CARD = np.full((32, 72), 255, np.uint8)  # the fake service reads its width


def in_clouds(text):
    return {"Google": {"instances": [{"b64": text}]}, "Azure": {"data": [text]}}


@pytest.fixture
def requests(client):
    text = json.loads(formats.requests(client, "", CARD, {})[formats.OURS].read())["pictures"][0]
    return formats.requests(client, "", CARD, in_clouds(text))


def test_every_format_is_read_alike(client, requests):
    assert formats.agreeing(client, requests) == list(requests)
    assert sum(name.startswith(formats.STANDARD) for name in requests) == 4
    assert {"Google", "Azure", "SageMaker, picture", "ours, form"} < requests.keys()


def test_an_answer_with_other_digits_does_not_agree(requests):
    def answer(request):
        digits = "71" if request.url.path == "/score" else "72"
        return httpx2.Response(200, json={"readings": [{"digits": digits}]})

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as wrong:
        assert set(requests) - set(formats.agreeing(wrong, requests)) == {"Azure"}


def test_an_empty_reading_agrees_with_nothing(requests):
    empty = httpx2.MockTransport(lambda request: httpx2.Response(200, json={"readings": [{"digits": ""}]}))
    with httpx2.Client(transport=empty) as client, pytest.raises(RuntimeError, match="take another card"):
        formats.agreeing(client, requests)


def test_each_format_is_parsed_from_its_own_bytes(client, requests):
    for parse in formats.parsings(requests).values():
        parse()
    for kind, model in formats.MODELS.items():
        name = f"{formats.STANDARD}, {kind}, JSON"
        broken = client.build_request("POST", f"/v2/models/{model}/infer", json={"inputs": [{"name": "no"}]})
        with pytest.raises(Refusal):
            formats.parsings(requests | {name: broken})[name]()
