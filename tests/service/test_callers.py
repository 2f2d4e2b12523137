"""Callers: a crowd is there at the same moment, polite ones stop when the service is about to end."""

import base64
import os
import signal
import threading

import httpx2
import numpy as np
import pytest
from fake_service import fake_server

from fsdl_course.service.callers import PoliteCallers, together
from fsdl_deploy.picture import encode
from tests.polling import until

CARD = {"pictures": ["iVBORw0KGgo="]}


def test_a_crowd_is_there_at_the_same_moment():
    here, most, lock = [], [], threading.Lock()
    meeting = threading.Barrier(12)

    def call():
        with lock:
            here.append(1)
        meeting.wait(30)  # returns only where all twelve are inside of the call
        most.append(len(here))
        return 7

    assert together(12, call) == [7] * 12 and most == [12] * 12


def test_what_a_call_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        together(3, lambda: 1 / 0)


def test_polite_callers_lose_nothing_when_a_service_drains():
    body = {"pictures": [base64.b64encode(encode(np.full((32, 72), 255, np.uint8))).decode()]}
    with fake_server("--drain", "2", "--api-key", "sesame") as server:
        with PoliteCallers(server.url, body, {"Authorization": "Bearer sesame"}, count=2) as callers:
            callers.wait_for(20)
            os.kill(server.pid, signal.SIGTERM)
        until(lambda: not server.running)
    assert len(callers.statuses) >= 20 and set(callers.statuses) == {200}


def test_a_refusal_is_noted_and_an_error_in_the_block_ends_the_callers(server):
    with pytest.raises(KeyError), PoliteCallers(server.url, CARD, {}, count=2) as callers:
        callers.wait_for(4)
        raise KeyError("the lesson's own")
    assert set(callers.statuses) == {422} and not any(thread.is_alive() for thread in callers._threads)


def test_a_request_without_an_answer_is_lost_and_not_forgotten(monkeypatch):
    looks = iter([200, 200, 503])

    def answer(request):
        if request.url.path == "/readyz":
            return httpx2.Response(next(looks))
        raise httpx2.ReadError("the connection was reset")

    real = httpx2.Client
    transport = httpx2.MockTransport(answer)
    monkeypatch.setattr(httpx2, "Client", lambda **settings: real(transport=transport, **settings))
    with PoliteCallers("http://service", CARD, {}, count=1) as callers:
        pass
    assert callers.statuses == ["ReadError", "ReadError"]
