"""The function: an event in, digits out; one model for all calls; whatever is wrong names its field."""

import base64
import json

import pytest

from fsdl_deploy.cards import cards
from fsdl_deploy.picture import encode
from fsdl_deploy.reader import OnnxReader
from fsdl_deploy.scaling import serverless
from fsdl_deploy.scaling.serverless import event, handler, respond

CARD = encode(next(iter(cards(1, "clean", seed=3))).image)


def body(**fields) -> str:
    return json.dumps(fields)


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_card_is_read_as_by_the_reader_itself():
    from fsdl_deploy.picture import decode

    (reading,) = OnnxReader().read([decode(CARD)])
    response = handler(event(CARD))
    assert response["statusCode"] == 200 and response["headers"] == {"Content-Type": "application/json"}
    answer = json.loads(response["body"])
    assert (answer["digits"], answer["model_version"]) == (reading.digits, "v2")
    assert answer["confidence"] == pytest.approx(reading.confidence)


def test_the_core_knows_no_cloud_and_takes_text_and_bytes():
    request = body(picture=text(CARD))
    assert respond(request) == respond(request.encode()) == (200, json.loads(handler(event(CARD))["body"]))


def test_a_gateway_may_send_the_body_in_base64():
    wrapped = event(CARD) | {"body": text(event(CARD)["body"].encode()), "isBase64Encoded": True}
    assert handler(wrapped) == handler(event(CARD))


def test_the_model_is_loaded_by_the_first_call_alone_and_is_the_one_that_is_configured(monkeypatch):
    loaded = []
    monkeypatch.setattr(
        serverless, "OnnxReader", lambda version: loaded.append(version) or OnnxReader(version)
    )
    monkeypatch.setenv(serverless.VERSION, "v1")
    serverless.reader.cache_clear()
    try:
        versions = {json.loads(handler(event(CARD))["body"])["model_version"] for _ in range(3)}
    finally:
        serverless.reader.cache_clear()
    assert loaded == ["v1"] and versions == {"v1"}


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        (None, 400, "event"),
        ([], 400, "event"),
        ({}, 400, "body"),
        ({"body": None}, 400, "body"),
        ({"body": {"picture": ""}}, 400, "body"),
        ({"body": "{"}, 400, "body"),
        ({"body": "[" * 100_000}, 400, "body"),
        ({"body": "ä", "isBase64Encoded": True}, 400, "body"),
        ({"body": text(b"\xff\xfe\xff"), "isBase64Encoded": True}, 400, "body"),
        ({"body": "[]"}, 422, "body"),
        ({"body": "{}"}, 422, "picture"),
        ({"body": body(picture=None)}, 422, "picture"),
        ({"body": body(picture=[text(CARD)])}, 422, "picture"),
        ({"body": body(picture="no base64!")}, 422, "picture"),
        ({"body": body(picture="ü")}, 422, "picture"),
        ({"body": body(picture="")}, 422, "picture"),
        ({"body": body(picture=text(b"no picture"))}, 422, "picture"),
        ({"body": body(picture=text(CARD[:60]))}, 422, "picture"),
        ({"body": body(picture=text(CARD), level="hard")}, 422, "'level'"),
    ],
)
def test_a_bad_event_is_refused_and_its_field_named(wrong, status, field):
    response = handler(wrong)
    error = json.loads(response["body"])["error"]
    assert (response["statusCode"], error["field"]) == (status, field)
    assert len(error["problem"]) > 8 and "Traceback" not in error["problem"]
