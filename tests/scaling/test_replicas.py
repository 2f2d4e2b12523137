"""Replicas: held to their share, killed, hung and started again; all ended, and no control group left."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest
from polling import until

from fsdl_deploy.running.servers import Server, ServerError
from fsdl_deploy.scaling import shares
from fsdl_deploy.scaling.replicas import Replica, replicas
from fsdl_deploy.scaling.shares import PERIOD, Share

pytestmark = pytest.mark.skipif(os.name != "posix", reason="plays with POSIX signals and control groups")
SPIN = """
import http.server, sys, threading
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass
def spin():
    while True: pass
threading.Thread(target=spin, daemon=True).start()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""


@pytest.fixture
def spinning():
    """A server that computes all the time."""
    with Server([sys.executable, "-I", "-S", "-c", SPIN, "{port}"], "/") as server:
        yield server


def used(pid, seconds=1.5) -> float:
    """Which share of a core a process uses."""
    times, begin = psutil.Process(pid).cpu_times(), time.monotonic()
    until(lambda: time.monotonic() > begin + seconds)
    now = psutil.Process(pid).cpu_times()
    return (now.user + now.system - times.user - times.system) / (time.monotonic() - begin)


def groups():
    return [
        path
        for parent in (shares.GROUPS, shares.GROUPS / "cpu")
        for path in parent.glob(f"{shares._PREFIX}*")
    ]


@pytest.mark.parametrize("place", [shares.GROUPS, Path("/nowhere")])
def test_a_share_is_the_most_that_a_process_gets(spinning, place):
    share = Share(spinning.pid, 0.1, place)
    if place == Path("/nowhere"):
        assert share.how == "stopped in turns"
    assert 0 < used(spinning.pid) < 0.2, share.how
    share.close()
    until(lambda: used(spinning.pid) > 0.2, what="its processor, again")
    assert spinning.running and str(os.getpid()) not in str(groups())


def test_a_very_small_share_is_held_in_the_same_way(spinning):
    """The kernel refuses less than a millisecond at a time."""
    usual = Share(spinning.pid, 0.1)
    usual.close()
    small = Share(spinning.pid, 0.02)
    small.close()
    assert small.how == usual.how


def test_a_stopped_process_goes_on_when_its_keeper_is_closed(spinning):
    share = Share(spinning.pid, 0.02, Path("/nowhere"))
    until(lambda: psutil.Process(spinning.pid).status() == psutil.STATUS_STOPPED)
    share.close()
    until(lambda: psutil.Process(spinning.pid).status() != psutil.STATUS_STOPPED)
    assert psutil.Process(spinning.pid).status() != psutil.STATUS_STOPPED


def test_the_keeper_ends_with_its_process(spinning):
    share = Share(spinning.pid, 0.5, Path("/nowhere"))
    spinning.kill()
    until(lambda: not share._duty.running)
    share.close()


@pytest.mark.parametrize("version", [1, 2])
def test_the_files_of_both_versions_of_control_groups(tmp_path, version):
    """As the kernel would read them: a folder stands for the tree."""
    group = tmp_path / "group"
    group.mkdir()
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us") if version == 1 else ("cpu.max",)
    for name in names:
        (group / name).write_text("")
    shares._limit(group, 2000, round(PERIOD * 1e6))
    assert [(group / name).read_text() for name in names] == (
        ["2000", "20000"] if version == 1 else ["2000 20000"]
    )
    with pytest.raises(FileNotFoundError, match="limits no processor time"):
        shares._limit(tmp_path, 2000, 20000)


def test_groups_of_dead_processes_are_swept_and_those_of_living_ones_stay(tmp_path):
    gone, own = (tmp_path / f"{shares._PREFIX}{pid}-x" for pid in (2**22 + 1, os.getpid()))
    gone.mkdir()
    own.mkdir()
    shares._sweep(tmp_path)
    assert not gone.exists() and own.exists()


@pytest.mark.parametrize("bad", [0, 0.01, 1.5])
def test_a_share_that_cannot_be_is_refused(bad):
    with pytest.raises(ValueError, match="a part of one core"):
        Share(os.getpid(), bad)


def test_a_killed_replica_comes_back_at_its_port_with_its_share(make_fake):
    with Replica(make_fake()(), share=0.5) as replica:
        port, pid, how = replica.port, replica.server.pid, replica.held_by
        assert how
        replica.kill()
        assert not replica.running and replica.held_by is None
        replica.start()
        assert (replica.port, replica.held_by) == (port, how) and replica.server.pid != pid
    assert not replica.running and replica.held_by is None


def test_a_hung_replica_goes_on_and_can_be_ended_while_it_hangs(make_fake):
    with Replica(make_fake()(), share=0.5) as replica:
        replica.hang()
        process = psutil.Process(replica.server.pid)
        until(lambda: process.status() == psutil.STATUS_STOPPED)  # once it has been given a turn
        replica.resume()
        until(lambda: process.status() != psutil.STATUS_STOPPED)
        assert replica.held_by
        replica.hang()
        begin = time.monotonic()
    assert not replica.running and time.monotonic() - begin < replica.server.grace


def test_all_are_ended_when_one_does_not_start_and_none_is_no_number(make_fake):
    servers = [make_fake()(), make_fake()(), Server(["false", "{port}"], "/", name="broken")]
    running = iter(servers)
    with pytest.raises(ServerError, match="broken"), replicas(3, None, lambda: next(running)):
        pass
    assert not any(server.running for server in servers)
    with pytest.raises(ValueError, match="one replica at least"), replicas(0):
        pass


def test_a_replica_of_the_course_reads():
    from fsdl_deploy import RemoteReader
    from fsdl_deploy.cards import cards

    card = next(iter(cards(1, "clean", seed=3)))
    with replicas(1, share=0.5) as (replica,), RemoteReader(replica.url, timeout=60) as reader:
        assert len(reader.read([card.image])) == 1 and reader.model_version == "v2"
