"""Programs out of Debian's packages: fetched once, unpacked without root, again after damage."""

import os
import shutil
import subprocess
import sys

import pytest
import tiny_course

from fsdl_course.setup.environment import Environment
from fsdl_course.setup.failures import SetupError
from fsdl_course.setup.stations import ensure
from fsdl_deploy.running import stations
from fsdl_deploy.running.stations import NotBuilt, StationError

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="only Debian has dpkg-deb")
APT = """#!/bin/sh
# An apt-get that knows one package, and that only with lists of its own if there is a file "old".
echo "$*" >> {calls}
case "$*" in
*Dir::State::Lists*download*) cp {package} . ;;
*update*) ;;
*download*) [ ! -e {folder}/old ] && cp {package} . ;;
esac
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    root = tiny_course.make(tmp_path / "course", monkeypatch)
    inside = tmp_path / "hello"
    (inside / "DEBIAN").mkdir(parents=True)
    (inside / "usr" / "bin").mkdir(parents=True)
    (inside / "usr/bin/hello").write_text("#!/bin/sh\necho hello\n")
    (inside / "usr/bin/hello").chmod(0o755)
    about = "Package: hello\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\nDescription: a test\n"
    (inside / "DEBIAN/control").write_text(about)
    package = tmp_path / "hello_1.0_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", inside, package], check=True)
    programs = tmp_path / "programs"
    programs.mkdir()
    text = APT.format(calls=tmp_path / "calls", package=package, folder=tmp_path)
    (programs / "apt-get").write_text(text)
    (programs / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    station = 'name = "tool"\npurpose = "a test"\ndebian = ["hello"]\n'
    (root / "infra/tool/station.toml").write_text(station)
    return root


def hello(root):
    program = stations.station("tool", root).programs / "hello"
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout


def test_the_program_is_unpacked_and_its_package_kept(root, tmp_path):
    ensure("tool", root)
    assert hello(root) == "hello\n"
    calls = (tmp_path / "calls").read_text()
    assert calls.count("download hello") == 1 and "update" not in calls
    shutil.rmtree(root / ".venv/stations/tool")
    ensure("tool", root)
    assert hello(root) == "hello\n"
    assert (tmp_path / "calls").read_text() == calls  # out of the store: no network


def test_where_the_lists_are_old_it_fetches_lists_of_its_own(root, tmp_path):
    (tmp_path / "old").touch()
    ensure("tool", root)
    assert hello(root) == "hello\n"
    assert "Dir::State::Lists" in (tmp_path / "calls").read_text()


def test_a_damaged_package_is_fetched_again(root):
    kept = root / "uv-cache" / "debian"
    kept.mkdir(parents=True)
    (kept / "hello_0.9_all.deb").write_bytes(b"half of a fi")
    with pytest.raises(SetupError, match="hello out of Debian's package"):
        ensure("tool", root)
    ensure("tool", root)
    assert hello(root) == "hello\n"


def test_another_package_makes_another_environment(root):
    def digest(debian):
        lock = root / "requirements.lock"
        return Environment("tool", root / ".venv", lock, debian=debian, root=root).digest()

    assert len({digest(()), digest(("hello",)), digest(("hello", "other"))}) == 3


def test_without_apt_the_station_says_where_it_runs(root, monkeypatch):
    monkeypatch.setattr(stations.shutil, "which", lambda name: None)
    with pytest.raises(NotBuilt, match="The station tool has programs of Debian's archive"):
        ensure("tool", root, sys.executable)


@pytest.mark.parametrize("names", ['"hello"', "[12]", '["../etc"]', '["Hello there"]'])
def test_packages_have_names_as_debians(root, names):
    (root / "infra/tool/station.toml").write_text(f'name = "tool"\npurpose = "a test"\ndebian = {names}\n')
    with pytest.raises(StationError, match="debian is a list of names"):
        stations.station("tool", root)
