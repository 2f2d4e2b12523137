"""A worker that is killed under load: who loses what, who answers next, one page of metrics."""

import base64
import os
import sys

import numpy as np
import pytest
from fake_service import fake_server

from fsdl_course.service import killed_worker
from fsdl_deploy.measuring.lookout import Lookout, WatchedCall
from fsdl_deploy.picture import encode

BODY = {"pictures": [base64.b64encode(encode(np.full((32, 72), 255, np.uint8))).decode()]}
posix = pytest.mark.skipif(sys.platform == "win32", reason="several processes on a port are POSIX's")


@posix
def test_only_callers_of_the_killed_worker_lose_a_request_and_its_successor_answers():
    server = fake_server("--workers", "2")
    death = killed_worker.under_load(server, BODY, callers=4)
    assert not server.running
    assert 2 <= death.connections <= 4  # the busier of two
    assert death.lost <= death.connections
    assert death.successor["readings"][0]["digits"] == "72"
    assert {page[:2] for page in death.pages} == {(2, 1)} and len(set(death.pages)) == 1
    assert 0 < death.killed < death.ready_again
    assert "ended by SIGKILL: started again" in death.log


def test_an_answer_is_that_of_the_process_that_is_meant(server):
    assert killed_worker.answer_of(server, server.pid, BODY)["readings"][0]["digits"] == "72"
    with pytest.raises(RuntimeError, match="none of 64 connections"):
        killed_worker.answer_of(server, os.getpid(), BODY)


def test_losses_are_counted_and_those_after_the_recovery_apart(shown_figures):
    watch = Lookout({"caller 1": int, "caller 2": int})
    problems = (("caller 1", 1.0, ""), ("caller 1", 2.0, "gone"), ("caller 2", 9.0, "gone"))
    watch.outcomes = [WatchedCall(name, sent, 5.0, problem) for name, sent, problem in problems]
    answer = {"readings": [{"digits": "72"}]}
    death = killed_worker.WorkerDeath(watch, 1.5, 5.0, 1, answer, [(2, 1, 3)], "")
    assert death.lost == 2
    assert [row[1] for row in death.table().rows] == ["3", "1", "2", "1", "72"]
    death.show()
    (((axes,), alt, _),) = shown_figures
    dots = {line.get_label(): list(line.get_xdata()) for line in axes.get_lines()}
    assert dots["answered"] == [1] and dots["no answer"] == [2, 9] and dots["a worker is killed"] == [1.5] * 2
    assert "2 of 3, also after" in alt


def test_a_system_without_several_workers_gets_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr(killed_worker.workers.sys, "platform", "win32")
    assert killed_worker.under_load(None, BODY) is None
    assert "on Windows start several services" in capsys.readouterr().out
