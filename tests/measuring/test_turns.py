"""Calls that take turns."""

import pytest

from fsdl_deploy.measuring.turns import in_turns


def test_calls_take_turns_and_the_first_rounds_do_not_count():
    order = []
    taken = in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 4, warmup=2)
    assert "".join(order) == "ab" * 6
    assert {name: len(times) for name, times in taken.items()} == {"a": 4, "b": 4}


def test_times_are_milliseconds_of_one_call_each(monkeypatch):
    clock = iter([0, 0.001, 1, 1.05, 2, 2.003, 3, 3.07])
    monkeypatch.setattr("fsdl_deploy.measuring.turns.time.perf_counter", lambda: next(clock))
    taken = in_turns({"a": int, "b": int}, 2, warmup=0)
    assert taken["a"].tolist() == pytest.approx([1, 3]) and taken["b"].tolist() == pytest.approx([50, 70])


def test_what_a_call_raises_ends_all():
    with pytest.raises(ZeroDivisionError):
        in_turns({"a": lambda: 1 / 0}, 2)
