"""What a service takes is counted by its control groups; a name that it gives itself hides nothing."""

import os
import subprocess
import sys
import threading

from fsdl_course.capstone import meter
from fsdl_course.capstone.meter import ServiceMeter


def test_groups_of_both_versions_are_read(tmp_path):
    first, second = tmp_path / "v1", tmp_path / "v2"
    first.mkdir()
    second.mkdir()
    (first / "memory.stat").write_text("cache 9000\nrss 1\ntotal_cache 9000\ntotal_rss 4096\n")
    (first / "cpuacct.usage").write_text("2500000000\n")
    (first / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    (second / "memory.stat").write_text("anon 8192\nfile 9000\n")
    (second / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n")
    (second / "memory.events").write_text("low 0\noom 5\noom_kill 1\n")
    nobody = subprocess.Popen([sys.executable, "-c", ""])
    nobody.wait()
    assert ServiceMeter(nobody.pid, (first,)).taken() == meter.Taken(4096, 2.5, 2)
    assert ServiceMeter(nobody.pid, (second,)).taken() == meter.Taken(8192, 1.5, 1)


def test_a_group_that_has_gone_and_a_process_that_has_gone_take_nothing(tmp_path):
    nobody = subprocess.Popen([sys.executable, "-c", ""])
    nobody.wait()
    passed = threading.Event()
    looked = ServiceMeter(nobody.pid, (tmp_path / "gone",), passed)
    assert looked.taken() == meter.Taken() and looked.processes() == []
    passed.set()
    assert looked.taken().killed == 1


def test_processes_are_known_by_their_numbers_inside_the_first_of_them_first(monkeypatch):
    """Numbers on the machine say nothing about the order: they start again from below when they run out."""
    children = [subprocess.Popen(["sleep", "60"]) for _ in range(3)]
    inside = dict(zip((child.pid for child in children), (7, 1, 2), strict=True))
    monkeypatch.setattr(meter, "_number_inside", lambda pid: inside.get(pid, 0))
    try:
        pids = [process.pid for process in ServiceMeter(os.getpid()).processes()]
    finally:
        for child in children:
            child.kill()
            child.wait()
    assert pids == [children[2].pid, children[0].pid]


def test_without_groups_children_that_were_waited_for_are_counted():
    spin = "import time\nwhile time.process_time() < 0.3: pass"
    run = "import subprocess, sys, time; subprocess.run([sys.executable, '-c', {!r}])"
    program = run.format(spin) + "; print(1, flush=True); time.sleep(60)"
    outer = run.format(program)
    process = subprocess.Popen([sys.executable, "-c", outer], stdout=subprocess.PIPE)
    try:
        process.stdout.read(1)
        assert ServiceMeter(process.pid).taken().cpu >= 0.3
    finally:
        for child in ServiceMeter(process.pid)._tree():
            child.kill()
        process.wait()
        process.stdout.close()


def test_number_inside_of_this_process_is_found():
    assert meter._number_inside(os.getpid()) > 0
    assert meter._number_inside(2**22 + 1) == 0


def test_what_the_service_does_itself_is_nobody_elses_share(monkeypatch):
    """Else a service that works all the time would lengthen its own limits."""
    core, own = [100.0], [10.0]
    monkeypatch.setattr(meter, "core_seconds", lambda _: core[0])
    looked = ServiceMeter(os.getpid())
    monkeypatch.setattr(ServiceMeter, "taken", lambda self: meter.Taken(cpu=own[0]))
    share = meter.OthersShare(looked, 0)
    monkeypatch.setattr(share, "elapsed", lambda: 60.0)
    core[0], own[0] = 150.0, 58.0
    assert share.seconds() == 2.0
    own[0] = 11.0
    assert share.seconds() == 49.0
    core[0] = 900.0
    assert share.seconds() == 60.0
    assert share.longer(10) and not share.longer(
        25
    )  # 60 - 2 x 10 are more than 10; 60 - 50 are not more than 25


def test_the_core_of_this_process_has_done_something():
    core = max(os.sched_getaffinity(0))
    assert meter.core_seconds(core) > 0
    assert meter.core_seconds(10**6) == 0
