"""Folders that name their process: what a killed one has left goes, what a living one has stays."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from polling import alive, until

from fsdl_deploy.running.own_folder import own_folder, sweep

KILLED = """
import os, signal, subprocess, sys
from pathlib import Path
from fsdl_deploy.running.own_folder import own_folder
kept = own_folder("test")
folder = kept.name
code = "import sys; file = open(sys.argv[1], sys.argv[2]); print(1, flush=True); sys.stdin.read()"
Path(folder, "log").touch()
for mode in sys.argv[1:]:
    command = [sys.executable, "-c", code, folder + "/log", mode]
    child = subprocess.Popen(command, stdin=0, stdout=-1, stderr=-3)
    child.stdout.readline()
    print(child.pid)
print(folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
posix = pytest.mark.skipif(os.name != "posix", reason="ends a process as POSIX does")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def killed(*modes, stdin=subprocess.DEVNULL):
    command = [sys.executable, "-c", KILLED, *modes]
    process = subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=60)
    assert process.returncode < 0, process.stderr
    *pids, folder = process.stdout.split()
    return Path(folder), list(map(int, pids))


@posix
def test_the_next_folder_sweeps_away_that_of_a_killed_process(tmp_path):
    folder, _ = killed()
    assert folder.is_dir()
    living, other_kind = own_folder("test"), own_folder("another")
    assert not folder.exists()
    strange = [tmp_path / "fsdl-test-abc", tmp_path / "fsdl-test-4194305-x.y", tmp_path / "fsdl-test-"]
    for path in strange:
        path.mkdir()
    sweep("test")
    assert Path(living.name).is_dir() and Path(other_kind.name).is_dir() and all(map(Path.is_dir, strange))
    living.cleanup()
    other_kind.cleanup()
    assert not Path(living.name).exists()


@posix
def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "precious").mkdir()
    link = tmp_path / "fsdl-test-4194305-abc"
    link.symlink_to(tmp_path / "precious")
    sweep("test")
    assert link.is_symlink() and (tmp_path / "precious").is_dir()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who writes where")
def test_a_program_that_still_writes_there_is_ended_and_one_that_reads_is_not():
    reading, writing = os.pipe()
    try:
        folder, (writer, reader) = killed("a", "r", stdin=reading)
        assert alive(writer) and alive(reader)
        sweep("test")
        assert not folder.exists()
        until(lambda: not alive(writer), what="the writer's end")
        assert alive(reader)
    finally:
        os.close(writing)
        os.close(reading)
    until(lambda: not alive(reader), what="the reader's end")
