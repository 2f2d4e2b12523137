"""The load meter: what it counts, and that a stall cannot hide from the open loop."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from fsdl_deploy.measuring import progress
from fsdl_deploy.measuring.load import Load, closed_loop, open_loop, table
from fsdl_deploy.measuring.timetable import timetable


def load_of(latencies, seconds=2.0, errors=0, problems=None):
    latencies = np.asarray(latencies, float)
    return Load(len(latencies) + errors, seconds, latencies, latencies, problems or {})


@pytest.fixture(autouse=True)
def no_thread_left():
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert set(threading.enumerate()) <= before


class Stalls:
    """A server of one place whose first call takes ``seconds``; all others take nothing."""

    def __init__(self, seconds):
        self.seconds, self.lock, self.calls = seconds, threading.Lock(), 0

    def __call__(self):
        with self.lock:
            self.calls += 1
            if self.calls == 1:
                time.sleep(self.seconds)


def test_percentiles_are_numpys():
    latencies = np.random.default_rng(0).gamma(2, 10, 500)
    load = load_of(latencies)
    assert [load.p50, load.p95, load.p99] == list(np.percentile(latencies, [50, 95, 99]))
    assert load.percentile(0) == latencies.min() and load.percentile(100) == latencies.max()
    assert load.throughput == 250 and load.errors == 0


def test_load_without_a_success():
    load = load_of([], errors=3, problems={"TimeoutError": (3, "timed out")})
    assert load.errors == 3 and load.throughput == 0 and np.isnan(load.p99)
    assert "3 errors" in repr(load) and "3 × TimeoutError: timed out" in repr(load)


def test_closed_loop_makes_the_calls():
    calls = []
    load = closed_loop(lambda: calls.append(threading.current_thread().name), users=3, requests=20)
    assert len(calls) == load.requests == len(load.latencies) == 20
    assert set(calls) <= {"user 0", "user 1", "user 2"}
    assert load.errors == 0 and load.seconds > 0
    assert (load.latencies == load.service_times).all() and (load.latencies >= 0).all()
    assert load.throughput == pytest.approx(20 / load.seconds)


def test_users_are_there_at_the_same_time_and_no_more():
    meet = threading.Barrier(4)  # passes only if four calls are under way at once
    load = closed_loop(lambda: meet.wait(20), users=4, requests=8)
    assert load.errors == 0
    now, most, lock = [0], [0], threading.Lock()

    def call():
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.002)
        with lock:
            now[0] -= 1

    closed_loop(call, users=2, requests=20)
    assert most[0] <= 2


def test_more_users_finish_sooner_when_calls_only_wait():
    alone = closed_loop(lambda: time.sleep(0.02), users=1, requests=24)
    four = closed_loop(lambda: time.sleep(0.02), users=4, requests=24)
    assert four.throughput > alone.throughput
    assert min(alone.p50, four.p50) >= 20 * 0.9  # ms, not seconds


def test_warmup_is_not_measured():
    slow_at_first = Stalls(0.3)
    load = closed_loop(slow_at_first, requests=5, warmup=2)
    assert slow_at_first.calls == 7 and load.requests == 5 and load.latencies.max() < 300
    slow_at_first = Stalls(0.3)
    load = open_loop(slow_at_first, rate=50, seconds=0.1, warmup=1)
    assert slow_at_first.calls == 6 and load.requests == 5


def test_errors_are_counted_not_raised():
    numbers = iter(range(10))

    def call():
        number = next(numbers)
        if number % 5 == 1:
            raise TimeoutError(f"call {number} timed out\nwith details")
        if number == 3:
            raise ValueError("not a picture")

    load = closed_loop(call, requests=10)
    assert (load.requests, load.errors, len(load.latencies)) == (10, 3, 7)
    assert load.problems == {"TimeoutError": (2, "call 1 timed out"), "ValueError": (1, "not a picture")}

    def refuse():
        raise ConnectionRefusedError("nobody listens")

    for load in (closed_loop(refuse, requests=4), open_loop(refuse, rate=100, seconds=0.04)):
        assert load.errors == load.requests == 4 and load.throughput == 0


def test_open_loop_sees_the_stall_that_the_closed_loop_omits():
    closed = closed_loop(Stalls(0.5), users=1, requests=100)
    opened = open_loop(Stalls(0.5), rate=100, seconds=1, max_in_flight=1)
    assert closed.requests == opened.requests == 100
    assert 1 <= (closed.latencies > 250).sum() <= 3 and closed.p95 < 250
    assert (opened.latencies > 250).sum() >= 20 and opened.p95 > 250  # due in the first quarter of a second
    assert (opened.service_times > 250).sum() <= 3  # the client's view hides it here too
    assert (opened.latencies >= opened.service_times).all()


def test_open_loop_keeps_the_timetable():
    calls = []
    load = open_loop(lambda: calls.append(1), rate=50, seconds=0.5)
    assert load.requests == len(calls) == 25
    assert load.seconds >= timetable(50, 0.5)[-1]
    assert (load.latencies >= load.service_times).all()  # none was sent before it was due


def test_open_loop_does_not_wait_for_answers():
    meet = threading.Barrier(5)  # five calls have to be under way at once, though each is due later
    load = open_loop(lambda: meet.wait(20), rate=100, seconds=0.05)
    assert load.requests == 5 and load.errors == 0


def test_overload_is_given_up_and_counted():
    load = open_loop(lambda: time.sleep(0.1), rate=100, seconds=0.5, max_in_flight=1, patience=0.3)
    assert load.requests == 50 and 0 < load.errors < 50
    assert load.problems["NotSent"][0] == load.errors
    assert (load.latencies - load.service_times).max() <= 300 + 1e-6


def test_timetables():
    assert timetable(10, 0.5).tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert len(timetable(1, 0.1)) == 1
    poisson = timetable(100, 50, "poisson", seed=3)
    assert (poisson == timetable(100, 50, "poisson", seed=3)).all()
    assert len(poisson) != len(timetable(100, 50, "poisson", seed=4))
    assert (np.diff(poisson) >= 0).all() and poisson[0] >= 0 and poisson[-1] < 50
    gaps = np.diff(poisson)
    assert gaps.mean() == pytest.approx(0.01, rel=0.1) and gaps.std() == pytest.approx(0.01, rel=0.1)
    load = open_loop(lambda: None, rate=100, seconds=0.1, arrivals="poisson", seed=1)
    assert load.requests == len(timetable(100, 0.1, "poisson", seed=1))


@pytest.mark.parametrize(
    "arguments",
    [
        {"rate": 0},
        {"rate": -1},
        {"seconds": 0},
        {"arrivals": "bursts"},
        {"max_in_flight": 0},
        {"rate": float("nan")},
        {"rate": float("inf")},
        {"seconds": float("inf")},
    ],
)
def test_bad_arguments_of_the_open_loop(arguments):
    with pytest.raises(ValueError, match=r"rate|arrivals|max_in_flight"):
        open_loop(lambda: None, **({"rate": 1, "seconds": 1} | arguments))


@pytest.mark.parametrize("arguments", [{"users": 0}, {"requests": 0}, {"requests": 2.5}])
def test_bad_arguments_of_the_closed_loop(arguments):
    with pytest.raises(ValueError, match="whole number"):
        closed_loop(lambda: None, **arguments)


@pytest.mark.parametrize("loop", ["closed_loop(call, 4, 10**6)", "open_loop(call, 50, 600)"])
@pytest.mark.skipif(os.name != "posix", reason="plays with POSIX signals")
def test_interrupt_ends_the_run_and_its_threads(loop):
    source = (
        "import os, signal, threading, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # shells ignore it for background jobs
        "from fsdl_deploy.measuring.load import closed_loop, open_loop\n"
        "def call():\n    os.write(1, b'call\\n')\n    time.sleep(0.01)\n"
        f"try:\n    {loop}\nexcept KeyboardInterrupt:\n    pass\n"
        # Polled, not joined: CPython 3.11 may take a thread for ended whose join was interrupted.
        "end = time.monotonic() + 30\n"
        "while threading.active_count() > 1 and time.monotonic() < end:\n    time.sleep(0.01)\n"
        "print('threads', threading.active_count())\n"
    )
    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True) as process:
        try:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            last = process.communicate(timeout=60)[0].splitlines()[-1]
        finally:
            process.kill()
    assert last == "threads 1" and process.returncode == 0


def test_interrupt_inside_a_call_is_raised():
    def call():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        closed_loop(call, users=2, requests=100)


def test_table():
    loads = {"1 user": load_of([10, 10]), "16 <users>": load_of([1234.5], errors=2)}
    lines = repr(table(loads)).splitlines()
    assert lines[0].strip().startswith("requests  errors") and lines[0].endswith("p99 ms")
    assert lines[1].split() == ["1", "user", "2", "0", "2.0", "1.0", "10.0", "10.0", "10.0"]
    assert lines[2].split() == ["16", "<users>", "3", "2", "2.0", "0.5", "1234.5", "1234.5", "1234.5"]
    assert len({len(line) for line in lines}) == 1
    page = table(list(loads.items()))._repr_html_()
    assert page.count("<tr>") == 3 and "16 &lt;users&gt;" in page and ">1234.5</td>" in page


def test_a_long_run_shows_its_progress_and_a_short_one_nothing(monkeypatch, capsys):
    closed_loop(lambda: None, users=2, requests=20)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "PATIENCE", 0)
    assert closed_loop(lambda: time.sleep(0.01), users=2, requests=40).requests == 40
    printed = capsys.readouterr().err
    assert "load:" in printed and "40" in printed


def test_an_open_loop_ends_early_when_it_is_stopped():
    stop, calls = threading.Event(), []

    def call():
        calls.append(1)
        if len(calls) >= 5:  # two may come at once
            stop.set()

    load = open_loop(call, 200, 60, stop=stop)
    assert 5 <= load.requests == len(calls) < 100 and load.seconds < 30


STOPPED = """
import os, sys, time
from fsdl_deploy.measuring import beat
from fsdl_deploy.measuring.load import open_loop
beat.STILL = 0.3
def call():
    os.write(1, b"call\\n")
    time.sleep(float(sys.argv[1]))
load = open_loop(call, 40, 2, patience=0.6, max_in_flight=2)
print(load.requests, load.errors, load.never_sent, load.stood_still, load.standstill, load, sep="|")
"""


@pytest.mark.parametrize("seconds", [0, 0.3])
@pytest.mark.skipif(os.name != "posix", reason="plays with POSIX signals")
def test_what_the_meter_never_sent_is_not_lost_and_what_the_server_delays_is(seconds):
    command = [sys.executable, "-c", STOPPED, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            process.stdout.readline()
            process.send_signal(signal.SIGSTOP)
            threading.Event().wait(1.2)  # the standstill itself
            process.send_signal(signal.SIGCONT)
            last = process.communicate(timeout=60)[0].splitlines()[-1]
        finally:
            process.kill()
    requests, errors, never_sent, stood_still, sentence, printed = last.split("|")
    assert float(stood_still) >= 1.1 and int(requests) + int(never_sent) == 80 and sentence in printed
    assert int(never_sent) > 0 and f"never sent: {never_sent}" in sentence
    assert int(errors) == 0 if not seconds else int(errors) > 0  # two places for 40 a second: overload


def test_a_meter_that_runs_has_no_standstill():
    load = open_loop(lambda: None, 50, 0.1)
    assert (load.never_sent, load.stood_still, load.standstill) == (0, 0, "")
