"""The whole set-up: what it builds, and what a station that cannot be built stops."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fsdl_course.setup import environment, set_up
from fsdl_deploy.running import stations


def test_a_station_that_cannot_be_built_stops_only_the_tests(monkeypatch, capsys):
    def ensure(name, builder, say):
        if name == "broken":
            raise environment.SetupError("No wheel for this machine.")
        say(f"Building {name}")
        say("  the locked packages …")
        built.append(name)

    built = []
    core = SimpleNamespace(ready=lambda: True, ensure=lambda: Path(sys.executable))
    monkeypatch.setattr(environment, "core", lambda: core)
    monkeypatch.setattr(set_up, "ensure", ensure)
    known = [("broken", True), ("later", False), ("whole", True)]
    known = {name: SimpleNamespace(name=name, setup=setup) for name, setup in known}
    monkeypatch.setattr(stations, "stations", lambda: known)
    assert set_up.set_up() is core and built == ["whole"]
    output = capsys.readouterr().out
    assert "Building whole\n  whole: the locked packages …\n" in output
    assert "The station broken is not built" in output and "No wheel for this machine." in output
    with pytest.raises(environment.SetupError):
        set_up.set_up(strict=True)
