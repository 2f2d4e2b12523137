"""Commands of a set-up: what they may touch, and how a failure is explained."""

import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest

from fsdl_course.setup.failures import SetupError, cause
from fsdl_course.setup.installer import Installer, clean_environ, version_of
from fsdl_course.setup.integrity import torch_warnings


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is",
        ),
        ("  Caused by: failed to write to file: No space left on device (os error 28)", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "refused"),
        ("error: Hash mismatch for `numpy==2.4.6`", "refused"),
        ("NewConnectionError('<...>: Failed to establish a new connection: [Errno -3]", "index cannot be"),
        ("error: Failed to fetch: `https://x.example/simple/numpy/`\n  Caused by: dns error", "index cannot"),
        ("ERROR: No matching distribution found for torch==2.13.0+cpu", "do not have the locked version"),
        ("  × No solution found when resolving dependencies:", "do not have the locked version"),
        ("The virtual environment was not created successfully because ensurepip is not", "python3-venv"),
        ("something else", "read the log"),
    ],
)
def test_the_cause_of_a_failure_is_one_sentence(printed, sentence):
    assert sentence in cause(printed) and "\n" not in cause(printed)


@pytest.fixture
def tool(tmp_path):
    with (tmp_path / "log").open("w") as log:
        yield Installer("tiny", Path(sys.executable), log, log.fileno(), say=lambda line: None)


def test_a_failed_command_names_its_log(tool):
    tool.run("one that works", [sys.executable, "-c", "print('No space left on device')"])
    with pytest.raises(SetupError) as raised:
        tool.run("one that fails", [sys.executable, "-c", "print('getaddrinfo failed'); raise SystemExit(3)"])
    message = str(raised.value)
    assert "one that fails" in message and "cannot be reached" in message and tool.log.name in message
    assert "disk" not in message  # the words of an earlier command are not this one's


@pytest.mark.skipif(os.name == "nt", reason="no umask")
def test_what_is_installed_is_for_all_to_read_whatever_the_umask(tool, tmp_path):
    before = os.umask(0o077)
    try:
        tool.run("a file", [sys.executable, "-c", f"open({str(tmp_path / 'made')!r}, 'w')"])
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o644


def test_a_missing_command_is_an_error_of_the_system(tool, tmp_path):
    with pytest.raises(OSError):
        tool.run("nothing", [tmp_path / "no-such-program"])


def test_what_a_user_tells_uv_directly_wins(tool, monkeypatch):
    monkeypatch.setenv("UV_INDEX", "theirs")
    show = [sys.executable, "-c", "import os; print('INDEX', os.environ.get('UV_INDEX'))"]
    tool.run("first", show, {"UV_INDEX": "ours"}, theirs_first=True)
    tool.run("second", show, {"UV_INDEX": "ours"})
    tool.run("third", show, {"UV_INDEX": None})
    lines = [line for line in Path(tool.log.name).read_text().splitlines() if line.startswith("INDEX")]
    assert lines == ["INDEX theirs", "INDEX ours", "INDEX None"]


def test_a_range_in_pips_constraints_does_not_stop_uv_where_sums_are_demanded(tool, tmp_path, monkeypatch):
    limits, wheel = tmp_path / "constraints.txt", tmp_path / "nothing-1.0-py3-none-any.whl"
    limits.write_text("torch<=99\n")
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr(
            "nothing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n"
        )
        files.writestr("nothing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        files.writestr("nothing-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("UV_CONSTRAINT", str(limits))
    tool.settings = {"constraint": str(limits), "find-links": str(tmp_path), "no-index": "1"}
    line = f"nothing==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
    tool.install("a locked package", line, "--no-deps", "--dry-run")
    assert "nothing==1.0" in Path(tool.log.name).read_text()


def test_another_pythons_variables_do_not_get_in(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    environ = clean_environ(Path(sys.executable))
    assert not {"PYTHONPATH", "PYTHONHOME"} & environ.keys() and environ["PIP_USER"] == "0"


def test_version_of_a_broken_interpreter(tmp_path):
    broken = tmp_path / "python"
    assert version_of(broken) is None
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert version_of(broken) is None
    assert version_of(Path(sys.executable)) == sys.version_info[:2]


def test_cuda_that_nobody_asked_for_is_said(tmp_path):
    (tmp_path / "torch").mkdir()
    version = tmp_path / "torch" / "version.py"
    version.write_text("cuda = None\n")
    assert torch_warnings(tmp_path) == []
    version.write_text("cuda = '13.0'\n")
    (tmp_path / "nvidia_cublas-13.0.dist-info").mkdir()
    cuda, packages = torch_warnings(tmp_path)
    assert "CUDA 13.0" in cuda and "nvidia_cublas" in packages
    version.unlink()
    assert "cannot be read" in torch_warnings(tmp_path)[0]
