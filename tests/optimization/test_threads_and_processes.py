"""Threads, processes, async: every way does its work, and nothing is left. No speed is asserted."""

import multiprocessing
import threading

import pytest

from fsdl_deploy.optimization import threads_and_processes


@pytest.mark.parametrize("kind", threads_and_processes.KINDS)
def test_every_way_does_its_work_and_leaves_nothing(kind):
    before = threading.active_count()
    rates = threads_and_processes.compare(kind, 2, rounds=1, seconds=0.05)
    assert list(rates) == ["one thread", "2 tasks (async)", "2 threads", "2 processes"]
    assert all(rate > 0 for rate in rates.values())
    assert threading.active_count() == before and not multiprocessing.active_children()


def test_what_is_counted_is_what_was_done():
    calls = []
    assert threads_and_processes.in_tasks(lambda: calls.append(1), 3, 0.02) == pytest.approx(
        len(calls) / 0.02
    )
    calls.clear()
    assert threads_and_processes.in_threads(lambda: calls.append(1), 3, 0.02) == pytest.approx(
        len(calls) / 0.02
    )
    calls.clear()
    assert threads_and_processes.alone(lambda: calls.append(1), 0.02) == pytest.approx(len(calls) / 0.02)


def test_other_work_is_refused_also_in_a_process():
    with pytest.raises(ValueError, match="choose one of parse, read"):
        threads_and_processes.work("sleep")
    with pytest.raises(EOFError), threads_and_processes.processes("sleep", 1):
        pass
    assert not multiprocessing.active_children()
