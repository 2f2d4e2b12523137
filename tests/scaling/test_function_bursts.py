"""Bursts: the figures of a phase are those of its calls, and the recorded burst of fifty is whole."""

import pytest

from fsdl_deploy.measuring import records
from fsdl_deploy.running import stations
from fsdl_deploy.scaling import function_bursts
from fsdl_deploy.scaling.lambda_instance import STATION
from fsdl_deploy.scaling.serverless_platform import Call, Function

station = stations.station(STATION)
needs_emulator = pytest.mark.skipif(not station.built, reason=station.not_built())


def test_a_phase_in_figures():
    calls = [Call(1, "", 0.1, 0.1, True), Call(None, "late", 0.3, 0.3, False), Call(1, "", 0.2, 0.2, False)]
    phase = function_bursts.phase("some", calls, 1, 2)
    assert (phase.before, phase.calls, phase.failed, phase.cold, phase.after) == (1, 3, 1, 1, 2)
    assert (phase.quickest, phase.median, phase.slowest) == pytest.approx((100, 200, 300))


def test_instances_live_until_the_history_says_that_they_are_gone():
    assert function_bursts.lived([(10.0, 1), (12.0, 3), (12.5, 2), (20.0, 0), (50.0, 0)]) == 2 + 1.5 + 15
    assert function_bursts.lived([]) == function_bursts.lived([(3.0, 0)]) == 0


@needs_emulator
def test_a_crowd_gets_an_instance_each_and_after_a_while_there_is_none(tmp_path):
    (tmp_path / "package").mkdir()
    app = "import time\ndef wait(event, context):\n    time.sleep(0.5)\n    return event\n"
    (tmp_path / "package" / "app.py").write_text(app)
    file = tmp_path / "record.json"
    phases = function_bursts.record(tmp_path / "package", "app.wait", {}, 3, file, idle=0.2)
    assert [phase.calls for phase in phases] == [3, 3, 3, 1]
    assert [phase.cold for phase in phases] == [1, 2, 0, 1]
    assert [(phase.before, phase.after) for phase in phases] == [(0, 1), (1, 3), (3, 3), (0, 1)]
    assert not any(phase.failed for phase in phases)
    kept = records.read(file)
    assert (kept["crowd"], kept["most"], len(kept["phases"])) == (3, 3, 4) and kept["cost"] > 0


def test_a_burst_does_not_end_instances_before_the_quiet_while(monkeypatch, tmp_path):
    function = Function(tmp_path, "app.wait", most=1, idle=0.5)
    seen = []
    call = Call(1, "", 1, 1, False)
    monkeypatch.setattr(Function, "__call__", lambda self, event: seen.append(self.idle) or call)
    monkeypatch.setattr(Function, "wait_for_none", lambda self: seen.append(self.idle))
    function_bursts.burst(function, {}, 1)
    assert seen[:5] == [float("inf")] * 5 and seen[5:] == [0.5, 0.5]


def test_fifty_at_once_are_recorded():
    kept = records.read(function_bursts.RECORD)
    phases = {phase["name"]: phase for phase in kept["phases"]}
    assert kept["crowd"] == 50 and kept["date"] and kept["machine"]
    assert phases["a crowd"]["calls"] == phases["the same crowd again"]["calls"] == 50
    assert kept["most"] >= max(phase["after"] for phase in phases.values()) > 1
    assert phases["after a quiet while"]["before"] == 0
    assert sum(phase["cold"] for phase in phases.values()) >= kept["most"]


class FakeFunction:
    """Bills the milliseconds of ``warm`` in turn, 400 for a first call; may end an instance too early."""

    def __init__(self, warm, error="", ends_after=None):
        self.times, self.error, self.ends_after = iter(warm), error, ends_after
        self.cold, self.count = True, 0

    def end_idle(self, idle):
        self.cold = self.cold or idle == 0

    def __call__(self, event):
        cold, self.cold, self.count = self.cold, False, self.count + 1
        if self.count == self.ends_after:
            self.cold = True
        return Call(1, self.error, 9, 0.4 if cold else next(self.times) / 1000, cold)


def test_warm_calls_are_counted_without_the_starts():
    calls = function_bursts.warm(FakeFunction(range(1, 11)), {}, starts=2, each=5)
    assert (calls.starts, calls.calls, calls.cold) == (2, 10, pytest.approx(400))
    assert (calls.quickest, calls.median, calls.slowest) == pytest.approx((1, 5.5, 10))
    assert 9 < calls.p99 < 10


def test_a_warm_call_that_failed_or_was_cold_is_no_measurement():
    with pytest.raises(RuntimeError, match="a call failed: late"):
        function_bursts.warm(FakeFunction([5] * 9, error="late"), {}, 1, 3)
    with pytest.raises(RuntimeError, match="an instance ended between two calls"):
        function_bursts.warm(FakeFunction([5] * 9, ends_after=2), {}, 1, 3)


def test_two_hundred_in_turn_are_recorded():
    kept = records.read(function_bursts.WARM_RECORD)
    assert kept["calls"] >= 200 and kept["starts"] >= 5 and kept["date"] and kept["machine"]
    assert 0 < kept["quickest"] <= kept["median"] <= kept["p99"] <= kept["slowest"] < kept["cold"]
