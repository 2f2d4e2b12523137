"""Stations are declared in one file, built on demand, and found."""

import subprocess
import sys
from pathlib import Path

import pytest
import tiny_course

from fsdl_deploy import stations
from fsdl_deploy.stations import SetupError


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    return tiny_course.make(tmp_path / "course", monkeypatch)


def test_built_on_demand_then_found(root):
    # The station imports fsdl_deploy from its course.
    (root / "fsdl_deploy").mkdir()
    (root / "fsdl_deploy" / "__init__.py").write_text("here = True\n")
    with pytest.raises(SetupError, match="make station NAME=tool"):
        stations.python("tool", root)
    said: list[str] = []
    python = stations.ensure("tool", root, Path(sys.executable), said.append)
    assert "tool" in said[0]
    assert python == stations.python("tool", root)
    program = "import fsdl_deploy, tiny; print(fsdl_deploy.__file__, tiny.version)"
    shown = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True, cwd="/")
    assert shown.stdout.split() == [str(root / "fsdl_deploy" / "__init__.py"), "1.0"]

    said.clear()
    assert stations.ensure("tool", root, Path(sys.executable), said.append) == python
    assert said == []
    assert stations.station("tool", root).mebibytes() > 0


def test_a_station_lies_as_deep_as_it_likes_and_its_name_is_its_own(root):
    deep = root / "infra" / "batch" / "other"
    deep.mkdir(parents=True)
    (deep / "requirements.lock").write_text("tiny==1.0\n")
    (deep / "station.toml").write_text('name = "other"\npurpose = "a test"\nsetup = false\n')
    known = stations.stations(root)
    assert {name: one.setup for name, one in known.items()} == {"other": False, "tool": True}
    assert known["other"].environment().folder == root / ".venv" / "stations" / "other"
    deep.rename(root / "infra" / "batch" / "tool")
    (root / "infra/batch/tool/station.toml").write_text('name = "tool"\npurpose = "a test"\n')
    with pytest.raises(SetupError, match="are both stations called tool"):
        stations.stations(root)


def test_a_station_is_there_though_another_is_wrong(root):
    other = root / "infra" / "other"
    other.mkdir()
    (other / "station.toml").write_text('name = "other"\npurpose = "its lock is missing"\n')
    assert stations.station("tool", root).folder == root / "infra" / "tool"
    with pytest.raises(SetupError, match="make it with `make lock`"):
        stations.station("other", root)


def test_an_unknown_name_lists_the_known_ones(root):
    with pytest.raises(SetupError, match="No station 'tol'; there are: tool"):
        stations.station("tol", root)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name = ", "not TOML"),
        ('name = "other"\npurpose = "x"', "as its folder is called"),
        ('name = "tool"', "what the station is for"),
        ('name = "tool"\npurpose = " "', "what the station is for"),
        ('name = "tool"\npurpose = "x"\nsetup = "yes"', "true or false"),
        ('name = "tool"\npurpose = "x"\nset-up = true', "unknown set-up"),
        ('name = "tool"\npurpose = "x"\nlock = "none.lock"', "make it with `make lock`"),
    ],
)
def test_a_wrong_declaration_names_its_file(root, text, problem):
    (root / "infra/tool/station.toml").write_text(text)
    with pytest.raises(SetupError, match=problem) as raised:
        stations.stations(root)
    assert "infra/tool/station.toml" in str(raised.value)


def test_the_courses_own_stations_are_well_declared():
    known = stations.stations()
    assert known["streamlit"].setup
    for station in known.values():
        lock = station.lock.read_text(encoding="utf-8")
        assert "\ntorch==" not in lock
