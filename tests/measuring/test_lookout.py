"""A lookout: what is asked while something is broken on purpose."""

import threading

import pytest

from fsdl_deploy import figures
from fsdl_deploy.measuring.lookout import Lookout, WatchedCall


def test_failures_are_counted_for_what_failed_and_recovery_is_seen():
    down = threading.Event()

    def service():
        if down.is_set():
            raise ConnectionError("nobody listens")

    with Lookout({"page": int, "reading": service}, pause=0.001) as watch:
        watch.wait_for("reading", 2)
        down.set()
        broken = watch.seconds
        watch.wait_for("reading", 2, failed=True, since=broken)
        down.clear()
        watch.wait_for("reading", 2, since=watch.seconds)
    counts = watch.counts()
    assert counts["page"][1] == 0 and counts["page"][0] >= 1
    assert 2 <= counts["reading"][1] <= counts["reading"][0] - 4
    assert set(watch.problems("reading")) == {"nobody listens"}


def test_nothing_is_asked_once_the_block_is_left_even_by_an_error():
    with pytest.raises(KeyError), Lookout({"page": int}, pause=0.001) as watch:
        watch.wait_for("page", 1)
        raise KeyError("the lesson's own")
    assert not any(thread.is_alive() for thread in watch._threads)


def test_what_does_not_come_is_said_in_a_sentence():
    late = pytest.raises(TimeoutError, match="that 1 calls of “page” fail is not so far after 0 s")
    with late, Lookout({"page": int}, pause=0.001) as watch:
        watch.wait_for("page", 1, failed=True, longest=0.05)


def test_an_error_without_words_is_a_failure_too():
    def silent():
        raise ConnectionError

    with Lookout({"page": silent}, pause=0.001) as watch:
        watch.wait_for("page", 1, failed=True)
    assert watch.problems("page")[0] == "ConnectionError"


def test_only_calls_sent_after_the_moment_count():
    watch = Lookout({"page": int})
    watch.outcomes = [WatchedCall("page", 1.0, 5.0, ""), WatchedCall("page", 3.0, 5.0, "")]
    watch.wait_for("page", 1, since=2.0, longest=0.1)
    with pytest.raises(TimeoutError):
        watch.wait_for("page", 2, since=2.0, longest=0.05)


def test_the_figure_says_how_many_failed(monkeypatch):
    pages = []
    monkeypatch.setattr(figures, "_display", pages.append)
    watch = Lookout({"page": int, "reading": int})
    watch.outcomes = [WatchedCall("page", 0.1, 5.0, ""), WatchedCall("reading", 0.1, 5.0, "")]
    watch.outcomes.append(WatchedCall("reading", 0.2, 5.0, "gone"))
    watch.show(0.15, 0.3, grey="the service is down")
    assert "Calls that failed: page 0 of 1, reading 1 of 2" in pages[0]


def test_each_call_has_its_own_milliseconds():
    lengths = iter([0.0, 0.05])

    def second_is_slow():
        threading.Event().wait(next(lengths, 0.0))

    with Lookout({"page": second_is_slow}, pause=0) as watch:
        watch.wait_for("page", 2)
    first, second = watch.outcomes[:2]
    assert first.ms < second.ms and second.ms >= 45 and second.sent >= first.sent + first.ms / 1000
