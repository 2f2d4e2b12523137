"""Tests of several processes on one port, over the socket: deaths, metrics, the end, and what cannot be."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager

import httpx2
import numpy as np
import psutil
import pytest

from fsdl_deploy import cli
from fsdl_deploy.paths import ROOT
from fsdl_deploy.picture import encode
from fsdl_deploy.service import workers
from tests.polling import alive, until
from tests.sockets import raw_post

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="several processes on a port are POSIX's")


def asked(width=64):
    return {"pictures": [base64.b64encode(encode(np.full((32, width), 255, np.uint8))).decode()]}


class Service:
    """The fake service with several workers, and its output in a file."""

    def __init__(self, process, url, log):
        self.process, self.url, self.log = process, url, log

    def metric(self, name):
        page = httpx2.get(f"{self.url}/metrics", timeout=30).text
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", page, re.MULTILINE))

    def workers(self):
        return psutil.Process(self.process.pid).children()

    def all_ready(self, count):
        until(lambda: self.metric("reader_workers") == count)

    def text(self):
        return self.log.read_text()

    def read(self, width=64):
        return httpx2.post(f"{self.url}/read", json=asked(width), timeout=30)

    def sent(self, width):
        """A connection over which a request was sent, whose answer is still to be read."""
        body = json.dumps(asked(width)).encode()
        return raw_post(httpx2.URL(self.url).port, len(body), body)


@contextmanager
def service(folder, *options, count=2):
    log = folder / "log"
    with open(log, "w") as output:
        process = subprocess.Popen(
            [sys.executable, ROOT / "tests" / "fake_service.py", "--workers", str(count), *options],
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        match = until(lambda: re.search(r"serving at (\S+)", log.read_text()))
        yield Service(process, match[1], log)
    finally:
        children = psutil.Process(process.pid).children() if alive(process.pid) else []
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        assert not [child for child in children if alive(child.pid)], "a worker outlived its master"


class Load:
    """Callers that ask until the end, each with a connection of its own for each request."""

    def __init__(self, url, callers=6):
        self.url, self.outcomes, self.stop = url, [[] for _ in range(callers)], threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(own,)) for own in self.outcomes]

    def _ask(self, own):
        while not self.stop.is_set():
            try:
                own.append(httpx2.post(f"{self.url}/read", json=asked(), timeout=30).status_code)
            except httpx2.ConnectError as error:
                own.append(error)
                if self.stop.is_set() or "refused" in str(error):
                    return
            except httpx2.HTTPError as error:
                own.append(error)

    def answered(self):
        return sum(map(len, self.outcomes))

    def failures(self):
        return [[outcome for outcome in own if outcome != 200] for own in self.outcomes]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def test_a_worker_that_is_killed_takes_only_its_own_requests_with_it(tmp_path):
    with service(tmp_path) as ours:
        ours.all_ready(2)
        before = {worker.pid for worker in ours.workers()}
        with Load(ours.url) as load:
            until(lambda: load.answered() > 60)
            victim = min(before)
            os.kill(victim, signal.SIGKILL)
            killed_at = load.answered()
            until(lambda: load.answered() > killed_at + 120)
            ours.all_ready(2)
        lost = load.failures()
        assert all(len(own) <= 1 for own in lost), lost  # each caller has one request at a time
        assert not any("refused" in str(error) for own in lost for error in own)
        assert ours.metric("reader_workers_died_total") == 1
        after = {worker.pid for worker in ours.workers()}
        assert len(after) == 2 and len(before & after) == 1
        assert re.search(rf"process {victim}\) was ended by SIGKILL: started again", ours.text())


def test_a_picture_that_kills_its_worker_leaves_the_service(tmp_path):
    with service(tmp_path) as ours:
        ours.all_ready(2)
        with pytest.raises(httpx2.HTTPError):
            ours.read(669)
        assert ours.read().json()["readings"][0]["digits"] == "64"  # the other one, at once
        ours.all_ready(2)
        assert "ended with status 9: started again" in ours.text()


def test_the_page_of_metrics_is_the_sum_of_all_and_survives_who_counted(tmp_path):
    with service(tmp_path) as ours:
        ours.all_ready(2)
        for _ in range(20):  # each over a connection of its own: both workers get some
            assert ours.read().status_code == 200
        pages = {ours.metric("reader_pictures_total") for _ in range(6)}
        assert pages == {20}  # whichever worker was asked
        for worker in ours.workers():
            died = ours.metric("reader_workers_died_total")
            worker.terminate()  # it says its last counts itself
            until(lambda died=died: ours.metric("reader_workers_died_total") == died + 1)
            ours.all_ready(2)
        assert ours.metric("reader_pictures_total") == 20
        assert ours.metric("reader_requests_in_progress") == 0


def test_connections_are_shared_among_the_workers(tmp_path):
    with service(tmp_path) as ours, ExitStack() as clients:
        ours.all_ready(2)
        shares = [0]
        while min(shares) == 0 and sum(shares) < 200:  # who takes one is the system's choice
            client = clients.enter_context(httpx2.Client(base_url=ours.url, timeout=30))
            client.get("/healthz").raise_for_status()
            before, shares = (
                sum(shares),
                [
                    sum(link.status == "ESTABLISHED" for link in worker.net_connections("tcp"))
                    for worker in ours.workers()
                ],
            )
            assert sum(shares) == before + 1, shares
    assert min(shares) >= 1, shares


def test_the_end_of_one_worker_closes_the_door_to_nobody(tmp_path):
    with service(tmp_path) as ours:
        ours.all_ready(2)
        with Load(ours.url) as load:
            until(lambda: load.answered() > 30)
            ours.workers()[0].terminate()  # drains: what it took is answered, the rest goes to the other
            until(lambda: ours.metric("reader_workers_died_total") == 1)
            here = load.answered()
            until(lambda: load.answered() > here + 60)
        assert not any(load.failures()), load.failures()


def test_sigterm_drains_all_workers_and_a_second_one_ends_the_drain(tmp_path):
    with service(tmp_path, "--drain", "600") as ours:
        ours.all_ready(2)
        with Load(ours.url, callers=3) as load:
            until(lambda: load.answered() > 10)
            ours.process.send_signal(signal.SIGTERM)
            until(lambda: {httpx2.get(f"{ours.url}/readyz").status_code for _ in range(9)} == {503})
            here = load.answered()
            until(lambda: load.answered() > here + 10)  # new requests are still read
            with ours.sent(668) as slow:
                ours.process.send_signal(signal.SIGTERM)
                ours.process.wait(60)
                assert slow.recv(64).startswith(b"HTTP/1.1 200")
        wrong = [error for own in load.failures() for error in own if "refused" not in str(error)]
        assert not wrong, wrong
        assert ours.process.returncode == -signal.SIGTERM  # as without workers


def test_workers_end_when_their_master_is_killed(tmp_path):
    with service(tmp_path) as ours:
        ours.all_ready(2)
        pids = [worker.pid for worker in ours.workers()]
        ours.process.kill()
        until(lambda: not any(map(alive, pids)))


def test_a_worker_that_dies_at_once_is_started_ever_more_seldom(tmp_path):
    bad = tmp_path / "bad"
    with service(tmp_path, "--die-when", bad) as ours:
        ours.all_ready(2)
        bad.touch()
        ours.workers()[0].kill()
        until(lambda: "next start in 2 s" in ours.text())
        assert ours.read().status_code == 200  # the other goes on
        bad.unlink()
        ours.all_ready(2)
        sentences = [line for line in ours.text().splitlines() if line.startswith("worker ")]
        assert len(sentences) == ours.metric("reader_workers_died_total")  # a sentence each


def test_a_model_that_does_not_load_ends_the_service_with_a_sentence(tmp_path):
    bad = tmp_path / "bad"
    bad.touch()
    words = [sys.executable, ROOT / "tests" / "fake_service.py", "--workers", "2", "--die-when", bad]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 1
    assert "ended with status 7 before it could serve, 3 times" in ended.stderr


@pytest.mark.parametrize("count", ["0", "-1", "65"])
def test_a_number_of_workers_that_cannot_be_is_refused(count, capsys):
    assert cli.main(["serve", "--port", "0", "--workers", count]) == 1
    assert "--workers must be 1 to 64" in capsys.readouterr().err


def test_windows_gets_a_sentence(monkeypatch):
    monkeypatch.setattr(workers.sys, "platform", "win32")
    assert workers.checked(1) == 1
    with pytest.raises(RuntimeError, match="on Windows start several services"):
        workers.checked(2)


def test_the_real_service_reads_with_two_workers_as_with_one(tmp_path):
    from fsdl_deploy.cards import cards
    from fsdl_deploy.reader import OnnxReader
    from fsdl_deploy.running.course_servers import course_server

    log = tmp_path / "answers"
    image = next(iter(cards(1, "typical", seed=5))).image
    with course_server("serve", "--workers", "2", "--answer-log", log) as server:
        for number in range(8):
            body = {"pictures": [base64.b64encode(encode(image)).decode()]}
            answer = httpx2.post(f"{server.url}/read", json=body, headers={"x-request-id": str(number)})
            assert answer.json()["readings"][0]["digits"] == OnnxReader().read([image])[0].digits
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted(line["id"] for line in lines) == sorted(map(str, range(8)))  # both write, no line is torn
