"""Which pages may ask the service from a browser: none unless named, and then every answer says so."""

import httpx2
import pytest
from fake_service import fake_server

from fsdl_deploy.service.cross_origin import origin

PAGE, OTHER = "https://app.example", "https://app.example.evil"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
ALLOWED = "access-control-allow-origin"


@pytest.fixture(scope="module")
def open_client():
    options = ["--allow-origins", PAGE, "--allow-origins", "http://127.0.0.1:8080", "--api-key", "secret"]
    with fake_server(*options) as server, httpx2.Client(base_url=server.url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("page", [PAGE, "http://127.0.0.1:8080"])
def test_a_named_page_may_ask(open_client, page):
    answer = open_client.options("/read", headers={"origin": page, **PREFLIGHT})
    assert answer.status_code == 200 and answer.headers[ALLOWED] == page
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "content-type" in answer.headers["access-control-allow-headers"].lower()
    assert "origin" in answer.headers["vary"].lower()


@pytest.mark.parametrize("page", [OTHER, "http://app.example", "https://app.example:444", "null", "*"])
def test_no_other_page_may(open_client, page):
    answer = open_client.options("/read", headers={"origin": page, **PREFLIGHT})
    assert ALLOWED not in answer.headers and answer.status_code == 400
    assert ALLOWED not in open_client.get("/healthz", headers={"origin": page}).headers


def test_refusals_say_so_too(open_client):
    key = {"origin": PAGE, "authorization": "Bearer secret", "content-type": "application/json"}
    refused = open_client.post("/read", json={}, headers={"origin": PAGE})  # no key
    malformed = open_client.post("/read", content=b"{", headers=key)
    nothing = open_client.get("/nothing", headers=key)
    large = open_client.post("/read", content=b"x" * (13 * 2**20), headers=key)
    answers = [refused, malformed, nothing, large]
    assert [answer.status_code for answer in answers] == [401, 400, 404, 413]
    assert {answer.headers.get(ALLOWED) for answer in answers} == {PAGE}
    assert "X-Request-Id" in refused.headers["access-control-expose-headers"]


def test_off_by_default(client):
    answer = client.options("/read", headers={"origin": PAGE, **PREFLIGHT})
    assert answer.status_code == 204 and ALLOWED not in answer.headers
    assert ALLOWED not in client.get("/healthz", headers={"origin": PAGE}).headers


def test_what_is_an_origin():
    assert origin("https://App.Example/") == PAGE
    assert origin("https://app.example:443") == PAGE
    assert origin("http://127.0.0.1:8080") == "http://127.0.0.1:8080"
    assert origin("http://[::1]:8080") == "http://[::1]:8080"
    assert origin("HTTPS://app.example") == origin("https://app.example:") == PAGE
    assert origin("http://app.example:080") == "http://app.example"
    assert origin("http://app.example:08080") == "http://app.example:8080"


@pytest.mark.parametrize(
    "text",
    ["*", "", "app.example", "ftp://app.example", "https://app.example/page", "https://",
     "https://app.example?x",
     "https://me@app.example", "https://app.example:99999", "https://*.example",
     "https://a.example; script-src *"],
)  # fmt: skip
def test_what_is_none(text):
    with pytest.raises(ValueError, match="origin"):
        origin(text)
