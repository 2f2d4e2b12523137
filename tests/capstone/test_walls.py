"""The probe before each trial: it notices what is open, and the sandbox has nothing else open."""

import shutil
import socket

import pytest

from fsdl_course.capstone import practice, sandboxed, walls
from fsdl_course.capstone.sandboxed import HandInPlace

needs_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="the capstone needs bubblewrap")


@pytest.fixture
def place(tmp_path):
    """The folders of a trial, as the grader prepares them."""
    for name in ("service", "state"):
        (tmp_path / name).mkdir()
    practice.place_models(tmp_path / "models")
    tmp_path.chmod(0o755)
    (tmp_path / "spec.json").write_text("the seed", encoding="utf-8")
    return HandInPlace(tmp_path / "service", tmp_path / "models", tmp_path / "state", 8010, 128)


@needs_bubblewrap
def test_only_the_network_is_open_where_the_service_has_that_of_this_machine(place):
    """In a trial the network is an empty one; here the probe is to find the one door that we left open."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert walls.leaks(place, listening.getsockname()[1]) == ["the network"]


@needs_bubblewrap
def test_models_that_could_be_written_are_noticed(place, monkeypatch):
    shut = sandboxed._sandbox

    def open_door(place):
        words = shut(place)
        place.models.chmod(0o777)
        root = words[: words.index("--chdir")].index("--remount-ro", words.index("/state"))
        return [*words[:root], "--bind", str(place.models), "/models", *words[root:]]

    monkeypatch.setattr(sandboxed, "_sandbox", open_door)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # it does not listen
        leaks = walls.leaks(place, nobody.getsockname()[1])
    assert leaks == ["writing to /models"]


def test_a_probe_that_says_nothing_is_a_leak():
    assert "did not start (bwrap: no)" in walls.answer(b"bwrap: no\n")[0]
    assert walls.answer(b"noise\nPROBED []\n") == []
    assert walls.answer(b'PROBED ["the network"]\n') == ["the network"]
