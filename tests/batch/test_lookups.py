"""The table against its number of rows: all of them are stored, and a row that is lost is noticed."""

import httpx2
import pytest

from fsdl_deploy.batch import lookups


def test_rows_beyond_one_insert_are_all_found(monkeypatch):
    monkeypatch.setattr(lookups, "AT_ONCE", 70)
    small = lookups.measure(150, lookups=200)
    assert small.rows == 150 and small.lookup_ms > 0 and small.stored_per_second > 0


def test_a_store_that_loses_rows_is_not_measured(monkeypatch):
    monkeypatch.setattr(lookups.Store, "add", lambda *_: (0, 0))
    with pytest.raises(RuntimeError, match="lost the row"):
        lookups.measure(10, lookups=5)


def test_each_way_is_asked_once_for_each_customer_and_what_is_not_stored_is_not_counted(tmp_path):
    asked = []

    def answer(request):
        asked.append((request.method, str(request.url)))
        return httpx2.Response(404 if request.url.path.endswith("/C2") else 200)

    pictures = {customer: tmp_path / f"{customer}.jpg" for customer in ("C1", "C2")}
    for picture in pictures.values():
        picture.write_bytes(b"a card")
    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client:
        answers = lookups.in_turns(client, "http://table", "http://model", pictures, "2026-10")
    assert asked == [
        ("GET", "http://table/readings/2026-10/C1"),
        ("POST", "http://model/read"),
        ("GET", "http://table/readings/2026-10/C2"),
        ("POST", "http://model/read"),
    ]
    assert answers.stored == 1
    assert {way: len(times) for way, times in answers.milliseconds.items()} == {
        "look up": 2,
        "ask the model": 2,
    }


def test_a_model_that_refuses_is_not_timed(tmp_path):
    picture = tmp_path / "C1.jpg"
    picture.write_bytes(b"no picture")
    refusing = httpx2.MockTransport(lambda request: httpx2.Response(200 if request.method == "GET" else 422))
    with httpx2.Client(transport=refusing) as client, pytest.raises(httpx2.HTTPStatusError):
        lookups.in_turns(client, "http://table", "http://model", {"C1": picture}, "2026-10")
