"""Locust as a program: what it counts is what was answered, and what goes wrong is said in a sentence."""

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from polling import until

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


def test_users_ask_one_request_after_the_other(make_fake, posts_of):
    """Two users: what is answered is what was asked, but for what the end broke off, and two at a time."""
    with Replica(make_fake(0.1)()) as replica:
        report = locust(f"{replica.url}/read", b"{}", users=2, seconds=2)
        _, most, asked = posts_of(replica)
    assert report.failures == 0 and 1 <= most <= 2
    assert asked - 2 <= report.requests <= asked
    assert report.rate > 0 and 95 <= report.p50 <= report.p99, "no answer comes before 100 ms"
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


def test_it_ends_with_a_notebook_that_is_killed_and_the_next_run_sweeps_up(make_fake, posts_of):
    code = """
import sys
from fsdl_deploy.scaling.locust_load import locust
locust(sys.argv[1], b"{}", users=1, seconds=600)
"""
    with Replica(make_fake(0.05)()) as replica:
        url = f"{replica.url}/read"
        with subprocess.Popen([sys.executable, "-c", code, url]) as notebook:
            until(lambda: posts_of(replica)[2])
            (folder,) = Path(tempfile.gettempdir()).glob(f"fsdl-locust-{notebook.pid}-*")
            notebook.kill()
        until(lambda: not any(replica.url in words for words in command_lines()), what="Locust's end")
        assert folder.exists()
        locust(url, b"{}", users=1, seconds=1)
    assert not folder.exists()


def command_lines():
    for process in psutil.process_iter(["cmdline"]):
        yield " ".join(process.info["cmdline"] or ())


@pytest.mark.parametrize("bad", [{"users": 0, "seconds": 1}, {"users": 1, "seconds": 0.5}])
def test_numbers_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match="whole number from 1 up"):
        locust("http://127.0.0.1:1/", b"", **bad)
