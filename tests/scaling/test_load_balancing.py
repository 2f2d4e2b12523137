"""nginx, Envoy and HAProxy in front of quick replicas: who answers, what is lost, what is left behind."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from polling import alive, until

from fsdl_deploy.running import stations
from fsdl_deploy.scaling import failures, load_balancing
from fsdl_deploy.scaling.asking import Asking, Lost
from fsdl_deploy.scaling.failures import busy, kill_one_under_load, under_load, update_under_load
from fsdl_deploy.scaling.load_balancing import answered_by, nginx
from fsdl_deploy.scaling.policy import BalancerError, Policy
from fsdl_deploy.scaling.replicas import Replica, replicas

RATE = 12
pytestmark = pytest.mark.station


def ports(fleet):
    return [replica.port for replica in fleet]


def asking(balancer, **settings):
    return Asking(f"{balancer.url}/read", b"card", **settings)


@pytest.mark.parametrize("choose", ["round robin", "least connections"])
def test_all_replicas_answer_and_nothing_is_left(fleet, balance, choose):
    with balance(ports(fleet), choose=choose) as balancer:
        trial = busy(asking(balancer), 6, 60)
        assert trial.lost == trial.repeated == 0 and set(trial.answers) == set(ports(fleet))
        assert 0 < trial.least_share(ports(fleet)) <= 1 / 3
        folder, (port,) = balancer.folder, {int(balancer.url.rpartition(":")[2])}
        processes = balancer._server.processes()
        assert str(port) in balancer.configuration
    assert not folder.exists() and not any(map(psutil.Process.is_running, processes))
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port))


def test_least_connections_spares_a_slow_replica(make_fake, balance):
    with Replica(make_fake(0.05)()) as quick, Replica(make_fake(0.8)()) as slow:
        shares = {}
        for choose in ("round robin", "least connections"):
            with balance([quick.port, slow.port], choose=choose) as balancer:
                trial = busy(asking(balancer), 4, 40)
                shares[choose] = trial.answers[slow.port] / trial.answers.total()
    assert shares["least connections"] < shares["round robin"]


class Noticing(Asking):
    """Callers who count what they lose, so that an event can wait for it."""

    failed = 0

    def __call__(self):
        try:
            super().__call__()
        except Exception:
            self.failed += 1
            raise


@pytest.mark.parametrize("retry", ["none", "all"])
def test_a_killed_replica_costs_requests_without_retry_and_none_with_it(fleet, balance, retry):
    with balance(ports(fleet), retry=retry) as balancer:
        callers = Noticing(f"{balancer.url}/read", b"card")

        def crash():
            fleet[0].kill()
            until(lambda: callers.repeated if retry == "all" else callers.failed)
            fleet[0].start()

        trial = under_load(callers, RATE, crash)
    assert (trial.lost > 0, trial.repeated > 0) == ((False, True) if retry == "all" else (True, False))


def test_the_lessons_crash_ends_with_all_replicas_at_work(fleet, balance):
    with balance(ports(fleet)) as balancer:
        trial = kill_one_under_load(asking(balancer), fleet, RATE, down=0.2)
    assert trial.lost == 0 < trial.load.requests and all(replica.running for replica in fleet)


@pytest.mark.parametrize("retry", ["unsent", "all"])
def test_a_post_that_was_sent_is_repeated_only_if_the_policy_says_so(make_fake, balance, posts_of, retry):
    """The replica that is killed holds requests: those are lost, or repeated."""
    with (
        replicas(3, None, make_fake(1)) as fleet,
        balance(ports(fleet), retry=retry, choose="round robin") as balancer,
    ):

        def crash():
            until(lambda: posts_of(fleet[0])[0])
            fleet[0].kill()

        trial = under_load(asking(balancer), RATE, crash)
    assert trial.lost == 0 < trial.repeated if retry == "all" else trial.lost > 0


def test_replicas_come_and_go_and_no_request_is_lost(fleet, balance):
    with balance(ports(fleet)[:1], retry="none") as balancer:

        def scale():
            for count in (3, 1, 2):
                balancer.reload(ports(fleet)[:count])

        trial = under_load(asking(balancer), RATE, scale)
        assert trial.lost == 0
        assert set(busy(asking(balancer), 4, 20).answers) == set(ports(fleet)[:2])


def test_a_drained_update_loses_nothing_even_without_retry(fleet, balance):
    pids = [replica.server.pid for replica in fleet]
    with balance(ports(fleet), retry="none") as balancer:
        trial = update_under_load(asking(balancer), balancer, fleet, RATE, lambda replica: None)
    assert trial.lost == 0 < trial.load.requests
    assert not {replica.server.pid for replica in fleet} & set(pids)


def test_a_replica_that_hangs_delays_some_and_is_then_left_out(fleet, balance):
    with balance(ports(fleet), read_timeout=2, leave_out=30) as balancer:
        trial = failures.hang_one_under_load(asking(balancer), fleet, RATE, hung=4)
        assert trial.lost == 0
        assert trial.answers[fleet[0].port] < trial.answers.total() / 3


def test_new_connections_to_each_replica_work_too(fleet, balance):
    with balance(ports(fleet), keep_alive=False) as balancer:
        assert busy(asking(balancer, keep_alive=False), 4, 20).lost == 0


def test_active_checks_are_envoys_and_nginx_says_so(fleet):
    with pytest.raises(BalancerError, match="nginx asks no replica how it is"), nginx([1], health="active"):
        pass


def test_a_configuration_that_is_refused_says_why_in_a_sentence(balance):
    balancer = balance([1], connect_timeout=-1)
    with (
        pytest.raises(
            BalancerError, match=r"(nginx|Envoy|HAProxy) did not start: .*([Ii]nvalid|unexpected)"
        ) as caught,
        balancer,
    ):
        pass
    assert "\n" not in str(caught.value)


def test_a_program_that_is_not_here_is_named_with_what_to_do(monkeypatch, tmp_path):
    nowhere = stations.Station("nginx", "", tmp_path, tmp_path, tmp_path)
    monkeypatch.setattr(load_balancing.stations, "station", lambda name: nowhere)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BalancerError, match=r"not on this machine.*make station NAME=nginx"), nginx([1]):
        pass


def test_the_header_names_who_answered_and_how_many_were_asked():
    assert answered_by("127.0.0.1:20001") == (20001, 1)
    assert answered_by("127.0.0.1:20001, 127.0.0.1:20002") == (20002, 2)
    assert answered_by("127.0.0.1:20002 attempts=3") == (20002, 3)
    assert answered_by("127.0.0.1:20002 retries=+1") == (20002, 2)
    assert answered_by("127.0.0.1:20001 retries=0") == (20001, 1)
    assert answered_by("") == (0, 0)


def test_a_program_as_it_is_by_itself_divides_the_requests(fleet, balance):
    with balance(ports(fleet), defaults=True) as balancer:
        assert set(busy(asking(balancer), 4, 20).answers) == set(ports(fleet))
        ours = ("non_idempotent", "least_conn", "retry", "outlier", "LEAST_REQUEST", "check", "redispatch")
        assert not [word for word in ours if word in balancer.configuration]
        balancer.reload(ports(fleet)[:2])
        assert set(busy(asking(balancer), 4, 20).answers) == set(ports(fleet)[:2])


@pytest.mark.parametrize("bad", [{"choose": "by name"}, {"retry": "some"}, {"health": "good"}])
def test_an_unknown_policy_lists_the_known_ones(bad):
    with pytest.raises(ValueError, match="is unknown: take one of"):
        Policy(**bad)


def test_an_event_that_fails_ends_the_load_and_is_told(fleet, balance):
    with balance(ports(fleet)) as balancer, pytest.raises(ZeroDivisionError):
        under_load(asking(balancer), RATE, lambda: 1 / 0, around=0.2)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who writes where")
def test_what_a_killed_notebook_has_left_goes_when_the_next_balancer_starts():
    """Killed with its watchdog: nginx' worker goes on without its master, and its folder stays."""
    assert stations.python("nginx").is_file()
    code = """
import os, psutil, signal
from fsdl_deploy.scaling.load_balancing import nginx
balancer = nginx([1]).__enter__()
family = balancer._server.processes()
print(balancer.folder, *(process.pid for process in family), flush=True)
for pid in (family[0].ppid(), os.getpid()):
    os.kill(pid, signal.SIGKILL)
"""
    command = [sys.executable, "-c", code]
    folder, *pids = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout.split()
    master, worker = map(int, pids)
    until(lambda: not alive(master), what="the master's end")
    assert alive(worker) and Path(folder).exists()
    with nginx([1]) as other:
        assert not Path(folder).exists() and other.folder.exists()
    until(lambda: not alive(worker), what="the worker's end")


def test_a_balancer_ends_with_a_notebook_that_is_killed(balance):
    code = f"""
from fsdl_deploy.scaling.load_balancing import {balance.__name__} as balance
balancer = balance([1]).__enter__()
print(balancer._server.pid, flush=True)
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    pid = int(ended.stdout)
    until(lambda: not alive(pid), what="the balancer's end")


@pytest.mark.parametrize(
    "wrong",
    [[], [0], [70000], [-1], ["a"], [8000.0], [True], [8001, 8001]],
    ids=["none", "zero", "too large", "negative", "a word", "a float", "a bool", "twice"],
)
def test_what_is_no_list_of_ports_is_refused(wrong):
    with pytest.raises(ValueError, match=r"port|replica"):
        nginx(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"tries": tries} for tries in (-1, 1.5, "3")),
        *({"read_timeout": seconds} for seconds in (0, float("nan"))),
        *({"leave_out": seconds} for seconds in (0, float("inf"))),
    ],
    ids=str,
)
def test_a_policy_that_means_nothing_names_its_field(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Policy(**wrong)


def test_a_request_that_ends_every_replica_is_sent_to_each_once(balance):
    """Replicas that take a request and end the connection: three are asked, however they are listed."""
    asked = []

    def drop(server):
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                if b"POST /read " in connection.recv(65536):
                    asked.append(server)

    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    for server in servers:
        threading.Thread(target=drop, args=[server], daemon=True).start()
    try:
        with (
            balance([server.getsockname()[1] for server in servers]) as balancer,
            pytest.raises(Lost),
        ):
            asking(balancer)()
    finally:
        for server in servers:
            server.shutdown(socket.SHUT_RDWR)
            server.close()
    assert 1 <= len(asked) <= 3
