"""Figures of the ladder: each bar and cell is that of its rung, and factors are on the rung before."""

import numpy as np
import pytest

from fsdl_course.optimization import rung_figures
from fsdl_deploy.optimization.ladder import RungResult


def rung(name: str, per_second: float, aside: bool = False, right: int = 90, file: float = 1.0) -> RungResult:
    return RungResult(
        name, aside, per_second, p50=1, p99=2, memory=1, right=right, cards=100, fixed=0, broken=0, file=file
    )


def test_a_cell_of_the_grid_is_the_rate_of_its_workers_and_threads(shown_figures):
    rates = {(2, 4): 80.0, (1, 1): 10.0, (2, 1): 20.0, (1, 4): 40.0}
    rung_figures.workers_and_threads(rates, cores=4)
    (axes,), alt, _ = shown_figures[0]
    assert np.array_equal(axes.images[0].get_array(), [[10, 40], [20, 80]])
    assert [text.get_text() for text in axes.texts] == ["10/s", "40/s", "20/s", "80/s"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1", "2"]
    assert "2 workers, 4 threads" in alt


def test_a_grid_with_a_gap_is_refused(shown_figures):
    with pytest.raises(KeyError):
        rung_figures.workers_and_threads({(1, 1): 1.0, (2, 4): 2.0}, cores=4)


def test_a_bar_says_its_factor_on_the_first_rung(shown_figures):
    rung_figures.rates_of_rungs([rung("a", 10), rung("b", 15, aside=True), rung("c", 40, right=75)], cores=2)
    (axes,), _, _ = shown_figures[0]
    assert [text.get_text() for text in axes.texts] == [
        "1 ×, 90.0% right",
        "2 ×, 90.0% right",
        "4 ×, 75.0% right",
    ]
    assert [bar.get_x() + bar.get_width() for bar in axes.patches] == [10, 15, 40]
    aside, next_one = axes.patches[1], axes.patches[2]
    assert aside.get_facecolor() != next_one.get_facecolor() == axes.patches[0].get_facecolor()


def test_a_step_is_on_the_last_rung_that_does_not_lead_aside():
    short = [rung("a", 10), rung("c", 30)]
    table = rung_figures.steps(
        {"long": [rung("a", 10), rung("b", 25, aside=True), rung("c", 40)], "here": short}
    )
    assert table.rows == [["a", "1.00", "1.00"], ["b", "2.50", ""], ["c", "4.00", "3.00"]]
    assert table.header[1:] == ["long", "here"]


def test_only_the_rungs_asked_for_are_in_the_table_of_files():
    results = [rung("int8", 50, right=80, file=100), rung("distilled", 70), rung("int8, static", 60)]
    table = rung_figures.files_and_rates(results, ["int8"])
    assert table.rows == [["int8", "100", "50", "80.0%"]]


def test_students_stand_at_their_size_with_their_interval(shown_figures):
    rows = [
        {"taught": taught, "multiply_adds": size * 1e6, "right": right, "cards": 100, "interval": [low, high]}
        for taught, size, right, low, high in [(False, 1, 50, 0.4, 0.65), (True, 1, 40, 0.3, 0.5)]
    ]
    rung_figures.students(rows)
    (axes,), _, _ = shown_figures[0]
    alone, taught = axes.containers
    assert alone.lines[0].get_ydata() == [0.5] and taught.lines[0].get_ydata() == [0.4]
    assert alone.lines[2][0].get_segments()[0][:, 1] == pytest.approx([0.4, 0.65])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "trained alone",
        "taught by the teacher",
    ]
