"""Figures of monitoring: lines are what rules and simulation say, thresholds where the watch has them."""

from types import SimpleNamespace

import numpy as np
import pytest

from fsdl_deploy.monitoring import burn_rate, drift, monitoring_figures
from fsdl_deploy.monitoring.delayed_labels import Estimate
from fsdl_deploy.monitoring.unhappy_customers import Day


def test_each_alert_has_a_line_that_begins_at_the_least_share_it_sees(shown_figures):
    monitoring_figures.outages()
    (((axes,), alt, _),) = shown_figures
    lines = axes.get_lines()
    assert len(lines) == len(burn_rate.WINDOWS)
    for line, window in zip(lines, burn_rate.WINDOWS, strict=True):
        percent, minutes = line.get_data()
        seen = percent[np.isfinite(minutes)]
        assert seen.min() == pytest.approx(100 * window.rate * (1 - burn_rate.OBJECTIVE), rel=0.05)
        assert minutes[-1] == pytest.approx(burn_rate.minutes_to_fire(1, window))
        assert f"{window.rate:g}" in line.get_label() and window.severity in line.get_label()
    assert [line.get_linestyle() for line in lines] == ["-"] * (len(lines) - 1) + ["--"]
    assert f"after {60 * burn_rate.minutes_to_fire(1, burn_rate.WINDOWS[0]):.0f} s" in alt


def test_only_what_crosses_the_threshold_is_an_alarm(shown_figures):
    reference = SimpleNamespace(ranks=lambda statistics: statistics, scores=lambda name, ranks: ranks)
    watch = SimpleNamespace(reference=reference, thresholds={("grey", "sum"): 6.0, ("sure", "sum"): 50.0})
    changed = {
        "dark": {"grey": np.full(9, 2.0), "sure": np.zeros(9)},
        "usual": {"grey": np.zeros(9), "sure": np.full(9, 2.0)},
    }
    monitoring_figures.sums(watch, changed, ("grey", "sure"))
    ((parts, alt, _),) = shown_figures
    for axes, name in zip(parts, ("grey", "sure"), strict=True):
        *sums, threshold = axes.get_lines()
        assert axes.get_title() == name and set(threshold.get_ydata()) == {watch.thresholds[name, "sum"]}
        for line, label in zip(sums, changed, strict=True):
            assert line.get_label() == label
            assert list(line.get_ydata()) == list(drift.cumulative_sum(changed[label][name]))
    assert "dark by grey" in alt and "usual" not in alt and "by sure" not in alt


def test_every_way_has_its_line_its_interval_and_its_last_word(shown_figures):
    days = [
        Day(
            day, way, Estimate(accuracy - day / 1000, accuracy - 0.1, accuracy + 0.01), truth=0.8 + day / 1000
        )
        for day in (40, 41)
        for way, accuracy in (("as they come", 0.99), ("audit", 0.9))
    ]
    monitoring_figures.estimates(days)
    (((axes,), alt, _),) = shown_figures
    come, audit, truth = axes.get_lines()
    assert [line.get_label() for line in axes.get_lines()] == ["as they come", "audit", "truth"]
    assert list(come.get_xdata()) == list(truth.get_xdata()) == [40, 41]
    assert list(audit.get_ydata()) == pytest.approx([86.0, 85.9])
    assert list(truth.get_ydata()) == pytest.approx([84.0, 84.1])
    heights = axes.collections[1].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((80, 91))
    assert "the truth is 84 %" in alt and "as they come 95 %, audit 86 %" in alt
