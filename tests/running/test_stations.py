"""Stations are declared in one file, built on demand, and found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_course

from fsdl_course.setup import environment, pythons
from fsdl_course.setup.stations import ensure, listing
from fsdl_deploy.running import fitting, stations
from fsdl_deploy.running.stations import StationError


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    return tiny_course.make(tmp_path / "course", monkeypatch)


def test_built_on_demand_then_found(root):
    # The station imports fsdl_deploy from its course.
    (root / "fsdl_deploy").mkdir()
    (root / "fsdl_deploy" / "__init__.py").write_text("here = True\n")
    with pytest.raises(StationError, match="make station NAME=tool"):
        stations.python("tool", root)
    messages: list[str] = []
    python = ensure("tool", root, Path(sys.executable), messages.append)
    assert "tool" in messages[0]
    assert python == stations.python("tool", root)
    program = "import fsdl_deploy, tiny; print(fsdl_deploy.__file__, tiny.version)"
    process = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True, cwd="/")
    assert process.stdout.split() == [str(root / "fsdl_deploy" / "__init__.py"), "1.0"]

    messages.clear()
    assert ensure("tool", root, Path(sys.executable), messages.append) == python
    assert messages == []
    assert stations.station("tool", root).mebibytes() > 0


def test_a_stations_programs_keep_what_is_compiled_also_where_that_is_forbidden(root, tmp_path, monkeypatch):
    python = ensure("tool", root, Path(sys.executable), print)
    station = stations.station("tool", root)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    for prefix, kept in (("", station.environment), (str(tmp_path / "elsewhere"), tmp_path / "elsewhere")):
        monkeypatch.setenv("PYTHONPYCACHEPREFIX", prefix)
        subprocess.run([python, "-c", "import tiny"], env=os.environ | station.bytecode, check=True)
        assert [file.name.split(".")[0] for file in kept.rglob("tiny*.pyc")] == ["tiny"]


def test_a_station_lies_as_deep_as_it_likes_and_its_name_is_its_own(root):
    deep = root / "infra" / "batch" / "other"
    deep.mkdir(parents=True)
    (deep / "requirements.lock").write_text("tiny==1.0\n")
    (deep / "station.toml").write_text('name = "other"\npurpose = "a test"\njava = true\n')
    known = stations.stations(root)
    assert {name: station.java for name, station in known.items()} == {"other": True, "tool": False}
    assert known["other"].environment == root / ".venv" / "stations" / "other"
    deep.rename(root / "infra" / "batch" / "tool")
    (root / "infra/batch/tool/station.toml").write_text('name = "tool"\npurpose = "a test"\n')
    with pytest.raises(StationError, match="are both stations called tool"):
        stations.stations(root)


def test_a_station_is_there_though_another_is_wrong(root):
    other = root / "infra" / "other"
    other.mkdir()
    (other / "station.toml").write_text('name = "other"\npurpose = "its lock is missing"\n')
    assert stations.station("tool", root).folder == root / "infra" / "tool"
    with pytest.raises(StationError, match="make it with `make lock`"):
        stations.station("other", root)


def test_an_unknown_name_lists_the_known_ones(root):
    with pytest.raises(StationError, match="No station 'tol'; there are: tool"):
        stations.station("tol", root)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name = ", "not TOML"),
        ('name = "other"\npurpose = "x"', "as its folder is called"),
        ('name = "tool"', "what the station is for"),
        ('name = "tool"\npurpose = " "', "what the station is for"),
        ('name = "tool"\npurpose = "x"\njava = "yes"', "java must be true or false"),
        ('name = "tool"\npurpose = "x"\ntorch = 1', "torch must be true or false"),
        ('name = "tool"\npurpose = "x"\nset-up = true', "unknown set-up"),
        ('name = "tool"\npurpose = "x"\nsource = "a package"', "source is a list of names of packages"),
        ('name = "tool"\npurpose = "x"\nlock = "none.lock"', "make it with `make lock`"),
        (
            'name = "tool"\npurpose = "x"\nplatforms = ["linux"]',
            "platforms is a list of some of linux-x86_64",
        ),
        ('name = "tool"\npurpose = "x"\nplatforms = []', "platforms is a list of some of"),
        ('name = "tool"\npurpose = "x"\nrequires-python = "3.11"', "such as '>=3.11,<3.13'"),
        ('name = "tool"\npurpose = "x"\nrequires-python = 3.11', "such as '>=3.11,<3.13'"),
    ],
)
def test_a_wrong_declaration_names_its_file(root, text, problem):
    (root / "infra/tool/station.toml").write_text(text)
    with pytest.raises(StationError, match=problem) as raised:
        stations.stations(root)
    assert "infra/tool/station.toml" in str(raised.value)


def test_torch_comes_from_the_core_and_everything_else_from_the_station(root, tmp_path, monkeypatch):
    (root / "environment.yml").write_text("name: course\n")
    (root / "infra/tool/station.toml").write_text('name = "tool"\npurpose = "a test"\ntorch = true\n')
    core = environment.core(root, environ={}, say=lambda line: None)
    core.builder, core.core = Path(sys.executable), False
    core.ensure()
    (core.site() / "torch.py").touch()
    (core.site() / "tiny.py").unlink()  # a link to the store: written to, every environment would have it
    (core.site() / "tiny.py").write_text("version = 'of the core'\n")

    def imported(root: Path) -> list[str]:
        python = ensure("tool", root, Path(sys.executable), lambda line: None)
        program = "import tiny, torch; print(tiny.version, torch.__file__, sep='|')"
        process = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True, cwd="/")
        return process.stdout.strip().split("|")

    assert imported(root) == ["1.0", str(core.site() / "torch.py")]
    moved = root.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("PIP_FIND_LINKS", str(moved / "wheels"))
    version, file = imported(moved)
    assert version == "1.0" and file.startswith(str(moved / ".venv" / "lib"))


def test_a_station_that_needs_java_says_so_where_there_is_none(root, monkeypatch):
    tool = root / "infra/tool/station.toml"
    monkeypatch.setattr(stations.machine, "java", lambda: None)
    assert stations.station("tool", root).lacks() is None
    tool.write_text('name = "tool"\npurpose = "a test"\njava = true\n')
    assert stations.station("tool", root).lacks() == stations.NO_JAVA
    monkeypatch.setattr(stations.machine, "java", lambda: "/usr/bin/java")
    assert stations.station("tool", root).lacks() is None


def test_a_station_of_another_system_says_so_and_is_not_built(root, monkeypatch):
    monkeypatch.setattr(fitting, "system", lambda: "macos-arm64")
    tool = root / "infra/tool/station.toml"
    tool.write_text('name = "tool"\npurpose = "a test"\nplatforms = ["linux-x86_64"]\n')
    sentence = "The station tool runs on Linux x86-64 only: its notebook is skipped here."
    assert stations.station("tool", root).lacks() == sentence
    with pytest.raises(StationError) as raised:
        ensure("tool", root, Path(sys.executable), lambda line: None)
    assert str(raised.value) == sentence and not (root / ".venv").exists()
    assert "not here" in str(listing(root)) and "Linux x86-64" in str(listing(root))


def test_a_station_of_another_python_is_built_with_one_that_is_here(root, monkeypatch):
    other = (sys.version_info[0], sys.version_info[1] + 1)
    tool = root / "infra/tool/station.toml"
    tool.write_text(f'name = "tool"\npurpose = "a test"\nrequires-python = "=={other[0]}.{other[1]}"\n')
    monkeypatch.setattr(pythons, "SUPPORTED", (other,))
    monkeypatch.setattr(pythons, "fitting_python", lambda versions: None)
    asked = []
    monkeypatch.setattr(pythons, "of_uv", lambda *words: asked.append(words))
    with pytest.raises(StationError, match="--fetch-python` has uv fetch"):
        ensure("tool", root, Path(sys.executable), lambda line: None)
    assert asked == [(other, False, [sys.executable, "-m", "uv"])]
    monkeypatch.setenv(pythons.FETCH, "1")
    monkeypatch.setattr(pythons, "of_uv", lambda version, fetch, uv: sys.executable if fetch else None)
    ensure("tool", root, Path(sys.executable), lambda line: None)  # a stand-in: this Python itself
    assert stations.station("tool", root).lacks() is None  # built: with whichever Python


def test_a_station_with_torch_takes_no_other_python(root, monkeypatch):
    tool = root / "infra/tool/station.toml"
    tool.write_text('name = "tool"\npurpose = "a test"\ntorch = true\nrequires-python = "<3.9"\n')
    (root / "environment.yml").write_text("name: course\n")
    monkeypatch.setattr(pythons, "fitting_python", lambda versions: sys.executable)
    with pytest.raises(StationError, match="shares the torch of the course"):
        ensure("tool", root, Path(sys.executable), lambda line: None)


def test_the_courses_own_stations_are_well_declared():
    assert "streamlit" in stations.stations()
    for station in stations.stations().values():
        lock = station.lock.read_text(encoding="utf-8")
        assert "\ntorch==" not in lock
