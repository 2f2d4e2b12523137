"""Readings per second: servers take turns, cards are counted and not requests, a loss is no rate."""

from types import SimpleNamespace

import httpx2
import numpy as np
import pytest
from fake_service import fake_server

from fsdl_course.service import scaling_up
from fsdl_course.service.contract import metric
from fsdl_course.service.scaling_up import readings_per_second

CARDS = [np.full((32, 70 + number), 255, np.uint8) for number in range(4)]


def read_by(server):
    return metric(httpx2.get(server.url + "/metrics").text, "reader_pictures_total")


def test_servers_share_the_requests(server):
    with fake_server() as other:
        before = read_by(server)
        rate = readings_per_second([server, other], CARDS, requests=20)
        assert read_by(server) - before == read_by(other) == 10 * len(CARDS)
    assert rate > 0


def test_a_rate_counts_cards(server, monkeypatch):
    load = SimpleNamespace(errors=0, throughput=3.0)
    monkeypatch.setattr(scaling_up, "closed_loop", lambda *_: load)
    assert readings_per_second([server], CARDS, requests=1) == 12


def test_a_lost_request_is_no_rate(server):
    crashes = [np.full((32, 666), 255, np.uint8)]
    with pytest.raises(RuntimeError, match=r"the service lost requests: .* × "):
        readings_per_second([server], crashes, requests=2)
