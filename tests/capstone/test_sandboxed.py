"""A service in the sandbox: its status comes out, signals reach it, bounds end it, nothing of it stays."""

import shutil
import signal

import psutil
import pytest
from polling import until

from fsdl_course.capstone import practice, sandboxed
from fsdl_course.capstone.sandboxed import HandInPlace

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="the capstone needs bubblewrap")


@pytest.fixture
def start(tmp_path):
    """``start(program)`` runs a Python program as a service; whatever runs at the end is killed."""
    for name in ("service", "state"):
        (tmp_path / name).mkdir()
    practice.place_models(tmp_path / "models")
    tmp_path.chmod(0o755)
    place = HandInPlace(tmp_path / "service", tmp_path / "models", tmp_path / "state", 8010, 96)
    runs = []

    def begin(program: str):
        runs.append(sandboxed.start(("python3", "-c", program), place))
        return runs[-1]

    yield begin
    for running in runs:
        running.kill()


def printed(running, text: bytes) -> None:
    until(lambda: text in running.log, 30)


def test_its_own_end_is_known_by_its_status(start):
    running = start("import os; os._exit(7)")
    assert running.popen.wait(30) == 7


def test_sigterm_reaches_the_start_command_and_no_other(start):
    """However it is called: a service that takes the sandbox's name is still the one that is signalled."""
    running = start(
        "import ctypes, os, signal, sys, time\n"
        "ctypes.CDLL(None).prctl(15, b'bwrap', 0, 0, 0)\n"
        "child = os.fork()\n"
        "name = 'child' if child == 0 else 'parent'\n"
        "def end(*_): os.write(1, name.encode() + b' ended.'); os._exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "os.write(1, name.encode() + b' there.')\n"
        "while True: time.sleep(0.05)"
    )
    printed(running, b"parent there.")
    printed(running, b"child there.")
    running.terminate()
    assert running.popen.wait(30) == 0
    running.read.join(10)
    assert b"parent ended." in running.log and b"child ended." not in running.log


def test_kill_leaves_nothing_not_even_who_left_the_session(start):
    running = start(
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork(): os._exit(0)\n"
        "    os.write(1, b'apart.')\n"
        "while True: time.sleep(0.05)"
    )
    printed(running, b"apart.")
    left = running.meter.processes()
    assert len(left) >= 2
    running.kill()
    assert not any(psutil.pid_exists(process.pid) and process.is_running() for process in left)
    assert running.ended() == -signal.SIGKILL


def test_more_memory_than_rented_ends_whoever_took_it_and_is_counted(start):
    running = start(
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    kept = bytearray(400 << 20)\n"
        "    for at in range(0, len(kept), 4096): kept[at] = 1\n"
        "    os.write(1, b'has it')\n"
        "os.wait()\n"
        "os.write(1, b'it has gone')\n"
        "time.sleep(60)"
    )
    until(lambda: running.meter.taken().killed, 60)
    assert b"has it" not in running.log


def test_work_of_grandchildren_that_are_gone_is_counted(start):
    running = start(
        "import os, time\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0:\n"
        "        if os.fork() == 0:\n"
        "            while time.process_time() < 0.15: pass\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "time.sleep(1.5)\n"
        "os.write(1, b'worked')\n"
        "time.sleep(60)"
    )
    printed(running, b"worked")
    until(lambda: running.meter.taken().cpu >= 0.6, 30)


def test_files_in_its_scratch_folder_are_memory(start):
    running = start(
        "import os, time\n"
        "open('/tmp/file', 'wb').write(bytes(30 << 20))\n"
        "os.write(1, b'written')\n"
        "time.sleep(60)"
    )
    printed(running, b"written")
    assert running.meter.taken().memory > 30 << 20


def test_what_it_prints_is_read_up_to_a_bound(start, monkeypatch):
    monkeypatch.setattr(sandboxed, "READ_LOG", 1 << 17)
    running = start("import sys\nwhile True: sys.stdout.write('x' * 65536)")
    until(lambda: len(running.log) >= 1 << 17, 30)
    running.read.join(10)
    assert len(running.log) <= (1 << 17) + (1 << 16)
    assert running.ended() is None
