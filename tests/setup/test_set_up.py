"""The whole set-up: what it builds, and what a station that cannot be built stops."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fsdl_course.setup import disk, environment, set_up
from fsdl_course.setup.failures import NO_SPACE, SetupError
from fsdl_deploy.running import stations


@pytest.fixture
def course(monkeypatch):
    """A core and three stations, of which the first fails with the error that ``fails`` holds."""
    state = SimpleNamespace(built=[], fails=SetupError("No wheel for this machine."), shortage=None)

    def ensure(name, builder, say):
        if name == "broken":
            raise state.fails
        say(f"Building {name}")
        say("  the locked packages …")
        state.built.append(name)

    core = SimpleNamespace(name="core", ready=lambda: True, ensure=lambda: None, python=Path(sys.executable))
    monkeypatch.setattr(environment, "core", lambda: core)
    monkeypatch.setattr(set_up, "ensure", ensure)
    monkeypatch.setattr(set_up, "environment_of", lambda name: SimpleNamespace(ready=lambda: name == "there"))
    monkeypatch.setattr(
        stations, "stations", lambda root: {name: name for name in ("broken", "there", "whole")}
    )
    monkeypatch.setattr(disk, "shortage", lambda names, root: state.shortage)
    monkeypatch.setattr(set_up.subprocess, "call", lambda *words, **options: 0)
    state.core = core
    return state


def test_the_set_up_builds_no_station(course):
    assert set_up.set_up() is course.core and course.built == []


def test_a_station_that_cannot_be_built_stops_no_other_and_is_told(course, capsys):
    assert set_up.everything() == 1 and course.built == ["whole"]
    output = capsys.readouterr()
    assert "Building whole\n  whole: the locked packages …\n" in output.out
    assert output.err == "The station broken is not built: No wheel for this machine.\n"


def test_no_space_stops_everything_with_one_sentence(course):
    course.fails = SetupError(f"Set-up of broken stopped at the packages. {NO_SPACE}")
    with pytest.raises(SetupError, match="disk is full"):
        set_up.everything()
    course.shortage, course.built[:] = "The disk has 1.0 GB free, and 3.0 GB are needed.", []
    with pytest.raises(SetupError, match="GB free"):
        set_up.everything()
    assert course.built == []
