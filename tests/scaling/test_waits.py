"""Waits: too few replicas have no point in the figure; measured times stand beside those of their rate."""

import math

import numpy as np
import pytest

from fsdl_course.scaling import waits
from fsdl_deploy.measuring.load_result import Load
from fsdl_deploy.scaling import queueing


def test_a_line_begins_where_the_replicas_keep_up(shown_figures):
    waits.by_erlang(10.0, loads=(0.9, 2.5), promise=0.2)
    (axes,), _, _ = shown_figures[0]
    first, second, promise = axes.get_lines()
    assert "9 cards a second: 0.9 times" in first.get_label() and list(promise.get_ydata()) == [0.2, 0.2]
    times = dict(zip(second.get_xdata(), second.get_ydata(), strict=True))
    assert math.isinf(times[2]) and math.isfinite(times[3])
    assert times[3] == queueing.wait_time(25.0, 10.0, 3) > times[4]


def test_each_p99_stands_beside_the_formulas_at_the_same_rate():
    latencies = np.array([100.0, 300.0])
    load = Load(2, 1.0, latencies, latencies)
    (row,) = waits.beside_erlang({2: (14.0, load)}, 10.0).rows
    assert row[:3] == ["2", "14", "298"]
    assert float(row[3]) == pytest.approx(1000 * queueing.answer_time(14.0, 10.0, 2), abs=0.5)


def test_a_promise_has_the_replicas_of_its_own_rate():
    rates, needed = {"quiet": 3.4, "busy": 90.0}, {"busy": [10, 12], "quiet": [1, 2]}
    table = waits.promises(rates, needed, (5, 0.05))
    assert table.rows == [["quiet", "3", "1", "2"], ["busy", "90", "10", "12"]]
    assert table.header[2:] == ["99 % wait less than 5 s", "99 % wait less than 0.05 s"]
