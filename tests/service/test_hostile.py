"""Hostile requests: each is refused, a bomb unpacks to what it says, and a reading is noticed."""

import io

import httpx2
import numpy as np
import PIL.Image
import pytest

from fsdl_course.service import hostile
from fsdl_deploy.picture import encode

CARD = encode(np.full((32, 72), 255, np.uint8))


def test_all_of_them_are_refused_and_the_service_goes_on(client):
    bodies = hostile.requests(CARD, hostile.picture_bomb(12_000))
    refusals = hostile.refusals(client, "/read", bodies)
    assert [refusal.sent for refusal in refusals] == list(bodies)
    statuses = {refusal.sent: refusal.status for refusal in refusals}
    assert set(statuses.values()) == {400, 413, 415, 422}
    assert statuses["100 MB"] == 413 and statuses["plain text"] == 415 and statuses["half a picture"] == 422
    assert client.get("/readyz").status_code == 200


def test_a_bomb_is_small_and_unpacks_to_its_pixels():
    bomb = hostile.picture_bomb(3000)
    assert PIL.Image.open(io.BytesIO(bomb)).size == (3000, 3000) and len(bomb) < 3000 * 3000 / 1000


def test_a_reading_is_no_refusal(client):
    with pytest.raises(KeyError):
        hostile.refusals(client, "/read", {"a card": (hostile.JSON, hostile.as_json(CARD))})


def test_problems_are_cut_to_a_line():
    error = {"error": {"field": "pictures", "problem": "p" * 100}}
    refusing = httpx2.MockTransport(lambda request: httpx2.Response(422, json=error))
    with httpx2.Client(transport=refusing) as client:
        (refusal,) = hostile.refusals(client, "http://service/read", {"x": (hostile.TEXT, b"")})
    assert refusal == ("x", 422, "pictures", "p" * 62)
