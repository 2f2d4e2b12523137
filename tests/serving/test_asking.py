import pytest

from fsdl_course.serving import asking


def test_processor_time_is_that_of_one_call(monkeypatch):
    clock, calls = iter([10.0, 16.0]), []
    monkeypatch.setattr(asking.time, "process_time", lambda: next(clock))
    assert asking.cpu_ms(calls.append, [b"a", b"b", b"c"], times=4) == pytest.approx(500)
    assert calls == [b"a", b"b", b"c"] * 4
