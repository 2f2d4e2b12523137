import pytest

from fsdl_course.serving import serving_figures
from fsdl_course.serving.compare import ServingRow
from fsdl_course.serving.web import WebRung


def row(library, load, per_second, p99, cpu_ms=1.0, requests=0, refused=0):
    return ServingRow(library, load, per_second, p99 / 2, p99, 0, cpu_ms, 99.0, 1.0, requests, refused)


ROWS = [
    row("ours", "closed, 1", 100, 12), row("ours", "closed, 32", 300, 90, cpu_ms=2.5),
    row("ours", "open, 50%", 150, 9, requests=200),
    row("ours", "open, 120%", 360, 70, requests=200, refused=50),
    row("Triton", "closed, 1", 120, 11), row("Triton", "closed, 32", 500, 60, cpu_ms=1.5),
    row("Triton", "open, 50%", 250, 8, requests=200), row("Triton", "80% of the best's", 400, 9),
]  # fmt: skip


def test_closed_loops_make_a_line_and_the_last_of_them_the_bar(shown_figures):
    serving_figures.latency_against_rate(ROWS)
    left, right = shown_figures[0].axes
    assert [line.get_xydata().tolist() for line in left.lines] == [
        [[100, 12], [300, 90]], [[120, 11], [500, 60]]]  # fmt: skip
    assert [bar.get_height() for bar in right.patches] == [2.5, 1.5]
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["ours", "Triton"]


def test_open_loops_alone_are_drawn_each_at_its_own_share(shown_figures):
    """Triton has no run at 120 %: its one point belongs to 50 %, and the rate of all is none of them."""
    serving_figures.beyond_the_limit(ROWS)
    left, right = shown_figures[0].axes
    ours, triton = left.lines
    assert list(ours.get_xdata()) == ["50%", "120%"] and ours.get_ydata().tolist() == [9, 70]
    assert list(triton.get_xdata()) == ["50%"] and triton.get_ydata().tolist() == [8]
    assert right.lines[0].get_ydata().tolist() == pytest.approx([0, 25])
    assert ours.get_color() != triton.get_color() and ours.get_marker() != triton.get_marker()


def test_rungs_stand_from_the_first_with_rate_and_processor_time(shown_figures):
    serving_figures.web_rungs([WebRung("h11", 90.0, 1, 2, 7.0, 0), WebRung("uvloop", 120.0, 1, 2, 5.0, 0)])
    rates, times = shown_figures[0].axes
    assert [bar.get_width() for bar in rates.patches] == [90, 120]
    assert [bar.get_width() for bar in times.patches] == [7, 5]
    bottom, top = rates.get_ylim()
    assert bottom > top, "the first rung is on top"
