"""Figures of scaling: each line is what it is called, and the longest wait is said with its hour."""

import matplotlib.pyplot as plt
import pytest

from fsdl_deploy import figures
from fsdl_deploy.scaling import scaling_figures
from fsdl_deploy.scaling.autoscaling import Moment


def test_what_comes_what_can_be_read_and_the_longest_wait(monkeypatch):
    kept = []
    monkeypatch.setattr(figures, "show", lambda figure, alt: kept.append((figure, alt)))
    moments = [
        Moment(second=600 * step, rate=rate, replicas=9, ready=ready, busy=1.0, wait=wait)
        for step, (rate, ready, wait) in enumerate([(10, 1, 0.0), (90, 2, 3.0), (80, 4, 41.6), (20, 4, 0.5)])
    ]
    scaling_figures.autoscaled(moments, per_replica=25, begin=11.75, close_up=(11.9, 12.1))
    ((figure, alt),) = kept
    figures._check_labels(figure)
    left, right = figure.axes
    come, read = left.get_lines()
    assert come.get_label() == "cards come" and list(come.get_ydata()) == [10, 90, 80, 20]
    assert read.get_label() == "cards can be read" and list(read.get_ydata()) == [25, 50, 100, 100]
    assert list(come.get_xdata()) == pytest.approx([11.75, 11.75 + 1 / 6, 11.75 + 2 / 6, 12.25])
    assert list(right.get_lines()[0].get_ydata()) == [0.0, 3.0, 41.6, 0.5]
    assert right.get_xlim() == (11.9, 12.1)
    assert "42 s, at 12:05" in alt
    plt.close(figure)
