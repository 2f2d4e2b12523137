"""Locust as a program: what it counts is what was answered, and what goes wrong is said in a sentence."""

from dataclasses import replace

import pytest

from fsdl_deploy.running import stations
from fsdl_deploy.running.ports import free_port
from fsdl_deploy.scaling import locust_load
from fsdl_deploy.scaling.locust_load import LocustError, locust
from fsdl_deploy.scaling.replicas import Replica


@pytest.fixture(autouse=True)
def _built():
    station = stations.station("locust")
    if not station.built:
        pytest.skip(station.not_built())


def test_users_ask_one_request_after_the_other(make_fake):
    """Two users at 0.1 s for a request: 20 requests a second at most, and not many fewer."""
    with Replica(make_fake(0.1)()) as replica:
        report = locust(f"{replica.url}/read", b"{}", users=2, seconds=2)
    assert report.failures == 0 and 10 <= report.requests <= 42
    assert 5 < report.rate <= 21 and 95 <= report.p50 <= report.p99
    assert report.text.startswith("Type ") and "/read" in str(report) and "100%" in report.text


def test_a_port_at_which_nobody_answers_is_all_failures():
    report = locust(f"http://127.0.0.1:{free_port()}/read", b"{}", users=1, seconds=1)
    assert report.failures == report.requests > 0 and "refused" in report.text.lower()


def test_a_run_without_users_is_said_in_a_sentence(monkeypatch, tmp_path):
    moved = replace(stations.station("locust"), folder=tmp_path)
    monkeypatch.setattr(locust_load.stations, "station", lambda name: moved)
    with pytest.raises(LocustError, match=r"Locust asked nothing of http.*: .*users.py") as caught:
        locust("http://127.0.0.1:1/read", b"{}", users=1, seconds=1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", [{"users": 0, "seconds": 1}, {"users": 1, "seconds": 0.5}])
def test_numbers_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match="whole number from 1 up"):
        locust("http://127.0.0.1:1/", b"", **bad)
