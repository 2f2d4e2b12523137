"""When the device is unsure: the service in time, or a person; needs ``node``: stations.station("node")."""

import time

import numpy as np
import pytest
from fake_service import fake_server

from fsdl_deploy.picture import encode

# The fake service reads a picture's width; 668 pixels take it a second, 666 crash it.
QUICK, SLOW, CRASHING = 665 - 100, 668, 666


def paper(width: int) -> dict:
    """A file with an empty card, of which no model is sure."""
    image = np.full((64, width), 200, np.uint8)
    return {"name": "card.png", "mimeType": "image/png", "buffer": encode(image)}


@pytest.fixture(scope="module")
def service(stage):
    with fake_server("--allow-origins", stage.origin) as server:
        yield server


def test_the_service_answers_in_time_or_a_person_is_asked(stage, service):
    page = stage.fresh("v2", service.url, deadline_ms=400).open()
    page_text = page.upload(paper(QUICK))
    assert (
        page_text["digits"] == str(QUICK) and "by the service" in page_text["how"] and not page_text["asks"]
    )
    begin = time.monotonic()
    page_text = page.upload(paper(SLOW))
    assert page_text["asks"] and "does not answer" in page_text["how"]
    assert time.monotonic() - begin < 30, "the page waits for a service that is too slow"
    page_text = page.upload(paper(CRASHING))
    assert page_text["asks"] and "does not answer" in page_text["how"]
    assert not page.complaints


def test_a_service_that_does_not_know_the_page_is_no_service(stage):
    with fake_server("--allow-origins", "https://other.example") as server:
        page = stage.fresh("v2", server.url).open()
        page_text = page.upload(paper(QUICK))
        assert page_text["asks"] and "does not answer" in page_text["how"]


def test_a_service_that_the_server_did_not_name_cannot_be_asked(stage, service):
    page = stage.fresh("v2").open()
    page_text = page.upload(paper(QUICK))
    assert page_text["asks"] and "no service to ask" in page_text["how"]
    blocked = page.run("(url) => fetch(url + '/healthz').then(() => 'sent', () => 'blocked')", service.url)
    assert blocked == "blocked" and any("Content Security Policy" in text for text in page.complaints)
