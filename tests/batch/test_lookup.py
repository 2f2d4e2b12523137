"""The endpoint over the table: answers, their age, and what is not there."""

import httpx2
import pytest
from fastapi.testclient import TestClient

from fsdl_deploy.batch.lookup import create_app
from fsdl_deploy.batch.store import Store
from fsdl_deploy.running.course_servers import course_server


def fill(store):
    about = {"month": "2026-10", "model_version": "v2"}
    store.add(
        store.begin("2026-10", "v2", 2),
        [{**about, "customer": "C1", "digits": "00123", "confidence": 0.75, "picture": "C1.png"}],
        [{**about, "customer": "C2", "picture": "C2.png", "reason": "the picture has 0 bytes"}],
    )


@pytest.fixture
def client(store_url):
    store = Store(store_url)
    fill(store)
    with TestClient(create_app(store)) as client:
        yield client


def test_a_stored_reading_and_its_age(client):
    answer = client.get("/readings/2026-10/C1")
    body = answer.json()
    assert answer.status_code == 200 and int(answer.headers["age"]) <= body.pop("age") < 600
    assert body == {
        "customer": "C1", "month": "2026-10", "digits": "00123", "confidence": 0.75, "model_version": "v2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "status", "field", "problem"),
    [
        ("/readings/2026-10/C3", 404, "customer", "C3, 2026-10: there is no reading yet"),
        ("/readings/2026-10/C2", 404, "customer", "set aside: the picture has 0 bytes"),
        ("/readings/october/C1", 422, "month", "YYYY-MM"),
        ("/readings/2026-10/C1' OR '1'='1", 404, "customer", "no reading"),
    ],
)
def test_what_is_not_there_is_said(client, path, status, field, problem):
    answer = client.get(path)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["field"] == field and problem in error["problem"]


def test_a_database_that_is_gone_is_503(tmp_path):
    store = Store(tmp_path / "readings.db")
    fill(store)
    with TestClient(create_app(store)) as client:
        store.close()
        (tmp_path / "readings.db").write_bytes(b"no database any more" * 1000)
        for extra in ("-wal", "-shm"):
            (tmp_path / f"readings.db{extra}").unlink(missing_ok=True)
        answer = client.get("/readings/2026-10/C1")
        assert answer.status_code == 503 and "cannot be used" in answer.json()["error"]["problem"]


def test_the_command_serves_the_table(tmp_path):
    store = Store(tmp_path / "readings.db")
    fill(store)
    with course_server("lookup", "--store", tmp_path / "readings.db") as server:
        assert httpx2.get(server.url + "/readings/2026-10/C1").json()["digits"] == "00123"
        assert "/readings/{month}/{customer}" in httpx2.get(server.url + "/openapi.json").json()["paths"]
    store.close()
