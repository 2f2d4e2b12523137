"""The platform: instances come with calls and go without, limits end what breaks them, nothing is left."""

import dataclasses
import json
import zipfile
from collections import Counter

import psutil
import pytest
from polling import until

from fsdl_deploy.managed.costs import prices
from fsdl_deploy.running import stations
from fsdl_deploy.scaling.lambda_instance import STATION, Settings
from fsdl_deploy.scaling.serverless_platform import THROTTLED, Alias, Function

station = stations.station(STATION)
needs_emulator = pytest.mark.skipif(not station.built, reason=station.not_built())
APP = """
import os, sys, time
calls = 0
def count(event, context):
    global calls
    calls += 1
    return {"calls": calls, "pid": os.getpid(), "left": context.get_remaining_time_in_millis()}
def wait(event, context):
    deadline = time.monotonic() + event["seconds"]
    while time.monotonic() < deadline:
        time.sleep(0.01)
    return os.getpid()
def fail(event, context):
    raise KeyError("nothing like this")
def end(event, context):
    os._exit(3)
def take(event, context):
    kept = bytearray(event["megabytes"] * 2**20)
    time.sleep(20)
    return len(kept)
def tell(event, context):
    print("a line of the function's own")
    return {"variables": dict(os.environ), "path": sys.path}
def imports(event, context):
    __import__(event)
def spin(event, context):
    end = time.process_time() + event
    begin = time.monotonic()
    while time.process_time() < end:
        pass
    return time.monotonic() - begin
"""


@pytest.fixture
def package(tmp_path):
    """A folder with small handlers, quick to start."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    return folder


@pytest.fixture
def start(package):
    """``with start("count") as function:``, patient on a busy machine."""
    return lambda name, **more: Function(package, f"app.{name}", **{"timeout": 120, "idle": 60} | more)


def left_over(pids) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if process.pid in pids and "app." in " ".join(process.info["cmdline"] or ())
    ]


@needs_emulator
def test_an_instance_stays_for_the_next_call_and_keeps_its_modules(start):
    with start("count") as function:
        assert function.instances == 0
        calls = [function({}) for _ in range(3)]
        assert [call.cold for call in calls] == [True, False, False] and not any(call.error for call in calls)
        assert [call.answer["calls"] for call in calls] == [1, 2, 3]
        pids = {call.answer["pid"] for call in calls}
        assert len(pids) == function.instances == 1
        assert 0 < calls[1].answer["left"] <= 120_000
        for call in calls:
            assert 0 < call.billed <= call.seconds + 0.001, "whole milliseconds of what the caller waited"
            assert 1000 * call.billed == pytest.approx(round(1000 * call.billed))
    assert left_over(pids) == []


@needs_emulator
def test_a_burst_starts_instances_and_what_is_beyond_them_is_refused(start):
    with start("wait", most=2) as function:
        function.at_once([{"seconds": 0.1}] * 2)
        calls = function.at_once([{"seconds": 1.5}] * 3)
        assert Counter(call.error for call in calls) == {"": 2, THROTTLED: 1}
        assert len({call.answer for call in calls if not call.error}) == function.instances == 2
        assert function.metrics.throttled == 1 and function.metrics.most == 2
        assert sum(call.billed for call in calls if call.error) == 0


@needs_emulator
def test_without_calls_it_goes_back_to_none_and_the_next_call_is_cold(start):
    with start("count", idle=0.3) as function:
        pid = function({}).answer["pid"]
        until(lambda: function.instances == 0)
        assert left_over([pid]) == []
        assert function({}).cold and [count for _, count in function.history] == [1, 0, 1]


@needs_emulator
def test_time_is_limited_and_a_new_instance_serves_the_next_call(start):
    with start("wait", timeout=4) as function:
        until(lambda: not function({"seconds": 0}).error)  # a cold start counts into the four seconds
        errors = function.metrics.errors
        late = function({"seconds": 600})
        assert late.error == "Task timed out after 4.00 seconds" and late.answer is None
        assert late.billed > 3.9
        assert function.metrics.errors == errors + 1
        assert function.instances == 0 and function({"seconds": 0}).cold


@needs_emulator
def test_memory_is_limited(start):
    with start("take", memory=128) as function:
        call = function({"megabytes": 300})
        assert "more memory than its 128 MB" in call.error and function.instances == 0
        assert function.metrics.peak > 128 * 2**20


@needs_emulator
def test_errors_of_the_function_are_told_and_a_dead_one_is_replaced(start):
    with start("fail") as function:
        assert function({}).error.startswith("KeyError") and function.instances == 1
    with start("end") as function:
        assert function({}).error
        assert function({}).error and function.metrics.errors == 2


@needs_emulator
def test_an_instance_that_died_while_nobody_called_is_replaced(start):
    with start("count") as function:
        first = function({})
        function._all[0].server.kill()
        second = function({})
        assert not second.error and second.cold and second.answer["pid"] != first.answer["pid"]
        assert function.instances == 1


@needs_emulator
def test_nothing_of_this_machine_reaches_a_function(start, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a real secret")
    monkeypatch.setenv("AWS_PROFILE", "company")
    with start("tell", memory=512, variables={"METER_READER_VERSION": "v1"}) as function:
        seen = function({}).answer
        assert "a real secret" not in json.dumps(seen) and "company" not in json.dumps(seen)
        assert seen["variables"]["METER_READER_VERSION"] == "v1"
        assert seen["variables"]["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
        assert not [path for path in seen["path"] if "site-packages" in path]
        assert "a line of the function's own" in function.log() and "REPORT RequestId" in function.log()
    assert "a line of the function's own" in function.log(), "logs outlive their instances"
    with start("imports") as function:
        assert "No module named 'numpy'" in function("numpy").error
        assert "No module named 'boto3'" in function("boto3").error


@needs_emulator
def test_less_memory_is_a_smaller_share_of_a_core(start):
    with start("spin", memory=354) as function:
        function(0.01)
        assert function(0.2).answer > 0.2 / 0.4, "a fifth of a core needs five times as long"


@needs_emulator
def test_the_bill_by_hand(start):
    with start("count", memory=1024) as function:
        calls = [function({}) for _ in range(2)]
        seconds = sum(call.billed for call in calls)
        assert function.gb_seconds == pytest.approx(seconds)
        each = prices()["function_million_requests"].value / 1e6
        assert function.cost == pytest.approx(seconds * prices()["function_gb_second"].value + 2 * each)


@needs_emulator
def test_a_zip_is_unpacked(package, tmp_path):
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.write(package / "app.py", "app.py")
    with Function(tmp_path / "app.zip", "app.count", timeout=120) as function:
        assert function({}).answer["calls"] == 1
        folder = function.settings.package
    assert not folder.exists()


def test_an_alias_sends_as_many_calls_as_its_weights_say():
    alias = Alias(lambda event: "old", {lambda event: "new": 0.1})
    counts = Counter(alias(None) for _ in range(2000))
    assert 140 < counts["new"] < 260 and counts.total() == 2000
    assert {Alias(lambda event: "old", {})(None) for _ in range(50)} == {"old"}
    for weights in ({print: 1.1}, {print: -0.1}):
        with pytest.raises(ValueError, match="shares of the calls"):
            Alias(print, weights)


@pytest.mark.parametrize(
    "wrong", [{"timeout": 0}, {"timeout": 901}, {"timeout": 1.5}, {"memory": 64}, {"memory": 20_000}]
)
def test_what_lambda_would_refuse_is_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(tmp_path, "app.count", **wrong)
    assert Settings(tmp_path, "app.count", memory=3008).share is None


def test_without_the_emulator_one_sentence_says_so(package, tmp_path, monkeypatch):
    elsewhere = dataclasses.replace(station, root=tmp_path, platforms=("windows-x86_64",))
    monkeypatch.setattr(stations, "station", lambda name: elsewhere)
    with pytest.raises(stations.StationError, match="aws_lambda"), Function(package, "app.count") as function:
        function({})
