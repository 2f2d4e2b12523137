"""What needs a station that is not built is left out and told; where it must run, the run fails."""

import subprocess
import sys

import pytest

TESTS = """
import pytest
from fsdl_deploy.running.stations import NotBuilt

def missing():
    raise NotBuilt("The station tool is not built: run `make station NAME=tool`")

@pytest.fixture
def server():
    missing()

def test_in_a_fixture(server):
    raise AssertionError

def test_in_the_call():
    missing()

def test_that_runs():
    pass
"""
OTHER = """
import pytest

@pytest.mark.skipif(True, reason="bubblewrap is not installed")
def test_sandbox():
    pass

@pytest.mark.skipif(True, reason="No container engine answers on this machine")
def test_container():
    pass

@pytest.mark.skipif(True, reason="No cluster can be made here: no engine answers")
def test_cluster():
    pass
"""


@pytest.fixture
def run(tmp_path):
    """run(*words): pytest with the course's plugins on the two files above, as a process."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_tool.py").write_text(TESTS)
    (tmp_path / "test_other.py").write_text(OTHER)

    def call(*words):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "fsdl_course.testing.left_out"]
        command += ["-p", "no:cacheprovider", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    return call


def test_it_is_told_what_was_left_out(run):
    result = run()
    assert result.returncode == 0, result.stdout
    assert "3 passed" not in result.stdout and "1 passed, 5 skipped" in result.stdout
    assert "not tested: stations that are not built" in result.stdout and "tool (2)" in result.stdout


@pytest.mark.parametrize(
    ("parts", "status", "gap"),
    [
        ("core", 1, "bubblewrap is not installed"),
        ("stations", 1, "The station tool is not built"),
        ("engine", 1, "No container engine answers"),
        ("cluster", 1, "No cluster can be made here"),
        ("core,stations,engine", 1, "bubblewrap is not installed"),
    ],
)
def test_what_must_run_may_not_be_skipped(run, parts, status, gap):
    result = run("--must-run", parts)
    assert result.returncode == status, result.stdout
    assert gap in result.stdout.partition("skipped, and had to run")[2]


def test_with_workers_too(run):
    assert run("-n", "2", "--must-run", "core").returncode == 1
    result = run("-n", "2", "-k", "runs", "--must-run", "core")
    assert result.returncode == 0 and "1 passed" in result.stdout


def test_files_that_may_need_a_station_can_be_chosen(run, tmp_path):
    (tmp_path / "test_other.py").write_text("def test_it():\n    ensure = 1\n")
    result = run("-m", "station")
    assert "test_other" not in result.stderr and "1 passed" in result.stdout, result.stdout
