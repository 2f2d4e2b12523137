"""The arena: a network and a disk that nobody else sees, and a core that the clients leave to the service."""

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest

from fsdl_course.capstone import arena
from fsdl_deploy.paths import ROOT

INSIDE = """
import json, os, socket, sys
from pathlib import Path
from fsdl_course.capstone import arena
state, port = Path(sys.argv[1]), int(sys.argv[2])
arena.leave_machine()
arena.own_disk(state, 1 << 20, 5, os.getuid())
seen = {"files": 0, "bytes": 0}
try:
    with open(state / "large", "wb") as file:
        while True:
            seen["bytes"] += file.write(bytes(4096))
            file.flush()
except OSError as error:
    seen["full"] = error.errno
try:
    while True:
        (state / str(seen["files"])).mkdir()
        seen["files"] += 1
except OSError:
    pass
for name, address in (("machine", ("127.0.0.1", port)), ("world", ("192.0.2.1", 80))):
    try:
        socket.create_connection(address, 1)
    except OSError as error:
        seen[name] = type(error).__name__
with socket.create_server(("127.0.0.1", 0)) as here:  # its own loopback works
    socket.create_connection(here.getsockname(), 1).close()
before = len(os.sched_getaffinity(0))
core = arena.service_core()
seen["cores"] = [before, core in os.sched_getaffinity(0)]
print(json.dumps(seen))
"""


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="as the capstone: on Linux with namespaces")
def test_what_is_in_the_arena_stays_in_it(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as machine:
        port = str(machine.getsockname()[1])
        command = [sys.executable, "-c", INSIDE, str(tmp_path), port]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    assert seen["bytes"] <= (1 << 20) + 4096 and seen["full"] == 28  # ENOSPC
    assert seen["files"] == 4  # five, with the large one
    assert seen["machine"] == "ConnectionRefusedError" and seen["world"] == "OSError"
    assert list(tmp_path.iterdir()) == []
    cores, shared = seen["cores"]
    assert shared == (cores == 1)


def test_no_namespaces_is_a_sentence_and_a_status_of_its_own(tmp_path, monkeypatch, capsys):
    def refused():
        raise arena.ArenaError("allow user namespaces")

    monkeypatch.setattr(arena, "leave_machine", refused)
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({"place": {"state": os.fspath(tmp_path)}}), encoding="utf-8")
    assert arena.main([str(spec)]) == 3
    assert "allow user namespaces" in capsys.readouterr().err
