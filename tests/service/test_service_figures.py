"""Figures of the model service: what is drawn is what was measured, for each picture, format and model."""

import numpy as np
import pytest

from fsdl_course.service import service_figures


def test_time_is_that_of_one_picture(shown_figures):
    post_ms = {("JSON", 1): [9, 10, 90], ("JSON", 4): [20, 20, 20], ("form", 1): [8], ("form", 4): [12]}
    service_figures.many_pictures(post_ms)
    (((axes,), _, _),) = shown_figures
    lines = {line.get_label(): list(line.get_ydata()) for line in axes.get_lines()}
    assert lines == {"JSON": [10, 5], "form": [8, 3]}


def test_each_panel_has_its_own_measure_in_one_order_of_formats(shown_figures):
    service_figures.formats({"a": 1.0, "b": 2.0}, {"a": [3, 4, 50], "b": [5]}, {"a": [6], "b": [7]})
    ((panels, _, _),) = shown_figures
    assert [[bar.get_width() for bar in axes.patches] for axes in panels] == [[1, 2], [4, 5], [6, 7]]


def test_a_service_with_the_larger_model_is_larger_by_the_same_as_an_application(shown_figures):
    service_figures.applications({"student": 100.0, "teacher": 400.0}, service=150.0, thin=10.0, most=3)
    (((axes,), _, _),) = shown_figures
    lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    assert lines["teacher in every application"] == pytest.approx([400, 800, 1200])
    assert lines["student in one service"] == pytest.approx([160, 170, 180])
    assert lines["teacher in one service"] == pytest.approx([460, 470, 480])


def test_each_way_to_run_has_its_bar(shown_figures):
    service_figures.rates({"1 thread": 50.0, "2 threads": 70.0, "2 processes": 90.0})
    (((axes,), _, _),) = shown_figures
    assert [bar.get_width() for bar in axes.patches] == [50, 70, 90]


def test_the_parts_of_a_request_follow_each_other_beside_the_model_alone(shown_figures):
    service_figures.latency({"model": 2.0, "HTTP": 1.0, "the rest": 0.5})
    (((axes,), _, _),) = shown_figures
    bars = [(bar.get_x(), bar.get_width()) for bar in axes.patches]
    assert np.allclose(bars, [(0, 2), (0, 2), (2, 1), (3, 0.5)])
